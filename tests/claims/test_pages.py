"""Pages say what the files say, in words that both of their readers understand."""

import html
import json

import numpy as np
import pytest
import xarray as xr
from docutils.core import publish_parts
from PIL import Image

from browser import check_page, chromium
from conftest import ROOT
from made_up_metrics import CRITERIA, study
from rote.claims import criteria, tables, test_claims
from rote.claims.gallery import gallery
from rote.claims.methods import METHODS
from rote.claims.page import page as written
from rote.figures.captions import caption
from rote.files import made_by
from rote.files import text as pages
from rote.files.provenance import with_provenance
from rote.machine.errors import UserError
from rote.study import configuration
from rote.study.ending import words
from rote.study.jobs import Study


@pytest.fixture(scope="module")
def claims() -> xr.Dataset:
    metrics = study(1, seeds=4, noise=0.02, rng=np.random.default_rng(20))
    del metrics["fig3_3"]
    metrics = {name: one.assign_attrs(git_commit="abc") for name, one in metrics.items()}
    return test_claims(metrics, CRITERIA)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.02345, "0.023"),
        (-0.02345, "−0.023"),
        (12.345, "12.35"),
        (0.0, "0.000"),
        (-1e-9, "0.000"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
    ],
)
def test_number(value, text):
    assert tables.number(value) == text


def test_every_estimate_of_the_claims_is_on_the_page(claims):
    pages_of = (tables.claims_markdown, pages.plain), (tables.claims_html, html.escape)
    for write, shown in pages_of:
        page = write(claims, "demo")
        for part in claims["test"].values:
            one = claims.sel(test=part)
            line = next(line for line in _rows(page) if one["description"].item() in line)
            assert one["verdict"].item() in line
            if one["estimate"].notnull():
                assert tables.number(one["estimate"].item()) in line
                assert tables.number(one["lower"].item()) in line
                assert tables.number(one["detectable"].item()) in line
                ends = (tables.number(one[f"adjusted_{end}"].item()) for end in ("lower", "upper"))
                assert f"[{', '.join(ends)}], k = {one['adjusted_for'].item()}" in line
            else:
                assert "there are no metrics of fig3_3" in line
                assert one["verdict"] == "not tested"
        for decided in claims["claim_verdict"].values:
            assert decided in page
        assert "metrics/{fig1,fig2,fig3_1,fig3_2,fig4_1,fig4_2,fig5_1,fig5_2}.nc of commit abc" in (
            page
        )
        assert "margin 0.02" in page
        for name, step in METHODS.items():
            assert all(shown(text) in page for text in (name, step))
        definition = claims["definition"].sel(test="time_over_size").item()
        assert "least-squares slope" in definition
        assert shown(definition) in page


def test_claims_md_holds_every_criterion_with_its_reason(claims):
    page = tables.claims_markdown(claims, "demo")
    for name, value in CRITERIA.items():
        reason, fixed = criteria.CRITERIA[name]
        assert f"| {name} | {value:g} | {reason} | {fixed} |" in page


def test_settings_that_a_verdict_depends_on_stand_beside_it_on_every_page():
    metrics = study(1, seeds=6, noise=0.005, rng=np.random.default_rng(21))
    metrics = {name: one.assign_attrs(git_commit="abc") for name, one in metrics.items()}
    claims = test_claims(metrics, CRITERIA, {"time_over_size": ["learning_rate", "draw"]})
    decided = "supported, dependent on learning_rate, draw"
    # Beside the part, and beside the claim: in its heading, and in the table above.
    for page, times in (
        (tables.claims_markdown(claims, "demo"), 3),
        (tables.claims_html(claims, "demo"), 2),
        (gallery({"fig2": "Figure 2: it.\n\nNumbers\n\nMade by 0\n"}, claims, "demo"), 1),
    ):
        row = next(line for line in _rows(page) if "rise of the slope" in line)
        assert decided in row
        assert page.count("ependent on learning") == times
    page = tables.claims_markdown(claims, "demo")
    assert f"data set grows. | **{decided}** |" in page
    assert f"\n**{decided.capitalize()}.**\n" in page


def _rows(page: str) -> list[str]:
    return page.replace("<tr>", "\n<tr>").splitlines()


def test_a_page_shows_text_as_text(claims):
    text = "<script>alert('1 & 2')</script>"
    claims = claims.assign_coords(reason=claims["reason"].astype(object).where(False, text))
    page = tables.claims_html(claims, "demo")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_caption_is_paragraphs_for_the_report_and_the_gallery(claims):
    origin = {"software": {"torch": "2.13.0"}, "device": "cpu"}
    models = [
        {**origin, "git_commit": "a1", "models": 2},
        {**origin, "git_commit": "b2", "models": 7},
    ]
    metrics = with_provenance(xr.Dataset(attrs={"models": json.dumps(models)}), {}, title="x")
    text = caption("Figure 1: it.", "a: 1 ± 2\nb, β 0.2", metrics, "results/x/metrics/a.nc")
    assert text.startswith("Figure 1: it.\n\na: 1 ± 2\n\nb, β 0.2\n\nNumbers: results/x/metrics")
    assert f"made by commit {metrics.attrs['git_commit']}. 2 of 9 models computed by" in text
    assert "7 of 9 models computed by commit b2 on cpu with python unknown, torch 2.13.0" in text
    body = publish_parts(text, writer="html", settings_overrides={"halt_level": 1})["body"]
    assert body.count("<p>") == 4
    page = gallery(dict.fromkeys(("fig1", "filters"), f"{text}\nMade by 0\n"), claims, "demo")
    assert "## Figure 1: it.\n\n![fig1](figures/fig1.png)" in page
    assert page.count("criterion: ") == 8
    assert page.count("No claim rests on this figure.") == 1


