"""``sepcalc network``: the layers of a network, its totals, and what rewriting it would change."""

import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sepcalc.cli_options import (
    ONE_TABLE,
    ColumnsOption,
    DepthMultiplierOption,
    ExpansionOption,
    FormatOption,
    GroupsOption,
    MidOption,
    OutputOption,
    ReductionOption,
    SiOption,
    StagesOption,
    VariantOption,
    chosen_format,
    chosen_variants,
    command_app,
    examples,
    flag,
    lengths,
    option_flags,
    refuse,
    show_json,
    show_tables,
    variant_options,
    whole,
    with_columns,
)
from sepcalc.cli_sources import SOURCE_HELP, ArgOption, InputOption, opened, opened_traced
from sepcalc.counts import parse_count
from sepcalc.errors import GateError, SepcalcError, closest
from sepcalc.network import Network, WhatIf
from sepcalc.network_report import (
    bundled_table,
    network_table,
    published_table,
    some,
    totals_table,
)
from sepcalc.reading import bundled, load
from sepcalc.render import Format
from sepcalc.table import Table

EXAMPLES = (
    "sepcalc network mobilenet_v1",
    "sepcalc network my-net.yaml --group --top 5",
    "sepcalc network resnet50 --only 'conv5.*'",
    "sepcalc network resnet50 -o resnet50.json",
    "sepcalc network my-net.yaml --max-macs 600M",
    "sepcalc network resnet50 --as all",
)

TABLES = ("layers", "totals", "published")
"""The tables of a network, in the order in which they are shown."""

app = command_app()


@app.command(short_help="Count a network, as written and rewritten.", epilog=examples(*EXAMPLES))
def network(
    source: Annotated[str | None, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the bundled networks.")] = False,
    width: Annotated[
        str | None, typer.Option("--width", metavar="FACTOR", help="Multiply the channels, as in 0.75 MobileNet.")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="SIZE", help="Another size of the input: 160, 512x1024.")
    ] = None,
    input: InputOption = None,  # noqa: A002 (the flag's name)
    arg: ArgOption = None,
    variant: VariantOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="GLOB", help="Rewrite only layers with names like this; repeatable."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="GLOB", help="Keep layers with names like this as written; repeatable."),
    ] = None,
    groups: GroupsOption = None,
    depth_multiplier: DepthMultiplierOption = None,
    mid: MidOption = None,
    reduction: ReductionOption = None,
    expansion: ExpansionOption = None,
    group: Annotated[bool, typer.Option("--group", help="Add layers up by block.")] = False,
    sort: Annotated[
        str | None, typer.Option("--sort", metavar="KEY", help="Order by this column, numbers from the largest.")
    ] = None,
    top: Annotated[
        str | None,
        typer.Option("--top", metavar="N", help="Only so many rows, those of the most MACs unless sorted otherwise."),
    ] = None,
    columns: ColumnsOption = None,
    stages: StagesOption = False,
    table: Annotated[
        list[str] | None,
        typer.Option("--table", metavar="NAME", help=f"Only this table: {', '.join(TABLES)}; repeatable."),
    ] = None,
    max_params: Annotated[
        str | None, typer.Option("--max-params", metavar="COUNT", help="Exit 1 above so many: 5M.")
    ] = None,
    max_macs: Annotated[
        str | None, typer.Option("--max-macs", metavar="COUNT", help="Exit 1 above so many: 600M.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where anything is uncounted.")] = False,
    as_: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="COUNTER", help="What another counter prints: fvcore, thop, all; repeatable."),
    ] = None,
    published_: Annotated[
        bool, typer.Option("--published", help="What the published figures of a network file stand for.")
    ] = False,
    format: FormatOption = None,  # noqa: A002 (the flag's name)
    output: OutputOption = None,
    si: SiOption = False,
) -> None:
    """Count a network: its layers, its totals, and what each variant would change."""
    form = chosen_format(format, output)
    layout: dict[str, object] = {"--group": group, "--sort": sort, "--top": top, "--stages": stages}
    named = variant_options(depth_multiplier, mid, groups, reduction, expansion)
    rewriting = {"--variant": variant, "--only": only, "--keep": keep, **option_flags(named)}
    gates = {"--max-params": max_params, "--max-macs": max_macs, "--strict": strict}
    if list_:
        others = {
            f"'{source}'": source,
            "--width": width,
            "--size": size,
            "--table": table,
            "--input": input,
            "--arg": arg,
        }
        refuse({**others, **rewriting, **layout, **gates}, "--list shows what is bundled; leave one or the other out")
        _show_list(columns, form, output, si=si)
        return
    if source is None:
        raise SepcalcError(
            "name a network: a bundled one ('sepcalc network --list'), a .yaml or .onnx file, or module:callable"
        )
    if as_ or published_:
        from sepcalc.cli_reconcile import show_counters, show_published

        elsewhere: dict[str, object] = {"--table": table, **rewriting, **layout, **gates}
        size_ = None if size is None else lengths("--size", size)
        if published_:
            sources: dict[str, object] = {"--width": width, "--size": size, "--input": input, "--arg": arg}
            show_published(source, {"--as": as_, **sources, **elsewhere}, columns, form, output, si=si)
        else:
            opening = partial(opened_traced, source, input, arg, width=_width(width), size=size_)
            show_counters(opening, as_ or (), elsewhere, columns, form, output, si=si)
        return
    _check_tables(table or (), form, layout, rewriting)
    limits = _limits(max_params, max_macs)
    chosen = chosen_variants(variant, named)
    factor = _width(width)
    rows = whole("--top", top)
    read = opened(source, input, arg, width=factor, size=None if size is None else lengths("--size", size))
    _check_patterns(read, "--only", only or ())
    _check_patterns(read, "--keep", keep or ())
    what_ifs = [read.what_if(each, only=only or (), keep=keep or ()) for each in chosen]
    if form == "json":
        refuse(
            {**layout, "--columns": columns, "--table": table, "--si": si},
            "json always holds every layer and total; choose another format",
        )
        _show_answer(read, what_ifs, output)
    else:
        layers = flag("--sort", lambda key: network_table(read, group=group, stages=stages, sort=key, top=rows), sort)
        published = published_table(read) if factor == 1 and size is None else None
        tables = _wanted(read, [layers, totals_table(read, what_ifs), published], table or (), form)
        tables[0] = with_columns(tables[0], columns)
        show_tables(tables, form, output, si=si)
        if form in ONE_TABLE and not table:
            _say_what_is_missing(form, published)
    _check_gates(read, limits, strict=strict)


