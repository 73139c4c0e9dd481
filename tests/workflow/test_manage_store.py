"""The command that tells what a store holds, on the real workflow."""

import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import manage_store
import preloaded
import stores
from conftest import ROOT
from rote.files.store import Store
from rote.machine.errors import UserError
from tiny_study import Study

pytestmark = pytest.mark.slow


def manage(study: Study, *options: str, fails: bool = False, working: Path | None = None) -> str:
    configuration = study.folder / "tiny.yaml"
    configuration.write_text(yaml.safe_dump(study.config))
    command = [preloaded.python(), ROOT / "workflow_scripts" / "manage_store.py"]
    ran = subprocess.run(
        [*command, "--configfile", configuration, *options],
        cwd=working or study.folder,
        env=preloaded.environment(),
        capture_output=True,
        text=True,
    )
    assert (ran.returncode != 0) == fails, ran.stderr + ran.stdout
    assert "Traceback" not in ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A study with models of a learning rate that was given up, and of an older version."""
    study = Study(tmp_path_factory.mktemp("study"))
    study.snakemake("fig1", "fig4_1")
    study.wanted = {record.key for record in Store(study.store).records()}
    training = study.config["presets"]["demo"]["capacity"]["training"]
    training["learning_rate"] = 0.2
    study.snakemake("fig1")
    training["learning_rate"] = 0.1
    (study.store / "ab").mkdir()
    (study.store / "ab" / f"{'ab' * 32}.epoch-3.nc").write_bytes(b"of an older version")
    return study


@pytest.fixture
def study(original, tmp_path):
    study = original.copied(tmp_path)
    study.wanted = original.wanted
    return study


def test_what_no_study_asks_for_is_told_and_removed(study):
    records = Store(study.store).records()
    unwanted = {record.key for record in records} - study.wanted
    assert len(unwanted) == 2 * 2 * (1 + 2)  # widths × seeds × (real + kinds)
    printed = manage(study)
    assert f"results/store: {len(stores.finished(study.store))} models, " in printed
    assert f"Not asked for, as far as can be told: {len(unwanted)} models, " in printed
    assert "Of an older version of rote, which this one does not read: 1 files." in printed
    assert Store(study.store).records() == records
    assert "Nothing was removed" in manage(study, "--prune", fails=True)  # others never ran
    assert Store(study.store).records() == records
    manage(study, "--prune", "--untold")
    assert {record.key for record in Store(study.store).records()} == study.wanted
    assert not (study.store / "ab").exists()
    for run in (study.results / "runs").rglob("*.nc"):
        run.unlink()
    assert study.new_members("fig1", "fig4_1") == 0


def test_what_cannot_be_told_is_said_and_stays(study, tmp_path_factory):
    lacking = "results/demo/datasets/capacity.nc"
    assert lacking not in manage(study)
    (study.folder / lacking).write_bytes((study.folder / lacking).read_bytes()[:-100])
    assert lacking in manage(study)
    study.snakemake(lacking)
    records = Store(study.store).records()
    data = study.config["presets"]["demo"]["capacity"]["data"]
    study.config["presets"]["demo"]["capacity"]["data"] = {**data, "crop": 1}
    assert lacking in manage(study)
    assert "have it made by the names above" in manage(study, "--prune", fails=True)
    assert Store(study.store).records() == records
    study.config["presets"]["demo"]["capacity"]["data"] = data
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    printed = manage(study, "--directory", str(study.folder), working=elsewhere)
    assert lacking not in printed
    assert f"Not asked for, as far as can be told: {2 * 2 * (1 + 2)} models" in printed


def test_nothing_is_removed_where_it_is_not_sure(study, tmp_path_factory):
    records = Store(study.store).records()
    (study.folder / "results" / "mine").mkdir()
    printed = manage(study, "--prune", fails=True)
    assert f"Error: {study.folder}/results/mine is of no preset of this configuration" in printed
    assert len(Store(study.store).records()) == len(records)
    (study.folder / "results" / "mine").rmdir()
    elsewhere = tmp_path_factory.mktemp("shared") / "store"
    study.store.rename(elsewhere)
    study.store.symlink_to(elsewhere)
    printed = manage(study, "--prune", fails=True)
    assert "results/store is a link, so other folders may share the store" in printed
    assert len(Store(elsewhere).records()) == len(records)
    manage(study, "--prune", "--untold", "--directory", ".")
    assert {record.key for record in Store(elsewhere).records()} == study.wanted
    assert "nothing was computed in that folder" in manage(study, "--directory", "/", fails=True)


def test_while_snakemake_works_nothing_is_removed(study):
    lock = "import fcntl; f = open('.snakemake/rote.lock'); fcntl.flock(f, fcntl.LOCK_SH); "
    with subprocess.Popen(
        [sys.executable, "-c", lock + "print(1, flush=True); input()"],
        cwd=study.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        holder.stdout.readline()
        printed = manage(study, "--prune", "--untold", fails=True)
        holder.communicate(b"\n")
    assert f"Error: A Snakemake is at work in {study.folder}, or was killed there" in printed
    locks = study.folder / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.input.lock").write_text("of another machine")
    assert "call snakemake --unlock" in manage(study, "--prune", "--untold", fails=True)
    assert study.wanted < {record.key for record in Store(study.store).records()}


def test_what_cannot_be_removed_is_one_sentence(tmp_path, monkeypatch):
    def refuses(self):
        raise PermissionError(13, "Permission denied")

    root = tmp_path / "results" / "store"
    (root / "ab").mkdir(parents=True)
    (root / "ab" / f"{'ab' * 32}.nc").touch()
    monkeypatch.setattr(Path, "unlink", refuses)
    sentence = rf"Not all of it could be removed from {root} \(Permission denied\): see to the perm"
    with pytest.raises(UserError, match=sentence):
        manage_store.manage(root, [tmp_path], [], prune=True, untold=False)


@pytest.fixture
def call(tmp_path, monkeypatch) -> Callable[..., str]:
    """The command, called in a folder with an empty store; it returns how it ends."""

    def called(*options: object) -> str:
        monkeypatch.setattr(sys, "argv", ["manage_store.py", *map(str, options)])
        try:
            manage_store.main()
        except SystemExit as stopped:
            return stopped.code
        return ""

    (tmp_path / "results" / "store").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return called


@pytest.mark.parametrize("presets", [[], ["demo"]])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory): see to it."),
        ("a: [", "is no YAML ("),
    ],
)
def test_a_file_that_cannot_be_read_is_named_alone(call, tmp_path, capsys, presets, content, said):
    for preset in presets:
        (tmp_path / "results" / preset).mkdir()
    if content:
        (tmp_path / "mine.yaml").write_text(content)
    ended = call("--configfile", "mine.yaml")
    assert ended.startswith(f"Error: {tmp_path / 'mine.yaml'} {said}")
    assert "delete" not in ended
    assert not capsys.readouterr().out


def test_only_results_of_an_unknown_preset_may_be_deleted(call, tmp_path):
    (tmp_path / "results" / "demo").mkdir()
    (tmp_path / "mine.yaml").write_text("precision: none")
    said = call("--configfile", "mine.yaml")
    assert said.startswith('Error: config: precision is "none"')
    assert "delete" not in said
    (tmp_path / "results" / "demo").rename(tmp_path / "results" / "mine")
    assert call() == (
        f"Error: {tmp_path / 'results' / 'mine'} is of no preset of this configuration: name the "
        "file of the preset by --configfile, or delete the folder."
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "make store OPTIONS=--prune removes"),
        (["--configfile", "a.yaml"], "make store OPTIONS='--configfile a.yaml --prune' removes"),
        (["--configfile", "a.yaml", "an own.yaml", "--directory", "."], ""),
    ],
)
def test_how_to_remove_it_names_the_same_files_and_folders(call, tmp_path, capsys, options, told):
    for name in ("a.yaml", "an own.yaml"):
        (tmp_path / name).write_text("device: cpu")
    old = tmp_path / "results" / "store" / "ab" / f"{'ab' * 32}.nc"
    old.parent.mkdir()
    old.touch()
    assert call(*options) == ""
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(told)
    given = shlex.split(last)[2].removeprefix("OPTIONS=")
    assert call(*shlex.split(given)) == ""
    assert not old.exists()


def test_a_folder_that_is_named_twice_counts_once(call, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    assert call("--prune", "--directory", tmp_path, ".", tmp_path / "link") == ""
