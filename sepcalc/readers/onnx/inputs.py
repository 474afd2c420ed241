"""The shapes of an ONNX graph's inputs, with the lengths that the user gives where the file leaves them open.

A file leaves a length open by a symbol (``batch``), by nothing, by 0 or by -1. Its numbers are fixed.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from sepcalc.core.errors import MOST_KNOWN, SepcalcError, closest
from sepcalc.core.spec import LARGEST
from sepcalc.readers.onnx.graph import OpenShape, Shape, believed, printable, quoted

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto

MOST_SHOWN = 5
"""Inputs in one message."""


def bind(graph: GraphProto, inputs: dict[str, Shape]) -> None:
    """Write the given shapes into the graph's inputs, and the lengths of their symbols everywhere.

    Raises :class:`SepcalcError` for a shape that does not fit, and where a dimension stays open.
    """
    stored = {tensor.name for tensor in graph.initializer}
    values = (value for value in graph.input if value.name not in stored)
    known = {value.name: value for value in values if value.type.HasField("tensor_type")}
    if "" in inputs and len(known) == 1:
        inputs = {next(iter(known)): inputs[""]}
    symbols: dict[str, int] = {}
    for name, shape in inputs.items():
        if name not in known:
            raise SepcalcError(f"has no input {quoted(name)}{closest(name, map(printable, islice(known, MOST_KNOWN)))}")
        _settle(known[name], shape, symbols)
    for value in (*graph.input, *graph.value_info, *graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in symbols:
                dim.dim_value = symbols[dim.dim_param]
    if open_inputs := [value for value in known.values() if _is_open(value)]:
        raise SepcalcError("; ".join(map(_open, open_inputs[:MOST_SHOWN])))
    for name, value in known.items():
        believed(tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim), f"input {quoted(name)}")


def _settle(value: ValueInfoProto, shape: Shape, symbols: dict[str, int]) -> None:
    name, declared = value.name, _declared(value)
    given = "x".join(map(str, shape))
    if not all(1 <= length <= LARGEST for length in shape):
        raise SepcalcError(f"input {quoted(name)} cannot be {given}; give whole numbers from 1 to {LARGEST:,}")
    if declared is None:
        value.type.tensor_type.shape.SetInParent()
        for _ in shape:
            value.type.tensor_type.shape.dim.add()
        declared = (None,) * len(shape)
    if len(declared) != len(shape) or any(d not in (None, n) for d, n in zip(declared, shape, strict=True)):
        fixed = f"{_dims(value)} in the file"
        raise SepcalcError(f"input {quoted(name)} is {fixed}, and cannot be {given}; numbers there are fixed")
    for dim, length in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        if dim.dim_param and symbols.setdefault(dim.dim_param, length) != length:
            both = f"both {symbols[dim.dim_param]} and {length}"
            raise SepcalcError(f"{quoted(dim.dim_param)} is {both} in the inputs given; it is one length")
        dim.dim_value = length


def _declared(value: ValueInfoProto) -> OpenShape | None:
    """The shape of a value as the file has it, None for an open length."""
    if not value.type.tensor_type.HasField("shape"):
        return None
    return tuple(dim.dim_value if dim.dim_value > 0 else None for dim in value.type.tensor_type.shape.dim)


def _is_open(value: ValueInfoProto) -> bool:
    declared = _declared(value)
    return declared is None or None in declared


def _dims(value: ValueInfoProto) -> str:
    dims = value.type.tensor_type.shape.dim
    return "x".join(str(dim.dim_value) if dim.dim_value > 0 else printable(dim.dim_param)[:40] or "?" for dim in dims)


def _open(value: ValueInfoProto) -> str:
    """The message about an input with open dimensions: which they are, and how to close them."""
    declared, flag = _declared(value), f"--input {printable(value.name)}"
    if declared is None:
        return f"input {quoted(value.name)} has no shape; give all its dimensions: {flag}=1x3x224x224"
    usual = ["1", *(["3", "224", "224"] if len(declared) == 4 else ["128"] * len(declared))]
    example = "x".join(usual[axis] if length is None else str(length) for axis, length in enumerate(declared))
    return f"input {quoted(value.name)} is {_dims(value)}, which is open; say how long each is: {flag}={example}"
