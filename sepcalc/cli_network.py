"""``sepcalc network``: the layers of a network, its totals, and what rewriting it would change."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated

import typer

from sepcalc.cli_options import (
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
    flag,
    lengths,
    mid_channels,
    show_json,
    show_tables,
    with_columns,
)
from sepcalc.counts import parse_count
from sepcalc.errors import GateError, SepcalcError, closest
from sepcalc.network import Network
from sepcalc.network_report import (
    GROUP_COLUMNS,
    NETWORK_COLUMNS,
    bundled_table,
    network_table,
    published_table,
    totals_table,
)
from sepcalc.reading import bundled, load
from sepcalc.render import Format
from sepcalc.table import Table
from sepcalc.variants import choose

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ONE_TABLE: tuple[Format, ...] = ("csv", "tsv")
"""Formats that hold a single table."""


@app.command()
def network(
    source: Annotated[
        str | None, typer.Argument(metavar="FILE|NAME", help="A YAML file, or the name of a bundled network.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the bundled networks.")] = False,
    width: Annotated[str, typer.Option("--width", help="Multiply the channels, as in 0.75 MobileNet.")] = "1",
    size: Annotated[str | None, typer.Option("--size", help="Another size of the input: 160, 512x1024.")] = None,
    variant: VariantOption = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Rewrite only layers with names like this; repeatable.")
    ] = None,
    keep: Annotated[
        list[str] | None, typer.Option("--keep", help="Keep layers with names like this as written; repeatable.")
    ] = None,
    groups: GroupsOption = None,
    depth_multiplier: DepthMultiplierOption = None,
    mid: MidOption = None,
    reduction: ReductionOption = None,
    expansion: ExpansionOption = None,
    group: Annotated[bool, typer.Option("--group", help="Add layers up by block.")] = False,
    sort: Annotated[str | None, typer.Option("--sort", help="Order by this column, largest first.")] = None,
    top: Annotated[int | None, typer.Option("--top", min=1, help="Only so many rows; the others are added up.")] = None,
    columns: ColumnsOption = None,
    stages: StagesOption = False,
    table: Annotated[
        list[str] | None, typer.Option("--table", help="Only this table: layers, totals or published; repeatable.")
    ] = None,
    max_params: Annotated[str | None, typer.Option("--max-params", help="Exit 1 above so many: 5M.")] = None,
    max_macs: Annotated[str | None, typer.Option("--max-macs", help="Exit 1 above so many: 600M.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 where anything is uncounted.")] = False,
    format: FormatOption = None,  # noqa: A002 (the flag's name)
    output: OutputOption = None,
    si: SiOption = False,
) -> None:
    """Count a network: its layers, its totals, and what each variant would change.

    sepcalc network mobilenet_v1
    """
    form = chosen_format(format, output)
    if list_:
        show_tables([bundled_table({name: load(path) for name, path in bundled().items()})], form, output, si=si)
        return
    if source is None:
        raise SepcalcError("name a YAML file or a bundled network; 'sepcalc network --list' shows them")
    limits = [
        (name, flag(f"--max-{name}", parse_count, text), text)
        for name, text in (("params", max_params), ("macs", max_macs))
        if text is not None
    ]
    read = load(source, width=_width(width), size=None if size is None else lengths("--size", size))
    options = {
        "depth_multiplier": depth_multiplier,
        "mid": mid_channels(mid),
        "groups": groups,
        "reduction": reduction,
        "expansion": expansion,
    }
    chosen = flag("--variant", lambda names: choose(names, options), variant or [])
    _check_patterns(read, [*(only or ()), *(keep or ())])
    what_ifs = [read.what_if(each, only=only or (), keep=keep or ()) for each in chosen]
    if form == "json":
        from sepcalc.contract import network_answer

        show_json(network_answer(read, what_ifs), output)
    else:
        layers = network_table(read, group=group, stages=stages, sort=sort, top=top)
        layers = with_columns(layers, columns, GROUP_COLUMNS if group else NETWORK_COLUMNS)
        changed = width != "1" or size is not None
        tables = [layers, totals_table(read, what_ifs), None if changed else published_table(read)]
        show_tables(_wanted([each for each in tables if each], table, form), form, output, si=si)
    _check_limits(read, limits)
    if strict and read.uncounted:
        names = ", ".join(layer.name for layer in read.uncounted)
        raise GateError(f"{read.name} has uncounted operators: {names}")


def _width(text: str) -> Fraction:
    try:
        width = Fraction(text)
    except (ValueError, ZeroDivisionError):
        width = Fraction(0)
    if not 0 < width <= 1000:
        raise SepcalcError(f"--width: expected a factor above 0 like 0.75, got '{text}'")
    return width


def _check_patterns(read: Network, patterns: Sequence[str]) -> None:
    """A pattern that matches nothing is a typing error, not a wish."""
    from fnmatch import filter as matching

    names = [layer.name for layer in read.layers]
    for pattern in patterns:
        if not matching(names, pattern):
            raise SepcalcError(f"no layer of {read.name} is called '{pattern}'{closest(pattern, names)}")


def _wanted(tables: list[Table], names: Sequence[str] | None, form: Format) -> list[Table]:
    """The tables that were asked for; formats that hold one table get the first, and a word about the others."""
    known = {each.name: each for each in tables}
    for name in names or ():
        if name not in known:
            raise SepcalcError(f"--table: no table '{name}'{closest(name, known)}")
    chosen = [each for each in tables if not names or each.name in names]
    if form in ONE_TABLE and not names:
        others = " or ".join(f"--table {each.name}" for each in chosen[1:])
        sys.stderr.write(f"{form} holds one table, this is '{chosen[0].name}'; for the others use {others}\n")
        return chosen[:1]
    return chosen


def _check_limits(read: Network, limits: Sequence[tuple[str, Fraction, str]]) -> None:
    """Raise :class:`GateError` with one sentence that names every limit that is passed."""
    passed = []
    for name, limit, text in limits:
        count = read.cost.params if name == "params" else read.cost.macs
        if count > limit:
            unit = "parameters" if name == "params" else "MACs"
            passed.append(f"{count:,} {unit}, {int(count - limit):,} more than --max-{name} {text}")
    if passed:
        raise GateError(f"{read.name} has {' and '.join(passed)}")
