"""Tables as HTML: a fragment for notebooks, a whole page for a file, and a table for a page with a style sheet.

A fragment has its style in the elements, since notebooks and mail drop style sheets. The table for a page
(:mod:`sepcalc.report.html`) has classes, and exact numbers to sort by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import NamedTuple

from sepcalc.core.table import Cell, Column, Row, Table, plain
from sepcalc.render.cells import LONGEST_WORDS, Look, texts, visible

_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums;margin:1em 0"
_LEFT, _RIGHT, _WHOLE = "text-align:left", "text-align:right", ";white-space:nowrap"
_CELL, _RULE = "padding:.2em .7em", "border-top:1px solid"
_STYLE = ":root { color-scheme: light dark } body { font: 16px/1.4 system-ui, sans-serif; margin: 2em }"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def draw(tables: Sequence[Table], look: Look) -> str:
    """A page with all ``tables``, which needs no other file."""
    title = next((table.title for table in tables if table.title), "sepcalc")
    return page(title, _STYLE, draw_fragments(tables, look))


def draw_fragments(tables: Sequence[Table], look: Look) -> str:
    """All ``tables`` as a part of another page, such as a notebook."""
    return "\n".join(fragment(table, si=look.si) for table in tables)


def page(title: str, style: str, body: str) -> str:
    """A page: ``title`` is text, ``style`` is CSS, ``body`` is HTML."""
    return _PAGE.format(title=escape(title), style=style, body=body)


def escape(text: str) -> str:
    """``text`` as HTML that shows it unchanged, in an element or in an attribute.

    >>> escape("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    from html import escape as escaped

    return escaped(visible(text))


class _Place(NamedTuple):
    """The place of a cell: its column, whether that names the rows or holds sentences, and its row (none: heading)."""

    column: Column
    label: bool = False
    folds: bool = False
    row: Row | None = None


Dress = Callable[[_Place, Cell], str]
"""A function of a cell's attributes, each after a space."""


def fragment(table: Table, *, si: bool = False) -> str:
    """``table`` as one ``<table class="sepcalc">``, its title the caption, its notes the foot."""
    lines = (
        f'<table class="sepcalc" style="{_TABLE}">',
        f'<caption style="{_LEFT};font-weight:bold">{escape(table.title)}</caption>',
        f"<thead>\n{_head(table, _styled)}\n</thead>",
        f'<tbody style="{_RULE}">',
        *(*_rows(table, si, _styled, f' style="{_RULE}"'), "</tbody>", *_foot(table), "</table>"),
    )
    return "\n".join(lines)


def classed(table: Table, *, identity: str, classes: str) -> str:
    """``table`` as one ``<table>`` with an ``id`` and ``classes``, for a page with a style sheet; without notes.

    Numbers have their sort key in ``data-value``, exact or the nearest float, and headings the variant of their column
    in ``data-variant``. Text has the class ``text``, and ``folds`` where it may be a sentence.
    """
    lines = (
        f'<table id="{escape(identity)}" class="{escape(classes)}">',
        f"<caption><span>{escape(table.title)}</span></caption>",
        f"<thead>{_head(table, _with_classes)}</thead>",
        *("<tbody>", *_rows(table, False, _with_classes), "</tbody>", "</table>"),
    )
    return "\n".join(lines)


def _head(table: Table, dress: Dress) -> str:
    heads = (f'<th scope="col"{dress(_Place(column), None)}>{escape(column.title)}</th>' for column in table.columns)
    return f"<tr>{''.join(heads)}</tr>"


def _rows(table: Table, si: bool, dress: Dress, total: str = "") -> Iterator[str]:
    label, cells = table.label_place, texts(table, si=si)
    folds = [any(len(line[place]) > LONGEST_WORDS for line in cells) for place in range(len(table.columns))]
    for row, line in zip(table.rows, cells, strict=True):
        inner = ""
        for place, (column, cell, text) in enumerate(zip(table.columns, row.cells, line, strict=True)):
            tag, scope = ("th", ' scope="row"') if place == label else ("td", "")
            attributes = dress(_Place(column, place == label, folds[place], row), cell)
            inner += f"<{tag}{scope}{attributes}>{escape(text)}</{tag}>"
        yield f'<tr class="{row.role}"{total if row.role == "total" else ""}>{inner}</tr>'


def _styled(place: _Place, _cell: Cell) -> str:
    style = f"{_CELL};{_RIGHT if place.column.is_number else _LEFT}"
    if place.row is None:
        return f' style="{style};vertical-align:bottom"'
    style += "" if place.label or place.folds else _WHOLE
    style += ";font-weight:bold" if place.row.role == "total" else ";font-weight:normal" if place.label else ""
    return f' style="{style}{";padding-left:2em" if place.label and place.row.role == "part" else ""}"'


def _with_classes(place: _Place, cell: Cell) -> str:
    if place.row is None:
        about = f' data-variant="{escape(place.column.variant)}"' if place.column.variant else ""
        return about if place.column.is_number else f' class="text"{about}'
    if not place.column.is_number:
        return f' class="text{" folds" if place.folds else ""}"'
    value = plain(cell, place.column)
    # Sizes are sorted by their product, as network_table does; a text is not sorted among numbers.
    number = prod(value) if isinstance(value, list) and value else value
    return f' data-value="{number}"' if isinstance(number, int | float) else ""


def _foot(table: Table) -> list[str]:
    lines = [line for line in (table.legend, *table.notes, table.common) if line]
    if not lines:
        return []
    # max-width keeps a long note from stretching the columns.
    style = f"{_CELL};{_LEFT};font-size:smaller;max-width:0"
    span = len(table.columns)
    rows = [f'<tr><td colspan="{span}" style="{style}">{escape(line)}</td></tr>' for line in lines]
    return [f'<tfoot style="{_RULE}">', *rows, "</tfoot>"]
