"""A study as a report in the form of a reproducibility paper."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import jinja2
import xarray as xr
import yaml

from rote.claims import draws
from rote.claims.quantiles import SKEWNESS
from rote.claims.tables import conclusions, parts_of
from rote.claims.verdicts import CONTRADICTED, CORE, INCONCLUSIVE, NOT_TESTED, SUPPORTED
from rote.files.text import plain
from rote.study import noises, plan
from rote.study.figures import EXPERIMENT_OF_FIGURE, FIGURES, title

LIBRARIES = "python", "torch", "numpy"
FACTORS = {
    "data": "examples",
    "noise": "noise",
    "initialization": "initial weights",
    "order": "order of the examples",
}
# What an experiment varies beside noise and seeds, and how that is called.
VARIED = {
    "capacity": ("hidden units", lambda settings: settings["model"]["hidden_units"]),
    "convergence": ("training examples", lambda settings: settings["data"]["train_examples"]),
    "difficulty": (
        "weights and orders on the same examples",
        lambda settings: [settings["experiments"]],
    ),
}


def paper(
    metrics: Mapping[str, xr.Dataset], claims: xr.Dataset, config: dict, drawn: list[str]
) -> str:
    """Return ``paper.md``: a report of a study, with every number from its results.

    Args:
        metrics: what ``metrics/{figure}.nc`` hold, by figure.
        claims: what ``claims.nc`` holds.
        config: what ``config.yaml`` of the results holds.
        drawn: the figures that have a picture.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # it is Markdown: the filter `plain` marks what is text
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["plain"] = plain
    parts = [_with_interval(part) for part in parts_of(claims)]
    experiments = config["presets"][config["preset"]]
    chosen = _figure_of_each(metrics)
    told = [_claim(one, parts, drawn) for one in conclusions(claims)]
    return environment.get_template("paper.md.jinja").render(
        preset=config["preset"],
        skewness=SKEWNESS,
        claims=[one for one in told if one["stated_by"] == "poster"],
        own_claims=[one for one in told if one["stated_by"] == "rote"],
        further=[part for part in parts if part["stated_by"] not in CORE],
        criteria=yaml.safe_load(claims.attrs["settings"])["claims"],
        protocols=_protocols(metrics, chosen),
        datasets=_datasets(metrics),
        tally=_tally([part["verdict"] for part in parts if part["stated_by"] == "poster"]),
        replicates=_replicates(experiments),
        experiments=[row for name in experiments for row in _rows(name, experiments[name])],
        noises=_noises(experiments, config.get("noises", {})),
        models=sum(one["models"] for one in _origins(metrics, chosen)),
        origins=_origins(metrics, chosen),
        tested_by=claims.attrs["git_commit"],
        dependent=[part for part in parts if part["dependent_on"]],
    )


def _with_interval(part: dict) -> dict:
    """Return a part with its interval alone, and with the words for its verdict."""
    interval = part["interval"].partition("],")[0]
    return {**part, "ends": f"{interval}]" if interval.startswith("[") else "–"}


def _claim(one: dict, parts: list[dict], drawn: list[str]) -> dict:
    """Return a conclusion with its core parts, how many have which verdict, and its figures."""
    core = [part for part in parts if part["claim"] == one["number"] and part["stated_by"] in CORE]
    figures = dict.fromkeys(part["figure"] for part in core if part["figure"] in drawn)
    return {
        **one,
        "core": core,
        "tally": _tally([part["verdict"] for part in core]),
        "title": one["text"].rstrip("."),
        "in_words": _capital(one["decided"]),
        "figures": {figure: title(figure) for figure in figures},
        "shows": {figure: FIGURES[figure].shows for figure in figures},
    }


def _tally(verdicts: list[str]) -> str:
    """Return how many core parts have which verdict, in words."""
    if len(verdicts) == 1:
        return f"its only core part is {verdicts[0]}"
    counts = Counter(verdicts)
    first, *others = [
        (verdict, counts[verdict])
        for verdict in (SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_TESTED)
        if counts[verdict]
    ]
    if not others:
        return f"all {len(verdicts)} core parts are {first[0]}"
    words = [f"{count} {'is' if count == 1 else 'are'} {verdict}" for verdict, count in (first,)]
    words += [f"{count} {verdict}" for verdict, count in others]
    return f"of {len(verdicts)} core parts {', '.join(words[:-1])} and {words[-1]}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _figure_of_each(metrics: Mapping[str, xr.Dataset]) -> dict[str, str]:
    """Return for each experiment the figure that shows most of its models."""
    chosen: dict[str, str] = {}
    for figure, one in metrics.items():
        experiment = EXPERIMENT_OF_FIGURE[figure]
        before = chosen.get(experiment)
        if before is None or _models(one) > _models(metrics[before]):
            chosen[experiment] = figure
    return chosen


