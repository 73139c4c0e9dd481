"""How often intervals of confidence miss the mean of standard populations, into docs/error-rates.

``PYTHONPATH=workflow_scripts .venv/bin/python workflow_scripts/measure_coverage.py``
"""

import argparse
from pathlib import Path

from rote.claims import coverage
from rote.files import text
from rote.machine.randomness import generator

PAGE = Path(__file__).parents[1] / "docs" / "error-rates" / "coverage.md"


def main() -> None:
    """Simulate studies, and write the page about their intervals."""
    parser = argparse.ArgumentParser(description="How often intervals miss the mean.")
    parser.add_argument("--studies", type=int, default=200_000, help="of each population")
    studies = parser.parse_args().studies
    counted = coverage.count(studies, generator("coverage"))
    text.write(coverage.markdown(counted, studies), PAGE)


if __name__ == "__main__":
    main()
