"""An archive is a Workflow Run RO-Crate of what is in it, the same whenever it is written."""

import datetime
import hashlib
import io
import json
import math
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
import rocrate
import yaml
from rocrate.rocrate import ROCrate

import write_archive
from conftest import ROOT
from rote.archive import citation, contents, crate, packing
from rote.files import netcdf
from rote.files.made_by import words
from rote.machine.errors import UserError

pytestmark = pytest.mark.slow

WFRUN = "https://w3id.org/ro/wfrun"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"


class Opened:
    """The files of an archive, and the entities of its description."""

    def __init__(self, archive: bytes):
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            self.names = opened.namelist()
            self.files = {name: opened.read(name) for name in self.names}
        graph = json.loads(self.files[crate.METADATA], parse_constant=pytest.fail)["@graph"]
        self.entities = {entity["@id"]: entity for entity in graph}
        assert len(self.entities) == len(graph)

    def of_type(self, kind: str) -> list[dict]:
        return [one for one in self.entities.values() if kind in listed(one["@type"])]

    def all(self, one: dict, key: str) -> list[dict]:
        """Return the entities that a property refers to."""
        return [self.entities[reference["@id"]] for reference in listed(one[key])]


def listed(value: object) -> list:
    return value if isinstance(value, list) else [value]


@pytest.fixture
def opened(finished) -> Opened:
    return Opened(finished.written())


def test_it_has_what_the_profiles_require(opened):
    about = opened.entities["ro-crate-metadata.json"]
    assert about["about"] == {"@id": "./"}
    assert {"@id": "https://w3id.org/ro/crate/1.1"} in about["conformsTo"]
    assert {"@id": WORKFLOW_CRATE} in about["conformsTo"]
    root = opened.entities["./"]
    assert root["@type"] == "Dataset"
    assert root["name"]
    assert "the runs with all trained models" in root["description"]
    assert datetime.date.fromisoformat(root["datePublished"])
    assert [one["name"] for one in opened.all(root, "license")] == ["MIT"]
    profiles = {one["@id"]: one for one in opened.all(root, "conformsTo")}
    assert {*profiles} == {f"{WFRUN}/process/0.5", f"{WFRUN}/workflow/0.5", WORKFLOW_CRATE}
    assert all(one["@type"] == "CreativeWork" and one["version"] for one in profiles.values())
    (workflow,) = opened.all(root, "mainEntity")
    assert workflow["@id"] == "Snakefile"
    assert {*workflow["@type"]} == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    (language,) = opened.all(workflow, "programmingLanguage")
    assert language["@type"] == "ComputerLanguage"
    assert language["name"] == "Snakemake"
    assert [one["name"] for one in opened.all(workflow, "author")] == ["The rote authors"]
    for one in opened.all(workflow, "softwareRequirements"):
        assert one["@type"] == "SoftwareApplication"
        assert one["@id"] == one["url"]
        assert one["softwareVersion"]


def test_the_study_is_an_action_of_the_workflow(opened, finished):
    (action,) = opened.of_type("CreateAction")
    assert {"@id": action["@id"]} in opened.entities["./"]["mentions"]
    assert action["instrument"] == {"@id": "Snakefile"}
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert action["name"]
    assert "; models on: cpu. " in action["description"]
    settings, preset, data = opened.all(action, "object")
    assert settings["@id"] == "results/mine/config.yaml"
    assert preset["value"] == "mine"
    assert data["name"] == finished.study.datasets["digits"]["title"]
    (parameter,) = opened.all(preset, "exampleOfWork")
    assert parameter["@type"] == "FormalParameter"
    assert parameter["name"] == "preset"
    assert parameter["additionalType"] == "Text"
    assert opened.all(opened.entities["Snakefile"], "input") == [parameter]
    made = [one["@id"] for one in opened.all(action, "result")]
    assert sorted([settings["@id"], *made]) == contents.results(finished.study)
    # The authors of the workflow did not compute it, and no file says when it was computed.
    assert not {"agent", "startTime", "endTime"} & {*action}


def test_every_file_is_listed_with_its_checksum(opened):
    listed_files = {unquote(one["@id"]): one for one in opened.of_type("File")}
    assert {*listed_files} == {*opened.names} - {crate.METADATA}
    assert len({*opened.names}) == len(opened.names)
    parts = {unquote(one["@id"]) for one in opened.entities["./"]["hasPart"]}
    assert parts == {*listed_files}
    for name, one in listed_files.items():
        assert one["sha256"] == hashlib.sha256(opened.files[name]).hexdigest()
        assert int(one["contentSize"]) == len(opened.files[name])
        assert "/" in one["encodingFormat"]
        assert one["name"]
    assert listed_files["results/mine/figures/fig3_1.pdf"]["encodingFormat"] == "application/pdf"
    assert listed_files["LICENSE"]["encodingFormat"] == "text/plain"
    assert crate._of_content("labels.npy", b"\0")["encodingFormat"] == "application/octet-stream"


