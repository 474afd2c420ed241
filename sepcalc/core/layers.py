"""The layers of a network and their costs.

A layer has the parameters of its stages and of the norm after each, and the multiply-adds of its stages alone. Layers
without a matrix product (norms, activations, pooling, joins) have no multiply-adds: that is the rule, not an estimate.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

from sepcalc.core.errors import SpecError
from sepcalc.core.modules import Call, activation_params
from sepcalc.core.spec import Axes, ConvSpec, times
from sepcalc.core.variants import Stages, Variant, get

STANDARD = get("standard")

NormKind = Literal["none", "batch", "layer", "group", "instance", "rms"]

Between = Literal["all", "act", "none"]
"""What follows each stage of a layer but the last: norm and activation, the activation alone, or nothing."""

NORM_PARAMS: dict[NormKind, int] = {"none": 0, "batch": 2, "layer": 2, "group": 2, "instance": 0, "rms": 1}
"""Trainable numbers per channel of each norm with its framework's defaults: scale and shift, or scale alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Parameters and multiply-adds; :func:`total` adds them up."""

    params: int = 0
    macs: int = 0

    def __sub__(self, other: Cost) -> Cost:
        return Cost(params=self.params - other.params, macs=self.macs - other.macs)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of ``costs``."""
    params = macs = 0
    for cost in costs:
        params += cost.params
        macs += cost.macs
    return Cost(params=params, macs=macs)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMap:
    """The input or output of a layer: ``channels`` at each position of ``size``; a vector has no axes."""

    channels: int
    size: Axes

    @property
    def shape(self) -> Axes:
        """Channels first, as in PyTorch."""
        return (self.channels, *self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A convolution or linear layer as it is written: ``spec`` in the form of ``variant``.

    A norm and an activation follow each stage, or as ``between`` says; ``norm_last`` and ``act_last``, if given, stand
    after the last. A layer that ``shares`` the weights of an earlier one, by its name, has multiply-adds and no
    parameters. It runs over ``batch`` feature maps: examples, or the positions that its spec leaves out.
    """

    name: str
    type: str
    spec: ConvSpec
    variant: Variant = STANDARD
    norm: NormKind = "none"
    act: str = "none"
    norm_last: NormKind | None = None
    act_last: str | None = None
    between: Between = "all"
    shares: str | None = None
    batch: int = 1

    @property
    def input(self) -> FeatureMap:
        """The feature map that the layer reads."""
        return FeatureMap(channels=self.spec.c_in, size=self.spec.size or ())

    @property
    def output(self) -> FeatureMap:
        """The feature map that the layer writes; the same for every variant."""
        return FeatureMap(channels=self.spec.c_out, size=self.spec.out_size or ())

    @property
    def kernel(self) -> Axes:
        """The kernel's length along each axis; empty for a linear layer."""
        return self.spec.kernel

    @property
    def label(self) -> str:
        """The kind of layer, in a reader's words."""
        if self.variant.name == "standard":
            return self.spec.kind if self.type != "linear" else "linear"
        return f"{self.variant.name} {times(self.kernel)}"

    @property
    def stages(self) -> Stages:
        """The primitive convolutions of the layer as written."""
        return self.variant(self.spec)

    @property
    def cost(self) -> Cost:
        """The layer's cost as written."""
        return self.cost_as(self.variant)

    @property
    def last_norm(self) -> NormKind:
        """The norm after the last stage."""
        return self.norm_last or self.norm

    @property
    def last_act(self) -> str:
        """The activation after the last stage."""
        return self.act if self.act_last is None else self.act_last

    def as_variant(self, variant: Variant) -> Stages:
        """The primitive convolutions of the layer as ``variant``.

        A layer that is written as this variant keeps its options where ``variant`` has none.
        Raises :class:`SpecError` where the variant cannot express it.
        """
        return self._own(variant)(self.spec)

    def written_as(self, variant: Variant) -> Convolution:
        """The layer in the form of ``variant`` (see :meth:`as_variant`), with the norm and activations that it has."""
        return replace(self, type=written_type(variant), variant=self._own(variant))

    def _own(self, variant: Variant) -> Variant:
        mine = self.variant
        return variant if variant is mine or variant.name != mine.name else mine.bind(variant.options)

    def cost_as(self, variant: Variant) -> Cost:
        """The layer's cost as ``variant``, norms and activations included; options and errors as :meth:`as_variant`."""
        last = self.last_norm, self.last_act
        answer = _cost(self.spec, self._own(variant), (self.norm, self.act), last, self.between)
        if isinstance(answer, str):
            raise SpecError(answer)
        if self.shares is None and self.batch == 1:
            return answer
        return Cost(params=answer.params if self.shares is None else 0, macs=answer.macs * self.batch)


