"""Samples become a headline, and a verdict on whether to believe it. Times are in seconds per call.

The headline of one candidate is its median; of two, the median of their ratios round by round: a disturbance that
outlasts a round cancels in its ratio. Beside it stands the ratio of the minima: delays only add, so a minimum is the
time on an undisturbed machine (Chen & Revels 2016, arXiv:1608.04295). Outliers are counted, never dropped. A ratio is
believed if both candidates are steady, the two estimates agree and the interval is narrow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from math import ceil, exp, gcd, lgamma, log
from statistics import median, quantiles
from typing import Literal

from sepcalc.measure.loop import Series

VerdictWord = Literal["faster", "slower", "no difference", "unclear", "unreliable"]

UNSTEADY = 0.10
"""The most that the median may lie above the minimum, one ratio above the other, an interval's end from its middle."""

NOISE = 0.02
"""The largest difference that is none: the same code, compiled or placed in memory anew, differs by as much."""

FEWEST_ROUNDS = 10
"""The rounds that a verdict needs."""

TICKS_S = (4e-3, 10e-3, 15.625e-3)
"""The ticks of schedulers: 250 or 100 a second on Linux, 64 on Windows."""

TICK_SLACK_S = 0.15e-3
"""How far a sample that waited for a tick may be from a multiple of it."""

CONFIDENCE = 0.95
"""How often an interval holds the median of infinitely many rounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The times of one candidate: ``n`` samples of ``inner`` calls each.

    ``outliers`` lie over one and a half interquartile ranges outside the quartiles (Tukey's fences); they stay in.
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
        """Median / minimum - 1: how much longer than on an undisturbed machine a call usually takes."""
        return self.median_s / self.minimum_s - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRatio:
    """Reference time / candidate time, the median over rounds with its 95 % interval: above 1 the candidate is faster.

    ``of_minima`` is the ratio of the two minima.
    """

    value: float
    low: float
    high: float
    of_minima: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A word on a candidate beside the reference, and the ``reason`` for a word that needs one."""

    word: VerdictWord
    reason: str = ""


def summarize(series: Series) -> Summary:
    """The times of one candidate.

    >>> found = summarize(Series(inner=4, samples=(0.01, 0.011, 0.012, 0.011, 0.05)))
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
        outliers=sum(not q1 - reach <= sample <= q3 + reach for sample in series.samples),
    )


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The three quartiles of one value or more, linear between neighbours.

    >>> quartiles([1, 2, 3, 4, 5]), quartiles([7])
    ((2.0, 3.0, 4.0), (7.0, 7.0, 7.0))
    """
    q1, q2, q3 = quantiles(values if len(values) > 1 else [*values, *values], n=4, method="inclusive")
    return float(q1), float(q2), float(q3)


def paired_ratio(reference: Series, candidate: Series) -> PairedRatio:
    """``reference`` / ``candidate``, round by round.

    >>> slow = Series(inner=1, samples=(6.0, 3.0, 3.0, 30.0))
    >>> paired_ratio(slow, Series(inner=9, samples=(2.0, 1.0, 1.0, 10.0)))
    PairedRatio(value=3.0, low=3.0, high=3.0, of_minima=3.0)
    """
    ratios = sorted(its / mine for its, mine in zip(reference.samples, candidate.samples, strict=True))
    rank, of_minima = interval_rank(len(ratios)), min(reference.samples) / min(candidate.samples)
    return PairedRatio(value=median(ratios), low=ratios[rank - 1], high=ratios[-rank], of_minima=of_minima)


@lru_cache(maxsize=64)
def interval_rank(n: int) -> int:
    """The rank, from either end, of the values that bound the 95 % bootstrap interval of the median of ``n`` values.

    This is the percentile interval of infinitely many resamples: the median of a resample is at most the value of rank
    k if at least half of its n draws are, each with probability k / n (Efron 1979, Annals of Statistics 7, section 3).
    For an even n the interval goes from that of the lower median to that of the upper. Values are taken as independent.

    >>> interval_rank(30), interval_rank(101)
    (10, 41)
    """
    half, tail = ceil(n / 2), (1 - CONFIDENCE) / 2
    return 1 + bisect_left(range(1, n + 1), tail, key=lambda rank: _at_least(half, n, rank / n))


def _at_least(least: int, n: int, chance: float) -> float:
    """The chance of ``least`` successes or more in ``n`` draws."""
    if chance >= 1:
        return 1.0
    whole, yes, no = lgamma(n + 1), log(chance), log(1 - chance)
    draws = range(least, n + 1)
    return sum(exp(whole - lgamma(i + 1) - lgamma(n - i + 1) + i * yes + (n - i) * no) for i in draws)


def unsteadiness(series: Series, *, clock_step_s: float) -> str:
    """The reason not to believe the times of one candidate; empty where there is none.

    >>> unsteadiness(Series(inner=1, samples=(1.0,) * 6 + (1.5,) * 24), clock_step_s=0)
    'the median is 50 % above the minimum: something else was running'
    """
    return _limits(series, clock_step_s) or _waiting(series) or _unrest(series)


