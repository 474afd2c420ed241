"""Charts as files."""

import re
import sys
from xml.etree import ElementTree

import pytest
import vl_convert

from sepcalc import ConvSpec, compare
from sepcalc.core.errors import MissingExtraError, SepcalcError
from sepcalc.core.layer_tables import layer_table
from sepcalc.render.charts.chart import (
    SUFFIXES,
    draw_html,
    draw_pdf,
    draw_png,
    draw_svg,
    drawer,
    page,
    save_chart,
)
from sepcalc.render.charts.layer import layer_chart
from sepcalc.render.charts.text import text_width

CHART = layer_chart(layer_table(compare(ConvSpec.of(64, 128, k=3, size=56)), stages=True))
SVG = "{http://www.w3.org/2000/svg}"


def titled(title, value=1):
    """A chart of one bar."""
    import altair as alt

    body = alt.Chart(alt.NamedData(name="bars")).mark_bar().encode(x="value:Q", description="name:N")
    return page(body, title, ["A remark."], {"bars": [{"name": title, "value": value}]})


def tree(chart):
    """The elements of a drawing."""
    return ElementTree.fromstring(draw_svg(chart))  # noqa: S314 (it has just been drawn here)


def test_kinds(tmp_path):
    """The suffix, in capitals or not, says what is written."""
    begins = {".svg": b"<svg ", ".html": b"<!DOCTYPE html>", ".png": b"\x89PNG", ".pdf": b"%PDF"}
    assert set(begins) == set(SUFFIXES)
    for suffix, start in begins.items():
        path = tmp_path / f"chart{suffix.upper()}"
        save_chart(CHART, path)
        assert path.read_bytes().startswith(start)


@pytest.mark.parametrize(("path", "fact"), [("a.gif", "unknown suffix '.gif' of"), ("a", "no suffix in")])
def test_unknown_suffix(path, fact):
    """Any other suffix is refused with the known ones."""
    with pytest.raises(SepcalcError) as error:
        drawer(path)
    assert str(error.value) == f"{fact} '{path}'; give one of .html, .svg, .png, .pdf"


@pytest.mark.parametrize("library", ["altair", "vl_convert"])
def test_missing_extra(library, monkeypatch):
    """Without the extra one sentence says how to install it."""
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == library else True)
    table = layer_table(compare(ConvSpec.of(64, 128, k=3)), stages=True)
    for needs in (lambda: drawer("a.svg"), lambda: layer_chart(table)):
        with pytest.raises(MissingExtraError) as error:
            needs()
        assert str(error.value) == "drawing a chart needs the 'plot' extra: pip install 'sepcalc[plot]'"
        assert error.value.exit_code == 2


def test_size():
    """Each kind is 85 mm wide: in pixels of 96 to the inch, in points, and in pixels for print."""
    root = tree(CHART)
    assert float(root.attrib["width"]) * 25.4 / 96 == pytest.approx(85, abs=0.2)
    box = re.search(rb"/MediaBox ?\[0 0 ([\d.]+)", draw_pdf(CHART))
    assert box
    assert float(box[1]) * 25.4 / 72 == pytest.approx(85, abs=0.2)
    width = int.from_bytes(draw_png(CHART)[16:20], "big")
    assert width / (85 / 25.4) > 300


def test_pdf_has_its_fonts():
    """A PDF brings its fonts with it, as journals ask."""
    assert b"/FontFile" in draw_pdf(CHART)


def test_nothing_is_fetched():
    """A page and a drawing name no other file: no script, no style sheet, no image, no address but names of spaces."""
    for text in (draw_html(CHART).decode(), draw_svg(CHART).decode()):
        assert not re.search(r"<(?:script|link|img|iframe|image|object)\b|@import|url\(|\bsrc=|\bhref=", text)
        assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}


def test_hostile_names():
    """No name of a layer becomes a part of the page, and control characters do not reach it."""
    for draw in (draw_html, draw_svg):
        text = draw(titled("</svg><script>alert('x')</script> & \x1b[31m \ud800")).decode()
        assert "<script" not in text
        assert "\x1b" not in text
        assert "&lt;script&gt;" in text


def test_counts_beyond_64_bits():
    """A count of any size is drawn."""
    assert b"<svg" in draw_svg(titled("large", 10**40))


def test_texts_keep_their_width():
    """Each text says how wide it is, so that another font is squeezed; one with an unknown character does not."""
    root = tree(CHART)
    lines = [line for text in root.iter(f"{SVG}text") for line in (list(text) or [text])]
    (name, *_) = [line for line in lines if line.text == "depthwise-separable"]
    size = float(name.attrib["font-size"].removesuffix("px"))
    assert float(name.attrib["textLength"]) == pytest.approx(
        text_width("depthwise-separable", size, bold=True), abs=0.01
    )
    assert all("textLength" in line.attrib for line in lines if line.text)
    (unknown,) = [line for line in tree(titled("漢字")).iter(f"{SVG}text") if line.text == "漢字"]
    assert "textLength" not in unknown.attrib


def test_marks_say_what_they_are():
    """A bar has a title with its exact number, which a browser shows under the pointer."""
    titles = [title.text for title in tree(CHART).iter(f"{SVG}title")]
    assert "depthwise-separable, pointwise 1×1: 25,690,112 MACs" in titles
    assert "standard: 73,728 Params" in titles


def test_no_address_is_allowed(monkeypatch):
    """The library that draws is told to fetch nothing."""
    asked = {}

    def convert(_spec, **options):
        asked.update(options)
        return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", convert)
    draw_svg(CHART)
    assert asked == {"allowed_base_urls": []}


def test_a_chart_shows_itself():
    """A notebook shows a chart as its drawing."""
    assert CHART._repr_svg_() == draw_svg(CHART).decode()
