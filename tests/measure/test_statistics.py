"""What is made of samples, and every verdict, on machines that behave as machines do; nothing is timed here."""

from random import Random
from statistics import median

import pytest
from fake_clock import FakeClock, bursting, calm, drifting, noisy, ticking, work

from sepcalc.measure.loop import Plan, Series, measure
from sepcalc.measure.statistics import (
    PairedRatio,
    Verdict,
    interval_rank,
    judge,
    paired_ratio,
    quartiles,
    summarize,
    unsteadiness,
)


def series(*samples, inner=1):
    """Some samples in seconds."""
    return Series(inner=inner, samples=samples)


def measured(machine, standard_s, candidate_s, plan=None, clock=None):
    """Two layers of so many seconds, timed on ``machine``: both series, their ratio and its verdict."""
    clock = clock or FakeClock()
    both = {"standard": work(clock, standard_s, machine), "candidate": work(clock, candidate_s, machine)}
    found = measure(both, plan or Plan(), clock=clock)
    reference, candidate = found.series.values()
    estimate = paired_ratio(reference, candidate)
    return reference, candidate, estimate, judge(reference, candidate, estimate, clock_step_s=found.clock_step_s)


def test_summary():
    """Median, quartiles and minimum are those of all samples, outliers among them; they are only counted."""
    found = summarize(series(5.0, 1.0, 3.0, 2.0, 4.0, 50.0, -40.0 + 41.0, inner=7))
    assert (found.median_s, found.minimum_s, found.n, found.inner) == (3.0, 1.0, 7, 7)
    assert (found.q1_s, found.q3_s) == (1.5, 4.5)
    assert found.outliers == 1
    assert found.spread == 2.0


def test_outliers_on_both_sides():
    """Tukey's fences stand on both sides, and what lies on one is inside."""
    body = [10.0, 11.0, 12.0, 13.0, 14.0] * 4
    assert summarize(series(*body, 5.0, 19.0)).outliers == 2
    q1, _, q3 = quartiles([*body, 8.0, 16.0])
    assert summarize(series(*body, q3 + 1.5 * (q3 - q1), q1 - 1.5 * (q3 - q1))).outliers == 0


def test_one_sample():
    """One sample is its own median, quartiles, minimum and interval, and nothing is claimed of it."""
    found = summarize(series(2.0))
    assert {found.median_s, found.q1_s, found.q3_s, found.minimum_s} == {2.0}
    only = paired_ratio(series(2.0), series(1.0))
    assert only == PairedRatio(value=2.0, low=2.0, high=2.0, of_minima=2.0)
    verdict = judge(series(2.0), series(1.0), only, clock_step_s=0)
    assert verdict == Verdict(word="unreliable", reason="a verdict needs 10 rounds, not 1")


def test_ratio_by_rounds():
    """A slow round slows both and leaves their ratio alone; the ratio of the minima stands beside it."""
    found = paired_ratio(series(2.0, 20.0, 2.0, 3.0, 10.0), series(1.0, 10.0, 1.0, 1.0, 5.0))
    assert (found.value, found.of_minima) == (2.0, 2.0)
    assert (found.low, found.high) == (2.0, 3.0)


@pytest.mark.parametrize("n", [5, 11, 30, 31, 100])
def test_interval_is_the_bootstraps(n):
    """The interval is the one that resampling approaches, with nothing drawn."""
    rng = Random(n)  # noqa: S311 - nobody is to be deceived
    ranks = range(1, n + 1)
    draws = 4000
    medians = [sorted(rng.choices(ranks, k=n))[(n + 1) // 2 - 1] for _ in range(draws)]
    at_most = [sum(each <= rank for each in medians) / draws for rank in range(n + 1)]
    rank = interval_rank(n)
    assert at_most[rank] > 0.025 - 0.008
    assert at_most[rank - 1] < 0.025 + 0.008


def test_interval_holds_the_truth():
    """Of many measurements of skewed noise, about 95 % of the intervals hold the true median."""
    rng = Random(0)  # noqa: S311 - nobody is to be deceived
    held = 0
    for _ in range(1000):
        each = sorted(rng.lognormvariate(0, 0.3) for _ in range(30))
        held += each[interval_rank(30) - 1] <= 1 <= each[-interval_rank(30)]
    assert 930 <= held <= 975


def test_interval_narrows():
    """With more rounds the interval closes in on the median, without ever leaving it out."""
    shares = [interval_rank(n) / n for n in (10, 30, 100, 300, 1000, 3000)]
    assert shares == sorted(shares)
    assert all(1 <= interval_rank(n) <= (n + 1) / 2 for n in range(1, 200))


@pytest.mark.parametrize(
    ("candidate_s", "word"),
    [(1e-3, "faster"), (3e-3, "no difference"), (2.96e-3, "no difference"), (2.8e-3, "faster"), (9e-3, "slower")],
)
def test_quiet(candidate_s, word):
    """On a quiet machine the ratio is right within 1 %, and a difference is one from 2 % up."""
    *_, found, verdict = measured(noisy(), 3e-3, candidate_s)
    assert found.value == pytest.approx(3e-3 / candidate_s, rel=0.01)
    assert found.low <= found.value <= found.high
    assert verdict == Verdict(word=word)


def test_twins():
    """Two equal candidates do not differ, and their interval holds 1, however much they are disturbed."""
    for machine in (calm, noisy(1), noisy(2, share=0.1), drifting(0.08, over_s=2.0)):
        *_, found, verdict = measured(machine, 2e-3, 2e-3)
        assert found.low <= 1.0 <= found.high
        assert verdict.word == "no difference"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (1.03, 1.05, "faster"),
        (1.01, 1.05, "unclear"),
        (0.99, 1.08, "unclear"),
        (0.96, 0.99, "unclear"),
        (0.96, 1.01, "unclear"),
        (0.985, 1.015, "no difference"),
        (1.005, 1.015, "no difference"),
        (0.95, 0.97, "slower"),
    ],
)
def test_difference(low, high, word):
    """A difference is claimed where the whole interval is beyond 2 %, none where all of it is within, else neither."""
    middle = (low + high) / 2
    found = PairedRatio(value=middle, low=low, high=high, of_minima=middle)
    quiet = series(*[1.0] * 30)
    verdict = judge(quiet, quiet, found, clock_step_s=0)
    assert verdict.word == word
    assert (verdict.reason == "the interval is too wide to tell a difference from none: measure for longer") == (
        word == "unclear"
    )


