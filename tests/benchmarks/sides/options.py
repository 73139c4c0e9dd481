"""How a benchmark begins: the options that all have, and what is wrong in them."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import torch

from rote.machine import device as devices
from rote.machine import products
from rote.machine.command_line import at_least_one
from rote.machine.errors import UserError

FOLDER = Path(__file__).parents[3] / "bench"
Case = TypeVar("Case")


def parser(
    describes: str, file: str, *, repeats: int | None = None, only: str = "", device: bool = False
) -> argparse.ArgumentParser:
    """Return the parser of a benchmark, which computes on one thread from here on.

    Args:
        describes: its docstring, whose first line is its title.
        file: of it; the table has the same name.
        repeats: turns of either side, unless the option says another number of them.
        only: of what a part may be measured alone: ``job``, ``model``, or ``run``.
        device: whether it can be told where to compute.
    """
    products.use_threads(1)
    found = argparse.ArgumentParser(description=describes.splitlines()[0])
    found.add_argument("--output", default=str(FOLDER / f"{Path(file).stem}.nc"))
    if repeats:
        found.add_argument(
            "--repeats", type=at_least_one, default=repeats, help="turns of either side (median)"
        )
    if only:
        found.add_argument("--only", default="", help=f"{only}s whose name contains this")
        found.set_defaults(named=only)
    if device:
        found.add_argument("--device", type=_device, default="auto", help="auto, cpu or cuda")
    return found


def _device(name: str) -> torch.device:
    if name not in ("auto", "cpu", "cuda"):
        raise argparse.ArgumentTypeError(f"{name!r} is not one of auto, cpu and cuda")
    try:
        return devices.choose(name, "float32")
    except UserError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def chosen(arguments: argparse.Namespace, cases: Iterable[Case], name=lambda case: case[0]) -> list:
    """Return the cases whose name contains what ``--only`` says.

    Raises:
        SystemExit: none does.
    """
    found = [case for case in cases if arguments.only in name(case)]
    if not found:
        raise SystemExit(f"No {arguments.named}'s name contains {arguments.only!r}.")
    return found
