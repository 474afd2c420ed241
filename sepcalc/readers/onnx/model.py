"""ONNX files as networks; counts are for the inputs as the file declares them, batch included.

Shapes come from onnx's own inference, on a graph without weights. A file may be hostile: nothing outside it is opened,
its lengths are bounded before anything is built, and every fault is a :class:`SepcalcError`. Only this file and
:mod:`sepcalc.readers.onnx.shapes` import onnx.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sepcalc.core.errors import MissingExtraError, SepcalcError
from sepcalc.core.network import Network
from sepcalc.readers.onnx.graph import Graph, Node, Shape, Tensor, believed, check_order, layer_names, printable, quoted
from sepcalc.readers.onnx.inputs import bind
from sepcalc.readers.onnx.operators import convert
from sepcalc.readers.onnx.protobuf import MOST_NODES, read_graph
from sepcalc.readers.onnx.scope import LONGEST_NAME, Scope
from sepcalc.readers.onnx.shapes import complete, inferred, reason

try:
    import onnx
    from onnx import TensorProto, defs
except ImportError as missing:
    raise MissingExtraError("onnx", "reading ONNX files") from missing

_FLOATING = frozenset({
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.FLOAT8E4M3FN,
    TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E5M2FNUZ, TensorProto.FLOAT4E2M1,
})  # fmt: skip


def load(path: str | Path, *, inputs: Mapping[str, Shape] | None = None) -> Network:
    """The network in the ONNX file at ``path``.

    ``inputs`` are shapes by name, batch included, for dimensions that the file leaves open; an empty name stands for
    the only input. Weights are not loaded.

    Raises :class:`SepcalcError` for a file that is no ONNX model, that contradicts itself or whose inputs are open.
    """
    path = Path(path)
    try:
        model = _parse(read_graph(path))
        bind(model.graph, dict(inputs or {}))
        return _network(model, printable(path.stem))
    except SepcalcError as error:
        raise SepcalcError(f"{printable(str(path))}: {error}") from None
    except RecursionError:
        raise SepcalcError(f"{printable(str(path))}: nests graphs too deep") from None


def _parse(data: bytes) -> onnx.ModelProto:
    """The model, its functions written out, after checks of its parts and its opset."""
    try:
        model = onnx.ModelProto.FromString(data)
    except Exception:  # protobuf's own, which differ from version to version
        raise SepcalcError("is truncated or not an ONNX file") from None
    if not model.HasField("graph") or not model.opset_import:
        raise SepcalcError("is not an ONNX file: it has no graph of an opset")
    if not all(map(_is_text, (model.graph, *model.functions))):
        raise SepcalcError("is not an ONNX file: a name in it is no text")
    _tensors(model.graph)
    opset = _opset(model)
    if opset > defs.onnx_opset_version():
        known = f"onnx {onnx.__version__} knows them up to {defs.onnx_opset_version()}"
        raise SepcalcError(f"uses opset {opset}, and the installed {known}; pip install -U onnx")
    return _inlined(model) if model.functions else model


def _opset(model: onnx.ModelProto) -> int:
    return max((opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx")), default=1)


def _is_text(part: Any) -> bool:
    """Whether every name in a graph or a function is text; protobuf returns bytes for any other name."""
    words = [part.name]
    for node in part.node:
        words += [node.name, node.op_type, node.domain, *node.input, *node.output]
        words += [word for entry in node.metadata_props for word in (entry.key, entry.value)]
        words += [attribute.name for attribute in node.attribute]
        if not all(map(_is_text, _inner(node))):
            return False
    if isinstance(part, onnx.GraphProto):
        values = (*part.input, *part.output, *part.value_info)
        words += [value.name for value in (*values, *part.initializer)]
        words += [tensor.values.name for tensor in part.sparse_initializer]
        words += [dim.dim_param for value in values for dim in value.type.tensor_type.shape.dim]
        words += [word for entry in part.metadata_props for word in (entry.key, entry.value)]
    return all(isinstance(word, str) for word in words)


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` with its functions' nodes instead of their calls, up to :data:`MOST_NODES`."""
    from onnx import inliner

    bodies = {(function.domain, function.name): function.node for function in model.functions}
    sizes: dict[tuple[str, str], int | None] = {}

    def size(nodes: Any) -> int:
        count = 0
        for node in _all_nodes(nodes):
            key = (node.domain, node.op_type)
            if key in bodies and key not in sizes:
                sizes[key] = None
                sizes[key] = size(bodies[key])
            inner = sizes.get(key, 1)
            if inner is None:
                raise SepcalcError(f"function {quoted(node.op_type)} calls itself")
            count += inner
        if count > MOST_NODES:
            raise SepcalcError(f"has more than {MOST_NODES:,} nodes when its functions are written out")
        return count

    size(model.graph.node)
    try:
        return inliner.inline_local_functions(model)
    except Exception as error:  # onnx's C++ errors have no base class
        raise SepcalcError(f"its functions cannot be written out: {reason(error)}") from None


