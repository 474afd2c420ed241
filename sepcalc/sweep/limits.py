"""The direction of a sweep's reductions along each quantity, and their limits as one quantity grows.

Both are found in the numbers: all steps along a quantity agree on a direction, and far beyond the grid the reduction no
longer changes. A limit's formula comes from the rewrite, run on numbers that remember their names
(:mod:`sepcalc.explain.symbols`), and is printed only if it gives the limit at every point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import Any, Literal, NamedTuple

from sepcalc.explain.symbols import UNICODE, Formula, Symbol, Term, formula, write
from sepcalc.render.cells import three_figures
from sepcalc.sweep.grid import Axis, Grid, shown
from sepcalc.sweep.sweep import Block, Sweep

Count = Literal["params", "macs"]

_COUNTS: dict[Count, str] = {"macs": "MACs ", "params": "params "}
"""The word before "reduction" for each count, in sentences about one of them."""

_FAR = 10**8
"""The largest number beyond the grid: a variant can multiply it and stay below :data:`sepcalc.core.spec.LARGEST`."""

_STEP = 16
"""The far number / the near number beyond the grid."""

_SETTLED = Fraction(1, 100)
"""A reduction has a limit above 0 if its relative change from the near number to the far one is at most this."""

_EXACT = Fraction(1, 10**6)
"""A simple fraction is the limit if its relative distance is at most this."""

_MOST_NAMED = 3
"""Limits listed one by one in a sentence."""


def trend_notes(sweep: Sweep, whole: Block, beyond: Sequence[Horizon]) -> Iterator[str]:
    """A sentence for each variant: the direction of its reduction along each swept quantity, and the limit.

    Reductions of multiply-adds and of parameters have a sentence each where they differ. ``whole`` has all points of
    the sweep, ``beyond`` its :func:`horizons`.
    """
    known = {horizon.axis.key: horizon for horizon in beyond}
    for place, name in enumerate(sweep.names):
        moves = {count: _moves(sweep, whole, known, place, count) for count in _COUNTS if place != sweep.reference}
        alike = len({*moves.values()}) == 1
        for count in list(moves)[: 1 if alike else None]:
            if moves[count]:
                yield f"{name}: the {'' if alike else _COUNTS[count]}reduction {moves[count]}."


def _moves(sweep: Sweep, whole: Block, beyond: Mapping[str, Horizon], place: int, count: Count) -> str:
    """The directions and limits of a reduction, as the end of a sentence."""
    values = sweep.reductions(whole, place, count, Fraction)
    moves, fixed, inner = [], [], len(values)
    for axis in sweep.grid.axes:
        inner //= len(axis.values)
        signs = {*_signs(values, axis.values, inner)} if axis.swept and axis.is_numeric else set()
        horizon = beyond.get(axis.key)
        far = _at_points(sweep, axis, sweep.reductions(horizon.far, place, count, Fraction)) if horizon else ()
        turns = not {*map(_sign, values, far)} <= {None, 0, *signs}
        if signs == {0} and not turns:
            fixed.append(axis.key)
        elif signs:
            limit = _nearing(sweep, horizon, place, count) if horizon else ""
            way = ", but in the end nears " if turns else ", towards "
            moves.append(f"{_verb(signs)} {axis.key}{way * bool(limit)}{limit}")
    return "; ".join([*moves, *([f"does not change with {' or '.join(fixed)}"] if fixed else [])])


def _verb(signs: set[int]) -> str:
    if signs == {0}:
        return "is the same at each given"
    return f"{'grows' if signs <= {0, 1} else 'falls' if signs <= {0, -1} else 'grows and falls'} with"


def _signs(values: Sequence[Fraction | None], at: Sequence[Any], inner: int) -> Iterator[int]:
    """1, -1 or 0 for each step along an axis, whose neighbours are ``inner`` apart: ``values`` grow, fall or stay."""
    for place, sign in enumerate(map(_sign, values, values[inner:])):
        step = place // inner % len(at)
        if step < len(at) - 1 and sign is not None:
            yield sign if at[step + 1] > at[step] else -sign


def _sign(one: Fraction | None, other: Fraction | None) -> int | None:
    return None if one is None or other is None else (other > one) - (other < one)


class Horizon(NamedTuple):
    """A sweep with ``axis`` at two numbers beyond it; either block has one point for each line along the axis."""

    axis: Axis
    near: Block
    far: Block


def horizons(sweep: Sweep) -> list[Horizon]:
    """The horizon of each swept quantity that can grow without end."""
    axes = (axis for axis in sweep.grid.swept if axis.key in sweep.growing and axis.is_numeric)
    return [Horizon(axis, *(_lines(sweep, axis, _beyond(axis) // part) for part in (_STEP, 1))) for axis in axes]


def _beyond(axis: Axis) -> int:
    """A number far beyond the axis; divisors of the largest value divide it too."""
    far = int(max(axis.values))
    while far * _STEP <= _FAR:
        far *= _STEP
    return far


def _lines(sweep: Sweep, axis: Axis, value: int) -> Block:
    fixed = Axis.of(axis.key, value)
    grid = Grid(axes=tuple(fixed if other is axis else other for other in sweep.grid.axes))
    return sweep.count(grid.columns(0, len(grid)))


def limits(sweep: Sweep, beyond: Horizon, place: int, count: Count) -> list[Fraction | None]:
    """The limit of a row's reduction at each point as the quantity of ``beyond`` grows; None where there is none."""
    return _at_points(sweep, beyond.axis, _limits(sweep, beyond, place, count))


