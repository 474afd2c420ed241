"""The tables of a measurement: a layer's, a network's, and several runs side by side.

What a headline depends on stands in the caption: machine, library, conditions, rounds, seed. A number that is not to be
believed is not printed as one: ``unreliable`` stands in its place, and a note says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

from sepcalc.cells import PER_SECOND, human
from sepcalc.measure_conditions import Conditions
from sepcalc.measure_machine import Ceilings
from sepcalc.measure_statistics import Summary
from sepcalc.network_report import some
from sepcalc.roofline import attainable_s, bound
from sepcalc.table import Cell, Column, Estimate, Kind, Row, Table, Unit
from sepcalc.timing import VARYING, WHOLE, Judged, Session, judged

MOST_REASONS = 5
"""Reasons that notes give for rows without a headline before they count the others."""

MOST_WORST = 3
"""Layers that a note names as those that fall furthest behind their promise."""

Figure = Callable[[Judged], Cell]

_SHOWN = ("minimum_s", "macs_per_s", "intensity", "bound", "roof_share")
"""Columns that a layer's table shows unasked beside the headline; those of a network are for those who ask."""


def timing_tables(session: Session) -> tuple[Table, ...]:
    """All tables of a session: one for a layer; for a network its layers, then the whole in each form."""
    rows = judged(session)
    if session.kind == "layer":
        return (_layer_table(session, rows),)
    inside = [each for each in rows if each.timed.group != WHOLE]
    return _layers_table(session, inside), _totals_table(session, rows)


def _layer_table(session: Session, rows: Sequence[Judged]) -> Table:
    unit = _unit(rows)
    figures = (
        (Column(key="variant", title="Variant"), lambda row: row.timed.name),
        *_grid(rows),
        *_figures(session, unit, _SHOWN),
    )
    return Table(
        name="measurement",
        title=session.title,
        columns=tuple(column for column, _ in figures),
        rows=tuple(_row(figures, each) for each in rows),
        caption=_caption(session, rows, unit),
        notes=(*_notes(session, rows), *_roof_notes(session, rows)),
    )


def _layers_table(session: Session, rows: Sequence[Judged]) -> Table:
    unit = _unit(rows)
    figures = (
        (Column(key="name", title="Layer"), lambda row: row.timed.group),
        (Column(key="variant", title="Variant"), lambda row: row.timed.name),
        (
            Column(
                key="layers",
                title="Layers",
                kind="count",
                rank=3,
                rule="Layers: how many of this shape there are; one was timed.",
            ),
            lambda row: row.timed.layers,
        ),
        *_grid(rows),
        *_figures(session, unit, ("bound", "roof_share")),
    )
    return Table(
        name="layers",
        title=f"{session.title}, layer by layer",
        columns=tuple(column for column, _ in figures),
        rows=tuple(_row(figures, each) for each in rows),
        caption=_caption(session, rows, unit),
        notes=(*_notes(session, rows), *_worst(rows)),
    )


def _totals_table(session: Session, rows: Sequence[Judged]) -> Table:
    whole = [each for each in rows if each.timed.group == WHOLE]
    sums = _Sums(rows=[each for each in rows if each.timed.group != WHOLE])
    shown = whole or list(sums.stand_ins())
    unit = _unit(whole) if whole else _unit(rows)
    figures = (
        (Column(key="variant", title="Variant"), lambda row: row.timed.name),
        *_grid(shown),
        *(_figures(session, unit, ()) if whole else ()),
        *sums.figures(unit, beside_whole=bool(whole)),
    )
    return Table(
        name="totals",
        title=f"{session.title}, the whole in each form" if whole else f"{session.title}, the sum of its layers",
        columns=tuple(column for column, _ in figures),
        rows=tuple(_row(figures, each) for each in shown),
        caption=_caption(session, whole or rows, unit),
        notes=tuple(_notes(session, whole)) if whole else (),
    )


def _row(figures: Iterable[tuple[Column, Figure]], each: Judged) -> Row:
    return Row(cells=tuple(figure(each) for _, figure in figures), role=each.timed.role)


