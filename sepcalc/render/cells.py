"""The text of one cell: for people, and for programs.

For people a number is rounded for comparison and carries its unit: ``73,728``, ``8.41×``, ``11.9 %``, ``73,728·D_F²``,
``56×56``. Counts are rounded only with ``si``. For programs a number is exact or the nearest float, without separators
and units.

Rounding is exact, half away from zero: 1.125 is 1.13. A number with an interval has two to four figures, those that
the interval leaves certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

from sepcalc.core.spec import times
from sepcalc.core.table import Cell, Column, Estimate, Kind, Row, Table, TimeUnit

Number = int | Fraction
MISSING = "—"
"""The text of a missing number: a count that depends on an open size, the size of a vector."""

LONGEST_WORDS, BAR = 40, 12
"""The most characters of a text that stays on one line (a longer one is a sentence), and those of the longest bar."""

PER_SECOND: dict[TimeUnit, int] = {"s": 1, "ms": 10**3, "µs": 10**6, "ns": 10**9}
"""The number of each unit in a second."""

_LEAST_FIGURES, _MOST_FIGURES = 2, 4
"""Significant figures of a number with an interval."""

_MARKS: dict[Kind, str] = {"reduction": "×", "share": " %"}
"""The sign after a number of each kind."""

_PREFIXES = ("", "k", "M", "G", "T")
_MOST_PLACES = 9
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Look(NamedTuple):
    """A reader's wishes for a rendering, in any format.

    ``si`` prints counts as 569 M. ``width`` is the terminal's in characters; None is as wide as needed. ``color``
    allows terminal escape codes.
    """

    si: bool = False
    width: int | None = None
    color: bool = False


def visible(text: str) -> str:
    r"""``text`` with control characters and line ends as escapes.

    >>> print(visible("conv\x1b[31m1\n"))
    conv\x1b[31m1\n
    """
    if text.isprintable():
        return text
    from unicodedata import category

    spaced = "".join(" " if category(character) == "Zs" else character for character in text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spaced)


def three_figures(value: Number) -> str:
    """``value`` to three significant figures; whole numbers above 1,000 keep all their digits.

    >>> [three_figures(Fraction(n, d)) for n, d in [(73728, 8768), (2, 1), (1234, 1), (213, 100_000), (0, 1)]]
    ['8.41', '2.00', '1,234', '0.00213', '0']
    """
    top, bottom = abs(value.numerator), value.denominator
    places = 0
    # One more place while the rounded result would still have at most three figures.
    while places < _MOST_PLACES and 2 * top * 10 ** (places + 1) < 1999 * bottom:
        places += 1
    if top and places == _MOST_PLACES:
        return f"{float(value):.2e}"
    return _fixed(value, places if top else 0)


def _fixed(value: Number, places: int) -> str:
    """``value`` with ``places`` decimals and thousands separators."""
    top, bottom = abs(value.numerator), value.denominator
    digits = (2 * top * 10**places + bottom) // (2 * bottom)
    whole, part = divmod(digits, 10**places)
    sign = "-" if value < 0 and digits else ""
    return f"{sign}{whole:,}" + (f".{part:0{places}}" if places else "")


def with_prefix(value: Number, unit: str = "") -> str:
    """``value`` to three figures with a decimal prefix; whole numbers below 1,000 stay exact.

    >>> [with_prefix(568_740_352), with_prefix(0), with_prefix(512, "B"), with_prefix(1_605_632, "B")]
    ['569 M', '0', '512 B', '1.61 MB']
    """
    power, size = 0, abs(Fraction(value))
    # 999,500 rounds to 1.00 M: 1,000 k has four figures.
    while power < len(_PREFIXES) - 1 and 2 * size >= (1999 if power else 2000) * 1000**power:
        power += 1
    if power == 0 and value.denominator == 1:
        return f"{value} {unit}".rstrip()
    return f"{three_figures(Fraction(value, 1000**power))} {_PREFIXES[power]}{unit}".rstrip()


def _amount(value: Number, si: bool) -> str:
    if si:
        return with_prefix(value)
    if value.denominator == 1:
        return f"{int(value):,}"
    return three_figures(value) if abs(Fraction(value)) < 100 else _fixed(value, 1)


def _per_position(value: Number, column: Column, si: bool) -> str:
    """``value`` times the positions of an open size: 73,728·D_F²."""
    power = "" if column.axes == 1 else str(column.axes).translate(_SUPERSCRIPT)
    return f"{_amount(value, si)}·D_F{power}" if column.axes else _amount(value, si)


def _share(value: Number) -> str:
    """A part of one in percent; 0 % and 100 % are exact.

    >>> [_share(Fraction(n, 10_000)) for n in (0, 2, 1189, 9999, 10_000)]
    ['0 %', '<0.1 %', '11.9 %', '>99.9 %', '100 %']
    """
    if value in (0, 1):
        return f"{100 * value} %"
    if 0 < value < Fraction(1, 2000):
        return "<0.1 %"
    return ">99.9 %" if Fraction(1999, 2000) <= value < 1 else f"{_fixed(Fraction(value) * 100, 1)}{_MARKS['share']}"


def _estimate(cell: Estimate, column: Column) -> str:
    """A number to its last certain figure, with its interval if the column shows that.

    >>> column = Column(key="speedup", title="Speed-up", kind="reduction", interval=True)
    >>> _estimate(Estimate(value=Fraction("3.4216"), low=Fraction("3.38"), high=Fraction("3.47")), column)
    '3.42× [3.38, 3.47]'
    """
    factor = {"share": 100, "time": PER_SECOND[column.unit]}.get(column.kind, 1)
    value, low, high = factor * cell.value, factor * cell.low, factor * cell.high
    places = _certain_places(value, (high - low) / 2)
    ends = f" [{_fixed(low, places)}, {_fixed(high, places)}]" if column.interval else ""
    return f"{_fixed(value, places)}{_MARKS.get(column.kind, '')}{ends}"


def _certain_places(value: Fraction, half: Fraction) -> int:
    """Decimals up to the first figure of ``half`` an interval, so that the number has two to four figures."""
    first = _power(value or half)
    certain = first - _power(half) + 1 if half else _MOST_FIGURES
    figures = min(max(certain, _LEAST_FIGURES), _MOST_FIGURES)
    return min(max(figures - 1 - first, 0), _MOST_PLACES)


def _power(value: Fraction) -> int:
    """The power of ten of the first figure of ``value``: 0 from 1 to 9.99."""
    top, bottom = abs(value.numerator), value.denominator
    power = len(str(top)) - len(str(bottom))
    return power if top * 10 ** max(-power, 0) >= bottom * 10 ** max(power, 0) else power - 1


def _bar(value: Number) -> str:
    """A part of one as a bar; any positive part is visible.

    >>> [_bar(Fraction(n, 1000)) for n in (0, 1, 300, 1000)]
    ['            ', '▏           ', '███▋        ', '████████████']
    """
    eighths = max(round(8 * BAR * value), 1 if value else 0)
    full, rest = divmod(eighths, 8)
    return ("█" * full + " ▏▎▍▌▋▊▉"[rest] * (rest > 0)).ljust(BAR)


_LOOKS: dict[Kind, Callable[[Number, Column, bool], str]] = {
    "text": lambda value, column, si: str(value),
    "size": lambda value, column, si: str(value),
    "count": lambda value, column, si: _amount(value, si),
    "per-position": _per_position,
    "bytes": lambda value, column, si: with_prefix(value, "B") if si else f"{_amount(value, si)} B",
    "reduction": lambda value, column, si: f"{three_figures(value)}{_MARKS['reduction']}",
    "share": lambda value, column, si: _share(value),
    "bar": lambda value, column, si: _bar(value),
    "quotient": lambda value, column, si: three_figures(value),
    "time": lambda value, column, si: three_figures(value * PER_SECOND[column.unit]),
    "rate": lambda value, column, si: with_prefix(value),
}


def human(cell: Cell, column: Column, *, si: bool = False) -> str:
    """``cell`` as people read it, on one line and free of control characters.

    >>> human(Fraction(73728, 8768), Column(key="macs_reduction", title="Reduction", kind="reduction"))
    '8.41×'
    """
    if cell is None or cell == ():
        return MISSING
    if isinstance(cell, str):
        return visible(cell)
    if isinstance(cell, tuple):
        return times(cell)
    if isinstance(cell, Estimate):
        return _estimate(cell, column)
    return _LOOKS[column.kind](cell, column, si)


def begins_section(rows: Sequence[Row], place: int) -> bool:
    """Whether a rule stands above a row: sums stand apart from other rows."""
    return place > 0 and (rows[place].role == "total") != (rows[place - 1].role == "total")


def texts(table: Table, *, si: bool = False) -> list[list[str]]:
    """The cells of ``table`` as people read them, row by row."""
    columns = table.columns
    return [[human(cell, column, si=si) for cell, column in zip(row.cells, columns, strict=True)] for row in table.rows]
