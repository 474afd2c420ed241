"""How every chart looks, and how much room its words take.

A chart is as wide as a column of a paper, 85 mm, and its type is 7 to 9 pt at that width: lengths are in CSS
pixels, 96 to the inch. Colours are those of Okabe and Ito (*Color Universal Design*, 2008), which colour-blind
readers tell apart; shapes, dashes and words beside the marks say the same in print without colours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice, pairwise
from math import floor, log10
from typing import Any, TypeVar

from sepcalc.cells import visible

POINT = 96 / 72
"""Pixels in a point of type."""

WIDTH = 85 / 25.4 * 96
"""Pixels in the column of a paper."""

MARGIN = 2.0
"""Pixels around a chart."""

INSIDE = floor(WIDTH - 2 * MARGIN) - 2
"""Pixels that a chart may use from left to right; lines on its border are drawn half outside."""

SMALL, PLAIN, LARGE = 7 * POINT, 8 * POINT, 9 * POINT
"""Sizes of type: of what is read when it is looked for, of names and axes, and of the title."""

LINE = 1.2
"""From one line of type to the next, in sizes of that type."""

FONT = "Arial, Helvetica, Liberation Sans, sans-serif"

INK, GREY, FAINT = "#1a1a1a", "#5a5a5a", "#d9d9d9"

NAME_TEXT: dict[str, Any] = {"fontSize": PLAIN, "fontWeight": "bold", "color": INK, "baseline": "middle"}
VALUE_TEXT: dict[str, Any] = {"fontSize": SMALL, "color": INK, "baseline": "middle"}
NOTE_TEXT: dict[str, Any] = {"fontSize": SMALL, "color": GREY, "baseline": "middle"}
"""How words among the marks are set: names, numbers, and what is beside the point."""

COLORS = ("#6e6e6e", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#000000", "#b8a900")
"""The reference is grey; then the palette, its yellow darkened to be seen on white."""

WRITTEN = "as-written"
"""What a network is called as it is written, beside the variants."""

DASHES = ((1, 0), (6, 2), (2, 2), (8, 2, 2, 2), (4, 4), (1, 3), (10, 3), (6, 2, 2, 2, 2, 2), (3, 1))
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right", "triangle-left")

SI_LABEL = "datum.value < 1e27 ? replace(format(datum.value, '~s'), /([a-zA-Zµ])$/, ' $1') : format(datum.value, '~e')"
"""What stands at a tick of an axis of counts: 569 M, or 1e+30 where prefixes end."""

TIMES_LABEL = "format(datum.value, ',~r') + '×'"
"""What stands at a tick of an axis of factors: 8×, 0.5×."""

Each = TypeVar("Each")


def first(looks: Sequence[Each], count: int) -> list[Each]:
    """The first ``count`` of ``looks``, from the start again where there are not so many."""
    return list(islice(cycle(looks), count))


def colors(names: Sequence[str]) -> list[str]:
    """A colour for each variant: grey for the first, which is the reference, and ink for what is as written.

    >>> colors(["as-written", "standard"]) == [INK, COLORS[0]]
    True
    """
    others = iter(first(COLORS, len(names)))
    return [INK if name == WRITTEN else next(others) for name in names]


def config() -> dict[str, Any]:
    """The Vega-Lite configuration of every chart."""
    words = {"labelFont": FONT, "titleFont": FONT}
    return {
        "background": "white",
        "font": FONT,
        "padding": MARGIN,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "align": "left",
            "frame": "bounds",
            "font": FONT,
            "subtitleFont": FONT,
            "fontSize": LARGE,
            "fontWeight": "bold",
            "color": INK,
            "lineHeight": LARGE * LINE,
            "subtitleFontSize": SMALL,
            "subtitleColor": GREY,
            "subtitleLineHeight": SMALL * LINE,
            "subtitlePadding": 3,
            "offset": 6,
            "limit": 0,
        },
        "axis": {
            **words,
            "labelFontSize": SMALL,
            "labelColor": INK,
            "titleFontSize": PLAIN,
            "titleFontWeight": "normal",
            "titleColor": INK,
            "titlePadding": 3,
            "titleLimit": 0,
            "labelLimit": 0,
            "labelPadding": 2,
            "tickSize": 3,
            "gridColor": FAINT,
            "gridWidth": 0.5,
            "domainColor": GREY,
            "domainWidth": 0.5,
            "tickColor": GREY,
            "tickWidth": 0.5,
        },
        "text": {"font": FONT},
    }


def ticks(top: float, pixels: float, label: float = 28) -> list[float]:
    """Round numbers from 0 to ``top`` for an axis so long, each with room for a ``label`` of so many pixels.

    >>> ticks(100_000, 315)
    [0, 20000, 40000, 60000, 80000]
    """
    rough = top / max(pixels / (2 * label), 1)
    power = 10 ** floor(log10(rough)) if rough >= 1 else 1
    step = next(power * each for each in (1, 2, 5, 10) if power * each >= rough)
    last = (top - top * label / 2 / pixels) // step
    return [step * number for number in range(int(last) + 1)]


def nice(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above ``value``; 0 for 0.

    >>> nice(115_000), nice(7)
    (100000, 5)
    """
    if value < 1:
        return 0
    power: int = 10 ** (len(str(int(value))) - 1)
    return next(power * each for each in (5, 2, 1) if power * each <= value)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones for a logarithmic axis: 1, 2 and 5 of each decade, or its first alone.

    >>> log_ticks(3, 60), log_ticks(3, 60_000)
    ([5, 10, 20, 50], [10, 100, 1000, 10000])
    """
    decades = [10**power for power in range(floor(log10(low)), floor(log10(high)) + 1)]
    each = (1, 2, 5) if high < 300 * low else (1,)
    return [number for decade in decades for times in each if low <= (number := decade * times) <= high]


def spread(places: Sequence[float], gap: float, end: float) -> list[float]:
    """``places`` moved so that neighbours are at least ``gap`` apart and none lies past ``end``; they keep their order.

    >>> spread([30, 10, 11], 10, 35)
    [30, 10, 20]
    """
    order = sorted(range(len(places)), key=lambda each: places[each])
    moved = list(places)
    for before, each in pairwise(order):
        moved[each] = max(moved[each], moved[before] + gap)
    for each in reversed(order):
        moved[each] = min(moved[each], end)
        end = moved[each] - gap
    return moved


_REGULAR = {
    0.191: "'",
    0.222: "ijl",
    0.26: "|",
    0.278: " !,./:;I[]ft\\·",
    0.333: "()-r`²³",
    0.355: '"',
    0.389: "*",
    0.5: "cksvxyzJ",
    0.556: "0123456789abdeghnopquL_$#?–",
    0.584: "+<=>~×±",
    0.611: "FTZ",
    0.667: "ABEKPSVXY&",
    0.722: "CDHNRUw",
    0.778: "GOQ",
    0.833: "mM",
    0.889: "%",
    0.944: "W",
    1.0: "→—…",
}
_BOLD = {
    0.278: " ,./Iijl|\\·",
    0.333: "()-:;ft!'`[]²³",
    0.389: "r*",
    0.5: "z",
    0.556: "0123456789aceksvxyJ_$#–",
    0.584: "+<=>~×±",
    0.611: "bdghnopquFLTZ?",
    0.667: "EPSVXY",
    0.722: "ABCDHKNRU&",
    0.778: "wGOQ",
    0.833: "M",
    0.889: "m%",
    0.944: "W",
    1.0: "→—…",
}
"""Widths of Helvetica's characters in sizes of type (Adobe's font metrics), which Arial and Liberation Sans share."""

_ADVANCE = [
    {character: width for width, characters in widths.items() for character in characters}
    for widths in (_REGULAR, _BOLD)
]


def text_width(text: str, size: float = SMALL, *, bold: bool = False) -> float:
    """How many pixels ``text`` takes in type of ``size``; any other character is taken for a wide one.

    >>> round(text_width("569 M", 10), 1), round(text_width("569 M", 10, bold=True), 1)
    (27.8, 27.8)
    """
    return size * sum(_ADVANCE[bold].get(character, 1.0) for character in text)


def is_measured(text: str) -> bool:
    """Whether the widths of all characters are known."""
    return all(character in _ADVANCE[0] for character in text)


def fold(text: str, width: float = INSIDE, size: float = SMALL, *, bold: bool = False) -> list[str]:
    """``text`` in lines of at most ``width`` pixels, broken at spaces but not after a number, else within a word.

    >>> fold("products, 1 MAC = 2 FLOPs", 60)
    ['products,', '1 MAC =', '2 FLOPs']
    """
    from re import findall

    lines = [""]
    for word in findall(r"(?:\(?\d(?:\S*[^\s,;.])? )*\S+", visible(text)):
        longer = f"{lines[-1]} {word}".lstrip()
        if text_width(longer, size, bold=bold) <= width:
            lines[-1] = longer
        else:
            lines += _chopped(word, width, size)
    return [line for line in lines if line]


def _chopped(word: str, width: float, size: float) -> Iterator[str]:
    start = 0
    for stop in range(1, len(word) + 1):
        if stop > start + 1 and text_width(word[start:stop], size) > width:
            yield word[start : stop - 1]
            start = stop - 1
    yield word[start:]


def shorten(text: str, width: float, size: float = SMALL, *, bold: bool = False) -> str:
    """``text`` on one line of at most ``width`` pixels: of a name that is too long the middle goes.

    >>> shorten("features.denseblock4.denselayer16.conv2", 100)
    'features.d…er16.conv2'
    """
    text = visible(text)
    if text_width(text, size, bold=bold) <= width:
        return text
    kept = len(text) - 1
    while kept > 0 and text_width(_without_middle(text, kept), size, bold=bold) > width:
        kept -= 1
    return _without_middle(text, kept)


def _without_middle(text: str, kept: int) -> str:
    tail = (kept + 1) // 2
    return f"{text[: kept - tail]}…{text[len(text) - tail :]}"