def _unit(rows: Sequence[Judged]) -> Unit:
    """The unit of the middle time: the largest in which it is at least one."""
    times = [each.summary.median_s for each in rows if each.summary]
    middle = median(times) if times else 1
    return next((unit for unit, count in PER_SECOND.items() if middle * count >= 1), "ns")


_GRID: Mapping[str, tuple[str, Kind]] = {
    "dtype": ("dtype", "text"),
    "batch": ("Batch", "count"),
    "memory_format": ("Memory format", "text"),
}


def _grid(rows: Sequence[Judged]) -> Iterator[tuple[Column, Figure]]:
    """A column for each condition that differs between the rows."""
    for key, value in VARYING.items():
        if len({value(each.timed.conditions) for each in rows}) > 1:
            title, kind = _GRID[key]
            yield Column(key=key, title=title, kind=kind, rank=1), _condition(value)


def _condition(value: Callable[[Conditions], str | int]) -> Figure:
    return lambda row: value(row.timed.conditions)


def _figures(session: Session, unit: Unit, shown: Sequence[str]) -> tuple[tuple[Column, Figure], ...]:
    """The columns that every table of times has, with the figures that they show."""
    moved = "FLOP/byte: each tensor of each stage moved once."
    roof = "Bound: the ceiling of this machine that is met first. Roof: the time that it allows / the median."

    def time(key: str, title: str, rank: int, *, interval: bool = False) -> Column:
        title = f"{title} ({unit})"
        return Column(key=key, title=title, kind="time", unit=unit, rank=rank, interval=interval)

    def extra(key: str, title: str, kind: Kind = "count", rank: int = 9, rule: str = "") -> Column:
        return Column(key=key, title=title, kind=kind, rank=rank, rule=rule, extra=key not in shown)

    figures: list[tuple[Column, Figure]] = [
        (time("median_s", "Median", 2, interval=True), _of_summary(_median)),
        (replace(time("minimum_s", "Min", 5), extra="minimum_s" not in shown),
         _of_summary(lambda found: Fraction(found.minimum_s))),
        (Column(key="speedup", title="Speed-up", kind="reduction", rank=1, interval=True,
                rule="Speed-up: time of the reference / the row's, the median over rounds with its 95 % interval."),
         _speedup),
        (Column(key="promised", title="Promised", kind="reduction", rank=1,
                rule="Promised: MACs of the reference / the row's."), _of_body(lambda row: row.promised)),
        (Column(key="delivered", title="Delivered", kind="share", rank=3, rule="Delivered: speed-up / promised."),
         _of_body(lambda row: row.delivered)),
        (extra("macs_per_s", "MAC/s", "rate", 6), lambda row: row.macs_per_s),
        (extra("intensity", "FLOP/byte", "quotient", 7, moved), lambda row: row.timed.intensity),
        (extra("bound", "Bound", "text", 4, roof), lambda row: _bound(session, row)),
        (extra("roof_share", "Roof", "share", 4, roof), lambda row: _roof_share(session, row)),
        (Column(key="verdict", title="Verdict", rank=1), lambda row: row.word),
        (extra("n", "Rounds"), _of_summary(lambda found: found.n)),
        (extra("inner", "Calls per sample"), _of_summary(lambda found: found.inner)),
        (extra("outliers", "Outliers"), _of_summary(lambda found: found.outliers)),
        (extra("spread", "Spread", "share", rule="Spread: median / minimum - 1."),
         _of_summary(lambda found: Fraction(found.spread))),
        (extra("of_minima", "Ratio of minima", "reduction"), lambda row: Fraction(row.ratio.of_minima) if row.ratio else None),
        (extra("params", "Params"), lambda row: row.timed.params),
        (extra("macs", "MACs"), lambda row: row.timed.macs if row.timed.work else None),
        (extra("traffic_bytes", "Traffic", "bytes"), lambda row: row.timed.traffic_bytes),
        (extra("reason", "Reason", "text"), lambda row: row.reason),
    ]  # fmt: skip
    return tuple((column, figure) for column, figure in figures if _is_known(session, column.key))


def _is_known(session: Session, key: str) -> bool:
    """Whether there is anything to show: counts are those of a forward pass, and not every machine has ceilings."""
    if key in ("macs_per_s", "intensity", "bound", "roof_share"):
        forward = not any(row.conditions.backward for row in session.rows)
        return forward and (key in ("macs_per_s", "intensity") or bool(session.ceilings))
    return True


