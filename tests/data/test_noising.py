import tracemalloc
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
import xarray as xr
from scipy import stats
from torch.nn import functional

from rote.data import noising, scaling, sources, subsets
from rote.machine.errors import UserError
from rote.machine.randomness import generator
from rote.study import plan


@pytest.fixture(scope="module")
def digits():
    """Two classes of 3,000 grey images each, enough for statistics."""
    rng = np.random.default_rng(3)
    n = 6000
    return xr.Dataset(
        {
            "image": (
                ("example", "channel", "row", "column"),
                rng.integers(0, 200, (n, 1, 4, 4), dtype=np.uint8),
            ),
            "label": ("example", (np.arange(n) % 2).astype(np.int16)),
            "split": ("example", np.zeros(n, np.int8)),
            "index": ("example", np.arange(n)),
        },
        coords={"class_name": ("class", ["a", "b"], {"long_name": "name", "units": "1"})},
    )


DATA = {
    "dataset": "digits",
    "image_size": 4,
    "crop": 0,
    "train_examples": 5000,
    "validation_examples": 500,
    "validation_from": "train",
    "scaling": "unit",
    "random_labels": "independent",
    "data_seeds": [0],
    "noise_kinds": ["randX", "randY"],
    "noise_seeds": [0, 1],
}


def noise(source, **changes):
    """Return the first draw of a data set."""
    return noising.of_draw(decoded(source, DATA | changes), 0)


def decoded(source, data):
    return xr.decode_cf(noising.noise_dataset(source, data)).load()


@pytest.mark.parametrize("scaling", ["unit", "standardized"])
def test_inputs_are_scaled_grey_levels(digits, scaling):
    noised = noise(digits, scaling=scaling)
    original = digits["image"].sel(example=noised["index"].values).values / 255
    if scaling == "standardized":
        whole = digits["image"].values / 255
        original = (original - whole.mean()) / whole.std()
    np.testing.assert_allclose(noised["image"], original, atol=1e-12)
    grey = np.diff(noised["image"].values[:2].ravel()) / noised.attrs["inputs_per_grey_level"]
    np.testing.assert_allclose(grey, np.round(grey), atol=1e-9)


def test_validation_is_scaled_like_training(digits):
    noised = noise(digits, scaling="standardized")
    mean, std = (getattr(digits["image"].values / 255, name)() for name in ("mean", "std"))
    original = digits["image"].sel(example=noised["validation_index"].values).values / 255
    np.testing.assert_allclose(noised["validation_image"], (original - mean) / std, atol=1e-12)


@pytest.fixture(scope="module")
def colour():
    """300 images of 6×8 pixels; channels, and images, of another brightness and contrast each."""
    rng = np.random.default_rng(5)
    n, contrast = 300, rng.uniform(1, 30, (300, 1, 1, 1))
    bright = np.array([60, 120, 180])[:, None, None] + rng.uniform(-20, 20, (n, 1, 1, 1))
    image = (bright + contrast * rng.standard_normal((n, 3, 6, 8))).clip(0, 255).astype(np.uint8)
    image[:2] = np.array([0, 200], np.uint8)[:, None, None, None]  # of one grey level each
    return xr.Dataset(
        {
            "image": (("example", "channel", "row", "column"), image),
            "label": ("example", (np.arange(n) % 2).astype(np.int16)),
            "split": ("example", np.zeros(n, np.int8)),
            "index": ("example", np.arange(n)),
        },
        coords={"class_name": ("class", ["a", "b"], {"long_name": "name", "units": "1"})},
    )


COLOUR = {"image_size": None, "train_examples": 200, "validation_examples": 100}


def pixels(source, noised, prefix="") -> torch.Tensor:
    """Return the source's pixels of these examples, in [0, 1] and float64."""
    images = source["image"].sel(example=noised[f"{prefix}index"].values).values
    return torch.from_numpy(images.astype(float) / 255)


@pytest.mark.parametrize("prefix", ["", "validation_"])
def test_per_channel_is_batch_normalisation_by_the_training_part(colour, prefix):
    noised = noise(colour, **COLOUR, scaling="per_channel")
    whole = torch.from_numpy(colour["image"].values / 255)
    train = whole.transpose(0, 1).flatten(1)
    expected = functional.batch_norm(
        pixels(colour, noised, prefix), train.mean(1), train.var(1, correction=0), eps=0
    )
    np.testing.assert_allclose(noised[f"{prefix}image"], expected, atol=1e-5)
    np.testing.assert_allclose(
        noised.attrs["inputs_per_grey_level"], 1 / (255 * train.std(1, correction=0)), rtol=1e-12
    )


