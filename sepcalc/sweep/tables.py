"""The table of a sweep: one row per point and variant, the swept quantities in front.

Charts have extra columns: ``limit:c_out``, the limit of the reduction of multiply-adds as that quantity grows, and
``why_not``, the reason for a row without counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Any, Literal, NamedTuple

from sepcalc.core.errors import SepcalcError
from sepcalc.core.layer_tables import FIELDS, layer_facts
from sepcalc.core.table import CAPTION, Cell, Column, Kind, Row, Table
from sepcalc.core.variants import all_options
from sepcalc.sweep.grid import Axis, shown
from sepcalc.sweep.limits import horizons, limits, trend_notes
from sepcalc.sweep.sweep import Block, Counts, Sweep

MOST_ROWS = 20_000
"""Rows of a table for people; files for programs have no limit."""

MOST_LISTED = 4
"""Values of a quantity listed one by one in the title."""


def sweep_tables(sweep: Sweep) -> tuple[Table, ...]:
    """The one table of a sweep."""
    return (sweep_table(sweep),)


def sweep_table(sweep: Sweep) -> Table:
    """One row per point and variant.

    Raises :class:`SepcalcError` for more than :data:`MOST_ROWS`.
    """
    rows = len(sweep.grid) * len(sweep.names)
    if rows > MOST_ROWS:
        raise SepcalcError(
            f"a table of {rows:,} rows is too long to be read, the longest has {MOST_ROWS:,}; "
            "give fewer values, or -o with a .csv, .tsv, .json or .parquet file"
        )
    whole, beyond = sweep.whole(), horizons(sweep)
    further = {_limit_column(horizon.axis): horizon for horizon in beyond}
    columns = (*sweep_columns(sweep), *further)
    cells = [
        figures(sweep, whole, place, Fraction)
        | {column.key: limits(sweep, horizon, place, "macs") for column, horizon in further.items()}
        for place in range(len(sweep.names))
    ]
    return Table(
        name="sweep",
        title=sweep_title(sweep),
        columns=columns,
        rows=tuple(_rows(columns, whole.values, sweep.names, cells)),
        caption=CAPTION,
        notes=(*trend_notes(sweep, whole, beyond), *_reason_notes(sweep, whole)),
    )


def _rows(
    columns: Sequence[Column],
    values: Mapping[str, Sequence[Cell]],
    names: Sequence[str],
    cells: Sequence[Mapping[str, Sequence[Cell]]],
) -> Iterator[Row]:
    for point in range(len(cells[0]["params"])):
        for name, mine in zip(names, cells, strict=True):
            found = {"variant": name, **{key: column[point] for key, column in (*values.items(), *mine.items())}}
            yield Row(cells=tuple(found[column.key] for column in columns))


class PointsOfRow(NamedTuple):
    """The row at ``place`` of each point of ``block``; ``divide`` makes a reduction of two counts."""

    sweep: Sweep
    block: Block
    place: int
    divide: Callable[[int, int], Any]

    @property
    def counts(self) -> Counts:
        """The counts of the variant."""
        return self.block.counts[self.place]

    def reductions(self, count: Literal["params", "macs"]) -> Sequence[Any]:
        """The reference's ``count`` / the variant's."""
        return self.sweep.reductions(self.block, self.place, count, self.divide)


FIGURES: dict[str, Callable[[PointsOfRow], Sequence[Any]]] = {
    "params": lambda row: row.counts.params,
    "macs": lambda row: row.counts.macs,
    "macs_per_position": lambda row: row.counts.macs,
    "params_reduction": lambda row: row.reductions("params"),
    "macs_reduction": lambda row: row.reductions("macs"),
}
"""The figures of each column that a sweep shares with a layer's table, by key."""


