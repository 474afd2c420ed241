"""Subjects under the clock: whatever is to be timed becomes rows with samples, a group after the other.

What PyTorch has to do with it is behind a :class:`Bench`, which a test replaces by one with a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from time import perf_counter_ns
from typing import Any

from sepcalc.builders.prediction import Counted
from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Candidate, Clock, Measurement, Plan, Sampler, State, measure
from sepcalc.measure.machine import Ceilings, load_ceilings, save_ceilings
from sepcalc.measure.session import Scope, Session, Timed, labels
from sepcalc.readers.inputs import Input

Progress = Callable[[str, int, int, State], None]
"""Is told what is being timed, which of how many groups that is, and how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something to be timed: its row, what it reads, what is predicted of it for one example, and its module."""

    row: Timed
    inputs: tuple[Input, ...]
    predicted: Counted
    module: Callable[[], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What is timed together, in turns; a row without a subject is there to say why it is not timed."""

    title: str
    entries: tuple[Subject | Timed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """All that a measurement asks of PyTorch.

    ``prepare`` makes a subject ready to be called under the conditions of its row, once it was checked; it raises
    :class:`SpecError` for what has no module, and another :class:`SepcalcError` where the module is not what was
    predicted. ``held`` holds what all candidates share, ``sampler`` times their calls. ``reason`` says in one line why
    a call failed.
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
    """How a session is measured: under which conditions, how long, and with what.

    ``conditions`` are those of a grid, which share device, threads, cache and the like. ``roofline`` measures the
    ceilings of the machine, and the stages of each layer beside it.
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
    """Time ``groups`` one after the other. Ctrl-C ends it with what there is by then.

    Raises :class:`SepcalcError` where a module is not what was counted.
    """
    bench, first = setup.bench, setup.conditions[0]
    environment = bench.environment(setup.conditions)
    results: list[_Result] = []
    ceilings: dict[str, Ceilings] = {}
    interrupted = False
    try:
        ceilings = _ceilings(environment, setup)
        with bench.held(first):
            for done, group in enumerate(groups):
                results.append(_measured(group, setup, done, len(groups)))
                if results[-1].measurement.interrupted:
                    break
    except KeyboardInterrupt:
        interrupted = True
    found = [each.measurement for each in results]
    return Session(
        scope=scope,
        title=title,
        rows=tuple(row for each in results for row in each.rows),
        plan=setup.plan,
        environment=environment,
        ceilings=ceilings,
        command=setup.command,
        interrupted=interrupted or any(each.interrupted for each in found),
        clock_step_s=max((each.clock_step_s for each in found), default=0.0),
        void_rounds=sum(each.void_rounds for each in found),
        notes=tuple(notes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    rows: tuple[Timed, ...]
    measurement: Measurement


def _measured(group: Group, setup: MeasurementSetup, done: int, planned: int) -> _Result:
    """The rows of a group with their samples; where it was interrupted, those that have some."""
    bench, rows = setup.bench, [each.row if isinstance(each, Subject) else each for each in group.entries]
    keys = labels(rows)
    subjects = {key: each for key, each in zip(keys, group.entries, strict=True) if isinstance(each, Subject)}
    ready = {key: _prepared(each, bench) for key, each in subjects.items()}
    found = measure(
        [Candidate(key=key, call=call) for key, call in ready.items() if not isinstance(call, str)],
        setup.plan,
        clock=bench.clock,
        sample=bench.sampler(setup.conditions[0]),
        watch=lambda state: setup.progress(group.title, done, planned, state),
        reason=bench.reason,
    )
    failures = {key: why for key, why in ready.items() if isinstance(why, str)}
    failures |= {each.key: each.reason for each in found.failures}
    series = {each.key: each for each in found.series}
    filled = (
        replace(row, series=series.get(key), failure=failures.get(key)) for key, row in zip(keys, rows, strict=True)
    )
    there = (row for row in filled if row.series or row.failure or row.why_not or not found.interrupted)
    return _Result(rows=tuple(there), measurement=found)


def _prepared(subject: Subject, bench: Bench) -> Call | str:
    """The subject ready to be called, or why it cannot be; a module that is not what was counted ends it all."""
    try:
        return bench.prepare(subject)
    except SpecError as why:
        return str(why)
    except SepcalcError:
        raise
    except Exception as error:
        return bench.reason(error)


def _ceilings(environment: Mapping[str, Any], setup: MeasurementSetup) -> dict[str, Ceilings]:
    """The ceilings by dtype: those that are kept, and new ones where the roofline is wanted and they are higher."""
    found = {}
    for conditions in {each.dtype: each for each in setup.conditions}.values():
        known = load_ceilings(environment, conditions)
        if setup.roofline:
            new = setup.bench.ceilings(conditions)
            known = Ceilings(*map(max, known or new, new))
            save_ceilings(environment, conditions, known)
        if known:
            found[conditions.dtype] = known
    return found