def _of_body(figure: Figure) -> Figure:
    """A figure that compares, which a part has not."""
    return lambda row: "" if row.timed.role == "part" else figure(row)


def _of_summary(figure: Callable[[Summary], Cell]) -> Figure:
    """A figure of the times, which are not always there."""
    return lambda row: None if row.summary is None else figure(row.summary)


def _median(found: Summary) -> Estimate:
    return Estimate(value=Fraction(found.median_s), low=Fraction(found.q1_s), high=Fraction(found.q3_s))


def _speedup(row: Judged) -> Cell:
    if row.timed.role == "part":
        return ""
    if row.word == "unreliable":
        return row.word
    if row.ratio is None:
        return Fraction(1) if row.summary else None
    return Estimate(value=Fraction(row.ratio.value), low=Fraction(row.ratio.low), high=Fraction(row.ratio.high))


def _ceilings(session: Session, row: Judged) -> Ceilings | None:
    return session.ceilings.get(row.timed.conditions.dtype)


def _bound(session: Session, row: Judged) -> Cell:
    ceilings = _ceilings(session, row)
    return ceilings and bound(row.timed.work, ceilings)


def _roof_share(session: Session, row: Judged) -> Fraction | None:
    ceilings = _ceilings(session, row)
    least = ceilings and attainable_s(row.timed.work, ceilings)
    return Fraction(least) / Fraction(row.summary.median_s) if least and row.summary else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sums:
    """The layers of a network added up, one time for each form of the whole."""

    rows: Sequence[Judged]

    def figures(self, unit: Unit, *, beside_whole: bool) -> Iterator[tuple[Column, Figure]]:
        """The sum of the layers and, beside the whole, what the whole takes more."""
        rule = "Layers: the convertible layers alone, each median as often as it occurs."
        column = Column(key="layers_s", title=f"Layers ({unit})", kind="time", unit=unit, rank=3, rule=rule)
        yield column, lambda row: self.seconds(row.timed.name, row.timed.conditions)
        if beside_whole:
            rule = "Rest: the whole without these layers."
            column = Column(key="rest_s", title=f"Rest ({unit})", kind="time", unit=unit, rank=3, rule=rule)
            yield column, self._rest
            return
        column = Column(key="layers_speedup", title="Speed-up", kind="reduction", rank=1)
        yield replace(column, rule="Speed-up: sum of the reference / the row's."), self._speedup
        column = Column(key="promised", title="Promised", kind="reduction", rank=1)
        yield replace(column, rule="Promised: MACs of the reference / the row's."), self._promised

    def stand_ins(self) -> Iterator[Judged]:
        """A row for each form in which layers were timed, where there is no whole."""
        forms = {(each.timed.name, each.timed.conditions): each for each in self._bodies}
        for each in forms.values():
            yield replace(each, timed=replace(each.timed, series=None), summary=None)

    @property
    def _bodies(self) -> Iterator[Judged]:
        return (each for each in self.rows if each.timed.role == "body")

    def _chosen(self, name: str, conditions: Conditions) -> list[Judged]:
        """The row of each layer in the form called ``name``: as written where it has no such form."""
        layers: dict[str, Judged] = {}
        for each in self._bodies:
            timed = each.timed
            is_it = timed.name == name
            if timed.conditions == conditions and (is_it or (timed.as_written and timed.group not in layers)):
                layers[timed.group] = each
        return list(layers.values())

    def seconds(self, name: str, conditions: Conditions) -> Fraction | None:
        """The sum for one form of the whole; None where a layer could not be timed."""
        wanted = self._chosen(name, conditions)
        times = [Fraction(each.summary.median_s) * each.timed.layers for each in wanted if each.summary]
        return sum(times, Fraction(0)) if times and len(times) == len(wanted) else None

    def _rest(self, row: Judged) -> Cell:
        inside = self.seconds(row.timed.name, row.timed.conditions)
        return None if inside is None or row.summary is None else Fraction(row.summary.median_s) - inside

    def _first(self, row: Judged) -> str:
        return next(each.timed.name for each in self._bodies if each.timed.conditions == row.timed.conditions)

    def _speedup(self, row: Judged) -> Cell:
        first = self.seconds(self._first(row), row.timed.conditions)
        mine = self.seconds(row.timed.name, row.timed.conditions)
        return first / mine if first and mine else None

    def _promised(self, row: Judged) -> Cell:
        macs = [
            sum(each.timed.macs * each.timed.layers for each in self._chosen(name, row.timed.conditions))
            for name in (self._first(row), row.timed.name)
        ]
        return Fraction(macs[0], macs[1]) if macs[1] else None


