"""The tables of a measurement: a layer's; a network's layers, and the whole.

What a headline depends on stands in the caption: machine, library, conditions, rounds, seed. Notes say which numbers
are not to be believed, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sepcalc.core.table import Column, Row, Table, first_few
from sepcalc.measure.columns import Figure, bound_of, grid_columns, roof_share, time_unit, timing_columns
from sepcalc.measure.conditions import Conditions, shared_words
from sepcalc.measure.session import WHOLE, Judged, Session, judged
from sepcalc.measure.sums import Sums
from sepcalc.render.cells import human

MOST_REASONS = 3
"""Reasons of one kind that notes give for rows without a headline before they count the others."""

MOST_STAGES = 6
"""Stages of which notes say what bounds them before they count the others: enough for the default variants."""

MOST_WORST = 3
"""Layers that a note names as those that fall furthest behind their promise."""

_SHOWN = ("minimum_s", "macs_per_s", "intensity", "bound", "roof_share")
_SHOWN_OF_LAYERS = ("bound", "roof_share")
"""Columns that are there unasked beside the headline, of one layer and of the layers of a network."""

_VARIANT: tuple[Column, Figure] = (Column(key="variant", title="Variant"), lambda row: row.timed.name)


def timing_tables(session: Session) -> tuple[Table, ...]:
    """All tables of a session: one for a layer; for a network its layers, then the whole in each form."""
    rows = judged(session)
    if session.scope == "layer":
        return (_layer_table(session, rows),)
    inside = [each for each in rows if each.timed.group != WHOLE]
    whole = [each for each in rows if each.timed.group == WHOLE]
    return _layers_table(session, inside), _totals_table(session, whole, inside)


def _layer_table(session: Session, rows: Sequence[Judged]) -> Table:
    unit = time_unit(rows)
    figures = (_VARIANT, *grid_columns(rows), *timing_columns(session, unit, _SHOWN))
    notes = (*cautions(session, rows), *session.notes, *_roof_notes(session, rows))
    return _drawn("measurement", session.title, figures, rows, _caption(session, rows), notes)


def _layers_table(session: Session, rows: Sequence[Judged]) -> Table:
    unit = time_unit(rows)
    rule = "Layers: how many of this shape there are; one was timed."
    figures = (
        (Column(key="name", title="Layer"), lambda row: row.timed.group),
        _VARIANT,
        (Column(key="layers", title="Layers", kind="count", rank=3, rule=rule), lambda row: row.timed.layers),
        *grid_columns(rows),
        *timing_columns(session, unit, _SHOWN_OF_LAYERS),
    )
    notes = (*cautions(session, rows), *_worst(rows))
    return _drawn("layers", f"{session.title}, layer by layer", figures, rows, _caption(session, rows), notes)


def _totals_table(session: Session, whole: Sequence[Judged], inside: Sequence[Judged]) -> Table:
    """The whole in each form beside the sum of its layers, or the sum alone where there is no whole."""
    sums = Sums(rows=inside)
    rows = whole or list(sums.stand_ins())
    unit = time_unit(whole or inside)
    times = timing_columns(session, unit, ()) if whole else ()
    figures = (_VARIANT, *grid_columns(rows), *times, *sums.figures(unit, beside_whole=bool(whole)))
    title = f"{session.title}, {'the whole in each form' if whole else 'the sum of its layers'}"
    notes = (*cautions(session, whole), *session.notes)
    return _drawn("totals", title, figures, rows, _caption(session, whole or inside), notes)


def _drawn(
    name: str,
    title: str,
    figures: Sequence[tuple[Column, Figure]],
    rows: Iterable[Judged],
    caption: str,
    notes: Iterable[str],
) -> Table:
    """A table of ``rows`` with the columns of ``figures``."""
    return Table(
        name=name,
        title=title,
        columns=tuple(column for column, _ in figures),
        rows=tuple(Row(cells=tuple(figure(each) for _, figure in figures), role=each.timed.role) for each in rows),
        caption=caption,
        notes=tuple(notes),
    )


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
        found, part = bound_of(session, each), roof_share(session, each)
        if each.timed.role == "part" and each.believed and found and part is not None:
            intensity, reached = human(each.timed.intensity, flops), human(part, share)
            yield f"{each.label}: {intensity} FLOP/byte, {found}-bound, at {reached} of its roof."
