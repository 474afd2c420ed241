"""Tables in the terminal."""

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from strategies import randomly
from tables import MEASURED, SAMPLE, column_of, tables, texts

from sepcalc.core.table import Column, Row, Table
from sepcalc.render import cells
from sepcalc.render.formats import render_tables

WIDE = """\
64 → 128, 3×3
Variant              Params  Params reduction         MACs  Output      Traffic
───────────────────────────────────────────────────────────────────────────────
standard             73,728             1.00×  73,728·D_F²   56×40  2,703,360 B
depthwise-separable   8,768             8.41×   8,768·D_F²   56×40  3,245,678 B
  depthwise 3×3         576                 —     576·D_F²       —    123,456 B
───────────────────────────────────────────────────────────────────────────────
sum                  83,072                 —            —       —  6,072,494 B

MACs of the convolution alone.
mid 64; saves while mid < 128
uncounted: x (Y)
"""

FOLDED_HEADING = """\
64 → 128, 3×3
                                Params
Variant              Params  reduction         MACs  Output      Traffic
────────────────────────────────────────────────────────────────────────
standard             73,728      1.00×  73,728·D_F²   56×40  2,703,360 B
"""

WITHOUT_RANKS_1_AND_2 = """\
64 → 128, 3×3
Variant              Params         MACs
────────────────────────────────────────
standard             73,728  73,728·D_F²
depthwise-separable   8,768   8,768·D_F²
  depthwise 3×3         576     576·D_F²
────────────────────────────────────────
sum                  83,072            —

MACs of the convolution alone.
mid 64; saves while mid < 128
uncounted: x (Y)
hidden at 40 characters:
  params_reduction, out_size,
  traffic_bytes; a wider terminal or
  --columns shows them
"""

FOLDED_LABEL = """\
64 → 128, 3×3
Variant     Params         MACs
───────────────────────────────
standard    73,728  73,728·D_F²
depthwise-   8,768   8,768·D_F²
separable
  depthwis     576     576·D_F²
  e 3×3
───────────────────────────────
sum         83,072            —

MACs of the convolution
  alone.
"""


def test_natural_width():
    """Without a width a table is as wide as it needs to be, parts indented, sums under a rule."""
    assert render_tables([SAMPLE], "terminal") == WIDE


def test_wide_enough():
    """A terminal of just that width shows the same."""
    assert render_tables([SAMPLE], "terminal", width=79) == WIDE


def test_headings_fold_first():
    """One character less, and headings fold while every column stays."""
    assert render_tables([SAMPLE], "terminal", width=78).startswith(FOLDED_HEADING)
    assert render_tables([SAMPLE], "terminal", width=72).startswith(FOLDED_HEADING)


@pytest.mark.parametrize(
    ("width", "hidden"),
    [
        (72, ""),
        (62, "traffic_bytes"),
        (48, "out_size, traffic_bytes"),
        (41, "params_reduction, out_size, traffic_bytes"),
        (20, "params_reduction, out_size, traffic_bytes"),
    ],
)
def test_columns_go_by_rank(width, hidden):
    """The highest rank goes first, then texts fold, then ranks 2 and 1 go, those of rank 0 never; a note names them."""
    shown = " ".join(render_tables([SAMPLE], "terminal", width=width).split())
    assert re.findall(r"hidden at \d+ characters: (.*);", shown) == [hidden] * bool(hidden)


def test_narrow():
    """With rank 0 alone a table fits 40 characters, and its remarks fold with an indent."""
    assert render_tables([SAMPLE], "terminal", width=40) == WITHOUT_RANKS_1_AND_2


def test_too_narrow():
    """Where rank 0 is too wide the names fold at their joints, parts with their indent, and numbers never."""
    assert render_tables([SAMPLE], "terminal", width=26).startswith(FOLDED_LABEL)


WITH_INTERVALS = """\
64 → 128, 3×3
Variant                    Median (ms)  Min (ms)            Speed-up   MAC/s
────────────────────────────────────────────────────────────────────────────
standard             4.22 [4.18, 4.26]      4.17               1.00×  45.2 G
depthwise-separable  1.23 [1.22, 1.25]      1.21  3.42× [3.38, 3.47]  18.3 G
grouped                              —         —          unreliable       —

"""


