"""The chart of one convolution's variants: a bar for each, its stages stacked, parameters above multiply-adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import takewhile
from typing import NamedTuple

from sepcalc.core.table import Column, Row, Table
from sepcalc.render.cells import human
from sepcalc.render.charts.axes import Scale
from sepcalc.render.charts.chart import Chart, Record, column_of, need_libraries, number, page, record, shown
from sepcalc.render.charts.late import Layers, alt, data_of
from sepcalc.render.charts.style import INSIDE, NAME_TEXT, NOTE_TEXT, PLAIN, SI_LABEL, SMALL, VALUE_TEXT, colors, look
from sepcalc.render.charts.text import shorten, text_width

STEP, BAR = 29, 10
"""Pixels from one variant to the next, and of the height of its bar; its name stands above."""

GAP = 4
"""Pixels between a bar and the words at its end."""

SHADES = (1.0, 0.55, 0.8, 0.35)
"""Opacity of the stages, one after the other: neighbours differ."""

NAME = "variant"


class _Variant(NamedTuple):
    """A row of the body with its stages; a variant without parts is its own stage."""

    row: Row
    stages: Sequence[Row]


def layer_chart(table: Table) -> Chart:
    """The chart of a layer's table that has the stages in it: ``layer_table(comparison, stages=True)``.

    Multiply-adds are those of each output position where the size is open.
    """
    need_libraries()
    sized = any(row["macs"] is not None for row in table.to_dicts())
    keys = ("params", "macs" if sized else "macs_per_position")
    used = table.select((NAME, *keys, "params_reduction", "macs_reduction"))
    variants = list(_variants(used))
    bodies = [_body(variant, used, keys) for variant in variants]
    stages = [
        _stage(row, place, variant, used, keys) for variant in variants for place, row in enumerate(variant.stages)
    ]
    panels = [_panel(used, key, bodies) for key in keys]
    remarks = (used.legend, *table.notes)
    return page(alt.vconcat(*panels, spacing=12), table.title, remarks, {"variants": bodies, "stages": stages})


def _variants(table: Table) -> Iterator[_Variant]:
    """Each row of the body with the parts that follow it."""
    for place, row in enumerate(table.rows):
        if row.role == "body":
            parts = tuple(takewhile(lambda other: other.role == "part", table.rows[place + 1 :]))
            yield _Variant(row, parts or (row,))


def _body(variant: _Variant, table: Table, keys: Sequence[str]) -> Record:
    """The cells of a variant, and for each quantity the words above the bar and at its end."""
    body = record(variant.row, table)
    for key in keys:
        reduction = "macs_reduction" if key.startswith("macs") else "params_reduction"
        applies = body[key] is not None
        body[f"{key}_end"] = f"{shown(variant.row, table, key)}, {shown(variant.row, table, reduction)}" * applies
        body[f"{key}_above"] = _chain(variant, table, key) if applies else "does not apply"
    return body


def _chain(variant: _Variant, table: Table, key: str) -> str:
    """The stages with their counts, or their names alone if there is no room for more."""
    if len(variant.stages) == 1:
        return ""
    room = INSIDE - 2 * GAP - text_width(str(variant.row.cells[0]), PLAIN, bold=True)
    names = [str(stage.cells[0]) for stage in variant.stages]
    counted = [f"{name} {shown(stage, table, key)}" for name, stage in zip(names, variant.stages, strict=True)]
    text = " + ".join(counted)
    return text if text_width(text) <= room else shorten(" + ".join(names), room)


def _stage(row: Row, place: int, variant: _Variant, table: Table, keys: Sequence[str]) -> Record:
    """The cells of a stage, and for each quantity the meaning of its part of the bar."""
    name, stage = str(variant.row.cells[0]), str(row.cells[0])
    drawn = record(row, table) | {NAME: name, "stage": stage, "place": place}
    for key in keys:
        count = f"{shown(row, table, key, si=False)} {column_of(table, key).title}"
        drawn[f"{key}_hint"] = f"{name if stage == name else f'{name}, {stage}'}: {count}"
    return drawn


def _panel(table: Table, key: str, bodies: Sequence[Record]) -> Layers:
    """The bars of one quantity, each with its variant's name and stages above and its total at its end."""
    names = [str(body[NAME]) for body in bodies]
    scale = Scale(0, _reach(bodies, key), is_log=False, pixels=INSIDE)
    axis = alt.Axis(**scale.ticks, labelExpr=SI_LABEL, labelFlush=True, labelBound=True, grid=False)
    along = alt.X(f"{key}:Q", title=_title(column_of(table, key)), axis=axis, scale=scale.encoded)
    rows = alt.Y(f"{NAME}:N", sort=None, axis=None, scale=alt.Scale(domain=names))
    shades = alt.Scale(type="ordinal", domain=[*range(len(SHADES))], range=[*SHADES])
    above, beside = -(STEP - BAR) / 4 - 2, (STEP - BAR) / 4 + 2
    variants = data_of("variants")
    name = variants.mark_text(**NAME_TEXT, x=0, align="left", yOffset=above)
    chain = variants.mark_text(**NOTE_TEXT, x=INSIDE, align="right", yOffset=above)
    total = variants.mark_text(**VALUE_TEXT, align="left", dx=GAP, yOffset=beside)
    bars = data_of("stages").mark_bar(size=BAR, yOffset=beside, stroke="white", strokeWidth=0.5)
    bars = bars.encode(look(alt.Color, names, colors(names)), alt.Opacity("place:O", legend=None, scale=shades))
    marks = (
        bars.encode(along.stack("zero"), rows, alt.Order("place:O"), alt.Description(f"{key}_hint:N")),
        name.encode(rows, alt.Text(f"{NAME}:N")),
        chain.encode(rows, alt.Text(f"{key}_above:N")),
        total.encode(along, rows, alt.Text(f"{key}_end:N")),
    )
    return alt.layer(*marks, width=INSIDE, height=STEP * len(names))


def _title(column: Column) -> str:
    """The title of an axis, with its unit where the size is open: MACs (·D_F²)."""
    unit = human(Fraction(1), column).removeprefix("1")
    return f"{column.title} ({unit})" if unit else column.title


def _reach(bodies: Sequence[Record], key: str) -> float:
    """The end of the axis, at which each bar has room for the words beside it."""
    rooms = [max(INSIDE - GAP - text_width(str(body[f"{key}_end"]), SMALL), 1) for body in bodies]
    return max(number(body[key]) * INSIDE / room for body, room in zip(bodies, rooms, strict=True)) or 1
