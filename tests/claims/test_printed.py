"""Numbers that others have printed: how ours are taken, what is within, what the page says."""

import numpy as np
import pytest
import xarray as xr
import yaml

from conftest import ROOT
from made_up_runs import made_up_forgetting
from rote.claims import printed
from rote.files import netcdf
from rote.machine.errors import UserError
from rote.study import configuration, plan
from rote.study.jobs import Study

FOLDER = ROOT / "docs" / "published"
PLAN = yaml.safe_load((FOLDER / "lines.yaml").read_text())
RUNS = {name: group for name, group in PLAN["groups"].items() if "run" in group}


def study_of(group: dict) -> Study:
    return Study(configuration.load(ROOT / "config.yaml", [FOLDER / group["config"]]))


def line(name: str, **own) -> dict:
    made_up = {"of": f"what {name} is", "unit": "%", "printed": 50.0, "tolerance": 1.0}
    return {"name": name, "because": "reasons", "take": {}, **made_up, **own}


def row(own: dict, ours, beside: float | None = None) -> xr.Dataset:
    about = {"made_by": "digest", "dataset": "images", "git_commit": "commit"}
    return printed.row(own, ours, own["printed"] if beside is None else beside, **about)


def page(own: list[dict], rows: dict[str, xr.Dataset]) -> dict[str, list[str]]:
    """Return the cells of the page behind the first, by that."""
    group = {"title": "Title", "about": "About.", "lines": own}
    text = printed.markdown({"about": "About all.", "groups": {"group": group}}, rows)
    cells = [words.split("|")[1:-1] for words in text.splitlines() if words[:3] == "| w"]
    return {of.strip(" ,%"): [cell.strip() for cell in rest] for of, *rest in cells}


RUN = xr.Dataset(
    {
        "train_accuracy": (("member", "epoch"), [[0.1, 0.2], [0.3, 0.4], [0.7, 0.8]]),
        "noise_kind": ("member", ["real", "randY", "randY"]),
        "epoch": [5, 10],
    }
)


def test_of_a_run_it_is_the_models_of_a_kind_at_an_epoch():
    take = {"variable": "train_accuracy", "noise_kind": "randY", "epoch": 10}
    assert printed.of_run(RUN, take).tolist() == [0.4, 0.8]
    del take["noise_kind"]
    assert printed.of_run(RUN, take).tolist() == [0.2]
    with pytest.raises(UserError, match="epoch 9, but its models were scored at others, the last"):
        printed.of_run(RUN, {"variable": "train_accuracy", "epoch": 9})
    own = row(line("one"), [0.4, 0.8])
    assert own["ours"].item() == pytest.approx(60)
    assert own["deviation"].item() == pytest.approx(np.std([40, 80], ddof=1))


SEARCH = xr.Dataset(
    {"ours": ("row", [0.1, 0.2])},
    coords={"model": ("row", ["mlp", "cnn"]), "trained_on": ("row", ["real", "real"])},
)


@pytest.mark.parametrize(
    ("of", "found", "take", "said"),
    [
        (printed.of_run, RUN, {"variable": "loss", "epoch": 5}, "is of loss, which its run"),
        (
            printed.of_run,
            RUN,
            {"variable": "train_accuracy", "epoch": 5, "noise_kind": "pairY"},
            "is of models trained on pairY, which its run does not have: mend lines.yaml",
        ),
        (
            printed.of_run,
            RUN,
            {"variable": "noise_kind", "epoch": 5},
            "is of noise_kind, which is no number of a model at an epoch: mend lines.yaml",
        ),
        (printed.of_run, RUN, {"unforgettable": "real"}, "is of forgetting_events, which its run"),
        (
            printed.of_search,
            SEARCH,
            {"variable": "ours", "model": "vit", "trained_on": "real"},
            "is of ours of vit, trained on real, which its benchmark does not measure",
        ),
        (
            printed.of_search,
            SEARCH,
            {"variable": "theirs", "model": "cnn", "trained_on": "real"},
            "is of theirs of cnn, trained on real, which its benchmark does not measure",
        ),
    ],
)
def test_what_is_not_there_is_a_sentence(of, found, take, said):
    with pytest.raises(UserError, match=said):
        of(found, take)


def test_unforgettable_is_what_all_models_have_learned_and_kept():
    members = [plan.Member("real", 0.0, 0, 0, 0.1, 0.0, experiment=i) for i in range(2)]
    events = np.array([[0, 0, 1, 0, 0], [0, 2, 0, 0, 0]])
    first = np.array([[1, 1, 1, 0, 3], [1, 1, 1, 1, 2]])
    run = made_up_forgetting(members, events, first, np.zeros((2, 5)))
    # The first and the last one; the third is forgotten by one model, one never learns the fourth.
    assert printed.of_run(run, {"unforgettable": "real"}).item() == 0.4
    run["index"] = run["index"] + np.array([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
    with pytest.raises(UserError, match="trained on different ones: leave data out of vary"):
        printed.of_run(run, {"unforgettable": "real"})


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(0.51, "within"), (0.49, "within"), (0.5101, "**outside**"), (np.nan, "**outside**")],
)
def test_a_line_is_within_up_to_its_tolerance(ours, verdict):
    own = line("one")
    cells = page([own], {"one": row(own, ours)})["what one is"]
    assert cells[0] == "50.00"
    assert cells[2:] == ["1.00 (a)", verdict]


