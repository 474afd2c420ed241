"""The devices that PyTorch can use, and how a sample is taken on each: by which clock, after what, and when to wait.

* CPU: the host's clock, as long as the calls take.
* CUDA: events that the device stamps itself (``torch.cuda.Event``), read once the round is over. So the host never
  waits between two calls, and the time that it needs to hand them over is hidden as long as it is shorter.
* MPS: the host's clock, from when the device is idle until it is idle again.

A warm cache holds what the call before left there, so each sample begins with a call that is not timed: another
candidate was there last. By the host's clock a call that lasts :data:`LONG_CALL_S` needs none before it. A cold cache
is filled with something else before each call, outside the timed part, as ``triton.testing.do_bench`` does. Each call
is then timed alone, and a sample is the sum of these times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Clock, Pending, Sample, Sampler
from sepcalc.measure.machine import last_cache_bytes

ASSUMED_CPU_CACHE = 64 * 2**20
"""The size of a CPU's last cache where the system does not tell it, in bytes."""

LEAST_DEVICE_BUFFER = 256 * 2**20
"""The least that is written to empty a device's cache, in bytes: triton's choice, more than most caches hold.

Writing it also takes the device longer than the host needs to hand over the next call.
"""

LONG_CALL_S = 0.2
"""A call that lasts so long makes its cache warm while it runs.

It reads again at most a whole cache of some 32 MiB: at 10 GB/s that is 3 ms, less than what counts as noise. A call
before it would only take time from the rounds.
"""

Flush = Callable[[], object]
"""Fills the cache with something that no candidate reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A kind of device: whether it is here, how a sample is taken on it, and how much written data empties its cache.

    ``sampler`` is given what flushes the cache before each call, or None for a warm cache.
    """

    is_here: Callable[[], bool]
    sampler: Callable[[Flush | None], Sampler]
    past_cache_bytes: Callable[[], int]


def usable_devices() -> tuple[str, ...]:
    """The kinds of device that PyTorch can use here."""
    return tuple(name for name, device in DEVICES.items() if device.is_here())


def sampler(conditions: Conditions) -> Sampler:
    """How calls are run and timed on the device of ``conditions``, with a warm or a cold cache as they say."""
    flush = _flush(conditions.device) if conditions.cache == "cold" else None
    return DEVICES[conditions.device].sampler(flush)


def past_cache_bytes(device: str) -> int:
    """So many bytes that hardly anything in the last cache of ``device`` is left once they have been written."""
    return DEVICES[device].past_cache_bytes()


def _flush(device: str) -> Flush:
    buffer = torch.zeros(past_cache_bytes(device) // 4, dtype=torch.int32, device=device)
    # On a CPU zeros may be written past the cache, which then keeps what it has; a sum has to be read first.
    return (lambda: buffer.add_(1)) if device == "cpu" else buffer.zero_


def _together(inner: int, flush: Flush | None) -> Iterator[int]:
    """The calls of a sample, in groups that run in a row: all at once, unless each starts cold."""
    return iter([inner] if flush is None else [1] * inner)


def _by_clock(flush: Flush | None, *, wait: Callable[[], object] = lambda: None) -> Sampler:
    """By the host's clock, which is read only while the device is idle: after ``wait``."""
    least_ns: dict[Call, int] = {}

    def takes_ns(call: Call, calls: int, clock: Clock) -> int:
        start = clock()
        for _ in range(calls):
            call()
        wait()
        return clock() - start

    def is_long(call: Call, lasted_ns: int) -> bool:
        # Delays only add, so the quickest call is the true one.
        least_ns[call] = min(lasted_ns, least_ns.get(call, lasted_ns))
        return least_ns[call] >= LONG_CALL_S * 1e9

    def sample(call: Call, inner: int, clock: Clock) -> Pending:
        spent = 0
        for calls in _together(inner, flush):
            before = takes_ns(flush or call, 1, clock)
            is_warm = flush is None and calls == 1 and is_long(call, before)
            spent += before if is_warm else takes_ns(call, calls, clock)
        taken = Sample(spent / 1e9)
        return lambda: taken

    return sample


def _event() -> Any:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch has no types for this


def _by_events(flush: Flush | None) -> Sampler:
    """By pairs of events in the device's queue, around each call if it starts cold, else around all of them.

    A flush or another call before the first call that counts keeps the device busy while the host hands that over.
    Events resolve about half a microsecond (CUDA's documentation), so a shorter cold call is known no better; the host
    takes longer to hand it over, and its row is marked as launch-bound.

    ``enqueue_s`` is ``inner`` times the least that the host needed to hand over one call: more is a wait for room in
    the queue.
    """

    def sample(call: Call, inner: int, clock: Clock) -> Pending:
        pairs, handed_over = [], []
        for calls in _together(inner, flush):
            begin, end = _event(), _event()
            (flush or call)()
            begin.record()
            for _ in range(calls):
                start = clock()
                call()
                handed_over.append(clock() - start)
            end.record()
            pairs.append((begin, end))

        def pending() -> Sample:
            pairs[-1][1].synchronize()
            milliseconds = sum(begin.elapsed_time(end) for begin, end in pairs)
            return Sample(milliseconds / 1e3, enqueue_s=inner * min(handed_over) / 1e9)

        return pending

    return sample


def _past_cpu_cache() -> int:
    # Twice the cache, since none strictly replaces its oldest data.
    return 2 * (last_cache_bytes() or ASSUMED_CPU_CACHE)


def _past_gpu_cache() -> int:
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    return max(2 * getattr(properties, "L2_cache_size", 0), LEAST_DEVICE_BUFFER)


DEVICES: Mapping[str, Device] = {
    "cpu": Device(is_here=lambda: True, sampler=_by_clock, past_cache_bytes=_past_cpu_cache),
    "cuda": Device(is_here=lambda: torch.cuda.is_available(), sampler=_by_events, past_cache_bytes=_past_gpu_cache),
    "mps": Device(
        is_here=lambda: torch.backends.mps.is_available(),
        sampler=partial(_by_clock, wait=lambda: torch.mps.synchronize()),
        past_cache_bytes=lambda: LEAST_DEVICE_BUFFER,
    ),
}
"""Every name of :data:`sepcalc.measure.conditions.DEVICES`, which are known without torch."""
