"""The tables about networks: layers and stages, totals, published figures, a comparison, the bundled networks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby, repeat
from math import prod
from typing import Any, NamedTuple

from sepcalc.core.layers import Convolution, Cost, Layer, Operator, total
from sepcalc.core.network import AS_WRITTEN, CHEAPEST, Network, WhatIf
from sepcalc.core.spec import ConvSpec
from sepcalc.core.table import CAPTION, REDUCTION_RULE, Cell, Field, Role, Table, by_key, fill_table, first_few, lookup
from sepcalc.core.variants import choose

STAGES_RULE = "Stages: weights and biases alone; the norms after them are in their layer's row."


class Line(NamedTuple):
    """The figures of a layer, of one of its stages, or of a sum of layers."""

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
    """The cost as each variant; None where the variant rewrites nothing."""
    so_far: tuple[Cost, ...] = ()
    """The cost of all layers up to this one, it included: as written, then as each variant."""


def line_of(layer: Layer, rewritten: tuple[Cost | None, ...] = ()) -> Line:
    """The figures of a layer."""
    cost = layer.cost
    stride, groups = (layer.spec.stride, layer.spec.groups) if isinstance(layer, Convolution) else ("", "")
    macs = None if isinstance(layer, Operator) and not layer.counted else cost.macs
    sizes = layer.input.shape, layer.output.shape, layer.kernel or ""
    return Line(layer.name, cost.params, macs, layer.label, *sizes, stride, groups, 1, rewritten)


def _of_stage(layer: Convolution, stage: ConvSpec) -> Line:
    params, macs = stage.params if layer.shares is None else 0, stage.macs * layer.batch
    sizes = (stage.c_in, *(stage.size or ())), (stage.c_out, *(stage.out_size or ())), stage.kernel
    return Line(stage.kind, params, macs, "", *sizes, stage.stride, stage.groups, layers="")


def _of_sum(name: str, layers: Sequence[_Counted]) -> Line:
    """The sums of the layers' figures: as written, and with each variant in the layers that it rewrites."""
    written = [layer.cost for layer, _ in layers]
    cost = total(written)
    rewritten = tuple(
        total(new or old for new, old in zip(costs, written, strict=True)) if any(costs) else None
        for costs in zip(*(costs for _, costs in layers), strict=True)
    )
    return Line(name, cost.params, cost.macs, layers=len(layers), rewritten=rewritten)


_Counted = tuple[Layer, tuple[Cost | None, ...]]
"""A layer, and its cost as each variant."""


class NetworkRow(NamedTuple):
    """A row's figures, and the cost of the whole network."""

    line: Line
    whole: Cost
    role: Role = "body"


def _ratio(above: int | None, below: int) -> Fraction | None:
    return Fraction(above, below) if below and above is not None else None


_LAYERS = ("layers",)

FIELDS: dict[str, Field[NetworkRow]] = by_key(
    Field(key="name", title="Layer", figure=lambda row: row.line.name),
    Field(key="type", title="Type", rank=3, shown=_LAYERS, figure=lambda row: row.line.label),
    Field(key="input", title="Input", kind="size", rank=5, shown=_LAYERS, figure=lambda row: row.line.input),
    Field(key="output", title="Output", kind="size", rank=4, figure=lambda row: row.line.output),
    Field(key="params", title="Params", kind="count", answer="too", figure=lambda row: row.line.params),
    Field(key="macs", title="MACs", kind="count", answer="too", figure=lambda row: row.line.macs),
    Field(key="macs_share", title="Share", kind="share", rank=2,
          figure=lambda row: _ratio(row.line.macs, row.whole.macs)),
    Field(key="params_share", title="Params share", kind="share", rank=6, shown=(),
          figure=lambda row: _ratio(row.line.params, row.whole.params)),
    Field(key="flops", title="FLOPs", kind="count", rank=6, shown=(),
          figure=lambda row: None if row.line.macs is None else 2 * row.line.macs),
    Field(key="kernel", title="Kernel", kind="size", rank=6, shown=(), figure=lambda row: row.line.kernel),
    Field(key="stride", title="Stride", kind="size", rank=6, shown=(), figure=lambda row: row.line.stride),
    Field(key="groups", title="Groups", kind="count", rank=6, shown=(), figure=lambda row: row.line.groups),
    Field(key="layers", title="Layers", kind="count", rank=6, shown=("blocks",), figure=lambda row: row.line.layers),
)  # fmt: skip
"""The columns of a network's ``layers``, or of its ``blocks``."""


