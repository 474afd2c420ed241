"""What other counters print for a network, as a table and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sepcalc.conventions.as_modules import AS_MODULES, layers_trace
from sepcalc.conventions.counters import Counter
from sepcalc.conventions.reconcile import Reconciled, reconcile
from sepcalc.core.network import Network
from sepcalc.core.network_tables import uncounted_notes
from sepcalc.core.table import COUNTING_RULE, Column, Row, Table
from sepcalc.readers.trace import Trace

CAPTION = f"{COUNTING_RULE} The parts of a difference are in the counter's unit and add up to it."


def reconcile_all(network: Network, trace: Trace | None, counters: Sequence[Counter]) -> tuple[Reconciled, ...]:
    """What each counter prints for a network; ``trace`` is the run of its code, if there was one."""
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
    """The same of one counter alone."""
    return (_table(f"{found.counter.title} beside sepcalc", found.ours, [found]),)


def _table(title: str, ours: int, found: Sequence[Reconciled], about: Sequence[str] = ()) -> Table:
    rows = [Row(cells=("sepcalc", "MAC", ours, ""))]
    for each in found:
        rows.append(Row(cells=(each.counter.title, each.counter.unit, each.total, each.difference)))
        rows += [Row(cells=(label, "", "", amount), role="part") for label, amount in each.items]
    notes = [f"{each.counter.title}: {text}." for each in found for text in each.notes]
    return Table(
        name="counters",
        title=title,
        columns=(
            Column(key="counter", title="Counter"),
            Column(key="unit", title="Unit"),
            Column(key="total", title="Total", kind="count"),
            Column(key="difference", title="Against ours", kind="count"),
        ),
        rows=tuple(rows),
        caption=CAPTION,
        notes=(*about, *notes),
    )


def reconcile_answer(network: Network, found: Sequence[Reconciled], *, as_modules: bool) -> dict[str, Any]:
    """The same for programs."""
    return {
        "schema": 1,
        "kind": "counters",
        "name": network.name,
        "macs": network.cost.macs,
        "as_modules": as_modules,
        "counters": [
            {
                "counter": each.counter.name,
                "package": each.counter.package,
                "release": each.counter.release,
                "unit": each.counter.unit,
                "total": each.total,
                "difference": each.difference,
                "items": [{"item": label, "amount": amount} for label, amount in each.items],
                "missed": list(each.missed),
                "notes": list(each.notes),
            }
            for each in found
        ],
    }
