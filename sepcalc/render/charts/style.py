"""The looks of every chart.

A chart is as wide as a column of a paper, 85 mm, with type of 7 to 9 pt: lengths are in CSS pixels, 96 to the inch.
Colours are those of Okabe and Ito (*Color Universal Design*, 2008), which colour-blind readers tell apart; shapes,
dashes and words say the same without colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from math import floor
from typing import Any, TypeVar

from sepcalc.core.network import AS_WRITTEN
from sepcalc.render.charts.late import alt

POINT = 96 / 72
"""Pixels in a point of type."""

WIDTH = 85 / 25.4 * 96
"""Pixels in the column of a paper."""

MARGIN = 2.0
"""Pixels around a chart."""

INSIDE = floor(WIDTH - 2 * MARGIN) - 2
"""Pixels that a chart may use from left to right; lines on its border are drawn half outside."""

AXIS, BESIDE = 34, 98
"""Pixels left of bars and lines for the numbers of their axis, and right of them for the names of variants."""

INNER, PLANE = INSIDE - AXIS - BESIDE, INSIDE - 46
"""Pixels of bars and lines between the two, and of a plot of points, right of an axis with its title."""

APART = 11
"""Pixels from one name to the next: a line of type."""

SMALL, PLAIN, LARGE = 7 * POINT, 8 * POINT, 9 * POINT
"""Sizes of type: of numbers and notes, of names and axes, and of the title."""

LINE = 1.2
"""The height of a line of type, in sizes of that type."""

FONT = "Arial, Helvetica, Liberation Sans, sans-serif"

INK, GREY, FAINT = "#1a1a1a", "#5a5a5a", "#d9d9d9"

NAME_TEXT: dict[str, Any] = {"fontSize": PLAIN, "fontWeight": "bold", "color": INK, "baseline": "middle"}
VALUE_TEXT: dict[str, Any] = {"fontSize": SMALL, "color": INK, "baseline": "middle"}
NOTE_TEXT: dict[str, Any] = {"fontSize": SMALL, "color": GREY, "baseline": "middle"}
"""The type of words among the marks: of names, of numbers, and of notes."""

COLORS = ("#6e6e6e", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#000000", "#b8a900")
"""The reference is grey; then the palette, its yellow darkened to be seen on white."""

DASHES = ((1, 0), (6, 2), (2, 2), (8, 2, 2, 2), (4, 4), (1, 3), (10, 3), (6, 2, 2, 2, 2, 2), (3, 1))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")

SI_LABEL = "datum.value < 1e27 ? replace(format(datum.value, '~s'), /([a-zA-Zµ])$/, ' $1') : format(datum.value, '~e')"
"""The label of a count on an axis, as a Vega expression: 569 M, or 1e+30 where prefixes end."""

NUMBER_LABEL = "format(datum.value, ',~r')"
TIMES_LABEL = f"{NUMBER_LABEL} + '×'"
"""The labels of other numbers, and of factors: 8×, 0.5×."""

Look = TypeVar("Look")
Channel = TypeVar("Channel", "alt.Color", "alt.Shape", "alt.StrokeDash")


def first(looks: Sequence[Look], count: int) -> list[Look]:
    """The first ``count`` of ``looks``, which begin again after the last."""
    return list(islice(cycle(looks), count))


def colors(names: Sequence[str]) -> list[str]:
    """The colours of variants: ink for the network as written, grey for the first of the others, the reference.

    >>> colors(["as-written", "standard"]) == [INK, COLORS[0]]
    True
    """
    others = cycle(COLORS)
    return [INK if name == AS_WRITTEN else next(others) for name in names]


def look(
    channel: type[Channel], names: Sequence[str], looks: Sequence[Any], field: str = "variant", legend: Any = None
) -> Channel:
    """The encoding that gives each of ``names`` one of ``looks``, which begin again after the last."""
    return channel(f"{field}:N", legend=legend, scale=alt.Scale(domain=names, range=first(looks, len(names))))


def _words(part: str, size: float, color: str, padding: float) -> dict[str, Any]:
    return {f"{part}Font": FONT, f"{part}FontSize": size, f"{part}Color": color, f"{part}Padding": padding}


def config() -> dict[str, Any]:
    """The Vega-Lite configuration of every chart."""
    place = {"anchor": "start", "align": "left", "frame": "bounds", "offset": 6, "limit": 0}
    title = {"font": FONT, "fontSize": LARGE, "fontWeight": "bold", "color": INK, "lineHeight": LARGE * LINE}
    subtitle = _words("subtitle", SMALL, GREY, 3) | {"subtitleLineHeight": SMALL * LINE}
    words = _words("title", PLAIN, INK, 3) | _words("label", SMALL, INK, 2)
    whole = {"titleFontWeight": "normal", "titleLimit": 0, "labelLimit": 0}
    lines = {"gridColor": FAINT, "domainColor": GREY, "tickColor": GREY, "tickSize": 3}
    thin = {"gridWidth": 0.5, "domainWidth": 0.5, "tickWidth": 0.5}
    return {
        "background": "white",
        "font": FONT,
        "padding": MARGIN,
        "view": {"stroke": None},
        "title": place | title | subtitle,
        "axis": words | whole | lines | thin,
        "text": {"font": FONT},
    }
