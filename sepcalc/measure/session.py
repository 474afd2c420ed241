"""A run's rows with their samples, and the verdict on each.

A :class:`Session` is one run of the program. A group of its rows is a layer or a whole network. Within a group and
under the same conditions, times are compared with those of the *reference*, the first row that is not a part. Seconds,
multiply-adds and bytes are per call, for the whole batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from statistics import median
from typing import Any, Literal

from sepcalc.core.table import Tabular
from sepcalc.measure.conditions import Conditions, varied, words
from sepcalc.measure.loop import Plan, Series
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import Work, traffic_bytes
from sepcalc.measure.statistics import PairedRatio, Summary, judge, paired_ratio, summarize, unsteadiness

Scope = Literal["layer", "network"]

WHOLE = "network"
"""The group of a session's rows that are whole networks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """One row: its name, conditions and work, and its samples or the reason why there are none.

    ``name`` is a variant, a stage of one (then ``role`` is ``part`` and ``of`` names the variant), or
    :data:`sepcalc.core.network.AS_WRITTEN`. ``as_written`` marks the form in which the layer or the network was found.
    ``layers``: how many layers of the network the row stands for; ``left``: how many of these layers the variant could
    not convert. ``why_not``: why the variant does not apply; ``failure``: why it could not be timed.
    """

    group: str
    name: str
    conditions: Conditions
    params: int | None = None
    work: tuple[Work, ...] = ()
    role: Literal["body", "part"] = "body"
    of: str = ""
    as_written: bool = False
    layers: int = 1
    left: int = 0
    series: Series | None = None
    why_not: str | None = None
    failure: str | None = None

    @property
    def label(self) -> str:
        """The row's name in a sentence: the layer if there are several, the variant, and the stage if it is one."""
        inside = f"{self.group} as " if self.group not in ("", WHOLE) else ""
        return f"{self.name} of {inside}{self.of}" if self.of else f"{inside}{self.name}"

    @property
    def macs(self) -> int:
        """Multiply-adds of one call."""
        return sum(stage.macs for stage in self.work)

    @property
    def traffic_bytes(self) -> int | None:
        """Bytes that one call moves if every tensor moves once; None where it is unknown."""
        return traffic_bytes(self.work)

    @property
    def intensity(self) -> Fraction | None:
        """FLOP per byte of all stages together."""
        return Work(name=self.name, macs=self.macs, traffic_bytes=self.traffic_bytes).intensity


def labels(rows: Sequence[Timed]) -> list[str]:
    """The labels of ``rows``, with the conditions in which they differ, and ``#2`` at a second one of the same name."""
    differing = varied([row.conditions for row in rows])
    times: Counter[str] = Counter()
    unique = []
    for row in rows:
        conditions = ", ".join(words(key, row.conditions) for key in differing)
        label = f"{row.label} ({conditions})" if conditions else row.label
        times[label] += 1
        unique.append(label if times[label] == 1 else f"{label} #{times[label]}")
    return unique


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Tabular):
    """One run: its rows, and everything that the numbers depend on.

    ``ceilings``: the known ceilings of the machine, by dtype. ``environment`` describes the machine and its libraries.
    ``void_rounds`` are left out: the clock stood still in them or stepped backwards.
    """

    _TABLES = "sepcalc.measure.tables:timing_tables"

    scope: Scope
    title: str
    rows: tuple[Timed, ...]
    plan: Plan
    environment: Mapping[str, Any] = field(default_factory=dict)
    ceilings: Mapping[str, Ceilings] = field(default_factory=dict)
    command: str = ""
    interrupted: bool = False
    clock_step_s: float = 0.0
    void_rounds: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A row with the verdict on it.

    ``word`` is one of :data:`sepcalc.measure.statistics.VerdictWord`, ``reference``, ``failed``, ``does not apply``, or
    empty for a part, which is compared with nothing; ``reason`` explains it. ``label`` is the row's name in a sentence.
    ``promised``: multiply-adds of the reference / the row's.
    """

    timed: Timed
    label: str
    word: str
    reason: str = ""
    summary: Summary | None = None
    ratio: PairedRatio | None = None
    promised: Fraction | None = None

    @property
    def believed(self) -> bool:
        """Whether the row's headline may be printed."""
        return self.word not in ("unreliable", "failed")

    @property
    def delivered(self) -> Fraction | None:
        """Measured / promised; None where either is unknown or not believed."""
        if self.ratio is None or not self.promised or not self.believed:
            return None
        return Fraction(self.ratio.value) / self.promised

    @property
    def macs_per_s(self) -> Fraction | None:
        """Multiply-adds per second at the median; None for backward passes, whose work is not counted."""
        if self.summary is None or self.timed.conditions.backward:
            return None
        return self.timed.macs / Fraction(self.summary.median_s)

    @property
    def launch_bound(self) -> bool:
        """Whether the host takes as long to hand the work over as the device to do it (CUDA alone)."""
        series = self.timed.series
        return bool(series and series.enqueue and median(series.enqueue) >= median(series.samples))


def judged(session: Session) -> tuple[Judged, ...]:
    """Every row of ``session`` with the verdict on it, in their order."""
    references: dict[tuple[str, Conditions], Timed] = {}
    for row in session.rows:
        if row.role == "body" and row.why_not is None:
            references.setdefault((row.group, row.conditions), row)
    return tuple(
        _judged(row, label, references.get((row.group, row.conditions), row), session.clock_step_s)
        for row, label in zip(session.rows, labels(session.rows), strict=True)
    )


def _judged(row: Timed, label: str, reference: Timed, clock_step_s: float) -> Judged:
    if row.why_not is not None:
        return Judged(timed=row, label=label, word="does not apply", reason=row.why_not)
    compares = row.role == "body"
    promised = Fraction(reference.macs, row.macs) if compares and row.macs else None
    if row.series is None:
        return Judged(timed=row, label=label, word="failed", reason=row.failure or "", promised=promised)
    ratio, reason = None, unsteadiness(row.series, clock_step_s=clock_step_s)
    word: str = "unreliable" if reason else "reference" if compares else ""
    if compares and reference.series is None:
        word, reason = "unreliable", f"{reference.label}, the reference, failed"
    elif compares and reference.series and reference is not row:
        ratio = paired_ratio(reference.series, row.series)
        verdict = judge(reference.series, row.series, ratio, clock_step_s=clock_step_s)
        word, reason = verdict.word, verdict.reason
    summary = summarize(row.series)
    return Judged(timed=row, label=label, word=word, reason=reason, summary=summary, ratio=ratio, promised=promised)


def doubtful(rows: Iterable[Judged]) -> Iterator[Judged]:
    """The rows whose headline is not printed: they failed or are unreliable."""
    return (row for row in rows if row.timed.role == "body" and not row.believed)
