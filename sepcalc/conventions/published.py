"""Which convention a published figure of a network follows, as a table and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from sepcalc.conventions.counters import COUNTERS
from sepcalc.conventions.tables import reconcile_all
from sepcalc.core.layers import NORM_PARAMS, Convolution, Layer
from sepcalc.core.network import Network
from sepcalc.core.parsing import parse_count
from sepcalc.core.table import SCHEMA, Field, Table, answer_of, by_key, fill_table


def _batch_norm_params(layer: Layer) -> int:
    if not isinstance(layer, Convolution):
        return layer.params if layer.type == "batch_norm" else 0
    stages = layer.stages if layer.between == "all" else layer.stages[-1:]
    return NORM_PARAMS["batch"] * sum(stage.c_out for stage in stages) if layer.norm == "batch" else 0


def _params(network: Network) -> Iterator[tuple[str, int]]:
    """The numbers that sources print as parameters."""
    params = network.cost.params
    normed = sum(map(_batch_norm_params, network.layers))
    yield "trainable parameters", params
    yield "with the moving statistics of batch norm", params + normed
    yield "without the parameters of batch norm", params - normed


def _macs(network: Network) -> Iterator[tuple[str, int]]:
    """The numbers that sources print as MACs, multiply-adds, FLOPs or operations."""
    macs = network.cost.macs
    linear = sum(layer.cost.macs for layer in network.layers if layer.type == "linear")
    yield "multiply-adds", macs
    yield "FLOPs, two for each multiply-add", 2 * macs
    yield "multiply-adds without linear layers", macs - linear
    for reconciled in reconcile_all(network, None, COUNTERS):
        if reconciled.total is not None:
            yield f"as {reconciled.counter.title} counts", reconciled.total


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


class Identified(NamedTuple):
    """A figure as a source prints it, and its convention; ``exact`` is None where no convention here gives it."""

    source: str
    figure: str
    printed: str
    exact: int | None
    convention: str
    note: str


FIELDS: dict[str, Field[Identified]] = by_key(
    Field(key="source", title="Source", answer="too", figure=lambda row: row.source),
    Field(key="figure", title="Figure", answer="too", figure=lambda row: row.figure),
    Field(key="printed", title="Printed", kind="count", answer="too", figure=lambda row: row.printed),
    Field(key="exact", title="Exact", kind="count", answer="too", figure=lambda row: row.exact),
    Field(key="convention", title="Convention", answer="too", figure=lambda row: row.convention),
    Field(key="note", title="Note", rank=1, answer="too", figure=lambda row: row.note),
)


def published_figures(network: Network) -> Iterator[Identified]:
    """Each figure that the network's sources print, with the first convention that gives it."""
    for published in network.published:
        counts = ("params", published.params, _params), ("macs", published.macs, _macs)
        for figure, printed, candidates in counts:
            if printed is not None:
                convention, exact = explained(printed, candidates(network)) or ("of another count: see the note", None)
                yield Identified(published.source, figure, printed, exact, convention, published.note or "")


def published_conventions_answer(network: Network) -> dict[str, Any]:
    """The content of :func:`published_conventions_table`, as JSON."""
    figures = [answer_of(FIELDS.values(), row) for row in published_figures(network)]
    return {"schema": SCHEMA, "kind": "published", "name": network.name, "figures": figures}


def published_conventions_table(network: Network) -> Table:
    """Each figure that the network's sources print, its convention, and its exact number."""
    table = Table(
        name="published",
        title=f"{network.name}, what its published figures stand for",
        caption="Published figures as their sources print them, rounded or rounded down.",
    )
    return fill_table(table, FIELDS.values(), published_figures(network))