@pytest.mark.parametrize(
    ("width", "hidden"),
    [
        (77, ""),
        (69, "macs_per_s"),
        (60, "minimum_s, macs_per_s"),
        (50, "minimum_s, macs_per_s, the interval of median_s"),
        (39, "minimum_s, macs_per_s, the interval of median_s, the interval of speedup"),
        (30, "minimum_s, macs_per_s, the interval of median_s, the interval of speedup"),
        (20, "median_s, minimum_s, speedup, macs_per_s"),
    ],
)
def test_intervals_go_before_what_is_worth_folding_for(width, hidden):
    """After columns of rank 3 and more, and before names fold or others go, intervals go, and a note says so."""
    assert render_tables([MEASURED], "terminal") == WITH_INTERVALS
    shown = " ".join(render_tables([MEASURED], "terminal", width=width).split())
    assert re.findall(r"hidden at \d+ characters: (.*);", shown) == [hidden] * bool(hidden)


def test_intervals_that_are_asked_for_stay():
    """A column that was asked for keeps its interval."""
    assert "3.42× [3.38, 3.47]" in render_tables(
        [MEASURED.select(["variant", "speedup"]).pinned()], "terminal", width=30
    )


def test_long_names_leave_room():
    """Names longer than half the terminal fold before any column goes."""
    columns = (Column(key="name", title="Name"), Column(key="n", title="N", kind="count", rank=3))
    table = Table(
        name="t", title="", columns=columns, rows=(Row(cells=("stage1.block2.conv3.depthwise.weight", 1_234)),)
    )
    assert render_tables([table], "terminal", width=30) == (
        "Name                         N\n"
        "──────────────────────────────\n"
        "stage1.block2.conv3.     1,234\n"
        "depthwise.weight\n\n"
    )


def test_names_of_rows_stay():
    """The column that names the rows stays whatever its rank."""
    columns = (Column(key="n", title="N", kind="count"), Column(key="name", title="Name", rank=9))
    table = Table(name="t", title="", columns=columns, rows=(Row(cells=(10**12, "conv")),))
    assert "conv" in render_tables([table], "terminal", width=10)


def test_two_tables():
    """Two tables stand one after the other with an empty line between, and the rule that they share at the end."""
    own = WIDE.replace(f"{SAMPLE.caption}\n", "")
    assert render_tables([SAMPLE, SAMPLE], "terminal") == f"{own}\n{own}\n{SAMPLE.caption}\n"


def test_nothing_below_a_table():
    """A table whose rules all stand at the end is followed by one empty line."""
    bare = replace(SAMPLE, notes=())
    picture, _ = WIDE.split(SAMPLE.caption)
    assert render_tables([bare, SAMPLE], "terminal").startswith(f"{picture}{picture.splitlines()[0]}\n")


def test_empty():
    """A table without rows is its heading."""
    assert render_tables([replace(column_of(), title="")], "terminal") == "Name\n────\n\n"


def test_text_is_no_markup():
    """Rich's markup in a name, a heading, a title and a note is text."""
    table = Table(
        name="t",
        title="[bold]title",
        columns=(Column(key="a", title="[red]head"),),
        rows=(Row(cells=("[red]x[/]",)), Row(cells=(":smile: [link=x]y",))),
        notes=("[/] [blink]",),
    )
    for color in (False, True):
        shown = render_tables([table], "terminal", color=color)
        for text in ("[bold]title", "[red]head", "[red]x[/]", ":smile: [link=x]y", "[/] [blink]"):
            assert text in shown


def test_control_characters_do_not_reach_the_terminal():
    """Escape codes and line ends in a name are shown, not obeyed."""
    shown = render_tables([replace(column_of("a\x1b[31mb\nc\x9b2J"), title="t\x1b]0;x\x07")], "terminal")
    assert r"a\x1b[31mb\nc\x9b2J" in shown
    assert r"t\x1b]0;x\x07" in shown
    assert "\x1b" not in shown


