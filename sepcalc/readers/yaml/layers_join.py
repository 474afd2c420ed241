"""Layers that bring several feature maps together: joins with earlier layers, residuals, branches."""

from __future__ import annotations

from math import prod
from typing import Annotated, Any

from msgspec import Meta

from sepcalc.core.errors import LayerError
from sepcalc.core.layers import Convolution, FeatureMap, Part
from sepcalc.core.modules import ACTIVATIONS, Call
from sepcalc.core.spec import ConvSpec, times
from sepcalc.readers.yaml.arguments import WHOLE, Act, Body, Branches, Common, Join, Names, says
from sepcalc.readers.yaml.decoding import shown
from sepcalc.readers.yaml.layer_types import MODULES, layer_type
from sepcalc.readers.yaml.lengths import bias
from sepcalc.readers.yaml.scope import LostError, Output, Scope


class JoinArguments(Common, kw_only=True, rename={"from_": "from", "with_": "with"}):
    """Join the layer's input with the output of earlier layers."""

    with_: Annotated[Names, says("the earlier layers that are joined to the layer's input")]


@layer_type("add", "concat", "mul", arguments=JoinArguments, short="with")
def join(scope: Scope, args: JoinArguments, word: str) -> None:
    """A join with earlier layers; the layer's own input comes first."""
    names = args.with_ if isinstance(args.with_, list) else [args.with_]
    others = [scope.output_of(str(name)) for name in names]
    _join(scope, args, word, [(scope.reached(args), scope.taps), *others])


def _join(scope: Scope, args: Common, word: str, ends: list[Output]) -> None:
    maps = [at for at, _ in ends]
    taps = tuple(tap for _, taps in ends for tap in taps)
    scope.taps = taps if len(taps) == len(ends) else ()
    writes = _joined(word, maps)
    module = _JOINS.get(word) or Call(name=f"{MODULES}:Multiply", args=(len(writes.size),))
    scope.operator(args, word, maps[0], writes, module=module)


_JOINS = {"add": Call(name=f"{MODULES}:Add"), "concat": Call(name=f"{MODULES}:Concat")}


def _joined(word: str, maps: list[FeatureMap]) -> FeatureMap:
    """The feature map that a join writes; in a product a map of one position spreads over all positions."""
    largest = max(maps, key=lambda at: prod(at.size))
    for at in maps:
        gate = word == "mul" and prod(at.size) == 1
        if (not gate and at.size != largest.size) or (word != "concat" and at.channels != largest.channels):
            shapes = " and ".join(dict.fromkeys(times(joined.shape) for joined in maps))
            alike = "sizes" if word == "concat" else "shapes"
            raise LayerError(f"{word} cannot join {shapes}; give them equal {alike}")
    channels = sum(at.channels for at in maps) if word == "concat" else largest.channels
    return FeatureMap(channels=channels, size=largest.size)


_SHORTCUTS = ("auto", "identity", "optional")


class ResidualArguments(Common, kw_only=True):
    """A body beside a shortcut.

    ``auto`` projects where the shape changes, ``optional`` has no shortcut there, ``identity`` is an error there.
    """

    body: Annotated[Body, says("the layers beside the shortcut")]
    shortcut: Annotated[
        Any,
        Meta(
            description="auto, identity, optional or a list of layers",
            extra_json_schema={"anyOf": [{"enum": [*_SHORTCUTS]}, {"$ref": "#/$defs/layers"}]},
        ),
        says("the way around the body: auto is a 1×1 projection where the shape changes, optional is none there"),
    ] = "auto"
    join: Annotated[Join, says("how the two ends meet")] = "add"
    act: Annotated[Act, says("the activation after the join")] = "none"


@layer_type("residual", arguments=ResidualArguments, short="body", bodies=("body", "shortcut"))
def residual(scope: Scope, args: ResidualArguments, word: str) -> None:
    """A body beside a shortcut."""
    other = args.shortcut if isinstance(args.shortcut, list) else []
    if args.shortcut is not other and args.shortcut not in _SHORTCUTS:
        expected = f"{', '.join(_SHORTCUTS)} or a list of layers"
        raise LayerError(f"shortcut: expected {expected}, got {shown(args.shortcut)}", "shortcut")
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
    _join(begin, Common(), args.join, [(writes, body.taps), (shortcut.known(shortcut.at), shortcut.taps)])
    if args.act != "none":
        reads, found = begin.known(begin.at), ACTIVATIONS[args.act]
        begin.operator(Common(), args.act, reads, reads, params=found.params, module=found.module)
    _end(scope, begin, args)


