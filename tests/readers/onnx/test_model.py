"""ONNX files: exports of small networks beside the networks themselves, each operator by hand, and hostile files."""

import os
import subprocess
import sys
from math import prod
from pathlib import Path
from typing import Any

import onnx
import pytest
from frameworks import torch as _threads  # noqa: F401 (one thread)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imported import imported
from onnx import TensorProto, helper
from onnx_models import MODELS, NEW, OLD, RECURRENT, export
from strategies import specs

from sepcalc.core.errors import MissingExtraError, SepcalcError
from sepcalc.core.layers import Convolution, Operator, Product
from sepcalc.core.network import Network
from sepcalc.core.spec import ConvSpec
from sepcalc.readers.onnx.graph import layer_names
from sepcalc.readers.onnx.model import load
from sepcalc.readers.onnx.protobuf import LARGEST_VALUES
from sepcalc.readers.yaml.reader import read
from sepcalc.readers.yaml.writer import to_yaml

FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


def value(name: str, shape: Any, kind: int = FLOAT) -> onnx.ValueInfoProto:
    """A value of a graph; a shape of None is left out."""
    return helper.make_tensor_value_info(name, kind, shape)


def stored(name: str, *shape: int, kind: int = FLOAT, data: Any = None) -> onnx.TensorProto:
    """An initializer: without data it has a shape and no numbers, as if they were elsewhere."""
    if data is not None:
        return helper.make_tensor(name, kind, shape, data)
    return TensorProto(name=name, dims=shape, data_type=kind)


