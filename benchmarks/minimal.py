"""The smallest Typer + Rich program that prints the table of ``sepcalc layer``: what start-up is measured against."""

import typer
from rich.console import Console
from rich.table import Table

CAPTION = """\
MACs: multiply-adds of convolutions, linear layers and matrix products, 1 MAC = 2 FLOPs; bias, normalisation, \
activations and pooling are not in them. Params: everything trainable. D_F: the size of the feature map, left open. \
Reduction: standard / variant.
spatial-separable: mid 64; saves while mid < 128."""


def main() -> None:
    """Print the table."""
    table = Table(title="3×3 convolution, 64 → 128 channels", caption=CAPTION)
    table.add_column("Variant")
    for heading in ("Params", "MACs", "Params reduction", "MACs reduction"):
        table.add_column(heading, justify="right")
    table.add_row("standard", "73,728", "73,728·D_F²", "1.00×", "1.00×")
    table.add_row("depthwise-separable", "8,768", "8,768·D_F²", "8.41×", "8.41×")
    table.add_row("spatial-separable", "36,864", "36,864·D_F²", "2.00×", "2.00×")
    Console().print(table)


def run() -> None:
    """Parse the command line as Typer does, then print."""
    typer.run(main)
