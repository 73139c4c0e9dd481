"""What the rules ask, asked without Snakemake."""

import json
import re
from types import SimpleNamespace

import pytest

from conftest import ROOT, figures_of_demo
from rote.study import code, configuration, notes, plan, stability, versions
from rote.study.figures import runs_of_experiment
from rote.study.jobs import Study


@pytest.fixture(scope="module")
def study() -> Study:
    return Study(configuration.load(ROOT / "config.yaml"))


OF_OWN = {"dataset": "own", "image_size": None}


def job(preset="demo", **wildcards) -> SimpleNamespace:
    return SimpleNamespace(preset=preset, **wildcards)


def run(experiment, name, preset="demo") -> SimpleNamespace:
    return job(preset, experiment=experiment, run=name)


def runs(study, preset):
    for experiment, settings in study.presets[preset].items():
        for name in runs_of_experiment(experiment, settings):
            yield run(experiment, name, preset)


def changed(content: dict) -> Study:
    return Study(configuration.load(ROOT / "config.yaml", given=content))


@pytest.mark.parametrize("preset", ["demo", "poster"])
def test_every_file_of_a_study_is_matched_by_its_wildcards(study, preset):
    allowed = study.wildcards()
    for one in runs(study, preset):
        assert re.fullmatch(allowed["run"], one.run)
        assert re.fullmatch(allowed["experiment"], one.experiment)
        noised = study.file_of_noised(one).removeprefix(f"results/{preset}/datasets/")
        assert re.fullmatch(allowed["noised"], noised.removesuffix(".nc"))
    for figure in study.figures(preset):
        assert re.fullmatch(allowed["figure"], figure)
    assert not re.fullmatch(allowed["preset"], "dem")
    assert not re.fullmatch(allowed["run"], "units-0")


def test_a_noised_data_set_is_drawn_from_its_data_set(study):
    one = job("poster", noised="complexity/cifar10_cnn")
    assert study.images_of_noised(one) == "data/cifar10.nc"
    assert study.title_of_noised(one) == "CIFAR-10"
    assert study.noising(one)["validation_from"] == "test"
    assert study.noising(one)["noise_seeds"] == study.noising(one)["data_seeds"] == [0, 1, 2, 3]
    assert study.source(job(dataset="cifar10")) == {
        "source": "torchvision",
        "name": "CIFAR10",
        "path": "data/torchvision",
    }


def test_more_classes_are_more_work(study):
    one = run("difficulty", "units-4096", "poster")
    more = changed({"datasets": {"cifar10": {"name": "CIFAR100"}}})
    assert [of.inputs_of_run(one)[1]["classes"] for of in (study, more)] == [10, 100]
    assert more.multiply_adds(one) > study.multiply_adds(one)
    assert "classes" not in study.noising(job("poster", noised="difficulty"))


@pytest.mark.parametrize(
    ("one", "noised", "kind"),
    [
        (run("capacity", "units-64"), "capacity", "training"),
        (run("convergence", "examples-500"), "convergence/examples-500", "training"),
        (run("convergence", "units-48"), "convergence/examples-4000", "training"),
        (run("sensitivity", "unique"), "sensitivity", "sensitivity"),
        (run("complexity", "digits_cnn"), "complexity/digits_cnn", "complexity"),
        (run("regularization", "none"), "regularization", "training"),
    ],
    ids=lambda value: getattr(value, "run", None),
)
def test_a_run_is_computed_from_its_noised_data_by_its_kind(study, one, noised, kind):
    assert study.file_of_noised(one) == f"results/demo/datasets/{noised}.nc"
    assert study.kind_of_run(one) == kind
    rule, *computed_by = study.code_of("compute_run")(one)
    assert rule == "compute_run"
    assert computed_by[0] == versions.current("TRAINING")
    assert len(computed_by) == (1 if kind == "training" else 2)
    assert study.run(one)["members"]


def test_a_longer_run_starts_first_and_what_others_wait_for_before_it(study):
    rank = {one.run: study.rank_of_run(one) for one in runs(study, "demo")}
    assert rank["units-16"] < rank["units-256"] < study.FIRST
    assert rank["examples-250"] < rank["examples-4000"]
    assert sorted(rank, key=rank.get)[-4:].count("digits_cnn") == 1
    poster = {one.run: study.rank_of_run(one) for one in runs(study, "poster")}
    assert sorted(rank.values())[-2] < sorted(poster.values())[-2] < study.FIRST


