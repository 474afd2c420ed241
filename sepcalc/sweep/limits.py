"""The direction of a sweep's reductions along each quantity, and their limits as one quantity grows.

Both are found in the numbers. A direction is one on which all steps along a quantity agree. A limit is the value far
beyond the grid, where the reduction no longer changes. Its formula comes from the rewrite, run on numbers that remember
their names (:mod:`sepcalc.explain.symbols`), and is printed only if it gives every one of those numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from sepcalc.explain.symbols import UNICODE, Formula, Symbol, Term, formula, write
from sepcalc.render.cells import three_figures
from sepcalc.sweep.grid import Axis, Grid, shown
from sepcalc.sweep.sweep import Block, Sweep

Count = Literal["params", "macs"]

_COUNTS: dict[Count, str] = {"macs": "MACs ", "params": "params "}
"""What a sentence calls the reduction of each count, where they differ."""

_FAR = 10**8
"""No number that is looked up beyond the grid is larger, so that what a rewrite makes of it is still believed."""

_STEP = 16
"""How much nearer the number is that it is compared with."""

_SETTLED = Fraction(1, 100)
"""A reduction that changes by a smaller part from one of them to the other is about to come to its limit."""

_EXACT = Fraction(1, 10**6)
"""A simple fraction that is nearer to the limit than this part of it is the limit."""

_MOST_NAMED = 3
"""Limits that a sentence lists one by one."""


def trend_notes(sweep: Sweep, whole: Block, beyond: Sequence[Horizon]) -> Iterator[str]:
    """A sentence for each variant: the direction of its reduction along each swept quantity, and the limit.

    Reductions of multiply-adds and of parameters have a sentence each where they differ. ``whole`` has all points of
    the sweep, ``beyond`` its :func:`horizons`.
    """
    known = {each.axis.key: each for each in beyond}
    for place, name in enumerate(sweep.names):
        moves = {count: _moves(sweep, whole, known, place, count) for count in _COUNTS if place != sweep.reference}
        alike = len({*moves.values()}) == 1
        for count in list(moves)[: 1 if alike else None]:
            if moves[count]:
                yield f"{name}: the {'' if alike else _COUNTS[count]}reduction {moves[count]}."


def _moves(sweep: Sweep, whole: Block, beyond: Mapping[str, Horizon], place: int, count: Count) -> str:
    """What the reduction does along each quantity, as the end of a sentence."""
    values = sweep.reductions(whole, place, count, Fraction)
    moves, fixed, inner = [], [], len(values)
    for axis in sweep.grid.axes:
        inner //= len(axis.values)
        signs = {*_signs(values, axis.values, inner)} if axis.swept and axis.is_numeric else set()
        horizon = beyond.get(axis.key)
        turns = horizon is not None and not {*_signs_beyond(sweep, horizon, place, count, values)} <= {0, *signs}
        if signs == {0} and not turns:
            fixed.append(axis.key)
        elif signs:
            limit = _nearing(sweep, horizon, place, count) if horizon else ""
            way = ", but in the end nears " if turns else ", towards "
            moves.append(f"{_verb(signs)} {axis.key}{way * bool(limit)}{limit}")
    return "; ".join([*moves, *([f"does not change with {' or '.join(fixed)}"] if fixed else [])])


def _verb(signs: set[int]) -> str:
    """What a reduction does whose steps along a quantity have these ``signs``."""
    if signs == {0}:
        return "is the same at each given"
    return f"{'grows' if signs <= {0, 1} else 'falls' if signs <= {0, -1} else 'grows and falls'} with"


def _signs(values: Sequence[Fraction | None], at: Sequence[Any], inner: int) -> Iterator[int]:
    """1, -1 or 0 for each step along an axis, whose neighbours are ``inner`` apart: ``values`` grow, fall or stay."""
    for place, (one, other) in enumerate(zip(values, values[inner:], strict=False)):
        step = place // inner % len(at)
        if step < len(at) - 1 and one is not None and other is not None:
            up = _sign(one, other)
            yield up if at[step + 1] > at[step] else -up


def _sign(one: Fraction, other: Fraction) -> int:
    return (other > one) - (other < one)


def _signs_beyond(
    sweep: Sweep, beyond: Horizon, place: int, count: Count, values: Sequence[Fraction | None]
) -> Iterator[int]:
    """The sign of the step from each of ``values`` on the grid to the one far beyond it."""
    far = _at_points(sweep, beyond.axis, sweep.reductions(beyond.far, place, count, Fraction))
    for one, other in zip(values, far, strict=True):
        if one is not None and other is not None:
            yield _sign(one, other)


class Horizon(NamedTuple):
    """The lines of a sweep along ``axis``, at two numbers beyond it: one point for each line in either block."""

    axis: Axis
    near: Block
    far: Block


def horizons(sweep: Sweep) -> list[Horizon]:
    """What is beyond each swept quantity that can grow without end."""
    axes = (axis for axis in sweep.grid.swept if axis.key in sweep.growing and axis.is_numeric)
    return [Horizon(axis, *(_lines(sweep, axis, _beyond(axis) // part) for part in (_STEP, 1))) for axis in axes]


def _beyond(axis: Axis) -> int:
    """A number far beyond the axis, which whatever divides its last value divides too."""
    far = int(max(axis.values))
    while far * _STEP <= _FAR:
        far *= _STEP
    return far


def _lines(sweep: Sweep, axis: Axis, value: int) -> Block:
    """The lines along ``axis``, at this value of it."""
    grid = Grid(axes=tuple(Axis.of(axis.key, value) if each is axis else each for each in sweep.grid.axes))
    return sweep.count(grid.columns(0, len(grid)))


def limits(sweep: Sweep, beyond: Horizon, place: int, count: Count) -> list[Fraction | None]:
    """The limit of a row's reduction at each point as the quantity of ``beyond`` grows; None where there is none."""
    return _at_points(sweep, beyond.axis, _limits(sweep, beyond, place, count))


