"""The chart of one convolution's variants: a bar for each, its stages stacked, parameters above multiply-adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from sepcalc.core.table import Column, Row, Table
from sepcalc.render.cells import human
from sepcalc.render.charts.axes import Scale
from sepcalc.render.charts.chart import Chart, Record, column_of, need_libraries, number, page, record, shown
from sepcalc.render.charts.late import Layers, alt, data_of
from sepcalc.render.charts.style import INSIDE, NAME_TEXT, NOTE_TEXT, PLAIN, SI_LABEL, SMALL, VALUE_TEXT, colors
from sepcalc.render.charts.text import shorten, text_width

STEP, BAR = 29, 10
"""Pixels from one variant to the next, and those of its bar; its name stands above."""

GAP = 4
"""Pixels between a bar and the words at its end."""

SHADES = (1.0, 0.55, 0.8, 0.35)
"""Opacity of the stages, one after the other: neighbours differ."""

NAME = "variant"


class _Variant(NamedTuple):
    """A row of the body with its stages; a variant of one stage is its own."""

    row: Row
    stages: Sequence[Row]


def layer_chart(table: Table) -> Chart:
    """The chart of a layer's table that has the stages in it: ``layer_table(comparison, stages=True)``.

    Multiply-adds are those of each output position where the size is open.
    """
    need_libraries()
    sized = any(each["macs"] is not None for each in table.to_dicts())
    keys = ("params", "macs" if sized else "macs_per_position")
    used = table.select((NAME, *keys, "params_reduction", "macs_reduction"))
    variants = list(_variants(used))
    bodies = [_body(each, used, keys) for each in variants]
    stages = [_stage(row, place, each, used, keys) for each in variants for place, row in enumerate(each.stages)]
    panels = [_panel(used, key, bodies) for key in keys]
    remarks = (used.legend, *table.notes)
    return page(alt.vconcat(*panels, spacing=12), table.title, remarks, {"variants": bodies, "stages": stages})


def _variants(table: Table) -> Iterator[_Variant]:
    """Each row of the body with the parts that follow it."""
    for place, row in enumerate(table.rows):
        if row.role == "body":
            stop = place + 1
            while stop < len(table.rows) and table.rows[stop].role == "part":
                stop += 1
            yield _Variant(row=row, stages=table.rows[place + 1 : stop] or (row,))


def _body(variant: _Variant, table: Table, keys: Sequence[str]) -> Record:
    """A variant as it is drawn: its cells, and for each quantity the words above the bar and at its end."""
    body = record(variant.row, table)
    for key in keys:
        reduction = "macs_reduction" if key.startswith("macs") else "params_reduction"
        applies = body[key] is not None
        body[f"{key}_end"] = f"{shown(variant.row, table, key)}, {shown(variant.row, table, reduction)}" * applies
        body[f"{key}_above"] = _chain(variant, table, key) if applies else "does not apply"
    return body


def _chain(variant: _Variant, table: Table, key: str) -> str:
    """The stages with what each takes, or their names alone where that is all there is room for."""
    if len(variant.stages) == 1:
        return ""
    room = INSIDE - 2 * GAP - text_width(str(variant.row.cells[0]), PLAIN, bold=True)
    names = [str(stage.cells[0]) for stage in variant.stages]
    counted = [f"{name} {shown(stage, table, key)}" for name, stage in zip(names, variant.stages, strict=True)]
    texts = [" + ".join(each) for each in (counted, names)]
    return next((text for text in texts if text_width(text) <= room), shorten(texts[-1], room))


def _stage(row: Row, place: int, variant: _Variant, table: Table, keys: Sequence[str]) -> Record:
    """A stage as it is drawn: its cells, and for each quantity what its part of the bar stands for."""
    name, stage = str(variant.row.cells[0]), str(row.cells[0])
    names = name if stage == name else f"{name}, {stage}"
    hints = {
        f"{key}_hint": f"{names}: {shown(row, table, key, si=False)} {column_of(table, key).title}" for key in keys
    }
    return {**record(row, table), NAME: name, "stage": stage, "place": place, **hints}


def _panel(table: Table, key: str, bodies: Sequence[Record]) -> Layers:
    """The bars of one quantity, each with its variant's name and stages above and its total at its end."""
    names = [str(body[NAME]) for body in bodies]
    scale = Scale(0, _reach(bodies, key), is_log=False, pixels=INSIDE)
    axis = alt.Axis(**scale.ticks, labelExpr=SI_LABEL, labelFlush=True, labelBound=True, grid=False)
    along = alt.X(f"{key}:Q", title=_title(column_of(table, key)), axis=axis, scale=scale.encoded)
    rows = alt.Y(f"{NAME}:N", sort=None, axis=None, scale=alt.Scale(domain=names))
    color = alt.Color(f"{NAME}:N", legend=None, scale=alt.Scale(domain=names, range=colors(names)))
    shade = alt.Opacity(
        "place:O", legend=None, scale=alt.Scale(type="ordinal", domain=[*range(len(SHADES))], range=[*SHADES])
    )
    stages = data_of("stages")
    variants = data_of("variants")
    above, beside = -(STEP - BAR) / 4 - 2, (STEP - BAR) / 4 + 2
    bars = stages.mark_bar(size=BAR, yOffset=beside, stroke="white", strokeWidth=0.5).encode(
        along.stack("zero"), rows, color, shade, alt.Order("place:O"), alt.Description(f"{key}_hint:N")
    )
    words = [
        variants.mark_text(**NAME_TEXT, x=0, align="left", yOffset=above).encode(rows, alt.Text(f"{NAME}:N")),
        variants.mark_text(**NOTE_TEXT, x=INSIDE, align="right", yOffset=above).encode(
            rows, alt.Text(f"{key}_above:N")
        ),
        variants.mark_text(**VALUE_TEXT, align="left", dx=GAP, yOffset=beside).encode(
            along, rows, alt.Text(f"{key}_end:N")
        ),
    ]
    return alt.layer(bars, *words, width=INSIDE, height=STEP * len(names))


def _title(column: Column) -> str:
    """What an axis shows, with its unit where the size is open: MACs (·D_F²)."""
    unit = human(Fraction(1), column).removeprefix("1")
    return f"{column.title} ({unit})" if unit else column.title


def _reach(bodies: Sequence[Record], key: str) -> float:
    """Where the axis ends: each bar has room for the words at its end."""
    ends = (
        number(body[key]) * INSIDE / max(INSIDE - GAP - text_width(str(body[f"{key}_end"]), SMALL), 1)
        for body in bodies
    )
    return max(ends) or 1
