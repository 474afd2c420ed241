"""A user's request for a network: its source, its options, and its inputs (``ids=2x16:int64``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from typing import Any

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.spec import LARGEST, Axes

DTYPES = (
    "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool", "complex64",
)  # fmt: skip
"""The types of an input, the default first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input: its shape with the batch, its type, and the name of the argument that takes it."""

    shape: tuple[int, ...]
    dtype: str = DTYPES[0]
    name: str | None = None

    def __str__(self) -> str:
        """As a user would write it."""
        name = "" if self.name is None else f"{self.name}="
        dtype = "" if self.dtype == DTYPES[0] else f":{self.dtype}"
        return f"{name}{'x'.join(map(str, self.shape))}{dtype}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A user's request for the network that ``source`` names.

    ``inputs`` are the shapes that an ONNX or PyTorch network reads, ``arguments`` go to the callable of PyTorch code;
    ``width`` and ``size`` are for networks in YAML.
    """

    source: str
    inputs: tuple[Input, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    width: Fraction | float | str = 1
    size: int | Axes | None = None


def parse_input(text: str) -> Input:
    """An input from text: lengths with ``x`` between them, a name before ``=`` and a type after ``:`` if there are any.

    Raises :class:`SepcalcError` for anything else.

    >>> parse_input("ids=2x16:int64")
    Input(shape=(2, 16), dtype='int64', name='ids')
    """
    name, equals, rest = text.rpartition("=")
    lengths, colon, dtype = rest.partition(":")
    parts = lengths.lower().replace("×", "x").split("x")
    if not all(map(_is_length, parts)) or (equals and not name):
        raise SepcalcError(f"expected a shape like 1x3x224x224, ids=2x16 or 2x16:int64, got '{text}'")
    shape = tuple(map(int, parts))
    if (count := prod(shape)) > LARGEST:
        raise SepcalcError(f"an input of {count:,} numbers is out of range; nothing above {LARGEST:,} is believed")
    if colon and dtype not in DTYPES:
        raise SepcalcError(f"unknown type '{dtype}' in '{text}'{closest(dtype, DTYPES)}")
    return Input(shape=shape, dtype=dtype or DTYPES[0], name=name or None)


def _is_length(part: str) -> bool:
    # The number of digits is checked first: int() takes long for thousands of them.
    return part.isascii() and part.isdecimal() and len(part) < 11 and int(part) > 0
