"""The tables of a measurement: one of a layer, or two of a network, for its layers and for the whole.

The caption names machine, library, conditions, rounds and seed. In place of an unreliable number stands
``unreliable``, and a note says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median
from typing import NamedTuple

from sepcalc.core.table import Cell, Estimate, Field, Table, TimeUnit, by_key, fill_table, first_few
from sepcalc.measure.conditions import VARYING, Conditions, shared_words, varied
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import Bound, attainable_s, bound
from sepcalc.measure.session import WHOLE, Judged, Session, judged
from sepcalc.measure.statistics import UNSTEADY, Summary
from sepcalc.render.cells import PER_SECOND, human

MOST_REASONS = 3
"""Reasons of one kind that notes name before they count the others."""

MOST_STAGES = 6
"""Stages that notes name before they count the others: enough for the default variants."""

MOST_WORST = 3
"""Layers that a note names as furthest behind their promise."""


class TimedRow(NamedTuple):
    """A row, and the machine's ceilings in its dtype; beside other runs also its run, and the row of the first run."""

    row: Judged
    ceilings: Ceilings | None = None
    run: str = ""
    first: Judged | None = None

    @property
    def bound(self) -> Bound | None:
        """The ceiling that bounds the row; None where it is unknown."""
        return self.ceilings and bound(self.row.timed.work, self.ceilings)

    @property
    def attainable(self) -> Fraction | None:
        """The least seconds that the ceilings allow; None where they are unknown."""
        least = self.ceilings and attainable_s(self.row.timed.work, self.ceilings)
        return Fraction(least) if least else None

    @property
    def roof_share(self) -> Fraction | None:
        """The time that the ceilings allow / the median; above 1 where data came from a cache."""
        least, summary = self.attainable, self.row.summary
        return least / Fraction(summary.median_s) if least and summary else None

    @property
    def speedup(self) -> Cell:
        """The ratio to the reference, or ``unreliable``; blank for a part."""
        row = self.row
        if row.timed.role == "part":
            return ""
        if row.word == "unreliable":
            return row.word
        if row.ratio is None:
            return Fraction(1) if row.summary else None
        return Estimate.of(row.ratio.value, row.ratio.low, row.ratio.high)


def _summarized(figure: Callable[[Summary], Cell]) -> Callable[[TimedRow], Cell]:
    return lambda at: None if at.row.summary is None else figure(at.row.summary)


def _compared(figure: Callable[[Judged], Cell]) -> Callable[[TimedRow], Cell]:
    return lambda at: "" if at.row.timed.role == "part" else figure(at.row)


PROMISED_RULE = "Promised: MACs of the reference / the row's."
_MOVED = "FLOP/byte: each tensor of each stage moved once."
_ROOF = "Bound: the ceiling of this machine that is met first. Roof: the time that it allows / the median."
_LAYER, _LAYERS = ("measurement",), ("measurement", "layers")

