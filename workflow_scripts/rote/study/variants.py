"""Variants of a preset: the same study with other seeds, learning rates, widths or products."""

from collections.abc import Callable
from copy import deepcopy
from itertools import product

from rote.study.plan import each

WIDTHS = "hidden_units", "capacity_units", "maps", "dense"
OF_WHOLE_STUDY = "products"  # which is no setting of a preset


def combinations(plan: dict) -> list[dict]:
    """Return the settings of each variant: the preset as it is, then what differs in one setting.

    Args:
        plan: ``grid`` and ``alone``, each from the name of a setting to its values, the preset's
            own first: of the grid every combination, of the others one at a time.
    """
    first = {name: values[0] for name, values in {**plan["grid"], **plan["alone"]}.items()}
    of_grid = [
        first | dict(zip(plan["grid"], values, strict=True))
        for values in product(*plan["grid"].values())
    ]
    others = [
        first | {name: value} for name, values in plan["alone"].items() for value in values[1:]
    ]
    both = of_grid + others
    return sorted(both, key=lambda variant: sum(variant[name] != first[name] for name in first))


def name(variant: dict) -> str:
    """Return what a variant is called, which may be the name of a preset."""
    parts = [f"{key}_{'_'.join(map(str, each(value)))}" for key, value in variant.items()]
    return "_".join(parts).replace(".", "p")


def preset(experiments: dict, plan: dict, variant: dict) -> dict:
    """Return the experiments of a preset as a variant has them.

    Args:
        experiments: those of the merged preset, with all of their values.
        plan: may name the ``experiments`` that are kept, and the number of ``seeds``.
        variant: ``first_seed`` and ``vary``; ``learning_rate`` and ``width``, which are factors.
    """
    kept = plan.get("experiments", experiments)
    changed = {name: deepcopy(settings) for name, settings in experiments.items() if name in kept}
    rate, width = variant.get("learning_rate", 1), variant.get("width", 1)
    _change(changed, ("learning_rate",), lambda own: float(f"{own * rate:.6g}"))
    _change(changed, WIDTHS, lambda own: max(1, round(own * width)))
    of_all = {key: variant[key] for key in ("first_seed", "vary") if key in variant}
    of_all |= {key: plan[key] for key in ("seeds",) if key in plan}
    return {name: settings | of_all for name, settings in changed.items()}


def _change(block: dict, keys: tuple[str, ...], change: Callable) -> None:
    """Change the numbers, or lists of such, under some keys, in place, at any depth."""
    for key, value in block.items():
        if isinstance(value, dict):
            _change(value, keys, change)
        elif key in keys:
            block[key] = (
                [change(one) for one in value] if isinstance(value, list) else change(value)
            )
