"""A run of memorisation that is made up: every model is right where it is said to be."""

import json

import numpy as np
import xarray as xr

from made_up_runs import ABOUT, NAMED
from rote.study import plan

TEXT = {"long_name": "made up"}
CLASSES = ["T-shirt/top", "Trouser", "Pullover", "Ankle boot"]


def made_up_memorization(
    *,
    kinds=("randY",),
    levels=(0.0, 0.4, 1.0),
    seeds=2,
    models=8,
    examples=12,
    validation=10,
    percent=50,
    rates=(0.1,),
    shape=(1, 6, 6),
    classes=CLASSES,
    flipped=0.0,
) -> xr.Dataset:
    """Return a run whose models know examples the better, the later these stand.

    A model is right on what it was trained on, and on real examples of the first half. Example i of
    seed s is image 100·(s + 1) + i, all of whose pixels are i; its class is i % classes. Noise
    replaces the first examples: every second label that it draws is the true one. Of validation
    example j, whose pixels are 100 + j, models are right that were trained on example j. Of what
    models are right on, a share is ``flipped`` at random.
    """
    rng = np.random.default_rng(models)
    conditions = [("real", 0.0)] if 0 in levels else []
    conditions += [(kind, level) for kind in kinds for level in levels if level]
    draws = [(kind, level, seed) for kind, level in conditions for seed in range(seeds)]
    members = [
        plan.Member(kind, level, seed, seed, rate, 0.0, data_seed=seed, percent=percent)
        for rate in rates
        for kind, level, seed in draws
        for _ in range(models)
    ]
    columns = dict(zip(plan.Member._fields, zip(*members, strict=True), strict=True))
    place = np.arange(examples)
    true = place % len(classes)
    label, replaced, changed = [], [], []
    for kind, level, _ in draws:
        mask = place < level * examples
        of_inputs = kind.endswith("X")
        other = mask & (place % 2 == 0) & (not of_inputs)
        label.append(np.where(other, (true + 1) % len(classes), true))
        replaced.append(mask)
        changed.append(mask if of_inputs else other)
    trained = rng.permuted(
        np.tile(place < examples * percent // 100, (len(members), 1)), axis=1
    ).astype(bool)
    of_draw = np.array([draws.index((m.noise_kind, m.noise_level, m.seed)) for m in members])
    easy = (place < examples // 2) & ~np.array(changed)[of_draw]
    right = (trained | easy) ^ (rng.random(trained.shape) < flipped)
    validation_right = trained[:, np.arange(validation) % examples]
    names = ("example", "channel", "row", "column")
    images = {
        name: np.broadcast_to(
            (first + np.arange(count, dtype=np.uint8))[:, None, None, None], (seeds, count, *shape)
        )
        for name, count, first in (("image", examples, 0), ("validation_image", validation, 100))
    }
    index = 100 * (np.array([seed for *_, seed in draws])[:, None] + 1) + place
    positions = np.arange(validation)
    run = xr.Dataset(
        {
            "right": (("member", "byte"), np.packbits(right, axis=1), NAMED),
            "trained_on": (("member", "byte"), np.packbits(trained, axis=1), NAMED),
            "validation_right": (
                ("member", "validation_byte"),
                np.packbits(validation_right, axis=1),
                NAMED,
            ),
            "diverged_epoch": ("member", np.zeros(len(members), int), NAMED),
            "train_accuracy": (("member", "epoch"), np.ones((len(members), 1)), NAMED),
            "validation_accuracy": (("member", "epoch"), np.full((len(members), 1), 0.5), NAMED),
            "label": (("draw", "example"), np.array(label, np.int16), NAMED),
            "replaced": (("draw", "example"), np.array(replaced), NAMED),
            "changed": (("draw", "example"), np.array(changed), NAMED),
            "index": (("draw", "example"), index, NAMED),
            "image": (("image_seed", *names), images["image"], NAMED),
            "validation_image": (
                ("image_seed", "validation_example", *names[1:]),
                images["validation_image"],
                NAMED,
            ),
            "validation_label": (
                ("image_seed", "validation_example"),
                np.tile(positions % len(classes), (seeds, 1)),
                NAMED,
            ),
            "validation_index": (
                ("image_seed", "validation_example"),
                np.tile(500 + positions, (seeds, 1)),
                NAMED,
            ),
        },
        coords={name: ("member", list(values), NAMED) for name, values in columns.items()}
        | {
            "draw_noise_kind": ("draw", [draw[0] for draw in draws], TEXT),
            "draw_noise_level": ("draw", [draw[1] for draw in draws], NAMED),
            "draw_seed": ("draw", [draw[2] for draw in draws], NAMED),
            "image_seed": ("image_seed", range(seeds), NAMED),
            "class_name": ("class", list(classes), TEXT),
            "epoch": ("epoch", [5], NAMED),
        },
    )
    rate = list(rates) if len(rates) > 1 else rates[0]
    settings = {
        "model": {"hidden_layers": 2, "hidden_units": 6},
        "training": {"epochs": 5, "batch_size": 5, "learning_rate": rate},
        "memorized_above": 0.25,
    }
    return run.assign_attrs(ABOUT, settings=json.dumps(settings), device="cpu")


def changed_bits(run: xr.Dataset, name: str, member: int, bits) -> None:
    """Give a member of a run other bits, in place."""
    run[name].values[member] = np.packbits(np.asarray(bits, bool))
