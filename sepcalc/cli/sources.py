"""The flags that open, scale and rewrite a network, shared by the commands that name one."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any, NamedTuple

import typer

from sepcalc.cli.flags import flag, lengths, many, option, say
from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.network import Network, WhatIf
from sepcalc.core.parsing import parse_factor
from sepcalc.core.variants import Variant
from sepcalc.readers.inputs import Request, parse_input
from sepcalc.readers.sources import open_traced
from sepcalc.readers.trace import Trace

SOURCE_HELP = "A bundled name, a .yaml or .onnx file, or module:callable for PyTorch."


class ScaleFlags(NamedTuple):
    """Another width and input size for a network in YAML."""

    width: Annotated[str | None, option("--width", "FACTOR", "Multiply the channels, as in 0.75 MobileNet.")] = None
    size: Annotated[str | None, option("--size", "SIZE", "Another size of the input: 160, 512x1024.")] = None

    def factor(self) -> Fraction:
        """The factor for the channels, 1 without ``--width``."""
        return Fraction(1) if self.width is None else flag("--width", parse_factor, self.width)

    def changes(self) -> bool:
        """Whether the network differs from its file."""
        return self.factor() != 1 or self.size is not None


UNSCALED = ScaleFlags()
"""A network as written in its file."""


class SourceFlags(NamedTuple):
    """The inputs and arguments of an imported network."""

    input: Annotated[
        list[str] | None,
        many("--input", "SHAPE", "ONNX, PyTorch: an input with its batch, 1x3x224x224, ids=2x16:int64"),
    ] = None
    arg: Annotated[
        list[str] | None, option("--arg", "NAME=VALUE", "PyTorch: an argument of the callable; repeatable.")
    ] = None

    def request(self, source: str, scale: ScaleFlags = UNSCALED) -> Request:
        """The request to open ``source`` with these flags."""
        return Request(
            source=source,
            inputs=tuple(flag("--input", parse_input, text) for text in self.input or ()),
            arguments=dict(flag("--arg", parse_argument, text) for text in self.arg or ()),
            width=scale.factor(),
            size=None if scale.size is None else lengths("--size", scale.size),
        )

    def open(self, source: str, scale: ScaleFlags = UNSCALED) -> Network:
        """The network called ``source``; notes go to standard error."""
        return self.trace(source, scale)[0]

    def trace(self, source: str, scale: ScaleFlags = UNSCALED) -> tuple[Network, Trace | None]:
        """Like :meth:`open`, and the trace, for PyTorch code."""
        return open_traced(self.request(source, scale), note=say)


class PatternFlags(NamedTuple):
    """Which layers are rewritten."""

    only: Annotated[list[str] | None, many("--only", "GLOB", "Rewrite only layers with names like this")] = None
    keep: Annotated[list[str] | None, many("--keep", "GLOB", "Keep layers with names like this unchanged")] = None

    def rewritten(self, network: Network, variants: Sequence[Variant], *, saving: bool = False) -> list[WhatIf]:
        """``network`` rewritten in each of ``variants``, only where that saves if ``saving``.

        Raises :class:`SepcalcError` if a pattern matches nothing.
        """
        only, keep = self.only or (), self.keep or ()
        _check_patterns(network, "--only", only)
        _check_patterns(network, "--keep", keep)
        return [network.what_if(variant, only=only, keep=keep, saving=saving) for variant in variants]


class RewriteFlags(NamedTuple):
    """Which layers a count rewrites."""

    patterns: PatternFlags = PatternFlags()
    where_it_saves: Annotated[
        bool, typer.Option("--where-it-saves", help="Convert only layers whose MACs do not grow.")
    ] = False

    def rewritten(self, network: Network, variants: Sequence[Variant]) -> list[WhatIf]:
        """See :meth:`PatternFlags.rewritten`."""
        return self.patterns.rewritten(network, variants, saving=self.where_it_saves)


def parse_argument(text: str) -> tuple[str, Any]:
    """A name and its value in YAML: a number, true, null, a list of them, or text.

    Raises :class:`SepcalcError` for any other text.

    >>> parse_argument("classes=10"), parse_argument("weights=null"), parse_argument("width=0.5")
    (('classes', 10), ('weights', None), ('width', 0.5))
    """
    import yaml

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise SepcalcError(f"expected name=value like classes=10, got '{text}'")
    try:
        return name, yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):
        raise SepcalcError(f"expected a number, true, null, text or a list of them, got '{value}'") from None


def _check_patterns(network: Network, name: str, patterns: Sequence[str]) -> None:
    from fnmatch import filter as matching

    known = [name for unit in network.units for name in unit.names]
    for pattern in patterns:
        if not matching(known, pattern):
            block = f"{pattern}.*"
            hint = f"; did you mean '{block}'?" if matching(known, block) else closest(pattern, known)
            raise SepcalcError(f"{name}: no convertible layer of {network.name} is called '{pattern}'{hint}")
