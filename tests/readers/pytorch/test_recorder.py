"""What is seen of a run: modules, functions, operators, and whose the parameters are."""

from warnings import catch_warnings, simplefilter

import pytest
import torch
from imported import imported, net, operation
from torch import nn
from torch.nn import functional

NOTHING = lambda self: None  # noqa: E731 (a model without modules)


def _run(run, *inputs):
    return operation(net(NOTHING, run), *inputs)


def test_calls():
    """Each call of a module is there with the call around it, its shapes and its depth; a module is there once."""

    def build(self):
        self.block = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))

    trace = imported(net(build, lambda self, x: self.block(x)), "2x3x8x8").trace
    seen = [(trace.modules[each.module].path, each.parent, each.depth, each.outputs) for each in trace.calls]
    shape = ((2, 4, 6, 6),)
    assert seen == [("", None, 0, shape), ("block", 0, 1, shape), ("block.0", 1, 2, shape), ("block.1", 1, 2, shape)]
    assert trace.modules[3].qualname == "torch.nn.modules.activation.ReLU"
    assert trace.modules[3].config["inplace"] is True
    assert trace.modules[2].config["kernel_size"] == (3, 3)
    assert [trace.parameters[index].name for _, index in trace.modules[2].own] == ["block.0.weight", "block.0.bias"]


def test_module_or_function():
    """An operator of a module is told from the same operator that the model calls as a function."""

    def build(self):
        self.act = nn.ReLU()

    trace = imported(net(build, lambda self, x: functional.relu(self.act(x))), "1x3").trace
    assert [(each.word, trace.module_of(each).cls) for each in trace.operations] == [("relu", "ReLU"), ("relu", "Net")]


@pytest.mark.parametrize(
    ("run", "function"),
    [
        (lambda self, x: x + x, "torch.Tensor.__add__"),
        (lambda self, x: x.add(x), "torch.Tensor.add"),
        (lambda self, x: torch.add(x, x), "torch.add"),
        (lambda self, x: x @ x, "torch.Tensor.__matmul__"),
        (lambda self, x: torch.matmul(x, x), "torch.matmul"),
        (lambda self, x: torch.einsum("ij,jk->ik", x, x), "torch.einsum"),
        (lambda self, x: functional.relu(x), "torch.nn.functional.relu"),
        (lambda self, x: x.relu(), "torch.Tensor.relu"),
        (lambda self, x: torch.relu(x), "torch.relu"),
        (lambda self, x: functional.linear(x, x), "torch.nn.functional.linear"),
        (lambda self, x: functional.softmax(x, -1), "torch.nn.functional.softmax"),
    ],
)
def test_functions(run, function):
    """An operator knows the function by which the code called it, and a symbol from a method."""
    assert _run(run, "3x3").function == function


def test_below():
    """Below a function stands what the dispatcher ran, with its arguments."""
    found = _run(lambda self, x: functional.linear(x, x, x[0]), "3x3")
    assert [each.name for each in found.aten if each.kind == "product"] == ["aten.addmm.default"]
    pooled = _run(lambda self, x: functional.max_pool2d(x, 2, padding=1), "1x3x8x8").attributes
    assert (pooled["arguments"], pooled["padding"]) == (((1, 3, 8, 8), 2), 1)


def test_convolution_attributes():
    """A convolution has all its numbers, one for each axis."""
    found = operation(lambda: nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2, bias=False), "2x4x8x8")
    assert found.weight == (4, 3, 3, 3)
    assert found.attributes == {
        "kernel": (3, 3), "stride": (2, 2), "padding": (1, 1), "dilation": (1, 1), "transposed": True,
        "output_padding": (1, 1), "groups": 2, "bias": False,
    }  # fmt: skip
    assert _run(lambda self, x: functional.conv2d(x, x), "1x4x8x8").attributes["stride"] == (1, 1)


def test_attention_module():
    """Multi-head attention is the operators that it consists of, each inside it."""
    attention = net(
        lambda self: setattr(self, "a", nn.MultiheadAttention(16, 4)),
        lambda self, x: self.a(x, x, x, need_weights=False),
    )
    trace = imported(attention, "5x2x16").trace
    products = [each.word for each in trace.operations if any(call.kind == "product" for call in each.aten)]
    assert products == ["linear", "attention", "linear"]
    assert {each.inside for each in trace.operations} == {("torch.nn.functional.multi_head_attention_forward",)}


def test_script():
    """Operators that compiled code runs are seen, though no function calls them."""
    with catch_warnings():
        simplefilter("ignore")  # scripts are deprecated, and still there
        compiled = torch.jit.script(_compiled)
    found = imported(net(NOTHING, lambda self, x: compiled(x)), "3x3").trace.operations
    assert [(each.word, each.function) for each in found] == [("relu", ""), ("matmul", "")]


def _compiled(x: torch.Tensor) -> torch.Tensor:
    return torch.relu(x).mm(x)


def test_parts():
    """A weight that is used in parts is owned in parts, and each number once."""

    def build(self):
        self.w = nn.Parameter(torch.ones(6, 4))

    def run(self, x):
        return functional.linear(x, self.w[:2]), functional.linear(x, self.w[2:]), functional.linear(x, self.w)

    trace = imported(net(build, run), "1x4").trace
    assert [[(use.elements, use.new) for use in each.uses] for each in trace.operations] == [
        [(8, 8)],
        [(16, 16)],
        [(24, 0)],
    ]


def test_prepared_weights():
    """A weight that is computed from parameters belongs to the layer that uses it, not to the computation."""

    def build(self):
        self.w, self.gain = nn.Parameter(torch.ones(6, 4)), nn.Parameter(torch.ones(6, 1))

    trace = imported(net(build, lambda self, x: functional.linear(x, self.w.double().float() * self.gain)), "1x4").trace
    assert [(each.word, each.constant, each.params) for each in trace.operations][-1] == ("linear", False, 30)
    assert sum(each.params for each in trace.operations) == 30


def test_computed_output():
    """A parameter that only a computation on parameters reads belongs to that."""

    def build(self):
        self.f, self.scale = nn.Linear(4, 4), nn.Parameter(torch.ones(1))

    trace = imported(net(build, lambda self, x: (self.f(x), self.scale.exp())), "1x4").trace
    assert [(each.word, each.params) for each in trace.operations] == [("linear", 20), ("exp", 1)]


def test_nothing_to_see():
    """Asking for shapes, looking at parts and making tensors are no operators."""

    def run(_self, x):
        return x.shape, x.dim(), x[:1], x.view(-1), torch.zeros(3), torch.zeros_like(x), x.new_ones(2)

    assert not imported(net(NOTHING, run), "3x3").trace.operations