@pytest.mark.parametrize("prefix", ["", "validation_"])
def test_per_image_standardises_each_image_by_itself(colour, prefix):
    noised = noise(colour, **COLOUR, scaling="per_image")
    divisors = []
    for given, image in zip(pixels(colour, noised, prefix), noised[f"{prefix}image"], strict=True):
        divisors.append(max(given.std(correction=0).item(), 1 / np.sqrt(3 * 6 * 8)))
        np.testing.assert_allclose(image, (given - given.mean()) / divisors[-1], atol=1e-5)
    bound = np.isclose(divisors, 1 / 12)
    assert 0 < bound.sum() < len(bound)
    levels = noised[f"{prefix}inputs_per_grey_level"]
    np.testing.assert_allclose(levels, 1 / (255 * np.array(divisors)), rtol=1e-5)


def test_per_image_is_that_of_tensorflow():
    image = np.arange(1, 13, dtype=np.float32).reshape(1, 2, 2, 3)
    level = scaling.standardize_each(image)
    # The example in the documentation of tf.image.per_image_standardization.
    printed = [-1.593255, -1.3035723, -1.0138896, -0.7242068, -0.4345241, -0.14484136]
    np.testing.assert_allclose(image.ravel()[:6], printed, rtol=1e-5)
    assert level == pytest.approx(1 / (255 * np.std(np.arange(12))))


def test_noise_is_drawn_with_one_mean_and_variance_and_scaled_as_real_inputs_are(colour):
    unit, per_channel, per_image = (
        noise(colour, **COLOUR, scaling=name) for name in ("unit", "per_channel", "per_image")
    )
    drawn = unit["noise_image"].values.astype(float)
    train = colour["image"].values / 255
    assert drawn.mean() == pytest.approx(train.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(train.std(), rel=0.02)
    mean, std = (getattr(train, of)((0, 2, 3))[:, None, None] for of in ("mean", "std"))
    np.testing.assert_allclose(per_channel["noise_image"], (drawn - mean) / std, atol=2e-4)
    own_mean, own_std = (getattr(drawn, of)((2, 3, 4), keepdims=True) for of in ("mean", "std"))
    np.testing.assert_allclose(per_image["noise_image"], (drawn - own_mean) / own_std, atol=1e-4)
    np.testing.assert_allclose(
        per_image["noise_inputs_per_grey_level"], 1 / (255 * own_std[..., 0, 0, 0]), rtol=1e-5
    )


def test_a_channel_that_cannot_be_standardised_is_refused(colour):
    dark = colour.copy(deep=True)
    dark["image"][:, 1] = 7
    with pytest.raises(
        UserError, match="digits: all training pixels of a channel are equal; .*set"
    ):
        noise(dark, **COLOUR, scaling="per_channel")
    noise(dark, **COLOUR, scaling="per_image")


@pytest.mark.parametrize("scaling", ["unit", "standardized", "per_channel", "per_image"])
def test_everything_is_that_of_the_cropped_images(colour, scaling):
    inner = colour.isel(row=slice(1, -1), column=slice(1, -1))
    cropped = noising.noise_dataset(colour, DATA | COLOUR | {"crop": 1, "scaling": scaling})
    assert cropped["image"].shape[1:] == (3, 4, 6)
    expected = noising.noise_dataset(inner, DATA | COLOUR | {"scaling": scaling})
    xr.testing.assert_identical(cropped, expected)
    runs = noising.data_attributes(cropped.assign_attrs(dataset="Colour", settings="{}"))
    assert runs["image_size"] == "4×6"


def test_with_one_channel_per_channel_is_standardized(digits):
    one, other = (
        noising.noise_dataset(digits, DATA | {"scaling": scaling})
        for scaling in ("per_channel", "standardized")
    )
    xr.testing.assert_identical(one, other)


def test_images_are_cropped_after_they_are_resized(colour):
    halved = noise(colour, **COLOUR | {"image_size": 3}, scaling="unit")
    cropped = noise(colour, **COLOUR | {"image_size": 3}, scaling="unit", crop=1)
    inner = halved["image"].isel(row=[1], column=[1, 2])
    np.testing.assert_array_equal(cropped["image"], inner)


def test_a_crop_that_leaves_nothing_is_refused(colour):
    with pytest.raises(UserError, match="crop 3 cuts 3 .* images of 6×8 pixels.* at most 2"):
        noise(colour, **COLOUR, crop=3)


@pytest.mark.parametrize("scaling", ["unit", "standardized"])
def test_noise_inputs_are_gaussian_with_the_mean_and_variance_of_the_real_ones(digits, scaling):
    noised = noise(digits, scaling=scaling)
    # Without the draw, there is one image of each of the training part.
    whole = decoded(digits, DATA | {"scaling": scaling, "train_examples": 5500})["image"].values
    assert len(whole) == 6000
    random = noised["noise_image"].values
    z = (random - whole.mean()) / whole.std()
    n = z.size
    assert abs(z.mean()) < 4 / np.sqrt(n)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / n)
    assert stats.kstest(z.ravel()[:20000], "norm").pvalue > 0.001
    # Independent over examples, pixels and draws.
    assert abs(stats.pearsonr(z[0].ravel(), z[1].ravel()).statistic) < 4 / np.sqrt(n / 2)
    assert abs(stats.pearsonr(z[0, 1:].ravel(), z[0, :-1].ravel()).statistic) < 4 / np.sqrt(n / 2)
    assert abs(stats.pearsonr(z[..., 0].ravel(), z[..., 1].ravel()).statistic) < 4 / np.sqrt(n / 4)


