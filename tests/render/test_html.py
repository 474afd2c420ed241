"""Tables as HTML."""

from fractions import Fraction

import pytest
from hypothesis import given
from pages import read
from strategies import randomly
from tables import SAMPLE, column_of, tables, texts

from sepcalc.core.table import Column, Row, Table, share_rules
from sepcalc.render import cells
from sepcalc.render.formats import render_tables
from sepcalc.render.html import classed, escape, fragment


def test_fragment():
    """A fragment is one table: caption, headings of columns and rows, numbers to the right, remarks in the foot."""
    shown = fragment(SAMPLE)
    assert shown.startswith('<table class="sepcalc" style="')
    assert shown.endswith("</table>")
    page = read(shown)
    assert page.captions == [SAMPLE.title]
    assert page.rows[0] == [column.title for column in SAMPLE.columns]
    assert page.rows[2] == ["depthwise-separable", "8,768", "8.41×", "8,768·D_F²", "56×40", "3,245,678 B"]
    assert page.rows[5:] == [[SAMPLE.caption], *([note] for note in SAMPLE.notes)]
    scopes = [attributes.get("scope") for tag, attributes in page.tags if tag == "th"]
    assert scopes == ["col"] * 6 + ["row"] * 4
    classes = [attributes["class"] for tag, attributes in page.tags if tag == "tr" and "class" in attributes]
    assert classes == ["body", "body", "part", "total"]
    assert all(
        "text-align:right" in attributes["style"]
        for tag, attributes in page.tags
        if tag == "td" and "colspan" not in attributes
    )


def test_a_sentence_folds():
    """Words and numbers stay on one line; a sentence folds, so that it does not stretch the page."""
    columns = (Column(key="source", title="Source"), Column(key="type", title="Type"), Column(key="note", title="Note"))
    table = Table(
        name="t", title="T", columns=columns, rows=(Row(cells=("a", "depthwise-separable 3×3", "long " * 20)),)
    )
    styles = [attributes["style"] for tag, attributes in read(fragment(table)).tags if tag == "td"]
    assert ["nowrap" in style for style in styles] == [True, False]


def test_notebook():
    """A table shows itself in a notebook as the fragment."""
    assert SAMPLE._repr_html_() == fragment(SAMPLE)


def test_page():
    """A file is a whole page in UTF-8 with a title, which needs no other file."""
    shown = render_tables([SAMPLE, SAMPLE], "html")
    page = read(shown)
    assert shown.startswith('<!DOCTYPE html>\n<html lang="en">\n')
    assert ("meta", {"charset": "utf-8"}) in page.tags
    assert "<title>64 → 128, 3×3</title>" in shown
    first, last = share_rules([SAMPLE, SAMPLE])
    assert f"{fragment(first)}\n{fragment(last)}" in shown
    assert shown.count(SAMPLE.caption) == 1
    assert not {tag for tag, _ in page.tags} & {"script", "link", "img"}


def test_page_of_nothing():
    """A page without tables is still a page."""
    assert "<title>sepcalc</title>" in render_tables([], "html")


def test_si():
    """Counts take decimal prefixes on demand."""
    assert ">73.7 k<" in fragment(SAMPLE, si=True)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "</table>", "&amp;", "\"'>", "{body}", "a\x00b\x1b"])
def test_escape(text):
    """Markup in a name is text, and so is a place holder of the page."""
    assert read(fragment(column_of(text))).rows[1] == [cells.visible(text)]
    assert escape(text) in render_tables([column_of(text)], "html")


@randomly(60)
@given(tables())
def test_structure(table):
    """Whatever the cells hold, a parser finds the rows and the texts that people read."""
    page = read(render_tables([table], "html"))
    body = page.rows[1 : 1 + len(table.rows)]
    assert body == cells.texts(table)
    assert page.rows[0] == [cells.visible(column.title) for column in table.columns]
    assert page.captions == [cells.visible(table.title)]


@randomly(100)
@given(texts)
def test_no_raw_markup(text):
    """An escaped text opens no tag, entity or attribute."""
    assert not set(escape(text)) & set("<>\"'")


CLASSED = """\
<table id="it" class="plain">
<caption><span>T &amp; T</span></caption>
<thead><tr><th scope="col" class="text">Layer</th><th scope="col">Output</th>\
<th scope="col" data-variant="depthwise">MACs</th><th scope="col">Share</th></tr></thead>
<tbody>
<tr class="body"><th scope="row" class="text folds">&lt;a&gt;</th><td data-value="3136">64×7×7</td>\
<td data-value="100000000000000000000">100,000,000,000,000,000,000</td>\
<td data-value="0.3333333333333333">33.3 %</td></tr>
<tr class="part"><th scope="row" class="text folds">b</th><td>—</td><td>—</td><td>—</td></tr>
<tr class="total"><th scope="row" class="text folds">SENTENCE</th><td></td><td>569 M</td>\
<td data-value="1.0">100 %</td></tr>
</tbody>
</table>"""


def test_a_table_for_a_style_sheet():
    """The same table with classes has no style of its own; it has numbers to sort by, and marks texts and variants."""
    columns = (
        Column(key="name", title="Layer"),
        Column(key="size", title="Output", kind="size"),
        Column(key="macs:depthwise", title="MACs", kind="count"),
        Column(key="share", title="Share", kind="share"),
    )
    rows = (
        Row(cells=("<a>", (64, 7, 7), 10**20, Fraction(1, 3))),
        Row(cells=("b", (), None, None), role="part"),
        Row(cells=("long " * 9, "", "569 M", Fraction(1)), role="total"),
    )
    table = Table(name="t", title="T & T", columns=columns, rows=rows, caption="A rule.", notes=("A note.",))
    assert classed(table, identity="it", classes="plain") == CLASSED.replace("SENTENCE", "long " * 9)
