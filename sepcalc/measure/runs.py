"""Several measurements side by side: other runs, other machines, other versions.

Candidates of two runs did not take turns, so the ratio of their times has no interval. Their speed-ups can be compared,
since each is found within one run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from sepcalc.core.table import Cell, Field, Table, fill_table
from sepcalc.measure.conditions import VARYING
from sepcalc.measure.session import Judged, Session, judged
from sepcalc.measure.tables import TimedRow, cautions, circumstances, grid_fields, time_unit, timing_fields

_SHOWN = ("median_s", "speedup", "promised", "delivered", "verdict", "reason")


def _against_first(at: TimedRow) -> Cell:
    first, mine = at.first and at.first.summary, at.row.summary
    return Fraction(first.median_s) / Fraction(mine.median_s) if first and mine else None


_TIMED: Field[TimedRow] = Field(key="timed", title="Timed", figure=lambda at: at.row.label)
_RUN: Field[TimedRow] = Field(key="run", title="Run", rank=1, figure=lambda at: at.run)
_AGAINST_FIRST: Field[TimedRow] = Field(
    key="against_first", title="Against first", kind="reduction", rank=3, figure=_against_first,
    rule="Against first: median in the first run / in this one; not taken in turns, so without an interval.",
)  # fmt: skip


def runs_table(sessions: Mapping[str, Session]) -> Table:
    """A row for each candidate in each of the named runs; the rows of a candidate stand together."""
    lines = list(_lines(sessions))
    rows = [line.row for line in lines]
    times = (field for field in timing_fields(next(iter(sessions.values()))) if field.key in _SHOWN)
    title, caption = f"{len(sessions)} runs side by side", "Time per call: median [quartiles]."
    table = Table(name="runs", title=title, caption=caption, notes=tuple(_notes(sessions)))
    fields = (_TIMED, _RUN, *grid_fields(rows), *times, _AGAINST_FIRST)
    return fill_table(table, fields, lines, facts={"unit": time_unit(rows)})


def _notes(sessions: Mapping[str, Session]) -> Iterator[str]:
    """How each run was measured, and the cautions of its rows."""
    for name, session in sessions.items():
        yield f"{name}: {session.title}, {', '.join(circumstances(session))}."
        yield from (f"{name}: {note}" for note in cautions(session, judged(session)))


def _lines(sessions: Mapping[str, Session]) -> Iterator[TimedRow]:
    """The rows of all runs by candidate; runs may differ in device, threads and cache."""
    same: dict[tuple[object, ...], list[tuple[str, Judged]]] = {}
    for run, session in sessions.items():
        for row in judged(session):
            timed = row.timed
            conditions = (varying.value(timed.conditions) for varying in VARYING.values())
            key = session.title, timed.group, timed.of, timed.name, *conditions
            same.setdefault(key, []).append((run, row))
    for rows in same.values():
        yield from (TimedRow(row, run=run, first=rows[0][1]) for run, row in rows)
