"""The number of each seed, for the parts of claims 4 and 5: one function a family of parts.

Docstrings quote the sentence of claims.md that a function follows.
"""

from itertools import permutations

import numpy as np
import xarray as xr
from estimates import Criteria, below, first_rate
from seed_statistics import Values, ends_of_rows


def case(fig4_2: xr.Dataset, dataset: str) -> xr.Dataset:
    """“Of dataset …”, the “first radius”, the epochs and searches “of the case”."""
    data = first_rate(fig4_2).sel(dataset=dataset).isel(radius=0)
    epochs = data.train_accuracy.dropna("epoch", how="all").epoch
    searches = data.critical_sample_ratio.dropna("critical_epoch", how="all").critical_epoch
    return data.sel(epoch=epochs, critical_epoch=searches)


def of_kind(data: xr.Dataset, kind: str) -> xr.Dataset:
    """“For the highest noise_level of each kind; real is noise_level 0.”"""
    if kind == "real":
        return data.isel(noise_kind=0).sel(noise_level=0)
    return data.sel(noise_kind=kind).isel(noise_level=-1)


def unfitted(models: list[xr.Dataset], criteria: Criteria) -> bool:
    """“train_accuracy of a compared model, mean over seeds at the last search”, is too low."""
    return any(
        below(one.train_accuracy.sel(epoch=one.critical_epoch.values[-1]), criteria["fitted"])
        for one in models
    )


def of_several_classes(
    values: xr.DataArray | np.ndarray,
    shares: list[xr.DataArray] | list[np.ndarray],
    criteria: Criteria,
) -> np.ndarray:
    """“A seed has no value if, of a compared model, commonest_class_share […] is above”."""
    values = np.array(values, float)
    for share in shares:
        values[np.asarray(share) > criteria["commonest"]] = np.nan
    return values


def compared_ratios(data: xr.Dataset, terms: str, own_inputs: bool, criteria: Criteria) -> Values:
    """“critical_sample_ratio of randX less that of randY, […] at the last critical_epoch”.

    ``own_inputs``: “noise_critical_sample_ratio of randX, on inputs of noise, less
    critical_sample_ratio of randY, on real ones”.
    """
    models = [of_kind(data, kind) for kind in terms.split(" less ")]
    before = ["noise_" if own_inputs else "", ""]
    last = [one.isel(critical_epoch=-1) for one in models]
    ratios = [one[f"{b}critical_sample_ratio"] for b, one in zip(before, last, strict=True)]
    shares = [one[f"{b}commonest_class_share"] for b, one in zip(before, last, strict=True)]
    open_ = unfitted(models, criteria)
    return Values(of_several_classes(ratios[0] - ratios[1], shares, criteria), open_, open_)


def gained_after_peak(data: xr.Dataset, kind: str, ratio: bool, criteria: Criteria) -> Values:
    """“The last value less that at the peak, […] mean over the levels between 0 and 1”.

    “The peak is the first epoch at which validation_accuracy of the seed and level is highest.”
    """
    data = data.sel(noise_kind=kind, noise_level=(data.noise_level > 0) & (data.noise_level < 1))
    peak = data.epoch[data.validation_accuracy.fillna(-1).argmax("epoch")].drop_vars("epoch")
    reached = data.train_accuracy.max("epoch").mean("seed")
    at_least = not bool((reached >= criteria["fitted"]).all())
    if not ratio:
        at_peak = data.train_accuracy.sel(epoch=peak)
        gain = data.train_accuracy.isel(epoch=-1) - at_peak
        return Values(gain.mean("noise_level", skipna=False).values, at_least)
    straight = data.drop_dims("epoch").interp(critical_epoch=peak)
    gain = data.critical_sample_ratio.isel(critical_epoch=-1) - straight.critical_sample_ratio
    both = (one.commonest_class_share for one in (straight, data.isel(critical_epoch=-1)))
    shares = [share.max("noise_level") for share in both]
    values = of_several_classes(gain.mean("noise_level", skipna=False), shares, criteria)
    return Values(values, at_least)


def rise_with_noise(data: xr.Dataset, kind: str, criteria: Criteria) -> Values:
    """“critical_sample_ratio at noise_level 1 less that at 0”.

    “If the highest train_accuracy over the epochs, mean over seeds, is below `fitted`, there is no
    upper bound (level 1) or no lower one (level 0).”
    """
    models = [data.sel(noise_kind=kind, noise_level=level) for level in (1, 0)]
    last = [one.isel(critical_epoch=-1) for one in models]
    short = [below(one.train_accuracy.max("epoch"), criteria["fitted"]) for one in models]
    shares = [one.commonest_class_share for one in last]
    values = last[0].critical_sample_ratio - last[1].critical_sample_ratio
    return Values(of_several_classes(values, shares, criteria), *short)


