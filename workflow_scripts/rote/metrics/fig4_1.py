"""Figure 4.1: the critical sample ratio over training, for real data and both kinds of noise."""

import xarray as xr

from rote.metrics import unstack_conditions, with_protocol


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the ratios and accuracies of real data and of the highest level of noise.

    Args:
        runs: that of the last case of the experiment ``complexity``.

    Returns:
        ``critical_sample_ratio`` and, for randX, ``noise_critical_sample_ratio``, that on inputs
        of noise (condition, learning_rate, critical_epoch, seed); ``train_accuracy`` and
        ``validation_accuracy`` (condition, learning_rate, epoch, seed); missing where a member
        diverged. Every critical epoch is one of the epochs. Attribute ``noise_level``.
    """
    (run,) = runs
    level = run["noise_level"].max().item()
    shown = run.sel(member=(run["noise_level"] == level) | (run["noise_kind"] == "real"))
    result = unstack_conditions(ratios_and_accuracies(shown))
    return with_protocol("fig4_1", result.assign_attrs(noise_level=level), [shown])


def ratios_and_accuracies(run: xr.Dataset) -> xr.Dataset:
    """Return the ratios (member, critical_epoch) and accuracies (member, epoch) of a run."""
    ratio = run["critical_sample_ratio"]
    real, noise = (ratio.sel(critical_inputs=inputs, drop=True) for inputs in ("real", "noise"))
    return xr.Dataset(
        {
            "critical_sample_ratio": real.assign_attrs(
                long_name="fraction of real validation inputs that are critical"
            ),
            "noise_critical_sample_ratio": noise.assign_attrs(
                long_name="fraction of validation inputs of noise that are critical"
            ),
            "train_accuracy": run["train_accuracy"],
            "validation_accuracy": run["validation_accuracy"],
        }
    )
