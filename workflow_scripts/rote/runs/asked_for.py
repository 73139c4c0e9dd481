"""Which members of a store a study asks for, as far as its noised data sets are there to tell."""

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import xarray as xr

from rote.files import made_by
from rote.study import plan
from rote.study.jobs import Study


def asked_for(study: Study, folder: Path) -> tuple[set[str], list[str]]:
    """Return the fingerprints of the members that the preset of a study asks for.

    Args:
        study: whose preset is meant.
        folder: that it works in.

    Returns:
        The fingerprints, and the noised data sets that are lacking or out of date: members that
        train on them cannot be told.
    """
    keys, lacking = set(), {}
    for experiment, settings in study.presets[study.preset].items():
        for run in plan.runs_of_experiment(experiment, settings):
            job = SimpleNamespace(preset=study.preset, experiment=experiment, run=run)
            job.noised = study.noised_of_run(job)
            file = f"results/{study.preset}/datasets/{job.noised}.nc"
            if made_by.read(folder / file) != study.made_by.noised(job):
                lacking[file] = None
                continue
            kind = import_module(f"rote.runs.{study.kind_of_run(job)}")
            with xr.open_dataset(folder / file, engine="netcdf4") as noised:
                keys |= set(kind.member_keys(noised, study.run(job)))
    return keys, list(lacking)