def node(op: str, reads: str, writes: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A node from words: ``x w`` reads two values, ``-`` leaves one out."""
    names = ["" if each == "-" else each for each in reads.split()]
    return helper.make_node(op, names, writes.split(), **attributes)


def model(nodes: Any, inputs: Any, tensors: Any = (), *, opset: int = 17, out: Any = None, **more: Any) -> bytes:
    """A serialized model; ``inputs`` are shapes by name, or values."""
    if isinstance(inputs, dict):
        inputs = [value(name, shape) for name, shape in inputs.items()]
    outputs = [value(next(iter(nodes[-1].output)), None)] if out is None else out
    graph = helper.make_graph(list(nodes), "g", inputs, outputs, list(tensors))
    versions = more.pop("versions", [helper.make_opsetid("", opset)])
    return helper.make_model(graph, opset_imports=versions, **more).SerializeToString()


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    """Write bytes to a file and load it as a network."""

    def open_(data: bytes, **inputs: tuple[int, ...]) -> Network:
        path = tmp_path / "net.onnx"
        path.write_bytes(data)
        return load(path, inputs=inputs)

    return open_


def costs(network: Network) -> list[tuple[str, int, int]]:
    """Type, parameters and multiply-adds of each layer."""
    return [(each.type, each.cost.params, each.cost.macs) for each in network.layers]


def weighted(network: Network) -> list[tuple[str, int, int]]:
    """The same of the layers that multiply."""
    return [each for each in costs(network) if each[2]]


# --- exports beside what they were exported from


@pytest.mark.slow
@pytest.mark.parametrize("exporter", [pytest.param(OLD, id="old"), pytest.param(NEW, id="new")])
@pytest.mark.parametrize("name", MODELS)
def test_an_export_costs_what_the_model_costs(name, exporter, tmp_path):
    """Parameters are the model's, multiply-adds half of what torch's own counter says, both the import's totals."""
    build, shape = MODELS[name]
    theirs = imported(build, shape)
    network = load(export(build, shape, tmp_path / "net.onnx", **exporter))
    assert (network.cost.params, 2 * network.cost.macs) == (theirs.params, theirs.flops)
    assert network.cost == theirs.network.cost
    assert not network.uncounted
    if exporter is NEW and name in SAME_LAYERS:
        # It writes module paths beside its nodes, so that layers have the names that the import gives them.
        assert [(each.name, each.cost) for each in network.layers] == [
            (each.name, each.cost) for each in theirs.network.layers
        ]
    again = read(to_yaml(network))
    assert again.cost == network.cost
    assert [each.name for each in again.layers] == [each.name for each in network.layers]


SAME_LAYERS = {"resnet", "mobilenet", "convnext", "language", "volumes", "sound"}
"""Those of which the newer exporter makes the operators that PyTorch has, one each."""


def test_layers_of_an_export_are_called_as_in_the_model():
    """The exporter's scopes end in the function; a module that is no more than that has its own name."""
    assert layer_names("n", scopes=("", "a", "a.b", "relu"), whole=True) == ("a.b", "a.b.relu")
    assert layer_names("n", scopes=("", "a", "relu")) == ("a.relu",)
    assert layer_names("n", scopes=("", "relu"), whole=True) == ("relu",)
    assert layer_names("/a/a.0/a.0.1/b/Conv_1") == ("a.0.1.b.Conv_1",)


@pytest.mark.slow
@pytest.mark.parametrize("exporter", [pytest.param(OLD, id="old"), pytest.param(NEW, id="new")])
def test_recurrent_layers_of_an_export(exporter, tmp_path):
    """Their weights are cut, put in another order and joined by the exporter: every number still counts once."""
    network = load(export(RECURRENT, "3x7x6", tmp_path / "net.onnx", **exporter))
    first, second = 2 * 20 * (6 + 5), 2 * 20 * (10 + 5)
    params = [first + 80, second + 80, 12 * (10 + 4) + 24]
    assert weighted(network) == [
        ("lstm", params[0], 21 * first), ("lstm", params[1], 21 * second), ("gru", params[2], 21 * 12 * 14),
    ]  # fmt: skip
    assert network.cost.params == sum(params) == sum(each.numel() for each in RECURRENT().parameters())


@pytest.mark.slow
def test_weights_beside_the_file_are_never_opened(tmp_path):
    """Weights in external data are counted, though the file that holds them is gone."""
    build, shape = MODELS["vgg"]
    path = export(build, shape, tmp_path / "net.onnx", **NEW, external_data=True)
    for each in tmp_path.glob("*.data"):
        each.unlink()
    assert load(path).cost.params == imported(build, shape).params


def test_external_data_outside_the_folder_is_never_opened(opened):
    """A tensor that claims to lie in another file, which would block its reader, is a shape and nothing else."""
    weight = stored("w", 4, 3, 3, 3)
    weight.data_location = TensorProto.EXTERNAL
    for key, text in (("location", "../../../dev/stdin"), ("offset", "0"), ("length", str(2**62))):
        weight.external_data.add(key=key, value=text)
    assert opened(model([node("Conv", "x w")], {"x": (1, 3, 8, 8)}, [weight])).cost.params == 108


def test_large_weights_in_the_file_are_left_out(opened):
    """A tensor's numbers are dropped before parsing, and its count is what it would be with them."""
    size = LARGEST_VALUES // 4
    plain = model([node("MatMul", "x w")], {"x": (1, size)}, [stored("w", size, 2)])
    full = stored("w", size, 2, data=[0.5] * 2 * size)
    raw = stored("w", size, 2)
    raw.raw_data = bytes(8 * size)
    for tensor in (full, raw):
        data = model([node("MatMul", "x w")], {"x": (1, size)}, [tensor])
        assert len(data) > 8 * size
        assert costs(opened(data)) == costs(opened(plain)) == [("linear", 2 * size, 2 * size)]


# --- each operator by hand


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(spec=specs(biases=("none", "all")), batch=st.integers(1, 3))
def test_every_convolution_reads_back(spec, batch, opened):
    """A random convolution as a node, padding in numbers or SAME: the same costs and sizes come back."""
    attributes = {"strides": spec.stride, "dilations": spec.dilation, "group": spec.groups}
    if spec.padding == "same":
        attributes["auto_pad"] = "SAME_LOWER"
    else:
        attributes["pads"] = spec.padding * 2
    shape = (spec.c_out, spec.c_in // spec.groups, *spec.kernel)
    if spec.transposed:
        shape = (spec.c_in, spec.c_out // spec.groups, *spec.kernel)
        attributes["output_padding"] = spec.output_padding
        if spec.padding == "same":
            attributes["output_shape"] = spec.out_size
            del attributes["output_padding"]
    tensors = [stored("w", *shape), *([stored("b", spec.c_out)] if spec.bias == "all" else [])]
    reads = "x w b" if spec.bias == "all" else "x w"
    op = "ConvTranspose" if spec.transposed else "Conv"
    network = opened(model([node(op, reads, **attributes)], {"x": (batch, spec.c_in, *spec.size)}, tensors))
    layer = network.layers[0]
    assert (layer.cost.params, layer.cost.macs) == (spec.params, batch * spec.macs)
    assert network.layers[-1].output.shape == (spec.c_out, *spec.out_size)


@pytest.mark.parametrize(
    ("attributes", "layers"),
    [
        ({"pads": [0, 0, 1, 1], "strides": [2, 2]}, [("conv", 216, 3456)]),
        ({"pads": [0, 0, 2, 2]}, [("conv", 216, 13824)]),
        ({"pads": [0, 0, 1, 1]}, [("pad", 0, 0), ("conv", 216, 216 * 49)]),
        ({"pads": [0, 3, 1, 0], "strides": [2, 1]}, [("pad", 0, 0), ("conv", 216, 216 * 4 * 9)]),
        ({"auto_pad": "VALID"}, [("conv", 216, 216 * 36)]),
        ({"auto_pad": "SAME_UPPER", "strides": [3, 3]}, [("conv", 216, 216 * 9)]),
    ],
)
def test_padding_that_differs_at_both_ends(attributes, layers, opened):
    """Where no symmetric padding keeps as many positions, padding is a layer of its own and the products are exact."""
    network = opened(model([node("Conv", "x w", **attributes)], {"x": (1, 3, 8, 8)}, [stored("w", 8, 3, 3, 3)]))
    assert costs(network) == layers


@pytest.mark.parametrize(
    ("attributes", "size", "kinds"),
    [
        ({"strides": [2, 2], "pads": [0, 0, 1, 1]}, (16, 16), ["conv"]),
        ({"strides": [2, 2], "auto_pad": "SAME_UPPER"}, (16, 16), ["conv"]),
        ({"strides": [3, 3], "output_shape": [23, 24]}, (23, 24), ["conv"]),
        ({"pads": [0, 0, 1, 1]}, (9, 9), ["conv", "crop"]),
        ({"pads": [0, 1, 0, 1]}, (10, 8), ["conv"]),
        ({"output_shape": [12, 12]}, (12, 12), ["conv", "pad"]),
        ({"strides": [2, 2], "output_padding": [1, 0]}, (18, 17), ["conv"]),
    ],
)
def test_transposed_convolutions_of_any_padding(attributes, size, kinds, opened):
    """Multiply-adds are input positions times weights, and the last layer writes as many positions as the file says."""
    data = model([node("ConvTranspose", "x w", **attributes)], {"x": (2, 3, 8, 8)}, [stored("w", 3, 5, 3, 3)])
    network = opened(data)
    assert [each.type for each in network.layers] == kinds
    assert network.cost.macs == 2 * 135 * 64
    assert network.layers[-1].output.shape == (5, *size)


@pytest.mark.parametrize(
    ("op", "pads", "layers"),
    [
        ("Conv", [0, 0, 1, 1], [("n.pad", "pad", (3, 8, 8), (3, 9, 9)), ("n", "conv", (3, 9, 9), (3, 7, 7))]),
        ("Conv", [2, 0, 0, 1], [("n.pad", "pad", (3, 8, 8), (3, 10, 9)), ("n", "conv", (3, 10, 9), (3, 8, 7))]),
        ("Conv", [1, 0], [("n.pad", "pad", (3, 8), (3, 9)), ("n", "conv", (3, 9), (3, 7))]),
        (
            "ConvTranspose",
            [0, 0, 1, 1],
            [("n", "conv", (3, 8, 8), (3, 10, 10)), ("n.crop", "crop", (3, 10, 10), (3, 9, 9))],
        ),
        ("ConvTranspose", [1, 0], [("n", "conv", (3, 8), (3, 10)), ("n.crop", "crop", (3, 10), (3, 9))]),
    ],
)
def test_a_pad_before_and_a_crop_after_a_convolution_read_and_write_its_shapes(op, pads, layers, opened):
    """The layer is named after its convolution, has no cost, and its neighbour reads or writes the same feature map."""
    axes = len(pads) // 2
    convolution = node(op, "x w", pads=pads, name="n")
    network = opened(model([convolution], {"x": (2, 3, *(8,) * axes)}, [stored("w", 3, 3, *(3,) * axes)]))
    found = [(layer.name, layer.type, layer.input.shape, layer.output.shape) for layer in network.layers]
    assert found == layers
    assert [layer.cost.macs == layer.cost.params == 0 for layer in network.layers] == [
        kind != "conv" for _, kind, _, _ in layers
    ]


def test_weights_that_are_computed_are_no_parameters(opened):
    """A convolution with weights from another input is a product of as many multiply-adds."""
    network = opened(model([node("Conv", "x w", group=2)], {"x": (2, 4, 5, 5), "w": (6, 2, 3, 3)}))
    assert costs(network) == [("conv", 0, 2 * 6 * 2 * 9 * 9)]
    assert isinstance(network.layers[0], Product)


def test_a_convolution_along_four_axes_is_a_product(opened):
    """More axes than a convolution has here: the same parameters and multiply-adds, as a matrix product."""
    network = opened(model([node("Conv", "x w")], {"x": (1, 2, 3, 3, 3, 3)}, [stored("w", 5, 2, 2, 2, 2, 2)]))
    assert costs(network) == [("conv", 160, 160 * 16)]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ((7, 8), (8, 5), ConvSpec(c_in=8, c_out=5, kernel=(), size=())),
        ((2, 9, 8), (8, 5), ConvSpec(c_in=8, c_out=5, kernel=(1,), size=(9,))),
        ((2, 3, 4, 5, 8), (8, 5), ConvSpec(c_in=8, c_out=5, kernel=(1, 1, 1), size=(3, 4, 5))),
        ((2, 3, 4, 5, 6, 8), (1, 8, 5), ConvSpec(c_in=8, c_out=5, kernel=(1, 1, 1), size=(3, 20, 6))),
        ((8,), (8, 5), ConvSpec(c_in=8, c_out=5, kernel=(), size=())),
    ],
)
def test_a_product_with_an_initializer_is_a_linear_layer(left, right, expected, opened):
    """It runs over every position of its input, the first axis being the batch."""
    (layer,) = opened(model([node("MatMul", "x w")], {"x": left}, [stored("w", *right)])).layers
    assert isinstance(layer, Convolution)
    assert layer.spec == expected
    assert layer.cost.macs == prod(left) * 5


@pytest.mark.parametrize(
    ("left", "right", "macs"),
    [
        ((2, 4, 9, 8), (2, 4, 8, 5), 2 * 4 * 9 * 8 * 5),
        ((4, 1, 9, 8), (3, 8, 5), 4 * 3 * 9 * 8 * 5),
        ((9, 8), (8,), 72),
        ((8,), (8,), 8),
    ],
)
def test_a_product_of_activations(left, right, macs, opened):
    """Its batch is broadcast as NumPy does, and it has no parameters."""
    assert costs(opened(model([node("MatMul", "x z")], {"x": left, "z": right}))) == [("matmul", 0, macs)]


def test_experts_have_weights_of_their_own(opened):
    """A stack of matrices is one product with all their parameters."""
    data = model([node("MatMul", "x w")], {"x": (4, 9, 8)}, [stored("w", 4, 8, 5)])
    assert costs(opened(data)) == [("matmul", 160, 4 * 9 * 40)]


def test_weights_on_the_left_mix_the_rows(opened):
    """A stored matrix times an activation is a linear layer whose channels are the activation's rows."""
    (layer,) = opened(model([node("MatMul", "w x")], {"x": (2, 8, 9)}, [stored("w", 5, 8)])).layers
    assert (layer.input.shape, layer.output.shape, layer.cost.macs) == ((8, 9), (5, 9), 2 * 40 * 9)


def test_gemm(opened):
    """Transposed or not, with a bias per output, with another addend, and between activations."""
    weight, bias = stored("w", 5, 8), stored("b", 5)
    x = {"x": (7, 8)}
    assert costs(opened(model([node("Gemm", "x w b", transB=1)], x, [weight, bias]))) == [("linear", 45, 280)]
    odd = model([node("Gemm", "x w b", transB=1)], x, [weight, stored("b", 7, 5)])
    assert costs(opened(odd)) == [("linear", 40, 280), ("parameters", 35, 0)]
    both = model([node("Gemm", "x z", transA=1)], {"x": (8, 7), "z": (8, 5)})
    assert costs(opened(both)) == [("matmul", 0, 280)]


def test_a_bias_that_the_next_node_adds_belongs_to_the_layer(opened):
    """MatMul and Add are one linear layer with a bias, unless something else reads what is in between."""
    nodes = [node("MatMul", "x w", "h"), node("Add", "b h")]
    tensors = [stored("w", 8, 5), stored("b", 5)]
    assert costs(opened(model(nodes, {"x": (2, 9, 8)}, tensors))) == [("linear", 45, 720)]
    more = [*nodes, node("Mul", "y h", "z")]
    assert costs(opened(model(more, {"x": (2, 9, 8)}, tensors))) == [("linear", 40, 720), ("add", 5, 0), ("mul", 0, 0)]


@pytest.mark.parametrize(
    ("equation", "shapes", "macs"),
    [
        ("bhid,bhjd->bhij", [(2, 3, 4, 5), (2, 3, 6, 5)], 2 * 3 * 4 * 6 * 5),
        ("ij , jk -> ik", [(2, 3), (3, 4)], 24),
        ("...ij,...jk->...ik", [(7, 2, 3), (7, 3, 4)], 168),
        ("i...,j...", [(2, 5), (3, 5)], 30),
        ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 5)], 24 + 40),
        ("ijk,jl->il", [(2, 3, 9), (3, 4)], 24),
        ("ij,ij->", [(2, 3), (2, 3)], 6),
        ("ij->ji", [(2, 3)], 0),
        ("ii->i", [(3, 3)], 0),
    ],
)
def test_einsum_is_its_matrix_products(equation, shapes, macs, opened):
    """Pairs from the left, what only one operand sums over added up before; one operand alone is no product."""
    inputs = {f"x{number}": shape for number, shape in enumerate(shapes)}
    network = opened(model([node("Einsum", " ".join(inputs), equation=equation)], inputs))
    assert costs(network) == [("einsum", 0, macs)]


