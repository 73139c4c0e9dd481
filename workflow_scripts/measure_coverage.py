"""How often intervals of confidence miss the mean of standard populations, into docs/error-rates.

``PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/measure_coverage.py``
"""

import argparse
import sys
from pathlib import Path

from rote.claims import coverage
from rote.files import text
from rote.machine.command_line import at_least_one, print_anywhere
from rote.machine.errors import UserError
from rote.machine.randomness import generator

PAGE = Path(__file__).parents[1] / "docs" / "error-rates" / "coverage.md"


def main() -> None:
    """Simulate studies, and write the page about their intervals."""
    parser = argparse.ArgumentParser(description="How often intervals miss the mean.")
    parser.add_argument("--studies", type=at_least_one, default=200_000, help="of each population")
    studies = parser.parse_args().studies
    counted = coverage.count(studies, generator("coverage"))
    page = coverage.markdown(counted, studies)
    print(page)
    try:
        text.write(page, PAGE)
    except UserError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    print_anywhere()
    main()
