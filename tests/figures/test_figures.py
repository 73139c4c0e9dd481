import re

import numpy as np
import pytest

from figure_text import all_text
from made_up_runs import (
    convergence_runs,
)
from rote.figures import (
    consistency,
    fair_proxy,
    fig1,
    fig2,
    fig3_1,
    fig3_2,
    fig3_3,
    fig4_1,
    fig4_2,
    fig5_1,
    fig5_2,
    filters,
    forgetting,
    leave_one_out,
    looks,
    memorization,
    memorized_examples,
    proxies,
    style,
)
from rote.files.sweeps import first_of_each
from rote.machine.errors import UserError
from rote.metrics import fig2 as fig2_metrics


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "metrics"),
    [
        (fig1, "capacity"),
        (fig2, "convergence"),
        (fig3_1, "difficulty"),
        (forgetting, "forgotten"),
        (memorization, "memorized"),
        (memorized_examples, "memorable"),
        (consistency, "consistent"),
        (fig3_2, "inequality"),
        (fig3_3, "classes"),
        (leave_one_out, "left_out"),
        (fig4_1, "complexity"),
        (fig4_2, "levels"),
        (fig5_1, "regularizers"),
        (fig5_2, "curves"),
        (filters, "learned"),
        (proxies, "ranked"),
        (fair_proxy, "variants"),
    ],
)
def test_nothing_is_cut_off_and_data_set_and_size_are_named(module, metrics, request, tmp_path):
    with style.paper():
        figure = module.draw(request.getfixturevalue(metrics))
        style.save(figure, tmp_path / "f.png", tmp_path / "f.pdf")
        figure.draw_without_rendering()
        drawn = figure.get_tightbbox()  # inches
        width, height = figure.get_size_inches()
        assert min(drawn.x0, drawn.y0) >= -0.02  # rounding to pixels
        assert drawn.x1 <= width + 0.02
        assert drawn.y1 <= height + 0.02
        for axis in figure.axes:
            titles = [axis.get_title(loc=loc) for loc in ("left", "center")]
            assert axis.get_xlabel() or axis.get_ylabel() or any(titles)
        # Images need no axes, and rows that are named no other name.
        unnamed = module in (filters, memorized_examples, proxies)
        assert figure.axes[0].get_ylabel() or unnamed
        assert re.search("Synthetic, 4×4 pixels, 100 (to 400 )?training", all_text(figure))
    assert (tmp_path / "f.png").stat().st_size > 10_000
    assert (tmp_path / "f.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("module", "metrics"),
    [(fig4_1, "complexity"), (fig4_2, "levels"), (fig5_1, "regularizers"), (fig5_2, "curves")],
)
def test_protocols_of_the_published_sizes_fit(module, metrics, request):
    protocol = (
        "CIFAR-10, 32×32 pixels, 50,000 training and 10,000 validation examples; CNN, 2 "
        "convolutions of 200 maps, dense layers of 384 and 192 units\nSGD, 100 epochs, batch 100, "
        "learning rate 0.01 halved every 15 epochs, momentum 0.9"
    )
    with style.paper():
        figure = module.draw(request.getfixturevalue(metrics).assign_attrs(protocol=protocol))
        figure.draw_without_rendering()
        drawn = figure.get_tightbbox()
    assert drawn.x0 >= -0.02
    assert drawn.x1 <= figure.get_size_inches()[0] + 0.02


def test_figure_4_2_names_of_cases_do_not_run_into_each_other(levels):
    cases = ["digits_cnn_of_16_maps", "digits_cnn_of_32_maps"]
    titles = [f"MNIST digits, CNN ({case})" for case in cases]
    with style.paper():
        figure = fig4_2.draw(levels.assign_coords(dataset=cases, title=("dataset", titles)))
        figure.draw_without_rendering()
        above, below = (axis.yaxis.label.get_window_extent() for axis in figure.axes[::4])
        assert above.y0 > below.y1


def panels_of_figure_1(figure) -> dict:
    """Return the panels by what they show, of randX and randY."""
    names = "validation_accuracy", "train_accuracy"
    each = [(name, kind) for name in names for kind in ("randX", "randY")]
    return dict(zip(each, figure.axes, strict=True))


