"""The estimate of a run: what is timed, and by what it is multiplied."""

import math
import subprocess
import sys

import pytest

import estimate as estimate_command
from conftest import ROOT
from rote.machine.errors import UserError
from rote.runs import estimate
from rote.runs.device_data import DeviceData
from rote.study import configuration, plan, run_settings
from rote.study.architecture import Architecture, check_last_batch
from rote.study.jobs import Study

SHAPE = 1, 4, 4


def seconds(experiment: str, settings: dict, run: str, **data: object) -> float:
    own = run_settings.of_run(experiment, settings, run, "float32")
    place = settings["cases"][run]["data"] if experiment == "complexity" else settings["data"]
    data = plan.data_settings({**settings, "data": {**place, **data}})
    return estimate.seconds_of_run(own, SHAPE, data, device="cpu")


@pytest.fixture
def steady(monkeypatch):
    """A machine on which an update of a group, and whatever else is timed, takes a second."""
    monkeypatch.setattr(DeviceData, "seconds_of_update", lambda self, members: 1.0)
    monkeypatch.setattr(estimate.devices, "fastest", lambda function, device, times=3: 1.0)


def test_updates_and_scores_are_multiplied(settings, steady):
    # Four updates of each of four epochs, and two scores.
    assert seconds("capacity", settings, "units-6") == pytest.approx(4 * 4 + 2)


def test_examples_that_are_not_made_up_are_counted(settings, steady, monkeypatch):
    monkeypatch.setattr(estimate, "EXAMPLES", 50)
    # At least two batches are made up, 60 examples to train on and 50 for validation.
    taken = seconds("capacity", settings, "units-6", train_examples=300)
    assert taken == pytest.approx(4 * 10 + 2 * 350 / 110)


def test_images_are_cropped_once(settings, steady):
    # What is made up has the size that is left: nothing more is cut off it.
    assert seconds("capacity", settings, "units-6", crop=2) == pytest.approx(4 * 4 + 2)


@pytest.mark.parametrize(("known", "classes"), [({}, 10), ({"classes": 47}, 47)])
def test_made_up_data_has_the_classes_of_the_data_set(settings, known, classes):
    data = plan.data_settings(settings) | {"train_examples": 500} | known
    made_up = estimate._made_up(SHAPE, data, 50)
    assert made_up.sizes["class"] == classes
    assert len({*made_up["label"].values.tolist()}) == classes


@pytest.mark.parametrize(
    ("examples", "batch_size"), [(5000, 27), (5000, 37), (5000, 111), (5000, 333), (401, 100)]
)
def test_made_up_data_has_no_batch_that_is_too_small_for_a_cnn(settings, examples, batch_size):
    data = plan.data_settings(settings) | {"train_examples": examples}
    made_up = estimate._made_up(SHAPE, data, batch_size)
    check_last_batch(batch_size, made_up.sizes["example"], Architecture.smallest_batch)


def test_a_search_for_critical_samples_is_added(complexity_settings, steady):
    case = complexity_settings["cases"]["synthetic_mlp"]
    trained = 6 * 4 + 6
    # Real inputs for all members, and noise for those of randX: two levels and two seeds of ten.
    searched = (10 + 4) * len(case["critical_epochs"]) * 40 / 50
    assert seconds("complexity", complexity_settings, "synthetic_mlp") == pytest.approx(
        trained + searched
    )
    # Twice that, and the training inputs of all ten members.
    complexity_settings["critical_samples"] |= {"radius": [20.0, 5.0], "train_examples": 30}
    searched += 10 * len(case["critical_epochs"]) * 30 / 50
    assert seconds("complexity", complexity_settings, "synthetic_mlp") == pytest.approx(
        trained + 2 * searched
    )


def test_members_with_adversarial_examples_are_a_group_of_their_own(
    regularization_settings, steady
):
    alone = seconds("regularization", regularization_settings, "dropout")
    assert alone == pytest.approx(4 * 4 + 2)
    assert seconds("regularization", regularization_settings, "adversarial_dropout") == alone


@pytest.mark.parametrize("labelling", ["class", "unique"])
def test_sensitivity_is_scaled_by_its_work(sensitivity_settings, settings, labelling):
    sensitivity_settings["data"] = settings["data"]
    once = seconds("sensitivity", sensitivity_settings, labelling)
    assert 0 < once < math.inf
    steps = sensitivity_settings["labellings"][labelling]
    sensitivity_settings["labellings"][labelling] = steps | {"epochs": 300}  # of 3, or 4
    assert seconds("sensitivity", sensitivity_settings, labelling) > 30 * once


