"""The tables that answer for a network: its layers, its stages, its totals, what its sources print."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from math import prod
from typing import Any, Literal

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.network import AS_WRITTEN, Convolution, Cost, Layer, Network, Operator, WhatIf, total
from sepcalc.core.spec import ConvSpec
from sepcalc.core.table import (
    COUNTING_RULE,
    PARAMS_RULE,
    REDUCTION_RULE,
    Cell,
    Column,
    Kind,
    Row,
    Table,
    families,
    first_few,
)
from sepcalc.core.variants import choose

_SHOWN = ("name", "type", "input", "output", "params", "macs", "macs_share")
_SHOWN_GROUPED = ("name", "layers", "output", "params", "macs", "macs_share")
"""Columns that are there unasked, of layers and of layers added up by block."""

STAGES_RULE = "Stages: weights and biases alone; the norms after them are in their layer's row."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What a row shows: a layer, one of its stages, or a sum of layers."""

    name: str
    params: int
    macs: int | None
    label: str = ""
    input: Cell = ""
    output: Cell = ""
    kernel: Cell = ""
    stride: Cell = ""
    groups: Cell = ""
    layers: Cell = 1
    rewritten: tuple[Cost | None, ...] = ()
    """The cost with each variant in the place of what is written; None where nothing is rewritten."""
    so_far: tuple[Cost, ...] = ()
    """What everything up to and with this costs: as written, then with each variant."""


def _of_layer(layer: Layer, rewritten: tuple[Cost | None, ...]) -> _Line:
    cost = layer.cost
    spec = layer.spec if isinstance(layer, Convolution) else None
    return _Line(
        name=layer.name,
        label=layer.label,
        input=layer.input.shape,
        output=layer.output.shape,
        params=cost.params,
        macs=None if isinstance(layer, Operator) and not layer.counted else cost.macs,
        kernel=layer.kernel or "",
        stride=spec.stride if spec else "",
        groups=spec.groups if spec else "",
        rewritten=rewritten,
    )


def _of_stage(layer: Convolution, stage: ConvSpec) -> _Line:
    return _Line(
        name=stage.kind,
        input=(stage.c_in, *(stage.size or ())),
        output=(stage.c_out, *(stage.out_size or ())),
        params=stage.params if layer.shares is None else 0,
        macs=stage.macs * layer.batch,
        kernel=stage.kernel,
        stride=stage.stride,
        groups=stage.groups,
        layers="",
    )


def _of_sum(name: str, layers: Sequence[_Counted]) -> _Line:
    cost = total(layer.cost for layer, _ in layers)
    rewritten = zip(*(each for _, each in layers), strict=True)
    return _Line(
        name=name,
        params=cost.params,
        macs=cost.macs,
        layers=len(layers),
        rewritten=tuple(_rewritten_sum([layer for layer, _ in layers], costs) for costs in rewritten),
    )


def _rewritten_sum(layers: Sequence[Layer], costs: Sequence[Cost | None]) -> Cost | None:
    """What layers cost together where some are rewritten; the others stay as written."""
    if all(cost is None for cost in costs):
        return None
    return total(layer.cost if cost is None else cost for layer, cost in zip(layers, costs, strict=True))


_Counted = tuple[Layer, tuple[Cost | None, ...]]
"""A layer, and what it costs with each variant in its place."""

Figure = Callable[[_Line], Cell]


def _figures(whole: Cost, what_ifs: Sequence[WhatIf] = ()) -> tuple[tuple[Column, Figure], ...]:
    """Every column of a network's table, with the figure that it shows."""

    def share(part: int | None, sum_: int) -> Cell:
        return None if part is None or not sum_ else Fraction(part, sum_)

    return (
        (Column(key="name", title="Layer"), lambda line: line.name),
        (Column(key="type", title="Type", rank=3), lambda line: line.label),
        (Column(key="input", title="Input", kind="size", rank=5), lambda line: line.input),
        (Column(key="output", title="Output", kind="size", rank=4), lambda line: line.output),
        (Column(key="params", title="Params", kind="count"), lambda line: line.params),
        (Column(key="macs", title="MACs", kind="count"), lambda line: line.macs),
        (Column(key="macs_share", title="Share", kind="share", rank=2), lambda line: share(line.macs, whole.macs)),
        (Column(key="params_share", title="Params share", kind="share", rank=6),
         lambda line: share(line.params, whole.params)),
        (Column(key="flops", title="FLOPs", kind="count", rank=6),
         lambda line: None if line.macs is None else 2 * line.macs),
        (Column(key="kernel", title="Kernel", kind="size", rank=6), lambda line: line.kernel),
        (Column(key="stride", title="Stride", kind="size", rank=6), lambda line: line.stride),
        (Column(key="groups", title="Groups", kind="count", rank=6), lambda line: line.groups),
        (Column(key="layers", title="Layers", kind="count", rank=6), lambda line: line.layers),
        *_cumulative(what_ifs),
        *_reduction(what_ifs),
        *(figure for place, each in enumerate(what_ifs) for figure in _rewritten_figures(each.variant.name, place)),
    )  # fmt: skip