def test_figure_1_draws_the_mean_over_seeds(capacity):
    with style.paper():
        figure = fig1.draw(capacity)
        for (name, kind), axis in panels_of_figure_1(figure).items():
            curves = {line.get_label(): line for line in axis.get_lines()}
            for level, label in ((0.0, "0 %"), (0.4, "40 %"), (1.0, "100 %")):
                expected = capacity[name].sel(noise_kind=kind, noise_level=level)
                np.testing.assert_allclose(curves[label].get_ydata(), expected.mean("seed"))
                np.testing.assert_allclose(curves[label].get_xdata(), [8, 32])
    assert not any(hollow(axis) for axis in figure.axes)


def test_figure_1_draws_the_widths_that_are_tested(capacity):
    # (level, hidden_units). Of 2 log2 units, three quarters and a half of the way to 0.8; at level
    # 1 the width is not tested. Below, two thirds of the way to 0.9; none; the smallest.
    validation = np.array([[0.5, 0.9], [0.7, 0.9], [0.9, 0.9]])
    trained = np.array([[0.7, 1.0], [0.5, 0.7], [1.0, 1.0]])
    capacity["validation_accuracy"][:] = validation[None, :, :, None]
    capacity["train_accuracy"][:] = trained[None, :, :, None]
    capacity["plateau"][:] = True
    with style.paper():
        figure = fig1.draw(capacity, margin=0.1, fitted=0.9)
    above, below = [8 * 4**0.5, 8 * 4**0.75], [8, 8 * 4 ** (2 / 3), 32]
    for (name, _), axis in panels_of_figure_1(figure).items():
        widths = above if name == "validation_accuracy" else below
        np.testing.assert_allclose(sorted(x for x, _ in hollow(axis)), widths)
        drawn_at = [line.get_ydata() for line in axis.get_lines()]
        at_fitted = [y for y in drawn_at if list(y) == [0.9, 0.9] and name == "train_accuracy"]
        assert len(at_fitted) == (name == "train_accuracy")
    said = figure.get_label()
    assert "within 0.1 of the best validation accuracy (≤, ≥: a bound); randX: 0 % ≥ 23" in said
    assert "randX: 0 % ≥ 23, 40 % ≥ 16; randY" in said
    assert "a training accuracy of 0.9, the thin line; randX: 0 % 20" in said
    assert "randX: 0 % 20, 40 % ≥ 32, 100 % ≤ 8; randY" in said


def test_figure_1_of_a_single_seed_has_no_spread(capacity):
    with style.paper():
        fig1.draw(capacity.isel(seed=[0]))


def test_figure_2_draws_relative_times_and_epochs(convergence):
    with style.paper():
        left, right = fig2.draw(convergence).axes
        for axis, name, along in (
            (left, "normalized_time", [100, 200, 400]),
            (right, "capacity_epochs_to_convergence", [8, 16]),
        ):
            curves = {line.get_label(): line for line in axis.get_lines()}
            for level, label in ((0.0, "0 %"), (0.4, "40 %"), (1.0, "100 %")):
                expected = np.exp(np.log(convergence[name].sel(noise_level=level)).mean("seed"))
                np.testing.assert_allclose(curves[label].get_ydata(), expected)
                np.testing.assert_allclose(curves[label].get_xdata(), along)
        assert {left.get_xscale(), left.get_yscale(), right.get_yscale()} == {"log"}


def test_figure_2_draws_the_slopes_that_are_tested(convergence):
    with style.paper():
        left, _ = fig2.draw(convergence).axes
    for level in convergence["noise_level"].values:
        colour = looks.of_levels(convergence["noise_level"].values)[level].colour
        (line,) = (
            line
            for line in left.get_lines()
            if line.get_linestyle() == "--" and line.get_color() == colour
        )
        slopes = np.diff(np.log(line.get_ydata())) / np.diff(np.log(line.get_xdata()))
        expected = convergence["slope"].sel(noise_level=level).mean().item()
        np.testing.assert_allclose(slopes, expected, atol=1e-9)


def hollow(axis) -> set:
    """Return the points at which an axis has hollow markers."""
    return {
        (x, y)
        for line in axis.get_lines()
        if line.get_markerfacecolor() == "none"
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        if np.isfinite(y)
    }