def _show_list(columns: str | None, form: Format, output: Path | None, *, si: bool) -> None:
    table = bundled_table({name: load(path) for name, path in bundled().items()})
    show_tables([with_columns(table, columns)], form, output, si=si)


def _show_answer(read: Network, what_ifs: Sequence[WhatIf], output: Path | None) -> None:
    from sepcalc.contract import network_answer

    show_json(network_answer(read, what_ifs), output)


def _width(text: str | None) -> Fraction:
    try:
        width = Fraction("1" if text is None else text)
    except (ValueError, ZeroDivisionError):
        width = Fraction(0)
    if not 0 < width <= 1000:
        raise SepcalcError(f"--width: expected a factor above 0 and up to 1,000 like 0.75, got '{text}'")
    return width


def _limits(max_params: str | None, max_macs: str | None) -> list[tuple[str, Fraction, str]]:
    """The gates that were set: what is counted, the limit, and how it was written."""
    given = {"params": max_params, "macs": max_macs}
    return [(name, flag(f"--max-{name}", parse_count, text), text) for name, text in given.items() if text is not None]


def _check_tables(
    names: Sequence[str], form: Format, layout: Mapping[str, object], rewriting: Mapping[str, object]
) -> None:
    """Raise :class:`SepcalcError` for tables that there are not, and for flags of those that are not shown."""
    for name in names:
        if name not in TABLES:
            raise SepcalcError(f"--table: no table '{name}'{closest(name, TABLES)}")
    if form in ONE_TABLE and len(set(names)) > 1:
        raise SepcalcError(f"--table: {form} holds one table; name one, or choose another format")
    if layout["--group"]:
        refuse({"--stages": layout["--stages"]}, "--group adds layers up; leave one or the other out")
    for name, flags in (("layers", layout), ("totals", rewriting)):
        if names and name not in names:
            refuse(flags, f"the table '{name}' is not shown; add --table {name}")


def _check_patterns(read: Network, name: str, patterns: Sequence[str]) -> None:
    """A pattern that matches nothing is a typing error, not a wish."""
    from fnmatch import filter as matching

    known = [layer.name for layer in read.layers if layer.convertible]
    for pattern in patterns:
        if not matching(known, pattern):
            block = f"{pattern}.*"
            hint = f"; did you mean '{block}'?" if matching(known, block) else closest(pattern, known)
            raise SepcalcError(f"{name}: no convertible layer of {read.name} is called '{pattern}'{hint}")


def _wanted(read: Network, tables: Sequence[Table | None], names: Sequence[str], form: Format) -> list[Table]:
    """The tables that were asked for; formats that hold one table get the first."""
    known = {each.name: each for each in tables if each is not None}
    for name in names:
        if name not in known:
            why = "has no published figures" if not read.published else "is not as published with --width or --size"
            raise SepcalcError(f"--table: {read.name} {why}; leave 'published' out")
    chosen = [each for name, each in known.items() if not names or name in names]
    return chosen[:1] if form in ONE_TABLE else chosen


def _say_what_is_missing(form: Format, published: Table | None) -> None:
    others = "--table totals or --table published" if published else "--table totals"
    sys.stderr.write(f"{form} holds one table, this is 'layers'; for the others use {others}\n")


def _check_gates(read: Network, limits: Sequence[tuple[str, Fraction, str]], *, strict: bool) -> None:
    """Raise :class:`GateError` with one sentence that names every limit that is passed."""
    passed = []
    for name, limit, text in limits:
        count = read.cost.params if name == "params" else read.cost.macs
        if count > limit:
            unit = "parameters" if name == "params" else "MACs"
            passed.append(f"{count:,} {unit}, {int(count - limit):,} more than --max-{name} {text}")
    if strict and read.uncounted:
        passed.append(f"uncounted operators, which --strict forbids: {some([each.name for each in read.uncounted])}")
    if passed:
        raise GateError(f"{read.name} has {' and '.join(passed)}")
