"""How long a preset takes, before anything runs: ``make estimate``.

A few updates of every run's shape are timed on the device at hand, and multiplied. Of a device that
is not at hand, by ``--rate``, multiply-adds are counted and divided.
"""

import argparse
import math
import sys
from pathlib import Path
from types import SimpleNamespace

from rote.machine.command_line import print_anywhere
from rote.machine.errors import UserError
from rote.machine.progress import readable
from rote.study import configuration, sizes, work
from rote.study.figures import FIGURES
from rote.study.jobs import Study

ROOT = Path(__file__).parents[1]
ENDS = {
    False: "So does what proxies measures of its models, which is not timed. Training to a "
    "threshold and the search for critical samples may end before.",
    True: "A multiply-add is two operations; trainings to a threshold are counted to where they "
    "probably end.",
}
LINE = "{:14} {:22} {:>6} {:>13} {:>14}"


def estimates(study: Study, preset: str, rate: float | None = None) -> list[dict]:
    """Return, for every run that the figures of a preset need, what it is and what it takes.

    Args:
        study: that of the configuration.
        preset: one of its presets.
        rate: operations a second of a device that is not at hand, of which a multiply-add takes
            two. Runs that may end early are counted to where they probably do; without a rate they
            are timed, and counted, to their limit.

    Raises:
        UserError: the device is missing, or too small.
    """
    rows = []
    count = study.expected_multiply_adds if rate else study.multiply_adds
    for job in _jobs(study, preset):
        rows.append(
            {
                "experiment": job.experiment,
                "run": job.run,
                "models": len(study.run(job)["members"]),
                "multiply_adds": count(job),
                "seconds": 2 * count(job) / rate if rate else _timed(study, job),
            }
        )
        print(_line(rows[-1]), flush=True)
    return rows


def assumed(study: Study, preset: str) -> str:
    """Return what is assumed of images that are the user's own, which are not read for this."""
    data = (study.inputs_of_run(job)[1] for job in _jobs(study, preset))
    names = dict.fromkeys(one["dataset"] for one in data)
    own = [name for name in names if not sizes.published(study.datasets[name])]
    like = sizes.PUBLISHED["CIFAR10"]
    if not own:
        return ""
    return (
        f"\nImages of {' and '.join(own)} are not read for this: they count as of {like.channels} "
        f"channels, of {like.rows}×{like.columns} pixels where no image_size says otherwise, and "
        f"of {work.CLASSES} classes."
    )


def _jobs(study: Study, preset: str) -> list[SimpleNamespace]:
    """Return the runs of a preset, each once though several figures may need it."""
    runs = {}
    for figure in study.figures(preset):
        experiment = FIGURES[figure].experiment.name
        for run in FIGURES[figure].runs(study.presets[preset][experiment]):
            runs[experiment, run] = SimpleNamespace(preset=preset, experiment=experiment, run=run)
    return [*runs.values()]


def _timed(study: Study, job: SimpleNamespace) -> float:
    from rote.runs.estimate import seconds_of_run

    shape, data = study.inputs_of_run(job)
    return seconds_of_run(study.run(job), shape, data, device=study.config["device"])


def _line(row: dict) -> str:
    work, took = f"{row['multiply_adds']:.1e}", readable(row["seconds"])
    return LINE.format(row["experiment"], row["run"], row["models"], work, took)


def _rate(text: str) -> float:
    """Return operations a second, of a number of 10^12."""
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 1e-6 <= rate <= 1e6:
        raise argparse.ArgumentTypeError(
            f"{text} is no number of 10^12 operations a second from 10^-6 to 10^6"
        )
    return rate * 1e12


def main() -> None:
    """Print the estimate of a preset."""
    parser = argparse.ArgumentParser(description="How long a preset takes.")
    parser.add_argument("--preset", default="poster", help="of the configuration (poster)")
    parser.add_argument("--configfile", type=Path, help="what differs from config.yaml")
    parser.add_argument("--device", help="auto, cpu or cuda (that of the configuration)")
    parser.add_argument(
        "--rate",
        type=_rate,
        help="count instead, for a device of so many 10^12 operations a second, sustained",
    )
    arguments = parser.parse_args()
    given = {"preset": arguments.preset}
    if arguments.device:
        given["device"] = arguments.device
    try:
        files = [arguments.configfile] if arguments.configfile else []
        study = Study(configuration.load(ROOT / "config.yaml", files, given))
        if not arguments.rate:
            # Only now: it takes a second, and a mistake in the configuration should not.
            from rote.machine import products

            products.use_threads(1)  # as jobs have it; as many run at a time as there are cores
            products.choose(study.config["products"])
        print(LINE.format("experiment", "run", "models", "multiply-adds", "takes"))
        rows = estimates(study, arguments.preset, arguments.rate)
    except UserError as error:
        sys.exit(f"Error: {error}")
    total, longest = sum(row["seconds"] for row in rows), max(rows, key=lambda row: row["seconds"])
    place = f"at {arguments.rate / 1e12:g} Tflop/s" if arguments.rate else "on one core or one GPU"
    print(
        f"All runs of {arguments.preset}, one after another {place}: about "
        f"{readable(total)}; the longest is {longest['experiment']}/{longest['run']}.\n"
        f"Reading, writing and drawing come on top. {ENDS[bool(arguments.rate)]}"
        + assumed(study, arguments.preset)
    )


if __name__ == "__main__":
    print_anywhere(until_closed=True)
    main()
