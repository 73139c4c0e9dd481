"""How long a preset takes, before anything runs: ``make estimate``.

Counts the work of every run (``rote.study.cost``) and divides by the rates of a device: assumed ones of a
named GPU, or those that a short measurement finds here.
"""

import argparse
import copy
import sys
from pathlib import Path

from rote.machine.errors import UserError
from rote.machine.progress import readable
from rote.study import configuration as settings
from rote.study import cost, plan

ROOT = Path(__file__).parents[1]
LINE = "{:8}{:15}{:>5}{:>11}{:>9}{:>7}{:>14}{:>14}"


def estimate(config: dict, preset: str, precision: str) -> dict[str, dict[str, cost.Work]]:
    """Return the work of every run that figures of the preset need, by figure.

    Raises:
        UserError: the configuration is wrong, or has no such preset.
    """
    settings.validate({**config, "preset": preset})
    experiments = config["presets"][preset]
    counted = {}
    for experiment, own in experiments.items():
        source = cost.sources(experiment, own, config["datasets"])
        counted[experiment] = cost.runs(experiment, own, source, precision)
    return {
        figure: {
            run: counted[experiment][run] for run in plan.runs(figure, experiments[experiment])
        }
        for figure, experiment in plan.EXPERIMENT_OF_FIGURE.items()
        if experiment in experiments and figure not in plan.impossible(experiments)
    }


def _device(name: str, precision: str) -> cost.Device:
    if name in cost.DEVICES:
        return cost.DEVICES[name]
    import torch  # which an estimate by assumptions does not need
    from rote.runs.rates import measure

    torch.set_num_threads(1)  # as jobs have it; as many run at a time as there are cores
    return measure(precision)


def table(
    figures: dict[str, dict[str, cost.Work]], device: cost.Device, precision: str
) -> list[str]:
    """Return the lines of the estimate; a run of several figures counts once in the total."""
    lines = [
        LINE.format(
            "figure", "experiment", "runs", "operations", "bytes", "calls", "at least", "estimate"
        )
    ]
    every = {}
    for figure, runs in figures.items():
        experiment = plan.EXPERIMENT_OF_FIGURE[figure]
        shared = all((experiment, run) in every for run in runs)
        lines.append(_line(figure, experiment, runs, device, precision, shared))
        every |= {(experiment, run): work for run, work in runs.items()}
    lines.append(_line("total", "", every, device, precision, False))
    seconds = {key: device.seconds(work, precision) for key, work in every.items()}
    of_experiment = dict.fromkeys((experiment for experiment, _ in every), 0.0)
    for (experiment, _), each in seconds.items():
        of_experiment[experiment] += each
    most = max(of_experiment, key=of_experiment.get)
    run = max(
        (run for experiment, run in every if experiment == most), key=lambda run: seconds[most, run]
    )
    lines.append(
        f"{most} costs most: {readable(of_experiment[most])}, "
        f"{of_experiment[most] / sum(seconds.values()):.0%} of the total; "
        f"{readable(seconds[most, run])} of it is the run {run}."
    )
    return lines


def _line(
    figure: str, experiment: str, runs: dict, device: cost.Device, precision: str, shared: bool
) -> str:
    work = sum(runs.values(), cost.Work())
    return LINE.format(
        figure,
        experiment,
        len(runs),
        f"{work.operations:.1e}",
        f"{work.bytes:.1e}",
        f"{work.calls:.0e}",
        readable(sum(device.floor(each, precision) for each in runs.values())),
        readable(sum(device.seconds(each, precision) for each in runs.values())),
    ) + (" (as above)" if shared else "")


def main() -> None:
    """Print the estimate of a preset."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="poster", help="of config.yaml (poster)")
    parser.add_argument(
        "--device",
        default="h200",
        choices=[*cost.DEVICES, "here"],
        help="whose rates: assumed ones, or measured here (h200)",
    )
    parser.add_argument("--precision", help="float32, tf32 or bf16 (that of config.yaml)")
    parser.add_argument("--configfile", help="what differs from config.yaml")
    arguments = parser.parse_args()
    try:
        config = settings.read(ROOT / "config.yaml")
        files = [copy.deepcopy(config)]
        if arguments.configfile:
            from snakemake.utils import update_config

            files.append(settings.read(Path(arguments.configfile)))
            update_config(config, files[-1])
        settings.leave_out(config, files)
        precision = arguments.precision or config["precision"]
        figures = estimate(
            {**config, "device": "auto", "precision": precision}, arguments.preset, precision
        )
        device = _device(arguments.device, precision)
    except UserError as error:
        sys.exit(f"Error: {error}")
    print(f"Preset {arguments.preset} on one {device.name}, {precision}:")
    print("\n".join(table(figures, device, precision)))
    print(
        f"Rates: {device.operations[precision] / 1e12:.3g} TFLOP/s in products, "
        f"{device.bytes / 1e12:.3g} TB/s of memory, {device.call * 1e6:.3g} µs a call"
        + ("; measured here." if arguments.device == "here" else ". None of them is measured: they")
    )
    if arguments.device != "here":
        print(
            f"are {cost.MATRIX_EFFICIENCY:.0%} and {cost.BANDWIDTH_EFFICIENCY:.0%} of NVIDIA's "
            "data sheet, and a guess. --device here measures those of this machine."
        )
    print(
        "At least: all overlaps perfectly. Estimate: products and memory traffic do not overlap. "
        "Both count\nall members as missing, models of a run as one group, training to a threshold "
        "to its last epoch, and\nno critical sample as found before the last iteration."
    )


if __name__ == "__main__":
    main()
