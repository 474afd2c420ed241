"""The words for layers in a network file, and what each of them does.

A layer type is one decorated function: it reads its checked arguments, and appends what it stands for to
the scope. Blocks that the file defines are looked up beside these. Shapes follow PyTorch: channels
first, windows rounded down.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from sepcalc.arguments import (
    ACTIVATIONS,
    PADS_EXPECTED,
    POOLED_EXPECTED,
    Common,
    ConvArguments,
    DropoutArguments,
    JoinArguments,
    LinearArguments,
    NormArguments,
    OperatorArguments,
    ParallelArguments,
    PoolArguments,
    ProductArguments,
    ResidualArguments,
    ShuffleArguments,
    SplitArguments,
    UpsampleArguments,
    shown,
)
from sepcalc.errors import SpecError
from sepcalc.network import NORM_PARAMS, STANDARD, Convolution, FeatureMap, Product
from sepcalc.scope import LayerError, LostError, Scope, axes_of, lengths
from sepcalc.spec import Axes, Bias, ConvSpec, Padding
from sepcalc.variants import Stages, Variant, get


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

    @property
    def summary(self) -> str:
        """What the layer is, in one sentence."""
        return (self.build.__doc__ or "").split("\n\n")[0]


LAYER_TYPES: dict[str, LayerType] = {}

Build = Callable[[Scope, Any, str], None]


def layer_type(
    *words: str, arguments: type[Common], short: str | None = None, takes_defaults: bool = False
) -> Callable[[Build], Build]:
    """Register the decorated function for each of ``words``.

    Raises :class:`ValueError` where one is taken.
    """

    def register(build: Build) -> Build:
        for word in words:
            if word in LAYER_TYPES:
                raise ValueError(f"layer type '{word}' is taken")
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
    variant = _variant(args, word)
    c_out = args.c_out
    if c_out is None and variant.name != "depthwise":
        raise LayerError("c_out is missing; give a whole number of channels")
    reads = _map(scope, args, "use linear")
    if c_out is None:
        c_out = reads.channels
    elif variant.name != "depthwise" or c_out != reads.channels:
        c_out = scope.reading.scaled(c_out, args.scale)
    spec = _spec(args, reads, c_out, dense=variant.name == "grouped")
    if spec.groups > 1 and variant(spec) == variant(replace(spec, groups=1)):
        raise LayerError(f"groups means nothing for {variant.name}, which has groups of its own; remove it", "groups")
    layer = Convolution(
        name=scope.new_name(args.name, word),
        type="conv" if variant.name == "standard" else variant.name,
        spec=spec,
        variant=variant,
        norm=args.norm,
        act=args.act,
        act_last=args.act_last,
        between=args.between,
        shares=_shared(scope, args.shares, spec, variant),
        batch=args.batch,
    )
    if variant is not STANDARD:
        _ = layer.cost  # says here, where the layer stands, why it has none
    scope.emit(layer)


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
    return lengths("padding", 0 if value == "valid" else value, axes, 0, PADS_EXPECTED)


def _bias(value: bool | str) -> Bias:
    if isinstance(value, bool):
        return "all" if value else "none"
    return value  # type: ignore[return-value]  # the record has checked the word


_OPTIONS = ("depth_multiplier", "mid", "reduction", "expansion")


def _variant(args: ConvArguments, word: str) -> Variant:
    if args.variant is not None and word != "conv":
        raise LayerError(f"{word} is a variant already; write conv with variant: {args.variant}", "variant")
    try:
        variant = get(args.variant or _WRITTEN_AS[word])
    except SpecError as unknown:
        raise LayerError(str(unknown), "variant") from None
    options = {key: value for key in _OPTIONS if (value := getattr(args, key)) is not None}
    for key in options:
        if key not in variant.accepts:
            raise LayerError(f"{key} means nothing for {variant.name}; remove it", key)
    if variant.name == "grouped":
        options["groups"] = args.groups
    return variant.bind(options) if options else variant


def _shared(scope: Scope, name: str | int | None, spec: ConvSpec, variant: Variant = STANDARD) -> str | None:
    """The full name of the earlier layer whose weights these are; they must be the same numbers."""
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
    each = [(stage.c_out, stage.c_in // stage.groups, *stage.kernel) for stage in stages]
    shapes = " and ".join("×".join(map(str, shape)) for shape in each)
    return f"{shapes} {'with' if stages[-1].bias != 'none' else 'without'} bias"


def _map(scope: Scope, args: Any, cure: str) -> FeatureMap:
    """The feature map that reaches a layer with a window or a size, which a vector cannot have."""
    reads = scope.reached(args)
    if not reads.size:
        raise LayerError(f"a vector of {reads.channels} channels reaches this layer, which needs positions; {cure}")
    return reads


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
    shares = _shared(scope, args.shares, spec)
    scope.emit(
        Convolution(name=name, type="linear", spec=spec, norm=args.norm, act=args.act, shares=shares, batch=args.batch)
    )


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
    scope.operator(args, word, reads, reads)


@layer_type("maxpool", "avgpool", arguments=PoolArguments, short="k")
def pool(scope: Scope, args: PoolArguments, word: str) -> None:
    """Pooling: by a window, to a size, or over everything."""
    if (args.k is None) == (args.out is None):
        raise LayerError("give k (a window, or global) or out, one of the two")
    _check_window(args)
    reads = _map(scope, args, "put it before flatten")
    axes, kernel = len(reads.size), reads.size
    if args.k == "global":
        size: Axes = (1,) * axes
    elif args.k is None:
        assert args.out is not None  # noqa: S101 (for the type checker)
        size, kernel = lengths("out", args.out, axes), ()
    else:
        kernel = lengths("k", args.k, axes, expected=POOLED_EXPECTED)
        stride = kernel if args.stride is None else lengths("stride", args.stride, axes)
        size = _pooled(reads.size, kernel, stride, _padding(args.padding, axes), args.ceil)
    scope.operator(args, word, reads, FeatureMap(channels=reads.channels, size=size), kernel=kernel)


def _check_window(args: PoolArguments) -> None:
    """Refuse what belongs to a window where there is none."""
    if args.k is None or args.k == "global":
        for key, is_set in (("stride", args.stride is not None), ("padding", args.padding != 0), ("ceil", args.ceil)):
            if is_set:
                raise LayerError(f"{key} means nothing without a window k; remove it", key)


def _pooled(size: Axes, kernel: Axes, stride: Axes, padding: Padding, ceil: bool) -> Axes:
    if padding == "same":
        return tuple(-(-n // s) for n, s in zip(size, stride, strict=True))
    out = []
    for n, k, s, p in zip(size, kernel, stride, padding, strict=True):
        length = n + 2 * p - k
        if 2 * p > k:
            raise LayerError(f"padding {p} is more than half of the window {k}; give at most {k // 2}", "padding")
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
    if (args.scale is None) == (args.out is None):
        raise LayerError("give scale or out, one of the two")
    reads = _map(scope, args, "put it before flatten")
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
    scope.operator(args, word, reads, reads)


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
    scope.operator(args, word, reads, FeatureMap(channels=reads.channels // args.parts, size=reads.size))


@layer_type("add", "concat", "mul", arguments=JoinArguments, short="with")
def join(scope: Scope, args: JoinArguments, word: str) -> None:
    """A join with earlier layers: what reaches this one comes first."""
    names = args.with_ if isinstance(args.with_, list) else [args.with_]
    others = [scope.output_of(str(name)) for name in names]
    reads = scope.reached(args)
    scope.operator(args, word, reads, _joined(word, [reads, *others]))


def _joined(word: str, maps: list[FeatureMap]) -> FeatureMap:
    """The feature map that several make together; a single position spreads over all of them in a product."""
    largest = max(maps, key=lambda each: prod(each.size))
    for each in maps:
        gate = word == "mul" and prod(each.size) == 1
        if (not gate and each.size != largest.size) or (word != "concat" and each.channels != largest.channels):
            shapes = " and ".join(dict.fromkeys("×".join(map(str, one.shape)) for one in maps))
            alike = "sizes" if word == "concat" else "shapes"
            raise LayerError(f"{word} cannot join {shapes}; give them equal {alike}")
    if word != "concat":
        return largest
    return FeatureMap(channels=sum(each.channels for each in maps), size=largest.size)


@layer_type("residual", arguments=ResidualArguments, short="body")
def residual(scope: Scope, args: ResidualArguments, word: str) -> None:
    """A body beside a shortcut."""
    other = args.shortcut if isinstance(args.shortcut, list) else []
    if args.shortcut is not other and args.shortcut not in ("auto", "identity", "optional"):
        raise LayerError(
            f"shortcut: expected auto, identity, optional or a list of layers, got {shown(args.shortcut)}", "shortcut"
        )
    begin = _begin(scope, args, word, [args.body, other])
    reads = begin.known(begin.at)
    body, shortcut = begin.branch(), begin.branch()
    body.run(args.body)
    shortcut.run(other)
    writes = body.known(body.at)
    if writes != reads and args.shortcut == "optional":
        _end(scope, body, args)
        return
    if writes != reads and args.shortcut == "auto":
        _project(shortcut, reads, writes)
    _join(begin, args.join, args.act, [writes, shortcut.known(shortcut.at)])
    _end(scope, begin, args)


def _begin(scope: Scope, args: ResidualArguments | ParallelArguments, word: str, bodies: list[Any]) -> Scope:
    """The scope of the layers inside a residual or parallel layer.

    Where it is unknown what reaches them, the ``bodies`` are still read, for the faults that are theirs alone.
    """
    name = None if args.name is None else str(args.name)
    inner = scope.branch(name)
    try:
        if name is not None:
            scope.new_name(name, word)
        inner.at = scope.reached(args)
    except (LayerError, LostError):
        for body in bodies:
            branch = inner.branch()
            branch.lose()
            branch.run(body)
        raise
    inner.lost = False
    return inner


def _end(scope: Scope, inner: Scope, args: ResidualArguments | ParallelArguments) -> None:
    """Go on from where the layers inside ended; their output has the name of the whole."""
    scope.arrive(inner)
    if args.name is not None:
        scope.reading.outputs[f"{scope.prefix}{args.name}"] = scope.at


def _project(scope: Scope, reads: FeatureMap, writes: FeatureMap) -> None:
    """The 1×1 convolution that a shortcut needs where the shape changes (He 2016, option B)."""
    if len(reads.size) != len(writes.size):
        axes = f"{len(reads.size)} axes to {len(writes.size)}"
        raise LayerError(f"no projection takes {axes}; write the shortcut's layers", "shortcut")
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


def _join(scope: Scope, word: str, act: str, maps: list[FeatureMap]) -> None:
    """Join the ends of branches, with an activation behind it."""
    scope.operator(Common(), word, maps[0], _joined(word, maps))
    if act != "none":
        reads = scope.known(scope.at)
        scope.operator(Common(), act, reads, reads, params=int(act == "prelu"))


@layer_type("parallel", arguments=ParallelArguments, short="branches")
def parallel(scope: Scope, args: ParallelArguments, word: str) -> None:
    """Branches that read the same feature map, or a part of its channels each."""
    if not isinstance(args.branches, list) or not args.branches:
        raise LayerError(f"branches: expected a list of lists of layers, got {shown(args.branches)}", "branches")
    branches = [_branch(each) for each in args.branches]
    begin = _begin(scope, args, word, [body for _, body in branches])
    reads = begin.known(begin.at)
    shares = _shares(args.split, reads.channels, len(branches))
    ends = []
    for (name, body), channels in zip(branches, shares, strict=True):
        branch = begin.branch(name)
        branch.at = FeatureMap(channels=channels, size=reads.size)
        branch.run(body)
        ends.append(branch)
    _join(begin, args.join, "none", [end.known(end.at) for end in ends])
    _end(scope, begin, args)


def _branch(layers: Any) -> tuple[str | None, list[Any]]:
    """A branch is a list of layers, or a mapping of one name to such a list."""
    if isinstance(layers, list):
        return None, layers
    if isinstance(layers, dict) and len(layers) == 1:
        ((name, body),) = layers.items()
        if isinstance(body, list):
            return str(name), body
    raise LayerError(f"a branch is a list of layers, or {{name: list of layers}}, not {shown(layers)}", "branches")


def _shares(split: bool | list[int] | None, channels: int, branches: int) -> list[int]:
    if split is None or split is False:
        return [channels] * branches
    if split is True:
        if channels % branches:
            raise LayerError(f"{channels} channels cannot be split among {branches} branches; list the parts", "split")
        return [channels // branches] * branches
    if len(split) != branches or sum(split) != channels:
        raise LayerError(
            f"split {shown(split)} does not hand {channels} channels to {branches} branches; make them add up", "split"
        )
    return split


@layer_type("operator", "uncounted", arguments=OperatorArguments, short="operator")
def operator(scope: Scope, args: OperatorArguments, word: str) -> None:
    """An operator by its framework's name, with what is known of it."""
    reads = scope.reached(args)
    writes = _written(args, reads)
    scope.operator(args, str(args.operator), reads, writes, params=args.params, counted=word == "operator")


@layer_type("product", arguments=ProductArguments)
def product(scope: Scope, args: ProductArguments, word: str) -> None:
    """Matrix products that are no layer of their own kind."""
    reads = scope.reached(args)
    terms = tuple((ConvSpec(c_in=c_in, c_out=c_out, kernel=(), size=()), times) for c_in, c_out, times in args.terms)
    name = scope.new_name(args.name, str(args.operator))
    writes = _written(args, reads)
    scope.emit(Product(name=name, type=str(args.operator), input=reads, output=writes, terms=terms, params=args.params))


def _written(args: OperatorArguments, reads: FeatureMap) -> FeatureMap:
    size = reads.size if args.out is None else lengths("out", args.out, axes_of(args.out, args, reads))
    return FeatureMap(channels=args.c_out or reads.channels, size=size)
