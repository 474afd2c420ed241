"""Network files for tests: what a few lines stand for, and every fault of them."""

from textwrap import dedent, indent

from sepcalc.core.layers import Layer
from sepcalc.core.network import Network
from sepcalc.readers.yaml.reader import FileError, read


def network(layers: str, *, channels: int = 3, size: int | str = 32, head: str = "", **options) -> Network:
    """The network of these ``layers``, a YAML list, with an input and other top-level keys in ``head``."""
    text = f"input: {{channels: {channels}, size: {size}}}\n{dedent(head)}\nlayers:\n{indent(dedent(layers), '  ')}"
    return read(text, file="net.yaml", **options)


def layer(text: str, **options) -> Layer:
    """The only layer of a network with one."""
    (found,) = network(f"- {text}", **options).layers
    return found


def shapes(layers: str, **options) -> list[tuple[int, ...]]:
    """What each of the ``layers`` writes."""
    return [each.output.shape for each in network(layers, **options).layers]


def names(layers: str, **options) -> list[str]:
    """What the ``layers`` are called."""
    return [each.name for each in network(layers, **options).layers]


def faults(text: str, **options) -> list[str]:
    """Every line of what is wrong with a whole file, its name left out."""
    try:
        read(dedent(text), file="net.yaml", **options)
    except FileError as error:
        return [line.removeprefix("net.yaml:") for line in str(error).splitlines()]
    return []


def layer_faults(layers: str, *, head: str = "") -> list[str]:
    """What is wrong with ``layers`` in a file that has an input of 3×32×32; their first line is line 1."""
    text = f"{dedent(layers).strip()}\n"
    found = faults(f"layers:\n{indent(text, '  ')}input: {{channels: 3, size: 32}}\n{dedent(head)}")
    return [_moved(line) for line in found]


def _moved(fault: str) -> str:
    """A fault with its place counted from the first layer."""
    line, column, message = fault.split(":", 2)
    return f"{int(line) - 1}:{int(column) - 2}:{message}"
