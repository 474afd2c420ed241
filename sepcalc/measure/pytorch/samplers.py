"""How a sample is taken on each kind of device: which clock, what stands before a call, and when to wait.

* CPU: the host's clock, as long as the calls take.
* CUDA: events that the device stamps itself (``torch.cuda.Event``), read once the round is over. So the host never
  waits between two calls, and the time that it needs to hand them over is hidden as long as it is shorter.
* MPS: the host's clock, from when the device has nothing to do until it again has nothing to do.

A warm cache holds what a call left there, so one call that is not timed begins each sample: another candidate was there
last. By the host's clock a call that lasts :data:`LONG_CALL_S` needs none before it. A cold cache was filled with
something else before each call, outside the timed part, as ``triton.testing.do_bench`` does. Each call then is under a
clock of its own, and a sample is the sum of these times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch

from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Clock, Pending, Run, Sample
from sepcalc.measure.machine import last_cache_bytes

ASSUMED_CPU_CACHE = 64 * 2**20
"""The size of a CPU's last cache where the system does not tell it, in bytes."""

LEAST_DEVICE_BUFFER = 256 * 2**20
"""What is written to empty a device's cache, at least, in bytes; triton's choice, more than most caches hold.

Writing it also takes the device longer than the host needs to hand over the next call.
"""

LONG_CALL_S = 0.2
"""A call that lasts so long makes its cache warm while it runs.

What another left has to be read again, at most a whole cache of some 32 MiB: at 10 GB/s that is 3 ms, less than what
counts as noise. A call before it would only take time from the rounds.
"""

Flush = Callable[[], object]
"""Fills the cache with something that no candidate reads."""


def sampler(conditions: Conditions) -> Run:
    """The way to run and time calls on the device of ``conditions``, with the cache as they say."""
    flush = _flush(conditions.device) if conditions.cache == "cold" else None
    if conditions.device == "cuda":
        return _by_events(flush)
    return _by_clock(flush, torch.mps.synchronize if conditions.device == "mps" else lambda: None)


def past_cache_bytes(device: str) -> int:
    """So many bytes that most of what ``device`` had in its last cache is gone once they have been written."""
    if device == "cpu":
        # Twice the cache, since none replaces strictly what is oldest.
        return 2 * (last_cache_bytes() or ASSUMED_CPU_CACHE)
    properties = torch.cuda.get_device_properties(torch.cuda.current_device()) if device == "cuda" else None
    return max(2 * getattr(properties, "L2_cache_size", 0), LEAST_DEVICE_BUFFER)


def _flush(device: str) -> Flush:
    buffer = torch.zeros(past_cache_bytes(device) // 4, dtype=torch.int32, device=device)
    # On a CPU zeros may be written past the cache, which then keeps what it has; a sum has to be read first.
    return (lambda: buffer.add_(1)) if device == "cpu" else buffer.zero_


def _together(inner: int, flush: Flush | None) -> Iterator[int]:
    """How many calls run in a row, again and again until ``inner`` have: all at once, unless each starts cold."""
    return iter([inner] if flush is None else [1] * inner)


def _by_clock(flush: Flush | None, wait: Callable[[], object]) -> Run:
    """By the host's clock, which looks only while the device, once ``wait`` returns, has nothing to do."""
    least_ns: dict[Call, int] = {}

    def takes_ns(call: Call, calls: int, clock: Clock) -> int:
        start = clock()
        for _ in range(calls):
            call()
        wait()
        return clock() - start

    def is_long(call: Call, lasted_ns: int) -> bool:
        # Delays only add, so it is the quickest that says how long a call is.
        least_ns[call] = min(lasted_ns, least_ns.get(call, lasted_ns))
        return least_ns[call] >= LONG_CALL_S * 1e9

    def run(call: Call, inner: int, clock: Clock) -> Pending:
        spent = 0
        for calls in _together(inner, flush):
            before = takes_ns(flush or call, 1, clock)
            is_warm = flush is None and calls == 1 and is_long(call, before)
            spent += before if is_warm else takes_ns(call, calls, clock)
        sample = Sample(spent / 1e9)
        return lambda: sample

    return run


def _event() -> Any:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch has no types for this


def _by_events(flush: Flush | None) -> Run:
    """By pairs of events in the device's queue, around each call if it starts cold, else around all of them.

    What stands before the first call that counts, a flush or another call, keeps the device busy while the host hands
    that over. Events resolve about half a microsecond, as CUDA's documentation has it, so a cold call of a few is known
    to that alone; the host takes longer to hand over such a call, and its row is marked as launch-bound.

    ``enqueue_s`` is ``inner`` times the least that the host needed to hand over one call: any more is a wait for
    room in the queue.
    """

    def run(call: Call, inner: int, clock: Clock) -> Pending:
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

    return run
