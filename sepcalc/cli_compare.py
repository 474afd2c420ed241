"""``sepcalc compare``: several networks side by side."""

from typing import Annotated

import typer

from sepcalc.cli_options import (
    ColumnsOption,
    DtypeOption,
    FormatOption,
    OutputOption,
    SiOption,
    chosen_format,
    command_app,
    element_bytes,
    examples,
    refuse,
    show_json,
    show_tables,
    with_columns,
)
from sepcalc.cli_sources import SOURCE_HELP, ArgOption, InputOption, opened
from sepcalc.network import Network
from sepcalc.network_report import comparison_table
from sepcalc.sources import kind_of

EXAMPLES = (
    "sepcalc compare resnet50 mobilenet_v1 mobilenet_v2",
    "sepcalc compare mine.yaml vgg16 -o table.tex",
)

app = command_app()


@app.command(short_help="Compare several networks.", epilog=examples(*EXAMPLES))
def compare(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help=SOURCE_HELP)],
    input: InputOption = None,  # noqa: A002 (the flag's name)
    arg: ArgOption = None,
    dtype: DtypeOption = None,
    columns: ColumnsOption = None,
    format: FormatOption = None,  # noqa: A002 (the flag's name)
    output: OutputOption = None,
    si: SiOption = False,
) -> None:
    """Compare networks: parameters, multiply-adds, activations, intensity, reductions against the first."""
    if all(kind_of(source) == "yaml" for source in sources):
        refuse({"--input": input, "--arg": arg}, "no network here is an ONNX or PyTorch one; leave them out")
    form = chosen_format(format, output)
    size = element_bytes(dtype)
    networks = [_open(source, input, arg) for source in sources]
    if form == "json":
        refuse({"--columns": columns, "--si": si}, "json always holds every figure; choose another format")
        from sepcalc.contract import comparison_answer

        show_json(comparison_answer(networks, element_bytes=size), output)
        return
    table = comparison_table(networks, element_bytes=size)
    show_tables([with_columns(table, columns)], form, output, si=si)


def _open(source: str, inputs: list[str] | None, arguments: list[str] | None) -> Network:
    """A network of any kind; what only imported ones take is not for those in YAML."""
    imported = kind_of(source) != "yaml"
    return opened(source, inputs if imported else None, arguments if kind_of(source) == "torch" else None)
