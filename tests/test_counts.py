"""Counts as people write them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.core.errors import SepcalcError
from sepcalc.core.parsing import parse_count
from sepcalc.render.cells import with_prefix


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0", 0),
        ("5", 5),
        ("5k", 5_000),
        ("5K", 5_000),
        ("5M", 5_000_000),
        ("569 M", 569_000_000),
        ("4.089G", 4_089_000_000),
        ("1.5B", 1_500_000_000),
        ("2T", 2 * 10**12),
        ("4.2e6", 4_200_000),
        ("1,000,000", 1_000_000),
        (" 12 ", 12),
        ("0.1", Fraction(1, 10)),
    ],
)
def test_counts(text, count):
    """Digits, separators, decimals, exponents and units are read exactly."""
    assert parse_count(text) == count


@pytest.mark.parametrize(
    "text", ["", "M", "-5", "5X", "5 MM", "1,00", "1.", ".5", "1e400", "nan", "inf", "0x10", "5\n6"]
)
def test_no_counts(text):
    """Anything else is refused with what is expected."""
    with pytest.raises(SepcalcError) as error:
        parse_count(text)
    assert str(error.value) == f"expected a count like 5M, 600M or 1,000,000, got '{text}'"


@given(st.integers(0, 10**15))
def test_printed_counts_are_read(count):
    """What a table prints is read as that number, rounded where the table rounds."""
    assert parse_count(f"{count:,}") == parse_count(str(count)) == count
    assert abs(parse_count(with_prefix(count)) - count) <= Fraction(count, 200)
