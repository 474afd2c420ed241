"""A measurement as JSON: raw samples, verdicts, and everything that the numbers depend on.

``--format json`` prints the record that ``--save`` writes and ``--load`` reads. Times are in seconds per call. Numbers
that follow from the samples are for other programs; they are not read back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from sepcalc.core.errors import SepcalcError
from sepcalc.core.table import SCHEMA
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Plan, Series
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import Work, attainable_s, bound
from sepcalc.measure.session import Judged, Scope, Session, Timed, judged
from sepcalc.render.records import json_text

KIND = "measurement"

_Natural = Annotated[int, msgspec.Meta(ge=0)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_Count = Annotated[int, msgspec.Meta(ge=1, le=2**62)]
_Seconds = Annotated[float, msgspec.Meta(ge=1e-12, le=1e9)]
_Speed = Annotated[float, msgspec.Meta(ge=1, le=1e30)]


def answer(session: Session) -> dict[str, Any]:
    """``session`` as JSON: every row with its samples and the verdict on it."""
    return {
        "schema": SCHEMA,
        "kind": KIND,
        "of": session.scope,
        "title": session.title,
        "command": session.command,
        "interrupted": session.interrupted,
        "environment": dict(session.environment),
        "plan": asdict(session.plan),
        "clock_step_s": session.clock_step_s,
        "void_rounds": session.void_rounds,
        "ceilings": {dtype: list(ceilings) for dtype, ceilings in session.ceilings.items()},
        "notes": list(session.notes),
        "rows": [_row(session, row) for row in judged(session)],
    }


def _row(session: Session, row: Judged) -> dict[str, Any]:
    timed = row.timed
    series = timed.series
    return {
        "group": timed.group,
        "name": timed.name,
        "role": timed.role,
        "part_of": timed.of,
        "as_written": timed.as_written,
        "layers": timed.layers,
        "left": timed.left,
        "conditions": asdict(timed.conditions),
        "params": timed.params,
        "macs": timed.macs if timed.work else None,
        "traffic_bytes": timed.traffic_bytes,
        "intensity": _float(timed.intensity),
        "work": [asdict(stage) for stage in timed.work],
        "why_not": timed.why_not,
        "failure": timed.failure,
        "verdict": row.word,
        "reason": row.reason,
        **_figures(session, row),
        "inner": series and series.inner,
        "samples_s": list(series.samples) if series else [],
        "enqueue_s": list(series.enqueue) if series else [],
    }


def _figures(session: Session, row: Judged) -> dict[str, Any]:
    """The figures of the samples; null without samples, the speed-up also where it is not believed."""
    summary, ratio = row.summary, row.ratio if row.believed else None
    ceilings = session.ceilings.get(row.timed.conditions.dtype)
    work = row.timed.work
    return {
        **{key: summary and getattr(summary, key) for key in ("median_s", "q1_s", "q3_s", "minimum_s", "outliers")},
        "speedup": ratio and ratio.value,
        "speedup_low": ratio and ratio.low,
        "speedup_high": ratio and ratio.high,
        "ratio_of_minima": row.ratio and row.ratio.of_minima,
        "promised": _float(row.promised),
        "delivered": _float(row.delivered),
        "macs_per_s": _float(row.macs_per_s),
        "attainable_s": ceilings and attainable_s(work, ceilings),
        "bound": ceilings and bound(work, ceilings),
    }


def _float(value: Fraction | None) -> float | None:
    return None if value is None else float(value)


def answers(sessions: Mapping[str, Session]) -> dict[str, Any]:
    """Several sessions as JSON, by their names."""
    return {
        "schema": SCHEMA,
        "kind": f"{KIND}s",
        "measurements": [{"run": name, **answer(session)} for name, session in sessions.items()],
    }


def encoded(session: Session) -> bytes:
    """The content of a file with ``session``."""
    return json_text(answer(session)).encode() + b"\n"


def save_measurement(session: Session, path: str | Path) -> None:
    """Write ``session`` to a file in one step. Raises :class:`SepcalcError` where the system refuses."""
    from sepcalc.render.files import write

    write(path, encoded(session))


def load_measurement(path: str | Path) -> Session:
    """The session in the file ``path``.

    Raises :class:`SepcalcError` where it cannot be read, is damaged, or is of another kind or version.
    """
    try:
        data = Path(path).read_bytes()
        head = msgspec.json.decode(data, type=_Head)
        if head.kind != KIND:
            raise SepcalcError(f"'{path}' holds '{head.kind}', no {KIND}; 'sepcalc measure --save FILE' writes one")
        if head.schema != SCHEMA:
            raise SepcalcError(
                f"'{path}' has version {head.schema} of the record, and this program reads {SCHEMA}; measure again"
            )
        return _session(msgspec.json.decode(data, type=_Record))
    except OSError as error:
        raise SepcalcError(f"cannot read '{path}': {(error.strerror or str(error)).lower()}; check its path") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        reason = str(fault).replace("`", "'")
        reason = reason if reason.startswith("JSON") else f"{reason[:1].lower()}{reason[1:]}"
        raise SepcalcError(f"'{path}' is not a complete measurement file: {reason}; measure again") from None


class _Head(msgspec.Struct):
    schema: int
    kind: str


class _Work(msgspec.Struct):
    name: str
    macs: _Count
    traffic_bytes: _Count | None


class _Row(msgspec.Struct, kw_only=True):
    """The fields of a row that are read back."""

    group: str
    name: str
    role: Literal["body", "part"]
    of: str = msgspec.field(name="part_of")
    as_written: bool
    layers: _Positive
    conditions: Conditions
    params: int | None
    work: tuple[_Work, ...]
    why_not: str | None
    failure: str | None
    inner: _Positive | None
    samples_s: tuple[_Seconds, ...]
    enqueue_s: tuple[_Seconds, ...]
    left: _Natural = 0


class _Record(msgspec.Struct, kw_only=True):
    """The fields of a session that are read back."""

    scope: Scope = msgspec.field(name="of")
    title: str
    command: str
    interrupted: bool
    environment: dict[str, Any]
    plan: Plan
    clock_step_s: float
    void_rounds: int
    ceilings: dict[str, tuple[_Speed, _Speed]]
    notes: tuple[str, ...]
    rows: tuple[_Row, ...]


def _session(record: _Record) -> Session:
    rows = tuple(map(_timed, record.rows))
    lengths: dict[tuple[str, Conditions], int] = {}
    for place, row in enumerate(rows):
        n = len(row.series.samples) if row.series else 0
        # Times are compared round by round, so all rows of a group have the same number of samples.
        if n and (others := lengths.setdefault((row.group, row.conditions), n)) != n:
            raise msgspec.ValidationError(f"{n} samples beside rows of {others} - at '$.rows[{place}]'")
    ceilings = {dtype: Ceilings(*pair) for dtype, pair in record.ceilings.items()}
    return Session(**{**msgspec.structs.asdict(record), "rows": rows, "ceilings": ceilings})


def _timed(row: _Row) -> Timed:
    fields = msgspec.structs.asdict(row)
    inner, samples, enqueue = (fields.pop(key) for key in ("inner", "samples_s", "enqueue_s"))
    series = Series(inner=inner or 1, samples=samples, enqueue=enqueue) if samples else None
    work = tuple(Work(**msgspec.structs.asdict(stage)) for stage in row.work)
    return Timed(**{**fields, "work": work, "series": series})
