"""A sweep as records for programs, written block by block, so that a grid of any size needs little memory.

CSV, TSV and JSON hold the records of :mod:`sepcalc.render.records`; Parquet needs polars and has columns of 64-bit
integers, floats and texts. JSON is one object with a record on each line: ``{"schema": 1, "kind": "sweep", "title": …,
"swept": {key: values}, "variants": […], "rows": [{key: value}]}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from operator import truediv
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from sepcalc.core.errors import MissingExtraError, SepcalcError
from sepcalc.core.table import SCHEMA, Column, Plain, plain
from sepcalc.render.records import csv_field, json_text, tsv_field
from sepcalc.sweep.sweep import Block, Sweep
from sepcalc.sweep.tables import figures, sweep_title

if TYPE_CHECKING:
    from polars import DataFrame

Watch = Callable[[int], object]
"""Called with the number of points done."""


class Form(NamedTuple):
    """The syntax of a record: fields, their labels, and the signs between fields and around records."""

    field: Callable[[Plain], str]
    label: Callable[[str], str] = lambda key: ""
    separator: str = ","
    begin: str = ""
    end: str = ""
    between: str = "\n"


FORMS = {
    "csv": Form(field=csv_field),
    "tsv": Form(field=tsv_field, separator="\t"),
    "json": Form(json_text, lambda key: f"{json_text(key)}: ", separator=", ", begin="  {", end="}", between=",\n"),
}
"""The text formats for programs, by name."""


def sweep_text(sweep: Sweep, columns: Sequence[Column], form: str, watch: Watch = lambda _: None) -> Iterator[str]:
    """The text of a file with the ``columns`` of ``sweep``, piece by piece; ``form`` is one of :data:`FORMS`."""
    shape = FORMS[form]
    yield _head(sweep, columns) if form == "json" else shape.separator.join(column.key for column in columns) + "\n"
    done = 0
    for block in sweep.blocks():
        yield shape.between * (form == "json" and done > 0) + shape.between.join(_lines(sweep, columns, shape, block))
        yield "" if form == "json" else "\n"
        done += len(block.counts[0].params)
        watch(done)
    yield "\n]}\n" if form == "json" else ""


def _head(sweep: Sweep, columns: Sequence[Column]) -> str:
    known = {column.key: column for column in columns}
    head = {
        "schema": SCHEMA,
        "kind": "sweep",
        "title": sweep_title(sweep),
        "swept": {axis.key: [plain(value, known[axis.key]) for value in axis.values] for axis in sweep.grid.swept},
        "variants": sweep.names,
    }
    return f'{json_text(head)[:-1]}, "rows": [\n'


def _lines(sweep: Sweep, columns: Sequence[Column], form: Form, block: Block) -> Iterator[str]:
    """The records of a block, those of a point one after another."""
    swept = [column for column in columns if column.key in block.values]
    others = columns[len(swept) :]
    texts = [_texts(block.values[column.key], column, form) for column in swept]
    points = [[*map(form.separator.join, zip(*texts, strict=True))]] if swept else []
    variants = []
    for place, name in enumerate(sweep.names):
        found = figures(sweep, block, place, truediv)
        fields: dict[str, Iterable[str]] = {"variant": repeat(form.label("variant") + form.field(name))}
        fields |= {column.key: _texts(found[column.key], column, form) for column in others if column.key in found}
        listed = (fields[column.key] for column in others)
        variants.append(map(form.separator.join, zip(*points, *listed, strict=False)))
    records = chain.from_iterable(zip(*variants, strict=True))
    return (f"{form.begin}{record}{form.end}" for record in records) if form.begin else records


def _texts(values: Sequence[Any], column: Column, form: Form) -> Sequence[str]:
    """The fields of a column; whole numbers are written in C, and a repeated value is written once."""
    label = form.label(column.key)
    if column.is_number and {*map(type, values)} == {int}:
        return [label + text for text in map(str, values)] if label else [*map(str, values)]

    def write(value: Any) -> str:
        return str(value) if type(value) is float else form.field(plain(value, column))

    known = {value: label + write(value) for value in {*values}}
    return [*map(known.__getitem__, values)]


def write_parquet(sweep: Sweep, columns: Sequence[Column], file: BinaryIO, watch: Watch = lambda _: None) -> None:
    """Write the ``columns`` of ``sweep`` as Parquet.

    Raises :class:`MissingExtraError` without polars, and :class:`SepcalcError` for a count that 64 bits cannot hold.
    """
    try:
        import polars
        from polars.io.plugins import register_io_source
    except ImportError:
        raise MissingExtraError("data", "Parquet") from None
    schema = {column.key: getattr(polars, _type(sweep, column)) for column in columns}

    def frames(*_: object) -> Iterator[DataFrame]:
        done = 0
        for block in sweep.blocks():
            yield polars.DataFrame(_interleaved(sweep, columns, block), schema=schema)
            done += len(block.counts[0].params)
            watch(done)

    try:
        register_io_source(frames, schema=schema).sink_parquet(file)
    except TypeError:
        raise SepcalcError(
            f"a count of this sweep is above {2**63 - 1:,}, the largest number in Parquet; give a .csv or .json file"
        ) from None


def _type(sweep: Sweep, column: Column) -> str:
    """The name of the column's type; lengths are texts if any has several axes."""
    numeric = {axis.key: axis.is_numeric for axis in sweep.grid.swept}
    if column.kind == "text" or not numeric.get(column.key, True):
        return "String"
    return "Float64" if column.kind in ("reduction", "quotient") else "Int64"


def _interleaved(sweep: Sweep, columns: Sequence[Column], block: Block) -> dict[str, list[Any]]:
    """The values of each column of a block, those of a point one after another."""
    points, rows = len(block.counts[0].params), len(sweep.names)
    variants = [figures(sweep, block, place, truediv) for place in range(rows)]
    found: dict[str, list[Any]] = {"variant": [*sweep.names] * points}
    for column in columns:
        if column.key in block.values:
            read = csv_field if _type(sweep, column) == "String" else lambda value: value
            values = [read(plain(value, column)) for value in block.values[column.key]]
            found[column.key] = [value for value in values for _ in range(rows)]
        elif column.key != "variant":
            found[column.key] = [*chain.from_iterable(zip(*(mine[column.key] for mine in variants), strict=True))]
    return {column.key: found[column.key] for column in columns}
