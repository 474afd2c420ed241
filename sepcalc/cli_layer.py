"""``sepcalc layer``: one convolution in several variants."""

import sys
from pathlib import Path
from typing import Annotated, Literal, TypeVar

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
    colorful,
    flag,
    lengths,
    mid_channels,
    show_json,
    show_tables,
    show_text,
    terminal_width,
    with_columns,
)
from sepcalc.comparison import Comparison, compare
from sepcalc.errors import SepcalcError, closest
from sepcalc.layer_report import default_columns, layer_table
from sepcalc.render import Format
from sepcalc.spec import Axes, Bias, ConvSpec
from sepcalc.variants import choose

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ELEMENT_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
BIASES: tuple[Bias, ...] = ("none", "last", "all")
FRAMEWORKS: tuple[Literal["torch", "keras"], ...] = ("torch", "keras")


@app.command()
def layer(
    cin: Annotated[int, typer.Option("--cin", help="Channels in (M).", show_default=False)],
    cout: Annotated[int, typer.Option("--cout", help="Channels out (N).", show_default=False)],
    k: Annotated[str, typer.Option("--k", "-k", help="Kernel (D_K): 3, 3x1, 3x3x3.", show_default=False)],
    size: Annotated[
        str | None, typer.Option("--size", help="Feature map at the input (D_F): 56, 56x40; open if not given.")
    ] = None,
    stride: Annotated[str, typer.Option("--stride", help="Stride: 2, 2x1.")] = "1",
    padding: Annotated[str, typer.Option("--padding", help="same, valid, or numbers as in PyTorch: 1, 1x0.")] = "same",
    dilation: Annotated[str, typer.Option("--dilation", help="Dilation: 2, 2x1.")] = "1",
    bias: Annotated[str, typer.Option("--bias", help="Which stages have a bias: none, last or all.")] = "none",
    transposed: Annotated[bool, typer.Option("--transposed", help="A transposed convolution.")] = False,
    output_padding: Annotated[str, typer.Option("--output-padding", help="As in PyTorch, for --transposed.")] = "0",
    groups: GroupsOption = None,
    depth_multiplier: DepthMultiplierOption = None,
    mid: MidOption = None,
    reduction: ReductionOption = None,
    expansion: ExpansionOption = None,
    variant: VariantOption = None,
    dtype: Annotated[str, typer.Option("--dtype", help=f"For traffic: {', '.join(ELEMENT_BYTES)}.")] = "float32",
    columns: ColumnsOption = None,
    stages: StagesOption = False,
    explain: Annotated[bool, typer.Option("--explain", help="Derive each variant's count, step by step.")] = False,
    code: Annotated[str | None, typer.Option("--code", help="Print modules that run: torch or keras.")] = None,
    format: FormatOption = None,  # noqa: A002 (the flag's name)
    output: OutputOption = None,
    si: SiOption = False,
) -> None:
    """Compare the variants of one convolution: parameters, multiply-adds, traffic.

    sepcalc layer --cin 64 --cout 128 -k 3 --size 56
    """
    spec = ConvSpec.of(
        cin,
        cout,
        lengths("--k", k),
        size=None if size is None else lengths("--size", size),
        stride=lengths("--stride", stride),
        padding=_padding(padding),
        dilation=lengths("--dilation", dilation),
        groups=1 if groups is None else groups,
        bias=_word("--bias", bias, BIASES),
        transposed=transposed,
        output_padding=lengths("--output-padding", output_padding, least=0),
    )
    options = {
        "depth_multiplier": depth_multiplier,
        "mid": mid_channels(mid),
        "groups": groups,
        "reduction": reduction,
        "expansion": expansion,
    }
    comparison = compare(spec, flag("--variant", lambda names: choose(names, options), variant or []))
    if code is not None:
        _show_code(comparison, code, output)
        return
    form = chosen_format(format, output)
    if explain:
        _show_explanation(comparison, form, output)
        return
    element_bytes = ELEMENT_BYTES[_word("--dtype", dtype, tuple(ELEMENT_BYTES))]
    if form == "json":
        from sepcalc.contract import layer_answer

        show_json(layer_answer(comparison, element_bytes=element_bytes), output)
        return
    table = layer_table(comparison, element_bytes=element_bytes, stages=stages)
    show_tables([with_columns(table, columns, default_columns(comparison))], form, output, si=si)


def _show_code(comparison: Comparison, framework: str, output: Path | None) -> None:
    from sepcalc.snippets import code

    show_text(code(comparison, _word("--code", framework, FRAMEWORKS)), output)


def _show_explanation(comparison: Comparison, form: Format, output: Path | None) -> None:
    from sepcalc.explain import explain, render_explanation

    live = output is None and form == "terminal" and sys.stdout.isatty()
    width = terminal_width() if live else None
    show_text(render_explanation(explain(comparison), form, width=width, color=live and colorful()), output)


def _padding(text: str) -> int | Axes | Literal["same", "valid"]:
    if text == "same":
        return "same"
    if text == "valid":
        return "valid"
    if not text[:1].isdecimal():
        raise SepcalcError(f"--padding: expected same, valid, or numbers like 1 or 1x0, got '{text}'")
    return lengths("--padding", text, least=0)


Word = TypeVar("Word", bound=str)


def _word(name: str, text: str, known: tuple[Word, ...]) -> Word:
    for word in known:
        if word == text:
            return word
    raise SepcalcError(f"{name}: unknown word '{text}'{closest(text, known)}")
