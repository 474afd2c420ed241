"""The layers of a :class:`~sepcalc.core.network.Network` from a trace.

A convolution or a linear layer with weights of its own becomes a :class:`Convolution`; every other operator that
multiplies and adds a :class:`Product` of the matrix products that ran below it; all others an :class:`Operator`. A
view or a copy is no layer. Every parameter is in exactly one layer, so the network's total is the model's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sepcalc.core.layers import (
    INPUT,
    Convolution,
    FeatureMap,
    Layer,
    Operator,
    Part,
    Product,
    Tap,
    Taps,
    parts,
    writer_of,
)
from sepcalc.core.network import Network
from sepcalc.core.spec import Axes, Bias, ConvSpec
from sepcalc.readers.imported import ImportedLayers, linear_spec
from sepcalc.readers.pytorch.operators import OPERATORS, Terms, base
from sepcalc.readers.trace import AtenCall, Operation, Trace, Use


def to_network(trace: Trace) -> Network:
    """The layers of ``trace`` in the order in which they ran, then the parameters that nothing used.

    Names are module paths: a module that is one operator gives it its own, others add the operator's word;
    one that runs again adds ``#2``. MACs are for the whole batch of the trace.
    """
    importing = _Importing(trace=trace)
    imported = importing.imported
    written: list[Taps] = []
    for index, operation in enumerate(trace.operations):
        imported.reads = tuple(tap for read in operation.taps for tap in _through(read, written))
        importing.convert(index, operation)
        written.append(imported.reads)
    for parameter, count in trace.unused():
        imported.add_parameters(parameter.name, "unused parameters", count)
    first = next((shape for shape in trace.inputs if len(shape) > 1), None)
    return Network(
        name=trace.name,
        layers=tuple(imported.found),
        wiring=tuple(imported.wiring),
        input=None if first is None else imported.feature_map(first),
        batch=imported.batch(first or ()),
        outputs=imported.outputs(tap for read in trace.outputs for tap in _through(read, written)),
        source=trace.source,
        abridged=True,
    )


def _through(tap: Tap, written: Sequence[Taps]) -> Taps:
    """The layers behind what an operation reads; one that is no layer hands on what it read itself."""
    writer = writer_of(tap)
    taps = (writer,) if writer == INPUT else written[writer]
    return parts(taps) if isinstance(tap, Part) else taps


def macs_of_operations(trace: Trace) -> tuple[int, ...]:
    """The multiply-adds of each operator of ``trace``, which add up to the network's."""
    importing = _Importing(trace=trace)
    found = importing.imported.found
    counts = []
    for index, operation in enumerate(trace.operations):
        before = len(found)
        importing.convert(index, operation)
        counts.append(sum(layer.cost.macs for layer in found[before:]))
    return tuple(counts)


def macs_of_modules(trace: Trace) -> dict[str, int]:
    """The multiply-adds of each module of ``trace`` by its path, those of the modules inside it included."""
    found: dict[str, int] = {}
    for operation, macs in zip(trace.operations, macs_of_operations(trace), strict=True):
        call: int | None = operation.call
        inside = set()
        while call is not None:
            inside.add(trace.modules[trace.calls[call].module].path)
            call = trace.calls[call].parent
        for path in inside:
            found[path] = found.get(path, 0) + macs
    return found


