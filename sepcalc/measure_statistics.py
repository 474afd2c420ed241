"""What the samples say, and whether it can be believed. Times are in seconds per call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sepcalc.measure import Series

Word = Literal["faster", "slower", "no difference", "unreliable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The times of one candidate: ``n`` samples of ``inner`` calls each; ``spread`` is median / minimum - 1.

    ``outliers`` lie more than one and a half interquartile ranges outside the quartiles (Tukey's fences).
    They are counted and stay in.
    """

    median_s: float
    q1_s: float
    q3_s: float
    minimum_s: float
    n: int
    inner: int
    outliers: int
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as fast a candidate is as the reference: the median over rounds, with its 95 % interval.

    Reference time / candidate time, so above 1 the candidate is faster. ``of_minima`` is the same of the two minima.
    """

    value: float
    low: float
    high: float
    of_minima: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What may be said of a candidate beside the reference, and the ``reason`` where that needs one."""

    word: Word
    reason: str = ""


def summarize(series: Series) -> Summary:
    """The times of one candidate."""
    raise NotImplementedError


def ratio(reference: Series, candidate: Series) -> Ratio:
    """``reference`` / ``candidate``, round by round; the interval is exact and needs no chance."""
    raise NotImplementedError


def steady(series: Series, *, clock_step_s: float) -> str:
    """Why the times of one candidate cannot be believed; empty where they can."""
    raise NotImplementedError


def judge(reference: Series, candidate: Series, found: Ratio, *, clock_step_s: float) -> Verdict:
    """What may be said of ``candidate`` beside ``reference``."""
    raise NotImplementedError
