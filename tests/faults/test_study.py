"""The real workflow, on a tiny study, when it is stopped, damaged, locked or out of disk."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from copy import deepcopy

import pytest
from kill_anywhere import ROOT, Runs, kill_anywhere, undisturbed

import stores
from rote.files import netcdf
from tiny_study import TINY, TO_THE_END, Study

pytestmark = pytest.mark.slow

CAPACITY = {
    "data": TINY,
    "noise_kinds": ["randX", "randY"],
    "noise_levels": [0, 0.5],
    "seeds": 2,
    "model": {"hidden_layers": 2, "hidden_units": [4]},
    "training": TO_THE_END,
}


@pytest.fixture(scope="module")
def undisturbed_study(tmp_path_factory):
    """A finished study of one figure, computed on one core, and the seconds of each stage."""
    config = {
        "device": "cpu",
        "checkpoint_seconds": 1e-3,
        "presets": {"demo": {"capacity": CAPACITY | {"training": TO_THE_END | {"epochs": 20}}}},
    }
    runs = Runs(tmp_path_factory.mktemp("studies") / "undisturbed", config, ["fig1"], cores=1)
    return runs, undisturbed(runs)


@pytest.fixture
def finished(undisturbed_study):
    return undisturbed_study[0]


@pytest.fixture
def study(finished, tmp_path):
    """A copy of the finished study, to be ruined."""
    shutil.copytree(finished.folder, tmp_path / "study")
    copied = Study(tmp_path / "study")
    copied.config = deepcopy(finished.config)
    return copied


def test_killed_at_any_stage_it_ends_as_if_undisturbed_and_as_on_one_core(undisturbed_study):
    done, studies = kill_anywhere(*undisturbed_study, kills=6, seed=0, least=1)
    assert done["all"] >= 6
    assert studies >= 1
    assert undisturbed_study[1].keys() <= done.keys()
    assert len(undisturbed_study[1]) == 6  # the stages of a figure, and the start of Snakemake


@pytest.mark.parametrize("damaged", ["data/digits", "results/demo/runs/capacity/units-4"])
def test_a_damaged_file_stops_the_study_which_the_next_call_mends(study, damaged):
    results = study.folder / "results" / "demo"
    pixels = (results / "figures" / "fig1.png").read_bytes()
    path = study.folder / f"{damaged}.nc"
    whole = netcdf.read(path)
    content = path.read_bytes()
    half = len(content) // 2
    inverted = bytes(255 - byte for byte in content[half : half + 500])
    path.write_bytes(content[:half] + inverted + content[half + 500 :])
    for made_from_it in (
        "metrics",
        "figures",
        *(["datasets", "runs"] if "data/" in damaged else []),
    ):
        shutil.rmtree(results / made_from_it)
    printed = study.snakemake("fig1", fails=True)
    assert f"Error: {damaged}.nc is damaged (" in printed
    assert f"now called {path.name}.damaged: run the same command again" in printed
    assert "Traceback" not in printed
    assert not (results / "figures" / "fig1.png").exists()
    study.snakemake("fig1")
    assert netcdf.read(path).drop_attrs(deep=False).identical(whole.drop_attrs(deep=False))
    assert (results / "figures" / "fig1.png").read_bytes() == pixels
    assert path.with_name(f"{path.name}.damaged").exists()


def test_a_result_whose_end_is_damaged_is_made_again_at_once(study):
    """Its end says what it was made by: without it nobody knows."""
    path = study.results / "runs" / "capacity" / "units-4.nc"
    whole = netcdf.read(path)
    path.write_bytes(path.read_bytes()[:-2000] + bytes(2000))
    printed = study.snakemake("fig1")
    assert "units-4.nc was made by other settings or other code: made again" in printed
    assert netcdf.read(path).drop_attrs(deep=False).identical(whole.drop_attrs(deep=False))


def until(condition, seconds=60):
    """Wait until ``condition`` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited for too long"
        time.sleep(0.05)