def sweep_columns(sweep: Sweep) -> tuple[Column, ...]:
    """The swept quantities, the variant, its counts and reductions, and why there are none."""
    titles = _TITLES | {option.name: option.title or option.name for option in all_options()}
    form, facts = "open" if sweep.is_open else "sized", layer_facts(is_open=sweep.is_open, axes=sweep.axes)
    return (
        *(Column(key=axis.key, title=titles.get(axis.key, axis.key), kind=_kind(axis)) for axis in sweep.grid.swept),
        Column(key="variant", title="Variant"),
        *(field.column(form, facts) for field in map(FIELDS.__getitem__, _counted(sweep))),
        Column(key="why_not", title="Why not", rank=9, extra=True),
    )


def _counted(sweep: Sweep) -> list[str]:
    """The keys of :data:`FIGURES` that this sweep has."""
    return [key for key in FIGURES if key != ("macs" if sweep.is_open else "macs_per_position")]


_TITLES = {"k": "Kernel", "size": "Size", "stride": "Stride", "width": "Width"}


def _kind(axis: Axis) -> Kind:
    if any(isinstance(value, str) for value in axis.values):
        return "text"
    if any(isinstance(value, Fraction) for value in axis.values):
        return "quotient"
    return "size" if axis.key in ("k", "size", "stride") else "count"


def _limit_column(axis: Axis) -> Column:
    return Column(key=f"limit:{axis.key}", title=f"Limit, {axis.key} grows", kind="reduction", rank=9, extra=True)


def figures(sweep: Sweep, block: Block, place: int, divide: Callable[[int, int], Any]) -> dict[str, Sequence[Any]]:
    """Counts and reductions of the variant at ``place`` at each point of ``block``, by column key.

    ``divide`` makes a reduction of two counts: exact for tables, a float for programs.
    """
    row = PointsOfRow(sweep, block, place, divide)
    return {**{key: FIGURES[key](row) for key in _counted(sweep)}, "why_not": row.counts.why_not}


def sweep_title(sweep: Sweep) -> str:
    """The name of the layer or network, the fixed quantities, and the swept ones."""
    fixed = [f"{axis.key} {shown(axis.values[0])}" for axis in sweep.grid.axes if not axis.swept]
    swept = [_described(axis) for axis in sweep.grid.swept]
    return "; ".join(filter(None, (", ".join((sweep.what, *fixed)), ", ".join(swept))))


def _described(axis: Axis) -> str:
    texts = [shown(value) for value in axis.values[:MOST_LISTED]]
    if len(axis.values) > MOST_LISTED:
        return f"{axis.key} from {texts[0]} to {shown(axis.values[-1])} ({len(axis.values):,} values)"
    return f"{axis.key} {', '.join(texts)}"


def _reason_notes(sweep: Sweep, whole: Block) -> Iterator[str]:
    """The reasons for missing counts; reasons that differ in their numbers alone share a sentence."""
    missing = whole.counts[sweep.reference].why_not
    yield from _alike("nothing is counted", missing)
    for name, counts in zip(sweep.names, whole.counts, strict=True):
        own = [reason if none is None else None for reason, none in zip(counts.why_not, missing, strict=True)]
        yield from _alike(f"{name} does not apply", own)


def _alike(fact: str, reasons: Sequence[str | None]) -> Iterator[str]:
    from re import sub

    alike: dict[str, list[str]] = {}
    for reason in filter(None, reasons):
        alike.setdefault(sub(r"[\d,]+", "0", reason), []).append(reason)
    for group in alike.values():
        first = "" if len({*group}) == 1 else ", the first"
        line, *_ = group[0].splitlines()
        yield f"{fact} at {len(group):,} of {len(reasons):,} points{first}: {line}."


def elided(table: Table, most: int) -> Table:
    """The first and the last rows of ``table``, ``most`` together, and a note with the number of hidden ones."""
    hidden = len(table.rows) - most
    if hidden <= 0:
        return table
    half = most // 2
    gap = Row(cells=tuple("…" if column.key == "variant" else "" for column in table.columns))
    note = f"{hidden:,} of {len(table.rows):,} rows are not shown; -o with the name of a file writes them all."
    rows = (*table.rows[:half], gap, *islice(table.rows, len(table.rows) - half, None))
    return replace(table, rows=rows, notes=(note, *table.notes))
