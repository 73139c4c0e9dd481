"""Versions of the code that determines numbers.

Snakemake does not see changes in imported modules. So each rule passes its version as a parameter,
and a member's fingerprint holds those of the data and the training: raise a number here whenever
the same settings give other numbers than before, and only what depends on it is computed again.
"""

DATASET = 2
NOISING = 2
TRAINING = 2
SENSITIVITY = 1
CRITICAL_SAMPLES = 2
RUNS = {  # by the module of rote.runs
    "training": [TRAINING],
    "complexity": [TRAINING, CRITICAL_SAMPLES],
    "sensitivity": [TRAINING, SENSITIVITY],
}
METRICS = {
    "fig1": 2,
    "fig2": 2,
    "fig3_1": 2,
    "fig3_2": 1,
    "fig3_3": 2,
    "fig4_1": 2,
    "fig4_2": 2,
    "filters": 2,
    "fig5_1": 3,
    "fig5_2": 2,
}
FIGURES = dict.fromkeys(METRICS, 1) | dict.fromkeys(
    ("fig3_1", "fig3_2", "fig3_3", "fig4_2", "fig5_1"), 2
)
CLAIMS = 2
GALLERY = 1
