"""Which convention a published figure of a network follows, as a table and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from sepcalc.conventions.counters import COUNTERS
from sepcalc.conventions.tables import reconcile_all
from sepcalc.core.network import NORM_PARAMS, Convolution, Layer, Network
from sepcalc.core.parsing import parse_count
from sepcalc.core.table import Column, Row, Table


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
