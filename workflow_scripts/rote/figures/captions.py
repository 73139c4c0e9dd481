"""What stands below a figure: what it shows, its numbers, and where these come from."""

import xarray as xr
import yaml

from rote.files.text import plain

LIBRARIES = "python", "torch", "numpy"


def caption(shows: str, read: str, metrics: xr.Dataset, source: str) -> str:
    """Return what stands below a figure, as paragraphs of plain text.

    Args:
        shows: what the figure shows, a sentence.
        read: the numbers and the protocol that the figure itself states, and what it leaves out.
        metrics: what it was drawn from, with provenance.
        source: the file that they were read from.
    """
    return "\n\n".join(
        [
            plain(shows),
            *map(plain, read.split("\n")),
            f"Numbers: {source}, whose attributes hold all settings; made by commit "
            f"{metrics.attrs['git_commit']}. {_origins(yaml.safe_load(metrics.attrs['models']))}\n",
        ]
    )


def _origins(models: list[dict]) -> str:
    """Return by what the models were computed, a sentence; several if they are not all alike."""
    total = sum(one["models"] for one in models)
    said = []
    for one in models:
        software = one["software"]
        versions = ", ".join(f"{name} {software.get(name, 'unknown')}" for name in LIBRARIES)
        count = f"{total} models" if len(models) == 1 else f"{one['models']} of {total} models"
        said.append(
            f"{count} computed by commit {one['git_commit']} on {one['device']} with {versions}."
        )
    return " ".join(said)
