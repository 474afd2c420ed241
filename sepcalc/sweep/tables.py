"""The table of a sweep: one row per point and variant, with the quantities that are swept in front.

Two kinds of extra columns are there for charts: ``limit:c_out`` is what the reduction of multiply-adds nears as that
quantity grows and every other stays as it is in the row, and ``why_not`` the reason of a row without counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from typing import Any

from sepcalc.core.errors import SepcalcError
from sepcalc.core.table import COUNTING_RULE, PARAMS_RULE, REDUCTION_RULE, Cell, Column, Kind, Row, Table
from sepcalc.core.variants import all_options
from sepcalc.sweep.grid import Axis, shown
from sepcalc.sweep.limits import horizons, limits, trend_notes
from sepcalc.sweep.sweep import Block, Sweep

MOST_ROWS = 20_000
"""Rows of a table that is made for people; programs get any number of them."""

MOST_LISTED = 4
"""Values of a quantity that the title lists one by one."""


def sweep_tables(sweep: Sweep) -> tuple[Table, ...]:
    """What a sweep shows of itself: its one table."""
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
    whole = sweep.whole()
    beyond = horizons(sweep)
    cells = [
        {
            **figures(sweep, whole, place, Fraction),
            **{_limit_key(each.axis): limits(sweep, each, place, "macs") for each in beyond},
        }
        for place in range(len(sweep.names))
    ]
    columns = (*sweep_columns(sweep), *(_limit_column(each.axis) for each in beyond))
    return Table(
        name="sweep",
        title=sweep_title(sweep),
        columns=columns,
        rows=tuple(_rows(columns, whole.values, sweep.names, cells)),
        caption=f"{COUNTING_RULE} {PARAMS_RULE}",
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
            here: dict[str, Cell] = {key: each[point] for key, each in (*values.items(), *mine.items())}
            here["variant"] = name
            yield Row(cells=tuple(here[column.key] for column in columns))


def sweep_columns(sweep: Sweep) -> tuple[Column, ...]:
    """The swept quantities, the variant, its counts and reductions, and why there are none."""
    titles = _TITLES | {option.name: option.title or option.name for option in all_options()}
    macs = (
        Column(
            key="macs_per_position",
            title="MACs",
            kind="per-position",
            axes=sweep.axes,
            rule="D_F: the size of the feature map, left open.",
        )
        if sweep.is_open
        else Column(key="macs", title="MACs", kind="count")
    )
    return (
        *(Column(key=axis.key, title=titles.get(axis.key, axis.key), kind=_kind(axis)) for axis in sweep.grid.swept),
        Column(key="variant", title="Variant"),
        Column(key="params", title="Params", kind="count"),
        macs,
        Column(key="params_reduction", title="Params reduction", kind="reduction", rank=1, rule=REDUCTION_RULE),
        Column(key="macs_reduction", title="MACs reduction", kind="reduction", rank=2, rule=REDUCTION_RULE),
        Column(key="why_not", title="Why not", rank=9, extra=True),
    )


_TITLES = {"k": "Kernel", "size": "Size", "stride": "Stride", "width": "Width"}


def _kind(axis: Axis) -> Kind:
    if any(isinstance(value, str) for value in axis.values):
        return "text"
    if any(isinstance(value, Fraction) for value in axis.values):
        return "quotient"
    return "size" if axis.key in ("k", "size", "stride") else "count"


def _limit_key(axis: Axis) -> str:
    return f"limit:{axis.key}"


def _limit_column(axis: Axis) -> Column:
    return Column(key=_limit_key(axis), title=f"Limit, {axis.key} grows", kind="reduction", rank=9, extra=True)


def figures(sweep: Sweep, block: Block, place: int, divide: Callable[[int, int], Any]) -> dict[str, Sequence[Any]]:
    """Counts and reductions of the variant at ``place`` at each point of ``block``, by column key.

    ``divide`` makes a reduction of two counts: exact for tables, a float for programs.
    """
    mine = block.counts[place]
    return {
        "params": mine.params,
        "macs_per_position" if sweep.is_open else "macs": mine.macs,
        "params_reduction": sweep.reductions(block, place, "params", divide),
        "macs_reduction": sweep.reductions(block, place, "macs", divide),
        "why_not": mine.why_not,
    }


def sweep_title(sweep: Sweep) -> str:
    """What is swept, by what, and what stays as it is."""
    fixed = [f"{axis.key} {shown(axis.values[0])}" for axis in sweep.grid.axes if not axis.swept]
    swept = [_described(axis) for axis in sweep.grid.swept]
    return "; ".join(filter(None, (", ".join((sweep.what, *fixed)), ", ".join(swept))))


def _described(axis: Axis) -> str:
    texts = [shown(value) for value in axis.values[:MOST_LISTED]]
    if len(axis.values) > MOST_LISTED:
        return f"{axis.key} from {texts[0]} to {shown(axis.values[-1])} ({len(axis.values):,} values)"
    return f"{axis.key} {', '.join(texts)}"


def _reason_notes(sweep: Sweep, whole: Block) -> Iterator[str]:
    """Why there are no counts, like reasons in one sentence: they differ in numbers alone."""
    missing = whole.counts[sweep.reference].why_not
    yield from _alike("nothing is counted", missing)
    for name, counts in zip(sweep.names, whole.counts, strict=True):
        own = [reason if none is None else None for reason, none in zip(counts.why_not, missing, strict=True)]
        yield from _alike(f"{name} does not apply", own)


def _alike(what: str, reasons: Sequence[str | None]) -> Iterator[str]:
    from re import sub

    alike: dict[str, list[str]] = {}
    for reason in filter(None, reasons):
        alike.setdefault(sub(r"[\d,]+", "0", reason), []).append(reason)
    for group in alike.values():
        first = "" if len({*group}) == 1 else ", the first"
        line, *_ = group[0].splitlines()
        yield f"{what} at {len(group):,} of {len(reasons):,} points{first}: {line}."


def elided(table: Table, most: int) -> Table:
    """The first and the last rows of a ``table`` that has more than ``most``, with a note that says how many go."""
    hidden = len(table.rows) - most
    if hidden <= 0:
        return table
    half = most // 2
    gap = Row(cells=tuple("…" if column.key == "variant" else "" for column in table.columns))
    note = f"{hidden:,} of {len(table.rows):,} rows are not shown; -o with the name of a file writes them all."
    rows = (*table.rows[:half], gap, *islice(table.rows, len(table.rows) - half, None))
    return replace(table, rows=rows, notes=(note, *table.notes))
