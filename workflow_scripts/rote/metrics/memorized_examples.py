"""Memorised examples: the images with the highest and lowest scores, and influential pairs."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from rote.machine.errors import UserError
from rote.measures import influence as influences
from rote.measures.memorization import consistency, memorization
from rote.measures.records import unpacked
from rote.metrics import settings_of, with_protocol
from rote.metrics.memorization import Group, groups
from rote.study import noises

SHOWN = 10  # images of a panel
PAIRS = 10
KNOWN = 0.5  # consistency above which an example counts as known without being trained on
LONG_NAMES = {
    "image": "real training input, from the darkest of all pixels, 0, to the brightest, 255",
    "memorization": "memorisation score of the example; missing: no image is here",
    "memorization_error": "standard error of the memorisation score, over models",
    "consistency": "P(right | not trained on it), consistency score at one size of the subsets",
    "label": "label trained on; −1: no image is here",
    "true_label": "class of the example, which noise may have changed; −1: no image is here",
    "index": "position of the training example in its part of the original data set; −1: none",
    "example_seed": "replicate that the example is of; −1: no image is here",
    "candidates": "images that the panel's are chosen from",
    "influence": "P(right on the validation example | trained on the training example) − "
    "P(… | not), among pairs that are told from noise",
    "p_value": "of no influence, by the exact test of this pair alone",
    "train_example": "position of the training example among those of its replicate",
    "validation_example": "position of the validation example among those of its replicate",
    "train_index": "position of the training example in its part of the original data set",
    "validation_index": "position of the validation example in its part of the original data set",
    "pair_label": "label trained on of the training example of the pair",
    "pair_validation_label": "class of the validation example of the pair",
    "pair_noise_level": "fraction of the training examples that noise replaces",
    "pair_seed": "replicate of the pair",
    "pair_learning_rate": "learning rate of the models that the pair is of",
    "pair_image": "training input of a pair, one of the largest influences on real data",
    "pair_validation_image": "validation input of the same pair",
    "shown_pair": "position along pair of the pair whose images are shown; −1: none",
    "panel_noise_level": "fraction of the training examples that noise replaces",
    "learning_rate": "learning rate at the beginning of the training",
}
WORDS = {
    "class_name": "names of the classes",
    "panel": "which examples of which condition",
    "panel_condition": "training data: real, or the name of a noise",
    "panel_part": "which of its examples: all, those that noise kept, or those that it changed",
    "panel_order": "most: the highest scores; least: those next to 0, of examples that most models "
    "are right about without being trained on them",
    "pair_noise_kind": "training data: real, or the name of a noise",
}
_OF_GROUP = "noise_kind", "noise_level", "learning_rate", "seed"


class Panel(NamedTuple):
    """Examples that are shown together."""

    condition: str
    noise_level: float
    part: str = "all"
    order: str = "most"

    @property
    def name(self) -> str:
        """What tells it from others."""
        return " ".join([self.condition, f"{self.noise_level:g}", self.part, self.order])


def panels(run: xr.Dataset) -> list[Panel]:
    """Return what is shown of a run: real data, and each noise at the middle level above 0.

    Of inputs that noise has changed nothing is shown: they would be images of noise.
    """
    found = [Panel("real", 0.0), Panel("real", 0.0, order="least")]
    kinds, levels = run["draw_noise_kind"].values, run["draw_noise_level"].values
    data = settings_of(run)["data"]
    for kind in dict.fromkeys(kinds[kinds != "real"].tolist()):
        own = np.unique(levels[kinds == kind])
        level = own[(len(own) - 1) // 2].item()
        changed = run["changed"].values[(kinds == kind) & (levels == level)]
        for part, there in (("kept", ~changed), ("changed", changed)):
            if there.any() and (part == "kept" or noises.replaces(kind, data) == "label"):
                found.append(Panel(kind, level, part))
    return found


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the images with the highest and lowest memorisation scores, and influential pairs.

    Each panel is chosen from the examples of all seeds. Of equal scores that with the lowest
    consistency comes first, then that with the smallest standard error, then the first seed. Of the
    lowest, those next to 0, it is that with the highest consistency; they must be known to more
    than ``KNOWN`` of the models that were not trained on them. An image that is in the draws of
    several seeds is shown once, at its first place.

    Args:
        runs: the first of the experiment ``memorization``, real data among its conditions.

    Returns:
        Of each panel, (learning_rate, panel, rank): ``memorization`` and ``memorization_error``,
        ``consistency``, ``label``, ``true_label``, ``index``, ``example_seed``, and ``image``
        (…, channel, row, column); ``candidates`` (learning_rate, panel). Where a condition and a
        seed have ``influence.MINIMUM_MODELS`` models left or more, of all influences that are seen:
        ``influence``, ``p_value`` and what the pair is (pair,), and of the largest ones on real
        data ``pair_image`` and ``pair_validation_image`` (learning_rate, pair_rank, channel, row,
        column).

    Raises:
        UserError: there is nothing to show, as models diverged.
    """
    (run,) = runs
    shown = panels(run)
    rates = list(dict.fromkeys(run["learning_rate"].values.tolist()))
    examples, pairs = [], []
    for group in groups(run):
        examples.append(_scored(group, run))
        pairs += _pairs(group, run)
    scored = xr.concat(examples, "example", coords="all")
    tables = [
        xr.concat(
            [_shown(panel, scored.sel(example=scored["learning_rate"] == rate)) for panel in shown],
            xr.Variable("panel", [panel.name for panel in shown]),
        )
        for rate in rates
    ]
    result = xr.concat(tables, xr.Variable("learning_rate", rates))
    if not result["memorization"].isel(learning_rate=0).notnull().any():
        raise UserError(
            "Of the models on the data that memorized_examples shows too few are left, as others "
            "diverged: lower learning_rate (of several, the first)."
        )
    of_panels = {name: [getattr(panel, name) for panel in shown] for name in Panel._fields}
    coords = {f"panel_{name}": ("panel", values) for name, values in of_panels.items()}
    result = result.assign_coords({**coords, "class_name": ("class", run["class_name"].values)})
    if pairs:
        result = result.merge(_pair_table(xr.concat(pairs, "pair"), rates, run))
    for name, variable in result.variables.items():
        if name in WORDS:
            variable.attrs = {"long_name": WORDS[name]}
        else:
            variable.attrs = {"long_name": LONG_NAMES[name], "units": "1"}
    models = run.sizes["member"] // (run.sizes["draw"] * len(rates))
    return with_protocol(
        "memorized_examples",
        result.assign_attrs(
            models_per_replicate=models,
            seeds=len(np.unique(run["draw_seed"].values)),
            fraction=run["percent"].values[0].item() / 100,
            known_above=KNOWN,
        ),
        runs,
    )


