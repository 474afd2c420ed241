"""The state of an import: stored tensors, the nodes that read them, and the layers so far.

**Parameters.** An ONNX file does not say which numbers were learned. Here they are the floating-point initializers with
at least one axis, wherever an operator reads them, except

* where the operator's record makes them a setting (:mod:`sepcalc.readers.onnx.registry`): running mean and variance of
  a batch norm, bounds of Clip, scales and zero points of quantisation, sizes of Resize, windows, masks of Attention,
  initial states, and subtrahends and divisors, since they normalise an input;
* where torch's exporter says that they are buffers. Where it lists the learned tensors, a single number counts if it
  is listed, with axes or without;
* an instance norm's scale of ones and shift of zeros between two Reshapes: exporters write a group norm so.

Numbers of any type count where an operator takes its weights (a quantised convolution's bytes), also in a Constant
node. A tensor that is only moved (transposed, reshaped, cast, dequantised) before it is used is the same tensor. A
tensor that several operators read counts once, with the first of them; a part that was cut off counts as that part.
Floating-point initializers that nobody reads are *unused parameters*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

from sepcalc.core.layers import INPUT, FeatureMap, Operator, Taps, parts
from sepcalc.readers.imported import Claims, ImportedLayers
from sepcalc.readers.onnx.graph import Graph, Node, OpenShape, Shape, Tensor
from sepcalc.readers.onnx.registry import operator_record

LONGEST_NAME = 200
"""Characters of a layer's name."""

MOST_PARTS = 64
"""Tensors that are followed through joins; recurrent layers have 16 gates."""


class UnknownShapeError(Exception):
    """A count needs a shape that is not known before the graph runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A value that holds numbers of ``tensor`` and of ``others``, and nothing else.

    ``part`` is its name where it holds only a part of the tensor; ``own`` is how many numbers it holds.
    """

    tensor: Tensor
    own: int
    part: str = ""
    repeated: bool = False
    others: tuple[Stored, ...] = ()

    @property
    def parts(self) -> tuple[Stored, ...]:
        """Itself, and the values that it was joined with."""
        return (self, *self.others)

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return sum(part.own for part in self.parts)

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """Equal for two values with the same numbers."""
        return tuple((part.tensor.name, part.part) for part in self.parts)