FIELDS: dict[str, Field[TimedRow]] = by_key(
    Field(key="median_s", title="Median ({unit})", kind="time", rank=2, interval=True,
          figure=_summarized(lambda times: Estimate.of(times.median_s, times.q1_s, times.q3_s))),
    Field(key="minimum_s", title="Min ({unit})", kind="time", rank=5, shown=_LAYER,
          figure=_summarized(lambda times: Fraction(times.minimum_s))),
    Field(key="speedup", title="Speed-up", kind="reduction", rank=1, interval=True,
          rule="Speed-up: time of the reference / the row's, the median over rounds with its 95 % interval.",
          figure=lambda at: at.speedup),
    Field(key="promised", title="Promised", kind="reduction", rank=1, rule=PROMISED_RULE,
          figure=_compared(lambda row: row.promised)),
    Field(key="delivered", title="Delivered", kind="share", rank=3, rule="Delivered: speed-up / promised.",
          figure=_compared(lambda row: row.delivered)),
    Field(key="macs_per_s", title="MAC/s", kind="rate", rank=6, shown=_LAYER, needs="counts",
          figure=lambda at: at.row.macs_per_s),
    Field(key="intensity", title="FLOP/byte", kind="quotient", rank=7, rule=_MOVED, shown=_LAYER, needs="counts",
          figure=lambda at: at.row.timed.intensity),
    Field(key="bound", title="Bound", rank=4, rule=_ROOF, shown=_LAYERS, needs="ceilings",
          figure=lambda at: at.bound),
    Field(key="roof_share", title="Roof", kind="share", rank=4, rule=_ROOF, shown=_LAYERS, needs="ceilings",
          figure=lambda at: at.roof_share),
    Field(key="attainable_s", title="Attainable ({unit})", kind="time", rank=9, shown=(), needs="ceilings",
          figure=lambda at: at.attainable),
    Field(key="peak_macs_per_s", title="Peak MAC/s", kind="rate", rank=9, shown=(), needs="ceilings",
          figure=lambda at: at.ceilings and Fraction(at.ceilings.flop_per_s) / 2),
    Field(key="peak_bytes_per_s", title="Peak byte/s", kind="rate", rank=9, shown=(), needs="ceilings",
          figure=lambda at: at.ceilings and Fraction(at.ceilings.bytes_per_s)),
    Field(key="verdict", title="Verdict", rank=2, figure=lambda at: at.row.word),
    Field(key="n", title="Rounds", kind="count", rank=9, shown=(), figure=_summarized(lambda times: times.n)),
    Field(key="inner", title="Calls per sample", kind="count", rank=9, shown=(),
          figure=_summarized(lambda times: times.inner)),
    Field(key="outliers", title="Outliers", kind="count", rank=9, shown=(),
          figure=_summarized(lambda times: times.outliers)),
    Field(key="spread", title="Spread", kind="share", rank=9, rule="Spread: median / minimum - 1.", shown=(),
          figure=_summarized(lambda times: Fraction(times.spread))),
    Field(key="ratio_of_minima", title="Ratio of minima", kind="reduction", rank=9, shown=(),
          figure=lambda at: Fraction(at.row.ratio.of_minima) if at.row.ratio else None),
    Field(key="params", title="Params", kind="count", rank=9, shown=(), figure=lambda at: at.row.timed.params),
    Field(key="macs", title="MACs", kind="count", rank=9, shown=(),
          figure=lambda at: at.row.timed.macs if at.row.timed.work else None),
    Field(key="traffic_bytes", title="Traffic", kind="bytes", rank=9, shown=(),
          figure=lambda at: at.row.timed.traffic_bytes),
    Field(key="reason", title="Reason", rank=9, shown=(), figure=lambda at: at.row.reason),
)  # fmt: skip
"""The columns of every table of times; ``shown`` has the names of tables.

``counts`` and ``ceilings`` are of forward passes. Where the ceilings are unknown, their columns are empty, and shown on
demand only.
"""


def timing_fields(session: Session) -> list[Field[TimedRow]]:
    """The columns that ``session`` has."""
    backward = any(row.conditions.backward for row in session.rows)
    fields = [field for field in FIELDS.values() if not (backward and field.needs)]
    if session.ceilings:
        return fields
    return [replace(field, shown=()) if field.needs == "ceilings" else field for field in fields]


def grid_fields(rows: Sequence[Judged]) -> Iterator[Field[TimedRow]]:
    """A column for each condition that differs between the rows."""
    for key in varied([row.timed.conditions for row in rows]):
        value, title, kind = VARYING[key]
        yield Field(key=key, title=title, kind=kind, rank=1, figure=_condition(value))


def _condition(value: Callable[[Conditions], str | int]) -> Callable[[TimedRow], Cell]:
    return lambda at: value(at.row.timed.conditions)


_VARIANT: Field[TimedRow] = Field(key="variant", title="Variant", figure=lambda at: at.row.timed.name)

_LAYER_OF: tuple[Field[TimedRow], ...] = (
    Field(key="name", title="Layer", figure=lambda at: at.row.timed.group),
    _VARIANT,
    Field(key="layers", title="Layers", kind="count", rank=3,
          rule="Layers: how many of this shape there are; one was timed.", figure=lambda at: at.row.timed.layers),
)  # fmt: skip


def time_unit(rows: Sequence[Judged]) -> TimeUnit:
    """The unit of the middle time: the largest in which it is at least one."""
    times = [row.summary.median_s for row in rows if row.summary]
    middle = median(times) if times else 1
    return next((unit for unit, count in PER_SECOND.items() if middle * count >= 1), "ns")


def timing_tables(session: Session) -> tuple[Table, ...]:
    """All tables of a session: one of a layer; of a network one of its layers, then one of the whole in each form."""
    rows, title = judged(session), session.title
    if session.scope == "layer":
        notes = (*cautions(session, rows), *session.notes, *_roof_notes(session, rows))
        table = Table(name="measurement", title=title, notes=notes)
        return (_filled(table, (_VARIANT, *grid_fields(rows), *timing_fields(session)), session, rows),)
    inside = [row for row in rows if row.timed.group != WHOLE]
    whole = [row for row in rows if row.timed.group == WHOLE]
    fields = (*_LAYER_OF, *grid_fields(inside), *timing_fields(session))
    notes = (*cautions(session, inside), *_worst(inside))
    layers = Table(name="layers", title=f"{title}, layer by layer", notes=notes)
    return _filled(layers, fields, session, inside), _totals_table(session, whole, inside)


