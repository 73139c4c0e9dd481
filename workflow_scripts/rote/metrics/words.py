"""What captions say about models and their training."""

from rote.study import own_module
from rote.study.mlp import widths
from rote.study.plan import learning_rates
from rote.study.schedule import decays

OPTIMIZERS = {"sgd": "SGD", "adam": "Adam", "adamw": "AdamW"}
INITIALIZATIONS = {"glorot_normal": "Glorot (normal)", "glorot_uniform": "Glorot (uniform)"}


def of_models(models: list[dict]) -> str:
    """Return words for the models of runs that differ, if at all, in the width of an MLP."""
    return ", ".join([_layers(models), *_beginning(models[0])])


def kind(model: dict) -> str:
    """Return what kind a model is of: MLP, CNN, or the name of a module."""
    if "from" in model:
        return own_module.parted(model["from"])[1]
    return "CNN" if "maps" in model else "MLP"


def _layers(models: list[dict]) -> str:
    if "from" in models[0]:
        return own_module.in_words(models[0])
    if "maps" in models[0]:
        dense = _listed(models[0]["dense"])
        layers = f", dense layers of {dense} units" if dense else ""
        return f"CNN, 2 convolutions of {models[0]['maps']} maps{layers}{_reading(models[0])}"
    units = widths(models[0])
    count = f"{len(units)} hidden layer{'s' if len(units) != 1 else ''}"
    if len(set(units)) > 1:  # then it is the only model
        return f"MLP, {count} of {_enumerated(units)} units"
    narrowest, *_, widest = sorted(widths(model)[0] for model in [*models, models[0]])
    of = f"{narrowest}" if narrowest == widest else f"{narrowest} to {widest}"
    return f"MLP, {count} of {of} units"


def _reading(cnn: dict) -> str:
    """Return what is not as in the study's reading of the paper."""
    padding, stride = cnn["padding"], cnn["pooling_stride"]
    if (padding, stride) == ("same", 2):
        return ""
    return f", {'' if padding == 'same' else 'no '}padding, pooling stride {stride}"


def _beginning(model: dict) -> list[str]:
    """Return what is not as ever before training."""
    said = []
    if model.get("initialization") in INITIALIZATIONS:
        said.append(f"initialised by {INITIALIZATIONS[model['initialization']]}")
    if not model.get("biases", True):
        said.append("without biases")
    return said


def of_trainings(trainings: list[dict]) -> str:
    """Return words for the training of runs."""
    first = trainings[0]
    epochs, batch, momentum = (
        _listed([one.get(key) or 0 for one in trainings])
        for key in ("epochs", "batch_size", "momentum")
    )
    at_most = "up to " if "threshold" in first else ""
    optimizer = OPTIMIZERS[first.get("optimizer", "sgd")]
    parts = [f"{optimizer}, {at_most}{_epochs(epochs)}", f"batch {batch}", _rates(trainings)]
    if momentum != "0":
        parts.append(f"{'Nesterov ' if first.get('nesterov') else ''}momentum {momentum}")
    return ", ".join(parts)


def _rates(trainings: list[dict]) -> str:
    """Return words for the learning rates, of which figures show the first, and their decay."""
    first = trainings[0]
    if len(rates := learning_rates(first)) > 1:
        said = f"{rates[0]:g} (first of {', '.join(f'{rate:g}' for rate in rates)})"
    else:
        said = _listed([learning_rates(one)[0] for one in trainings])
    if first.get("schedule") == "cosine":
        return f"learning rate {said}, along a cosine to 0"
    if not decays(first):
        return f"learning rate {said}"
    factor = first["decay_factor"]
    by = "halved" if factor == 0.5 else f"multiplied by {factor}"
    if every := first.get("decay_every"):
        return f"learning rate {said} {by} every {_epochs(str(every))}"
    return f"learning rate {said} {by} after {_epochs(_enumerated(sorted(first['decay_at'])))}"


def _epochs(count: str) -> str:
    return f"{count} epoch{'s' if count != '1' else ''}"


def _enumerated(numbers: list[int]) -> str:
    *before, last = map(str, numbers)
    return f"{', '.join(before)} and {last}" if before else last


def _listed(values: list[float]) -> str:
    return " and ".join(f"{value:g}" for value in dict.fromkeys(values))
