"""Models are trained, kept and searched on whatever kind of noise."""

import numpy as np
import pytest
import xarray as xr

from rote.data import noises, noising
from rote.files.store import Store
from rote.runs import complexity, training
from rote.runs import searched_inputs as searched
from rote.runs.device_data import DeviceData
from rote.runs.members import DataContent
from rote.study import plan
from rote.study.run_settings import of_run

MATRIX = (0.5 * np.eye(5) + 0.1).tolist()
NAMED = {"flips": {"kind": "transitionY", "matrix": MATRIX}}
KINDS = ["randX", "randY", "gaussX", "shuffledX", "scrambledX", "pairY", "flips"]
INPUTS = ["randX", "gaussX", "shuffledX", "scrambledX"]


def of(source, settings, **changes) -> xr.Dataset:
    """Return the data of ``settings`` with noise of some kinds."""
    data = plan.data_settings({**settings, "noise_kinds": KINDS}) | {"noises": NAMED} | changes
    dataset = noising.noise_dataset(source, data)
    return xr.decode_cf(dataset.assign_attrs(dataset="Synthetic", settings="{}")).load()


def member(kind: str, seed: int = 0, level: float = 0.4) -> plan.Member:
    return plan.Member(
        kind, level, seed, seed, 0.1, 0.0, data_seed=seed, initial_seed=seed, order_seed=seed
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_trains_on_the_noise_of_its_draws(source, settings, run_settings, kind):
    noised = of(source, settings)
    members = [member(name, seed) for name in KINDS for seed in (0, 1)]
    data = DeviceData(noised, run_settings, members)
    width = data.models.sizes[0]
    for seed in (0, 1):
        own = noising.of_draw(noised, seed)
        images, labels = own["image"].values.reshape(100, -1), own["label"].values
        mask = np.isin(np.arange(100), noised["order"].sel(noise_seed=seed)[:40])
        noise = noises.of_member(noised, member(kind, seed))
        if kind in INPUTS:
            images = np.where(mask[:, None], noise["noise_image"].values.reshape(100, -1), images)
        else:
            labels = np.where(mask, noise["noise_label"], labels)
        rows, trained = data.examples(member(kind, seed))
        table = data.table[rows, :width].cpu().numpy()
        np.testing.assert_array_equal(table, images.astype(np.float32))
        np.testing.assert_array_equal(trained, labels)
        assert (images != own["image"].values.reshape(100, -1)).any() == (kind in INPUTS)
        assert (labels != own["label"]).any() == (kind not in INPUTS)


def fingerprint(noised: xr.Dataset, one: plan.Member) -> dict:
    return DataContent(noised).determinants(one)


def test_fingerprints_go_by_what_a_noise_gives_and_not_by_its_name(source, settings, tmp_path):
    noised = of(source, settings)
    each = {kind: fingerprint(noised, member(kind)) for kind in KINDS}
    assert len({str(own) for own in each.values()}) == len(KINDS)
    # The same by another name, and by another kind: a file with the labels that randY gives.
    labels = np.zeros(300, int)
    own = noising.of_draw(noised, 0)
    labels[own["index"].values] = noised["noise_label"].sel(noise_seed=0)
    np.save(tmp_path / "labels.npy", labels)
    named = {
        "others": NAMED["flips"],
        "title": NAMED["flips"] | {"title": "flips"},
        "file": {"kind": "fileY", "path": str(tmp_path / "labels.npy")},
        "more": {"kind": "transitionY", "matrix": np.full((5, 5), 0.2).tolist()},
    }
    renamed = of(source, settings, noise_kinds=[*named], noises=named)
    for name, kind in (("others", "flips"), ("title", "flips"), ("file", "randY")):
        assert fingerprint(renamed, member(name)) == each[kind]
    assert fingerprint(renamed, member("more")) != each["flips"]
    # And each draw, of the noise or of the examples, is another one.
    for kind in KINDS:
        assert fingerprint(noised, member(kind, 1))["noise"] != each[kind]["noise"]


def test_what_a_member_learns_does_not_depend_on_other_noise(source, settings, tmp_path):
    def run(noised: xr.Dataset, kinds: list[str]) -> xr.Dataset:
        own = of_run("capacity", settings | {"noise_kinds": kinds}, "units-6", "float32")
        store = Store(tmp_path / str(len(kinds)))
        trained = training.compute_run(noised, own, store, name="test")
        return trained.isel(member=np.flatnonzero(trained["noise_kind"] == "shuffledX"))

    alone = of(source, settings, noise_kinds=["shuffledX"], noises={})
    both = [run(of(source, settings), KINDS), run(alone, ["shuffledX"])]
    assert both[0].sizes["member"] == 4
    xr.testing.assert_equal(*(one[["train_loss", "validation_accuracy"]] for one in both))
    assert np.unique(both[0]["train_loss"]).size == both[0]["train_loss"].size


@pytest.mark.parametrize("scaling", ["unit", "per_image"])
@pytest.mark.parametrize("kind", KINDS)
def test_critical_samples_are_searched_on_noise_of_the_same_kind(source, settings, kind, scaling):
    settings["data"] |= {"scaling": scaling}
    noised, search = of(source, settings), {"examples": 30, "train_examples": 60}
    one = member(kind, 1)
    inputs = searched.searched_inputs(noised, search, one)
    assert [*inputs] == (["real", "noise", "train"] if kind in INPUTS else ["real", "train"])
    own = noising.of_draw(noised, 1)
    real = own["image"].values[:60]
    images, level = inputs["train"]
    if kind not in INPUTS:
        np.testing.assert_array_equal(images, real)
        return
    noise = noises.of_member(noised, one)
    mask = np.isin(np.arange(60), noised["order"].sel(noise_seed=1)[:40])
    np.testing.assert_array_equal(images[mask], noise["noise_image"].values[:60][mask])
    np.testing.assert_array_equal(images[~mask], real[~mask])
    drawn, of_drawn = inputs["noise"]
    assert drawn.shape == (30, 1, 4, 4) and drawn.dtype == np.float32
    validation = own["validation_image"].values[:30].astype(np.float32)
    if kind in ("shuffledX", "scrambledX"):
        np.testing.assert_array_equal(
            np.sort(drawn.reshape(30, -1)), np.sort(validation.reshape(30, -1))
        )
        assert (drawn != validation).any()
    else:
        trained = noise["noise_image"].values[:30]
        assert abs(np.corrcoef(drawn.ravel(), trained.ravel())[0, 1]) < 0.2
    if scaling == "per_image":  # each has a grey level of its own
        noisy = noise["noise_inputs_per_grey_level"].values[:60]
        true = own["inputs_per_grey_level"].values[:60]
        np.testing.assert_array_equal(level[:, 0], np.where(mask, noisy, true))
        assert of_drawn.shape == (30, 1)
        if kind in ("shuffledX", "scrambledX"):  # the order of pixels changes none
            expected = own["validation_inputs_per_grey_level"].values[:30]
            np.testing.assert_array_equal(of_drawn[:, 0], expected)
    else:
        assert level == of_drawn == noised.attrs["inputs_per_grey_level"]


def test_a_run_of_complexity_has_ratios_on_noise_of_each_kind(source, settings, tmp_path):
    case = {
        "mlp": {"hidden_layers": 1, "hidden_units": 4},
        "training": settings["training"] | {"epochs": 2, "evaluate_every": 1},
        "critical_epochs": [2],
    }
    search = {"alpha": 10.0, "beta": 4.0, "radius": 20.0, "max_iterations": 3}
    search |= {"examples": 20, "train_examples": 0}
    own = settings | {"noise_kinds": KINDS, "critical_samples": search, "cases": {"one": case}}
    run = complexity.compute_run(
        of(source, settings),
        of_run("complexity", own, "one", "float32"),
        Store(tmp_path),
        name="test",
    )
    there = (
        run["critical_sample_ratio"]
        .sel(critical_inputs="noise")
        .notnull()
        .all(["radius", "critical_epoch"])
    )
    np.testing.assert_array_equal(there, run["noise_kind"].isin(INPUTS))


def test_one_draw_of_noise_is_another_one_on_other_examples(source, settings, run_settings):
    settings["vary"] = ["data"]
    noised = of(source, settings)
    assert noised.sizes["draw"] == 2 and noised.sizes["noise_seed"] == 1
    content = DataContent(noised)
    of_examples = {"shuffledX", "scrambledX", "pairY", "flips"}
    for kind in KINDS:
        pair = [member(kind)._replace(data_seed=data_seed) for data_seed in (0, 1)]
        digests = {str(content.determinants(one)["noise"]) for one in pair}
        assert len(digests) == (2 if kind in of_examples else 1), kind
        if kind in INPUTS:
            data = DeviceData(noised, run_settings, pair)
            assert len(data.first_noise_row) == len(digests)


def test_edited_code_of_a_kind_searches_its_members_again(
    source, settings, complexity_settings, monkeypatch
):
    own = complexity_settings | {"noise_kinds": KINDS}
    run, noised = of_run("complexity", own, "synthetic_mlp", "float32"), of(source, settings)
    members = [plan.Member(*one) for one in run["members"]]
    before = complexity.member_keys(noised, run)
    monkeypatch.setattr(noises, "digest_of_code", lambda kind: f"edited {kind}")
    after = complexity.member_keys(noised, run)
    count = len(members)
    assert after[:count] == before[:count]  # as trained
    searched_again = {
        one.noise_kind
        for one, *pair in zip(members, before[count:], after[count:], strict=True)
        if pair[0] != pair[1]
    }
    # Labels are not searched, and the code of randX is in the version of the search.
    assert searched_again == {"gaussX", "shuffledX", "scrambledX"}
