"""Claim 4: critical sample ratio and accuracy over training say that simple patterns come first."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.verdicts import Inconclusive, Interval, Part, over_seeds, slope_weights


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on the ratio at the end (``fig4_1``) and on the course (``fig4_2``)."""
    margin, large = criteria["margin"], criteria["large"]
    ratio = "critical sample ratio after the last epoch"
    yield Part(
        "ratio_randX_over_randY",
        "fig4_1",
        f"{ratio}, randX less randY",
        f"more than {margin:g} (margin)",
        (margin, np.inf),
        partial(_at_the_end, metrics, ("randX", "randY"), criteria),
    )
    yield Part(
        "ratio_randY_over_real",
        "fig4_1",
        f"{ratio}, randY less real",
        f"above or equal: more than {-margin:g} (margin)",
        (-margin, np.inf),
        partial(_at_the_end, metrics, ("randY", "real"), criteria),
    )
    cases = metrics["fig4_2"]["dataset"].values if "fig4_2" in metrics else ["all"]
    for case in cases:
        title = f"{metrics['fig4_2']['title'].sel(dataset=case).item()}, " if case != "all" else ""
        noisy = f"{title}randY, mean of the noise levels above 0: "
        yield Part(
            f"memorised_after_peak_{case}",
            "fig4_2",
            f"{noisy}training accuracy gained after the peak of validation accuracy",
            f"the peak comes early: more than {large:g} (large)",
            (large, np.inf),
            partial(_after_peak, metrics, case, "train_accuracy", criteria),
        )
        yield Part(
            f"ratio_after_peak_{case}",
            "fig4_2",
            f"{noisy}critical sample ratio gained after the peak of validation accuracy",
            f"more than {margin:g} (margin)",
            (margin, np.inf),
            partial(_after_peak, metrics, case, "critical_sample_ratio", criteria),
        )
        for kind in ("randX", "randY"):
            yield Part(
                f"ratio_over_level_{kind}_{case}",
                "fig4_2",
                f"{title}{kind}: rise of the {ratio}, from no noise to all noise",
                f"more than {margin:g} (margin)",
                (margin, np.inf),
                partial(_over_level, metrics, case, kind, criteria),
            )


def _at_the_end(
    metrics: Mapping[str, xr.Dataset], conditions: tuple[str, str], criteria: dict
) -> Interval:
    """Return the difference of two conditions' ratios, if both have fitted their training data.

    Before it has fitted anything, a model has a low ratio whatever its data.
    """
    curves = metrics["fig4_1"]
    for condition in conditions:
        if condition not in curves["condition"]:
            raise Inconclusive(f"the experiment complexity has no {condition}")
    last = curves.dropna("epoch", how="all", subset=["critical_sample_ratio"]).isel(epoch=-1)
    ratio, accuracy = last["critical_sample_ratio"], last["train_accuracy"].mean("seed")
    above, below = (ratio.sel(condition=condition) for condition in conditions)
    reached = {condition: accuracy.sel(condition=condition).item() for condition in conditions}
    unfitted = [name for name in conditions if not reached[name] >= criteria["fitted"]]
    return over_seeds((above - below).values, criteria).bounded(
        at_least=bool(unfitted),
        at_most=bool(unfitted),
        caveat=f"an unfinished training is no evidence, and that of {' and '.join(unfitted)} ended "
        f"at a training accuracy of {' and '.join(f'{reached[name]:.2f}' for name in unfitted)}",
    )


def _case(metrics: Mapping[str, xr.Dataset], case: str, kind: str) -> xr.Dataset:
    curves = metrics["fig4_2"]
    if kind not in curves["noise_kind"]:
        raise Inconclusive(f"the experiment complexity has no {kind}")
    return curves.sel(dataset=case, noise_kind=kind)


def _after_peak(
    metrics: Mapping[str, xr.Dataset], case: str, name: str, criteria: dict
) -> Interval:
    """Return what is gained between the peak of validation accuracy and the last epoch.

    From the first epoch at or after the peak at which the measure was taken.
    """
    curves = _case(metrics, case, "randY")
    curves = curves.sel(noise_level=curves["noise_level"] > 0)
    if not curves.sizes["noise_level"]:
        raise Inconclusive("the experiment complexity has no noise in the labels")
    dims = "noise_level", "seed", "epoch"
    validation, measured, train = (
        curves[each].transpose(*dims).values
        for each in ("validation_accuracy", name, "train_accuracy")
    )
    gained = np.array(
        [
            [gain(v, m) for v, m in zip(*level, strict=True)]
            for level in zip(validation, measured, strict=True)
        ]
    )
    fitted = np.nanmean(np.nanmax(train, axis=-1))
    return over_seeds(gained.mean(0), criteria).bounded(
        # What is still to be memorised comes after the peak too.
        at_least=name == "train_accuracy" and bool(fitted < criteria["fitted"]),
        at_most=False,
        caveat=f"training is unfinished at a training accuracy of {fitted:.2f}",
    )


def gain(validation: np.ndarray, measured: np.ndarray) -> float:
    """Return how much ``measured`` gains from the peak of ``validation`` to its last value.

    Args:
        validation: (epochs,), NaN where it was not evaluated.
        measured: (epochs,), the same.

    Returns:
        The gain since the first epoch with a value at or after the peak; NaN without any.
    """
    if np.isnan(validation).all():
        return np.nan
    after = measured[int(np.nanargmax(validation)) :]
    after = after[np.isfinite(after)]
    return after[-1] - after[0] if len(after) else np.nan


def _over_level(
    metrics: Mapping[str, xr.Dataset], case: str, kind: str, criteria: dict
) -> Interval:
    """Return the slope over the noise level of the ratio after the last epoch."""
    ratio = _case(metrics, case, kind)["critical_sample_ratio"]
    last = ratio.dropna("epoch", how="all").isel(epoch=-1).transpose("noise_level", "seed")
    return over_seeds(slope_weights(last["noise_level"].values) @ last.values, criteria)
