"""Files: what is between two steps of the study, and what is kept from one call to the next.

``atomic`` makes a file whole or absent, ``netcdf`` writes and reads datasets and finds damage,
``provenance`` says where numbers come from, ``made_by`` tells a file that is out of date, ``store``
keeps finished members by their fingerprints, in files (``pack``) of datasets as bytes (``arrays``),
``text`` writes pages for people, and ``sweeps`` takes of metrics the first of all that is swept.
"""
