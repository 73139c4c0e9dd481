"""Figure 4.1: the critical sample ratio over training, for real data and both kinds of noise."""

import xarray as xr

from rote.metrics import unstack_conditions, with_protocol


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the ratios and accuracies of real data and of the highest level of noise.

    Args:
        runs: that of the last case of the experiment ``complexity``.

    Returns:
        ``critical_sample_ratio``, ``noise_critical_sample_ratio`` (for randX: on inputs of noise),
        ``train_accuracy`` and ``validation_accuracy`` (condition, epoch, seed); missing at epochs
        at which critical samples were not searched, and where a member diverged. Attribute
        ``noise_level``.
    """
    (run,) = runs
    level = run["noise_level"].max().item()
    shown = run.sel(member=(run["noise_level"] == level) | (run["noise_kind"] == "real"))
    result = unstack_conditions(over_epochs(shown))
    return with_protocol(result.assign_attrs(noise_level=level), [shown])


def over_epochs(run: xr.Dataset) -> xr.Dataset:
    """Return the ratios and accuracies of all members at all epochs of a run."""
    ratio = run["critical_sample_ratio"].rename(critical_epoch="epoch").reindex(epoch=run["epoch"])
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