def _scored(group: Group, run: xr.Dataset) -> xr.Dataset:
    """Return the examples of a group with their scores and images, (example,)."""
    draw = _draw(group.noise_kind, group.noise_level, group.seed, run)
    own, real = run.isel(draw=draw), run.isel(draw=_draw("real", 0.0, group.seed, run))
    numbers = np.full((3, len(group.changed)), np.nan)
    if len(group.right):
        numbers[:2] = memorization(group.right, group.trained)
        numbers[2] = consistency(group.right, group.trained)[0]
    found = {
        **dict(zip(("memorization", "memorization_error", "consistency"), numbers, strict=True)),
        "label": own["label"].values.astype(int),
        "true_label": real["label"].values.astype(int),
        "index": own["index"].values,
        "example_seed": np.full(len(group.changed), group.seed),
        "changed": group.changed,
    }
    image = run["image"].sel(image_seed=group.seed).values
    return xr.Dataset(
        {name: ("example", values) for name, values in found.items()}
        | {"image": (("example", "channel", "row", "column"), image)},
        coords={name: ("example", [getattr(group, name)] * len(image)) for name in _OF_GROUP},
    )


def _draw(kind: str, level: float, seed: int, run: xr.Dataset) -> int:
    """Return the position along ``draw`` of a condition and a seed."""
    names = ("draw_noise_kind", kind), ("draw_noise_level", level), ("draw_seed", seed)
    same = np.logical_and.reduce([run[name].values == value for name, value in names])
    return int(np.flatnonzero(same)[0])