def test_figure_2_marks_what_did_not_converge(convergence):
    with style.paper():
        figure = fig2.draw(convergence)
        left, right = figure.axes
        text = all_text(figure)
    assert hollow(left) == {(400, 10)}
    assert hollow(right) == {(8, 50), (16, 50)}
    assert "△ not converged: 2 models, drawn and counted at the limit of 50 epochs" in text
    assert "1 models diverged and count as not converged" in text
    assert "training accuracy 95 %" in text
    assert "40 % 0.50 ± 0.71" in text  # slopes of 1 and 0


def test_figure_2_marks_times_relative_to_one_that_did_not_converge():
    runs = [run.copy(deep=True) for run in convergence_runs()]
    first = (runs[0]["noise_level"] == 0.4) & (runs[0]["seed"] == 0)
    runs[0]["converged_epoch"][:] = runs[0]["converged_epoch"].where(~first, 0)
    with style.paper():
        left, _ = fig2.draw(first_of_each(fig2_metrics.metrics(runs))).axes
    assert hollow(left) == {(400, 10), (100, 1), (200, 20 / 50), (400, 40 / 50)}


def test_figure_2_of_converged_runs_has_no_limit(convergence):
    runs = [run.copy(deep=True) for run in convergence_runs()]
    for run in runs:
        run["converged_epoch"] = run["converged_epoch"].where(run["converged_epoch"] > 0, 49)
        run["diverged_epoch"][:] = 0
    with style.paper():
        figure = fig2.draw(first_of_each(fig2_metrics.metrics(runs)))
    assert not any(hollow(axis) for axis in figure.axes)
    assert "△" not in all_text(figure)


def test_figure_3_2_draws_the_mean_and_dots_what_has_exploded(inequality):
    with style.paper():
        axes = np.array(fig3_2.draw(inequality, exploded=1000).axes).reshape(2, 2)
        for column, labelling in zip(axes.T, ("class", "unique"), strict=True):
            panel = inequality.sel(labelling=labelling).dropna("update", how="all")
            for axis, name in zip(column, ("gini", "mean_sensitivity"), strict=True):
                for condition in ("real", "halfX", "randX"):
                    colour = looks.CONDITIONS[condition].colour
                    lines = [line for line in axis.get_lines() if line.get_color() == colour]
                    left = panel["growth"].sel(condition=condition) <= 1000
                    mean = panel[name].sel(condition=condition).where(left).mean("seed")
                    np.testing.assert_allclose(lines[-1].get_ydata(), mean)
                    np.testing.assert_allclose(lines[-1].get_xdata(), panel["update"])
                    dotted = [line for line in lines if line.get_linestyle() == ":"]
                    shown = sum(np.isfinite(line.get_ydata()).sum() for line in dotted)
                    assert shown == (3 if (labelling, condition) == ("unique", "real") else 0)


def test_figure_3_2_says_what_the_numbers_are(inequality):
    with style.paper():
        text = all_text(fig3_2.draw(inequality, exploded=1000))
        last = inequality["gini"].sel(labelling="class", condition="real", update=10)
        assert f"real {last.mean():.2f} ± {last.std(ddof=1):.2f}" in text
        real = inequality["gini"].sel(labelling="unique", condition="real", update=30, seed=0)
        assert f"real {real:.2f} (without 1 of 2 seeds, exploded)" in text
        alike = inequality["share_gini"].sel(labelling="unique", condition="real", update=30)
        assert f"real {alike.mean():.2f} ± {alike.std(ddof=1):.2f}" in text  # none is left out
        assert "sensitivity (ℓ1 norm) at 4 times" in text
        assert "exploded" not in all_text(fig3_2.draw(inequality, exploded=1e9))
        alone = inequality.sel(labelling=["class"]).dropna("update", how="all").isel(seed=[0])
        text = all_text(fig3_2.draw(alone, exploded=1000))
    assert "±" not in text
    assert "exploded" not in text


def shares(classes, **chosen) -> np.ndarray:
    """Return a matrix as its cells' shares in percent, mean over the seeds."""
    share = 100 * classes["class_share"].sel(**chosen)
    return share.transpose("loss_class", "example_class", ...)


