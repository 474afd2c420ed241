"""The two ceilings of a machine's roofline, measured (Williams, Waterman & Patterson 2009).

Arithmetic: the faster of a large product and a large dense convolution, at two FLOP per multiply-add. Memory: a copy
well past the last cache. Each ceiling is from the minimum of the times, because delays only add.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter_ns

import torch

from sepcalc.builders.torch_stages import build_stages
from sepcalc.core.errors import SepcalcError
from sepcalc.core.spec import ConvSpec
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Plan, Sampler, measure
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.pytorch.calls import held, prepare
from sepcalc.measure.pytorch.devices import past_cache_bytes, sampler
from sepcalc.measure.pytorch.failures import reason
from sepcalc.readers.inputs import Input

Workload = Callable[[int], tuple[ConvSpec, int]]
"""A layer and its batch, by the size of the work."""

PLAN = Plan(rounds=10, time_s=1.2, warmup_s=0.2)
"""About two seconds in all."""

LONG_ENOUGH_S = 0.001
"""The time of work beside which the cost of starting it is negligible.

It is no longer, so that some samples fall between the turns of other programs on the processor.
"""

TRIALS = 5
"""How often a size is tried: a single time may be disturbed."""

LARGE: dict[str, tuple[Workload, int, int]] = {
    "product": (lambda rows: (ConvSpec(c_in=rows, c_out=rows, kernel=(), size=()), rows), 256, 8192),
    "convolution": (lambda channels: (ConvSpec.of(channels, channels, 3, size=28), 1), 64, 1024),
}
"""Work with more arithmetic than traffic, by its size, with the least and the largest size.

The product of two square matrices is a linear layer on as many examples as it has features. The two kinds may come
from two libraries, and on some processors the convolution's is better.
"""


def ceilings(conditions: Conditions, plan: Plan = PLAN) -> Ceilings:
    """The FLOP/s and byte/s that the device of ``conditions`` reaches in their dtype and with their threads.

    Raises :class:`SepcalcError` where they cannot be measured, and :class:`KeyboardInterrupt` after Ctrl-C.
    """
    plain = Conditions(device=conditions.device, dtype=conditions.dtype, threads=conditions.threads)
    with held(plain):
        try:
            sample = sampler(plain)
            work = {key: _long_enough(*kind, plain, sample) for key, kind in LARGE.items()}
            work["copy"] = _copy(plain.device)
        except Exception as error:
            raise _unmeasured(reason(error)) from error
        found = measure({key: call for key, (call, _) in work.items()}, plan, sample=sample, reason=reason)
    if found.interrupted:
        raise KeyboardInterrupt
    for failure in found.failures.values():
        raise _unmeasured(failure)
    best = {key: work[key][1] / min(series.samples) for key, series in found.series.items()}
    return Ceilings(flop_per_s=max(best[key] for key in LARGE), bytes_per_s=best["copy"])


def _unmeasured(why: str) -> SepcalcError:
    return SepcalcError(f"the ceilings of this machine cannot be measured: {why}")


def _long_enough(make: Workload, size: int, most: int, conditions: Conditions, sample: Sampler) -> tuple[Call, int]:
    """The smallest work that lasts long enough, doubling from ``size``, and its FLOPs."""
    while True:
        spec, batch = make(size)
        given = Input(shape=(batch, spec.c_in, *(spec.size or ())))
        call = prepare(build_stages([spec]), [given], conditions)
        call()
        tried = min(sample(call, 1, perf_counter_ns)().seconds for _ in range(TRIALS))
        if size >= most or tried >= LONG_ENOUGH_S:
            return call, 2 * spec.macs * batch
        size *= 2


def _copy(device: str) -> tuple[Call, int]:
    """A copy between two buffers, and its bytes: every byte is read once and written once, as in McCalpin's STREAM.

    A processor may also read memory before it overwrites it (write-allocate). As in a layer's traffic, it is left out.
    """
    source = torch.ones(past_cache_bytes(device), dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)
    return partial(target.copy_, source), 2 * source.nbytes
