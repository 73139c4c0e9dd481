import copy

import numpy as np
import pytest
import xarray as xr
import yaml

import stores
from rote.data import noising
from rote.files.store import Store
from rote.machine import device as devices
from rote.machine.errors import UserError
from rote.runs import training as runs
from rote.runs.device_data import DeviceData
from rote.study import plan, versions
from rote.study.run_settings import of_run

SEARCH = {"alpha": 5.0, "beta": 2.0, "radius": 10.0, "max_iterations": 2}  # in grey levels


@pytest.fixture
def trained(monkeypatch):
    """Counts the members that each call trains."""
    counts = []
    original = DeviceData.size_search

    def size_search(self, members):
        counts.append(len(members))
        return original(self, members)

    monkeypatch.setattr(DeviceData, "size_search", size_search)
    return counts


def key_of(noised, settings, member):
    (key,) = runs.member_keys(noised, {**settings, "members": [list(member)]})
    return key


def train(noised, settings, store, **options):
    return runs.compute_run(noised, settings, store, name="test", device="auto", **options)


def test_a_run_holds_every_member_with_its_coordinates(noised, run_settings, tmp_path, device):
    run = train(noised, run_settings, Store(tmp_path))
    assert run["train_accuracy"].sizes == {"member": 10, "epoch": 2}
    assert run["epoch"].values.tolist() == [2, 4]
    members = list(zip(*(run[name].values for name in plan.Member._fields), strict=True))
    assert members == [tuple(member) for member in run_settings["members"]]
    assert np.isfinite(run["train_loss"]).all()
    assert "misclassified" not in run
    assert set(run["device"].values) == {devices.describe(device)}


def test_only_what_is_missing_is_trained(noised, run_settings, tmp_path, trained):
    store = Store(tmp_path)
    first = train(noised, run_settings, store)
    xr.testing.assert_identical(train(noised, run_settings, store), first)
    more = copy.deepcopy(run_settings)
    more["members"].append(["randX", 0.7, 0, 0, 0.1, 0.0])
    train(noised, more, store)
    stores.drop(tmp_path, min(stores.finished(tmp_path), key=lambda r: r.offset).__eq__)
    xr.testing.assert_identical(train(noised, run_settings, Store(tmp_path)), first)
    assert trained == [10, 1, 1]


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_a_sweep_of_learning_rates_is_one_run_of_the_members_of_each(
    noised, settings, tmp_path, trained
):
    def settings_at(rates):
        settings["training"]["learning_rate"] = rates
        return of_run("capacity", settings, "units-6", "float32")

    rates = [0.3, 1e30, 0.1]  # of which one diverges, and its members leave
    whole = train(noised, settings_at(rates), Store(tmp_path))
    assert whole["learning_rate"].values.tolist() == [rate for rate in rates for _ in range(10)]
    assert whole["diverged_epoch"].values.tolist() == [0] * 10 + [2] * 10 + [0] * 10
    for rank, rate in enumerate(rates):
        own = whole.isel(member=slice(10 * rank, 10 * rank + 10))
        xr.testing.assert_identical(train(noised, settings_at(rate), Store(tmp_path)), own)
        alone = train(noised, settings_at([rate]), Store(tmp_path / str(rank)))
        xr.testing.assert_identical(alone, own)
    assert trained == [30, 10, 10, 10]


def test_the_optimizer_is_that_of_the_settings(noised, run_settings):
    run_settings["training"] |= {"momentum": 0.5, "nesterov": True}
    run_settings["model"]["biases"] = False
    members = [plan.Member("real", 0.0, 0, 0, rate, 0.0) for rate in (0.1, 0.2)]
    sgd = DeviceData(noised, run_settings, members).ensemble(members).optimizer
    assert (sgd.momentum, sgd.nesterov, sgd.fixed) == (0.5, True, {1, 3, 5})


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_pieces_give_the_same_numbers_as_the_whole(noised, run_settings, tmp_path):
    whole = train(noised, run_settings, Store(tmp_path / "whole"))
    pieces = Store(tmp_path / "pieces")
    for member in reversed(run_settings["members"]):
        train(noised, run_settings | {"members": [member]}, pieces)
    xr.testing.assert_identical(train(noised, run_settings, pieces), whole)


@pytest.mark.parametrize(
    ("block", "key", "value"),
    [
        ("training", "momentum", 0.5),
        ("training", "epochs", 6),
        ("training", "decay_every", 3),
        ("training", "decay_at", [2]),
        ("training", "batch_size", 10),
        ("training", "precision", "tf32"),
        ("model", "hidden_units", 7),
        ("model", "hidden_layers", 1),
        ("model", "hidden_units", [6, 7]),
        ("model", "initialization", "glorot_normal"),
        ("model", "biases", False),
    ],
)
def test_whatever_determines_a_member_is_in_its_fingerprint(
    noised, run_settings, block, key, value
):
    member = plan.Member("randX", 0.4, 0, 0, 0.1, 0.0)
    changed = copy.deepcopy(run_settings)
    changed[block][key] = value
    assert key_of(noised, changed, member) != key_of(noised, run_settings, member)


