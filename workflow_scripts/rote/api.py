"""The study without its workflow: arrays in, trained models and their measures out.

Twenty models on images ``X`` (n, rows, columns), grey levels from 0 to 255, with labels ``y`` (n,),
ten on the labels as they are and ten on random ones, and their curves::

    from rote import api

    data = api.data(X, y, train_examples=1000, validation_examples=500, noises=["randY"], seeds=10)
    models = api.train(
        data,
        {"hidden_layers": 2, "hidden_units": 64},
        conditions=[("real", 0), ("randY", 1)],
        epochs=30,
        learning_rate=0.1,
    )
    models.curves["train_accuracy"].plot(hue="member")

Numbers are those of the workflow with the same settings and seeds. Models are kept in a ``store``,
a folder: with the same one again, also that of a study, ``results/store``, only what is missing is
computed. Without one they are kept until the end of the process.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import jsonschema
import numpy as np
import torch
import xarray as xr
import yaml
from torch import nn

from rote.data import form
from rote.data.noising import noise_dataset
from rote.files.store import Store
from rote.machine.errors import UserError
from rote.models.kinds import Models
from rote.models.made_module import known_by_name
from rote.runs import complexity, training
from rote.runs import sensitivity as sensitivities
from rote.study import noises as kinds
from rote.study import own_module, plan
from rote.study.mlp import plain
from rote.study.plan import FACTORS, Member
from rote.study.schema import SCHEMA, closest

__all__ = ["Trained", "data", "sensitivity", "train"]

Model = dict | Callable[..., nn.Module]
Conditions = Sequence[tuple[str, float]]
REAL = (("real", 0.0),)


def data(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    train_examples: int,
    validation_examples: int = 0,
    test: tuple[np.ndarray, np.ndarray] | None = None,
    noises: Sequence[str] | Mapping[str, dict] = (),
    seeds: int = 1,
    first_seed: int = 0,
    vary: Sequence[str] = FACTORS,
    scaling: str = "unit",
    image_size: int | None = None,
    random_labels: str = "independent",
    name: str = "arrays",
) -> xr.Dataset:
    """Return training and validation data, drawn from arrays, with the noise that may replace it.

    Args:
        images: (n, rows, columns), (n, channels, rows, columns), or (n, features): whole numbers
            from 0 to 255.
        labels: (n,), of any type: their different values, sorted, are the classes.
        train_examples: of each draw.
        validation_examples: of each draw; drawn from ``test`` if that is given.
        test: images and labels of a part of its own.
        noises: the kinds of noise, such as ``randX`` and ``randY``; or names of your own, each with
            its ``kind`` and the parameters of that, as under ``noises`` in the configuration.
        seeds: replicates, each with a draw of all that ``vary`` names.
        first_seed: the seed of the first one.
        vary: some of ``data``, ``noise``, ``initialization`` and ``order``.
        scaling: ``unit``, ``standardized``, ``per_channel`` or ``per_image``.
        image_size: rows of an image, each pixel the mean of a block; None: as they are.
        random_labels: of randY, ``independent`` or ``balanced``.
        name: what the data is called.

    Returns:
        A dataset as in ``results/{preset}/datasets``, see :func:`rote.data.noising.noise_dataset`.

    Raises:
        UserError: shapes, types or numbers do not fit.
    """
    parts = [(images, labels), *([test] if test else [])]
    for own, classes in parts:
        if len(own) != len(classes):
            raise UserError(
                f"There are {len(own)} images, but {len(classes)} labels: give each image one."
            )
    names = np.unique(np.concatenate([np.asarray(own) for _, own in parts]))
    counts = [len(own) for _, own in parts]
    source = form.dataset(
        image=np.concatenate([_grey_levels(own) for own, _ in parts]),
        label=np.concatenate([np.searchsorted(names, own) for _, own in parts]).astype(np.int16),
        split=np.repeat(np.arange(len(parts), dtype=np.int8), counts),
        index=np.concatenate([np.arange(count) for count in counts]),
        class_name=[str(own) for own in names],
    )
    replicates = {"seeds": seeds, "first_seed": first_seed, "vary": list(vary)}
    settings = {
        "dataset": name,
        "image_size": image_size,
        "crop": 0,
        "train_examples": train_examples,
        "validation_examples": validation_examples,
        "validation_from": "test" if test else "train",
        "scaling": scaling,
        "random_labels": random_labels,
    }
    settings = plan.data_settings({"data": settings, **replicates, "noise_kinds": [*noises]})
    if isinstance(noises, Mapping):
        for own, definition in noises.items():
            if sentence := kinds.wrong(own, definition):
                raise UserError(sentence)
        settings["noises"] = kinds.used([*noises], noises)
    noised = xr.decode_cf(noise_dataset(source, settings))
    return noised.assign_attrs(
        dataset=name, settings=yaml.safe_dump(settings), replicates=yaml.safe_dump(replicates)
    )


def _grey_levels(images: np.ndarray) -> np.ndarray:
    """Return images as (n, channels, rows, columns) of type uint8."""
    images = np.asarray(images)
    if images.ndim not in (2, 3, 4):
        raise UserError(
            f"images have the shape {images.shape}: have them (n, rows, columns), (n, channels, "
            "rows, columns) or (n, features)."
        )
    levels = images.astype(np.uint8)
    if images.dtype.kind not in "iuf" or not np.array_equal(levels, images):
        raise UserError(
            "images hold other numbers than whole ones from 0 to 255: scale and round them, as by "
            "np.round(255 * images)."
        )
    shape = {2: (1, 1), 3: (1, *images.shape[1:2]), 4: images.shape[1:3]}[images.ndim]
    return levels.reshape(len(levels), *shape, images.shape[-1])


class Trained:
    """Trained models, see :func:`train`.

    Attributes:
        curves: ``train_loss`` (nat), ``train_accuracy`` and ``validation_accuracy`` (member,
            epoch), ``diverged_epoch`` (member); what tells members apart, such as ``noise_kind``,
            ``noise_level`` and ``seed``, as coordinates of ``member``.
        data: what they were trained on.
    """

    def __init__(self, data: xr.Dataset, settings: dict, store: Store, folder: object, device: str):
        self.data, self._settings, self._store, self._device = data, settings, store, device
        self._folder = folder  # which is there as long as this is
        self.curves = training.compute_run(data, settings, store, name="api", device=device)

    def logits(self, images: np.ndarray | torch.Tensor, epoch: int | None = None) -> xr.DataArray:
        """Return logits (member, example, class), missing for models that diverged.

        Args:
            images: (n, channels, rows, columns) or flat, as models see them: those of ``data``.
            epoch: one of ``keep_epochs``; the last one if None.
        """
        epoch = max(self._settings["keep_epochs"]) if epoch is None else epoch
        inputs = torch.as_tensor(np.asarray(images, np.float32)).flatten(1)
        classes = self.data["class_name"].values
        found = np.full(
            (self.curves.sizes["member"], len(inputs), len(classes)), np.nan, np.float32
        )
        models = Models(self._settings["model"], self.data["image"].shape[1:], len(classes))
        keys = training.member_keys(self.data, self._settings)
        seeds = self.curves["initial_seed"].values.tolist()
        for own, key, seed in zip(found, keys, seeds, strict=True):
            parameters = self._store.load_parameters(key, epoch)
            if parameters is not None:
                model = complexity.model_of(models, parameters, seed)
                with torch.no_grad():
                    own[:] = model.member_logits(0, inputs).numpy()
        members = {name: own for name, own in self.curves.coords.items() if own.dims == ("member",)}
        return xr.DataArray(found, {**members, "class": classes}, ("member", "example", "class"))

    def critical_samples(
        self,
        *,
        examples: int,
        radius: float | Sequence[float] = 0.3,
        alpha: float = 0.25,
        beta: float = 0.2,
        max_iterations: int = 10,
        train_examples: int = 0,
    ) -> xr.Dataset:
        """Return the ratios of critical samples after each of ``keep_epochs``.

        Args:
            examples: validation inputs searched.
            radius: r in grey levels; several, of which α and β are for the first.
            alpha: α in grey levels.
            beta: β in grey levels.
            max_iterations: steps of the search.
            train_examples: training inputs searched, too.

        Returns:
            ``critical_sample_ratio`` (member, radius, critical_epoch, critical_inputs) and
            ``commonest_class_share``, see :func:`rote.runs.complexity.compute_run`.
        """
        search = {
            "alpha": alpha,
            "beta": beta,
            "radius": [float(own) for own in np.atleast_1d(radius)],
            "max_iterations": max_iterations,
            "examples": examples,
            "train_examples": train_examples,
            "epochs": self._settings["keep_epochs"],
        }
        own = {**self._settings, "critical_samples": search}
        run = complexity.compute_run(self.data, own, self._store, name="api", device=self._device)
        return run[["critical_sample_ratio", "commonest_class_share"]]


def train(
    data: xr.Dataset,
    model: Model,
    *,
    epochs: int,
    learning_rate: float,
    conditions: Conditions = REAL,
    batch_size: int = 50,
    evaluate_every: int = 1,
    keep_epochs: Sequence[int] = (),
    store: str | Path | None = None,
    device: str = "auto",
    **others,
) -> Trained:
    """Train a model for each condition and each replicate of the data.

    Args:
        data: as :func:`data` returns it, or a file of ``results/{preset}/datasets`` as it is read.
        model: ``hidden_layers`` and ``hidden_units`` of an MLP; the settings of a CNN; ``from`` and
            ``arguments`` of a module in a file; or a function that makes a module, see
            ``docs/own-models.md``.
        epochs: passes over the training examples.
        learning_rate: of the optimizer.
        conditions: kind and level of noise, ``("real", 0)`` for none.
        batch_size: examples of an update.
        evaluate_every: epochs between two points of a curve.
        keep_epochs: epochs after which models are kept to be searched, beside the last.
        store: the folder of finished models.
        device: ``auto``, ``cpu`` or ``cuda``.
        others: further settings ``training`` by their names in ``docs/settings.md``, such as
            ``momentum``, ``weight_decay``, ``optimizer`` or ``threshold``; and strengths of
            regularisers, such as ``dropout``.

    Raises:
        UserError: something does not fit.
    """
    strengths = {name: float(others.pop(name, 0.0)) for name in plan.REGULARIZERS}
    search = {key: others.pop(key) for key in ("adversarial_examples",) if key in others}
    if strengths["adversarial"] and not search:
        raise UserError(
            "adversarial needs adversarial_examples, the search for them: add it, such as "
            "{'alpha': 8, 'beta': 0, 'radius': 16, 'max_iterations': 2}."
        )
    known = [*SCHEMA["$defs"]["scheduled_steps"]["properties"], "threshold", "plateau"]
    for name in others:
        if name not in known:
            every = sorted({*known, *strengths} - {"epochs", "batch_size", "learning_rate"})
            raise UserError(
                f"{name} is no setting of a training: {closest(name, every)}choose among "
                f"{', '.join(every)}."
            )
    settings = {
        **search,
        "model": _settings_of(model),
        "training": {
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "evaluate_every": evaluate_every,
            "momentum": 0.0,
            "precision": "float32",
            **others,
        },
        "members": [list(own) for own in _members(data, conditions, learning_rate, strengths)],
        "keep_misclassified": False,
        "keep_epochs": sorted({*keep_epochs, epochs}),
    }
    return Trained(data, settings, *_kept(store), device)


def sensitivity(
    data: xr.Dataset,
    model: Model,
    *,
    epochs: int,
    learning_rate: float,
    conditions: Conditions = REAL,
    batch_size: int = 50,
    evaluations: int = 8,
    class_evaluations: int = 0,
    unique_labels: bool = False,
    norms: Sequence[str] = ("l1",),
    store: str | Path | None = None,
    device: str = "auto",
) -> xr.Dataset:
    """Train by plain SGD, and measure how much each training example matters to the loss.

    Arguments are those of :func:`train`, and:

    Args:
        evaluations: times in training, evenly spaced, beside its beginning.
        class_evaluations: the same for the sensitivity between classes; 0: none.
        unique_labels: whether each example has a class of its own.
        norms: some of ``l1``, ``l2`` and ``linf``.

    Returns:
        ``sensitivity`` (member, norm, update, example) and others, see
        :func:`rote.runs.sensitivity.compute_run`.
    """
    settings = {
        "labelling": "unique" if unique_labels else "class",
        "model": _settings_of(model),
        "training": {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate},
        "norms": list(norms),
        "evaluations": evaluations,
        "class_evaluations": class_evaluations,
        "members": [list(own) for own in _members(data, conditions, learning_rate, {})],
    }
    kept, _folder = _kept(store)
    return sensitivities.compute_run(data, settings, kept, name="api", device=device)


def _settings_of(model: Model) -> dict:
    if not isinstance(model, dict):
        return known_by_name(model)
    kind = "module" if "from" in model else "cnn" if "maps" in model else "mlp"
    part = {"$ref": f"#/$defs/{kind}", "$defs": SCHEMA["$defs"]}
    for error in jsonschema.Draft202012Validator(part).iter_errors(model):
        raise UserError(
            f"model is no {kind}, {error.message}: see docs/settings.md for what it may hold."
        )
    return own_module.with_source(model) if "from" in model else plain(model)


def _members(
    data: xr.Dataset, conditions: Conditions, learning_rate: float, strengths: dict
) -> list[Member]:
    """Return a member for each condition and replicate."""
    known = ["real", *yaml.safe_load(data.attrs["settings"])["noise_kinds"]]
    for kind, level in conditions:
        if kind not in known or not 0 <= level <= 1:
            raise UserError(
                f"The condition ({kind!r}, {level}) is none of this data: name one of "
                f"{', '.join(known)}, and a level from 0 to 1."
            )
    if "replicates" in data.attrs:
        replicates = yaml.safe_load(data.attrs["replicates"])
    else:  # of a study, whose replicates draw all anew unless it has one of something
        seeds = data["data_seed"].values
        replicates = {"seeds": len(seeds), "first_seed": int(seeds[0]), "vary": FACTORS}
    return [
        Member(kind, float(level), 0, 0, float(learning_rate), 0.0)._replace(
            **strengths, **plan.replicate(replicates, seed)
        )
        for kind, level in conditions
        for seed in plan.replicates(replicates)
    ]


def _kept(store: str | Path | None) -> tuple[Store, object]:
    """Return a store, and what has it stay: a folder that is deleted when nobody needs it."""
    if store is not None:
        return Store(store), None
    folder = tempfile.TemporaryDirectory(prefix="rote-")
    return Store(folder.name), folder
