"""Under what conditions something is timed: what all candidates of one measurement share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Cache = Literal["warm", "cold"]

CACHES: tuple[Cache, ...] = get_args(Cache)
DEVICES = ("cpu", "cuda", "mps")
DTYPES = ("float64", "float32", "float16", "bfloat16")
"""What may be asked for: in PyTorch's words, the dtypes in which its convolutions compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """One device, one kind of number and one way to call, the same for every candidate.

    ``threads`` are those of the CPU. ``cache`` is what a call finds there: what the call before it left
    (``warm``), or nothing of its own (``cold``). With ``backward`` a call is a forward and a backward pass.

    >>> Conditions(dtype="bfloat16", batch=8).device
    'cpu'
    """

    device: str = "cpu"
    dtype: str = "float32"
    batch: int = 1
    channels_last: bool = False
    threads: int = 1
    compile: bool = False
    backward: bool = False
    cache: Cache = "warm"