def _all_nodes(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        yield node
        for graph in _inner(node):
            yield from _all_nodes(graph.node)


def _inner(node: onnx.NodeProto) -> Iterator[onnx.GraphProto]:
    """The graphs of If, Loop and Scan."""
    for attribute in node.attribute:
        yield from (attribute.g, *attribute.graphs) if attribute.HasField("g") else attribute.graphs


def _network(model: onnx.ModelProto, name: str) -> Network:
    scope = _layers(inferred(model))
    if scope.shapeless:
        # Strict inference finds contradictions; some shapes need arithmetic as well, some depend on the data.
        scope = _layers(complete(inferred(model, strict=True)))
    graph = scope.graph
    floating = [graph.shapes[name] for name in graph.inputs if name in graph.floating & graph.shapes.keys()]
    shape = floating[0] if len(graph.inputs) == len(floating) == 1 else None
    producer = printable(f"{model.producer_name} {model.producer_version}".strip())[:80]
    return Network(
        name=name,
        layers=tuple(scope.layers.found),
        wiring=tuple(scope.layers.wiring),
        outputs=scope.layers.outputs(tap for name in graph.outputs for tap in scope.written.get(name, ())),
        input=None if shape is None else scope.layers.feature_map(shape),
        batch=scope.layers.batch(shape or ()),
        source=f"ONNX, opset {_opset(model)}{f', written by {producer}' if producer else ''}",
        abridged=True,
    )


def _layers(model: onnx.ModelProto) -> Scope:
    """The layers, as far as shapes are known; an error names the node that contradicts itself or the graph."""
    graph = _plain(model.graph)
    check_order(graph)
    scope = Scope.of(graph)
    for node in graph.nodes:
        try:
            convert(scope, node)
        except SepcalcError as error:
            raise SepcalcError(f"node {quoted(node.name or node.op)} ({printable(node.op)[:80]}) {error}") from None
    scope.unused()
    return scope


def _plain(proto: onnx.GraphProto) -> Graph:
    shapes, targets, tensors = dict(_shapes(proto)), _targets(proto), _tensors(proto)
    return Graph(
        nodes=tuple(map(_node, proto.node)),
        tensors=tensors,
        inputs=tuple(value.name for value in proto.input if value.name not in tensors),
        outputs=tuple(value.name for value in proto.output),
        shapes=shapes,
        floating=frozenset(
            value.name
            for value in (*proto.input, *proto.value_info, *proto.output)
            if value.type.tensor_type.elem_type in _FLOATING
        ),
        learned=frozenset(name for name, learned in targets.items() if learned),
        buffers=frozenset(name for name, learned in targets.items() if not learned),
    )


def _shapes(proto: onnx.GraphProto) -> Iterator[tuple[str, tuple[int | None, ...]]]:
    for value in (*proto.input, *proto.value_info, *proto.output):
        if value.type.tensor_type.HasField("shape"):
            dims = value.type.tensor_type.shape.dim
            lengths = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)
            believed(tuple(length for length in lengths if length is not None), quoted(value.name))
            yield value.name, lengths


