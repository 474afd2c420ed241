"""Tables as records for programs: CSV, TSV and JSON.

The header is the columns' keys. Numbers are exact integers or the nearest floats, without separators and units; a
missing one is empty, in JSON ``null``. Sizes are ``56x56``, in JSON ``[56, 56]``. A number with an interval is three
fields: ``speedup``, ``speedup_low``, ``speedup_high``. A last field, ``role``, marks sub-rows and sums.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sepcalc.core.table import SCHEMA, Plain, Table
from sepcalc.render.cells import Look


def draw_csv(tables: Sequence[Table], _look: Look) -> str:
    """One table as RFC 4180 describes, except that a line ends in a line feed alone."""
    return _separated(tables[0], ",", csv_field)


def draw_tsv(tables: Sequence[Table], _look: Look) -> str:
    """One table with tabs between the cells; tabs and line ends inside a cell become spaces."""
    return _separated(tables[0], "\t", tsv_field)


def draw_json(tables: Sequence[Table], _look: Look) -> str:
    """All tables, a record on each line: ``{"schema": 1, "tables": [{"table": …, "rows": [{key: value}]}]}``."""
    inner = ",\n".join(map(_json_table, tables))
    return f'{{"schema": {SCHEMA}, "tables": [\n{inner}\n]}}\n'


def _json_table(table: Table) -> str:
    head = {"table": table.name, "title": table.title, "caption": table.legend, "notes": table.notes}
    rows = ",\n".join(f"  {json_text(record)}" for record in table.to_dicts())
    return f'{json_text(head)[:-1]}, "rows": [\n{rows}\n]}}'


def json_text(value: Any) -> str:
    """A value on one line of JSON; a float that is no number raises :class:`ValueError`."""
    from json import dumps

    text = dumps(value, ensure_ascii=False, allow_nan=False)
    return text if text.isprintable() else dumps(value)


def _separated(table: Table, separator: str, field: Callable[[Plain], str]) -> str:
    # A program would skip an empty line.
    lines = (separator.join(map(field, record)) or '""' for record in table.records())
    return "\n".join(lines) + "\n"


def csv_field(value: Plain) -> str:
    """A value between two commas."""
    return _quoted(_flat(value), ",")


def tsv_field(value: Plain) -> str:
    """A value between two tabs, without tabs or line ends of its own."""
    text = _flat(value)
    return _quoted(text if text.isprintable() else " ".join(text.replace("\t", " ").splitlines()), "\t")


def _flat(value: Plain) -> str:
    if value is None:
        return ""
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)


def _quoted(text: str, separator: str) -> str:
    """``text`` as one field, with control characters other than tabs and line ends as escapes."""
    if text.isprintable() and '"' not in text and separator not in text:
        return text
    from re import sub

    escaped = sub(r"[^\t\r\n -~\xa0-\U0010ffff]", lambda control: f"\\x{ord(control[0]):02x}", text)
    return '"' + escaped.replace('"', '""') + '"'
