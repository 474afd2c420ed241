"""What the commands share that name networks: the flags of imported ones, and opening whatever is named."""

import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any

import typer

from sepcalc.cli_options import flag
from sepcalc.errors import SepcalcError
from sepcalc.inputs import parse_input
from sepcalc.network import Network
from sepcalc.sources import open_traced
from sepcalc.spec import Axes
from sepcalc.trace import Trace

InputOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="SHAPE",
        help="ONNX and PyTorch: an input with its batch, 1x3x224x224, ids=2x16:int64; repeatable.",
    ),
]
ArgOption = Annotated[
    list[str] | None,
    typer.Option("--arg", metavar="NAME=VALUE", help="PyTorch: an argument of the callable; repeatable."),
]

SOURCE_HELP = "A bundled name, a .yaml or .onnx file, or module:callable for PyTorch."


def opened(
    source: str,
    inputs: Sequence[str] | None,
    arguments: Sequence[str] | None,
    *,
    width: Fraction | float | str = 1,
    size: int | Axes | None = None,
) -> Network:
    """The network that ``source`` names, with the texts of ``--input`` and ``--arg``; notes go to standard error."""
    return opened_traced(source, inputs, arguments, width=width, size=size)[0]


def opened_traced(
    source: str,
    inputs: Sequence[str] | None,
    arguments: Sequence[str] | None,
    *,
    width: Fraction | float | str = 1,
    size: int | Axes | None = None,
) -> tuple[Network, Trace | None]:
    """Like :func:`opened`, with the trace of the run where there was one."""
    given = [flag("--input", parse_input, text) for text in inputs or ()]
    named = dict(flag("--arg", parse_argument, text) for text in arguments or ())
    return open_traced(source, inputs=given, arguments=named, width=width, size=size, note=say)


def parse_argument(text: str) -> tuple[str, Any]:
    """A name and its value, as YAML reads it: a number, true, null, a list of them, or text.

    Raises :class:`SepcalcError` for anything else.

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


def say(note: str) -> None:
    """A word about how a result came to be: standard output holds the result alone."""
    sys.stderr.write(f"{note}\n")