def _totals_table(session: Session, whole: Sequence[Judged], inside: Sequence[Judged]) -> Table:
    """The whole in each form beside the sum of its layers, or the sum alone where there is no whole."""
    title = f"{session.title}, {'the whole in each form' if whole else 'the sum of its layers'}"
    table = Table(name="totals", title=title, notes=(*cautions(session, whole), *session.notes))
    sums = Sums(rows=[row for row in inside if row.timed.role == "body" and row.timed.why_not is None])
    rows = whole or list(sums.stand_ins())
    times = timing_fields(session) if whole else ()
    fields = (_VARIANT, *grid_fields(rows), *times, *sums.fields(beside_whole=bool(whole)))
    return _filled(table, fields, session, rows, whole or inside)


def _filled(
    table: Table,
    fields: Iterable[Field[TimedRow]],
    session: Session,
    rows: Sequence[Judged],
    timed: Sequence[Judged] = (),
) -> Table:
    """``table`` with ``rows``; its caption and its unit follow from the times of ``timed``, by default of the rows."""
    timed = timed or rows
    table = replace(table, caption=_caption(session, timed))
    subjects, facts = (_with_ceilings(session, row) for row in rows), {"unit": time_unit(timed)}
    return fill_table(table, fields, subjects, role=lambda at: at.row.timed.role, form=table.name, facts=facts)


