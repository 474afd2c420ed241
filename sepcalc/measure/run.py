"""Groups of subjects are timed one after the other, and become the rows of a session.

PyTorch is behind a :class:`Bench`; a test brings one with a clock of its own.
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
"""Is told the title of the group that is timed, its place among so many groups, and how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something to time: its row, its inputs, what is predicted of it for one example, and its module."""

    row: Timed
    inputs: tuple[Input, ...]
    predicted: Counted
    module: Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What is timed together, in turns; a row without a subject says why it is not timed."""

    title: str
    entries: tuple[Subject | Timed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Everything that a measurement asks of PyTorch.

    ``prepare`` checks a subject and makes it ready to be called under the conditions of its row. It raises
    :class:`SpecError` for a subject without a module, and another :class:`SepcalcError` for a module that differs from
    the prediction. ``held`` holds what all candidates share, ``sampler`` times their calls, ``reason`` says in one line
    why a call failed.
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

    ``conditions`` are a grid: they share all but those of :data:`sepcalc.measure.conditions.VARYING`. ``roofline``
    measures the ceilings of the machine, and the stages of each layer beside it.
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

    Raises :class:`SepcalcError` where a module differs from what was counted.
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
    keys = labels(rows)
    subjects = {key: entry for key, entry in zip(keys, group.entries, strict=True) if isinstance(entry, Subject)}
    ready = {key: _prepared(subject, bench) for key, subject in subjects.items()}
    found = measure(
        {key: call for key, call in ready.items() if not isinstance(call, str)},
        setup.plan,
        clock=bench.clock,
        sample=bench.sampler(setup.conditions[0]),
        watch=lambda state: setup.progress(group.title, done, planned, state),
        reason=bench.reason,
    )
    failures = {key: reason for key, reason in ready.items() if isinstance(reason, str)} | dict(found.failures)
    filled = (
        replace(row, series=found.series.get(key), failure=failures.get(key))
        for key, row in zip(keys, rows, strict=True)
    )
    return found, (row for row in filled if row.series or row.failure or row.why_not or not found.interrupted)


def _prepared(subject: Subject, bench: Bench) -> Call | str:
    """The subject ready to be called, or why it cannot be; a module that differs from its count ends everything."""
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
    for conditions in {one.dtype: one for one in setup.conditions}.values():
        known = load_ceilings(environment, conditions)
        if setup.roofline:
            new = setup.bench.ceilings(conditions)
            known = Ceilings(*map(max, known or new, new))
            save_ceilings(environment, conditions, known)
        if known:
            ceilings[conditions.dtype] = known
    return ceilings
