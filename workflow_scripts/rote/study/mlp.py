"""The layers of an MLP, and what the settings of a model say about how it begins.

Numbers and words alone: the rules, too, need them.
"""

# What a model is where its settings do not say it.
DEFAULTS = {"initialization": "pytorch", "biases": True}


def widths(model: dict) -> list[int]:
    """Return the units of each hidden layer of an MLP, by its settings.

    ``hidden_units`` is a number, the width of each of ``hidden_layers``; or a list, a width a
    layer, and ``hidden_layers`` says nothing more.
    """
    units = model["hidden_units"]
    return list(units) if isinstance(units, list) else [units] * model["hidden_layers"]


def plain(model: dict) -> dict:
    """Return the settings of a model in the shortest form: models that are alike have the same.

    Layers of one width are counted. What is as ever is left out.
    """
    own = {key: value for key, value in model.items() if DEFAULTS.get(key) != value}
    if isinstance(own.get("hidden_units"), list):
        units = own["hidden_units"]
        own.pop("hidden_layers", None)
        if len(set(units)) == 1:
            own |= {"hidden_layers": len(units), "hidden_units": units[0]}
    return own
