"""A clock that goes only when told to, and calls that take time by it: measurements without waiting or chance."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from random import Random


@dataclass(slots=True, kw_only=True)
class FakeClock:
    """Nanoseconds since zero, seen in steps of ``step_ns``; reading it takes ``read_ns``."""

    step_ns: int = 1
    read_ns: int = 50
    now_ns: int = 0

    def __call__(self):
        """What time it is."""
        self.now_ns += self.read_ns
        return self.now_ns // self.step_ns * self.step_ns

    @property
    def now_s(self):
        """The true time in seconds."""
        return self.now_ns / 1e9

    def spend(self, seconds):
        """Let time pass."""
        self.now_ns += round(seconds * 1e9)


Machine = Callable[[FakeClock, float], float]
"""How long it takes, now, to do work of so many seconds."""


def calm(_clock, seconds):
    """A machine that is left alone."""
    return seconds


def noisy(seed=0, share=0.01):
    """A machine whose times vary by a percent or so, upwards."""
    rng = Random(seed)  # noqa: S311 - nobody is to be deceived
    return lambda _clock, seconds: seconds * (1 + share * rng.random())


def drifting(share, over_s):
    """A machine that gets slower evenly: by ``share`` after ``over_s``."""
    steady = noisy()
    return lambda clock, seconds: steady(clock, seconds) * (1 + share * clock.now_s / over_s)


def bursting(busy_s, free_s, factor):
    """A machine that others keep busy for a while, again and again: work takes ``factor`` times as long then."""
    steady = noisy()

    def takes(clock, seconds):
        is_busy = clock.now_s % (busy_s + free_s) < busy_s
        return steady(clock, seconds) * (factor if is_busy else 1)

    return takes


def ticking(tick_s):
    """A machine that gives results at the ticks of its scheduler alone, now and then one tick late."""
    steady, late = noisy(), noisy(1, share=1.0)

    def takes(clock, seconds):
        ticks = ceil((clock.now_s + steady(clock, seconds)) / tick_s) + (late(clock, 1.0) > 1.8)
        return ticks * tick_s - clock.now_s

    return takes


def work(clock, seconds, machine=calm):
    """A call that is work of so many seconds on ``machine``."""
    return lambda: clock.spend(machine(clock, seconds))
