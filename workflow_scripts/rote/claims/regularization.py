"""Claim 5: regularisers keep random labels from being memorised at hardly a cost on real data."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import xarray as xr

from rote.claims import fitting_speed
from rote.claims.best_of_many import Choices, fall_at_best, loss_at_best
from rote.claims.verdicts import Inconclusive, Interval, NotTested, Part, more_than

DROPOUT = ("dropout", "adversarial_dropout")  # what the paper finds the most effective

# The sentences of definitions that several parts share.
FALL = (
    "Of every regulariser and strength_index above 0 that has a strength, and of each seed: the "
    "fall is noise_train_accuracy at strength_index 0 less that at this one, the loss is "
    "real_validation_accuracy likewise. Index 0 is the same models for all regularisers. Seeds of "
    "which one of the two accuracies is missing at index 0 are left out, and then strengths of "
    "which a seed lacks one; without any left there is no estimate. "
)
CHOICE = (
    "Of each seed, the strength is taken that has the largest mean fall over the other seeds among "
    "those whose mean loss over the other seeds is at most `margin` (of equal ones the first, by "
    "strength_index, then by regulariser); where there is none, the fall "
    "is 0 and the loss is missing, and if that is so in all seeds there is no estimate. "
)
AFFORDABLE = (
    "Which strengths cost little is uncertain, too, and an end may lie further out. With ȳ and e "
    "of the loss over all seeds, and the part's q, a strength is affordable if ȳ + q(c) · e is at "
    "most `margin`, and possible if ȳ − q(c′) · e is, c′ = 1 − (1 − c)/2. Of several strengths, "
    "or differences, those with equal values in all seeds take the largest e among them. "
)
ENDS = (
    "The lower end is −∞ unless each strength that a seed takes is affordable. The upper end is at "
    "least the largest ȳ + q(c′) · e of the falls, over all seeds, of the possible strengths."
)
ENDS_OF_DIFFERENCE = (
    "The lower end is −∞ unless each of the former that a seed takes is affordable, and at most "
    "the smallest ȳ − q(c′) · e of the fall at the choice of the former, less that of a possible "
    "one of the latter. The upper end is ∞ unless each of the latter that a seed takes is "
    "affordable, and at least the largest ȳ + q(c′) · e of the fall of a possible one of the "
    "former, less that at the choice of the latter."
)
RULES = (
    "The interval is over the seeds, with the simulated quantile of the best of as many strengths. "
    "If noise_train_accuracy at strength_index 0, mean over seeds, is below `fitted`, it has no "
    "bounds: where little is memorised, little can fall."
)


def parts(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Iterator[Part]:
    """Yield the parts on strengths (``fig5_1``) and on the course of training (``fig5_2``).

    Which strength is the best is decided for each seed on the other seeds: judged on those that
    chose it, the best of many would look better than it is.
    """
    margin = criteria["margin"]
    yield Part(
        "memorising_falls",
        "fig5_1",
        "best regulariser and strength: fall of training accuracy on random labels",
        *more_than(criteria, "large"),
        partial(_fall, metrics, None, criteria),
        definition=f"{FALL}{CHOICE}The estimate is the fall. {RULES} {AFFORDABLE}{ENDS}",
    )
    yield Part(
        "validation_stays",
        "fig5_1",
        "the same: loss of the best validation accuracy on real data",
        f"less than {margin:g} (margin)",
        (-np.inf, margin),
        partial(_loss, metrics, criteria),
        definition=f"{FALL}{CHOICE}The estimate is the loss; it is missing, too, where the mean "
        f"fall over the other seeds is not above 0. {RULES}",
    )
    yield from fitting_speed.parts(metrics, criteria)
    names = metrics["fig5_1"]["regularizer"].values if "fig5_1" in metrics else []
    for name in names:
        yield Part(
            f"memorising_falls_{name}",
            "fig5_1",
            f"{name.replace('_', ' ')}: fall of training accuracy on random labels at a loss of "
            f"validation accuracy of at most {margin:g}",
            *more_than(criteria, "large"),
            partial(_fall, metrics, [name], criteria),
            "ours",
            definition=f'{FALL}{CHOICE}The estimate is the fall, with the strengths of "{name}" '
            f"alone. {RULES} {AFFORDABLE}{ENDS}",
        )
    yield Part(
        "dropout_most_effective",
        "fig5_1",
        "the same fall, dropout with or without adversarial training less the best of the others",
        *more_than(criteria, "margin"),
        partial(_advantage, metrics, DROPOUT, None, criteria),
        "paper",
        definition=f"{FALL}{CHOICE}The estimate is the fall with the strengths of dropout and "
        f"adversarial_dropout alone, less that with those of all others. {RULES} It is that of "
        f"the difference between the best of either. {AFFORDABLE}{ENDS_OF_DIFFERENCE}",
    )
    yield Part(
        "adversarial_adds_to_dropout",
        "fig5_1",
        "the same fall, dropout with adversarial training less dropout alone",
        *more_than(criteria, "margin"),
        partial(_advantage, metrics, DROPOUT[1:], DROPOUT[:1], criteria),
        "paper",
        definition=f"{FALL}{CHOICE}The estimate is the fall with the strengths of "
        f"adversarial_dropout alone, less that with those of dropout. {RULES} It is that of the "
        f"difference between the best of either. {AFFORDABLE}{ENDS_OF_DIFFERENCE}",
    )


def _choices(metrics: xr.Dataset, regularizers: Sequence[str] | None) -> tuple[Choices, str]:
    """Return the strengths of some regularisers, or of all.

    Seeds whose model without a regulariser diverged are left out, and so are strengths of which a
    model did; the words returned with them say so.
    """
    dims = "strength_index", "regularizer", "seed"
    train, validation, trained = (
        metrics[name].transpose(*dims, missing_dims="ignore").values
        for name in ("noise_train_accuracy", "real_validation_accuracy", "strength")
    )
    kept = np.isfinite(train[0] + validation[0]).all(0)
    fall, loss = (values[:1] - values[1:] for values in (train, validation))
    trained = trained[1:]
    if regularizers is not None:
        names = metrics["regularizer"].values.tolist()
        there = [names.index(name) for name in regularizers if name in names]
        if not there:
            wanted = " or ".join(regularizers) or "other regulariser"
            raise NotTested(f"the experiment regularization has no {wanted}")
        fall, loss, trained = (values[:, there] for values in (fall, loss, trained))
    # Regularisers have different numbers of strengths.
    fall, loss = (values[np.isfinite(trained)][:, kept] for values in (fall, loss))
    finished = np.isfinite(fall + loss).all(1)
    if not kept.any() or not finished.any():
        raise Inconclusive("models of every strength, or all without a regulariser, diverged")
    lost = [
        f"{count} {what} left out: models diverged"
        for count, what in (((~kept).sum(), "seeds"), ((~finished).sum(), "strengths"))
        if count
    ]
    return Choices(fall[finished], loss[finished]), "; ".join(lost)


def _fall(
    metrics: Mapping[str, xr.Dataset], regularizers: Sequence[str] | None, criteria: dict
) -> Interval:
    """Return the fall at the best choice."""
    choices, lost = _choices(metrics["fig5_1"], regularizers)
    return _told(fall_at_best([choices], criteria), metrics, [lost], criteria)


def _loss(metrics: Mapping[str, xr.Dataset], criteria: dict) -> Interval:
    """Return the loss at the best choice of all."""
    choices, lost = _choices(metrics["fig5_1"], None)
    return _told(loss_at_best(choices, criteria), metrics, [lost], criteria)


def _advantage(
    metrics: Mapping[str, xr.Dataset],
    ours: Sequence[str],
    others: Sequence[str] | None,
    criteria: dict,
) -> Interval:
    """Return by how much some regularisers reduce memorising more than others, or all others."""
    strengths = metrics["fig5_1"]
    if others is None:
        others = [name for name in strengths["regularizer"].values if name not in ours]
    each, lost = zip(*(_choices(strengths, names) for names in (ours, others)), strict=True)
    return _told(fall_at_best(each, criteria), metrics, lost, criteria)


def _told(
    interval: Interval, metrics: Mapping[str, xr.Dataset], lost: Sequence[str], criteria: dict
) -> Interval:
    """Return the interval with what was left out, and without bounds where little can fall."""
    caveats = dict.fromkeys(filter(None, [interval.caveat, *lost]))
    interval = interval._replace(caveat="; ".join(caveats))
    return interval.if_fitted(_memorised(metrics["fig5_1"]), criteria)


def _memorised(metrics: xr.Dataset) -> dict[str, float]:
    """Return what models memorise without a regulariser: where it is little, little can fall."""
    accuracy = metrics["noise_train_accuracy"].isel(strength_index=0)
    return {"random labels without a regulariser": accuracy.mean().item()}
