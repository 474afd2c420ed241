r"""Tables for LaTeX: ``booktabs`` in a ``table``, or a ``longtable`` where one page is not enough.

What is printed compiles with pdflatex and these two packages alone. A table too wide for the line of
an article folds its headings, takes smaller type, folds its longest text, and at last hangs over both margins alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sepcalc.cells import LONGEST_WORDS, Look, is_number, label_place, texts
from sepcalc.table import Row, Table
from sepcalc.tex import escape

_LONG = 36
"""More rows than this, with caption and notes, do not fit a page of an article."""

_LINE = 69
"""Digits in a line of an article at 10 pt: 345 pt at 5 pt each."""

_GAP = 2.4
"""Digits between two columns: twice LaTeX's \\tabcolsep of 6 pt."""

_DIGIT = 5
"""Points that a digit is wide at 10 pt."""

_ROOM, _LEAST_ROOM = 32, 16
"""Digits of room for a text that is folded: enough to read with ease, and in the smallest type at least to read."""

_SIZES = ((1.0, ""), (0.93, r"\small"), (0.85, r"\footnotesize"), (0.8, r"\scriptsize"))
"""Sizes of type, by the width of Computer Modern's digits; a table takes the largest in which it fits the line."""

_TIGHT = rf"{_SIZES[-1][1]}\setlength{{\tabcolsep}}{{3pt}}"
"""The smallest type, with half the gap between columns."""


def draw(tables: Sequence[Table], look: Look) -> str:
    """``tables`` one after the other, under a comment that names the packages."""
    drawn = [(_long if _lines(table, look) > _LONG else _short)(table, look) for table in tables]
    packages = "{booktabs,longtable}" if any(r"\begin{longtable}" in each for each in drawn) else "{booktabs}"
    return "\n".join((f"% needs \\usepackage{packages}\n", *drawn)) if tables else ""


def _lines(table: Table, look: Look) -> int:
    """How many lines the rows take, with the texts that fold."""
    shape = _shape(table, look)
    if shape.text is None:
        return len(table.rows)
    return sum(1 + len(row[shape.text]) // shape.room for row in texts(table, si=look.si))


def _short(table: Table, look: Look) -> str:
    shape = _shape(table, look)
    head, *body = _grid(table, look, shape)
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
    head, *body = _grid(table, look, shape)
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
    """How a table is made to fit the line: the ``size`` of its type, and whether its headings ``fold``.

    ``text`` is the place of a column whose texts fold to a width of ``points``, or ``room`` digits.
    """

    size: str = ""
    fold: bool = False
    too_wide: bool = False
    text: int | None = None
    points: int = 0
    room: int = 0


def _shape(table: Table, look: Look) -> _Shape:
    """The first in which the table is estimated to fit: as it is, headings folded, smaller type, a text folded."""
    needs = [max(map(len, column), default=0) for column in zip(*texts(table, si=look.si), strict=True)]
    titles = [column.title for column in table.columns]
    gaps = len(titles) - 1
    if sum(map(max, needs, map(len, titles))) + _GAP * gaps <= _LINE:
        return _Shape()
    widths = [max([need, *map(len, title.split())]) for need, title in zip(needs, titles, strict=True)]
    digits = sum(widths)
    for part, size in _SIZES:
        if part * digits + _GAP * gaps <= _LINE:
            return _Shape(size=size, fold=True)
    folded = _folded(widths, _longest_text(table, widths))
    return folded or _Shape(size=_TIGHT, fold=True, too_wide=_SIZES[-1][0] * digits + _GAP / 2 * gaps > _LINE)


def _folded(widths: Sequence[int], text: int | None) -> _Shape | None:
    """The largest type in which a column of texts has room beside the others; None where it has none in any."""
    if text is None:
        return None
    gaps, others = len(widths) - 1, sum(widths) - widths[text]
    shapes = [*((part, size, _GAP, _ROOM) for part, size in _SIZES), (_SIZES[-1][0], _TIGHT, _GAP / 2, _LEAST_ROOM)]
    for part, size, gap, least in shapes:
        points = _DIGIT * (_LINE - gap * gaps - part * others)
        if points >= part * _DIGIT * least:
            return _Shape(size=size, fold=True, text=text, points=round(points), room=int(points / part / _DIGIT))
    return None


def _longest_text(table: Table, widths: Sequence[int]) -> int | None:
    """The place of the widest column of sentences but for the one that names the rows; None where there is none."""
    label = label_place(table)
    places = [
        place
        for place, column in enumerate(table.columns)
        if place != label and not is_number(column) and widths[place] > LONGEST_WORDS
    ]
    return max(places, key=lambda place: widths[place], default=None)


def _grid(table: Table, look: Look, shape: _Shape) -> Iterator[str]:
    """The heading, then each row, as lines of a ``tabular``; sums stand under a rule."""
    cells = texts(table, si=look.si)
    yield _line(_headings(table, cells) if shape.fold else [escape(column.title) for column in table.columns])
    label = label_place(table)
    previous: Row | None = None
    for row, line in zip(table.rows, cells, strict=True):
        if previous and (row.role == "total") != (previous.role == "total"):
            yield r"\midrule"
        escaped = [*map(escape, line)]
        if row.role == "part":
            escaped[label] = rf"\quad {escaped[label]}"
        if shape.text is not None and len(line[shape.text]) > shape.room:
            # An address is one long word: it may break where it has a slash.
            sentence = escaped[shape.text].replace("/", r"/\allowbreak{}")
            escaped[shape.text] = rf"\parbox[t]{{{shape.points}pt}}{{\raggedright {sentence}\strut}}"
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
