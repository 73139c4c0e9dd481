import numpy as np
import pytest
import xarray as xr
from matplotlib.text import Text

from rote import plan
from rote.figures import fig1, fig3_1, style
from rote.metrics import fig1 as fig1_metrics
from rote.metrics import fig3_1 as fig3_1_metrics
from test_metrics import made_up_run


@pytest.fixture
def capacity(noised, settings) -> xr.Dataset:
    runs = [made_up_run(plan.members(settings), units) for units in (8, 32)]
    metrics = fig1_metrics.metrics(noised, runs)
    return metrics.assign(validation_accuracy=metrics["validation_accuracy"] / 1000)


@pytest.fixture
def difficulty(noised) -> xr.Dataset:
    rng = np.random.default_rng(0)
    members = [
        plan.Member(kind, 1.0, 0, seed, 0.0)
        for kind in ("real", "randX", "randY")
        for seed in range(20)
    ]
    p = np.concatenate([np.tile(rng.random(200), (20, 1)), np.full((40, 200), 0.7)])
    run = made_up_run(members, 64, misclassified=rng.random((60, 200)) < p)
    return fig3_1_metrics.metrics(noised, [run])


def all_text(figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.mark.parametrize(("module", "metrics"), [(fig1, "capacity"), (fig3_1, "difficulty")])
def test_nothing_is_cut_off_and_data_set_and_size_are_named(module, metrics, request, tmp_path):
    with style.paper():
        figure = module.draw(request.getfixturevalue(metrics))
        style.save(figure, tmp_path / "f.png", tmp_path / "f.pdf")
        renderer = figure.canvas.get_renderer()
        for text in figure.findobj(Text):
            if text.get_text() and text.get_visible():
                box = text.get_window_extent(renderer)
                assert box.x0 >= -2  # pixels: rounding
                assert box.x1 <= figure.bbox.width + 2
                assert box.y0 >= -2
        for axis in figure.axes:
            assert axis.get_xlabel()
        assert figure.axes[0].get_ylabel()
        assert "Synthetic, 4×4 pixels, 100 training" in all_text(figure)
    assert (tmp_path / "f.png").stat().st_size > 10_000
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")


def test_figure_1_draws_the_mean_over_seeds(capacity):
    with style.paper():
        figure = fig1.draw(capacity)
        for axis, kind in zip(figure.axes, ("randX", "randY"), strict=True):
            curves = {line.get_label(): line for line in axis.get_lines()}
            for level, label in ((0.0, "0 %"), (0.4, "40 %"), (1.0, "100 %")):
                expected = capacity["validation_accuracy"].sel(noise_kind=kind, noise_level=level)
                np.testing.assert_allclose(curves[label].get_ydata(), expected.mean("seed"))
                np.testing.assert_allclose(curves[label].get_xdata(), [8, 32])


def test_figure_1_of_a_single_seed_has_no_spread(capacity):
    with style.paper():
        fig1.draw(capacity.isel(seed=[0]))


def test_figure_3_1_draws_sorted_rates_in_the_colours_of_the_poster(difficulty):
    with style.paper():
        (axis,) = fig3_1.draw(difficulty).axes
        lines = {line.get_label().split(":")[0]: line for line in axis.get_lines()}
    for condition in ("real", "randX", "randY"):
        rates = difficulty["misclassification_rate"].sel(condition=condition)
        np.testing.assert_allclose(lines[condition].get_ydata(), np.sort(rates))
        assert lines[condition].get_color() == style.CONDITION_COLOURS[condition]
        assert f"SD {rates.std().item():.3f}" in lines[condition].get_label()


def grey(colour: str | tuple) -> float:
    from matplotlib.colors import to_rgb

    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


def test_colours_differ_in_grey():
    for colours in (
        list(style.CONDITION_COLOURS.values()),
        [style.level_colour(level) for level in (0, 0.2, 0.4, 0.6, 0.8, 1)],
    ):
        lightness = np.sort([grey(colour) for colour in colours])
        assert np.diff(lightness).min() > 0.04


def test_the_same_metrics_give_the_same_files(difficulty, tmp_path):
    for name in ("a", "b"):
        with style.paper():
            style.save(fig3_1.draw(difficulty), tmp_path / f"{name}.png", tmp_path / f"{name}.pdf")
    for kind in ("png", "pdf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
