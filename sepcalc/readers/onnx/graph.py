"""An ONNX graph as plain data: nodes, stored tensors without their numbers, and the shapes of all values by name.

A length of None is known only once the graph runs, such as the number of boxes found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from sepcalc.core.errors import SepcalcError
from sepcalc.core.spec import LARGEST, times

MOST_AXES = 64
"""Axes of a tensor; NumPy has the same limit."""

Shape = tuple[int, ...]
OpenShape = tuple[int | None, ...]
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A tensor that is stored in the file: an initializer, or with ``written`` the value of a Constant node."""

    name: str
    shape: Shape
    floating: bool
    written: bool = False
    fill: float | None = None
    """The one number that fills a small tensor."""

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operator. ``op`` has its domain before it, unless it is ONNX's own; an input left out is an empty name.

    ``names`` are names for its layer, the best first: see :func:`layer_names`. ``tensor`` is the value of a Constant
    node; ``inner`` are the graphs of If, Loop and Scan.
    """

    op: str
    names: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    tensor: Tensor | None = None
    inner: tuple[Graph, ...] = ()

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self.names[0]

    def input(self, slot: int) -> str:
        """The name of one input, empty where it is left out."""
        return self.inputs[slot] if slot < len(self.inputs) else ""

    def ints(self, name: str) -> tuple[int, ...]:
        """An attribute that is a list of whole numbers, empty where it is left out; else :class:`SepcalcError`."""
        value = self.attributes.get(name, ())
        if not isinstance(value, tuple) or not all(isinstance(number, int) for number in value):
            raise SepcalcError(f"{name} is {value!r:.60}, not whole numbers")
        return value  # type: ignore[return-value]  # just checked

    def int(self, name: str, default: int) -> int:
        """An attribute that is a whole number; :class:`SepcalcError` for another kind."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise SepcalcError(f"{name} is {value!r:.60}, not a whole number")
        return value

    def text(self, name: str, default: str) -> str:
        """An attribute that is a word; anything else as it prints."""
        return str(self.attributes.get(name, default))


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes in the order in which they run; ``floating`` are the values that hold floating-point numbers."""

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Tensor]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    shapes: Mapping[str, OpenShape] = field(default_factory=dict)
    floating: frozenset[str] = frozenset()
    learned: frozenset[str] = frozenset()
    """Initializers that the exporter says are parameters."""
    buffers: frozenset[str] = frozenset()
    """Initializers that the exporter says are not."""

    def walk(self) -> Iterator[Node]:
        """Every node, followed by the nodes of the graphs inside it."""
        for node in self.nodes:
            yield node
            for graph in node.inner:
                yield from graph.walk()


def check_order(graph: Graph) -> None:
    """Raise :class:`SepcalcError` unless every node reads only what exists before it, and nothing is made twice."""
    made = {"", *graph.inputs, *graph.tensors}
    produced = {output for node in graph.nodes for output in node.outputs}
    for node in graph.nodes:
        for name in node.inputs:
            if name not in made:
                later = "only later: the graph has a cycle, or is out of order"
                where = later if name in produced else "nowhere"
                raise SepcalcError(f"node {quoted(node.name)} reads {quoted(name)}, which is made {where}")
        for name in node.outputs:
            if name and name in made:
                raise SepcalcError(f"node {quoted(node.name)} makes {quoted(name)}, which exists already")
        made.update(node.outputs)


def believed(shape: Shape, label: str) -> Shape:
    """``shape``; :class:`SepcalcError` where it has too many axes, or a length that is negative or too large."""
    if len(shape) > MOST_AXES:
        raise SepcalcError(f"{label} has {len(shape):,} axes; up to {MOST_AXES} are believed")
    for length in shape:
        if not 0 <= length <= LARGEST:
            raise SepcalcError(f"{label} has a length of {length:,}; lengths from 0 to {LARGEST:,} are believed")
    return shape


def quoted(name: str) -> str:
    r"""A name from a file, as a message may show it: printable, and not endless.

    >>> print(quoted("conv\x1b1"))
    'conv\x1b1'
    """
    short = name if len(name) <= 80 else f"{name[:77]}..."
    return f"'{printable(short)}'"


def printable(text: str) -> str:
    r"""``text`` with an escape for each character that does not print."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def layer_names(name: str, *, scopes: tuple[str, ...] = (), whole: bool = False) -> tuple[str, ...]:
    """Names for a node's layer, the best first: the path of its module, where the exporter wrote it.

    ``scopes`` are the paths that torch's exporter writes beside a node, the function last; ``whole`` says that the
    innermost module is one of PyTorch's own, whose path is enough. Torch's older exporter writes the path into the
    node's name. Any other name stays as it is.

    >>> layer_names("node_conv2d", scopes=("", "layer1", "layer1.0", "layer1.0.conv1", "conv2d"), whole=True)
    ('layer1.0.conv1', 'layer1.0.conv1.conv2d')
    >>> layer_names("/layer1/layer1.0/conv1/Conv")
    ('layer1.0.conv1.Conv',)
    >>> layer_names("StatefulPartitionedCall/Conv2D")
    ('StatefulPartitionedCall/Conv2D',)
    """
    if scopes:
        path, function = ("", *scopes)[-2:]
        full = f"{path}.{function}".strip(".")
        return (path, full) if path and whole else (full,)
    if not name.startswith("/"):
        return (name,)
    parts = name.strip("/").split("/")
    # A part that the next one repeats is left out: layer1, layer1.0 is layer1.0.
    pairs = zip(parts, [*parts[1:], ""], strict=True)
    return (".".join(part for part, after in pairs if not after.startswith(f"{part}.")),)


def by(shape: Shape) -> str:
    """A shape as a message shows it.

    >>> by((64, 3, 3)), by(())
    ('64×3×3', 'a single number')
    """
    return times(shape) or "a single number"


def broadcast(a: Shape, b: Shape) -> Shape:
    """The shape that two shapes make together by NumPy's rules; :class:`SepcalcError` where they make none.

    >>> broadcast((8, 1), (12,))
    (8, 12)
    """
    length = max(len(a), len(b))
    pairs = list(zip((1,) * (length - len(a)) + a, (1,) * (length - len(b)) + b, strict=True))
    if any(m != n and 1 not in (m, n) for m, n in pairs):
        raise SepcalcError(f"combines {by(a)} with {by(b)}, which no rule allows")
    return tuple(n if m == 1 else m for m, n in pairs)
