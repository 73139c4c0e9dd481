"""Who wrote the workflow, and under which licence: ``CITATION.cff`` as entities of an RO-Crate."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import yaml

from rote.machine.errors import UserError, brief

NAME = "CITATION.cff"
SPDX = "https://spdx.org/licenses/"
Entity = dict[str, object]


def references(entities: Iterable[Entity]) -> Entity | list[Entity]:
    """Return references to entities; a single one stands without a list, as RO-Crate asks."""
    found = [{"@id": entity["@id"]} for entity in entities]
    return found[0] if len(found) == 1 else found


class Citation(NamedTuple):
    """What a citation says, each entity with its ``@id``."""

    authors: list[Entity]
    licenses: list[Entity]
    cited: list[Entity]  # what the work refers to
    version: str
    keywords: list[str]
    repository: str | None
    released: str | None  # a date


def read(content: bytes) -> Citation:
    """Return what the content of ``CITATION.cff`` says.

    Raises:
        UserError: it is no YAML, or names no author or no licence, which a deposit must have.
    """
    try:
        said = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{NAME} is no YAML ({brief(error)}): mend it.") from error
    said = said if isinstance(said, dict) else {}
    authors, names = said.get("authors"), said.get("license")
    if not isinstance(authors, list) or not all(map(_is_named, authors)) or not authors:
        raise UserError(
            f"{NAME} names no authors: write them, such as authors: [{{name: Jo Doe}}]."
        )
    if not names:
        raise UserError(f"{NAME} names no license: write one by its SPDX name, such as MIT.")
    names = names if isinstance(names, list) else [names]
    return Citation(
        authors=[_author(author) for author in authors],
        licenses=[
            {"@id": f"{SPDX}{name}", "@type": "CreativeWork", "name": name, "url": f"{SPDX}{name}"}
            for name in names
        ],
        cited=[
            {
                "@id": reference["url"],
                "@type": "ScholarlyArticle",
                "name": reference["title"],
                "datePublished": str(reference["year"]),
                "url": reference["url"],
            }
            for reference in said.get("references", [])
            if {"url", "title", "year"} <= {*reference}
        ],
        version=str(said.get("version", "")),
        keywords=said.get("keywords", []),
        repository=said.get("repository-code"),
        released=str(said["date-released"]) if "date-released" in said else None,
    )


def _is_named(author: object) -> bool:
    return isinstance(author, dict) and bool({"name", "family-names"} & {*author})


def _author(author: dict) -> Entity:
    parts = ("given-names", "name-particle", "family-names", "name-suffix")
    name = author.get("name") or " ".join(author[part] for part in parts if part in author)
    local = re.sub(r"\W+", "-", name.casefold())
    entity = {
        "@id": author.get("orcid") or f"#{local}",
        "@type": "Organization" if "name" in author else "Person",
        "name": name,
    }
    told = {"affiliation": "affiliation", "website": "url"}
    return entity | {own: author[key] for key, own in told.items() if key in author}
