"""Tables as GitHub's Markdown."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from strategies import randomly
from tables import SAMPLE, column_of, tables, texts

from sepcalc.core.table import Column
from sepcalc.render import cells
from sepcalc.render.formats import render_tables
from sepcalc.render.markdown import escape

MARKDOWN = """\
**64 → 128, 3×3**

| Variant             |     Params | Params reduction |        MACs | Output |         Traffic |
| :------------------ | ---------: | ---------------: | ----------: | -----: | --------------: |
| standard            |     73,728 |            1.00× | 73,728·D_F² |  56×40 |     2,703,360 B |
| depthwise-separable |      8,768 |            8.41× |  8,768·D_F² |  56×40 |     3,245,678 B |
| ↳ depthwise 3×3     |        576 |                — |    576·D_F² |      — |       123,456 B |
| **sum**             | **83,072** |            **—** |       **—** |  **—** | **6,072,494 B** |

MACs of the convolution alone.

- mid 64; saves while mid \\< 128
- uncounted: x (Y)
"""


def rows(text):
    """The cells of a pipe table as GitHub splits them: at pipes without a backslash."""
    return [re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1] for line in text.splitlines() if line.startswith("|")]


def unescape(text):
    """The text that Markdown shows for an escaped one."""
    return re.sub(r"\\([^0-9A-Za-z\s])", r"\1", text)


def test_picture():
    """A table is aligned in the source, numbers to the right, parts marked, sums bold, remarks below."""
    assert render_tables([SAMPLE], "markdown") == MARKDOWN


def test_si():
    """Counts and bytes take decimal prefixes on demand."""
    table = replace(SAMPLE, rows=SAMPLE.rows[:1]).select(["params", "traffic_bytes"])
    assert "| 73.7 k | 2.70 MB |" in render_tables([table], "markdown", si=True)


def test_two_tables():
    """Two tables stand one after the other with an empty line between, and the rule that they share at the end."""
    own = MARKDOWN.replace(f"{SAMPLE.caption}\n\n", "")
    assert render_tables([SAMPLE, SAMPLE], "markdown") == f"{own}\n{own}\n{SAMPLE.caption}\n"


def test_bare():
    """A table without title, caption, notes and rows is a heading."""
    bare = replace(column_of(), title="")
    assert render_tables([bare], "markdown") == "| Name |\n| :--- |\n"


def test_short_columns():
    """A column of one character has three characters of rule, as old readers want."""
    table = replace(column_of("x"), title="", columns=(Column(key="n", title="N", kind="count"),))
    assert render_tables([table], "markdown") == "|   N |\n| --: |\n|   x |\n"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", "a\\|b"),
        ("a\\|b", "a\\\\\\|b"),
        ("[x](y)", "\\[x\\](y)"),
        ("<b>&amp;", "\\<b\\>\\&amp;"),
        ("*a* `b` ~c~ $d$", "\\*a\\* \\`b\\` \\~c\\~ \\$d\\$"),
        ("conv_1 D_F", "conv_1 D_F"),
        ("_a_ __b", "\\_a\\_ \\_\\_b"),
        ("a\nb\x1b", "a\\\\nb\\\\x1b"),
    ],
)
def test_escape(text, escaped):
    """Markup in a text is escaped, and a word with an underscore inside is left readable."""
    assert escape(text) == escaped


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ("# one", "\\# one"),
        ("- one", "\\- one"),
        ("--- ", "\\---"),
        ("1. one", "1\\. one"),
        ("1) one", "1\\) one"),
        ("1.5 × one", "1.5 × one"),
        ("-5", "-5"),
        ("    code", "code"),
    ],
)
def test_notes_are_paragraphs(note, line):
    """A caption or a note opens no heading, list, rule or code of its own."""
    shown = render_tables([replace(column_of(), caption=note, notes=(note,))], "markdown")
    assert shown.endswith(f"\n\n{line}\n\n- {line}\n")


@randomly(60)
@given(texts)
def test_escape_shows_what_was_there(text):
    """Without its backslashes an escaped text is the text."""
    assert unescape(escape(text)) == cells.visible(text)


@randomly(60)
@given(tables())
def test_structure(table):
    """Whatever the cells hold, every line has the same number of columns and the cells' text."""
    shown = rows(render_tables([table], "markdown"))
    pipes = [line for line in render_tables([table], "markdown").splitlines() if line.startswith("|")]
    assert len({len(line) for line in pipes}) == 1
    assert [len(line) for line in shown] == [len(table.columns)] * (len(table.rows) + 2)


@randomly(60)
@given(texts)
def test_cell(text):
    """A hostile text stays in its cell and reads as it was."""
    found = [line for line in render_tables([column_of(text)], "markdown").splitlines() if line.startswith("|")][2]
    assert unescape(found.removeprefix("| ").removesuffix(" |").rstrip()) == cells.visible(text).strip()
