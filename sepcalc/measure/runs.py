"""Several measurements side by side: other runs, other machines, other versions.

What was timed in one run was not timed in turns with what was timed in another, so their ratio has no interval. What
can be held against each other are the speed-ups, each found within its own run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from sepcalc.core.table import Cell, Column, Row, Table
from sepcalc.measure.columns import grid_columns, time_unit, timing_columns
from sepcalc.measure.conditions import VARYING
from sepcalc.measure.session import Judged, Session, judged
from sepcalc.measure.tables import cautions, circumstances

_SHOWN = ("median_s", "speedup", "promised", "delivered", "verdict", "reason")

_TIMED = Column(key="timed", title="Timed")
_RUN = Column(key="run", title="Run", rank=1)
_AGAINST_FIRST = Column(
    key="against_first",
    title="Against first",
    kind="reduction",
    rank=3,
    rule="Against first: median in the first run / in this one; not taken in turns, so without an interval.",
)


class _Line(NamedTuple):
    """A row, the name of its run, and the same row of the first run that has it."""

    run: str
    row: Judged
    first: Judged


def runs_table(sessions: Mapping[str, Session]) -> Table:
    """A row for each thing that was timed and each of the named runs in which it was, one below the other."""
    lines = list(_lines(sessions))
    rows = [each.row for each in lines]
    times = timing_columns(next(iter(sessions.values())), time_unit(rows), ())
    figures = (*grid_columns(rows), *((column, figure) for column, figure in times if column.key in _SHOWN))
    return Table(
        name="runs",
        title=f"{len(sessions)} runs side by side",
        columns=(_TIMED, _RUN, *(column for column, _ in figures), _AGAINST_FIRST),
        rows=tuple(
            Row(cells=(each.row.label, each.run, *(figure(each.row) for _, figure in figures), _against_first(each)))
            for each in lines
        ),
        caption="Time per call: median [quartiles].",
        notes=tuple(_notes(sessions)),
    )


def _notes(sessions: Mapping[str, Session]) -> Iterator[str]:
    """How each run was measured, and what a reader has to know of its rows."""
    for name, session in sessions.items():
        yield f"{name}: {session.title}, {', '.join(circumstances(session))}."
        yield from (f"{name}: {note}" for note in cautions(session, judged(session)))


def _against_first(line: _Line) -> Cell:
    first, mine = line.first.summary, line.row.summary
    return Fraction(first.median_s) / Fraction(mine.median_s) if first and mine else None


def _lines(sessions: Mapping[str, Session]) -> Iterator[_Line]:
    """The rows of all runs, those of the same thing together; device, threads and cache are what runs differ in."""
    found: dict[tuple[object, ...], list[tuple[str, Judged]]] = {}
    for run, session in sessions.items():
        for row in judged(session):
            timed = row.timed
            conditions = (value(timed.conditions) for value in VARYING.values())
            key = session.title, timed.group, timed.of, timed.name, *conditions
            found.setdefault(key, []).append((run, row))
    for same in found.values():
        yield from (_Line(run, row, same[0][1]) for run, row in same)
