"""``sepcalc network``: the layers of a network, its totals, and what rewriting it would change."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, NamedTuple

import typer

from sepcalc.cli.flags import flag, flags_of, flat, ignore, many, option, refuse, say, whole
from sepcalc.cli.options import ShowFlags, StagesOption, check_tables, command_app, examples
from sepcalc.cli.pictures import BarFlags, PlotFlags
from sepcalc.cli.sources import SOURCE_HELP, RewriteFlags, ScaleFlags, SourceFlags
from sepcalc.cli.variants import VariantFlags
from sepcalc.core.errors import GateError, SepcalcError
from sepcalc.core.network import Network, WhatIf
from sepcalc.core.network_tables import bundled_table, network_table, published_table, totals_table
from sepcalc.core.parsing import parse_count
from sepcalc.core.table import Table, first_few
from sepcalc.readers.yaml.reader import bundled, load
from sepcalc.render.formats import FORMATS

EXAMPLES = (
    "sepcalc network mobilenet_v1",
    "sepcalc network my-net.yaml --group --top 5",
    "sepcalc network resnet50 --only 'conv5.*'",
    "sepcalc network resnet50 -o resnet50.json",
    "sepcalc network my-net.yaml --max-macs 600M",
    "sepcalc network resnet50 --as all",
)

SHARES = {"params": "params_share", "macs": "macs_share"}
"""The counts that ``--bars`` shows as bars, and the columns with their shares."""

TABLES = ("layers", "totals", "published")
"""The tables of a network, in the order in which they are shown."""

app = command_app()


class LayoutFlags(NamedTuple):
    """The layout of the table of layers."""

    group: Annotated[bool, typer.Option("--group", help="Add layers up by block.")] = False
    sort: Annotated[str | None, option("--sort", "KEY", "Order by this column, the largest number first.")] = None
    top: Annotated[
        str | None, option("--top", "N", "Show only the N rows with the most MACs, or the first N by --sort.")
    ] = None
    stages: StagesOption = False

    def table(self, network: Network, what_ifs: Sequence[WhatIf]) -> Table:
        """The layers of ``network``, with columns for ``what_ifs``."""
        top = whole("--top", self.top)
        return flag(
            "--sort",
            lambda key: network_table(network, what_ifs, group=self.group, stages=self.stages, sort=key, top=top),
            self.sort,
        )


class GateFlags(NamedTuple):
    """Limits on a network."""

    max_params: Annotated[str | None, option("--max-params", "COUNT", "Exit 1 above this limit, like 5M.")] = None
    max_macs: Annotated[str | None, option("--max-macs", "COUNT", "Exit 1 above this limit, like 600M.")] = None
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 if anything is uncounted.")] = False

    def limits(self) -> list[tuple[str, Fraction, str]]:
        """The limits that are set: the name of the count, its largest value, and that value as typed."""
        given = {"params": self.max_params, "macs": self.max_macs}
        return [
            (name, flag(f"--max-{name}", parse_count, text), text) for name, text in given.items() if text is not None
        ]

    def check(self, network: Network) -> None:
        """Raise :class:`GateError` with one sentence about every limit that ``network`` exceeds."""
        exceeded = []
        for name, limit, text in self.limits():
            count = network.cost.params if name == "params" else network.cost.macs
            if count > limit:
                unit = "parameters" if name == "params" else "MACs"
                exceeded.append(f"{count:,} {unit}, {int(count - limit):,} more than --max-{name} {text}")
        if self.strict and network.uncounted:
            names = first_few([layer.name for layer in network.uncounted])
            exceeded.append(f"uncounted operators, which --strict forbids: {names}")
        if exceeded:
            raise GateError(f"{network.name} has {' and '.join(exceeded)}")


class CountFlags(NamedTuple):
    """The flags of a network's counts alone: variants, layout, tables, limits, pictures."""

    variants: VariantFlags = VariantFlags()
    rewriting: RewriteFlags = RewriteFlags()
    layout: LayoutFlags = LayoutFlags()
    table: Annotated[list[str] | None, many("--table", "NAME", f"Only this table: {', '.join(TABLES)}")] = None
    gates: GateFlags = GateFlags()
    plots: PlotFlags = PlotFlags()
    bars: BarFlags = BarFlags()


