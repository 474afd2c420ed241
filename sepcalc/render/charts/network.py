"""The chart of a network: the cost of each layer along its depth and the sum so far, for each variant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, groupby
from json import dumps
from typing import Any, NamedTuple

from sepcalc.core.errors import SepcalcError
from sepcalc.core.network import AS_WRITTEN, CHEAPEST
from sepcalc.core.table import Plain, Row, Table
from sepcalc.render.charts.axes import nice, spread
from sepcalc.render.charts.chart import Chart, Record, column_of, heading, need_libraries, number, page, record, shown
from sepcalc.render.charts.late import Layers, alt, data_of
from sepcalc.render.charts.style import APART, BESIDE, DASHES, INNER, SI_LABEL, VALUE_TEXT, colors, look
from sepcalc.render.charts.text import fold, shorten, text_width

BARS, CURVE = 27, 80
"""Pixels of the height of one variant's bars, and of the curves of all variants."""

NAMES, GAP = 64, 4
"""Pixels of the names below the depth, and between the marks and the words beside them."""

BESIDE_MARKS: dict[str, Any] = {**VALUE_TEXT, "align": "left", "x": INNER + GAP}
"""The type and the place of words beside the marks."""

SEPARATE = 90
"""The most layers drawn as bars with gaps between them; of more the outline is drawn."""

MOST = 20_000
"""The most layers in one chart: more take minutes to draw, and no eye tells them apart."""

COUNTS = {"macs": "MACs", "params": "params"}
"""The counts that are drawn, in this order, with their names within a sentence."""


class _Variant(NamedTuple):
    """A variant as it is drawn; ``row`` is of the totals, ``suffix`` the end of its keys in the table of layers."""

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
    costly = [row for row in rows if any(_cost(row, variant, count) for variant in variants for count in COUNTS)]
    if len(costly) > MOST:
        raise SepcalcError(
            f"{layers.title}: {len(costly):,} layers are too many for a chart of {MOST:,}; add them up by block"
        )
    if not costly:
        raise SepcalcError(f"{layers.title}: no layer has parameters or multiply-adds, so there is nothing to draw")
    data = [_costs(row, place, variant) for place, row in enumerate(costly, start=1) for variant in variants]
    starts = dict(_starts([str(row["name"]) for row in costly]))
    blocks = [_block(count, column_of(layers, count).title, variants, data, starts) for count in COUNTS]
    used = totals.select((*COUNTS, "params_reduction", "macs_reduction"))
    datasets = {"layers": data, "totals": _totals(variants, totals)}
    return page(alt.vconcat(*blocks, spacing=12), layers.title, (used.legend, *totals.notes), datasets)


def _variants(rows: Sequence[Record], totals: Table) -> list[_Variant]:
    """The variants in the totals; those that cost the same in every layer are one."""
    # The cheapest forms together are a total alone, without columns of their own in the table of layers.
    forms = [row for row in totals.rows if row.cells[0] != CHEAPEST]
    names = [str(row.cells[0]) for row in forms]
    found: dict[tuple[Plain, ...], _Variant] = {}
    for row, name, color, dash in zip(forms, names, colors(names), cycle(DASHES), strict=False):
        variant = _Variant(row, name, "" if name == AS_WRITTEN else f":{name}", color, dash)
        costs = tuple(_cost(line, variant, count) for line in rows for count in COUNTS)
        same = found.get(costs)
        # A variant equal to the network as written takes the place of the latter, with its own looks.
        found[costs] = variant._replace(name=f"{same.name} = {name}") if same else variant
    return list(found.values())


def _cost(row: Record, variant: _Variant, count: str) -> Plain:
    """The cost of a layer as a variant, or as written where the variant does not apply."""
    cost = row[count + variant.suffix]
    return row[count] if cost is None else cost


def _costs(row: Record, place: int, variant: _Variant) -> Record:
    """A layer as a variant: its costs, also in words, and the cost of the network up to it."""
    drawn: Record = {"variant": variant.name, "name": row["name"], "place": place}
    for count, unit in COUNTS.items():
        cost = _cost(row, variant, count)
        drawn |= {count: cost, f"{count}_cumulative": row[f"{count}_cumulative{variant.suffix}"]}
        drawn[f"{count}_hint"] = f"{row['name']}, {variant.name}: {'unknown' if cost is None else f'{cost:,}'} {unit}"
    return drawn


def _totals(variants: Sequence[_Variant], totals: Table) -> list[Record]:
    """The totals of each variant, as the text beside its bars, and the place of its name beside the curves."""
    ends: list[Record] = [
        {**record(row, totals), "variant": name, "short": " ".join(_title(name, 1))} for row, name, *_ in variants
    ]
    for count in COUNTS:
        top = max(number(end[count]) for end in ends) or 1
        places = spread([CURVE * (1 - number(end[count]) / top) for end in ends], APART, CURVE)
        for end, place, variant in zip(ends, places, variants, strict=True):
            reduction = shown(variant.row, totals, f"{count}_reduction")
            end |= {f"{count}_text": f"{shown(variant.row, totals, count)}, {reduction}", f"{count}_at": place}
    return ends