def test_noise_labels_are_uniform_and_independent_of_the_true_ones(digits):
    noised = noise(digits)
    for draw in range(2):
        labels = noised["noise_label"][draw].values
        assert stats.chisquare(np.bincount(labels, minlength=2)).pvalue > 0.001
        table = np.histogram2d(labels, noised["label"].values, 2)[0]
        assert stats.chi2_contingency(table).pvalue > 0.001
    assert (noised["noise_label"][0] != noised["noise_label"][1]).any()


def corrupt(noised, kind, level, noise_seed, data_seed=0):
    member = plan.Member(kind, level, noise_seed, 0, 0.1, 0.0, data_seed=data_seed)
    return noising.corrupt(noised, member)


def test_levels_are_nested_and_replace_the_stated_fraction(noised):
    levels = [0, 0.1, 0.25, 0.4, 0.999, 1.0]
    masks = [corrupt(noised, "randY", level, 1)["mask"].values for level in levels]
    assert [mask.sum() for mask in masks] == [round(level * 100) for level in levels]
    for smaller, larger in pairwise(masks):
        assert not (smaller & ~larger).any()
    other_draw = corrupt(noised, "randY", 0.4, 0)["mask"].values
    assert (other_draw != masks[3]).any()


def test_randy_changes_labels_under_the_mask_only(noised, drawn):
    half = corrupt(noised, "randY", 0.4, 0)
    mask = half["mask"].values
    np.testing.assert_array_equal(half["label"].values[~mask], drawn["label"].values[~mask])
    expected = noised["noise_label"].sel(noise_seed=0).values[mask]
    np.testing.assert_array_equal(half["label"].values[mask], expected)
    np.testing.assert_array_equal(half["true_label"], drawn["label"])
    full = corrupt(noised, "randY", 1.0, 0)
    np.testing.assert_array_equal(full["label"].values[mask], expected)


def test_real_and_randx_keep_the_labels(noised, drawn):
    for kind, replaced in (("real", 0), ("randX", 40)):
        corrupted = corrupt(noised, kind, 0.4, 0)
        np.testing.assert_array_equal(corrupted["label"], drawn["label"])
        assert corrupted["mask"].sum() == replaced


def test_subsets_are_balanced_disjoint_and_nested(source, settings):
    data = plan.data_settings(settings)
    small, large = (
        noising.of_draw(noising.noise_dataset(source, data | {"train_examples": size}), 0)
        for size in (103, 200)
    )
    for part, size in ((small, 103), (large, 200)):
        assert np.ptp(np.bincount(part["label"])) <= 1
        assert np.bincount(part["validation_label"]).tolist() == [10] * 5
        assert len(set(part["index"].values)) == size
        assert not set(part["index"].values) & set(part["validation_index"].values)
    np.testing.assert_array_equal(small["index"], large["index"][:103])
    np.testing.assert_array_equal(small["validation_index"], large["validation_index"])
    other = noising.of_draw(noising.noise_dataset(source, data), 1)
    assert set(other["index"].values) != set(large["index"].values[:100])


def test_noise_of_more_examples_begins_with_that_of_fewer(source, settings):
    data = plan.data_settings(settings)
    small, large = (
        noising.of_draw(decoded(source, data | {"train_examples": size}), 1) for size in (100, 200)
    )
    np.testing.assert_allclose(small["image"], large["image"][:100], atol=1e-12)
    np.testing.assert_array_equal(small["noise_label"], large["noise_label"][:, :100])
    np.testing.assert_array_equal(small["noise_image"], large["noise_image"][:, :100])


