"""What a chart shows once it is drawn: its texts, each with the room that it takes."""

from collections.abc import Iterator, Mapping, Sequence
from json import dumps
from typing import Any, NamedTuple

import vl_convert

from sepcalc.render.charts.chart import Chart
from sepcalc.render.charts.labels import Box
from sepcalc.render.charts.text import text_width


class Word(NamedTuple):
    """A line of text and its box, in pixels from the corner of the picture."""

    text: str
    box: Box


class Drawing(NamedTuple):
    """A picture: its size and its texts."""

    width: float
    height: float
    words: Sequence[Word]

    def clipped(self) -> list[str]:
        """Texts that stand over the border."""
        return [
            word.text
            for word in self.words
            if word.box.left < -1
            or word.box.top < -1
            or word.box.right > self.width + 1
            or word.box.bottom > self.height + 1
        ]

    def overlapping(self) -> list[tuple[str, str]]:
        """Pairs of texts that lie on each other."""
        pairs = ((one, other) for place, one in enumerate(self.words) for other in self.words[:place])
        return [(one.text, other.text) for one, other in pairs if one.box.overlap(other.box) > 1]


def drawing(chart: Chart) -> Drawing:
    """What a viewer sees of ``chart``."""
    scene = vl_convert.vegalite_to_scenegraph(dumps(dict(chart.spec)))
    return Drawing(scene["width"], scene["height"], list(_words(scene["scenegraph"], *scene["origin"])))


def _words(mark: Mapping[str, Any], x: float, y: float) -> Iterator[Word]:
    for item in mark.get("items", ()):
        across, down = x + item.get("x", 0), y + item.get("y", 0)
        if mark["marktype"] == "group":
            for inner in item.get("items", ()):
                yield from _words(inner, across, down)
        elif mark["marktype"] == "text":
            yield from _lines(item, across, down)


def _lines(item: Mapping[str, Any], x: float, y: float) -> Iterator[Word]:
    text, size = item.get("text", ""), item["fontSize"]
    for number, line in enumerate(text if isinstance(text, list) else [text]):
        width = text_width(str(line), size, bold=item.get("fontWeight") == "bold")
        left = item.get("dx", 0) - {"left": 0, "center": width / 2, "right": width}[item.get("align", "left")]
        drop = {"top": 0, "middle": size / 2, "line-top": 0}.get(item.get("baseline", "alphabetic"), 0.72 * size)
        top = item.get("dy", 0) + number * item.get("lineHeight", size) - drop
        # The lower tenth of a line holds the tails of a few letters; two lines may share it.
        right, bottom = left + width, top + 0.72 * size
        if item.get("angle") in (-90, 270):
            left, top, right, bottom = top, -right, bottom, -left
        if line and item.get("opacity", 1) > 0:  # Vega hides what has no room
            yield Word(str(line), Box(x + left, y + top, x + right, y + bottom))