def _title(name: str, most: int) -> list[str]:
    """The name of a variant in at most so many lines; where several are drawn as one, the other names may go."""
    one = name.split(" = ", maxsplit=1)[0]
    texts = (fold(text, BESIDE - GAP, bold=True) for text in (name, f"{one} = …", one))
    return next((lines for lines in texts if len(lines) <= most), [shorten(one, BESIDE - GAP, bold=True)])


def _block(
    count: str, title: str, variants: Sequence[_Variant], data: Sequence[Record], starts: Mapping[int, str]
) -> alt.VConcatChart:
    """One count: the bars of each variant under each other, then the curves of all of them."""
    top = max(number(layer[count]) for layer in data) or 1
    layers = len(data) // len(variants)
    bars = [_bars(count, variant, top, layers, starts) for variant in variants]
    bars[0] = bars[0].properties(title=heading(f"{title} of each layer"))
    curves = _curves(count, variants, data, _along(layers, starts, named=True))
    return alt.vconcat(*bars, curves.properties(title=heading(f"{title} up to each layer")), spacing=4)


def _along(layers: int, starts: Mapping[int, str], *, named: bool = False) -> alt.X:
    """The depth of the network: the places of its layers, with a line where each block of several begins."""
    upright: dict[str, Any] = {"labelAngle": -90, "labelAlign": "right", "labelBaseline": "middle"}
    names = {"labels": named, "ticks": named, "labelExpr": f"({dumps(starts)})[datum.value]", **upright}
    axis = alt.Axis(values=list(starts), grid=len(starts) < layers, title=None, **names)
    return alt.X("place:Q", axis=axis, scale=alt.Scale(domain=[0.5, layers + 0.5], nice=False, padding=0))


def _up(key: str, top: float, ticks: Mapping[str, Any]) -> alt.Y:
    axis = alt.Axis(**ticks, labelExpr=SI_LABEL, title=None, domain=False, ticks=False)
    return alt.Y(f"{key}:Q", axis=axis, scale=alt.Scale(domain=[0, top], nice=False))


def _bars(count: str, variant: _Variant, top: float, layers: int, starts: Mapping[int, str]) -> Layers:
    """The cost of each layer as ``variant``, beside its name and its totals."""
    of_variant = alt.datum.variant == variant.name
    data = data_of("layers").transform_filter(of_variant)
    words = data_of("totals").transform_filter(of_variant)
    if layers <= SEPARATE:
        marks, hint = data.mark_bar(color=variant.color, size=max(INNER / layers - 1, 1)), f"{count}_hint:N"
    else:
        marks, hint = data.mark_area(color=variant.color, interpolate="step"), "variant:N"
    title = _title(variant.name, 2)
    high = len(title) * APART
    name = words.mark_text(**BESIDE_MARKS, fontWeight="bold", y=(BARS - high) / 2, text=title, lineHeight=APART)
    value = words.mark_text(**BESIDE_MARKS, y=(BARS + high) / 2).encode(alt.Text(f"{count}_text:N"))
    height = _up(count, top, {"values": [nice(top)]})
    bars = marks.encode(_along(layers, starts), height, alt.Description(hint))
    return alt.layer(bars, name, value, width=INNER, height=BARS)


def _curves(count: str, variants: Sequence[_Variant], data: Sequence[Record], along: alt.X) -> Layers:
    """The cost of the network up to each layer, a curve for each variant with its name at the end."""
    key = f"{count}_cumulative"
    names = [variant.name for variant in variants]
    color = look(alt.Color, names, [variant.color for variant in variants])
    dash = look(alt.StrokeDash, names, [variant.dash for variant in variants])
    height = _up(key, max(number(layer[key]) for layer in data) or 1, {"tickCount": 3, "tickMinStep": 1})
    lines = data_of("layers").mark_line(strokeWidth=1.25, interpolate="linear")
    curves = lines.encode(along, height, color, dash, alt.Description("variant:N"))
    words = data_of("totals").mark_text(**BESIDE_MARKS)
    ends = words.encode(alt.Y(f"{count}_at:Q", scale=None, axis=None), alt.Text("short:N"))
    plot: Layers = alt.layer(curves, ends, width=INNER, height=CURVE).resolve_scale(y="independent")
    return plot


def _starts(names: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The first layers of the blocks, by name. Names split at the deepest dot that leaves room for all."""
    deepest = max(name.count(".") for name in names) + 1
    levels = [list(_blocks(names, level)) for level in range(deepest, 0, -1)]
    blocks = next((blocks for blocks in levels if len(blocks) * APART <= INNER), levels[-1])
    taken: list[int] = []
    for place, _, name in sorted(blocks, key=lambda block: -block[1]):
        if all(abs(place - other) * INNER >= APART * len(names) for other in taken):
            taken.append(place)
            yield place, _short(name)


def _blocks(names: Sequence[str], level: int) -> Iterator[tuple[int, int, str]]:
    """The first layer of each block of ``level``, the number of its layers, and its name."""
    place = 1
    for name, block in groupby(names, lambda name: ".".join(name.split(".")[:level])):
        length = sum(1 for _ in block)
        yield place, length, name
        place += length


def _short(name: str) -> str:
    """``name`` where there is room, else its end from a dot on, else shortened."""
    while text_width(name) > NAMES and "." in name:
        name = name.partition(".")[2]
    return shorten(name, NAMES)
