"""How long a preset takes, before anything runs: ``make estimate``.

A few updates of every run's shape are timed on the device at hand, and multiplied.
"""

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace

from rote.machine.errors import UserError
from rote.machine.progress import readable
from rote.study import configuration
from rote.study.figures import FIGURES
from rote.study.jobs import Study

ROOT = Path(__file__).parents[1]
LINE = "{:14} {:22} {:>6} {:>13} {:>14}"


def estimates(study: Study, preset: str) -> list[dict]:
    """Return, for every run that the figures of a preset need, what it is and what it takes.

    Raises:
        UserError: the device is missing, or too small.
    """
    from rote.runs.estimate import seconds_of_run

    rows, runs = [], {}
    for figure in study.figures(preset):
        experiment = FIGURES[figure].experiment.name
        for run in FIGURES[figure].runs(study.presets[preset][experiment]):
            runs[experiment, run] = SimpleNamespace(preset=preset, experiment=experiment, run=run)
    for (experiment, run), job in runs.items():
        settings, (shape, data) = study.run(job), study.inputs_of_run(job)
        seconds = seconds_of_run(settings, shape, data, device=study.config["device"])
        rows.append(
            {
                "experiment": experiment,
                "run": run,
                "models": len(settings["members"]),
                "multiply_adds": study.multiply_adds(job),
                "seconds": seconds,
            }
        )
        print(_line(rows[-1]), flush=True)
    return rows


def _line(row: dict) -> str:
    work, took = f"{row['multiply_adds']:.1e}", readable(row["seconds"])
    return LINE.format(row["experiment"], row["run"], row["models"], work, took)


def main() -> None:
    """Print the estimate of a preset."""
    parser = argparse.ArgumentParser(description="How long a preset takes.")
    parser.add_argument("--preset", default="poster", help="of the configuration (poster)")
    parser.add_argument("--configfile", type=Path, help="what differs from config.yaml")
    parser.add_argument("--device", help="auto, cpu or cuda (that of the configuration)")
    arguments = parser.parse_args()
    given = {"preset": arguments.preset}
    if arguments.device:
        given["device"] = arguments.device
    try:
        files = [arguments.configfile] if arguments.configfile else []
        study = Study(configuration.load(ROOT / "config.yaml", files, given))
        # Only now: it takes a second, and a mistake in the configuration should not.
        from rote.machine import products

        products.use_threads(1)  # as jobs have it; as many run at a time as there are cores
        products.choose(study.config["products"])
        print(LINE.format("experiment", "run", "models", "multiply-adds", "takes"))
        rows = estimates(study, arguments.preset)
    except UserError as error:
        sys.exit(f"Error: {error}")
    total, longest = sum(row["seconds"] for row in rows), max(rows, key=lambda row: row["seconds"])
    print(
        f"All runs of {arguments.preset}, one after another on one core or one GPU: about "
        f"{readable(total)}; the longest is {longest['experiment']}/{longest['run']}.\n"
        "Reading, writing and drawing come on top; training to a threshold and the search for "
        "critical\nsamples may end before."
    )


if __name__ == "__main__":
    main()
