"""One run of proxies: models on random subsets, and cheap measures of what they memorise.

They are the first models of a run of memorisation, trained again, alike to the last bit, while what
training shows of each example is kept. Their parameters are kept at some epochs, and measured then.
"""

import logging

import numpy as np
import torch
import xarray as xr

from rote.data.noising import data_attributes
from rote.files.store import Store, fingerprint
from rote.machine.progress import Progress
from rote.measures.gradient_norms import gradient_norms
from rote.measures.input_curvature import input_curvature
from rote.measures.training_dynamics import TrainingDynamics
from rote.models.kinds import Models
from rote.models.workspace import Workspace
from rote.runs import memorization, training, unrolled
from rote.runs.complexity import model_of
from rote.runs.device_data import DeviceData, trained_on
from rote.runs.grouping import SizeSearch
from rote.runs.members import compute_in_groups, keep, stored_or_computed
from rote.runs.variables import described
from rote.study import plan, versions
from rote.study.plan import Member
from rote.study.schedule import decays

logger = logging.getLogger(__name__)

LARGEST = 2**31  # bytes of the parameters that loss-sensitivity keeps


def _measured_epochs(settings: dict) -> list[int]:
    """Return the epochs whose models are measured: an early one, the middle and the last."""
    epochs = settings["training"]["epochs"]
    return sorted({TrainingDynamics.early_epoch(epochs), -(-epochs // 2), epochs})


def _trained(settings: dict) -> dict:
    return {**settings, "keep_epochs": _measured_epochs(settings)}


def _keys(noised: xr.Dataset, settings: dict) -> tuple[list[str], list[str]]:
    """Return the fingerprints of the members of a run: as trained, and as measured."""
    trained, version = training.member_keys(noised, settings), versions.current("PROXIES")
    return trained, [fingerprint(version=version, member=key) for key in trained]


def member_keys(noised: xr.Dataset, settings: dict) -> list[str]:
    """Return the fingerprints of the members of a run, as trained and as measured."""
    trained, measured = _keys(noised, settings)
    return [*trained, *measured]


def compute_run(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    *,
    name: str,
    device: str = "auto",
    checkpoint_seconds: float = 300.0,
) -> xr.Dataset:
    """Return a run: its members from the store, or trained and measured now.

    Args:
        noised: a dataset of ``rote.data.noising``.
        settings: those of ``rote.study.run_settings``.
        store: finished and unfinished members.
        name: what the lines of progress begin with.
        device: ``auto``, ``cpu`` or ``cuda``.
        checkpoint_seconds: time between two checkpoints of the members in training.

    Returns:
        What ``rote.runs.memorization`` returns but for what is right, what
        :class:`rote.measures.training_dynamics.TrainingDynamics` keeps and, (member, example) each
        and missing outside of a member's subset, ``gradient_norm`` early in training,
        ``input_curvature``, the mean over an early epoch, the middle and the last one, and
        ``loss_sensitivity``, the mean over training of its share, so that every time counts alike,
        missing where models are not trained by plain SGD.

    Raises:
        UserError: the device is missing or too small, or logits of a module have no derivative by
            the images.
    """
    attributes = data_attributes(noised)
    members = [Member(*member) for member in settings["members"]]
    trained_keys, keys = _keys(noised, settings)
    trained_key = dict(zip(keys, trained_keys, strict=True))
    stored = {key: store.load(key) for key in keys}
    if any(found is None for found in stored.values()):
        models = Models(settings["model"], noised["image"].shape[1:], noised.sizes["class"])
        models.check_differentiable("input curvature")  # before the training
    own = _trained(settings)
    run = training.trained(
        noised,
        own,
        store,
        name=name,
        device=device,
        checkpoint_seconds=checkpoint_seconds,
        parameters_of={trained_key[key] for key in keys if stored[key] is None},
    ).drop_vars("misclassified")
    measured = stored_or_computed(
        members,
        keys,
        stored.get,
        f"{name}, gradients",
        lambda missing: _measure(noised, own, store, missing, trained_key, name, device),
    )
    run = memorization.with_draws(run.assign(measured.data_vars), noised, members)
    return described(run).assign_attrs(attributes)


def _measure(
    noised: xr.Dataset,
    settings: dict,
    store: Store,
    missing: dict[str, Member],
    trained_key: dict[str, str],
    name: str,
    device: str,
) -> dict[str, xr.Dataset]:
    """Measure the members of ``missing``, keep each in ``store``, return all."""
    exact = {**settings, "training": {**settings["training"], "precision": "float32"}}
    data = DeviceData(noised, exact, list(missing.values()), device)
    progress = Progress(f"{name}, gradients", len(missing), logger.info)
    results: dict[str, xr.Dataset] = {}

    def measure_one(group: list[str]) -> None:
        (key,) = group
        member = missing[key]
        values = _of_member(data, settings, store, member, trained_key[key])
        result = xr.Dataset({measure: ("example", found) for measure, found in values.items()})
        results[key] = keep(result, store, key, member, settings, data.described)
        progress.advance(1, f"{len(missing) - len(results)} of {len(missing)} members left")

    one_by_one = SizeSearch.fixed(1)
    compute_in_groups(missing, results, one_by_one, measure_one, data.give_back, name=name)
    return results


def _of_member(
    data: DeviceData, settings: dict, store: Store, member: Member, trained_key: str
) -> dict[str, np.ndarray]:
    """Return the measures of a member, (example,) each."""
    rows, labels = data.examples(member)
    subset = trained_on(member, len(rows))
    features = int(np.prod(data.noised["image"].shape[1:]))  # behind them, what aligns them
    inputs = data.table[torch.from_numpy(rows[subset]), :features]
    own = torch.from_numpy(labels[subset]).to(data.device)
    early = TrainingDynamics.early_epoch(settings["training"]["epochs"])
    curvatures, norms = [], None
    for epoch in _measured_epochs(settings):
        parameters = store.load_parameters(trained_key, epoch)
        if parameters is None:  # the member had diverged before
            continue
        model = model_of(data.models, parameters, member.initial_seed, data.device)
        if epoch == early:
            norms = gradient_norms(model, inputs[None], own[None], data.models.fixed)[0]
        curvatures.append(
            input_curvature(lambda part, model=model: model.member_logits(0, part), inputs)
        )
    found = {
        "gradient_norm": norms,
        "input_curvature": torch.stack(curvatures).mean(0) if curvatures else None,
        "loss_sensitivity": _sensitivity(data, settings, member),
    }
    result = {}
    for name, values in found.items():
        result[name] = np.full(len(rows), np.nan, np.float32)
        if values is not None:
            result[name][subset] = values.cpu().numpy()
    return result


def _sensitivity(data: DeviceData, settings: dict, member: Member) -> torch.Tensor | None:
    """Return the loss-sensitivity of the examples of a member's subset, its mean over training.

    None where it is not measured: it is a derivative through plain SGD, of which the parameters
    after each update are kept.
    """
    own = settings["training"]
    plain = own.get("optimizer", "sgd") == "sgd" and not own["momentum"]
    if not plain or decays(own) or own.get("schedule") == "cosine" or data.models.architecture:
        return None
    if any(member.strengths().values()) or _bytes_of_trajectory(data, member, own) > LARGEST:
        return None
    own = {**own, "learning_rate": member.learning_rate}
    trained = unrolled.trained(data, {**settings, "labelling": "class", "training": own}, [member])
    times = plan.evaluation_times(trained.updates, plan.PROXY_TIMES)
    every = torch.ones(*trained.labels.shape, 1, device=data.device)
    found = [norms[0, 0, :, 0] for _, norms in trained.sweep(times, every, lambda losses: None)]
    each = torch.cat(found)
    return (each / each.mean(1, keepdim=True)).mean(0)  # gradients through training may explode


def _bytes_of_trajectory(data: DeviceData, member: Member, own: dict) -> int:
    """Return the memory of the parameters after every update, of float32."""
    examples = len(trained_on(member, data.noised.sizes["example"]))
    updates = own["epochs"] * -(-examples // own["batch_size"])
    model = data.models.initial([member.initial_seed], Workspace(data.device))
    return 4 * updates * sum(parameter.numel() for parameter in model.parameters)