def _what_if_fields(what_ifs: Sequence[WhatIf]) -> Iterator[Field[NetworkRow]]:
    """The cost up to a layer and as each variant, and the savings; the first is also called ``reduction``."""
    names = [what_if.variant.name for what_if in what_ifs]
    for place, name in enumerate(["", *names] if names else ()):
        yield _cumulative("params", "Params", name, place)
        yield _cumulative("macs", "MACs", name, place)
    if names[1:]:
        shown = None if len(names) == 2 else ()
        yield replace(_saved(names[1], 1), key="reduction", title="Reduction", shown=shown)
    for place, name in enumerate(names):
        yield _rewritten("params", "Params", name, place, lambda cost, _: cost.params)
        yield _rewritten("macs", "MACs", name, place, lambda cost, _: cost.macs)
        if place:
            yield _saved(name, place)


def _cumulative(count: str, title: str, variant: str, place: int) -> Field[NetworkRow]:
    """The sum of a count up to a layer, as written or as a variant."""

    def figure(row: NetworkRow) -> Cell:
        return getattr(row.line.so_far[place], count) if row.line.so_far else ""

    key, title = f"{count}_cumulative{variant and ':'}{variant}", f"{title} so far{variant and ', '}{variant}"
    return Field(key=key, title=title, kind="count", rank=6, shown=(), figure=figure)


def _rewritten(
    count: str, title: str, variant: str, place: int, read: Callable[[Cost, Cost], Cell]
) -> Field[NetworkRow]:
    """``read`` of a layer's cost as the variant and as the reference, the first of all variants."""

    def figure(row: NetworkRow) -> Cell:
        costs = row.line.rewritten
        if not costs:
            return ""
        cost, dense = costs[place], costs[0]
        return None if cost is None or dense is None else read(cost, dense)

    return Field(key=f"{count}:{variant}", title=f"{title}, {variant}", kind="count", rank=7, shown=(), figure=figure)


def _saved(variant: str, place: int) -> Field[NetworkRow]:
    ratio = _rewritten("reduction", "Reduction", variant, place, lambda cost, dense: _ratio(dense.macs, cost.macs))
    return replace(ratio, kind="reduction", rank=1, rule=f"Reduction: MACs as standard / as {variant}.")


class _Entry(NamedTuple):
    """A row of the body: its figures, the layers in it, and its parts."""

    line: Line
    layers: tuple[_Counted, ...]
    parts: Sequence[Line] = ()


def _layer_entries(layers: Iterable[_Counted], *, stages: bool) -> Iterator[_Entry]:
    for counted in layers:
        layer, rewritten = counted
        parts = [_of_stage(layer, stage) for stage in layer.stages] if stages and isinstance(layer, Convolution) else []
        yield _Entry(line_of(layer, rewritten), (counted,), parts if len(parts) > 1 else ())


def _block_entries(counted: Iterable[_Counted]) -> Iterator[_Entry]:
    """Layers whose names agree up to the first dot, added up."""
    for name, group in groupby(counted, lambda pair: pair[0].name.split(".")[0]):
        layers = tuple(group)
        line = _of_sum(name, layers)._replace(input=layers[0][0].input.shape, output=layers[-1][0].output.shape)
        yield _Entry(line, layers)


