"""What is known while the nodes of an ONNX graph become layers: stored tensors, who uses them, names, layers so far.

**What a parameter is.** An ONNX file does not say which numbers were learned. Here they are the floating-point
initializers with at least one axis, wherever an operator reads them, except

* where the operator's definition makes them a setting: running mean and variance of a batch norm, bounds of Clip,
  scales and zero points of quantisation, sizes of Resize, windows, masks of Attention, initial states
  (:data:`SETTINGS` has the list), and what is subtracted or divided by, since that is how an input is normalised;
* where torch's exporter says that they are buffers. Where it says what is learned, a single number counts if it
  is, with axes or without;
* an instance norm's scale of ones and shift of zeros between two Reshapes: that is how a group norm is written.

Numbers of any type count where an operator takes its weights (a quantised convolution's bytes), also
those in a Constant node. A tensor that is only moved (transposed, reshaped, cast, dequantised) before it is used is
the same tensor. What several operators read counts once, with the first of them; a part that was cut off
counts as that part. Floating-point initializers that nobody reads are *unused parameters*.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from math import prod

from sepcalc.core.network import FeatureMap, Layer, Operator
from sepcalc.core.spec import ConvSpec
from sepcalc.readers.imported import feature_map, one_line, parameters_alone
from sepcalc.readers.onnx.graph import Graph, Node, OpenShape, Shape, Tensor

LONGEST_NAME = 200
"""Characters of a layer's name."""

WEIGHTS = {
    "Conv": (1, 2), "ConvTranspose": (1, 2), "DeformConv": (1, 3), "ConvInteger": (1,), "QLinearConv": (3, 8),
    "Gemm": (0, 1, 2), "MatMul": (0, 1), "MatMulInteger": (0, 1), "QLinearMatMul": (0, 3),
    "LSTM": (1, 2, 3, 7), "GRU": (1, 2, 3), "RNN": (1, 2, 3),
}  # fmt: skip
"""Inputs that hold weights, of whatever type, and whether they are an initializer or a Constant node."""

SETTINGS = {
    "BatchNormalization": (3, 4), "QLinearConv": (1, 2, 4, 5, 6, 7), "QLinearMatMul": (1, 2, 4, 5, 6, 7),
    "ConvInteger": (2, 3), "MatMulInteger": (2, 3), "QuantizeLinear": (1, 2), "DequantizeLinear": (1, 2),
    "LSTM": (4, 5, 6), "GRU": (4, 5), "RNN": (4, 5), "Attention": (3, 4, 5), "RotaryEmbedding": (1, 2),
    "Clip": (1, 2), "Dropout": (1, 2), "Resize": (1, 2, 3), "Upsample": (1,), "Pad": (1, 2, 3), "OneHot": (1, 2),
    "Sub": (1,), "Div": (1,), "Pow": (1,), "Mod": (1,), "Min": (0, 1), "Max": (0, 1), "RoiAlign": (1,),
    "GridSample": (1,),
    "STFT": (1, 2, 3), "NonMaxSuppression": (0, 1, 2, 3, 4), "Range": (0, 1, 2), "Where": (0,),
}  # fmt: skip
"""Inputs that say how an operator works, and hold nothing that was learned."""

MOVES = frozenset({
    "Identity", "Cast", "CastLike", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile",
    "Trilu", "QuantizeLinear", "DequantizeLinear", "Dropout",
})  # fmt: skip
"""Operators whose output holds the numbers of their first input, in another place or type."""

CUTS = frozenset({"Slice", "Split"})
"""Operators whose outputs are parts of their first input."""


JOINS = frozenset({"Concat"})
"""Operators whose output holds the numbers of all their inputs."""

MOST_PARTS = 64
"""Tensors that are followed through joins; recurrent layers have 16 gates."""


