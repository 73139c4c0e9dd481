"""Training on some data, and the measure of each example that plain SGD allows."""

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from rote.api.settings import (
    SENSITIVITY,
    TRAINING,
    Conditions,
    Model,
    of_file,
    of_members,
    of_model,
    of_training,
)
from rote.api.trained import Trained, kept
from rote.machine import products
from rote.machine.errors import UserError
from rote.models.known_function import forget
from rote.runs import sensitivity as sensitivities
from rote.study.schema import check_part

REAL = (("real", 0.0),)


@products.one_thread()
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
    record: Sequence[str] = (),
    store: str | Path | None = None,
    device: str = "auto",
    **others,
) -> Trained:
    """Train a model for each condition and each replicate of the data.

    Args:
        data: as :func:`data` returns it, or a file of ``results/{preset}/datasets`` as it is read:
            a replicate for each of its draws, of examples, of noise or of both. Of a file with one
            draw say how many replicates share it, by an attribute ``replicates``.
        model: ``hidden_layers`` and ``hidden_units`` of an MLP; the settings of a CNN; ``from`` and
            ``arguments`` of a module in a file; or a function that makes a module, see
            ``docs/own-models.md``.
        epochs: passes over the training examples.
        learning_rate: of the optimizer.
        conditions: kind and level of noise, ``("real", 0)`` for none.
        batch_size: examples of an update.
        evaluate_every: epochs between two points of a curve.
        keep_epochs: epochs after which models are kept, for logits and critical samples, beside the
            last.
        record: what ``curves`` keep of each training example, some of ``right``, ``loss``,
            ``margin`` and ``moments``, see ``docs/files.md``.
        store: the folder of finished models; None: they are kept as long as what is returned.
        device: ``auto``, ``cpu`` or ``cuda``.
        others: further settings ``training`` by their names in ``docs/settings.md``, such as
            ``momentum``, ``weight_decay``, ``optimizer`` or ``decay_every`` (with ``decay_factor``,
            0.5 unless said); and strengths of regularisers, such as ``dropout``. Models that end at
            a ``threshold`` or a ``plateau`` have curves alone.

    Raises:
        UserError: something is unknown or does not fit.
    """
    given = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "evaluate_every": evaluate_every,
        "keep_epochs": keep_epochs,
        "record": record,
        "device": device,
        **others,
    }
    own, strengths = of_training(given)
    beside = {key: own.pop(key) for key in ("keep_epochs", "record", "device")}
    searched = {key: own.pop(key) for key in ("adversarial_examples",) if key in own}
    settings = {
        **searched,
        **({"record": sorted(beside["record"])} if beside["record"] else {}),
        "model": of_model(model),
        "training": {**own, "precision": "float32"},
        "members": of_members(data, conditions, learning_rate, strengths),
        "keep_misclassified": False,
        "keep_epochs": sorted({*beside["keep_epochs"], own["epochs"]}),
    }
    return Trained(data, settings, *kept(store), device)


@products.one_thread()
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
    record: Sequence[str] = (),
    store: str | Path | None = None,
    device: str = "auto",
    **others,
) -> xr.Dataset:
    """Train by plain SGD, and measure how much each training example matters to the loss.

    Arguments are those of :func:`train`, but for a CNN by its settings, and:

    Args:
        evaluations: times in training, evenly spaced, beside its beginning.
        class_evaluations: the same for the sensitivity between classes; 0: none.
        unique_labels: whether each example has a class of its own.
        norms: some of ``l1``, ``l2`` and ``linf``.
        record: along ``update``.
        others: refused, as other settings are not those of plain SGD.

    Returns:
        ``sensitivity`` (member, norm, update, example) and others, see
        :func:`rote.runs.sensitivity.compute_run`.

    Raises:
        UserError: something is unknown or does not fit.
    """
    if further := {*others} & {*TRAINING["properties"]}:
        raise UserError(
            f"{min(further)} is none of the settings of loss-sensitivity, which is measured in "
            "plain SGD: leave it out."
        )
    own = of_file(
        {
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "evaluations": evaluations,
            "class_evaluations": class_evaluations,
            "norms": norms,
            "record": record,
            "device": device,
            **others,
        }
    )
    check_part(own, SENSITIVITY)
    if unique_labels and class_evaluations:
        raise UserError(
            "class_evaluations measures between the classes of labels, of which unique_labels "
            "makes one for each example: set one of them to 0 or False."
        )
    own_model = of_model(model)
    if "maps" in own_model:
        raise UserError(
            "model is a CNN, of which no loss-sensitivity is measured by its settings: give a "
            "function that makes the same CNN as a torch.nn.Module."
        )
    settings = {
        "labelling": "unique" if unique_labels else "class",
        "model": own_model,
        "training": {key: own[key] for key in ("epochs", "batch_size", "learning_rate")},
        **{key: own[key] for key in ("norms", "evaluations", "class_evaluations")},
        **({"record": sorted(own["record"])} if own["record"] else {}),
        "members": of_members(data, conditions, learning_rate, {}),
    }
    own_store, _folder = kept(store)  # the folder is there until this returns
    try:
        return sensitivities.compute_run(data, settings, own_store, name="api", device=device)
    finally:
        forget(own_model)
