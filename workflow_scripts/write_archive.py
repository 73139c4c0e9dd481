"""A finished study in one ZIP file, for a repository that gives it a DOI: ``make archive``."""

import argparse
import contextlib
import subprocess
import sys
from pathlib import Path

from rote.archive import citation, contents, crate, packing, pages
from rote.files import netcdf
from rote.files.provenance import origin
from rote.machine.command_line import print_anywhere
from rote.machine.errors import UserError
from rote.study import configuration
from rote.study.jobs import Study

ROOT = Path(__file__).parents[1]


def write(preset: str, folder: Path, checkout: Path = ROOT) -> Path:
    """Write the archive of a study among its results, and return its path.

    Args:
        preset: the study's.
        folder: in which Snakemake worked.
        checkout: of rote.

    Raises:
        UserError: the study is not finished, files are damaged or belong to another, or there is
            no date.
    """
    settings = folder / "results" / preset / "config.yaml"
    if not settings.is_file():
        raise UserError(
            f"{settings} is missing, so the study {preset} is not finished: call "
            f"`make archive PRESET={preset}`, which computes what is missing."
        )
    study = Study(configuration.load(settings))
    if study.preset != preset:
        raise UserError(
            f"{settings} is that of the preset {study.preset}: rename the folder to it, or delete "
            f"the file and call `make archive PRESET={preset}`."
        )
    contents.check(study, folder)
    metrics = {
        figure: netcdf.read(folder / path) for figure, path in contents.metrics(study).items()
    }
    claims = netcdf.read(folder / study.page("claims.nc"))
    files = contents.collected(study, folder, checkout)
    files |= pages.written(preset, metrics, claims)
    cited, commit = citation.read(files.get(citation.NAME, b"")), origin("cpu")["git_commit"]
    date = _committed(commit, checkout) or cited.released
    if not date:
        raise UserError(
            f"A deposit needs a date, and {checkout} is no Git repository, whose commit has one: "
            f"write one into {citation.NAME}, such as date-released: 2026-11-28."
        )
    archive = crate.Archive(study, metrics, claims, cited, commit, date)
    path = folder / study.page(f"rote-{preset}.crate.zip")
    packing.pack({crate.METADATA: crate.described(archive, files), **files}, path)
    return path


def _committed(commit: str, checkout: Path) -> str | None:
    """Return the date of a commit, which unlike those of files is the same in every copy."""
    git = ["git", "-c", "safe.directory=*", "-C", str(checkout), "log", "-1", "--format=%cs"]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        ask = [*git, commit.removesuffix("-dirty"), "--"]
        return subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    return None


def main() -> None:
    """Write the archive of a preset in the folder in which this process works."""
    parser = argparse.ArgumentParser(description="A finished study in one ZIP file.")
    parser.add_argument("--preset", default="demo", help="of the study (demo)")
    try:
        path = write(parser.parse_args().preset, Path())
    except UserError as error:
        sys.exit(f"Error: {error}")
    print(f"{path} ({path.stat().st_size / 1e6:.1f} MB): docs/files.md says how to deposit it.")


if __name__ == "__main__":
    print_anywhere()
    main()
