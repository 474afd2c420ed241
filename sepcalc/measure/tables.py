"""The tables of a measurement: a layer's; a network's layers, and the whole.

What a headline depends on stands in the caption: machine, library, conditions, rounds, seed. Notes say which numbers
are not to be believed, and why: in the place of such a number stands ``unreliable``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median
from typing import NamedTuple

from sepcalc.core.table import Cell, Column, Estimate, Field, Table, Unit, by_key, fill_table, first_few
from sepcalc.measure.conditions import VARYING, Conditions, shared_words, varied
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import Bound, attainable_s, bound
from sepcalc.measure.session import WHOLE, Judged, Session, judged
from sepcalc.measure.statistics import UNSTEADY, Summary
from sepcalc.render.cells import PER_SECOND, human

MOST_REASONS = 3
"""Reasons of one kind that notes give for rows without a headline before they count the others."""

MOST_STAGES = 6
"""Stages of which notes say what bounds them before they count the others: enough for the default variants."""

MOST_WORST = 3
"""Layers that a note names as those that fall furthest behind their promise."""


class TimedRow(NamedTuple):
    """A row, and the ceilings of the machine for it; of several runs also its run, and the row of the first run."""

    row: Judged
    ceilings: Ceilings | None = None
    run: str = ""
    first: Judged | None = None

    @property
    def bound(self) -> Bound | None:
        """What bounds the row on this machine; None where that is unknown."""
        return self.ceilings and bound(self.row.timed.work, self.ceilings)

    @property
    def attainable(self) -> Fraction | None:
        """The seconds that the machine's ceilings allow the stages; None where those are unknown."""
        least = self.ceilings and attainable_s(self.row.timed.work, self.ceilings)
        return Fraction(least) if least else None

    @property
    def roof_share(self) -> Fraction | None:
        """The time that the ceilings allow / the median; above 1 where data came from a cache."""
        least, summary = self.attainable, self.row.summary
        return least / Fraction(summary.median_s) if least and summary else None

    @property
    def speedup(self) -> Cell:
        """The ratio to the reference, or why there is none."""
        row = self.row
        if row.timed.role == "part":
            return ""
        if row.word == "unreliable":
            return row.word
        if row.ratio is None:
            return Fraction(1) if row.summary else None
        return Estimate.of(row.ratio.value, row.ratio.low, row.ratio.high)


def _summarized(figure: Callable[[Summary], Cell]) -> Callable[[TimedRow], Cell]:
    """``figure`` of the times, which are not always there."""
    return lambda at: None if at.row.summary is None else figure(at.row.summary)


def _compared(figure: Callable[[Judged], Cell]) -> Callable[[TimedRow], Cell]:
    """``figure`` of a row that is held against the reference, which a part is not."""
    return lambda at: "" if at.row.timed.role == "part" else figure(at.row)


