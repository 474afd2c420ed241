"""How charts look, and how much room words take."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.chart_style import (
    COLORS,
    INSIDE,
    SMALL,
    WIDTH,
    config,
    first,
    fold,
    is_measured,
    log_ticks,
    nice,
    shorten,
    spread,
    text_width,
    ticks,
)

words = st.text(st.sampled_from("abW.-_ 1×→漢\x1b\n"), max_size=60)
numbers = st.floats(1, 1e40)


def lightness(color: str) -> float:
    """How light a colour is in grey print, from 0 to 1 (relative luminance, WCAG 2.2)."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_a_column_of_a_paper():
    """A chart is 85 mm wide at 96 pixels to the inch, and its type is at least 7 pt."""
    assert round(WIDTH * 25.4 / 96) == 85
    assert INSIDE < WIDTH
    sizes = [
        value
        for part in config().values()
        if isinstance(part, dict)
        for key, value in part.items()
        if "FontSize" in key
    ]
    assert min(sizes) * 72 / 96 == pytest.approx(7)


def test_colors_are_seen():
    """No two colours are the same, and all of them stand out from white."""
    assert len(set(COLORS)) == len(COLORS)
    assert all(1.05 / (lightness(color) + 0.05) > 2 for color in COLORS)


def test_first_begins_again():
    """Where there are more series than looks, the looks begin again."""
    assert first("ab", 5) == ["a", "b", "a", "b", "a"]


@given(words, st.sampled_from([30.0, 90.0, 300.0]))
def test_fold(text, width):
    """Every line fits, nothing but spaces and line ends is lost, and control characters do not reach a picture."""
    lines = fold(text, width)
    assert all(text_width(line) <= width for line in lines)
    assert (
        "".join(lines).replace(" ", "") == "".join(text.encode("unicode_escape").decode().split()) or not text.isascii()
    )
    assert all(line.isprintable() for line in lines)


@given(words, st.floats(20, 200))
def test_shorten(text, width):
    """What is shortened fits, and keeps its beginning and its end; what fits stays."""
    short = shorten(text, width)
    assert text_width(short) <= width
    if text.isprintable() and text_width(text) <= width:
        assert short == text
    if "…" in short and text.isprintable():
        start, end = short.split("…")
        assert text.startswith(start)
        assert text.endswith(end)


def test_bold_is_wider():
    """Bold type takes more room than plain type of the same size, as Helvetica's metrics have it."""
    assert text_width("depthwise-separable", 10, bold=True) > text_width("depthwise-separable", 10)
    assert text_width("Mi", 1000) == pytest.approx(833 + 222)


def test_unknown_characters():
    """A character without a known width is taken for a wide one, and said to be unknown."""
    assert text_width("漢", 10) == 10
    assert not is_measured("漢a")
    assert is_measured("depthwise-separable 3×3 → 64, 8.41×, 11.9 %")


@given(numbers, st.floats(60, 400))
def test_ticks(top, pixels):
    """Ticks begin at 0, are evenly spaced, end before the axis does, and leave room for their labels."""
    values = ticks(top, pixels)
    assert values[0] == 0
    assert values[-1] <= top
    steps = {round(after - before, 9) for before, after in pairwise(values)}
    assert len(steps) <= 1
    assert all(step * pixels / top >= 27 for step in steps)


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


def test_size_of_small():
    """The smallest type is 7 pt."""
    assert pytest.approx(7) == SMALL * 72 / 96
