"""Tables for the terminal.

Without a width a table is as wide as it needs. To fit one, in this order: headings fold, and texts longer than half
the terminal; columns of the highest rank go (a note names them); intervals go; texts fold. Numbers never fold.

Rich measures and breaks characters that are not ASCII. It draws nothing: its import takes a seventh of the time of
``sepcalc layer``, and each row a third of a millisecond.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sepcalc.core.table import Column, Row, Table
from sepcalc.render.cells import Look, begins_section, texts, visible

_GAP = 2
"""Characters between two columns, and of the indent of parts and second lines."""

_NARROWEST, _LONGEST_REMARK, _READABLE = 10, 60, 80
"""Characters of the narrowest text, of the widest unless it names the rows, and of prose by a narrow table."""

_WORTH_FOLDING = 2
"""Columns up to this rank stay if folding texts makes room for them."""

_STYLES = {"body": "", "part": "2", "total": "1"}
"""The escape codes of rows: parts are dim, sums bold."""


class _Grid(NamedTuple):
    """The ``columns`` of a table that are shown, the texts of their ``cells``, and their ``widths`` in characters."""

    columns: Sequence[Column]
    cells: Sequence[Sequence[str]]
    widths: Sequence[int]

    @property
    def width(self) -> int:
        """The characters of a line."""
        return _total(self.widths)


def draw(tables: Sequence[Table], look: Look) -> str:
    """``tables`` one after the other, each with its title above, its caption and its notes below."""
    *others, last = (_draw(table, look) for table in tables) if tables else [""]
    # A table with nothing below it ends in two empty lines, of which one is enough between tables.
    return "\n".join((*(f"{text.rstrip()}\n" for text in others), last))


def _draw(table: Table, look: Look) -> str:
    grid = _fitting(table, look)
    width = max(grid.width, _READABLE)
    width = width if look.width is None else min(width, look.width)
    legend = replace(table, columns=tuple(grid.columns)).legend
    lines = [*_paragraph(table.title, "1", width, look), *_lines(grid, table.rows, look), ""]
    for remark in (legend, *table.notes, _hidden_note(table, grid, look)):
        lines += _paragraph(remark, "2", width, look)
    lines += ["", *_paragraph(table.common, "2", width, look), ""] if table.common else [""]
    return "\n".join(line.rstrip() for line in lines)


def _styled(text: str, style: str, look: Look) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style and text and look.color else text


def _hidden_note(table: Table, grid: _Grid, look: Look) -> str:
    """The names of hidden columns and of columns without their intervals; empty if all are there."""
    shown = {column.key: column for column in grid.columns}
    names = [column.key for column in table.columns if column.key not in shown]
    cut = [column.key for column in table.columns if column.interval and not shown.get(column.key, column).interval]
    names += [f"the interval of {key}" for key in cut]
    hidden = f"hidden at {look.width} characters: {', '.join(names)}"
    return f"{hidden}; a wider terminal or --columns shows them" if names else ""


def _paragraph(text: str, style: str, width: int, look: Look) -> Iterator[str]:
    """The lines of a text, all but the first indented."""
    for number, line in enumerate(_fold(visible(text), width - _GAP) if text else ()):
        yield _styled(" " * _GAP * (number > 0) + line, style, look)


def _fitting(table: Table, look: Look) -> _Grid:
    """The part of ``table`` that fits ``look.width``.

    Intervals go before a column that is worth folding for, and before names fold.
    """
    grid = _fitted(table, look)
    for column in sorted(table.columns, key=lambda column: column.rank, reverse=True):
        if column.interval and column.rank and not _is_whole(grid, table, look):
            columns = (replace(other, interval=False) if other == column else other for other in table.columns)
            table = replace(table, columns=tuple(columns))
            grid = _fitted(table, look)
    return grid


def _is_whole(grid: _Grid, table: Table, look: Look) -> bool:
    """Whether all the columns that are worth folding for are there, with unfolded names."""
    worth = {column for column in table.columns if column.rank <= _WORTH_FOLDING}
    label = grid.columns.index(table.columns[table.label_place])
    fits = look.width is None or grid.width <= look.width
    unfolded = grid.widths[label] >= max(map(_cells_wide, grid.cells[label]), default=0)
    return fits and unfolded and worth <= set(grid.columns)


def _fitted(table: Table, look: Look) -> _Grid:
    """The columns that fit ``look.width``, always with the one that names the rows.

    The highest rank goes first, of one rank the rightmost.
    """
    columns, cells, label = table.columns, _columns_of_text(table, look), table.label_place
    titles = [visible(column.title) for column in columns]
    text = [place for place, column in enumerate(columns) if not column.is_number]
    needs = [max(map(_cells_wide, column), default=1) for column in cells]
    for place in text:
        needs[place] = needs[place] if place == label else min(needs[place], _LONGEST_REMARK)
    natural = [max(need, _cells_wide(title)) for need, title in zip(needs, titles, strict=True)]
    if look.width is None:
        return _Grid(columns, cells, natural)
    folded = [max([need, *map(_cells_wide, title.split())]) for need, title in zip(needs, titles, strict=True)]
    for place in text:
        folded[place] = min(folded[place], max(look.width // 2, _NARROWEST))
    tightest = [min(width, _NARROWEST) if place in text else width for place, width in enumerate(folded)]
    places = list(range(len(columns)))
    for place in sorted(places, key=lambda place: (columns[place].rank, place), reverse=True):
        least = tightest if columns[place].rank <= _WORTH_FOLDING else folded
        if _total([least[p] for p in places]) > look.width and columns[place].rank and place != label:
            places.remove(place)
    text = [place for place in text if place in places]
    widths = _spread({place: folded[place] for place in places}, natural, text, label, look.width)
    return _Grid([columns[p] for p in places], [cells[p] for p in places], widths)


def _columns_of_text(table: Table, look: Look) -> list[list[str]]:
    """The texts of the cells, column by column; parts are indented."""
    cells = [*map(list, zip(*texts(table, si=look.si), strict=True))] or [[] for _ in table.columns]
    label = cells[table.label_place]
    for place, row in enumerate(table.rows):
        if row.role == "part":
            label[place] = " " * _GAP + label[place]
    return cells


def _spread(folded: Mapping[int, int], natural: Sequence[int], text: list[int], label: int, width: int) -> list[int]:
    """The widths of columns in a line of ``width``: the widest texts fold to fit; where there is room, columns unfold.

    Texts unfold before headings. ``text`` are the places of columns of texts.
    """
    widths = dict(folded)
    while text and _total(widths.values()) > width:
        # A name is often typed again, so it stays whole while any other text can fold.
        others = [place for place in text if place != label and widths[place] > _NARROWEST]
        widest = max(others or text, key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            break
        widths[widest] -= 1
    left = max(width - _total(widths.values()), 0)
    for place in (*text, *widths):
        wanted = natural[place] - widths[place]
        more = min(wanted, left) if place in text else wanted
        if more <= left:  # a heading unfolds as a whole or not at all
            widths[place] += more
            left -= more
    return list(widths.values())


def _total(widths: Collection[int]) -> int:
    """The characters of a line of columns."""
    return sum(widths) + _GAP * (len(widths) - 1)


def _cells_wide(text: str) -> int:
    """How many characters of a terminal ``text`` takes; a Chinese one takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _lines(grid: _Grid, rows: Sequence[Row], look: Look) -> Iterator[str]:
    """The heading and the rows, with a rule under the heading, and between sums and other rows."""
    rule = "─" * grid.width
    yield from _row(grid, [visible(column.title) for column in grid.columns], "1", look, bottom=True)
    yield rule
    for place, (row, cells) in enumerate(zip(rows, zip(*grid.cells, strict=True), strict=True)):
        if begins_section(rows, place):
            yield rule
        yield from _row(grid, cells, _STYLES[row.role], look)


def _row(grid: _Grid, cells: Sequence[str], style: str, look: Look, *, bottom: bool = False) -> Iterator[str]:
    """The lines of one row, as many as its tallest cell has; other cells stand at its top or ``bottom``."""
    folded = [_fold_cell(text, width) for text, width in zip(cells, grid.widths, strict=True)]
    height = max(map(len, folded))
    shaped = [[""] * (height - len(cell)) + cell if bottom else cell + [""] * (height - len(cell)) for cell in folded]
    gap = " " * (_GAP - 1)
    for line in zip(*shaped, strict=True):
        pads = [" " * (width - _cells_wide(text)) for text, width in zip(line, grid.widths, strict=True)]
        padded = zip(grid.columns, line, pads, strict=True)
        *others, last = (pad + text if column.is_number else text + pad for column, text, pad in padded)
        yield " ".join([*(_styled(text + gap, style, look) for text in others), _styled(last, style, look)])


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