def test_a_line_without_a_number_says_so():
    cells = page([line("one"), line("two")], {"two": row(line("two"), [0.4, 0.6])})
    assert cells["what one is"] == ["50.00", printed.NOT_YET, "1.00 (a)", ""]
    assert cells["what two is"] == ["50.00", "50.00 ± 14.14", "1.00 (a)", "within"]


@pytest.mark.parametrize(
    ("other", "found"),
    [(None, "not computed yet"), (0.5, "is within"), (0.6, "is outside, too")],
)
def test_outside_it_is_told_what_the_experiment_finds(other, found):
    own = [line("one", experiments=["two"]), line("two")]
    rows = {"one": row(own[0], 0.6)}
    if other is not None:
        rows["two"] = row(own[1], other)
    verdict = page(own, rows)["what one is"][-1]
    assert verdict.startswith("**outside**; its experiment, *what two is*")
    assert verdict.endswith(found)


def test_what_is_computed_beside_stands_in_the_place_of_what_is_printed():
    own = line("one", unit="1", printed="released", tolerance=0.1)
    assert page([own], {})["what one is"][0] == ""
    assert page([own], {"one": row(own, 0.25, 0.375)})["what one is"] == [
        "0.3750",
        "0.2500",
        "0.1000 (a)",
        "**outside**",
    ]


def test_the_table_comes_back_from_its_file(tmp_path):
    own = [line("one"), line("two", unit="nat", printed=2.0)]
    rows = {"two": row(own[1], [1.5, 3.5]), "one": row(own[0], 0.7)}
    planned = {"groups": {"group": {"lines": own}}}
    netcdf.write(printed.table(planned, rows), tmp_path / "table.nc")
    whole = netcdf.read(tmp_path / "table.nc")
    assert whole["line"].values.tolist() == ["one", "two"]
    assert whole["within"].values.tolist() == [0, 1]
    back = printed.rows_of(whole)
    for name, there in rows.items():
        xr.testing.assert_equal(back[name], there)


def test_experiments_are_those_of_other_groups_on_lines_that_lie_outside():
    own = [line("one", experiments=["three"]), line("two", experiments=["one"]), line("three")]
    groups = {"a": {"lines": own[:2]}, "b": {"lines": own[2:]}}
    planned = {"groups": groups}
    assert printed.experiments(planned, ["a"]) == ["b"]
    assert printed.experiments(planned, ["b"]) == []
    assert printed.experiments(planned, ["a", "b"]) == []
    assert printed.experiments(planned, ["a"], {}) == []
    assert printed.experiments(planned, ["a"], {"one": row(own[0], 0.5)}) == []
    assert printed.experiments(planned, ["a"], {"one": row(own[0], 0.6)}) == ["b"]


def test_the_page_counts_what_is_within_and_what_has_an_experiment():
    own = [line("one", experiments=["two"]), line("two"), line("three", experiments=["four"])]
    own.append(line("four"))
    rows = {one["name"]: row(one, 0.5 if one["name"] == "two" else 0.7) for one in own[:3]}
    group = {"title": "Title", "about": "", "lines": own}
    text = printed.markdown({"about": "All.", "groups": {"group": group}}, rows)
    assert (
        "All. Computed are 3 lines: 1 lie within their tolerance, 1 outside with an experiment "
        "that is within, and 1 outside without." in text
    )


def test_a_line_may_have_several_experiments():
    own = [line("one", experiments=["two", "three", "four"])]
    own += [line("two"), line("three"), line("four")]
    rows = {"one": row(own[0], 0.7), "two": row(own[1], 0.7), "three": row(own[2], 0.5)}
    group = {"title": "Title", "about": "", "lines": own}
    text = printed.markdown({"about": "All.", "groups": {"group": group}}, rows)
    assert "1 outside with an experiment that is within, and 1 outside without." in text
    said = [
        "**outside**",
        "its experiment, *what two is*, is outside, too",
        "its experiment, *what three is*, is within",
        "its experiment, *what four is*, is not computed yet",
    ]
    assert f"{'; '.join(said)} |" in text


# The plan that is shipped.


def test_lines_have_names_of_their_own_and_experiments_that_are_there():
    own = {one["name"]: one for _, one in printed.lines(PLAN)}
    assert len(own) == sum(len(group["lines"]) for group in PLAN["groups"].values())
    for one in own.values():
        assert one["unit"] in printed.UNITS
        assert one["because"]
        for name in one.get("experiments", ()):
            # All that may follow is named where it begins.
            assert {*own[name].get("experiments", ())} <= {*one["experiments"]}
            assert own[name]["take"].keys() == one["take"].keys()


@pytest.mark.parametrize("name", RUNS)
def test_its_runs_hold_the_lines(name):
    group = RUNS[name]
    study = study_of(group)
    experiment, _, run = group["run"].partition("/")
    settings = study.presets[group["preset"]][experiment]
    job = type("Job", (), {"preset": group["preset"], "experiment": experiment, "run": run})
    kinds = {member[0] for member in study.run(job)["members"]}
    for one in group["lines"]:
        take = one["take"]
        assert take.get("unforgettable", take.get("noise_kind", "real")) in kinds
        if "epoch" in take:
            assert take["epoch"] in plan.evaluated_epochs(settings["training"])


def test_its_page_is_that_of_its_table():
    rows = printed.rows_of(netcdf.read(FOLDER / "published.nc"))
    assert (FOLDER / "README.md").read_text() == printed.markdown(PLAN, rows)
