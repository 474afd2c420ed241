"""``sepcalc verify``: a network's arithmetic held against PyTorch."""

from typing import Annotated

import typer

from sepcalc.cli_options import (
    FormatOption,
    OutputOption,
    VariantOption,
    chosen_format,
    command_app,
    examples,
    flag,
    show_tables,
)
from sepcalc.cli_sources import SOURCE_HELP, ArgOption, InputOption, opened
from sepcalc.errors import GateError
from sepcalc.variants import choose
from sepcalc.verify import verification_table
from sepcalc.verify import verify as checked

EXAMPLES = (
    "sepcalc verify resnet50",
    "sepcalc verify mine.yaml --variant depthwise-separable",
)

app = command_app()


@app.command(short_help="Hold the counts against PyTorch's.", epilog=examples(*EXAMPLES))
def verify(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)],
    input: InputOption = None,  # noqa: A002 (the flag's name)
    arg: ArgOption = None,
    variant: VariantOption = None,
    format: FormatOption = None,  # noqa: A002 (the flag's name)
    output: OutputOption = None,
) -> None:
    """Build every layer and variant with PyTorch; compare parameters, shapes and FLOPs. Exit 1 at a difference."""
    form = chosen_format(format, output)
    network = opened(source, input, arg)
    checks = checked(network, flag("--variant", choose, variant or ["all"]))
    show_tables([verification_table(network, checks)], form, output, si=False)
    if wrong := [check for check in checks if check.differs]:
        raise GateError(
            f"{network.name}: {len(wrong):,} of {len(checks):,} forms differ from torch, first {wrong[0].layer} "
            f"as {wrong[0].form}: {wrong[0].verdict}"
        )
