"""``sepcalc layer``: one convolution in several variants."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from sepcalc.cli.convolution import ConvolutionFlags, compared
from sepcalc.cli.flags import flag, flags_of, flat, ignore, option, refuse, word
from sepcalc.cli.options import (
    DtypeOption,
    ShowFlags,
    StagesOption,
    command_app,
    element_bytes,
    examples,
    need_size,
    screen,
    show_text,
    with_columns,
)
from sepcalc.cli.pictures import BarFlags, PlotFlags
from sepcalc.cli.variants import VariantFlags
from sepcalc.core.comparison import Comparison
from sepcalc.core.layer_tables import layer_table
from sepcalc.core.table import Table

FRAMEWORKS: tuple[Literal["torch", "keras"], ...] = ("torch", "keras")

SHARES = {"params": "params_ratio", "macs": "macs_ratio", "macs_per_position": "macs_ratio"}
"""The counts that ``--bars`` shows as bars, and the columns with their shares."""

EXAMPLES = (
    "sepcalc layer --cin 64 --cout 128 -k 3",
    "sepcalc layer --cin 64 --cout 128 -k 3 --size 56",
    "sepcalc layer --cin 64 --cout 128 -k 3 --explain",
    "sepcalc layer --cin 64 --cout 128 -k 3 --code torch",
)

app = command_app()


@app.command(short_help="Compare the variants of one convolution.", epilog=examples(*EXAMPLES))
@flat
def layer(
    *,
    convolution: ConvolutionFlags,
    variants: VariantFlags,
    dtype: DtypeOption = None,
    stages: StagesOption = False,
    explain: Annotated[bool, typer.Option("--explain", help="Derive each variant's count, step by step.")] = False,
    code: Annotated[str | None, option("--code", "FRAMEWORK", "Print modules that run: torch or keras.")] = None,
    plots: PlotFlags,
    bars: BarFlags,
    show: ShowFlags,
) -> None:
    """Compare the variants of one convolution: parameters, multiply-adds, traffic."""
    plots.check()
    comparison = compared(convolution, variants)
    looks = {"--dtype": dtype, "--columns": show.columns, "--stages": stages, "--si": show.si, **flags_of(bars)}
    if code is not None:
        refuse({"--explain": explain, "--format": show.format}, "--code prints a program; leave one or the other out")
        ignore(looks, "--code prints a program")
        _show_code(comparison, code, show.output)
    elif explain:
        ignore(looks, "--explain prints a derivation")
        _show_explanation(comparison, show)
    elif show.form() == "json":
        from sepcalc.core.answers import layer_answer

        show.answer(
            layer_answer(comparison, element_bytes=element_bytes(dtype)),
            "figure and stage",
            {"--stages": stages, **flags_of(bars)},
        )
    else:
        _show_table(comparison, dtype, bars, show, stages=stages)
    plots.draw(lambda: [layer_table(comparison, stages=True)])


def _show_code(comparison: Comparison, framework: str, output: Path | None) -> None:
    from sepcalc.builders.snippets import code

    chosen = word("--code", framework, FRAMEWORKS)
    show_text(code(comparison, chosen), output)


def _show_explanation(comparison: Comparison, show: ShowFlags) -> None:
    from sepcalc.explain.derivation import explain_layer
    from sepcalc.explain.prose import render_explanation

    form = show.form()
    width, color = screen(show.output)
    show_text(
        render_explanation(flag("--size", explain_layer, comparison), form, width=width, color=color), show.output
    )


def _show_table(comparison: Comparison, dtype: str | None, bars: BarFlags, show: ShowFlags, *, stages: bool) -> None:
    spec = comparison.spec
    table = layer_table(comparison, element_bytes=element_bytes(dtype), stages=stages)
    known = bars.barred(table if spec.size is not None else _known(table, show.columns), SHARES, show)
    if spec.size is None:
        ignore({"--dtype": dtype}, "traffic depends on the feature size; give --size")
    elif not {"traffic_bytes", "intensity"} & {column.key for column in with_columns(known, show.columns).columns}:
        ignore({"--dtype": dtype}, "no traffic is shown; add traffic_bytes or intensity to --columns")
    show.tables(known)


def _known(table: Table, columns: str | None) -> Table:
    """The columns of ``table`` that need no size; raises :class:`SepcalcError` if ``columns`` names another one."""
    cells = {column.key: cell for column, cell in zip(table.columns, table.rows[0].cells, strict=True)}
    need_size(columns, [key for key, cell in cells.items() if cell is None])
    return table.select(key for key, cell in cells.items() if cell is not None)