@dataclass(slots=True, kw_only=True)
class _Importing:
    trace: Trace
    imported: ImportedLayers = field(default_factory=ImportedLayers)
    owner: dict[int, str] = field(default_factory=dict)
    heads: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.heads = _heads(self.trace)
        kernels = [operation.attributes.get("kernel") for operation in self.trace.operations]
        self.imported.sequences = not any(isinstance(kernel, tuple) and len(kernel) == 1 for kernel in kernels)

    def convert(self, index: int, operation: Operation) -> None:
        """Add the layers of one operator: its own, and one for parameters that are more than its weights."""
        if all(call.kind in ("view", "move") for call in operation.aten) and not operation.params:
            return
        name = self.name(index, operation)
        layer = self.layer(name, operation)
        self.imported.add(layer)
        if isinstance(layer, Convolution):
            self.imported.specs[name] = layer.spec
        for use in operation.uses:
            if use.new:
                self.owner.setdefault(use.parameter, name)
        if more := operation.params - layer.cost.params:
            self.imported.add_parameters(f"{name}.parameters", "parameters", more)

    def layer(self, name: str, operation: Operation) -> Layer:
        products = [call for call in operation.aten if call.kind == "product"]
        # Nothing is convolved where a dimension is empty.
        if len(products) == 1 and operation.weight is not None and all(map(all, products[0].inputs)):
            layer = self.convolution(name, operation)
            if layer is not None:
                return layer
        (x, y), kind, params = self.ends(operation), operation.word, operation.params
        terms, known = _terms(products), all(call.kind != "unknown" for call in operation.aten)
        if terms and known:
            return Product(name=name, type=kind, input=x, output=y, terms=terms, params=params)
        kernel = _window(operation)
        return Operator(name=name, type=kind, input=x, output=y, kernel=kernel, params=params, counted=known)

    def convolution(self, name: str, operation: Operation) -> Convolution | None:
        """The layer, if its weights are parameters of its own, or all weights of one earlier layer."""
        weights = [use for use in operation.uses if use.role == "weight"]
        biases = [use for use in operation.uses if use.role == "bias"]
        new, new_biases = sum(use.new for use in weights), sum(use.new for use in biases)
        again = bool(weights) and not new
        spec, batch = _spec(operation, biased=bool(biases) if again else bool(new_biases))
        kind = "conv" if operation.word == "conv" else "linear"
        layer = Convolution(name=name, type=kind, spec=spec, batch=batch)
        if again:
            shares = None if new_biases else self.shared(weights, spec)
            return None if shares is None else replace(layer, shares=shares)
        return layer if new >= spec.weights and new_biases in (0, spec.c_out) else None

    def shared(self, weights: list[Use], spec: ConvSpec) -> str | None:
        """The layer that has these weights already, if it uses them in the same way."""
        owners = {self.owner.get(use.parameter) for use in weights}
        owner = owners.pop() if len(owners) == 1 else None
        return owner if self.imported.has_weights_of(owner, spec) else None

    def ends(self, operation: Operation) -> tuple[FeatureMap, FeatureMap]:
        reads = operation.inputs[0] if operation.inputs else ()
        if operation.word == "embedding" and len(operation.inputs) > 1:
            reads = operation.inputs[1]
        writes = operation.outputs[0] if operation.outputs else reads
        return self.imported.feature_map(reads), self.imported.feature_map(writes)

    def name(self, index: int, operation: Operation) -> str:
        """The module's path, and the operator's word where the module does more than this."""
        path = self.trace.module_of(operation).path
        if self.heads.get(operation.call) == index and path:
            return self.imported.new_name(path)
        return self.imported.new_name(f"{path}.{operation.word}" if path else operation.word)


def _heads(trace: Trace) -> dict[int, int]:
    """The operator that gets the module's name, by call: its only one, or its only one with weights."""
    inside: dict[int, list[int]] = {}
    for index, operation in enumerate(trace.operations):
        if any(call.kind not in ("view", "move") for call in operation.aten):
            inside.setdefault(operation.call, []).append(index)
    heads = {}
    for call, indices in inside.items():
        products = [index for index in indices if any(call.kind == "product" for call in trace.operations[index].aten)]
        weighted = products or [index for index in indices if trace.operations[index].uses]
        chosen = indices if len(indices) == 1 else weighted
        children = trace.modules[trace.calls[call].module].children
        # A parametrized module holds the modules that compute its weights.
        if len(chosen) == 1 and all(name == "parametrizations" for name, _ in children):
            heads[call] = chosen[0]
    return heads


def _spec(operation: Operation, *, biased: bool) -> tuple[ConvSpec, int]:
    bias: Bias = "all" if biased else "none"
    if operation.word != "conv":
        weight = operation.weight or ()
        c_out, c_in = weight if len(weight) == 2 else (1, *weight)
        return linear_spec(operation.inputs[0][:-1], c_in, c_out, bias)
    given: Any = operation.attributes
    reads, weight = next(call.inputs[:2] for call in operation.aten if call.kind == "product")
    transposed, groups = given["transposed"], given["groups"]
    spec = ConvSpec(
        c_in=reads[1],
        c_out=weight[1] * groups if transposed else weight[0],
        kernel=weight[2:],
        size=reads[2:],
        stride=given["stride"],
        padding=given["padding"],
        dilation=given["dilation"],
        groups=groups,
        bias=bias,
        transposed=transposed,
        output_padding=given["output_padding"] if transposed else (),
    )
    return spec, reads[0]


def _terms(products: Iterable[AtenCall]) -> Terms:
    """The matrix products, each linear map once: a recurrent layer applies the same at every step."""
    times: Counter[ConvSpec] = Counter()
    for call in products:
        count = OPERATORS[base(call.name)].terms
        for spec, vectors in count(call) if count else ():
            times[spec] += vectors
    return tuple(times.items())


def _window(operation: Operation) -> Axes:
    if operation.word not in ("max_pool", "avg_pool", "lp_pool"):
        return ()
    for call in operation.aten:
        kernel = call.arguments[1] if len(call.arguments) > 1 and "pool" in call.name else None
        if isinstance(kernel, tuple) and kernel and all(isinstance(length, int) for length in kernel):
            axes = len(call.inputs[0]) - 2
            return kernel if len(kernel) > 1 else kernel * max(axes, 1)
    return ()
