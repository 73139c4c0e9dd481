"""Numbers that others have printed, beside those of rote: ``make published``.

A folder of docs holds the plan, ``lines.yaml``, with settings beside it, the table of what is
computed, ``published.nc``, and its page. Each group of lines is entered as soon as the file is
there that it is taken from, so that the command may be stopped at any time, and goes on where it
was: models that are finished are in the store. What a line was made by stands in the table: after a
change of code or settings it is computed again, and stands as it was until then.
"""

import argparse
import contextlib
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

from rote.claims import printed
from rote.files import made_by, netcdf, text
from rote.files.provenance import origin, with_provenance
from rote.machine.command_line import cores, made, print_anywhere
from rote.machine.errors import UserError
from rote.models.parameter_count import parameter_count
from rote.study import code, configuration, plans
from rote.study.jobs import Study
from rote.study.schema import closest

ROOT = Path(__file__).parents[1]
SECONDS = 5  # between two looks at what Snakemake has finished


class Comparison:
    """The table of a folder, which grows by the groups that are computed.

    Args:
        arguments: those of the command.

    Raises:
        UserError: there is no plan, a group is not in it, or the configuration is wrong.
    """

    def __init__(self, arguments: argparse.Namespace):
        self.arguments, self.folder = arguments, arguments.folder
        self.plan = plans.read(self.folder, "lines.yaml")
        known = self.plan["groups"]
        for name in arguments.groups:
            if name not in known:
                raise UserError(
                    f"unknown group {name}: {closest(name, known)}known are {', '.join(known)}."
                )
        special = {other for name in known for other in printed.experiments(self.plan, [name])}
        self.asked = arguments.groups or [name for name in known if name not in special]
        may_follow = printed.experiments(self.plan, self.asked)
        self.groups = {name: known[name] for name in [*self.asked, *may_follow]}
        own = [self.folder / group["config"] for group in self.groups.values() if "config" in group]
        self.files = [*dict.fromkeys(own), *arguments.configfile]
        self.config = configuration.load(ROOT / "config.yaml", self.files)
        for group in self.groups.values():
            if "preset" in group:
                file, presets = self.folder / "lines.yaml", self.config["presets"]
                plans.check_name(file, "preset", group["preset"], presets)
        self.study = Study(self.config)
        table = self.folder / "published.nc"
        self.rows = printed.rows_of(netcdf.read(table)) if table.exists() else {}
        made_by = {line["name"]: self._digest(name, line) for name, line in self._lines()}
        self.up_to_date = {
            name for name, row in self.rows.items() if row["made_by"].item() == made_by.get(name)
        }

    def _lines(self) -> Iterable[tuple[str, dict]]:
        return ((name, line) for name, line in printed.lines(self.plan) if name in self.groups)

    def _digest(self, name: str, line: dict) -> str:
        """Return the digest of what a line of a group is made by."""
        group, parts = self.groups[name], [line["take"], line["printed"]]
        if "run" in group:
            parts.append(self._made_by(group["preset"], group["run"]))
        elif "benchmark" in group:
            parts += [self._made_by(group["preset"], run) for run in group["of_runs"]]
            parts.append((ROOT / group["benchmark"]).read_text("utf-8"))
        else:
            parts.append(code.digest(["rote.models.parameter_count"]))
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def _made_by(self, preset: str, run: str) -> str:
        experiment, _, name = run.partition("/")
        return self.study.made_by.run(
            SimpleNamespace(preset=preset, experiment=experiment, run=name)
        )

    def lacking(self, kind: str, groups: Iterable[str]) -> list[str]:
        """Return those of some groups that are of a kind, and of which a line is lacking."""
        return [
            name
            for name in groups
            if kind in (group := self.groups[name])
            and any(line["name"] not in self.up_to_date for line in group["lines"])
        ]

    def enter_parameters(self) -> None:
        """Count the parameters of models of which a line is lacking."""
        for name, line in self._lines():
            take = line["take"]
            if "image" in take and line["name"] not in self.up_to_date:
                count = parameter_count(take["model"], tuple(take["image"]), take["classes"])
                self._enter(name, line, count, line["printed"], origin("cpu"), "")
        self.write()

    def experiments(self) -> list[str]:
        """Return the groups of experiments on the lines that were asked for, and lie outside."""
        return printed.experiments(self.plan, self.asked, self.rows)

    def enter_runs(self, groups: Iterable[str]) -> None:
        """Have Snakemake compute the runs that some groups lack, and enter each once it is there.

        Raises:
            UserError: Snakemake could not finish.
        """
        left = {name: self._file(name) for name in self.lacking("run", groups)}
        if not left:
            return
        command = [sys.executable, "-m", "snakemake", *left.values()]
        command += ["--snakefile", str(ROOT / "Snakefile"), "--cores", self.arguments.cores]
        command += ["--configfile", *map(str, self.files)] if self.files else []
        with subprocess.Popen(command) as process:
            finished = False
            while not finished:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(SECONDS)
                    finished = True
                for name, file in [*left.items()]:
                    if self._entered(name, Path(file)):
                        del left[name]
        if left:
            raise UserError(
                f"{', '.join(left)} could not be finished, for the reason above: see to it, and "
                "run the same command again, which goes on there."
            )

    def _file(self, name: str) -> str:
        group = self.groups[name]
        return f"results/{group['preset']}/runs/{group['run']}.nc"

    def _entered(self, name: str, path: Path) -> bool:
        """Enter the lines of a run if its file is there, and not one of other settings."""
        group = self.groups[name]
        if made_by.read(path) != self._made_by(group["preset"], group["run"]):
            return False
        run = netcdf.read(path)
        for line in group["lines"]:
            ours = printed.of_run(run, line["take"])
            self._enter(name, line, ours, line["printed"], run.attrs, run.attrs["dataset"])
        self.write()
        return True

    def enter_benchmarks(self) -> None:
        """Run the benchmarks of which a line is lacking, and enter what they have measured.

        Raises:
            UserError: one of them failed.
        """
        for name in self.lacking("benchmark", self.asked):
            script = ROOT / self.groups[name]["benchmark"]
            output = made(Path("bench"), "--directory") / f"{script.stem}.nc"
            command = [sys.executable, str(script), "--output", str(output)]
            if subprocess.run(command).returncode:
                raise UserError(
                    f"{script.name} failed, for the reason above: see to it, and run the same "
                    "command again."
                )
            found = netcdf.read(output)
            for line in self.groups[name]["lines"]:
                beside = printed.of_search(found, {**line["take"], "variable": line["printed"]})
                ours = printed.of_search(found, line["take"])
                self._enter(name, line, ours, beside, found.attrs, "MNIST digits")
            self.write()

    def _enter(self, name, line, ours, beside, attributes, dataset) -> None:
        self.rows[line["name"]] = printed.row(
            line,
            ours,
            beside,
            made_by=self._digest(name, line),
            dataset=dataset,
            git_commit=attributes["git_commit"],
        )
        self.up_to_date.add(line["name"])

    def write(self) -> None:
        """Write the page, and the table if it is not what is there."""
        path = self.folder / "published.nc"
        if self.rows:
            whole = printed.table(self.plan, self.rows)
            if not (path.exists() and netcdf.read(path).equals(whole)):
                title = "Numbers that others have printed, beside those of rote"
                netcdf.write(with_provenance(whole, self.plan["groups"], title=title), path)
        text.write(printed.markdown(self.plan, self.rows), self.folder / "README.md")


def path(text: str) -> Path:
    """Return what the command line names, from whatever folder the command then works in."""
    return Path(text).absolute()


def main() -> None:
    """Compute the lines that are lacking, then the experiments on those that lie outside."""
    parser = argparse.ArgumentParser(description="Numbers of others beside those of rote.")
    parser.add_argument("groups", nargs="*", help="of lines.yaml (all)")
    parser.add_argument("--configfile", nargs="+", type=path, default=[], help="such as data sets")
    parser.add_argument("--folder", type=path, default=ROOT / "docs" / "published")
    parser.add_argument("--directory", type=path, default=ROOT, help="of results and the store")
    parser.add_argument(
        "--cores", type=cores, default="all", help="processor cores at a time (all)"
    )
    arguments = parser.parse_intermixed_args()
    try:
        folder = made(arguments.directory, "--directory")
        with contextlib.chdir(folder):  # of which paths in a configuration may be parts
            comparison = Comparison(arguments)
            comparison.enter_parameters()
            comparison.enter_benchmarks()
            comparison.enter_runs(comparison.asked)
            comparison.enter_runs(comparison.experiments())
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    print_anywhere()
    main()
