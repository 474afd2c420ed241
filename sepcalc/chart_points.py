"""What charts of points share: axes whose places are known, and names that find room beside their points."""

from __future__ import annotations

from collections.abc import Sequence
from math import dist, log
from typing import TYPE_CHECKING, Any, NamedTuple

from sepcalc.chart import Record
from sepcalc.chart_labels import FAR, Box, Point, place_labels
from sepcalc.chart_style import GREY, LINE, SI_LABEL, SMALL, VALUE_TEXT, log_ticks, shorten, text_width, ticks

if TYPE_CHECKING:
    import altair

LONGEST_NAME = 120
"""Pixels of a name; of a longer one the middle goes."""

WIDE_LABEL = 28.0
"""Pixels of a number below an axis."""


class Scale(NamedTuple):
    """An axis, ``pixels`` long: its ends, and whether it is logarithmic."""

    low: float
    high: float
    is_log: bool
    pixels: float

    def place(self, value: float) -> float:
        """How many pixels from its low end ``value`` stands."""
        if self.is_log:
            return self.pixels * log(value / self.low) / log(self.high / self.low)
        return self.pixels * (value - self.low) / (self.high - self.low)

    def drawn(self, label: float) -> dict[str, Any]:
        """The scale and its axis, with room for a ``label`` of so many pixels, as arguments of an encoding."""
        import altair as alt

        values = log_ticks(self.low, self.high) if self.is_log else ticks(self.high, self.pixels, label)
        values = [value for value in values if self.pixels - self.place(value) >= label / 2]
        scale = alt.Scale(type="log" if self.is_log else "linear", domain=[self.low, self.high], nice=False)
        return {"scale": scale, "axis": alt.Axis(values=values, labelExpr=SI_LABEL)}


class Plane(NamedTuple):
    """Two axes."""

    x: Scale
    y: Scale

    def point(self, x: float, y: float) -> Point:
        """Where the two values meet, from the left and from the top."""
        return self.x.place(x), self.y.pixels - self.y.place(y)

    def encoded(self, x: tuple[str, str], y: tuple[str, str]) -> tuple[altair.X, altair.Y]:
        """Both axes, for a field each and with a title each."""
        import altair as alt

        along = alt.X(f"{x[0]}:Q", title=x[1], **self.x.drawn(WIDE_LABEL))
        return along, alt.Y(f"{y[0]}:Q", title=y[1], **self.y.drawn(SMALL))


def label_records(plane: Plane, points: Sequence[tuple[float, float]], names: Sequence[str]) -> list[Record]:
    """Where the names of points stand, as a dataset for :func:`label_marks`."""
    at = [plane.point(*point) for point in points]
    texts = [shorten(name, LONGEST_NAME) for name in names]
    widths = [text_width(text) for text in texts]
    boxes = place_labels(at, widths, SMALL * LINE, (plane.x.pixels, plane.y.pixels))
    return [_label(*each) for each in zip(at, boxes, texts, strict=True)]


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
