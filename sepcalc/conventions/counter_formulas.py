"""The formulas of other counters, in parts that have words and an amount.

A counter's table maps names of operators, functions or module classes to formulas. The part ``products`` stands for the
multiply-adds of convolutions and matrix products; all other parts are the counter's own additions. Amounts are in the
counter's unit, so a FLOP counter takes its products twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from math import prod
from typing import Literal

from sepcalc.readers.trace import Shape

Item = Literal["products", "bias", "norm", "activation", "pooling", "elementwise", "upsampling", "recurrent", "other"]
"""The subject of a part; ``recurrent`` is the arithmetic of an RNN beside its products."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that a counter sees: an operator, a call of a function, or a call of a module.

    ``inputs`` and ``outputs`` are shapes with the batch, ``weight`` is that of the weights; ``config`` holds the
    attributes of the operator or module, ``own`` the module's parameters. ``word`` is the field's name for the
    operator. ``operation`` and ``call`` are its place in the trace; the counter adds it up ``times`` times.
    """

    name: str
    word: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    weight: Shape | None = None
    config: Mapping[str, object] = field(default_factory=dict)
    own: Mapping[str, Shape] = field(default_factory=dict)
    operation: int | None = None
    call: int = 0
    times: int = 1

    @property
    def x(self) -> Shape:
        """The first input; a single number where there is none."""
        return self.inputs[0] if self.inputs else ()

    @property
    def y(self) -> Shape:
        """The first output."""
        return self.outputs[0] if self.outputs else ()

    @property
    def w(self) -> Shape:
        """The weights; the second input where no weights are known."""
        return self.weight if self.weight is not None else self.inputs[1]

    def number(self, key: str, default: int = 0) -> int:
        """The whole number called ``key`` among the attributes."""
        value = self.config.get(key, default)
        return value if isinstance(value, int) else default

    def flag(self, key: str) -> bool:
        """Whether the attribute ``key`` is set."""
        return bool(self.config.get(key))

    @property
    def affine(self) -> bool:
        """Whether a norm has a scale of its own."""
        return self.flag("affine") or self.flag("elementwise_affine")


Amount = Callable[[Event], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a formula: its subject, its words, and its amount for an event."""

    item: Item
    says: str
    amount: Amount


Parts = tuple[Part, ...]


def part(item: Item, says: str, amount: Amount) -> Parts:
    """A formula of a single part."""
    return (Part(item=item, says=says, amount=amount),)


def says(formula: Parts) -> str:
    """A formula in words.

    >>> says(twice(convolution) + bias_each_output)
    '2 · weights · positions + output'
    """
    return " + ".join(part.says for part in formula).replace("+ -", "- ") or "0"


def twice(formula: Parts) -> Parts:
    """Two for each: FLOPs of multiply-adds."""
    return tuple(map(_doubled, formula))


def _doubled(part: Part) -> Part:
    return Part(item=part.item, says=f"2 · {part.says}", amount=lambda event: 2 * part.amount(event))


def per_input(item: Item, times: int = 1) -> Parts:
    """So many for each number of the first input."""
    return part(item, "input" if times == 1 else f"{times} · input", lambda event: times * prod(event.x))


def per_output(item: Item, times: int = 1) -> Parts:
    """So many for each number of the output."""
    return part(item, "output" if times == 1 else f"{times} · output", lambda event: times * prod(event.y))


def norm(with_scale: int, without: int) -> Parts:
    """So many for each number of the input, by whether the norm has a scale."""
    words = f"{with_scale} · input ({without or 'nothing'} without scale)"
    return part("norm", words, lambda event: (with_scale if event.affine else without) * prod(event.x))


batch_norm = part(
    "norm",
    "2 · input (1 without scale), 5 (4) with the input's own statistics",
    lambda event: ((4 if event.flag("training") else 1) + event.affine) * prod(event.x),
)
"""A batch norm that keeps no moving statistics uses its input's, and counts as another norm does."""


def _positions(event: Event) -> int:
    """The batch times the output's positions; the input's for a transposed convolution."""
    rank = len(event.w) - 2
    spatial = (event.x if event.flag("transposed") else event.y)[-rank:] if rank else ()
    return prod(spatial) * (event.x[0] if len(event.x) == len(event.w) else 1)


convolution = part("products", "weights · positions", lambda event: prod(event.w) * _positions(event))
"""Output positions, and input positions where transposed: every multiply-add once."""


def _by_output(event: Event) -> int:
    """Each output number times its window; a transposed one has the input's channels on the weights' first axis."""
    c_out = event.y[1 if len(event.x) == len(event.w) else 0]
    channels = event.w[1] if c_out == event.w[0] else event.w[0]
    return prod(event.y) * channels * prod(event.w[2:])


convolution_by_output = part("products", "output · channels of the weights · window", _by_output)
"""Output positions always: too many by the stride's product where transposed, and there groups are forgotten too."""


linear = part("products", "input · c_out", lambda event: prod(event.x) * event.w[0])
matmul_by_first = part("products", "first · columns of the second", lambda e: prod(e.inputs[0]) * e.inputs[1][-1])
"""Right where both have the same batch; too few where the second has the larger one."""


def _matmul(event: Event) -> int:
    first, second = event.inputs[0], event.inputs[1]
    if len(first) == 1 or len(second) == 1:
        return prod(first if len(second) == 1 else second)
    return prod(event.y) * first[-1]


matmul = part("products", "output · inner length", _matmul)
addmm = part("products", "first · columns of the second", lambda event: prod(event.inputs[1]) * event.inputs[2][-1])
addmv = part("products", "matrix", lambda event: prod(event.inputs[1]))


def attention_products(event: Event) -> int:
    """Q·Kᵀ and A·V, for every query head."""
    query, key, value = event.inputs[:3]
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


attention = part("products", "queries · keys · (depth + depth of values)", attention_products)

bias_each_output = part("bias", "output", lambda event: prod(event.y))
bias = part("bias", "output where there is a bias", lambda event: prod(event.y) if event.flag("bias") else 0)


def broadcast(event: Event) -> int:
    """The numbers of two tensors lined up from the right, as they are multiplied."""
    reversed_shapes = (shape[::-1] for shape in event.inputs[:2])
    return prod(map(max, zip_longest(*reversed_shapes, fillvalue=1)))


elementwise = part("elementwise", "result", broadcast)
elementwise_from_left = part(
    "elementwise",
    "both shapes lined up from the left",
    lambda event: prod(map(max, zip_longest(*event.inputs[:2], fillvalue=1))),
)
"""The tools line shapes up wrongly here: broadcasting starts from the right."""


def einsum_cost(event: Event) -> int:
    """The cost that NumPy's ``einsum_path`` prints for an einsum of at most two tensors: FLOPs + 1, to four figures.

    Raises :class:`NotImplementedError` for more tensors, where the path would have to be searched.
    """
    equation = str(event.config["equation"]).replace(" ", "")
    if len(event.inputs) > 2 or "." in equation:
        raise NotImplementedError(f"the einsum '{equation}' of {len(event.inputs)} tensors")
    inputs, arrow, output = equation.partition("->")
    if not arrow:
        output = "".join(letter for letter in inputs if inputs.count(letter) == 1)
    sizes: dict[str, int] = {}
    for letters, shape in zip(inputs.split(","), event.inputs, strict=True):
        for letter, length in zip(letters, shape, strict=True):
            sizes[letter] = max(length, sizes.get(letter, 1))
    contracted = set(sizes) - set(output)
    return int(float(f"{prod(sizes.values()) * (2 if contracted else 1) + 1:.3e}"))
