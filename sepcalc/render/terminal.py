"""Tables for the terminal.

Without a width a table is as wide as it needs to be, and nothing is cut. With one, it gives up in this order until it
fits: headings fold, and texts longer than half the terminal; columns of the highest rank go (a note names them);
intervals go; texts fold. Numbers are never folded or cut.

Rich measures and breaks characters that are not ASCII; it draws nothing, since that costs a third of a millisecond for
each row, and its import a seventh of the time of ``sepcalc layer``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from sepcalc.core.table import Column, Row, Table
from sepcalc.render.cells import Look, texts, visible

_GAP = 2
"""Characters between two columns, and those by which parts and second lines are indented."""

_NARROWEST, _LONGEST_REMARK, _READABLE = 10, 60, 80
"""Characters of the narrowest text, of the longest line of one that names no row, and of prose by a narrow table."""

_WORTH_FOLDING = 2
"""Columns up to this rank stay where texts can be folded to make room for them."""

_STYLES = {"body": "", "part": "2", "total": "1"}
"""The escape codes of rows: parts are dim, sums bold."""


class _Grid(NamedTuple):
    """What is shown of a table: ``columns`` with the texts of their ``cells``, each ``widths`` characters wide."""

    columns: tuple[Column, ...]
    cells: Sequence[Sequence[str]]
    widths: Sequence[int]


def draw(tables: Sequence[Table], look: Look) -> str:
    """``tables`` one after the other, each with its title above, its caption and its notes below."""
    *others, last = (_draw(table, look) for table in tables) if tables else [""]
    # A table whose rules all stand at the end has nothing below it but the gap.
    return "\n".join((*(f"{text.rstrip()}\n" for text in others), last))


def _draw(table: Table, look: Look) -> str:
    grid = _fitting(table, look)
    width = max(_total(grid.widths, range(len(grid.widths))), _READABLE)
    width = width if look.width is None else min(width, look.width)
    remarks = (replace(table, columns=grid.columns).legend, *table.notes, _hidden_note(table, grid, look))
    lines = [
        *_paragraph(table.title, "1", width, look),
        *_lines(grid, table.rows, look),
        "",
        *(line for remark in remarks for line in _paragraph(remark, "2", width, look)),
        *(("", *_paragraph(table.common, "2", width, look)) if table.common else ()),
        "",
    ]
    return "\n".join(line.rstrip() for line in lines)


def _styled(text: str, style: str, look: Look) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style and text and look.color else text


def _hidden_note(table: Table, grid: _Grid, look: Look) -> str:
    """What is not there, by name: columns, and intervals of columns that are."""
    shown = {column.key: column for column in grid.columns}
    names = [column.key for column in table.columns if column.key not in shown]
    cut = [column.key for column in table.columns if column.interval and not shown.get(column.key, column).interval]
    names += [f"the interval of {key}" for key in cut]
    hidden = f"hidden at {look.width} characters: {', '.join(names)}"
    return f"{hidden}; a wider terminal or --columns shows them" if names else ""


def _paragraph(text: str, style: str, width: int, look: Look) -> Iterator[str]:
    """The lines of a text, the second and those after it indented."""
    for number, line in enumerate(_fold(visible(text), width - _GAP) if text else ()):
        yield _styled(" " * _GAP * (number > 0) + line, style, look)


def _fitting(table: Table, look: Look) -> _Grid:
    """What fits ``look.width``; before a column that is worth folding for goes, and before names fold, intervals go."""
    grid = _fitted(table, look)
    for column in sorted(table.columns, key=lambda column: column.rank, reverse=True):
        if column.interval and column.rank and not _is_whole(grid, table, look):
            place = table.columns.index(column)
            shortened = replace(column, interval=False)
            table = replace(table, columns=(*table.columns[:place], shortened, *table.columns[place + 1 :]))
            grid = _fitted(table, look)
    return grid


def _is_whole(grid: _Grid, table: Table, look: Look) -> bool:
    """Whether all the columns that are worth folding for are there, with unfolded names."""
    worth = [column for column in table.columns if column.rank <= _WORTH_FOLDING]
    label = grid.columns.index(table.columns[table.label_place])
    fits = look.width is None or _total(grid.widths, range(len(grid.widths))) <= look.width
    unfolded = grid.widths[label] >= max(map(_cells_wide, grid.cells[label]), default=0)
    return fits and unfolded and set(worth) <= set(grid.columns)


def _fitted(table: Table, look: Look) -> _Grid:
    """The columns that fit ``look.width``, always with the one that names the rows.

    The highest rank goes first, of one rank the rightmost.
    """
    columns, cells, label = table.columns, _columns_of_text(table, look), table.label_place
    titles = [visible(column.title) for column in columns]
    needs = [max(map(_cells_wide, column), default=1) for column in cells]
    for place, column in enumerate(columns):
        if not column.is_number and place != label:
            needs[place] = min(needs[place], _LONGEST_REMARK)
    natural = [max(need, _cells_wide(title)) for need, title in zip(needs, titles, strict=True)]
    if look.width is None:
        return _Grid(columns=columns, cells=cells, widths=natural)
    folded = [max([need, *map(_cells_wide, title.split())]) for need, title in zip(needs, titles, strict=True)]
    text = [place for place, column in enumerate(columns) if not column.is_number]
    for place in text:
        folded[place] = min(folded[place], max(look.width // 2, _NARROWEST))
    tightest = [min(width, _NARROWEST) if place in text else width for place, width in enumerate(folded)]
    places = list(range(len(columns)))
    for place in sorted(places, key=lambda place: (columns[place].rank, place), reverse=True):
        least = tightest if columns[place].rank <= _WORTH_FOLDING else folded
        if _total(least, places) > look.width and columns[place].rank and place != label:
            places.remove(place)
    widths = _spread(folded, natural, places, [place for place in text if place in places], label, look.width)
    return _Grid(columns=tuple(columns[p] for p in places), cells=[cells[p] for p in places], widths=widths)


def _columns_of_text(table: Table, look: Look) -> list[list[str]]:
    """The texts of the cells, column by column, those of parts indented."""
    cells = [*map(list, zip(*texts(table, si=look.si), strict=True))] or [[] for _ in table.columns]
    label = cells[table.label_place]
    for place, row in enumerate(table.rows):
        if row.role == "part":
            label[place] = " " * _GAP + label[place]
    return cells


def _spread(
    folded: list[int], natural: list[int], places: list[int], text: list[int], label: int, width: int
) -> list[int]:
    """The widths of ``places``: what is wanting folds the widest text, what is left unfolds texts, then headings."""
    widths = list(folded)
    while text and _total(widths, places) > width:
        # A name is often typed again, so it stays whole while any other text can fold.
        others = [place for place in text if place != label and widths[place] > _NARROWEST]
        widest = max(others or text, key=lambda place: widths[place])
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    left = max(width - _total(widths, places), 0)
    for place in (*text, *places):
        wanted = natural[place] - widths[place]
        more = min(wanted, left) if place in text else wanted
        if more <= left:  # half of what a heading needs would not unfold it
            widths[place] += more
            left -= more
    return [widths[place] for place in places]


def _total(widths: Sequence[int], places: Sequence[int]) -> int:
    return sum(widths[place] for place in places) + _GAP * (len(places) - 1)


def _cells_wide(text: str) -> int:
    """How many characters of a terminal ``text`` takes; a Chinese one takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _lines(grid: _Grid, rows: Sequence[Row], look: Look) -> Iterator[str]:
    """The heading and the rows, with a rule under the heading and between sections."""
    rule = "─" * _total(grid.widths, range(len(grid.widths)))
    titles = [[visible(column.title)] for column in grid.columns]
    yield from _block(grid, titles, ["1"], look, bottom=True)
    for section in _sections(rows):
        yield rule
        cells = [column[section.start : section.stop] for column in grid.cells]
        yield from _block(grid, cells, [_STYLES[rows[place].role] for place in section], look)
    if not rows:
        yield rule


