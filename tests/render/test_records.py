"""Tables as CSV, TSV and JSON."""

import csv
import json
from dataclasses import replace
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly
from tables import FIRST_RECORD, MEASURED, SAMPLE, column_of, tables, texts

from sepcalc.core.errors import SepcalcError
from sepcalc.render.formats import render_tables

CSV = """\
variant,params,params_reduction,macs,out_size,traffic_bytes,role
standard,73728,1.0,73728,56x40,2703360,body
depthwise-separable,8768,8.408759124087592,8768,56x40,3245678,body
depthwise 3×3,576,,576,,123456,part
sum,83072,,,,6072494,total
"""


def read(text, delimiter):
    """The records as Python's own reader finds them."""
    return list(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True))


def test_csv():
    """A CSV has the keys as its header, exact numbers, empty fields, and says which rows are parts and sums."""
    assert render_tables([SAMPLE], "csv") == CSV


def test_intervals():
    """A number with an interval is three fields, and in such a column every row has three."""
    assert render_tables([MEASURED.select(["variant", "speedup"])], "csv") == (
        "variant,speedup,speedup_low,speedup_high\n"
        "standard,1.0,,\n"
        "depthwise-separable,3.4216,3.38,3.47\n"
        "grouped,unreliable,,\n"
    )
    row = json.loads(render_tables([MEASURED], "json"))["tables"][0]["rows"][1]
    assert row == {
        "variant": "depthwise-separable",
        "median_s": 0.00123,
        "median_s_low": 0.00122,
        "median_s_high": 0.00125,
        "minimum_s": 0.00121,
        "speedup": 3.4216,
        "speedup_low": 3.38,
        "speedup_high": 3.47,
        "macs_per_s": 18_300_000_000.0,
    }


def test_tsv():
    """A TSV is the same with tabs."""
    assert render_tables([SAMPLE], "tsv") == CSV.replace(",", "\t")


def test_no_role_without_parts():
    """A table of plain rows has its own columns and no other."""
    table = replace(SAMPLE, rows=SAMPLE.rows[:1]).select(["variant", "params"])
    assert render_tables([table], "csv") == "variant,params\nstandard,73728\n"
    assert json.loads(render_tables([table], "json"))["tables"][0]["rows"] == [{"variant": "standard", "params": 73728}]


def test_json():
    """JSON holds every table, its rows as records with exact numbers, its caption and its notes."""
    answer = json.loads(render_tables([SAMPLE, SAMPLE], "json"))
    assert answer["schema"] == 1
    assert len(answer["tables"]) == 2
    first = answer["tables"][0]
    assert {key: first[key] for key in ("table", "title", "caption", "notes")} == {
        "table": SAMPLE.name,
        "title": SAMPLE.title,
        "caption": SAMPLE.caption,
        "notes": list(SAMPLE.notes),
    }
    assert first["rows"][0] == FIRST_RECORD
    assert first["rows"][2]["params_reduction"] is None


def test_json_is_readable():
    """JSON keeps the letters of names, and a record on each line."""
    assert '  {"name": "Свёртка 3×3"},\n  {"name": "漢"}\n' in render_tables([column_of("Свёртка 3×3", "漢")], "json")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ('"', '""""'),
        ('"a"', '"""a"""'),
        ("a,b", '"a,b"'),
        ("a\nb", '"a\nb"'),
        ("", '""'),
        (" a ", " a "),
        ("a\x1b", '"a\\x1b"'),
        ("a\ud800", '"a\\ud800"'),
        ("=1+1", "=1+1"),
    ],
)
def test_quotes(name, line):
    """A name is quoted where it must be, and control characters and lone surrogates are escapes."""
    assert render_tables([column_of(name)], "csv") == f"name\n{line}\n"


def test_json_of_nothing():
    """No tables are an empty list."""
    assert json.loads(render_tables([], "json")) == {"schema": 1, "tables": []}


@pytest.mark.parametrize("format_", ["csv", "tsv"])
def test_one_table(format_):
    """CSV and TSV refuse several tables by name, and none."""
    with pytest.raises(SepcalcError) as several:
        render_tables([SAMPLE, replace(SAMPLE, name="totals")], format_)
    choice = "choose one of them, or the json format"
    assert str(several.value) == f"{format_} holds one table, not 2: layer, totals; {choice}"
    with pytest.raises(SepcalcError) as none:
        render_tables([], format_)
    assert str(none.value) == f"{format_} holds one table, not 0; {choice}"


@randomly(60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from('\t\r\n",'))))
def test_csv_gives_text_back(values):
    """Any text without control characters comes back from a CSV as it was."""
    assert read(render_tables([column_of(*values)], "csv"), ",") == [["name"], *([value] for value in values)]


@randomly(60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))))
def test_tsv_gives_text_back(values):
    """Any text on one line comes back from a TSV as it was."""
    assert read(render_tables([column_of(*values)], "tsv"), "\t") == [["name"], *([value] for value in values)]


@randomly(60)
@given(tables())
def test_shape(table):
    """Whatever the cells hold, there are as many records and fields as rows and columns."""
    width = len(table.columns) + any(row.role != "body" for row in table.rows)
    width += 2 * sum(column.interval for column in table.columns)
    for format_, delimiter in (("csv", ","), ("tsv", "\t")):
        records = read(render_tables([table], format_), delimiter)
        assert [len(record) for record in records] == [width] * (len(table.rows) + 1)


@randomly(60)
@given(tables())
def test_tsv_lines(table):
    """A TSV has a line for each row whoever splits it, and as many tabs in each."""
    lines = render_tables([table], "tsv").splitlines()
    assert len(lines) == len(table.rows) + 1
    assert len({line.count("\t") for line in lines}) == 1


@randomly(60)
@given(texts)
def test_no_escape_reaches_a_terminal(text):
    """A control character in a name is never handed on raw, in any format for programs."""
    for format_ in ("csv", "tsv", "json"):
        shown = render_tables([column_of(text)], format_)
        assert not set(shown) & {chr(code) for code in (*range(9), *range(11, 13), *range(14, 32), *range(127, 160))}


@randomly(60)
@given(tables())
def test_json_gives_text_back(table):
    """JSON gives every text back as it was, control characters too."""
    answer = json.loads(render_tables([table], "json"))["tables"][0]
    assert (answer["table"], answer["title"], answer["notes"]) == (table.name, table.title, list(table.notes))
    names = [column.key for column in table.columns if column.kind == "text"]
    texts_in = [
        [cell for cell, column in zip(row.cells, table.columns, strict=True) if column.kind == "text"]
        for row in table.rows
    ]
    assert [[row[name] for name in names] for row in answer["rows"]] == texts_in
