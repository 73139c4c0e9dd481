"""Consistency: how often models are right about an example that they were not trained on."""

import numpy as np
import xarray as xr

from rote.machine.errors import UserError
from rote.measures.correlation import spearman
from rote.measures.memorization import (
    consistency,
    consistency_reliability,
    jackknife,
    mean_consistency,
)
from rote.metrics import with_protocol
from rote.metrics.memorization import Group, groups, halving_groups
from rote.metrics.proxies import (
    NAMES,
    measured_by_cell,
    oriented,
    values_of_proxies,
)

SHOWN = 6  # images of a class
CLASSES = 10  # of which images are shown
LONG_NAMES = {
    "consistency": "P(right | not trained on it) of the example, by models on subsets of one size",
    "consistency_error": "standard error of the consistency, over models",
    "consistency_score": "consistency score: mean of the consistency over all sizes",
    "consistency_score_error": "standard error of the consistency score, over models",
    "mean_consistency": "mean of the consistency over the examples",
    "mean_consistency_error": "standard error of this mean, over models",
    "correlation": "rank correlation over the examples of the measure with the consistency score, "
    "positive where it is larger for examples of lower scores, as it should be",
    "ceiling": "root of the reliability of the consistency score: about the most that a measure "
    "can be expected to correlate with it",
    "image": "real training input, from the darkest of all pixels, 0, to the brightest, 255",
    "image_score": "consistency score of the image; missing: no image is here",
    "image_index": "position of the image in its part of the original data set; −1: none",
    "image_seed": "replicate that the image is of; −1: no image is here",
    "shown_class": "class whose images of the lowest scores are shown",
    "label": "class of the example",
    "index": "position of the training example in its part of the original data set",
    "fraction": "fraction of the training examples that a model is trained on",
    "learning_rate": "learning rate at the beginning of the training",
    "seed": "replicate",
}
WORDS = {
    "class_name": "names of the classes",
    "proxy": "cheap measure of a single training",
    "words": "what figures call the measure",
}
DIMENSIONS = "fraction", "proxy", "learning_rate", "shown_class", "rank", "example", "seed"


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return the consistency score of every example of real data, and what it is compared with.

    The score is the mean over all sizes of the subsets, each counting alike (Jiang et al. 2021,
    "Characterizing Structural Regularities of Labeled Data in Overparameterized Models", section
    3). Images are those with the lowest scores of a class, of all seeds, each once; of more than
    ``CLASSES`` classes those whose examples have the lowest mean score.

    Args:
        runs: of the experiment ``memorization``: one for each size of the subsets and, if there is
            one, that of the proxies.

    Returns:
        ``consistency`` and ``consistency_error`` (fraction, learning_rate, example, seed),
        ``consistency_score`` and its error (without fraction); ``mean_consistency`` and its error
        (fraction, learning_rate, seed); ``ceiling`` (learning_rate, seed) and, of
        proxies, ``correlation`` (proxy, learning_rate, seed); ``label`` and ``index`` (example,
        seed); ``image`` (learning_rate, shown_class, rank, channel, row, column), ``image_score``,
        ``image_index`` and ``image_seed`` (learning_rate, shown_class, rank). Missing is what no
        model tells that was not trained on the example: a score needs all sizes, whose errors count
        as independent (models of different sizes share their initial weights, if nothing else).
        Sizes stand in order. Attributes ``models_per_replicate``, of each size, and
        ``proxy_models``.

    Raises:
        UserError: there is no score, as all models of a size diverged.
    """
    scored = [run for run in runs if "right" in run]
    measured = [run for run in runs if "right" not in run]
    of_sizes = [
        {group.same: group for group in groups(run) if group.noise_kind == "real"} for run in scored
    ]
    proxies = measured_by_cell(measured[0]) if measured else {}
    cells = []
    for same in of_sizes[0]:
        one = _of_cell([each[same] for each in of_sizes])
        if same in proxies:
            one = one.merge(_correlations(proxies[same], one["consistency_score"].values))
        rate, _, _, seed = same
        cells.append(one.expand_dims(learning_rate=[rate], seed=[seed]))
    result = xr.combine_by_coords(cells, join="outer", combine_attrs="drop")
    rates = list(dict.fromkeys(scored[0]["learning_rate"].values.tolist()))
    result = result.sel(learning_rate=rates).sortby("fraction").merge(_examples(scored[0]))
    if result["consistency_score"].isel(learning_rate=0).isnull().all():
        raise UserError(
            "No example has a consistency score, since no models are left at one size of the "
            "subsets, or all are trained on it: lower learning_rate (of several, the first), or "
            "raise memorization.models."
        )
    result = result.merge(_images(result, scored[0])).transpose(
        *DIMENSIONS, ..., missing_dims="ignore"
    )
    for name, variable in result.variables.items():
        if name in WORDS:
            variable.attrs = {"long_name": WORDS[name]}
        else:
            variable.attrs = {"long_name": LONG_NAMES[name], "units": "1"}
    real = len(np.unique(result["seed"]))
    return with_protocol(
        "consistency",
        result.assign_attrs(
            models_per_replicate=_models(scored[0]) // (real * len(rates)),
            proxy_models=_models(measured[0]) // (real * len(rates)) if measured else 0,
        ),
        scored,
    )


def _models(run: xr.Dataset) -> int:
    return int((run["noise_kind"] == "real").sum())


def _of_cell(sizes: list[Group]) -> xr.Dataset:
    """Return the numbers of a learning rate and a seed, of all sizes of the subsets."""
    examples = len(sizes[0].changed)
    each, errors = np.full((2, len(sizes), examples), np.nan)
    means, mean_errors = np.full((2, len(sizes)), np.nan)
    for k, group in enumerate(sizes):
        if not len(group.right):  # all have diverged
            continue
        each[k], errors[k] = consistency(group.right, group.trained)
        if len(group.right) < 4:  # too few for a jackknife
            means[k] = mean_consistency(group.right, group.trained)
            continue
        count = halving_groups(len(group.right))
        means[k], mean_errors[k] = jackknife(mean_consistency, group.right, group.trained, count)
    whole = all(len(group.right) > 1 for group in sizes)
    certain = (
        consistency_reliability([(group.right, group.trained) for group in sizes])
        if whole
        else np.nan
    )
    return xr.Dataset(
        {
            "consistency": (("fraction", "example"), each.astype(np.float32)),
            "consistency_error": (("fraction", "example"), errors.astype(np.float32)),
            "consistency_score": ("example", each.mean(0).astype(np.float32)),
            "consistency_score_error": (
                "example",
                (np.sqrt((errors**2).sum(0)) / len(sizes)).astype(np.float32),
            ),
            "mean_consistency": ("fraction", means),
            "mean_consistency_error": ("fraction", mean_errors),
            "ceiling": np.sqrt(np.maximum(certain, 0.0)),
        },
        coords={"fraction": [group.fraction for group in sizes]},
    )


def _correlations(measured: xr.Dataset, score: np.ndarray) -> xr.Dataset:
    """Return how proxies rank the examples as the scores do, (proxy,) of a cell."""
    signed = oriented(values_of_proxies(measured))
    return xr.Dataset(
        {"correlation": ("proxy", [spearman(own, -score) for own in signed.values()])},
        coords={"proxy": list(signed), "words": ("proxy", NAMES)},
    )


def _examples(run: xr.Dataset) -> xr.Dataset:
    """Return what the real examples are, (example, seed), and the names of the classes."""
    real = run.isel(draw=np.flatnonzero(run["draw_noise_kind"].values == "real"))
    return xr.Dataset(
        {name: (("seed", "example"), real[name].values) for name in ("label", "index")},
        coords={
            "seed": real["draw_seed"].values,
            "class_name": ("class", run["class_name"].values),
        },
    )


def _images(result: xr.Dataset, run: xr.Dataset) -> xr.Dataset:
    """Return the images with the lowest scores of each class, see ``metrics``."""
    labels, index, seeds = (
        values.transpose("seed", "example").values.ravel()
        for values in xr.broadcast(result["label"], result["index"], result["seed"])
    )
    example = np.tile(np.arange(result.sizes["example"]), result.sizes["seed"])
    scores = result["consistency_score"].transpose("learning_rate", "seed", "example")
    scores = scores.values.reshape(result.sizes["learning_rate"], -1)
    classes = _lowest_classes(scores[0], labels)
    shape = scores.shape[0], len(classes), SHOWN
    images = np.zeros(
        (*shape, *(run.sizes[name] for name in ("channel", "row", "column"))), np.uint8
    )
    image_score = np.full(shape, np.nan, np.float32)
    image_index, image_seed = np.full((2, *shape), -1)
    pixels = {seed: run["image"].sel(image_seed=seed).values for seed in result["seed"].values}
    for rate, own in enumerate(scores):
        for k, label in enumerate(classes):
            of_class = np.flatnonzero((labels == label) & ~np.isnan(own))
            order = of_class[np.lexsort((index[of_class], own[of_class]))]
            _, firsts = np.unique(index[order], return_index=True)
            for rank, place in enumerate(order[np.sort(firsts)][:SHOWN]):
                at = rate, k, rank
                image_score[at], image_index[at] = own[place], index[place]
                image_seed[at] = seeds[place]
                images[at] = pixels[seeds[place]][example[place]]
    along = "learning_rate", "shown_class", "rank"
    return xr.Dataset(
        {
            "image": ((*along, "channel", "row", "column"), images),
            "image_score": (along, image_score),
            "image_index": (along, image_index),
            "image_seed": (along, image_seed),
        },
        coords={"shown_class": classes},
    )


def _lowest_classes(scores: np.ndarray, labels: np.ndarray) -> list[int]:
    """Return up to ``CLASSES`` classes, in order: those of the lowest mean scores."""
    there = ~np.isnan(scores)
    means = {label: scores[there & (labels == label)].mean() for label in np.unique(labels[there])}
    return sorted(sorted(means, key=means.get)[:CLASSES])