def test_drift():
    """A machine that slows down by 30 % has no one time, and the verdict says so; the interleaved ratio is right."""
    reference, candidate, found, verdict = measured(drifting(0.3, over_s=2.0), 3e-3, 1e-3)
    assert found.value == pytest.approx(3.0, rel=0.01)
    assert median(reference.samples[-50:]) / median(reference.samples[:50]) > 1.2
    assert verdict == Verdict(word="unreliable", reason="the times rose by 17 % during the run")
    assert unsteadiness(candidate, clock_step_s=0) == verdict.reason


def test_slight_drift():
    """A drift of some percent is no harm."""
    *_, found, verdict = measured(drifting(0.1, over_s=2.0), 3e-3, 1e-3)
    assert found.value == pytest.approx(3.0, rel=0.01)
    assert verdict == Verdict(word="faster")


def test_bursts():
    """Bursts for a fifth of the time are outliers, and change neither median nor ratio."""
    reference, _, found, verdict = measured(bursting(0.04, 0.16, 3), 3e-3, 1e-3)
    assert found.value == pytest.approx(3.0, rel=0.01)
    assert verdict == Verdict(word="faster")
    times = summarize(reference)
    assert 0.05 * times.n < times.outliers < 0.2 * times.n
    assert times.median_s < 1.02 * 3e-3


def test_mostly_bursts():
    """A machine that is busy most of the time is nothing to measure on."""
    *_, verdict = measured(bursting(0.16, 0.04, 3), 3e-3, 1e-3)
    assert verdict.word == "unreliable"
    assert verdict.reason.endswith("above the minimum: something else was running")


def test_slow_first_sample():
    """A first sample that is far too slow is one outlier, and has no say."""
    clock = FakeClock()
    pace = iter([1.0] * 10 + [400.0])
    slow_once = lambda _clock, seconds: seconds * next(pace, 1.0)  # noqa: E731
    plan = Plan(rounds=30, time_s=0, warmup_s=0)
    *both, found, verdict = measured(slow_once, 3e-3, 2e-3, plan, clock)
    assert sum(summarize(each).outliers for each in both) == 1
    assert max(max(each.samples) for each in both) > 0.5
    assert found.value == pytest.approx(1.5, rel=0.01)
    assert verdict == Verdict(word="faster")


def test_coarse_clock():
    """A clock of 16 ms steps cannot tell 3 ms from 2 ms in the time there is, and no ratio of its steps is believed."""
    clock = FakeClock(step_ns=16_000_000, read_ns=100_000)
    reference, *_, verdict = measured(noisy(), 3e-3, 2e-3, clock=clock)
    assert all((each * reference.inner) % 0.016 == pytest.approx(0, abs=1e-9) for each in reference.samples)
    assert verdict.word == "unreliable"
    assert verdict.reason.startswith("the clock goes in steps of 16 ms, and a sample lasted ")


def test_coarse_clock_with_time():
    """The same clock will do where the samples may be long."""
    clock = FakeClock(step_ns=16_000_000, read_ns=100_000)
    *_, found, verdict = measured(noisy(), 3e-3, 2e-3, Plan(time_s=60), clock=clock)
    assert found.value == pytest.approx(1.5, rel=0.02)
    assert verdict.word == "faster"


@pytest.mark.parametrize("tick_ms", [4, 10, 16])
@pytest.mark.parametrize(("standard_ms", "candidate_ms"), [(13, 29), (7, 1), (19, 1)])
def test_ticking_scheduler(tick_ms, standard_ms, candidate_ms):
    """Where results come at the ticks of a scheduler alone, the time of a tick is not taken for that of the work."""
    *_, found, verdict = measured(ticking(tick_ms / 1e3), standard_ms / 1e3, candidate_ms / 1e3)
    assert found.value != pytest.approx(standard_ms / candidate_ms, rel=0.1)
    assert verdict.word == "unreliable"
    reason = f"the samples are multiples of {tick_ms} ms, steps of a scheduler: measure with fewer threads"
    assert verdict.reason == reason


