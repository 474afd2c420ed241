"""``sepcalc schema``: the JSON Schema of a network file."""

from __future__ import annotations

import typer

from sepcalc.cli_options import OutputOption, show_json

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def schema(output: OutputOption = None) -> None:
    """Print the JSON Schema of network files, for editors that complete and check.

    sepcalc schema -o sepcalc.schema.json
    """
    from sepcalc.schema import schema as network_schema

    show_json(network_schema(), output)