def test_its_terms_are_known_and_whatever_it_refers_to_is_there(opened):
    def references(value: object) -> Iterator[str]:
        if isinstance(value, dict) and {*value} == {"@id"}:
            yield value["@id"]
        elif isinstance(value, dict | list):
            for one in value.values() if isinstance(value, dict) else value:
                yield from references(one)

    met = {*references([*opened.entities.values()])} - {*opened.entities}
    assert all(one.startswith("https://") for one in met)
    public, own = json.loads(opened.files[crate.METADATA])["@context"]
    assert public == "https://w3id.org/ro/crate/1.1/context"
    with (Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").open() as file:
        known = {*json.load(file)["@context"], *own, "@id", "@type"}
    for one in opened.entities.values():
        assert {*one, *listed(one["@type"])} <= known


def test_it_holds_the_results_and_what_computes_them(opened, finished):
    results = {name for name in opened.names if name.startswith("results/")}
    assert results == {*contents.results(finished.study)}
    assert {"results/mine/metrics/fig5_1.nc", "results/mine/paper.md"} <= results
    for name in results | {"net.py", "helper.py"}:
        assert opened.files[name] == (finished.folder / name).read_bytes()
    for name in ("Snakefile", "rules/runs.smk", "workflow_scripts/rote/__init__.py", "LICENSE"):
        assert opened.files[name] == (ROOT / name).read_bytes()
    assert not any("__pycache__" in name or "/." in name for name in opened.names)


def test_own_files_of_one_name_are_both_there(opened, original):
    outside = next(original.folder.parent.glob("else*/w h e r e"))
    for name in ("net.py", "helper.py"):
        kept = opened.files[f"own_files{outside}/{name}"]
        assert kept == (outside / name).read_bytes() != opened.files[name]


def test_other_software_reads_it(finished):
    path = write_archive.write("mine", finished.folder)
    assert path.name == "rote-mine.crate.zip"
    read = ROCrate(path)
    assert read.mainEntity.id == "Snakefile"
    assert read.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    names = {unquote(one.id) for one in read.data_entities}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert names == {*archive.namelist()} - {crate.METADATA}


def test_variables_have_names_meanings_and_units(opened, finished):
    for figure, path in contents.metrics(finished.study).items():
        one = opened.entities[path]
        assert one["name"] == f"Made up: {figure}"
        variables = opened.all(one, "variableMeasured")
        told = {each["name"]: (each["description"], each["unitText"]) for each in variables}
        assert told == {"accuracy": ("accuracy", "1"), "seed": ("replicate", "1")}


def test_claims_have_their_verdicts_and_what_these_rest_on(opened, finished):
    claims = netcdf.read(finished.results / "claims.nc")
    reviews = opened.of_type("ClaimReview")
    assert len(reviews) == claims.sizes["conclusion"]
    values = {one["value"] for one in opened.of_type("PropertyValue") if "value" in one} - {"mine"}
    estimates = claims.estimate.values
    assert values == {*estimates[np.isfinite(estimates)].tolist()}
    for review, number in zip(reviews, claims.conclusion.values, strict=True):
        assert {"@id": review["@id"]} in opened.entities["./"]["mentions"]
        own = claims.isel(test=claims.claim.values == number)
        conclusion = claims.sel(conclusion=number)
        (rating,) = opened.all(review, "reviewRating")
        assert rating["name"] == conclusion.claim_verdict.item()
        (claim,) = opened.all(review, "itemReviewed")
        assert claim["text"] == conclusion.claim_text.item() == review["claimReviewed"]
        parts = opened.all(review, "hasPart")
        assert [one["name"] for one in parts] == own.description.values.tolist()
        ratings = [opened.all(one, "reviewRating")[0]["name"] for one in parts]
        assert ratings == own.verdict.values.tolist()
        for part, lower in zip(parts, own.lower.values, strict=True):
            (estimate,) = opened.all(part, "about")
            known = estimate.get("minValue", math.inf)  # JSON has no infinite numbers
            assert known == (lower if math.isfinite(lower) else math.inf)


def test_software_is_that_of_the_files(opened, finished):
    software = yaml.safe_load(opened.files["software.yaml"])
    claims = netcdf.read(finished.results / "claims.nc")
    assert software["claims"]["software"] == yaml.safe_load(claims.attrs["software"])
    assert {*software["metrics"]} == {"fig3_1", "fig5_1", "fig5_2"}
    figure = software["metrics"]["fig5_1"]
    assert figure["device"] == "some device"
    assert figure["git_commit"] == claims.attrs["git_commit"]
    assert figure["models"] == [{"models": 2, "device": "cpu", "git_commit": "abc"}]
    page = opened.files["README.md"].decode()
    verdicts = dict(zip(claims.conclusion.values, claims.claim_verdict.values, strict=True))
    assert all(f"| {verdict} |" in page for verdict in verdicts.values())


def test_the_same_results_give_the_same_bytes(finished, tmp_path, monkeypatch):
    before = finished.written()
    assert finished.written() == before
    copy = finished._replace(folder=tmp_path / "another")
    shutil.copytree(finished.folder, copy.folder)
    for path in copy.folder.rglob("*"):
        os.utime(path, (10**9, 10**9))
    monkeypatch.chdir(copy.folder)
    assert copy.written() == before
    (copy.results / "claims.md").write_text("other")
    assert copy.written() != before


def test_a_zip_file_has_no_time_of_its_own(tmp_path):
    path = tmp_path / "some.zip"
    packing.pack({"b": b"1", "a/c": b"2"}, path)
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["b", "a/c"]
    assert {entry.date_time for entry in entries} == {packing.EARLIEST}


def said(preset: str, monkeypatch, capsys) -> str:
    """Return the error of the command, which is one sentence."""
    monkeypatch.setattr(sys, "argv", ["write_archive.py", "--preset", preset])
    with pytest.raises(SystemExit) as error:
        write_archive.main()
    assert not capsys.readouterr().out
    sentence = str(error.value)
    assert sentence.startswith("Error: ")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


AGAIN = "call `make archive PRESET=mine`, which computes what is needed for that."


def test_what_is_missing_is_named(finished, monkeypatch, capsys):
    for figure in ("fig5_1", "fig5_2"):
        (finished.results / f"metrics/{figure}.nc").unlink()
    sentence = said("mine", monkeypatch, capsys)
    assert "lacks results/mine/metrics/fig5_1.nc, results/mine/metrics/fig5_2.nc: " in sentence
    assert sentence.endswith(AGAIN)
    shutil.rmtree(finished.results / "figures")
    assert "results/mine/figures/fig3_1.txt and 8 more files: " in said("mine", monkeypatch, capsys)
    (finished.results / "config.yaml").unlink()
    assert "is not finished: call `make archive PRESET=mine`" in said("mine", monkeypatch, capsys)
    assert not [*finished.results.glob("*.zip")]


@pytest.mark.parametrize("name", ["figures/fig5_1.png", "claims.md", "metrics/fig5_1.nc"])
def test_what_is_empty_is_named(name, finished, monkeypatch, capsys):
    (finished.results / name).write_bytes(b"")
    sentence = said("mine", monkeypatch, capsys)
    assert sentence == f"Error: Nothing is in results/mine/{name}: delete that, and {AGAIN}"


@pytest.mark.parametrize("name", ["figures/fig5_1.txt", "gallery.md", "metrics/fig5_1.nc"])
def test_what_other_code_or_settings_made_is_named(name, finished, monkeypatch, capsys):
    path = finished.results / name
    if path.suffix == ".nc":
        netcdf.write(netcdf.read(path), path, "0" * 16)
    else:
        path.write_text(f"{words('0' * 16)}\n")
    sentence = said("mine", monkeypatch, capsys)
    assert f"or other code than those of today made results/mine/{name}: " in sentence
    assert sentence.endswith(AGAIN)


def test_the_folder_of_another_preset_is_told(finished, monkeypatch, capsys):
    finished.results.rename(finished.results.with_name("theirs"))
    assert "is that of the preset mine: rename" in said("theirs", monkeypatch, capsys)


def test_its_date_is_that_of_the_commit_or_in_the_citation(finished, tmp_path):
    checkout = tmp_path / "unpacked"
    checkout.mkdir()
    shutil.copy(ROOT / "Snakefile", checkout)
    cited = (ROOT / "CITATION.cff").read_text()
    (checkout / "CITATION.cff").write_text(cited)
    with pytest.raises(UserError, match=r"^A deposit needs a date, .* date-released: "):
        write_archive.write("mine", finished.folder, checkout)
    (checkout / "CITATION.cff").write_text(f"{cited}date-released: 2025-02-03\n")
    path = write_archive.write("mine", finished.folder, checkout)
    assert Opened(path.read_bytes()).entities["./"]["datePublished"] == "2025-02-03"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "names no authors: write them"),
        ("authors: []\nlicense: MIT", "names no authors: write them"),
        ("authors: [{name: Jo}]", "names no license: write one"),
        ("a: [", "is no YAML ("),
    ],
)
def test_a_citation_needs_authors_and_a_licence(content, named):
    with pytest.raises(UserError, match=r"^CITATION\.cff ") as error:
        citation.read(content.encode())
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def test_authors_are_people_or_organisations():
    orcid, given = "https://orcid.org/0000-0000-0000-0000", {"given-names": "Jo"}
    jo = {**given, "name-particle": "van", "family-names": "Doe", "orcid": orcid}
    said = {"authors": [jo, {"name": "The B Group"}], "license": ["MIT", "Apache-2.0"]}
    cited = citation.read(yaml.safe_dump(said).encode())
    person, group = cited.authors
    assert person == {"@id": orcid, "@type": "Person", "name": "Jo van Doe"}
    assert group == {"@id": "#the-b-group", "@type": "Organization", "name": "The B Group"}
    assert [one["name"] for one in cited.licenses] == ["MIT", "Apache-2.0"]