def test_one_multiple_each():
    """Steps of 16 ms are seen even where each candidate keeps to one multiple of them."""
    standard, separable = series(*[0.032] * 30), series(*[0.016] * 30)
    verdict = judge(standard, separable, paired_ratio(standard, separable), clock_step_s=0)
    assert verdict.reason.startswith("the samples are multiples of 16 ms, steps of a scheduler")


def test_some_multiples():
    """Times that are multiples of a tick now and then are times like others."""
    usual = series(*[0.040] * 7, *[0.0415] * 16, *[0.044] * 7)
    assert unsteadiness(usual, clock_step_s=0) == ""
    only = series(*[0.040] * 16, *[0.044] * 14)
    assert unsteadiness(only, clock_step_s=0).startswith("the samples are multiples of 4 ms")


def test_medians_against_minima():
    """A ratio that the minima contradict is replaced by both, even where its interval is as narrow as can be."""
    reference, candidate = series(*[2.0] * 29, 0.9), series(*[4.0] * 29, 0.6)
    verdict = judge(reference, candidate, paired_ratio(reference, candidate), clock_step_s=0)
    assert verdict.reason == "the medians say 0.5 ×, the minima 1.5 ×: something else was running"


def test_the_references_unrest():
    """A reference that cannot be believed spoils the ratio of a steady candidate, and the reason names it."""
    reference, candidate = (
        series(*[1.0, 1.0, 1.0, 1.12, 1.12, 1.12, 1.12] * 5),
        series(*[0.5, 0.5, 0.5, 0.53, 0.53, 0.53, 0.53] * 5),
    )
    assert unsteadiness(candidate, clock_step_s=0) == ""
    verdict = judge(reference, candidate, paired_ratio(reference, candidate), clock_step_s=0)
    assert verdict.word == "unreliable"
    assert verdict.reason == "as is the reference: the median is 12 % above the minimum: something else was running"


@pytest.mark.parametrize(("above", "reason"), [(0.09, ""), (0.11, "the median is 11 % above the minimum")])
def test_spread(above, reason):
    """The median may be 10 % above the minimum, not more."""
    found = unsteadiness(series(*[1.0, 1.0 + above, 1.0 + above] * 10), clock_step_s=0)
    assert found.partition(":")[0] == reason


def test_no_drift():
    """Times that more than double half-way did not drift: something else began to run."""
    found = unsteadiness(series(*[1.0] * 14, *[5.0] * 16), clock_step_s=0)
    assert found == "the median is 400 % above the minimum: something else was running"


def test_clock_too_coarse_for_the_reference():
    """A clock that is fine enough for the candidate's samples alone is not fine enough."""
    reference, candidate = series(*[1e-3] * 30), series(*[1e-3] * 30, inner=10)
    found = PairedRatio(value=1.0, low=1.0, high=1.0, of_minima=1.0)
    verdict = judge(reference, candidate, found, clock_step_s=1e-4)
    assert verdict.reason == "as is the reference: the clock goes in steps of 0.1 ms, and a sample lasted 1 ms"


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [(1.85, 2.15, "faster"), (1.75, 2.15, "unreliable"), (1.85, 2.25, "unreliable")],
)
def test_wide_interval(low, high, word):
    """A ratio whose interval reaches further than 10 % on either side is not known well enough."""
    quiet = series(*[1.0] * 30)
    verdict = judge(quiet, quiet, PairedRatio(value=2.0, low=low, high=high, of_minima=2.0), clock_step_s=0)
    assert verdict.word == word
    if word == "unreliable":
        assert verdict.reason == f"the ratio is known no better than {low} to {high} ×"


def test_never_steady_together():
    """Two candidates that are each steady most of the time, and never at the same time, have no one ratio."""
    reference = series(*[1.0] * 9, *[1.4] * 6, *[1.0] * 2)
    candidate = series(*[1.3] * 8, *[1.0] * 9)
    verdict = judge(reference, candidate, paired_ratio(reference, candidate), clock_step_s=0)
    assert verdict == Verdict(word="unreliable", reason="the ratio is known no better than 0.769 to 1.4 ×")


def test_few_rounds():
    """Nine rounds claim nothing, ten may."""
    words = []
    for n in (9, 10):
        slow, fast = series(*[3.0] * n), series(*[1.1] * n)
        words.append(judge(slow, fast, paired_ratio(slow, fast), clock_step_s=0).word)
    assert words == ["unreliable", "faster"]


def test_round_numbers():
    """Two steady candidates whose times happen to be multiples of a tick are believed."""
    slow, fast = series(*[0.012] * 30), series(*[0.004] * 30)
    assert judge(slow, fast, paired_ratio(slow, fast), clock_step_s=0).word == "faster"
