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
from rote.metrics.fig4_1 import ratios_and_accuracies

CASE = {"long_name": "case: data and model"}
TITLE = {"long_name": "data and kind of model"}
SIZES = {
    "train_examples": {"long_name": "training examples", "units": "1"},
    "validation_examples": {"long_name": "validation examples", "units": "1"},
    "image_size": {"long_name": "rows×columns of an image, in pixels"},
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the ratios and accuracies of every case, kind and level of noise.

    Args:
        runs: those of the experiment ``complexity``, one a case.

    Returns:
        ``train_accuracy``, ``validation_accuracy`` (dataset, noise_kind, noise_level, epoch, seed),
        and the ratios and shares of Figure 4.1 (dataset, noise_kind, noise_level, radius,
        critical_epoch, seed), the shares without radius; missing at epochs at which
        another case alone was evaluated or searched, and where a member diverged. Level 0 is the
        real data, the same for both kinds. ``dataset`` names the cases of the configuration; along
        it, ``title`` says what they are, and names those that are alike, and ``train_examples``,
        ``validation_examples`` and ``image_size`` say what they have.
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
        ratios_and_accuracies(run).assign_coords(dataset=((), case, CASE))
        for case, run in zip(cases, runs, strict=True)
    ]
    members = real_as_every_kind(join_runs(of_cases))
    result = unstack_members(members, "dataset", "noise_kind", "noise_level", "seed")
    along_cases = {
        name: ("dataset", [run.attrs[name] for run in runs], attrs) for name, attrs in SIZES.items()
    }
    result = result.sel(dataset=cases).assign_coords(
        title=("dataset", titles, TITLE), **along_cases
    )
    return with_protocol(
        "fig4_2",
        result.transpose(..., "epoch", "radius", "critical_epoch", "seed"),
        runs,
        [line for run in runs for line in protocol([run])],
    )
