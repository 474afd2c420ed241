"""The loop that takes the samples, of anything that can be called; clock, sampler and chance are arguments.

Every round takes one sample of every candidate, in random order, so that a disturbance of the machine falls on all
alike. A sample is the time of ``inner`` calls in a row, long enough for the clock; it is stored in seconds per call.
No sample is dropped for being slow.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, pairwise, repeat
from math import ceil, inf
from random import Random
from statistics import median
from time import perf_counter_ns
from typing import Literal, NamedTuple, TypeVar

from sepcalc.core.errors import SepcalcError
from sepcalc.core.runtime import paused

T = TypeVar("T")

SPARE = 1.25
"""How many times the least time a sample is planned to last: a machine may speed up after the warm-up."""

MOST_CALLS = 1_000_000
"""A clock that does not move in so many calls stands still."""

Clock = Callable[[], int]
"""The time in nanoseconds, from any starting point."""

Call = Callable[[], object]
"""One run of a candidate."""


class Sample(NamedTuple):
    """The time of calls in a row: in all, and until the last was handed to the device (CUDA alone)."""

    seconds: float
    enqueue_s: float | None = None


Pending = Callable[[], Sample]
"""A sample that may still be running on a device. Once the round is over, a call waits for it."""

Sampler = Callable[[Call, int, Clock], Pending]
"""Runs a number of calls in a row, and times them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long to measure: at least ``rounds``, then more until all rounds together took ``time_s``.

    Each candidate is warmed up for at least ``warmup_s`` and ``warmup_calls``. A sample lasts at least ``least_s``.
    ``seed`` decides the order within the rounds. Raises :class:`SepcalcError` for numbers out of range.
    """

    rounds: int = 30
    time_s: float = 2.0
    warmup_s: float = 0.3
    warmup_calls: int = 3
    least_s: float = 1e-3
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in {"rounds": 1, "time_s": 0, "warmup_s": 0, "warmup_calls": 1, "least_s": 0}.items():
            value = getattr(self, name)
            if not least <= value < inf:
                raise SepcalcError(f"{name} must be a number from {least} up, got {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The samples of one candidate by round, in seconds per call; each is of ``inner`` calls.

    ``enqueue``: the seconds per call that the host took to hand the work over; empty without a device.
    """

    inner: int
    samples: tuple[float, ...]
    enqueue: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """The result by candidate: a series, or the reason of its failure. All series are of the same ``rounds``.

    After an interruption by Ctrl-C the series hold the complete rounds so far, if any. ``void_rounds`` are left out:
    the clock stood still in them or stepped backwards. ``clock_step_s`` is the smallest step seen of the clock.
    """

    series: Mapping[str, Series]
    failures: Mapping[str, str] = field(default_factory=dict)
    void_rounds: int = 0
    interrupted: bool = False
    clock_step_s: float = 0.0

    @property
    def rounds(self) -> int:
        """How many rounds were completed."""
        return next((len(series.samples) for series in self.series.values()), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a measurement is, between two rounds.

    ``done`` and ``planned`` count candidates in the warm-up, and then rounds, which took ``spent_s`` so far.
    ``samples`` are in seconds per call.
    """

    phase: Literal["warm-up", "rounds"]
    done: int
    planned: int
    spent_s: float = 0.0
    planned_s: float = 0.0
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of this phase that is done, from 0 to 1.

        >>> State(phase="rounds", done=15, planned=30, spent_s=1.5, planned_s=2.0).share
        0.5
        """
        shares = [self.done / self.planned] if self.planned else []
        shares += [self.spent_s / self.planned_s] if self.planned_s else []
        return min([1.0, *shares])

    @property
    def medians(self) -> dict[str, float]:
        """The median time per call of each candidate so far, in seconds."""
        return {key: median(samples) for key, samples in self.samples.items() if samples}


def on_host(call: Call, inner: int, clock: Clock) -> Pending:
    """A sample by the host's clock, for calls that return when their work is done.

    >>> readings = iter([0, 5_000_000])
    >>> on_host(lambda: None, 10, lambda: next(readings))()
    Sample(seconds=0.005, enqueue_s=None)
    """
    calls = repeat(None, inner)
    start = clock()
    for _ in calls:
        call()
    sample = Sample((clock() - start) / 1e9)
    return lambda: sample


def first_line(error: Exception) -> str:
    r"""The first line of an error's message, or the name of its type where it has none.

    >>> first_line(ValueError("too large\nby far")), first_line(MemoryError())
    ('too large', 'MemoryError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def measure(
    candidates: Mapping[str, Call],
    plan: Plan,
    *,
    clock: Clock = perf_counter_ns,
    sample: Sampler = on_host,
    rng: Random | None = None,
    watch: Callable[[State], None] = lambda state: None,
    reason: Callable[[Exception], str] = first_line,
) -> Measurement:
    """The measurement of ``candidates``: in turns, each round in a new random order, without the garbage collector.

    ``watch`` is told the state between rounds. A candidate that raises an :class:`Exception` fails with its ``reason``,
    and the others go on. A :class:`KeyboardInterrupt` ends the measurement with the results so far.

    >>> found = measure({"nothing": lambda: None}, Plan(rounds=3, time_s=0, warmup_s=0))
    >>> found.rounds, list(found.series), found.failures, found.interrupted
    (3, ['nothing'], {}, False)
    """
    loop = _Loop(plan=plan, clock=clock, sample=sample, watch=watch, reason=reason)
    clock_step_s = _clock_step_s(clock)
    interrupted = False
    try:
        with paused():
            # A sample lasts longer with a coarse clock, as far as the plan has the time.
            loop.warm_up(candidates, max(plan.least_s, min(1000 * clock_step_s, plan.time_s / plan.rounds)))
            loop.take_rounds(rng or Random(plan.seed))  # noqa: S311 - nobody is to be deceived
    except KeyboardInterrupt:
        interrupted = True
    return Measurement(
        series=loop.series(),
        failures=loop.failures,
        void_rounds=loop.void_rounds,
        interrupted=interrupted,
        clock_step_s=clock_step_s,
    )


@dataclass(slots=True, kw_only=True)
class _Loop:
    """A measurement under way; its results so far outlast any end."""

    plan: Plan
    clock: Clock
    sample: Sampler
    watch: Callable[[State], None]
    reason: Callable[[Exception], str]
    ready: dict[str, tuple[Call, int]] = field(default_factory=dict)
    samples: dict[str, list[float]] = field(default_factory=dict)
    enqueue: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    rounds: int = 0
    void_rounds: int = 0
    spent_s: float = 0.0

    def warm_up(self, candidates: Mapping[str, Call], least_s: float) -> None:
        """Warm each candidate up; it is then ready with the number of its inner calls, unless it failed."""
        for done, (key, call) in enumerate(candidates.items()):
            self.watch(State(phase="warm-up", done=done, planned=len(candidates)))
            inner = self._attempt(key, partial(_warm_up, call, self.plan, least_s, self.sample, self.clock))
            if inner is not None:
                self.ready[key] = call, inner
                self.samples[key], self.enqueue[key] = [], []

    def take_rounds(self, rng: Random) -> None:
        """Take the planned rounds, then more until the time is spent."""
        while self.ready and self._goes_on():
            self.watch(self._state())
            gc.collect(1)  # only the young generations, which hold the garbage of calls
            order = list(self.ready)
            rng.shuffle(order)
            start = self.clock()
            self._record(self._round(order))
            self.spent_s += max(0.0, (self.clock() - start) / 1e9)

    def _goes_on(self) -> bool:
        """Whether another round is due; none is where too many rounds are void."""
        is_due = self.rounds < self.plan.rounds or self.spent_s < self.plan.time_s
        return is_due and self.void_rounds <= self.rounds + self.plan.rounds

    def _state(self) -> State:
        return State(
            phase="rounds",
            done=self.rounds,
            planned=self.plan.rounds,
            spent_s=self.spent_s,
            planned_s=self.plan.time_s,
            samples=self.samples,
        )

    def _round(self, order: Sequence[str]) -> dict[str, Sample]:
        """One sample of each candidate that does not fail, in this order."""
        begun = {key: self._attempt(key, partial(self.sample, *self.ready[key], self.clock)) for key in order}
        samples = {key: self._attempt(key, pending) for key, pending in begun.items() if pending is not None}
        return {key: sample for key, sample in samples.items() if sample is not None}

    def _record(self, samples: Mapping[str, Sample]) -> None:
        if any(sample.seconds <= 0 for sample in samples.values()):
            self.void_rounds += 1
            return
        for key, sample in samples.items():
            _, inner = self.ready[key]
            self.samples[key].append(sample.seconds / inner)
            if sample.enqueue_s is not None:
                self.enqueue[key].append(sample.enqueue_s / inner)
        self.rounds += 1

    def _attempt(self, key: str, step: Callable[[], T]) -> T | None:
        """The result of ``step``; None where it raises, and the candidate has failed."""
        try:
            return step()
        except Exception as error:
            self.ready.pop(key, None)
            self.samples.pop(key, None)
            self.failures[key] = self.reason(error)
            return None

    def series(self) -> dict[str, Series]:
        """The samples of each candidate that did not fail, if a round was completed."""
        whole = slice(self.rounds)  # an interruption may come between two candidates of one round
        series = {
            key: Series(inner=inner, samples=tuple(self.samples[key][whole]), enqueue=tuple(self.enqueue[key][whole]))
            for key, (_, inner) in self.ready.items()
        }
        return series if self.rounds else {}


def _warm_up(call: Call, plan: Plan, least_s: float, sample: Sampler, clock: Clock) -> int:
    """How many calls a sample of ``least_s`` needs: ``call`` runs once, twice, four times, … until it is warm.

    The quickest batch decides: delays only add, and a first call may compile something.
    """
    spent_s, calls, batch, inner = 0.0, 0, 1, 1
    while True:
        start = clock()
        seconds = sample(call, batch, clock)().seconds
        spent_s += max(0.0, (clock() - start) / 1e9)
        calls += batch
        if seconds > 0:
            inner = max(inner, ceil(batch * SPARE * least_s / seconds))
        elif batch > MOST_CALLS:
            raise SepcalcError(f"the clock stood still during {batch:,} calls")
        if calls >= plan.warmup_calls and spent_s >= plan.warmup_s and seconds >= least_s:
            return inner
        batch *= 2


def _clock_step_s(clock: Clock) -> float:
    """The smallest of 20 steps of the clock: its resolution, or the time of reading it if that is more."""
    readings = pairwise(clock() for _ in range(MOST_CALLS))
    return min(islice((now - last for last, now in readings if now > last), 20), default=0) / 1e9
