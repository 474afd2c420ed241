"""A report about a network as a value: sections of tables, pictures and sentences, which every format can draw.

Each number comes from a table that the terminal can print too. The caller supplies the date and the command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sepcalc.conventions.counters import COUNTERS
from sepcalc.conventions.published import published_conventions_table
from sepcalc.conventions.tables import reconcile_all, reconcile_table
from sepcalc.core.comparison import compare
from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.layer_tables import layer_table
from sepcalc.core.layers import Convolution
from sepcalc.core.network import CHEAPEST, Network, WhatIf
from sepcalc.core.network_tables import network_table, totals_table
from sepcalc.core.spec import times
from sepcalc.core.table import COUNTING_RULE, PARAMS_RULE, REDUCTION_RULE, Column, Row, Table
from sepcalc.core.variants import choose
from sepcalc.explain.derivation import Explanation, explain_layer
from sepcalc.measure.session import Session
from sepcalc.measure.tables import timing_tables
from sepcalc.readers.trace import Trace
from sepcalc.render.cells import human
from sepcalc.render.charts.chart import CHARTS, Chart, can_draw, chart_of

NO_PICTURES = "Without pictures: they need the extra 'plot', pip install 'sepcalc[plot]'."

MOST_HIGHLIGHTS = 4
"""Figures at the top of a report: two of the network, and the savings of the best variants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """A number in large type, and its label."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A table of many rows; an HTML page can search and sort it, and filter it by variant."""

    table: Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A chart, the ``name`` of its file, and its description in ``words``."""

    name: str
    words: str
    chart: Chart


Block = str | Table | Listing | Picture | Explanation
"""A part of a section; a string is a paragraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a report under a heading; ``name`` is the target of links."""

    name: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """The origin of a report: the command as typed, the program's version, the date (ISO 8601) and the source."""

    command: str
    version: str
    date: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A title, a ``lead`` sentence about the network, the figures at the top, and the sections."""

    title: str
    lead: str
    highlights: tuple[Highlight, ...]
    sections: tuple[Section, ...]
    provenance: Provenance

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, in their order."""
        return tuple(block for section in self.sections for block in section.blocks if isinstance(block, Picture))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSubject:
    """The subject of a report: a network, its variants, and further facts.

    The first of ``what_ifs`` is the reference. ``layer`` is explained, :func:`chosen_layer` by default. ``trace`` is
    the run of the network's code. ``published`` is False for a scaled network, which has no published figures.
    ``measured`` are sessions of ``sepcalc measure``. ``pictures`` asks for charts, which need the extra ``plot``.
    """

    network: Network
    what_ifs: tuple[WhatIf, ...] = ()
    layer: Convolution | None = None
    trace: Trace | None = None
    published: bool = True
    measured: tuple[Session, ...] = ()
    pictures: bool = False


def report_network(subject: ReportSubject, provenance: Provenance) -> Report:
    """The report about ``subject``.

    >>> from sepcalc import load
    >>> provenance = Provenance(command="sepcalc report vgg16", version="1.0", date="2026-11-20", source="vgg16")
    >>> [section.name for section in report_network(ReportSubject(network=load("vgg16")), provenance).sections]
    ['totals', 'layers', 'layer', 'counters', 'published', 'made']
    """
    network = subject.network
    remarks = [NO_PICTURES] if subject.pictures and not can_draw() else []
    what_ifs = subject.what_ifs or tuple(map(network.what_if, choose()))
    subject = replace(subject, what_ifs=what_ifs, pictures=subject.pictures and not remarks)
    layers, totals = network_table(network, what_ifs), totals_table(network, what_ifs)
    sections = (
        _section("totals", "Totals", [totals, *_picture(subject, network.name, totals)]),
        _section("layers", "Layers", _layers(subject, layers, totals)),
        _section("layer", "One layer in full", _one_layer(subject, layers)),
        _section("measured", "Measured", _measured(subject)),
        _section("counters", "In other counters", _counters(subject)),
        _section("published", "Published figures", _published(subject)),
        _section("made", "How this was made", _made(provenance, remarks)),
    )
    return Report(
        title=network.name,
        lead=_lead(network),
        highlights=tuple(_highlights(totals)),
        sections=tuple(section for section in sections if section.blocks),
        provenance=provenance,
    )


def _section(name: str, title: str, blocks: Sequence[Block] | Iterator[Block]) -> Section:
    return Section(name=name, title=title, blocks=tuple(map(_without_rules, blocks)))


RULES = (COUNTING_RULE, PARAMS_RULE, REDUCTION_RULE)
"""The rules of all tables, which the last section states once."""


def _without_rules(block: Block) -> Block:
    if isinstance(block, Listing):
        return Listing(table=block.table.without_rules(RULES))
    return block.without_rules(RULES) if isinstance(block, Table) else block


def _lead(network: Network) -> str:
    """The network's source and input."""
    batch = f", counts for the batch of {network.batch:,}" if network.batch > 1 else ""
    reads = "" if network.input_shape is None else f"Input {times(network.input_shape)}{batch}."
    return " ".join(filter(None, (network.source and f"{network.source}.", reads)))


