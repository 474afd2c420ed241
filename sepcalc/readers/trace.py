"""One run of a network as plain data: which operators ran, on which shapes, inside which modules.

:func:`~sepcalc.readers.pytorch.layers.to_network` makes layers of a trace, and the totals of other counters come from
it too. Such a counter sees modules, functions or the dispatcher's operators: an operation holds all three. Nothing here
is torch. Every shape includes the batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

from sepcalc.core.layers import Taps

Shape = tuple[int, ...]

OperatorKind = Literal["view", "move", "free", "product", "unknown"]
"""A *view* shows the same numbers in another shape, a *move* writes them to another place, a *free* operator computes
without multiply-adds, a *product* multiplies and adds."""

Config = Mapping[str, object]
"""Numbers, words, flags and tuples of them by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One trainable tensor, by its first name in ``named_parameters``."""

    name: str
    shape: Shape

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module as it was built, whether it runs or not.

    ``path`` is empty for the model. ``own`` are the parameters registered on the module itself: the attribute's
    name, and the index in :attr:`Trace.parameters`. ``children`` are the names and indices of its direct submodules.
    ``config`` is every public attribute that is plain data: ``kernel_size``, ``inplace``.
    """

    path: str
    qualname: str
    """The class with the module that defines it: ``torch.nn.modules.conv.Conv2d``."""
    own: tuple[tuple[str, int], ...] = ()
    children: tuple[tuple[str, int], ...] = ()
    config: Config = field(default_factory=dict)

    @property
    def cls(self) -> str:
        """The class's name alone: ``Conv2d``."""
        return self.qualname.rpartition(".")[2]

    @property
    def leaf(self) -> bool:
        """Whether it holds no other module."""
        return not self.children


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleCall:
    """One call of a module: its index in :attr:`Trace.modules`, and the index of the call around it.

    ``inputs`` are the shapes of the positional tensors, in lists too; ``named`` the shapes of tensors given by keyword;
    ``outputs`` the shapes of all returned tensors, in order. ``depth`` is 0 for the model.
    """

    module: int
    parent: int | None
    depth: int
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    named: Mapping[str, Shape] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A parameter, or a part of one, that an operator reads.

    ``elements`` is the part's size; ``new`` is how many of them no earlier operator used, so that the sum of ``new``
    over a trace counts every number once. ``role`` is ``weight``, ``bias`` or empty.
    """

    parameter: int
    elements: int
    new: int
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtenCall:
    """An operator as PyTorch's dispatcher ran it: ``aten.convolution.default``.

    ``arguments`` are its arguments in order, a tensor as its shape, lists of tensors as tuples of shapes.
    """

    name: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    arguments: tuple[object, ...] = ()
    kind: OperatorKind = "free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operator: a function that the code called, or an operator of the dispatcher that ran outside any function.

    ``word`` is the field's name for it: conv, linear, attention, batch_norm, max_pool, add, ...
    (:mod:`sepcalc.readers.pytorch.operators`), or the bare name of a function. ``function`` is the outermost function
    of PyTorch (``torch.nn.functional.relu``, ``torch.Tensor.__add__`` for a plain ``+``), empty where there was none;
    ``inside`` are functions around it, such as ``torch.nn.functional.multi_head_attention_forward``. ``call`` is the
    index in :attr:`Trace.calls` of the innermost module that was running.

    ``inputs`` are the shapes of all tensors given to it, in order, positional before named; ``weight`` is the shape of
    a convolution's or linear layer's weights. ``attributes`` of a convolution are kernel, stride, padding, dilation,
    groups, transposed, output_padding and bias, and padding_word where its padding was given as a word; of anything
    else the ``arguments`` of the function in order, tensors as their shapes, and its keyword arguments by name.
    """

    word: str
    function: str
    call: int
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    weight: Shape | None = None
    attributes: Config = field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    aten: tuple[AtenCall, ...] = ()
    inside: tuple[str, ...] = ()
    constant: bool = False
    """Whether it reads parameters alone, to compute a weight before it is used."""
    taps: Taps = ()
    """The operations whose results it reads, by index, or the model's input; a part of a result as one."""
    named: bool = True
    """Whether the code looked ``function`` up in PyTorch's namespace, where some counters put their own."""

    @property
    def params(self) -> int:
        """Parameters that no earlier operator used."""
        return sum(use.new for use in self.uses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One run in evaluation mode: modules and parameters as built, calls and operators as they ran, in order."""

    name: str
    inputs: tuple[Shape, ...]
    parameters: tuple[Parameter, ...] = ()
    modules: tuple[Module, ...] = ()
    calls: tuple[ModuleCall, ...] = ()
    operations: tuple[Operation, ...] = ()
    outputs: Taps = ()
    """The operations whose results the model returned, by index."""
    source: str | None = None
    """Where the network comes from."""
    notes: tuple[str, ...] = ()
    """Remarks on the run, such as a fallback from the meta device."""

    @property
    def params(self) -> int:
        """All parameters, each once, whether used or not."""
        return sum(parameter.count for parameter in self.parameters)

    def module_of(self, operation: Operation) -> Module:
        """The innermost module that was running."""
        return self.modules[self.calls[operation.call].module]

    def unused(self) -> Iterator[tuple[Parameter, int]]:
        """Each parameter that was not read as a whole, and how many of its numbers were not."""
        read = [0] * len(self.parameters)
        for operation in self.operations:
            for use in operation.uses:
                read[use.parameter] += use.new
        for parameter, count in zip(self.parameters, read, strict=True):
            if count < parameter.count:
                yield parameter, parameter.count - count