def test_the_quickest_figure_comes_before_all_that_others_wait_for(study):
    rank = {(one.experiment, one.run): study.rank_of_run(one) for one in runs(study, "demo")}
    (first,) = [one for one in rank if rank[one] == max(rank.values())]
    assert first == ("difficulty", "units-64")
    noised = {
        name: study.rank_of_noised(job(noised=name))
        for name in plan.noised_datasets(study.presets["demo"])
    }
    assert study.FIRST > rank[first] == noised.pop("difficulty") > max(noised.values())


def test_the_data_of_the_longest_run_is_noised_before_that_of_others(study):
    rank = {(one.experiment, one.run): study.rank_of_run(one) for one in runs(study, "demo")}
    noised = {
        name: study.rank_of_noised(job(noised=name))
        for name in plan.noised_datasets(study.presets["demo"])
        if name != "difficulty"
    }
    assert max(noised, key=noised.get) == "complexity/digits_cnn"
    # Runs of several widths wait for the largest data set of Figure 2: the longest one counts.
    widths = [rank["convergence", run] for run in ("examples-4000", "units-48", "units-64")]
    assert noised["convergence/examples-4000"] == max(widths) > min(widths)


def test_a_run_to_a_threshold_ranks_as_one_that_ends_before_its_limit(study):
    to_threshold, to_the_end = run("convergence", "examples-4000"), run("regularization", "dropout")
    assert study.multiply_adds(to_threshold) > study.multiply_adds(to_the_end)
    assert study.rank_of_run(to_threshold) < study.rank_of_run(to_the_end)


def test_memory_grows_with_the_data_and_with_each_attempt(study):
    small, large = run("capacity", "units-16"), run("complexity", "cifar10_cnn", "poster")
    assert study.memory_of_run(small, attempt=1) < study.memory_of_run(large, attempt=1)
    assert study.memory_of_run(small, 2) == 2 * study.memory_of_run(small, 1)
    # 60,000 images cropped to 28×28×3: float64 for the real ones, which all draws share, and four
    # draws of float32 noise.
    noised = (60_000 * 8 + 4 * 50_000 * 4) * 2352 // 10**6
    assert study.memory_of_run(large, 1) == 4000 + 2 * noised
    assert study.memory_of_noising(job("poster", noised="complexity/cifar10_cnn"), 1) == (
        1000 + 2 * noised
    )


def test_memory_holds_each_draw_of_the_examples_as_far_as_there_are_images():
    def images(dataset: str, seeds: int, vary=("data",)) -> float:
        data = {
            "dataset": dataset,
            "image_size": 32,
            "train_examples": 8_000,
            "validation_examples": 1_000,
        }
        one = {"seeds": seeds, "vary": [*vary], "noise_kinds": ["randY"], "data": data}
        others = dict.fromkeys({*changed({}).presets["demo"]} - {"capacity"})
        mine = {"title": "Mine", "source": "folder", "path": "images"}
        content = {"datasets": {"mine": mine}, "presets": {"demo": {**others, "capacity": one}}}
        memory = changed(content).memory_of_noising(job(noised="capacity"), 1)
        return (memory - 1000) // 2 * 10**6 / (8 * 3072)

    # With those to validate, 9,000 a draw: more cannot be told of a folder before it is read.
    assert images("cifar10", 2) == pytest.approx(18_000, rel=0.01)
    assert images("cifar10", 9) == pytest.approx(60_000, rel=0.01)
    assert images("cifar10", 9, vary=["noise"]) == pytest.approx(9_000, rel=0.01)
    assert images("mine", 9) == pytest.approx(81_000, rel=0.01)


