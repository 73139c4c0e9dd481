"""What does not fit together in the settings of an experiment, each in one sentence."""

from collections.abc import Callable, Iterator

from rote.machine.errors import UserError
from rote.study import plan, sizes
from rote.study.architecture import Architecture, check_last_batch
from rote.study.schedule import ADAM
from rote.study.schema import Misconfigured, dotted, shown, unknown


def of_settings(settings: dict, datasets: dict, way: list[str]) -> Iterator[Misconfigured]:
    """Yield what is wrong with what trains on one noised data set, by its settings at ``way``."""
    dataset, place = settings["data"]["dataset"], dotted(way)
    if dataset not in datasets:
        yield unknown("data set", dataset, [*way, "data", "dataset"], sorted(datasets))
    elif reasons := misfits(settings, sizes.published(datasets[dataset])):
        yield Misconfigured(f"{place} on {dataset}: {' '.join(reasons)}", way)
    yield from _equal_levels(settings, way)
    yield from of_training(settings.get("training", {}), [*way, "training"])
    for block in ("model", "mlp"):
        yield from _layers(settings.get(block, {}), [*way, block])
    if "critical_epochs" in settings:
        yield from _critical(settings, way)
    if "left_out_more" in settings:
        yield from _pairs(settings, way)
    if "percent" in settings:
        yield from _subsets(settings, way)
    for regularizer, strength in settings.get("selected", {}).items():
        there = settings["strengths"].get(regularizer)
        if there and strength not in there:
            yield Misconfigured(
                f"{place}.selected names the strength {strength} of {regularizer}, which is not "
                f"trained: choose one of {place}.strengths.{regularizer}, {shown(there)}.",
                [*way, "selected", regularizer],
            )


def _equal_levels(settings: dict, way: list[str]) -> Iterator[Misconfigured]:
    """Yield which noise levels are no data sets of their own."""
    key = "conditions" if "conditions" in settings else "noise_levels"
    if key == "conditions":
        levels = sorted(plan.CONDITIONS[condition][1] for condition in settings[key])
    elif {"noise_levels", "noise_level"} & settings.keys():
        levels = plan.noise_levels(settings)
    else:  # real data and noise alone
        return
    examples, seen = settings["data"]["train_examples"], {}
    for level in levels:
        count = sizes.replaced(level, examples)
        if count in seen:
            yield Misconfigured(
                f"{dotted(way)}: the noise levels {seen[count]:g} and {level:g} replace equally "
                f"many of {examples} training examples, {count}: keep one of them, or raise "
                "train_examples.",
                [*way[:3], key],
            )
        seen[count] = level


def of_training(training: dict, way: list[str]) -> Iterator[Misconfigured]:
    """Yield what does not fit together in the settings ``training``, at the place ``way``."""
    place, epochs, after = dotted(way), training.get("epochs"), training.get("decay_at", [])
    if after and training["decay_every"]:
        yield Misconfigured(
            f"{place} has both decay_every and decay_at: set decay_every to null, or "
            "decay_at to [].",
            [*way, "decay_at"],
        )
    elif outside := [epoch for epoch in after if epoch >= epochs]:
        yield Misconfigured(
            f"{place}.decay_at names the epoch {outside[0]}, after which no other of the {epochs} "
            "epochs follows: name earlier ones alone, or raise epochs.",
            [*way, "decay_at"],
        )
    plateau, every = training.get("plateau"), training.get("evaluate_every")
    if plateau and plateau["epochs"] < 3 * every:
        yield Misconfigured(
            f"{place}.plateau compares {plateau['epochs']} epochs, but accuracies are measured "
            f"every {every}: set plateau.epochs to {3 * every} or more, or lower evaluate_every.",
            [*way, "plateau"],
        )
    if training.get("schedule") == "cosine" and (training["decay_every"] or after):
        yield Misconfigured(
            f"{place} has a schedule along a cosine, and steps too: set decay_every to null and "
            "decay_at to [], or schedule to steps.",
            [*way, "schedule"],
        )
    optimizer = training.get("optimizer", "sgd")
    if optimizer != "sgd" and training["momentum"]:
        yield Misconfigured(
            f"{place} has a momentum, which is that of sgd: set momentum to 0, since {optimizer} "
            "has betas instead, or optimizer to sgd.",
            [*way, "momentum"],
        )
    if optimizer == "sgd" and (foreign := [key for key in ADAM if key in training]):
        yield Misconfigured(
            f"{place} has {' and '.join(foreign)}, of which sgd knows nothing: set "
            "optimizer to adam or adamw, or leave this out.",
            [*way, foreign[0]],
        )
    if training.get("nesterov") and not training["momentum"]:
        yield Misconfigured(
            f"{place} sets nesterov without a momentum: raise momentum above 0, or set nesterov to "
            "false.",
            [*way, "nesterov"],
        )


