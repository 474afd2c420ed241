"""The quantities of a sweep: values, lists and ranges, and the grid of all their points.

A range includes both ends: ``32:128:32`` is 32, 64, 96, 128; ``32:256:x2`` is 32, 64, 128, 256; ``1:4`` is 1, 2, 3, 4.
Commas join values and ranges; a repeated value counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, repeat
from math import prod
from typing import Any, TypeVar

from sepcalc.core.errors import SepcalcError
from sepcalc.core.spec import times

MOST_VALUES = 1_000_000
"""Values of one quantity."""

MOST_POINTS = 100_000_000
"""Points of a grid."""

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A quantity called ``key``, and its ``values`` in the order of the points; several values are swept."""

    key: str
    values: tuple[Any, ...]

    @classmethod
    def of(cls, key: str, values: Any) -> Axis:
        """An axis of one value, or of a list or a range without its repetitions.

        If any value has one length per axis of the map, a single number stands for all axes.

        >>> Axis.of("k", [3, (3, 1), (3, 3)]).values
        ((3, 3), (3, 1))
        """
        if not isinstance(values, (list, range)):
            return cls(key=key, values=(values,))
        counts = {len(value) for value in values if isinstance(value, tuple)}
        axes = counts.pop() if len(counts) == 1 else 0
        lengths = ((value,) * axes if axes and isinstance(value, int) else value for value in values)
        return cls(key=key, values=tuple(dict.fromkeys(lengths)))

    @property
    def swept(self) -> bool:
        """Whether there is more than one value."""
        return len(self.values) > 1

    @property
    def is_numeric(self) -> bool:
        """Whether every value is one number."""
        return all(isinstance(value, (int, Fraction)) for value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Every combination of the values of ``axes``, one point each; the last axis changes fastest.

    Raises :class:`SepcalcError` for more than :data:`MOST_POINTS`.

    >>> grid = Grid(axes=(Axis(key="c_out", values=(32, 64)), Axis(key="k", values=(3, 5, 7))))
    >>> len(grid), grid.columns(2, 5)
    (6, {'c_out': [32, 64, 64], 'k': [7, 3, 5]})
    """

    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        if len(self) > MOST_POINTS:
            sizes = " × ".join(f"{len(axis.values):,} of {axis.key}" for axis in self.swept)
            fact = f"the grid has {len(self):,} points ({sizes}), more than {MOST_POINTS:,}"
            raise SepcalcError(f"{fact}; give fewer values")

    def __len__(self) -> int:
        return prod(len(axis.values) for axis in self.axes)

    @property
    def swept(self) -> tuple[Axis, ...]:
        """The axes with more than one value."""
        return tuple(axis for axis in self.axes if axis.swept)

    def columns(self, start: int, stop: int) -> dict[str, list[Any]]:
        """The values of each axis at the points from ``start`` up to ``stop``, by key."""
        columns, inner = {}, len(self)
        for axis in self.axes:
            inner //= len(axis.values)
            columns[axis.key] = _stretch(axis.values, inner, start, stop)
        return columns


def _stretch(values: tuple[Any, ...], inner: int, start: int, stop: int) -> list[Any]:
    """``values``, each ``inner`` times, over and over: the part from ``start`` up to ``stop``."""
    first, count = start // inner, len(values)
    runs = (repeat(values[place % count], inner) for place in range(first, -(-stop // inner)))
    skipped = start - first * inner
    return [*chain.from_iterable(runs)][skipped : skipped + stop - start]


def shown(value: Any) -> str:
    """A value as people write it.

    >>> shown(1024), shown((3, 1)), shown(Fraction(1, 4)), shown("min")
    ('1,024', '3×1', '0.25', 'min')
    """
    if isinstance(value, tuple):
        return times(value)
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{float(value):g}"


def parse_values(text: str, read: Callable[[str], Read]) -> list[Read]:
    """Values, lists and ranges as described above; ``read`` reads one value.

    Raises :class:`SepcalcError` where ``read`` does, for an empty or endless range, and for more than
    :data:`MOST_VALUES`.

    >>> parse_values("32:256:x2, 48", int), parse_values("3:9:2", int), parse_values("0.25:1:0.25", Fraction)[1:3]
    ([32, 64, 128, 256, 48], [3, 5, 7, 9], [Fraction(1, 2), Fraction(3, 4)])
    """
    found: dict[Read, None] = {}
    for item in text.split(","):
        for value in _item(item.strip(), read):
            found[value] = None
            if len(found) > MOST_VALUES:
                raise SepcalcError(f"'{text}' has more than {MOST_VALUES:,} values; give a larger step")
    return [*found]


def _item(item: str, read: Callable[[str], Any]) -> Iterator[Any]:
    """The values of one item of a list: a value or a range."""
    ends = item.split(":")
    if len(ends) == 1:
        yield _read(item, read)
        return
    if len(ends) > 3:
        raise SepcalcError(f"'{item}' has {len(ends)} parts; a range is first:last, first:last:step or first:last:x2")
    first, last = (_read(text, read) for text in ends[:2])
    if not isinstance(first, (int, Fraction)) or not isinstance(last, (int, Fraction)):
        raise SepcalcError(f"the range '{item}' is not between two numbers; give a list like 3x1,5x1")
    if first > last:
        raise SepcalcError(f"the range '{item}' is empty; give the smaller end first")
    text = ends[2] if len(ends) == 3 else "1"
    step, grows = _step(item, text, read), text.startswith("x")
    while first <= last:
        yield first
        first = first * step if grows else first + step


def _read(text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except SepcalcError as error:
        raise SepcalcError(f"{error}; a list is like 3,5,7 and a range like 32:1024:x2") from None


def _step(item: str, text: str, read: Callable[[str], Any]) -> int | Fraction:
    step = _read(text.removeprefix("x"), read)
    if not isinstance(step, (int, Fraction)) or (text.startswith("x") and step <= 1):
        raise SepcalcError(f"the range '{item}' has no such step as {text}; give a number, or a factor above 1 like x2")
    return step