def _caption(session: Session, rows: Sequence[Judged], unit: Unit) -> str:
    """What travels with every number: how it was measured, on what, and under which conditions."""
    rounds = sorted({each.summary.n for each in rows if each.summary}) or [0]
    several = f"{rounds[0]:,}" if len(rounds) == 1 else f"{rounds[0]:,} to {rounds[-1]:,}"
    plan = f"{several} rounds in random order, seed {session.plan.seed}"
    taken = f"Median [quartiles] of {plan}; {unit} per call, the unit of the middle time."
    return f"{taken} {', '.join(_circumstances(session))}."


def _circumstances(session: Session) -> Iterator[str]:
    """The machine, the library, and the conditions that all rows share."""
    environment = session.environment
    first = session.rows[0].conditions if session.rows else Conditions()
    yield str(environment.get("gpu") or environment.get("cpu") or "unknown processor")
    if first.device == "cpu":
        yield f"{first.threads} thread{'s' * (first.threads != 1)}"
    if "torch" in environment:
        yield f"torch {environment['torch']}"
    for key, value in VARYING.items():
        if len({value(row.conditions) for row in session.rows}) == 1:
            yield f"batch {value(first)}" if key == "batch" else f"{value(first)}"
    yield f"{first.cache} cache"
    yield from (word for word, given in _SWITCHES.items() if given(first))


_SWITCHES: Mapping[str, Callable[[Conditions], bool]] = {
    "compiled": lambda each: each.compile,
    "forward and backward": lambda each: each.backward,
}


def _notes(session: Session, rows: Sequence[Judged]) -> Iterator[str]:
    """What a reader has to know about single rows, and about the run."""
    if session.interrupted:
        yield "Interrupted: this is what there was by then."
    for each in rows:
        if each.word in ("failed", "does not apply"):
            yield f"{each.label} {each.word}{f': {each.reason}' if each.reason else ''}."
    reasons = list(dict.fromkeys(each.reason for each in rows if each.word == "unreliable"))
    yield from (f"Unreliable: {reason}." for reason in reasons[:MOST_REASONS])
    if len(reasons) > MOST_REASONS:
        yield f"Unreliable for {len(reasons) - MOST_REASONS:,} more reasons; --columns all shows each."
    if starved := [each.label for each in rows if each.launch_bound]:
        yield f"Launch-bound, the host takes as long to start it as the device to run it: {some(starved)}."
    if session.void_rounds:
        yield f"{session.void_rounds:,} rounds are left out: the clock stood still in them or stepped backwards."
    yield from session.notes


def _worst(rows: Sequence[Judged]) -> Iterator[str]:
    """The layers that fall furthest behind what was promised."""
    behind = [each for each in rows if each.delivered is not None and each.promised and each.promised > 1]
    behind = sorted(behind, key=lambda each: each.delivered or 0)[:MOST_WORST]
    if behind:
        share = Column(key="delivered", title="", kind="share")
        times = Column(key="promised", title="", kind="reduction")
        each = [f"{row.label} ({human(row.delivered, share)} of {human(row.promised, times)})" for row in behind]
        yield f"Furthest behind the promise: {'; '.join(each)}."


def _roof_notes(session: Session, rows: Sequence[Judged]) -> Iterator[str]:
    """Why a stage takes its time, in words."""
    flops, share = Column(key="intensity", title="", kind="quotient"), Column(key="roof", title="", kind="share")
    for each in rows:
        found, part = _bound(session, each), _roof_share(session, each)
        if each.timed.role == "part" and found and part is not None:
            intensity, reached = human(each.timed.intensity, flops), human(part, share)
            yield f"{each.label}: {intensity} FLOP/byte, {found}-bound, at {reached} of its roof."
