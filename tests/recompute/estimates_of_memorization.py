"""The number of each seed, for the parts of our own claims 6 and 7: a function a family of parts.

Docstrings quote the sentence of claims.md that a function follows.
"""

from dataclasses import replace

import numpy as np
import xarray as xr
from estimates import Criteria, below, first_rate
from scipy import stats
from seed_statistics import Values, ends_of_rows


def level_of(data: xr.Dataset, kind: str, lowest: bool = False) -> xr.Dataset:
    """“At the first fraction and learning_rate”; “at the highest noise_level”, or the lowest."""
    data = first_rate(data).isel(fraction=0)
    levels = data.noise_level.values
    if kind == "real":
        return data.sel(condition=kind, noise_level=0)
    levels = levels[levels > 0]
    return data.sel(condition=kind, noise_level=levels.min() if lowest else levels.max())


def memorized(data: xr.Dataset, kind: str, criteria: Criteria) -> Values:
    """“That of part all of real”, “that of part changed of … at the highest noise_level”."""
    one = level_of(data, kind)
    share = one.memorized_share.sel(part="all" if kind == "real" else "changed")
    open_ = below(one.train_accuracy, criteria["fitted"])
    return Values(share.values, open_, open_)


def kept_less_real(data: xr.Dataset, kind: str, criteria: Criteria) -> Values:
    """“That of part kept of … at the lowest noise_level above 0, less that of part all of real.”"""
    noise, real = level_of(data, kind, lowest=True), level_of(data, "real")
    share = noise.memorized_share.sel(part="kept") - real.memorized_share.sel(part="all")
    open_ = any(below(one.train_accuracy, criteria["fitted"]) for one in (noise, real))
    return Values(share.values, open_, open_)


def beyond_fitting(data: xr.Dataset, criteria: Criteria) -> Values:
    """“mean_memorization of randY at noise_level 1 […] less (train_accuracy − 1/classes)”.

    The mean is compared with that over the scores of the examples, of single precision.
    """
    one = level_of(data, "randY")
    if one.noise_level != 1:
        return Values(np.full(one.sizes["seed"], np.nan))
    implied = one.train_accuracy - 1 / data.attrs["classes"]
    open_ = below(one.train_accuracy, criteria["fitted"])
    mean = one.mean_memorization.sel(part="all")
    if not np.allclose(mean, one.memorization.astype(float).mean("example"), atol=1e-6):
        raise ValueError("mean_memorization is not the mean of memorization")
    return Values((mean - implied).values, open_, open_)


def natural_fall(data: xr.Dataset, name: str, at_equal: bool, criteria: Criteria) -> Values:
    """“The weakest strength at which noise_train_accuracy falls by at least `large`, …”."""
    (plain,) = (data.isel(variant=i) for i in np.flatnonzero(data.varied == "nothing"))
    own = data.isel(variant=np.flatnonzero(data.varied == name)).sortby("strength")
    fall = (plain.noise_train_accuracy - own.noise_train_accuracy).transpose("variant", "seed")
    found = []
    for seed in range(data.sizes["seed"]):
        others = fall.drop_isel(seed=seed).mean("seed").values
        strong = np.flatnonzero(others >= criteria["large"])
        if not len(strong):  # “if a seed has none, there is no estimate”
            return Values(np.full(data.sizes["seed"], np.nan))
        at = own.isel(variant=int(strong[0]), seed=seed)
        before = at.share_of_early_end if at_equal else plain.memorized_share.isel(seed=seed)
        found.append(float(before - at.memorized_share))
    open_ = any(
        below(plain[accuracy], criteria["fitted"])
        for accuracy in ("train_accuracy", "noise_train_accuracy")
    )
    values = Values(np.array(found), open_, open_)
    before = own.share_of_early_end if at_equal else plain.memorized_share
    difference = (before - own.memorized_share).transpose("variant", "seed").values
    whole = np.isfinite(fall.values + difference).all(axis=1)

    def further(c: float) -> tuple[float, float]:
        """“The interval reaches at least from the smallest […] to the largest”."""
        reach = values.quantile(1 - (1 - c) / 3)
        low, high = ends_of_rows(fall.values[whole], reach)
        possible = [
            i
            for i in range(len(low))
            if high[i] >= criteria["large"] and not (low[:i] >= criteria["large"]).any()
        ]
        if not possible:
            return np.nan, np.nan
        low, high = ends_of_rows(difference[whole], reach)
        return low[possible].min(), high[possible].max()

    return replace(values, further=further)


def together(data: xr.Dataset) -> Values:
    """“Spearman's correlation of noise_train_accuracy and memorized_share over the variants.”"""
    both = data[["noise_train_accuracy", "memorized_share"]].dropna("variant", how="all")
    return Values(
        np.array(
            [
                stats.spearmanr(*one.to_array().values, nan_policy="omit").statistic
                for _, one in both.groupby("seed")
            ]
        )
    )