def test_einsum_with_an_initializer_has_its_parameters(opened):
    """Weights in an einsum are parameters as in any product."""
    data = model([node("Einsum", "x w", equation="bti,io->bto")], {"x": (2, 9, 8)}, [stored("w", 8, 5)])
    assert costs(opened(data)) == [("einsum", 40, 720)]


def test_attention_counts_both_products(opened):
    """Query times keys and weights times values: with heads as an axis or not, with grouped heads and with a past."""
    four = {"q": (2, 4, 6, 8), "k": (2, 4, 7, 8), "v": (2, 4, 7, 3)}
    macs = 2 * 4 * 6 * 7 * (8 + 3)
    assert costs(opened(model([node("Attention", "q k v")], four, opset=23))) == [("attention", 0, macs)]
    three = {"q": (2, 6, 32), "k": (2, 7, 16), "v": (2, 7, 6)}
    grouped = model([node("Attention", "q k v", q_num_heads=4, kv_num_heads=2)], three, opset=23)
    assert costs(opened(grouped)) == [("attention", 0, macs)]
    past = {**four, "pk": (2, 4, 5, 8), "pv": (2, 4, 5, 3)}
    data = model([node("Attention", "q k v - pk pv", "y nk nv")], past, opset=23)
    assert costs(opened(data)) == [("attention", 0, 2 * 4 * 6 * 12 * 11)]


