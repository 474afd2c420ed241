"""``sepcalc verify``: a network's counts checked against PyTorch."""

from typing import Annotated

import typer

from sepcalc.builders.verify import different_modules, verification_table, whole_remark
from sepcalc.builders.verify import verify as checked
from sepcalc.cli.flags import flag, flat
from sepcalc.cli.options import FormatOption, OutputOption, ShowFlags, command_app, examples, show_tables
from sepcalc.cli.sources import SOURCE_HELP, SourceFlags
from sepcalc.cli.variants import VariantOption
from sepcalc.core.errors import GateError
from sepcalc.core.table import first_few
from sepcalc.core.variants import choose

EXAMPLES = (
    "sepcalc verify resnet50",
    "sepcalc verify mine.yaml --variant depthwise-separable",
)

app = command_app()


@app.command(short_help="Check the counts against PyTorch.", epilog=examples(*EXAMPLES))
@flat
def verify(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)],
    imports: SourceFlags,
    variant: VariantOption = None,
    format: FormatOption = None,  # noqa: A002 (the flag's name)
    output: OutputOption = None,
) -> None:
    """Build every layer and variant with PyTorch; compare parameters, shapes and FLOPs. Exit 1 at a difference."""
    form = ShowFlags(format=format, output=output).form()
    network, run = imports.trace(source)
    checks = checked(network, flag("--variant", choose, variant or ["all"]))
    remarks, missed = [], {}
    if run is not None:
        from sepcalc.readers.pytorch.layers import macs_of_modules
        from sepcalc.readers.pytorch.model import count_modules

        ours = {path: 2 * macs for path, macs in macs_of_modules(run).items()}
        torch = count_modules(imports.request(source))
        remarks = [whole_remark(ours, torch)]
        missed = {path: pair for path, pair in different_modules(ours, torch).items() if pair[0] < pair[1]}
    show_tables([verification_table(network, checks, remarks=remarks)], form, output, si=False)
    if wrong := [check for check in checks if check.differs]:
        raise GateError(
            f"{network.name}: {len(wrong):,} of {len(checks):,} forms differ from torch, first {wrong[0].layer} "
            f"as {wrong[0].form}: {wrong[0].verdict}"
        )
    if missed:
        raise GateError(f"{network.name}: torch counts more FLOPs than the import in {first_few([*missed])}")
