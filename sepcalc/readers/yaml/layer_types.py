"""The words for layers in a network file: a registry.

A layer type is one decorated function. It reads its checked arguments, and appends layers to the scope: their shapes,
their costs and the modules that they become. Blocks that a file defines are looked up beside these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sepcalc.core.errors import LayerError
from sepcalc.core.layers import FeatureMap
from sepcalc.readers.yaml.arguments import Common, OperatorArguments
from sepcalc.readers.yaml.lengths import axes_of, lengths
from sepcalc.readers.yaml.scope import Scope

MODULES = "sepcalc.builders.torch_operators"
"""The module of the layers that ``torch.nn`` does not have."""

Build = Callable[[Scope, Any, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerType:
    """A word for a layer: its arguments (a record, or the function that makes it), and the function that builds it.

    ``short`` is the argument for a value that is no mapping: ``linear: 1000``. ``takes_defaults`` marks convolutions,
    to which the file's defaults apply. Exactly one key of ``either`` is needed. ``bodies`` are keys with a list of
    layers, ``branches`` keys with a list of such lists.
    """

    word: str
    record: type[Common] | Callable[[], type[Common]]
    build: Build
    short: str | None = None
    takes_defaults: bool = False
    either: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()

    @property
    def arguments(self) -> type[Common]:
        """The record of its arguments."""
        return self.record if isinstance(self.record, type) else self.record()

    @property
    def summary(self) -> str:
        """The layer's description, in one sentence."""
        return (self.build.__doc__ or "").split("\n\n")[0]


LAYER_TYPES: dict[str, LayerType] = {}


def layer_type(
    *words: str,
    arguments: type[Common] | Callable[[], type[Common]],
    short: str | None = None,
    takes_defaults: bool = False,
    either: tuple[str, ...] = (),
    bodies: tuple[str, ...] = (),
    branches: tuple[str, ...] = (),
) -> Callable[[Build], Build]:
    """Register the decorated function for each of ``words``; the options are those of :class:`LayerType`.

    Raises :class:`ValueError` where one is taken.
    """

    def register(build: Build) -> Build:
        for word in words:
            if word in LAYER_TYPES:
                raise ValueError(f"layer type '{word}' is taken")
            LAYER_TYPES[word] = LayerType(
                word=word,
                record=arguments,
                build=build,
                short=short,
                takes_defaults=takes_defaults,
                either=either,
                bodies=bodies,
                branches=branches,
            )
        return build

    return register


def feature_map(scope: Scope, args: Any, cure: str) -> FeatureMap:
    """The input of a layer with a window or a size; raises :class:`LayerError` with the ``cure`` for a vector."""
    reads = scope.reached(args)
    if not reads.size:
        raise LayerError(f"a vector of {reads.channels} channels reaches this layer, which needs positions; {cure}")
    return reads


def written(args: OperatorArguments, reads: FeatureMap) -> FeatureMap:
    """An operator's output: its input, with the channels and the size that its arguments give."""
    size = reads.size if args.out is None else lengths("out", args.out, axes_of(args.out, args, reads))
    return FeatureMap(channels=args.c_out or reads.channels, size=size)
