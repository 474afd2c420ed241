"""The layers of a node of ONNX: one decorated function for each matrix product, one for all other operators.

A function reads its node's shapes and appends layers to the scope. It raises :class:`UnknownShapeError` where a
shape is not known before the graph runs, and :class:`SepcalcError` where the node contradicts itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Literal

from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.core.layers import Convolution, Operator, Product, parts
from sepcalc.core.spec import ConvSpec
from sepcalc.readers.imported import MOST_AXES, feature_map, linear_spec
from sepcalc.readers.onnx.einsum import MatrixProduct, einsum_products
from sepcalc.readers.onnx.graph import Node, Shape, broadcast, by
from sepcalc.readers.onnx.registry import OperatorRecord, operator_record, product
from sepcalc.readers.onnx.scope import Scope, Stored, UnknownShapeError

MOST_OPERANDS = 32
"""Inputs of an einsum."""


def convert(scope: Scope, node: Node) -> None:
    """Add the layers of one node; what reads the node's outputs reads the last of them."""
    scope.layers.reads = scope.taps(node)
    before = len(scope.layers.found)
    _convert(scope, node)
    moved = operator_record(node.op).kind != "silent" and not scope.absorbed.intersection(node.outputs)
    if moved and len(scope.layers.found) == before:  # it picks numbers, or computes with constants alone
        scope.layers.reads = parts(scope.layers.reads)
    scope.written.update(dict.fromkeys(node.outputs, scope.layers.reads))


def _convert(scope: Scope, node: Node) -> None:
    record = operator_record(node.op)
    if scope.follow(node) or scope.absorbed.intersection(node.outputs) or record.kind == "silent":
        return
    if record.kind == "free":
        _free(scope, node, record)
        return
    name = scope.layers.new_name(*node.names)
    try:
        if record.convert is not None and node.outputs:
            record.convert(scope, node, name)
            return
    except UnknownShapeError:
        scope.shapeless = True
    scope.operator(node, name, counted=False)


def _free(scope: Scope, node: Node, record: OperatorRecord) -> None:
    """Add the layer of an operator without multiply-adds; arithmetic on shapes and indices is no layer."""
    whole = not scope.graph.floating.intersection(node.outputs) and not record.quantizes
    looks_up = record.looks_up and scope.parameter(node, 0) is None
    constant = all(name in scope.stored for name in node.inputs if name)
    learned = any(scope.parameter(node, slot) for slot in range(len(node.inputs)))
    if whole or looks_up or (constant and not learned):
        scope.set_apart(node.inputs)
        return
    window = tuple(length or 1 for length in scope.shapes.get(node.input(0), ())[2:])
    kernel = window if record.pools_all else node.ints("kernel_shape")
    scope.operator(node, scope.layers.new_name(*node.names), kernel=kernel)


@product("Conv", "ConvTranspose", word="conv", weights=(1, 2))
@product("ConvInteger", word="conv", weights=(1,), settings=(2, 3))
@product("QLinearConv", word="conv", weights=(3, 8), settings=(1, 2, 4, 5, 6, 7))
def convolution(scope: Scope, node: Node, name: str) -> None:
    """A convolution; with computed weights, or more than three axes, a product of as many multiply-adds."""
    at, *bias_at = operator_record(node.op).weights
    x, w, y = (scope.shape(value) for value in (node.input(0), node.input(at), node.outputs[0]))
    _check_conv(node, x, w, y)
    weight = scope.parameter(node, at)
    if weight is None or len(w) - 2 > MOST_AXES:
        positions = x if node.op == "ConvTranspose" else y
        # Each weight is used once a position, however many groups there are.
        emit_product(scope, node, name, "conv", [(prod(w[1:]), w[0], x[0] * prod(positions[2:]))])
        return
    spec = _transposed(node, x, w, y) if node.op == "ConvTranspose" else _padded(scope, node, name, x, w, y)
    _emit(scope, node, name, "conv", spec, x[0], weight, scope.parameter(node, bias_at[0]) if bias_at else None)
    if node.op == "ConvTranspose" and (size := spec.out_size or ()) != y[2:]:
        _resize(scope, name, "crop" if prod(size) > prod(y[2:]) else "pad", (x[0], spec.c_out, *size), y)


