"""Axes: the place of a value, and round numbers where Vega's own do not serve."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import floor, log, log10
from typing import Any, Literal, NamedTuple

from sepcalc.render.charts.late import alt
from sepcalc.render.charts.style import SI_LABEL


def nice(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above ``value``; 0 for 0.

    >>> nice(115_000), nice(7)
    (100000, 5)
    """
    if value < 1:
        return 0
    power: int = 10 ** (len(str(int(value))) - 1)
    return next(power * times for times in (5, 2, 1) if power * times <= value)


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers between two positive ones for a logarithmic axis: the wider the range, the fewer in a decade.

    >>> log_ticks(3, 12), log_ticks(3, 60), log_ticks(3, 60_000)
    ([3, 5, 7, 10], [5, 10, 20, 50], [10, 100, 1000, 10000])
    """
    decades = [10**power for power in range(floor(log10(low)), floor(log10(high)) + 1)]
    factors = (1, 2, 3, 5, 7) if high < 10 * low else (1, 2, 5) if high < 300 * low else (1,)
    return [number for decade in decades for times in factors if low <= (number := decade * times) <= high]


def spread(places: Sequence[float], gap: float, end: float) -> list[float]:
    """``places`` moved so that neighbours are at least ``gap`` apart and none lies past ``end``; they keep their order.

    >>> spread([30, 10, 11], 10, 35)
    [30, 10, 20]
    """
    order = sorted(range(len(places)), key=places.__getitem__)
    moved = list(places)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + gap)
    for last in reversed(order):
        moved[last] = min(moved[last], end)
        end = moved[last] - gap
    return moved


class Scale(NamedTuple):
    """An axis of so many ``pixels``: its ends, and whether it is logarithmic."""

    low: float
    high: float
    is_log: bool
    pixels: float

    def place(self, value: float) -> float:
        """The pixels from the low end to ``value``."""
        if self.is_log:
            return self.pixels * log(value / self.low) / log(self.high / self.low)
        return self.pixels * (value - self.low) / (self.high - self.low)

    @property
    def encoded(self) -> alt.Scale:
        """The scale as a part of an encoding."""
        kind: Literal["log", "linear"] = "log" if self.is_log else "linear"
        return alt.Scale(type=kind, domain=[self.low, self.high], nice=False, padding=0)

    @property
    def ticks(self) -> dict[str, Any]:
        """The places of numbers, as arguments of Altair's axis: Vega alone gives a logarithm nine a decade."""
        return {"values": log_ticks(self.low, self.high)} if self.is_log else {"tickCount": 5, "tickMinStep": 1}


LOGARITHMIC = 10
"""A plot of points has logarithmic axes if its values differ by at least this factor."""

ROOM = 1.6
"""The factor between the outermost points and the ends of a logarithmic axis."""


def scale_of(values: Sequence[float], pixels: float, *, is_log: bool) -> Scale:
    """An axis with room around all of ``values``; from 0 unless it is logarithmic."""
    if is_log:
        return Scale(min(values) / ROOM, max(values) * ROOM, is_log, pixels)
    return Scale(0.0, 1.15 * max(values) or 1.0, is_log, pixels)


class Plane(NamedTuple):
    """Two axes."""

    x: Scale
    y: Scale

    def point(self, x: float, y: float) -> tuple[float, float]:
        """The place of two values, in pixels from the left and from the top."""
        return self.x.place(x), self.y.pixels - self.y.place(y)

    def along(self, key: str, title: str, label: str = SI_LABEL) -> alt.X:
        """The field ``key`` from left to right; ``label`` is the Vega expression of the text at a number."""
        axis = alt.Axis(**self.x.ticks, labelExpr=label, labelBound=True)
        return alt.X(f"{key}:Q", title=title, scale=self.x.encoded, axis=axis)

    def up(self, key: str, title: str, label: str = SI_LABEL) -> alt.Y:
        """The field ``key`` from below upwards."""
        axis = alt.Axis(**self.y.ticks, labelExpr=label)
        return alt.Y(f"{key}:Q", title=title, scale=self.y.encoded, axis=axis)

    def bare(self, x: str, y: str) -> tuple[alt.X, alt.Y]:
        """Both fields without axes, for marks on the axes of others."""
        return alt.X(f"{x}:Q", scale=self.x.encoded, axis=None), alt.Y(f"{y}:Q", scale=self.y.encoded, axis=None)
