"""What replicates draw anew, and what they share: seen in models that were trained."""

import numpy as np
import pytest
import torch
import xarray as xr

from rote.data import noising
from rote.files.store import Store
from rote.models.ensemble import epoch_order
from rote.runs import complexity, sensitivity, training
from rote.runs.device_data import DeviceData
from rote.runs.searched_inputs import searched_inputs
from rote.study import plan
from rote.study.run_settings import of_run


def data_of(source, settings) -> xr.Dataset:
    dataset = noising.noise_dataset(source, plan.data_settings(settings))
    return xr.decode_cf(dataset.assign_attrs(dataset="Synthetic", settings="{}")).load()


def begun(source, settings) -> dict[str, dict[str, list]]:
    """Return of each kind of data, and of each replicate, what its model has before training."""
    noised = data_of(source, settings)
    run = of_run("capacity", settings, "units-6", "float32")
    members = [plan.Member(*member) for member in run["members"]]
    ensemble = DeviceData(noised, run, members).ensemble(members)
    features = ensemble.model.features
    table = ensemble.table[:, :features].cpu().numpy()
    rows, labels, (validated, classes) = (
        ensemble.rows.cpu().numpy(),
        ensemble.labels.cpu().numpy(),
        (part.cpu().numpy() for part in ensemble.validation),
    )
    found = {}
    for i, member in enumerate(members):
        each = {
            "training": (table[rows[i]], labels[i]),
            "validation": (table[validated[i]], classes[i]),
            "replaced": noising.corrupt(noised, member)["mask"].values,
            "parameters": [p[i].cpu().numpy() for p in ensemble.model.parameters],
            "order": [epoch_order(ensemble.seeds, epoch, 100)[i].numpy() for epoch in (1, 2)],
        }
        for name, value in each.items():
            parts = value if isinstance(value, (tuple, list)) else [value]
            flat = np.concatenate([np.ravel(part).astype(float) for part in parts])
            found.setdefault(member.noise_kind, {}).setdefault(name, []).append(flat)
    return found


KINDS = "real", "randX", "randY"
ANEW = {  # of data of each kind, what a factor draws anew
    "data": {kind: {"training", "validation"} for kind in KINDS},
    "noise": {
        "real": set(),
        "randX": {"training", "replaced"},
        "randY": {"training", "replaced"},
    },
    "initialization": {kind: {"parameters"} for kind in KINDS},
    "order": {kind: {"order"} for kind in KINDS},
}


@pytest.mark.parametrize("first_seed", [0, 5])
@pytest.mark.parametrize("factor", plan.FACTORS)
def test_each_factor_alone_varies_what_it_says_and_nothing_else(
    source, settings, factor, first_seed
):
    own = {"vary": [factor], "first_seed": first_seed, "seeds": 3, "noise_levels": [0, 0.4]}
    for kind, each in begun(source, settings | own).items():
        for name, (first, *others) in each.items():
            differ = [not np.array_equal(first, other) for other in others]
            assert differ == [name in ANEW[factor][kind]] * 2, (kind, name)


def test_all_of_them_vary_all_and_the_first_replicate_is_that_of_any(source, settings):
    own = {"seeds": 2, "first_seed": 3, "noise_levels": [0, 0.4]}
    whole = begun(source, settings | own)
    for kind, each in whole.items():
        for name, (first, second) in each.items():
            assert np.array_equal(first, second) == (kind == "real" and name == "replaced")
    for factor in plan.FACTORS:
        alone = begun(source, settings | own | {"vary": [factor]})
        for kind, each in alone.items():
            for name, (first, second) in each.items():
                np.testing.assert_array_equal(first, whole[kind][name][0])
                if name in ANEW[factor][kind] - {"training"}:
                    np.testing.assert_array_equal(second, whole[kind][name][1])


def train(source, settings, folder) -> xr.Dataset:
    run = of_run("capacity", settings, "units-6", "float32")
    noised = data_of(source, settings)
    return training.compute_run(noised, run, Store(folder), name="test", device="auto")


def test_models_end_alike_where_nothing_that_they_see_is_drawn_anew(source, settings, tmp_path):
    ends = {}
    for factor in plan.FACTORS:
        run = train(source, settings | {"vary": [factor]}, tmp_path / factor)
        for kind in KINDS:
            losses = run["train_loss"][run["noise_kind"].values == kind].values[:, -1]
            ends[factor, kind] = len({*losses.tolist()}) / len(losses)
    # Levels .4 and 1 differ; so do two replicates, unless real data is varied by its noise.
    assert ends.pop(("noise", "real")) == 1 / 2
    assert {*ends.values()} == {1}


def test_models_are_validated_on_the_examples_of_their_own_draw(source, settings):
    noised = data_of(source, settings)
    run = of_run("capacity", settings, "units-6", "float32")
    members = [plan.Member("real", 0.0, 0, 0, 0.1, 0.0, data_seed=seed) for seed in (1, 0)]
    ensemble = DeviceData(noised, run, members).ensemble(members)
    ensemble.train_epoch(1)
    accuracy = ensemble.evaluate().validation_accuracy
    table, rows = ensemble.table[:, : ensemble.model.features], ensemble.validation[0]
    with torch.inference_mode():
        logits = ensemble.model.logits(table[rows])
    for i, member in enumerate(members):
        drawn = noising.of_draw(noised, member.data_seed)
        images = drawn["validation_image"].values.reshape(50, -1)
        np.testing.assert_allclose(table[rows[i]].cpu(), images, rtol=1e-6)
        right = logits[i].argmax(0).cpu().numpy() == drawn["validation_label"].values
        assert accuracy[i] == pytest.approx(right.mean())


