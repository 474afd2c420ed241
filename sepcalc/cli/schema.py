"""``sepcalc schema``: the JSON Schema of a network file."""

from pathlib import Path
from typing import Annotated

from sepcalc.cli.flags import option
from sepcalc.cli.options import command_app, examples, show_json

EXAMPLES = ("sepcalc schema -o sepcalc.schema.json",)

app = command_app()


@app.command(short_help="Print the JSON Schema of network files.", epilog=examples(*EXAMPLES))
def schema(
    output: Annotated[Path | None, option("--output -o", "FILE", "Write to this file, whatever its suffix.")] = None,
) -> None:
    """Print the JSON Schema of network files, for editors that complete and check."""
    from sepcalc.readers.yaml.schema import schema as network_schema

    show_json(network_schema(), output)
