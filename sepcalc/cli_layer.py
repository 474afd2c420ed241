"""``sepcalc layer``: one convolution in several variants."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from sepcalc.cli_options import (
    ColumnsOption,
    DepthMultiplierOption,
    DtypeOption,
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
    colorful,
    command_app,
    element_bytes,
    examples,
    flag,
    lengths,
    refuse,
    show_json,
    show_tables,
    show_text,
    terminal_width,
    variant_options,
    whole,
    with_columns,
    word,
)
from sepcalc.comparison import Comparison, compare
from sepcalc.errors import SepcalcError
from sepcalc.layer_report import layer_table
from sepcalc.render import Format
from sepcalc.spec import Axes, Bias, ConvSpec, parse_lengths, parse_whole
from sepcalc.table import Table

BIASES: tuple[Bias, ...] = ("none", "last", "all")
FRAMEWORKS: tuple[Literal["torch", "keras"], ...] = ("torch", "keras")

EXAMPLES = (
    "sepcalc layer --cin 64 --cout 128 -k 3",
    "sepcalc layer --cin 64 --cout 128 -k 3 --size 56",
    "sepcalc layer --cin 64 --cout 128 -k 3 --explain",
    "sepcalc layer --cin 64 --cout 128 -k 3 --code torch",
)

app = command_app()


@app.command(short_help="Compare the variants of one convolution.", epilog=examples(*EXAMPLES))
def layer(
    cin: Annotated[str, typer.Option("--cin", metavar="N", help="Channels in (M).", show_default=False)],
    cout: Annotated[str, typer.Option("--cout", metavar="N", help="Channels out (N).", show_default=False)],
    k: Annotated[
        str, typer.Option("-k", "--k", metavar="KERNEL", help="Kernel (D_K): 3, 3x1, 3x3x3.", show_default=False)
    ],
    size: Annotated[
        str | None,
        typer.Option("--size", metavar="SIZE", help="Feature map at the input (D_F): 56, 56x40; open if not given."),
    ] = None,
    axes: Annotated[
        str | None,
        typer.Option("--axes", metavar="N", help="1, 2 or 3, where KERNEL is one number for all axes; 2 by default."),
    ] = None,
    stride: Annotated[str, typer.Option("--stride", metavar="STRIDE", help="2, 2x1.")] = "1",
    padding: Annotated[
        str, typer.Option("--padding", metavar="PADDING", help="same, valid, or numbers as in PyTorch: 1, 1x0.")
    ] = "same",
    dilation: Annotated[str, typer.Option("--dilation", metavar="DILATION", help="2, 2x1.")] = "1",
    bias: Annotated[
        str, typer.Option("--bias", metavar="WHERE", help="Stages with a bias: none, last or all.")
    ] = "none",
    transposed: Annotated[bool, typer.Option("--transposed", help="A transposed convolution.")] = False,
    output_padding: Annotated[
        str | None,
        typer.Option("--output-padding", metavar="PADDING", help="With --transposed, as in PyTorch: 1, 1x0."),
    ] = None,
    groups: GroupsOption = None,
    depth_multiplier: DepthMultiplierOption = None,
    mid: MidOption = None,
    reduction: ReductionOption = None,
    expansion: ExpansionOption = None,
    variant: VariantOption = None,
    dtype: DtypeOption = None,
    columns: ColumnsOption = None,
    stages: StagesOption = False,
    explain: Annotated[bool, typer.Option("--explain", help="Derive each variant's count, step by step.")] = False,
    code: Annotated[
        str | None, typer.Option("--code", metavar="FRAMEWORK", help="Print modules that run: torch or keras.")
    ] = None,
    format: FormatOption = None,  # noqa: A002 (the flag's name)
    output: OutputOption = None,
    si: SiOption = False,
) -> None:
    """Compare the variants of one convolution: parameters, multiply-adds, traffic."""
    if not transposed:
        refuse({"--output-padding": output_padding}, "only transposed convolutions have it; add --transposed")
    spec = ConvSpec.of(
        flag("--cin", parse_whole, cin),
        flag("--cout", parse_whole, cout),
        _kernel(k, axes),
        size=None if size is None else lengths("--size", size),
        stride=lengths("--stride", stride),
        padding=_padding(padding),
        dilation=lengths("--dilation", dilation),
        groups=whole("--groups", groups) or 1,
        bias=word("--bias", bias, BIASES),
        transposed=transposed,
        output_padding=lengths("--output-padding", output_padding or "0", least=0),
    )
    options = variant_options(depth_multiplier, mid, groups, reduction, expansion)
    variants = chosen_variants(variant, options, implied="groups")
    # All that can be wrong here is a size that is needed and missing.
    comparison = flag("--size", lambda given: compare(given, variants), spec)
    looks = {"--columns": columns, "--stages": stages, "--si": si}
    if code is not None:
        _show_code(comparison, code, output, {"--explain": explain, "--format": format, "--dtype": dtype, **looks})
    elif explain:
        _show_explanation(comparison, chosen_format(format, output), output, {"--dtype": dtype, **looks})
    elif (form := chosen_format(format, output)) == "json":
        _show_answer(comparison, _moved_bytes(dtype, spec), output, looks)
    else:
        table = layer_table(comparison, element_bytes=_moved_bytes(dtype, spec), stages=stages)
        known = table if spec.size is not None else _known(table, columns)
        shown = with_columns(known, columns)
        if not {"traffic_bytes", "intensity"}.intersection(column.key for column in shown.columns):
            refuse({"--dtype": dtype}, "no traffic is shown; add traffic_bytes or intensity to --columns")
        show_tables([shown], form, output, si=si)


def _kernel(text: str, axes: str | None) -> int | Axes:
    """The value of ``-k``, on as many axes as ``--axes`` says where it is one number."""
    kernel = lengths("-k", text)
    if axes is None:
        return kernel
    if axes not in ("1", "2", "3"):
        raise SepcalcError(f"--axes: expected 1, 2 or 3, got '{axes}'")
    if isinstance(kernel, int):
        return (kernel,) * int(axes)
    if len(kernel) != int(axes):
        raise SepcalcError(f"--axes: -k {text} has {len(kernel)} axes, not {axes}; leave --axes out")
    return kernel


def _show_code(comparison: Comparison, framework: str, output: Path | None, others: Mapping[str, object]) -> None:
    from sepcalc.snippets import code

    chosen = word("--code", framework, FRAMEWORKS)
    refuse(others, "--code prints a program; leave one or the other out")
    show_text(code(comparison, chosen), output)


def _show_explanation(comparison: Comparison, form: Format, output: Path | None, others: Mapping[str, object]) -> None:
    from sepcalc.explain import explain, render_explanation

    refuse(others, "--explain prints a derivation; leave one or the other out")
    live = output is None and form == "terminal" and sys.stdout.isatty()
    width = terminal_width() if live else None
    show_text(render_explanation(explain(comparison), form, width=width, color=live and colorful()), output)


def _show_answer(comparison: Comparison, moved: int, output: Path | None, others: Mapping[str, object]) -> None:
    from sepcalc.contract import layer_answer

    refuse(others, "json always holds every figure and stage; choose another format")
    show_json(layer_answer(comparison, element_bytes=moved), output)


def _moved_bytes(dtype: str | None, spec: ConvSpec) -> int:
    if spec.size is None:
        refuse({"--dtype": dtype}, "traffic depends on the feature size; give --size")
    return element_bytes(dtype)


def _known(table: Table, columns: str | None) -> Table:
    """The columns of ``table`` that do not depend on a size.

    Raises :class:`SepcalcError` where ``columns`` asks for one of the others.
    """
    known = {column.key: cell is not None for column, cell in zip(table.columns, table.rows[0].cells, strict=True)}
    for key in (columns or "").split(","):
        if not known.get(key.strip(), True):
            instead = ", or choose macs_per_position" if key.strip() == "macs" else ""
            raise SepcalcError(f"--columns: {key.strip()} cannot be known without a size; give --size{instead}")
    return table.select(key for key, there in known.items() if there)


def _padding(text: str) -> int | Axes | Literal["same", "valid"]:
    if text == "same":
        return "same"
    if text == "valid":
        return "valid"
    try:
        return parse_lengths(text, 0)
    except SepcalcError:
        raise SepcalcError(f"--padding: expected same, valid, or numbers like 1 or 1x0, got '{text}'") from None
