"""The totals of other counters for a network, as a table and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sepcalc.conventions.as_modules import AS_MODULES, layers_trace
from sepcalc.conventions.counters import Counter
from sepcalc.conventions.reconcile import Reconciled, reconcile
from sepcalc.core.network import Network
from sepcalc.core.network_tables import uncounted_notes
from sepcalc.core.table import COUNTING_RULE, SCHEMA, Cell, Field, Role, Table, answer_of, by_key, fill_table
from sepcalc.readers.trace import Trace

PARTS_RULE = "The parts of a difference are in the counter's unit and add up to it."


def reconcile_all(network: Network, trace: Trace | None, counters: Sequence[Counter]) -> tuple[Reconciled, ...]:
    """The total of each counter for a network; ``trace`` is the run of its code, if there was one."""
    if trace is None:
        run, macs = layers_trace(network)
    else:
        from sepcalc.readers.pytorch.layers import macs_of_operations

        run, macs = trace, macs_of_operations(trace)
    return tuple(reconcile(counter, run, macs) for counter in counters)


def reconcile_table(network: Network, found: Sequence[Reconciled], *, as_modules: bool) -> Table:
    """One row per counter: its total, its unit, and its difference from ours with the parts below it."""
    about = (*uncounted_notes(network), *([AS_MODULES] if as_modules else ()))
    return _table(f"{network.name} in other counters", network.cost.macs, found, about)


def reconciled_tables(found: Reconciled) -> tuple[Table, ...]:
    """The table of one counter alone."""
    return (_table(f"{found.counter.title} beside sepcalc", found.ours, [found]),)


class CounterRow(NamedTuple):
    """A counter with its unit, its total and the difference from ours, or one part of that difference."""

    name: str
    unit: str
    total: Cell
    difference: Cell
    role: Role = "body"


FIELDS: dict[str, Field[CounterRow]] = by_key(
    Field(key="counter", title="Counter", figure=lambda row: row.name),
    Field(key="unit", title="Unit", answer="too", figure=lambda row: row.unit),
    Field(key="total", title="Total", kind="count", answer="too", figure=lambda row: row.total),
    Field(key="difference", title="Against ours", kind="count", answer="too", figure=lambda row: row.difference),
)


def _row(found: Reconciled) -> CounterRow:
    return CounterRow(found.counter.title, found.counter.unit, found.total, found.difference)


def _rows(ours: int, found: Iterable[Reconciled]) -> Iterator[CounterRow]:
    yield CounterRow("sepcalc", "MAC", ours, "")
    for reconciled in found:
        yield _row(reconciled)
        yield from (CounterRow(label, "", "", amount, "part") for label, amount in reconciled.items)


def _table(title: str, ours: int, found: Sequence[Reconciled], about: Sequence[str] = ()) -> Table:
    notes = (f"{reconciled.counter.title}: {text}." for reconciled in found for text in reconciled.notes)
    table = Table(name="counters", title=title, caption=f"{COUNTING_RULE} {PARTS_RULE}", notes=(*about, *notes))
    return fill_table(table, FIELDS.values(), _rows(ours, found), role=lambda row: row.role)


def reconcile_answer(network: Network, found: Sequence[Reconciled], *, as_modules: bool) -> dict[str, Any]:
    """The content of :func:`reconcile_table`, as JSON."""
    return {
        "schema": SCHEMA,
        "kind": "counters",
        "name": network.name,
        "macs": network.cost.macs,
        "as_modules": as_modules,
        "counters": [
            {
                "counter": reconciled.counter.name,
                "package": reconciled.counter.package,
                "release": reconciled.counter.release,
                **answer_of(FIELDS.values(), _row(reconciled)),
                "items": [{"item": label, "amount": amount} for label, amount in reconciled.items],
                "missed": list(reconciled.missed),
                "notes": list(reconciled.notes),
            }
            for reconciled in found
        ],
    }
