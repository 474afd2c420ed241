"""The chart that compares networks: parameters against multiply-adds, a named point for each."""

from __future__ import annotations

from collections.abc import Sequence

from sepcalc.core.table import Row, Table
from sepcalc.render.charts.axes import LOGARITHMIC, Plane, scale_of
from sepcalc.render.charts.chart import Chart, column_of, need_libraries, number, page, shown
from sepcalc.render.charts.labels import RADIUS, label_marks, label_records
from sepcalc.render.charts.late import alt, data_of
from sepcalc.render.charts.style import COLORS, PLANE

HIGH = 220
"""Pixels of the height of the plot."""


def comparison_chart(table: Table) -> Chart:
    """The chart of a table of networks, both axes logarithmic where one of them spans a factor of ten."""
    need_libraries()
    used = table.select(("name", "params", "macs"))
    data = [{**record, "hint": _hint(row, used)} for row, record in zip(used.rows, used.to_dicts(), strict=True)]
    points = [(number(network["params"]), number(network["macs"])) for network in data]
    plane = _plane(points)
    x, y = plane.along("params", column_of(table, "params").title), plane.up("macs", column_of(table, "macs").title)
    circles = data_of("networks").mark_circle(opacity=1, color=COLORS[1], size=3 * RADIUS**2)
    marks = circles.encode(x, y, alt.Description("hint:N"))
    body = alt.layer(marks, *label_marks("names"), width=PLANE, height=HIGH)
    names = label_records(plane, points, [str(network["name"]) for network in data])
    independent = body.resolve_scale(x="independent", y="independent")
    return page(independent, table.title, (used.legend, *table.notes), {"networks": data, "names": names})


def _hint(row: Row, table: Table) -> str:
    name, params, macs = (shown(row, table, column.key, si=False) for column in table.columns)
    return f"{name}: {params} params, {macs} MACs"


def _plane(points: Sequence[tuple[float, float]]) -> Plane:
    params, macs = zip(*points, strict=True)
    is_log = min(*params, *macs) > 0 and any(max(counts) >= LOGARITHMIC * min(counts) for counts in (params, macs))
    return Plane(scale_of(params, PLANE, is_log=is_log), scale_of(macs, HIGH, is_log=is_log))
