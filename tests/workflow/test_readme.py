"""What README and docs say is what files and code hold: verdicts, links, commands, settings."""

import re
import runpy
import subprocess
import sys
import tomllib
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
import yaml
from PIL import Image

import document_settings
import rote
from conftest import ROOT, figures_of_demo
from rote.claims import test_claims
from rote.claims.tables import conclusions
from rote.data import noising, sources, survey
from rote.files import netcdf
from rote.study import configuration, plan, stability
from rote.study.jobs import Study

README = (ROOT / "README.md").read_text()
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md")]
PAGES += (ROOT / "docs").rglob("*.md")


def test_the_readme_is_short():
    assert len(README.split()) <= 900


def test_verdicts_are_those_of_the_claims():
    claims = netcdf.read(ROOT / "docs" / "demo" / "claims.nc")
    for one in conclusions(claims):
        assert f"| {one['number']} | {one['text']} | **{one['decided']}** |" in README
    core = claims["stated_by"] == "poster"
    of_parts = {
        number: Counter(claims["verdict"].values[core & (claims["claim"] == number)])
        for number in (1, 4)
    }
    words = (
        "No core part of 1 is contradicted; of the twelve of 4 eleven are supported. The other "
        "one, that CNNs trained on random inputs have more critical samples than those trained on "
        "random labels, is the wrong way round, with [other replicates]"
        "(docs/verdicts/README.md) too; on other processors the demo's six leave it open."
    )
    assert words in " ".join(README.split())
    assert not of_parts[1]["contradicted"]
    assert of_parts[4] == {"supported": 11, "contradicted": 1}
    other = "ratio_randX_over_randY_digits_cnn"
    assert claims["verdict"].sel(test=other) == "contradicted"
    for name in ("more_seeds", "one_class"):
        others = netcdf.read(ROOT / "docs" / "verdicts" / name / "claims.nc")
        assert others["verdict"].sel(test=other) == "contradicted"
    for name in ("avx2", "torch"):
        others = netcdf.read(ROOT / "docs" / "verdicts" / name / "claims.nc")
        assert others["verdict"].sel(test=other) == "inconclusive"


def test_claims_of_the_demo_are_those_of_the_metrics_beside_them():
    criteria = yaml.safe_load((ROOT / "config.yaml").read_text())["claims"]
    kept = ROOT / "docs" / "demo"
    metrics = {path.stem: netcdf.read(path) for path in (kept / "metrics").glob("*.nc")}
    found = test_claims(metrics, criteria, stability.dependent_on("demo"))
    xr.testing.assert_allclose(found, netcdf.read(kept / "claims.nc"), rtol=1e-6)


@pytest.mark.parametrize(
    ("folder", "figures"),
    [
        ("avx2", {"fig4_2", "fig5_1", "fig5_2"}),
        ("torch", {"fig4_2", "fig5_1", "fig5_2"}),
        ("more_seeds", {"fig4_2"}),
        ("one_class", {"fig4_2"}),
        ("regularization", {"fig5_1", "fig5_2"}),
        ("ten_iterations", {"fig5_1", "fig5_2"}),
    ],
)
def test_claims_of_other_studies_are_those_of_the_metrics_beside_them(folder, figures):
    criteria = yaml.safe_load((ROOT / "config.yaml").read_text())["claims"]
    place = ROOT / "docs" / "verdicts" / folder
    kept = netcdf.read(place / "claims.nc")
    metrics = {path.stem: netcdf.read(path) for path in place.glob("fig*.nc")}
    assert {*metrics} == figures
    found = test_claims(metrics, criteria)
    tested = found.isel(test=np.isin(found["figure"].values, [*figures]))
    kept = kept.sel(test=tested["test"])
    numbers = ["estimate", "lower", "upper", "adjusted_lower", "adjusted_upper"]
    xr.testing.assert_allclose(tested[numbers], kept[numbers], rtol=1e-6)
    for name in ("verdict", "reason"):
        assert tested[name].values.tolist() == kept[name].values.tolist()


def test_links_lead_to_files_and_headings():
    for page in PAGES:
        for link in re.findall(r"\]\(([^):]+)\)", page.read_text()):
            path, _, heading = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), f"{page} links to {link}"
            headings = re.findall(r"^#+ (.*)", target.read_text(), re.M) if heading else []
            assert not heading or heading in [h.lower().replace(" ", "-") for h in headings], link