def test_members_data_and_code_version_are_in_the_fingerprint(
    source, settings, noised, run_settings, monkeypatch
):
    run_settings["adversarial_examples"] = SEARCH
    member = plan.Member("randX", 0.4, 0, 0, 0.1, 0.0)
    keys = [key_of(noised, run_settings, member)]
    for change in (
        {"noise_kind": "randY"},
        {"noise_level": 0.5},
        {"noise_seed": 1},
        {"data_seed": 1},
        {"initial_seed": 1},
        {"order_seed": 1},
        {"learning_rate": 0.2},
        *({name: 0.1} for name in plan.REGULARIZERS),
    ):
        keys.append(key_of(noised, run_settings, member._replace(**change)))
    other = noising.noise_dataset(source, plan.data_settings(settings) | {"crop": 1})
    keys.append(key_of(other, run_settings, member))
    names = [*source["class_name"].values, "one more"]
    source = source.drop_vars("class_name").assign_coords(class_name=("class", names))
    more = noising.noise_dataset(source, plan.data_settings(settings))
    keys.append(key_of(more, run_settings, member))
    monkeypatch.setattr(versions, "TRAINING", versions.TRAINING + 1)
    keys.append(key_of(noised, run_settings, member))
    assert len(set(keys)) == len(keys)
    # Numbers of the replicate and of the experiment say nothing themselves.
    assert key_of(noised, run_settings, member._replace(seed=7, experiment=3)) == keys[-1]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("real", ["image", "label", "train", "validation"]),
        ("randX", ["image", "order", "noise_image"]),
        ("randY", ["image", "order", "noise_label"]),
    ],
)
def test_a_fingerprint_is_that_of_the_arrays_whatever_is_said_of_them(
    noised, run_settings, kind, names
):
    member = plan.Member(kind, 0.0 if kind == "real" else 0.4, 0, 0, 0.1, 0.0)
    keys = [key_of(noised, run_settings, member)]
    for name in names:
        changed = noised.copy(deep=True)
        changed[name].values[...] = np.roll(changed[name].values, 1)
        keys.append(key_of(changed, run_settings, member))
    keys.append(key_of(noised.assign_attrs(inputs_per_grey_level=0.5), run_settings, member))
    assert len(set(keys)) == len(keys) == len(names) + 2
    assert key_of(noised.assign_attrs(dataset="other"), run_settings, member) == keys[0]
    assert key_of(noised.copy(deep=True), run_settings, member) == keys[0]


def test_only_what_applies_to_a_member_is_in_its_fingerprint(noised, run_settings):
    plain, adversarial = (
        plan.Member("real", 0.0, 0, 0, 0.1, 0.0, adversarial=w) for w in (0.0, 0.5)
    )
    without = key_of(noised, run_settings, plain)
    keys = set()
    for search in (SEARCH, {**SEARCH, "max_iterations": 3}):
        run_settings["adversarial_examples"] = search
        assert key_of(noised, run_settings, plain) == without
        keys.add(key_of(noised, run_settings, adversarial))
    assert len(keys | {without}) == 3
    zero = plain._replace(**dict.fromkeys(plan.REGULARIZERS, 0))
    assert key_of(noised, run_settings, zero._replace(weight_decay=0.0)) == without


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_a_run_holds_members_of_all_regularisers(noised, run_settings, tmp_path):
    strengths = [
        *({name: 0.3} for name in plan.REGULARIZERS),
        {"adversarial": 0.5, "dropout": 0.2},
        {},
    ]
    members = [list(plan.Member("randY", 1.0, 0, 0, 0.1, 0.0)._replace(**s)) for s in strengths]
    settings = run_settings | {"members": members, "adversarial_examples": SEARCH}
    run = train(noised, settings, Store(tmp_path / "whole"))
    assert run["dropout"].values.tolist() == [0, 0.3, 0, 0, 0, 0, 0.2, 0]
    losses = run["train_loss"].values[:, -1]
    assert np.isfinite(losses).all()
    assert len(set(losses.tolist())) == len(members)
    pieces = Store(tmp_path / "pieces")
    for member in members:
        train(noised, settings | {"members": [member]}, pieces)
    xr.testing.assert_identical(train(noised, settings, pieces), run)


