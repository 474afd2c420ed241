"""Axes of charts: their ticks, and where on them a value stands."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.render.charts.axes import Plane, Scale, log_ticks, nice, spread

numbers = st.floats(1, 1e40)


@given(numbers)
def test_nice(value):
    """A nice number is the largest of its kind that is not above the value."""
    found = nice(value)
    assert found <= value < 2.51 * found
    assert str(int(found)).rstrip("0") in ("1", "2", "5")


@given(st.floats(1, 1e12), st.floats(1.5, 1e9))
def test_log_ticks(low, span):
    """Ticks of a logarithmic axis lie on it, in order."""
    values = log_ticks(low, low * span)
    assert values == sorted(values)
    assert all(low <= value <= low * span for value in values)
    assert len(values) <= 22


@given(st.lists(st.floats(0, 80), min_size=1, max_size=6))
def test_spread(places):
    """Names are moved apart, keep their order, and none of them leaves its axis."""
    moved = spread(places, 11, 80)
    order = sorted(range(len(places)), key=lambda each: places[each])
    assert all(moved[after] - moved[before] >= 11 - 1e-9 for before, after in pairwise(order))
    assert max(moved) <= 80
    assert spread(moved, 11, 80) == pytest.approx(moved)


@given(st.floats(1e-3, 1e12), st.floats(2.56, 1e9))
def test_a_logarithmic_axis_has_a_tick(low, span):
    """An axis as short as the charts have any still has a number on it."""
    assert log_ticks(low, low * span)


@pytest.mark.parametrize("is_log", [False, True])
def test_places(is_log):
    """The ends of an axis are its ends, and its middle is that of the values or of their logarithms."""
    scale = Scale(1, 100, is_log=is_log, pixels=200)
    assert (scale.place(1), scale.place(100)) == (0, 200)
    assert scale.place(10 if is_log else 50.5) == pytest.approx(100)
    assert Plane(scale, scale).point(1, 1) == (0, 200)


def test_ticks():
    """A logarithmic axis has few numbers of each decade; those of another are Vega's, and whole."""
    assert Scale(1, 100, is_log=True, pixels=200).ticks["values"] == [1, 2, 5, 10, 20, 50, 100]
    assert Scale(0, 100, is_log=False, pixels=200).ticks == {"tickCount": 5, "tickMinStep": 1}
