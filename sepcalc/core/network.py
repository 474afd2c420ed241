"""A network as a list of layers, and what rewriting its convolutions would change.

A network costs the sum of its layers. A layer has the parameters of its stages and of the norm after each, and the
multiply-adds of its stages alone. Layers without a matrix product (norms, activations, pooling, joins) have no
multiply-adds: that is the rule, not an estimate. What the program does not understand is marked as uncounted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar, Literal, NamedTuple

from sepcalc.core.errors import SpecError
from sepcalc.core.modules import Call, activation_params
from sepcalc.core.spec import Axes, ConvSpec, times
from sepcalc.core.table import Tabular
from sepcalc.core.variants import Stages, Variant, choose, get

STANDARD = get("standard")

AS_WRITTEN = "as-written"
"""The unmodified network's name in tables of variants."""

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


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of ``costs``."""
    params = macs = 0
    for cost in costs:
        params += cost.params
        macs += cost.macs
    return Cost(params=params, macs=macs)


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMap:
    """What a layer reads or writes: ``channels`` at each position of ``size``; a vector has no axes."""

    channels: int
    size: Axes

    @property
    def shape(self) -> Axes:
        """Channels first, as in PyTorch."""
        return (self.channels, *self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """A convolution or linear layer as it is written: ``spec`` in the form of ``variant``.

    A norm and an activation follow each stage, or as ``between`` says. ``act_last`` replaces the activation after the
    last stage. A layer that ``shares`` the weights of an earlier one, by its name, has multiply-adds and no parameters.
    ``batch`` is how many feature maps it runs over: examples, or the positions that a linear layer's spec leaves out.
    """

    name: str
    type: str
    spec: ConvSpec
    variant: Variant = STANDARD
    norm: NormKind = "none"
    act: str = "none"
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
        """What a reader calls the layer."""
        if self.variant.name == "standard":
            return self.spec.kind if self.type != "linear" else "linear"
        return f"{self.variant.name} {times(self.kernel)}"

    @property
    def convertible(self) -> bool:
        """Whether another variant may replace it: it is a dense convolution with k > 1, or written as a variant."""
        return self.variant.name != "standard" or (self.spec.groups == 1 and max(self.kernel, default=1) > 1)

    @property
    def stages(self) -> Stages:
        """The primitive convolutions of the layer as written."""
        return self.variant(self.spec)

    @property
    def cost(self) -> Cost:
        """What the layer costs as written."""
        return self.cost_as(self.variant)

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
        """What the layer would cost as ``variant`` (see :meth:`as_variant`), with its norms and activations.

        Raises :class:`SpecError` where the variant cannot express it.
        """
        answer = _cost(self.spec, self._own(variant), self.norm, self.act, self.act_last, self.between)
        if isinstance(answer, str):
            raise SpecError(answer)
        if self.shares is None and self.batch == 1:
            return answer
        return Cost(params=answer.params if self.shares is None else 0, macs=answer.macs * self.batch)


def written_type(variant: Variant) -> str:
    """What the type of a convolution that is written as ``variant`` is called."""
    return "conv" if variant.name == "standard" else variant.name


@lru_cache(maxsize=2**14)
def _cost(spec: ConvSpec, variant: Variant, norm: NormKind, act: str, act_last: str | None, between: str) -> Cost | str:
    """The cost of ``spec`` as ``variant``, or the reason why it has none. Deep networks repeat few layers."""
    try:
        stages = variant(spec)
    except SpecError as reason:
        return str(reason)
    normed = stages if between == "all" else stages[-1:]
    norms = NORM_PARAMS[norm] * sum(stage.c_out for stage in normed)
    inside = 0 if between == "none" else len(stages) - 1
    slopes = activation_params(act) * inside + activation_params(act_last or act)
    return Cost(params=sum(stage.params for stage in stages) + norms + slopes, macs=sum(stage.macs for stage in stages))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """A layer that no variant can replace. ``module`` is what it becomes in PyTorch; None where that is unknown."""

    name: str
    type: str
    input: FeatureMap
    output: FeatureMap
    kernel: Axes = ()
    params: int = 0
    module: Call | None = None
    convertible: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """What a reader calls the layer."""
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

    Each of ``terms`` is a linear map and how many vectors it is applied to; what it multiplies by need
    not be weights, so ``params`` are given apart.
    """

    terms: tuple[tuple[ConvSpec, int], ...]

    @property
    def cost(self) -> Cost:
        """Its parameters, and the multiply-adds of all its terms."""
        return Cost(params=self.params, macs=sum(spec.macs * times for spec, times in self.terms))


Layer = Convolution | Product | Operator


class Part(NamedTuple):
    """A part of what the layer ``writer`` writes: ``channels`` from the ``first`` on."""

    writer: int
    first: int
    channels: int


Tap = int | Part
"""What a layer reads: the output of the layer with this index, or a part of its channels."""

Taps = tuple[Tap, ...]
"""All that a layer reads, in order; empty where the file does not say: the layer starts a chain of its own."""

