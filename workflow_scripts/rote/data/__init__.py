"""From a source of images to what an experiment trains on.

``sources`` turns digits of a package, torchvision's data sets or a folder of images into one form;
``noising`` draws subsets of it and the noise that may replace inputs or labels.
"""