@pytest.mark.parametrize(("op", "gates"), [("LSTM", 4), ("GRU", 3), ("RNN", 1)])
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_layers(op, gates, directions, opened):
    """Per step, gate and direction: input times weights and state times weights; initial states are no parameters."""
    t, b, i, h = 7, 2, 5, 4
    rows = gates * h
    tensors = [
        stored("w", directions, rows, i), stored("r", directions, rows, h), stored("b", directions, 2 * rows),
        stored("h0", directions, b, h),
    ]  # fmt: skip
    way = "bidirectional" if directions == 2 else "forward"
    data = model([node(op, "x w r b - h0", "y", hidden_size=h, direction=way)], {"x": (t, b, i)}, tensors)
    params = directions * rows * (i + h + 2)
    assert costs(opened(data)) == [(op.lower(), params, t * b * directions * rows * (i + h))]


def test_quantised_operators(opened):
    """Bytes are weights where an operator takes weights; scales and zero points are settings."""
    uint8, int8, int32 = TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32
    point = [stored("s"), stored("z", kind=uint8), stored("ws", 6), stored("wz", 6, kind=int8)]
    x = [value("x", (1, 3, 8, 8), uint8)]
    weight, bias = stored("w", 6, 3, 3, 3, kind=int8), stored("b", 6, kind=int32)
    out = [value("y", None, uint8)]
    conv = model([node("QLinearConv", "x s z w ws wz s z b")], x, [*point, weight, bias], out=out)
    assert costs(opened(conv)) == [("conv", 168, 162 * 36)]
    sums = [value("y", None, int32)]
    zero = stored("z", kind=uint8)
    whole = model([node("ConvInteger", "x w z")], x, [zero, weight], out=sums)
    assert costs(opened(whole)) == [("conv", 162, 162 * 36)]
    flat, matrix = [value("x", (7, 8), uint8)], stored("w", 8, 5, kind=int8)
    linear = model([node("QLinearMatMul", "x s z w ws wz s z")], flat, [*point, matrix], out=out)
    assert costs(opened(linear)) == [("linear", 40, 280)]
    product = model([node("MatMulInteger", "x w z")], flat, [zero, matrix], out=sums)
    assert costs(opened(product)) == [("linear", 40, 280)]


def test_weights_that_are_dequantised_are_the_same_weights(opened):
    """DequantizeLinear and Transpose around weights are no layers; around activations, dequantising is one."""
    nodes = [
        node("DequantizeLinear", "w ws wz", "wf"), node("Transpose", "wf", "wt", perm=[1, 0]),
        node("QuantizeLinear", "x s z", "xq"), node("DequantizeLinear", "xq s z", "xf"), node("MatMul", "xf wt"),
    ]  # fmt: skip
    int8 = TensorProto.INT8
    tensors = [
        stored("w", 5, 8, kind=int8), stored("ws", 5), stored("wz", 5, kind=int8), stored("s"), stored("z", kind=int8),
    ]  # fmt: skip
    network = opened(model(nodes, {"x": (7, 8)}, tensors))
    assert costs(network) == [("quantize", 0, 0), ("dequantize", 0, 0), ("linear", 40, 280)]


@pytest.mark.parametrize(
    ("op", "tensors", "attributes", "word", "params"),
    [
        ("BatchNormalization", [4, 4, 4, 4], {}, "batch_norm", 8),
        ("InstanceNormalization", [4, 4], {}, "instance_norm", 8),
        ("GroupNormalization", [4, 4], {"num_groups": 2}, "group_norm", 8),
        ("LayerNormalization", [5, 5], {}, "layer_norm", 10),
        ("RMSNormalization", [5], {}, "rms_norm", 5),
        ("LpNormalization", [], {}, "normalize", 0),
        ("LRN", [], {"size": 3}, "local_response_norm", 0),
        ("PRelu", [5], {}, "prelu", 5),
        ("Relu", [], {}, "relu", 0),
        ("Gelu", [], {}, "gelu", 0),
        ("HardSwish", [], {}, "hardswish", 0),
        ("Softmax", [], {}, "softmax", 0),
        ("LeakyRelu", [], {}, "leaky_relu", 0),
        ("GlobalAveragePool", [], {}, "adaptive_avg_pool", 0),
        ("MaxPool", [], {"kernel_shape": [2, 2]}, "max_pool", 0),
        ("Add", [5], {}, "add", 5),
        ("Mul", [5], {}, "mul", 5),
        ("Sub", [5], {}, "sub", 0),
        ("Div", [5], {}, "div", 0),
        ("ReduceMean", [], {}, "mean", 0),
    ],
)
def test_operators_without_products(op, tensors, attributes, word, params, opened):
    """Each has its word, the parameters that are learned, and no multiply-adds; moving statistics are not learned."""
    names = [f"t{number}" for number in range(len(tensors))]
    initializers = [stored(name, length) for name, length in zip(names, tensors, strict=True)]
    data = model([node(op, " ".join(["x", *names]), **attributes)], {"x": (2, 4, 5, 5)}, initializers, opset=23)
    network = opened(data)
    assert costs(network) == [(word, params, 0)]
    assert not network.uncounted


