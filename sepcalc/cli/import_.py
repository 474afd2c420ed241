"""``sepcalc import``: a network as a plain list of layers in YAML."""

from pathlib import Path
from typing import Annotated

import typer

from sepcalc.cli.flags import flat, option, say
from sepcalc.cli.options import command_app, examples, show_text
from sepcalc.cli.sources import SOURCE_HELP, SourceFlags

EXAMPLES = (
    "sepcalc import torchvision.models:resnet50 -o resnet50.yaml",
    "sepcalc import ./my_net.py:Net --arg classes=10 --input 1x1x28x28",
    "sepcalc import bert.py:Bert --input ids=1x128:int64 --input mask=1x128:bool",
    "sepcalc import net.onnx --input image=1x3x224x224 -o net.yaml",
)

app = command_app()


@app.command(name="import", short_help="Write a network as a plain list in YAML.", epilog=examples(*EXAMPLES))
@flat
def import_(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help=SOURCE_HELP)],
    imports: SourceFlags,
    output: Annotated[Path | None, option("--output -o", "FILE", "Write to this file; else it is printed.")] = None,
) -> None:
    """Write a network as a plain list of layers in YAML with the same totals.

    The PyTorch callable that you name is run once, on shapes alone.
    """
    from sepcalc.readers.yaml.writer import to_yaml

    network = imports.open(source)
    show_text(to_yaml(network), output)
    for layer in network.uncounted:
        say(f"uncounted, and missing from every total: {layer.name} ({layer.type})")
