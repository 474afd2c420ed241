"""Layers of what a run did: every multiply-add that torch counts, every parameter once, and names."""

import pytest
import torch
from imported import imported, net
from nets import NETS
from torch import nn
from torch.nn import functional

from sepcalc.core.layers import Convolution, Operator, Product
from sepcalc.readers.yaml.reader import read
from sepcalc.readers.yaml.writer import to_yaml


@pytest.mark.parametrize("name", NETS)
def test_counts(name):
    """Parameters are the model's, and multiply-adds half of torch's FLOPs, with nothing left uncounted."""
    found = imported(*NETS[name])
    assert (found.network.cost.params, 2 * found.network.cost.macs) == (found.params, found.flops)
    assert found.flops > 0
    assert not found.network.uncounted


@pytest.mark.parametrize("name", NETS)
def test_names(name):
    """No two layers have one name."""
    names = [each.name for each in imported(*NETS[name]).network.layers]
    assert len(set(names)) == len(names)


def test_paths():
    """A module that is one operator gives it its name; functions add their word, and what runs again a number."""

    def build(self):
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4))
        self.act = nn.ReLU()

    found = imported(net(build, lambda self, x: self.act(functional.relu(self.act(self.stem(x))) + 1)), "1x3x8x8")
    assert [each[:3] for each in found.layers()] == [
        ("stem.0", "conv 3×3", 108),
        ("stem.1", "batch_norm", 8),
        ("act", "relu", 0),
        ("relu", "relu", 0),
        ("add", "add", 0),
        ("act#2", "relu", 0),
    ]


def test_shared_weights():
    """A layer that runs twice has its multiply-adds twice, and names itself as the owner of its weights."""
    twice = net(lambda self: setattr(self, "c", nn.Conv2d(8, 8, 3, padding=1)), lambda self, x: self.c(self.c(x)))
    found = imported(twice, "1x8x9x9")
    first, second = found.network.layers
    assert isinstance(second, Convolution)
    assert (first.name, second.name, second.shares) == ("c", "c#2", "c")
    assert (first.cost.params, second.cost.params, first.cost.macs) == (584, 0, second.cost.macs)


def test_tied_weights():
    """Weights that an embedding owns belong to it; the head that uses them too has its bias alone."""
    emb, head = imported(*NETS["tied"]).network.layers
    assert (emb.cost.params, head.cost.params, head.cost.macs) == (1600, 100, 2 * 5 * 16 * 100)


def test_unused_parameters():
    """Parameters that nothing reads are layers of their own, by name, and in the total."""

    def build(self):
        self.f, self.aux = nn.Linear(4, 4), nn.Linear(4, 3)

    found = imported(net(build, lambda self, x: self.f(x)), "1x4")
    unused = [each for each in found.network.layers if each.type == "unused parameters"]
    assert [(each.name, each.cost.params) for each in unused] == [("aux.weight", 12), ("aux.bias", 3)]


def test_uncounted():
    """An operator whose multiply-adds nobody here knows is uncounted, by name and place."""

    def run(self, x):
        return torch.cdist(self.f(x), x), torch.fft.fft(x)

    found = imported(net(lambda self: setattr(self, "f", nn.Linear(4, 4)), run), "3x4")
    assert [each.name for each in found.network.uncounted] == ["cdist", "fft_fft"]


def test_fixed_weights():
    """A convolution with weights that are no parameters has multiply-adds and no parameters."""
    blur = net(lambda self: None, lambda self, x: functional.conv2d(x, torch.ones(3, 1, 5, 5), groups=3))
    (layer,) = imported(blur, "2x3x9x9").network.layers
    assert isinstance(layer, Product)
    assert (layer.cost.params, layer.cost.macs) == (0, 2 * 3 * 25 * 25)


def test_specs():
    """A convolution's spec has everything that the layer says; a linear layer's axes are what stands in the middle."""
    conv = imported(NETS["odd"][0], "2x4x16").network.layers[0]
    assert isinstance(conv, Convolution)
    spec = conv.spec
    assert (spec.kernel, spec.size, spec.stride, spec.padding, conv.batch) == ((3,), (16,), (2,), (1,), 2)
    (grid,) = imported(*NETS["grid"]).network.layers
    assert isinstance(grid, Convolution)
    assert (grid.spec.kernel, grid.spec.size, grid.batch) == ((1, 1, 1), (3, 20, 7), 2)


def test_reparametrized_weights():
    """What a weight is computed from belongs to its layer: the weights there, the rest beside it."""
    layers = imported(*NETS["normed"]).layers()
    named = {name: params for name, _, params, _ in layers}
    assert (named["conv"], named["conv.parameters"]) == (8 * 8 * 9 + 8, 8)


def test_attention():
    """Attention is one product of two kinds of terms: queries by keys, and weights by values."""
    (layer,) = imported(
        net(lambda self: None, lambda self, q, k: functional.scaled_dot_product_attention(q, k, k)),
        "2x3x5x4",
        "2x3x7x4",
    ).network.layers
    assert isinstance(layer, Product)
    assert [(spec.c_in, spec.c_out, times) for spec, times in layer.terms] == [(4, 7, 30), (7, 4, 30)]


def test_vectors():
    """Products with vectors, and sums of products, are counted, which torch's own counter leaves out."""

    def run(_self, x):
        sums = torch.addbmm(x, x[None], x[None])
        return torch.mv(x, x[0]), torch.addmv(x[0], x, x[0]), torch.dot(x[0], x[0]), sums

    assert imported(net(lambda self: None, run), "4x4").network.cost.macs == 16 + 16 + 4 + 64


def test_steps():
    """A recurrent layer has one term for each of its maps, however many steps it takes."""
    (layer,) = imported(lambda: nn.GRU(16, 8, batch_first=True), "2x50x16").network.layers
    assert isinstance(layer, Product)
    assert len(layer.terms) == 2


def test_windows():
    """Pooling has its window."""
    (layer,) = imported(lambda: nn.MaxPool2d(3, 2), "1x3x9x9").network.layers
    assert isinstance(layer, Operator)
    assert (layer.kernel, layer.output.shape) == ((3, 3), (3, 4, 4))


def test_empty():
    """A layer that runs on nothing keeps its parameters, and multiplies nothing."""

    def build(self):
        self.f, self.c = nn.Linear(4, 3), nn.Conv1d(4, 3, 1)

    def run(self, x):
        return self.f(x[:0]), self.c(x[None][:0]), torch.zeros(0, 4) @ x, x[:, :0] @ x[:0]

    found = imported(net(build, run), "4x4")
    assert (found.network.cost.params, found.network.cost.macs) == (30, 0)
    assert read(to_yaml(found.network)).cost == found.network.cost


def test_no_copies():
    """What only reshapes or copies numbers is no layer."""

    def run(self, x):
        return self.f(x.transpose(1, 2).contiguous().clone().flatten(1)[:, :8].to(torch.float64).float())

    found = imported(net(lambda self: setattr(self, "f", nn.Linear(8, 4)), run), "1x4x4")
    assert [each.name for each in found.network.layers] == ["f"]


def test_names_of_modules():
    """A name that a network file could not hold is written with underscores."""

    def build(self):
        self.d = nn.ModuleDict({"a$b": nn.Linear(4, 4)})

    (layer,) = imported(net(build, lambda self, x: self.d["a$b"](x)), "1x4").network.layers
    assert layer.name == "d.a_b"