def test_pooling_keeps_its_window(opened):
    """A window is the node's, or with global pooling the whole map."""
    nodes = [node("MaxPool", "x", "h", kernel_shape=[2, 2], strides=[2, 2]), node("GlobalAveragePool", "h")]
    first, second = opened(model(nodes, {"x": (1, 4, 8, 6)})).layers
    assert (first.kernel, second.kernel) == ((2, 2), (4, 3))


def test_shapes_and_moves_are_no_layers(opened):
    """What computes shapes, or hands the same numbers on, is not in the table, and a small constant is read."""
    nodes = [
        node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Unsqueeze", "n axis", "n1"),
        node("Mul", "four four", "sixteen"), node("Concat", "n1 rest", "target", axis=0),
        node("Reshape", "x target", "r"), node("Transpose", "r", "t", perm=[0, 2, 1]), node("Identity", "t", "i"),
        node("Cast", "i", "c", to=FLOAT), node("MatMul", "c w"),
    ]  # fmt: skip
    tensors = [
        stored("zero", kind=INT64, data=[0]), stored("axis", 1, kind=INT64, data=[0]), stored("w", 4, 3),
        stored("rest", 2, kind=INT64, data=[4, -1]), stored("four", kind=INT64, data=[4]),
    ]  # fmt: skip
    (layer,) = opened(model(nodes, {"x": (2, 4, 3, 3)}, tensors)).layers
    assert (layer.batch, layer.spec.size, layer.cost.macs) == (2, (9,), 2 * 9 * 12)


ARITHMETIC = model(
    [
        node("Shape", "x", "s"), node("Gather", "s one", "c"), node("Add", "c one", "more"),
        node("Div", "more two", "half"), node("Mul", "half one", "end"), node("Unsqueeze", "end axis", "end1"),
        node("Slice", "x axis end1 one1", "part"), node("Conv", "part w"),
    ],
    {"x": (1, 8, 5, 5)},
    [
        stored("one", kind=INT64, data=[1]), stored("two", kind=INT64, data=[2]),
        stored("axis", 1, kind=INT64, data=[0]),
        stored("one1", 1, kind=INT64, data=[1]), stored("w", 3, 4, 3, 3),
    ],
)  # fmt: skip


def test_shapes_that_exporters_compute_with_a_division(opened):
    """Half of the channels, computed in the graph: onnx's inference stops at a division, the import does not."""
    plain = onnx.shape_inference.infer_shapes(onnx.load_from_string(ARITHMETIC), data_prop=True)
    (part,) = [each for each in plain.graph.value_info if each.name == "part"]
    assert not part.type.tensor_type.shape.dim[1].HasField("dim_value")
    assert costs(opened(ARITHMETIC)) == [("conv", 108, 108 * 9)]


def test_weights_that_are_computed_from_parameters(opened):
    """A weight norm in the graph: its factors are parameters, the product with what they make has none."""
    nodes = [node("ReduceL2", "v", "n"), node("Div", "v n", "u"), node("Mul", "u g", "w"), node("MatMul", "x w")]
    network = opened(model(nodes, {"x": (7, 8)}, [stored("v", 8, 5), stored("g", 5)]))
    assert costs(network) == [("norm", 40, 0), ("div", 0, 0), ("mul", 5, 0), ("matmul", 0, 280)]


def test_an_embedding_and_the_matrix_tied_to_it(opened):
    """A table that is gathered from is a parameter; the product that reads it again has multiply-adds alone."""
    nodes = [node("Gather", "e x", "h"), node("Transpose", "e", "et", perm=[1, 0]), node("MatMul", "h et")]
    network = opened(model(nodes, [value("x", (2, 7), INT64)], [stored("e", 50, 8)]))
    assert costs(network) == [("embedding", 400, 0), ("linear", 0, 2 * 7 * 400)]


def test_weights_used_twice_count_once(opened):
    """The second layer shares the first's: its multiply-adds count and its parameters do not."""
    nodes = [node("Conv", "x w b", "h", pads=[1] * 4), node("Conv", "h w b", pads=[1] * 4)]
    network = opened(model(nodes, {"x": (1, 4, 8, 8)}, [stored("w", 4, 4, 3, 3), stored("b", 4)]))
    assert costs(network) == [("conv", 148, 144 * 64), ("conv", 0, 144 * 64)]
    assert network.layers[1].shares == network.layers[0].name


def test_shared_weights_with_a_bias_of_their_own(opened):
    """What is not shared is counted: here the second layer's bias."""
    nodes = [node("Conv", "x w", "h", pads=[1] * 4), node("Conv", "h w b", pads=[1] * 4)]
    network = opened(model(nodes, {"x": (1, 4, 8, 8)}, [stored("w", 4, 4, 3, 3), stored("b", 4)]))
    assert costs(network) == [("conv", 144, 144 * 64), ("conv", 4, 144 * 64)]


def test_parts_of_a_tensor_count_as_parts(opened):
    """Three matrices cut from one, and a fourth that nobody uses: every number once."""
    nodes = [
        node("Split", "w", "q k v o", axis=1, num_outputs=4), node("MatMul", "x q", "a"), node("MatMul", "a k", "b"),
        node("MatMul", "b v"),
    ]  # fmt: skip
    network = opened(model(nodes, {"x": (7, 8)}, [stored("w", 8, 32)], opset=18))
    assert costs(network) == [("linear", 64, 448)] * 3 + [("unused parameters", 64, 0)]


def test_a_parameter_that_nobody_reads_is_listed(opened):
    """It is in the total under its own name; whole numbers and settings are not."""
    tensors = [stored("idle", 5, 5), stored("count", 3, kind=INT64, data=[1, 2, 3]), stored("low", data=[0.0])]
    network = opened(model([node("Clip", "x low")], {"x": (1, 4)}, tensors))
    assert costs(network) == [("clip", 0, 0), ("unused parameters", 25, 0)]
    assert network.layers[-1].name == "idle"


@pytest.mark.parametrize(("scale", "shift", "params"), [(1.0, 0.0, 0), (0.5, 0.0, 4)])
def test_the_inner_norm_of_a_group_norm_learns_nothing(scale, shift, params, opened):
    """Ones and zeros between two Reshapes are how exporters write a group norm; other numbers are parameters."""
    nodes = [node("Reshape", "x s", "r"), node("InstanceNormalization", "r one zero")]
    tensors = [
        stored("s", 3, kind=INT64, data=[0, 2, -1]),
        stored("one", 2, data=[scale] * 2),
        stored("zero", 2, data=[shift] * 2),
    ]  # fmt: skip
    assert costs(opened(model(nodes, {"x": (1, 4, 5, 5)}, tensors))) == [("instance_norm", params, 0)]


