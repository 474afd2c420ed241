r"""Tables for LaTeX: ``booktabs`` in a ``table``, or a ``longtable`` where one page is not enough.

The text compiles with pdflatex and these two packages. A table wider than an article's line folds its headings, takes
smaller type, folds its longest texts, and as a last resort hangs over both margins alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sepcalc.core.table import Column, Table
from sepcalc.render.cells import LONGEST_WORDS, Look, begins_section, texts
from sepcalc.render.latex_text import DIGIT, LINE, SIZES, escape, text_width

_LONG = 36
"""The most rows that fit a page of an article, with caption and notes."""

_GAP = 2.4
"""Digits between two columns: twice LaTeX's \\tabcolsep of 6 pt."""

_NARROW, _LEAST_GAP = 40, 0.8
"""Digits in a line of a two-column article at 10 pt (200 pt), and between the columns of a table there (4 pt)."""

_ROOM, _LEAST_ROOM = 32, 16
"""Digits of room for a folded text: to read with ease, and the least, in the smallest type."""

_TIGHT = rf"{SIZES[-1][0]}\setlength{{\tabcolsep}}{{3pt}}"
"""The smallest type, with half the gap between columns."""


def draw(tables: Sequence[Table], look: Look) -> str:
    """``tables`` one after the other, under a comment that names the packages."""
    drawn = [(long if _lines(table, look) > _LONG else _short)(table, look) for table in tables]
    packages = "{booktabs,longtable}" if any(r"\begin{longtable}" in text for text in drawn) else "{booktabs}"
    return "\n".join((f"% needs \\usepackage{packages}\n", *drawn)) if tables else ""


def fitted(table: Table, look: Look) -> Table:
    """``table`` with only the columns that fit the line: the highest ranks go first, rank 0 stays."""
    if not _shape(table, look).too_wide:
        return table
    last = max(range(len(table.columns)), key=lambda place: (table.columns[place].rank, place))
    keys = [column.key for place, column in enumerate(table.columns) if place != last]
    return fitted(table.select(keys), look) if table.columns[last].rank else table


def _lines(table: Table, look: Look) -> int:
    """How many lines the rows take, with the texts that fold."""
    rooms, cells = _shape(table, look).texts.items(), texts(table, si=look.si)
    return sum(max((1 + int(len(row[place]) / room) for place, room in rooms), default=1) for row in cells)


def _short(table: Table, look: Look) -> str:
    shape = _shape(table, look)
    head, *body = _grid(table, look, shape)
    wide = (r"\makebox[\linewidth]{%", "}") if shape.too_wide else ("", "")
    kind = "table" if shape.width <= _NARROW else "table*"
    lines = (
        *(rf"\begin{{{kind}}}[htbp]", r"\centering", _caption(table), _label(table), r"\medskip", shape.size, wide[0]),
        *(rf"\begin{{tabular}}{{{_columns(table.columns)}}}", r"\toprule", head, r"\midrule"),
        *body,
        *(r"\bottomrule", rf"\end{{tabular}}{wide[1]}", *_notes(table), rf"\end{{{kind}}}"),
    )
    return "\n".join(filter(None, lines)) + "\n"


def long(table: Table, look: Look) -> str:
    """``table`` as a longtable, which stays in its place and breaks across pages."""
    shape = _shape(table, look)
    head, *body = _grid(table, look, shape)
    heading = (r"\toprule", head, r"\midrule")
    lines = (
        *(r"\begingroup", shape.size, _in_two_columns(shape), r"\setlength{\LTcapwidth}{\linewidth}"),
        *(rf"\begin{{longtable}}{{{_columns(table.columns)}}}", _caption(table), rf"{_label(table)} \\"),
        *(*heading, r"\endfirsthead", *heading, r"\endhead", r"\bottomrule", r"\endfoot"),
        *body,
        *(r"\end{longtable}\sepcalcend", *_notes(table), r"\endgroup"),
    )
    return "\n".join(filter(None, lines)) + "\n"


_FLOWS = r"""\scriptsize\setlength{\tabcolsep}{2pt}%
\par\ifdim\pagegoal=\maxdimen\vspace*{\z@}\fi
\setbox0\vbox\bgroup\@twocolumnfalse\col@number\@ne
\def\sepcalcend{\unskip\unpenalty\unpenalty\egroup\unvbox0 }"""
"""A longtable that flows through the columns: set as one box, which is then opened (after D. Carlisle).

The space above one that comes first gives the page a height, which the longtable computes with.
"""


def _in_two_columns(shape: _Shape) -> str:
    """The commands that allow a longtable in a two-column paper, where it is an error by itself."""
    flows = _FLOWS if shape.least <= _NARROW else r"\onecolumn\let\sepcalcend\twocolumn"
    return f"\\makeatletter\\let\\sepcalcend\\relax\n\\if@twocolumn\n{flows}\n\\fi\\makeatother"


def _caption(table: Table) -> str:
    """The title and the rules of the columns; the list of tables gets the title alone."""
    title = escape(table.title.rstrip("."))
    return rf"\caption[{title}]{{{'. '.join(filter(None, (title, escape(table.legend))))}}}"


def _label(table: Table) -> str:
    return rf"\label{{tab:{re.sub('[^A-Za-z0-9]+', '-', table.name).strip('-')}}}"


