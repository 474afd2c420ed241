"""Tables as HTML: a fragment for notebooks, a whole page for a file.

The style stands in the elements themselves, since notebooks and mail drop style sheets.
"""

from __future__ import annotations

from collections.abc import Sequence

from sepcalc.cells import LONGEST_WORDS, Look, is_number, label_place, texts, visible
from sepcalc.table import Row, Table

_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums;margin:1em 0"
_LEFT, _RIGHT, _WHOLE = "text-align:left", "text-align:right", ";white-space:nowrap"
_CELL = "padding:.2em .7em"
_RULE = "border-top:1px solid"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ font: 16px/1.4 system-ui, sans-serif; margin: 2em }}</style>
</head>
<body>
{body}
</body>
</html>
"""


def draw(tables: Sequence[Table], look: Look) -> str:
    """A whole page with all ``tables``, which needs no other file."""
    title = next((table.title for table in tables if table.title), "sepcalc")
    return _PAGE.format(title=escape(title), body="\n".join(fragment(table, si=look.si) for table in tables))


def escape(text: str) -> str:
    """``text`` as HTML that shows it unchanged, in an element or in an attribute.

    >>> escape("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    from html import escape as escaped

    return escaped(visible(text))


def fragment(table: Table, *, si: bool = False) -> str:
    """``table`` as one ``<table class="sepcalc">``, its title the caption, its notes the foot."""
    styles = [f"{_CELL};{_RIGHT if is_number(column) else _LEFT}" for column in table.columns]
    heads = "".join(
        f'<th scope="col" style="{style};vertical-align:bottom">{escape(column.title)}</th>'
        for style, column in zip(styles, table.columns, strict=True)
    )
    label, cells = label_place(table), texts(table, si=si)
    folds = [any(len(line[place]) > LONGEST_WORDS for line in cells) for place in range(len(styles))]
    insides = [style + ("" if place == label or folds[place] else _WHOLE) for place, style in enumerate(styles)]
    rows = [_row(row, line, insides, label) for row, line in zip(table.rows, cells, strict=True)]
    return "\n".join(
        (
            f'<table class="sepcalc" style="{_TABLE}">',
            f'<caption style="{_LEFT};font-weight:bold">{escape(table.title)}</caption>',
            f"<thead>\n<tr>{heads}</tr>\n</thead>",
            f'<tbody style="{_RULE}">',
            *rows,
            "</tbody>",
            *_foot(table),
            "</table>",
        )
    )


def _row(row: Row, cells: list[str], styles: list[str], label: int) -> str:
    each = enumerate(zip(cells, styles, strict=True))
    inner = "".join(_cell(row, cell, style, place == label) for place, (cell, style) in each)
    rule = f' style="{_RULE}"' if row.role == "total" else ""
    return f'<tr class="{row.role}"{rule}>{inner}</tr>'


def _cell(row: Row, cell: str, style: str, is_label: bool) -> str:
    tag, scope = ("th", ' scope="row"') if is_label else ("td", "")
    weight = ";font-weight:bold" if row.role == "total" else ";font-weight:normal" if is_label else ""
    indent = ";padding-left:2em" if is_label and row.role == "part" else ""
    return f'<{tag}{scope} style="{style}{weight}{indent}">{escape(cell)}</{tag}>'


def _foot(table: Table) -> list[str]:
    lines = [line for line in (table.legend, *table.notes) if line]
    if not lines:
        return []
    # Without a width of its own a long note would stretch the columns.
    style = f"{_CELL};{_LEFT};font-size:smaller;max-width:0"
    span = len(table.columns)
    rows = [f'<tr><td colspan="{span}" style="{style}">{escape(line)}</td></tr>' for line in lines]
    return [f'<tfoot style="{_RULE}">', *rows, "</tfoot>"]
