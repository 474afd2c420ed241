"""How one cell looks."""

from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly
from tables import texts

from sepcalc.cells import MISSING, human, plain, three_figures, visible, with_prefix
from sepcalc.table import Column, Kind


def cell_text(kind, cell, *, si=False, axes=2):
    """The text of a cell in a column of that kind."""
    return human(cell, Column(key="x", title="X", kind=kind, axes=axes), si=si)


@pytest.mark.parametrize(
    ("kind", "cell", "exact", "si"),
    [
        ("text", "standard", "standard", "standard"),
        ("text", 7, "7", "7"),
        ("text", "", "", ""),
        ("count", 0, "0", "0"),
        ("count", 999, "999", "999"),
        ("count", 1_000, "1,000", "1.00 k"),
        ("count", 73_728, "73,728", "73.7 k"),
        ("count", 999_499, "999,499", "999 k"),
        ("count", 999_500, "999,500", "1.00 M"),
        ("count", 568_740_352, "568,740,352", "569 M"),
        ("count", 15_470_264_320, "15,470,264,320", "15.5 G"),
        ("count", 2 * 10**15, "2,000,000,000,000,000", "2,000 T"),
        ("count", "?", "?", "?"),
        ("bytes", 0, "0 B", "0 B"),
        ("bytes", 512, "512 B", "512 B"),
        ("bytes", 1_605_632, "1,605,632 B", "1.61 MB"),
        ("per-position", 73_728, "73,728·D_F²", "73.7 k·D_F²"),
        ("per-position", Fraction(73_728), "73,728·D_F²", "73.7 k·D_F²"),
        ("per-position", Fraction(147_457, 2), "73,728.5·D_F²", "73.7 k·D_F²"),
        ("per-position", Fraction(4, 3), "1.33·D_F²", "1.33·D_F²"),
        ("reduction", Fraction(73_728, 8_768), "8.41×", "8.41×"),
        ("reduction", 2, "2.00×", "2.00×"),
        ("reduction", Fraction(9, 8), "1.13×", "1.13×"),
        ("reduction", Fraction(2134, 10**6), "0.00213×", "0.00213×"),
        ("reduction", Fraction(12_344, 10), "1,234×", "1,234×"),
        ("reduction", Fraction(1, 3 * 10**12), "3.33e-13×", "3.33e-13×"),
        ("share", Fraction(8_768, 73_728), "11.9 %", "11.9 %"),
        ("share", 0, "0 %", "0 %"),
        ("share", 1, "100 %", "100 %"),
        ("share", Fraction(9_999, 10_000), ">99.9 %", ">99.9 %"),
        ("share", Fraction(1, 10**6), "<0.1 %", "<0.1 %"),
        ("share", Fraction(1, 2_000), "0.1 %", "0.1 %"),
        ("share", Fraction(499, 10**6), "<0.1 %", "<0.1 %"),
        ("share", Fraction(25, 2), "1,250.0 %", "1,250.0 %"),
        ("quotient", Fraction(1_694, 100), "16.9", "16.9"),
        ("quotient", 0, "0", "0"),
        ("size", (56, 40), "56×40", "56×40"),
        ("size", (1024,), "1024", "1024"),
        ("size", (), MISSING, MISSING),
        *((kind, None, MISSING, MISSING) for kind in get_args(Kind)),
    ],
)
def test_looks(kind, cell, exact, si):
    """Each kind of cell has its look, in full and with decimal prefixes."""
    assert (cell_text(kind, cell), cell_text(kind, cell, si=True)) == (exact, si)


def test_power_of_the_size():
    """A count per position carries the power of D_F that the number of axes makes it."""
    shown = [cell_text("per-position", 9, axes=axes) for axes in range(4)]
    assert shown == ["9", "9·D_F", "9·D_F²", "9·D_F³"]


@randomly(60)
@given(st.integers())
def test_counts_are_exact(count):
    """A count is printed to its last digit, however large."""
    assert int(cell_text("count", count).replace(",", "")) == count


@randomly(60)
@given(st.fractions(Fraction(1, 10**6), 10**9))
def test_three_figures(value):
    """Three figures are at most half a unit of the third one off, and never more than three below 1,000."""
    text = three_figures(value)
    assert abs(Fraction(text.replace(",", "")) - value) <= value / 200
    assert value >= 999 or len(text.replace(".", "").lstrip("0")) == 3


@randomly(60)
@given(st.integers(1_000, 10**14))
def test_prefixes(count):
    """With a prefix there are three figures of at most half a unit's error, and a number from 1 to 999."""
    number, prefix = with_prefix(count).split(" ")
    assert len(number.replace(".", "")) == 3
    assert 1 <= Fraction(number) < 1000
    assert abs(Fraction(number) * 1000 ** ("kMGT".index(prefix) + 1) - count) <= Fraction(count, 200)


@randomly(60)
@given(st.fractions(0, 1))
def test_shares(share):
    """Only nothing is 0 % and only everything is 100 %, and what is between is right to a twentieth of a percent."""
    text = cell_text("share", share)
    assert (text == "0 %") == (share == 0)
    assert (text == "100 %") == (share == 1)
    assert abs(Fraction(text.strip("<% ")) - 100 * share) <= Fraction(1, 10 if "<" in text else 20)


@randomly(60)
@given(st.fractions())
def test_signs(value):
    """What is below zero looks like what is above it, with a sign."""
    assert three_figures(-value).lstrip("-") == three_figures(value).lstrip("-")
    assert three_figures(value).startswith("-") == (value < 0)


@randomly(60)
@given(texts)
def test_visible(text):
    """No text reaches people with a character that does not print, and text that prints is left alone."""
    assert visible(text).isprintable()
    assert not text.isprintable() or visible(text) == text


def test_spaces():
    """Every kind of space is a space."""
    assert visible("a\xa0b\u3000c\u2009d") == "a b c d"


@randomly(60)
@given(texts)
def test_one_line(text):
    """A line end shows as an escape, so a cell is always one line."""
    assert len(visible(f"a{text}\nb").splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", "a", "a"),
        ("count", 10**18 + 1, 10**18 + 1),
        ("per-position", Fraction(2**60 + 1), 2**60 + 1),
        ("per-position", Fraction(3, 2), 1.5),
        ("reduction", Fraction(2), 2.0),
        ("share", Fraction(1, 3), 1 / 3),
        ("size", (56, 40), [56, 40]),
        ("size", (), []),
        ("bytes", None, None),
    ],
)
def test_plain(kind, cell, value):
    """For programs integers stay exact, ratios are floats, sizes lists, and what is missing is None."""
    shown = plain(cell, Column(key="x", title="X", kind=kind))
    assert (shown, type(shown)) == (value, type(value))