def _at_points(sweep: Sweep, axis: Axis, lines: Sequence[Fraction | None]) -> list[Fraction | None]:
    """What each line along ``axis`` has, at each point of the grid."""
    inner = 1
    for each in reversed(sweep.grid.axes):
        if each is axis:
            break
        inner *= len(each.values)
    starts = range(0, len(lines), inner)
    return [value for start in starts for _ in axis.values for value in lines[start : start + inner]]


def _limits(sweep: Sweep, beyond: Horizon, place: int, count: Count) -> list[Fraction | None]:
    """The limit on each line."""
    return [*map(_limit, *(sweep.reductions(block, place, count, Fraction) for block in (beyond.near, beyond.far)))]


def _limit(near: Fraction | None, far: Fraction | None) -> Fraction | None:
    """What a reduction nears that is ``near`` at one number and ``far`` at one that is :data:`_STEP` times as large."""
    if near is None or far is None:
        return None
    if abs(far - near) <= _SETTLED * far:
        # What is still missing falls with the number, so the last step tells how much that is.
        limit = far + (far - near) / (_STEP - 1)
        simple = limit.limit_denominator(1000)
        return simple if abs(simple - limit) <= _EXACT * limit else limit
    return Fraction(0) if 2 * far < near else None


def _nearing(sweep: Sweep, beyond: Horizon, place: int, count: Count) -> str:
    """What the reduction nears as a quantity grows, as the end of a sentence; "" where it is not known of all."""
    there = sweep.reductions(beyond.far, place, count, Fraction)
    found = {line: limit for line, limit in enumerate(_limits(sweep, beyond, place, count)) if there[line] is not None}
    known = {line: limit for line, limit in found.items() if limit is not None}
    if not known or len(known) < len(found):
        return ""
    law = _law(sweep, beyond, place, count, known)
    if law is not None and law.names & {axis.key for axis in sweep.grid.swept}:
        return f"{write(law, UNICODE)} ({_listed(sweep, law, beyond.far.values, known)})"
    least, most = min(known.values()), max(known.values())
    if least == most:
        return _equal(law, least)
    return f"a limit from {_factor(least)} to {_factor(most)}"


def _equal(law: Formula | None, limit: Fraction) -> str:
    return f"{write(law, UNICODE)} = {_factor(limit)}" if law and law.names else _factor(limit)


def _factor(limit: Fraction) -> str:
    return f"{three_figures(limit)}×" if limit else "0"


def _listed(sweep: Sweep, law: Formula, lines: Mapping[str, Sequence[Any]], known: Mapping[int, Fraction]) -> str:
    """Each limit and where it is: ``9.00× at k 3, 25.0× at k 5``; of many the first and the last."""
    names = [axis.key for axis in sweep.grid.swept if axis.key in law.names]
    each = {", ".join(f"{name} {shown(lines[name][line])}" for name in names): limit for line, limit in known.items()}
    texts = [f"{_factor(limit)} at {where}" for where, limit in each.items()]
    return ", ".join(texts if len(texts) <= _MOST_NAMED else (texts[0], "…", texts[-1]))


def _law(sweep: Sweep, beyond: Horizon, place: int, count: Count, known: Mapping[int, Fraction]) -> Formula | None:
    """The formula that gives the limit on every line, from a rewrite of one; None where it has no such form."""
    lines = {key: values for key, values in beyond.far.values.items() if {*map(type, values)} == {int}}
    plain = {key: values[min(known)] for key, values in beyond.far.values.items()}
    named = plain | {key: Symbol(key, plain[key]) for key in lines}
    counters = [*sweep.counters.values()]
    above, below = (
        _leading(formula(counter(**named)[count == "macs"]), beyond.axis.key)
        for counter in (counters[sweep.reference], counters[place])
    )
    law = above.over(below)
    if law is None:
        return None
    fits = (law.at({key: lines[key][line] for key in law.names}) == limit for line, limit in known.items())
    return law if all(fits) else None


def _leading(whole: Formula, name: str) -> Formula:
    """The coefficient of the highest power of ``name``.

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