def _added_up(entries: Iterable[_Entry], what_ifs: Sequence[WhatIf]) -> Iterator[_Entry]:
    """The same entries with the costs so far."""
    sums: tuple[Cost, ...] = (Cost(),) * (len(what_ifs) + 1)
    for entry in entries:
        written = Cost(params=entry.line.params, macs=entry.line.macs or 0)
        costs = (written, *(written if cost is None else cost for cost in entry.line.rewritten))
        sums = tuple(total(pair) for pair in zip(sums, costs, strict=True))
        yield entry._replace(line=entry.line._replace(so_far=sums))


def network_tables(network: Network) -> tuple[Table, ...]:
    """A table with a row per layer; and one with a row for the network as written and as each of three variants."""
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

    ``what_ifs``, the reference first, add columns on demand: a layer's cost as each variant (``macs:VARIANT``), its
    saving (``reduction:VARIANT``, and ``reduction`` for the variant after the reference), and the cost up to a layer
    (``macs_cumulative``, ``macs_cumulative:VARIANT``). ``stages`` stand below their layer. ``sort`` names the column to
    order by, numbers from the largest. ``top`` keeps the first rows (by multiply-adds without ``sort``) and adds up the
    others.

    Raises :class:`SepcalcError` for an unknown column.
    """
    form = "blocks" if group else "layers"
    # Columns that are shown come first; in blocks, the number of layers stands beside the name.
    fields = [*FIELDS.values(), *_what_if_fields(what_ifs)]
    fields.sort(key=lambda field: (not field.is_shown(form), group and field.key not in ("name", "layers")))
    rewritten = zip(*(what_if.layers for what_if in what_ifs), strict=True) if what_ifs else repeat(())
    counted: tuple[_Counted, ...] = tuple(zip(network.layers, rewritten, strict=False))
    entries = list(_block_entries(counted) if group else _layer_entries(counted, stages=stages))
    if what_ifs:
        entries = list(_added_up(entries, what_ifs))
    whole = network.cost
    if sort is not None or top is not None:
        entries = _sorted(entries, fields, sort or "macs", whole)
    several = any(entry.parts for entry in entries)
    caption = f"{CAPTION} {STAGES_RULE}" if several else CAPTION
    none = (f"No layer of {network.name} is written in several stages.",) if stages and not several else ()
    table = Table(name="layers", title=network.title, caption=caption, notes=(*none, *uncounted_notes(network)))
    rows = _rows(entries, len(entries) if top is None else top, counted, whole)
    return fill_table(table, fields, rows, role=lambda row: row.role, form=form)


def _rows(entries: Sequence[_Entry], most: int, counted: Sequence[_Counted], whole: Cost) -> Iterator[NetworkRow]:
    """The first ``most`` entries with their parts, the sum of the others, and the sum of all."""
    for entry in entries[:most]:
        yield NetworkRow(entry.line, whole)
        yield from (NetworkRow(part, whole, "part") for part in entry.parts)
    if others := entries[most:]:
        layers = [layer for entry in others for layer in entry.layers]
        yield NetworkRow(_of_sum(f"{len(others):,} others", layers), whole)
    yield NetworkRow(_of_sum("total", counted), whole, "total")


def _sorted(entries: list[_Entry], fields: Iterable[Field[NetworkRow]], key: str, whole: Cost) -> list[_Entry]:
    """The entries by the figure called ``key``: numbers from the largest, text from A, those without one at the end."""
    field = lookup(key, by_key(*fields))

    def figure(entry: _Entry) -> Any:
        return field.figure(NetworkRow(entry.line, whole))

    have = [entry for entry in entries if figure(entry) not in (None, "")]
    none = [entry for entry in entries if figure(entry) in (None, "")]
    order = (lambda entry: prod(figure(entry))) if field.kind == "size" else figure
    return sorted(have, key=order, reverse=field.kind != "text") + none


def uncounted_notes(network: Network) -> Iterator[str]:
    """A note on each layer that is missing from every total."""
    for layer in network.uncounted:
        yield f"uncounted, and missing from every total: {layer.name} ({layer.type})."


class TotalsRow(NamedTuple):
    """A form of a network: its cost, the number of layers in that form, and the cost of the reference."""

    name: str
    cost: Cost
    converted: Cell
    standard: Cost


TOTALS: dict[str, Field[TotalsRow]] = by_key(
    Field(key="variant", title="Variant", figure=lambda row: row.name,
          rule="cheapest: each convolution in the form above that has the fewest MACs."),
    Field(key="params", title="Params", kind="count", answer="too", figure=lambda row: row.cost.params),
    Field(key="macs", title="MACs", kind="count", answer="too", figure=lambda row: row.cost.macs),
    Field(key="params_reduction", title="Params reduction", kind="reduction", rank=2, rule=REDUCTION_RULE,
          figure=lambda row: _ratio(row.standard.params, row.cost.params)),
    Field(key="macs_reduction", title="MACs reduction", kind="reduction", rank=1, rule=REDUCTION_RULE,
          figure=lambda row: _ratio(row.standard.macs, row.cost.macs)),
    Field(key="converted", title="Layers", kind="count", rank=3,
          rule="Layers: convolutions in this form (cheapest: that change); a depthwise and its pointwise are one.",
          figure=lambda row: row.converted),
)  # fmt: skip


def totals_rows(network: Network, what_ifs: Sequence[WhatIf]) -> Iterator[TotalsRow]:
    """Rows for the network as written, as each of ``what_ifs``, the reference first, and in the cheapest forms."""
    written = network.cost
    standard = what_ifs[0].cost if what_ifs else written
    yield TotalsRow(AS_WRITTEN, written, "", standard)
    for what_if in what_ifs:
        yield TotalsRow(what_if.variant.name, what_if.cost, what_if.converted, standard)
    if what_ifs:
        yield TotalsRow(CHEAPEST, *network.cheapest(what_ifs), standard)


def totals_table(network: Network, what_ifs: Sequence[WhatIf] = ()) -> Table:
    """One row for the network as written, one as each of ``what_ifs``, and one in the cheapest forms.

    Reductions are against the first of ``what_ifs``. Without any, they are the first three variants.
    """
    what_ifs = what_ifs or [network.what_if(variant) for variant in choose()] if network.units else ()
    title = f"{network.name}, every convertible layer as each variant"
    none = () if network.units else (f"{network.name} has no convolution that another variant could replace.",)
    notes = (*none, *_refused_notes(what_ifs), *uncounted_notes(network))
    table = Table(name="totals", title=title, caption=CAPTION, notes=notes)
    return fill_table(table, TOTALS.values(), totals_rows(network, what_ifs))


def what_if_tables(what_if: WhatIf) -> tuple[Table, ...]:
    """The one table of a what-if: the network's cost in that form."""
    title, notes = f"Every chosen layer as {what_if.variant.name}", tuple(_refused_notes([what_if]))
    table = Table(name="what-if", title=title, caption=CAPTION, notes=notes)
    row = TotalsRow(what_if.variant.name, what_if.cost, what_if.converted, what_if.cost)
    fields = [TOTALS[key] for key in ("variant", "params", "macs", "converted")]
    return (fill_table(table, fields, [row]),)