def _tensors(proto: onnx.GraphProto) -> dict[str, Tensor]:
    """The initializers of a graph by name, a sparse one as a dense one; an error for two of one name."""
    # A sparse initializer has the shape, and its values the name and the type.
    found = [*map(_tensor, proto.initializer), *(_tensor(part.values, part) for part in proto.sparse_initializer)]
    tensors = {tensor.name: tensor for tensor in found}
    if len(tensors) < len(found):
        raise SepcalcError("has two initializers of one name")
    return tensors


def _tensor(proto: onnx.TensorProto, sparse: onnx.SparseTensorProto | None = None, *, written: bool = False) -> Tensor:
    """A stored tensor without its numbers, except the number that fills a whole vector."""
    shape = believed(tuple((sparse or proto).dims), f"tensor {quoted(proto.name)}")
    floating = proto.data_type in _FLOATING
    fill = _fill(proto) if proto.data_type == TensorProto.FLOAT and len(shape) == 1 and not sparse else None
    return Tensor(name=proto.name, shape=shape, floating=floating, written=written, fill=fill)


def _fill(proto: onnx.TensorProto) -> float | None:
    import struct

    if proto.raw_data:
        first = proto.raw_data[:4]
        same = len(first) == 4 and proto.raw_data == first * (len(proto.raw_data) // 4)
        return float(struct.unpack("<f", first)[0]) if same else None
    return proto.float_data[0] if len(set(proto.float_data)) == 1 else None


def _node(proto: onnx.NodeProto) -> Node:
    values = [attribute.t for attribute in proto.attribute if attribute.HasField("t") and attribute.name == "value"]
    domain = "" if proto.domain in ("", "ai.onnx") else f"{proto.domain}."
    scopes, whole = _scopes(proto)
    names = layer_names(proto.name, scopes=scopes, whole=whole)
    names = names if names[0] else (f"{proto.op_type}.{next(iter(proto.output), '')}",)
    return Node(
        op=f"{domain}{proto.op_type}",
        names=tuple(name[:LONGEST_NAME] for name in names),
        inputs=tuple(proto.input),
        outputs=tuple(proto.output),
        attributes={attribute.name: _attribute(attribute) for attribute in proto.attribute},
        tensor=_tensor(values[-1], written=True) if values else None,
        inner=tuple(map(_plain, _inner(proto))),
    )


def _attribute(proto: onnx.AttributeProto) -> Any:
    if proto.ints or proto.floats:
        return tuple(proto.ints or proto.floats)
    if proto.HasField("i"):
        return int(proto.i)
    if proto.HasField("f"):
        return float(proto.f)
    return proto.s.decode(errors="replace") if proto.HasField("s") else ()


_WRITTEN = re.compile(r"'((?:[^'\\]|\\.)*)'")


def _scopes(proto: onnx.NodeProto) -> tuple[tuple[str, ...], bool]:
    """The modules that torch's exporter says a node was in, and whether the innermost is one of PyTorch's own."""
    known = {entry.key: entry.value for entry in proto.metadata_props if entry.key.startswith("pkg.torch.onnx.")}
    scopes = _WRITTEN.findall(known.get("pkg.torch.onnx.name_scopes", "")[:2000])
    classes = _WRITTEN.findall(known.get("pkg.torch.onnx.class_hierarchy", "")[:2000])
    return tuple(scopes), len(classes) > 1 and classes[-2].startswith("torch.nn.modules.")


_TARGET = re.compile(r"^\S+: (PARAMETER|BUFFER|CONSTANT_TENSOR) target='([^'\n]*)'", re.MULTILINE)


def _targets(proto: onnx.GraphProto) -> dict[str, bool]:
    """Whether torch's exporter says of an initializer that it is learned."""
    signature = (entry.value for entry in proto.metadata_props if entry.key.endswith("ExportedProgram.graph_signature"))
    return {name: kind == "PARAMETER" for text in signature for kind, name in _TARGET.findall(text)}
