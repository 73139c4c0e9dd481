"""Claim 7, our own: what regularisers take from noise, they take from natural memorisation too."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr

from rote.claims.best_of_many import mean_and_error, mean_of_others
from rote.claims.verdicts import Inconclusive, Interval, Part, more_than, over_seeds
from rote.measures.correlation import spearman

NO_REGULARIZER = "nothing", "width", "epochs"
CHOICE = (
    "For each seed, the weakest strength of the regulariser is taken at which noise_train_accuracy "
    "falls by at least `large`, from that of the variant nothing, in the mean over the other "
    "seeds; if a seed has none, there is no estimate. "
)
ENDS = (
    " Which strength that is is uncertain, too: with ȳ and e of the fall of noise_train_accuracy "
    "over all seeds, and c′ = 1 − (1 − c)/3, a strength is possible if ȳ + q(c′) · e is at least "
    "`large`, and ȳ − q(c′) · e of no weaker one is. The interval reaches at least from the "
    "smallest ȳ − q(c′) · e of the estimate's difference to the largest ȳ + q(c′) · e, over all "
    "seeds, of the possible strengths with a value in each. Equal values in all seeds take the "
    "largest e among the strengths."
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
            f"strength. {FITTED}{ENDS}",
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
            f"strength. {FITTED}{ENDS}",
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
    values = np.full(taken.shape[1], np.nan)
    for seed, mean in enumerate(mean_of_others(taken).T):
        enough = np.flatnonzero(mean >= criteria["large"])
        if not len(enough):
            most = max(mean[np.isfinite(mean)], default=np.nan)
            raise Inconclusive(f"no strength takes much from noise: {most:.2f} at most")
        values[seed] = base[enough[0], seed] - share[enough[0], seed]
    reached = {
        "real data": plain["train_accuracy"].mean("seed").item(),
        "random labels": plain["noise_train_accuracy"].mean("seed").item(),
    }
    interval, whole = over_seeds(values, criteria), np.isfinite(taken + base - share).all(1)
    further = further_out(taken[whole], (base - share)[whole], criteria["large"], interval.reach)
    interval = interval.widened(further, criteria["confidence"])
    return interval.if_fitted(reached, criteria)


def further_out(
    taken: np.ndarray, falls: np.ndarray, large: float, reach: Callable[[float], float]
) -> Callable[[float], tuple[float, float]]:
    """Return how far out an interval ends at least, as it is uncertain which strength suffices.

    The weakest that takes enough from noise is told by measured means. Where one is near the
    limit, all seeds may take it though it takes too little, or all take the next one.

    Args:
        taken: (strengths, seeds), from the training accuracy on noise, from the weakest on.
        falls: (strengths, seeds), what is estimated at each.
        large: what has to be taken.
        reach: of a confidence, how many standard errors an interval reaches to either side.

    Returns:
        Of a confidence, the ends; NaN where no strength can be the one.
    """

    def ends(confidence: float) -> tuple[float, float]:
        # An end is wrong if the weakest that suffices seems not to, or a weaker one seems to, or
        # its own interval misses the truth.
        third = reach(1 - (1 - confidence) / 3)
        mean, error = mean_and_error(taken)
        shown = mean - third * error >= large
        possible = (mean + third * error >= large) & (shown.cumsum() - shown == 0)
        if not possible.any():
            return np.nan, np.nan
        mean, error = (of_all[possible] for of_all in mean_and_error(falls))
        return float((mean - third * error).min()), float((mean + third * error).max())

    return ends


def _together(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return the rank correlation, over the variants, of what is memorised of noise and of real."""
    table = metrics["fair_proxy"]
    noise, share = (
        table[name].transpose("seed", "variant").values
        for name in ("noise_train_accuracy", "memorized_share")
    )
    found = [spearman(*own) for own in zip(noise, share, strict=True)]
    return over_seeds(np.array(found), criteria)
