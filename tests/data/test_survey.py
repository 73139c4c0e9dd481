"""What a folder of images does not give is said at once, before it is read."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from rote.data import sources, survey
from rote.files import made_by, netcdf
from rote.study import configuration, plan
from rote.study.jobs import Study
from rote.study.sizes import Sizes


def images(root: Path, count: int, shape: tuple[int, ...] = (32, 32, 3)) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (root / "train" / name).mkdir(parents=True)
        for i in range(count):
            pixels = rng.integers(0, 256, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(root / "train" / name / f"{i}.png")
    return root


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def study(**mine) -> Study:
    content = {
        "preset": "mine",
        "datasets": {"mine": {"title": "Mine", "source": "folder", "path": "pets"}},
        "presets": {"mine": {"like": "demo", **mine}},
    }
    return Study(configuration.load(ROOT / "config.yaml", given=content))


def test_sizes_are_those_of_the_first_image_and_the_number_of_all(work):
    assert survey.survey(images(work / "pets", 3, (4, 6))) == Sizes(1, 4, 6, 6, 0, 2)


def test_all_reasons_are_said_at_once_each_with_who_asks(work):
    images(work / "pets", 30)
    said = [*survey.unmet(study(data={"dataset": "mine"}))]
    assert len(said) == len({*said}) == 9
    assert all(line.startswith("presets.mine on mine: ") and line.endswith(").") for line in said)
    (size,) = (line for line in said if "image_size 14 does not divide images of 32×32" in line)
    assert "(capacity, convergence/examples-250, " in size
    (few,) = (
        line for line in said if "2000 validation examples are asked for, but only 60" in line
    )
    assert few.endswith("lower validation_examples (capacity, regularization).")


def test_a_cnn_needs_larger_images(work):
    images(work / "pets", 30, (20, 20))
    data = {"dataset": "mine", "train_examples": 50, "validation_examples": 9, "image_size": None}
    experiments = ("capacity", "convergence", "difficulty", "sensitivity", "regularization")
    complexity = {
        "critical_samples": {"examples": 9, "train_examples": 9},
        "cases": {
            "digits_mlp": None,
            "digits_cnn": {"cnn": {"padding": "valid", "pooling_stride": 3}},
        },
    }
    own = study(data=data, complexity=complexity, **dict.fromkeys(experiments))
    assert ["Images of 20×20 pixels" in line for line in survey.unmet(own)] == [True]


def test_a_folder_that_is_not_there_is_said(work):
    assert [*survey.unmet(study(data={"dataset": "mine"}))] == [
        "pets/train is missing: a folder of images holds train/<class>/ and, if there is test "
        "data, test/<class>/, with the images of each class."
    ]


def test_nothing_is_asked_of_what_is_read_or_not_needed(work):
    own = study(data={"dataset": "mine"})
    assert [*survey.unmet(own)]
    assert not [*survey.unmet(study())]
    (work / "data").mkdir()
    (work / "data" / "mine.nc").write_bytes(b"rote-sha256:0")  # which is made again
    assert [*survey.unmet(own)]
    for name in plan.noised_datasets(own.presets["mine"]):
        path = work / f"results/mine/datasets/{name}.nc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made_by.line(of_noised(own, name)))
    assert not [*survey.unmet(own)]


@pytest.mark.parametrize("kind", ["folder", "netcdf", "numpy"])
def test_what_is_read_is_known_from_the_copy(work, kind):
    images(work / "pets", 40)
    path = {"folder": "pets", "netcdf": "own.nc", "numpy": "own.npz"}[kind]
    read = sources.fetch("folder", path="pets")
    read.to_netcdf("own.nc")
    np.savez("own.npz", x_train=read["image"].values, y_train=read["label"].values)
    data = {"dataset": "mine", "image_size": None, "train_examples": 60}
    own = study_of(kind, path, data)
    (work / "data").mkdir()
    copied = own.made_by.dataset(SimpleNamespace(dataset="mine"))
    netcdf.write(sources.fetch(kind, path=path), "data/mine.nc", copied)
    assert not [*survey.unmet(own)]
    noised = Path("results/mine/datasets/difficulty.nc")
    noised.parent.mkdir(parents=True)
    noised.write_bytes(made_by.line(of_noised(own, "difficulty")))
    changed = study_of(kind, path, data | {"train_examples": 400})
    (said,) = survey.unmet(changed)
    assert "400 train examples are asked for, but only 80 train images of mine are there" in said
    whole = Path("data/mine.nc").read_bytes()
    Path("data/mine.nc").write_bytes(whole[:5000] + b"?" + whole[5001:])
    assert not [*survey.unmet(changed)]  # the job says that it is damaged


def of_noised(study: Study, noised: str) -> str:
    return study.made_by.noised(SimpleNamespace(preset="mine", noised=noised))


def study_of(kind: str, path: str, data: dict) -> Study:
    """A study of one experiment, on images from a source of a kind."""
    training, model = {"learning_rate": 0.4}, {"hidden_units": 4}
    content = {
        "preset": "mine",
        "datasets": {"mine": {"title": "Mine", "source": kind, "path": path}},
        "presets": {"mine": {"data": data, "difficulty": {"model": model, "training": training}}},
    }
    return Study(configuration.load(ROOT / "config.yaml", given=content))


def test_snakemake_ends_with_a_line_for_each(work):
    images(work / "pets", 30)
    with pytest.raises(SystemExit) as ended:
        survey.check_images(study(data={"dataset": "mine"}))
    lines = ended.value.code.splitlines()
    assert len(lines) == 9
    assert all(line.startswith("Error: presets.mine on mine: ") for line in lines)
