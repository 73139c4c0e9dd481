"""What each kind of noise gives to the examples, against a computation by hand."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from rote.data import noises, noising
from rote.data.noises import fileY
from rote.files import netcdf
from rote.machine.errors import UserError
from rote.study import plan
from rote.study.noises import KINDS

CLASSES, MANY = 5, 1200


@pytest.fixture(scope="module")
def colour() -> xr.Dataset:
    """Images of 6×4 pixels in three channels, each channel of another brightness and contrast."""
    rng = np.random.default_rng(5)
    centre, contrast = (np.array(v)[:, None, None] for v in ([60, 120, 180], [5, 15, 30]))
    images = centre + contrast * rng.standard_normal((MANY, 3, 6, 4))
    return xr.Dataset(
        {
            "image": (
                ("example", "channel", "row", "column"),
                images.clip(0, 255).astype(np.uint8),
            ),
            "label": ("example", (np.arange(MANY) % CLASSES).astype(np.int16)),
            "split": ("example", np.zeros(MANY, np.int8)),
            "index": ("example", np.arange(MANY)),
        },
        coords={"class_name": ("class", list("abcde"), {"long_name": "name"})},
    )


DATA = {
    "dataset": "colour",
    "image_size": None,
    "crop": 0,
    "train_examples": 400,
    "validation_examples": 100,
    "validation_from": "train",
    "scaling": "unit",
    "random_labels": "independent",
    "data_seeds": [0, 1],
    "noise_kinds": ["pairY"],
    "noise_seeds": [0, 1],
    "draws": [[0, 0], [1, 1]],
}


def noised(source, kind: str, name: str = "", **changes) -> xr.Dataset:
    """Return the data with a kind of noise, by a name of its own if it has one."""
    parameters = changes.pop("parameters", {})
    data = DATA | {"noise_kinds": [name or kind]} | changes
    if name:
        data |= {"noises": {name: {"kind": kind, **parameters}}}
    return xr.decode_cf(noising.noise_dataset(source, data)).load()


def member(name: str, seed: int = 0, data_seed: int | None = None, level: float = 1.0):
    data_seed = seed if data_seed is None else data_seed
    return plan.Member(name, level, seed, seed, 0.1, 0.0, data_seed=data_seed)


def given(dataset: xr.Dataset, name: str, seed: int = 0) -> np.ndarray:
    """Return the inputs or the labels that a noise gives in a replicate."""
    of = noises.of_member(dataset, member(name, seed))
    return of["noise_image" if "noise_image" in of else "noise_label"].values


def pixels(images: np.ndarray) -> np.ndarray:
    """Return images as (examples, pixels, channels)."""
    return images.reshape(*images.shape[:2], -1).swapaxes(1, 2)


def validation(dataset: xr.Dataset, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return validation inputs, and the same as noise."""
    own = noising.of_draw(dataset, seed)
    images = own["validation_image"].values.astype(np.float32)
    levels = own.get("validation_inputs_per_grey_level")
    levels = None if levels is None else levels.values
    examples = noises.Examples(images.shape, dataset.attrs, images, levels)
    return images, noises.drawn(kind, examples, seed, {}, "validation")["image"]


@pytest.mark.parametrize("scaling", ["unit", "standardized", "per_channel", "per_image"])
def test_shuffled_pixels_are_in_one_order_for_all_images_of_a_draw(colour, scaling):
    dataset, orders = noised(colour, "shuffledX", scaling=scaling), []
    for seed in (0, 1):
        real = noising.of_draw(dataset, seed)["image"].values.astype(np.float32)
        real, shuffled = pixels(real), pixels(given(dataset, "shuffledX", seed))
        # Whole pixels are found again: the one whose values over all images are the same.
        order = [
            np.flatnonzero((real == shuffled[:, [i]]).all((0, 2))).item()
            for i in range(real.shape[1])
        ]
        assert sorted(order) == list(range(24))
        orders.append(order)
        before, after = map(pixels, validation(dataset, "shuffledX", seed))
        np.testing.assert_array_equal(after, before[:, order])
    assert orders[0] != orders[1]