def test_critical_samples_are_searched_in_the_draw_of_the_examples_and_that_of_the_noise(noised):
    member = plan.Member("randX", 0.4, 0, 0, 0.1, 0.0, data_seed=1)
    found = searched_inputs(noised, {"examples": 20, "train_examples": 30}, member)
    drawn = noising.of_draw(noised, 1)
    np.testing.assert_array_equal(found["real"][0], drawn["validation_image"][:20])
    mask = noising.corrupt(noised, member)["mask"].values[:30, None, None, None]
    noise = noised["noise_image"].sel(noise_seed=0).values[:30]
    expected = np.where(mask, noise, drawn["image"].values[:30])
    np.testing.assert_array_equal(found["train"][0], expected)
    other = searched_inputs(noised, {"examples": 20, "train_examples": 0}, member._replace(seed=1))
    np.testing.assert_array_equal(found["noise"][0], other["noise"][0])


def test_the_examples_of_a_run_lead_back_to_the_source(source, settings, tmp_path):
    settings |= {"first_seed": 2, "data": settings["data"] | {"image_size": 8}}
    run_settings = of_run("capacity", settings, "units-6", "float32")
    noised = data_of(source, settings)
    run = training.compute_run(
        noised,
        run_settings | {"keep_misclassified": True},
        Store(tmp_path),
        name="test",
        device="auto",
    )
    assert run["index"].dims == run["label"].dims == ("member", "example")
    train_part = source.isel(example=source["split"].values == 0)
    drawn = set()
    for i, member in enumerate(plan.Member(*m) for m in run_settings["members"]):
        index = run["index"].values[i]
        there = train_part.isel(example=index)
        mask = noising.corrupt(noised, member)["mask"].values & (member.noise_kind == "randY")
        np.testing.assert_array_equal(run["label"].values[i][~mask], there["label"].values[~mask])
        noise = noised["noise_label"].sel(noise_seed=member.noise_seed).values
        np.testing.assert_array_equal(run["label"].values[i][mask], noise[mask])
        images = noising.of_draw(noised, member.data_seed)["image"]
        np.testing.assert_allclose(images, there["image"] / 255)
        drawn.add((member.seed, tuple(index)))
    assert [seed for seed, _ in sorted(drawn)] == [2, 3]


@pytest.mark.parametrize("labelling", ["class", "unique"])
def test_the_examples_of_a_sensitivity_run_have_the_labels_that_it_trains_on(
    source, settings, sensitivity_settings, tmp_path, labelling
):
    noised = data_of(source, settings)
    run_settings = of_run("sensitivity", sensitivity_settings, labelling, "float32")
    run = sensitivity.compute_run(noised, run_settings, Store(tmp_path), name="test", device="auto")
    train_part = source.isel(example=source["split"].values == 0)
    for i in range(run.sizes["member"]):
        seed = run["seed"].values[i]
        index = noising.of_draw(noised, seed)["index"].values
        np.testing.assert_array_equal(run["index"].values[i], index)
        label = train_part["label"].values[index] if labelling == "class" else np.arange(100)
        np.testing.assert_array_equal(run["label"].values[i], label)


BEFORE_TRAINING, AT_THE_END = 0, -1


@pytest.mark.parametrize("factor", plan.FACTORS)
def test_loss_sensitivity_varies_by_each_factor(
    source, settings, sensitivity_settings, tmp_path, factor
):
    sensitivity_settings |= {"vary": [factor], "first_seed": 4}
    noised = data_of(source, settings | {"vary": [factor], "first_seed": 4})
    run_settings = of_run("sensitivity", sensitivity_settings, "class", "float32")
    run = sensitivity.compute_run(noised, run_settings, Store(tmp_path), name="test", device="auto")
    for kind in ("real", "randX"):
        own = run["sensitivity"][run["noise_kind"].values == kind].sel(norm="l1")
        for update in (BEFORE_TRAINING, AT_THE_END):
            alike = np.array_equal(own[0, update], own[1, update])
            # Before training, nothing has been shuffled; real data knows no noise.
            unseen = factor == "order" and update == BEFORE_TRAINING
            assert alike == (unseen or (factor, kind) == ("noise", "real")), (kind, update)


def test_studies_of_other_seeds_share_no_model(
    source, settings, sensitivity_settings, complexity_settings
):
    def keys(first_seed: int) -> list[str]:
        noised = data_of(source, settings | {"first_seed": first_seed})
        capacity = of_run("capacity", settings | {"first_seed": first_seed}, "units-6", "float32")
        others = sensitivity_settings | {"first_seed": first_seed}
        case = complexity_settings | {"first_seed": first_seed}
        return [
            *training.member_keys(noised, capacity),
            *sensitivity.member_keys(noised, of_run("sensitivity", others, "class", "float32")),
            *complexity.member_keys(noised, of_run("complexity", case, "synthetic_mlp", "float32")),
        ]

    one, other, between = keys(0), keys(2), keys(1)
    assert len(one) == len({*one}) > 20
    assert not {*one} & {*other}
    # Seed 1 is in both, whichever is the first.
    assert len({*one} & {*between}) == len(one) // 2 == len({*other} & {*between})
