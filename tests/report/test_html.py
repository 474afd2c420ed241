"""A report as a page, as a parser sees it; what a browser makes of it is in test_report_browser.py."""

import base64
import re
from dataclasses import replace
from hashlib import sha256

import pytest
from pages import read
from reports import MADE, NETWORK

from sepcalc.core.table import Column, Row, Table
from sepcalc.render.charts.style import FAINT, GREY, INK, WIDTH
from sepcalc.render.html import escape
from sepcalc.report.document import Listing, Subject, report_network
from sepcalc.report.html import draw

PAGE = draw(report_network(Subject(network=NETWORK, pictures=True), MADE), "report")


def inside(tag):
    """What stands in the one element called ``tag``, as it is written."""
    (found,) = re.findall(rf"<{tag}>(.*?)</{tag}>", PAGE, re.DOTALL)
    return found


def test_structure():
    """Every element is closed, every name is there once, and links lead to one."""
    page = read(PAGE)
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(names)
    assert all(link.startswith("#") for link in links)
    controls = [attributes["aria-controls"] for _, attributes in page.tags if "aria-controls" in attributes]
    assert set(controls) == {"layers-2"} <= set(names)


def test_policy():
    """The policy allows nothing but the page's own style sheet and script, and those are the ones that it names."""
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', PAGE)

    def allowed(text):
        return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"

    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src {allowed(inside('style'))}",
        f"script-src {allowed(inside('script'))}",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_nothing_is_outside():
    """Nothing on the page is loaded from elsewhere, and no element has a style or a script of its own."""
    attributes = [pair for _, each in read(PAGE).tags for pair in each.items()]
    assert not [name for name, _ in attributes if name in ("src", "style", "srcset") or name.startswith("on")]
    namespaces = {value for name, value in attributes if value and "://" in value}
    assert namespaces <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "url(" not in inside("style")
    assert "@import" not in inside("style")


def test_exact_numbers_are_there_to_sort_by():
    """A cell shows what people read and holds the exact number; what is missing holds none."""
    assert '<td data-value="4867293184">4,867,293,184</td>' in PAGE
    assert '<td data-value="200704">256×28×28</td>' in PAGE
    assert f'<td data-value="{10_838_016 / 568_740_352}">1.9 %</td>' in PAGE
    assert "<td>—</td>" in PAGE


HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "{version}", "]]>"]


def test_tables_of_one_name():
    """Tables that are called alike have names of their own on the page."""
    table = Table(name="t", title="T", columns=(Column(key="a", title="A"),), rows=())
    document = report_network(Subject(network=NETWORK), MADE)
    sections = tuple(replace(each, blocks=(table, Listing(table=table))) for each in document.sections)
    names = re.findall(r'<table id="([^"]*)"', draw(replace(document, sections=sections), "report"))
    assert len(set(names)) == 2 * len(sections)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names(name):
    """Whatever a network is called, it is text."""
    table = Table(
        name=name, title=name, columns=(Column(key=name, title=name),), rows=(Row(cells=(name,)),), notes=(name,)
    )
    document = report_network(Subject(network=replace(NETWORK, name=name, source=name)), replace(MADE, command=name))
    document = replace(document, sections=(replace(document.sections[0], blocks=(name, table, Listing(table=table))),))
    shown = draw(document, "report")
    tags = [tag for tag, _ in read(shown).tags]
    assert tags.count("img") == 0
    assert tags.count("script") == 1
    assert shown.count(f"<caption><span>{escape(name)}</span></caption>") == 2


def test_pictures_take_the_colours_of_the_page():
    """The style sheet knows the colours that charts write and draw with, so that they are seen on a dark ground."""
    style = inside("style")
    for color, value in ((INK, "--ink"), (GREY, "--soft")):
        assert re.search(rf'\[fill="{color}"\][^}}]*{{ fill: var\({value}\)', style)
    assert f'[stroke="{FAINT}"] {{ stroke: var(--rule)' in style
    assert PAGE.count('<div class="parts" role="img"') == 2
    drawings = re.findall(r'<svg [^>]*width="([^"]*)"[^>]*viewBox="0 0 ([^ ]*) ', PAGE)
    assert drawings == [(f"{WIDTH:g}",) * 2] * 4
    assert "aria-roledescription" not in PAGE


def test_the_same_again():
    """The same report is the same page to the last byte."""
    assert draw(report_network(Subject(network=NETWORK, pictures=True), MADE), "elsewhere") == PAGE
