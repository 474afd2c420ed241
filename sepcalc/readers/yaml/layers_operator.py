"""Layers that no variant can express: activations, norms, pooling, changes of shape, operators of a framework.

Shapes follow PyTorch: channels first, windows rounded down.
"""

from __future__ import annotations

from math import prod
from typing import Annotated

from msgspec import Meta

from sepcalc.core.errors import LayerError
from sepcalc.core.layers import NORM_PARAMS, FeatureMap, Operator
from sepcalc.core.modules import ACTIVATIONS, Call
from sepcalc.core.spec import Axes, Padding
from sepcalc.readers.yaml.arguments import (
    POOLED_EXPECTED,
    Common,
    Flag,
    Index,
    Lengths,
    Norm,
    OperatorArguments,
    Pads,
    Pooled,
    Whole,
    says,
)
from sepcalc.readers.yaml.layer_types import MODULES, feature_map, layer_type, written
from sepcalc.readers.yaml.lengths import lengths, padding
from sepcalc.readers.yaml.scope import Scope


@layer_type(*ACTIVATIONS, arguments=Common)
def activation(scope: Scope, args: Common, word: str) -> None:
    """An activation of its own; PReLU learns one slope."""
    reads, found = scope.reached(args), ACTIVATIONS[word]
    scope.operator(args, word, reads, reads, params=found.params, module=found.module)


class NormArguments(Common, kw_only=True):
    """A norm of its own; ``affine`` overrides whether it learns scale and shift."""

    kind: Annotated[Norm, says("which norm")]
    affine: Annotated[Flag | None, says("whether it learns scale and shift; as in PyTorch by default")] = None


@layer_type("norm", arguments=NormArguments, short="kind")
def norm(scope: Scope, args: NormArguments, word: str) -> None:
    """A norm of its own, with scale and shift as its framework's default has them."""
    reads = scope.reached(args)
    params = NORM_PARAMS[args.kind]
    if args.affine is not None:
        # An instance norm learns nothing by default, and a scale and a shift with affine.
        params = args.affine * (2 if args.kind == "instance" else params)
    module = Call(name=f"{MODULES}:norm", args=(args.kind, reads.shape), kwargs={"affine": params > 0})
    scope.operator(args, f"{args.kind}_{word}", reads, reads, params=params * reads.channels, module=module)


@layer_type("layer_scale", arguments=Common)
def layer_scale(scope: Scope, args: Common, word: str) -> None:
    """A learned factor for each channel (CaiT, Touvron 2021, section 2)."""
    reads = scope.reached(args)
    module = Call(name=f"{MODULES}:Scale", args=(reads.channels, len(reads.size)))
    scope.operator(args, word, reads, reads, params=reads.channels, module=module)


Share = Annotated[float, Meta(ge=0, le=1), Meta(description="a number from 0 to 1")]


class DropoutArguments(Common, kw_only=True):
    """Dropout: no cost."""

    p: Annotated[Share, says("the share of elements that training drops")] = 0.5


@layer_type("dropout", arguments=DropoutArguments, short="p")
def dropout(scope: Scope, args: DropoutArguments, word: str) -> None:
    """Nothing, at inference."""
    reads = scope.reached(args)
    scope.operator(args, word, reads, reads, module=Call(name="Dropout", args=(args.p,)))


class PoolArguments(Common, kw_only=True):
    """Pooling with a window ``k``, to a fixed size ``out``, or ``global``."""

    k: Annotated[Pooled | None, says("the window, or global for all positions")] = None
    stride: Annotated[Lengths | None, says("step of the window; the window itself by default")] = None
    padding: Annotated[Pads, says("positions around the input, as for a convolution; at most half the window")] = 0
    ceil: Annotated[Flag, says("whether a window that only begins inside the input counts (ceil_mode)")] = False
    out: Annotated[Lengths | None, says("the output's size (adaptive pooling); instead of k")] = None


@layer_type("maxpool", "avgpool", arguments=PoolArguments, short="k", either=("k", "out"))
def pool(scope: Scope, args: PoolArguments, word: str) -> None:
    """Pooling: by a window, to a size, or over everything."""
    if args.k is None or args.k == "global":
        for key, is_set in (("stride", args.stride is not None), ("padding", args.padding != 0), ("ceil", args.ceil)):
            if is_set:
                raise LayerError(f"{key} means nothing without a window k; remove it", key)
    reads = feature_map(scope, args, "put it before flatten")
    axes, kernel, name = len(reads.size), reads.size, word.removesuffix("pool").title()
    if args.k is None or args.k == "global":
        size: Axes = (1,) * axes
        if args.out is not None:
            size, kernel = lengths("out", args.out, axes), ()
        module = Call(name=f"Adaptive{name}Pool{axes}d", args=(size,))
    else:
        kernel = lengths("k", args.k, axes, expected=POOLED_EXPECTED)
        stride = kernel if args.stride is None else lengths("stride", args.stride, axes)
        pads = padding(args.padding, axes)
        size = _pooled(reads.size, kernel, stride, pads, ceil=args.ceil)
        module = Call(name=f"{MODULES}:pool", args=(name, kernel, stride, pads), kwargs={"ceil": args.ceil})
    writes = FeatureMap(channels=reads.channels, size=size)
    scope.operator(args, word, reads, writes, kernel=kernel, module=module)


