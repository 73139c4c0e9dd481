"""Verdicts of many variants of a study, one by one: ``make stability`` and ``make variance``.

A folder of docs holds the plan, ``variants.yaml``, the table, ``verdicts.nc``, and its page.

Each variant that is finished is entered into the table at once, so that the command may be stopped
at any time, and goes on where it was. What a variant was made by stands beside it: after a change
of code or settings it is computed again, as far as the store lacks its models.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import xarray as xr
import yaml

from rote.claims import variants as tables
from rote.files import netcdf, text
from rote.files.provenance import with_provenance
from rote.machine.command_line import at_least_one, cores, made, print_anywhere
from rote.machine.errors import UserError
from rote.study import configuration, plans, variants
from rote.study.jobs import Study
from rote.study.schema import closest
from rote.study.stability import RECORD

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Compute the verdicts of the variants that the table lacks, and write it after each."""
    parser = argparse.ArgumentParser(description="Verdicts of many variants of a study.")
    parser.add_argument("folder", type=Path, help="docs/stability, or docs/variance")
    parser.add_argument("names", nargs="*", help="variants to compute now (all that are lacking)")
    parser.add_argument(
        "--cores", type=cores, default="all", help="processor cores at a time (all)"
    )
    parser.add_argument("--directory", type=Path, default=ROOT / "bench" / "stability")
    parser.add_argument(
        "--at-most", type=at_least_one, help="variants to compute now (all that are lacking)"
    )
    arguments = parser.parse_intermixed_args()
    try:
        plan = plans.read(arguments.folder, "variants.yaml")
        planned = variants.combinations(plan)
        config = configuration.load(ROOT / "config.yaml")
        file = arguments.folder / "variants.yaml"
        plans.check_name(file, "preset", plan["preset"], config["presets"])
        whole = config["presets"][plan["preset"]]
        for experiment in plan.get("experiments", ()):
            plans.check_name(file, "experiment", experiment, whole)
        names = [variants.name(variant) for variant in planned]
        presets = {
            name: variants.preset(whole, plan, variant)
            for name, variant in zip(names, planned, strict=True)
        }
        made_by = digests({**config, "presets": {**config["presets"], **presets}}, names)
        kept = read(arguments.folder / "verdicts.nc")
        rows = {n: row for n, row in kept.items() if row["made_by"].item() == made_by.get(n)}
        if len(rows) < len(kept):
            print(
                f"{len(kept) - len(rows)} of {len(kept)} variants in the table are of other code "
                "or settings: it lacks them until they are computed again."
            )
        for name in arguments.names:
            if name not in names:
                near = closest(name, names)
                raise UserError(f"unknown variant {name}: {near}the first is {names[0]}.")
        # The first is what all others are compared with.
        asked = dict.fromkeys([names[0], *(arguments.names or names)])
        lacking = [name for name in asked if name not in rows][: arguments.at_most]
        for name in lacking:
            number = names.index(name)
            print(f"Variant {number + 1} of {len(names)}: {name}", flush=True)
            claims = compute({name: presets[name]}, name, planned[number], arguments)
            rows[name] = tables.row(claims, name, planned[number], made_by[name])
            write(arguments.folder, [rows[other] for other in names if other in rows], plan)
    except UserError as error:
        sys.exit(f"Error: {error}")


def read(table: Path) -> dict[str, xr.Dataset]:
    """Return the rows of a table by the names of their variants; none if there is no table."""
    if not table.exists():
        return {}
    whole = netcdf.read(table)
    rows = (whole.isel(variant=[i]) for i in range(whole.sizes["variant"]))
    return {row["variant"].item(): row.sel(test=row["verdict"].values[0] != "") for row in rows}


def digests(config: dict, presets: list[str]) -> dict[str, str]:
    """Return the digests of what the claims of presets are made by."""
    study = Study(config)
    return {name: study.made_by.claims(SimpleNamespace(preset=name)) for name in presets}


def compute(preset: dict, name: str, variant: dict, arguments: argparse.Namespace) -> xr.Dataset:
    """Return the claims of a variant, computed by Snakemake as any study is.

    Variants with other products have a folder of their own: the store does not tell them apart.
    """
    products = variant.get(variants.OF_WHOLE_STUDY, "auto")
    folder = made(arguments.directory, "--directory") / products
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump({"presets": preset}))
    target = f"results/{name}/claims.nc"
    command = [sys.executable, "-m", "snakemake", target, "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(arguments.cores)]
    command += ["--configfile", str(folder / f"{name}.yaml")]
    command += ["--config", f"preset={name}", f"products={products}"]
    if subprocess.run(command, cwd=folder).returncode:
        raise UserError(
            f"The variant {name} was not finished, for the reason above: see to it, and run the "
            "same command again, which goes on there."
        )
    return netcdf.read(folder / target)


def write(folder: Path, rows: list[xr.Dataset], plan: dict) -> None:
    """Write the table, its page and, of verdicts, the record that all other pages read."""
    whole, preset = tables.joined(rows), plan["preset"]
    title = f"Verdicts of variants of the preset {preset}"
    netcdf.write(with_provenance(whole, plan, title=title), folder / "verdicts.nc")
    if "vary" in plan["grid"]:
        text.write(tables.spread_markdown(whole, preset, plan["seeds"]), folder / "README.md")
        return
    planned = len(variants.combinations(plan))
    text.write(tables.markdown(whole, preset, planned), folder / "README.md")
    record = json.loads(RECORD.read_text())
    record[preset] = tables.recorded(record.get(preset, {}), whole)
    text.write(json.dumps(record, indent=2, sort_keys=True) + "\n", RECORD)


if __name__ == "__main__":
    print_anywhere()
    main()
