"""Tables of many variants: what is dependent on what, and what keeps its verdict."""

import numpy as np
import xarray as xr

from made_up_metrics import CRITERIA, study
from rote import claims
from rote.claims import variants
from rote.claims.verdicts import CONTRADICTED, INCONCLUSIVE, SUPPORTED
from rote.files import netcdf

FIRST = {"first_seed": 0, "learning_rate": 1, "width": 1, "products": "openblas"}


def made_up(verdicts: dict[str, list[str]], settings: list[dict]) -> xr.Dataset:
    """Return a table with these verdicts, by part, along the variants."""
    tests = list(verdicts)
    rows = []
    for i, own in enumerate(settings):
        size = len(tests)
        numbers = {
            "estimate": np.full(size, 0.5),
            "lower": np.full(size, 0.4),
            "upper": np.full(size, 0.6),
            "standard_error": np.full(size, 0.1),
            "holds_from": np.full(size, 0.02),
            "holds_to": np.full(size, np.inf),
        }
        one = xr.Dataset(
            {
                "verdict": ("test", [verdicts[test][i] for test in tests]),
                "based_on": ("test", ["6 seeds"] * size),
                **{name: ("test", values) for name, values in numbers.items()},
            },
            coords={
                "test": tests,
                "claim": ("test", [1] * size),
                "description": ("test", [f"what {test} is" for test in tests]),
                "stated_by": ("test", ["poster"] * size),
            },
        )
        rows.append(variants.row(one, f"v{i}", FIRST | own, f"digest {i}"))
    return variants.joined(rows)


S, I, C = SUPPORTED, INCONCLUSIVE, CONTRADICTED  # noqa: E741


def test_a_part_depends_on_what_turns_support_into_contradiction():
    table = made_up(
        {
            "firm": [S, S, S, S],
            "by rate": [S, S, C, S],
            "by width": [I, I, C, S],
            "undecided": [S, I, I, I],
            "by seed": [S, C, S, S],
        },
        [{}, {"first_seed": 6}, {"learning_rate": 0.7}, {"width": 2}],
    )
    assert variants.dependence(table, variants.SETTINGS) == {
        "by rate": ["learning_rate"],
        # Rate and width both differ between the two: neither decides alone.
        "by seed": ["first_seed"],
    }


def test_all_else_must_be_equal():
    table = made_up({"both": [S, C]}, [{"first_seed": 6}, {"learning_rate": 0.7}])
    assert variants.dependence(table, variants.SETTINGS) == {}


def test_what_was_known_stays_where_the_table_does_not_vary_a_setting():
    table = made_up({"a": [S, C], "b": [S, S]}, [{}, {"first_seed": 6}])
    known = {"a": ["width"], "b": ["first_seed"], "c": ["products", "first_seed"]}
    assert variants.recorded(known, table) == {"a": ["width", "first_seed"], "c": ["products"]}
    assert variants.recorded({}, table) == variants.dependence(table, variants.SETTINGS)


def test_what_lies_far_beyond_its_criterion_and_keeps_its_verdict():
    table = made_up(
        {"firm": [S, S, S, C], "loose": [S, I, S, S], "open": [I, I, I, I]},
        [{}, {"first_seed": 6}, {"first_seed": 12}, {"width": 2}],
    )
    parts, share = variants.kept(table)
    assert parts == ["firm", "loose"]  # .5 lies 4.8 standard errors above .02
    assert share == {"firm": 1.0, "loose": 0.5}
    table["standard_error"][:] = 0.13
    assert variants.kept(table)[0] == []


def test_the_page_has_a_letter_for_each_variant():
    table = made_up(
        {"a": [S, I, C, S], "b": [S, S, S, C]},
        [{}, {"first_seed": 6}, {"learning_rate": 0.7}, {"products": "torch"}],
    )
    page = variants.markdown(table, "demo", 27)
    assert "4 of 27 variants" in page
    rows = {line.split("|")[2].strip(): line for line in page.splitlines() if "| what" in line}
    cells = [cell.strip() for cell in rows["what a is"].split("|")]
    assert cells[3:7] == ["Si", "C", "S", "learning rate"]
    assert rows["what b is"].split("|")[-2].strip() == "products"


def test_parts_that_a_variant_lacks_are_empty_there():
    rows = [
        made_up({"a": [S]}, [{}]),
        made_up({"a": [S], "b": [C]}, [{"first_seed": 6}]),
    ]
    table = variants.joined(rows)
    assert table["verdict"].sel(test="b").values.tolist() == ["", C]
    assert table["description"].sel(test="b") == "what b is"
    assert "–C" in variants.markdown(table, "demo", 2)


def test_real_claims_can_be_tabled_written_and_read(tmp_path):
    rows = []
    for seed in (0, 6):
        metrics = study(1, seeds=4, noise=0.01, rng=np.random.default_rng(seed))
        found = claims.test_claims(metrics, CRITERIA)
        rows.append(variants.row(found, f"v{seed}", FIRST | {"first_seed": seed}, "digest"))
    table = variants.joined(rows)
    netcdf.write(table, tmp_path / "verdicts.nc")
    again = netcdf.read(tmp_path / "verdicts.nc")
    assert variants.markdown(again, "demo", 2) == variants.markdown(table, "demo", 2)
    assert again["first_seed"].values.tolist() == ["0", "6"]


def test_the_spread_over_replicates_is_that_of_their_values():
    rng = np.random.default_rng(3)
    metrics = {"fig3_1": study(1, seeds=24, noise=0.01, rng=rng, examples=20)["fig3_1"]}
    metrics["fig3_1"]["spread"].loc[{"seed": slice(5, 8)}] = np.nan
    found = claims.test_claims(metrics, CRITERIA)
    row = variants.row(found, "all", {"vary": ["data", "noise"]}, "digest")
    page = variants.spread_markdown(variants.joined([row]), "demo", 24)
    spread = metrics["fig3_1"]["spread"].sel(condition="real")
    line = next(one for one in page.splitlines() if "| real: standard deviation" in one)
    mean, deviation = (float(cell) for cell in line.split("|")[3:5])
    assert abs(mean - spread.mean()) < 5.1e-4
    assert abs(deviation - spread.std(ddof=1)) < 5.1e-4