def _highlights(totals: Table) -> Iterator[Highlight]:
    """The counts of the network as written, then the savings of the variants, the largest first."""
    keys = [column.key for column in totals.columns]
    name, params, macs, saved = (keys.index(key) for key in ("variant", "params", "macs", "macs_reduction"))

    def shown(row: Row, place: int) -> str:
        return human(row.cells[place], totals.columns[place], si=True)

    def saving(row: Row) -> Fraction:
        value = row.cells[saved]
        return value if isinstance(value, Fraction) else Fraction(1)

    written, *rewritten = (row for row in totals.rows if row.cells[name] != CHEAPEST)
    yield Highlight(value=shown(written, params), label="parameters")
    yield Highlight(value=shown(written, macs), label="multiply-adds (MACs)")
    best = sorted((row for row in rewritten if saving(row) > 1), key=saving, reverse=True)
    for row in best[: MOST_HIGHLIGHTS - 2]:
        yield Highlight(value=shown(row, saved), label=f"fewer MACs as {row.cells[name]} than as standard")


def _picture(
    subject: ReportSubject, about: str, *tables: Table, chart: str = "", name: str = ""
) -> Iterator[Picture | str]:
    """The chart of ``tables`` without its title, or a sentence with the reason why there is none."""
    plot = CHARTS.get(chart or tables[0].name)
    if plot is None or not subject.pictures:
        return
    try:
        drawn = chart_of(*tables, name=chart)
    except SepcalcError as reason:
        yield f"There is no chart here: {reason}."
        return
    untitled = {key: value for key, value in drawn.spec.items() if key != "title"}
    yield Picture(name=name or tables[0].name, words=plot.words.format(about), chart=replace(drawn, spec=untitled))


def _layers(subject: ReportSubject, layers: Table, totals: Table) -> Iterator[Block]:
    """Every layer as written, and its multiply-adds in each variant."""
    yield from _picture(subject, subject.network.name, layers, totals)
    rewritten = [f"{key}:{what_if.variant.name}" for what_if in subject.what_ifs[1:] for key in ("macs", "reduction")]
    yield Listing(table=layers.select(["name", "type", "output", "params", "macs", "macs_share", *rewritten]))


def chosen_layer(network: Network, name: str | None = None) -> Convolution | None:
    """The convolution called ``name``, or that it is a part of; by default the unit with the most multiply-adds.

    None for a network without units.

    Raises :class:`SepcalcError` for an unknown name, with the closest known one.
    """
    convolutions = [layer for layer in network.layers if isinstance(layer, Convolution) and layer.kernel]
    if name is None:
        return max((unit.layer for unit in network.units), key=lambda layer: layer.cost.macs, default=None)
    for unit in network.units:
        if name in unit.names:
            return unit.layer
    for layer in convolutions:
        if layer.name == name:
            return layer
    fault = "is no convolution" if any(layer.name == name for layer in network.layers) else "is not there"
    raise SepcalcError(f"'{name}' {fault} in {network.name}{closest(name, [layer.name for layer in convolutions])}")


def _one_layer(subject: ReportSubject, layers: Table) -> Iterator[Block]:
    layer = subject.layer or chosen_layer(subject.network)
    if layer is None:
        return
    # The layer in every compared variant, with its options there, and in its own.
    variants = (layer.written_as(what_if.variant).variant for what_if in subject.what_ifs)
    comparison = compare(layer.spec, dict.fromkeys((*variants, layer.variant)))
    (column,) = layers.select(["macs_share"]).columns
    share = human(Fraction(layer.cost.macs, subject.network.cost.macs), column)
    yield f"{layer.name} is a layer of type {layer.label}, with {share} of all multiply-adds as written."
    several = f"It runs over {layer.batch:,} feature maps; the counts here are for one of them, without its norms."
    yield several if layer.batch > 1 else "The counts here are those of its stages alone, without the norms after them."
    table = layer_table(comparison).brief()
    yield from (table, *_picture(subject, layer.name, layer_table(comparison, stages=True)))
    derived = explain_layer(comparison)
    # The table above already states these rules of counting.
    notes = tuple(note for note in derived.notes if note not in table.legend)
    yield replace(derived, title="How the counts come about", notes=notes)


def _measured(subject: ReportSubject) -> Iterator[Block]:
    """The timings of each session, with its command."""
    for place, session in enumerate(subject.measured, start=1):
        if session.command:
            yield f"Measured by: {session.command}"
        if session.scope == "network" and session.title != subject.network.title:
            yield f"This measurement is of {session.title}; the report is about {subject.network.title}."
        first, *others = timing_tables(session)
        yield Listing(table=first.brief()) if session.scope == "network" else first.brief()
        yield from (table.brief() for table in others)
        yield from _picture(subject, session.title, first, chart="measurement", name=f"measured-{place}")


def _counters(subject: ReportSubject) -> Iterator[Block]:
    found = reconcile_all(subject.network, subject.trace, COUNTERS)
    table = reconcile_table(subject.network, found, as_modules=subject.trace is None)
    yield from (table, *_picture(subject, subject.network.name, table))


def _published(subject: ReportSubject) -> Iterator[Block]:
    if subject.published and subject.network.published:
        table = published_conventions_table(subject.network)
        yield from (table, *_picture(subject, subject.network.name, table))


def _made(provenance: Provenance, remarks: Sequence[str]) -> Iterator[Block]:
    program = f"sepcalc {provenance.version}"
    facts = {"Command": provenance.command, "Program": program, "Date": provenance.date, "Source": provenance.source}
    columns = (Column(key="what", title="What"), Column(key="value", title="Value"))
    rows = tuple(Row(cells=fact) for fact in facts.items())
    yield Table(name="made", title="How this report was made", columns=columns, rows=rows)
    yield " ".join(RULES)
    yield "All counts are exact integers; rounding is in the display alone."
    yield from remarks
