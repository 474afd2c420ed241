"""A report in Markdown."""

import re
from dataclasses import replace

from reports import MADE, NETWORK

from sepcalc.core.table import Table
from sepcalc.render.formats import render_tables
from sepcalc.render.markdown import escape
from sepcalc.report.document import Listing, ReportSubject, report_network
from sepcalc.report.markdown import draw

REPORT = report_network(ReportSubject(network=NETWORK, pictures=True), MADE)
TEXT = draw(REPORT, "it")


def test_headings():
    """The title is the one heading of the first level, sections are of the second, and none is left out below."""
    levels = [len(marks) for marks in re.findall(r"^(#+) ", TEXT, re.MULTILINE)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert levels.count(2) == len(REPORT.sections)
    assert max(levels) == 4


def test_tables():
    """Every table is there as the program prints it."""
    for section in REPORT.sections:
        for block in section.blocks:
            table = block.table if isinstance(block, Listing) else block
            if isinstance(table, Table):
                assert render_tables([table], "markdown").strip("\n") in TEXT


def test_pictures():
    """Pictures are files beside the report, with words for those who do not see them."""
    for picture in REPORT.pictures:
        assert f"![{escape(picture.words)}](it-{picture.name}.svg)" in TEXT
    assert "![" not in draw(report_network(ReportSubject(network=NETWORK), MADE), "it")


def test_blocks_stand_apart():
    """There is an empty line between what belongs apart, and one line end at the end."""
    assert "\n\n\n" not in TEXT
    assert TEXT.endswith("alone.\n")
    assert re.search(r"[^\n]\n#", TEXT) is None


def test_hostile_names():
    """A name opens no heading, link or list."""
    network = replace(NETWORK, name="# [a](b) *c*", source="- x | y")
    text = draw(report_network(ReportSubject(network=network), MADE), "it")
    assert text.startswith("# # \\[a\\](b) \\*c\\*\n\n\\- x \\| y")