def test_index_and_label_lead_back_to_the_source(source, settings):
    data = plan.data_settings(settings) | {"validation_from": "test", "image_size": 8}
    noised = noising.of_draw(decoded(source, data), 1)
    for prefix, split in (("", 0), ("validation_", 1)):
        part = source.isel(example=source["split"].values == split)
        part = part.isel(example=noised[f"{prefix}index"].values)
        np.testing.assert_array_equal(noised[f"{prefix}label"], part["label"])
        np.testing.assert_allclose(noised[f"{prefix}image"], part["image"] / 255)


def test_classes_that_run_out_are_left_out_of_their_turn():
    labels = np.array([0] * 2 + [1] * 10)
    ordered = labels[subsets.balanced_order(labels, generator("test"))]
    assert sorted(ordered[:2]) == sorted(ordered[2:4]) == [0, 1]
    assert (ordered[4:] == 1).all()


def test_pooling_takes_the_mean_over_blocks(source, settings):
    data = plan.data_settings(settings)
    pooled = xr.decode_cf(noising.noise_dataset(source, data | {"image_size": 4}))
    whole = xr.decode_cf(noising.noise_dataset(source, data | {"image_size": 8}))
    as_it_is = xr.decode_cf(noising.noise_dataset(source, data | {"image_size": None}))
    xr.testing.assert_identical(as_it_is["image"], whole["image"])
    blocks = whole["image"].coarsen(row=2, column=2).mean()
    np.testing.assert_allclose(pooled["image"], blocks, atol=1e-12)


def test_an_image_size_that_does_not_divide_is_refused(source, settings):
    with pytest.raises(UserError, match="image_size 3 does not divide .*choose one of 8, 4, 2, 1"):
        noising.noise_dataset(source, plan.data_settings(settings) | {"image_size": 3})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_examples": 300}, "300 train examples are asked for, but only 250"),
        ({"validation_from": "test", "validation_examples": 101}, "only 100 test images"),
    ],
)
def test_more_examples_than_there_are(source, settings, changes, message):
    with pytest.raises(UserError, match=message):
        noising.noise_dataset(source, plan.data_settings(settings) | changes)


def test_few_of_many_large_images_take_little_memory():
    images = np.random.default_rng(0).integers(0, 255, (700, 3, 128, 128), dtype=np.uint8)
    whole = sources._dataset([(images, np.arange(700) % 2), (images[:0], np.arange(0))], "ab")
    tracemalloc.start()
    noised = noising.noise_dataset(
        whole, DATA | {"image_size": None, "train_examples": 20, "validation_examples": 10}
    )
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert noised.attrs["input_mean"] == pytest.approx(images.mean() / 255)
    assert most < 4 * images.nbytes  # all of them, as the whole numbers that are summed, are 20


def test_a_new_seed_leaves_the_noise_of_the_others(source, settings):
    data = plan.data_settings(settings)
    before = noising.noise_dataset(source, data)
    after = noising.noise_dataset(source, data | {"noise_seeds": [0, 1, 2]})
    for name in ("order", "noise_label", "noise_image"):
        xr.testing.assert_equal(after[name].sel(noise_seed=[0, 1]), before[name])
    xr.testing.assert_equal(after["image"], before["image"])


def test_a_new_draw_of_examples_leaves_the_others(source, settings):
    data = plan.data_settings(settings) | {"scaling": "standardized"}
    before, after = (decoded(source, data | {"data_seeds": s}) for s in ([1], [0, 1, 7]))
    assert after.sizes["pool"] > before.sizes["pool"]
    xr.testing.assert_identical(noising.of_draw(after, 1), noising.of_draw(before, 1))
    drawn = [set(noising.of_draw(after, seed)["index"].values) for seed in (0, 1, 7)]
    for one, other in combinations(drawn, 2):
        # Two of 100 drawn from 300 share a third of them; exactly as many would be no chance.
        assert 15 < len(one & other) < 52
    assert len(np.unique(after["index"])) == after.sizes["pool"]


def test_balanced_random_labels_are_so_at_every_level(source, settings):
    data = plan.data_settings(settings) | {"random_labels": "balanced", "train_examples": 103}
    noised = decoded(source, data)
    for seed in (0, 1):
        order = noised["order"].sel(noise_seed=seed).values
        labels = noised["noise_label"].sel(noise_seed=seed).values[order]
        for count in range(1, 104):
            assert np.ptp(np.bincount(labels[:count], minlength=5)) <= 1
        assert len({tuple(labels[first : first + 5]) for first in range(0, 100, 5)}) > 10
    assert (noised["noise_label"][0] != noised["noise_label"][1]).mean() > 0.6
