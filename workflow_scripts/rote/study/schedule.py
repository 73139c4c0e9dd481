"""How the learning rate falls during training: the rules of torch's StepLR and MultiStepLR."""

from collections.abc import Iterator

from rote.study.schema import Misconfigured, dotted


def decays(training: dict) -> list[int]:
    """Return the epochs after each of which the learning rate is multiplied by ``decay_factor``.

    Args:
        training: the settings ``epochs``, ``decay_every`` (epochs, or None) and perhaps
            ``decay_at`` (epochs): at most one of them says something. What would come after the
            last epoch is left out.
    """
    every, epochs = training["decay_every"], training["epochs"]
    after = range(every, epochs, every) if every else training.get("decay_at", [])
    return sorted(epoch for epoch in after if epoch < epochs)


def decayed(training: dict, epoch: int) -> float:
    """Return what the learning rate is multiplied by in an epoch, counted from 1."""
    if every := training["decay_every"]:
        passed = (epoch - 1) // every
    else:
        passed = sum(after < epoch for after in training.get("decay_at", []))
    return training["decay_factor"] ** passed


def determining(training: dict) -> dict:
    """Return of the settings ``training`` what determines a member: what applies, in one form.

    A factor without a decay tells no members apart, nor do two ways to say the same.
    """
    own = {key: value for key, value in training.items() if not key.startswith("decay_")}
    if not own.get("nesterov"):
        own.pop("nesterov", None)
    if after := decays(training):
        own["decay"] = [training["decay_factor"], after]
    return own


def mistakes(training: dict, way: list[str]) -> Iterator[Misconfigured]:
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
    if training.get("nesterov") and not training["momentum"]:
        yield Misconfigured(
            f"{place} sets nesterov without a momentum: raise momentum above 0, or set nesterov to "
            "false.",
            [*way, "nesterov"],
        )
