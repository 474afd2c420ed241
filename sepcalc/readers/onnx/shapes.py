"""The shapes of the values of an ONNX graph: onnx's own inference, and arithmetic on shapes.

Exporters compute shapes from shapes, and onnx's inference does not follow all of it, such as a division. If a matrix
product is left without its shapes, a second pass goes node by node: onnx's reference implementation computes tensors of
up to :data:`MOST_NUMBERS` whole numbers for the inference of the next node.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from math import prod
from typing import Any

from sepcalc.core.errors import MissingExtraError, SepcalcError
from sepcalc.readers.onnx.graph import Shape, printable
from sepcalc.readers.onnx.registry import operator_record

try:
    import onnx
    from onnx import helper, numpy_helper, shape_inference
except ImportError as missing:
    raise MissingExtraError("onnx", "reading ONNX files") from missing

MOST_NUMBERS = 1024
"""Numbers of a value that is computed."""

MOST_COMPUTED = 20_000
"""Nodes that are computed; a layer that needs more stays uncounted. A Swin transformer has 2,000."""


def inferred(model: onnx.ModelProto, *, strict: bool = False) -> onnx.ModelProto:
    """``model`` with the shapes of its values; with ``strict``, a node that contradicts itself is an error.

    Raises :class:`SepcalcError` with onnx's reason.
    """
    try:
        return shape_inference.infer_shapes(model, strict_mode=strict, data_prop=True)
    except Exception as error:  # onnx's C++ errors have no base class
        raise SepcalcError(f"its shapes cannot be inferred: {reason(error)}") from None


def reason(error: Exception) -> str:
    """The first line of an error of onnx, without its marks."""
    text = re.sub(r"\[\w*Error\] |Inference error\(s\): ", "", str(error).strip()).split("\n")[0]
    return printable(text)[:300] or type(error).__name__


def complete(model: onnx.ModelProto) -> onnx.ModelProto:
    """``model`` after :func:`inferred`, with the shapes that follow from arithmetic on shapes as well."""
    graph = model.graph
    known = _Known(model)
    for node in graph.node:
        known.follow(node)
    others = [value for value in (*graph.value_info, *graph.output) if value.name not in known.found]
    del graph.value_info[:]
    graph.value_info.extend([*others, *known.found.values()])
    del graph.output[:]
    return model


class _Known:
    def __init__(self, model: onnx.ModelProto) -> None:
        graph = model.graph
        self.opsets = list(model.opset_import)
        self.types: dict[str, Any] = {
            value.name: value.type
            for value in (*graph.value_info, *graph.output, *graph.input)
            if value.type.HasField("tensor_type")
        }
        self.shapes: dict[str, Shape] = {}
        self.found: dict[str, Any] = {}
        """Values whose shapes were not known before."""
        self.numbers: dict[str, Any] = {}
        self.computed = 0
        for tensor in graph.initializer:
            self.types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
            self.keep(tensor.name, tensor)
        for name, type_ in self.types.items():
            self.note(name, type_)

    def note(self, name: str, type_: Any) -> bool:
        """Note the shape of a value; False where a length of it is not known."""
        dims = type_.tensor_type.shape.dim
        known = type_.tensor_type.HasField("shape") and all(dim.HasField("dim_value") for dim in dims)
        if known:
            self.shapes[name] = tuple(dim.dim_value for dim in dims)
        return known

    def keep(self, name: str, tensor: onnx.TensorProto) -> None:
        if tensor.data_location != onnx.TensorProto.EXTERNAL and 0 <= prod(tensor.dims) <= MOST_NUMBERS:
            self.numbers[name] = tensor

    def follow(self, node: onnx.NodeProto) -> None:
        if node.domain not in ("", "ai.onnx") or any(attribute.HasField("g") for attribute in node.attribute):
            return
        outputs = [name for name in node.output if name]
        reads = any(name in self.shapes for name in node.input) or not node.input
        if reads and not all(name in self.shapes for name in outputs):
            self.infer(node)
        if node.op_type in ("Shape", "Size"):
            self.measure(node)
        elif operator_record(node.op_type).computes_shapes and all(name in self.numbers for name in node.input if name):
            lengths = [prod(self.shapes.get(name, (MOST_NUMBERS + 1,))) for name in outputs]
            if max(lengths, default=0) <= MOST_NUMBERS:
                self.compute(node)

    def infer(self, node: onnx.NodeProto) -> None:
        try:
            seen = shape_inference.infer_shapes(self.alone(node, self.numbers), data_prop=True).graph
        except Exception:  # the node's shapes stay unknown
            return
        for value in (*seen.value_info, *seen.output):
            if value.name in node.output and value.name not in self.shapes and value.type.HasField("tensor_type"):
                self.types[value.name] = value.type
                if self.note(value.name, value.type):
                    self.found[value.name] = value

    def alone(self, node: onnx.NodeProto, numbers: Mapping[str, Any]) -> onnx.ModelProto:
        """A model of one node with its known inputs, those in ``numbers`` as stored tensors."""
        names = list(dict.fromkeys(name for name in node.input if name))
        inputs = [helper.make_value_info(name, self.types[name]) for name in names if name in self.types]
        outputs = [onnx.ValueInfoProto(name=name) for name in dict.fromkeys(node.output) if name]
        tensors = []
        for name in names:
            if name in numbers:
                tensors.append(onnx.TensorProto())
                tensors[-1].CopyFrom(numbers[name])
                tensors[-1].name = name
        graph = helper.make_graph([node], "one", inputs, outputs, tensors)
        return helper.make_model(graph, opset_imports=self.opsets)

    def measure(self, node: onnx.NodeProto) -> None:
        shape = self.shapes.get(node.input[0] if node.input else "")
        if shape is None:
            return
        ends = {attribute.name: attribute.i for attribute in node.attribute}
        part = shape[ends.get("start", 0) : ends.get("end", len(shape))]
        numbers = [prod(shape)] if node.op_type == "Size" else list(part)
        if all(-(2**63) <= number < 2**63 for number in numbers):
            dims = [] if node.op_type == "Size" else [len(numbers)]
            self.keep(node.output[0], helper.make_tensor(node.output[0], onnx.TensorProto.INT64, dims, numbers))

    def compute(self, node: onnx.NodeProto) -> None:
        from onnx.reference import ReferenceEvaluator

        self.computed += 1
        if self.computed > MOST_COMPUTED:
            return
        outputs = [name for name in node.output if name]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                reads = {name: numpy_helper.to_array(self.numbers[name]) for name in node.input if name}
                values: Any = ReferenceEvaluator(self.alone(node, {})).run(None, reads)
                tensors = [numpy_helper.from_array(value) for value in values]
        except Exception:  # a reference implementation that fails tells nothing
            return
        for name, tensor in zip(outputs, tensors, strict=False):
            self.keep(name, tensor)
