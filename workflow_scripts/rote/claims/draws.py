"""Which examples replicates have in common: what the intervals of confidence speak about."""

from collections.abc import Mapping

import xarray as xr
import yaml

from rote.study.figures import title


def of_figures(metrics: Mapping[str, xr.Dataset]) -> dict[str, dict]:
    """Return how the replicates behind each figure draw their examples.

    Args:
        metrics: what ``metrics/{figure}.nc`` hold, by figure.

    Returns:
        By figure: ``draws``, how many draws of the examples there are; ``train`` and
        ``validation``, the least and the largest number of examples; ``validation_from``, the part
        of the data set; ``drawn_from``, how many images its training part has, if they say so. Of
        cases that differ in these: ``cases``, the same for each, by its title. Metrics that name no
        training examples in their settings are left out.
    """
    found = {figure: _of_figure(one) for figure, one in metrics.items()}
    return {figure: drawn for figure, drawn in found.items() if drawn}


def _of_figure(metrics: xr.Dataset) -> dict:
    settings = yaml.safe_load(metrics.attrs.get("settings", "{}"))
    each = [
        {**settings.get("data", {}), **run.get("data", {})} for run in settings.get("runs", [{}])
    ]
    if not all("train_examples" in data for data in each):
        return {}
    if "drawn_from" in metrics.coords:
        pools = metrics["drawn_from"].values.tolist()
        cases = [
            {**_of_data([data]), "drawn_from": pool} for data, pool in zip(each, pools, strict=True)
        ]
        if any(one != cases[0] for one in cases):
            return {"cases": dict(zip(metrics["title"].values.tolist(), cases, strict=True))}
    found = _of_data(each)
    if "drawn_from" in metrics.attrs:
        found["drawn_from"] = int(metrics.attrs["drawn_from"])
    return found


def _of_data(each: list[dict]) -> dict:
    """Return what the settings of the data of several runs say."""
    train, validation = (
        [data.get(f"{use}_examples", 0) for data in each] for use in ("train", "validation")
    )
    # Files of before replicates drew examples have a single draw, and name it `seed`.
    return {
        "draws": min(len(data.get("data_seeds", [0])) for data in each),
        "train": [min(train), max(train)],
        "validation": [min(validation), max(validation)],
        "validation_from": ", ".join(
            sorted({data.get("validation_from", "train") for data in each})
        ),
    }


def words(figure: str, drawn: dict) -> str:
    """Return one sentence on what the replicates behind a figure have in common.

    Args:
        figure: such as ``fig1``.
        drawn: what :func:`of_figures` says about it.
    """
    return f"{title(figure)}: {sentence(drawn)}"


def sentence(drawn: dict) -> str:
    """Return the same without the name of the figure, and without a full stop."""
    if "cases" in drawn:
        return "; ".join(f"{title}: {sentence(one)}" for title, one in drawn["cases"].items())
    pool = drawn.get("drawn_from")
    of = f" of {pool:,}" if pool else ""
    training = f"{_range(drawn['train'])} training"
    if not drawn["validation"][1]:
        examples = f"{training} examples{of}"
    elif drawn["validation_from"] == "train":
        examples = f"{training} and {_range(drawn['validation'])} validation examples{of}"
    else:
        examples = f"{training} examples{of}, and {_range(drawn['validation'])} validation examples"
    if drawn["draws"] == 1:
        return f"all replicates have the same {examples}: the intervals say nothing about others"
    return f"each replicate draws {examples}; {in_common(drawn, 'two')}"


def in_common(drawn: dict, who: str = "two replicates") -> str:
    """Return what two replicates have in common, in a clause."""
    if "cases" in drawn:
        return "; ".join(f"{title}: {in_common(one, who)}" for title, one in drawn["cases"].items())
    if drawn["draws"] == 1:
        return f"{who} have the same examples"
    if "drawn_from" not in drawn:
        return f"how many examples {who} share is not recorded"
    shared = _percent([size / drawn["drawn_from"] for size in drawn["train"]])
    return f"{who} share {shared} of the training examples"


def _range(ends: list[int]) -> str:
    return " to ".join(f"{end:,}" for end in dict.fromkeys(ends))


def _percent(fractions: list[float]) -> str:
    shown = [f"{100 * value:.0f}" if value >= 0.01 else f"{100 * value:.1g}" for value in fractions]
    return f"{' to '.join(dict.fromkeys(shown))} %"