def test_figure_3_3_draws_shares_of_both_matrices_in_one_scale(classes):
    with style.paper():
        figure = fig3_3.draw(classes)
        images = [axis.get_images()[0] for axis in figure.axes[:2]]
        assert images[0].norm is images[1].norm
        for axis, image, condition in zip(figure.axes, images, ("real", "randX"), strict=False):
            expected = shares(classes, condition=condition).mean("seed").values
            np.testing.assert_allclose(image.get_array(), expected)
            assert image.norm.vmin <= expected.min()
            assert image.norm.vmax >= expected.max()
            share = classes["diagonal_share"].sel(condition=condition).mean().item()
            assert f"{100 * share:.0f} % on the diagonal" in axis.get_title()
        assert figure.axes[0].get_ylabel() == "class of the loss terms"  # the rows
        assert {axis.get_xlabel() for axis in figure.axes[:2]} == {"class of the training example"}
        text = all_text(figure)
    share = classes["diagonal_share"].sel(condition="randX")
    assert f"randX {share.mean():.2f} ± {share.std(ddof=1):.2f}" in text


def test_figure_3_3_leaves_cells_without_a_logarithm_white(classes):
    classes["class_share"][0, 0, 0] = 0.0
    with style.paper():
        norm = fig3_3.draw(classes).axes[0].get_images()[0].norm
        assert 0 < norm.vmin < norm.vmax < np.inf
        classes["class_share"][:] = np.nan
        with pytest.raises(UserError, match="sensitivities are infinite, or all are 0: lower"):
            fig3_3.draw(classes)


def test_figure_3_3_says_how_large_sensitivities_are_without_those_that_exploded(classes):
    classes = classes.isel(seed=[0, 1, 1])
    classes["class_sensitivity"][..., 1] = 2.0
    classes["class_sensitivity"][..., 2] = 1e30
    classes["class_sensitivity"][..., 0] = 1.0
    with style.paper():
        text = all_text(fig3_3.draw(classes))
    assert "mean sensitivity, median of the seeds [nat]: real 2.0, randX 2.0" in text


def test_figure_4_1_draws_ratio_and_accuracy_at_the_searched_epochs(complexity):
    with style.paper():
        figure = fig4_1.draw(complexity, fitted=0.9)
        (left, middle, right), text = figure.axes, all_text(figure)
    for axis, name in (
        (left, "critical_sample_ratio"),
        (middle, "train_critical_sample_ratio"),
        (right, "train_accuracy"),
    ):
        for condition in ("real", "randX", "randY"):
            look = looks.CONDITIONS[condition]
            line = next(
                line
                for line in axis.get_lines()
                if line.get_color() == look.colour and line.get_marker() == look.marker
            )
            values = complexity[name].sel(condition=condition)
            expected = values.sel({values.dims[0]: [2, 4]}).mean("seed")
            np.testing.assert_allclose(line.get_ydata(), expected)
            np.testing.assert_array_equal(line.get_xdata(), [2, 4])
    last = complexity["critical_sample_ratio"].sel(condition="randY", critical_epoch=4)
    assert f"randY {last.mean():.3f} ± {last.std(ddof=1):.3f}" in text
    (noise,) = (line for line in left.get_lines() if line.get_markerfacecolor() == "white")
    assert noise.get_label() == "randX, on inputs of noise"
    assert left.get_ylabel() == "critical sample ratio"  # of whatever inputs
    assert "after 4 epochs, real validation inputs: real" in text
    assert "10 iterations, 40 validation inputs, 30 training inputs" in text
    assert left.get_title() == "on validation inputs"
    assert middle.get_title() == "on training inputs"
    assert left.get_ylim() == middle.get_ylim()
    last = complexity["train_critical_sample_ratio"].sel(condition="randX", critical_epoch=4)
    assert f"randX {last.mean():.3f} ± {last.std(ddof=1):.3f}" in text
    share = complexity["noise_commonest_class_share"].sel(condition="randX", critical_epoch=4)
    said = f"; validation inputs of noise: randX {share.mean():.3f} ± {share.std(ddof=1):.3f}; tr"
    assert said in figure.get_label()
    assert any(np.array_equal(line.get_ydata(), [0.9, 0.9]) for line in right.get_lines())


