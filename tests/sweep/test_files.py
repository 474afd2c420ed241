"""A sweep as records: what the same table would be, block by block."""

import json
from dataclasses import replace
from fractions import Fraction
from io import BytesIO

import pytest
from grids import grids
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc import load
from sepcalc.core.errors import MissingExtraError, SepcalcError
from sepcalc.core.variants import all_variants
from sepcalc.render.formats import render_tables
from sepcalc.sweep.files import FORMS, sweep_text, write_parquet
from sepcalc.sweep.sweep import sweep_layer, sweep_network
from sepcalc.sweep.tables import sweep_columns, sweep_table

MIXED = {"c_in": [6, 8], "c_out": [8, 9], "k": [3, (3, 1)], "size": 5, "groups": [2, 3], "mid": ["min", 4]}


def text(found, form, columns=None):
    """The whole text of a file."""
    return "".join(sweep_text(found, columns or sweep_columns(found), form))


def plain_table(found):
    """The table with the columns that records have."""
    return sweep_table(found).select(column.key for column in sweep_columns(found))


def distinct(values):
    """Each value where it comes first."""
    seen = []
    for value in values:
        if value not in seen:
            seen.append(value)
            yield value


@pytest.mark.parametrize("form", ["csv", "tsv"])
@randomly(25)
@given(grid=grids(), points=st.integers(1, 9))
def test_separated(form, grid, points):
    """CSV and TSV are byte for byte what the table would be, whatever the blocks."""
    found = replace(sweep_layer(grid[0], all_variants(), grid[1]), block_points=points)
    assert text(found, form) == render_tables([plain_table(found)], form)


@randomly(25)
@given(grid=grids(), points=st.integers(1, 9))
def test_json(grid, points):
    """JSON is one object with the rows of the table, and what was swept: the values that the rows have."""
    found = replace(sweep_layer(grid[0], all_variants(), grid[1]), block_points=points)
    answer = json.loads(text(found, "json"))
    rows = answer.pop("rows")
    assert rows == plain_table(found).to_dicts()
    assert answer.pop("title") == sweep_table(found).title
    swept = {axis.key: [*distinct(row[axis.key] for row in rows)] for axis in found.grid.swept}
    assert answer == {"schema": 1, "kind": "sweep", "swept": swept, "variants": [*found.names]}


@pytest.mark.parametrize("form", FORMS)
def test_chosen_columns(form):
    """Only the columns that are asked for are written, in their order."""
    found = sweep_layer(MIXED)
    columns = [column for column in sweep_columns(found) if column.key not in ("params", "why_not")]
    written = text(found, form, columns)
    keys = [*json.loads(written)["rows"][0]] if form == "json" else written.split("\n")[0].replace("\t", ",").split(",")
    assert keys == ["c_in", "c_out", "k", "groups", "mid", "variant", "macs", "params_reduction", "macs_reduction"]


def test_nothing_swept():
    """A single point has its variants alone."""
    assert text(sweep_layer({"c_in": 64, "c_out": 128, "k": 3}, ["dws"]), "csv").splitlines() == [
        "variant,params,macs_per_position,params_reduction,macs_reduction,why_not",
        "standard,73728,73728,1.0,1.0,",
        f"depthwise-separable,8768,8768,{73728 / 8768},{73728 / 8768},",
    ]


def test_watch():
    """Whoever watches hears how many points are done, and at the end that all are."""
    heard = []
    found = replace(sweep_layer(MIXED), block_points=13)
    written = "".join(sweep_text(found, sweep_columns(found), "csv", heard.append))
    assert heard == [13, 26, 32]
    assert written == text(sweep_layer(MIXED), "csv")


@pytest.mark.parametrize("points", [5, 1000])
def test_parquet(points):
    """Parquet has the same rows, with numbers as numbers, and what is missing is missing."""
    polars = pytest.importorskip("polars")
    found = replace(sweep_layer(MIXED), block_points=points)
    file, heard = BytesIO(), []
    write_parquet(found, sweep_columns(found), file, heard.append)
    records = polars.read_parquet(BytesIO(file.getvalue())).to_dicts()
    as_text = {
        True: lambda value: "x".join(map(str, value)) if isinstance(value, list) else str(value),
        False: lambda v: v,
    }
    assert records == [
        {key: as_text[key in ("k", "mid")](value) for key, value in each.items()}
        for each in plain_table(found).to_dicts()
    ]
    assert heard[-1] == len(found.grid)


def test_parquet_of_a_network():
    """Factors are floats."""
    polars = pytest.importorskip("polars")
    values = {"width": [Fraction(1, 2), 1]}
    found = sweep_network("alexnet", values, lambda width, size: load("alexnet", width=width))
    file = BytesIO()
    write_parquet(found, sweep_columns(found), file)
    assert polars.read_parquet(BytesIO(file.getvalue()))["width"].to_list() == [0.5] * 4 + [1.0] * 4


def test_parquet_is_exact_or_refused():
    """A count above 64 bits is an error with the cure, never a wrong number."""
    pytest.importorskip("polars")
    found = sweep_layer({"c_in": 10**9, "c_out": [10**9, 10**8], "k": 1000})
    with pytest.raises(SepcalcError) as caught:
        write_parquet(found, sweep_columns(found), BytesIO())
    assert str(caught.value) == (
        "a count of this sweep is above 9,223,372,036,854,775,807, "
        "the largest number in Parquet; give a .csv or .json file"
    )
    assert str(10**24) in text(found, "csv")


def test_parquet_without_polars(monkeypatch):
    """Without the extra, one sentence says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    found = sweep_layer(MIXED)
    with pytest.raises(MissingExtraError) as caught:
        write_parquet(found, sweep_columns(found), BytesIO())
    assert str(caught.value) == "Parquet needs the 'data' extra: pip install 'sepcalc[data]'"
