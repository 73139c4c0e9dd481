"""How long a run takes, from a few updates of its shape on the device at hand.

Everything is timed on made-up images of the run's size, so nothing has to be fetched. Not included:
what jobs read and write, and what a run of proxies measures of its models beside training them:
gradients, curvature and loss-sensitivity. Counted to its limit, though it may end before: training
to a threshold, and the search for critical samples.
"""

import tempfile

import numpy as np
import torch
import xarray as xr

from rote.data.noising import noise_dataset
from rote.files.store import Store
from rote.machine import device as devices
from rote.measures.critical_samples import SEARCHED, critical_samples
from rote.runs import sensitivity
from rote.runs.device_data import TRIAL_UPDATES, DeviceData
from rote.study import noises, plan, work

EXAMPLES = 1000  # made-up ones: what an update takes hardly depends on their number
ALIKE = {"image": "randX", "label": "randY"}
EPOCHS = 3  # of a measured training with loss-sensitivity


def seconds_of_run(
    run: dict, shape: tuple[int, int, int], data: dict, *, device: str = "auto"
) -> float:
    """Return how long a run takes, none of its members being in the store.

    Args:
        run: its settings, those of ``rote.study.run_settings``.
        shape: (channels, rows, columns) of the inputs.
        data: the settings of its data, those of ``rote.study.plan.data_settings``.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        UserError: the device is missing or too small.
    """
    # Every kind of noise takes what that of the poster takes which replaces the same.
    alike = {name: ALIKE[noises.replaces(name, data)] for name in data["noise_kinds"]}
    data = {**data, "noise_kinds": sorted({*alike.values()})}
    noised = _made_up(shape, data, run["training"]["batch_size"])
    if "labelling" in run:
        return _sensitivity(run, shape, data, noised, device)
    members = [
        member._replace(noise_kind=alike.get(member.noise_kind, member.noise_kind))
        for member in map(plan.Member._make, run["members"])
    ]
    total = 0.0
    for adversarial in (False, True):
        part = [member for member in members if bool(member.adversarial) == adversarial]
        if part:
            total += _training(run, data, noised, part, device)
    if "critical_samples" in run:
        total += _search(run, noised, members, device)
    return total


def _made_up(shape: tuple[int, int, int], data: dict, batch_size: int) -> xr.Dataset:
    """Return a noised data set of images of this shape, with a few batches to train on."""
    count = min(data["train_examples"], max(EXAMPLES, TRIAL_UPDATES * batch_size))
    if count > 1 and count % batch_size == 1:  # batch normalisation takes no batch of one example
        count -= 1
    validation = min(data["validation_examples"], EXAMPLES)
    rng = np.random.default_rng(0)
    classes = data.get("classes", work.CLASSES)
    labels = np.arange(count + validation) % classes
    source = xr.Dataset(
        {
            "image": (
                ("example", "channel", "row", "column"),
                rng.integers(0, 256, (len(labels), *shape), dtype=np.uint8),
            ),
            "label": ("example", labels),
            "split": ("example", np.zeros(len(labels), np.int8)),
            "index": ("example", np.arange(len(labels))),
        },
        coords={"class_name": ("class", [str(i) for i in range(classes)])},
    )
    sizes = {"train_examples": count, "validation_examples": validation, "image_size": shape[1]}
    whole = {"validation_from": "train", "crop": 0}  # images of this shape are cropped already
    noised = noise_dataset(source, {**data, **sizes, **whole})
    return xr.decode_cf(noised.assign_attrs(dataset="made up", settings="{}")).load()


def _training(
    run: dict, data: dict, noised: xr.Dataset, members: list[plan.Member], device: str
) -> float:
    """Return the seconds of the training of members that may be in one group."""
    training, one = run["training"], members[0]
    trained_on = plan.subset_size(data["train_examples"], one.percent) - bool(one.left_out)
    # Of the few examples that are made up, a small subset would be none.
    members = [member._replace(percent=100, left_out=0) for member in members]
    on_device = DeviceData(noised, run, members, device)
    size = on_device.size_search(members, trial=True).size
    update = on_device.seconds_of_update(members[:size]) / size
    ensemble = on_device.ensemble(members[:size])
    scored = devices.fastest(ensemble.evaluate, on_device.device) / size
    on_device.give_back()
    updates = training["epochs"] * -(-trained_on // training["batch_size"])
    seen = data["train_examples"] + data["validation_examples"]
    there = noised.sizes["example"] + noised.sizes["validation_example"]
    scores = len(plan.evaluated_epochs({"evaluate_every": 1, **training}))
    return len(members) * (updates * update + scores * scored * seen / there)


def _search(run: dict, noised: xr.Dataset, members: list[plan.Member], device: str) -> float:
    """Return the seconds of the search for critical samples, if none is found before the end."""
    search = run["critical_samples"]
    on_device = DeviceData(noised, run, members[:1], device)
    model = on_device.ensemble(members[:1]).model
    rows = torch.from_numpy(on_device.validation(members[:1])[0][0, :SEARCHED])
    inputs = on_device.table[rows.to(on_device.device), : model.features]
    generator = torch.Generator(on_device.device).manual_seed(0)

    def searched() -> None:
        critical_samples(
            lambda x: model.member_logits(0, x),
            inputs,
            alpha=0.0,  # with a box of no size nothing is ever found
            beta=1.0,
            radius=0.0,
            max_iterations=search["max_iterations"],
            generator=generator,
        )

    one = devices.fastest(searched, on_device.device) / len(inputs)
    on_device.give_back()
    inputs = sum(
        search["examples"] * (1 + (member.noise_kind == ALIKE["image"])) + search["train_examples"]
        for member in members
    )
    return inputs * len(search["radius"]) * len(search["epochs"]) * one


def _sensitivity(
    run: dict, shape: tuple[int, int, int], data: dict, noised: xr.Dataset, device: str
) -> float:
    """Return the seconds of a run of sensitivity: those of a shorter one, by multiply-adds."""
    short = {
        **run,
        "training": {**run["training"], "epochs": EPOCHS},
        "members": run["members"][:1],
    }
    cut = {**data, "train_examples": noised.sizes["example"]}

    def measured() -> None:
        with tempfile.TemporaryDirectory() as store:
            sensitivity.compute_run(noised, short, Store(store), name="short", device=device)

    took = devices.fastest(measured, devices.choose(device, "float32"), times=2)
    return took * work.of_run(run, shape, data) / work.of_run(short, shape, cut)
