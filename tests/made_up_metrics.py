"""Metrics of studies that are made up: effects are there, absent or reversed."""

import numpy as np
import xarray as xr
import yaml
from scipy import stats

from conftest import ROOT

# Many studies of three seeds are made up here, where time allows no more.
CRITERIA = yaml.safe_load((ROOT / "config.yaml").read_text())["claims"] | {"minimum_seeds": 3}

# Parts that hold where no effect is what they say, or where its reverse is no effect.
HOLDS_WITHOUT = {
    *("spread_randX", "spread_within_label_randX", "extremes_randX", "extremes_randY"),
    *("extremes_within_label_randX", "extremes_within_label_randY"),
    *("ratio_randY_over_real_digits", "validation_stays"),
}
HOLDS_IN_REVERSE = {"diagonal_share_spread"}

LEVELS = [0.0, 0.2, 0.4, 0.6, 0.8]

NAMES = ["dropout", "input_dropout", "hidden_noise", "adversarial_dropout"]


def students(seeds: int, confidence: float) -> float:
    """Return Student's quantile, of which there are closed forms and other implementations."""
    return stats.t.ppf((1 + confidence) / 2, seeds - 1)


def most_by_chance(studies: int, rate: float) -> int:
    """Return a count that chance exceeds once in a thousand times."""
    return int(stats.binom.ppf(0.999, studies, rate))


def _table(dims, values, **coords):
    return xr.DataArray(values, dims=dims.split(), coords=coords)


def study(
    effect: float, *, seeds: int, noise: float, rng: np.random.Generator, examples: int = 1000
) -> dict:
    """Return the metrics of a made-up study.

    ``effect`` is 1 where the claims hold, 0 where noise changes nothing, −1 where it does the
    reverse. ``noise`` is the standard deviation of accuracies and ratios between seeds. Making up
    the errors on many ``examples``, of Figure 3.1, takes longer than all else.
    """

    def spread(*shape):
        return noise * rng.normal(size=shape)

    # Half of what is learned is learned at the width `half`, nine tenths 1.6 doublings above it. At
    # level 1 there is nothing to learn about real data.
    level, widths = np.array([*LEVELS, 1.0]), 2 ** np.arange(3, 13)
    half = 6 + 2.5 * effect * (level - 0.4)
    learned = 1 / (1 + 4.0 ** (half[:, None] - np.log2(widths)))[None, :, :, None]
    best = np.where(level < 1, 0.65 + effect * (0.25 - 0.5 * level), 0.1)[None, :, None, None]
    shape = (2, 6, 10, seeds)
    fig1 = {
        "validation_accuracy": _table(
            "noise_kind noise_level hidden_units seed",
            best - np.where(best > 0.1, 0.4, 0) * (1 - learned) + 0.2 * spread(*shape),
            noise_kind=["randX", "randY"],
            noise_level=level,
            hidden_units=widths,
        ),
        "train_accuracy": _table(
            "noise_kind noise_level hidden_units seed", learned + 0.2 * spread(*shape)
        ),
        "plateau": _table("noise_kind noise_level hidden_units seed", np.ones(shape, bool)),
    }
    level = np.array(LEVELS)
    sizes = np.array([250, 500, 1000, 2000, 4000])
    grown = (sizes / 250) ** (0.5 * effect * level[:, None])
    epochs = np.round(100 * grown[..., None] * np.exp(5 * spread(5, 5, seeds)))
    fig2 = {
        "epochs_to_convergence": _table(
            "noise_level dataset_size seed", epochs, noise_level=level, dataset_size=sizes
        ),
        "converged": _table("noise_level dataset_size seed", np.ones_like(epochs, bool)),
    }
    # Of the examples, some are nearly always right and some nearly never; or all are alike.
    differ = np.stack([rng.beta(0.3, 0.3, (examples, seeds)) for _ in range(2)])
    alike = np.full((examples, seeds), 0.9)
    of_condition = {
        1: (differ[0], alike, alike),
        0: (alike, alike, alike),
        -1: (alike, differ[0], differ[1]),
    }[effect]
    wrong = rng.random((3, examples, 100, seeds)) < np.stack(of_condition)[:, :, None]
    lie = {1: [0.2, 0.0, 0.1], 0: [0.0, 0.0, 0.0], -1: [0.0, 0.2, 0.1]}[effect]
    fig3_1 = {
        "misclassified": _table(
            "condition example experiment seed", wrong, condition=["real", "randX", "randY"]
        ),
        "diverged": _table("condition experiment seed", np.zeros((3, 100, seeds), bool)),
        "label": _table(
            "condition seed example",
            np.broadcast_to(np.arange(examples) % 10, (3, seeds, examples)),
        ),
        **{
            name: _table("condition seed", np.array(lie)[:, None] + spread(3, seeds))
            for name in ("spread", "spread_within_label")
        },
    }
    higher = np.array([0.2 + 0.1 * effect, 0.2])
    gini = np.broadcast_to(higher[:, None, None], (2, 2, 3, seeds)[1:])
    by_norm = np.stack([spread(2, 2, 3, seeds)] * 3, axis=2)  # norms are of the same gradients
    # By other norms the difference is the same, or another.
    by_norm[:, 0, 1:] += 0.1 * (1 - effect)
    fig3_2 = {
        "share_gini": _table(
            "labelling condition norm update seed",
            gini[:, None] + by_norm + 0.1 * spread(2, 2, 3, 3, seeds),
            labelling=["class", "unique"],
            condition=["real", "randX"],
            norm=["l1", "l2", "linf"],
        ),
        "train_accuracy": _table("labelling condition update seed", np.ones((2, 2, 3, seeds))),
    }
    fig3_3 = {
        name: _table(
            "condition seed", higher[:, None] + spread(2, seeds), condition=["real", "randX"]
        )
        for name in ("diagonal_share", "off_diagonal_gini")
    }
    fig3_3["train_accuracy"] = _table("condition seed", np.ones((2, seeds)))
    epoch = np.array([1, 2, 5, 10, 20])
    ends = np.array([0.3 - 0.1 * effect, 0.3 + 0.1 * effect, 0.3])
    over = np.linspace(0.2, 1, 5)[:, None]
    fig4_1 = {
        "critical_sample_ratio": _table(
            "condition critical_epoch seed",
            ends[:, None, None] * over + spread(3, 5, seeds),
            condition=["real", "randX", "randY"],
            critical_epoch=epoch,
        ),
        "train_accuracy": _table("condition epoch seed", np.ones((3, 5, seeds)), epoch=epoch),
    }
    fig4_2 = _levels(effect, seeds, spread)
    fall = np.array([[0, 0.3, 0.6], [0, 0.1, 0.3], [0, 0.1, 0.3], [0, 0.5, 0.8]]) * effect
    fig5_1 = {
        "noise_train_accuracy": _table(
            "regularizer strength_index seed",
            (1 - 0.9 * fall)[..., None] + spread(4, 3, seeds),
            regularizer=NAMES,
        ),
        "real_validation_accuracy": _table(
            "regularizer strength_index seed", 0.9 + spread(4, 3, seeds), regularizer=NAMES
        ),
        "strength": _table("regularizer strength_index", np.tile([0, 0.3, 0.6], (4, 1))),
    }
    # On real labels the second slows more; on random ones the first, if the claims hold.
    slow = np.array([[1, 0.9, 0.8], [1, 0.9 - 0.4 * effect, 0.8 - 0.2 * effect]])
    fig5_2 = {
        "train_accuracy": _table(
            "condition regularizer epoch seed",
            slow[:, :, None, None] + spread(2, 3, 5, seeds),
            condition=["real", "randY"],
            regularizer=["none", "dropout", "hidden_noise"],
        )
    }
    each = {
        "fig1": fig1, "fig2": fig2, "fig3_1": fig3_1, "fig3_2": fig3_2, "fig3_3": fig3_3,
        "fig4_1": fig4_1, "fig4_2": fig4_2, "fig5_1": fig5_1, "fig5_2": fig5_2,
    }  # fmt: skip
    return {figure: xr.Dataset(variables) for figure, variables in each.items()}