def test_a_figure_is_drawn_from_its_runs(study):
    assert study.runs_of_figure(job(figure="fig4_1")) == [
        "results/demo/runs/complexity/digits_cnn.nc"
    ]
    assert study.runs_of_figure(job(figure="fig3_2")) == [
        "results/demo/runs/sensitivity/class.nc",
        "results/demo/runs/sensitivity/unique.nc",
    ]
    assert study.files_of("fig4_1")(job()) == [
        "results/demo/figures/fig4_1.png",
        "results/demo/figures/fig4_1.pdf",
        "results/demo/figures/fig4_1.txt",
        "results/demo/metrics/fig4_1.nc",
        "results/demo/runs/complexity/digits_cnn.nc",
    ]
    assert study.title_of_figure(job(figure="fig3_1")) == "Figure 3.1"
    assert study.shown_by_figure(job(figure="filters")) == {"shows": "filters of the first layer"}


def test_all_figures_of_a_preset_and_no_others():
    demo = {"complexity": {"cases": {"digits_cnn": None}}, "difficulty": None}
    study = changed({"presets": {"demo": demo}})
    assert study.figures() == [
        figure for figure in figures_of_demo() if figure not in ("fig3_1", "filters")
    ]
    assert len(study.all_files(job())) == len({*study.all_files(job())})
    assert {"results/demo/figures/fig1.pdf", "results/demo/metrics/fig5_2.nc"} < {
        *study.all_files(job())
    }
    assert study.of_each_figure("metrics/{}.nc")(job())[0] == "results/demo/metrics/fig1.nc"
    assert len(study.of_each_figure("figures/{}.txt")(job("poster"))) == len(
        study.figures("poster")
    )
    assert study.pages() == [f"results/demo/{page}" for page in study.PAGES]


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        (
            lambda study: study.runs_of_figure(job(figure="filters")),
            "config: presets.demo: filters shows randY: add it to complexity.noise_kinds.",
        ),
        (
            lambda study: study.run(run("capacity", "units-5")),
            "capacity has no run units-5: choose one of units-2, units-4, units-8, units-16, "
            "units-32, units-64, units-128, units-256.",
        ),
        (
            lambda study: study.file_of_noised(run("difficulty", "units-64")),
            "config: preset demo has no experiment difficulty: add presets.demo.difficulty.",
        ),
        (
            lambda study: study.noising(job(noised="complexity/nothing")),
            "config: preset demo has no experiment complexity/nothing: add "
            "presets.demo.complexity.cases.nothing.",
        ),
    ],
    ids=["figure", "run", "experiment", "case"],
)
def test_what_cannot_be_made_ends_in_a_sentence(question, sentence):
    demo = {"complexity": {"noise_kinds": ["randX"]}, "difficulty": None}
    with pytest.raises(SystemExit) as ended:
        question(changed({"presets": {"demo": demo}}))
    assert ended.value.code == f"Error: {sentence}"


def test_a_gpu_is_asked_for_unless_the_device_is_the_cpu(study):
    assert study.gpus() == 1
    assert changed({"device": "cpu"}).gpus() == 0


def test_the_configuration_of_a_preset_has_no_other(study):
    own = study.configuration_of(job("poster"))
    assert own["preset"] == "poster"
    assert list(own["presets"]) == ["poster"]
    assert own["claims"] == study.config["claims"]


@pytest.mark.parametrize(
    ("content", "touched", "untouched"),
    [
        (
            {"presets": {"demo": {"capacity": {"training": {"learning_rate": 0.3}}}}},
            ["runs/capacity/units-16.nc", "metrics/fig1.nc", "figures/fig1.txt", "claims.nc"],
            ["datasets/capacity.nc", "runs/difficulty/units-64.nc", "metrics/fig2.nc"],
        ),
        (
            {"presets": {"demo": {"difficulty": {"first_seed": 4}}}},
            ["datasets/difficulty.nc", "runs/difficulty/units-64.nc", "figures/fig3_1.txt"],
            ["runs/capacity/units-16.nc", "metrics/fig1.nc"],
        ),
        (
            {"claims": {"margin": 0.03}},
            # Figure 1 draws it.
            ["claims.nc", "gallery.md", "config.yaml", "index.html", "figures/fig1.txt"],
            ["metrics/fig1.nc", "figures/fig2.txt"],
        ),
        (
            {"device": "cpu", "checkpoint_seconds": 5},
            ["config.yaml", "index.html", "paper.md"],
            ["claims.nc", "gallery.md"],
        ),
    ],
    ids=["learning rate", "data", "criterion", "device"],
)
def test_what_a_file_is_made_by_follows_what_it_depends_on(study, content, touched, untouched):
    before, after = study.made_by.everything(), changed(content).made_by.everything()
    assert before.keys() == after.keys()
    different = {
        path.removeprefix("results/demo/") for path in before if before[path] != after[path]
    }
    assert {*touched} <= different
    assert not {*untouched} & different