def _refused_notes(what_ifs: Iterable[WhatIf]) -> Iterator[str]:
    for what_if in what_ifs:
        by_reason: dict[str, list[str]] = {}
        for name, reason in what_if.refused:
            by_reason.setdefault(reason, []).append(name)
        for reason, names in by_reason.items():
            yield f"{what_if.variant.name} leaves {first_few(names)} as written: {reason}."


class PublishedRow(NamedTuple):
    """Figures, as printed or exact, with their source and a note on them."""

    source: str
    params: Cell
    macs: Cell
    note: str | None = None


PUBLISHED: dict[str, Field[PublishedRow]] = by_key(
    Field(key="source", title="Source", answer="too", figure=lambda row: row.source),
    Field(key="params", title="Params", kind="count", answer="too", figure=lambda row: row.params),
    Field(key="macs", title="MACs", kind="count", answer="too", figure=lambda row: row.macs),
    Field(key="note", title="Note", rank=1, figure=lambda row: row.note or ""),
)


def published_rows(network: Network) -> list[PublishedRow]:
    """The figures that the network's sources print."""
    return [PublishedRow(figures.source, figures.params, figures.macs, figures.note) for figures in network.published]


def published_table(network: Network) -> Table | None:
    """The figures that sources print beside those computed here; None for a network without published figures."""
    if not network.published:
        return None
    title, caption = f"{network.name}, as published", "Published figures as their sources print them."
    table = Table(name="published", title=title, caption=caption)
    computed = PublishedRow("computed here", network.cost.params, network.cost.macs)
    return fill_table(table, PUBLISHED.values(), [computed, *published_rows(network)])


