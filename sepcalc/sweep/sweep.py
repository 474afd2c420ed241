"""The costs of each variant at every point of a grid, for convolutions or for a network in many sizes.

A *point* is one choice of every quantity (channels, kernel, size, …). It has a row for each variant, the reference
included, with exact integers; a variant that cannot express the convolution has a reason instead of counts. Points are
counted a block at a time (:mod:`sepcalc.sweep.many`), so a grid may exceed memory.

>>> found = sweep_layer({"c_in": 64, "c_out": [64, 128], "k": 3})
>>> [(name, *counts.params) for name, counts in zip(found.names, found.block(0, 2).counts)]
[('standard', 36864, 73728), ('depthwise-separable', 4672, 8768), ('spatial-separable', 24576, 36864)]
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, TypeVar

from sepcalc.core.comparison import Candidate, check_size
from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.core.network import AS_WRITTEN, Network
from sepcalc.core.spec import ConvSpec
from sepcalc.core.table import Tabular
from sepcalc.core.variants import Variant, choose, get
from sepcalc.sweep.grid import Axis, Grid, shown
from sepcalc.sweep.many import Points, evaluate

BLOCK = 2**13
"""Points counted at once: enough that a rewrite costs little for each, and few enough for little memory."""

QUANTITIES = ("c_in", "c_out", "k", "size", "stride")
"""The quantities of a convolution; every other one is an option of variants."""

Counter = Callable[..., tuple[int, int]]
"""Parameters and multiply-adds at a point, called with the value of each quantity by its key."""

Quotient = TypeVar("Quotient")


class Counts(NamedTuple):
    """Parameters and multiply-adds of one variant at each point of a block, or None and the reason why not."""

    params: Sequence[int | None]
    macs: Sequence[int | None]
    why_not: Sequence[str | None]


class Block(NamedTuple):
    """Points in a row: the values of each quantity by key, and the counts of each variant."""

    values: Mapping[str, Sequence[Any]]
    counts: tuple[Counts, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep(Tabular):
    """The counts at each point of ``grid``: a row for each of ``counters``, by name; ``what`` is in the title.

    Reductions are against the row ``standard``. ``growing`` are the quantities without an upper limit. With ``is_open``
    multiply-adds are per output position. ``axes`` are the feature map's; ``block_points`` are counted at once.
    """

    _TABLES = "sepcalc.sweep.tables:sweep_tables"

    what: str
    grid: Grid
    counters: Mapping[str, Counter] = field(hash=False)
    growing: tuple[str, ...] = ()
    is_open: bool = False
    axes: int = 2
    block_points: int = BLOCK

    @property
    def names(self) -> tuple[str, ...]:
        """The rows of each point."""
        return tuple(self.counters)

    @property
    def reference(self) -> int:
        """The place of the row ``standard``, which reductions are against."""
        return self.names.index("standard")

    def block(self, start: int, stop: int) -> Block:
        """The points from ``start`` up to ``stop``."""
        return self.count(self.grid.columns(start, stop))

    def blocks(self) -> Iterator[Block]:
        """All points, a block at a time."""
        for start in range(0, len(self.grid), self.block_points):
            yield self.block(start, min(start + self.block_points, len(self.grid)))

    def whole(self) -> Block:
        """All points as one block."""
        blocks = [*self.blocks()]
        values = {key: [*chain.from_iterable(block.values[key] for block in blocks)] for key in blocks[0].values}
        rows = (zip(*row, strict=True) for row in zip(*(block.counts for block in blocks), strict=True))
        return Block(values, tuple(Counts(*([*chain.from_iterable(parts)] for parts in row)) for row in rows))

    def count(self, values: Mapping[str, Sequence[Any]]) -> Block:
        """Points with these values, which need not be those of the grid."""
        points = Points(values)
        return Block(values, tuple(_counts(counter, points) for counter in self.counters.values()))

    def reductions(
        self, block: Block, place: int, count: Literal["params", "macs"], divide: Callable[[int, int], Quotient]
    ) -> Sequence[Quotient | None]:
        """The reference's ``count`` / that of the row at ``place``, at each point of ``block``; None without both.

        ``divide`` makes the reduction of two counts: ``Fraction`` is exact, ``truediv`` is fast.
        """
        above, below = getattr(block.counts[self.reference], count), getattr(block.counts[place], count)
        if all(above) and all(below):
            return [*map(divide, above, below)]
        pairs = zip(above, below, strict=True)
        return [None if one is None or not other else divide(one, other) for one, other in pairs]


def _counts(counter: Counter, points: Points) -> Counts:
    total = len(points.places)
    columns: tuple[list[Any], ...] = ([None] * total, [None] * total, [None] * total)
    for piece in evaluate(counter, points):
        if piece.answers and len(piece.places) == total:
            return Counts(piece.answers[0], piece.answers[1], columns[-1])
        filled = zip(columns, piece.answers, strict=False) if piece.answers else [(columns[-1], piece.reasons)]
        for column, values in filled:
            deque(map(column.__setitem__, piece.places, values), maxlen=0)
    return Counts(*columns)


def sweep_layer(
    values: Mapping[str, Any],
    variants: Iterable[Variant | str] = (),
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Sweep:
    """The sweep of a convolution over ``values``: a list has several values of a quantity, anything else is one.

    The quantities are :data:`QUANTITIES`, the first three required, and the options of ``variants`` (the first three
    variants by default; ``groups`` adds ``grouped``). ``settings`` are other arguments of :meth:`ConvSpec.of`, the same
    at all points. Without a size, multiply-adds are per output position.

    Raises :class:`SepcalcError` for a grid of more points than :data:`sepcalc.sweep.grid.MOST_POINTS`.
    """
    chosen = [get("standard"), *(tuple(map(get, variants)) or choose())]
    if "groups" in values:
        chosen.append(get("grouped"))
    grid = Grid(axes=tuple(Axis.of(key, value) for key, value in values.items()))
    lengths = (*(value for axis in grid.axes for value in axis.values[:1]), *settings.values())
    axes = next((len(value) for value in lengths if isinstance(value, tuple)), 2)
    return Sweep(
        what=_what(axes, settings),
        grid=grid,
        counters={variant.name: partial(_count, variant, settings) for variant in chosen},
        growing=("c_in", "c_out", "k", *(["size"] if "size" in values else [])),
        is_open="size" not in values,
        axes=axes,
    )


def _what(axes: int, settings: Mapping[str, Any]) -> str:
    """The kind of convolution, and the settings that are not the default."""
    usual = ConvSpec.of.__kwdefaults__ or {}
    unusual = {key: value for key, value in settings.items() if value not in (usual[key], (usual[key],) * axes)}
    kind = f"{'' if axes == 2 else f'{axes}D '}{'transposed ' if unusual.pop('transposed', False) else ''}convolution"
    words = (f"{key.replace('_', ' ')} {shown(value)}" for key, value in unusual.items())
    return ", ".join((kind[0].upper() + kind[1:], *words))


def _count(variant: Variant, settings: Mapping[str, Any], **point: Any) -> tuple[int, int]:
    """The counts of a variant at a point; raises :class:`SpecError` where there are none."""
    c_in, c_out, k, size, stride = (point.get(key) for key in QUANTITIES)
    spec = ConvSpec.of(c_in, c_out, k, size=size, stride=1 if stride is None else stride, **settings)  # type: ignore[arg-type]
    check_size(spec)
    # An open map is counted at one position: a stage that keeps the size costs the same at all.
    known = replace(spec, size=(1,) * len(spec.kernel)) if size is None else spec
    bound = variant.bind(point)
    made = Candidate(variant=bound, stages=bound(known))
    return made.params, made.macs  # type: ignore[return-value]  # the size is known


def sweep_network(
    name: str, values: Mapping[str, Any], opened: Callable[[Any, Any], Network], variants: Iterable[Variant] = ()
) -> Sweep:
    """The sweep of a network over ``values``: its ``width`` and ``size``, and options of ``variants``.

    ``opened`` makes the network of a width and a size, each None where it is not swept; its :class:`SepcalcError` is
    the reason why a point has no counts. A point has a row for the network as written and one for each variant (the
    first three by default) in every layer that can take it.
    """

    @lru_cache(maxsize=1)
    def network(width: Any, size: Any) -> Network | SpecError:
        try:
            return opened(width, size)
        except SepcalcError as reason:
            return SpecError(str(reason))

    def count(variant: Variant | None, **point: Any) -> tuple[int, int]:
        found = network(point.get("width"), point.get("size"))
        if isinstance(found, SpecError):
            raise found
        cost = found.cost if variant is None else found.what_if(variant.bind(point)).cost
        return cost.params, cost.macs

    rewritten = {variant.name: partial(count, variant) for variant in tuple(variants) or choose()}
    return Sweep(
        what=name,
        grid=Grid(axes=tuple(Axis.of(key, value) for key, value in values.items())),
        counters={AS_WRITTEN: partial(count, None), **rewritten},
        block_points=1,  # a network is made from plain numbers
    )
