"""The loop that takes samples, by a clock that goes only when told to."""

import gc
import re
from itertools import count
from random import Random
from weakref import ref

import pytest
from fake_clock import FakeClock, work

from sepcalc.core.errors import SepcalcError
from sepcalc.measure.loop import Plan, Sample, State, first_line, measure, on_host

BRIEF = Plan(rounds=5, time_s=0, warmup_s=0)


def candidates(clock, **seconds):
    """One candidate for each name, of so many seconds a call."""
    return {key: work(clock, each) for key, each in seconds.items()}


def logged(log, clock, **seconds):
    """Candidates that write their name into ``log`` with each call."""

    def call(key, inner):
        log.append(key)
        inner()

    return {key: lambda key=key, inner=inner: call(key, inner) for key, inner in candidates(clock, **seconds).items()}


def order(seed, rng=None):
    """Who ran after the warm-up, by rounds of four."""
    clock, log = FakeClock(), []
    names = dict.fromkeys("abcd", 0.01)
    watch = lambda state: log.clear() if state.done == 0 else None  # noqa: E731
    plan = Plan(rounds=8, time_s=0, seed=seed)
    measure(logged(log, clock, **names), plan, clock=clock, rng=rng, watch=watch)
    return ["".join(log[start : start + 4]) for start in range(0, len(log), 4)]


def test_turns():
    """Every round runs each candidate once, in an order that changes from round to round and that the seed decides."""
    rounds = order(1)
    assert len(rounds) == 8
    assert all(sorted(each) == list("abcd") for each in rounds)
    assert len(set(rounds)) > 2
    assert order(1) == rounds
    assert order(2) != rounds
    assert order(2, rng=Random(1)) == rounds  # noqa: S311 - nobody is to be deceived


def test_samples_are_seconds_per_call():
    """A sample is the time of its inner calls, divided among them."""
    clock = FakeClock(read_ns=1)
    found = measure(candidates(clock, quick=2e-5, slow=0.5), BRIEF, clock=clock)
    quick, slow = found.series["quick"], found.series["slow"]
    assert quick.samples == pytest.approx([2e-5] * 5, rel=1e-5)
    assert slow.samples == pytest.approx([0.5] * 5, rel=1e-5)
    assert quick.enqueue == slow.enqueue == ()
    assert (found.rounds, found.failures, found.void_rounds, found.interrupted) == (5, {}, 0, False)


@pytest.mark.parametrize("seconds", [1e-6, 3e-5, 4e-4, 0.9e-3, 2e-3])
def test_samples_are_long_enough(seconds):
    """As many calls make one sample as last a millisecond, and hardly more than that many."""
    clock = FakeClock()
    (series,) = measure(candidates(clock, one=seconds), BRIEF, clock=clock).series.values()
    assert series.inner * seconds >= 1e-3
    assert (series.inner - 1) * seconds < 1.3e-3


def test_samples_are_long_for_the_clock():
    """A sample lasts a thousand steps of the clock, where the plan has the time; else its share of the time."""
    clock = FakeClock(step_ns=10_000)
    found = measure(candidates(clock, one=1e-4), Plan(warmup_s=0), clock=clock)
    assert found.clock_step_s == 1e-5
    assert next(iter(found.series.values())).inner * 1e-4 >= 1e-2
    clock = FakeClock(step_ns=16_000_000, read_ns=100_000)
    found = measure(candidates(clock, one=1e-4), Plan(rounds=20, time_s=2.0), clock=clock)
    assert found.clock_step_s == 0.016
    assert 0.1 <= next(iter(found.series.values())).inner * 1e-4 < 0.2


def test_clock_step():
    """The step is at least what reading the clock costs: nothing shorter can be told."""
    clock = FakeClock(read_ns=70)
    assert measure({}, BRIEF, clock=clock).clock_step_s == 7e-8


def test_warm_up():
    """A slow first call is no sample, and has no say in how many calls make one."""
    clock = FakeClock()
    pace = iter([2.0])
    call = lambda: clock.spend(next(pace, 1e-4))  # noqa: E731
    (series,) = measure({"one": call}, BRIEF, clock=clock).series.values()
    assert max(series.samples) < 1.01e-4
    assert series.inner == 13


