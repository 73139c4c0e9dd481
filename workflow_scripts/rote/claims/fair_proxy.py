"""Claim 7, our own: what regularisers take from noise, they take from natural memorisation too."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr
from scipy import stats

from rote.claims.verdicts import Inconclusive, Interval, Part, more_than, over_seeds

NO_REGULARIZER = "nothing", "width", "epochs"
CHOICE = (
    "For each seed, the weakest strength of the regulariser is taken at which noise_train_accuracy "
    "falls by at least `large`, from that of the variant nothing, in the mean over the other "
    "seeds; if a seed has none, there is no estimate. "
)
FITTED = (
    "If the train_accuracy or the noise_train_accuracy of the variant nothing, mean over seeds, is "
    "below `fitted`, it has no bounds."
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield a part for each regulariser, the same at equal training accuracy, and one on all."""
    names = []
    if "fair_proxy" in metrics:
        varied = dict.fromkeys(metrics["fair_proxy"]["varied"].values.tolist())
        names = [name for name in varied if name not in NO_REGULARIZER]
    for name in names:
        words = name.replace("_", " ")
        yield Part(
            f"natural_falls_{name}",
            "fair_proxy",
            f"{words}: fall of the share of real examples that are memorised, where it takes much "
            "from noise",
            *more_than(criteria, "margin"),
            partial(_falls, metrics, name, criteria),
            "rote",
            f"{CHOICE}The estimate is memorized_share of the variant nothing less that at this "
            f"strength. {FITTED}",
        )
    for name in names:
        words = name.replace("_", " ")
        yield Part(
            f"natural_falls_at_equal_accuracy_{name}",
            "fair_proxy",
            f"{words}: the same fall from models that end early, at the same training accuracy",
            *more_than(criteria, "margin"),
            partial(_falls, metrics, name, criteria, "share_of_early_end"),
            "ours",
            f"{CHOICE}The estimate is share_of_early_end less memorized_share, both at this "
            f"strength. {FITTED}",
        )
    yield Part(
        "move_together",
        "fair_proxy",
        "rank correlation, over all variants, of the training accuracy on random labels and the "
        "share of real examples that are memorised",
        *more_than(criteria, "together"),
        partial(_together, metrics, criteria),
        "ours",
        "Of each seed, Spearman's correlation of noise_train_accuracy and memorized_share over the "
        "variants that have both.",
    )


def _falls(
    metrics: Mapping[str, xr.Dataset], name: str, criteria: dict, before: str = ""
) -> Interval:
    """Return the fall at the chosen strength, from no regulariser or from what ``before`` is."""
    table = metrics["fair_proxy"]
    plain = table.isel(variant=np.flatnonzero(table["varied"] == "nothing")[0])
    own = table.isel(variant=np.flatnonzero(table["varied"] == name)).sortby("strength")
    noise, share = (
        own[key].transpose("variant", "seed").values
        for key in ("noise_train_accuracy", "memorized_share")
    )
    taken = plain["noise_train_accuracy"].values - noise
    base = (
        own[before].transpose("variant", "seed").values
        if before
        else plain["memorized_share"].values[None].repeat(len(share), 0)
    )
    seeds = taken.shape[1]
    if seeds < 2:
        raise Inconclusive("strengths are chosen on other seeds, and there is only one seed")
    values = np.full(seeds, np.nan)
    for seed in range(seeds):
        mean = taken[:, np.arange(seeds) != seed].mean(1)
        enough = np.flatnonzero(mean >= criteria["large"])
        if not len(enough):
            most = max(mean[np.isfinite(mean)], default=np.nan)
            raise Inconclusive(f"no strength takes much from noise: {most:.2f} at most")
        values[seed] = base[enough[0], seed] - share[enough[0], seed]
    reached = {
        "real data": plain["train_accuracy"].mean("seed").item(),
        "random labels": plain["noise_train_accuracy"].mean("seed").item(),
    }
    return over_seeds(values, criteria).if_fitted(reached, criteria)


def _together(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return the rank correlation, over the variants, of what is memorised of noise and of real."""
    table = metrics["fair_proxy"]
    noise, share = (
        table[name].transpose("seed", "variant").values
        for name in ("noise_train_accuracy", "memorized_share")
    )
    found = np.full(len(noise), np.nan)
    for seed, (x, y) in enumerate(zip(noise, share, strict=True)):
        there = np.isfinite(x + y)
        if there.sum() > 2 and np.ptp(x[there]) > 0 and np.ptp(y[there]) > 0:
            found[seed] = stats.spearmanr(x[there], y[there]).statistic
    return over_seeds(found, criteria)