def _levels(effect: float, seeds: int, spread) -> dict:
    """Return the metrics of Figure 4.2, with level 1 beside the others."""
    epoch, level = np.array([1, 2, 5, 10, 20]), np.array([*LEVELS, 1.0])
    shape, dims = (1, 2, 6, 5, seeds), "dataset noise_kind noise_level epoch seed"
    # The peak is at the second epoch, or late if simple patterns are not first.
    peaked = [0.5, 0.8, 0.7, 0.6, 0.5] if effect > 0 else [0.4, 0.5, 0.6, 0.8, 0.75]
    validation = np.array(peaked) - 0.2 * effect * level[:, None]
    # At the end randX lies above randY, and randY above real; at the tenth epoch all are there.
    over = np.array([0.2, 0.6, 0.8, 1.0, 1.0])
    higher = np.array([0.4, 0.2])[:, None, None]
    ratio = 0.4 + effect * higher * level[:, None] * over
    if effect == 0:
        ratio = ratio - np.array([0, 0, 0, 0, 0.1])  # neither rises nor stabilises
    first_up = 0.3 + 0.2 * effect * np.array([0, 0.5, 1, 0.5, 0])
    searched = dims.replace("epoch", "critical_epoch")
    share = np.full(shape, 0.2)
    return {
        "validation_accuracy": _table(
            dims,
            validation[:, :, None] + spread(*shape),
            dataset=["digits"],
            noise_kind=["randX", "randY"],
            noise_level=level,
            epoch=epoch,
        ),
        "train_accuracy": _table(
            dims, np.array([0.4, 0.5, 0.7, 0.9, 1.0])[:, None] - 0.1 * np.abs(spread(*shape))
        ),
        "critical_sample_ratio": _table(
            searched, ratio[None, ..., None] + spread(*shape), critical_epoch=epoch
        ),
        "noise_critical_sample_ratio": _table(searched, ratio[None, ..., None] + spread(*shape)),
        "train_critical_sample_ratio": _table(
            searched, np.broadcast_to(first_up[:, None], shape) + spread(*shape)
        ),
        **{
            f"{prefix}commonest_class_share": _table(searched, share.copy())
            for prefix in ("", "noise_", "train_")
        },
        "title": _table("dataset", ["Digits, MLP"]),
    }
