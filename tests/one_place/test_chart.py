"""A chart is one record: registered here under the name of a table, it is drawn wherever that table is."""

from pathlib import Path

import pytest
from commands import sepcalc

from sepcalc.core.errors import SepcalcError
from sepcalc.render.charts.chart import CHARTS, Plot, page

LINES = {
    "layer": "layer --cin 64 --cout 128 -k 3",
    "layers": "network alexnet",
    "comparison": "compare alexnet vgg16",
    "sweep": "sweep --cin 8 --cout 8,16 -k 3",
}
"""A command line for each table that a command draws."""


def rows_chart(table, *others):
    """A bar as long as the first table has rows."""
    import altair as alt

    bars = alt.Chart(alt.NamedData(name="rows")).mark_bar().encode(x="rows:Q", description="hint:N")
    hint = f"{len(table.rows)} rows of {table.name}, {len(others)} others"
    return page(bars, table.title, [], {"rows": [{"rows": len(table.rows), "hint": hint}]})


ROWS = Plot(rows_chart, "How many rows there are about {}.")


@pytest.mark.parametrize(("name", "line"), LINES.items())
def test_commands_draw_it(folder: Path, monkeypatch, name, line):
    """``--plot`` draws what is registered for the table that the command shows."""
    monkeypatch.setitem(CHARTS, name, ROWS)
    assert sepcalc(f"{line} --plot a.svg").code == 0
    assert f" rows of {name}, {int(name == 'layers')} others</title>" in (folder / "a.svg").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["totals", "counters"])
def test_a_report_shows_it(folder: Path, monkeypatch, name):
    """A table that has had no chart gets one in the report, with its words, as a part of the page or beside it."""
    assert name not in CHARTS
    monkeypatch.setitem(CHARTS, name, ROWS)
    assert sepcalc("report alexnet -o a.html") == sepcalc("report alexnet --pictures -o a.md") == (0, "", "")
    assert "<figcaption>How many rows there are about AlexNet.</figcaption>" in (folder / "a.html").read_text("utf-8")
    assert f"![How many rows there are about AlexNet.](a-{name}.svg)" in (folder / "a.md").read_text("utf-8")
    assert f" rows of {name}, 0 others</title>" in (folder / f"a-{name}.svg").read_text("utf-8")


def test_a_chart_that_cannot_be_drawn(folder: Path, monkeypatch):
    """Where a chart refuses a table, the command ends with the reason, and the report has it in the picture's place."""

    def refusing(*_tables):
        raise SepcalcError("too much to draw")

    monkeypatch.setitem(CHARTS, "layer", ROWS._replace(draw=refusing))
    assert sepcalc(f"{LINES['layer']} --plot a.svg")[::2] == (2, "too much to draw\n")
    assert sepcalc("report alexnet -o a.html").code == 0
    assert "There is no chart here: too much to draw." in (folder / "a.html").read_text("utf-8")