def test_a_delay_in_the_warm_up():
    """A batch that something else delayed has no say in how many calls make a sample: the quickest decides."""
    clock, calls = FakeClock(), iter(range(99))
    call = lambda: clock.spend(1e-3 if 15 <= next(calls, 99) < 31 else 1e-4)  # noqa: E731
    (series,) = measure({"one": call}, BRIEF, clock=clock).series.values()
    assert series.inner == 13


@pytest.mark.parametrize(("plan", "calls"), [({"warmup_calls": 3}, 3), ({"warmup_calls": 4}, 7), ({"warmup_s": 9}, 15)])
def test_warm_up_doubles(plan, calls):
    """The warm-up runs one call, two, four and so on, until both its calls and its seconds are reached."""
    clock, log = FakeClock(), []
    plan = Plan(**{"rounds": 1, "time_s": 0, "warmup_s": 0, **plan})
    measure(logged(log, clock, one=1.0), plan, clock=clock)
    assert len(log) - 1 == calls


@pytest.mark.parametrize(("time_s", "rounds"), [(0.0, 30), (0.5, 30), (1.0, 50), (2.0, 100)])
def test_rounds_then_time(time_s, rounds):
    """Thirty rounds at least, then more until the time is spent."""
    clock = FakeClock(read_ns=1)
    found = measure(candidates(clock, a=0.005, b=0.015), Plan(time_s=time_s), clock=clock)
    assert found.rounds == pytest.approx(rounds, abs=1)
    assert {len(each.samples) for each in found.series.values()} == {found.rounds}


def test_collector():
    """The garbage collector is off while samples are taken, and as it was afterwards, also after a failure."""
    clock, seen = FakeClock(), []

    def call():
        seen.append(gc.isenabled())
        clock.spend(1)

    def boom(_state):
        raise ZeroDivisionError

    one = {"one": call}
    measure(one, BRIEF, clock=clock)
    assert set(seen) == {False}
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        measure(one, BRIEF, clock=clock, watch=boom)
    assert gc.isenabled()
    gc.disable()
    measure(one, BRIEF, clock=clock)
    assert not gc.isenabled()
    gc.enable()


def test_rubbish():
    """What calls leave behind in circles is taken away between rounds."""
    clock, left = FakeClock(), []

    class Circle:
        def __init__(self):
            self.itself = self

    def call():
        left.append(ref(Circle()))
        clock.spend(1)

    alive = []
    watch = lambda state: alive.append(sum(each() is not None for each in left))  # noqa: E731
    measure({"one": call}, Plan(rounds=50, time_s=0, warmup_s=0), clock=clock, watch=watch)
    assert len(left) == 53
    assert max(alive) <= 3


def test_watch():
    """Progress is told before each candidate's warm-up and before each round, and never inside a round."""
    clock, log, states = FakeClock(), [], []

    def watch(state):
        log.append("watch")
        states.append((state.phase, state.done, state.planned, state.medians))

    measure(logged(log, clock, a=1.0, b=3.0), Plan(rounds=3, time_s=0, warmup_s=0), clock=clock, watch=watch)
    assert states[:3] == [("warm-up", 0, 2, {}), ("warm-up", 1, 2, {}), ("rounds", 0, 3, {})]
    assert [(phase, done) for phase, done, *_ in states[3:]] == [("rounds", 1), ("rounds", 2)]
    assert states[-1][3] == pytest.approx({"a": 1.0, "b": 3.0})
    rounds = log[log.index("b") :][3:]
    assert ["".join(sorted(rounds[start + 1 : start + 3])) for start in (0, 3, 6)] == ["ab"] * 3
    assert rounds[::3] == ["watch"] * 3


