"""Figure 4.1: the critical sample ratio over training, for real data and each kind of noise."""

import xarray as xr

from rote.metrics import unstack_conditions, with_protocol

OF_INPUTS = {  # what was searched: how the names of its variables begin, and in words
    "real": ("", "real validation inputs"),
    "noise": ("noise_", "validation inputs of noise"),
    "train": ("train_", "the inputs trained on"),
}
SEARCHED = {
    "critical_sample_ratio": "fraction of {} that are critical",
    "commonest_class_share": "fraction of {} in the class predicted most often: near 1 the ratio "
    "of critical samples is low, whatever the boundary",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the ratios and accuracies of real data and of the highest level of noise.

    Args:
        runs: that of the last case of the experiment ``complexity``.

    Returns:
        ``critical_sample_ratio`` on real validation inputs, ``noise_critical_sample_ratio`` on
        validation inputs of noise, for noise in the inputs, and ``train_critical_sample_ratio`` on
        the inputs that a model was trained on, if these were searched (condition, learning_rate,
        radius, critical_epoch, seed). Beside each, ``commonest_class_share``,
        ``noise_commonest_class_share`` and ``train_commonest_class_share`` (condition,
        learning_rate, critical_epoch, seed): a model that puts nearly all inputs into one class has
        a low ratio, whatever its boundary. ``train_accuracy`` and ``validation_accuracy``
        (condition, learning_rate, epoch, seed). Missing where a member diverged. Every critical
        epoch is one of the epochs. Attribute ``noise_level``.
    """
    (run,) = runs
    level = run["noise_level"].max().item()
    shown = run.sel(member=(run["noise_level"] == level) | (run["noise_kind"] == "real"))
    result = unstack_conditions(ratios_and_accuracies(shown))
    return with_protocol("fig4_1", result.assign_attrs(noise_level=level), [shown])


def ratios_and_accuracies(run: xr.Dataset) -> xr.Dataset:
    """Return what a run says about critical samples, and its accuracies.

    Ratios are (member, radius, critical_epoch), shares (member, critical_epoch), accuracies
    (member, epoch).
    """
    variables = {name: run[name] for name in ("train_accuracy", "validation_accuracy")}
    for inputs in run["critical_inputs"].values:
        prefix, words = OF_INPUTS[inputs]
        for name, long_name in SEARCHED.items():
            variables[f"{prefix}{name}"] = (
                run[name]
                .sel(critical_inputs=inputs, drop=True)
                .assign_attrs(long_name=long_name.format(words))
            )
    return xr.Dataset(variables)