@app.command(short_help="Count a network, as written and rewritten.", epilog=examples(*EXAMPLES))
@flat
def network(
    *,
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the bundled networks.")] = False,
    scale: ScaleFlags,
    imports: SourceFlags,
    count: CountFlags,
    as_: Annotated[list[str] | None, many("--as", "COUNTER", "Count as another tool does: fvcore, thop, all")] = None,
    published_: Annotated[
        bool, typer.Option("--published", help="Show which conventions a network's published figures follow.")
    ] = False,
    show: ShowFlags,
) -> None:
    """Count a network: its layers, its totals, and what each variant would change."""
    opening = {**flags_of(scale), **flags_of(imports)}
    if list_:
        others = {f"'{source}'": source, **opening, **flags_of(count), "--as": as_, "--published": published_}
        refuse(others, "--list shows what is bundled; leave one or the other out")
        show.tables(bundled_table({name: load(path) for name, path in bundled().items()}))
    elif source is None:
        raise SepcalcError(
            "name a network: a bundled one ('sepcalc network --list'), a .yaml or .onnx file, or module:callable"
        )
    elif published_:
        from sepcalc.cli.counters import show_published

        show_published(source, {"--as": as_, **opening, **flags_of(count)}, show)
    elif as_:
        from sepcalc.cli.counters import show_counters

        show_counters(lambda: imports.trace(source, scale), as_, flags_of(count), show)
    else:
        _show_counts(source, scale, imports, count, show)


def _show_counts(source: str, scale: ScaleFlags, imports: SourceFlags, count: CountFlags, show: ShowFlags) -> None:
    form = show.form()
    _check_flags(count, form)
    count.plots.check()
    chosen = count.variants.chosen()
    network = imports.open(source, scale)
    what_ifs = count.rewriting.rewritten(network, chosen)
    if form == "json":
        from sepcalc.core.answers import network_answer

        looks = {**flags_of(count.layout), **flags_of(count.bars), "--table": count.table}
        show.answer(network_answer(network, what_ifs), "layer and total", looks)
    else:
        published = None if scale.changes() else published_table(network)
        # The columns of variants take long in a large network, so they are made only if they may be shown.
        asked = what_ifs if show.columns or count.layout.sort or count.variants.variant else ()
        layers = count.bars.barred(count.layout.table(network, asked), SHARES, show)
        tables = [layers, totals_table(network, what_ifs), published]
        show.tables(*_wanted(network, tables, count.table or (), form))
        if FORMATS[form].one_table and not count.table:
            others = "--table totals or --table published" if published else "--table totals"
            say(f"{form} holds one table, this is 'layers'; for the others use {others}")
    # A chart shows all layers or blocks in the order of the network, whatever the layout of the table.
    grouped = count.layout.group
    count.plots.draw(lambda: [network_table(network, what_ifs, group=grouped), totals_table(network, what_ifs)])
    count.gates.check(network)


def _check_flags(count: CountFlags, form: str) -> None:
    """Raise :class:`SepcalcError` for unknown tables and wrong limits; a note on flags of tables that are not shown.

    This comes before the network is opened, which can take long.
    """
    names = count.table or ()
    check_tables(names, TABLES, form)
    if count.layout.group:
        refuse({"--stages": count.layout.stages}, "--group adds layers up; leave one or the other out")
    layout = {**flags_of(count.layout), **flags_of(count.bars)}
    rewriting = {**flags_of(count.variants), **flags_of(count.rewriting)}
    if count.variants.variant and "layers" in names:  # a column has what the variant saves there
        rewriting = {}
    if count.plots.plot is not None:  # the chart shows blocks and variants too
        layout, rewriting = {**layout, "--group": None}, {}
    for name, flags in (("layers", layout), ("totals", rewriting)):
        if form != "json" and names and name not in names:
            ignore(flags, f"the table '{name}' is not shown; add --table {name}")
    whole("--top", count.layout.top)
    count.gates.limits()


def _wanted(network: Network, tables: Sequence[Table | None], names: Sequence[str], form: str) -> list[Table]:
    """The tables called ``names``, or all; for formats that hold one table, the first."""
    known = {table.name: table for table in tables if table is not None}
    if not known.keys() >= set(names):  # only the published figures may be missing
        why = "is not as published with --width or --size" if network.published else "has no published figures"
        raise SepcalcError(f"--table: {network.name} {why}; leave 'published' out")
    chosen = [table for name, table in known.items() if not names or name in names]
    return chosen[:1] if FORMATS[form].one_table else chosen