def test_state():
    """What is done is the lesser of rounds and seconds; of a warm-up, the candidates that are warm."""
    assert State(phase="rounds", done=20, planned=30, spent_s=1.0, planned_s=4.0).share == 0.25
    assert State(phase="rounds", done=15, planned=30, spent_s=6.0, planned_s=4.0).share == 0.5
    assert State(phase="warm-up", done=1, planned=4).share == 0.25


def failing(clock, after):
    """A call that fails once it was made ``after`` times."""
    calls = iter(range(after))

    def call():
        if next(calls, None) is None:
            raise RuntimeError("no such kernel\nand much more")
        clock.spend(1)

    return call


@pytest.mark.parametrize("after", [0, 2, 3, 5], ids=["first call", "warm-up", "first round", "third round"])
def test_failure(after):
    """A candidate that fails at any time says why in one line, and the others have all their rounds."""
    clock = FakeClock()
    medians = []
    found = measure(
        {"first": work(clock, 1.0), "bad": failing(clock, after), "last": work(clock, 2.0)},
        BRIEF,
        clock=clock,
        watch=lambda state: medians.append(list(state.medians)),
    )
    assert medians[-1] == ["first", "last"]
    assert found.failures == {"bad": "no such kernel"}
    assert [(key, len(each.samples)) for key, each in found.series.items()] == [("first", 5), ("last", 5)]


def test_failure_on_the_device():
    """A sample that fails when the device is asked for it is a failure too, and the reason is the caller's to word."""
    clock = FakeClock()

    def run(call, inner, clock):
        pending = on_host(call, inner, clock)
        return failing(clock, 0) if clock.now_s > 4 and inner == 1 else pending

    found = measure(candidates(clock, one=1.0), BRIEF, clock=clock, sample=run, reason=lambda error: repr(error)[:12])
    assert found.failures == {"one": "RuntimeError"}
    assert (found.series, found.rounds) == ({}, 0)


def test_all_fail():
    """Where nobody can be measured, the measurement is over."""
    clock = FakeClock()
    found = measure({"bad": failing(clock, 4)}, Plan(warmup_s=0), clock=clock)
    assert (found.series, len(found.failures), clock.now_s) == ({}, 1, pytest.approx(4))


def stopping(clock, after):
    """A call in which the user presses Ctrl-C after so many seconds."""

    def call():
        clock.spend(1)
        if clock.now_s > after:
            raise KeyboardInterrupt

    return call


def test_interrupted():
    """Ctrl-C in the middle of a round ends the measurement: the complete rounds come back, so that they pair up."""
    clock = FakeClock()
    both = {**candidates(clock, one=1.0), "two": stopping(clock, 12.5)}
    found = measure(both, Plan(rounds=30, warmup_s=0), clock=clock)
    assert found.interrupted
    assert {key: len(each.samples) for key, each in found.series.items()} == {"one": 3, "two": 3}
    assert gc.isenabled()


def test_interrupted_early():
    """Ctrl-C in the warm-up leaves no series, and none with nothing in it."""
    clock = FakeClock()
    found = measure({"one": stopping(clock, 1.5)}, BRIEF, clock=clock)
    assert (found.interrupted, found.series, found.failures, found.rounds) == (True, {}, {}, 0)


def test_interrupted_between():
    """Ctrl-C between two rounds, while progress is drawn, loses none of them."""

    def watch(state):
        if state.done == 3:
            raise KeyboardInterrupt

    clock = FakeClock()
    found = measure(candidates(clock, one=1.0), BRIEF, clock=clock, watch=watch)
    assert (found.interrupted, found.rounds) == (True, 3)


def test_interrupted_while_recording():
    """Ctrl-C between the first sample of a round and the second leaves both candidates the same rounds."""

    class Stop(float):
        def __truediv__(self, _other):
            raise KeyboardInterrupt

    def run(call, inner, clock):
        pending = on_host(call, inner, clock)
        return lambda: Sample(Stop(1) if next(samples) == 4 + 2 * 3 + 1 else pending().seconds)

    clock, samples = FakeClock(), count()  # of them four in the warm-up
    found = measure(candidates(clock, a=1.0, b=1.0), Plan(rounds=9, time_s=0, warmup_s=0), clock=clock, sample=run)
    assert found.interrupted
    assert [len(each.samples) for each in found.series.values()] == [3, 3]


