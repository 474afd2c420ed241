"""A chart of tables as a value: one description, drawn as HTML, SVG, PNG or PDF.

A chart is made of tables alone, so each of its numbers stands in a table that can be printed. Altair (extra ``plot``)
writes the specification, which is Vega-Lite; vl-convert draws it as SVG, without a browser and without a network. HTML,
PNG and PDF hold that drawing. It gives the width of each text, so that a viewer with another font squeezes the text.
The title of a mark is its meaning, for the pointer and for screen readers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from sepcalc.core.errors import MissingExtraError
from sepcalc.core.runtime import resolve
from sepcalc.core.table import Column, Plain, Row, Table
from sepcalc.render import html
from sepcalc.render.cells import human, visible
from sepcalc.render.charts.late import alt
from sepcalc.render.charts.style import INSIDE, LARGE, PLAIN, POINT, WIDTH, config
from sepcalc.render.charts.text import fold, is_measured, text_width
from sepcalc.render.files import by_suffix, write

Record = dict[str, Plain]
"""One row of the data of a chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A picture as a Vega-Lite specification."""

    spec: Mapping[str, Any]

    @property
    def data(self) -> Mapping[str, list[Record]]:
        """The records that are drawn, by the name of their dataset."""
        datasets: Mapping[str, list[Record]] = self.spec["datasets"]
        return datasets

    def _repr_svg_(self) -> str:
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


def described(row: Row, table: Table, keys: Iterable[str]) -> str:
    """The cells of ``row`` under ``keys`` with their titles, for the pointer and for screen readers."""
    return "; ".join(f"{column_of(table, key).title} {shown(row, table, key)}" for key in keys)


def number(value: Plain) -> float:
    """``value`` on an axis: a missing one is 0."""
    return value if isinstance(value, int | float) else 0


def heading(text: str) -> alt.TitleParams:
    """The title of one plot of several."""
    return alt.TitleParams(text, fontSize=PLAIN, offset=3, frame="group")


def page(body: Any, title: str, remarks: Iterable[str], datasets: Mapping[str, list[Record]]) -> Chart:
    """The chart of ``body`` (an Altair chart that names ``datasets``) below its title and folded ``remarks``."""
    subtitle = [line for remark in remarks for line in fold(remark)]
    head = {"text": fold(title, INSIDE, LARGE, bold=True), "subtitle": subtitle}
    drawn = {name: [_drawable(row) for row in rows] for name, rows in datasets.items()}
    return Chart(spec={**body.properties(title=head).to_dict(), "config": config(), "datasets": drawn})


def _drawable(row: Record) -> Record:
    """A record without control characters, which no drawing can hold."""
    return {key: visible(value) if isinstance(value, str) else value for key, value in row.items()}


class Plot(NamedTuple):
    """A kind of chart: the function that draws it from tables, or its ``module:name``, and a description.

    Braces in ``words`` stand for the network or the layer.
    """

    draw: Callable[..., Chart] | str
    words: str


CHARTS = {
    "layer": Plot("sepcalc.render.charts.layer:layer_chart", "The cost of {} in each variant, stage by stage."),
    "layers": Plot(
        "sepcalc.render.charts.network:network_chart",
        "The cost of each layer of {} along its depth, as written and in each variant.",
    ),
    "comparison": Plot(
        "sepcalc.render.charts.comparison:comparison_chart", "Parameters against multiply-adds of {} and others."
    ),
    "sweep": Plot("sepcalc.render.charts.sweep:sweep_chart", "The reductions of {} over the swept lengths."),
    "measurement": Plot(
        "sepcalc.render.charts.measurement:measurement_chart", "The promised and the delivered speed-up of {}."
    ),
}
"""Every chart, by the name of its table, or of the first of several."""


def chart_of(*tables: Table, name: str = "") -> Chart:
    """The chart of ``tables`` that is called ``name``, or as the first table.

    Raises :class:`SepcalcError` for tables that cannot be drawn.
    """
    chart: Chart = resolve(CHARTS[name or tables[0].name].draw)(*tables)
    return chart


SCALE, DENSITY = 2, 144
"""A PNG is 2 · 144 / 72 times as large as the drawing, so it has 384 pixels per inch in a column of 85 mm."""

_SVG = "http://www.w3.org/2000/svg"


def save_chart(chart: Chart, path: str | Path) -> None:
    """Write ``chart`` to ``path``: HTML, SVG, PNG or PDF, as its suffix says.

    Raises :class:`SepcalcError` as :func:`drawer` does, and where the file cannot be written.
    """
    write(path, drawer(path)(chart))


def drawer(path: str | Path) -> Callable[[Chart], bytes]:
    """The function that draws a chart for a file called ``path``.

    Raises :class:`SepcalcError` for any other suffix, and where the libraries that draw are not installed.

    >>> drawer("chart.gif")
    Traceback (most recent call last):
    sepcalc.core.errors.SepcalcError: unknown suffix '.gif' of 'chart.gif'; give one of .html, .svg, .png, .pdf
    """
    draw = by_suffix(path, SUFFIXES)
    need_libraries()
    return draw


def draw_svg(chart: Chart) -> bytes:
    """The chart 85 mm wide, with its words as text."""
    return _svg(chart).encode()


def draw_html(chart: Chart) -> bytes:
    """A page with the drawing, which needs no other file, no script and no network."""
    style = f"body {{ margin: 0 auto; max-width: {3 * WIDTH:.0f}px }} svg {{ width: 100%; height: auto }}"
    return html.page(" ".join(chart.spec["title"]["text"]), style, _svg(chart)).encode()


def draw_png(chart: Chart) -> bytes:
    """The chart in pixels, enough for print."""
    import vl_convert

    return vl_convert.svg_to_png(_svg(chart), scale=SCALE, ppi=DENSITY)


def draw_pdf(chart: Chart) -> bytes:
    """The chart on a page of its own size, 85 mm wide, with its fonts."""
    import vl_convert

    # vl-convert draws a pixel as a point.
    return vl_convert.svg_to_pdf(_svg(chart, 1 / POINT))


def _svg(chart: Chart, scale: float = 1) -> str:
    from json import dumps
    from xml.etree import ElementTree

    import vl_convert

    # As text, since vl-convert refuses a dictionary with an integer above 64 bits.
    drawn = vl_convert.vegalite_to_svg(dumps(dict(chart.spec)), allowed_base_urls=[])
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(drawn)  # noqa: S314 (it has just been drawn here)
    for text in root.iter(f"{{{_SVG}}}text"):
        # The text itself is its description.
        for name in ("aria-label", "aria-roledescription", "role"):
            text.attrib.pop(name, None)
        size, bold = float(text.attrib["font-size"].removesuffix("px")), text.get("font-weight") == "bold"
        for line in list(text) or [text]:
            if line.text and is_measured(line.text):
                line.set("textLength", f"{text_width(line.text, size, bold=bold):.2f}")
                line.set("lengthAdjust", "spacingAndGlyphs")
    for mark in root.iter(f"{{{_SVG}}}path"):
        if label := mark.get("aria-label"):
            ElementTree.SubElement(mark, f"{{{_SVG}}}title").text = label
    for side in ("width", "height"):
        root.set(side, f"{scale * float(root.attrib[side]):g}")
    return ElementTree.tostring(root, encoding="unicode")


SUFFIXES = {".html": draw_html, ".svg": draw_svg, ".png": draw_png, ".pdf": draw_pdf}
"""The function that draws the files of each suffix."""