def _shown(panel: Panel, scored: xr.Dataset) -> xr.Dataset:
    """Return the images of a panel, (rank,), chosen from the examples of all seeds."""
    of_panel = (scored["noise_kind"] == panel.condition) & (
        scored["noise_level"] == panel.noise_level
    )
    own = scored.sel(example=of_panel).reset_coords(drop=True).sortby("example_seed")
    wanted = own["memorization"].notnull()
    if panel.part != "all":
        wanted &= own["changed"] == (panel.part == "changed")
    own = own.sel(example=wanted)
    order = own["memorization_error"], own["consistency"], -own["memorization"]
    if panel.order == "least":
        own = own.sel(example=own["consistency"] > KNOWN)
        order = own["memorization_error"], -own["consistency"], abs(own["memorization"])
    places = np.lexsort([key.values for key in order])
    _, firsts = np.unique(own["index"].values[places], return_index=True)
    best = own.isel(example=places[np.sort(firsts)][:SHOWN]).drop_vars("changed")
    # A seed may have fewer examples than a panel has places.
    missing = {name: -1 for name in best if best[name].dtype.kind == "i"}
    best = best.rename(example="rank").assign_coords(rank=np.arange(best.sizes["example"]))
    best = best.reindex(rank=np.arange(SHOWN), fill_value=missing | {"image": 0})
    return best.drop_vars("rank").assign(candidates=len(firsts))


def _pairs(group: Group, run: xr.Dataset) -> list[xr.Dataset]:
    """Return the influences that the models of a group show, if these are enough to see any."""
    validation = run.sizes.get("validation_example", 0)
    if len(group.right) < influences.MINIMUM_MODELS or not validation:
        return []
    right = unpacked(group.left["validation_right"].values, validation)
    found = influences.influence(right, group.trained)
    own = run.isel(draw=_draw(group.noise_kind, group.noise_level, group.seed, run))
    real = run.sel(image_seed=group.seed)
    numbers = {
        "influence": found.influence,
        "p_value": found.p_value,
        "train_example": found.train,
        "validation_example": found.validation,
        "train_index": own["index"].values[found.train],
        "validation_index": real["validation_index"].values[found.validation],
        "pair_label": own["label"].values[found.train],
        "pair_validation_label": real["validation_label"].values[found.validation],
    }
    of_group = {
        f"pair_{name}": np.full(len(found.train), getattr(group, name)) for name in _OF_GROUP
    }
    return [xr.Dataset({name: ("pair", each) for name, each in (numbers | of_group).items()})]


def _pair_table(pairs: xr.Dataset, rates: list[float], run: xr.Dataset) -> xr.Dataset:
    """Return all pairs, and the images of those with the largest influence on real data."""
    shown = np.full((len(rates), PAIRS), -1)
    along = "learning_rate", "pair_rank"
    shape = (*shown.shape, *(run.sizes[name] for name in ("channel", "row", "column")))
    images = {name: np.zeros(shape, np.uint8) for name in ("image", "validation_image")}
    for row, rate in enumerate(rates):
        real = (pairs["pair_noise_kind"] == "real") & (pairs["pair_learning_rate"] == rate)
        shown[row] = _distinct(pairs, np.flatnonzero(real))
        for rank, place in enumerate(shown[row][shown[row] >= 0]):
            pair = pairs.isel(pair=place)
            seed = run.sel(image_seed=pair["pair_seed"].item())
            for name, of in (("image", "train"), ("validation_image", "validation")):
                images[name][row, rank] = seed[name].values[pair[f"{of}_example"].item()]
    return pairs.assign(
        {
            f"pair_{name}": ((*along, "channel", "row", "column"), values)
            for name, values in images.items()
        }
        | {"shown_pair": (along, shown)}
    )


def _distinct(pairs: xr.Dataset, places: np.ndarray) -> np.ndarray:
    """Return where the largest influences are, no image in two of them; −1 where there are fewer.

    One example may influence many, and they would fill the figure.
    """
    found, seen = [], set()
    sizes = np.abs(pairs["influence"].values[places])
    for place in places[np.argsort(-sizes, kind="stable")]:
        own = {(name, pairs[f"{name}_index"].values[place]) for name in ("train", "validation")}
        if not own & seen:
            found.append(place)
            seen |= own
        if len(found) == PAIRS:
            break
    return np.array(found + [-1] * (PAIRS - len(found)))