PROMISED_RULE = "Promised: MACs of the reference / the row's."
_MOVED = "FLOP/byte: each tensor of each stage moved once."
_ROOF = "Bound: the ceiling of this machine that is met first. Roof: the time that it allows / the median."
_LAYER, _LAYERS = ("layer",), ("layer", "layers")

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
"""The columns of every table of times. The table is of one ``layer``, of the ``layers`` of a network, or of the whole.

A backward pass has no ``counts``, which are those of a forward pass, and so no ``ceilings``; where the ceilings are
unknown their columns are empty, and only for those who ask.
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


def time_unit(rows: Sequence[Judged]) -> Unit:
    """The unit of the middle time: the largest in which it is at least one."""
    times = [row.summary.median_s for row in rows if row.summary]
    middle = median(times) if times else 1
    return next((unit for unit, count in PER_SECOND.items() if middle * count >= 1), "ns")


def timing_tables(session: Session) -> tuple[Table, ...]:
    """All tables of a session: one for a layer; for a network its layers, then the whole in each form."""
    rows = judged(session)
    if session.scope == "layer":
        return (_layer_table(session, rows),)
    inside = [row for row in rows if row.timed.group != WHOLE]
    whole = [row for row in rows if row.timed.group == WHOLE]
    return _layers_table(session, inside), _totals_table(session, whole, inside)


def _layer_table(session: Session, rows: Sequence[Judged]) -> Table:
    notes = (*cautions(session, rows), *session.notes, *_roof_notes(session, rows))
    table = Table(name="measurement", title=session.title, caption=_caption(session, rows), notes=notes)
    fields = (_VARIANT, *grid_fields(rows), *timing_fields(session))
    return _filled(table, fields, session, rows, "layer", time_unit(rows))


def _layers_table(session: Session, rows: Sequence[Judged]) -> Table:
    notes = (*cautions(session, rows), *_worst(rows))
    title = f"{session.title}, layer by layer"
    table = Table(name="layers", title=title, caption=_caption(session, rows), notes=notes)
    fields = (*_LAYER_OF, *grid_fields(rows), *timing_fields(session))
    return _filled(table, fields, session, rows, "layers", time_unit(rows))


def _totals_table(session: Session, whole: Sequence[Judged], inside: Sequence[Judged]) -> Table:
    """The whole in each form beside the sum of its layers, or the sum alone where there is no whole."""
    title = f"{session.title}, {'the whole in each form' if whole else 'the sum of its layers'}"
    notes = (*cautions(session, whole), *session.notes)
    table = Table(name="totals", title=title, caption=_caption(session, whole or inside), notes=notes)
    sums = Sums(rows=inside)
    rows = whole or list(sums.stand_ins())
    times = timing_fields(session) if whole else ()
    fields = (_VARIANT, *grid_fields(rows), *times, *sums.fields(beside_whole=bool(whole)))
    return _filled(table, fields, session, rows, "totals", time_unit(whole or inside))


def _filled(
    table: Table, fields: Iterable[Field[TimedRow]], session: Session, rows: Iterable[Judged], form: str, unit: Unit
) -> Table:
    subjects = (_with_ceilings(session, row) for row in rows)
    return fill_table(table, fields, subjects, role=lambda at: at.row.timed.role, form=form, facts={"unit": unit})


def _with_ceilings(session: Session, row: Judged) -> TimedRow:
    return TimedRow(row, session.ceilings.get(row.timed.conditions.dtype))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The ``rows`` of the layers, added up for each form of the whole."""

    rows: Sequence[Judged]

    def fields(self, *, beside_whole: bool) -> Iterator[Field[TimedRow]]:
        """The sum of the layers and, beside the whole, what the whole takes more."""
        yield Field(
            key="layers_s", title="Sum of layers ({unit})", kind="time", rank=3,
            rule="Sum of layers: the convertible ones alone, each median as often as it occurs.",
            figure=lambda at: self.seconds(at.row.timed.name, at.row.timed.conditions),
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
        forms = {(each.timed.name, each.timed.conditions): each for each in self._bodies}
        for each in forms.values():
            yield replace(each, timed=replace(each.timed, series=None), summary=None)

    @property
    def _bodies(self) -> Iterator[Judged]:
        return (each for each in self.rows if each.timed.role == "body" and each.timed.why_not is None)

    def _chosen(self, name: str, conditions: Conditions) -> list[tuple[int, Judged]]:
        """Which rows make the form called ``name``, each for how many layers; what is left there counts as written."""
        rows = [each for each in self._bodies if each.timed.conditions == conditions]
        formed = {each.timed.group: each for each in rows if each.timed.name == name}
        chosen = [(each.timed.layers - each.timed.left, each) for each in formed.values()]
        for each in rows:
            if each.timed.as_written:
                form = formed.get(each.timed.group)
                chosen.append((form.timed.left if form else each.timed.layers, each))
        return [(layers, each) for layers, each in chosen if layers]

    def seconds(self, name: str, conditions: Conditions) -> Fraction | None:
        """The sum for one form of the whole; None where a layer could not be timed."""
        wanted = self._chosen(name, conditions)
        times = [Fraction(each.summary.median_s) * layers for layers, each in wanted if each.summary]
        return sum(times, Fraction(0)) if times and len(times) == len(wanted) else None

    def _believed(self, name: str, conditions: Conditions) -> bool:
        """Whether what is not to be believed in the sum is little enough: no more of it than a steady time may vary."""
        times = {True: 0.0, False: 0.0}
        for layers, each in self._chosen(name, conditions):
            times[each.believed] += layers * each.summary.median_s if each.summary else 0.0
        return times[False] <= UNSTEADY * sum(times.values())

    def _rest(self, row: Judged) -> Cell:
        inside = self.seconds(row.timed.name, row.timed.conditions)
        if inside is None or row.summary is None:
            return None
        if not (row.believed and self._believed(row.timed.name, row.timed.conditions)):
            return "unreliable"
        return Fraction(row.summary.median_s) - inside

    def _first(self, row: Judged) -> str:
        return next(each.timed.name for each in self._bodies if each.timed.conditions == row.timed.conditions)

    def _speedup(self, row: Judged) -> Cell:
        forms = self._first(row), row.timed.name
        first, mine = (self.seconds(each, row.timed.conditions) for each in forms)
        if not (first and mine):
            return None
        return first / mine if all(self._believed(each, row.timed.conditions) for each in forms) else "unreliable"

    def _promised(self, row: Judged) -> Cell:
        macs = [
            sum(layers * each.timed.macs for layers, each in self._chosen(name, row.timed.conditions))
            for name in (self._first(row), row.timed.name)
        ]
        return Fraction(macs[0], macs[1]) if macs[1] else None


def _caption(session: Session, rows: Sequence[Judged]) -> str:
    """What travels with every number: how it was measured, on what, and under which conditions."""
    rounds = sorted({each.summary.n for each in rows if each.summary}) or [0]
    several = " to ".join(dict.fromkeys(f"{number:,}" for number in (rounds[0], rounds[-1])))
    taken = f"Time per call: median [quartiles] of {several} rounds in random order, seed {session.plan.seed}."
    return f"{taken} {', '.join(circumstances(session))}."


def circumstances(session: Session) -> Iterator[str]:
    """The machine, the library, and the conditions that all rows share."""
    environment = session.environment
    first = session.rows[0].conditions if session.rows else Conditions()
    yield str(environment.get("gpu") or environment.get("cpu") or "processor unknown")
    if first.device == "cpu":
        yield f"{first.threads} thread{'s' * (first.threads != 1)}"
    yield from (f"{name} {environment[key]}" for key, name in _LIBRARIES.items() if environment.get(key) is not None)
    yield from shared_words([row.conditions for row in session.rows] or [first])
    if environment.get("tf32") and any(row.conditions.dtype == "float32" for row in session.rows):
        yield "TF32 allowed"
    if environment.get("load") is not None:
        yield f"load average {environment['load']}"


_LIBRARIES = {"torch": "torch", "cudnn": "cuDNN"}
"""What computes, by its key in the environment."""


def cautions(session: Session, rows: Sequence[Judged]) -> Iterator[str]:
    """What a reader has to know about single rows, and about the run."""
    if session.interrupted:
        yield "Interrupted: this is what there was by then."
    yield from _reasons(rows)
    if starved := [each.label for each in rows if each.launch_bound]:
        yield f"Launch-bound, the host takes as long to start it as the device to run it: {first_few(starved)}."
    if session.void_rounds:
        yield f"{session.void_rounds:,} rounds are left out: the clock stood still in them or stepped backwards."


def _reasons(rows: Sequence[Judged]) -> Iterator[str]:
    """Why rows have no headline, each reason once, by verdict."""
    found: dict[str, dict[str, list[str]]] = {}
    for each in rows:
        if each.reason:
            found.setdefault(each.word, {}).setdefault(each.reason, []).append(each.label)
    for word, reasons in found.items():
        shown = list(reasons.items())[:MOST_REASONS]
        yield from (f"{first_few(names)}: {word}, {reason}." for reason, names in shown)
        if more := sum(map(len, reasons.values())) - sum(len(names) for _, names in shown):
            yield f"{more:,} more {'row' if more == 1 else 'rows'}: {word}; the column 'reason' says why."


def _worst(rows: Sequence[Judged]) -> Iterator[str]:
    """The layers that fall furthest behind what was promised."""
    saving = [(row.delivered, row) for row in rows if row.delivered is not None and row.promised and row.promised > 1]
    behind = sorted((part, row.label, row.promised) for part, row in saving if part < 1)[:MOST_WORST]
    if behind:
        share = Column(key="delivered", title="", kind="share")
        times = Column(key="promised", title="", kind="reduction")
        each = [f"{label} ({human(part, share)} of {human(whole, times)})" for part, label, whole in behind]
        yield f"Furthest behind the promise: {'; '.join(each)}."


def _roof_notes(session: Session, rows: Sequence[Judged]) -> Iterator[str]:
    """Why stages take their time, in words; of many stages the first alone."""
    told = list(_stages_and_roofs(session, rows))
    yield from told[:MOST_STAGES]
    if told[MOST_STAGES:]:
        more = len(told) - MOST_STAGES
        yield f"{more:,} more {'stage' if more == 1 else 'stages'}; the columns 'bound' and 'roof_share' say why."


def _stages_and_roofs(session: Session, rows: Sequence[Judged]) -> Iterator[str]:
    """A sentence on each stage that is to be believed."""
    flops, share = Column(key="intensity", title="", kind="quotient"), Column(key="roof", title="", kind="share")
    for each in rows:
        at = _with_ceilings(session, each)
        if each.timed.role == "part" and each.believed and at.bound and at.roof_share is not None:
            intensity, reached = human(each.timed.intensity, flops), human(at.roof_share, share)
            yield f"{each.label}: {intensity} FLOP/byte, {at.bound}-bound, at {reached} of its roof."
