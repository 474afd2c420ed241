"""Layers made of matrix products: convolutions in the form of a variant, linear layers, other products."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Annotated

from msgspec import Meta

from sepcalc.core.errors import LayerError, SpecError
from sepcalc.core.layers import STANDARD, Convolution, FeatureMap, Product, written_type
from sepcalc.core.spec import ConvSpec, times
from sepcalc.core.variants import Stages, Variant, get
from sepcalc.readers.yaml.arguments import (
    WHOLE_OR_0,
    Act,
    Batch,
    ConvArguments,
    Flag,
    ListedArguments,
    Norm,
    OperatorArguments,
    Shares,
    Whole,
    conv_arguments,
    says,
)
from sepcalc.readers.yaml.layer_types import feature_map, layer_type, written
from sepcalc.readers.yaml.lengths import bias, lengths, padding
from sepcalc.readers.yaml.scope import Scope


@layer_type("conv", "separable", "spatial", "depthwise", arguments=conv_arguments, takes_defaults=True)
def convolution(scope: Scope, args: ConvArguments, word: str) -> None:
    """A convolution in the form of a variant."""
    variant = _variant(args, word)
    c_out = args.c_out
    if c_out is None and variant.name != "depthwise":
        raise LayerError("c_out is missing; give a whole number of channels")
    reads = feature_map(scope, args, "use linear")
    if c_out is None:
        c_out = reads.channels
    elif variant.name != "depthwise" or c_out != reads.channels:
        c_out = scope.reading.scaled(c_out, args.scale)
    spec = _spec(args, reads, c_out, dense="groups" in variant.defaults)
    if spec.groups > 1 and variant(spec) == variant(replace(spec, groups=1)):
        raise LayerError(f"groups means nothing for {variant.name}, which has groups of its own; remove it", "groups")
    layer = Convolution(
        name=scope.new_name(args.name, word),
        type=written_type(variant),
        spec=spec,
        variant=variant,
        norm=args.norm,
        act=args.act,
        norm_last=args.norm_last,
        act_last=args.act_last,
        between=args.between,
        shares=_shared(scope, args.shares, spec, variant),
        batch=args.batch,
    )
    if variant is not STANDARD:
        _ = layer.cost  # an error of the cost is raised here, where the place of the layer is known
    scope.emit(layer)


def _spec(args: ConvArguments, reads: FeatureMap, c_out: int, *, dense: bool) -> ConvSpec:
    axes = len(reads.size)
    return ConvSpec(
        c_in=reads.channels,
        c_out=c_out,
        kernel=lengths("k", args.k, axes),
        size=reads.size,
        stride=lengths("stride", args.stride, axes),
        padding=padding(args.padding, axes),
        dilation=lengths("dilation", args.dilation, axes),
        groups=1 if dense else args.groups,
        bias=bias(args.bias),
        transposed=args.transposed,
        output_padding=lengths("output_padding", args.output_padding, axes, least=0),
    )


def _variant(args: ConvArguments, word: str) -> Variant:
    if args.variant is not None and word != "conv":
        raise LayerError(f"{word} is a variant already; write conv with variant: {args.variant}", "variant")
    try:
        variant = get(args.variant or ("standard" if word == "conv" else word))
    except SpecError as unknown:
        raise LayerError(str(unknown), "variant") from None
    options = {key: value for key in args.options if (value := getattr(args, key)) is not None}
    for key in options:
        if key not in variant.defaults:
            raise LayerError(f"{key} means nothing for {variant.name}; remove it", key)
    if "groups" in variant.defaults:
        options["groups"] = args.groups
    return variant.bind(options) if options else variant


def _shared(scope: Scope, name: str | int | None, spec: ConvSpec, variant: Variant = STANDARD) -> str | None:
    """The full name of the earlier layer whose weights this one uses; raises for weights of other shapes."""
    if name is None:
        return None
    scope.output_of(str(name))
    full = scope.full_name(str(name))
    other = scope.reading.layer(full)
    if not isinstance(other, Convolution):
        raise LayerError(f"{full} has no weights to share; name a convolution or a linear layer", "shares")
    theirs, mine = _weights(other.stages), _weights(variant(spec))
    if theirs != mine:
        raise LayerError(f"{full} has weights {theirs}, this layer needs {mine}; make them alike", "shares")
    return full


def _weights(stages: Stages) -> str:
    """The shapes of the weights of all stages, as PyTorch writes them, and whether there are biases."""
    shapes = " and ".join(times((stage.c_out, stage.c_in // stage.groups, *stage.kernel)) for stage in stages)
    return f"{shapes} {'with' if stages[-1].bias != 'none' else 'without'} bias"


class LinearArguments(ListedArguments, kw_only=True):
    """A linear layer, on one position unless it says ``per_position``."""

    c_out: Annotated[Whole, says("output features; no width multiplier changes them")]
    bias: Annotated[Flag, says("whether there is a bias")] = False
    norm: Annotated[Norm, says("the norm after the layer")] = "none"
    act: Annotated[Act, says("the activation after the layer")] = "none"
    per_position: Annotated[Flag, says("whether the layer runs at each position of a feature map")] = False
    shares: Shares = None
    batch: Annotated[Batch, says("vectors that the layer runs over for one example")] = 1


@layer_type("linear", arguments=LinearArguments, short="c_out")
def linear(scope: Scope, args: LinearArguments, word: str) -> None:
    """A linear layer: a convolution without axes, or a 1×1 at each position."""
    reads = scope.reached(args)
    if prod(reads.size) != 1 and not args.per_position:
        here = times(reads.size)
        raise LayerError(
            f"a feature map of {here} positions reaches this linear layer; "
            "put flatten or avgpool: global before it, or say per_position: true"
        )
    kernel = (1,) * len(reads.size)
    spec = ConvSpec(c_in=reads.channels, c_out=args.c_out, kernel=kernel, size=reads.size, bias=bias(args.bias))
    name = scope.new_name(args.name, word)
    shares = _shared(scope, args.shares, spec)
    scope.emit(
        Convolution(name=name, type="linear", spec=spec, norm=args.norm, act=args.act, shares=shares, batch=args.batch)
    )


class ProductArguments(OperatorArguments, kw_only=True):
    """Matrix products that are no layer of their own kind: attention, einsum, a recurrent layer."""

    terms: Annotated[
        list[Annotated[list[Annotated[int, WHOLE_OR_0]], Meta(min_length=3, max_length=3)]],
        Meta(description="a list of products, each [c_in, c_out, times]"),
        says("linear maps, and how many vectors each is applied to: [c_in, c_out, times]"),
    ]


@layer_type("product", arguments=ProductArguments)
def product(scope: Scope, args: ProductArguments, word: str) -> None:
    """Matrix products that are no layer of their own kind."""
    reads = scope.reached(args)
    terms = tuple((ConvSpec(c_in=c_in, c_out=c_out, kernel=(), size=()), times) for c_in, c_out, times in args.terms)
    name = scope.new_name(args.name, str(args.operator))
    writes = written(args, reads)
    scope.emit(Product(name=name, type=str(args.operator), input=reads, output=writes, terms=terms, params=args.params))
