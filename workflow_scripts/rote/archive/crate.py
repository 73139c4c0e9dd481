"""An archive described as a Workflow Run RO-Crate, version 0.5, on RO-Crate 1.1.

https://www.researchobject.org/workflow-run-crate/profiles/workflow_run_crate says what is required.
The whole study is one action. Who had it computed, and when, is not known: a model may come from
the store, and copied files have other times. So its ``agent`` and ``endTime``, which are optional,
are left out, and it is no Provenance Run Crate, which would have the same of each step.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import quote

import xarray as xr
from rocrate.model import ContextEntity, File
from rocrate.rocrate import ROCrate

from rote.archive import contents, pages, verdicts
from rote.archive.citation import Citation, Entity, references
from rote.study import plan
from rote.study.jobs import Study

VERSION = "1.1"  # of RO-Crate, which the profiles below are based on
METADATA = "ro-crate-metadata.json"
SNAKEFILE = "Snakefile"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
# No term of RO-Crate 1.1.
TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
FORMATS = {
    ".cff": "application/yaml",
    ".json": "application/json",
    ".md": "text/markdown",
    ".nc": "application/x-netcdf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".rst": "text/x-rst",
    ".yaml": "application/yaml",
}
HOMES = {  # of the software that files name, and that has a page of its own
    "netCDF4": "https://unidata.github.io/netcdf4-python/",
    "numpy": "https://numpy.org",
    "python": "https://www.python.org",
    "snakemake": "https://snakemake.github.io",
    "torch": "https://pytorch.org",
    "torchvision": "https://docs.pytorch.org/vision",
    "xarray": "https://xarray.dev",
}
HOLDS = {  # by the end of the name of a result
    "claims.md": "the tests of all claims, with verdicts",
    "config.yaml": "all settings of the study, merged",
    "gallery.md": "all figures with captions and verdicts",
    "paper.md": "the report, in the form of a reproducibility paper",
    ".txt": "the caption of a figure",
    ".png": "a figure",
    ".pdf": "a figure",
}


class Archive(NamedTuple):
    """What is known of an archive beside the content of its files."""

    study: Study
    metrics: dict[str, xr.Dataset]  # by figure
    claims: xr.Dataset
    citation: Citation
    commit: str  # of the checkout
    date: str  # such as 2026-11-28, the same whenever the archive is written

    def netcdf(self) -> dict[str, xr.Dataset]:
        """Return the content of all NetCDF files, by the path in the archive."""
        paths = contents.metrics(self.study)
        known = {paths[figure]: dataset for figure, dataset in self.metrics.items()}
        return known | {self.study.page("claims.nc"): self.claims}


def described(archive: Archive, files: Mapping[str, bytes]) -> bytes:
    """Return the content of ``ro-crate-metadata.json``, the same for the same archive.

    Args:
        archive: what is known of it.
        files: the content of every other file, by its path.
    """
    crate = ROCrate(version=VERSION)
    crate.metadata.extra_terms = dict(TERMS)
    _add(crate, archive.citation.authors)
    _add(crate, archive.citation.licenses)
    datasets = archive.netcdf()
    for path, content in files.items():
        if path != SNAKEFILE:
            _add_file(crate, path, content, archive, datasets.get(path))
    software = pages.software(archive.metrics, archive.claims)
    _add_workflow(crate, archive, files[SNAKEFILE], software["claims"]["software"])
    action = _add_action(crate, archive, software)
    metrics = {figure: _id(path) for figure, path in contents.metrics(archive.study).items()}
    claims = _id(archive.study.page("claims.nc"))
    found = verdicts.entities(archive.claims, claims, metrics)
    reviews = [one for one in _add(crate, found) if one["@type"] == "ClaimReview"]
    _describe_root(crate, archive, [_reference(action), *map(_reference, reviews)])
    document = crate.metadata.generate()
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _id(path: str) -> str:
    """Return how an RO-Crate names a file: a path as part of a URL."""
    return quote(path)


def _reference(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _add(crate: ROCrate, entities: list[Entity]) -> list[Entity]:
    for one in entities:
        crate.add(ContextEntity(crate, one["@id"], properties=one))
    return entities


def _describe_root(crate: ROCrate, archive: Archive, mentioned: list[Entity]) -> None:
    profiles = [
        {"@id": url, "@type": "CreativeWork", "name": name, "version": url.rpartition("/")[2]}
        for url, name in PROFILES.items()
    ]
    root, citation, preset = crate.root_dataset, archive.citation, archive.study.preset
    root["name"] = f"rote: the study {preset}"
    root["description"] = (
        f"Results of the study {preset} of rote, on memorisation in deep nets: metrics, figures, "
        "claims and verdicts, all settings, and the Snakemake workflow that computed them. "
        f"{pages.LEFT_OUT}"
    )
    # RO-Crate asks for it; a repository that publishes the archive knows the day.
    root["datePublished"] = archive.date
    root["conformsTo"] = references(_add(crate, profiles))
    root["license"] = references(citation.licenses)
    root["keywords"] = ", ".join(citation.keywords)
    root["citation"] = references(_add(crate, citation.cited))
    root["mentions"] = mentioned
    crate.metadata["conformsTo"] = [
        {"@id": f"https://w3id.org/ro/crate/{VERSION}"},
        {"@id": [*PROFILES][-1]},
    ]


def _add_workflow(
    crate: ROCrate, archive: Archive, content: bytes, software: Mapping[str, str]
) -> None:
    citation = archive.citation
    needed = [
        {
            "@id": HOMES.get(name, f"#software-{name}"),
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": version,
            **({"url": HOMES[name]} if name in HOMES else {}),
        }
        for name, version in sorted(software.items())
        if name != "rote"
    ]
    parameter = {
        "@id": "#parameter-preset",
        "@type": "FormalParameter",
        "name": "preset",
        "additionalType": "Text",
        "description": "a whole study at one size, by its name in the configuration",
    }
    # PEP 440 has a place for what comes after a version.
    commit = "" if archive.commit == "unknown" else f"+g{archive.commit.replace('-', '.')}"
    workflow = crate.add_workflow(
        dest_path=SNAKEFILE,
        main=True,
        lang="snakemake",
        lang_version=software.get("snakemake"),
        properties={
            **_of_content(SNAKEFILE, content),
            "name": "rote: do deep nets learn by rote?",
            "version": f"{citation.version}{commit}",
            "author": references(citation.authors),
            "creator": references(citation.authors),
            "license": references(citation.licenses),
            "input": references(_add(crate, [parameter])),
            "softwareRequirements": references(_add(crate, needed)),
        },
    )
    if citation.repository:
        workflow["url"] = workflow["codeRepository"] = citation.repository


def _add_action(crate: ROCrate, archive: Archive, software: dict) -> Entity:
    study, settings = archive.study, archive.study.page("config.yaml")
    noised = plan.noised_datasets(study.presets[study.preset]).values()
    used = sorted({one["data"]["dataset"] for one in noised})
    datasets = [
        {
            "@id": f"#dataset-{name}",
            "@type": "CreativeWork",
            "name": study.datasets[name]["title"],
            "description": "Images and labels, which are not in this archive; their source: "
            f"{study.datasets[name]['source']}.",
        }
        for name in used
    ]
    value = {
        "@id": "#preset",
        "@type": "PropertyValue",
        "name": "preset",
        "value": study.preset,
        "exampleOfWork": {"@id": "#parameter-preset"},
    }
    models = [origin for one in software["metrics"].values() for origin in one["models"]]
    devices = sorted({origin["device"] for origin in models})
    results = [path for path in contents.results(study) if path != settings]
    action = {
        "@id": f"#study-{study.preset}",
        "@type": "CreateAction",
        "name": f"The study {study.preset}, computed by Snakemake",
        "description": f"snakemake figures claims gallery, with {settings} as config.yaml; models "
        f"on: {', '.join(devices) or 'unknown'}. software.yaml says by what each was computed.",
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "instrument": {"@id": SNAKEFILE},
        "object": [{"@id": _id(settings)}, *map(_reference, _add(crate, [value, *datasets]))],
        "result": [{"@id": _id(path)} for path in results],
    }
    return _add(crate, [action])[0]


def _add_file(
    crate: ROCrate, path: str, content: bytes, archive: Archive, dataset: xr.Dataset | None
) -> None:
    properties: Entity = {"name": path, **_of_content(path, content)}
    if path == pages.README:
        properties["about"] = {"@id": "./"}
    if dataset is not None:
        properties["name"] = dataset.attrs["title"]
        properties["variableMeasured"] = references(_add(crate, _variables(path, dataset)))
    elif path.startswith(archive.study.page("")):
        holds = (words for end, words in HOLDS.items() if path.endswith(end))
        properties["description"] = next(holds, "a file of the study")
    crate.add(File(crate, dest_path=path, properties=properties))


def _of_content(path: str, content: bytes) -> Entity:
    other = "application/octet-stream" if b"\0" in content else "text/plain"
    return {
        "encodingFormat": FORMATS.get(PurePosixPath(path).suffix, other),
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _variables(path: str, dataset: xr.Dataset) -> list[Entity]:
    """Return a ``PropertyValue`` for each variable: its name, what it is, its unit."""
    return [
        {
            "@id": f"#{PurePosixPath(path).stem}-{name}",
            "@type": "PropertyValue",
            "name": str(name),
            "description": variable.attrs["long_name"],
            **({"unitText": variable.attrs["units"]} if "units" in variable.attrs else {}),
        }
        for name, variable in dataset.variables.items()
    ]
