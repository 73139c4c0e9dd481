"""From a source of images to what an experiment trains on.

``sources`` turns digits of a package, torchvision's data sets (``published``), a folder of images
(``folder``), a NetCDF file or one of NumPy (``numpy_file``) into one ``form``; ``survey`` says
before anything is read what a folder does not give; ``subsets`` draws which examples
are trained on and which validated; ``noising`` adds the noise that may replace inputs or labels.
"""
