"""Which operator a parameter belongs to, while a model runs.

A weight may reach its convolution as a view, in parts, or as the result of a computation on weights alone (a
weight norm, a cast). So memory is followed rather than names: what is made of nothing but parameters and
constants stands for them, until something reads it together with an input. That operator owns them, and each number
of a parameter is owned once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sepcalc.readers.imported import Claims
from sepcalc.readers.pytorch.operators import OPERATORS
from sepcalc.readers.pytorch.values import storage, tensors
from sepcalc.readers.trace import Use

if TYPE_CHECKING:
    import torch

Read = tuple[int, int, int, str]
"""A parameter's index, where the part that is read begins, how large it is, and its role."""

_OWNERS = frozenset({"embedding", "batch_norm", "layer_norm", "group_norm"})
"""Operators that own their weights even where they run on nothing but constants."""


class Ownership:
    """What each piece of memory is made of, and how much of each parameter has no owner yet."""

    def __init__(self, parameters: Sequence[torch.Tensor], buffers: Iterable[torch.Tensor]) -> None:
        self.counts = [each.numel() for each in parameters]
        self.vectors = [each.dim() == 1 for each in parameters]
        self.claims = Claims()
        self.stored: dict[int, list[tuple[int, int]]] = {}
        for index, each in enumerate(parameters):
            self.stored.setdefault(storage(each), []).append((index, int(each.storage_offset())))
        self.constants: dict[int, frozenset[int]] = {storage(each): frozenset() for each in buffers}

    def follow(self, given: Iterable[torch.Tensor], written: Iterable[torch.Tensor], *, view: bool) -> bool:
        """Whether nothing but constants was read; what is made of constants is one."""
        origins: set[int] = set()
        constant = True
        for each in given:
            memory = storage(each)
            if memory in self.stored:
                origins.update(index for index, _ in self.stored[memory])
            elif memory in self.constants:
                origins |= self.constants[memory]
            else:
                constant = False
        for each in () if view else written:
            if constant:
                self.constants[storage(each)] = frozenset(origins)
            else:
                # Also where the memory of a constant that is gone is used again.
                self.constants.pop(storage(each), None)
        return constant

    def reads(self, operator: str, args: Sequence[object]) -> Iterator[Read]:
        """The parts of parameters among the arguments of an operator of the dispatcher."""
        record = OPERATORS.get(operator)
        roles = {} if record is None else record.roles
        for index, each in enumerate(args):
            for tensor in tensors((each,)):
                yield from self._parts(tensor, roles.get(index, ""))

    def _parts(self, tensor: torch.Tensor, role: str) -> Iterator[Read]:
        memory = storage(tensor)
        for index, offset in self.stored.get(memory, ()):
            begin, count = int(tensor.storage_offset()) - offset, self.counts[index]
            if 0 <= begin < max(count, 1):
                elements = min(tensor.numel(), count)
                yield index, begin if elements < count else 0, elements, role
        for index in sorted(self.constants.get(memory, ())):
            yield index, 0, self.counts[index], role

    def uses(self, reads: Iterable[Read], word: str, *, constant: bool, product: bool) -> tuple[Use, ...]:
        """What an operator uses; it owns what nothing before it did, unless it only prepares a weight."""
        uses = []
        for index, begin, elements, given in dict.fromkeys(reads):
            role = given or (("bias" if self.vectors[index] else "weight") if word == "linear" else "")
            owns = not constant or product or (role != "" and word in _OWNERS)
            new = self.claims.claim(index, (begin, elements), elements, self.counts[index]) if owns else 0
            uses.append(Use(parameter=index, elements=elements, new=new, role=role))
        return tuple(uses)

    def late(self, uses: tuple[Use, ...]) -> tuple[Use, ...]:
        """``uses`` of an operator that only prepares a weight, as the owner of what nothing else turned out to own."""
        return tuple(self._late(use) for use in uses)

    def _late(self, use: Use) -> Use:
        whole = self.counts[use.parameter]
        if self.claims.left.get(use.parameter, whole) != whole:
            return use
        self.claims.left[use.parameter] = whole - use.elements
        return replace(use, new=use.elements)