def _cumulative(what_ifs: Sequence[WhatIf]) -> Iterator[tuple[Column, Figure]]:
    """What the network costs up to a layer, as written and with each variant."""

    def figure(place: int, count: str) -> Figure:
        return lambda line: getattr(line.so_far[place], count) if line.so_far else ""

    for place, name in enumerate(("", *(f":{each.variant.name}" for each in what_ifs)) if what_ifs else ()):
        for count, title in (("params", "Params"), ("macs", "MACs")):
            heading = f"{title} so far{name.replace(':', ', ')}"
            yield Column(key=f"{count}_cumulative{name}", title=heading, kind="count", rank=6), figure(place, count)


def _reduction(what_ifs: Sequence[WhatIf]) -> Iterator[tuple[Column, Figure]]:
    """What the first variant beside the reference saves, under a short name."""
    if len(what_ifs) > 1:
        column, figure = _rewritten_figures(what_ifs[1].variant.name, 1)[-1]
        yield replace(column, key="reduction", title="Reduction"), figure


def _rewritten_figures(variant: str, place: int) -> tuple[tuple[Column, Figure], ...]:
    """The cost of a layer as a variant, and what that saves against the reference, the first of all variants."""

    def figure(read: Callable[[Cost, Cost], Cell]) -> Figure:
        def read_line(line: _Line) -> Cell:
            if not line.rewritten:
                return ""
            cost, dense = line.rewritten[place], line.rewritten[0]
            return None if cost is None or dense is None else read(cost, dense)

        return read_line

    def column(key: str, title: str, kind: Kind, rank: int, rule: str = "") -> Column:
        return Column(key=f"{key}:{variant}", title=f"{title}, {variant}", kind=kind, rank=rank, rule=rule)

    rule = f"Reduction: MACs as standard / as {variant}."
    costs = (
        (column("params", "Params", "count", 7), figure(lambda cost, _: cost.params)),
        (column("macs", "MACs", "count", 7), figure(lambda cost, _: cost.macs)),
    )
    saved = figure(lambda cost, dense: _ratio(dense.macs, cost.macs))
    return (*costs, (column("reduction", "Reduction", "reduction", 1, rule), saved)) if place else costs


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A row of the body: the layers that it stands for, and its parts."""

    line: _Line
    layers: tuple[_Counted, ...]
    parts: tuple[_Line, ...] = ()


def _counted(network: Network, what_ifs: Sequence[WhatIf]) -> tuple[_Counted, ...]:
    if not what_ifs:
        return tuple((layer, ()) for layer in network.layers)
    return tuple(zip(network.layers, zip(*(each.layers for each in what_ifs), strict=True), strict=True))


def _layer_entries(layers: Iterable[_Counted], *, stages: bool) -> Iterator[_Entry]:
    for counted in layers:
        layer, rewritten = counted
        parts = _parts(layer) if stages and isinstance(layer, Convolution) else ()
        yield _Entry(line=_of_layer(layer, rewritten), layers=(counted,), parts=parts)


def _parts(layer: Convolution) -> tuple[_Line, ...]:
    """The stages of a layer that has several."""
    stages = layer.stages
    return tuple(_of_stage(layer, stage) for stage in stages) if len(stages) > 1 else ()


def _block_entries(counted: Iterable[_Counted]) -> Iterator[_Entry]:
    """Layers whose names agree up to the first dot, added up."""
    for name, group in groupby(counted, lambda each: each[0].name.split(".")[0]):
        layers = tuple(group)
        line = replace(_of_sum(name, layers), input=layers[0][0].input.shape, output=layers[-1][0].output.shape)
        yield _Entry(line=line, layers=layers)


def _added_up(entries: Iterable[_Entry], what_ifs: Sequence[WhatIf]) -> Iterator[_Entry]:
    """The same entries, each with what everything up to and with it costs."""
    sums: tuple[Cost, ...] = (Cost(),) * (len(what_ifs) + 1)
    for entry in entries:
        written = Cost(params=entry.line.params, macs=entry.line.macs or 0)
        costs = (written, *(written if each is None else each for each in entry.line.rewritten))
        sums = tuple(total(pair) for pair in zip(sums, costs, strict=True))
        yield replace(entry, line=replace(entry.line, so_far=sums))


def network_tables(network: Network) -> tuple[Table, ...]:
    """One row per layer; and one for the network as written and as each of the first three variants."""
    return network_table(network), totals_table(network)


def network_table(
    network: Network,
    what_ifs: Sequence[WhatIf] = (),
    *,
    group: bool = False,
    stages: bool = False,
    sort: str | None = None,
    top: int | None = None,
) -> Table:
    """One row per layer, or per block if ``group``, and the sum at the end.

    ``what_ifs``, the reference first, add extra columns with what each layer costs as each variant, ``macs:VARIANT``,
    and how much that saves, ``reduction:VARIANT``, that of the first variant but the reference also as ``reduction``;
    and with what the network costs up to each layer, ``macs_cumulative``, ``macs_cumulative:VARIANT``.
    ``stages`` shows those of each rewritten layer below it. ``sort`` names the column to order by, largest
    first; ``top`` keeps that many rows (those of the most multiply-adds unless sorted otherwise) and adds
    up the others.

    Raises :class:`SepcalcError` for an unknown column.
    """
    shown = _SHOWN_GROUPED if group else _SHOWN
    figures = sorted(_figures(network.cost, what_ifs), key=lambda figure: _order(shown, figure[0].key))
    counted = _counted(network, what_ifs)
    entries = list(_block_entries(counted) if group else _layer_entries(counted, stages=stages))
    if what_ifs:
        entries = list(_added_up(entries, what_ifs))
    if sort is not None or top is not None:
        entries = _sorted(entries, figures, sort or "macs")
    kept = entries if top is None else entries[:top]
    rows = []
    for entry in kept:
        rows.append(_row(figures, entry.line))
        rows += [_row(figures, part, "part") for part in entry.parts]
    if others := entries[len(kept) :]:
        layers = [layer for entry in others for layer in entry.layers]
        rows.append(_row(figures, _of_sum(f"{len(others):,} others", layers)))
    rows.append(_row(figures, _of_sum("total", counted), "total"))
    return Table(
        name="layers",
        title=network.title,
        columns=tuple(replace(column, extra=column.key not in shown) for column, _ in figures),
        rows=tuple(rows),
        caption=f"{COUNTING_RULE} {PARAMS_RULE}" + (f" {STAGES_RULE}" if stages else ""),
        notes=tuple(uncounted_notes(network)),
    )


def _order(shown: Sequence[str], key: str) -> int:
    """Columns that are shown come first, in their order."""
    return shown.index(key) if key in shown else len(shown)


def _row(figures: Sequence[tuple[Column, Figure]], line: _Line, role: Literal["body", "part", "total"] = "body") -> Row:
    return Row(cells=tuple(figure(line) for _, figure in figures), role=role)


def _sorted(entries: list[_Entry], figures: Sequence[tuple[Column, Figure]], key: str) -> list[_Entry]:
    """By the figure called ``key``: numbers from the largest, text from A, what has none at the end."""
    known = {column.key: (column, figure) for column, figure in figures}
    if key not in known:
        raise SepcalcError(f"unknown column '{key}'{closest(key, known, families(known))}")
    column, figure = known[key]
    have = [entry for entry in entries if figure(entry.line) not in (None, "")]
    none = [entry for entry in entries if figure(entry.line) in (None, "")]
    order: Callable[[_Entry], Any] = lambda entry: figure(entry.line)  # noqa: E731 (it needs its type)
    if column.kind == "size":
        order = lambda entry: prod(figure(entry.line))  # type: ignore[arg-type]  # noqa: E731
    return sorted(have, key=order, reverse=column.kind != "text") + none


def uncounted_notes(network: Network) -> Iterator[str]:
    """What is missing from every total, by name."""
    for layer in network.uncounted:
        yield f"uncounted, and missing from every total: {layer.name} ({layer.type})."


_VARIANT = Column(key="variant", title="Variant")
_PARAMS = Column(key="params", title="Params", kind="count")
_MACS = Column(key="macs", title="MACs", kind="count")
_CONVERTED = Column(
    key="converted", title="Layers", kind="count", rank=3, rule="Layers: how many are written as the variant then."
)


def totals_table(network: Network, what_ifs: Sequence[WhatIf] = ()) -> Table:
    """The network as written, and with each variant in its place; reductions are against ``standard``.

    The first of ``what_ifs`` is the reference; the first three variants if there are none.
    """
    what_ifs = what_ifs or [network.what_if(each) for each in choose()]
    standard = what_ifs[0].cost
    rows: list[tuple[str, Cost, Cell]] = [
        (AS_WRITTEN, network.cost, ""),
        *((each.variant.name, each.cost, each.converted) for each in what_ifs),
    ]
    return Table(
        name="totals",
        title=f"{network.name}, every convertible layer as each variant",
        columns=(
            _VARIANT,
            _PARAMS,
            _MACS,
            Column(key="params_reduction", title="Params reduction", kind="reduction", rank=2, rule=REDUCTION_RULE),
            Column(key="macs_reduction", title="MACs reduction", kind="reduction", rank=1, rule=REDUCTION_RULE),
            _CONVERTED,
        ),
        rows=tuple(
            Row(
                cells=(
                    name,
                    cost.params,
                    cost.macs,
                    _ratio(standard.params, cost.params),
                    _ratio(standard.macs, cost.macs),
                    converted,
                )
            )
            for name, cost, converted in rows
        ),
        caption=f"{COUNTING_RULE} {PARAMS_RULE}",
        notes=(*_refused_notes(what_ifs), *uncounted_notes(network)),
    )


def what_if_tables(what_if: WhatIf) -> tuple[Table, ...]:
    """What a network costs with one variant in every layer that was chosen and can take it."""
    table = Table(
        name="what-if",
        title=f"Every chosen layer as {what_if.variant.name}",
        columns=(_VARIANT, _PARAMS, _MACS, _CONVERTED),
        rows=(Row(cells=(what_if.variant.name, what_if.cost.params, what_if.cost.macs, what_if.converted)),),
        caption=f"{COUNTING_RULE} {PARAMS_RULE}",
        notes=tuple(_refused_notes([what_if])),
    )
    return (table,)


def _ratio(above: int, below: int) -> Fraction | None:
    return Fraction(above, below) if below else None


def _refused_notes(what_ifs: Iterable[WhatIf]) -> Iterator[str]:
    for each in what_ifs:
        if not each.refused:
            continue
        by_reason: dict[str, list[str]] = {}
        for name, reason in each.refused:
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            yield f"{each.variant.name} leaves {first_few(names)} as written: {reason}."


def published_table(network: Network) -> Table | None:
    """What the network's sources print, beside what is computed here; None where it has no such figures."""
    if not network.published:
        return None
    cost = network.cost
    return Table(
        name="published",
        title=f"{network.name}, as published",
        columns=(
            Column(key="source", title="Source"),
            _PARAMS,
            _MACS,
            Column(key="note", title="Note", rank=1),
        ),
        rows=(
            Row(cells=("computed here", cost.params, cost.macs, "")),
            *(Row(cells=(each.source, each.params, each.macs, each.note or "")) for each in network.published),
        ),
        caption="Published figures as their sources print them.",
    )


