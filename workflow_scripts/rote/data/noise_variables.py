"""The variables of noise of a noised data set: every kind, for every draw of it."""

import numpy as np

from rote.data import noises
from rote.data.scaling import PER_GREY_LEVEL
from rote.machine.randomness import generator


def noise_variables(real: dict, classes: int, data: dict, attributes: dict) -> dict:
    """Return the variables of the noise.

    Args:
        real: the variables of the real examples.
        classes: how many there are.
        data: the settings of :func:`noise_dataset`.
        attributes: those of its result.
    """
    n, seeds, found = data["train_examples"], data["noise_seeds"], {}
    orders = {seed: generator("order", seed).permutation(n) for seed in seeds}
    found["order"] = (
        ("noise_seed", "example"),
        np.stack([*orders.values()]),
        {
            "long_name": "training examples in the order in which noise replaces them",
            "units": "1",
        },
    )
    every = [(data_seed, seed) for data_seed in data["data_seeds"] for seed in seeds]
    pairs = [tuple(pair) for pair in data.get("draws", every)]
    # Labels of randY are there whatever the kinds.
    for name in dict.fromkeys(["randY", *data["noise_kinds"]]):
        kind, parameters = noises.definition_in(data.get("noises", {}), name)
        module = noises.module(kind)
        draws = pairs if module.OF_EXAMPLES else [(None, seed) for seed in seeds]
        along = "draw" if module.OF_EXAMPLES else "noise_seed"
        parts: dict[str, np.ndarray] = {}
        for i, (data_seed, seed) in enumerate(draws):
            examples = noises.Examples(
                (n, *real["image"][1].shape[1:]),
                attributes,
                order=orders[seed],
                classes=classes,
                settings=data,
            )
            if module.OF_EXAMPLES:
                rows = real["train"][1][data["data_seeds"].index(data_seed)]
                examples = _with_real(examples, real, rows)
            for part, values in noises.drawn(kind, examples, seed, parameters).items():
                if part not in parts:
                    parts[part] = np.empty((len(draws), *values.shape), values.dtype)
                parts[part][i] = values
        found |= _described(parts, name, along)
        if module.OF_EXAMPLES:
            for i, of in enumerate(("data", "noise")):
                words = {"long_name": f"{of}_seed of a replicate's pair of draws", "units": "1"}
                found[f"draw_{of}_seed"] = "draw", np.array(pairs)[:, i], words
    return found


def _with_real(examples: noises.Examples, real: dict, rows: np.ndarray) -> noises.Examples:
    """Return ``examples`` with those that stand in some rows of the pool, decoded."""
    _, images, attributes = real["image"]
    images = images[rows]
    if "scale_factor" in attributes:  # as xarray decodes packed integers
        images = images * attributes["scale_factor"] + attributes["add_offset"]
    levels = real[PER_GREY_LEVEL][1][rows] if PER_GREY_LEVEL in real else None
    return examples._replace(
        images=images.astype(np.float32),
        levels=levels,
        label=real["label"][1][rows],
        index=real["index"][1][rows],
    )


def _described(parts: dict[str, np.ndarray], name: str, along: str) -> dict:
    """Return the variables of a noise, with their dimensions and attributes."""
    words = {
        "label": f"label that {name} gives to the training example",
        PER_GREY_LEVEL: f"a grey level in the input that {name} gives",
        "image": f"input that {name} gives to the training example",
    }
    dims = along, "example", "channel", "row", "column"
    return {
        noises.variable(part, name): (
            dims[: values.ndim],
            values,
            {"long_name": words[part], "units": "1"},
            # Random floats do not shrink.
            {"zlib": False} if part == "image" else {},
        )
        for part, values in parts.items()
    }
