"""The chart of a measurement: promise against delivery, and each stage under the machine's roof.

The roofline (Williams 2009, doi:10.1145/1498765.1498785) is drawn where the ceilings of the machine are known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

from sepcalc.core.table import Row, Table
from sepcalc.render.charts.axes import LOGARITHMIC, Plane, scale_of
from sepcalc.render.charts.chart import (
    Chart,
    Record,
    column_of,
    described,
    heading,
    need_libraries,
    number,
    page,
    shown,
)
from sepcalc.render.charts.labels import RADIUS, label_marks, label_records
from sepcalc.render.charts.late import Layers, alt, data_of
from sepcalc.render.charts.style import FONT, GREY, INK, NUMBER_LABEL, PLANE, SHAPES, SMALL, TIMES_LABEL, colors, look

HIGH = 200
"""Pixels of the height of a plot."""

MOST_NAMED, WORST_NAMED = 12, 5
"""The most points that all have names; of more, only the worst have them."""

ROOF_NOTE = " of its roof."
"""The end of notes on what the roofline shows."""

CONDITIONS = ("dtype", "batch", "memory_format")
"""The columns beside the variant in which rows of one table may differ."""

Looks: TypeAlias = "tuple[alt.Color, alt.Shape]"


class _Point(NamedTuple):
    """A row as it is drawn: its cells, the name of its point, and the variant that it is or belongs to."""

    record: Record
    name: str
    variant: str
    is_part: bool
    is_whole: bool
    """Whether the row has no parts."""


def measurement_chart(table: Table) -> Chart:
    """The chart of a measurement's table, of the variants of a layer or of the layers of a network.

    A doubtful ratio has no point; the notes above name it.
    """
    need_libraries()
    points = list(_points(table))
    variants = list(dict.fromkeys(point.variant for point in points))
    # In a network the references of all layers would lie on one point.
    left_out = "reference" if _is_network(table) else ""
    bodies = [point for point in points if not point.is_part and point.record["verdict"] != left_out]
    compared = [point for point in bodies if point.record["speedup"]]
    roofed = [point for point in points if point.is_whole and _speed(point) and point.record.get("peak_macs_per_s")]
    looks = _looks(variants, legend=_is_network(table) or len(compared) > MOST_NAMED)
    datasets: dict[str, list[Record]] = {}
    panels = [_promise(compared, table, looks, datasets)]
    if roofed:
        panels.append(_roofline(roofed, table, looks, datasets))
    used = table.select([column.key for column in table.columns if column.key in ("speedup", "promised", "intensity")])
    notes = [note for note in table.notes if not (roofed and note.endswith(ROOF_NOTE))]
    body = alt.vconcat(*panels, spacing=12)
    return page(body, table.title, (table.caption, used.legend.removeprefix(table.caption), *notes), datasets)


def _is_network(table: Table) -> bool:
    return table.columns[0].key == "name"


def _speed(point: _Point) -> float:
    return number(point.record.get("macs_per_s"))


def _points(table: Table) -> Iterator[_Point]:
    """The points of all rows; a part belongs to the variant above it."""
    variant = ""
    have_parts = [*(row.role == "part" for row in table.rows[1:]), False]
    for row, record, has_parts in zip(table.rows, table.to_dicts(), have_parts, strict=True):
        is_part = row.role == "part"
        variant = variant if is_part else str(record["variant"])
        record |= {"variant_drawn": variant, "hint": _hint(row, record, table)}
        yield _Point(record, _name(row, table), variant, is_part, is_whole=is_part or not has_parts)


def _name(row: Row, table: Table) -> str:
    """The name of a point: the layer of a network, else the variant or the stage; then the conditions."""
    first_key = "name" if _is_network(table) and row.role != "part" else "variant"
    keys = [column.key for column in table.columns]
    return ", ".join(shown(row, table, key) for key in (first_key, *CONDITIONS) if key in keys)


def _hint(row: Row, record: Record, table: Table) -> str:
    """The figures of a point."""
    wanted = ("name", "variant", *CONDITIONS, "median_s", "speedup", "promised", "macs_per_s", "intensity")
    return described(row, table, [key for key in wanted if record.get(key)])


def _looks(variants: Sequence[str], *, legend: bool) -> Looks:
    """The colour and the shape of each variant, with a legend where the names are those of layers."""
    words: dict[str, Any] = {"labelFont": FONT, "labelFontSize": SMALL, "labelColor": INK, "labelLimit": 0}
    below = alt.Legend(orient="bottom", title=None, columns=3, **words, symbolSize=30, symbolOpacity=1)
    key = below if legend else None
    color = look(alt.Color, variants, colors(variants), "variant_drawn", key)
    return color, look(alt.Shape, variants, SHAPES, "variant_drawn", key)


def _promise(points: Sequence[_Point], table: Table, looks: Looks, datasets: dict[str, list[Record]]) -> Layers:
    """Speed-up against promise with its interval, and the diagonal on which all that was promised is delivered."""
    rows = [point.record for point in points]
    keys = ("promised", "speedup", "speedup_low", "speedup_high")
    values = [number(row[key]) for row in rows for key in keys if row.get(key)] or [1.0]
    x_scale = scale_of(values, PLANE, is_log=max(values) >= LOGARITHMIC * min(values))
    plane = Plane(x_scale, x_scale._replace(pixels=HIGH))
    ends = (x_scale.low, x_scale.high)
    promised, speedup = (column_of(table, key).title for key in ("promised", "speedup"))
    x, y = plane.along("promised", promised, TIMES_LABEL), plane.up("speedup", speedup, TIMES_LABEL)
    datasets |= {
        "compared": rows,
        "diagonal": [{"promised": end, "speedup": end} for end in ends],
        "compared names": _names(plane, points, ("promised", "speedup"), "delivered", [(end, end) for end in ends]),
    }
    diagonal = data_of("diagonal").mark_line(color=GREY, strokeWidth=1, strokeDash=[4, 3])
    interval = (*plane.bare("promised", "speedup_low"), alt.Y2("speedup_high"), looks[0])
    below = (
        diagonal.encode(*plane.bare("promised", "speedup")),
        data_of("compared").mark_rule(strokeWidth=1).encode(*interval),
    )
    return _plot(below, "compared", (x, y, *looks), "Speed-up against promise (dashed: all of it)")


def _roofline(points: Sequence[_Point], table: Table, looks: Looks, datasets: dict[str, list[Record]]) -> Layers:
    """The speed of each stage against its intensity, below the ceilings of the machine."""
    rows = [point.record for point in points]
    peaks = list(dict.fromkeys((number(row["peak_macs_per_s"]), number(row["peak_bytes_per_s"])) for row in rows))
    intensities = [number(row["intensity"]) for row in rows] + [2 * macs / moved for macs, moved in peaks]
    speeds = [_speed(point) for point in points] + [macs for macs, _ in peaks]
    plane = Plane(scale_of(intensities, PLANE, is_log=True), scale_of(speeds, HIGH, is_log=True))
    x = plane.along("intensity", column_of(table, "intensity").title, NUMBER_LABEL)
    y = plane.up("macs_per_s", column_of(table, "macs_per_s").title)
    roofs = [_roof(place, macs, moved, plane) for place, (macs, moved) in enumerate(peaks)]
    line = [(number(corner["intensity"]), number(corner["macs_per_s"])) for corner in roofs[0]]
    datasets |= {
        "roofed": rows,
        "roofs": [corner for roof in roofs for corner in roof],
        "roofed names": _names(plane, points, ("intensity", "macs_per_s"), "roof_share", line),
    }
    lines = data_of("roofs").mark_line(color=GREY, strokeWidth=1.25)
    ceilings = lines.encode(*plane.bare("intensity", "macs_per_s"), alt.Detail("roof:N"))
    return _plot([ceilings], "roofed", (x, y, *looks), "Speed below the machine's roof")


def _roof(place: int, macs_per_s: float, bytes_per_s: float, plane: Plane) -> list[Record]:
    """The corners of a roof: it rises with the bytes that can be moved, up to the peak of the arithmetic."""
    # 1 MAC is 2 FLOP, and intensity is in FLOP per byte.
    least = max(plane.x.low, 2 * plane.y.low / bytes_per_s)
    corners = ((least, least * bytes_per_s / 2), (2 * macs_per_s / bytes_per_s, macs_per_s), (plane.x.high, macs_per_s))
    return [{"roof": place, "intensity": x, "macs_per_s": y} for x, y in corners]


def _names(
    plane: Plane, points: Sequence[_Point], keys: Sequence[str], share: str, line: Sequence[tuple[float, float]]
) -> list[Record]:
    """The places of points' names; of many points only those with the least ``share``, of the promise or the roof."""
    named = sorted(points, key=lambda point: number(point.record[share]))
    cut = WORST_NAMED if len(points) > MOST_NAMED else len(points)
    at = [(number(point.record[keys[0]]), number(point.record[keys[1]])) for point in named]
    return label_records(plane, at[:cut], [point.name for point in named[:cut]], nameless=at[cut:], line=line)


def _plot(below: Sequence[alt.Chart], dataset: str, encodings: tuple[Any, ...], title: str) -> Layers:
    """The points of ``dataset``, with their names, on the marks ``below`` them."""
    points = data_of(dataset).mark_point(filled=True, opacity=1, size=3 * RADIUS**2)
    marks = (*below, points.encode(*encodings, alt.Description("hint:N")), *label_marks(f"{dataset} names"))
    layers = alt.layer(*marks, width=PLANE, height=HIGH, title=heading(title))
    plot: Layers = layers.resolve_scale(x="independent", y="independent")
    return plot
