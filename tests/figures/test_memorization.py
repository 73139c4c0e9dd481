"""The figures on memorisation draw what their metrics hold, whatever the study."""

from itertools import pairwise

import numpy as np
import pytest

from figure_text import all_text
from made_up_memorization import made_up_memorization
from rote.figures import looks, memorization, memorized_examples, style
from rote.files.sweeps import first_of_each
from rote.metrics import memorization as memorization_metrics
from rote.metrics import memorized_examples as memorized_examples_metrics


def metrics_of(*runs):
    return first_of_each(memorization_metrics.metrics(list(runs)))


def images_of(run):
    return first_of_each(memorized_examples_metrics.metrics([run]))


def drawn(module, metrics, folder):
    """Draw a figure, save it, and check that nothing is cut off."""
    with style.paper():
        figure = module.draw(metrics)
        style.save(figure, folder / "f.png", folder / "f.pdf")
        box, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(box.x0, box.y0, width - box.x1, height - box.y1) >= -0.02
    return figure


def text_of(figure) -> str:
    return all_text(figure).replace("\n", " ")


def test_curves_are_shares_of_examples_with_at_least_a_score(memorized):
    first = memorized.isel(fraction=0)
    with style.paper():
        axes = np.array(memorization.draw(memorized).axes).reshape(2, 3)
    levels = looks.of_levels(memorized["noise_level"].values)
    for row, kind in zip(axes, ("randX", "randY"), strict=True):
        for axis, changed in zip(row[:2], (False, True), strict=True):
            lines = {line.get_color(): line for line in axis.get_lines()}
            for level, look in levels.items():
                own = first.sel(condition=kind, noise_level=level)
                part = own["changed"].values == changed  # as many in each seed
                if not part.any():
                    assert look.colour not in lines
                    continue
                scores = own["memorization"].transpose("seed", ...).values.astype(float).round(5)
                each = [one[of & np.isfinite(one)] for one, of in zip(scores, part.T, strict=True)]
                shares = [
                    np.mean([np.mean(one >= s) for one in each])
                    for s in memorization.SCORES.round(5)
                ]
                np.testing.assert_allclose(lines[look.colour].get_ydata(), shares)


def test_shares_are_drawn_with_their_errors_against_the_level(memorized):
    with style.paper():
        axis = memorization.draw(memorized).axes[5]  # randY, behind which there is none
    own = memorized.isel(fraction=0).sel(condition="randY")
    for container, part in zip(axis.containers, memorization.PARTS, strict=True):
        line, _, (bars,) = container
        share, error = (own[f"memorized_share{ends}"].sel(part=part) for ends in ("", "_error"))
        expected = share.mean("seed").dropna("noise_level")
        np.testing.assert_allclose(line.get_ydata(), expected)
        offset = memorization.BESIDE[part]
        np.testing.assert_allclose(line.get_xdata() - offset, expected["noise_level"])
        of_mean = np.sqrt((error**2).sum("seed")).sel(noise_level=expected["noise_level"]) / 2
        heights = [np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()]
        np.testing.assert_allclose(heights, of_mean)
    assert of_mean.max() > 0


def test_threshold_and_ceiling_are_drawn(memorized):
    with style.paper():
        figure = memorization.draw(memorized)
        axes = np.array(figure.axes).reshape(2, 3)
    for row in axes:
        upright = [
            {line.get_xdata()[0] for line in axis.get_lines() if len(line.get_xdata()) == 2}
            for axis in row[:2]
        ]
        assert upright == [{0.25}, {0.25, 0.75}]  # of four classes
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [
        "0 % replaced", "40 %", "100 %", "threshold: 0.25", "fitted random label: 0.75"
    ]  # fmt: skip


def test_footnote_says_whose_scores_these_are(memorized):
    with style.paper():
        text = text_of(memorization.draw(memorized))
    assert "40 models a condition and seed, each on a random 50 % of the examples" in text
    assert "(first of 50 %, 75 %)" in text
    assert "real 1.00 ± 0.00; randX: 40 % 1.00 ± 0.00" in text  # all fit
    reliability = memorized["reliability"].isel(fraction=0).sel(condition="randX", noise_level=0.4)
    assert f"randX: 40 % {style.mean_and_spread(reliability)}" in text
    assert "bars: standard error of the mean over models" in text


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [1, 2])
def test_real_data_alone_has_one_panel(seeds, tmp_path):
    metrics = metrics_of(made_up_memorization(levels=(0.0,), seeds=seeds))
    figure = drawn(memorization, metrics, tmp_path)
    (axis,) = figure.axes
    expected = memorization.survival(
        metrics["memorization"].isel(fraction=0).sel(condition="real", noise_level=0.0),
        ~metrics["changed"].sel(condition="real", noise_level=0.0),
    )
    np.testing.assert_allclose(axis.get_lines()[0].get_ydata(), expected.mean("seed"))
    assert "bars" not in text_of(figure)
    assert ("±" in text_of(figure)) == (seeds > 1)


@pytest.mark.slow
def test_one_seed_with_noise_and_without_level_0(tmp_path):
    figure = drawn(memorization, metrics_of(made_up_memorization(seeds=1)), tmp_path)
    assert "0.1; 1 seed; bars" in text_of(figure)  # of one seed there is no spread
    run = made_up_memorization(levels=(0.4, 1.0))
    assert len(drawn(memorization, metrics_of(run), tmp_path).axes) == 3


