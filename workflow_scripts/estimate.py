"""How long a preset takes, before anything runs: ``make estimate``.

A few updates of every run's shape are timed on the device at hand, and multiplied. Of a device that
is not at hand, by ``--rate``, multiply-adds are counted and divided. The line of a run begins
before it is timed, which may take minutes.
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
BEGINNING, END = "{:14} {:22} {:>6}", "{:>13} {:>14}"  # of the line of a run


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
        models, multiply_adds = len(study.run(job)["members"]), count(job)
        print(BEGINNING.format(job.experiment, job.run, models), end=" ", flush=True)
        try:
            seconds = 2 * multiply_adds / rate if rate else _timed(study, job)
        except UserError:
            print()  # whose sentence begins a line
            raise
        print(END.format(f"{multiply_adds:.1e}", readable(seconds)), flush=True)
        rows.append(
            {
                "experiment": job.experiment,
                "run": job.run,
                "models": models,
                "multiply_adds": multiply_adds,
                "seconds": seconds,
            }
        )
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
    parser.add_argument(
        "--preset", help="of the configuration (the one that --configfile names, else poster)"
    )
    parser.add_argument(
        "--configfile", type=Path, nargs="+", default=[], help="what differs from config.yaml"
    )
    parser.add_argument("--device", help="auto, cpu or cuda (that of the configuration)")
    parser.add_argument(
        "--rate",
        type=_rate,
        help="count instead, for a device of so many 10^12 operations a second, sustained",
    )
    arguments = parser.parse_args()
    files = arguments.configfile
    given = {key: getattr(arguments, key) for key in ("preset", "device")}
    given = {key: value for key, value in given.items() if value is not None}
    try:
        if not any("preset" in configuration.read(file) for file in files):
            given.setdefault("preset", "poster")
        study = Study(configuration.load(ROOT / "config.yaml", files, given))
        preset, how = study.preset, "counted" if arguments.rate else "timed"
        print(f"Preset {preset}, runs to be {how}: {len(_jobs(study, preset))}.", flush=True)
        if not arguments.rate:
            # Only now: it takes a second, and a mistake in the configuration should not.
            from rote.machine import products

            products.use_threads(1)  # as jobs have it; as many run at a time as there are cores
            products.choose(study.config["products"])
        header = BEGINNING.format("experiment", "run", "models")
        print(header, END.format("multiply-adds", "takes"), flush=True)
        rows = estimates(study, preset, arguments.rate)
    except UserError as error:
        sys.exit(f"Error: {error}")
    total, longest = sum(row["seconds"] for row in rows), max(rows, key=lambda row: row["seconds"])
    place = f"at {arguments.rate / 1e12:g} Tflop/s" if arguments.rate else "on one core or one GPU"
    print(
        f"All runs of {preset}, one after another {place}: about "
        f"{readable(total)}; the longest is {longest['experiment']}/{longest['run']}.\n"
        f"Reading, writing and drawing come on top. {ENDS[bool(arguments.rate)]}"
        + assumed(study, preset)
    )


if __name__ == "__main__":
    print_anywhere(until_closed=True)
    main()
