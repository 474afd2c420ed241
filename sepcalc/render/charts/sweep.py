"""The chart of a sweep: the reduction against the swept quantity, a line for each variant, and what it nears."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from json import dumps
from typing import NamedTuple

from sepcalc.core.errors import SepcalcError
from sepcalc.core.table import Cell, Column, Row, Table
from sepcalc.render.cells import human, three_figures
from sepcalc.render.charts.axes import Scale, spread
from sepcalc.render.charts.chart import Chart, Layers, Record, column_of, heading, need_libraries, number, page, shown
from sepcalc.render.charts.late import alt, data_of
from sepcalc.render.charts.style import (
    APART,
    AXIS,
    BESIDE,
    DASHES,
    INSIDE,
    SHAPES,
    TIMES_LABEL,
    VALUE_TEXT,
    colors,
    first,
)
from sepcalc.render.charts.text import shorten, text_width

WIDE, HIGH, LOW = INSIDE - AXIS - BESIDE, 150, 80
"""Pixels of a panel: its width, its height alone, and its least height among others."""

GAP = 5
"""Pixels between the end of a line and its name."""

MOST_PANELS = 12
"""Panels in one chart; of more none can be read."""

LOGARITHMIC = 8
"""Where the largest value is so many times the smallest, the axis of the swept quantity is logarithmic."""

WIDE_RANGE = 20
"""Where the largest reduction is more than so many times the smallest, their axis is logarithmic."""

KEYS = ("macs_reduction", "params_reduction")


class _Axis(NamedTuple):
    """The swept quantity that runs along the panels: its scale, and the place of each of its values."""

    column: Column
    scale: Scale
    places: dict[Cell, float]

    @property
    def marks(self) -> Iterator[tuple[float, str]]:
        """The places of values with what stands below them; values without room have nothing."""
        end = float("-inf")
        for cell, place in sorted(self.places.items(), key=lambda each: each[1]):
            text = human(cell, self.column)
            middle, half = self.scale.place(place), text_width(text) / 2
            if middle - half >= end:
                yield place, text
                end = middle + half + GAP


class _Panel(NamedTuple):
    """One reduction at one combination of the other swept quantities, and what is drawn of it."""

    key: str
    title: str
    rows: Sequence[Record]


def sweep_chart(table: Table) -> Chart:
    """The chart of a sweep's table, whose swept quantities are the columns before the variant.

    The quantity with the most values runs along the axis; every combination of the others has a panel. A known limit is
    drawn. The reduction of parameters has its own panels where it differs from that of multiply-adds.

    Raises :class:`SepcalcError` for a table in which nothing is swept, and for more than :data:`MOST_PANELS` panels.
    """
    need_libraries()
    axis = _axis(table)
    data = [
        {**each, "place": axis.places[row.cells[table.columns.index(axis.column)]], "hint": _hint(row, table)}
        for row, each in zip(table.rows, table.to_dicts(), strict=True)
    ]
    panels = list(_panels(table, axis, data))
    if len(panels) > MOST_PANELS:
        raise SepcalcError(
            f"{table.title}: {len(panels):,} panels are too many for a chart of {MOST_PANELS}; give fewer values"
        )
    names = [str(name) for name in dict.fromkeys(each["variant"] for each in data)]
    limit = f"limit:{axis.column.key}"
    reductions = [number(each.get(key)) for each in data for key in (*KEYS, limit) if each.get(key)]
    datasets: dict[str, list[Record]] = {}
    drawn = []
    for place, panel in enumerate(panels, start=1):
        labels = _labels(panel, names, limit)
        height = max(HIGH if len(panels) == 1 else LOW, APART * len(labels))
        up = _up(reductions, height)
        _stand(labels, up)
        datasets |= {f"points {place}": list(panel.rows), f"labels {place}": labels}
        last = place == len(panels)
        drawn.append(_plot(panel, axis, names, up, place, titled=last))
    used = table.select((*_swept(table), "variant", *KEYS))
    return page(alt.vconcat(*drawn, spacing=8), table.title, (used.legend, *table.notes), datasets)


def _hint(row: Row, table: Table) -> str:
    """What a point stands for."""
    keys = (*_swept(table), "variant", *KEYS)
    return "; ".join(f"{column_of(table, key).title} {shown(row, table, key)}" for key in keys)


def _swept(table: Table) -> list[str]:
    """The keys of the swept quantities, which stand before the variant; raises :class:`SepcalcError` without any."""
    keys = [column.key for column in table.columns]
    swept = keys[: keys.index("variant")]
    if not swept:
        raise SepcalcError(f"{table.title}: nothing is swept, so there is no line to draw; give a list or a range")
    return swept


def _axis(table: Table) -> _Axis:
    """The swept quantity with the most values; those that are no single numbers stand at equal distances."""
    columns = [column_of(table, key) for key in _swept(table)]
    cells = [dict.fromkeys(row.cells[table.columns.index(column)] for row in table.rows) for column in columns]
    values, column = max(zip(cells, columns, strict=True), key=lambda each: len(each[0]))
    found = [_value(cell) for cell in values]
    known = [value for value in found if value is not None]
    places = known if len(known) == len(found) else [float(place) for place in range(1, len(found) + 1)]
    low, high = min(places), max(places)
    is_log = len(known) == len(found) and 0 < LOGARITHMIC * low <= high
    if low == high:
        low, high = low - 1, high + 1
    scale = Scale(low, high, is_log=is_log, pixels=WIDE)
    return _Axis(column=column, scale=scale, places=dict(zip(values, places, strict=True)))


def _value(cell: Cell) -> float | None:
    """A swept value as a number: one for all axes counts as one."""
    if isinstance(cell, tuple):
        return float(cell[0]) if len(set(cell)) == 1 else None
    return float(cell) if isinstance(cell, int | Fraction) else None


def _panels(table: Table, axis: _Axis, data: Sequence[Record]) -> Iterator[_Panel]:
    """A panel for each combination of the other quantities, in their order; both reductions as one where they agree."""
    others = [column_of(table, key) for key in _swept(table) if key != axis.column.key]
    combined: dict[str, list[Record]] = {}
    for row, each in zip(table.rows, data, strict=True):
        texts = (f"{column.title.lower()} {human(row.cells[table.columns.index(column)], column)}" for column in others)
        combined.setdefault(", ".join(texts), []).append(each)
    alike = all(each[KEYS[0]] == each[KEYS[1]] for each in data)
    for key in KEYS[:1] if alike else KEYS:
        title = "Reduction of MACs and of params" if alike else column_of(table, key).title
        for text, rows in combined.items():
            yield _Panel(key=key, title=", ".join(filter(None, (title, text))), rows=rows)


def _labels(panel: _Panel, names: Sequence[str], limit: str) -> list[Record]:
    """What is written beside a panel: each variant at the end of its line, and what it nears."""
    labels: list[Record] = []
    for name in names:
        rows = [row for row in panel.rows if row["variant"] == name and row[panel.key] is not None]
        if not rows:
            continue
        last = max(rows, key=lambda row: number(row["place"]))
        labels.append({"text": shorten(name, BESIDE - GAP), "variant": name, "value": last[panel.key], "limit": None})
        nears = last.get(limit) if panel.key == KEYS[0] else None
        known = [label["limit"] for label in labels]
        if nears and nears not in known and any(row[panel.key] != nears for row in rows):
            text = f"limit {three_figures(Fraction(number(nears)))}×"
            labels.append({"text": text, "variant": name, "value": nears, "limit": nears})
    return labels


def _up(reductions: Sequence[float], pixels: float) -> Scale:
    """The axis of the reductions, logarithmic where they span a wide range."""
    low, high = min(reductions, default=1), 1.05 * max(reductions, default=1)
    return Scale(low, high, is_log=True, pixels=pixels) if high > WIDE_RANGE * low else Scale(0, high, False, pixels)


def _stand(labels: Sequence[Record], up: Scale) -> None:
    """Give each label its place, in pixels from the top, apart from the others."""
    places = spread([up.pixels - up.place(number(each["value"])) for each in labels], APART, up.pixels)
    for each, place in zip(labels, places, strict=True):
        each["y"] = place


def _plot(panel: _Panel, axis: _Axis, names: Sequence[str], up: Scale, place: int, *, titled: bool) -> Layers:
    """The lines of a panel with a point at each value, and dashes at what they near."""
    values, texts = zip(*axis.marks, strict=True)
    below = alt.Axis(
        values=values,
        labelExpr=f"({dumps(texts)})[indexof({dumps(values)}, datum.value)]",
        title=axis.column.title if titled else None,
        labels=titled,
        grid=False,
    )
    x = alt.X("place:Q", axis=below, scale=axis.scale.encoded)
    beside = alt.Axis(**up.ticks, labelExpr=TIMES_LABEL, title=None, domain=False)
    y = alt.Y(f"{panel.key}:Q", axis=beside, scale=up.encoded)
    color = alt.Color("variant:N", legend=None, scale=alt.Scale(domain=names, range=colors(names)))
    dashes, shapes = (alt.Scale(domain=names, range=first(looks, len(names))) for looks in (DASHES, SHAPES))
    dash = alt.StrokeDash("variant:N", legend=None, scale=dashes)
    shape = alt.Shape("variant:N", legend=None, scale=shapes)
    points = data_of(f"points {place}")
    labels = data_of(f"labels {place}")
    words = labels.mark_text(**VALUE_TEXT, align="left", x=WIDE + GAP)
    plot: Layers = alt.layer(
        labels.mark_rule(strokeDash=[2, 2], strokeWidth=0.75).encode(
            alt.Y("limit:Q", axis=beside, scale=up.encoded), color
        ),
        points.mark_line(strokeWidth=1.25).encode(x, y, color, dash, alt.Description("variant:N")),
        points.mark_point(filled=True, opacity=1, size=16).encode(x, y, color, shape, alt.Description("hint:N")),
        words.encode(alt.Y("y:Q", scale=None, axis=None), alt.Text("text:N")),
        width=WIDE,
        height=up.pixels,
        title=heading(panel.title),
    )
    return plot