def test_adversarial_examples_are_set_in_grey_levels(noised, run_settings):
    members = [plan.Member("real", 0.0, 0, seed, 0.1, 0.0, adversarial=0.5) for seed in (0, 1)]
    settings = run_settings | {"adversarial_examples": SEARCH}
    search = DeviceData(noised, settings, members).ensemble(members).regularization.search
    scale = noised.attrs["inputs_per_grey_level"]
    assert search == {
        "alpha": 5.0 * scale,
        "beta": 2.0 * scale,
        "radius": 10.0 * scale,
        "max_iterations": 2,
    }


def test_real_members_do_not_depend_on_noise(source, settings, noised, run_settings):
    settings["noise_kinds"] = ["randY"]
    without = xr.decode_cf(noising.noise_dataset(source, plan.data_settings(settings)))
    for draw in (0, 1):
        member = plan.Member("real", 0.0, draw, 0, 0.1, 0.0)
        assert key_of(without, run_settings, member) == key_of(
            noised, run_settings, plan.Member("real", 0.0, 0, 0, 0.1, 0.0)
        )


def test_randx_members_train_on_the_noise(noised, run_settings):
    members = [plan.Member(kind, 0.4, 1, 1, 0.1, 0.0) for kind in ("real", "randX", "randY")]
    ensemble = DeviceData(noised, run_settings, members).ensemble(members)
    mask = noising.corrupt(noised, members[1])["mask"].values
    real = noising.of_draw(noised, 0)["image"].values.reshape(100, -1)
    noise = noised["noise_image"].sel(noise_seed=1).values.reshape(100, -1)
    inputs = ensemble.table[ensemble.rows, : real.shape[1]].cpu().numpy()
    np.testing.assert_allclose(inputs[0], real, rtol=1e-6)
    np.testing.assert_allclose(inputs[1], np.where(mask[:, None], noise, real), rtol=1e-6)
    np.testing.assert_allclose(inputs[2], real, rtol=1e-6)
    # One copy of the real inputs, and of noise the only draw that is needed.
    assert len(ensemble.table) == noised.sizes["pool"] + 100


def test_an_interrupted_run_resumes_from_its_checkpoints(noised, run_settings, tmp_path, trained):
    whole = train(noised, run_settings, Store(tmp_path / "whole"))
    store = Store(tmp_path / "part")
    epochs = []

    class Killed(Exception):
        pass

    def killing(self, states):
        states = list(states)
        Store.save_checkpoints(self, states)
        epochs.append(states[0][1].attrs["epoch"])
        if len(epochs) == 3:
            raise Killed

    dying = type("Dying", (Store,), {"save_checkpoints": killing})(store.root)
    with pytest.raises(Killed):
        train(noised, run_settings, dying, checkpoint_seconds=1e-9)
    assert stores.checkpoints(store.root)
    resumed = train(noised, run_settings, store)
    xr.testing.assert_identical(resumed, whole)
    assert not stores.checkpoints(store.root)


def test_no_checkpoints_are_written_once_all_members_are_finished(noised, run_settings, tmp_path):
    """Such a file would hold nothing, and nothing would remove it."""
    train(noised, run_settings, Store(tmp_path), checkpoint_seconds=1e-9)
    assert {path.suffix for path in tmp_path.iterdir()} == {".pack"}


@pytest.fixture
def to_threshold(settings) -> dict:
    """Settings under which some members converge early, some late, some not at all."""
    run = of_run("capacity", settings, "units-20", "float32")
    run["training"] |= {"epochs": 50, "batch_size": 10, "learning_rate": 0.2}
    run["training"] |= {"evaluate_every": 1, "threshold": 0.6}
    return run


def test_members_that_converged_hold_their_record_so_far(noised, to_threshold, tmp_path):
    run = train(noised, to_threshold, Store(tmp_path))
    converged = run["converged_epoch"].values
    assert len(set(converged)) > 2
    assert 0 in converged
    assert run["train_accuracy"].sizes == {"member": 10, "epoch": 50}
    for epoch, accuracy in zip(converged, run["train_accuracy"].values, strict=True):
        assert np.isfinite(accuracy).sum() == (epoch or 50)
        assert (accuracy[: (epoch or 51) - 1] < 0.6).all()
        if epoch:
            assert accuracy[epoch - 1] >= 0.6 - 1e-9


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_pieces_converge_as_the_whole_does(noised, to_threshold, tmp_path):
    whole = train(noised, to_threshold, Store(tmp_path / "whole"))
    pieces = Store(tmp_path / "pieces")
    for member in reversed(to_threshold["members"]):
        train(noised, to_threshold | {"members": [member]}, pieces)
    xr.testing.assert_identical(train(noised, to_threshold, pieces), whole)