def _with_ceilings(session: Session, row: Judged) -> TimedRow:
    return TimedRow(row, session.ceilings.get(row.timed.conditions.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The ``rows`` of the layers, added up for each form of the whole."""

    rows: Sequence[Judged]

    def fields(self, *, beside_whole: bool) -> Iterator[Field[TimedRow]]:
        """The sum of the layers and, beside the whole, the time that the whole takes more."""
        yield Field(
            key="layers_s", title="Sum of layers ({unit})", kind="time", rank=3,
            rule="Sum of layers: the convertible ones alone, each median as often as it occurs.",
            figure=lambda at: self._of(at.row).seconds,
        )  # fmt: skip
        if beside_whole:
            yield Field(
                key="rest_s", title="Rest ({unit})", kind="time", rank=3,
                rule="Rest: the whole without these layers.", figure=lambda at: self._rest(at.row),
            )  # fmt: skip
            return
        yield Field(
            key="layers_speedup", title="Speed-up", kind="reduction", rank=1,
            rule="Speed-up: sum of the reference / the row's.", figure=lambda at: self._speedup(at.row),
        )  # fmt: skip
        yield Field(
            key="promised", title="Promised", kind="reduction", rank=1,
            rule=PROMISED_RULE, figure=lambda at: self._promised(at.row),
        )  # fmt: skip

    def stand_ins(self) -> Iterator[Judged]:
        """A row for each form in which layers were timed, where there is no whole."""
        forms = {(row.timed.name, row.timed.conditions): row for row in self.rows}
        return (replace(row, timed=replace(row.timed, series=None), summary=None) for row in forms.values())

    def _of(self, whole: Judged) -> _Form:
        """The layers in the form of ``whole``; those that it leaves as written count as such."""
        rows = [row for row in self.rows if row.timed.conditions == whole.timed.conditions]
        formed = {row.timed.group: row for row in rows if row.timed.name == whole.timed.name}
        parts = [(row.timed.layers - row.timed.left, row) for row in formed.values()]
        for row in rows:
            if row.timed.as_written:
                form = formed.get(row.timed.group)
                parts.append((form.timed.left if form else row.timed.layers, row))
        return _Form([(layers, row) for layers, row in parts if layers])

    def _of_reference(self, whole: Judged) -> _Form:
        return self._of(next(row for row in self.rows if row.timed.conditions == whole.timed.conditions))

    def _rest(self, row: Judged) -> Cell:
        form = self._of(row)
        if form.seconds is None or row.summary is None:
            return None
        return Fraction(row.summary.median_s) - form.seconds if row.believed and form.believed else "unreliable"

    def _speedup(self, row: Judged) -> Cell:
        reference, form = self._of_reference(row), self._of(row)
        if not (reference.seconds and form.seconds):
            return None
        return reference.seconds / form.seconds if reference.believed and form.believed else "unreliable"

    def _promised(self, row: Judged) -> Cell:
        macs = self._of(row).macs
        return Fraction(self._of_reference(row).macs, macs) if macs else None


class _Form(NamedTuple):
    """The rows that make a form of the whole, each with the number of its layers."""

    parts: Sequence[tuple[int, Judged]]

    @property
    def seconds(self) -> Fraction | None:
        """The sum of the medians; None where a layer could not be timed."""
        times = [Fraction(row.summary.median_s) * layers for layers, row in self.parts if row.summary]
        return sum(times, Fraction(0)) if times and len(times) == len(self.parts) else None

    @property
    def believed(self) -> bool:
        """Whether the unreliable part of the sum is no larger than a steady time may vary."""
        times = {True: 0.0, False: 0.0}
        for layers, row in self.parts:
            times[row.believed] += layers * row.summary.median_s if row.summary else 0.0
        return times[False] <= UNSTEADY * sum(times.values())

    @property
    def macs(self) -> int:
        """Multiply-adds of all layers."""
        return sum(layers * row.timed.macs for layers, row in self.parts)


def _caption(session: Session, rows: Sequence[Judged]) -> str:
    rounds = sorted({row.summary.n for row in rows if row.summary}) or [0]
    several = " to ".join(dict.fromkeys(f"{number:,}" for number in (rounds[0], rounds[-1])))
    taken = f"Time per call: median [quartiles] of {several} rounds in random order, seed {session.plan.seed}."
    return f"{taken} {', '.join(circumstances(session))}."


def circumstances(session: Session) -> Iterator[str]:
    """The machine, the library, and the conditions that all rows share."""
    environment, grid = session.environment, [row.conditions for row in session.rows] or [Conditions()]
    yield str(environment.get("gpu") or environment.get("cpu") or "processor unknown")
    if grid[0].device == "cpu":
        yield f"{grid[0].threads} thread{'s' * (grid[0].threads != 1)}"
    libraries = {"torch": "torch", "cudnn": "cuDNN"}
    yield from (f"{name} {environment[key]}" for key, name in libraries.items() if environment.get(key) is not None)
    yield from shared_words(grid)
    if environment.get("tf32") and any(row.conditions.dtype == "float32" for row in session.rows):
        yield "TF32 allowed"
    if environment.get("load") is not None:
        yield f"load average {environment['load']}"


def cautions(session: Session, rows: Sequence[Judged]) -> Iterator[str]:
    """Notes on the run, and on rows that have no headline or are launch-bound."""
    if session.interrupted:
        yield "Interrupted: these are the results so far."
    yield from _reasons(rows)
    if starved := [row.label for row in rows if row.launch_bound]:
        yield f"Launch-bound, the host takes as long to start it as the device to run it: {first_few(starved)}."
    if session.void_rounds:
        yield f"{session.void_rounds:,} rounds are left out: the clock stood still in them or stepped backwards."


def _reasons(rows: Sequence[Judged]) -> Iterator[str]:
    """Why rows have no headline, each reason once, by verdict."""
    found: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        if row.reason:
            found.setdefault(row.word, {}).setdefault(row.reason, []).append(row.label)
    for word, reasons in found.items():
        shown = list(reasons.items())[:MOST_REASONS]
        yield from (f"{first_few(names)}: {word}, {reason}." for reason, names in shown)
        if more := sum(map(len, reasons.values())) - sum(len(names) for _, names in shown):
            yield f"{more:,} more {'row' if more == 1 else 'rows'}: {word}; the column 'reason' says why."


def _worst(rows: Sequence[Judged]) -> Iterator[str]:
    """The layers that fall furthest behind their promise."""
    saving = [(row.delivered, row) for row in rows if row.delivered is not None and row.promised and row.promised > 1]
    behind = sorted((part, row.label, row.promised) for part, row in saving if part < 1)[:MOST_WORST]
    if behind:
        share, times = FIELDS["delivered"].column(), FIELDS["promised"].column()
        layers = [f"{label} ({human(part, share)} of {human(whole, times)})" for part, label, whole in behind]
        yield f"Furthest behind the promise: {'; '.join(layers)}."


def _roof_notes(session: Session, rows: Sequence[Judged]) -> Iterator[str]:
    """The ceiling that bounds each stage with a reliable time; of many stages the first few."""
    flops, share = FIELDS["intensity"].column(), FIELDS["roof_share"].column()
    parts = [_with_ceilings(session, row) for row in rows if row.timed.role == "part" and row.believed]
    stages = [at for at in parts if at.bound and at.roof_share is not None]
    for at in stages[:MOST_STAGES]:
        intensity, reached = human(at.row.timed.intensity, flops), human(at.roof_share, share)
        yield f"{at.row.label}: {intensity} FLOP/byte, {at.bound}-bound, at {reached} of its roof."
    if (more := len(stages) - MOST_STAGES) > 0:
        yield f"{more:,} more {'stage' if more == 1 else 'stages'}; the columns 'bound' and 'roof_share' say why."