def _limits(series: Series, clock_step_s: float) -> str:
    if len(series.samples) < FEWEST_ROUNDS:
        return f"a verdict needs {FEWEST_ROUNDS} rounds, not {len(series.samples)}"
    lasted_s = median(series.samples) * series.inner
    if clock_step_s > NOISE * lasted_s:
        return f"the clock goes in steps of {_ms(clock_step_s)}, and a sample lasted {_ms(lasted_s)}"
    return ""


def _waiting(*series: Series) -> str:
    """The reason if samples waited for a scheduler: nearly all are whole numbers of its ticks, and not the same number.

    Threads that wait for one another on busy cores do that: then the tick is timed, and it is steady. Two candidates
    that each keep to one number may do so by chance, unless the tick is as rare as 16 ms.
    """
    lasted = [[sample * taken.inner for sample in taken.samples] for taken in series]
    total, usual_s = sum(map(len, lasted)), median(chain(*lasted))
    for tick_s in TICKS_S:
        multiples = [_multiples(samples, tick_s) for samples in lasted]
        distinct = set(chain(*multiples))
        if sum(map(len, multiples)) < 0.9 * total or 0 in distinct:
            continue
        step_s = tick_s * gcd(*distinct)
        varies = any(len(set(ticks)) > 1 for ticks in multiples)
        is_rare = len(distinct) > 1 and 15e-3 < step_s < 17e-3
        if tick_s > NOISE * usual_s and (varies or is_rare):
            return f"the samples are multiples of {_ms(step_s)}, steps of a scheduler: measure with fewer threads"
    return ""


def _multiples(lasted: Sequence[float], tick_s: float) -> list[int]:
    """The number of ticks of each sample that lasted a whole number of them."""
    ticks = [(sample, round(sample / tick_s)) for sample in lasted]
    return [count for sample, count in ticks if abs(sample - count * tick_s) <= TICK_SLACK_S]


def _unrest(series: Series) -> str:
    """The reason if the median is far above the minimum: a drift, as of a machine that gets warm, or other programs."""
    spread = summarize(series).spread
    if spread <= UNSTEADY:
        return ""
    third = max(2, len(series.samples) // 3)
    first, last = quartiles(series.samples[:third]), quartiles(series.samples[-third:])
    is_drift = first[2] < last[0] or last[2] < first[0]
    if is_drift and UNSTEADY < _apart(first[1], last[1]) < 1:
        change = last[1] / first[1] - 1
        return f"the times {'rose' if change > 0 else 'fell'} by {100 * abs(change):,.0f} % during the run"
    return f"the median is {100 * spread:,.0f} % above the minimum: something else was running"


def judge(reference: Series, candidate: Series, found: PairedRatio, *, clock_step_s: float) -> Verdict:
    """The verdict on ``candidate`` beside ``reference``, given their ratio.

    It is a difference if the whole interval is more than 2 % away from 1, as in criterion.rs; no difference if all of
    it is nearer; unclear otherwise.

    >>> slow, fast = (Series(inner=1, samples=(time,) * 30) for time in (3.0, 1.0))
    >>> judge(slow, fast, paired_ratio(slow, fast), clock_step_s=0)
    Verdict(word='faster', reason='')
    """
    if reason := next(filter(None, _doubts(reference, candidate, found, clock_step_s)), ""):
        return Verdict(word="unreliable", reason=reason)
    if found.low > 1 + NOISE:
        return Verdict(word="faster")
    if found.high < 1 / (1 + NOISE):
        return Verdict(word="slower")
    if found.low >= 1 / (1 + NOISE) and found.high <= 1 + NOISE:
        return Verdict(word="no difference")
    return Verdict(word="unclear", reason="the interval is too wide to tell a difference from none: measure for longer")


def _doubts(reference: Series, candidate: Series, found: PairedRatio, clock_step_s: float) -> Iterator[str]:
    """The reasons not to believe the ratio of two candidates; a reason that does not hold is empty."""
    yield _limits(candidate, clock_step_s)
    yield _of_reference(_limits(reference, clock_step_s))
    yield _waiting(reference, candidate)
    if _apart(found.value, found.of_minima) > UNSTEADY:
        yield f"the medians say {found.value:.3g} ×, the minima {found.of_minima:.3g} ×: something else was running"
    yield _unrest(candidate)
    yield _of_reference(_unrest(reference))
    if max(_apart(found.low, found.value), _apart(found.value, found.high)) > UNSTEADY:
        yield f"the ratio is known no better than {found.low:.3g} to {found.high:.3g} ×"


def _of_reference(reason: str) -> str:
    return reason and f"as is the reference: {reason}"


def _apart(one: float, other: float) -> float:
    return max(one, other) / min(one, other) - 1


def _ms(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"
