"""How often verdicts are wrong, by resampling a larger study: ``make rates``."""

import argparse
import sys
from pathlib import Path

import yaml

from rote.claims import error_rates
from rote.files import netcdf, text
from rote.machine.command_line import at_least_one, print_anywhere
from rote.machine.errors import UserError
from rote.machine.randomness import generator
from rote.study import configuration

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs" / "error-rates"


def page_name(name: str) -> str:
    """Return the name of a page of the command line."""
    if Path(name).name != name or Path(name).suffix != ".md":
        raise argparse.ArgumentTypeError(f"{name} is no plain name of a page, such as mine.md")
    return name


def main() -> None:
    """Draw studies from the metrics of a larger one, and write the page about their verdicts."""
    parser = argparse.ArgumentParser(description="How often verdicts are wrong.")
    parser.add_argument("results", type=Path, help="of the larger study: a folder with metrics")
    parser.add_argument("--studies", type=at_least_one, default=1000)
    parser.add_argument("--seeds", type=at_least_one, default=6, help="replicates of each study")
    parser.add_argument(
        "--page", type=page_name, default="README.md", help="its name in docs/error-rates"
    )
    parser.add_argument("--settings", default="larger.yaml", help="of the larger study, likewise")
    arguments = parser.parse_args()
    try:
        criteria = configuration.load(ROOT / "config.yaml")["claims"]
        files = sorted(arguments.results.glob("metrics/*.nc"))
        metrics = {file.stem: netcdf.read(file) for file in files}
        metrics = {figure: one for figure, one in metrics.items() if "seed" in one.dims}
        if not metrics:
            raise UserError(f"{arguments.results} holds no metrics: name the results of a study.")
    except UserError as error:
        sys.exit(f"Error: {error}")
    there = {one.sizes["seed"] for one in metrics.values()}
    if len(there) > 1:
        sys.exit("Error: the figures of the larger study have different numbers of seeds.")
    counted = error_rates.count(
        metrics, criteria, arguments.studies, arguments.seeds, generator("error rates")
    )
    page = error_rates.markdown(
        counted, arguments.studies, arguments.seeds, there.pop(), arguments.settings
    )
    print(
        yaml.safe_dump(
            {f"claim {one.number}": [one.supported, one.contradicted] for one in counted}
        )
    )
    try:
        text.write(page, DOCS / arguments.page)
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    print_anywhere()
    main()