def _columns(columns: Iterable[Column]) -> str:
    return f"@{{}}{''.join('r' if column.is_number else 'l' for column in columns)}@{{}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A table's fit to the line: its type of ``size``, ``part`` as wide as 10 pt, and whether its headings ``fold``.

    ``texts`` are the places of columns whose texts fold, each with its digits of room. ``width`` is that of the table
    in digits of 10 pt, ``least`` its width in the smallest type with folded headings.
    """

    size: str = ""
    part: float = 1.0
    fold: bool = False
    too_wide: bool = False
    texts: Mapping[int, float] = field(default_factory=dict)
    width: float = 0
    least: float = 0


def _shape(table: Table, look: Look) -> _Shape:
    """The first shape estimated to fit: as it is, with folded headings, in smaller type, with folded texts."""
    titles = [column.title for column in table.columns]
    cells = list(zip(*texts(table, si=look.si), strict=True)) or [()] * len(titles)
    columns = [(*column, *_words(title)) for column, title in zip(cells, titles, strict=True)]
    widths = [max(map(len, column), default=0) for column in columns]
    gaps, (_, smallest, _) = len(titles) - 1, SIZES[-1]
    least = smallest * sum(map(_digits, columns)) + _LEAST_GAP * gaps
    whole = sum(map(max, widths, map(len, titles))) + _GAP * gaps
    if whole <= LINE:
        return _Shape(width=whole, least=least)
    for size, part, _ in SIZES:
        width = part * sum(widths) + _GAP * gaps
        if width <= LINE:
            return _Shape(size=size, part=part, fold=True, width=width, least=least)
    tight = _Shape(size=_TIGHT, part=smallest, fold=True, width=LINE, least=least)
    too_wide = smallest * sum(widths) + _GAP / 2 * gaps > LINE
    folded = _folded(columns, _foldable(table, columns, LONGEST_WORDS))
    if folded or not too_wide:
        return folded or tight
    return _folded(columns, _foldable(table, columns, _LEAST_ROOM)) or replace(tight, too_wide=True)


def _digits(column: Iterable[str]) -> float:
    """The width of a column in digits."""
    return max(map(text_width, column), default=0)


def _folded(columns: Sequence[Sequence[str]], places: Sequence[int]) -> _Shape | None:
    """The shape in which the fewest columns of texts fold, in the largest type with room; None if none has."""
    widths = [max(_digits(column), *map(len, column)) if column else 0 for column in columns]
    sizes = [*((part, size, _GAP, _ROOM) for size, part, _ in SIZES), (SIZES[-1][1], _TIGHT, _GAP / 2, _LEAST_ROOM)]
    for count in range(1, len(places) + 1):
        others = sum(width for place, width in enumerate(widths) if place not in places[:count])
        for part, size, gap, least in sizes:
            room = (LINE - gap * (len(widths) - 1)) / part - others
            if room >= least * count:
                shared = _shared(room, {place: widths[place] for place in places[:count]})
                return _Shape(size=size, part=part, fold=True, texts=shared, width=LINE, least=LINE)
    return None


def _shared(room: float, needs: Mapping[int, float]) -> dict[int, float]:
    """``room`` in equal parts for columns, none of which gets more than it needs."""
    shared: dict[int, float] = {}
    for left, place in zip(range(len(needs), 0, -1), sorted(needs, key=needs.__getitem__), strict=True):
        shared[place] = min(needs[place], room / left)
        room -= shared[place]
    return shared


def _foldable(table: Table, columns: Sequence[Sequence[str]], least: int) -> list[int]:
    """The places of columns with texts longer than ``least``: the widest first, the one that names the rows last."""
    label = table.label_place
    widths = [max(map(len, column), default=0) for column in columns]
    remarks = [place for place, column in enumerate(table.columns) if not column.is_number and place != label]
    if all(widths[place] <= least for place in remarks):
        return []
    places = sorted((place for place in remarks if widths[place] > _LEAST_ROOM), key=lambda place: -widths[place])
    words = (word for name in columns[label] for word in re.split("[ /]", name))
    return [*places, label] if _digits(words) <= _LEAST_ROOM < widths[label] else places


def _words(title: str) -> list[str]:
    """The parts of a heading, which may break at a space and after a hyphen."""
    return re.findall(r"[^\s-]+-?|-", title)


def _grid(table: Table, look: Look, shape: _Shape) -> Iterator[str]:
    """The heading, then each row, as lines of a ``tabular``; sums stand under a rule."""
    cells = texts(table, si=look.si)
    yield _line(_headings(table, cells) if shape.fold else [escape(column.title) for column in table.columns])
    label = table.label_place
    for number, (row, line) in enumerate(zip(table.rows, cells, strict=True)):
        if begins_section(table.rows, number):
            yield r"\midrule"
        escaped = [*map(escape, line)]
        if row.role == "part":
            escaped[label] = rf"\quad {escaped[label]}"
        for place, room in shape.texts.items():
            if len(line[place]) > room:
                # An address is one long word: it may break where it has a slash.
                sentence = escaped[place].replace("/", r"/\allowbreak{}")
                points = round(DIGIT * shape.part * room)
                escaped[place] = rf"\parbox[t]{{{points}pt}}{{\raggedright {sentence}\strut}}"
        yield _line(escaped)


def _line(cells: list[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _headings(table: Table, cells: list[list[str]]) -> list[str]:
    """The titles of the columns, each folded to the width of the texts under it."""
    from textwrap import wrap

    headings = []
    for place, column in enumerate(table.columns):
        width = max([*map(len, _words(column.title)), *(len(row[place]) for row in cells)], default=1)
        first, *others = wrap(column.title, max(width, 1)) or [""]
        folded = r" \\ ".join(map(escape, (first, *others)))
        headings.append(rf"\begin{{tabular}}[b]{{{_columns([column])}}}{folded}\end{{tabular}}" if others else folded)
    return headings


def _notes(table: Table) -> Iterator[str]:
    if lines := [line for line in (*table.notes, table.common) if line]:
        yield r"\par\smallskip\noindent"
        yield r"\begin{minipage}{\linewidth}\footnotesize\raggedright"
        yield "\n\n".join(map(escape, lines))
        yield r"\end{minipage}"
