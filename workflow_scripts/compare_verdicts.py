"""Verdicts of several studies beside each other: ``make verdicts``.

Without arguments the studies of ``docs/verdicts/studies.yaml``, into the page beside it. With the
``claims.nc`` of any studies, these, to the screen.
"""

import argparse
import sys
from pathlib import Path

import xarray as xr

from rote.claims import studies
from rote.files import netcdf, text
from rote.machine.command_line import print_anywhere
from rote.machine.errors import Damaged, UserError
from rote.study import configuration

FOLDER = Path(__file__).parents[1] / "docs" / "verdicts"


def main() -> None:
    """Write the page, or print the tables of files."""
    parser = argparse.ArgumentParser(description="Verdicts of several studies beside each other.")
    parser.add_argument("files", type=Path, nargs="*", help="results/PRESET/claims.nc")
    files = parser.parse_args().files
    if len({file.resolve() for file in files}) < len(files):
        parser.error("a file is named twice")
    try:
        if files:
            print(studies.markdown({name: read(path) for name, path in named(files).items()}))
        else:
            text.write(page(FOLDER), FOLDER / "README.md")
            print(f"Written: {FOLDER / 'README.md'}")
    except UserError as error:
        sys.exit(f"Error: {error}")


def named(files: list[Path]) -> dict[str, Path]:
    """Return files by the folders that they lie in, which have the names of presets.

    Files of folders of the same name are told apart by their whole paths.
    """
    names = [path.absolute().parent.name for path in files]
    return {
        str(path) if names.count(name) > 1 else name: path
        for name, path in zip(names, files, strict=True)
    }


def page(folder: Path) -> str:
    """Return the page about the studies that a folder's ``studies.yaml`` names."""
    plan = configuration.read(folder / "studies.yaml")
    chosen, about = {}, []
    for one in plan["studies"]:
        chosen[one["name"]] = read(folder.parent / one["file"])
        about += [f"- **{one['name']}**: {one['about'].strip()}"] if "about" in one else []
    head = ["# Which claim holds where", "", " ".join(plan["about"].split()), "", *about, ""]
    return "\n".join(head) + "\n" + studies.markdown(chosen)


def read(path: Path) -> xr.Dataset:
    """Return the verdicts of a file.

    Raises:
        UserError: it is no such file, or one of an earlier version.
    """
    remedy = "name the claims.nc of a study, which `snakemake claims` writes"
    if path.is_dir() or not path.exists():
        raise UserError(f"{path} is {'a folder' if path.is_dir() else 'missing'}: {remedy}.")
    try:
        claims = netcdf.read(path)
    except Damaged as error:
        if path.read_bytes().startswith(netcdf.HDF5):
            raise
        # Nobody should delete it as a damaged one.
        raise UserError(f"{path} is no NetCDF file: {remedy}.") from error
    if "claim_verdict" not in claims:
        raise UserError(f"{path} holds no verdicts: {remedy}.")
    if studies.of_earlier_version(claims):
        raise UserError(
            f"{path} holds the verdicts of an earlier version: have `snakemake claims` write it "
            "again."
        )
    return claims


if __name__ == "__main__":
    print_anywhere(until_closed=True)
    main()
