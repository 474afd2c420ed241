"""What charts of points share: names that find room beside their points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import dist
from typing import TYPE_CHECKING

from sepcalc.render.charts.axes import Plane
from sepcalc.render.charts.chart import Record
from sepcalc.render.charts.labels import FAR, Box, Point, place_labels
from sepcalc.render.charts.style import GREY, LINE, SMALL, VALUE_TEXT
from sepcalc.render.charts.text import shorten, text_width

if TYPE_CHECKING:
    import altair

LONGEST_NAME = 120
"""Pixels of a name; of a longer one the middle goes."""

STROKE_STEP = 3.0
"""Pixels from one place on a line to the next, where names keep off it."""


def label_records(
    plane: Plane,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    *,
    nameless: Sequence[tuple[float, float]] = (),
    line: Sequence[tuple[float, float]] = (),
) -> list[Record]:
    """Where the names of points stand, as a dataset for :func:`label_marks`.

    They keep off ``nameless`` points and off the ``line`` between the points that are given for it.
    """
    at = [plane.point(*point) for point in points]
    texts = [shorten(name, LONGEST_NAME) for name in names]
    widths = [text_width(text) for text in texts]
    size, others = (plane.x.pixels, plane.y.pixels), [plane.point(*point) for point in nameless]
    strokes = list(_stroke([plane.point(*point) for point in line]))
    boxes = place_labels(at, widths, SMALL * LINE, size, nameless=others, lines=strokes)
    return [_label(*each) for each in zip(at, boxes, texts, strict=True)]


def _stroke(corners: Sequence[Point]) -> Iterator[Point]:
    """Places on the line through ``corners``, a few pixels from one to the next."""
    for start, end in pairwise(corners):
        steps = int(dist(start, end) / STROKE_STEP) + 1
        for step in range(steps + 1):
            part = step / steps
            yield start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def _label(point: Point, box: Box, text: str) -> Record:
    x, y = box.middle
    end = box.nearest(point)
    line: Record = {"from_x": point[0], "from_y": point[1], "to_x": end[0], "to_y": end[1]}
    return {"text": text, "x": x, "y": y, **line, "far": dist(point, end) > FAR}


def label_marks(dataset: str) -> list[altair.Chart]:
    """The names of a dataset, with lines to those that had to move away from their points; places are pixels."""
    import altair as alt

    def x(key: str) -> altair.X:
        return alt.X(key, scale=None, axis=None)

    def y(key: str) -> altair.Y:
        return alt.Y(key, scale=None, axis=None)

    names = alt.Chart(alt.NamedData(name=dataset))
    lines = names.transform_filter(alt.datum.far).mark_rule(color=GREY, strokeWidth=0.5)
    words = names.mark_text(**VALUE_TEXT, align="center")
    return [
        lines.encode(x("from_x:Q"), y("from_y:Q"), x2="to_x:Q", y2="to_y:Q"),
        words.encode(x("x:Q"), y("y:Q"), alt.Text("text:N")),
    ]