def test_figure_4_1_has_a_panel_of_training_inputs_only_if_they_were_searched(complexity):
    with style.paper():
        figure = fig4_1.draw(complexity.drop_vars([n for n in complexity if "train_c" in n]))
    assert [axis.get_ylabel() for axis in figure.axes] == [
        "critical sample ratio",
        "training accuracy",
    ]
    assert "training inputs" not in figure.get_label()


def test_figure_4_2_draws_a_pair_for_each_case_and_kind(levels):
    with style.paper():
        figure = fig4_2.draw(levels)
        axes = np.array(figure.axes).reshape(2, 2, 2)  # case, measure, kind
        text = all_text(figure)
    assert figure.get_figwidth() == style.PAGE
    look = looks.of_levels([0, 0.4])[0.4]

    def line(axis, style_of_line):
        return next(
            line
            for line in axis.get_lines()
            if (line.get_color(), line.get_linestyle()) == (look.colour, style_of_line)
            and line.get_marker() == look.marker
        )

    for of_case, case in zip(axes, ("digits_mlp", "digits_cnn"), strict=True):
        for accuracy, ratio, kind in zip(*of_case, ("randX", "randY"), strict=True):
            own = levels.sel(dataset=case, noise_kind=kind, noise_level=0.4)
            mean = own.dropna("epoch", how="all").mean("seed")
            solid, dotted = line(accuracy, "-"), line(accuracy, ":")
            np.testing.assert_allclose(solid.get_ydata(), mean["train_accuracy"])
            np.testing.assert_allclose(dotted.get_ydata(), mean["validation_accuracy"])
            searched = style.searched(mean["critical_sample_ratio"])
            np.testing.assert_allclose(line(ratio, "-").get_ydata(), searched)
            peak = mean["validation_accuracy"].idxmax("epoch").item()
            rings = hollow(accuracy)
            if kind == "randX":
                assert not rings
            else:
                at_peak = mean.sel(epoch=peak)
                assert rings == {
                    (peak, at_peak["train_accuracy"].item()),
                    (peak, at_peak["validation_accuracy"].item()),
                }
                assert len(hollow(ratio)) == 1
    assert "40 %" in text
    assert "100 %" not in text  # that of Figure 4.1
    assert "radius 0.3, α 0.25, β 0.2 grey levels, 10 iterations, 40 validation inputs" in text


def test_a_strength_under_the_star_is_not_written(regularizers):
    moved = regularizers.copy(deep=True)
    names = "noise_train_accuracy", "real_validation_accuracy"
    strength = moved["strength"].sel(regularizer="dropout").isel(strength_index=1)
    written = f"{strength.item():g}"
    for name in names:  # to where no regulariser is
        moved[name].loc[{"regularizer": "dropout", "strength_index": 1}] = (
            moved[name].sel(regularizer="dropout", strength_index=0).values
        )
    with style.paper([]):
        before, after = (
            [text.get_text() for text in fig5_1.draw(one).axes[0].texts]
            for one in (regularizers, moved)
        )
        for name in names:  # without a star all are written
            moved[name].loc[{"strength_index": 0}] = np.nan
        without = [text.get_text() for text in fig5_1.draw(moved).axes[0].texts]
    assert before.count(written) == after.count(written) + 1
    assert len(before) == len(after) + 1 == len(without)


@pytest.mark.slow
def test_figure_5_1_draws_each_regulariser_from_none_to_the_strongest(regularizers):
    with style.paper():
        figure = fig5_1.draw(regularizers)
        (axis,), text = figure.axes, all_text(figure)
    lines = {line.get_color(): line for line in axis.get_lines() if len(line.get_xdata()) > 1}
    for regularizer in regularizers["regularizer"].values:
        own = regularizers.sel(regularizer=regularizer).mean("seed")
        line = lines[looks.REGULARIZERS[regularizer].colour]
        x, y = own["noise_train_accuracy"].dropna("strength_index"), own["real_validation_accuracy"]
        np.testing.assert_allclose(line.get_xdata(orig=False), x)
        np.testing.assert_allclose(line.get_ydata(orig=False), y.dropna("strength_index"))
    for strength in ("0.2", "0.8", "0.01", "0.5, 0.4", "no regulariser"):
        assert strength in text