# --- what is not understood


def branches() -> onnx.NodeProto:
    """An If that convolves in one branch."""
    weight = stored("w", 4, 3, 3, 3)
    then = helper.make_graph([node("Conv", "x w", "t")], "then", [], [value("t", None)], [weight])
    other = helper.make_graph([node("Conv", "x outer", "e")], "else", [], [value("e", None)])
    return node("If", "c", then_branch=then, else_branch=other)


def test_control_flow_is_uncounted_with_its_parameters(opened):
    """What an If would run is not known: it is named, and what its branches read is counted as parameters."""
    inputs = [value("x", (1, 3, 8, 8)), value("c", (), TensorProto.BOOL)]
    network = opened(model([branches()], inputs, [stored("outer", 4, 3, 1, 1)]))
    assert costs(network) == [("if", 108 + 12, 0)]
    assert [each.name for each in network.uncounted] == ["If.y"]


def test_operators_of_others_are_uncounted_by_name(opened):
    """A domain that is not ONNX's own, and an operator that no version has."""
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.acme", 1)]
    nodes = [node("FusedConv", "x w", "h", domain="com.acme", name="stem"), node("Nonsense", "h")]
    network = opened(model(nodes, {"x": (1, 3, 8, 8)}, [stored("w", 4, 3, 3, 3)], versions=versions))
    assert [(each.name, each.type) for each in network.uncounted] == [
        ("stem", "com.acme.FusedConv"), ("Nonsense.y", "nonsense"),
    ]  # fmt: skip
    assert network.cost.params == 108


def test_a_shape_that_depends_on_the_data_leaves_a_product_uncounted(opened):
    """How many rows NonZero finds is not known before it runs: what follows is named, its parameters counted."""
    nodes = [
        node("NonZero", "x", "n"), node("Transpose", "n", "t"), node("Cast", "t", "f", to=FLOAT), node("MatMul", "f w"),
    ]  # fmt: skip
    network = opened(model(nodes, {"x": (4, 4)}, [stored("w", 2, 5)]))
    assert [(each.type, each.cost.params) for each in network.uncounted] == [("matmul", 10)]


def test_functions_of_the_file_are_written_out(opened):
    """A node that calls a function of the file is the nodes of that function."""
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("mine", 1)]
    body = [node("MatMul", "a w", "h"), node("Relu", "h", "b")]
    function = helper.make_function("mine", "Dense", ["a", "w"], ["b"], body, versions[:1])
    nodes = [node("Dense", "x w", "h", domain="mine"), node("Dense", "h w", domain="mine")]
    data = model(nodes, {"x": (7, 8)}, [stored("w", 8, 8)], versions=versions, functions=[function])
    assert costs(opened(data)) == [("linear", 64, 448), ("relu", 0, 0), ("linear", 0, 448), ("relu", 0, 0)]


@pytest.mark.parametrize("opset", [9, 11, 13, 17, onnx.defs.onnx_opset_version()])
def test_opsets_from_9_on(opset, opened):
    """A convolution, a norm and a linear layer count the same in every version."""
    nodes = [
        node("Conv", "x w", "h"), node("BatchNormalization", "h s b m v", "n"), node("Relu", "n", "r"),
        node("GlobalAveragePool", "r", "g"), node("Flatten", "g", "f"), node("Gemm", "f k c", transB=1),
    ]  # fmt: skip
    tensors = [
        stored("w", 4, 3, 3, 3), *(stored(name, 4) for name in "sbmv"), stored("k", 10, 4), stored("c", 10),
    ]  # fmt: skip
    network = opened(model(nodes, {"x": (1, 3, 8, 8)}, tensors, opset=opset))
    assert (network.cost.params, network.cost.macs) == (108 + 8 + 50, 108 * 36 + 40)
    assert network.source == f"ONNX, opset {opset}"
    assert network.input is not None
    assert network.input.shape == (3, 8, 8)


# --- inputs


OPEN = model([node("Conv", "x w", pads=[1] * 4)], {"x": ("batch", 3, "h", None)}, [stored("w", 4, 3, 3, 3)])


def test_open_inputs_are_closed_by_the_user(opened):
    """Symbols get the lengths that are given, by name or as the only input, and every later shape follows."""
    for name in ("x", ""):
        assert costs(opened(OPEN, **{name: (2, 3, 8, 6)})) == [("conv", 108, 2 * 108 * 48)]


@pytest.mark.parametrize(
    ("data", "inputs", "message"),
    [
        (OPEN, {}, "input 'x' is batchx3xhx?, which is open; say how long each is: --input x=1x3x224x224"),
        (OPEN, {"x": (1, 4, 8, 8)},
         "input 'x' is batchx3xhx? in the file, and cannot be 1x4x8x8; numbers there are fixed"),
        (OPEN, {"x": (1, 3, 8)}, "input 'x' is batchx3xhx? in the file, and cannot be 1x3x8; numbers there are fixed"),
        (OPEN, {"X": (1, 3, 8, 8)}, "has no input 'X'; did you mean 'x'?"),
        (OPEN, {"x": (0, 3, 8, 8)}, "input 'x' cannot be 0x3x8x8; give whole numbers from 1 to 1,000,000,000"),
        (model([node("Relu", "x")], {"x": None}), {},
         "input 'x' has no shape; give all its dimensions: --input x=1x3x224x224"),
        (model([node("Relu", "x")], {"x": (2, -1)}), {},
         "input 'x' is 2x?, which is open; say how long each is: --input x=2x128"),
        (model([node("Relu", "x")], {"x": (2, 2**60)}), {},
         "input 'x' has a length of 1,152,921,504,606,846,976; lengths from 0 to 1,000,000,000 are believed"),
        (model([node("Add", "x z")], {"x": ("n", 2), "z": ("n", 2)}), {"x": (1, 2), "z": (3, 2)},
         "'n' is both 1 and 3 in the inputs given; it is one length"),
        (model([node("Relu", "x")], {"x": (1,) * 65}), {}, "input 'x' has 65 axes; up to 64 are believed"),
    ],
)  # fmt: skip
def test_inputs_that_cannot_be(data, inputs, message, opened, tmp_path):
    """The message names the input, its dimensions and the flag to give."""
    with pytest.raises(SepcalcError) as caught:
        opened(data, **inputs)
    assert str(caught.value) == f"{tmp_path / 'net.onnx'}: {message}"