def _pooled(size: Axes, kernel: Axes, stride: Axes, pads: Padding, *, ceil: bool) -> Axes:
    if pads == "same":
        return tuple(-(-n // s) for n, s in zip(size, stride, strict=True))
    out = []
    for n, k, s, p in zip(size, kernel, stride, pads, strict=True):
        length = n + 2 * p - k
        if 2 * p > k:
            raise LayerError(f"padding {p} is more than half of the window {k}; give at most {k // 2}", "padding")
        if length < 0:
            cure = "give a smaller k or padding"
            raise LayerError(f"window {k} is larger than the {n} positions that reach it; {cure}", "k")
        last = -(-length // s) if ceil else length // s
        # Rounded up, the last window must still begin inside the input or its left padding.
        out.append(last if last * s >= n + p else last + 1)
    return tuple(out)


@layer_type("flatten", arguments=Common)
def flatten(scope: Scope, args: Common, word: str) -> None:
    """All positions into channels."""
    reads = scope.reached(args)
    writes = FeatureMap(channels=prod(reads.shape), size=())
    scope.operator(args, word, reads, writes, module=Call(name="Flatten"))


class UpsampleArguments(Common, kw_only=True):
    """Interpolation by a factor, or to a size."""

    scale: Annotated[Lengths | None, says("the factor by which the size grows")] = None
    out: Annotated[Lengths | None, says("the size to interpolate to; instead of scale")] = None


@layer_type("upsample", arguments=UpsampleArguments, short="scale", either=("scale", "out"))
def upsample(scope: Scope, args: UpsampleArguments, word: str) -> None:
    """Interpolation by a factor, or to a size."""
    reads = feature_map(scope, args, "put it before flatten")
    size = reads.size
    if args.out is not None:
        size = lengths("out", args.out, len(size))
    elif args.scale is not None:
        size = tuple(n * s for n, s in zip(size, lengths("scale", args.scale, len(size)), strict=True))
    writes = FeatureMap(channels=reads.channels, size=size)
    scope.operator(args, word, reads, writes, module=Call(name="Upsample", args=(size,)))


class ShuffleArguments(Common, kw_only=True):
    """Channel shuffle over ``groups``."""

    groups: Annotated[Whole, says("the groups that take turns")]


@layer_type("channel_shuffle", arguments=ShuffleArguments, short="groups")
def channel_shuffle(scope: Scope, args: ShuffleArguments, word: str) -> None:
    """Channels of all groups in turn (ShuffleNet)."""
    reads = scope.reached(args)
    if reads.channels % args.groups:
        channels, groups = reads.channels, args.groups
        raise LayerError(f"{channels} channels are not divisible by groups {groups}; choose a divisor", "groups")
    scope.operator(args, word, reads, reads, module=Call(name=f"{MODULES}:Shuffle", args=(args.groups,)))


class SplitArguments(Common, kw_only=True):
    """Keep one of several equal parts of the channels; ``part`` counts from 0."""

    parts: Annotated[Whole, says("how many equal parts there are")] = 2
    part: Annotated[Index, says("which of them goes on, counted from 0")] = 0


@layer_type("split", arguments=SplitArguments, short="parts")
def split(scope: Scope, args: SplitArguments, word: str) -> None:
    """One of several equal parts of the channels."""
    if args.part >= args.parts:
        raise LayerError(f"part {args.part} is not there; {args.parts} parts count from 0 to {args.parts - 1}", "part")
    reads = scope.reached(args)
    channels, rest = divmod(reads.channels, args.parts)
    if rest:
        parts = f"{args.parts} equal parts"
        raise LayerError(f"{reads.channels} channels cannot be split into {parts}; choose a divisor", "parts")
    writes = FeatureMap(channels=channels, size=reads.size)
    module = Call(name=f"{MODULES}:Narrow", args=(args.part * channels, channels))
    scope.operator(args, word, reads, writes, module=module)


@layer_type("operator", "uncounted", arguments=OperatorArguments, short="operator")
def operator(scope: Scope, args: OperatorArguments, word: str) -> None:
    """An operator by its framework's name, with its known figures."""
    reads, kind, counted = scope.reached(args), str(args.operator), word == "operator"
    writes = written(args, reads)
    unused = Call(name=f"{MODULES}:Unused", args=(args.params,)) if kind == "unused" and writes == reads else None
    name = scope.new_name(args.name, kind)
    scope.emit(
        Operator(name=name, type=kind, input=reads, output=writes, params=args.params, counted=counted, module=unused)
    )