def test_figure_5_1_shades_where_the_claim_holds(regularizers):
    none = regularizers.isel(regularizer=0, strength_index=0).mean("seed")
    x, y = none["noise_train_accuracy"].item(), none["real_validation_accuracy"].item()
    with style.paper():
        (axis,) = fig5_1.draw(regularizers, margin=0.02, large=0.001).axes
        (patch,) = (patch for patch in axis.patches if patch.get_zorder() == 0)
        assert patch.get_bbox().x1 == pytest.approx(x - 0.001)
        assert patch.get_bbox().y0 == pytest.approx(y - 0.02)
        assert not [p for p in fig5_1.draw(regularizers).axes[0].patches if p.get_zorder() == 0]


def test_figure_5_2_draws_noise_left_and_real_right(curves):
    with style.paper():
        figure = fig5_2.draw(curves)
        axes, text = figure.axes, all_text(figure)
    for axis, condition in zip(axes, ("randY", "real"), strict=True):
        for regularizer in curves["regularizer"].values:
            line = next(
                line
                for line in axis.get_lines()
                if line.get_color() == looks.REGULARIZERS[regularizer].colour
                and line.get_marker() != "."
            )
            expected = curves["train_accuracy"].sel(condition=condition, regularizer=regularizer)
            np.testing.assert_allclose(line.get_ydata(), expected.mean("seed"))
    assert "dropout 0.8" in text
    assert "adversarial training and dropout 0.5, 0.4" in text


def test_filters_stand_by_decreasing_norm(learned):
    with style.paper():
        (image,) = filters.draw(learned).axes[0].get_images()
    weights = learned["filter"].sel(condition="real").values
    largest = weights[np.argmax(np.linalg.norm(weights.reshape(6, -1), axis=1)), 0]
    expected = 0.5 + 0.5 * largest / np.abs(largest).max()
    np.testing.assert_allclose(image.get_array()[1:6, 1:6], expected)


def test_filters_are_tiled_with_zero_as_grey():
    weights = np.zeros((3, 1, 2, 2))
    weights[1] = [[[1.0, -1.0], [0.5, 0.0]]]
    image = filters.tiled(weights, columns=2)
    assert image.shape == (7, 7)
    np.testing.assert_array_equal(image[1:3, 1:3], 0.5)
    np.testing.assert_array_equal(image[1:3, 4:6], [[1, 0], [0.75, 0.5]])
    assert (image[:, 0] == 1).all()
    assert (image[4:6, 4:6] == 1).all()  # no filter
    assert filters.tiled(np.ones((3, 3, 2, 2)), columns=2).shape == (7, 7, 3)


def test_the_same_metrics_give_the_same_files(difficulty, tmp_path):
    for name in ("a", "b"):
        with style.paper():
            style.save(fig3_1.draw(difficulty), tmp_path / f"{name}.png", tmp_path / f"{name}.pdf")
    for kind in ("png", "pdf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()


def test_forgetting_draws_kept_and_replaced_examples_apart(forgotten):
    with style.paper():
        figure = forgetting.draw(forgotten)
        (axis,) = figure.axes
        drawn = {}
        for line in axis.get_lines():
            drawn.setdefault((line.get_color(), line.get_markerfacecolor()), line)
        for part, face in (("kept", "white"), ("replaced", looks.CONDITIONS["randY"].colour)):
            expected = forgotten["forgotten_share"].sel(
                counted="presented", condition="randY", part=part
            )
            line = drawn[looks.CONDITIONS["randY"].colour, face]
            np.testing.assert_allclose(line.get_ydata(), expected.mean("seed"))
        assert "real, kept" not in all_text(figure)
        share = forgotten["unforgettable_share"].sel(counted="presented", part="replaced")
        assert f"randX, replaced {style.mean_and_spread(share.sel(condition='randX'))}" in all_text(
            figure
        ).replace("\n", " ")
    assert "Never learned: real 0." in figure.get_label()


def test_forgetting_of_all_examples_has_a_curve_a_condition(forgotten):
    replaced = forgotten["replaced"] | (forgotten["condition"] != "real")
    with style.paper():
        figure = forgetting.draw(forgotten.assign_coords(replaced=replaced))
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["real", "randX", "randY"]
