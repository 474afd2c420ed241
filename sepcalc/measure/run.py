"""Groups of subjects are timed one after the other, and become the rows of a session.

PyTorch is behind a :class:`Bench`; tests have a bench with a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from time import perf_counter_ns
from typing import Any

from sepcalc.builders.prediction import Counted
from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Clock, Measurement, Plan, Sampler, State, measure
from sepcalc.measure.machine import Ceilings, load_ceilings, save_ceilings
from sepcalc.measure.session import Scope, Session, Timed, labels
from sepcalc.readers.inputs import Input

Progress = Callable[[str, int, int, State], None]
"""Is told the title of the group that is timed, its place, the number of groups, and how far the group is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A row to be timed: its inputs, its predicted counts for one example, and the function that makes its module."""

    row: Timed
    inputs: tuple[Input, ...]
    predicted: Counted
    module: Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Subjects that are timed in turns; a row without a subject says why it is not timed."""

    title: str
    entries: tuple[Subject | Timed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that a measurement asks of PyTorch.

    ``prepare`` checks a subject and returns its call under the conditions of its row. It raises :class:`SpecError` for
    a subject without a module, and another :class:`SepcalcError` for a module that differs from the prediction.
    ``held`` is the context around all calls, ``sampler`` times them, ``reason`` says in one line why one failed.
    """

    prepare: Callable[[Subject], Call]
    held: Callable[[Conditions], AbstractContextManager[None]]
    sampler: Callable[[Conditions], Sampler]
    environment: Callable[[Sequence[Conditions]], Mapping[str, Any]]
    ceilings: Callable[[Conditions], Ceilings]
    reason: Callable[[Exception], str]
    clock: Clock = perf_counter_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementSetup:
    """How a session is measured: under which conditions, how long, and on which bench.

    ``conditions`` are a grid: only those of :data:`sepcalc.measure.conditions.VARYING` differ. ``roofline`` measures
    the ceilings of the machine too, and the stages of each layer.
    """

    conditions: tuple[Conditions, ...] = (Conditions(),)
    plan: Plan = field(default_factory=Plan)
    roofline: bool = False
    bench: Bench
    progress: Progress = lambda title, done, planned, state: None
    command: str = ""


def run(
    scope: Scope, title: str, groups: Sequence[Group], setup: MeasurementSetup, notes: Sequence[str] = ()
) -> Session:
    """The session of ``groups``, timed one after the other; Ctrl-C ends it with the results so far.

    Raises :class:`SepcalcError` where a module differs from its counts.
    """
    bench, first = setup.bench, setup.conditions[0]
    environment = bench.environment(setup.conditions)
    rows: list[Timed] = []
    measurements: list[Measurement] = []
    ceilings: dict[str, Ceilings] = {}
    interrupted = False
    try:
        ceilings = _ceilings(environment, setup)
        with bench.held(first):
            for done, group in enumerate(groups):
                found, group_rows = _measured(group, setup, done, len(groups))
                measurements.append(found)
                rows += group_rows
                if found.interrupted:
                    break
    except KeyboardInterrupt:
        interrupted = True
    return Session(
        scope=scope,
        title=title,
        rows=tuple(rows),
        plan=setup.plan,
        environment=environment,
        ceilings=ceilings,
        command=setup.command,
        interrupted=interrupted or any(found.interrupted for found in measurements),
        clock_step_s=max((found.clock_step_s for found in measurements), default=0.0),
        void_rounds=sum(found.void_rounds for found in measurements),
        notes=tuple(notes),
    )


def _measured(group: Group, setup: MeasurementSetup, done: int, planned: int) -> tuple[Measurement, Iterator[Timed]]:
    """The measurement of a group, and its rows; after an interruption only those with samples."""
    bench, rows = setup.bench, [entry.row if isinstance(entry, Subject) else entry for entry in group.entries]
    labelled = list(zip(labels(rows), rows, group.entries, strict=True))
    ready = {key: _prepared(entry, bench) for key, _, entry in labelled if isinstance(entry, Subject)}
    found = measure(
        {key: call for key, call in ready.items() if not isinstance(call, str)},
        setup.plan,
        clock=bench.clock,
        sample=bench.sampler(setup.conditions[0]),
        watch=lambda state: setup.progress(group.title, done, planned, state),
        reason=bench.reason,
    )
    failures = {key: reason for key, reason in ready.items() if isinstance(reason, str)} | dict(found.failures)
    filled = (replace(row, series=found.series.get(key), failure=failures.get(key)) for key, row, _ in labelled)
    return found, (row for row in filled if row.series or row.failure or row.why_not or not found.interrupted)


def _prepared(subject: Subject, bench: Bench) -> Call | str:
    """The call of a subject, or why there is none. A module that differs from its counts ends the measurement."""
    try:
        return bench.prepare(subject)
    except SpecError as why:
        return str(why)
    except SepcalcError:
        raise
    except Exception as error:
        return bench.reason(error)


def _ceilings(environment: Mapping[str, Any], setup: MeasurementSetup) -> dict[str, Ceilings]:
    """The ceilings by dtype: the saved ones or, for a roofline, the higher of those and newly measured ones."""
    ceilings = {}
    for dtype, conditions in {conditions.dtype: conditions for conditions in setup.conditions}.items():
        known = load_ceilings(environment, conditions)
        if setup.roofline:
            new = setup.bench.ceilings(conditions)
            known = Ceilings(*map(max, known or new, new))
            save_ceilings(environment, conditions, known)
        if known:
            ceilings[dtype] = known
    return ceilings