def test_scrambled_pixels_are_in_an_order_of_each_image(colour):
    dataset = noised(colour, "scrambledX")
    real = pixels(noising.of_draw(dataset, 1)["image"].values.astype(np.float32))
    scrambled = pixels(given(dataset, "scrambledX", 1))
    for before, after in zip(real, scrambled, strict=True):
        np.testing.assert_array_equal(
            before[np.lexsort(before.T)],
            after[np.lexsort(after.T)],  # the same pixels
        )
    # A pixel goes anywhere, whatever the image: the red of one stays in 1 of 24 images.
    stayed = (real == scrambled).all(2).mean()
    assert stayed == pytest.approx(1 / 24, abs=4 * np.sqrt(1 / 24 / real[..., 0].size) + 0.005)
    before, after = map(pixels, validation(dataset, "scrambledX", 1))
    assert (before != after).any(2).mean() > 0.9
    np.testing.assert_array_equal(np.sort(before, 1), np.sort(after, 1))


@pytest.mark.parametrize("kind", ["gaussX", "shuffledX", "scrambledX", "transitionY"])
def test_noise_of_more_examples_begins_with_that_of_fewer(colour, kind):
    name, parameters = "", {}
    if kind == "transitionY":
        name, parameters = "mine", {"matrix": np.full((5, 5), 0.2).tolist()}
    small, large = (
        given(noised(colour, kind, name, parameters=parameters, train_examples=n), name or kind, 1)
        for n in (100, 300)
    )
    np.testing.assert_array_equal(small, large[:100])


@pytest.mark.parametrize("scaling", ["unit", "standardized", "per_channel"])
def test_gaussian_noise_has_the_moments_of_each_channel(colour, scaling):
    dataset = noised(colour, "gaussX", scaling=scaling)
    whole = noised(colour, "gaussX", scaling=scaling, train_examples=1100)["image"]
    assert whole.sizes["pool"] == MANY
    drawn = given(dataset, "gaussX")
    axes, count = (0, 2, 3), drawn[:, 0].size
    mean, std = whole.values.mean(axes), whole.values.std(axes)
    np.testing.assert_allclose(drawn.mean(axes), mean, atol=4 * std.max() / np.sqrt(count))
    np.testing.assert_allclose(drawn.std(axes), std, rtol=4 / np.sqrt(2 * count))
    z = (drawn - mean[:, None, None]) / std[:, None, None]
    assert stats.kstest(z.ravel()[:20000], "norm").pvalue > 0.001
    assert (given(dataset, "gaussX", 1) != drawn).all()


