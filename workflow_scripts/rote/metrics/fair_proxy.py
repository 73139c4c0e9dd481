"""Is noise a fair proxy: are real examples memorised by the models that memorise random labels?"""

import numpy as np
import xarray as xr

from rote.measures.memorization import mean_score, share_above
from rote.metrics import protocol, settings_of, with_protocol
from rote.metrics.memorization import Group, groups
from rote.study.mlp import widths
from rote.study.plan import REGULARIZERS

NUMBERS = {
    "memorized_share": "real data: share of examples with a memorisation score above "
    "memorized_above, corrected for the noise of the scores",
    "mean_memorization": "real data: mean memorisation score",
    "train_accuracy": "real data: mean accuracy of the models on their subsets",
    "validation_accuracy": "real data: mean accuracy of the models on the validation examples",
    "noise_train_accuracy": "random labels: mean accuracy of the models on their subsets",
    "noise_mean_memorization": "random labels: mean memorisation score",
    "share_of_early_end": "real data: share that is memorised without a regulariser by models that "
    "end at the same training accuracy, between two numbers of epochs",
}
VARIED = {"none": "nothing", "units": "width", "epochs": "epochs"}
WORDS = {
    "varied": "what differs from the model of which all others differ: nothing, width, epochs, or "
    "the regulariser",
    "strength": "the number that it has: units, epochs, or strength of the regulariser",
    "variant": "what differs, and by how much",
}


def metrics(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return what models memorise of real data, and how well they fit random labels.

    Args:
        runs: of the experiment ``fair_proxy``: that of which the others vary one thing, first.

    Returns:
        Those of ``NUMBERS`` (variant, seed), at the first learning rate, missing where all models
        diverged, the share where fewer than four are left; ``share_of_early_end`` also where no
        number of epochs gives the accuracy, and for what is no regulariser; ``varied`` and
        ``strength`` (variant). Attributes ``models_per_replicate``, of each variant and condition,
        ``memorized_above`` and ``fraction``, of the examples that a model is trained on.
    """
    result = xr.concat([_of_run(run) for run in runs], "variant", join="outer")
    result["share_of_early_end"] = _of_early_end(result)
    for name, long_name in NUMBERS.items():
        result[name].attrs = {"long_name": long_name, "units": "1"}
    for name, words in WORDS.items():
        result[name].attrs = {"long_name": words}
    result["strength"].attrs["units"] = "1"
    result["seed"].attrs = {**runs[0]["seed"].attrs, "units": "1"}
    first = runs[0]
    return with_protocol(
        "fair_proxy",
        result.assign_attrs(
            models_per_replicate=first.sizes["member"] // first.sizes["draw"],
            memorized_above=settings_of(first)["memorized_above"],
            fraction=first["percent"].values[0].item() / 100,
        ),
        runs,
        protocol([first]),
    )


def _of_run(run: xr.Dataset) -> xr.Dataset:
    """Return the numbers of a run's variants, (variant, seed)."""
    settings = settings_of(run)
    varied, first = settings["varied"], run["learning_rate"].values[0]
    run = run.isel(member=np.flatnonzero(run["learning_rate"].values == first))
    strengths = _strengths(run, settings)
    seeds = list(dict.fromkeys(run["draw_seed"].values.tolist()))
    names = [name for name in NUMBERS if name != "share_of_early_end"]
    values = {name: np.full((len(set(strengths)), len(seeds)), np.nan) for name in names}
    order = list(dict.fromkeys(strengths.tolist()))
    for i, strength in enumerate(order):
        own = run.isel(member=np.flatnonzero(strengths == strength))
        for group in groups(own):
            at = i, seeds.index(group.seed)
            for name, value in _of_group(group, settings["memorized_above"]).items():
                values[name][at] = value
    called = VARIED.get(varied, varied)
    return xr.Dataset(
        {name: (("variant", "seed"), found) for name, found in values.items()},
        coords={
            "variant": ("variant", [_name(called, strength) for strength in order]),
            "seed": seeds,
            "varied": ("variant", [called] * len(order)),
            "strength": ("variant", order),
        },
    )


def _strengths(run: xr.Dataset, settings: dict) -> np.ndarray:
    """Return the number of each member that differs from that of other runs, (member,)."""
    varied, members = settings["varied"], run.sizes["member"]
    if varied in REGULARIZERS:
        return run[varied].values
    number = 0.0
    if varied == "units":
        number = float(widths(settings["model"])[0])
    elif varied == "epochs":
        number = float(settings["training"]["epochs"])
    return np.full(members, number)


def _name(called: str, strength: float) -> str:
    return called if called == "nothing" else f"{called.replace('_', ' ')} {strength:g}"


def _of_group(group: Group, threshold: float) -> dict[str, float]:
    """Return the numbers of a group: those of real data, or of noise."""
    if not len(group.right):
        return {}
    last = group.models.isel(epoch=-1)
    train, validation = (last[f"{name}_accuracy"].mean().item() for name in ("train", "validation"))
    mean = mean_score(group.right, group.trained)
    if group.noise_kind != "real":
        return {"noise_train_accuracy": train, "noise_mean_memorization": mean}
    share = share_above(group.right, group.trained, threshold).corrected
    return {
        "memorized_share": share,
        "mean_memorization": mean,
        "train_accuracy": train,
        "validation_accuracy": validation,
    }


def _of_early_end(table: xr.Dataset) -> xr.DataArray:
    """Return what is memorised without a regulariser at the training accuracy of each variant.

    Along the epochs, the share is interpolated linearly between training accuracies, in each seed.
    """
    found = xr.full_like(table["memorized_share"], np.nan)
    varied = table["varied"].values
    plain = np.isin(varied, ["nothing", "epochs"])
    accuracy, share = table["train_accuracy"].values, table["memorized_share"].values
    for seed in range(table.sizes["seed"]):
        x, y = accuracy[plain, seed], share[plain, seed]
        there = np.isfinite(x + y)
        if not there.any():
            continue
        x, order = np.unique(x[there], return_index=True)
        y = y[there][order]
        for variant in np.flatnonzero(~np.isin(varied, ["nothing", "epochs", "width"])):
            at = accuracy[variant, seed]
            if x[0] <= at <= x[-1]:
                found.values[variant, seed] = np.interp(at, x, y)
    return found
