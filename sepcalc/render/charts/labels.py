"""Places for names beside the points of a chart, off each other and off other points.

Places are pixels from the left and from the top of the plot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import dist, inf
from typing import Any, NamedTuple

from sepcalc.render.charts.axes import Plane
from sepcalc.render.charts.chart import Record
from sepcalc.render.charts.late import alt, data_of
from sepcalc.render.charts.style import GREY, LINE, SMALL, VALUE_TEXT
from sepcalc.render.charts.text import shorten, text_width

GAP = 5.0
"""Pixels from the middle of a point to its name."""

RADIUS, STROKE = 3.5, 1.0
"""Pixels around the middle of a point, and around a place on a line, that no name should cover."""

FAR = 7.0
"""Pixels from a point to its name above which a line joins them."""

STEPS, ROUNDS = 10, 6
"""The most half lines of type from a point to its name, and the most rounds in which names look for better places."""

DOUBTFUL, CROSSED = 20.0, 60.0
"""The costs of a name without a line as near to another point as to its own, and of a line through a name.

A pixel further from the point costs 1, and so does a square pixel of another name that is covered.
"""

LONGEST_NAME = 120
"""Pixels of the longest name; a longer one loses its middle."""

STROKE_STEP = 3.0
"""Pixels between the places on a line that names keep off."""

Point = tuple[float, float]
"""Pixels from the left and from the top."""


class Box(NamedTuple):
    """A rectangle in the plot."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)

    @property
    def middle(self) -> Point:
        """Its centre."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def nearest(self, point: Point) -> Point:
        """Its place nearest to ``point``."""
        return max(self.left, min(point[0], self.right)), max(self.top, min(point[1], self.bottom))

    def holds(self, point: Point) -> bool:
        """Whether ``point`` lies in it."""
        return self.nearest(point) == point


def label_records(
    plane: Plane,
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    *,
    nameless: Sequence[tuple[float, float]] = (),
    line: Sequence[tuple[float, float]] = (),
) -> list[Record]:
    """The places of points' names as a dataset for :func:`label_marks`.

    They keep off ``nameless`` points and off the ``line`` between its points. All points are in the units of the axes.
    """
    at, others, corners = ([plane.point(*point) for point in group] for group in (points, nameless, line))
    texts = [shorten(name, LONGEST_NAME) for name in names]
    size, strokes = (plane.x.pixels, plane.y.pixels), list(_stroke(corners))
    boxes = place_labels(at, list(map(text_width, texts)), SMALL * LINE, size, nameless=others, lines=strokes)
    return list(map(_label, at, boxes, texts))


def _stroke(corners: Sequence[Point]) -> Iterator[Point]:
    """Places on the line through ``corners``, a few pixels from one to the next."""
    for start, end in pairwise(corners):
        steps = int(dist(start, end) / STROKE_STEP) + 1
        yield from (_between(start, end, step / steps) for step in range(steps + 1))


def _between(start: Point, end: Point, part: float) -> Point:
    return start[0] + part * (end[0] - start[0]), start[1] + part * (end[1] - start[1])


def _label(point: Point, box: Box, text: str) -> Record:
    x, y = box.middle
    end = box.nearest(point)
    line: Record = {"from_x": point[0], "from_y": point[1], "to_x": end[0], "to_y": end[1]}
    return {"text": text, "x": x, "y": y, **line, "far": dist(point, end) > FAR}


def label_marks(dataset: str) -> list[alt.Chart]:
    """The names in a dataset, with lines to those far from their points; the places are pixels."""
    bare: dict[str, Any] = {"scale": None, "axis": None}
    names = data_of(dataset)
    lines = names.transform_filter(alt.datum.far).mark_rule(color=GREY, strokeWidth=0.5)
    words = names.mark_text(**VALUE_TEXT, align="center")
    return [
        lines.encode(alt.X("from_x:Q", **bare), alt.Y("from_y:Q", **bare), x2="to_x:Q", y2="to_y:Q"),
        words.encode(alt.X("x:Q", **bare), alt.Y("y:Q", **bare), alt.Text("text:N")),
    ]


def place_labels(
    points: Sequence[Point],
    widths: Sequence[float],
    height: float,
    size: Point,
    *,
    nameless: Sequence[Point] = (),
    lines: Sequence[Point] = (),
) -> list[Box]:
    """A box for the name of each point, in a plot of ``size``: near its point, off other names, points and lines.

    ``nameless`` are other points of the plot; ``lines`` are places on its lines, a few pixels apart.

    >>> [box.middle for box in place_labels([(10, 50), (10, 60)], [30, 30], 10, (100, 100))]
    [(30.0, 50.0), (30.0, 60.0)]
    """
    marks = [_mark(point, RADIUS) for point in (*points, *nameless)]
    strokes = [_mark(point, STROKE) for point in lines]
    placed: dict[int, _Name] = {}
    for _ in range(ROUNDS):
        before = dict(placed)
        for number, (point, width) in enumerate(zip(points, widths, strict=True)):
            others = [name for other, name in placed.items() if other != number]
            boxes = list(_around(point, width, height))
            inside = [box for box in boxes if box.overlap(Box(0, 0, *size)) >= 0.999 * width * height]
            placed[number] = _best(point, inside or boxes[:1], marks, strokes, others)
        if placed == before:
            break
    return [placed[number].box for number in range(len(points))]


def _mark(point: Point, radius: float) -> Box:
    return Box(point[0] - radius, point[1] - radius, point[0] + radius, point[1] + radius)


class _Name(NamedTuple):
    """The place of a name, and places on the line to its point; none if it is near."""

    box: Box
    line: Sequence[Point]


def _named(point: Point, box: Box) -> _Name:
    end = box.nearest(point)
    length = dist(point, end)
    if length <= FAR:
        return _Name(box, ())
    start = RADIUS / length
    return _Name(box, [_between(point, end, start + part / 9 * (1 - start)) for part in range(1, 9)])


def _best(
    point: Point, boxes: Sequence[Box], marks: Sequence[Box], strokes: Sequence[Box], others: Sequence[_Name]
) -> _Name:
    """The best of ``boxes`` for the name of ``point``: the one of least cost."""
    best, least = _named(point, boxes[0]), inf
    taken = [*marks, *strokes, *(other.box for other in others)]
    rivals = [mark.middle for mark in marks if mark.middle != point]
    for box in boxes:
        far = dist(point, box.nearest(point))
        # The quick parts of the cost come first: they rule out most places.
        cost = far if far >= least else far + sum(map(box.overlap, taken))
        if cost < least:
            name = _named(point, box)
            cost += CROSSED * _crossings(name, others) + DOUBTFUL * _doubts(name, far, rivals)
            if cost < least:
                best, least = name, cost
    return best


def _crossings(name: _Name, others: Sequence[_Name]) -> int:
    """How many lines run through names: its own through others, and those of others through it."""
    return sum(any(map(other.box.holds, name.line)) + any(map(name.box.holds, other.line)) for other in others)


def _doubts(name: _Name, far: float, rivals: Sequence[Point]) -> int:
    """How many other points are as near to the name as its own, unless a line joins it to its own."""
    return 0 if name.line else sum(dist(rival, name.box.nearest(rival)) <= far + 1 for rival in rivals)


def _around(point: Point, width: float, height: float) -> Iterator[Box]:
    """Places for a name, the nearest first: beside its point, above and below, then further off."""
    x, y = point
    beside, aligned = GAP + width / 2, width / 2 - RADIUS
    for step in range(STEPS):
        slide, rise = step * height / 2, GAP / 2 + height / 2 + step * height / 2
        offsets = [(side * beside, way * slide) for side in (1, -1) for way in ((1, -1) if step else (1,))]
        offsets += [(across, way * rise) for way in (-1, 1) for across in (0, aligned, -aligned)]
        for across, down in offsets:
            left, top = x + across - width / 2, y + down - height / 2
            yield Box(left, top, left + width, top + height)