class ComparedRow(NamedTuple):
    """A network, the cost of the first one, and the bytes of one element."""

    network: Network
    first: Cost
    element_bytes: int


_REDUCTION = "Reduction: {first} / network."

COMPARED: dict[str, Field[ComparedRow]] = by_key(
    Field(key="name", title="Network", figure=lambda row: row.network.name),
    Field(key="input", title="Input", kind="size", rank=4, figure=lambda row: row.network.input_shape or ""),
    Field(key="params", title="Params", kind="count", answer="too", figure=lambda row: row.network.cost.params),
    Field(key="macs", title="MACs", kind="count", answer="too", figure=lambda row: row.network.cost.macs),
    Field(key="activations", title="Activations", kind="count", rank=5, answer="too",
          rule="Activations: elements that convolutions and linear layers write.",
          figure=lambda row: row.network.activations),
    Field(key="traffic_bytes", title="Traffic", kind="bytes", answer="alone",
          figure=lambda row: row.network.traffic_bytes(row.element_bytes)),
    Field(key="intensity", title="FLOP/byte", kind="quotient", rank=3, answer="too",
          rule="FLOP/byte: input, weights and output of each convolution and linear layer moved once, "
               "{element_bytes} bytes per element.",
          figure=lambda row: row.network.intensity(row.element_bytes)),
    Field(key="params_reduction", title="Params reduction", kind="reduction", rank=2, rule=_REDUCTION, answer="too",
          figure=lambda row: _ratio(row.first.params, row.network.cost.params)),
    Field(key="macs_reduction", title="MACs reduction", kind="reduction", rank=1, rule=_REDUCTION, answer="too",
          figure=lambda row: _ratio(row.first.macs, row.network.cost.macs)),
)  # fmt: skip


def comparison_table(networks: Sequence[Network], *, element_bytes: int = 4) -> Table:
    """One row per network; reductions are against the first."""
    first = networks[0]
    title = f"{first.name} and others" if len(networks) > 1 else first.name
    notes = tuple(f"{network.name}: {note}" for network in networks for note in _missing_notes(network, element_bytes))
    table = Table(name="comparison", title=title, caption=CAPTION, notes=notes)
    rows = (ComparedRow(network, first.cost, element_bytes) for network in networks)
    return fill_table(table, COMPARED.values(), rows, facts={"first": first.name, "element_bytes": element_bytes})


def _missing_notes(network: Network, element_bytes: int) -> Iterator[str]:
    yield from uncounted_notes(network)
    if network.traffic_bytes(element_bytes) is None:
        yield "products of activations, such as attention, move an unknown number of bytes, so it has no FLOP/byte."


BUNDLED: dict[str, Field[tuple[str, Network]]] = by_key(
    Field(key="name", title="Name", figure=lambda row: row[0]),
    Field(key="input", title="Input", kind="size", rank=2, figure=lambda row: row[1].input_shape),
    Field(key="params", title="Params", kind="count", figure=lambda row: row[1].cost.params),
    Field(key="macs", title="MACs", kind="count", figure=lambda row: row[1].cost.macs),
    Field(key="source", title="Source", rank=1, figure=lambda row: row[1].source),
)


def bundled_table(networks: Mapping[str, Network]) -> Table:
    """One row per network that comes with the program; ``networks`` has them by the names that commands take."""
    table = Table(name="bundled", title="Bundled networks", caption=CAPTION)
    return fill_table(table, BUNDLED.values(), networks.items())