def over_searches(data: xr.Dataset, kind: str, stage: str, criteria: Criteria) -> Values:
    """“The last third begins at t = last − (last − first) / 3.”

    ``stage``: the rise until there (“r there less r at the first search”), or the change after it
    (“r at the last search less r there”).
    """
    model = of_kind(data, kind)
    first, last = (int(model.critical_epoch[i]) for i in (0, -1))
    epochs = (last - (last - first) / 3, first)
    if stage == "last third":
        epochs = (last, epochs[0])
    whole = model.drop_dims("epoch")
    ends = [whole.interp(critical_epoch=epoch) for epoch in epochs]
    open_ = unfitted([model], criteria)
    shares = [one.commonest_class_share for one in ends]
    values = ends[0].critical_sample_ratio - ends[1].critical_sample_ratio
    return Values(of_several_classes(values, shares, criteria), open_, open_)


def around_peak(data: xr.Dataset, kind: str, fall: bool, criteria: Criteria) -> Values:
    """“The search […] at which the mean over the other seeds is highest”.

    “The estimate is the ratio at the peak less that at the first search”, or at the last one.
    """
    model = of_kind(data, kind).transpose("seed", ...)
    ratio = model.train_critical_sample_ratio.values
    sound = np.isfinite(ratio).all(axis=1)
    ratio = ratio[sound]
    inner = ratio[:, 1:-1]
    peak = 1 + (inner.sum(axis=0) - inner).argmax(axis=1)
    seeds = np.arange(len(ratio))
    values = ratio[seeds, peak] - ratio[:, -1 if fall else 0]
    share = model.train_commonest_class_share.values[sound]
    shares = [share[seeds, peak], share[:, -1 if fall else 0]]
    values = of_several_classes(values, shares, criteria)
    return Values(values, unfitted([model], criteria), choices=(inner.shape[1],))


def validation_fall(data: xr.Dataset, kind: str, best: bool, criteria: Criteria) -> Values:
    """“validation_accuracy, at the last epoch of the case, at noise_level 0 less that” with noise.

    Or “the highest over the epochs”.
    """
    data = data.sel(noise_kind=kind)
    highest = data.noise_level.values[data.noise_level.values < 1].max()
    models = [data.sel(noise_level=level) for level in (0, highest)]
    a, b = (one.validation_accuracy for one in models)
    values = a.isel(epoch=-1) - b.isel(epoch=-1)
    if best:  # models that diverged have none
        values = (a.max("epoch") - b.max("epoch")).where(values.notnull())
    open_ = unfitted(models, criteria)
    return Values(values.values, open_, open_)


