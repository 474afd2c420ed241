"""What other counters print, as a table and for programs; and which convention a published figure follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from sepcalc.convention_layers import AS_MODULES, layers_trace
from sepcalc.conventions import COUNTERS, Counter
from sepcalc.counts import parse_count
from sepcalc.layer_report import COUNTING_RULE
from sepcalc.network import NORM_PARAMS, Convolution, Layer, Network
from sepcalc.network_report import uncounted_notes
from sepcalc.reconcile import Reconciled, reconcile
from sepcalc.table import Column, Row, Table
from sepcalc.trace import Trace

CAPTION = f"{COUNTING_RULE} The parts of a difference are in the counter's unit and add up to it."


def reconcile_all(network: Network, trace: Trace | None, counters: Sequence[Counter]) -> tuple[Reconciled, ...]:
    """What each counter prints for a network; ``trace`` is the run of its code, if there was one."""
    if trace is None:
        run, macs = layers_trace(network)
    else:
        from sepcalc.folding import macs_of_operations

        run, macs = trace, macs_of_operations(trace)
    return tuple(reconcile(counter, run, macs) for counter in counters)


def reconcile_table(network: Network, found: Sequence[Reconciled], *, as_modules: bool) -> Table:
    """One row per counter: its total, its unit, and its difference from ours with the parts below it."""
    rows = [Row(cells=("sepcalc", "MAC", network.cost.macs, ""))]
    for each in found:
        rows.append(Row(cells=(each.counter.title, each.counter.unit, each.total, each.difference)))
        rows += [Row(cells=(label, "", "", amount), role="part") for label, amount in each.items]
    notes = [f"{each.counter.title}: {text}." for each in found for text in each.notes]
    return Table(
        name="counters",
        title=f"{network.name} in other counters",
        columns=(
            Column(key="counter", title="Counter"),
            Column(key="unit", title="Unit"),
            Column(key="total", title="Total", kind="count"),
            Column(key="difference", title="Against ours", kind="count"),
        ),
        rows=tuple(rows),
        caption=CAPTION,
        notes=(*uncounted_notes(network), *([AS_MODULES] if as_modules else ()), *notes),
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


def _batch_norm_params(layer: Layer) -> int:
    if not isinstance(layer, Convolution):
        return layer.params if layer.type == "batch_norm" else 0
    stages = layer.stages if layer.between == "all" else layer.stages[-1:]
    return NORM_PARAMS["batch"] * sum(stage.c_out for stage in stages) if layer.norm == "batch" else 0


def _params(network: Network) -> Iterator[tuple[str, int]]:
    """What people call the number of parameters."""
    params = network.cost.params
    normed = sum(map(_batch_norm_params, network.layers))
    yield "trainable parameters", params
    yield "with the moving statistics of batch norm", params + normed
    yield "without the parameters of batch norm", params - normed


def _macs(network: Network) -> Iterator[tuple[str, int]]:
    """What people call MACs, multiply-adds, FLOPs or operations."""
    macs = network.cost.macs
    linear = sum(layer.cost.macs for layer in network.layers if layer.type == "linear")
    yield "multiply-adds", macs
    yield "FLOPs, two for each multiply-add", 2 * macs
    yield "multiply-adds without linear layers", macs - linear
    for each in reconcile_all(network, None, COUNTERS):
        if each.total is not None:
            yield f"as {each.counter.title} counts", each.total


def explained(printed: str, candidates: Iterator[tuple[str, int]]) -> tuple[str, int] | None:
    """The first of ``candidates`` that ``printed`` stands for, rounded as it is printed, or rounded down.

    >>> explained("569 M", iter([("multiply-adds", 568_740_352)]))
    ('multiply-adds', 568740352)
    >>> explained("15.3 G", iter([("multiply-adds", 15_346_630_656)]))
    ('multiply-adds', 15346630656)
    >>> explained("570 M", iter([("multiply-adds", 568_740_352)]))
    """
    value = parse_count(printed)
    number, _, unit = printed.partition(" ")
    step = parse_count(f"1 {unit}".strip()) / 10 ** len(number.partition(".")[2])
    for name, exact in candidates:
        if 2 * abs(exact - value) <= step or value == Fraction(exact // step) * step:
            return name, exact
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure as a source prints it, and what it stands for; ``exact`` is None where no convention here gives it."""

    source: str
    figure: str
    printed: str
    exact: int | None
    convention: str
    note: str


def published_figures(network: Network) -> Iterator[Figure]:
    """Each figure that the network's sources print, with the first convention that gives it."""
    for each in network.published:
        for figure, printed, candidates in (("params", each.params, _params), ("macs", each.macs, _macs)):
            if printed is None:
                continue
            convention, exact = explained(printed, candidates(network)) or ("of another count: see the note", None)
            yield Figure(
                source=each.source, figure=figure, printed=printed, exact=exact, convention=convention,
                note=each.note or "",
            )  # fmt: skip


def published_conventions_answer(network: Network) -> dict[str, Any]:
    """The published figures for programs."""
    figures = [asdict(each) for each in published_figures(network)]
    return {"schema": 1, "kind": "published", "name": network.name, "figures": figures}


def published_conventions_table(network: Network) -> Table:
    """Each figure that the network's sources print, what it stands for, and that number in full."""
    return Table(
        name="published",
        title=f"{network.name}, what its published figures stand for",
        columns=(
            Column(key="source", title="Source"),
            Column(key="figure", title="Figure"),
            Column(key="printed", title="Printed", kind="count"),
            Column(key="exact", title="Exact", kind="count"),
            Column(key="convention", title="Convention"),
            Column(key="note", title="Note", rank=1),
        ),
        rows=tuple(
            Row(cells=(each.source, each.figure, each.printed, each.exact, each.convention, each.note))
            for each in published_figures(network)
        ),
        caption="Published figures as their sources print them, rounded or rounded down.",
    )
