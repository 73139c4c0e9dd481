import copy

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

import stores
from rote.data import noising
from rote.files import pack
from rote.files.store import Store
from rote.machine.errors import UserError
from rote.machine.randomness import generator, seed_of
from rote.measures.critical_samples import critical_samples, in_input_units
from rote.runs import complexity as complexity_run
from rote.runs.device_data import DeviceData
from rote.runs.searched_inputs import noise_inputs, searched_inputs
from rote.study import plan, versions
from rote.study.run_settings import of_run


def measure(noised, settings, store):
    return complexity_run.compute_run(noised, settings, store, name="test", device="auto")


@pytest.fixture
def mlp_settings(complexity_settings) -> dict:
    return of_run("complexity", complexity_settings, "synthetic_mlp", "float32")


@pytest.fixture
def cnn_settings(complexity_settings) -> dict:
    return of_run("complexity", complexity_settings, "synthetic_cnn", "float32")


@pytest.fixture
def counts(monkeypatch) -> dict:
    """Counts the members that are trained, and the searches for critical samples."""
    counts = {"trained": 0, "searched": 0}
    size_search, search = DeviceData.size_search, complexity_run._search

    def counted_size_search(self, members):
        counts["trained"] += len(members)
        return size_search(self, members)

    def counted_search(*arguments):
        counts["searched"] += 1
        return search(*arguments)

    monkeypatch.setattr(DeviceData, "size_search", counted_size_search)
    monkeypatch.setattr(complexity_run, "_search", counted_search)
    return counts


def test_a_run_holds_accuracies_and_critical_sample_ratios(noised, mlp_settings, tmp_path):
    run = measure(noised, mlp_settings, Store(tmp_path))
    assert run["train_accuracy"].sizes == {"member": 10, "epoch": 6}
    ratio = run["critical_sample_ratio"]
    assert ratio.sizes == {"member": 10, "radius": 1, "critical_epoch": 2, "critical_inputs": 2}
    assert ratio["radius"].values.tolist() == [20]
    assert ratio["critical_epoch"].values.tolist() == [2, 6]
    assert ratio.sel(critical_inputs="real").notnull().all()
    noise = ratio.sel(critical_inputs="noise")
    assert (noise.notnull() == (run["noise_kind"] == "randX")).all()
    assert 0 < ratio.mean() < 1
    share = run["commonest_class_share"]
    assert share.dims == ("member", "critical_epoch", "critical_inputs")
    assert (share.notnull() == ratio.squeeze("radius").notnull()).all()
    assert "filter" not in run


