"""Figure 4.2: accuracy and critical sample ratio over training, for each level of noise."""

import xarray as xr

from rote.metrics import (
    join_runs,
    protocol,
    real_as_every_kind,
    settings_of,
    unstack_members,
    with_protocol,
)
from rote.metrics.fig4_1 import over_epochs

CASE = {"long_name": "case: data and model", "units": "1"}
TITLE = {"long_name": "data and kind of model", "units": "1"}


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
    titles = [
        f"{run.attrs['dataset']}, {'CNN' if 'maps' in settings_of(run)['model'] else 'MLP'}"
        for run in runs
    ]
    titles = [
        f"{title} ({case})" if titles.count(title) > 1 else title
        for case, title in zip(cases, titles, strict=True)
    ]
    of_cases = [
        over_epochs(run).assign_coords(dataset=((), case, CASE))
        for case, run in zip(cases, runs, strict=True)
    ]
    members = real_as_every_kind(join_runs(of_cases))
    result = unstack_members(members, "dataset", "noise_kind", "noise_level", "seed")
    result = result.sel(dataset=cases).assign_coords(title=("dataset", titles, TITLE))
    return with_protocol(
        result.transpose(..., "epoch", "seed"),
        runs,
        [line for run in runs for line in protocol([run])],
    )