def test_titles_may_hold_the_marks_of_both_languages():
    title = r"My_data_ of *a* `b` <c> |d| \e, fig3_1"
    text = pages.plain(title)
    body = publish_parts(text, writer="html", settings_overrides={"halt_level": 1})["body"]
    assert body.strip() == f"<p>{title.replace('<', '&lt;').replace('>', '&gt;')}</p>"
    assert text == r"My_data\_ of \*a\* \`b\` \<c> \|d\| \\e, fig3_1"


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path):
    page = tmp_path / "page.md"
    pages.write("old", page)
    with pytest.raises(UserError, match="Cannot write"):
        pages.write("new", page / "below a file")
    assert page.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


HOSTILE = "<script>alert('1 & 2')</script> $x_1$ \\ | *a*"
CONFIG = {
    "preset": "mine",
    "presets": {"mine": {"capacity": {"noise_levels": [0, 0.5], "model": {"hidden_units": [8]}}}},
    "datasets": {"pets": {"title": HOSTILE}},
}


@pytest.fixture
def results(tmp_path, claims):
    """A folder of results of two figures, with a function that writes its page."""
    pictures = {}
    (tmp_path / "figures").mkdir()
    (tmp_path / "metrics").mkdir()
    for figure in ("fig1", "filters"):
        pictures[figure] = tmp_path / "figures" / f"{figure}.png"
        Image.new("RGB", (900, 400), "white").save(pictures[figure])
        pictures[figure].with_suffix(".pdf").touch()
        (tmp_path / "metrics" / f"{figure}.nc").touch()
    for name in ("claims.nc", "claims.md", "paper.md", "config.yaml"):
        (tmp_path / name).touch()
    origin = f"Numbers: {'a' * 200}"
    captions = {
        "fig1": f"Figure 1: what it shows.\n\n{pages.plain(HOSTILE)}\n\n{origin}\n\nMade by 0\n",
        "filters": f"Filters: the others.\n\n{origin}\n\nMade by 0\n",
    }
    experiments = CONFIG["presets"]["mine"] | {"complexity": {"noise_levels": [0]}}
    config = CONFIG | {"presets": {"mine": experiments}}

    def write(embedded: bool, claims: xr.Dataset = claims):
        path = tmp_path / ("report.html" if embedded else "index.html")
        page = written(captions, pictures, claims, config, "Made by 0123456789abcdef", embedded)
        pages.write(page, path)
        return path

    return write


def test_a_page_holds_figures_verdicts_numbers_and_settings(results, claims):
    page = results(embedded=False).read_text("utf-8")
    assert HOSTILE not in page
    assert html.escape(HOSTILE).replace("&#x27;", "&#39;") in page  # in the caption, as it was
    assert '<h2 id="fig1-title">Figure 1</h2>\n<p>What it shows.</p>' in page
    for part in claims["test"].values:
        assert html.escape(claims.sel(test=part)["description"].item()) in page
    found = tables.number(claims["detectable"].sel(test="fitted_width_randX").item())
    assert f"smallest effect found 4 times in 5: {found}</p>" in page
    assert "dependent on" not in page
    # Each verdict has a look of its own, by a class without spaces.
    lacking = (claims["figure"] == "fig3_3").sum().item()
    assert page.count('class="verdict not-tested"') == lacking > 0
    assert ".not-tested {" in page
    dependent = claims.assign(
        dependent_on=("test", ["learning_rate"] * claims.sizes["test"]),
        claim_dependent_on=("conclusion", ["draw", *[""] * 4]),
    )
    page = results(embedded=True, claims=dependent).read_text("utf-8")
    assert page.count('<p class="soft">dependent on learning_rate</p>') == claims.sizes["test"]
    assert page.count('<p class="soft">dependent on draw</p>') == 1
    assert "noise_levels: [0, 0.5]" in page
    assert made_by.read(results(embedded=False)) == "0123456789abcdef"


@pytest.mark.slow
@pytest.mark.parametrize("embedded", [False, True], ids=["index", "report"])
def test_a_page_is_readable_in_a_browser(results, tmp_path, embedded):
    path = results(embedded)
    with chromium(path) as page:
        for width in (400, 1280):
            check_page(page, tmp_path, width)
        links = [link.get_attribute("href") for link in page.find_elements("xpath", "//a")]
        assert all("#" in link for link in links) == embedded


def test_the_last_words_name_verdicts_and_what_to_open(claims, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = Study(configuration.load(ROOT / "config.yaml", [], {"preset": "demo"}))
    (tmp_path / "results" / "demo").mkdir(parents=True)
    pages.write(tables.claims_markdown(claims, "demo"), "results/demo/claims.md")
    said = words(asked, {"figures", "claims"})
    verdicts = dict(zip(claims["claim_text"].values, claims["claim_verdict"].values, strict=True))
    lines = [line for line in said.splitlines() if line.endswith(tuple(verdicts))]
    assert len(lines) == 5
    for line, (text, verdict) in zip(lines, verdicts.items(), strict=True):
        assert line.split(maxsplit=1)[1].replace(text, "").strip() == verdict
    assert "Open  results/demo/index.html" in said
    assert "index.html" not in words(asked, {"figures"})
    assert words(asked, {"fig1"}).startswith("Figure 1: results/demo/figures/fig1.png")
    assert words(asked, {"compute_run"}) == ""
