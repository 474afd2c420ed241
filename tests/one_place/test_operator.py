"""An operator of ONNX or PyTorch is added in one place."""

import json
from pathlib import Path

import onnx
import pytest
import torch
from commands import sepcalc
from imported import requested

from sepcalc.readers.onnx import registry as onnx_registry
from sepcalc.readers.onnx.operators import emit_product
from sepcalc.readers.pytorch import modes
from sepcalc.readers.pytorch import operators as torch_operators
from sepcalc.readers.pytorch.model import load

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(3, 5))
        self.shift = nn.Parameter(torch.zeros(5))

    def forward(self, x):
        return torch.ops.acme.shift(torch.ops.acme.mix(x, self.matrix), self.shift)
"""


@pytest.fixture
def onnx_file(folder):
    """A network of two operators of a domain that nobody here knows, one with its weights in whole numbers."""
    text = """
        <ir_version: 8, opset_import: ["" : 17, "acme" : 1]>
        g (float[2,3] x) => (float[2,5] y)
        <int8[3,5] w, float[5] running, float[2,5] z>
        {
            z = acme.Mix(x, w)
            y = acme.Shift(z, running)
        }
    """
    model = onnx.parser.parse_model(text)
    model.graph.initializer.append(onnx.helper.make_tensor("w", onnx.TensorProto.INT8, [3, 5], [1] * 15))
    model.graph.initializer.append(onnx.helper.make_tensor("running", onnx.TensorProto.FLOAT, [5], [0.5] * 5))
    onnx.save(model, folder / "net.onnx")
    return "net.onnx"


@pytest.fixture
def torch_code(folder):
    """The same in PyTorch, its operators of a library of their own."""
    (folder / "net.py").write_text(CODE)
    library = torch.library.Library("acme", "FRAGMENT")
    library.define("mix(Tensor x, Tensor w) -> Tensor")
    library.define("shift(Tensor x, Tensor b) -> Tensor")
    for key in ("Meta", "CPU"):
        library.impl("mix", lambda x, w: x @ w, key)
        library.impl("shift", lambda x, b: x + b, key)
    modes.kind.cache_clear()
    yield "./net.py:Net --input 2x3"
    library._destroy()
    modes.kind.cache_clear()


def layers(line: str) -> list[tuple[str, int, int | None]]:
    """The word of each layer of a network as the command prints it, its parameters and its multiply-adds."""
    ran = sepcalc(f"network {line} --format json")
    assert ran.code == 0, ran.err
    return [(layer["type"], layer["params"], layer["macs"]) for layer in json.loads(ran.out)["layers"]]


def written(line: str) -> str:
    """What `sepcalc import` writes."""
    assert sepcalc(f"import {line} -o net.yaml").code == 0
    return Path("net.yaml").read_text()


@pytest.fixture(autouse=True)
def _as_before():
    """Whatever a test registers is gone after it."""
    registries = onnx_registry.OPERATORS, torch_operators.OPERATORS
    before = [dict(registry) for registry in registries]
    yield
    for registry, records in zip(registries, before, strict=True):
        registry.clear()
        registry.update(records)


def test_onnx(onnx_file):
    """A record gives an operator of ONNX its word, its weights, its settings and its multiply-adds."""
    assert layers(onnx_file) == [("acme.Mix", 0, None), ("acme.Shift", 5, None)]

    @onnx_registry.product("acme.Mix", word="mixing", weights=(1,))
    def _mix(scope, node, name):
        c_in, c_out = scope.shape(node.input(1))
        emit_product(scope, node, name, "mixing", [(c_in, c_out, scope.shape(node.input(0))[0])])

    onnx_registry.register(onnx_registry.OperatorRecord(kind="free", word="shifting", settings=(1,)), "acme.Shift")
    assert layers(onnx_file) == [("mixing", 15, 2 * 3 * 5), ("shifting", 0, 0)]
    assert "operator: mixing" in written(onnx_file)


def test_torch(torch_code):
    """A record gives an operator of PyTorch its word, its weights and its multiply-adds."""
    assert layers(torch_code) == [("mix", 15, None), ("shift", 5, None)]

    @torch_operators.product("acme.mix", word="mixing", roles={1: "weight"})
    def _mix(call):
        (rows, c_in), (_, c_out) = call.inputs
        return (torch_operators.term(c_in, c_out, rows),)

    torch_operators.register(torch_operators.OperatorRecord(kind="free", word="shifting"), "acme.shift")
    modes.kind.cache_clear()
    assert layers(torch_code) == [("mixing", 15, 2 * 3 * 5), ("shifting", 5, 0)]
    assert "operator: mixing" in written(torch_code)
    mixing = load(requested("./net.py:Net", "2x3")).operations[0]
    assert [use.role for use in mixing.uses] == ["weight"]
