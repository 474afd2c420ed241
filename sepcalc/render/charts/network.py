"""The chart of a network: what each layer costs along its depth, as written and as each variant, and the sum so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from json import dumps
from typing import NamedTuple

from sepcalc.core.errors import SepcalcError
from sepcalc.core.network import AS_WRITTEN
from sepcalc.core.table import Plain, Row, Table
from sepcalc.render.charts.axes import nice, spread
from sepcalc.render.charts.chart import (
    Chart,
    Layers,
    Record,
    column_of,
    heading,
    need_libraries,
    number,
    page,
    record,
    shown,
)
from sepcalc.render.charts.late import alt, data_of
from sepcalc.render.charts.style import (
    APART,
    AXIS,
    BESIDE,
    DASHES,
    INSIDE,
    NAME_TEXT,
    SI_LABEL,
    SMALL,
    VALUE_TEXT,
    colors,
    first,
)
from sepcalc.render.charts.text import fold, shorten, text_width

DEPTH = INSIDE - AXIS - BESIDE
"""Pixels along the depth of the network."""

BARS, CURVE = 27, 80
"""Pixels of the bars of one variant, and of the curves of all variants."""

NAMES, GAP = 64, 4
"""Pixels of the names below the depth, and between the marks and the words beside them."""

SEPARATE = 90
"""Layers that are drawn as bars with gaps between them; of more of them the outline is drawn."""

MOST = 20_000
"""Layers in one chart; more of them take minutes to draw, and no eye tells them apart."""

COUNTS = {"macs": "MACs", "params": "params"}
"""What is drawn, in this order, and how it is called within a sentence."""


class _Variant(NamedTuple):
    """What is drawn once: a row of the totals, its name, what its columns of layers end in, and its looks."""

    row: Row
    name: str
    suffix: str
    color: str
    dash: tuple[int, ...]


def network_chart(layers: Table, totals: Table) -> Chart:
    """The chart of a network's tables: of its layers or blocks, with the columns of variants, and of its totals.

    Layers keep the order of the table; those without parameters and multiply-adds take no room. Variants with equal
    costs in every layer are drawn once.

    Raises :class:`SepcalcError` for a network with nothing to draw, or with too many layers.
    """
    need_libraries()
    rows = [row for row in layers.to_dicts() if row["role"] == "body"]
    variants = _variants(rows, totals)
    costly = [row for row in rows if any(_cost(row, each, count) for each in variants for count in COUNTS)]
    if len(costly) > MOST:
        raise SepcalcError(
            f"{layers.title}: {len(costly):,} layers are too many for a chart of {MOST:,}; add them up by block"
        )
    if not costly:
        raise SepcalcError(f"{layers.title}: no layer has parameters or multiply-adds, so there is nothing to draw")
    data = [_costs(row, place, each) for place, row in enumerate(costly, start=1) for each in variants]
    ends = _totals(variants, totals)
    names = [str(row["name"]) for row in costly]
    blocks = [_block(layers, count, variants, data, names) for count in COUNTS]
    used = totals.select(("variant", *COUNTS, "params_reduction", "macs_reduction"))
    remarks = (used.legend, *totals.notes)
    return page(alt.vconcat(*blocks, spacing=12), layers.title, remarks, {"layers": data, "totals": ends})


def _variants(rows: Sequence[Record], totals: Table) -> list[_Variant]:
    """Each row of the totals, but those that cost the same in every layer as one."""
    names = [str(row.cells[0]) for row in totals.rows]
    looks = zip(names, colors(names), first(DASHES, len(names)), strict=True)
    found: dict[tuple[Plain, ...], _Variant] = {}
    for row, (name, color, dash) in zip(totals.rows, looks, strict=True):
        each = _Variant(row=row, name=name, suffix="" if name == AS_WRITTEN else f":{name}", color=color, dash=dash)
        costs = tuple(_cost(line, each, count) for line in rows for count in COUNTS)
        same = found.get(costs)
        # What is written is that variant then, and looks like it.
        found[costs] = each._replace(name=f"{same.name} = {name}") if same else each
    return list(found.values())


def _cost(row: Record, variant: _Variant, count: str) -> Plain:
    """What a layer costs as a variant; where it is not rewritten, what is written."""
    cost = row[count + variant.suffix]
    return row[count] if cost is None else cost


def _costs(row: Record, place: int, variant: _Variant) -> Record:
    """A layer as it is drawn: what it costs as a variant, what the network costs up to it, and both in words."""
    drawn: Record = {"variant": variant.name, "name": row["name"], "place": place}
    for count, unit in COUNTS.items():
        cost = _cost(row, variant, count)
        drawn |= {count: cost, f"{count}_cumulative": row[f"{count}_cumulative{variant.suffix}"]}
        drawn[f"{count}_hint"] = f"{row['name']}, {variant.name}: {'unknown' if cost is None else f'{cost:,}'} {unit}"
    return drawn


def _totals(variants: Sequence[_Variant], totals: Table) -> list[Record]:
    """The totals of the variants, how they are written beside the bars, and where the names of the curves stand."""
    ends: list[Record] = [
        {**record(each.row, totals), "variant": each.name, "short": " ".join(_title(each.name, 1))} for each in variants
    ]
    for count in COUNTS:
        top = max(number(end[count]) for end in ends) or 1
        places = spread([CURVE * (1 - number(end[count]) / top) for end in ends], APART, CURVE)
        for end, place, each in zip(ends, places, variants, strict=True):
            reduction = shown(each.row, totals, f"{count}_reduction")
            end |= {f"{count}_text": f"{shown(each.row, totals, count)}, {reduction}", f"{count}_at": place}
    return ends


def _title(name: str, most: int) -> list[str]:
    """The name of a variant in at most so many lines; of several that are drawn as one the others can go."""
    one = name.split(" = ", maxsplit=1)[0]
    texts = (fold(text, BESIDE - GAP, bold=True) for text in (name, f"{one} = …", one))
    return next((lines for lines in texts if len(lines) <= most), [shorten(one, BESIDE - GAP, bold=True)])


def _block(
    layers: Table, count: str, variants: Sequence[_Variant], data: Sequence[Record], names: Sequence[str]
) -> alt.VConcatChart:
    """One count: the bars of each variant under each other, then the curves of all of them."""
    title = column_of(layers, count).title
    top = max(number(each[count]) for each in data) or 1
    starts = dict(_starts(names))
    first_bars, *bars = (_bars(count, each, top, len(names), starts) for each in variants)
    return alt.vconcat(
        first_bars.properties(title=heading(f"{title} of each layer")),
        *bars,
        _curves(count, variants, data, starts).properties(title=heading(f"{title} up to each layer")),
        spacing=4,
    )


def _along(layers: int, starts: Mapping[int, str], *, named: bool = False) -> alt.X:
    """The depth of the network: the places of its layers, with a line where each block of several begins."""
    axis = alt.Axis(
        values=list(starts),
        labels=named,
        ticks=named,
        labelExpr=f"({dumps(starts)})[datum.value]",
        labelAngle=-90,
        labelAlign="right",
        labelBaseline="middle",
        title=None,
        grid=len(starts) < layers,
    )
    return alt.X("place:Q", axis=axis, scale=alt.Scale(domain=[0.5, layers + 0.5], nice=False, padding=0))


def _height(key: str, top: float, values: Sequence[float] | None = None) -> alt.Y:
    ticks = {"tickCount": 3, "tickMinStep": 1} if values is None else {"values": values}
    axis = alt.Axis(**ticks, labelExpr=SI_LABEL, title=None, domain=False, ticks=False)
    return alt.Y(key, axis=axis, scale=alt.Scale(domain=[0, top], nice=False))


def _bars(count: str, variant: _Variant, top: float, layers: int, starts: Mapping[int, str]) -> Layers:
    """What each layer costs as ``variant``, beside its name and its totals."""
    of_variant = alt.datum.variant == variant.name
    data = data_of("layers").transform_filter(of_variant)
    total = data_of("totals").transform_filter(of_variant)
    if layers <= SEPARATE:
        marks, hint = data.mark_bar(color=variant.color, size=max(DEPTH / layers - 1, 1)), f"{count}_hint:N"
    else:
        marks, hint = data.mark_area(color=variant.color, interpolate="step"), "variant:N"
    names = _title(variant.name, 2)
    top_line, beside = (BARS - len(names) * APART) / 2, DEPTH + GAP
    name = total.mark_text(
        **{**NAME_TEXT, "fontSize": SMALL}, align="left", x=beside, y=top_line, text=names, lineHeight=APART
    )
    value = total.mark_text(**VALUE_TEXT, align="left", x=beside, y=top_line + len(names) * APART)
    return alt.layer(
        marks.encode(_along(layers, starts), _height(f"{count}:Q", top, [nice(top)]), alt.Description(hint)),
        name,
        value.encode(alt.Text(f"{count}_text:N")),
        width=DEPTH,
        height=BARS,
    )


def _curves(count: str, variants: Sequence[_Variant], data: Sequence[Record], starts: Mapping[int, str]) -> Layers:
    """What the network costs up to each layer, a curve for each variant with its name at the end."""
    key = f"{count}_cumulative"
    layers = max(int(number(each["place"])) for each in data)
    top = max(number(each[key]) for each in data) or 1
    known, colors, dashes = zip(*((each.name, each.color, each.dash) for each in variants), strict=True)
    color = alt.Color("variant:N", legend=None, scale=alt.Scale(domain=known, range=colors))
    dash = alt.StrokeDash("variant:N", legend=None, scale=alt.Scale(domain=known, range=dashes))
    lines = data_of("layers").mark_line(strokeWidth=1.25, interpolate="linear")
    along, height = _along(layers, starts, named=True), _height(f"{key}:Q", top)
    words = data_of("totals").mark_text(**VALUE_TEXT, align="left", x=DEPTH + GAP)
    plot: Layers = alt.layer(
        lines.encode(along, height, color, dash, alt.Description("variant:N")),
        words.encode(alt.Y(f"{count}_at:Q", scale=None, axis=None), alt.Text("short:N")),
        width=DEPTH,
        height=CURVE,
    ).resolve_scale(y="independent")
    return plot


def _starts(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The first layers of the blocks, by name. Names split at the deepest dot that leaves room for all."""
    deepest = max(name.count(".") for name in names) + 1
    levels = [list(_blocks(names, level)) for level in range(deepest, 0, -1)]
    blocks = next((each for each in levels if len(each) * APART <= DEPTH), levels[-1])
    step = DEPTH / len(names)
    taken: list[int] = []
    for place, _, name in sorted(blocks, key=lambda block: -block[1]):
        if all(abs(place - other) * step >= APART for other in taken):
            taken.append(place)
            yield place, _short(name)


def _blocks(names: Sequence[str], level: int) -> Iterator[tuple[int, int, str]]:
    """Where each block of ``level`` begins, how many layers it has, and its name."""
    place = 1
    for name, block in groupby(names, lambda name: ".".join(name.split(".")[:level])):
        length = sum(1 for _ in block)
        yield place, length, name
        place += length


def _short(name: str) -> str:
    """``name`` where there is room, else its end from some dot on, else shortened."""
    while text_width(name) > NAMES and "." in name:
        name = name.partition(".")[2]
    return shorten(name, NAMES)