# --- hostile files


CONV = model([node("Conv", "x w", name="stem")], {"x": (1, 3, 8, 8)}, [stored("w", 4, 3, 3, 3)])


def loop(*names: str) -> bytes:
    """Functions that call each other: the last one the first."""
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    calls = zip(names, (*names[1:], names[0]), strict=True)
    functions = [
        helper.make_function("f", name, ["a"], ["b"], [node(other, "a", "b", domain="f")], versions)
        for name, other in calls
    ]
    return model([node(names[0], "x", domain="f")], {"x": (1, 2)}, versions=versions, functions=functions)


def doubling(levels: int) -> bytes:
    """A function that calls another twice, that another twice, and so on."""
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)]
    functions = [
        helper.make_function(
            "f", f"f{level}", ["a"], ["b"],
            [node(f"f{level + 1}", "a", "h", domain="f"), node(f"f{level + 1}", "h", "b", domain="f")], versions,
        )
        for level in range(levels)
    ]  # fmt: skip
    functions.append(helper.make_function("f", f"f{levels}", ["a"], ["b"], [node("Relu", "a", "b")], versions))
    return model([node("f0", "x", domain="f")], {"x": (1, 2)}, versions=versions, functions=functions)


def field(number: int, body: bytes) -> bytes:
    """A field of a protobuf that holds bytes."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def varint(number: int) -> bytes:
    """A number as a protobuf writes it: groups of seven bits, the lowest first."""
    groups = [number >> shift & 127 for shift in range(0, max(1, number.bit_length()), 7)]
    return bytes([*(group | 128 for group in groups[:-1]), groups[-1]])


def nested(levels: int) -> bytes:
    """Graphs within graphs."""
    inner = b""
    for _ in range(levels):
        inner = field(1, field(5, field(6, inner)))
    return CONV + field(7, inner)


FAULTY = {
    "empty": (b"", "is empty"),
    "text": (b"name: net\nlayers: []\n", "is not an ONNX file: no field of a protobuf begins at byte 0"),
    "truncated": (CONV[:-9], "is truncated or not an ONNX file: byte "),
    "no graph": (field(2, b"nobody"), "is not an ONNX file: it has no graph of an opset"),
    "endless number": (b"\xff" * 99, "is truncated or not an ONNX file: no number ends after byte 0"),
    "no text": (CONV.replace(b"stem", b"st\xffm"), "is not an ONNX file: a name in it is no text"),
    "a newer opset": (
        model([node("Relu", "x")], {"x": (1,)}, opset=9999),
        f"uses opset 9999, and the installed onnx {onnx.__version__} knows them up to ",
    ),
    "a cycle": (
        model([node("Add", "x b", "a"), node("Relu", "a", "b")], {"x": (1, 2)}),
        "node 'Add.a' reads 'b', which is made only later: the graph has a cycle, or is out of order",
    ),
    "nothing there": (
        model([node("Relu", "z")], {"x": (1, 2)}), "node 'Relu.y' reads 'z', which is made nowhere",
    ),
    "made twice": (
        model([node("Relu", "x"), node("Relu", "x", "x")], {"x": (1, 2)}),
        "node 'Relu.x' makes 'x', which exists already",
    ),
    "two tensors of one name": (
        model([node("Relu", "x")], {"x": (1, 2)}, [stored("w", 1), stored("w", 2)]),
        "has two initializers of one name",
    ),
    "huge weights": (
        model([node("Conv", "x w")], {"x": (1, 3, 8, 8)}, [stored("w", 2**60, 3, 3, 3)]),
        "tensor 'w' has a length of 1,152,921,504,606,846,976; lengths from 0 to 1,000,000,000 are believed",
    ),
    "negative weights": (
        model([node("Conv", "x w")], {"x": (1, 3, 8, 8)}, [stored("w", 4, -3, 3, 3)]),
        "tensor 'w' has a length of -3; lengths from 0 to 1,000,000,000 are believed",
    ),
    "no stride": (
        model([node("Conv", "x w", strides=[0, 0])], {"x": (1, 3, 8, 8)}, [stored("w", 4, 3, 3, 3)]),
        "its shapes cannot be inferred: (op_type:Conv): Attribute strides must only contain positive values",
    ),
    "a wrong rank": (
        model([node("Conv", "x w")], {"x": (1, 3)}, [stored("w", 4, 3, 3, 3)]), "its shapes cannot be inferred: ",
    ),
    "wrong channels": (
        model([node("Conv", "x w", name="stem")], {"x": (1, 4, 8, 8)}, [stored("w", 4, 3, 3, 3)]),
        "node 'stem' (Conv) reads 4 channels, and its weights 4×3×3×3 in 1 groups take 3",
    ),
    "a kernel that contradicts itself": (
        model([node("Conv", "x w", kernel_shape=[5, 5])], {"x": (1, 3, 8, 8)}, [stored("w", 4, 3, 3, 3)]),
        "node 'Conv.y' (Conv) has weights of 3×3, and kernel_shape 5×5",
    ),
    "groups of nothing": (
        model([node("Conv", "x w", group=0)], {"x": (1, 3, 8, 8)}, [stored("w", 4, 3, 3, 3)]),
        "node 'Conv.y' (Conv) reads 3 channels, and its weights 4×3×3×3 in 0 groups take 0",
    ),
    "an attribute of another kind": (
        model([node("Conv", "x w", group="two")], {"x": (1, 3, 8, 8)}, [stored("w", 4, 3, 3, 3)]),
        "node 'Conv.y' (Conv) group is 'two', not a whole number",
    ),
    "heads that do not fit": (
        model([node("Attention", "x x x", q_num_heads=3, kv_num_heads=3)], {"x": (1, 4, 8)}, opset=23),
        "",
    ),
    "an einsum of nothing": (model([node("Einsum", "x", equation=",")], {"x": (1, 2)}), ""),
    "a function that calls itself": (loop("a"), "function 'a' calls itself"),
    "functions in a circle": (loop("a", "b", "c"), "function 'a' calls itself"),
    "functions that double": (doubling(60), "has more than 100,000 nodes when its functions are written out"),
    "a chain of functions": (
        loop(*(f"f{number}" for number in range(5000))), "nests graphs too deep",
    ),
    "graphs without end": (nested(500), "nests graphs more than 20 deep"),
    "control characters": (
        model([node("Relu", "z", name="\x1b[31m\n")], {"x": (1, 2)}),
        r"node '\x1b[31m\n' reads 'z', which is made nowhere",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_file_is_refused_with_the_reason(name, opened, tmp_path):
    """Each ends in one message that begins with the file and says what is wrong."""
    data, message = FAULTY[name]
    with pytest.raises(SepcalcError) as caught:
        opened(data)
    assert str(caught.value).startswith(f"{tmp_path / 'net.onnx'}: {message}")
    assert "\n" not in str(caught.value)


def test_what_is_no_file_is_refused(tmp_path):
    """A folder, a pipe that nobody writes to, and nothing at all."""
    os.mkfifo(tmp_path / "pipe.onnx")
    for path, reason in (
        ("pipe.onnx", "is not a file"),
        (".", "is not a file"),
        ("no.onnx", "cannot be read: No such file"),
    ):
        with pytest.raises(SepcalcError, match=reason):
            load(tmp_path / path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(field(1, b"") * 200_000, "has more than 100,000 nodes", id="nodes"),
        pytest.param(field(13, b"") * 2_100_000, "has more than 2,000,000 fields", id="values"),
        pytest.param(field(1, field(5, field(8, bytes(2**23)))), "has more than 8 MiB of numbers", id="lists"),
        pytest.param(field(10, b" " * 2**26), "describes a graph of more than 64 MiB", id="notes"),
        pytest.param(field(11, field(2, field(1, field(2, field(1, b"") * 2_100_000)))), "2,000,000 fields", id="axes"),
    ],
)  # fmt: skip
def test_more_than_is_believed_is_refused_before_it_is_parsed(data, message, opened):
    """Short messages by the million would each become an object: they are counted first."""
    with pytest.raises(SepcalcError, match=message):
        opened(CONV + field(7, data))


def test_names_are_made_fit_for_a_line_of_text(opened):
    """What a file calls its nodes cannot colour a terminal, and two of one name are told apart."""
    nodes = [
        node("Relu", "x", "a", name="r\x1b$"),
        node("Relu", "a", "b", name="r\x1b$"),
        node("Relu", "b", name="z" * 999),
    ]
    names = [each.name for each in opened(model(nodes, {"x": (1, 2)})).layers]
    assert names[:2] == ["r__", "r__#2"]
    assert len(names[2]) == 200


SEEDS = (
    CONV,
    ARITHMETIC,
    OPEN,
    loop("a"),
    model([branches()], [value("x", (1, 3, 8, 8)), value("c", (), TensorProto.BOOL)], [stored("outer", 4, 3, 1, 1)]),
    model([node("ConvTranspose", "x w", strides=[2, 2])], {"x": (2, 3, 8, 8)}, [stored("w", 3, 5, 3, 3)]),
    model([node("Attention", "x x x", q_num_heads=2, kv_num_heads=2)], {"x": (1, 4, 8)}, opset=23),
    model([node("Einsum", "x x", equation="ij,kj->ik")], {"x": (3, 4)}),
    model([node("Resize", "x - s")], {"x": (1, 3, 8, 8)}, [stored("s", 4, data=[1.0, 1.0, 2.0, 2.0])]),
)


def check(opened: Any, data: bytes) -> None:
    """A network that costs something or nothing, or one error on one line."""
    try:
        cost = opened(data).cost
    except SepcalcError as error:
        message = str(error)
    else:
        message = ""
        assert min(cost.params, cost.macs) >= 0
    assert "\n" not in message


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_no_bytes_crash_the_import(seed, data, opened):
    """Bytes changed, cut, put in or copied anywhere in a file: a network, or one clear error."""
    changed = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed)))
        until = at + data.draw(st.integers(0, 8))
        changed[at:until] = data.draw(st.binary(max_size=8) | st.sampled_from([changed[:at], b"\xff" * 9 + b"\x01"]))
    check(opened, bytes(changed))


LENGTHS = st.sampled_from([0, -1, 1, 2, 3, 2**31, -(2**31), 2**62, -(2**63), 2**63 - 1, 10**9])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), op=st.sampled_from(["Conv", "ConvTranspose", "MaxPool", "MatMul", "Gemm", "LSTM", "Attention"]))
def test_no_numbers_crash_the_import(data, op, opened):
    """Attributes and shapes of any size and length: a network, or one clear error."""
    names = ("strides", "pads", "dilations", "kernel_shape", "output_padding", "output_shape")
    single = ("group", "transA", "hidden_size", "q_num_heads", "kv_num_heads", "ceil_mode")
    attributes = {
        name: data.draw(st.lists(LENGTHS, min_size=1, max_size=4))
        for name in data.draw(st.sets(st.sampled_from(names)))
    }
    attributes |= {name: data.draw(LENGTHS) for name in data.draw(st.sets(st.sampled_from(single)))}
    shapes = [data.draw(st.lists(LENGTHS, max_size=5)) for _ in range(3)]
    tensors = [stored(name, *shape) for name, shape in zip("wb", shapes, strict=False)]
    reads = "x" if op == "MaxPool" else "x w b"
    check(opened, model([node(op, reads, **attributes)], {"x": shapes[2]}, tensors, opset=23))


def test_without_onnx_the_message_says_how_to_get_it(monkeypatch):
    """The extra is named where the package is missing."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "sepcalc.readers.onnx.model")
    with pytest.raises(
        MissingExtraError, match=r"^reading ONNX files needs the 'onnx' extra: pip install 'sepcalc\[onnx\]'$"
    ):
        import sepcalc.readers.onnx.model  # noqa: F401


def test_no_other_file_imports_onnx():
    """The graph, the operators and their records are importable without the package."""
    script = (
        "import sys; sys.modules['onnx'] = None\n"
        "from sepcalc.readers.onnx import inputs, operators, protobuf, registry\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_uncounted_layers_are_operators(opened):
    """What is uncounted is marked so, whatever it has for parameters."""
    versions = [helper.make_opsetid("", 17), helper.make_opsetid("com.acme", 1)]
    (layer,) = opened(model([node("Custom", "x", domain="com.acme")], {"x": (1, 2)}, versions=versions)).layers
    assert isinstance(layer, Operator)
    assert not layer.counted
