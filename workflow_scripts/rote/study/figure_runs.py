"""Which runs of an experiment a figure is drawn from, by its settings, and why it may not be drawn.

Runs are named by the stems of their files. Why a figure lacks what it shows is a sentence, empty if
it does not.
"""

from rote.study.plan import each


def of_widths(settings: dict) -> list[str]:
    """Return a run for each width."""
    return [f"units-{width}" for width in settings["model"]["hidden_units"]]


def of_model(settings: dict) -> list[str]:
    """Return the run of one model: of an MLP by the width of each of its layers."""
    if "model" not in settings:
        return ["cnn" if "cnn" in settings else "module"]
    return [f"units-{'-'.join(map(str, each(settings['model']['hidden_units'])))}"]


def of_sizes_and_widths(settings: dict) -> list[str]:
    """Return a run for each size of the data set, and for each width at the largest."""
    sizes, model = settings["data"]["train_examples"], settings["model"]
    # The model's own width at the largest size is already there, under the name of the size.
    others = [units for units in settings["capacity_units"] if units != model["hidden_units"]]
    return [f"examples-{size}" for size in sizes] + [f"units-{units}" for units in others]


def of_last_case(settings: dict) -> list[str]:
    """Return the run of the last case."""
    return [list(settings["cases"])[-1]]


def of_regularizers(settings: dict) -> list[str]:
    """Return a run without a regulariser, and one for each."""
    return ["none", *settings["strengths"]]


def without_noise(settings: dict) -> str:
    """Return why fig1 lacks noise, if it does."""
    if max(settings["noise_levels"]) > 0:
        return ""
    return "capacity.noise_levels needs a level above 0, which fig1 shows."


def without_level(settings: dict) -> str:
    """Return why fig3_1 lacks noise, if it does."""
    if settings["noise_level"] > 0:
        return ""
    return "difficulty.noise_level needs to be above 0: fig3_1 compares noise with real data."


def without_real_or_randx(settings: dict) -> str:
    """Return why fig3_3 lacks all that it shows, if it does."""
    if {"real", "randX"} & {*settings["conditions"]}:
        return ""
    return "sensitivity.conditions needs real or randX, which fig3_3 shows."


def without_real_and_noise(settings: dict) -> str:
    """Return why fig4_1 lacks real data, or noise, if it does."""
    levels = settings["noise_levels"]
    if min(levels) > 0 or max(levels) == 0:
        return "complexity.noise_levels needs 0, the real data, and another."
    return ""


def without_filters(settings: dict) -> str:
    """Return why filters lacks a CNN, or random labels, if it does."""
    (last,) = of_last_case(settings)
    if "cnn" not in settings["cases"][last]:
        return f"filters need a CNN, but complexity.cases ends with {last}."
    if "randY" not in settings["noise_kinds"]:
        return "filters shows randY: add it to complexity.noise_kinds."
    return ""


def without_real(settings: dict) -> str:
    """Return why memorized_examples lacks real data, if it does."""
    if min(settings["noise_levels"]) == 0:
        return ""
    return "memorization.noise_levels needs 0, the real data, which memorized_examples shows."


def without_sizes(settings: dict) -> str:
    """Return why consistency lacks sizes, or real data, if it does."""
    if len(settings["percent"]) == 1:
        return "memorization.percent names one size of the subsets: name several for consistency."
    if min(settings["noise_levels"]) > 0:
        return "memorization.noise_levels needs 0, the real data, which consistency shows."
    return ""


def of_percents(settings: dict) -> list[str]:
    """Return a run for each size of the subsets."""
    return [f"percent-{percent}" for percent in settings["percent"]]


def proxies(settings: dict) -> list[str]:
    """Return the run in which cheap measures are taken, if there is one."""
    return ["proxies"] if settings.get("proxies") else []


def with_proxies(settings: dict) -> list[str]:
    """Return the run of the largest subsets, and that of the proxies, which are of its models."""
    own = proxies(settings)
    return [f"percent-{max(settings['percent'])}", *own] if own else []


def of_sizes_and_proxies(settings: dict) -> list[str]:
    """Return a run for each size of the subsets, and that of the cheap measures."""
    return [*of_percents(settings), *proxies(settings)]


def without_proxies(settings: dict) -> str:
    """Return why proxies lacks them, if it does."""
    if settings.get("proxies"):
        return ""
    return "memorization.proxies is 0, so there are no models to take proxies from."


def of_variants(settings: dict) -> list[str]:
    """Return the run of the model as it is, and those of all that differ from it."""
    own = settings["model"]["hidden_units"] if "model" in settings else None
    widths = [f"units-{units}" for units in settings["hidden_units"] if units != own]
    epochs = [e for e in settings["epochs"] if e != settings["training"]["epochs"]]
    return ["none", *widths, *(f"epochs-{count}" for count in epochs), *settings["strengths"]]


def of_one_left_out(settings: dict) -> list[str]:
    """Return the runs of ``leave_one_out``, those that there are by the settings."""
    runs = of_percents(settings)[:1]
    if settings.get("left_out"):
        runs.append("left-out")
        if "left_out_more" in settings:
            runs.append("left-out-more")
        runs += proxies(settings)
    return runs


def without_left_out(settings: dict) -> str:
    """Return why leave_one_out lacks its models, if it does."""
    if settings.get("left_out"):
        return ""
    return "leave_one_out needs models without each example: raise memorization.left_out."
