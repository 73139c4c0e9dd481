"""What each figure shows, computed from the runs of its experiment: one module a figure.

Each has ``metrics(runs)``: the runs in, the content of ``metrics/{figure}.nc`` out. Nothing is
averaged away before the figure.
"""

import logging
from collections import Counter
from itertools import chain

import xarray as xr
import yaml

from rote.files.provenance import as_text, with_provenance
from rote.files.sweeps import SWEPT
from rote.machine.errors import UserError
from rote.metrics import words
from rote.study.figures import full_title

logger = logging.getLogger(__name__)

NOISE_KIND = {"long_name": "noise in inputs or labels, by its name"}
CONDITION = {"long_name": "training data: real, halfX (50 % randX), or the name of a noise"}
ABOUT_DATA = ("dataset", "train_examples", "validation_examples", "drawn_from", "image_size")


def settings_of(run: xr.Dataset) -> dict:
    """Return the settings that a run was computed by, those of its data among them."""
    return {**yaml.safe_load(run.attrs["settings"]), "data": yaml.safe_load(run.attrs["data"])}


def factored(each: list[dict]) -> tuple[dict, list[dict]]:
    """Return what several settings share, at any depth, and for each of them what it has beside."""
    shared, own = {}, [{} for _ in each]
    for key in dict.fromkeys(chain.from_iterable(each)):
        values = [one[key] for one in each if key in one]
        if len(values) == len(each) and all(value == values[0] for value in values):
            shared[key] = values[0]
        elif len(values) == len(each) and all(isinstance(value, dict) for value in values):
            inner, rests = factored(values)
            shared |= {key: inner} if inner else {}
            for one, rest in zip(own, rests, strict=True):
                one |= {key: rest} if rest else {}
        else:
            for one, settings in zip(own, each, strict=True):
                one |= {key: settings[key]} if key in settings else {}
    return shared, own


def protocol(runs: list[xr.Dataset]) -> list[str]:
    """Return two lines for people: data and model; training.

    The runs share their data, but for the number of training examples.
    """
    attrs, each = runs[0].attrs, [settings_of(run) for run in runs]
    sizes = sorted({run.attrs["train_examples"] for run in runs})
    examples = " to ".join(f"{size:,}" for size in dict.fromkeys((sizes[0], sizes[-1])))
    validation = attrs["validation_examples"]
    held_out = f" and {validation:,} validation" if validation else ""
    data = (
        f"{attrs['dataset']}, {attrs['image_size']} pixels, {examples} training{held_out} examples"
    )
    return [
        f"{data}; {words.of_models([one['model'] for one in each])}",
        words.of_trainings([one["training"] for one in each]),
    ]


def with_protocol(
    figure: str, metrics: xr.Dataset, runs: list[xr.Dataset], lines: list[str] | None = None
) -> xr.Dataset:
    """Return the ``metrics`` of a figure with what it says about the data and the models.

    The attribute ``settings`` is what the runs share; ``runs`` in it is what each has beside.
    ``diverged_members`` counts those of the first learning rate, which figures show. ``lines``
    stand for the :func:`protocol` of runs that do not share their data.

    Raises:
        UserError: all members of the first learning rate have diverged.
    """
    ended = [run["diverged_epoch"][_of_first_rate(run)] > 0 for run in runs]
    diverged = sum(int(of_run.sum()) for of_run in ended)
    if diverged == sum(of_run.size for of_run in ended):
        raise UserError(
            "All models diverged, so there is nothing to draw: lower learning_rate (of several, "
            "the first), then run the same command again."
        )
    if diverged:
        logger.warning("%d members diverged: the figure says what became of them.", diverged)
    shared, own = factored([settings_of(run) for run in runs])
    return with_provenance(
        metrics.assign_attrs(
            # What differs between the runs is along a dimension.
            **{
                key: runs[0].attrs[key]
                for key in ABOUT_DATA
                if len({run.attrs[key] for run in runs}) == 1
            },
            models=as_text(origins(runs)),
            protocol="\n".join(lines or protocol(runs)),
            diverged_members=diverged,
        ),
        {**shared, "runs": own} if any(own) else shared,
        title=full_title(figure),
        device=", ".join(sorted({run.attrs["device"] for run in runs})),
    )


def _of_first_rate(run: xr.Dataset) -> xr.DataArray:
    rates = run["learning_rate"]
    return rates == rates[0]


def origins(runs: list[xr.Dataset]) -> list[dict]:
    """Return where the models of ``runs`` come from: commit, software, device, and how many.

    Models of a store may be of another commit, or another version of a library, than their run.
    """
    unknown = {"git_commit": "unknown", "software": "{}", "device": "unknown"}
    columns = (
        [
            run[name].values.tolist()
            if name in run.coords
            else [run.attrs.get(name, default)] * run.sizes["member"]
            for name, default in unknown.items()
        ]
        for run in runs
    )
    counts = Counter(one for each in columns for one in zip(*each, strict=True))
    found = [
        {
            "git_commit": commit,
            "software": yaml.safe_load(software),
            "device": device,
            "models": count,
        }
        for (commit, software, device), count in sorted(counts.items())
    ]
    if differing := differences([one["software"] for one in found]):
        logger.warning("The models were computed with several versions: %s.", differing)
    return found


def differences(software: list[dict[str, str]]) -> str:
    """Return the libraries of which there are several versions, for people; none if there are none.

    Only those count that compute: torch and NumPy.
    """
    versions = {
        name: sorted({one[name] for one in software if name in one}) for name in ("torch", "numpy")
    }
    return "; ".join(
        f"{name} {' and '.join(each)}" for name, each in versions.items() if len(each) > 1
    )


def join_runs(runs: list[xr.Dataset]) -> xr.Dataset:
    """Return all members of ``runs``; a scalar coordinate of a run becomes one of its members."""
    return xr.concat(runs, "member", coords="all", join="outer")


def real_as_every_kind(members: xr.Dataset) -> xr.Dataset:
    """Return ``members``, those on real data once for each kind of noise: they are its level 0."""
    kinds = members["noise_kind"]
    return join_runs(
        [
            members.sel(member=kinds.isin(["real", kind])).assign_coords(
                noise_kind=((), kind, NOISE_KIND)
            )
            for kind in sorted({*kinds.values} - {"real"})
        ]
    )


def unstack_members(members: xr.Dataset, *coordinates: str) -> xr.Dataset:
    """Return the variables of ``members`` along ``coordinates`` instead of along ``member``.

    Together the coordinates tell all members apart. Their values are sorted; where there is no
    member, values are missing. Other coordinates of members, and the attributes of a run, go. In
    front of them stands what is swept, the learning rate, its values in the order of the members.
    """
    swept = [name for name in SWEPT if name in members.coords and "member" in members[name].dims]
    order = {name: list(dict.fromkeys(members[name].values.tolist())) for name in swept}
    table = members.set_index(member=[*swept, *coordinates]).reset_coords(drop=True)
    return table.unstack("member").sel(order).drop_attrs(deep=False)


def unstack_conditions(members: xr.Dataset, *others: str) -> xr.Dataset:
    """Return the variables of ``members`` along ``condition``, ``others``, …, ``seed``.

    The conditions are the kinds of noise, in the order in which the members have them.
    """
    conditions = list(dict.fromkeys(members["noise_kind"].values))
    table = unstack_members(members, "noise_kind", *others, "seed").sel(noise_kind=conditions)
    return (
        table.rename(noise_kind="condition")
        .transpose(
            "condition", *others, *(name for name in SWEPT if name in table.dims), ..., "seed"
        )
        .assign_coords(condition=("condition", conditions, CONDITION))
    )
