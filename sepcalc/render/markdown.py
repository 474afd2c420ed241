"""Tables as GitHub's pipe tables (GFM specification, section 4.10), aligned in the source as well.

Text is escaped: no name of a layer opens a link, a code span or a column.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sepcalc.core.table import Row, Table
from sepcalc.render.cells import Look, texts, visible

# An underscore inside a word is no markup in GFM, so D_F and conv_1 stay as they are.
_INLINE = re.compile(r"[\\`*\[\]<>|~$&]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_OPENING = re.compile(r"^(?:(\d+)([.)])|([-+#]))(?=[-#\s]|$)")


def draw(tables: Sequence[Table], look: Look) -> str:
    """``tables`` one after the other, each with its title in bold, its caption and its notes."""
    return "\n".join(fragment(table, look) for table in tables)


def escape(text: str) -> str:
    r"""``text`` as Markdown that shows it unchanged on one line.

    >>> print(escape("a|b *c* conv_1"))
    a\|b \*c\* conv_1
    """
    return _INLINE.sub(r"\\\g<0>", visible(text))


def paragraph(text: str) -> str:
    """``text`` as a paragraph that does not read as a list, a heading or a rule."""
    return _OPENING.sub(r"\1\\\2\3", escape(text).strip())


def fragment(table: Table, look: Look) -> str:
    """``table`` with its title in bold, its caption and its notes."""
    label = table.label_place
    body = [_cells(row, cells, label) for row, cells in zip(table.rows, texts(table, si=look.si), strict=True)]
    grid = [[escape(column.title) for column in table.columns], *body]
    # Old readers want three characters in a delimiter.
    widths = [max(3, *map(len, column)) for column in zip(*grid, strict=True)]
    rights = [column.is_number for column in table.columns]
    rules = ["-" * (w - 1) + ":" if right else ":" + "-" * (w - 1) for w, right in zip(widths, rights, strict=True)]
    lines = [_line(cells, widths, rights) for cells in (grid[0], rules, *body)]
    notes = "\n".join(f"- {paragraph(note)}" for note in table.notes)
    title = f"**{escape(table.title).strip()}**" if table.title.strip() else ""
    blocks = (title, "\n".join(lines), paragraph(table.legend), notes, paragraph(table.common))
    return "\n\n".join(filter(None, blocks)) + "\n"


def _cells(row: Row, cells: list[str], label: int) -> list[str]:
    escaped = [escape(cell).strip() for cell in cells]
    if row.role == "part":
        escaped[label] = f"↳ {escaped[label]}"
    return [f"**{cell}**" if cell and row.role == "total" else cell for cell in escaped]


def _line(cells: Sequence[str], widths: list[int], rights: list[bool]) -> str:
    shaped = zip(cells, widths, rights, strict=True)
    return f"| {' | '.join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in shaped)} |"
