"""A study of all experiments that takes seconds a figure, run by the real Snakefile."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from copy import deepcopy
from pathlib import Path

import yaml

import preloaded
import stores
from conftest import ROOT
from rote.files.pack import Record

TINY = {
    "random_labels": "independent",
    "dataset": "digits",
    "image_size": 7,
    "crop": 0,
    "train_examples": 50,
    "validation_examples": 50,
    "validation_from": "train",
    "scaling": "unit",
}
TRAINING = {
    "epochs": 2,
    "batch_size": 25,
    "learning_rate": 0.1,
    "decay_factor": 0.5,
    "decay_every": None,
    "momentum": 0,
    "weight_decay": 0,
    "evaluate_every": 1,
}
REGULARIZERS = {
    "dropout": [0.5],
    "input_dropout": [0.5],
    "input_noise": [0.5],
    "hidden_noise": [0.5],
    "weight_decay": [0.01],
    "adversarial": [0.5],
    "adversarial_dropout": [[0.5, 0.5]],
}
TO_THRESHOLD = {key: value for key, value in TRAINING.items() if key != "evaluate_every"}
TO_THE_LAST = dict(TO_THRESHOLD)  # scored there alone
TO_THRESHOLD |= {"epochs": 20, "threshold": 0.3}
TO_THE_END = TRAINING | {"threshold": None, "plateau": None}  # of capacity: all of its epochs


def copied_checkout(folder: Path) -> Path:
    """Copy the workflow into a folder, to be edited, and return that folder."""
    for name in ("rules", "workflow_scripts", "envs", "report", "profiles"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def own_python(checkout: Path) -> Path:
    """Make a .venv as ``make setup`` does, with the libraries of this one, return its Python."""
    venv.create(checkout / ".venv", symlinks=True)
    libraries = Path(sysconfig.get_path("purelib", vars={"base": str(checkout / ".venv")}))
    (libraries / "tests.pth").write_text(sysconfig.get_path("purelib"))
    return checkout / ".venv" / "bin" / "python"


class Study:
    """A folder with a tiny study, run by the real Snakefile.

    Args:
        folder: of the study.
        preloaded: whether its jobs have the libraries already, see ``preloaded``.
    """

    def __init__(self, folder: Path, *, preloaded: bool = True):
        self.folder, self.snakefile, self.preloaded = folder, ROOT / "Snakefile", preloaded
        self.python, self.environment = sys.executable, dict(os.environ)
        self.config = {
            "device": "cpu",
            "presets": {
                "demo": {
                    "capacity": {
                        "data": TINY,
                        "noise_kinds": ["randX", "randY"],
                        "noise_levels": [0, 0.5],
                        "seeds": 2,
                        "model": {"hidden_layers": 2, "hidden_units": [4, 8]},
                        "training": dict(TO_THE_END),
                    },
                    "convergence": {
                        "data": TINY | {"train_examples": [25, 50], "validation_examples": 0},
                        "noise_levels": [0, 1.0],
                        "seeds": 2,
                        "model": {"hidden_layers": 2, "hidden_units": 4},
                        "capacity_units": [8],
                        "training": TO_THRESHOLD,
                    },
                    "difficulty": {
                        "data": TINY | {"validation_examples": 0},
                        "noise_kinds": ["randX", "randY"],
                        "noise_level": 1.0,
                        "seeds": 2,
                        "experiments": 3,
                        "model": {"hidden_layers": 2, "hidden_units": 4},
                        "training": dict(TRAINING) | {"epochs": 1},
                    },
                    "memorization": {
                        "data": TINY,
                        "noise_kinds": ["randY"],
                        "noise_levels": [0, 0.5],
                        "seeds": 2,
                        "models": 4,
                        "proxies": 1,
                        "model": {"hidden_layers": 2, "hidden_units": 4},
                        "training": TO_THE_LAST,
                    },
                    "regularization": {
                        "data": TINY,
                        "seeds": 2,
                        "mlp": {"hidden_layers": 2, "hidden_units": 7},
                        "training": dict(TRAINING),
                        "strengths": REGULARIZERS,
                        "selected": {name: values[0] for name, values in REGULARIZERS.items()},
                        "adversarial_examples": {"max_iterations": 1},
                    },
                    "complexity": {
                        "noise_kinds": ["randX", "randY"],
                        "noise_levels": [0, 1.0],
                        "seeds": 2,
                        "critical_samples": {
                            "max_iterations": 2,
                            "examples": 20,
                            "train_examples": 10,
                        },
                        "cases": {
                            "digits_mlp": {
                                "data": TINY,
                                "mlp": {"hidden_layers": 2, "hidden_units": 5},
                                "training": dict(TRAINING),
                                "critical_epochs": [1, 2],
                            },
                            "digits_cnn": {
                                "data": TINY | {"image_size": 28},
                                "cnn": {
                                    "maps": 2,
                                    "dense": [4],
                                    "padding": "same",
                                    "pooling_stride": 2,
                                },
                                "training": dict(TRAINING),
                                "critical_epochs": [2],
                            },
                        },
                    },
                    "sensitivity": {
                        "data": TINY | {"validation_examples": 0},
                        "seeds": 2,
                        "model": {"hidden_layers": 2, "hidden_units": 4},
                        "labellings": {
                            "class": {"epochs": 2, "batch_size": 25, "learning_rate": 0.1},
                            "unique": {"epochs": 2, "batch_size": 25, "learning_rate": 0.1},
                        },
                        "evaluations": 2,
                        "class_evaluations": 1,
                    },
                }
            },
        }

        self.config = deepcopy(self.config)  # tests change it in place

    def snakemake(self, *arguments: str, fails: bool = False) -> str:
        """Run Snakemake, and return what it printed."""
        (self.folder / "tiny.yaml").write_text(yaml.safe_dump(self.config))
        own = not self.preloaded or self.python != sys.executable
        python = self.python if own else preloaded.python()
        command = [python, "-m", "snakemake", *arguments, "--snakefile", self.snakefile]
        options = ["--directory", self.folder, "--configfile", "tiny.yaml"]
        ran = subprocess.run(
            [*command, *options],
            cwd=self.folder,
            env={**self.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        assert (ran.returncode != 0) == fails, ran.stderr + ran.stdout
        return ran.stderr + ran.stdout

    def members(self) -> set[Record]:
        """Return the finished members in the store."""
        return stores.finished(self.store)

    def new_members(self, *arguments: str) -> int:
        """Run, and return how many members were trained; those there before must still be there."""
        before = self.members()
        self.snakemake(*arguments)
        assert before <= self.members()
        return len(self.members()) - len(before)

    def finished(self, *targets: str) -> bool:
        """Return whether nothing is left to do for the targets, all figures if there are none."""
        printed = self.snakemake("-n", *(targets or ["figures"]))
        print(printed)  # pytest shows it where a test fails
        return "Nothing to be done" in printed

    def copied(self, folder: Path) -> "Study":
        """Return a copy of the study in an empty folder, with all that Snakemake knows of it."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        copy = Study(folder, preloaded=self.preloaded)
        copy.config = deepcopy(self.config)
        return copy

    @property
    def store(self) -> Path:
        """The folder of its models."""
        return self.folder / "results" / "store"

    @property
    def results(self) -> Path:
        """The folder of its results."""
        return self.folder / "results" / "demo"