def _at_points(sweep: Sweep, axis: Axis, lines: Sequence[Fraction | None]) -> list[Fraction | None]:
    """The value of its line along ``axis``, at each point of the grid."""
    inner = prod(len(other.values) for other in sweep.grid.axes[sweep.grid.axes.index(axis) + 1 :])
    starts = range(0, len(lines), inner)
    return [value for start in starts for _ in axis.values for value in lines[start : start + inner]]


def _limits(sweep: Sweep, beyond: Horizon, place: int, count: Count) -> list[Fraction | None]:
    """The limit on each line."""
    return [*map(_limit, *(sweep.reductions(block, place, count, Fraction) for block in (beyond.near, beyond.far)))]


def _limit(near: Fraction | None, far: Fraction | None) -> Fraction | None:
    """The limit of a reduction from its values at the near number and at the far one; None where there is none."""
    if near is None or far is None:
        return None
    if abs(far - near) <= _SETTLED * far:
        # The distance from the limit is inversely proportional to the number.
        limit = far + (far - near) / (_STEP - 1)
        simple = limit.limit_denominator(1000)
        return simple if abs(simple - limit) <= _EXACT * limit else limit
    return Fraction(0) if 2 * far < near else None


def _nearing(sweep: Sweep, beyond: Horizon, place: int, count: Count) -> str:
    """The limit as a quantity grows, as the end of a sentence; "" if some line has none."""
    there = sweep.reductions(beyond.far, place, count, Fraction)
    found = {line: limit for line, limit in enumerate(_limits(sweep, beyond, place, count)) if there[line] is not None}
    known = {line: limit for line, limit in found.items() if limit is not None}
    if not known or len(known) < len(found):
        return ""
    law = _law(sweep, beyond, place, count, known)
    if law is not None and law.names & {axis.key for axis in sweep.grid.swept}:
        return f"{write(law, UNICODE)} ({_listed(sweep, law, beyond.far.values, known)})"
    least, most = min(known.values()), max(known.values())
    if least != most:
        return f"a limit from {_factor(least)} to {_factor(most)}"
    return f"{write(law, UNICODE)} = {_factor(least)}" if law and law.names else _factor(least)


def _factor(limit: Fraction) -> str:
    return f"{three_figures(limit)}×" if limit else "0"


def _listed(sweep: Sweep, law: Formula, lines: Mapping[str, Sequence[Any]], known: Mapping[int, Fraction]) -> str:
    """The limits with their points: ``9.00× at k 3, 25.0× at k 5``; of many the first and the last."""
    names = [axis.key for axis in sweep.grid.swept if axis.key in law.names]
    points = {", ".join(f"{name} {shown(lines[name][line])}" for name in names): limit for line, limit in known.items()}
    texts = [f"{_factor(limit)} at {point}" for point, limit in points.items()]
    return ", ".join(texts if len(texts) <= _MOST_NAMED else (texts[0], "…", texts[-1]))


def _law(sweep: Sweep, beyond: Horizon, place: int, count: Count, known: Mapping[int, Fraction]) -> Formula | None:
    """The formula that gives the limit on every line, from a rewrite of one; None where it has no such form."""
    lines = {key: values for key, values in beyond.far.values.items() if {*map(type, values)} == {int}}
    plain = {key: values[min(known)] for key, values in beyond.far.values.items()}
    named = plain | {key: Symbol(key, plain[key]) for key in lines}
    counters = [*sweep.counters.values()]
    counts = [formula(counters[row](**named)[count == "macs"]) for row in (sweep.reference, place)]
    above, below = (_leading(whole, beyond.axis.key) for whole in counts)
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
    leading = (term for term, power in zip(whole.terms, powers, strict=True) if power == max(powers))
    return Formula(
        tuple(Term(term.coefficient, tuple(item for item in term.powers if item[0] != name)) for term in leading)
    )