def _begin(scope: Scope, args: ResidualArguments | ParallelArguments, word: str, bodies: list[Any]) -> Scope:
    """The scope of the layers inside a residual or parallel layer.

    If its input is unknown, the ``bodies`` are still read for their own faults.
    """
    name = None if args.name is None else str(args.name)
    inner = scope.branch(name)
    try:
        if name is not None:
            scope.new_name(name, word)
        inner.at, inner.taps = scope.reached(args), scope.taps
    except (LayerError, LostError):
        for body in bodies:
            branch = inner.branch()
            branch.lose()
            branch.run(body)
        raise
    inner.lost = False
    return inner


def _end(scope: Scope, inner: Scope, args: ResidualArguments | ParallelArguments) -> None:
    """Continue with the output of the layers inside; it has the name of the residual or parallel layer."""
    scope.arrive(inner)
    if args.name is not None:
        scope.keep(f"{scope.prefix}{args.name}")


def _project(scope: Scope, reads: FeatureMap, writes: FeatureMap) -> None:
    """Append the 1×1 convolution that a shortcut needs where the shape changes (He 2016, option B)."""
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
        bias=bias(scope.reading.defaults.get("bias", False)),
    )
    if spec.out_size != writes.size:
        sizes = f"{times(reads.size)} to {times(writes.size)}"
        raise LayerError(f"no stride takes {sizes}; write the shortcut's layers", "shortcut")
    norm = scope.reading.defaults.get("norm", "none")
    scope.emit(Convolution(name=scope.new_name(None, "shortcut"), type="conv", spec=spec, norm=norm))


class ParallelArguments(Common, kw_only=True):
    """Branches that read the same feature map, or with ``split`` a part of its channels each."""

    branches: Annotated[Branches, says("lists of layers that read the same feature map; an empty one is the identity")]
    join: Annotated[Join, says("how the ends of the branches meet")] = "concat"
    split: Annotated[
        Annotated[
            bool | list[Annotated[int, WHOLE]],
            Meta(description="true for equal parts, or a list of channels for each branch"),
        ]
        | None,
        says("whether each branch reads a part of the channels alone: equal parts, or as many as the list says"),
    ] = None


@layer_type("parallel", arguments=ParallelArguments, short="branches", branches=("branches",))
def parallel(scope: Scope, args: ParallelArguments, word: str) -> None:
    """Branches that read the same feature map, or a part of its channels each."""
    if not isinstance(args.branches, list) or not args.branches:
        raise LayerError(f"branches: expected a list of lists of layers, got {shown(args.branches)}", "branches")
    branches = [_branch(layers) for layers in args.branches]
    begin = _begin(scope, args, word, [body for _, body in branches])
    reads = begin.known(begin.at)
    shares = _shares(args.split, reads.channels, len(branches))
    ends, first = [], 0
    for (name, body), channels in zip(branches, shares, strict=True):
        branch = begin.branch(name)
        branch.at = FeatureMap(channels=channels, size=reads.size)
        if args.split:
            parts = (tap if isinstance(tap, Part) else Part(tap, 0, channels) for tap in begin.taps)
            branch.taps = tuple(Part(part.writer, part.first + first, channels) for part in parts)
        first += channels
        branch.run(body)
        ends.append(branch)
    _join(begin, Common(), args.join, [(end.known(end.at), end.taps) for end in ends])
    _end(scope, begin, args)


def _branch(layers: Any) -> tuple[str | None, list[Any]]:
    """The name and the layers of a branch: a list of layers, or a mapping of one name to such a list."""
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
        parts = f"{channels} channels to {branches} branches"
        raise LayerError(f"split {shown(split)} does not hand {parts}; make them add up", "split")
    return split
