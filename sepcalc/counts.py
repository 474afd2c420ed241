"""Counts as people write them: ``5M``, ``569 M``, ``4.2e6``, ``1,000,000``."""

from __future__ import annotations

import re
from fractions import Fraction

from sepcalc.errors import SepcalcError

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9, "t": 10**12}
_COUNT = re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?(?:e\d{1,2})?)\s*([kmgbt]?)", re.IGNORECASE)


def parse_count(text: str) -> Fraction:
    """The exact number that ``text`` stands for.

    Raises :class:`SepcalcError` for anything else.

    >>> int(parse_count("4.2 M"))
    4200000
    """
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        raise SepcalcError(f"expected a count like 5M, 600M or 1,000,000, got '{text}'")
    return Fraction(match[1].replace(",", "")) * _UNITS[match[2].lower()]
