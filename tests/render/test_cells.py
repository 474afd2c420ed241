"""How one cell looks."""

from dataclasses import replace
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly
from tables import texts

from sepcalc.core.table import Column, Estimate, Kind, ends, plain
from sepcalc.render.cells import MISSING, human, three_figures, visible, with_prefix


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
        ("time", Fraction(1, 80), "0.0125", "0.0125"),
        ("time", 12_345, "12,345", "12,345"),
        ("rate", Fraction(45_200_000_000), "45.2 G", "45.2 G"),
        ("rate", Fraction(905, 10), "90.5", "90.5"),
        ("size", (56, 40), "56×40", "56×40"),
        ("size", (1024,), "1024", "1024"),
        ("size", (), MISSING, MISSING),
        *((kind, None, MISSING, MISSING) for kind in get_args(Kind)),
    ],
)
def test_looks(kind, cell, exact, si):
    """Each kind of cell has its look, in full and with decimal prefixes."""
    assert (cell_text(kind, cell), cell_text(kind, cell, si=True)) == (exact, si)


@pytest.mark.parametrize(("unit", "shown"), [("s", "0.00123"), ("ms", "1.23"), ("µs", "1,235"), ("ns", "1,234,500")])
def test_units_of_time(unit, shown):
    """Seconds are shown in the unit of their column."""
    assert human(Fraction("0.0012345"), Column(key="x", title="X", kind="time", unit=unit)) == shown


def estimate(value, low, high):
    """An estimate from three texts."""
    return Estimate(value=Fraction(value), low=Fraction(low), high=Fraction(high))


@pytest.mark.parametrize(
    ("kind", "cell", "shown"),
    [
        ("reduction", estimate("3.4216", "3.38", "3.47"), "3.42× [3.38, 3.47]"),
        ("reduction", estimate("3.4216", "3.3", "3.6"), "3.4× [3.3, 3.6]"),
        ("reduction", estimate("3.4216", "3.4211", "3.4221"), "3.422× [3.421, 3.422]"),
        ("reduction", estimate("3.4216", "3.4216", "3.4216"), "3.422× [3.422, 3.422]"),
        ("reduction", estimate("3.4216", "1", "80"), "3.4× [1.0, 80.0]"),
        ("reduction", estimate("0.9996", "0.99", "1.01"), "1.00× [0.99, 1.01]"),
        ("share", estimate("0.4068", "0.40", "0.41"), "40.7 % [40.0, 41.0]"),
        ("quotient", estimate("1234.5", "1200", "1300"), "1,235 [1,200, 1,300]"),
        ("time", estimate("0.0012345", "0.0012", "0.0013"), "1.23 [1.20, 1.30]"),
        ("time", estimate("0", "0", "0"), "0.0000 [0.0000, 0.0000]"),
        ("time", estimate("0", "0", "0.0002"), "0.00 [0.00, 0.20]"),
        ("time", estimate("1e-30", "0", "1e-30"), "0.000000000 [0.000000000, 0.000000000]"),
    ],
)
def test_estimates(kind, cell, shown):
    """A number with an interval has the figures that the interval leaves it, from two to four; so have its ends."""
    column = Column(key="x", title="X", kind=kind, unit="ms", interval=True)
    assert human(cell, column) == shown
    assert human(cell, replace(column, interval=False)) == shown.split(" [")[0]


@randomly(60)
@given(st.fractions(Fraction(1, 10**5), 10**5), st.fractions(0, 1, max_denominator=10**4))
def test_figures_of_estimates(value, part):
    """A number with an interval is never more than half of its last figure off, nor a twentieth of itself."""
    cell = Estimate(value=value, low=value * (1 - part), high=value * (1 + part))
    text = human(cell, Column(key="x", title="X", kind="quotient", interval=True)).split(" ")[0].replace(",", "")
    digits = text.replace(".", "").lstrip("0")
    places = len(text.partition(".")[2])
    assert abs(Fraction(text) - value) <= min(Fraction(1, 2 * 10**places), value / 20)
    # Rounded up, 0.9996 has one figure more than it was given; whole numbers keep all theirs.
    assert places == 0 or 2 <= len(digits) <= 5


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
    assert abs(Fraction(text.strip("<>% ")) - 100 * share) <= Fraction(1, 10 if text[0] in "<>" else 20)


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
        ("time", Fraction(1, 3), 1 / 3),
        ("rate", Fraction(7), 7.0),
        ("reduction", estimate("3.5", "3", "4"), 3.5),
        ("bytes", None, None),
    ],
)
def test_plain(kind, cell, value):
    """For programs integers stay exact, ratios are floats, sizes lists, and what is missing is None."""
    shown = plain(cell, Column(key="x", title="X", kind=kind))
    assert (shown, type(shown)) == (value, type(value))


def test_ends():
    """For programs the ends of an interval are floats, and None where there is no interval."""
    assert (ends(estimate("3.5", "3", "4")), ends(Fraction(3)), ends("unreliable")) == (
        (3.0, 4.0),
        (None,) * 2,
        (None,) * 2,
    )
