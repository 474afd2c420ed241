"""The chart of a sweep: the reduction against the swept quantity, a line for each variant, and the limits it nears."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from json import dumps
from typing import NamedTuple

from sepcalc.core.errors import SepcalcError
from sepcalc.core.table import Cell, Column, Table
from sepcalc.render.cells import human, three_figures
from sepcalc.render.charts.axes import Scale, spread
from sepcalc.render.charts.chart import Chart, Record, column_of, described, heading, need_libraries, number, page
from sepcalc.render.charts.late import Layers, alt, data_of
from sepcalc.render.charts.style import APART, BESIDE, DASHES, INNER, SHAPES, TIMES_LABEL, VALUE_TEXT, colors, look
from sepcalc.render.charts.text import shorten, text_width

HIGH, LOW = 150, 80
"""Pixels of the height of a single panel, and the least height of one among others."""

GAP = 5
"""Pixels between the end of a line and its name."""

MOST_PANELS = 12
"""The most panels in one chart: more are too small to read."""

LOGARITHMIC = 8
"""The axis of the swept quantity is logarithmic if the largest value is at least so many times the smallest."""

WIDE_RANGE = 20
"""The axis of the reductions is logarithmic if the largest is more than so many times the smallest."""

KEYS = ("macs_reduction", "params_reduction")


class _Axis(NamedTuple):
    """The swept quantity along the panels: its column, its scale, and the place of each of its values."""

    column: Column
    scale: Scale
    places: dict[Cell, float]

    @property
    def limit(self) -> str:
        """The key of the limits, which are those of this quantity."""
        return f"limit:{self.column.key}"

    @property
    def marks(self) -> Iterator[tuple[float, str]]:
        """The places of values with their labels; a value without room has none."""
        end = float("-inf")
        for cell, place in sorted(self.places.items(), key=lambda entry: entry[1]):
            text = human(cell, self.column)
            middle, half = self.scale.place(place), text_width(text) / 2
            if middle - half >= end:
                yield place, text
                end = middle + half + GAP


class _Panel(NamedTuple):
    """One reduction at one combination of the other swept quantities: its points, and the words beside them."""

    key: str
    title: str
    rows: list[Record]
    labels: list[Record]


def sweep_chart(table: Table) -> Chart:
    """The chart of a sweep's table, whose swept quantities are the columns before the variant.

    The quantity with the most values runs along the axis; every combination of the others has a panel. A known limit is
    drawn. The reduction of parameters has its own panels where it differs from that of multiply-adds.

    Raises :class:`SepcalcError` for a table in which nothing is swept, and for more than :data:`MOST_PANELS` panels.
    """
    need_libraries()
    axis = _axis(table)
    used = table.select((*_swept(table), "variant", *KEYS))
    places = [axis.places[row.cells[table.columns.index(axis.column)]] for row in table.rows]
    hints = [described(row, used, [column.key for column in used.columns]) for row in used.rows]
    data = [{**row, "place": x, "hint": hint} for row, x, hint in zip(table.to_dicts(), places, hints, strict=True)]
    names = [str(name) for name in dict.fromkeys(row["variant"] for row in data)]
    panels = list(_panels(table, axis, data, names))
    if len(panels) > MOST_PANELS:
        raise SepcalcError(
            f"{table.title}: {len(panels):,} panels are too many for a chart of {MOST_PANELS}; give fewer values"
        )
    reductions = [number(row.get(key)) for row in data for key in (*KEYS, axis.limit) if row.get(key)]
    datasets: dict[str, list[Record]] = {}
    plots = []
    for place, panel in enumerate(panels, start=1):
        up = _up(reductions, max(HIGH if len(panels) == 1 else LOW, APART * len(panel.labels)))
        tops = spread([up.pixels - up.place(number(label["value"])) for label in panel.labels], APART, up.pixels)
        datasets[f"points {place}"] = panel.rows
        datasets[f"labels {place}"] = [{**label, "y": top} for label, top in zip(panel.labels, tops, strict=True)]
        plots.append(_plot(panel, axis, names, up, place, titled=place == len(panels)))
    return page(alt.vconcat(*plots, spacing=8), table.title, (used.legend, *table.notes), datasets)


def _swept(table: Table) -> list[str]:
    """The keys of the swept quantities, which stand before the variant; raises :class:`SepcalcError` without any."""
    keys = [column.key for column in table.columns]
    swept = keys[: keys.index("variant")]
    if not swept:
        raise SepcalcError(f"{table.title}: nothing is swept, so there is no line to draw; give a list or a range")
    return swept


def _axis(table: Table) -> _Axis:
    """The swept quantity with the most values; values that are not single numbers stand at equal distances."""
    columns = [column_of(table, key) for key in _swept(table)]
    cells = [dict.fromkeys(row.cells[table.columns.index(column)] for row in table.rows) for column in columns]
    values, column = max(zip(cells, columns, strict=True), key=lambda swept: len(swept[0]))
    numbers = [value for value in map(_value, values) if value is not None]
    are_numbers = len(numbers) == len(values)
    places = numbers if are_numbers else [float(place) for place in range(1, len(values) + 1)]
    low, high = min(places), max(places)
    is_log = are_numbers and 0 < LOGARITHMIC * low <= high
    scale = Scale(low - (low == high), high + (low == high), is_log, INNER)
    return _Axis(column, scale, dict(zip(values, places, strict=True)))


def _value(cell: Cell) -> float | None:
    """A swept value as a number; a size counts as one if it is the same along all axes."""
    if isinstance(cell, tuple):
        return float(cell[0]) if len(set(cell)) == 1 else None
    return float(cell) if isinstance(cell, int | Fraction) else None


def _panels(table: Table, axis: _Axis, data: Sequence[Record], names: Sequence[str]) -> Iterator[_Panel]:
    """A panel for each combination of the other quantities, in their order; both reductions as one where they agree."""
    others = [column_of(table, key) for key in _swept(table) if key != axis.column.key]
    combined: dict[str, list[Record]] = {}
    for row, cells in zip(table.rows, data, strict=True):
        texts = (f"{column.title.lower()} {human(row.cells[table.columns.index(column)], column)}" for column in others)
        combined.setdefault(", ".join(texts), []).append(cells)
    alike = all(row[KEYS[0]] == row[KEYS[1]] for row in data)
    for key in KEYS[:1] if alike else KEYS:
        title = "Reduction of MACs and of params" if alike else column_of(table, key).title
        limit = axis.limit if key == KEYS[0] else ""  # limits are those of multiply-adds
        for text, rows in combined.items():
            labels = list(_labels(rows, key, names, limit))
            yield _Panel(key, ", ".join(filter(None, (title, text))), rows, labels)


def _labels(rows: Sequence[Record], key: str, names: Sequence[str], limit: str) -> Iterator[Record]:
    """The words beside a panel: the name of each variant at the end of its line, and the limits that lines near."""
    limits = []
    for name in names:
        line = [row for row in rows if row["variant"] == name and row[key] is not None]
        if not line:
            continue
        last = max(line, key=lambda row: number(row["place"]))
        yield {"text": shorten(name, BESIDE - GAP), "variant": name, "value": last[key], "limit": None}
        nears = last.get(limit)
        if nears and nears not in limits and any(row[key] != nears for row in line):
            limits.append(nears)
            text = f"limit {three_figures(Fraction(number(nears)))}×"
            yield {"text": text, "variant": name, "value": nears, "limit": nears}


def _up(reductions: Sequence[float], pixels: float) -> Scale:
    """The axis of the reductions."""
    low, high = min(reductions, default=1), 1.05 * max(reductions, default=1)
    is_log = high > WIDE_RANGE * low
    return Scale(low if is_log else 0, high, is_log, pixels)


def _plot(panel: _Panel, axis: _Axis, names: Sequence[str], up: Scale, place: int, *, titled: bool) -> Layers:
    """The lines of a panel with a point at each value, and dashes at the limits."""
    values, texts = zip(*axis.marks, strict=True)
    label = f"({dumps(texts)})[indexof({dumps(values)}, datum.value)]"
    title = axis.column.title if titled else None
    below = alt.Axis(values=values, labelExpr=label, title=title, labels=titled, grid=False)
    beside = alt.Axis(**up.ticks, labelExpr=TIMES_LABEL, title=None, domain=False)
    x = alt.X("place:Q", axis=below, scale=axis.scale.encoded)
    y, limit = (alt.Y(f"{key}:Q", axis=beside, scale=up.encoded) for key in (panel.key, "limit"))
    color = look(alt.Color, names, colors(names))
    dash, shape = look(alt.StrokeDash, names, DASHES), look(alt.Shape, names, SHAPES)
    points, labels = data_of(f"points {place}"), data_of(f"labels {place}")
    words = labels.mark_text(**VALUE_TEXT, align="left", x=INNER + GAP)
    marks = (
        labels.mark_rule(strokeDash=[2, 2], strokeWidth=0.75).encode(limit, color),
        points.mark_line(strokeWidth=1.25).encode(x, y, color, dash, alt.Description("variant:N")),
        points.mark_point(filled=True, opacity=1, size=16).encode(x, y, color, shape, alt.Description("hint:N")),
        words.encode(alt.Y("y:Q", scale=None, axis=None), alt.Text("text:N")),
    )
    return alt.layer(*marks, width=INNER, height=up.pixels, title=heading(panel.title))