def test_wide_characters():
    """Chinese characters take two places each, and numbers stay aligned."""
    columns = (Column(key="a", title="层"), Column(key="b", title="N", kind="count"))
    table = Table(name="t", title="", columns=columns, rows=(Row(cells=("卷积层", 1)), Row(cells=("conv", 22))))
    lines = render_tables([table], "terminal").splitlines()[:4]
    assert {cell_len(line) for line in lines} == {10}


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize(
    "environment", [{"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}, {"COLUMNS": "20", "LINES": "3"}]
)
def test_environment(monkeypatch, color, environment):
    """What is drawn depends on the arguments alone: the caller reads the environment."""
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    wide = column_of("x" * 200)
    expected = render_tables([wide], "terminal", color=color)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert render_tables([wide], "terminal", color=color) == expected


def test_color():
    """Colours are escape codes around the same text, and none without being asked for."""
    colored = render_tables([SAMPLE], "terminal", color=True)
    assert "\x1b[1m64 → 128, 3×3\x1b[0m" in colored
    bare = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in bare.split("\n")] == WIDE.split("\n")


@randomly(60)
@given(tables(), st.none() | st.integers(1, 120))
def test_numbers_are_whole(table, width):
    """At every width every number of every column that is shown stands on one line, and rank 0 is shown."""
    shown = render_tables([table], "terminal", width=width)
    lines = shown.split("\n")
    assert "\x1b" not in shown
    kept = [
        place
        for place, column in enumerate(table.columns)
        if column.kind != "text" and (width is None or not column.rank)
    ]
    for row in table.rows:
        for place in kept:
            number = cells.human(row.cells[place], table.columns[place])
            assert any(re.search(rf"(?<!\S){re.escape(number)}(?!\S)", line) for line in lines)


@randomly(60)
@given(st.lists(texts, min_size=1, max_size=4), st.integers(40, 100))
def test_fits(names, width):
    """Any names, with numbers beside them, fit a terminal of 40 characters or more."""
    columns = (
        Column(key="a", title="A name"),
        Column(key="b", title="Parameters", kind="count"),
        Column(key="c", title="MACs of it", kind="count", rank=1),
    )
    roles = itertools.cycle(("body", "part"))
    rows = tuple(Row(cells=(name * 5, 10**9, 10**12), role=role) for name, role in zip(names, roles, strict=False))
    note = " ".join(names)
    shown = render_tables(
        [Table(name="t", title=note, columns=columns, rows=rows, notes=(note,))], "terminal", width=width
    )
    assert max(map(cell_len, shown.split("\n"))) <= width


def test_indent_of_parts():
    """A folded part keeps its indent on every line and its column's width."""
    columns = (Column(key="a", title="A"), Column(key="b", title="B", kind="count"))
    rows = (Row(cells=("abcdefghijklmnop", 7), role="part"),)
    lines = render_tables([Table(name="t", title="", columns=columns, rows=rows)], "terminal", width=15).splitlines()
    assert lines[2:4] == ["  abcdefghij  7", "  klmnop"]


def test_folded_names_lose_nothing():
    """A folded name, put together again, is the name."""
    name = "encoder.stage_1/block-2.conv depthwise" * 3
    columns = (Column(key="a", title="A"), Column(key="b", title="B", kind="count"))
    table = Table(name="t", title="", columns=columns, rows=(Row(cells=(name, 7)),))
    lines = render_tables([table], "terminal", width=24).split("\n")[2:]
    first, *others = [line for line in lines if line]
    assert first.endswith("7")
    parts = [first[:-1].rstrip(), *others]
    assert "".join(parts).replace(" ", "") == name.replace(" ", "")


def test_names_fold_last():
    """A name stays whole while another text can fold: it is typed again as an argument."""
    columns = (Column(key="name", title="Name"), Column(key="source", title="Source", rank=1))
    rows = (Row(cells=("efficientnet_b0", "Tan 2019, table 1 and what its authors published")),)
    shown = render_tables([Table(name="t", title="", columns=columns, rows=rows)], "terminal", width=30)
    assert shown.splitlines()[2].startswith("efficientnet_b0  Tan 2019,")
