"""Files: what is between two steps of the study, and what is kept from one call to the next.

``atomic`` makes a file whole or absent, ``netcdf`` writes and reads datasets and finds damage,
``provenance`` says what a file was made by, ``store`` keeps finished members by their fingerprints,
and ``text`` writes pages for people.
"""
