"""The columns of measured times: what each shows of a row, and in which unit.

A number that is not to be believed is not printed as one: ``unreliable`` stands in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from statistics import median

from sepcalc.core.table import Cell, Column, Estimate, Kind, Unit
from sepcalc.measure.conditions import VARYING, Conditions
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import Bound, attainable_s, bound
from sepcalc.measure.session import Judged, Session
from sepcalc.measure.statistics import Summary
from sepcalc.render.cells import PER_SECOND

Figure = Callable[[Judged], Cell]
"""What a column shows of a row."""

_ROOF = ("bound", "roof_share", "attainable_s", "peak_macs_per_s", "peak_bytes_per_s")
"""Columns that need ceilings; where those are unknown the columns are empty, and only for those who ask."""

_FORWARD = ("macs_per_s", "intensity", *_ROOF)
"""Columns that a backward pass has not: counts are those of a forward pass."""

PROMISED_RULE = "Promised: MACs of the reference / the row's."


def time_unit(rows: Sequence[Judged]) -> Unit:
    """The unit of the middle time: the largest in which it is at least one."""
    times = [each.summary.median_s for each in rows if each.summary]
    middle = median(times) if times else 1
    return next((unit for unit, count in PER_SECOND.items() if middle * count >= 1), "ns")


_GRID: Mapping[str, tuple[str, Kind]] = {
    "dtype": ("dtype", "text"),
    "batch": ("Batch", "count"),
    "memory_format": ("Memory format", "text"),
}


def grid_columns(rows: Sequence[Judged]) -> Iterator[tuple[Column, Figure]]:
    """A column for each condition that differs between the rows."""
    for key, value in VARYING.items():
        if len({value(each.timed.conditions) for each in rows}) > 1:
            title, kind = _GRID[key]
            yield Column(key=key, title=title, kind=kind, rank=1), _condition(value)


def _condition(value: Callable[[Conditions], str | int]) -> Figure:
    return lambda row: value(row.timed.conditions)


def timing_columns(session: Session, unit: Unit, shown: Sequence[str]) -> tuple[tuple[Column, Figure], ...]:
    """The columns that every table of times has, with the figures that they show."""
    moved = "FLOP/byte: each tensor of each stage moved once."
    roof = "Bound: the ceiling of this machine that is met first. Roof: the time that it allows / the median."

    def time(key: str, title: str, rank: int, *, interval: bool = False) -> Column:
        title = f"{title} ({unit})"
        return Column(key=key, title=title, kind="time", unit=unit, rank=rank, interval=interval)

    def extra(key: str, title: str, kind: Kind = "count", rank: int = 9, rule: str = "") -> Column:
        known = bool(session.ceilings) or key not in _ROOF
        return Column(key=key, title=title, kind=kind, rank=rank, rule=rule, extra=not known or key not in shown)

    figures: list[tuple[Column, Figure]] = [
        (time("median_s", "Median", 2, interval=True), _of_summary(_median)),
        (replace(time("minimum_s", "Min", 5), extra="minimum_s" not in shown),
         _of_summary(lambda found: Fraction(found.minimum_s))),
        (Column(key="speedup", title="Speed-up", kind="reduction", rank=1, interval=True,
                rule="Speed-up: time of the reference / the row's, the median over rounds with its 95 % interval."),
         _speedup),
        (Column(key="promised", title="Promised", kind="reduction", rank=1,
                rule=PROMISED_RULE), _of_body(lambda row: row.promised)),
        (Column(key="delivered", title="Delivered", kind="share", rank=3, rule="Delivered: speed-up / promised."),
         _of_body(lambda row: row.delivered)),
        (extra("macs_per_s", "MAC/s", "rate", 6), lambda row: row.macs_per_s),
        (extra("intensity", "FLOP/byte", "quotient", 7, moved), lambda row: row.timed.intensity),
        (extra("bound", "Bound", "text", 4, roof), lambda row: bound_of(session, row)),
        (extra("roof_share", "Roof", "share", 4, roof), lambda row: roof_share(session, row)),
        (replace(time("attainable_s", "Attainable", 9), extra=True), lambda row: attainable(session, row)),
        (extra("peak_macs_per_s", "Peak MAC/s", "rate"), lambda row: _peaks(session, row)[0]),
        (extra("peak_bytes_per_s", "Peak byte/s", "rate"), lambda row: _peaks(session, row)[1]),
        (Column(key="verdict", title="Verdict", rank=2), lambda row: row.word),
        (extra("n", "Rounds"), _of_summary(lambda found: found.n)),
        (extra("inner", "Calls per sample"), _of_summary(lambda found: found.inner)),
        (extra("outliers", "Outliers"), _of_summary(lambda found: found.outliers)),
        (extra("spread", "Spread", "share", rule="Spread: median / minimum - 1."),
         _of_summary(lambda found: Fraction(found.spread))),
        (extra("ratio_of_minima", "Ratio of minima", "reduction"),
         lambda row: Fraction(row.ratio.of_minima) if row.ratio else None),
        (extra("params", "Params"), lambda row: row.timed.params),
        (extra("macs", "MACs"), lambda row: row.timed.macs if row.timed.work else None),
        (extra("traffic_bytes", "Traffic", "bytes"), lambda row: row.timed.traffic_bytes),
        (extra("reason", "Reason", "text"), lambda row: row.reason),
    ]  # fmt: skip
    backward = any(row.conditions.backward for row in session.rows)
    return tuple((column, figure) for column, figure in figures if not (backward and column.key in _FORWARD))


def _of_body(figure: Figure) -> Figure:
    """A figure that compares, which a part has not."""
    return lambda row: "" if row.timed.role == "part" else figure(row)


def _of_summary(figure: Callable[[Summary], Cell]) -> Figure:
    """A figure of the times, which are not always there."""
    return lambda row: None if row.summary is None else figure(row.summary)


def _median(found: Summary) -> Estimate:
    return Estimate.of(found.median_s, found.q1_s, found.q3_s)


def _speedup(row: Judged) -> Cell:
    if row.timed.role == "part":
        return ""
    if row.word == "unreliable":
        return row.word
    if row.ratio is None:
        return Fraction(1) if row.summary else None
    return Estimate.of(row.ratio.value, row.ratio.low, row.ratio.high)


def _ceilings(session: Session, row: Judged) -> Ceilings | None:
    return session.ceilings.get(row.timed.conditions.dtype)


def _peaks(session: Session, row: Judged) -> tuple[Cell, Cell]:
    """The ceilings of the machine for a row: multiply-adds and bytes per second."""
    ceilings = _ceilings(session, row)
    return (None, None) if ceilings is None else (Fraction(ceilings.flop_per_s) / 2, Fraction(ceilings.bytes_per_s))


def bound_of(session: Session, row: Judged) -> Bound | None:
    """What bounds a row on this machine; None where that is unknown."""
    ceilings = _ceilings(session, row)
    return ceilings and bound(row.timed.work, ceilings)


def attainable(session: Session, row: Judged) -> Fraction | None:
    """The seconds that the machine's ceilings allow the stages of a row; None where those are unknown."""
    ceilings = _ceilings(session, row)
    least = ceilings and attainable_s(row.timed.work, ceilings)
    return Fraction(least) if least else None


def roof_share(session: Session, row: Judged) -> Fraction | None:
    """The time that the machine's ceilings allow / the median; above 1 where data came from a cache."""
    least = attainable(session, row)
    return least / Fraction(row.summary.median_s) if least and row.summary else None
