"""Counts, whole numbers and lengths as people write them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.core.errors import SepcalcError
from sepcalc.core.parsing import parse_count, parse_lengths, parse_whole
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


WHOLE = "expected a whole number from 1 to 1,000,000,000"


@pytest.mark.parametrize("text", ["", "0", "-1", "abc", "1.5", "1_000", "1000000001", "9" * 60])
def test_no_whole_numbers(text):
    """A whole number has digits alone, and is one that a layer can have."""
    with pytest.raises(SepcalcError) as error:
        parse_whole(text)
    assert str(error.value) == f"{WHOLE}, got '{text}'"


@pytest.mark.parametrize("text", ["", "0", "-2", "x", "3x", "3,3", "3x3x3x3", "1000000001"])
def test_no_lengths(text):
    """A length is one whole number, or one for each of up to three axes."""
    with pytest.raises(SepcalcError) as error:
        parse_lengths(text)
    assert str(error.value) == f"{WHOLE}, or up to three of them like 3x1, got '{text}'"


def test_lengths_from_zero():
    """Padding may be 0, and the message says so."""
    assert parse_lengths("0x1", 0) == (0, 1)
    with pytest.raises(SepcalcError) as error:
        parse_lengths("-1", 0)
    assert str(error.value) == f"{WHOLE.replace('from 1', 'from 0')}, or up to three of them like 3x1, got '-1'"


@given(st.integers(0, 10**15))
def test_printed_counts_are_read(count):
    """What a table prints is read as that number, rounded where the table rounds."""
    assert parse_count(f"{count:,}") == parse_count(str(count)) == count
    assert abs(parse_count(with_prefix(count)) - count) <= Fraction(count, 200)
