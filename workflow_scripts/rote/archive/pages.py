"""What is written for the archive itself: what it holds, for people, and by what software."""

from collections.abc import Mapping

import xarray as xr
import yaml

from rote.files.provenance import as_text
from rote.files.text import plain

README, SOFTWARE = "README.md", "software.yaml"
LEFT_OUT = (
    "Left out, since they are large and are computed again from the configuration: the runs with "
    "all trained models, and the images with their noise."
)


def readme(study: str, claims: xr.Dataset) -> str:
    """Return ``README.md``.

    Args:
        study: the name of its preset.
        claims: what ``claims.nc`` holds.
    """
    results = f"results/{study}"
    rows = zip(
        claims.conclusion.values,
        claims.claim_text.values,
        claims.claim_verdict.values,
        strict=True,
    )
    return "\n".join(
        [
            f"# The study {study} of rote",
            "",
            "The results of a study of memorisation in deep nets, and the Snakemake workflow that "
            "computed them, whose authors `CITATION.cff` names.",
            "",
            "| claim | conclusion | verdict |",
            "|---|---|---|",
            *(f"| {number} | {plain(text)} | {verdict} |" for number, text, verdict in rows),
            "",
            "| file | holds |",
            "|---|---|",
            "| `ro-crate-metadata.json` | all of this as a Workflow Run RO-Crate |",
            f"| `{results}/paper.md`, `claims.md`, `gallery.md` | the report, the tests, the "
            "figures |",
            f"| `{results}/metrics/`, `claims.nc` | the numbers, in NetCDF |",
            f"| `{results}/figures/` | each figure as PNG and PDF, with its caption |",
            f"| `{results}/config.yaml` | all settings |",
            "| `software.yaml` | by which software, commit and device each file was computed |",
            "| `Snakefile`, `rules/`, `workflow_scripts/`, … | the workflow |",
            "",
            LEFT_OUT,
            "",
            "Unpacked on Linux or macOS, with Python and a network for the installation, it is "
            "computed again by",
            "",
            "```",
            f"cp {results}/config.yaml config.yaml",
            f"make figures PRESET={study}",
            "```",
            "",
        ]
    )


def software(metrics: Mapping[str, xr.Dataset], claims: xr.Dataset) -> dict:
    """Return by which software, commit and device each file and its models were computed.

    Args:
        metrics: what ``metrics/{figure}.nc`` hold, by the figure.
        claims: what ``claims.nc`` holds.

    Returns:
        Under ``metrics`` and the figure, and under ``claims``, ``software`` (version by name),
        ``git_commit`` and ``device``; of metrics also ``models``, a list of the same, each with
        the number of models.
    """
    of_figures = {
        figure: _origin(one) | {"models": yaml.safe_load(one.attrs.get("models", "[]")) or []}
        for figure, one in metrics.items()
    }
    return {"claims": _origin(claims), "metrics": of_figures}


def _origin(dataset: xr.Dataset) -> dict:
    return {
        "software": yaml.safe_load(dataset.attrs["software"]),
        "git_commit": dataset.attrs["git_commit"],
        "device": dataset.attrs["device"],
    }


def written(study: str, metrics: Mapping, claims: xr.Dataset) -> dict:
    """Return the content of both pages, by their names."""
    return {
        README: readme(study, claims).encode(),
        SOFTWARE: f"{as_text(software(metrics, claims))}\n".encode(),
    }
