"""Figure 4.2: accuracy and critical sample ratio over training, for each level of noise."""

import numpy as np
import xarray as xr

from rote.metrics import (
    NOISE_KIND,
    NOISE_LEVEL,
    SEED,
    filled,
    noise_kinds,
    place,
    protocol,
    settings_of,
    with_protocol,
)
from rote.metrics.fig4_1 import EPOCH, MEASURES, over_epochs


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the ratios and accuracies of every case, kind and level of noise.

    Args:
        runs: those of the experiment ``complexity``, one a case.

    Returns:
        ``train_accuracy``, ``validation_accuracy``, ``critical_sample_ratio`` and, for randX on
        inputs of noise, ``noise_critical_sample_ratio`` (dataset, noise_kind, noise_level, epoch,
        seed); missing at epochs at which a case was not evaluated or searched, and where a member
        diverged. Level 0 is the real data, the same for both kinds. ``dataset`` names the cases of
        the configuration, ``title`` says what they are, and names those that are alike.
    """
    cases = [settings_of(run)["case"] for run in runs]
    every = np.unique(np.concatenate([run["epoch"].values for run in runs]))
    coordinates = {
        "dataset": (cases, {"long_name": "case: data and model", "units": "1"}),
        "noise_kind": (noise_kinds(runs), NOISE_KIND),
        "noise_level": (np.unique(runs[0]["noise_level"]), NOISE_LEVEL),
        "epoch": (every, EPOCH),
        "seed": (np.unique(runs[0]["seed"]), SEED),
    }
    result = filled(MEASURES, coordinates)
    for case, run in zip(cases, runs, strict=True):
        for i in range(run.sizes["member"]):
            member = run.isel(member=i)
            where = {"dataset": case, "epoch": member["epoch"].values, **place(member)}
            for name, values in over_epochs(member).items():
                target = result[name].loc[where]
                along = xr.DataArray(values, dims="epoch", coords={"epoch": member["epoch"]})
                result[name].loc[where] = along.broadcast_like(target).transpose(*target.dims)
    titles = [
        f"{run.attrs['dataset']}, {'CNN' if 'maps' in settings_of(run)['model'] else 'MLP'}"
        for run in runs
    ]
    titles = [
        f"{title} ({case})" if titles.count(title) > 1 else title
        for case, title in zip(cases, titles, strict=True)
    ]
    result = result.assign_coords(
        title=("dataset", titles, {"long_name": "data and kind of model", "units": "1"})
    )
    return with_protocol(result, runs, [line for run in runs for line in protocol([run])])
