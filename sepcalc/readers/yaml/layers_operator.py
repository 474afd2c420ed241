"""Layers without a matrix product. Shapes follow PyTorch: channels first, windows rounded down."""

from __future__ import annotations

from math import prod

from sepcalc.core.errors import LayerError
from sepcalc.core.network import NORM_PARAMS, FeatureMap, Settings
from sepcalc.core.spec import Axes
from sepcalc.readers.yaml.argument_types import ACTIVATIONS, POOLED_EXPECTED
from sepcalc.readers.yaml.arguments import (
    Common,
    DropoutArguments,
    NormArguments,
    OperatorArguments,
    PoolArguments,
    ShuffleArguments,
    SplitArguments,
    UpsampleArguments,
)
from sepcalc.readers.yaml.layer_types import feature_map, layer_type, written
from sepcalc.readers.yaml.lengths import lengths, padding
from sepcalc.readers.yaml.scope import Scope


@layer_type(*ACTIVATIONS, arguments=Common)
def activation(scope: Scope, args: Common, word: str) -> None:
    """An activation of its own; PReLU learns one slope."""
    reads = scope.reached(args)
    scope.operator(args, word, reads, reads, params=int(word == "prelu"))


@layer_type("norm", arguments=NormArguments, short="kind")
def norm(scope: Scope, args: NormArguments, word: str) -> None:
    """A norm of its own, with scale and shift as its framework's default has them."""
    reads = scope.reached(args)
    each = NORM_PARAMS[args.kind]
    if args.affine is not None:
        # An instance norm learns nothing by default, and scale and shift like the others where it is asked to.
        each = args.affine * (2 if args.kind == "instance" else each)
    scope.operator(args, f"{args.kind}_{word}", reads, reads, params=each * reads.channels)


@layer_type("layer_scale", arguments=Common)
def layer_scale(scope: Scope, args: Common, word: str) -> None:
    """A learned factor for each channel (CaiT, Touvron 2021, section 2)."""
    reads = scope.reached(args)
    scope.operator(args, word, reads, reads, params=reads.channels)


@layer_type("dropout", arguments=DropoutArguments, short="p")
def dropout(scope: Scope, args: DropoutArguments, word: str) -> None:
    """Nothing, at inference."""
    reads = scope.reached(args)
    scope.operator(args, word, reads, reads, settings=Settings(p=args.p))


@layer_type("maxpool", "avgpool", arguments=PoolArguments, short="k")
def pool(scope: Scope, args: PoolArguments, word: str) -> None:
    """Pooling: by a window, to a size, or over everything."""
    if (args.k is None) == (args.out is None):
        raise LayerError("give k (a window, or global) or out, one of the two")
    _check_window(args)
    reads = feature_map(scope, args, "put it before flatten")
    axes, kernel, settings = len(reads.size), reads.size, Settings()
    if args.k == "global":
        size: Axes = (1,) * axes
    elif args.k is None:
        assert args.out is not None  # noqa: S101 (for the type checker)
        size, kernel = lengths("out", args.out, axes), ()
    else:
        kernel = lengths("k", args.k, axes, expected=POOLED_EXPECTED)
        stride = kernel if args.stride is None else lengths("stride", args.stride, axes)
        settings = Settings(stride=stride, padding=padding(args.padding, axes), ceil=args.ceil)
        size = _pooled(reads.size, kernel, settings)
    writes = FeatureMap(channels=reads.channels, size=size)
    scope.operator(args, word, reads, writes, kernel=kernel, settings=settings)


def _check_window(args: PoolArguments) -> None:
    """Refuse what belongs to a window where there is none."""
    if args.k is None or args.k == "global":
        for key, is_set in (("stride", args.stride is not None), ("padding", args.padding != 0), ("ceil", args.ceil)):
            if is_set:
                raise LayerError(f"{key} means nothing without a window k; remove it", key)


def _pooled(size: Axes, kernel: Axes, window: Settings) -> Axes:
    if window.padding == "same":
        return tuple(-(-n // s) for n, s in zip(size, window.stride, strict=True))
    out = []
    for n, k, s, p in zip(size, kernel, window.stride, window.padding, strict=True):
        length = n + 2 * p - k
        if 2 * p > k:
            raise LayerError(f"padding {p} is more than half of the window {k}; give at most {k // 2}", "padding")
        if length < 0:
            raise LayerError(
                f"window {k} is larger than the {n} positions that reach it; give a smaller k or padding", "k"
            )
        last = -(-length // s) if window.ceil else length // s
        # Rounded up, the last window must still begin inside the input or its left padding.
        out.append(last if last * s >= n + p else last + 1)
    return tuple(out)


@layer_type("flatten", arguments=Common)
def flatten(scope: Scope, args: Common, word: str) -> None:
    """All positions into channels."""
    reads = scope.reached(args)
    scope.operator(args, word, reads, FeatureMap(channels=prod(reads.shape), size=()))


@layer_type("upsample", arguments=UpsampleArguments, short="scale")
def upsample(scope: Scope, args: UpsampleArguments, word: str) -> None:
    """Interpolation by a factor, or to a size."""
    if (args.scale is None) == (args.out is None):
        raise LayerError("give scale or out, one of the two")
    reads = feature_map(scope, args, "put it before flatten")
    axes = len(reads.size)
    if args.out is not None:
        size = lengths("out", args.out, axes)
    else:
        assert args.scale is not None  # noqa: S101 (for the type checker)
        size = tuple(n * s for n, s in zip(reads.size, lengths("scale", args.scale, axes), strict=True))
    scope.operator(args, word, reads, FeatureMap(channels=reads.channels, size=size))


@layer_type("channel_shuffle", arguments=ShuffleArguments, short="groups")
def channel_shuffle(scope: Scope, args: ShuffleArguments, word: str) -> None:
    """Channels of all groups in turn (ShuffleNet)."""
    reads = scope.reached(args)
    if reads.channels % args.groups:
        raise LayerError(
            f"{reads.channels} channels are not divisible by groups {args.groups}; choose a divisor", "groups"
        )
    scope.operator(args, word, reads, reads, settings=Settings(groups=args.groups))


@layer_type("split", arguments=SplitArguments, short="parts")
def split(scope: Scope, args: SplitArguments, word: str) -> None:
    """One of several equal parts of the channels."""
    if args.part >= args.parts:
        raise LayerError(f"part {args.part} is not there; {args.parts} parts count from 0 to {args.parts - 1}", "part")
    reads = scope.reached(args)
    if reads.channels % args.parts:
        raise LayerError(
            f"{reads.channels} channels cannot be split into {args.parts} equal parts; choose a divisor", "parts"
        )
    writes = FeatureMap(channels=reads.channels // args.parts, size=reads.size)
    scope.operator(args, word, reads, writes, settings=Settings(part=args.part))


@layer_type("operator", "uncounted", arguments=OperatorArguments, short="operator")
def operator(scope: Scope, args: OperatorArguments, word: str) -> None:
    """An operator by its framework's name, with what is known of it."""
    reads = scope.reached(args)
    writes = written(args, reads)
    counted = word == "operator"
    scope.operator(args, str(args.operator), reads, writes, params=args.params, counted=counted, settings=None)