class UnknownShapeError(Exception):
    """A count needs a shape that is not known before the graph runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A value that holds numbers of ``tensor``, and of ``others``, and nothing else.

    ``part`` names it where it holds only some numbers of the tensor; ``own`` is how many.
    """

    tensor: Tensor
    own: int
    part: str = ""
    moved: bool = False
    others: tuple[Stored, ...] = ()

    @property
    def parts(self) -> tuple[Stored, ...]:
        """Itself, and what it was joined with."""
        return (self, *self.others)

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return sum(each.own for each in self.parts)

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What is the same for two values with the same numbers."""
        return tuple((each.tensor.name, each.part) for each in self.parts)


@dataclass(slots=True, kw_only=True)
class Scope:
    """The graph, and what its nodes have become so far."""

    graph: Graph
    shapes: dict[str, OpenShape]
    layers: list[Layer] = field(default_factory=list)
    stored: dict[str, Stored] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    """Of each tensor that is used as a parameter, how many numbers no layer has counted yet."""
    first: dict[tuple[tuple[str, str], ...], str] = field(default_factory=dict)
    """The layer that counted a parameter."""
    counted: set[tuple[str, str]] = field(default_factory=set)
    """Tensors, and parts of them, that a layer has counted."""
    settings: set[str] = field(default_factory=set)
    uses: Counter[str] = field(default_factory=Counter)
    readers: dict[str, Node] = field(default_factory=dict)
    makers: dict[str, Node] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    """Names that are taken, and the highest number that was put after each."""
    specs: dict[str, ConvSpec] = field(default_factory=dict)
    """Of each layer with weights, what they are for."""
    sequences: bool = False
    """Whether three axes are a batch, positions and channels: where no convolution runs along one axis."""
    shapeless: bool = False
    """Whether a matrix product is uncounted, since a shape of it is not known."""
    absorbed: set[str] = field(default_factory=set)
    """Outputs that a layer before has made already, with more nodes than one."""

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
        along_one = (node for node in graph.walk() if node.op in WEIGHTS and "Conv" in node.op)
        scope.sequences = not any(len(scope.shapes.get(node.input(0), ())) == 3 for node in along_one)
        return scope

    def store(self, name: str, tensor: Tensor) -> None:
        """Note that the value ``name`` is ``tensor``."""
        self.stored[name] = Stored(tensor=tensor, own=tensor.count)
        self.shapes[name] = tensor.shape

    def follow(self, node: Node) -> bool:
        """Whether ``node`` only moves stored numbers, or stores them; its outputs are then known to be them."""
        if node.op == "Constant":
            if node.tensor is not None and node.outputs:
                self.store(node.outputs[0], replace(node.tensor, name=node.outputs[0]))
            return True
        source = self.stored.get(node.input(0))
        if source is None or node.op not in MOVES | CUTS | JOINS:
            return False
        if node.op in JOINS:
            return self._join(node)
        # Scales, zero points and shapes are read here for the last time.
        self.settings.update(each.tensor.name for name in node.inputs[1:] if (each := self.stored.get(name)))
        for output in node.outputs:
            if node.op in MOVES:
                self.stored[output] = replace(source, moved=source.moved or node.op in ("Expand", "Tile"))
            elif None not in (shape := self.shapes.get(output, (None,))):
                self.stored[output] = replace(source, part=output, own=prod(shape), others=())  # type: ignore[arg-type]
        return True

    def _join(self, node: Node) -> bool:
        """Whether ``node`` joins nothing but weights."""
        joined = [self.stored.get(name) for name in node.inputs]
        parts = [part for each in joined if each is not None and each.tensor.floating for part in each.parts]
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
        tensor = stored.tensor
        weights = slot in WEIGHTS.get(node.op, ())
        learned = tensor.floating and not tensor.written and slot not in SETTINGS.get(node.op, ())
        if (weights and not (tensor.written and stored.moved)) or (learned and tensor.name not in self.graph.buffers):
            return None if slot and self._only_normalises(node) else stored
        self.settings.update(part.tensor.name for part in stored.parts)
        return None

    def _is_constant(self, tensor: Tensor) -> bool:
        """Whether this is a single number of a formula."""
        known = self.graph.learned
        return tensor.name not in known and (not tensor.shape or bool(known and tensor.count == 1))

    def _only_normalises(self, node: Node) -> bool:
        """Whether this is the instance norm that exporters write inside a group norm: scale 1, shift 0."""
        if node.op != "InstanceNormalization" or node.input(0) not in self.makers:
            return False
        fills = [stored.tensor.fill if (stored := self.stored.get(node.input(slot))) else None for slot in (1, 2)]
        if fills != [1, 0] or self.makers[node.input(0)].op != "Reshape":
            return False
        self.settings.update(self.stored[node.input(slot)].tensor.name for slot in (1, 2))
        return True

    def claim(self, parameter: Stored | None, layer: str) -> int:
        """Count ``parameter`` with ``layer``: how many of its numbers were not counted before."""
        if parameter is None:
            return 0
        self.first.setdefault(parameter.key, layer)
        return sum(map(self._count, parameter.parts))

    def _count(self, part: Stored) -> int:
        """How many numbers of one part were not counted before."""
        name = part.tensor.name
        left = self.left.setdefault(name, part.tensor.count)
        new = 0 if (name, part.part) in self.counted else min(left, part.own)
        self.counted.add((name, part.part))
        self.left[name] = left - new
        return new

    def claim_all(self, node: Node, layer: str) -> int:
        """Count every parameter that ``node`` and the graphs inside it read, and no layer has."""
        new = sum(self.claim(self.parameter(node, slot), layer) for slot in range(len(node.inputs)))
        for graph in node.inner:
            for tensor in graph.tensors.values():
                self.store(tensor.name, tensor)
            new += sum(0 if self.follow(each) else self.claim_all(each, layer) for each in graph.nodes)
        return new

    def set_apart(self, node: Node) -> None:
        """Note that ``node`` reads numbers to compute shapes and indices, not as parameters."""
        self.settings.update(stored.tensor.name for each in node.inputs if (stored := self.stored.get(each)))

    def new_name(self, *wanted: str) -> str:
        """The first of the ``wanted`` names that is free, or the last of them with a number behind it."""
        known = [one_line(each)[:LONGEST_NAME] for each in wanted if each]
        name = next((each for each in known if each not in self.numbers), known[-1])
        while name in self.numbers:
            self.numbers[known[-1]] += 1
            name = f"{known[-1]}#{self.numbers[known[-1]]}"
        self.numbers[name] = 1
        return name

    def operator(
        self, node: Node, name: str, word: str, *, kernel: Shape = (), counted: bool = True, params: int | None = None
    ) -> None:
        """Add a layer without a matrix product, or with ``counted=False`` one that is not understood."""
        reads = next((each for each in node.inputs if each and each not in self.stored), node.input(0))
        self.layers.append(
            Operator(
                name=name,
                type=word,
                input=self.feature_map(reads),
                output=self.feature_map(next(iter(node.outputs), "")),
                kernel=kernel,
                params=self.claim_all(node, name) if params is None else params,
                counted=counted,
            )
        )

    def feature_map(self, name: str) -> FeatureMap:
        """A value as a table shows it: see :func:`feature_map`."""
        return feature_map(self.shapes.get(name, ()), last=self.sequences)

    def parameters(self, name: str, kind: str, params: int) -> None:
        """Add a layer for parameters that belong to no operator, or that its form has no place for."""
        self.layers.append(parameters_alone(self.new_name(name), kind, params))

    def unused(self) -> None:
        """Add a layer for every parameter, or rest of one, that no layer has counted."""
        for tensor in self.graph.tensors.values():
            apart = tensor.name in self.settings or tensor.name in self.graph.buffers
            idle = tensor.floating and not apart and not self._is_constant(tensor)
            rest = self.left.get(tensor.name, tensor.count if idle else 0)
            if rest:
                self.parameters(tensor.name or "parameter", "unused parameters", rest)
