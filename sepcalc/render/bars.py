"""Shares as bars beside the numbers of a terminal: extra columns of a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from sepcalc.core.table import Column, Row, Table

BARS_RULE = "Bars: the longest is the largest share of its column."


def with_bars(table: Table, shares: Mapping[str, str]) -> Table:
    """``table`` with an untitled column of bars, ``KEY_bar``, after each column that is a key of ``shares``.

    The largest share in the body has the longest bar; sums have none. On a narrow terminal the bars of the last of
    ``shares`` go last.

    >>> from sepcalc.render.cells import texts
    >>> columns = Column(key="macs", title="MACs", kind="count"), Column(key="share", title="Share", kind="share")
    >>> rows = Row(cells=(30, Fraction(3, 4))), Row(cells=(10, Fraction(1, 4)))
    >>> table = with_bars(Table(name="", title="", columns=columns, rows=rows), {"macs": "share"})
    >>> [line[1] for line in texts(table)]
    ['████████████', '████        ']
    """
    for place, (key, share) in enumerate(shares.items()):
        if {key, share} <= {column.key for column in table.columns}:
            table = _with_bar(table, key, share, rank=len(shares) - place)
    return table


def _with_bar(table: Table, key: str, share: str, *, rank: int) -> Table:
    keys = [column.key for column in table.columns]
    place, source = keys.index(key), keys.index(share)
    body = [row.cells[source] for row in table.rows if row.role == "body"]
    most = max((cell for cell in body if isinstance(cell, Fraction)), default=Fraction(1)) or Fraction(1)
    column = Column(key=f"{key}_bar", title="", kind="bar", rank=rank, rule=BARS_RULE, extra=table.columns[place].extra)

    def with_part(row: Row) -> Row:
        cell = row.cells[source]
        part = cell / most if isinstance(cell, Fraction) and row.role != "total" else ""
        return replace(row, cells=(*row.cells[: place + 1], part, *row.cells[place + 1 :]))

    columns = (*table.columns[: place + 1], column, *table.columns[place + 1 :])
    return replace(table, columns=columns, rows=tuple(map(with_part, table.rows)))
