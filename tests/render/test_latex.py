"""Tables for LaTeX."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from strategies import randomly
from tables import SAMPLE, column_of, tables

from sepcalc.core.table import Column, Row, Table
from sepcalc.render.cells import Look
from sepcalc.render.formats import render_tables
from sepcalc.render.latex import fitted

LATEX = r"""% needs \usepackage{booktabs}

\begin{table*}[htbp]
\centering
\caption[64 $\rightarrow$ 128, 3$\times$3]{64 $\rightarrow$ 128, 3$\times$3. MACs of the convolution alone.}
\label{tab:layer}
\medskip
\begin{tabular}{@{}lrrr@{}}
\toprule
Variant & Params & Params reduction & MACs \\
\midrule
standard & 73,728 & 1.00$\times$ & 73,728$\cdot D_F^{2}$ \\
depthwise-separable & 8,768 & 8.41$\times$ & 8,768$\cdot D_F^{2}$ \\
\quad depthwise 3$\times$3 & 576 & --- & 576$\cdot D_F^{2}$ \\
\midrule
sum & 83,072 & --- & --- \\
\bottomrule
\end{tabular}
\par\smallskip\noindent
\begin{minipage}{\linewidth}\footnotesize\raggedright
mid 64; saves while mid $<$ 128

uncounted: x (Y)
\end{minipage}
\end{table*}
"""

LONG = r"""% needs \usepackage{booktabs,longtable}