@pytest.fixture
def training(finished, tmp_path):
    """A study in the middle of a long training, in a process group of its own."""
    capacity = CAPACITY | {"training": TO_THE_END | {"epochs": 100_000, "evaluate_every": 1000}}
    config = {"device": "cpu", "presets": {"demo": {"capacity": capacity}}}
    runs = Runs(tmp_path / "study", config, ["fig1"], cores=2)
    shutil.copytree(finished.folder / "data", runs.folder / "data")
    process = runs.start()
    log = runs.folder / "results/demo/logs/compute_run/capacity/units-4.log"
    until(lambda: log.exists() and "groups of" in log.read_text())
    time.sleep(0.5)
    yield runs, process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    ("number", "whom"),
    [(signal.SIGTERM, "Snakemake"), (signal.SIGINT, "all"), (signal.SIGTERM, "all")],
)
def test_a_signal_ends_the_study_within_seconds_with_a_checkpoint(training, number, whom):
    runs, process = training
    started = time.monotonic()
    (os.killpg if whom == "all" else os.kill)(process.pid, number)
    assert process.wait(20) != 0
    assert time.monotonic() - started < 10
    assert stores.checkpoints(runs.folder / "results/store")
    printed = runs.printed.read_text()
    assert "the same command goes on from what is finished" in printed
    assert "Traceback" not in printed
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)  # nobody is left behind


def test_two_snakemakes_are_refused_but_not_the_one_after_a_killed_one(training):
    runs, process = training
    locks = runs.folder / ".snakemake" / "locks"
    assert list(locks.iterdir())
    second = Runs(runs.folder.with_name("second"), {}, ["fig1"], cores=1)
    second.folder, second.command = runs.folder, runs.command
    assert second.start().wait() != 0
    assert "LockException" in second.printed.read_text()
    assert list(locks.iterdir())
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list(locks.iterdir())
    assert second.start("--until", "noise_dataset").wait() == 0, second.printed.read_text()


needs_mount = pytest.mark.skipif(
    os.geteuid() != 0
    or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0,
    reason="only root may mount a small or a read-only file system",
)