def _layers(model: dict, way: list[str]) -> Iterator[Misconfigured]:
    """Yield that an MLP is said to have another number of layers than widths."""
    units, count = model.get("hidden_units"), model.get("hidden_layers")
    if way[2] != "capacity" and isinstance(units, list) and count not in (None, len(units)):
        yield Misconfigured(
            f"{dotted(way)} has {count} hidden_layers, but hidden_units names the widths of "
            f"{len(units)}: set hidden_layers to null, which leaves it out.",
            [*way, "hidden_units"],
        )


def _pairs(settings: dict, way: list[str]) -> Iterator[Misconfigured]:
    """Yield what is wrong with the pairs of examples that ``memorization`` measures."""
    data, pairs = settings["data"], settings["left_out_more"]["pairs"]
    way = [*way, "left_out_more", "pairs"]
    size = plan.subset_size(data["train_examples"], settings["percent"][0])
    known = ("training", size), ("validation", data["validation_examples"])
    for k, pair in enumerate(pairs):
        for position, (words, count) in zip(pair, known, strict=True):
            if position >= count:
                yield Misconfigured(
                    f"{dotted([*way, k])} names the {words} example {position}, but the last of "
                    f"{count} is {count - 1}: name another.",
                    [*way, k],
                )
    if len(plan.training_examples_of(pairs)) < 2:
        yield Misconfigured(
            f"{dotted(way)} names one training example, but models without it are compared with "
            "those without another: add a pair with another training example.",
            way,
        )
    if not settings["left_out"]:
        yield Misconfigured(
            f"{dotted(way)} adds to models without each example, but left_out is 0: raise it.", way
        )


def sentences(ask: Callable, *arguments: object) -> list[str]:
    """Return the sentence that a function raises, none if it raises nothing."""
    try:
        ask(*arguments)
    except UserError as error:
        return [str(error)]
    return []


def misfits(settings: dict, known: sizes.Sizes | None) -> list[str]:
    """Return why what trains on a data set cannot, as far as that is known: a sentence each.

    Args:
        settings: those of ``rote.study.plan.noised_datasets``.
        known: the sizes of the images, if they are.
    """
    data, reasons = settings["data"], []
    rows, columns = known[1:3] if known else (data["image_size"], data["image_size"])
    if known:
        reasons += sizes.unmet(data, known)
    elif rows:
        reasons += sentences(sizes.inputs, data, rows, columns)
    if "cnn" in settings:
        smallest = Architecture.smallest_batch
        for examples in plan.trained_on(settings):
            batch = settings["training"]["batch_size"], examples, smallest
            reasons += sentences(check_last_batch, *batch)
        if rows and not sentences(sizes.inputs, data, rows, columns):
            inputs = 1, *sizes.inputs(data, rows, columns)
            reasons += sentences(Architecture.of(settings["cnn"], inputs, 2).planes)
    return reasons


def _subsets(settings: dict, way: list[str]) -> Iterator[Misconfigured]:
    """Yield what is wrong with the subsets, and the variants, of members trained on subsets."""
    place, examples = dotted(way), settings["data"]["train_examples"]
    for percent in plan.each(settings["percent"]):
        count = plan.subset_size(examples, percent)
        if count in (0, examples):
            yield Misconfigured(
                f"{place}.percent is {percent}, and {percent} % of {examples} training examples "
                f"are {'all of them' if count else 'none'}, so that no model is compared with "
                "another: choose another percentage, or raise train_examples.",
                [*way, "percent"],
            )
    if settings.get("left_out") and plan.trained_on(settings)[0] == 1:
        yield Misconfigured(
            f"{place} leaves out one example of a single one, so that models are trained on none: "
            "set left_out to 0, or raise percent or train_examples.",
            [*way, "left_out"],
        )
    if settings.get("hidden_units") and "model" not in settings:
        yield Misconfigured(
            f"{place}.hidden_units names widths, which an MLP alone has: set it to [], or write "
            f"the MLP under {place}.model in place of another model.",
            [*way, "hidden_units"],
        )


def _critical(settings: dict, way: list[str]) -> Iterator[Misconfigured]:
    """Yield what a case of ``complexity`` says about critical samples against the rest of it."""
    place, scored = dotted(way), plan.evaluated_epochs(settings["training"])
    for epoch in settings["critical_epochs"]:
        if epoch not in scored:
            yield Misconfigured(
                f"{place}.critical_epochs names the epoch {epoch}, after which the models "
                f"are not evaluated: choose among multiples of evaluate_every up to {scored[-1]}.",
                [*way, "critical_epochs"],
            )
    for kind, key, many in (
        ("validation", "examples", "validation_examples"),
        ("training", "train_examples", "train_examples"),
    ):
        wanted, there = settings["critical_samples"][key], settings["data"][many]
        if wanted > there:
            yield Misconfigured(
                f"{place} searches {wanted} {kind} inputs for critical samples, but its data has "
                f"only {there}: lower critical_samples.{key} or raise {many}.",
                [*way, "data", many],
            )
