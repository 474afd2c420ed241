"""The operator that each parameter belongs to, found while a model runs.

A weight may reach its convolution as a view, in parts, or as the result of a computation on weights alone (a weight
norm, a cast). So memory is followed, not names: a tensor that is computed from parameters and constants alone stands
for them, until an operator reads it together with an input. That operator owns them; each number is owned once.
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
    """The parameters behind each piece of memory, and how much of each has an owner."""

    def __init__(self, parameters: Sequence[torch.Tensor], buffers: Iterable[torch.Tensor]) -> None:
        self.counts = [parameter.numel() for parameter in parameters]
        self.vectors = [parameter.dim() == 1 for parameter in parameters]
        self.claims = Claims()
        self.stored: dict[int, list[tuple[int, int]]] = {}
        for index, parameter in enumerate(parameters):
            self.stored.setdefault(storage(parameter), []).append((index, int(parameter.storage_offset())))
        self.constants: dict[int, frozenset[int]] = {storage(buffer): frozenset() for buffer in buffers}

    def follow(self, given: Iterable[torch.Tensor], written: Iterable[torch.Tensor], *, view: bool) -> bool:
        """Whether an operator reads constants alone; its result is then a constant too."""
        origins: set[int] = set()
        constant = True
        for tensor in given:
            memory = storage(tensor)
            if memory in self.stored:
                origins.update(index for index, _ in self.stored[memory])
            elif memory in self.constants:
                origins |= self.constants[memory]
            else:
                constant = False
        for tensor in () if view else written:
            # The memory may have been that of a constant that is gone.
            self.constants.pop(storage(tensor), None)
            if constant:
                self.constants[storage(tensor)] = frozenset(origins)
        return constant

    def reads(self, operator: str, args: Sequence[object]) -> Iterator[Read]:
        """The parts of parameters among the arguments of an operator of the dispatcher."""
        roles = OPERATORS[operator].roles if operator in OPERATORS else {}
        for index, argument in enumerate(args):
            for tensor in tensors((argument,)):
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
        """The parameters that an operator uses; it owns those without an owner, unless it only prepares a weight."""
        uses = []
        for index, begin, elements, given in dict.fromkeys(reads):
            role = given or (("bias" if self.vectors[index] else "weight") if word == "linear" else "")
            owns = not constant or product or (role != "" and word in _OWNERS)
            new = self.claims.claim(index, (begin, elements), elements, self.counts[index]) if owns else 0
            uses.append(Use(parameter=index, elements=elements, new=new, role=role))
        return tuple(uses)

    def late(self, use: Use) -> Use:
        """``use`` after the run: a parameter without an owner belongs to the operator that only prepares it."""
        whole = self.counts[use.parameter]
        if self.claims.left.get(use.parameter, whole) != whole:
            return use
        self.claims.left[use.parameter] = whole - use.elements
        return replace(use, new=use.elements)
