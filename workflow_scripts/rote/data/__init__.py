"""From a source of images to what an experiment trains on.

``sources`` turns digits of a package, torchvision's data sets or a folder of images (``folder``)
into one form; ``subsets`` draws which examples are trained on and which validated; ``noising`` adds
the noise that may replace inputs or labels.
"""
