"""How the learning rate falls: by the rules of torch's StepLR, MultiStepLR, CosineAnnealingLR."""

import math

# Of adam and adamw, where the settings do not say them: those of torch.
ADAM = {"betas": [0.9, 0.999], "epsilon": 1e-8}


def decays(training: dict) -> list[int]:
    """Return the epochs after each of which the learning rate is multiplied by ``decay_factor``.

    Args:
        training: the settings ``epochs`` and perhaps ``decay_every`` (epochs, or None) and
            ``decay_at`` (epochs): at most one of them says something. What would come after the
            last epoch is left out.
    """
    every, epochs = training.get("decay_every"), training["epochs"]
    after = range(every, epochs, every) if every else training.get("decay_at", [])
    return sorted(epoch for epoch in after if epoch < epochs)


def decayed(training: dict, epoch: int) -> float:
    """Return what the learning rate is multiplied by in an epoch, counted from 1."""
    if training.get("schedule") == "cosine":
        return (1 + math.cos(math.pi * (epoch - 1) / training["epochs"])) / 2
    passed = sum(after < epoch for after in decays(training))
    return training["decay_factor"] ** passed if passed else 1.0


def determining(training: dict) -> dict:
    """Return of the settings ``training`` what determines a member: what applies, in one form.

    A factor without a decay tells no members apart, nor do two ways to say the same.
    """
    others = "nesterov", "schedule", "optimizer", *ADAM
    own = {
        key: value
        for key, value in training.items()
        if not key.startswith("decay_") and key not in others
    }
    if training.get("nesterov"):
        own["nesterov"] = True
    if training.get("optimizer", "sgd") != "sgd":
        own |= {"optimizer": training["optimizer"], **ADAM}
        own |= {key: training[key] for key in ADAM if key in training}
    if training.get("schedule") == "cosine":
        own["schedule"] = "cosine"
    if after := decays(training):
        own["decay"] = [training["decay_factor"], after]
    return own