def test_commands_of_make_that_pages_name_are_there():
    targets = {*re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)}
    for page in (*PAGES, ROOT / "config.yaml", ROOT / ".github" / "workflows" / "ci.yml"):
        named = re.findall(r"(?:^|`|&& |run: )make ([a-z]+)\b", page.read_text(), re.M)
        assert {*named} <= targets, page


def test_every_page_of_the_docs_is_in_their_index():
    index = (ROOT / "docs" / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in index


def test_the_readme_says_what_the_set_up_checks_and_announces():
    sys.path.insert(0, str(ROOT / "envs"))
    try:
        import preflight
    finally:
        sys.path.pop(0)
    for download, disk in (preflight.CUDA, preflight.CPU):
        assert f"{download} and {disk} GB with" in README
    assert "Python 3.11, 3.12 or 3.13" in README
    assert preflight.PYTHONS == ((3, 11), (3, 13))
    for words in preflight.PLATFORMS.split(" or macOS"):
        assert words in README


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == rote.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "rote.__version__"}
    assert f"\n## [{rote.__version__}] - " in (ROOT / "CHANGELOG.md").read_text()


def test_the_table_of_settings_is_up_to_date():
    command = [sys.executable, ROOT / "workflow_scripts" / "document_settings.py", "--check"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert not ran.returncode, ran.stderr


@pytest.mark.parametrize("options", [[], ["--check"], ["--help"]])
@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"config.yaml": "device: none"}, "Error: config: the file lacks the key preset: add it."),
        ({"config.yaml": None}, "config.yaml cannot be read (No such file or directory): see to"),
        ({"docs/settings.md": None}, "settings.md cannot be read or written (No such file or dir"),
    ],
)
def test_what_keeps_the_table_from_being_written_is_one_sentence(
    options, files, said, tmp_path, monkeypatch, capsys
):
    (tmp_path / "docs").mkdir()
    for name in ("config.yaml", "docs/settings.md"):
        content = files.get(name, (ROOT / name).read_text("utf-8"))
        if content is not None:
            (tmp_path / name).write_text(content, "utf-8")
    monkeypatch.setattr(document_settings, "ROOT", tmp_path)
    monkeypatch.setattr(document_settings, "PAGE", tmp_path / "docs" / "settings.md")
    monkeypatch.setattr(sys, "argv", ["document_settings.py", *options])
    with pytest.raises(SystemExit) as exited:
        document_settings.main()
    if options == ["--help"]:
        assert exited.value.code == 0
        assert "write nothing" in capsys.readouterr().out
    else:
        assert exited.value.code.startswith("Error: ")
        assert said in exited.value.code


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "the following arguments are required: results, figure"),
        (["--help"], "folder of a preset, such as results/demo"),
        (["nowhere", "mine.png"], "nowhere is no folder: name that of a preset, such"),
    ],
)
def test_the_example_of_a_figure_explains_itself(arguments, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["own_figure.py", *arguments])
    with pytest.raises(SystemExit) as exited:
        runpy.run_path(str(ROOT / "docs" / "own_figure.py"), run_name="__main__")
    printed = capsys.readouterr()
    assert said in f"{printed.out}{printed.err}{exited.value}"


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A folder to work in, with two classes of 30 images of 32×32 pixels in colour."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        folder = tmp_path / "path/to/images/train" / name
        folder.mkdir(parents=True)
        for i in range(30):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{i}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_small_folder_of_images_goes_with_the_snippet_as_it_stands(images):
    page = (ROOT / "docs" / "own-data-and-figures.md").read_text()
    (snippet,) = re.findall(r"```yaml\n(datasets:\n  mine:.*?)```", page, re.S)
    (images / "own.yaml").write_text(snippet)
    config = configuration.load(ROOT / "config.yaml", [images / "own.yaml"], {"preset": "mine"})
    study = Study(config)
    assert not [*survey.unmet(study)]
    assert study.figures() == figures_of_demo()
    read = sources.fetch(**study.source(SimpleNamespace(dataset="mine")))
    noised = plan.noised_datasets(study.presets["mine"])
    assert len(noised) == 10
    for name, settings in noised.items():
        there = noising.noise_dataset(read, plan.data_settings(settings))
        assert there.sizes["row"] == 32, name