@pytest.mark.slow
def test_the_command_says_what_each_run_and_all_of_them_take():
    command = [sys.executable, ROOT / "workflow_scripts" / "estimate.py"]
    options = ["--preset", "smoke", "--device", "cpu"]
    ran = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    assert "complexity     digits_cnn" in ran.stdout
    assert "All runs of smoke, one after another" in ran.stdout
    assert "So does what proxies measures of its models, which is not timed." in ran.stdout
    ran = subprocess.run([*command, "--preset", "smok"], capture_output=True, text=True)
    assert ran.stderr.startswith("Error: config: preset names the preset smok")
    assert "did you mean smoke" in ran.stderr


@pytest.mark.parametrize(
    ("options", "preset"),
    [
        ([], "poster"),
        (["--configfile", "own.yaml"], "poster"),
        (["--configfile", "mine.yaml", "own.yaml"], "mine"),
        (["--configfile", "mine.yaml", "--preset", "demo"], "demo"),
    ],
)
def test_the_preset_is_that_of_the_option_or_of_the_file(
    tmp_path, monkeypatch, capsys, options, preset
):
    (tmp_path / "mine.yaml").write_text("{preset: mine, presets: {mine: {like: demo}}}")
    (tmp_path / "own.yaml").write_text("device: cpu")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["estimate.py", "--rate", "1", *options])
    estimate_command.main()
    said = capsys.readouterr().out
    assert said.startswith(f"Preset {preset}, runs to be counted: ")
    assert f"\nAll runs of {preset}, one after another" in said


def test_a_line_begins_before_its_run_is_timed(monkeypatch, capsys):
    def fails(study, job):
        assert capsys.readouterr().out.split()[:2] == [job.experiment, job.run]
        raise UserError("too small")

    monkeypatch.setattr(estimate_command, "_timed", fails)
    study = Study(configuration.load(ROOT / "config.yaml", [], {"preset": "smoke"}))
    with pytest.raises(UserError):
        estimate_command.estimates(study, "smoke")
    assert capsys.readouterr().out == "\n"


def test_work_is_counted_for_a_device_that_is_not_at_hand():
    settings = configuration.load(ROOT / "config.yaml", [], {"preset": "smoke"})
    study = Study(settings)
    # 14 × 14 pixels are 7 × 7 here; two hidden layers of 64 units, 10 classes. An update takes the
    # forward pass three times, but for the gradient by the inputs.
    examples, experiments = 50, 3 * 4 * 3
    weights = 49 * 64 + 64 * 64 + 64 * 10
    updates = (3 * weights - 49 * 64) * examples
    scores = weights * examples
    rows = estimate_command.estimates(study, "smoke", 1e6)
    (own,) = (row for row in rows if row["experiment"] == "difficulty")
    assert own["multiply_adds"] == (updates + scores) * experiments
    assert own["seconds"] == pytest.approx(2 * own["multiply_adds"] / 1e6)


def test_what_is_assumed_of_images_that_are_not_read_is_told():
    settings = configuration.load(ROOT / "config.yaml", [], {"preset": "smoke"})
    assert estimate_command.assumed(Study(settings), "smoke") == ""
    settings["datasets"]["digits"] = {"title": "Mine", "source": "folder", "path": "mine"}
    assert "\nImages of digits are not read for this: they count as of 3 channels, of 32×32" in (
        estimate_command.assumed(Study(settings), "smoke")
    )


def test_the_counts_of_the_poster_are_those_of_its_page():
    study = Study(configuration.load(ROOT / "config.yaml", [], {"preset": "poster"}))
    rows = estimate_command.estimates(study, "poster", 33e12)
    page = " ".join((ROOT / "docs" / "cluster.md").read_text().split())
    total = sum(row["seconds"] for row in rows)
    own = sum(row["seconds"] for row in rows if row["experiment"] == "regularization")
    assert f"takes {total * 33e12 / 2 / 1e18:.1f}·10¹⁸ multiply-adds" in page
    assert f"{own / total:.0%} of them in `regularization`".replace("%", " %") in page
    assert f"that would be {total / 3600:.0f} hours" in page
    assert f"(`precision=tf32`), {total * 33 / 150 / 3600:.0f}." in page


@pytest.mark.parametrize("rate", ["0", "-1", "1e-320", "1e300", "inf", "nan", "fast"])
def test_a_rate_that_is_none_is_named(rate, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["estimate.py", f"--rate={rate}"])
    with pytest.raises(SystemExit):
        estimate_command.main()
    assert f"{rate} is no number of 10^12 operations a second" in capsys.readouterr().err


def test_members_on_subsets_are_trained_on_fewer_examples(memorization_settings, steady):
    taken = seconds("memorization", memorization_settings, "percent-30")
    assert taken == pytest.approx(6 * 3 + 1)  # 30 examples in batches of 10
    few = memorization_settings | {"percent": [1]}
    assert seconds("memorization", few, "percent-1") == pytest.approx(6 * 1 + 1)