@pytest.mark.slow
def test_six_levels_of_five_noises_fit(tmp_path):
    kinds = ("randX", "randY", "pairY", "gaussX", "permuted")
    run = made_up_memorization(kinds=kinds, levels=(0.0, 0.2, 0.4, 0.6, 0.8, 1.0))
    figure = drawn(memorization, metrics_of(run), tmp_path)
    assert len(figure.axes) == 15
    titles = [axis.get_title(loc="left").split("\n")[0] for axis in figure.axes[::3]]
    assert titles[2:] == [
        "gaussX: Gaussian noise of each channel", "pairY: label of the next class", "permuted"
    ]  # fmt: skip


def test_groups_whose_models_all_diverged_are_left_out():
    run = made_up_memorization(models=8)
    run["diverged_epoch"][run["noise_level"] == 0.4] = 2
    with style.paper():
        figure = memorization.draw(metrics_of(run))
    of_level = looks.of_levels([0.0, 0.4, 1.0])[0.4].colour
    for axis in figure.axes[:2]:
        assert of_level not in {line.get_color() for line in axis.get_lines()}
    assert "16 models diverged and are left out" in text_of(figure)


def lines_below(axis) -> list[str]:
    return [text.get_text() for text in axis.texts]


def test_images_stand_above_their_labels_and_scores(memorable):
    with style.paper():
        figure = memorized_examples.draw(memorable)
    names = memorable["class_name"].values
    for axis, panel in zip(figure.axes, memorable["panel"].values, strict=False):
        own = memorable.sel(panel=panel).dropna("rank", subset=["memorization"])
        images, below = axis.get_images(), lines_below(axis)
        assert len(images) == len(below) == own.sizes["rank"]
        for rank, (image, text) in enumerate(zip(images, below, strict=True)):
            one = own.isel(rank=rank)
            np.testing.assert_array_equal(image.get_array(), one["image"].squeeze())
            label, true = one["label"].item(), one["true_label"].item()
            said = [names[label], *([f"(is {names[true]})"] if label != true else [])]
            assert text.split("\n") == [*said, style.number(one["memorization"].item(), 2)]
    assert "(is " in text_of(figure)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[3] == (
        "randY: noise in the labels, 40 % replaced: most memorised of the kept examples"
    )
    assert "randX: noise in the inputs, 40 % replaced: most memorised of the changed" not in titles


def test_pairs_stand_below_each_other(memorable):
    with style.paper():
        above, below = memorized_examples.draw(memorable).axes[-2:]
    shown = memorable.isel(pair=memorable["shown_pair"].values)
    assert len(above.get_images()) == len(below.get_images()) == shown.sizes["pair"]
    for text, influence in zip(lines_below(below), shown["influence"].values, strict=True):
        assert text.split("\n")[1] == f"+{influence:.2f}"
    for image, example in zip(below.get_images(), shown["validation_example"], strict=True):
        assert (image.get_array() == 100 + example).all()


def test_caption_says_why_there_are_no_pairs(memorable):
    few = images_of(made_up_memorization(models=40))
    with style.paper():
        said = memorized_examples.draw(few).get_label()
        assert "measured from 2,000 models a condition and seed on" in said
        assert "measured from" not in memorized_examples.draw(memorable).get_label()


def test_caption_says_which_images_are_shown_and_of_which_seeds(memorable):
    with style.paper():
        figure = memorized_examples.draw(memorable)
    own = memorable.sel(panel="real 0 all most")
    first = f"{own['index'].values[0]} (seed {own['example_seed'].values[0]}),"
    assert f"real data: most memorised: of 24 images, {first}" in figure.get_label()
    assert "images" not in figure.get_supxlabel()
    assert "chosen from 2 seeds" in figure.get_supxlabel()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("classes", "cut"),
    [
        (["T-shirt/top", "Ankle boot"], False),
        (["sunflower, the common one", "a long name, which is that of a class of images"], True),
        (["$a_b$", "Pneumonoultramicroscopicsilicovolcanoconiosis"], True),
    ],
)
def test_names_of_classes_fit_below_images(classes, cut, tmp_path):
    metrics = images_of(made_up_memorization(classes=classes, models=40))
    figure = drawn(memorized_examples, metrics, tmp_path)
    for axis in figure.axes:
        boxes = [text.get_window_extent() for text in axis.texts]
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
        bottoms = {image.get_window_extent().y0 for image in axis.get_images()}
        assert len(bottoms) == 1
        assert all(box.y1 <= min(bottoms) for box in boxes)
        assert all(text.get_text().count("\n") <= 4 for text in axis.texts)
    assert ("…" in text_of(figure)) == cut
    assert (f"Classes: 0 {classes[0]}, 1 {classes[1]}." in figure.get_label()) == cut


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 64, 48), (4, 14, 28)])
def test_images_of_any_shape_fit(shape, tmp_path):
    metrics = images_of(made_up_memorization(shape=shape, levels=(0.0,), seeds=1))
    figure = drawn(memorized_examples, metrics, tmp_path)
    assert len(figure.axes) == 2
    for axis in figure.axes:
        left, right, bottom, top = axis.get_images()[0].get_extent()
        pixels = axis.transData.transform([[left, bottom], [right, top]])
        width, height = np.abs(np.diff(pixels, axis=0))[0]
        assert height / width == pytest.approx(shape[1] / shape[2], rel=1e-3)


def test_pixels_are_grey_or_in_colour():
    image = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    assert memorized_examples.shown(image).tolist()[0][1] == [1, 5, 9]
    assert memorized_examples.shown(image[:2]).tolist() == [[2, 3], [4, 5]]
    assert memorized_examples.shown(image[:1]).tolist() == [[0, 1], [2, 3]]