def _check_conv(node: Node, x: Shape, w: Shape, y: Shape) -> None:
    axes, groups = len(w) - 2, node.int("group", 1)
    if axes < 1 or not len(x) == len(y) == len(w):
        raise SepcalcError(f"reads {by(x)} with weights {by(w)}; both need a batch, channels and 1 or more axes")
    reads = w[0] if node.op == "ConvTranspose" else w[1] * groups
    if groups < 1 or reads != x[1]:
        raise SepcalcError(f"reads {x[1]} channels, and its weights {by(w)} in {groups} groups take {reads}")
    if (kernel := node.ints("kernel_shape")) and kernel != w[2:]:
        raise SepcalcError(f"has weights of {by(w[2:])}, and kernel_shape {by(kernel)}")
    for attribute, length in (("strides", axes), ("dilations", axes), ("pads", 2 * axes), ("output_padding", axes)):
        values = node.ints(attribute)
        if values and (len(values) != length or min(values) < 0):
            raise SepcalcError(f"{attribute} {by(values)} do not fit {axes} axes; {length} numbers from 0 do")


def _padded(scope: Scope, node: Node, name: str, x: Shape, w: Shape, y: Shape) -> ConvSpec:
    """The spec of a convolution; uneven padding becomes ``same`` if that fits, else a layer of its own."""
    axes = len(w) - 2
    auto = node.text("auto_pad", "NOTSET")
    same = auto in ("SAME_UPPER", "SAME_LOWER")
    pads = (node.ints("pads") if auto in ("NOTSET", "") else ()) or (0,) * (2 * axes)
    begin, end = pads[:axes], pads[axes:]
    spec = _spec(node, x, w, "same")
    if not same and begin == end:
        spec = replace(spec, padding=begin)
    elif not same and spec.out_size != y[2:]:
        size = tuple(map(sum, zip(x[2:], begin, end, strict=True)))
        _resize(scope, name, "pad", x, (*x[:2], *size))
        spec = replace(spec, size=size, padding=(0,) * axes)
    if spec.out_size != y[2:]:
        raise SepcalcError(f"makes {by(spec.out_size or ())} of its input, and the file says {by(y[2:])}")
    return spec


def _spec(node: Node, x: Shape, w: Shape, padding: Shape | Literal["same"]) -> ConvSpec:
    transposed, groups = node.op == "ConvTranspose", node.int("group", 1)
    stride, dilation = node.ints("strides"), node.ints("dilations")
    c_out = w[1] * groups if transposed else w[0]
    return ConvSpec(
        c_in=x[1], c_out=c_out, kernel=w[2:], size=x[2:], stride=stride, padding=padding, dilation=dilation,
        groups=groups, transposed=transposed,
    )  # fmt: skip


def _resize(scope: Scope, name: str, kind: str, reads: Shape, writes: Shape) -> None:
    """Add a layer that pads or crops, for a shape that the convolution beside it cannot have."""
    name = scope.layers.new_name(f"{name}.{kind}")
    scope.layers.add(Operator(name=name, type=kind, input=feature_map(reads), output=feature_map(writes)))


