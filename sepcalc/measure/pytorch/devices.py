"""How a sample is taken on each device that PyTorch can use: by which clock, after what, and when to wait.

By the host's clock on a CPU, and on MPS from when the device is idle until it is idle again; by events on CUDA. A
sample with a warm cache begins with a call that is not timed, since another candidate was there last. A cold cache is
filled with other data before each call, outside the timed part, as in ``triton.testing.do_bench``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch

from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Clock, Pending, Sample, Sampler
from sepcalc.measure.machine import last_cache_bytes

ASSUMED_CPU_CACHE = 64 * 2**20
"""The assumed size of a CPU's last cache, in bytes, where the system does not tell it."""

LEAST_DEVICE_BUFFER = 256 * 2**20
"""The fewest bytes that are written to empty a device's cache: triton's choice, more than most caches hold.

Writing them also takes the device longer than the host needs to hand over the next call.
"""

LONG_CALL_S = 0.2
"""A call by the host's clock that lasts so long needs no other call before it: its cache gets warm while it runs.

At most it reads a cache of some 32 MiB again: at 10 GB/s that is 3 ms, less than noise.
"""

Flush = Callable[[], object]
"""Fills the cache with data that no candidate reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A kind of device: whether it is here, how a sample is taken on it, and how many written bytes empty its cache.

    ``sampler`` is given the flush before each call, or None for a warm cache.
    """

    is_here: Callable[[], bool]
    sampler: Callable[[Flush | None], Sampler]
    past_cache_bytes: Callable[[], int]


def usable_devices() -> tuple[str, ...]:
    """The kinds of device that PyTorch can use here."""
    return tuple(name for name, device in DEVICES.items() if device.is_here())


def sampler(conditions: Conditions) -> Sampler:
    """The sampler of calls on the device of ``conditions``, with the warm or cold cache that they name."""
    flush = _flush(conditions.device) if conditions.cache == "cold" else None
    return DEVICES[conditions.device].sampler(flush)


def past_cache_bytes(device: str) -> int:
    """How many bytes have to be written so that hardly anything is left in the last cache of ``device``."""
    return DEVICES[device].past_cache_bytes()


def _flush(device: str) -> Flush:
    buffer = torch.zeros(past_cache_bytes(device) // 4, dtype=torch.int32, device=device)
    # On a CPU zeros may be written past the cache, which then keeps what it has; a sum has to be read first.
    return (lambda: buffer.add_(1)) if device == "cpu" else buffer.zero_


def _together(inner: int, flush: Flush | None) -> Iterator[int]:
    """The sizes of the groups of calls that run in a row: all at once, or one by one if each starts cold."""
    return iter([inner] if flush is None else [1] * inner)


def _by_clock(flush: Flush | None, *, wait: Callable[[], object] = lambda: None) -> Sampler:
    """A sampler by the host's clock, which is read only while the device is idle: after ``wait``."""
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


def _by_events(flush: Flush | None) -> Sampler:
    """A sampler by pairs of events that the device stamps itself, around each cold call, else around all calls.

    They are read once the round is over, so that the host never waits between two calls. A flush or an untimed call
    keeps the device busy while the host hands the first timed call over. Events resolve about half a microsecond
    (CUDA's documentation); the host takes longer to hand over so short a call, and its row is marked as launch-bound.

    ``enqueue_s`` is ``inner`` times the least time to hand over a call: a longer one is a wait for room in the queue.
    """

    def sample(call: Call, inner: int, clock: Clock) -> Pending:
        pairs, handed_over = [], []
        for calls in _together(inner, flush):
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]  # untyped
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
    # Twice the cache, since no cache strictly replaces its oldest data.
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