INPUT = -1
"""The index of the network's input, as if a layer before the first wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Figures as a source prints them, for example ``569 M``, and a note on how it counts."""

    source: str
    params: str | None = None
    macs: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Tabular):
    """A network with another variant in every convertible layer that was chosen and can take it."""

    _TABLES = "sepcalc.core.network_tables:what_if_tables"

    variant: Variant
    cost: Cost
    layers: tuple[Cost | None, ...]
    """What each layer costs then; None where it stays as written."""
    refused: tuple[tuple[str, str], ...]
    """Name and reason of each chosen layer that stays as written, since the variant does not apply to it."""

    @property
    def converted(self) -> int:
        """How many layers are written as the variant then."""
        return sum(cost is not None for cost in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Tabular):
    """Layers in their order in the file, and what the file says about the network.

    ``wiring`` says what each layer reads; None where that is unknown, as in an imported network.
    """

    _TABLES = "sepcalc.core.network_tables:network_tables"

    name: str
    layers: tuple[Layer, ...]
    wiring: tuple[Taps, ...] | None = None
    input: FeatureMap | None = None
    source: str | None = None
    published: tuple[Published, ...] = ()

    @property
    def title(self) -> str:
        """The name, and the feature map that it reads where that is known."""
        return self.name if self.input is None else f"{self.name}, input {times(self.input.shape)}"

    @property
    def cost(self) -> Cost:
        """What the network costs as written."""
        return total(layer.cost for layer in self.layers)

    @property
    def activations(self) -> int:
        """Elements that the stages of all convolutions and linear layers write (Radosavovic 2020, section 3.1)."""
        return sum(stage.activations * layer.batch for layer in self._convolutions for stage in layer.stages)

    def traffic_bytes(self, element_bytes: int) -> int | None:
        """Bytes of input, weights and output of each stage, moved once; None beside products of activations."""
        if any(isinstance(layer, Product) for layer in self.layers):
            return None
        return sum(
            stage.traffic_bytes(element_bytes, layer.batch) for layer in self._convolutions for stage in layer.stages
        )

    def intensity(self, element_bytes: int) -> Fraction | None:
        """Arithmetic intensity in FLOP per byte; None where the traffic is unknown."""
        traffic = self.traffic_bytes(element_bytes)
        return Fraction(2 * self.cost.macs, traffic) if traffic else None

    @property
    def _convolutions(self) -> Iterator[Convolution]:
        return (layer for layer in self.layers if isinstance(layer, Convolution))

    @property
    def uncounted(self) -> tuple[Operator, ...]:
        """The operators whose multiply-adds are unknown, and so missing from every total."""
        return tuple(layer for layer in self.layers if isinstance(layer, Operator) and not layer.counted)

    def what_if(self, variant: Variant | str, *, only: Iterable[str] = (), keep: Iterable[str] = ()) -> WhatIf:
        """The cost with ``variant`` in every convertible layer that ``only`` matches and ``keep`` does not.

        ``only`` and ``keep`` are shell patterns on layer names. A layer that the variant cannot express stays as
        written and is listed with the reason.
        """
        variant = get(variant)
        costs, rewritten, refused = [], [], []
        for layer, cost, reason in self._rewrites(variant, only, keep):
            costs.append(layer.cost if cost is None else cost)
            rewritten.append(cost)
            if reason is not None:
                refused.append((layer.name, reason))
        return WhatIf(variant=variant, cost=total(costs), layers=tuple(rewritten), refused=tuple(refused))

    def written_as(self, variant: Variant | str, *, only: Iterable[str] = (), keep: Iterable[str] = ()) -> Network:
        """The network whose cost :meth:`what_if` gives; layers keep their names, norms, activations and inputs."""
        variant = get(variant)
        layers = tuple(
            layer.written_as(variant) if cost is not None and isinstance(layer, Convolution) else layer
            for layer, cost, _ in self._rewrites(variant, only, keep)
        )
        return replace(self, layers=layers)

    def _rewrites(
        self, variant: Variant, only: Iterable[str], keep: Iterable[str]
    ) -> Iterator[tuple[Layer, Cost | None, str | None]]:
        """Each layer; its cost as ``variant`` if it was chosen, or the reason why it has none."""
        chosen = chooser(only, keep)
        for layer in self.layers:
            cost = reason = None
            if layer.convertible and chosen(layer.name) and isinstance(layer, Convolution):
                try:
                    cost = layer.cost_as(variant)
                except SpecError as error:
                    reason = str(error)
            yield layer, cost, reason

    def totals(
        self, variants: Iterable[Variant | str] = (), *, only: Iterable[str] = (), keep: Iterable[str] = ()
    ) -> dict[str, Cost]:
        """The cost ``as-written``, and as each of ``variants`` (the first three by default)."""
        chosen = tuple(map(get, variants)) or choose()
        rewritten = {variant.name: self.what_if(variant, only=only, keep=keep).cost for variant in chosen}
        return {AS_WRITTEN: self.cost, **rewritten}


def chooser(only: Iterable[str] = (), keep: Iterable[str] = ()) -> Callable[[str], bool]:
    """A test of names: whether ``only`` is empty or matches, and ``keep`` does not match.

    >>> list(map(chooser(["conv5*"], ["*.1"]), ["conv5.0", "conv5.1", "conv4.0"]))
    [True, False, False]
    """
    only, keep = tuple(only), tuple(keep)

    def chosen(name: str) -> bool:
        wanted = not only or any(fnmatchcase(name, pattern) for pattern in only)
        return wanted and not any(fnmatchcase(name, pattern) for pattern in keep)

    return chosen