class Strengths:
    """“Of every regulariser and strength_index above 0 that has a strength”: fall and loss."""

    def __init__(self, fig5_1: xr.Dataset, criteria: Criteria):
        data = first_rate(fig5_1)
        none = data.isel(strength_index=0, drop=True)
        accuracies = ("noise_train_accuracy", "real_validation_accuracy")
        has = np.logical_and(*(none[one].notnull().all("regularizer") for one in accuracies))
        data, none = data.isel(seed=has.values), none.isel(seed=has.values)
        self.margin = criteria["margin"]
        self.open = below(none.noise_train_accuracy.mean("regularizer"), criteria["fitted"])
        falls, losses = (
            (none[one] - data[one])
            .where(data.strength.notnull() & (data.strength_index > 0))
            .stack(of=("strength_index", "regularizer"))
            .transpose("of", "seed")
            for one in accuracies
        )
        whole = (falls.notnull() & losses.notnull()).all("seed").values
        self.names = falls.regularizer.values[whole]
        self.falls, self.losses = falls.values[whole], losses.values[whole]

    def own(self, names: list[str] | None) -> tuple[np.ndarray, np.ndarray]:
        """Return falls and losses, (strengths, seeds), of some regularisers or of all."""
        own = np.isin(self.names, names) if names else np.ones(len(self.names), bool)
        return self.falls[own], self.losses[own]

    def best(self, names: list[str] | None) -> tuple[np.ndarray, np.ndarray, set[int]]:
        """Return the fall and the loss of each seed at the strength that the others find best.

        “The largest mean fall over the other seeds among those whose mean loss over the other
        seeds is at most `margin`; where there is none, the fall is 0 and the loss is missing […];
        it is missing, too, where the mean fall over the other seeds is not above 0.” And which
        strengths are taken.
        """
        falls, losses = self.own(names)
        if not falls.size:
            return np.full(falls.shape[1], np.nan), np.full(falls.shape[1], np.nan), set()
        found, best, taken = [], [], set()
        for seed in range(falls.shape[1]):
            others = np.arange(falls.shape[1]) != seed
            mean_fall = falls[:, others].mean(axis=1)
            mean_fall[losses[:, others].mean(axis=1) > self.margin] = -np.inf
            at = mean_fall.argmax()
            best.append(mean_fall[at])
            taken |= {int(at)} if mean_fall[at] > -np.inf else set()
            loss = losses[at, seed] if mean_fall[at] > 0 else np.nan
            found.append((0.0, np.nan) if best[-1] == -np.inf else (falls[at, seed], loss))
        fall, loss = np.array(found).T
        if np.isneginf(best).all():  # “if that is so in all seeds there is no estimate”
            fall = np.full_like(fall, np.nan)
        return fall, loss, taken

    def affordable(self, names: list[str] | None, reach: float) -> bool:
        """“Each strength that a seed takes is affordable”: “ȳ + q(c) · e is at most `margin`”."""
        _, losses = self.own(names)
        *_, taken = self.best(names)
        return bool((ends_of_rows(losses, reach)[1] <= self.margin)[sorted(taken)].all())

    def highest(
        self, names: list[str] | None, reach: float, less: np.ndarray | float = 0.0
    ) -> float:
        """“The largest ȳ + q(c′) · e of the falls, over all seeds, of the possible strengths.”"""
        falls, losses = self.own(names)
        falls = falls[ends_of_rows(losses, reach)[0] <= self.margin] - less
        return float(ends_of_rows(falls, reach)[1].max(initial=-np.inf))

    def fall(self, names: list[str] | None = None, less: list[str] | None = None) -> Values:
        """“The estimate is the fall”, or that of some strengths less that of others."""
        fall, *_ = self.best(names)
        groups = (names,) if less is None else (names, less)
        choices = tuple(len(self.own(one)[0]) for one in groups)
        other = self.best(less)[0] if less is not None else 0.0
        q = Values(fall - other, choices=choices).quantile

        def further(c: float) -> tuple[float, float]:
            """“An end may lie further out.”"""
            reach, half = q(c), q(1 - (1 - c) / 2)
            lower = np.nan if self.affordable(names, reach) else -np.inf
            if less is None:
                return lower, self.highest(names, half)
            upper = np.nan if self.affordable(less, reach) else np.inf
            return (
                np.fmin(lower, -self.highest(less, half, fall)),
                np.fmax(upper, self.highest(names, half, other)),
            )

        return Values(fall - other, self.open, self.open, choices, further)

    def loss(self) -> Values:
        """“The estimate is the loss.”"""
        _, loss, _ = self.best(None)
        return Values(loss, self.open, self.open, (len(self.falls),))


def _falls(fig5_2: xr.Dataset, criteria: Criteria) -> tuple[xr.DataArray, bool]:
    """“train_accuracy, mean over the epochs, of none less that of a regulariser”; no bounds?"""
    accuracy = first_rate(fig5_2).train_accuracy
    none = accuracy.sel(regularizer="none")
    open_ = any(
        below(none.sel(condition=one).isel(epoch=-1), criteria["fitted"])
        for one in ("real", "randY")
    )
    others = accuracy.sel(regularizer=accuracy.regularizer != "none")
    return none.mean("epoch", skipna=False) - others.mean("epoch", skipna=False), open_


def slowed(fig5_2: xr.Dataset, criteria: Criteria) -> Values:
    """“The estimate is the fall of randY less that of real, of each seed.”"""
    falls, open_ = _falls(fig5_2, criteria)
    falls = falls.mean("regularizer", skipna=False)
    values = falls.sel(condition="randY") - falls.sel(condition="real")
    return Values(values.values, open_, open_)


def swapped(fig5_2: xr.Dataset, criteria: Criteria) -> Values:
    """“The swap of the pair that has the largest swap of the mean falls over the other seeds”.

    “The swap is the smaller of (fall of a less that of b, for randY) and (fall of b less that of
    a, for real).” The best of “as many pairs without regard to order”.
    """
    falls, open_ = _falls(fig5_2, criteria)
    falls = falls.transpose("condition", "regularizer", "seed").dropna("seed")
    real, noise = (falls.sel(condition=one).values for one in ("real", "randY"))
    pairs = list(permutations(range(len(real)), 2))

    def swap(r: np.ndarray, y: np.ndarray, pair: tuple[int, int]) -> float:
        a, b = pair
        return min(y[a] - y[b], r[b] - r[a])

    found = []
    for seed in range(real.shape[1]):
        others = np.arange(real.shape[1]) != seed
        means = real[:, others].mean(axis=1), noise[:, others].mean(axis=1)
        best = max(pairs, key=lambda pair, means=means: swap(*means, pair))
        found.append(swap(real[:, seed], noise[:, seed], best))
    return Values(np.array(found), open_, open_, (len(pairs) // 2,))