\begingroup
\makeatletter\let\sepcalcend\relax
\if@twocolumn
\scriptsize\setlength{\tabcolsep}{2pt}%
\par\ifdim\pagegoal=\maxdimen\vspace*{\z@}\fi
\setbox0\vbox\bgroup\@twocolumnfalse\col@number\@ne
\def\sepcalcend{\unskip\unpenalty\unpenalty\egroup\unvbox0 }
\fi\makeatother
\setlength{\LTcapwidth}{\linewidth}
\begin{longtable}{@{}l@{}}
\caption[Names]{Names}
\label{tab:names} \\
\toprule
Name \\
\midrule
\endfirsthead
\toprule
Name \\
\midrule
\endhead
\bottomrule
\endfoot
x \\
x \\
"""


def test_picture():
    """A table is a booktabs table with the rule of counting in its caption and its notes below."""
    table = SAMPLE.select([column.key for column in SAMPLE.columns if column.key not in ("out_size", "traffic_bytes")])
    assert render_tables([table], "latex") == LATEX


def test_two_tables():
    """Packages are named once, for all tables, and the rule that they share stands once, below the last."""
    table = SAMPLE.select([column.key for column in SAMPLE.columns if column.key not in ("out_size", "traffic_bytes")])
    head, body = LATEX.split("\n\n", 1)
    body = body.replace(f". {SAMPLE.caption}", "")
    last = body.replace("\n\\end{minipage}", f"\n\n{SAMPLE.caption}\n\\end{{minipage}}")
    assert render_tables([table, table], "latex") == f"{head}\n\n{body}\n{last}"


def test_nothing():
    """No tables are no text."""
    assert render_tables([], "latex") == ""


def test_long():
    """More rows than a page holds become a longtable, which repeats its heading."""
    shown = render_tables([column_of(*["x"] * 37)], "latex")
    assert shown.startswith(LONG)
    assert shown.endswith("x \\\\\n\\end{longtable}\\sepcalcend\n\\endgroup\n")
    assert "longtable" not in render_tables([column_of(*["x"] * 36)], "latex")


def wide(columns):
    """A table of that many columns of nine digits each, under headings of two words."""
    heads = tuple(Column(key=f"k{place}", title="reduction factor", kind="count") for place in range(columns))
    return Table(name="t", title="T", columns=heads, rows=(Row(cells=(1_234_567,) * columns),))


@pytest.mark.parametrize(
    ("columns", "commands"),
    [
        (3, []),
        (4, ["fold"]),
        (6, ["fold"]),
        (7, ["\\footnotesize", "fold"]),
        (12, ["\\scriptsize\\setlength", "\\makebox", "fold"]),
    ],
)
def test_wide(columns, commands):
    """A table too wide for the line folds its headings, then takes smaller type, then the margins."""
    shown = render_tables([wide(columns)], "latex")
    fold = r"\begin{tabular}[b]{@{}r@{}}reduction \\ factor\end{tabular}"
    signs = {
        "\\footnotesize\n": "\\footnotesize",
        "\\scriptsize\\setlength": "\\scriptsize\\setlength",
        "\\makebox": "\\makebox",
        fold: "fold",
    }
    assert [name for sign, name in signs.items() if sign in shown] == commands


@pytest.mark.parametrize(("columns", "rows", "sign"), [
    (2, 1, "\\begin{table}[htbp]"),
    (4, 1, "\\begin{table*}[htbp]"),
    (3, 40, "\\unvbox0"),
    (6, 40, "\\onecolumn"),
])  # fmt: skip
def test_two_columns(columns, rows, sign):
    """In a paper of two columns a wide table stands across both; a long one flows, or has pages of one column."""
    shown = render_tables([replace(wide(columns), rows=wide(columns).rows * rows)], "latex")
    signs = ("\\begin{table}[htbp]", "\\begin{table*}[htbp]", "\\unvbox0", "\\onecolumn")
    assert [each for each in signs if each in shown] == [sign]


def test_fitted():
    """Columns of the highest ranks go until the table fits the line, of equal ones the last; those of rank 0 stay."""
    ranks = (0, 1, 2, 2, 0, 0, 0, 0, 0)
    table = wide(len(ranks))
    heads = tuple(replace(column, rank=rank) for column, rank in zip(table.columns, ranks, strict=True))
    left = fitted(replace(table, columns=heads), Look())
    assert [column.key for column in left.columns] == [f"k{place}" for place in (0, 1, 2, 4, 5, 6, 7, 8)]
    assert fitted(wide(12), Look()) == wide(12)


def test_texts_share_the_room():
    """Where one text folded is not enough, others fold too; none gets more than it needs, and names fold last."""
    columns = tuple(Column(key=key, title=key) for key in ("source", "rule", "note"))
    row = Row(cells=("a name of some words here", "a rule of several words that is long", SENTENCE))
    numbers = tuple(Column(key=f"n{place}", title="Count", kind="count") for place in range(2))
    table = Table(
        name="t", title="T", columns=columns + numbers, rows=(replace(row, cells=(*row.cells, 10**9, 10**9)),)
    )
    shown = render_tables([table], "latex")
    assert re.findall(r"\\parbox\[t\]\{(\d+)pt\}\{\\raggedright (\w+ \w+)", shown) == [
        ("72", "a name"),
        ("72", "a rule"),
        ("72", "counts the"),
    ]


SENTENCE = "counts the moving statistics of batch norm as parameters, which nobody trains"


def noted(digits):
    """A table of sources of that many characters, with a long note on the second of them."""
    columns = (Column(key="source", title="Source"), Column(key="note", title="Note"))
    return Table(name="t", title="T", columns=columns, rows=tuple(Row(cells=("s" * digits, n)) for n in ("", SENTENCE)))


@pytest.mark.parametrize(
    ("digits", "size", "points"),
    [
        (30, "", 183),
        (38, "\\small\n", 156),
        (60, "\\scriptsize\\setlength{\\tabcolsep}{3pt}\n", 99),
    ],
)
def test_a_sentence_folds(digits, size, points):
    """Where the smallest type is too wide, a column of sentences folds, in the largest type that leaves it room."""
    shown = render_tables([noted(digits)], "latex")
    assert rf"& \parbox[t]{{{points}pt}}{{\raggedright {SENTENCE}\strut}} \\" in shown
    assert f"\n{'s' * digits} &  \\\\\n" in shown
    assert f"\\medskip\n{size}\\begin{{tabular}}" in shown
    assert r"\makebox" not in shown


def test_an_address_breaks():
    """A long word breaks behind a slash, in a sentence that folds and nowhere else."""
    address = f"doi:10.1109/{'1' * 30} and so on"
    columns = (Column(key="source", title="Source"), Column(key="note", title="Note"))
    rows = (Row(cells=("a/b" + "s" * 57, address)),)
    shown = render_tables([Table(name="t", title="T", columns=columns, rows=rows)], "latex")
    assert f"doi:10.1109/\\allowbreak{{}}{'1' * 30} and so on" in shown
    assert shown.count("allowbreak") == 1


def test_a_sentence_without_room():
    """Where nothing leaves room for the sentence, the table hangs over the margins."""
    shown = render_tables([noted(80)], "latex")
    assert r"\makebox" in shown
    assert r"\parbox" not in shown


def test_folded_lines_count():
    """A table is long by the lines that it takes, not by its rows."""
    table = noted(38)
    assert r"\begin{longtable}" not in render_tables([replace(table, rows=table.rows[1:] * 10)], "latex")
    assert r"\begin{longtable}" in render_tables([replace(table, rows=table.rows[1:] * 30)], "latex")


def test_label():
    """A label holds letters, digits and dashes alone."""
    assert "\\label{tab:my-net-v2}\n" in render_tables([replace(SAMPLE, name="my_net v2%")], "latex")


def test_caption_is_a_sentence():
    """A title that ends in a full stop gets no second one."""
    shown = render_tables([replace(column_of(), title="Names.", caption="A rule.")], "latex")
    assert "\\caption[Names]{Names. A rule.}\n" in shown


@randomly(60)
@given(tables())
def test_structure(table):
    """Whatever the cells hold, every row has as many cells as there are columns, and environments close."""
    shown = render_tables([table], "latex")
    body = shown.split("\\midrule\n", 1)[1].split("\\bottomrule")[0]
    lines = [line for line in body.splitlines() if line != "\\midrule"]
    assert len(lines) == len(table.rows)
    for line in lines:
        assert line.endswith(" \\\\")
        assert len(re.findall(r"(?<!\\)&", line)) == len(table.columns) - 1
    assert sorted(re.findall(r"\\begin\{(\w+)\}", shown)) == sorted(re.findall(r"\\end\{(\w+)\}", shown))
    assert shown.isascii()