def test_clock_steps_back():
    """A round in which the clock steps backwards is void: it is counted, left out, and made up for."""
    clock = FakeClock()
    steps = iter([1.0] * 3 + [1.0, -5.0, 1.0, 0.0] + [1.0] * 99)
    call = lambda: clock.spend(next(steps))  # noqa: E731
    found = measure({"one": call}, Plan(rounds=5, time_s=0, warmup_s=0), clock=clock)
    assert (found.void_rounds, found.rounds) == (1, 5)
    assert next(iter(found.series.values())).samples[0] == pytest.approx(1.0)
    assert min(next(iter(found.series.values())).samples) >= 0


def test_clock_steps_back_in_the_warm_up():
    """A warm-up in which the clock goes back by an hour takes no hour more."""
    clock = FakeClock()
    steps = iter([1.0, -3600.0])
    call = lambda: clock.spend(next(steps, 1.0))  # noqa: E731
    found = measure({"one": call}, Plan(rounds=5, time_s=0, warmup_s=2), clock=clock)
    assert (found.void_rounds, found.rounds, next(iter(found.series.values())).inner) == (0, 5, 1)
    assert clock.now_s < -3580


def test_clock_keeps_stepping_back():
    """With a clock that works in no round, the rounds end."""
    clock = FakeClock()
    warm_up = iter([1.0] * 3)
    call = lambda: clock.spend(next(warm_up, -1.0))  # noqa: E731
    found = measure({"one": call}, Plan(rounds=4, time_s=0, warmup_s=0), clock=clock)
    assert (found.void_rounds, found.rounds, found.series) == (5, 0, {})


def test_clock_stands_still():
    """A clock that never moves is a failure, not an endless warm-up."""
    found = measure({"one": lambda: None}, BRIEF, clock=lambda: 7)
    assert found.failures == {"one": "the clock stood still during 1,048,576 calls"}
    assert found.clock_step_s == 0


def test_devices():
    """All samples of a round are begun before the first is asked for, and the host's share is kept per call."""
    clock, log = FakeClock(), []

    def run(call, inner, clock):
        log.append("begin")
        pending = on_host(call, inner, clock)

        def wait():
            log.append("end")
            return Sample(pending().seconds, inner * 0.5)

        return wait

    plan = Plan(rounds=2, time_s=0, warmup_s=0)
    found = measure(candidates(clock, a=4e-4, b=1.0), plan, clock=clock, sample=run)
    assert log[-8:] == ["begin", "begin", "end", "end"] * 2
    assert next(iter(found.series.values())).inner == 4
    assert next(iter(found.series.values())).enqueue == (0.5, 0.5)


def test_a_real_clock():
    """By the machine's own clock the samples are positive, and the clock's step is far below a millisecond."""
    found = measure({"sum": lambda: sum(range(1000))}, BRIEF)
    assert found.rounds == 5
    assert min(next(iter(found.series.values())).samples) > 0
    assert 0 < found.clock_step_s < 1e-3


@pytest.mark.parametrize(
    ("error", "line"),
    [(ValueError("\n one thing\nand another"), "one thing"), (MemoryError(), "MemoryError"), (OSError(" "), "OSError")],
)
def test_one_line(error, line):
    """An error's first line that says anything, or its type."""
    assert first_line(error) == line


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rounds": 0}, "rounds must be a number from 1 up, got 0"),
        ({"time_s": -1.0}, "time_s must be a number from 0 up, got -1.0"),
        ({"time_s": float("inf")}, "time_s must be a number from 0 up, got inf"),
        ({"warmup_s": float("nan")}, "warmup_s must be a number from 0 up, got nan"),
    ],
)
def test_wrong_plan(wrong, message):
    """A plan that cannot be carried out, or would never end, is refused."""
    with pytest.raises(SepcalcError, match=f"^{re.escape(message)}$"):
        Plan(**wrong)
