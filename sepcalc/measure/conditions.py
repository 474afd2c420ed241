"""The conditions that all candidates of one measurement share.

A new condition is a field of :class:`Conditions` and its words here; ``measure/pytorch/calls.py`` puts it into effect,
and ``cli/measure_flags.py`` has its flag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from sepcalc.core.table import Kind

Cache = Literal["warm", "cold"]

CACHES: tuple[Cache, ...] = get_args(Cache)
DEVICES = ("cpu", "cuda", "mps")
DTYPES = ("float64", "float32", "float16", "bfloat16")
"""The dtypes in which PyTorch's convolutions compute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """One device, one dtype and one way to call, the same for every candidate.

    ``threads`` are of the CPU. The ``cache`` holds the data of the call before (``warm``), or none of the call's own
    (``cold``). With ``backward`` a call is a forward and a backward pass.

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


class Varying(NamedTuple):
    """A condition that one run may vary: its value, and the title and kind of its column."""

    value: Callable[[Conditions], str | int]
    title: str
    kind: Kind = "text"


VARYING: Mapping[str, Varying] = {
    "dtype": Varying(lambda at: at.dtype, "dtype"),
    "batch": Varying(lambda at: at.batch, "Batch", "count"),
    "memory_format": Varying(lambda at: "channels_last" if at.channels_last else "contiguous", "Memory format"),
}
"""The conditions that one run may vary, by the key of their column, in PyTorch's words."""


def varied(grid: Sequence[Conditions]) -> list[str]:
    """The keys of :data:`VARYING` in which ``grid`` differs."""
    return [key for key, varying in VARYING.items() if len(set(map(varying.value, grid))) > 1]


def words(key: str, conditions: Conditions) -> str:
    """One of the conditions of :data:`VARYING` as words of a sentence.

    >>> words("batch", Conditions(batch=1024)), words("dtype", Conditions())
    ('batch 1,024', 'float32')
    """
    value = VARYING[key].value(conditions)
    return f"{key} {value:,}" if isinstance(value, int) else value


def shared_words(grid: Sequence[Conditions]) -> Iterator[str]:
    """The conditions that all of ``grid`` share, as words of a caption."""
    first, differing = grid[0], varied(grid)
    yield from (words(key, first) for key in VARYING if key not in differing)
    yield f"{first.cache} cache"
    if first.compile:
        yield "compiled"
    if first.backward:
        yield "forward and backward"
