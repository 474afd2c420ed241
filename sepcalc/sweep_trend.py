"""How the reductions of a sweep move along each of its quantities, and what they near as one of them grows.

Both are found in the numbers. A direction is what every step along a quantity agrees on. A limit is looked up far
beyond the grid: where the reduction no longer changes there, it is what the reduction nears. Its formula comes from
the rewrite itself, run on numbers that remember their names (:mod:`sepcalc.symbols`), and is said only where it
gives every one of those numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

from sepcalc.cells import three_figures
from sepcalc.sweep import Block, Sweep
from sepcalc.sweep_axes import Axis, Grid, shown
from sepcalc.symbols import UNICODE, Formula, Symbol, Term, formula, write

Count = Literal["params", "macs"]

_COUNTS: dict[Count, str] = {"macs": "MACs ", "params": "params "}
"""What a sentence calls the reduction of each count, where they differ."""

_FAR = 10**8
"""No number that is looked up beyond the grid is larger, so that what a rewrite makes of it is still believed."""

_STEP = 16
"""How much nearer the number is that it is compared with."""

_SETTLED = Fraction(1, 1000)
"""A reduction that changes by a smaller part from one of them to the other has come to its limit."""

_MOST_NAMED = 3
"""Limits that a sentence lists one by one."""


def trend_notes(sweep: Sweep, whole: Block) -> Iterator[str]:
    """A sentence for each variant: how its reduction moves along each swept quantity, and what it nears.

    ``whole`` has all points of the sweep.
    """
    for place, name in enumerate(sweep.names):
        moves = {count: _moves(sweep, whole, place, count) for count in _COUNTS if place != sweep.reference}
        alike = len({*moves.values()}) == 1
        told = [f"the {'' if alike else _COUNTS[count]}reduction {move}" for count, move in moves.items() if move]
        if told:
            yield f"{name}: {'; '.join(told[: 1 if alike else None])}."


def _moves(sweep: Sweep, whole: Block, place: int, count: Count) -> str:
    """What the reduction does along each quantity, as the end of a sentence."""
    values = sweep.reductions(whole, place, count, Fraction)
    moves, fixed, inner = [], [], len(values)
    for axis in sweep.grid.axes:
        inner //= len(axis.values)
        signs = {*_signs(values, axis.values, inner)} if axis.swept and axis.is_ordered else set()
        if signs == {0}:
            fixed.append(axis.key)
        elif signs:
            word = "grows" if signs <= {0, 1} else "falls" if signs <= {0, -1} else "grows and falls"
            moves.append(f"{word} with {axis.key}{_nearing(sweep, axis, place, count)}")
    return joined([*moves, *([f"does not depend on {joined(fixed)}"] if fixed else [])])


def joined(texts: Sequence[str]) -> str:
    """``texts`` as a list in a sentence.

    >>> joined(["c_in", "k", "size"])
    'c_in, k and size'
    """
    return " and ".join(filter(None, (", ".join(texts[:-1]), *texts[-1:])))


def _signs(values: Sequence[Fraction | None], at: Sequence[Any], inner: int) -> Iterator[int]:
    """1 for each step along an axis on which ``values`` grow, -1 where they fall, 0 where they stay.

    ``at`` are the values of the axis, and neighbours on it stand ``inner`` places apart.
    """
    for place, (one, other) in enumerate(zip(values, values[inner:], strict=False)):
        step = place // inner % len(at)
        if step < len(at) - 1 and one is not None and other is not None:
            up = (other > one) - (other < one)
            yield up if at[step + 1] > at[step] else -up


def limits(sweep: Sweep, axis: Axis, place: int, count: Count) -> list[Fraction | None]:
    """What the reduction of a row nears at each point of the grid, as the quantity of ``axis`` grows beyond it.

    None where it nears nothing, or nothing is known so far out. All points of a line along the axis have the same.
    """
    lines, inner = _limits(sweep, axis, place, count), 1
    for each in reversed(sweep.grid.axes):
        if each is axis:
            break
        inner *= len(each.values)
    starts = range(0, len(lines), inner)
    return [limit for start in starts for _ in axis.values for limit in lines[start : start + inner]]


def _limits(sweep: Sweep, axis: Axis, place: int, count: Count) -> list[Fraction | None]:
    """The limit on each line along ``axis``."""
    far = _beyond(axis)
    near, there = (_out_there(sweep, axis, value, place, count) for value in (far // _STEP, far))
    return [*map(_limit, near, there)]


def _beyond(axis: Axis) -> int:
    """A number far beyond the axis, which whatever divides its last value divides too."""
    far = max(axis.values)
    while far * _STEP <= _FAR:
        far *= _STEP
    return int(far)


def _out_there(sweep: Sweep, axis: Axis, value: int, place: int, count: Count) -> Sequence[Fraction | None]:
    """The reduction on each line along ``axis``, where its quantity has this value."""
    return sweep.reductions(sweep.count(_lines(sweep, axis, value)), place, count, Fraction)


def _lines(sweep: Sweep, axis: Axis, value: int) -> dict[str, list[Any]]:
    """The value of each quantity on each line along ``axis``, which has this one."""
    axes = tuple(Axis(key=axis.key, values=(value,)) if each is axis else each for each in sweep.grid.axes)
    grid = Grid(axes=axes)
    return grid.columns(0, len(grid))


def _limit(near: Fraction | None, far: Fraction | None) -> Fraction | None:
    """What a reduction nears that is ``near`` at one number and ``far`` at a much larger one."""
    if near is None or far is None:
        return None
    if abs(far - near) <= _SETTLED * far:
        simple = far.limit_denominator(1000)
        return simple if abs(simple - far) <= _SETTLED**2 * far else far
    return Fraction(0) if 2 * far < near else None


def _nearing(sweep: Sweep, axis: Axis, place: int, count: Count) -> str:
    """What the reduction nears as the quantity of ``axis`` grows, as the end of a sentence."""
    if axis.key not in sweep.growing or not axis.is_numeric:
        return ""
    lines = _lines(sweep, axis, _beyond(axis))
    found = _limits(sweep, axis, place, count)
    known = [limit for limit in found if limit is not None]
    if not known or len(known) < len(found):
        return ""
    law = _law(sweep, axis, place, count, lines, known)
    if len({*known}) == 1:
        return f", towards {_equal(law, known[0])}"
    if law is None:
        return f", towards a limit from {_factor(min(known))} to {_factor(max(known))}"
    return f", towards {write(law, UNICODE)} ({_listed(sweep, law, lines, known)})"


def _equal(law: Formula | None, limit: Fraction) -> str:
    return f"{write(law, UNICODE)} = {_factor(limit)}" if law and law.names else _factor(limit)


def _factor(limit: Fraction) -> str:
    return f"{three_figures(limit)}×" if limit else "0"


def _listed(sweep: Sweep, law: Formula, lines: Mapping[str, Sequence[Any]], known: Sequence[Fraction]) -> str:
    """Each limit and where it is: ``9.00× at k 3, 25.0× at k 5``; of many the first and the last."""
    names = [axis.key for axis in sweep.grid.swept if axis.key in law.names]
    each = {
        ", ".join(f"{name} {shown(lines[name][line])}" for name in names): limit for line, limit in enumerate(known)
    }
    texts = [f"{_factor(limit)} at {where}" for where, limit in each.items()]
    return ", ".join(texts if len(texts) <= _MOST_NAMED else (texts[0], "…", texts[-1]))


def _law(
    sweep: Sweep, axis: Axis, place: int, count: Count, lines: Mapping[str, Sequence[Any]], limits: Sequence[Fraction]
) -> Formula | None:
    """The formula that gives the limit on every line, from a rewrite of the first; None where it has no such form."""
    first = {key: values[0] for key, values in lines.items()}
    named = {key: Symbol(key, value) if type(value) is int else value for key, value in first.items()}
    counters = [*sweep.counters.values()]
    above, below = (
        _leading(formula(counter(**named)[count == "macs"]), axis.key)
        for counter in (counters[sweep.reference], counters[place])
    )
    law = above.over(below)
    if law is None or not law.names <= {key for key, value in first.items() if type(value) is int}:
        return None
    each = (
        law.at({key: values[line] for key, values in lines.items() if key in law.names}) for line in range(len(limits))
    )
    return law if all(value == limit for value, limit in zip(each, limits, strict=True)) else None


def _leading(whole: Formula, name: str) -> Formula:
    """What stands at the highest power of ``name``.

    >>> n, k = Symbol("n", 8), Symbol("k", 3)
    >>> write(_leading(formula(k * n * n + k * k * n * n + n * 7), "n"), UNICODE)
    'k + k²'
    """
    powers = [dict(term.powers).get(name, 0) for term in whole.terms]
    return Formula(
        tuple(
            Term(term.coefficient, tuple(each for each in term.powers if each[0] != name))
            for term, power in zip(whole.terms, powers, strict=True)
            if power == max(powers)
        )
    )