def mounted(study, options, before=""):
    """Run the study where its folder is mounted with ``options``, for this process alone."""
    folder = study.folder
    command = [*Runs(folder.with_name("c"), study.config, ["fig1"], cores=1).command]
    (folder / "tiny.yaml").write_text((folder.with_name("c") / "tiny.yaml").read_text())
    command = " ".join(map(str, command)).replace(str(folder.with_name("c")), str(folder))
    script = f"set -e; {options}; cd {folder}; {before} exec {command}"
    ran = subprocess.run(
        ["unshare", "-m", "sh", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return ran.returncode, ran.stderr + ran.stdout


@needs_mount
def test_a_read_only_folder_is_one_sentence(study):
    (study.folder / "results/demo/figures/fig1.png").unlink()
    code, printed = mounted(study, f"mount --bind -r {study.folder} {study.folder}")
    assert code != 0
    assert f"Error: Snakemake cannot write into {study.folder} (Read-only file system)" in printed
    assert "Traceback" not in printed


@needs_mount
@pytest.mark.parametrize("free", [0, 4_000])
def test_a_full_disk_is_one_sentence_and_earlier_results_stay(study, free):
    """With 4 MB there is room for Snakemake's notes, but not for 6 MB of noise."""
    folder = study.folder
    study.config["presets"]["demo"]["capacity"]["data"] |= {
        "image_size": 28,
        "train_examples": 1000,
    }
    files = *study.store.iterdir(), folder / "data/digits.nc"
    before = {path: path.read_bytes() for path in files}
    mount = (
        f"cp -r {folder} {folder}.kept; mount -t tmpfs -o size=40m tmpfs {folder}; "
        f"cp -r {folder}.kept/. {folder}; rm -r {folder}.kept"
    )
    fill = f"head -c 1G /dev/zero > fill 2>/dev/null || true; truncate -s -{free}K fill;"
    code, printed = mounted(study, mount, fill)
    assert code != 0
    if free:
        assert "Error: Cannot write results/demo/datasets/capacity.nc (" in printed
        assert " MB left on the disk): free some space or choose a folder" in printed
    else:
        assert f"Error: Snakemake cannot write into {folder} (No space left on device)" in printed
    assert "free some space" in printed
    assert "Traceback" not in printed
    assert before == {path: path.read_bytes() for path in before}


def test_a_full_disk_under_the_figures_and_the_log_is_one_sentence(tmp_path):
    """A process may not write files of more than some bytes: as on a full disk, EFBIG apart."""
    (tmp_path / "f.png").write_bytes(b"an earlier figure")
    script = f"""
import resource, signal, sys
sys.path[:0] = [{str(ROOT / "workflow_scripts")!r}, {str(ROOT / "tests")!r}]
from rote.figures import style
from matplotlib.figure import Figure
from bare_job import bare_job
from job import job
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
with job(bare_job("job.log")):
    figure = Figure(); figure.subplots().plot([0, 1])
    style.save(figure, "f.png", "f.pdf")
"""
    for limit in (0, 1000):
        ran = subprocess.run(
            [sys.executable, "-c", script.replace("(LIMIT, LIMIT)", str((limit, limit)))],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 1, ran.stderr
        assert re.match(
            r"Error: Cannot write f.png \(File too large, .* MB left on the disk\): free some",
            ran.stderr,
        ), ran.stderr
        assert ran.stderr.count("\n") == 1, ran.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"job.log", "f.png"}
    assert (tmp_path / "f.png").read_bytes() == b"an earlier figure"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_missing_permissions_are_one_sentence(tmp_path):
    """As nobody, who may neither read the file nor write into the folder."""
    (tmp_path / "secret.nc").write_bytes(b"x")
    (tmp_path / "secret.nc").chmod(0o600)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    script = f"""
import os, sys; sys.path.insert(0, {str(ROOT / "workflow_scripts")!r})
import xarray as xr
from rote.files import netcdf
from rote.machine.errors import Damaged, UserError
xr.Dataset().to_netcdf; import netCDF4
os.setuid(65534)
for call in (lambda: netcdf.read("secret.nc"), lambda: netcdf.write(xr.Dataset(), "x.nc")):
    try:
        call()
    except UserError as error:
        print(type(error).__name__, error)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    read, write = ran.stdout.splitlines()
    assert read.startswith("UserError secret.nc cannot be read (Permission denied): see to its")
    assert write.startswith("UserError Cannot write x.nc (")
    assert (tmp_path / "secret.nc").exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"noise_levels": [0, float("nan")]}, ".noise_levels[1] is NaN: a noise level is"),
        (
            {"seeds": 10**30},
            ".seeds is 1000000000000000000000000000000: it must be at most 10000 (",
        ),
        ({"data": {"dataset": "../x"}}, ".data.dataset names the data set ../x, which is unknown"),
    ],
)
def test_a_wrong_configuration_is_one_sentence_of_the_real_snakemake(tmp_path, change, sentence):
    study = Study(tmp_path)
    study.config["presets"]["demo"]["capacity"] |= change
    printed = study.snakemake("-n", "figures", fails=True)
    assert f"Error: config: presets.demo.capacity{sentence}" in printed
    assert "Traceback" not in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == [".snakemake", "tiny.yaml"]


def test_a_key_that_stands_twice_in_a_file_is_refused(tmp_path):
    runs = Runs(tmp_path / "study", {}, ["fig1"], cores=1)
    (runs.folder / "tiny.yaml").write_text("device: cpu\ndevice: cuda\n")
    assert runs.start("-n").wait() != 0
    assert "tiny.yaml names the key device twice" in runs.printed.read_text()