def _transposed(node: Node, x: Shape, w: Shape, y: Shape) -> ConvSpec:
    """The spec of a transposed convolution: its multiply-adds do not depend on padding, its output size does.

    Padding that differs at both ends becomes padding and output padding of the same sum. Where that is not possible
    either, a layer of its own crops or pads the output.
    """
    axes = len(w) - 2
    spec = _spec(node, x, w, (0,) * axes)
    pads, extra = node.ints("pads"), node.ints("output_padding")
    if pads[:axes] == pads[axes:]:
        try:
            plain = replace(spec, padding=pads[:axes] or spec.padding, output_padding=extra)
            if plain.out_size == y[2:]:
                return plain
        except SpecError:
            pass
    padding, added = [], []
    for out, full, most in zip(y[2:], spec.out_size or (), map(max, spec.stride, spec.dilation), strict=True):
        less = full - out
        odd = less % 2 if less > 0 and most > 1 else 0
        padding.append(max(0, less + odd) // 2)
        added.append(odd if less > 0 else -less if -less < most else 0)
    return replace(spec, padding=tuple(padding), output_padding=tuple(added))


@product("MatMul", word="matmul", weights=(0, 1))
@product("MatMulInteger", word="matmul", weights=(0, 1), settings=(2, 3))
@product("QLinearMatMul", word="matmul", weights=(0, 3), settings=(1, 2, 4, 5, 6, 7))
def matmul(scope: Scope, node: Node, name: str) -> None:
    """A linear layer where one side is a parameter, a product of activations otherwise."""
    _, right = operator_record(node.op).weights
    a, b = scope.shape(node.input(0)), scope.shape(node.input(right))
    if not a or not b:
        raise SepcalcError(f"multiplies {by(a)} with {by(b)}; a number is no matrix")
    rows = a if len(a) > 1 else (1, *a)
    columns = b if len(b) > 1 else (*b, 1)
    if rows[-1] != columns[-2]:
        raise SepcalcError(f"multiplies {by(a)} with {by(b)}: {rows[-1]} is not {columns[-2]}")
    weight, left = scope.parameter(node, right), scope.parameter(node, 0)
    if weight is not None and left is None and prod(columns[:-2]) == 1:
        spec, batch = linear_spec(a[:-1], rows[-1], columns[-1])
        bias = _bias_after(scope, node, spec.c_out) if node.op == "MatMul" else None
        _emit(scope, node, name, "linear", spec, batch, weight, bias)
    elif left is not None and weight is None and prod(rows[:-2]) == 1 and len(b) > 1:
        # Weights on the left mix the rows: a linear layer with its channels first.
        spec, batch = linear_spec((*columns[:-2], columns[-1]), rows[-1], rows[-2])
        _emit(scope, node, name, "linear", spec, batch, left, None)
    else:
        times = prod(broadcast(rows[:-2], columns[:-2])) * rows[-2]
        emit_product(scope, node, name, "matmul", [(rows[-1], columns[-1], times)])


def _bias_after(scope: Scope, node: Node, c_out: int) -> Stored | None:
    """The bias that the next node adds, if nothing else reads the product; that node is then no layer."""
    out, after = node.outputs[0], scope.readers.get(node.outputs[0])
    if after is None or after.op != "Add" or scope.uses[out] != 1:
        return None
    slot = 1 if after.input(0) == out else 0
    bias = scope.parameter(after, slot)
    if bias is None or bias.count != c_out or scope.shapes[after.input(slot)][-1:] != (c_out,):
        return None
    scope.absorbed.add(after.outputs[0])
    return bias


@product("Gemm", word="matmul", weights=(0, 1, 2))
def gemm(scope: Scope, node: Node, name: str) -> None:
    """A linear layer on vectors where only the second matrix is a parameter, a product otherwise."""
    a, b = scope.shape(node.input(0)), scope.shape(node.input(1))
    if len(a) != 2 or len(b) != 2:
        raise SepcalcError(f"multiplies {by(a)} with {by(b)}; both need two axes")
    rows, reads = reversed(a) if node.int("transA", 0) else a
    c_in, c_out = reversed(b) if node.int("transB", 0) else b
    if reads != c_in:
        raise SepcalcError(f"multiplies rows of {reads} with columns of {c_in}")
    weight = scope.parameter(node, 1)
    if weight is None or scope.parameter(node, 0) is not None:
        emit_product(scope, node, name, "matmul", [(c_in, c_out, rows)])
        return
    bias = scope.parameter(node, 2)
    spec = ConvSpec(c_in=c_in, c_out=c_out, kernel=(), size=())
    _emit(scope, node, name, "linear", spec, rows, weight, bias if bias and bias.count == c_out else None)


def _emit(
    scope: Scope, node: Node, name: str, kind: str, spec: ConvSpec, batch: int, weight: Stored, bias: Stored | None
) -> None:
    """Add a convolution or linear layer if its weights are its own or those of one layer before, else a product."""
    owner = scope.first.get(weight.key)
    new, new_bias = scope.claim(weight, name), scope.claim(bias, name)
    again = owner is not None and not new
    spec = replace(spec, bias="all" if bias is not None and (again or new_bias == spec.c_out) else "none")
    alike = not new_bias and scope.layers.has_weights_of(owner, spec)
    if not (alike if again else new == weight.count == spec.weights):
        whole = (prod(spec.kernel) * spec.c_in // spec.groups, spec.c_out, batch * prod(spec.positions or ()))
        emit_product(scope, node, name, kind, [whole], params=new + new_bias)
        return
    scope.layers.specs[name] = spec
    layer = Convolution(name=name, type=kind, spec=spec, shares=owner if again else None, batch=batch)
    scope.layers.add(layer)
    if rest := new + new_bias + scope.claim_all(node, name) - layer.cost.params:
        scope.parameters(f"{name}.parameters", "parameters", rest)


def emit_product(
    scope: Scope, node: Node, name: str, kind: str, products: Sequence[MatrixProduct], *, params: int = 0
) -> None:
    """Add matrix products as one layer, with all parameters that the node reads."""
    terms = tuple((ConvSpec(c_in=c_in, c_out=c_out, kernel=(), size=()), times) for c_in, c_out, times in products)
    reads, writes = scope.ends(node)
    params += scope.claim_all(node, name)
    scope.layers.add(Product(name=name, type=kind, input=reads, output=writes, terms=terms, params=params))


@product("Attention", settings=(3, 4, 5))
def attention(scope: Scope, node: Node, name: str) -> None:
    """Scaled dot-product attention: query times keys, and weights times values, for each head.

    Vaswani 2017, section 3.2. Masked positions are computed, so they count.
    """
    heads = node.int("q_num_heads", 0), node.int("kv_num_heads", 0)
    batch, queries, length, width = _heads(scope.shape(node.input(0)), heads[0])
    _, _, keys, _ = _heads(scope.shape(node.input(1)), heads[1])
    _, _, _, value_width = _heads(scope.shape(node.input(2)), heads[1])
    if node.input(4):
        keys += _heads(scope.shape(node.input(4)), heads[1])[2]
    times = batch * queries * length
    emit_product(scope, node, name, "attention", [(width, keys, times), (keys, value_width, times)])


def _heads(shape: Shape, heads: int) -> tuple[int, int, int, int]:
    """Batch, heads, length and width of an input of attention, whether its heads are an axis or not."""
    if len(shape) == 4:
        return shape
    if len(shape) != 3 or heads < 1 or shape[2] % heads:
        raise SepcalcError(f"reads {by(shape)}, which cannot be {heads} heads; give q_num_heads and kv_num_heads")
    return shape[0], heads, shape[1], shape[2] // heads


_GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@product("LSTM", weights=(1, 2, 3, 7), settings=(4, 5, 6))
@product("GRU", "RNN", weights=(1, 2, 3), settings=(4, 5))
def recurrent(scope: Scope, node: Node, name: str) -> None:
    """For each step, gate and direction, the input times its weights and the state times its own (Hochreiter 1997)."""
    x, w, r = (scope.shape(node.input(slot)) for slot in (0, 1, 2))
    if not len(x) == len(w) == len(r) == 3 or w[2] != x[2] or w[1] != r[2] * _GATES[node.op] or r[:2] != w[:2]:
        raise SepcalcError(f"reads {by(x)} with weights {by(w)} and {by(r)}, which do not fit")
    times = x[0] * x[1] * w[0]
    emit_product(scope, node, name, node.op.lower(), [(w[2], w[1], times), (r[2], r[1], times)])


@product("Einsum")
def einsum(scope: Scope, node: Node, name: str) -> None:
    """Matrix products of two operands at a time; with one operand alone, none."""
    if len(node.inputs) > MOST_OPERANDS:
        raise SepcalcError(f"has {len(node.inputs):,} inputs; an einsum of up to {MOST_OPERANDS} is believed")
    shapes = [scope.shape(value) for value in node.inputs]
    if products := einsum_products(node.text("equation", ""), shapes):
        emit_product(scope, node, name, "einsum", products)
    else:
        scope.operator(node, name)
