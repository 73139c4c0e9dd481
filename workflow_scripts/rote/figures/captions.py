"""What stands below a figure: what it shows, its numbers, and where these come from."""

import json

import xarray as xr

from rote.files.text import plain


def caption(shows: str, read: str, metrics: xr.Dataset, source: str) -> str:
    """Return what stands below a figure, as paragraphs of plain text.

    Args:
        shows: what the figure shows, a sentence.
        read: the numbers and the protocol that the figure itself states.
        metrics: what it was drawn from, with provenance.
        source: the file that they were read from.
    """
    software = json.loads(metrics.attrs["software"])
    versions = ", ".join(f"{name} {software[name]}" for name in ("python", "torch", "numpy"))
    return "\n\n".join(
        [
            plain(shows),
            *map(plain, read.split("\n")),
            f"Numbers: {source}, whose attributes hold all settings; computed by commit "
            f"{metrics.attrs['git_commit']} on {metrics.attrs['device']} with {versions}.\n",
        ]
    )
