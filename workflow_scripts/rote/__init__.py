"""Do deep nets learn by rote? The measures, the ensemble and the figures of the study.

Plain arrays, tensors and datasets in and out: nothing here knows Snakemake.
"""

__version__ = "0.1.0"
