"""A chart of tables as a value: one description, drawn as HTML, SVG, PNG or PDF.

A chart is made of tables and of nothing else, so each number in it stands in a table that can be printed, and the
specification holds the cells as programs read them. Altair writes the specification, which is Vega-Lite; it comes
with the extra ``plot``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from sepcalc.cells import Plain, human, visible
from sepcalc.chart_style import INSIDE, LARGE, PLAIN, config
from sepcalc.chart_text import fold
from sepcalc.errors import MissingExtraError
from sepcalc.table import Column, Row, Table

if TYPE_CHECKING:
    import altair

Layers: TypeAlias = "altair.LayerChart | altair.FacetChart"
"""Marks in one plot, as Altair has them."""

Record = dict[str, Plain]
"""One row of what a chart draws."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture as a Vega-Lite specification."""

    spec: Mapping[str, Any]

    @property
    def data(self) -> Mapping[str, list[Record]]:
        """What is drawn: records by the name of their dataset."""
        datasets: Mapping[str, list[Record]] = self.spec["datasets"]
        return datasets

    def _repr_svg_(self) -> str:
        from sepcalc.chart_files import draw_svg

        return draw_svg(self).decode()


def can_draw() -> bool:
    """Whether the libraries that draw charts are installed."""
    from importlib.util import find_spec

    return all(map(find_spec, ("altair", "vl_convert")))


def need_libraries() -> None:
    """Raise :class:`MissingExtraError` where the libraries that draw charts are not installed."""
    if not can_draw():
        raise MissingExtraError("plot", "drawing a chart")


def record(row: Row, table: Table) -> Record:
    """A ``row`` of ``table`` by the keys of its columns, as a program reads it."""
    return replace(table, rows=(row,)).to_dicts()[0]


def column_of(table: Table, key: str) -> Column:
    """The column of ``table`` that is called ``key``."""
    return next(column for column in table.columns if column.key == key)


def shown(row: Row, table: Table, key: str, *, si: bool = True) -> str:
    """The cell of ``row`` under ``key`` as people read it, a count as 569 M."""
    place = table.columns.index(column_of(table, key))
    return human(row.cells[place], table.columns[place], si=si)


def number(value: Plain) -> float:
    """How far ``value`` reaches along an axis: what is missing takes no room."""
    return value if isinstance(value, int | float) else 0


def heading(text: str) -> altair.TitleParams:
    """What stands above one plot of several."""
    import altair as alt

    return alt.TitleParams(text, fontSize=PLAIN, offset=3, frame="group")


def page(body: Any, title: str, remarks: Iterable[str], datasets: Mapping[str, list[Record]]) -> Chart:
    """The chart of ``body`` (an Altair chart that names ``datasets``) below its title and folded ``remarks``.

    Remarks are the counting rule and notes: what has to be known to read the numbers.
    """
    head = {
        "text": fold(title, INSIDE, LARGE, bold=True),
        "subtitle": [line for remark in remarks for line in fold(remark)],
    }
    drawn = {name: [_drawable(each) for each in rows] for name, rows in datasets.items()}
    return Chart(spec={**body.properties(title=head).to_dict(), "config": config(), "datasets": drawn})


def _drawable(drawn: Record) -> Record:
    """A record without control characters, which no drawing can hold."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in drawn.items()}