def test_an_interrupted_run_converges_to_the_same(noised, to_threshold, tmp_path):
    whole = train(noised, to_threshold, Store(tmp_path / "whole"))

    class Killed(Exception):
        pass

    class Dying(Store):
        def save_checkpoints(self, states):
            states = list(states)
            super().save_checkpoints(states)
            if states[0][1].attrs["epoch"] == first:
                raise Killed

    first = int(whole["converged_epoch"].where(whole["converged_epoch"] > 0).min())
    with pytest.raises(Killed):
        train(noised, to_threshold, Dying(tmp_path / "part"), checkpoint_seconds=1e-9)
    resumed = train(noised, to_threshold, Store(tmp_path / "part"))
    xr.testing.assert_identical(resumed, whole)


def test_the_threshold_is_in_the_fingerprint(noised, run_settings, to_threshold):
    member = plan.Member("randX", 0.4, 0, 0, 0.1, 0.0)
    lower = to_threshold | {"training": to_threshold["training"] | {"threshold": 0.8}}
    without = copy.deepcopy(to_threshold)
    del without["training"]["threshold"]
    keys = {key_of(noised, one, member) for one in (to_threshold, lower, without)}
    assert len(keys) == 3


def test_the_plateau_is_in_the_fingerprint_where_there_is_one(noised, run_settings):
    member = plan.Member("randX", 0.4, 0, 0, 0.1, 0.0)
    training = run_settings["training"]
    plateaus = [
        {"epochs": 2, "gain": 0.01},
        {"epochs": 3, "gain": 0.01},
        {"epochs": 2, "gain": 0.1},
    ]
    each = [run_settings | {"training": training | {"plateau": plateau}} for plateau in plateaus]
    keys = {key_of(noised, one, member) for one in (run_settings, *each)}
    assert len(keys) == 4


@pytest.fixture
def to_plateau(to_threshold) -> dict:
    """Settings under which members converge, level off, or are stopped."""
    to_threshold["training"] |= {"plateau": {"epochs": 12, "gain": 0.02}, "epochs": 40}
    return to_threshold


def test_members_that_levelled_off_hold_their_record_so_far(noised, to_plateau, tmp_path):
    run = train(noised, to_plateau, Store(tmp_path))
    converged, levelled = run["converged_epoch"].values, run["plateau_epoch"].values
    assert (levelled > 0).any()
    assert not ((converged > 0) & (levelled > 0)).any()
    scores = np.isfinite(run["train_accuracy"].values).sum(1)
    assert scores.tolist() == np.where(converged + levelled, converged + levelled, 40).tolist()


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_pieces_level_off_as_the_whole_does(noised, to_plateau, tmp_path):
    whole = train(noised, to_plateau, Store(tmp_path / "whole"))
    pieces = Store(tmp_path / "pieces")
    for member in reversed(to_plateau["members"]):
        train(noised, to_plateau | {"members": [member]}, pieces)
    xr.testing.assert_identical(train(noised, to_plateau, pieces), whole)


def test_cuda_and_its_precisions_need_cuda(noised, run_settings, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="torch finds no CUDA device: set device to auto or cpu"):
        runs.compute_run(noised, run_settings, Store(tmp_path), name="test", device="cuda")
    run_settings["training"]["precision"] = "tf32"
    with pytest.raises(UserError, match="precision tf32 needs a CUDA device"):
        runs.compute_run(noised, run_settings, Store(tmp_path), name="test", device="auto")


def test_packed_integers_are_no_inputs(source, settings, run_settings, tmp_path):
    packed = noising.noise_dataset(source, plan.data_settings(settings))
    packed = packed.assign_attrs(dataset="Synthetic", settings="{}")
    with pytest.raises(UserError, match="holds packed integers, not the inputs of models: decode"):
        train(packed, run_settings, Store(tmp_path))


@pytest.mark.parametrize("name", ["dataset", "settings"])
def test_what_a_data_set_lacks_is_said_before_the_training(noised, run_settings, tmp_path, name):
    noised = noised.copy()
    del noised.attrs[name]
    with pytest.raises(UserError, match=f"The data set lacks the attribute {name}: add it by"):
        train(noised, run_settings, Store(tmp_path))
    assert not list(tmp_path.iterdir())


def test_each_member_keeps_where_it_comes_from(noised, run_settings, tmp_path, monkeypatch):
    """A run that finds members in the store names whoever computed them."""
    few = run_settings | {"members": run_settings["members"][:2]}
    monkeypatch.setattr("rote.files.provenance._git_commit", lambda: "before")
    train(noised, few, Store(tmp_path))
    monkeypatch.setattr("rote.files.provenance._git_commit", lambda: "now")
    run = train(noised, run_settings, Store(tmp_path))
    assert run["git_commit"].values.tolist() == ["before"] * 2 + ["now"] * (run.sizes["member"] - 2)
    assert all("torch" in yaml.safe_load(software) for software in run["software"].values)
