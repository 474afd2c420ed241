r"""Tables for LaTeX: ``booktabs`` in a ``table``, or a ``longtable`` where one page is not enough.

What is printed compiles with pdflatex and these two packages alone. A table too wide for the line of
an article folds its headings, takes smaller type, and at last hangs over both margins alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sepcalc.cells import Look, is_number, label_place, texts
from sepcalc.table import Row, Table
from sepcalc.tex import escape

_LONG = 36
"""More rows than this, with caption and notes, do not fit a page of an article."""

_LINE = 69
"""Digits in a line of an article at 10 pt: 345 pt at 5 pt each."""

_GAP = 2.4
"""Digits between two columns: twice LaTeX's \\tabcolsep of 6 pt."""

_SIZES = ((1.0, ""), (0.93, r"\small"), (0.85, r"\footnotesize"), (0.8, r"\scriptsize"))
"""Sizes of type, by the width of Computer Modern's digits; a table takes the largest in which it fits the line."""


def draw(tables: Sequence[Table], look: Look) -> str:
    """``tables`` one after the other, under a comment that names the packages."""
    packages = "{booktabs,longtable}" if any(len(table.rows) > _LONG for table in tables) else "{booktabs}"
    drawn = (_long(table, look) if len(table.rows) > _LONG else _short(table, look) for table in tables)
    return "\n".join((f"% needs \\usepackage{packages}\n", *drawn)) if tables else ""


def _short(table: Table, look: Look) -> str:
    shape = _shape(table, look)
    head, *body = _grid(table, look, fold=shape.fold)
    # A table wider than the line hangs over both margins alike.
    wide = (r"\makebox[\linewidth]{%", "}") if shape.too_wide else ("", "")
    lines = (
        r"\begin{table}[htbp]",
        r"\centering",
        _caption(table),
        _label(table),
        r"\medskip",
        shape.size,
        wide[0],
        rf"\begin{{tabular}}{{{_columns(table)}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        rf"\end{{tabular}}{wide[1]}",
        *_notes(table),
        r"\end{table}",
    )
    return "\n".join(filter(None, lines)) + "\n"


def _long(table: Table, look: Look) -> str:
    shape = _shape(table, look)
    head, *body = _grid(table, look, fold=shape.fold)
    lines = (
        r"\begingroup",
        shape.size,
        rf"\begin{{longtable}}{{{_columns(table)}}}",
        _caption(table),
        rf"{_label(table)} \\",
        r"\toprule",
        head,
        r"\midrule",
        r"\endfirsthead",
        r"\toprule",
        head,
        r"\midrule",
        r"\endhead",
        r"\bottomrule",
        r"\endfoot",
        *body,
        r"\end{longtable}",
        *_notes(table),
        r"\endgroup",
    )
    return "\n".join(filter(None, lines)) + "\n"


def _caption(table: Table) -> str:
    """Title and rule of counting; the list of tables gets the title alone."""
    title = escape(table.title.rstrip("."))
    return rf"\caption[{title}]{{{'. '.join(filter(None, (title, escape(table.legend))))}}}"


def _label(table: Table) -> str:
    return rf"\label{{tab:{re.sub('[^A-Za-z0-9]+', '-', table.name).strip('-')}}}"


def _columns(table: Table) -> str:
    return f"@{{}}{''.join('r' if is_number(column) else 'l' for column in table.columns)}@{{}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How a table is made to fit the line: the ``size`` of its type, and whether its headings ``fold``."""

    size: str = ""
    fold: bool = False
    too_wide: bool = False


def _shape(table: Table, look: Look) -> _Shape:
    """The first of these in which the table is estimated to fit: as it is, headings folded, ever smaller type."""
    needs = [max(map(len, column), default=0) for column in zip(*texts(table, si=look.si), strict=True)]
    titles = [column.title for column in table.columns]
    gaps = len(titles) - 1
    if sum(map(max, needs, map(len, titles))) + _GAP * gaps <= _LINE:
        return _Shape()
    digits = sum(max([need, *map(len, title.split())]) for need, title in zip(needs, titles, strict=True))
    for part, size in _SIZES:
        if part * digits + _GAP * gaps <= _LINE:
            return _Shape(size=size, fold=True)
    size = rf"{_SIZES[-1][1]}\setlength{{\tabcolsep}}{{3pt}}"
    return _Shape(size=size, fold=True, too_wide=_SIZES[-1][0] * digits + _GAP / 2 * gaps > _LINE)


def _grid(table: Table, look: Look, *, fold: bool) -> Iterator[str]:
    """The heading, then each row, as lines of a ``tabular``; sums stand under a rule."""
    cells = texts(table, si=look.si)
    yield _line(_headings(table, cells) if fold else [escape(column.title) for column in table.columns])
    label = label_place(table)
    previous: Row | None = None
    for row, line in zip(table.rows, cells, strict=True):
        if previous and (row.role == "total") != (previous.role == "total"):
            yield r"\midrule"
        escaped = [*map(escape, line)]
        if row.role == "part":
            escaped[label] = rf"\quad {escaped[label]}"
        yield _line(escaped)
        previous = row


def _line(cells: list[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _headings(table: Table, cells: list[list[str]]) -> list[str]:
    """The titles of the columns, each folded to the width of what stands under it."""
    from textwrap import wrap

    headings = []
    for place, column in enumerate(table.columns):
        least = max(map(len, column.title.split()), default=1)
        lines = wrap(column.title, max([least, *(len(row[place]) for row in cells)]))
        folded = r" \\ ".join(map(escape, lines))
        side = "r" if is_number(column) else "l"
        headings.append(
            rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{folded}\end{{tabular}}" if len(lines) > 1 else folded
        )
    return headings


def _notes(table: Table) -> Iterator[str]:
    if table.notes:
        yield r"\par\smallskip\noindent"
        yield r"\begin{minipage}{\linewidth}\footnotesize\raggedright"
        yield "\n\n".join(map(escape, table.notes))
        yield r"\end{minipage}"
