"""How charts look."""

import pytest

from sepcalc.render.charts.style import COLORS, INK, INSIDE, SMALL, WIDTH, colors, config, first


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
    assert pytest.approx(7) == SMALL * 72 / 96


def test_colors_are_seen():
    """No two colours are the same, and all of them stand out from white."""
    assert len(set(COLORS)) == len(COLORS)
    assert all(1.05 / (lightness(color) + 0.05) > 2 for color in COLORS)


def test_first_begins_again():
    """Where there are more series than looks, the looks begin again."""
    assert first("ab", 5) == ["a", "b", "a", "b", "a"]


def test_colors_of_variants():
    """What is as written has a colour of its own, so that the reference has the same one beside it and without it."""
    assert colors(["as-written", "standard", "depthwise"])[1:] == colors(["standard", "depthwise"])
    assert colors(["as-written"]) == [INK]
    assert INK not in COLORS
