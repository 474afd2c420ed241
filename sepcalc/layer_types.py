"""The words for layers in a network file, and what each of them does.

A layer type is one decorated function: it reads its checked arguments, and appends what it stands for to
the scope. Blocks that the file defines are looked up beside these. Shapes follow PyTorch: channels
first, windows rounded down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

from sepcalc.arguments import (
    ACTIVATIONS,
    Common,
    ConvArguments,
    DropoutArguments,
    JoinArguments,
    LinearArguments,
    NormArguments,
    ParallelArguments,
    PoolArguments,
    ResidualArguments,
    ShuffleArguments,
    SplitArguments,
    UncountedArguments,
    UpsampleArguments,
    shown,
)
from sepcalc.network import NORM_PARAMS, Convolution, FeatureMap
from sepcalc.scope import LayerError, Scope, lengths
from sepcalc.spec import Axes, Bias, ConvSpec, Padding
from sepcalc.variants import Variant, get


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerType:
    """A word for a layer: the record of its arguments and what it does with them.

    ``short`` is the argument that a value stands for which is no mapping: ``linear: 1000``.
    ``takes_defaults`` marks convolutions, which the file's defaults are for.
    """

    word: str
    arguments: type[Common]
    build: Callable[[Scope, Any, str], None]
    short: str | None = None
    takes_defaults: bool = False


LAYER_TYPES: dict[str, LayerType] = {}

Build = Callable[[Scope, Any, str], None]


def layer_type(
    *words: str, arguments: type[Common], short: str | None = None, takes_defaults: bool = False
) -> Callable[[Build], Build]:
    """Register the decorated function for each of ``words``."""

    def register(build: Build) -> Build:
        for word in words:
            LAYER_TYPES[word] = LayerType(
                word=word, arguments=arguments, build=build, short=short, takes_defaults=takes_defaults
            )
        return build

    return register


_WRITTEN_AS = {
    "conv": "standard",
    "separable": "depthwise-separable",
    "spatial": "spatial-separable",
    "depthwise": "depthwise",
}


@layer_type(*_WRITTEN_AS, arguments=ConvArguments, takes_defaults=True)
def convolution(scope: Scope, args: ConvArguments, word: str) -> None:
    """A convolution in the form of a variant."""
    reads = scope.reached(args)
    if not reads.size:
        raise LayerError(f"a vector of {reads.channels} channels reaches this convolution; use linear")
    variant = _variant(args, word)
    c_out = args.c_out
    if c_out is None:
        if variant.name != "depthwise":
            raise LayerError("c_out is missing; give a whole number of channels")
        c_out = reads.channels
    elif variant.name != "depthwise" or c_out != reads.channels:
        c_out = scope.reading.scaled(c_out, args.scale)
    name = scope.new_name(args.name, word)
    scope.emit(
        Convolution(
            name=name,
            type="conv" if variant.name == "standard" else variant.name,
            spec=_spec(args, reads, c_out, dense=variant.name == "grouped"),
            variant=variant,
            norm=args.norm,
            act=args.act,
            act_last=args.act_last,
            between=args.between,
            shares=_shared(scope, args.shares),
        )
    )


def _spec(args: ConvArguments, reads: FeatureMap, c_out: int, *, dense: bool) -> ConvSpec:
    axes = len(reads.size)
    return ConvSpec(
        c_in=reads.channels,
        c_out=c_out,
        kernel=lengths("k", args.k, axes),
        size=reads.size,
        stride=lengths("stride", args.stride, axes),
        padding=_padding(args.padding, axes),
        dilation=lengths("dilation", args.dilation, axes),
        groups=1 if dense else args.groups,
        bias=_bias(args.bias),
        transposed=args.transposed,
        output_padding=lengths("output_padding", args.output_padding, axes, least=0),
    )


def _padding(value: int | list[int] | str, axes: int) -> Padding:
    if value == "same":
        return "same"
    return lengths("padding", 0 if value == "valid" else value, axes, least=0)


def _bias(value: bool | str) -> Bias:
    if isinstance(value, bool):
        return "all" if value else "none"
    return value  # type: ignore[return-value]  # the record has checked the word


_OPTIONS = ("depth_multiplier", "mid", "reduction", "expansion")


def _variant(args: ConvArguments, word: str) -> Variant:
    name = _WRITTEN_AS[word] if args.variant is None else args.variant
    variant = get(name)
    if args.variant is not None and word != "conv":
        raise LayerError(f"{word} is a variant already; write conv with variant: {args.variant}", "variant")
    options = {key: value for key in _OPTIONS if (value := getattr(args, key)) is not None}
    for key in options:
        if key not in variant.accepts:
            raise LayerError(f"{key} means nothing for {variant.name}; remove it", key)
    if variant.name == "grouped":
        options["groups"] = args.groups
    return variant.bind(options) if options else variant


def _shared(scope: Scope, name: str | None) -> str | None:
    if name is not None:
        scope.output_of(name)
    return name


@layer_type("linear", arguments=LinearArguments, short="c_out")
def linear(scope: Scope, args: LinearArguments, word: str) -> None:
    """A linear layer: a convolution without axes, or a 1×1 at each position."""
    reads = scope.reached(args)
    if prod(reads.size) != 1 and not args.per_position:
        here = "×".join(map(str, reads.size))
        raise LayerError(
            f"a feature map of {here} positions reaches this linear layer; "
            "put flatten or avgpool: global before it, or say per_position: true"
        )
    spec = ConvSpec(
        c_in=reads.channels,
        c_out=args.c_out,
        kernel=(1,) * len(reads.size),
        size=reads.size,
        bias=_bias(args.bias),
    )
    name = scope.new_name(args.name, word)
    shares = _shared(scope, args.shares)
    scope.emit(Convolution(name=name, type="linear", spec=spec, norm=args.norm, act=args.act, shares=shares))


@layer_type(*ACTIVATIONS, arguments=Common)
def activation(scope: Scope, args: Common, word: str) -> None:
    """An activation of its own; PReLU learns one slope."""
    reads = scope.reached(args)
    scope.operator(args, word, reads, reads, params=int(word == "prelu"))


@layer_type("norm", arguments=NormArguments, short="kind")
def norm(scope: Scope, args: NormArguments, word: str) -> None:
    """A norm of its own, with scale and shift as its framework's default has them."""
    reads = scope.reached(args)
    each = NORM_PARAMS[args.kind] if args.affine is None else 2 * args.affine
    scope.operator(args, f"{args.kind}_{word}", reads, reads, params=each * reads.channels)


