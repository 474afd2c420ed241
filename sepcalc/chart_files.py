"""Charts as files: HTML, SVG, PNG and PDF, drawn by vl-convert without a browser and without a network.

All four are one drawing, the SVG. It names a font that most systems have, and says how wide each text is in that
font, so that another one is squeezed rather than drawn over its neighbours. What a mark stands for is its title,
which browsers show under the pointer and readers of screens read.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sepcalc.chart import Chart, need_libraries
from sepcalc.chart_style import POINT, WIDTH
from sepcalc.chart_text import is_measured, text_width
from sepcalc.output import by_suffix, write

SCALE, DENSITY = 2, 144
"""How much larger a PNG is than the drawing, which has 72 pixels to the inch for vl-convert: 384 per inch of 85 mm."""

_SVG = "http://www.w3.org/2000/svg"


def save_chart(chart: Chart, path: str | Path) -> None:
    """Write ``chart`` to ``path``: HTML, SVG, PNG or PDF, as its suffix says.

    Raises :class:`SepcalcError` as :func:`drawer` does, and where the file cannot be written.
    """
    write(path, drawer(path)(chart))


def drawer(path: str | Path) -> Callable[[Chart], bytes]:
    """What draws a chart for a file called ``path``.

    Raises :class:`SepcalcError` for a suffix of no picture, and where the libraries that draw are not installed.

    >>> drawer("chart.gif")
    Traceback (most recent call last):
    sepcalc.errors.SepcalcError: unknown suffix '.gif' of 'chart.gif'; give one of .html, .svg, .png, .pdf
    """
    draw = by_suffix(path, SUFFIXES)
    need_libraries()
    return draw


def draw_svg(chart: Chart) -> bytes:
    """The chart with its words as text, 85 mm wide."""
    return _svg(chart).encode()


def draw_html(chart: Chart) -> bytes:
    """A page with the drawing in it, which needs no other file, no script and no network."""
    from sepcalc.webpage import page

    style = f"body {{ margin: 0 auto; max-width: {3 * WIDTH:.0f}px }} svg {{ width: 100%; height: auto }}"
    return page(" ".join(chart.spec["title"]["text"]), style, _svg(chart)).encode()


def draw_png(chart: Chart) -> bytes:
    """The chart in pixels, enough for print."""
    import vl_convert

    return vl_convert.svg_to_png(_svg(chart), scale=SCALE, ppi=DENSITY)


def draw_pdf(chart: Chart) -> bytes:
    """The chart on a page of its own size, 85 mm wide, with its fonts."""
    import vl_convert

    # vl-convert takes a pixel for a point.
    return vl_convert.svg_to_pdf(_svg(chart, 1 / POINT))


def _svg(chart: Chart, scale: float = 1) -> str:
    from json import dumps
    from xml.etree import ElementTree

    import vl_convert

    # As text, since vl-convert refuses a dictionary with an integer above 64 bits.
    drawn = vl_convert.vegalite_to_svg(dumps(dict(chart.spec)), allowed_base_urls=[])
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(drawn)  # noqa: S314 (it has just been drawn here)
    for text in root.iter(f"{{{_SVG}}}text"):
        # A text says itself what it is.
        for name in ("aria-label", "aria-roledescription", "role"):
            text.attrib.pop(name, None)
        size, bold = float(text.attrib["font-size"].removesuffix("px")), text.get("font-weight") == "bold"
        for line in list(text) or [text]:
            if line.text and is_measured(line.text):
                line.set("textLength", f"{text_width(line.text, size, bold=bold):.2f}")
                line.set("lengthAdjust", "spacingAndGlyphs")
    for mark in root.iter(f"{{{_SVG}}}path"):
        if label := mark.get("aria-label"):
            ElementTree.SubElement(mark, f"{{{_SVG}}}title").text = label
    for side in ("width", "height"):
        root.set(side, f"{scale * float(root.attrib[side]):g}")
    return ElementTree.tostring(root, encoding="unicode")


SUFFIXES: dict[str, Callable[[Chart], bytes]] = {
    ".html": draw_html,
    ".svg": draw_svg,
    ".png": draw_png,
    ".pdf": draw_pdf,
}
"""What draws the files of each suffix."""