def _sections(rows: Sequence[Row]) -> Iterator[range]:
    """The places of the rows between two rules: sums stand apart from what they add up."""
    start = 0
    for _, group in groupby(rows, key=lambda row: row.role == "total"):
        stop = start + sum(1 for _ in group)
        yield range(start, stop)
        start = stop


def _block(
    grid: _Grid, cells: Sequence[Sequence[str]], styles: Sequence[str], look: Look, *, bottom: bool = False
) -> Iterator[str]:
    """The lines of rows whose ``cells`` are given column by column, every row as tall as its tallest cell."""
    folded = [[_fold_cell(text, width) for text in column] for column, width in zip(cells, grid.widths, strict=True)]
    gaps = [" " * (_GAP - 1)] * (len(cells) - 1) + [""]
    rights = [column.is_number for column in grid.columns]
    for row, style in zip(zip(*folded, strict=True), styles, strict=True):
        height = max(map(len, row))
        shaped = [[""] * (height - len(cell)) + cell if bottom else cell + [""] * (height - len(cell)) for cell in row]
        for line in zip(*shaped, strict=True):
            pads = [" " * (width - _cells_wide(text)) for text, width in zip(line, grid.widths, strict=True)]
            shown = zip(line, rights, pads, gaps, strict=True)
            padded = (pad + text + gap if right else text + pad + gap for text, right, pad, gap in shown)
            yield " ".join(_styled(text, style, look) for text in padded)


def _fold_cell(text: str, width: int) -> list[str]:
    """A cell in lines of at most ``width``, also broken after the joints of a name, with its indent on each."""
    if _cells_wide(text) <= width:
        return [text]
    indent = " " * (len(text) - len(text.lstrip(" ")))
    return [indent + line for line in _fold(text.lstrip(" "), width - len(indent), joints=" -./_")]


def _fold(text: str, width: int, joints: str = " ") -> list[str]:
    """``text`` in lines of at most ``width``, broken after ``joints`` where it can be."""
    from re import escape, findall

    width = max(width, 1)
    lines = [""]
    for piece in findall(f"[^{escape(joints)}]*[{escape(joints)}]|.+$", text):
        if _cells_wide(lines[-1] + piece.rstrip(" ")) <= width:
            lines[-1] += piece
        else:
            lines += _chopped(piece.rstrip(" "), width)
            lines[-1] += " " * (len(piece) - len(piece.rstrip(" ")))
    return [line.rstrip(" ") for line in lines if line.strip(" ")] or [""]


def _chopped(piece: str, width: int) -> list[str]:
    if _cells_wide(piece) <= width:
        return [piece]
    from rich.cells import chop_cells

    return chop_cells(piece, width)
