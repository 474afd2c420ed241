"""The steps that the ONNX and PyTorch importers share: names, feature maps, specs, and which layer counts a weight."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from sepcalc.core.layers import INPUT, Convolution, FeatureMap, Layer, Operator, Tap, Taps, writer_of
from sepcalc.core.spec import Bias, ConvSpec

MOST_AXES = 3
"""Axes of a feature map; of more, those in the middle become one."""


@dataclass(slots=True, kw_only=True)
class ImportedLayers:
    """The layers of a network while it is imported.

    ``sequences`` says that three axes are a batch, positions and channels: where no convolution runs along one axis.
    """

    found: list[Layer] = field(default_factory=list)
    wiring: list[Taps] = field(default_factory=list)
    """The layers that each layer reads."""
    reads: Taps = ()
    """The layers that the next layer reads."""
    sequences: bool = False
    specs: dict[str, ConvSpec] = field(default_factory=dict)
    """The spec of each layer with weights."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Names that are taken, and the highest number after each."""

    def add(self, layer: Layer) -> None:
        """Append a layer, which the next one reads."""
        self.wiring.append(self.reads)
        self.reads = (len(self.found),)
        self.found.append(layer)

    def add_parameters(self, name: str, kind: str, params: int) -> None:
        """Append a layer for parameters that belong to no operator, or that its form cannot hold."""
        nothing = FeatureMap(channels=1, size=())
        self.wiring.append(())
        self.found.append(Operator(name=self.new_name(name), type=kind, input=nothing, output=nothing, params=params))

    def batch(self, shape: Sequence[int | None]) -> int:
        """The number of examples in an input of this ``shape``: its first length, if a layer runs over as many."""
        first = shape[0] if shape else 1
        return first or 1 if any(isinstance(layer, Convolution) and layer.batch == first for layer in self.found) else 1

    def outputs(self, returned: Iterable[Tap]) -> tuple[int, ...]:
        """The layers among ``returned``, all that the network returns, that other layers read too."""
        writers = set(map(writer_of, returned))
        read = {writer_of(tap) for taps in self.wiring for tap in taps}
        return tuple(sorted((writers & read) - {INPUT}))

    def new_name(self, *wanted: str) -> str:
        """The first of ``wanted`` that is free, or the last with a number behind it."""
        names = [one_line(name) for name in wanted]
        free = next((name for name in names if name not in self.numbers), names[-1])
        while free in self.numbers:
            self.numbers[names[-1]] += 1
            free = f"{names[-1]}#{self.numbers[names[-1]]}"
        self.numbers[free] = 1
        return free

    def feature_map(self, shape: tuple[int | None, ...]) -> FeatureMap:
        """A shape as a table shows it: :func:`feature_map`."""
        return feature_map(shape, last=self.sequences)

    def has_weights_of(self, owner: str | None, spec: ConvSpec) -> bool:
        """Whether a layer of this ``spec`` reads the weights of the layer ``owner`` in the same way."""
        theirs = self.specs.get(owner or "")
        return theirs is not None and _weights(theirs) == _weights(spec)


def _weights(spec: ConvSpec) -> tuple[object, ...]:
    """The numbers that two layers with the same weights share; a vector counts as one position."""
    window = spec.kernel if max(spec.kernel, default=1) > 1 else len(spec.kernel) or 1
    return spec.c_out, spec.c_in // spec.groups, window, spec.bias


@dataclass(slots=True, kw_only=True)
class Claims:
    """Which numbers of each tensor are counted: each number once, with the first layer that reads it."""

    left: dict[Hashable, int] = field(default_factory=dict)
    """How many numbers of each claimed tensor are not counted yet."""
    parts: set[tuple[Hashable, Hashable]] = field(default_factory=set)

    def claim(self, tensor: Hashable, part: Hashable, size: int, whole: int) -> int:
        """Count a part of a tensor of ``whole`` numbers: how many of its ``size`` were not counted before."""
        left = self.left.setdefault(tensor, whole)
        new = 0 if (tensor, part) in self.parts else min(left, size)
        self.parts.add((tensor, part))
        self.left[tensor] = left - new
        return new


def feature_map(shape: tuple[int | None, ...], *, last: bool = False) -> FeatureMap:
    """A shape, batch first, as channels and size; a vector has channels alone, an unknown length and 0 become 1.

    ``last`` says that three axes are a batch, positions and channels.

    >>> feature_map((8, 64, 56, 40)), feature_map((5,))
    (FeatureMap(channels=64, size=(56, 40)), FeatureMap(channels=5, size=()))
    """
    lengths = tuple(length or 1 for length in shape)
    inner = lengths[1:] or lengths or (1,)
    channels, *size = inner[::-1] if last and len(inner) == 2 else inner
    return FeatureMap(channels=channels, size=flat(tuple(size)))


def flat(size: tuple[int, ...]) -> tuple[int, ...]:
    """``size`` with at most three axes: those in the middle become one.

    >>> flat((2, 3, 4, 5))
    (2, 12, 5)
    """
    return size if len(size) <= MOST_AXES else (size[0], prod(size[1:-1]), size[-1])


def linear_spec(lead: tuple[int, ...], c_in: int, c_out: int, bias: Bias = "none") -> tuple[ConvSpec, int]:
    """A linear layer over ``lead`` positions, the first of them the batch: its spec and how often it runs.

    >>> spec, batch = linear_spec((8, 197), 768, 3072)
    >>> spec.size, batch
    ((197,), 8)
    """
    size = flat(lead[1:])
    return ConvSpec(c_in=c_in, c_out=c_out, kernel=(1,) * len(size), size=size, bias=bias), lead[0] if lead else 1


def one_line(name: str) -> str:
    r"""A name on one line, without the dollar that begins an expression in a network file.

    >>> one_line("a$b\n")
    'a_b_'
    """
    return "".join(letter if letter.isprintable() and letter != "$" else "_" for letter in name)
