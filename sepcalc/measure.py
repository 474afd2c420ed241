"""Timing that can be believed: the loop that takes the samples, for anything that can be called.

Every round takes one sample of every candidate, in random order, so that whatever else the machine does falls on
all of them alike: the candidates' times pair up round by round, and it is the ratios of these pairs that
:mod:`sepcalc.measure_statistics` judges. A sample is the time of ``inner`` calls in a row, long enough for
the clock; what is kept is its share per call, in seconds. Nothing that was measured is dropped.

Clock, way to run, and chance are arguments: nothing here knows of torch, and a test brings a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from time import perf_counter_ns
from typing import Literal, NamedTuple

Clock = Callable[[], int]
"""What time it is, in nanoseconds since some moment in the past."""

Call = Callable[[], object]
"""One run of what is timed."""

Phase = Literal["warm-up", "rounds"]


class Sample(NamedTuple):
    """What some calls in a row took: all together, and until the last was handed to the device (CUDA alone)."""

    seconds: float
    enqueue_s: float | None = None


Pending = Callable[[], Sample]
"""A sample that may still be running on a device: asked for once the round is over, it waits for the device."""

Run = Callable[[Call, int, Clock], Pending]
"""Carries out so many calls in a row, and times them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something to time; ``key`` tells it from the others."""

    key: str
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long to measure: ``rounds`` at least, then until ``time_s`` have passed since the first began.

    Each candidate is warmed up for ``warmup_s`` and ``warmup_calls`` at least. One sample lasts ``least_s`` at
    least. ``seed`` decides the order within the rounds.
    """

    rounds: int = 30
    time_s: float = 2.0
    warmup_s: float = 0.3
    warmup_calls: int = 3
    least_s: float = 1e-3
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The samples of one candidate, in seconds per call, one for each round in order; each was ``inner`` calls long.

    ``enqueue`` is the host's share: seconds per call until the device had its work. Empty where the host does it.
    """

    key: str
    inner: int
    samples: tuple[float, ...]
    enqueue: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A candidate that could not be measured, and why, in one line."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a measurement found. All series have the same ``rounds`` (none: no series); a candidate has one or failed.

    ``interrupted``: by Ctrl-C; what there was by then is here, of complete rounds alone. ``void_rounds`` are those
    in which the clock stood still or stepped backwards: they are not among the samples. ``clock_step_s`` is the
    smallest step that the clock was seen to make.
    """

    series: tuple[Series, ...]
    failures: tuple[Failure, ...]
    rounds: int
    void_rounds: int
    interrupted: bool
    clock_step_s: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a measurement is, between two rounds: in warm-up, so many candidates of all, then rounds and seconds."""

    phase: Phase
    done: int
    planned: int
    spent_s: float
    planned_s: float
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @property
    def medians(self) -> dict[str, float]:
        """The median time of a call of each candidate so far, in seconds."""
        from statistics import median

        return {key: median(samples) for key, samples in self.samples.items() if samples}


def on_host(call: Call, inner: int, clock: Clock) -> Pending:
    """Time ``inner`` calls by the host's clock: right where a call returns when its work is done."""
    raise NotImplementedError


def one_line(error: Exception) -> str:
    """The first line of an error's message, or the name of its type where it has none."""
    raise NotImplementedError


def measure(
    candidates: Sequence[Candidate],
    plan: Plan,
    *,
    clock: Clock = perf_counter_ns,
    run: Run = on_host,
    rng: Random | None = None,
    watch: Callable[[State], None] = lambda state: None,
    reason: Callable[[Exception], str] = one_line,
) -> Measurement:
    """Time ``candidates`` in turns, each round in a new random order.

    ``watch`` is told between rounds how far things are, never inside one. A candidate that raises an
    :class:`Exception` becomes a :class:`Failure` with the ``reason`` for it, and the others go on;
    a :class:`KeyboardInterrupt` ends the measurement, and what there is comes back.
    """
    raise NotImplementedError
