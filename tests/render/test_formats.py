"""Every format from one entrance."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly
from tables import SAMPLE, column_of, texts

from sepcalc.core.errors import SepcalcError
from sepcalc.core.table import Column, Row, Table
from sepcalc.render.cells import Look
from sepcalc.render.formats import FORMATS, Output, render_tables

PEOPLE = ["terminal", "markdown", "latex", "html"]
PROGRAMS = ["csv", "tsv", "json"]


def test_formats():
    """The registry holds every format, each with a suffix of its own."""
    assert sorted(FORMATS) == sorted(PEOPLE + PROGRAMS)
    assert len({output.suffix for output in FORMATS.values()}) == len(FORMATS)


def test_new_format(monkeypatch):
    """A new format is one entry in the registry."""
    monkeypatch.setitem(
        FORMATS, "names", Output(suffix=".names", draw=lambda tables, look: f"{tables[0].name} {look}\n")
    )
    assert render_tables([SAMPLE], "names", si=True, width=60) == f"layer {Look(si=True, width=60)}\n"


def test_unknown_format():
    """An unknown format is refused with the closest known one."""
    with pytest.raises(SepcalcError) as error:
        render_tables([SAMPLE], "markdwon")
    assert str(error.value) == "unknown format 'markdwon'; did you mean 'markdown'?"


@pytest.mark.parametrize("name", FORMATS)
def test_ends(name):
    """Every format ends in exactly one line end, so that files can be joined."""
    shown = render_tables([SAMPLE], name)
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")


@pytest.mark.parametrize("name", PEOPLE)
def test_people_read_everything(name):
    """Formats for people hold the title, the caption, every note, every heading and every name."""
    shown = unescape(render_tables([replace(SAMPLE, title="A title", notes=("first note", "second note"))], name))
    for text in ("A title", SAMPLE.caption, "first note", "second note", "depthwise-separable"):
        assert text in shown
    for column in SAMPLE.columns:
        assert all(word in shown for word in column.title.split())


@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_records_hold_no_remarks(name):
    """CSV and TSV are records alone."""
    shown = render_tables([SAMPLE], name)
    assert SAMPLE.caption not in shown
    assert SAMPLE.title not in shown


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_get_exact_numbers(name):
    """What people ask for changes no format for programs."""
    assert render_tables([SAMPLE], name, si=True, width=20, color=True) == render_tables([SAMPLE], name)


@pytest.mark.parametrize("name", ["markdown", "latex", "html"])
def test_files_ignore_the_terminal(name):
    """The terminal's width and colours change nothing but the terminal's own format."""
    assert render_tables([SAMPLE], name, width=20, color=True) == render_tables([SAMPLE], name)


@pytest.mark.parametrize("name", FORMATS)
@randomly(30)
@given(text=texts)
def test_every_text_can_be_written(name, text):
    """Whatever a name holds, the result is UTF-8."""
    assert render_tables([replace(column_of(text), title=text)], name).encode()


def integers(name, shown):
    """The counts of a rendered column, the sum last."""
    if name == "json":
        return [row["params"] for row in json.loads(shown)["tables"][0]["rows"]]
    if name in PROGRAMS:
        return [int(line.split("," if name == "csv" else "\t")[1]) for line in shown.splitlines()[1:]]
    ends = {
        "terminal": r" +(\S+)$",
        "markdown": r"\| +\**(\S+?)\** \|$",
        "latex": r"& (\S+) \\\\$",
        "html": r">(\S+)</td></tr>$",
    }
    found = re.findall(ends[name], shown, re.MULTILINE)
    return [int(number.replace(",", "")) for number in found if re.fullmatch(r"[\d,]+", number)]


@pytest.mark.parametrize("name", FORMATS)
@randomly(20)
@given(counts=st.lists(st.integers(0, 10**12), min_size=1, max_size=60))
def test_printed_numbers_add_up(name, counts):
    """The printed integers of a column, added up again, are the printed sum."""
    rows = [Row(cells=(f"layer{place}", count)) for place, count in enumerate(counts)]
    rows.append(Row(cells=("sum", sum(counts)), role="total"))
    columns = (Column(key="name", title="Name"), Column(key="params", title="Params", kind="count"))
    *parts, total = integers(name, render_tables([Table(name="t", title="T", columns=columns, rows=tuple(rows))], name))
    assert parts == counts
    assert sum(parts) == total


def modules_after(name):
    """What a fresh interpreter has loaded after it rendered a table."""
    code = (
        "import sys; from sepcalc.core.table import *; from sepcalc.render.formats import render_tables\n"
        "columns = (Column(key='a', title='A'),)\n"
        f"render_tables([Table(name='t', title='T', columns=columns, rows=(Row(cells=('x',)),))], '{name}')\n"
        "print(*sys.modules)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()


def test_a_run_pays_for_one_format():
    """A format's libraries are loaded when it draws, and those of no other."""
    assert "sepcalc.render.terminal" in modules_after("terminal")
    loaded = modules_after("csv")
    assert not [module for module in loaded if module.startswith(("rich", "html", "json"))]
    assert not {
        "sepcalc.render.latex",
        "sepcalc.render.terminal",
        "sepcalc.render.html",
        "sepcalc.render.markdown",
    } & set(loaded)


def test_the_terminal_is_light():
    """The terminal's format loads nothing heavy."""
    assert not {"rich", "numpy", "yaml", "torch", "json", "markdown_it", "pygments"} & set(modules_after("terminal"))
