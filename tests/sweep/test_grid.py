"""Values, lists and ranges, and the grid of all their points."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.core.errors import SepcalcError
from sepcalc.core.parsing import parse_lengths, parse_whole
from sepcalc.sweep.grid import MOST_POINTS, MOST_VALUES, Axis, Grid, parse_values

WHOLE = "expected a whole number from 1 to 1,000,000,000, got"
CURE = "; a list is like 3,5,7 and a range like 32:1024:x2"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("64", [64]),
        ("3,5,7", [3, 5, 7]),
        ("7, 3,7", [7, 3]),
        ("1:4", [1, 2, 3, 4]),
        ("128:224:32", [128, 160, 192, 224]),
        ("1:10:4", [1, 5, 9]),
        ("32:1024:x2", [32, 64, 128, 256, 512, 1024]),
        ("3:100:x3,1", [3, 9, 27, 81, 1]),
        ("5:5", [5]),
    ],
)
def test_whole_numbers(text, values):
    """A range has both its ends if a step hits them, and what comes twice counts once."""
    assert parse_values(text, parse_whole) == values


def test_other_values():
    """Lengths, words and factors can be listed, and factors have ranges too."""
    assert parse_values("3,3x1", parse_lengths) == [3, (3, 1)]
    assert parse_values("0.25:1:0.25", Fraction) == [Fraction(n, 4) for n in (1, 2, 3, 4)]
    assert parse_values("1:2:x1.5", Fraction) == [1, Fraction(3, 2)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"{WHOLE} ''{CURE}"),
        ("3,,5", f"{WHOLE} ''{CURE}"),
        ("3-5", f"{WHOLE} '3-5'{CURE}"),
        ("0:5", f"{WHOLE} '0'{CURE}"),
        ("1:5:0", f"{WHOLE} '0'{CURE}"),
        ("1:5:y", f"{WHOLE} 'y'{CURE}"),
        ("9:3", "the range '9:3' is empty; give the smaller end first"),
        ("1:5:x1", "the range '1:5:x1' has no such step as x1; give a number, or a factor above 1 like x2"),
        ("1:2:3:4", "'1:2:3:4' has 4 parts; a range is first:last, first:last:step or first:last:x2"),
        ("1:9999999", "'1:9999999' has more than 1,000,000 values; give a larger step"),
        ("1:1000000,2000000", "'1:1000000,2000000' has more than 1,000,000 values; give a larger step"),
    ],
)
def test_messages(text, message):
    """A value that cannot be read, an empty range, one that never ends, and one that is too long have one sentence."""
    with pytest.raises(SepcalcError) as caught:
        parse_values(text, parse_whole)
    assert str(caught.value) == message


def test_lengths_have_no_range():
    """A range runs between whole numbers alone."""
    with pytest.raises(SepcalcError) as caught:
        parse_values("3x1:5x1", parse_lengths)
    assert str(caught.value) == "the range '3x1:5x1' is not between two numbers; give a list like 3x1,5x1"
    with pytest.raises(SepcalcError, match="the range '3:5:1x1' has no such step as 1x1; "):
        parse_values("3:5:1x1", parse_lengths)


def test_the_most_values():
    """As many values as are allowed are allowed."""
    assert len(parse_values(f"1:{MOST_VALUES}", parse_whole)) == MOST_VALUES


@given(st.data())
def test_columns(data):
    """Any part of a grid is that part of all combinations, the last axis fastest."""
    lists = data.draw(st.lists(st.lists(st.integers(), min_size=1, max_size=5, unique=True), min_size=1, max_size=4))
    grid = Grid(axes=tuple(Axis.of(str(number), values) for number, values in enumerate(lists)))
    points = [*product(*lists)]
    assert len(grid) == len(points)
    start = data.draw(st.integers(0, len(points) - 1))
    stop = data.draw(st.integers(start + 1, len(points)))
    assert [*zip(*grid.columns(start, stop).values(), strict=True)] == points[start:stop]


def test_what_an_axis_is():
    """A list or a range has several values, each once; anything else is one value, a length of several axes too."""
    assert Axis.of("k", [3, 5, 3]).values == (3, 5)
    assert Axis.of("k", range(3)).values == (0, 1, 2)
    assert Axis.of("k", (3, 1)).values == ((3, 1),)
    assert [Axis.of("k", each).swept for each in (3, [3], [3, 5])] == [False, False, True]
    assert [Axis.of("k", each).is_numeric for each in ([3, Fraction(1, 2)], [(3, 1)], ["min", 4])] == [
        True,
        False,
        False,
    ]


def test_the_most_points():
    """A grid of too many points is refused with their number; the largest that is allowed is made."""
    thousand = Axis.of("c_in", range(1000))
    with pytest.raises(SepcalcError) as caught:
        Grid(axes=(thousand, Axis.of("c_out", range(100_001)), Axis.of("k", 3)))
    assert str(caught.value) == (
        "the grid has 100,001,000 points (1,000 of c_in × 100,001 of c_out), more than 100,000,000; give fewer values"
    )
    assert len(Grid(axes=(thousand, Axis.of("c_out", range(100_000))))) == MOST_POINTS
