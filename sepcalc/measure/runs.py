"""Several measurements side by side: other runs, other machines, other versions.

Candidates of two runs did not take turns, so the ratio of their times has no interval. Their speed-ups, each found
within its own run, can be compared.
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
    """A row for each candidate in each of the named runs; those of the same candidate stand together."""
    lines = list(_lines(sessions))
    rows = [line.row for line in lines]
    times = timing_columns(next(iter(sessions.values())), time_unit(rows), ())
    figures = (*grid_columns(rows), *((column, figure) for column, figure in times if column.key in _SHOWN))
    return Table(
        name="runs",
        title=f"{len(sessions)} runs side by side",
        columns=(_TIMED, _RUN, *(column for column, _ in figures), _AGAINST_FIRST),
        rows=tuple(
            Row(cells=(line.row.label, line.run, *(figure(line.row) for _, figure in figures), _against_first(line)))
            for line in lines
        ),
        caption="Time per call: median [quartiles].",
        notes=tuple(_notes(sessions)),
    )


def _notes(sessions: Mapping[str, Session]) -> Iterator[str]:
    """How each run was measured, and the cautions of its rows."""
    for name, session in sessions.items():
        yield f"{name}: {session.title}, {', '.join(circumstances(session))}."
        yield from (f"{name}: {note}" for note in cautions(session, judged(session)))


def _against_first(line: _Line) -> Cell:
    first, mine = line.first.summary, line.row.summary
    return Fraction(first.median_s) / Fraction(mine.median_s) if first and mine else None


def _lines(sessions: Mapping[str, Session]) -> Iterator[_Line]:
    """The rows of all runs, those of the same candidate together; runs may differ in device, threads and cache."""
    same: dict[tuple[object, ...], list[tuple[str, Judged]]] = {}
    for run, session in sessions.items():
        for row in judged(session):
            timed = row.timed
            conditions = (value(timed.conditions) for value in VARYING.values())
            key = session.title, timed.group, timed.of, timed.name, *conditions
            same.setdefault(key, []).append((run, row))
    for rows in same.values():
        yield from (_Line(run, row, rows[0][1]) for run, row in rows)