@layer_type("dropout", arguments=DropoutArguments, short="p")
def dropout(scope: Scope, args: DropoutArguments, word: str) -> None:
    """Nothing, at inference."""
    reads = scope.reached(args)
    scope.operator(args, word, reads, reads)


@layer_type("maxpool", "avgpool", arguments=PoolArguments, short="k")
def pool(scope: Scope, args: PoolArguments, word: str) -> None:
    """Pooling: by a window, to a size, or over everything."""
    reads = scope.reached(args)
    axes = len(reads.size)
    if args.k == "global":
        scope.operator(args, word, reads, FeatureMap(channels=reads.channels, size=(1,) * axes), kernel=reads.size)
    elif args.out is not None:
        scope.operator(args, word, reads, FeatureMap(channels=reads.channels, size=lengths("out", args.out, axes)))
    elif args.k is None:
        raise LayerError("k is missing; give a window, out, or global")
    else:
        kernel = lengths("k", args.k, axes)
        stride = kernel if args.stride is None else lengths("stride", args.stride, axes)
        size = _pooled(reads.size, kernel, stride, _padding(args.padding, axes), args.ceil)
        scope.operator(args, word, reads, FeatureMap(channels=reads.channels, size=size), kernel=kernel)


def _pooled(size: Axes, kernel: Axes, stride: Axes, padding: Padding, ceil: bool) -> Axes:
    if padding == "same":
        return tuple(-(-n // s) for n, s in zip(size, stride, strict=True))
    out = []
    for n, k, s, p in zip(size, kernel, stride, padding, strict=True):
        length = n + 2 * p - k
        if length < 0:
            raise LayerError(
                f"window {k} is larger than the {n} positions that reach it; give a smaller k or padding", "k"
            )
        last = -(-length // s) if ceil else length // s
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
    reads = scope.reached(args)
    axes = len(reads.size)
    if (args.scale is None) == (args.out is None):
        raise LayerError("give scale or out, one of the two")
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
        raise LayerError(f"{reads.channels} channels are not divisible by groups {args.groups}", "groups")
    scope.operator(args, word, reads, reads)


@layer_type("split", arguments=SplitArguments, short="parts")
def split(scope: Scope, args: SplitArguments, word: str) -> None:
    """One of several equal parts of the channels."""
    reads = scope.reached(args)
    if reads.channels % args.parts:
        raise LayerError(f"{reads.channels} channels cannot be split into {args.parts} equal parts", "parts")
    if args.part >= args.parts:
        raise LayerError(f"part {args.part} is not there; {args.parts} parts count from 0 to {args.parts - 1}", "part")
    scope.operator(args, word, reads, FeatureMap(channels=reads.channels // args.parts, size=reads.size))


@layer_type("add", "concat", "mul", arguments=JoinArguments, short="with")
def join(scope: Scope, args: JoinArguments, word: str) -> None:
    """A join with earlier layers: what reaches this one comes first."""
    reads = scope.reached(args)
    names = [args.with_] if isinstance(args.with_, str) else args.with_
    others = [scope.known(scope.output_of(name)) for name in names]
    scope.operator(args, word, reads, _joined(word, [reads, *others]))


def _joined(word: str, maps: list[FeatureMap]) -> FeatureMap:
    """The feature map that several make together; a single position spreads over all of them in a product."""
    largest = max(maps, key=lambda each: prod(each.size))
    for each in maps:
        gate = word == "mul" and prod(each.size) == 1
        if (not gate and each.size != largest.size) or (word != "concat" and each.channels != largest.channels):
            shapes = " and ".join(dict.fromkeys("×".join(map(str, one.shape)) for one in maps))
            raise LayerError(f"{word} cannot join {shapes}")
    if word != "concat":
        return largest
    return FeatureMap(channels=sum(each.channels for each in maps), size=largest.size)


@layer_type("residual", arguments=ResidualArguments, short="body")
def residual(scope: Scope, args: ResidualArguments, word: str) -> None:
    """A body beside a shortcut."""
    reads = scope.reached(args)
    begin = scope.branch(None if args.name is None else str(args.name))
    begin.at = reads
    body, shortcut = begin.branch(), begin.branch()
    body.run(args.body)
    writes = body.known(body.at)
    if isinstance(args.shortcut, list):
        shortcut.run(args.shortcut)
    elif args.shortcut not in ("auto", "identity", "optional"):
        raise LayerError(
            f"shortcut: expected auto, identity, optional or a list of layers, got {shown(args.shortcut)}", "shortcut"
        )
    elif writes != reads and args.shortcut == "auto":
        _project(shortcut, reads, writes)
    elif writes != reads and args.shortcut == "optional":
        scope.arrive(body)
        return
    _close(scope, begin, args.join, args.act, [writes, shortcut.known(shortcut.at)])


def _project(scope: Scope, reads: FeatureMap, writes: FeatureMap) -> None:
    """The 1×1 convolution that a shortcut needs where the shape changes (He 2016, option B)."""
    stride = tuple(-(-n // m) for n, m in zip(reads.size, writes.size, strict=True))
    spec = ConvSpec(
        c_in=reads.channels,
        c_out=writes.channels,
        kernel=(1,) * len(stride),
        size=reads.size,
        stride=stride,
        bias=_bias(scope.defaults.get("bias", False)),
    )
    if spec.out_size != writes.size:
        shapes = ["×".join(map(str, each.size)) for each in (reads, writes)]
        raise LayerError(f"no stride takes {shapes[0]} to {shapes[1]}; write the shortcut's layers", "shortcut")
    scope.emit(
        Convolution(
            name=scope.new_name(None, "shortcut"), type="conv", spec=spec, norm=scope.defaults.get("norm", "none")
        )
    )


def _close(scope: Scope, inner: Scope, word: str, act: str, maps: list[FeatureMap]) -> None:
    """Join the ends of branches, with an activation behind it."""
    inner.operator(Common(), word, maps[0], _joined(word, maps))
    if act != "none":
        inner.operator(Common(), act, inner.known(inner.at), inner.known(inner.at), params=int(act == "prelu"))
    scope.arrive(inner)


@layer_type("parallel", arguments=ParallelArguments, short="branches")
def parallel(scope: Scope, args: ParallelArguments, word: str) -> None:
    """Branches that read the same feature map, or a part of its channels each."""
    reads = scope.reached(args)
    if not isinstance(args.branches, list) or not args.branches:
        raise LayerError(f"branches: expected a list of lists of layers, got {shown(args.branches)}", "branches")
    begin = scope.branch(None if args.name is None else str(args.name))
    shares = _shares(args.split, reads.channels, len(args.branches))
    ends = []
    for layers, channels in zip(args.branches, shares, strict=True):
        name, body = _branch(layers)
        branch = begin.branch(name)
        branch.at = FeatureMap(channels=channels, size=reads.size)
        branch.run(body)
        ends.append(branch)
    _close(scope, begin, args.join, "none", [end.known(end.at) for end in ends])


def _branch(layers: Any) -> tuple[str | None, list[Any]]:
    """A branch is a list of layers, or a mapping of one name to such a list."""
    if isinstance(layers, list):
        return None, layers
    if isinstance(layers, dict) and len(layers) == 1:
        ((name, body),) = layers.items()
        if isinstance(body, list):
            return str(name), body
    raise LayerError("a branch is a list of layers, or its name with such a list", "branches")


def _shares(split: bool | list[int] | None, channels: int, branches: int) -> list[int]:
    if not split:
        return [channels] * branches
    if isinstance(split, bool):
        if channels % branches:
            raise LayerError(f"{channels} channels cannot be split among {branches} branches; list the parts", "split")
        return [channels // branches] * branches
    if len(split) != branches or sum(split) != channels:
        raise LayerError(f"split {split} does not hand {channels} channels to {branches} branches", "split")
    return split


@layer_type("uncounted", arguments=UncountedArguments, short="operator")
def uncounted(scope: Scope, args: UncountedArguments, word: str) -> None:
    """An operator that the program does not understand, with what is known of it."""
    reads = scope.reached(args)
    size = reads.size if args.out is None else lengths("out", args.out, len(reads.size))
    writes = FeatureMap(channels=args.c_out or reads.channels, size=size)
    scope.operator(args, str(args.operator), reads, writes, params=args.params, counted=False)
