"""What the samples say, and whether it can be believed. Times are in seconds per call.

The headline of one candidate is its median; of two, the median of their ratios round by round. A round's samples were
taken within moments of each other, so what slows the machine down for longer than a round cancels in its ratio. The ratio of
the two minima stands beside it: delays only ever add, so the minimum is what the machine takes when left
alone (Chen & Revels 2016, arXiv:1608.04295). Outliers are counted, never dropped.

A ratio is believed where the two estimates agree and each is steady, and a difference is claimed where the whole
interval lies beyond what counts as noise. Otherwise the verdict says why not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, lgamma, log
from statistics import median, quantiles
from typing import Literal

from sepcalc.measure import Series

Word = Literal["faster", "slower", "no difference", "unreliable"]

UNSTEADY = 0.10
"""What is known to less than this is not known: median against minimum, one ratio against the other, the interval."""

NOISE = 0.02
"""Differences up to this are none."""

FEWEST_ROUNDS = 10
"""With fewer rounds nothing is claimed."""

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The times of one candidate: ``n`` samples of ``inner`` calls each.

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

    @property
    def spread(self) -> float:
        """Median / minimum - 1: how much longer the machine usually takes than when left alone."""
        return self.median_s / self.minimum_s - 1


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
    """The times of one candidate.

    >>> found = summarize(Series(key="one", inner=4, samples=(0.01, 0.011, 0.012, 0.011, 0.05)))
    >>> found.median_s, found.minimum_s, found.outliers
    (0.011, 0.01, 1)
    """
    q1, q2, q3 = quartiles(series.samples)
    reach = 1.5 * (q3 - q1)
    return Summary(
        median_s=q2,
        q1_s=q1,
        q3_s=q3,
        minimum_s=min(series.samples),
        n=len(series.samples),
        inner=series.inner,
        outliers=sum(not q1 - reach <= each <= q3 + reach for each in series.samples),
    )


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The three quartiles of one value or more, linear between neighbours.

    >>> quartiles([1, 2, 3, 4, 5]), quartiles([7])
    ((2.0, 3.0, 4.0), (7.0, 7.0, 7.0))
    """
    q1, q2, q3 = quantiles(values if len(values) > 1 else [*values, *values], n=4, method="inclusive")
    return float(q1), float(q2), float(q3)


def ratio(reference: Series, candidate: Series) -> Ratio:
    """``reference`` / ``candidate``, round by round.

    >>> slow = Series(key="slow", inner=1, samples=(6.0, 3.0, 3.0, 30.0))
    >>> ratio(slow, Series(key="fast", inner=9, samples=(2.0, 1.0, 1.0, 10.0)))
    Ratio(value=3.0, low=3.0, high=3.0, of_minima=3.0)
    """
    each = sorted(its / mine for its, mine in zip(reference.samples, candidate.samples, strict=True))
    rank = interval_rank(len(each))
    return Ratio(
        value=median(each),
        low=each[rank - 1],
        high=each[-rank],
        of_minima=min(reference.samples) / min(candidate.samples),
    )


@lru_cache(maxsize=64)
def interval_rank(n: int) -> int:
    """The 95 % bootstrap interval of the median of ``n`` values: from the value of this rank to that from the end.

    The percentile interval of infinitely many resamples, without drawing one: the median of a resample is at most the
    value of rank k where at least half of n draws are, and each is so with probability k / n (Efron 1979, Annals of
    Statistics 7, section 3). For an even n this is the interval of the lower median to that of the upper. Values
    are taken to be independent.

    >>> interval_rank(30), interval_rank(101)
    (10, 41)
    """
    return next(k for k in range(1, n + 1) if _at_least(ceil(n / 2), n, k / n) >= (1 - CONFIDENCE) / 2)


def _at_least(least: int, n: int, chance: float) -> float:
    """The chance of ``least`` successes or more in ``n`` draws."""
    if chance >= 1:
        return 1.0
    whole = lgamma(n + 1)
    return sum(
        exp(whole - lgamma(i + 1) - lgamma(n - i + 1) + i * log(chance) + (n - i) * log(1 - chance))
        for i in range(least, n + 1)
    )


def steady(series: Series, *, clock_step_s: float) -> str:
    """Why the times of one candidate cannot be believed; empty where they can."""
    found = summarize(series)
    if found.n < FEWEST_ROUNDS:
        return f"{found.n} rounds are fewer than {FEWEST_ROUNDS}"
    lasted_s = found.median_s * found.inner
    if clock_step_s > NOISE * lasted_s:
        return f"the clock goes in steps of {clock_step_s * 1e3:.3g} ms and a sample lasted {lasted_s * 1e3:.3g} ms"
    if found.spread > UNSTEADY:
        return f"the median is {found.spread:.0%} above the minimum"
    return ""


def judge(reference: Series, candidate: Series, found: Ratio, *, clock_step_s: float) -> Verdict:
    """What may be said of ``candidate`` beside ``reference``."""
    for each in (candidate, reference):
        reason = steady(each, clock_step_s=clock_step_s)
        if reason:
            return Verdict(word="unreliable", reason=f"{each.key}: {reason}")
    estimates = sorted([found.value, found.of_minima])
    if estimates[1] / estimates[0] - 1 > UNSTEADY:
        return Verdict(word="unreliable", reason=f"ratio {found.value:.3g}, of minima {found.of_minima:.3g}")
    if found.high / found.low - 1 > 2 * UNSTEADY:
        return Verdict(word="unreliable", reason=f"the interval {found.low:.3g} to {found.high:.3g} is too wide")
    if found.low > 1 + NOISE:
        return Verdict(word="faster")
    if found.high < 1 / (1 + NOISE):
        return Verdict(word="slower")
    return Verdict(word="no difference")