def written_type(variant: Variant) -> str:
    """The type of a convolution that is written as ``variant``."""
    return "conv" if variant.name == "standard" else variant.name


@lru_cache(maxsize=2**14)  # deep networks repeat few layers
def _cost(
    spec: ConvSpec, variant: Variant, inner: tuple[NormKind, str], last: tuple[NormKind, str], between: str
) -> Cost | str:
    """The cost of ``spec`` as ``variant``, or the reason why it has none."""
    try:
        *stages, end = variant(spec)
    except SpecError as reason:
        return str(reason)
    params = end.params + NORM_PARAMS[last[0]] * end.c_out + activation_params(last[1])
    for stage in stages:
        params += stage.params
        params += NORM_PARAMS[inner[0]] * stage.c_out if between == "all" else 0
        params += activation_params(inner[1]) if between != "none" else 0
    return Cost(params=params, macs=sum(stage.macs for stage in (*stages, end)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """A layer that no variant can replace; ``module`` is None where its class in PyTorch is unknown."""

    name: str
    type: str
    input: FeatureMap
    output: FeatureMap
    kernel: Axes = ()
    params: int = 0
    module: Call | None = None

    @property
    def label(self) -> str:
        """The kind of layer, in a reader's words."""
        return f"{self.type} {times(self.kernel)}" if self.kernel else self.type


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator(_Other):
    """A layer without a matrix product: pooling, a norm, an activation, a join, a change of shape.

    ``counted=False`` marks an operator that the program does not understand: its multiply-adds are unknown.
    """

    counted: bool = True

    @property
    def cost(self) -> Cost:
        """Its parameters, and no multiply-adds."""
        return Cost(params=self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(_Other):
    """A layer made of matrix products: of activations alone (attention), or of a kind that cannot be rewritten.

    Each of ``terms`` is a linear map and the number of vectors that it is applied to. Its factors need not be weights,
    so ``params`` are given apart.
    """

    terms: tuple[tuple[ConvSpec, int], ...]

    @property
    def cost(self) -> Cost:
        """Its parameters, and the multiply-adds of all its terms."""
        return Cost(params=self.params, macs=sum(spec.macs * times for spec, times in self.terms))


Layer = Convolution | Product | Operator


class Part(NamedTuple):
    """A part of the output of the layer ``writer``: ``channels`` from the ``first`` on."""

    writer: int
    first: int
    channels: int


Tap = int | Part
"""An input of a layer: the output of the layer with this index, or a part of its channels."""

Taps = tuple[Tap, ...]
"""A layer's inputs in order; empty where the file does not name them: the layer starts a chain of its own."""


def writer_of(tap: Tap) -> int:
    """The index of the layer that wrote all that ``tap`` is a part of."""
    return tap.writer if isinstance(tap, Part) else tap


def parts(taps: Iterable[Tap]) -> Taps:
    """The same inputs as parts of which the channels are unknown."""
    return tuple(tap if isinstance(tap, Part) else Part(tap, 0, 0) for tap in taps)


INPUT = -1
"""The index of the network's input in a tap."""