@dataclass(slots=True, kw_only=True)
class Scope:
    """The graph, and the layers of the nodes so far."""

    graph: Graph
    shapes: dict[str, OpenShape]
    layers: ImportedLayers = field(default_factory=ImportedLayers)
    stored: dict[str, Stored] = field(default_factory=dict)
    written: dict[str, Taps] = field(default_factory=dict)
    """The layers that wrote each value."""
    claims: Claims = field(default_factory=Claims)
    first: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)
    """The layer that counted a parameter."""
    settings: set[str] = field(default_factory=set)
    uses: Counter[str] = field(default_factory=Counter)
    readers: dict[str, Node] = field(default_factory=dict)
    makers: dict[str, Node] = field(default_factory=dict)
    shapeless: bool = False
    """Whether a matrix product is uncounted because a shape is not known."""
    absorbed: set[str] = field(default_factory=set)
    """Outputs of nodes that are part of a layer before."""

    @classmethod
    def of(cls, graph: Graph) -> Scope:
        """The scope before the first node of ``graph``."""
        scope = cls(graph=graph, shapes=dict(graph.shapes))
        for tensor in graph.tensors.values():
            scope.store(tensor.name, tensor)
        for node in graph.walk():
            scope.uses.update(node.inputs)
            scope.readers.update(dict.fromkeys(node.inputs, node))
            scope.makers.update(dict.fromkeys(node.outputs, node))
        scope.uses.update(graph.outputs)
        scope.written.update((name, (INPUT,)) for name in graph.inputs)
        convolutions = (node for node in graph.walk() if _convolves(node.op))
        scope.layers.sequences = not any(len(scope.shapes.get(node.input(0), ())) == 3 for node in convolutions)
        return scope

    def taps(self, node: Node) -> Taps:
        """The layers whose results ``node`` and the graphs inside it read; a silent node hands on its first input."""
        record = operator_record(node.op)
        nodes = (node, *(inner for graph in node.inner for inner in graph.walk()))
        names = [name for inner in nodes for name in inner.inputs]
        read = [self.written[name] for name in names if name in self.written]
        if record.kind == "silent":
            read = read[:1]
        taps = tuple(tap for taps in read for tap in taps)
        return parts(taps) if record.carries == "cut" or self._reshapes(node) else taps

    def _reshapes(self, node: Node) -> bool:
        """Whether a silent node gives the axes other lengths than 1 that they did not have."""
        if operator_record(node.op).kind != "silent" or node.op == "Transpose" or not node.outputs:
            return False
        before, after = (self.shapes.get(name, ()) for name in (node.input(0), node.outputs[0]))
        return [length for length in before if length != 1] != [length for length in after if length != 1]

    def store(self, name: str, tensor: Tensor) -> None:
        """Store ``tensor`` as the value ``name``."""
        self.stored[name] = Stored(tensor=tensor, own=tensor.count)
        self.shapes[name] = tensor.shape

    def follow(self, node: Node) -> bool:
        """Whether ``node`` only moves stored numbers, or stores them; its outputs are then stored too."""
        if node.op == "Constant":
            if node.tensor is not None and node.outputs:
                self.store(node.outputs[0], replace(node.tensor, name=node.outputs[0]))
            return True
        source, carries = self.stored.get(node.input(0)), operator_record(node.op).carries
        if source is None or not carries:
            return False
        if carries == "join":
            return self._join(node)
        # Its other inputs are scales, zero points or shapes.
        self.set_apart(node.inputs[1:])
        for output in node.outputs:
            if carries != "cut":
                self.stored[output] = replace(source, repeated=source.repeated or carries == "repeat")
            elif None not in (shape := self.shapes.get(output, (None,))):
                self.stored[output] = replace(source, part=output, own=prod(shape), others=())  # type: ignore[arg-type]
        return True

    def _join(self, node: Node) -> bool:
        joined = [self.stored.get(name) for name in node.inputs]
        parts = [part for stored in joined if stored is not None and stored.tensor.floating for part in stored.parts]
        whole = None not in joined and bool(parts) and len(parts) <= MOST_PARTS
        if whole:
            self.stored.update((output, replace(parts[0], others=tuple(parts[1:]))) for output in node.outputs)
        return whole

    def shape(self, name: str) -> Shape:
        """The shape of a value.

        Raises :class:`UnknownShapeError` where it, or a length in it, is not known.
        """
        shape = self.shapes.get(name)
        if shape is None or None in shape:
            raise UnknownShapeError(name)
        return shape  # type: ignore[return-value]  # just checked

    def parameter(self, node: Node, slot: int) -> Stored | None:
        """The parameter that ``node`` reads in this place, if it is one: see the module's rule."""
        stored = self.stored.get(node.input(slot))
        if stored is None or self._is_constant(stored.tensor):
            return None
        tensor, record = stored.tensor, operator_record(node.op)
        weights = slot in record.weights and not (tensor.written and stored.repeated)
        learned = tensor.floating and not tensor.written and slot not in record.settings
        if weights or (learned and tensor.name not in self.graph.buffers):
            return None if slot and self._only_normalises(node) else stored
        self.settings.update(part.tensor.name for part in stored.parts)
        return None

    def _is_constant(self, tensor: Tensor) -> bool:
        known = self.graph.learned
        return tensor.name not in known and (not tensor.shape or bool(known and tensor.count == 1))

    def _only_normalises(self, node: Node) -> bool:
        """Whether this is the instance norm that exporters write inside a group norm: scale 1, shift 0."""
        if node.op != "InstanceNormalization" or node.input(0) not in self.makers:
            return False
        fills = [stored.tensor.fill if (stored := self.stored.get(node.input(slot))) else None for slot in (1, 2)]
        normalises = fills == [1, 0] and self.makers[node.input(0)].op == "Reshape"
        if normalises:
            self.set_apart(node.inputs[1:3])
        return normalises

    def claim(self, parameter: Stored | None, layer: str) -> int:
        """Count ``parameter`` with ``layer``: how many of its numbers were not counted before."""
        if parameter is None:
            return 0
        self.first.setdefault(parameter.key, layer)
        parts = ((part.tensor.name, part.part, part.own, part.tensor.count) for part in parameter.parts)
        return sum(self.claims.claim(*part) for part in parts)

    def claim_all(self, node: Node, layer: str) -> int:
        """Count every parameter that ``node`` and the graphs inside it read, and no layer has."""
        new = sum(self.claim(self.parameter(node, slot), layer) for slot in range(len(node.inputs)))
        for graph in node.inner:
            for tensor in graph.tensors.values():
                self.store(tensor.name, tensor)
            new += sum(0 if self.follow(inner) else self.claim_all(inner, layer) for inner in graph.nodes)
        return new

    def set_apart(self, inputs: Sequence[str]) -> None:
        """Note that these inputs of a node are settings, not parameters."""
        self.settings.update(stored.tensor.name for name in inputs if (stored := self.stored.get(name)))

    def ends(self, node: Node) -> tuple[FeatureMap, FeatureMap]:
        """The first input that is not stored in the file, and the first output, as feature maps."""
        reads = next((name for name in node.inputs if name and name not in self.stored), node.input(0))
        shapes = (self.shapes.get(name, ()) for name in (reads, next(iter(node.outputs), "")))
        first, second = map(self.layers.feature_map, shapes)
        return first, second

    def operator(self, node: Node, name: str, *, kernel: Shape = (), counted: bool = True) -> None:
        """Add a layer without a matrix product, or with ``counted=False`` one that is not understood."""
        (x, y), word, params = self.ends(node), operator_record(node.op).word, self.claim_all(node, name)
        layer = Operator(name=name, type=word, input=x, output=y, kernel=kernel, params=params, counted=counted)
        self.layers.add(layer)

    def parameters(self, name: str, kind: str, params: int) -> None:
        """Add a layer for parameters that belong to no operator, or that its form cannot hold."""
        self.layers.add_parameters(name[:LONGEST_NAME], kind, params)

    def unused(self) -> None:
        """Add a layer for every parameter, or rest of one, that no layer has counted."""
        for tensor in self.graph.tensors.values():
            apart = tensor.name in self.settings or tensor.name in self.graph.buffers
            idle = tensor.floating and not apart and not self._is_constant(tensor)
            if rest := self.claims.left.get(tensor.name, tensor.count if idle else 0):
                self.parameters(tensor.name or "parameter", "unused parameters", rest)


def _convolves(op: str) -> bool:
    record = operator_record(op)
    return bool(record.weights) and record.word.endswith("conv")