def test_what_a_file_is_made_by_is_what_its_rule_says(study):
    expected = study.made_by.everything()
    one = job(noised="complexity/digits_cnn")
    assert expected["results/demo/datasets/complexity/digits_cnn.nc"] == study.made_by.noised(one)
    assert len(set(expected.values())) == len(expected)


@pytest.mark.parametrize("figure", figures_of_demo())
@pytest.mark.parametrize("step", ["metrics", "figures", "claims", "gallery", "paper", "pages"])
def test_edited_code_changes_what_its_files_are_made_by(study, monkeypatch, step, figure):
    scripts = {page: f"write_{page}" for page in ("gallery", "paper", "pages")}
    scripts["claims"] = "test_claims"
    edited, digest = scripts.get(step, f"rote.{step}.{figure}"), code.digest
    before = study.made_by.everything()
    monkeypatch.setattr(
        code, "digest", lambda modules: digest(modules) + "edited" * (edited in modules)
    )
    after = changed({}).made_by.everything()
    different = {
        path.removeprefix("results/demo/") for path in before if before[path] != after[path]
    }
    written = {"gallery.md", "index.html"}
    pages, drawn = {"claims.nc", "paper.md", *written}, f"figures/{figure}.txt"
    assert (
        different
        == {
            "metrics": {f"metrics/{figure}.nc", drawn, *pages},
            "figures": {drawn, *written},
            "claims": pages,
            "gallery": {"gallery.md"},
            "paper": {"paper.md"},
            "pages": {"index.html"},
        }[step]
    )


def test_how_numpy_files_are_read_concerns_them_alone(tmp_path, monkeypatch):
    (tmp_path / "own.npz").touch()
    own = {"title": "Own", "source": "numpy", "path": str(tmp_path / "own.npz")}
    content = {"datasets": {"own": own}, "presets": {"demo": {"difficulty": {"data": OF_OWN}}}}
    before = changed(content).made_by.everything()
    monkeypatch.setattr(versions, "NUMPY_FILE", 0)
    after = changed(content).made_by.everything()
    different = {path for path in before if before[path] != after[path]}
    assert {"data/own.nc", "results/demo/datasets/difficulty.nc"} <= different
    assert "data/digits.nc" in before.keys() - different


def test_an_edited_template_changes_the_pages(study, monkeypatch):
    before, digest = study.made_by.everything(), notes.of_content
    monkeypatch.setattr(
        notes, "of_content", lambda path: digest(path) + "edited" * (path.suffix == ".jinja")
    )
    after = changed({}).made_by.everything()
    assert {path for path in before if before[path] != after[path]} == {
        "results/demo/index.html",
        "results/demo/paper.md",
    }


@pytest.mark.parametrize(
    ("preset", "written"),
    [("demo", {"claims.nc", "gallery.md", "paper.md", "index.html"}), ("poster", set())],
)
def test_the_record_of_stability_changes_the_claims_of_its_preset(
    tmp_path, monkeypatch, preset, written
):
    monkeypatch.setattr(stability, "RECORD", tmp_path / "stability.json")
    stability.RECORD.write_text("{}")
    before = changed({}).made_by.everything()
    stability.RECORD.write_text(json.dumps({preset: {"gini_class": ["width"]}}))
    after = changed({}).made_by.everything()
    different = {path for path in before if before[path] != after[path]}
    assert different == {f"results/demo/{page}" for page in written}


@pytest.mark.parametrize("page", ["pages", "paper"])
def test_the_template_of_a_page_is_code_of_the_page(study, monkeypatch, page):
    def made_by(study):
        return study.code_of(f"write_{page}")(job()), getattr(study.made_by, page)(job())

    before = made_by(study)
    edited = Study(study.config)
    monkeypatch.setattr(notes, "of_content", lambda path: f"edited {path.name}")
    after = made_by(edited)
    assert before[0] != after[0]
    assert before[1] != after[1]