def test_gaussian_noise_is_standardised_where_each_image_is(colour):
    dataset = noised(colour, "gaussX", scaling="per_image")
    drawn = given(dataset, "gaussX").astype(float)
    np.testing.assert_allclose(drawn.mean((1, 2, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(drawn.std((1, 2, 3)), 1, rtol=1e-5)
    assert dataset["noise_inputs_per_grey_level_gaussX"].dims == ("noise_seed", "example")


def test_pair_flips_give_the_next_class(colour):
    dataset = noised(colour, "pairY")
    for seed in (0, 1):
        true = noising.of_draw(dataset, seed)["label"].values
        expected = np.array([1, 2, 3, 4, 0])[true]
        np.testing.assert_array_equal(given(dataset, "pairY", seed), expected)
        corrupted = noising.corrupt(dataset, member("pairY", seed, level=0.25))
        assert (corrupted["label"] != corrupted["true_label"]).sum() == 100
        np.testing.assert_array_equal(corrupted["label"] != corrupted["true_label"], corrupted.mask)


@pytest.mark.parametrize(("stored", "classes"), [(np.uint8, 256), (np.int8, 128), (np.int8, 129)])
def test_pair_flips_of_as_many_classes_as_a_type_holds(stored, classes):
    true = np.array([0, 126, 127, min(np.iinfo(stored).max, classes - 1)], stored)
    examples = noises.Examples((len(true), 1, 1, 1), {}, label=true, classes=classes)
    found = noises.drawn("pairY", examples, 0, {})["label"]
    np.testing.assert_array_equal(found, [1, 127, 128 % classes, (int(true[3]) + 1) % classes])


def test_labels_follow_the_matrix(colour):
    rng = np.random.default_rng(0)
    matrix = rng.dirichlet(np.ones(5), 5)
    matrix[2] = [0.5, 0, 0, 0.5, 0]
    many = {"train_examples": 1000, "parameters": {"matrix": matrix.tolist()}}
    dataset = noised(colour, "transitionY", "mine", **many)
    labels, true = given(dataset, "mine"), noising.of_draw(dataset, 0)["label"].values
    for i, row in enumerate(matrix):
        counts = np.bincount(labels[true == i], minlength=5)
        assert not counts[row == 0].any()
        assert stats.chisquare(counts[row > 0], counts.sum() * row[row > 0]).pvalue > 0.001
    many["parameters"] = {"matrix": np.eye(5).tolist()}
    same = noised(colour, "transitionY", "same", **many)
    np.testing.assert_array_equal(given(same, "same"), noising.of_draw(same, 0)["label"])


def test_a_matrix_of_other_classes_is_refused(colour):
    with pytest.raises(UserError, match="has 3 rows, but the data set has 5 classes: write a row"):
        noised(colour, "transitionY", "mine", parameters={"matrix": np.eye(3).tolist()})


@pytest.fixture
def people(colour) -> dict[str, np.ndarray]:
    """Labels of the whole training part, as people might give them."""
    rng = np.random.default_rng(7)
    true = colour["label"].values.astype(np.int64)
    return {"label": np.where(rng.random(MANY) < 0.3, (true + 2) % 5, true), "true_label": true}


def written(folder, suffix: str, content: dict[str, np.ndarray]) -> dict:
    """Write a file of labels, and return the parameters that name it."""
    path = folder / f"labels{suffix}"
    if suffix == ".npy":
        np.save(path, content["label"])
    elif suffix == ".npz":
        np.savez(path, **content)
    else:
        described = {"long_name": "x", "units": "1"}
        variables = {name: ("example", values, described) for name, values in content.items()}
        netcdf.write(xr.Dataset(variables), path)
    return {"path": str(path)}


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".nc"])
def test_labels_of_a_file_go_by_the_original_index(colour, people, tmp_path, suffix):
    parameters = written(tmp_path, suffix, people)
    dataset = noised(colour, "fileY", "human", parameters=parameters)
    for seed in (0, 1):
        index = noising.of_draw(dataset, seed)["index"].values
        assert (np.diff(index) < 0).any()  # a draw is in an order of its own
        np.testing.assert_array_equal(given(dataset, "human", seed), people["label"][index])


def test_labels_of_a_file_may_be_in_any_order_if_it_says_so(colour, people, tmp_path):
    order = np.random.default_rng(1).permutation(MANY)
    content = {name: values[order] for name, values in people.items()} | {"index": order}
    dataset = noised(colour, "fileY", "human", parameters=written(tmp_path, ".npz", content))
    index = noising.of_draw(dataset, 0)["index"].values
    np.testing.assert_array_equal(given(dataset, "human"), people["label"][index])
    with pytest.raises(UserError, match="says that the training image of index .* in another"):
        del content["index"]
        noised(colour, "fileY", "human", parameters=written(tmp_path, ".npz", content))


WRONG = {
    "short": (lambda c: {k: v[:-1] for k, v in c.items()}, r"has 1,199 labels, but .* 1,200 image"),
    "no label": (lambda c: {"true_label": c["label"]}, "has no label: write the labels under"),
    "class": (lambda c: {"label": c["label"] + 1}, "labels from 1 to 5, but .* classes 0 to 4"),
    "missing": (lambda c: {"label": c["label"] - 1}, "from -1 to 3, .*none may be missing"),
    "nan": (lambda c: {"label": np.where(c["label"] == 2, np.nan, c["label"])}, "label nan in pla"),
    "part": (lambda c: {"label": c["label"] + 0.5}, "has a label .*5 in place 0: write a whole"),
    "table": (lambda c: {"label": c["label"][:, None]}, r"shape \(1200, 1\): write one whole"),
    "text": (lambda c: {"label": c["label"].astype("U")}, "has a label of type <U.* write one w"),
    "objects": (lambda c: {"label": c["label"].astype(object)}, "cannot be read as labels"),
    "unequal": (lambda c: c | {"true_label": c["label"][1:]}, "1,200 of label and 1,199 of true"),
    "twice": (lambda c: c | {"index": np.zeros(MANY, int)}, "names an index twice: write each"),
    "others": (lambda c: c | {"index": np.arange(MANY) + 10**6}, "has no label for 400 training"),
    "empty": (
        lambda c: {k: v[:0] for k, v in c.items()} | {"index": np.arange(0)},
        "has no label for 400 training examples, the first",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_of_labels_that_does_not_fit_is_refused(colour, people, tmp_path, wrong):
    change, words = WRONG[wrong]
    parameters = written(tmp_path, ".npz", change(people))
    with pytest.raises(UserError, match=words) as raised:
        noised(colour, "fileY", "human", parameters=parameters)
    assert str(raised.value).startswith(parameters["path"])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".nc"])
def test_a_damaged_file_of_labels_is_refused(colour, people, tmp_path, suffix):
    parameters = written(tmp_path, suffix, people)
    with Path(parameters["path"]).open("r+b") as file:
        file.truncate(200)
    with pytest.raises(UserError, match="labels.np.? cannot be read as labels|labels.nc is damage"):
        noised(colour, "fileY", "human", parameters=parameters)


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_a_file_of_labels_with_a_flipped_byte_is_refused_or_read(tmp_path, save):
    path = tmp_path / "labels"
    with path.open("wb") as file:
        save(file, np.arange(20)) if save is np.save else save(file, label=np.arange(20))
    whole, refused = path.read_bytes(), 0
    for at in range(len(whole)):
        for bit in (1, 16):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
            try:
                fileY._read(str(path))
            except UserError as error:
                assert re.search("cannot be read as labels|has no label: write", str(error))
                refused += 1
    assert refused


@pytest.mark.parametrize(("suffix", "other"), [(".npy", ".npz"), (".npz", ".npy")])
def test_a_file_of_labels_is_read_whatever_it_is_called(colour, people, tmp_path, suffix, other):
    """An archive by the name of an array, and the other way round."""
    path = Path(written(tmp_path, suffix, people)["path"]).rename(tmp_path / f"own{other}")
    dataset = noised(colour, "fileY", "human", parameters={"path": str(path)})
    index = noising.of_draw(dataset, 0)["index"].values
    np.testing.assert_array_equal(given(dataset, "human"), people["label"][index])


def test_an_archive_of_something_else_than_labels_is_refused(colour, tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("label", "0 1 2")
    with pytest.raises(UserError, match="own.npz cannot be read as labels .it holds something"):
        noised(colour, "fileY", "human", parameters={"path": str(tmp_path / "own.npz")})


def test_the_poster_s_noise_is_the_same_whatever_stands_beside_it(colour):
    alone = noised(colour, "randX", noise_kinds=["randX", "randY"])
    others = [name for name, kind in KINDS.items() if not kind.parameters]
    beside = noised(colour, "randX", noise_kinds=others)
    for name in alone.variables:
        xr.testing.assert_identical(
            beside[name].drop_vars("class_name", errors="ignore"),
            alone[name].drop_vars("class_name", errors="ignore"),
        )


def test_each_kind_replaces_what_its_entry_says():
    for name, kind in KINDS.items():
        module = noises.module(name)
        assert hasattr(module, {"image": "inputs", "label": "labels"}[kind.replaces])
        assert module.OF_EXAMPLES in (True, False)


def test_what_is_no_noise_of_the_data_is_said(colour):
    with pytest.raises(UserError, match="There is no kind of noise randZ: choose one of"):
        noised(colour, "randZ")
    dataset = noised(colour, "shuffledX")
    with pytest.raises(UserError, match="has no noise scrambledX: add it to noise_kinds"):
        noises.of_member(dataset, member("scrambledX"))
    with pytest.raises(UserError, match="of no pair of noise_seed 0 and data_seed 1: add it"):
        noises.of_member(dataset, member("shuffledX", 0, data_seed=1))


def test_without_pairs_there_is_every_pair_of_draws(colour):
    data = {k: v for k, v in DATA.items() if k != "draws"}
    dataset = xr.decode_cf(noising.noise_dataset(colour, data))
    for seed, data_seed in ((0, 1), (1, 0)):
        one = noises.of_member(dataset, member("pairY", seed, data_seed))["noise_label"].values
        true = noising.of_draw(dataset, data_seed)["label"].values
        np.testing.assert_array_equal(one, (true + 1) % 5)
