"""The widths of texts, and texts that fit a width.

Widths are those of Helvetica's characters (Adobe's font metrics), which Arial and Liberation Sans share.
"""

from __future__ import annotations

from collections.abc import Iterator

from sepcalc.render.cells import visible
from sepcalc.render.charts.style import INSIDE, SMALL

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
"""The characters of each width, in sizes of type."""

_ADVANCE = [
    {character: width for width, characters in widths.items() for character in characters}
    for widths in (_REGULAR, _BOLD)
]


def text_width(text: str, size: float = SMALL, *, bold: bool = False) -> float:
    """The width of ``text`` in pixels, in type of ``size``; an unknown character counts as wide.

    >>> round(text_width("569 M", 10), 1), round(text_width("569 M", 10, bold=True), 1)
    (27.8, 27.8)
    """
    return size * sum(_ADVANCE[bold].get(character, 1.0) for character in text)


def is_measured(text: str) -> bool:
    """Whether the widths of all characters are known."""
    return all(character in _ADVANCE[0] for character in text)


def fold(text: str, width: float = INSIDE, size: float = SMALL, *, bold: bool = False) -> list[str]:
    """``text`` in lines of at most ``width`` pixels, broken at spaces but not after a number; longer words are cut.

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
            lines += _chopped(word, width, size, bold=bold)
    return [line for line in lines if line]


def _chopped(word: str, width: float, size: float, *, bold: bool) -> Iterator[str]:
    start = 0
    for stop in range(1, len(word) + 1):
        if stop > start + 1 and text_width(word[start:stop], size, bold=bold) > width:
            yield word[start : stop - 1]
            start = stop - 1
    yield word[start:]


def shorten(text: str, width: float, size: float = SMALL, *, bold: bool = False) -> str:
    """``text`` on one line of at most ``width`` pixels; a longer one loses its middle.

    >>> shorten("features.denseblock4.denselayer16.conv2", 100)
    'features.d…er16.conv2'
    """
    text = visible(text)
    if text_width(text, size, bold=bold) <= width:
        return text
    lengths = range(len(text) - 1, 0, -1)
    shorter = (f"{text[: length // 2]}…{text[len(text) - (length + 1) // 2 :]}" for length in lengths)
    return next((line for line in shorter if text_width(line, size, bold=bold) <= width), "…")
