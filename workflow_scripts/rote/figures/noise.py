"""What figures say of noise: the words of its kind, or those that the configuration gives it."""

from collections.abc import Iterable

import xarray as xr
import yaml

from rote.study import noises


def words(metrics: xr.Dataset, name: str) -> str:
    """Return what a noise is, by its name; nothing for what is none, or is not known."""
    settings = yaml.safe_load(metrics.attrs.get("settings", "{}"))
    return noises.words(name, settings.get("data", {}).get("noises", {}))


def panel(metrics: xr.Dataset, name: str) -> str:
    """Return the title of a panel that shows a noise."""
    said = words(metrics, name)
    return f"{name}: {said}" if said else name


def explained(metrics: xr.Dataset, names: Iterable[str]) -> list[str]:
    """Return for the caption what the noises among some conditions are: a sentence, or none."""
    each = [panel(metrics, name) for name in names if words(metrics, name)]
    return [f"{'; '.join(each)}."] if each else []