def comparison_table(networks: Sequence[Network], *, element_bytes: int = 4) -> Table:
    """One row per network; reductions are against the first."""
    first = networks[0].cost
    reduction = f"Reduction: {networks[0].name} / network."
    moved = (
        "FLOP/byte: input, weights and output of each convolution and linear layer moved once, "
        f"{element_bytes} bytes per element."
    )
    return Table(
        name="comparison",
        title=f"{networks[0].name} and others" if len(networks) > 1 else networks[0].name,
        columns=(
            Column(key="name", title="Network"),
            Column(key="input", title="Input", kind="size", rank=4),
            _PARAMS,
            _MACS,
            Column(
                key="activations",
                title="Activations",
                kind="count",
                rank=5,
                rule="Activations: elements that convolutions and linear layers write.",
            ),
            Column(key="intensity", title="FLOP/byte", kind="quotient", rank=3, rule=moved),
            Column(key="params_reduction", title="Params reduction", kind="reduction", rank=2, rule=reduction),
            Column(key="macs_reduction", title="MACs reduction", kind="reduction", rank=1, rule=reduction),
        ),
        rows=tuple(
            Row(
                cells=(
                    each.name,
                    each.input.shape if each.input else "",
                    each.cost.params,
                    each.cost.macs,
                    each.activations,
                    each.intensity(element_bytes),
                    _ratio(first.params, each.cost.params),
                    _ratio(first.macs, each.cost.macs),
                )
            )
            for each in networks
        ),
        caption=f"{COUNTING_RULE} {PARAMS_RULE}",
        notes=tuple(f"{each.name}: {note}" for each in networks for note in _missing_notes(each, element_bytes)),
    )


def _missing_notes(network: Network, element_bytes: int) -> Iterator[str]:
    yield from uncounted_notes(network)
    if network.traffic_bytes(element_bytes) is None:
        yield "products of activations, such as attention, move an unknown number of bytes, so it has no FLOP/byte."


def bundled_table(networks: Mapping[str, Network]) -> Table:
    """The networks that come with the program, by the name under which they are found."""
    return Table(
        name="bundled",
        title="Bundled networks",
        columns=(
            Column(key="name", title="Name"),
            Column(key="input", title="Input", kind="size", rank=2),
            _PARAMS,
            _MACS,
            Column(key="source", title="Source", rank=1),
        ),
        rows=tuple(
            Row(cells=(name, each.input.shape if each.input else None, each.cost.params, each.cost.macs, each.source))
            for name, each in networks.items()
        ),
        caption=f"{COUNTING_RULE} {PARAMS_RULE}",
    )