def _models(metrics: xr.Dataset) -> int:
    return sum(one["models"] for one in yaml.safe_load(metrics.attrs["models"]))


def _protocols(metrics: Mapping[str, xr.Dataset], chosen: dict[str, str]) -> list[dict]:
    """Return for each experiment its figures, what was trained on what, and what is shared."""
    drawn = draws.of_figures(metrics)
    return [
        {
            "experiment": experiment,
            "figures": ", ".join(
                title(name) for name in metrics if EXPERIMENT_OF_FIGURE[name] == experiment
            ),
            # Every other line is about training, which the table of hyperparameters tells.
            "lines": metrics[figure].attrs["protocol"].splitlines()[::2],
            "shared": _capital(draws.in_common(drawn[figure])) if figure in drawn else "",
        }
        for experiment, figure in chosen.items()
    ]


def _datasets(metrics: Mapping[str, xr.Dataset]) -> dict[str, int | None]:
    """Return the images in the training part of each data set, by its title, where it is known."""
    found: dict[str, int | None] = {}
    for one in metrics.values():
        if "dataset" in one.attrs:
            pool = one.attrs.get("drawn_from", found.get(one.attrs["dataset"]))
            found[one.attrs["dataset"]] = None if pool is None else int(pool)
    return found


def _origins(metrics: Mapping[str, xr.Dataset], chosen: dict[str, str]) -> list[dict]:
    """Return on what, and by which commit and libraries, how many models were computed."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for figure in chosen.values():
        for one in yaml.safe_load(metrics[figure].attrs["models"]):
            software = ", ".join(
                f"{name} {one['software'][name]}" for name in LIBRARIES if name in one["software"]
            )
            counts[one["device"], software, one["git_commit"]] += one["models"]
    names = "device", "software", "commit"
    return [{**dict(zip(names, of, strict=True)), "models": count} for of, count in counts.items()]


def _rows(name: str, settings: dict) -> list[dict]:
    """Return the hyperparameters of an experiment: a row for each of its trainings."""
    match name:
        case "sensitivity":
            trainings = {f"{name}, {key}": one for key, one in settings["labellings"].items()}
        case "complexity":
            trainings = {key: one["training"] for key, one in settings["cases"].items()}
            trainings = {f"{name}, {key}": one for key, one in trainings.items()}
        case _:
            trainings = {name: settings["training"]}
    shared = {
        "noise": _noise(settings),
        "varied": _varied(name, settings),
    }
    return [
        {
            "experiment": experiment,
            **shared,
            **{key: f"{training[key]:,}" for key in ("epochs", "batch_size")},
            "learning_rate": _rates(training),
            "momentum": f"{training.get('momentum', 0):g}",
        }
        for experiment, training in trainings.items()
    ]


def _rates(training: dict) -> str:
    """Return the learning rates of a training, and how they decay."""
    rates = _listed(plan.each(training["learning_rate"]))
    if every := training.get("decay_every"):
        return f"{rates}; times {training['decay_factor']:g} every {every} epochs"
    if at := training.get("decay_at"):
        return f"{rates}; times {training['decay_factor']:g} after epochs {_listed(sorted(at))}"
    return rates


def _replicates(experiments: dict) -> list[dict]:
    """Return which experiments are replicated how often, and what each replicate draws anew."""
    found: dict[tuple[int, str], list[str]] = {}
    for name, settings in experiments.items():
        vary = ", ".join(FACTORS[factor] for factor in settings["vary"]) or "nothing"
        found.setdefault((settings["seeds"], vary), []).append(name)
    return [
        {"seeds": seeds, "vary": vary, "experiments": ", ".join(names)}
        for (seeds, vary), names in found.items()
    ]


def _noises(experiments: dict, defined: dict) -> dict[str, str]:
    """Return the noises beside those of the poster, which the report explains, and their words."""
    names = [name for one in experiments.values() for name in one.get("noise_kinds", ())]
    return {
        name: noises.words(name, defined)
        for name in dict.fromkeys(names)
        if name not in ("randX", "randY")
    }


def _noise(settings: dict) -> str:
    if "conditions" in settings:
        return ", ".join(settings["conditions"])
    if "noise_levels" not in settings and "noise_level" not in settings:
        return "real; randY"
    levels = _listed(level for level in plan.noise_levels(settings))
    return f"{', '.join(settings.get('noise_kinds', ['randX']))}; {levels}"


def _varied(name: str, settings: dict) -> str:
    """Return what an experiment varies beside noise, with its values."""
    if name == "regularization":
        return "strengths of " + ", ".join(
            f"{key.replace('_', ' ')} ({len(values)})"
            for key, values in settings["strengths"].items()
        )
    if name not in VARIED:
        return "–"
    what, values = VARIED[name]
    return f"{what}: {_listed(plan.each(values(settings)))}"


def _listed(values) -> str:
    return ", ".join(f"{value:,}" if isinstance(value, int) else f"{value:g}" for value in values)
