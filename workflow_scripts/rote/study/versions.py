"""Versions of the code that determines numbers: edited code never shows old ones.

What is quickly computed (metrics, figures, pages) depends on the digest of its code. What takes
long (data, noise, models) depends on a number, as long as its code is the one that the number was
recorded for: an upgrade that computes the same keeps all finished models. Edited code goes by its
digest, apart from all that was computed before, until ``make golden`` has compared its numbers with
frozen ones and records it, for the same number or for one that was raised here.
"""

import json
from functools import cache
from pathlib import Path

from rote.study import code

DATASET = 2
NUMPY_FILE = 2  # beside DATASET, of source: numpy alone, so that other images are not read again
NOISING = 4
TRAINING = 5
SENSITIVITY = 3
CRITICAL_SAMPLES = 4
MEMORIZATION = 1
PROXIES = 2
ASSEMBLY = 1

MODULES = {  # that determine the numbers
    "DATASET": ["rote.data.sources", "fetch_dataset"],
    # Other kinds of noise count where they are drawn, so that adding one leaves all else.
    "NOISING": [
        "rote.data.noising",
        "rote.data.noises.randX",
        "rote.data.noises.randY",
        "noise_dataset",
    ],
    "TRAINING": ["rote.runs.training"],
    "SENSITIVITY": ["rote.runs.sensitivity"],
    "CRITICAL_SAMPLES": ["rote.runs.complexity", "rote.data.noises.randX"],
    "MEMORIZATION": ["rote.runs.memorization"],
    "PROXIES": ["rote.runs.proxies"],
    # Of the file of a run alone: models, which a notebook has without the script, do not count it.
    "ASSEMBLY": ["compute_run"],
}
OF_RUN = {  # by the module of rote.runs
    "training": ["TRAINING"],
    "complexity": ["TRAINING", "CRITICAL_SAMPLES"],
    "sensitivity": ["TRAINING", "SENSITIVITY"],
    "memorization": ["TRAINING", "MEMORIZATION"],
    "proxies": ["TRAINING", "MEMORIZATION", "PROXIES"],
}
RECORD = Path(__file__).with_name("recorded.json")


@cache
def _recorded() -> dict[str, list]:
    """Return, by name, the number and the digest of the code that it was recorded for."""
    return json.loads(RECORD.read_text()) if RECORD.exists() else {}


def current(name: str) -> int | str:
    """Return a number of this module, or, for edited code, the number and the code's digest."""
    number, digest = globals()[name], code.digest(MODULES[name])
    return number if _recorded().get(name) == [number, digest] else f"{number}+{digest}"


def of_observer(name: str) -> list[str]:
    """Return what tells the code of an observer of ``rote.measures`` apart, ``module.Class``.

    It is not recorded, but goes by its digest: an edit concerns the trainings alone that it
    watches.
    """
    return [name, code.digest([f"rote.measures.{name.partition('.')[0]}"])]


def record() -> dict[str, list]:
    """Record the code as it is for the numbers as they are, and return what was recorded."""
    now = {name: [globals()[name], code.digest(modules)] for name, modules in MODULES.items()}
    RECORD.write_text(json.dumps(now, indent=2) + "\n")
    _recorded.cache_clear()
    return now
