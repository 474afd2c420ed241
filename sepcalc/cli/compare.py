"""``sepcalc compare``: several networks side by side."""

from typing import Annotated

import typer

from sepcalc.cli.flags import flags_of, flat, refuse
from sepcalc.cli.options import DtypeOption, ShowFlags, command_app, element_bytes, examples
from sepcalc.cli.pictures import PlotFlags
from sepcalc.cli.sources import SOURCE_HELP, SourceFlags
from sepcalc.core.network import Network
from sepcalc.core.network_tables import comparison_table
from sepcalc.readers.sources import kind_of

EXAMPLES = (
    "sepcalc compare resnet50 mobilenet_v1 mobilenet_v2",
    "sepcalc compare mine.yaml vgg16 -o table.tex",
)

app = command_app()


@app.command(short_help="Compare several networks.", epilog=examples(*EXAMPLES))
@flat
def compare(
    *,
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help=SOURCE_HELP)],
    imports: SourceFlags,
    dtype: DtypeOption = None,
    plots: PlotFlags,
    show: ShowFlags,
) -> None:
    """Compare networks: parameters, multiply-adds, activations, intensity, reductions against the first."""
    plots.check()
    if all(kind_of(source) == "yaml" for source in sources):
        refuse(flags_of(imports), "no network here is an ONNX or PyTorch one; leave them out")
    form = show.form()
    size = element_bytes(dtype)
    networks = [_open(source, imports) for source in sources]
    if form == "json":
        from sepcalc.core.answers import comparison_answer

        show.answer(comparison_answer(networks, element_bytes=size))
    else:
        show.tables(comparison_table(networks, element_bytes=size))
    plots.draw(lambda: [comparison_table(networks)])


def _open(source: str, flags: SourceFlags) -> Network:
    """The network called ``source``; flags for other kinds of networks are left out."""
    kind = kind_of(source)
    taken = SourceFlags(flags.input if kind != "yaml" else None, flags.arg if kind == "torch" else None)
    return taken.open(source)
