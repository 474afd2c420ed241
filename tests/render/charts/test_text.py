"""How much room words take, and how they are made to fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.render.cells import visible
from sepcalc.render.charts.text import fold, is_measured, shorten, text_width

words = st.text(st.sampled_from("abW.-_ 1×→漢\x1b\n"), max_size=60)


@given(words, st.sampled_from([30.0, 90.0, 300.0]))
def test_fold(text, width):
    """Every line fits, nothing but spaces is lost, and control characters do not reach a picture."""
    lines = fold(text, width)
    assert all(text_width(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(visible(text).split())
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


def test_numbers_keep_to_their_words():
    """A line does not end between a number and what it counts, but it does between the numbers of a list."""
    assert fold("not 1 MAC more", 60) == ["not 1 MAC", "more"]
    assert fold("nothing 1 MAC more", 60) == ["nothing", "1 MAC more"]
    assert fold("1, 2, 3, 4, 5, 6, 7, 8", 60) == ["1, 2, 3, 4, 5, 6,", "7, 8"]
