"""Results in a notebook, and as records for a data frame."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from tables import FIRST_RECORD, SAMPLE

from sepcalc import ConvSpec, choose, compare, load, network_table
from sepcalc.conventions.counters import choose_counters
from sepcalc.conventions.tables import reconcile_all
from sepcalc.core.network_tables import comparison_table
from sepcalc.core.table import Column, Estimate, Row, Table, share_rules
from sepcalc.explain.derivation import explain_layer
from sepcalc.explain.prose import render_explanation
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Plan, Series
from sepcalc.measure.session import Session, Timed
from sepcalc.render.cells import Look
from sepcalc.render.formats import render_tables
from sepcalc.render.html import fragment
from sepcalc.render.markdown import draw
from sepcalc.sweep.sweep import sweep_layer

LAYER = compare(ConvSpec.of(64, 96, k=3, size=28), choose(["all"], {"groups": 4}))
NETWORK = load("squeezenet1_0")

SERIES = Series(key="standard", inner=1, samples=(0.002, 0.003, 0.0025) * 10)
TIMED = Timed(group="", name="standard", conditions=Conditions(), series=SERIES)
SESSION = Session(kind="layer", title="3×3 convolution", rows=(TIMED, replace(TIMED, name="depthwise")), plan=Plan())

RESULTS = {
    "layer": LAYER,
    "open layer": compare(ConvSpec.of(64, 128, k=3)),
    "network": NETWORK,
    "what-if": NETWORK.what_if("depthwise"),
    "explanation": explain_layer(LAYER),
    "open explanation": explain_layer(compare(ConvSpec.of(64, 128, k=(3, 5)))),
    "sweep": sweep_layer({"c_in": [32, 64], "c_out": 64, "k": 3, "size": [28, 56], "groups": [1, 3, 4]}),
    "sweep of lengths and words": sweep_layer({"c_in": 8, "c_out": 8, "k": [3, (3, 1)], "mid": [4, "in"], "size": 14}),
    "open sweep": sweep_layer({"c_in": 64, "c_out": [64, 96], "k": 3}, ["depthwise"]),
    "measurement": SESSION,
    "measured network": replace(SESSION, kind="network"),
    "counter": reconcile_all(NETWORK, None, choose_counters(["thop"]))[0],
}


@pytest.mark.parametrize("name", [name for name in RESULTS if "explanation" not in name])
def test_a_result_shows_its_tables(name):
    """In a notebook a result is its tables, as HTML and as Markdown, without the columns that are there on demand."""
    result = RESULTS[name]
    shown = share_rules([table.brief() for table in result.tables])
    assert result._repr_html_() == "\n".join(map(fragment, shown))
    assert result._repr_markdown_() == draw(shown, Look())


def test_an_explanation_shows_its_derivation():
    """An explanation says more than its table does: it shows all that it derives, with formulas as MathML or TeX."""
    found = RESULTS["explanation"]
    assert found._repr_markdown_() == render_explanation(found, "markdown")
    assert "<math><mi>M</mi></math>" in found._repr_html_()
    assert all(f">{section.name}</h3>" in found._repr_html_() for section in found.sections)


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_records_are_those_of_json(result):
    """The records of a result are the rows of its first table in JSON."""
    (table,) = json.loads(render_tables(result.tables[:1], "json"))["tables"]
    assert result.to_dicts() == table["rows"]


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_records_make_a_data_frame(result):
    """A data frame takes the records as they are, and its numbers are numbers."""
    polars = pytest.importorskip("polars")
    first = result.tables[0]
    frame = polars.DataFrame(result.to_dicts(), infer_schema_length=None)
    assert frame.height == len(first.rows)
    for column in first.columns:
        there = frame[column.key].dtype
        if column.kind == "text":
            assert there in (polars.String, polars.Null)
        elif column.kind == "size":
            assert there in (polars.List(polars.Int64), polars.Int64, polars.Null)
        else:
            assert there.is_numeric() or there == polars.Null


def test_records_of_a_table():
    """Records have exact numbers, None where there is none, sizes as lists, and say which rows are parts and sums."""
    first, *_, last = SAMPLE.to_dicts()
    assert first == FIRST_RECORD
    assert (last["params_reduction"], last["role"]) == (None, "total")


def test_records_of_an_estimate():
    """A number with an interval is three in a record."""
    half = Estimate(value=Fraction(1, 2), low=Fraction(1, 4), high=Fraction(1))
    column = Column(key="speedup", title="Speed-up", kind="reduction", interval=True)
    table = Table(name="", title="", columns=(column,), rows=(Row(cells=(half,)),))
    assert table.to_dicts() == [{"speedup": 0.5, "speedup_low": 0.25, "speedup_high": 1.0}]


def test_a_number_left_blank_is_none():
    """What a sum has no number for is None in a record, not an empty text among numbers."""
    total = network_table(NETWORK).to_dicts()[-1]
    assert (total["role"], total["output"], total["kernel"], total["type"]) == ("total", None, None, "")


def test_a_word_in_the_place_of_a_number_is_none():
    """A number that is not to be believed has a word in its place, which is no number in a record."""
    unsteady = replace(TIMED, name="depthwise", series=replace(SERIES, samples=(0.002, 0.02) * 15))
    record = replace(SESSION, rows=(TIMED, unsteady)).to_dicts()[1]
    assert (record["verdict"], record["speedup"]) == ("unreliable", None)


def test_an_explanation_as_records():
    """The records of a derivation hold the formula and the number of each variant and of its stages."""
    rows = {row["variant"]: row for row in explain_layer(compare(ConvSpec.of(64, 128, k=3))).to_dicts()}
    separable = rows["depthwise-separable"]
    assert (separable["params_formula"], separable["params"]) == ("D_K²·M + M·N", 8768)
    assert (separable["macs_formula"], separable["macs_per_position"]) == ("D_K²·M·D_F² + M·N·D_F²", 8768)
    assert rows["pointwise 1×1"] == {
        "variant": "pointwise 1×1",
        "params_formula": "M·N",
        "params": 8192,
        "macs_formula": "M·N·D_F²",
        "macs_per_position": 8192,
        "role": "part",
    }


@pytest.mark.parametrize("result", [RESULTS["explanation"], RESULTS["layer"]], ids=["explanation", "layer"])
def test_explained_counts_are_the_counts(result):
    """The numbers of an explanation are those of the comparison."""
    counts = {row["variant"]: (row["params"], row["macs"]) for row in result.to_dicts() if row.get("role") != "part"}
    assert counts == {
        each.variant.name: (each.params, each.macs) if each.applies else (None, None) for each in LAYER.candidates
    }


def test_a_comparison_of_networks_is_a_table():
    """Tables that are no result of their own show themselves as well."""
    table = comparison_table([NETWORK])
    assert table._repr_markdown_() == draw([table.brief()], Look())
    assert table.to_dicts()[0]["macs"] == NETWORK.cost.macs
