"""Which members of a store a study asks for, as far as its noised data sets are there to tell."""

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import xarray as xr

from rote.files import made_by, netcdf
from rote.machine.errors import UserError
from rote.study.figures import runs_of_experiment
from rote.study.jobs import Study


def asked_for(study: Study) -> tuple[set[str], list[str]]:
    """Return the fingerprints of the members that the preset of a study asks for.

    Args:
        study: of the folder in which this process works.

    Returns:
        The fingerprints, and the noised data sets that are lacking or out of date: members that
        train on them cannot be told.
    """
    keys: set[str] = set()
    lacking: dict[str, None] = {}
    for experiment, settings in study.presets[study.preset].items():
        for run in runs_of_experiment(experiment, settings):
            job = SimpleNamespace(preset=study.preset, experiment=experiment, run=run)
            job.noised = study.noised_of_run(job)
            file = f"results/{study.preset}/datasets/{job.noised}.nc"
            noised = _noised(file, study.made_by.noised(job))
            if noised is None:
                lacking[file] = None
                continue
            kind = import_module(f"rote.runs.{study.kind_of_run(job)}")
            keys |= set(kind.member_keys(noised, study.run(job)))
    return keys, list(lacking)


@lru_cache(maxsize=1)  # runs of one data set stand together
def _noised(file: str, expected: str) -> xr.Dataset | None:
    """Return a noised data set, None if it is lacking, damaged or made by something else."""
    if made_by.read(Path(file)) != expected:
        return None
    try:
        return netcdf.read(file)
    except UserError:
        return None