@pytest.mark.cpu("the noise of a search is drawn on the device, and is another one there")
@pytest.mark.parametrize("inputs", ["real", "noise", "train"])
def test_the_ratio_is_that_of_the_trained_model(source, settings, mlp_settings, tmp_path, inputs):
    # On standardized inputs models learn faster: some inputs are critical, and some are not.
    data = plan.data_settings(settings) | {"scaling": "standardized"}
    noised = noising.noise_dataset(source, data).assign_attrs(dataset="Synthetic", settings="{}")
    noised = xr.decode_cf(noised).load()
    mlp_settings["critical_samples"]["train_examples"] = 40
    run = measure(noised, mlp_settings, Store(tmp_path))
    position = 3  # randX at level 0.4, seed 1
    member = plan.Member(*mlp_settings["members"][position])
    assert member[:4] == ("randX", 0.4, 1, 1)
    ensemble = DeviceData(noised, mlp_settings, [member]).ensemble([member])
    drawn = noising.of_draw(noised, 1)
    images = drawn["validation_image"].values[:40].astype(np.float32).reshape(40, -1)
    if inputs == "noise":
        normal = generator("randX validation", 1).standard_normal(images.shape, np.float32)
        images = normal * noised.attrs["input_std"] + noised.attrs["input_mean"]
        images = images.astype(np.float32)
    if inputs == "train":
        images = drawn["image"].values[:40].astype(np.float32).reshape(40, -1)
        replaced = [i for i in noised["order"].sel(noise_seed=1).values[:40] if i < 40]
        assert 5 < len(replaced) < 35
        noise = noised["noise_image"].sel(noise_seed=1).values[replaced]
        images[replaced] = noise.reshape(len(replaced), -1)
    for epoch in range(1, 7):
        ensemble.train_epoch(epoch)
        if epoch not in (2, 6):
            continue
        layers = []
        for weight, bias in zip(*(ensemble.model.parameters[k::2] for k in (0, 1)), strict=True):
            linear = nn.Linear(*weight.shape[1:])
            linear.weight.data, linear.bias.data = weight[0].mT.clone(), bias[0, 0].clone()
            layers += [linear, nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        found = critical_samples(
            model,
            torch.from_numpy(images),
            **in_input_units(
                noised.attrs["inputs_per_grey_level"], alpha=10.0, beta=4.0, radius=20.0
            ),
            max_iterations=5,
            generator=torch.Generator().manual_seed(seed_of("LASS", 1, epoch)),
        )
        own = run.isel(member=position).sel(critical_epoch=epoch, critical_inputs=inputs)
        ratio = own["critical_sample_ratio"].item()
        assert 0 < ratio < 1
        assert ratio == pytest.approx(found.double().mean().item(), abs=0.026)
        predicted = model(torch.from_numpy(images)).argmax(1).tolist()
        commonest = max(map(predicted.count, predicted)) / 40
        assert commonest > 0.2
        assert own["commonest_class_share"].item() == pytest.approx(commonest, abs=0.026)


def test_members_on_real_inputs_are_searched_on_those_they_were_trained_on(
    noised, drawn, mlp_settings, tmp_path
):
    search = mlp_settings["critical_samples"]
    search["train_examples"] = 60
    for noise in (("real", 0.0, 0, 1), ("randY", 0.4, 0, 1)):
        inputs = searched_inputs(noised, search, plan.Member(*noise, 0.1, 0.0))
        np.testing.assert_array_equal(inputs["train"][0], drawn["image"].values[:60])
        assert list(inputs) == ["real", "train"]
    search["train_examples"] = 0
    run = measure(noised, mlp_settings, Store(tmp_path))
    assert run["critical_inputs"].values.tolist() == ["real", "noise"]


def test_only_as_many_inputs_are_searched_as_asked_for(noised, mlp_settings, tmp_path):
    mlp_settings["critical_samples"]["examples"] = 3
    ratio = measure(noised, mlp_settings, Store(tmp_path))["critical_sample_ratio"]
    thirds = ratio.sel(critical_inputs="real").values * 3
    np.testing.assert_allclose(thirds, thirds.round(), atol=1e-9)
    assert len(np.unique(thirds)) > 1


def test_noise_inputs_have_the_mean_and_variance_of_the_data(noised):
    validation = np.zeros((500, 1, 4, 4))  # of which nothing counts but the number
    own = xr.Dataset({"validation_image": (("validation_example", *"cxy"), validation)})
    drawn, _ = noise_inputs(noised, own, plan.Member("randX", 1.0, 0, 0, 0.1, 0.0))
    assert drawn.dtype == np.float32
    assert drawn.mean().item() == pytest.approx(noised.attrs["input_mean"], abs=0.01)
    assert drawn.std().item() == pytest.approx(noised.attrs["input_std"], rel=0.05)
    train = noised["noise_image"].sel(noise_seed=0).values.reshape(100, -1)
    correlation = np.corrcoef(drawn[:100].flatten(), train.flatten())[0, 1]
    assert abs(correlation) < 0.1  # 4 standard errors of 1/√1600


def test_another_radius_trains_nothing(noised, mlp_settings, tmp_path, counts):
    store = Store(tmp_path)
    first = measure(noised, mlp_settings, store)
    assert counts["trained"] == 10
    wider = copy.deepcopy(mlp_settings)
    wider["critical_samples"]["radius"] = [40.0]
    second = measure(noised, wider, store)
    assert counts["trained"] == 10
    pair = [run["critical_sample_ratio"].squeeze("radius", drop=True) for run in (first, second)]
    assert (pair[1] < pair[0]).mean() < 0.1
    assert second["critical_sample_ratio"].mean() > first["critical_sample_ratio"].mean()
    searched = counts["searched"]
    xr.testing.assert_identical(measure(noised, mlp_settings, store), first)
    assert counts["searched"] == searched


def test_each_radius_is_searched_as_if_it_were_alone(noised, mlp_settings, tmp_path, counts):
    search = mlp_settings["critical_samples"]
    each = 10 + 4  # members, and those of randX on noise, too
    alone = {}
    for radius in (20.0, 40.0, 5.0):
        # The steps of the search grow with the radius, from 10 and 4 at the first radius of 20.
        steps = {"alpha": radius / 2, "beta": radius / 5}
        own = {**mlp_settings, "critical_samples": {**search, **steps, "radius": [radius]}}
        alone[radius] = measure(noised, own, Store(tmp_path / "alone"))["critical_sample_ratio"]
    assert len(np.unique([ratio.mean() for ratio in alone.values()])) == 3
    store = Store(tmp_path / "together")
    for radii, searched in (([20.0, 40.0], 2), ([20.0, 5.0, 40.0], 1), ([20.0, 40.0, 5.0], 0)):
        before = dict(counts)
        search["radius"] = radii
        together = measure(noised, mlp_settings, store)
        assert counts["searched"] == before["searched"] + 2 * searched * each
        assert counts["trained"] == before["trained"] + 10 * (searched == 2)
        assert together["radius"].values.tolist() == radii
        for radius in radii:
            ours = together["critical_sample_ratio"].sel(radius=[radius])
            xr.testing.assert_identical(
                ours.reset_coords(drop=True), alone[radius].reset_coords(drop=True)
            )


def test_an_epoch_that_is_taken_out_trains_nothing(noised, mlp_settings, tmp_path, counts):
    store = Store(tmp_path)
    first = measure(noised, mlp_settings, store)
    mlp_settings["critical_samples"]["epochs"] = mlp_settings["keep_epochs"] = [6]
    fewer = measure(noised, mlp_settings, store)
    assert counts["trained"] == 10
    for name in ("critical_sample_ratio", "commonest_class_share"):
        xr.testing.assert_identical(fewer[name], first[name].sel(critical_epoch=[6]))
    mlp_settings["critical_samples"]["epochs"] = mlp_settings["keep_epochs"] = [4, 6]
    more = measure(noised, mlp_settings, store)
    assert counts["trained"] == 20  # parameters are kept only where they were asked for
    both = more["critical_sample_ratio"].sel(critical_epoch=[6])
    xr.testing.assert_identical(both, fewer["critical_sample_ratio"])


def test_members_are_trained_again_only_if_their_parameters_are_needed(
    noised, mlp_settings, tmp_path, counts
):
    store = Store(tmp_path)
    first = measure(noised, mlp_settings, store)
    stores.drop(tmp_path, lambda record: record.epoch == 2)
    xr.testing.assert_identical(measure(noised, mlp_settings, Store(tmp_path)), first)
    assert counts["trained"] == 10  # the ratios are there
    mlp_settings["critical_samples"]["max_iterations"] = 4
    measure(noised, mlp_settings, Store(tmp_path))
    assert counts["trained"] == 20


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_an_interrupted_run_keeps_its_parameters(noised, mlp_settings, tmp_path):
    whole = measure(noised, mlp_settings, Store(tmp_path / "whole"))

    class Killed(Exception):
        pass

    class Dying(Store):
        checkpoints = 0

        def save_checkpoints(self, states):
            states = list(states)
            super().save_checkpoints(states)
            self.checkpoints += 1
            if states[0][1].attrs["epoch"] == 4:
                raise Killed

    with pytest.raises(Killed):
        complexity_run.compute_run(
            noised,
            mlp_settings,
            Dying(tmp_path / "part"),
            name="test",
            device="auto",
            checkpoint_seconds=1e-9,
        )
    one = min(stores.parameters(tmp_path / "part"))
    assert one.epoch == 2
    stores.drop(one.path.parent, one.__eq__)  # then its checkpoint after epoch 4 is of no use
    xr.testing.assert_identical(measure(noised, mlp_settings, Store(tmp_path / "part")), whole)


def test_a_cnn_shows_its_filters(noised_digits, cnn_settings, tmp_path, device):
    # A group is rounded as a model alone on the CPU only.
    tolerance = 1e-5 if device.type == "cpu" else 1e-3
    run = measure(noised_digits, cnn_settings, Store(tmp_path))
    assert run["filter"].sizes == {
        "member": 10,
        "map": 3,
        "channel": 1,
        "filter_row": 5,
        "filter_column": 5,
    }
    member = plan.Member(*cnn_settings["members"][0])
    ensemble = DeviceData(noised_digits, cnn_settings, [member]).ensemble([member])
    for epoch in (1, 2):
        ensemble.train_epoch(epoch)
    np.testing.assert_allclose(run["filter"][0], ensemble.model.filters[0].cpu(), rtol=tolerance)
    assert run["critical_sample_ratio"].sel(critical_inputs="real").notnull().all()


def test_members_that_diverge_have_no_ratio(noised, mlp_settings, tmp_path, counts):
    mlp_settings["members"] = [
        list(plan.Member(*member)._replace(learning_rate=1e30))
        for member in mlp_settings["members"]
    ]
    run = measure(noised, mlp_settings, Store(tmp_path))
    assert (run["diverged_epoch"] == 1).all()
    assert run["critical_sample_ratio"].isnull().all()
    assert run["commonest_class_share"].isnull().all()
    assert counts["trained"] == 10
    mlp_settings["critical_samples"]["radius"] = [1.0]
    measure(noised, mlp_settings, Store(tmp_path))
    assert counts["trained"] == 10


def test_images_too_small_for_the_cnn_are_named(noised, cnn_settings, tmp_path):
    cnn_settings["model"] = cnn_settings["model"] | {"padding": "valid", "pooling_stride": 3}
    with pytest.raises(UserError, match="pixels or larger, a smaller crop, or padding: same"):
        measure(noised, cnn_settings, Store(tmp_path))


def test_whatever_determines_a_ratio_is_in_its_fingerprint(noised, mlp_settings, monkeypatch):
    keys = [complexity_run.member_keys(noised, mlp_settings)[-1]]
    for key, value in (
        ("alpha", 1.0),
        ("beta", 1.0),
        ("radius", [1.0]),
        ("max_iterations", 6),
        ("examples", 30),
        ("train_examples", 30),
        ("epochs", [2]),
    ):
        changed = copy.deepcopy(mlp_settings)
        changed["critical_samples"][key] = value
        keys.append(complexity_run.member_keys(noised, changed)[-1])
    changed = copy.deepcopy(mlp_settings)
    changed["training"]["momentum"] = 0.5
    keys.append(complexity_run.member_keys(noised, changed)[-1])
    monkeypatch.setattr(versions, "CRITICAL_SAMPLES", versions.CRITICAL_SAMPLES + 1)
    keys.append(complexity_run.member_keys(noised, mlp_settings)[-1])
    assert len(set(keys)) == len(keys) == 10


def test_the_store_knows_what_a_run_asks_for(noised, mlp_settings, tmp_path):
    mlp_settings["critical_samples"]["radius"] = [20.0, 5.0]
    measure(noised, mlp_settings, Store(tmp_path))
    kept = {record.key for record in Store(tmp_path).records()}
    assert kept == {*complexity_run.member_keys(noised, mlp_settings)}
    assert len(kept) == 30


@pytest.mark.cpu("groups of other sizes are rounded alike there alone")
def test_damaged_parameters_are_trained_again(noised, mlp_settings, tmp_path, counts):
    store = Store(tmp_path)
    first = measure(noised, mlp_settings, store)
    stores.drop(tmp_path, lambda record: b"critical_sample_ratio" in pack.content(record))
    damaged = next(record for record in Store(tmp_path).records() if record.epoch == 6)
    stores.damage(damaged, lambda content: content[:-20])
    xr.testing.assert_identical(measure(noised, mlp_settings, Store(tmp_path)), first)
    assert counts["trained"] == 10 + 1


def test_parameters_that_go_are_not_taken_for_divergence(
    noised, mlp_settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(Store, "load_parameters", lambda self, key, epoch: None)
    with pytest.raises(
        UserError, match="after epoch 2 are not in the store any more: run the same"
    ):
        measure(noised, mlp_settings, Store(tmp_path))
