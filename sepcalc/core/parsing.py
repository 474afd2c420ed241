"""Numbers as people write them: ``5M``, ``569 M``, ``1,000,000``; ``64``; ``3x1``; ``0.75``."""

from __future__ import annotations

import re
from fractions import Fraction

from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.core.spec import LARGEST, Axes

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
_COUNT = re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?(?:e\d{1,2})?)\s*([kmgbt]?)", re.IGNORECASE)


def parse_count(text: str) -> Fraction:
    """The exact number that ``text`` stands for; raises :class:`SepcalcError` for any other text.

    >>> int(parse_count("4.2 M"))
    4200000
    """
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        raise SepcalcError(f"expected a count like 5M, 600M or 1,000,000, got '{text}'")
    return Fraction(match[1].replace(",", "")) * _UNITS[match[2].lower()]


def parse_lengths(text: str, least: int = 1) -> int | Axes:
    """One whole number, or one per axis like ``3x1``, up to three; raises :class:`SpecError` for any other text.

    >>> parse_lengths("3x1"), parse_lengths("3")
    ((3, 1), 3)
    """
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) > 3 or not all(is_whole(part, least) for part in parts):
        expected = f"a whole number from {least} to {LARGEST:,}, or up to three of them like 3x1"
        raise SpecError(f"expected {expected}, got '{text}'")
    numbers = tuple(map(int, parts))
    return numbers if len(numbers) > 1 else numbers[0]


def parse_whole(text: str) -> int:
    """One whole number from 1; raises :class:`SpecError` for any other text.

    >>> parse_whole("64")
    64
    """
    if not is_whole(text, 1):
        raise SpecError(f"expected a whole number from 1 to {LARGEST:,}, got '{text}'")
    return int(text)


def is_whole(text: str, least: int) -> bool:
    """Whether ``text`` is a whole number from ``least`` to :data:`LARGEST`, in digits alone."""
    # The length is checked first: int() refuses, or takes long for, thousands of digits.
    return text.isdecimal() and text.isascii() and len(text) < 11 and least <= int(text) <= LARGEST


def parse_factor(text: str) -> Fraction:
    """A factor for channels, above 0 and up to 1,000; raises :class:`SepcalcError` for any other text.

    >>> parse_factor("0.75")
    Fraction(3, 4)
    """
    try:
        factor = Fraction(text)
    except (ValueError, ZeroDivisionError):
        factor = Fraction(0)
    if not 0 < factor <= 1000:
        raise SepcalcError(f"expected a factor above 0 and up to 1,000 like 0.75, got '{text}'")
    return factor
