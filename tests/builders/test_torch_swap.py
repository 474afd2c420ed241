"""A variant in the user's own model: its numbers are those of the what-if, and what cannot be swapped is named."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from oracles import model_zoo
from strategies import randomly
from torch import nn
from torch.nn import functional

from sepcalc.builders.torch_stages import flops, parameter_count
from sepcalc.builders.torch_swap import Swapped, swap
from sepcalc.core.network import Network
from sepcalc.core.variants import choose
from sepcalc.readers.inputs import Input, Request
from sepcalc.readers.pytorch.layers import to_network
from sepcalc.readers.pytorch.model import trace

# On tensors this small threads do nothing but wait for each other.
torch.set_num_threads(1)


def imported(model: nn.Module, *shape: int) -> Network:
    """The layers of ``model`` on one input."""
    return to_network(trace(model, Request(source="model", inputs=(Input(shape=shape),))))


def check(swapped: Swapped, x: torch.Tensor) -> None:
    """The module has the parameters and multiply-adds of the network that describes it."""
    assert parameter_count(swapped.module) == swapped.network.cost.params
    assert flops(swapped.module, x) == 2 * swapped.network.cost.macs


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "vgg11"])
@pytest.mark.parametrize(("only", "keep"), [((), ()), (("*.1*",), ("*.10*",))])
def test_torchvision(name, only, keep):
    """Torchvision's models in each default variant cost what the what-if says; their own modules stay as they are."""
    with torch.device("meta"):
        model, x = getattr(model_zoo(), name)().eval(), torch.zeros(2, 3, 64, 64)
    before = str(model)
    request = Request(source="model", inputs=(Input(shape=(2, 3, 64, 64)),))
    network = to_network(trace(getattr(model_zoo(), name), request))
    for variant in choose():
        swapped = swap(model, network, variant, only=only, keep=keep)
        answer = network.what_if(variant, only=only, keep=keep)
        assert swapped.left == answer.refused
        assert swapped.network.cost == answer.cost
        check(swapped, x)
        assert swapped.module(x).shape == (2, 1000)
    assert str(model) == before


@randomly(20)
@given(st.integers(1, 3), st.sampled_from([0, 1, "same", "valid"]), st.booleans(), st.booleans())
def test_any_convolution(axes, padding, bias, transposed):
    """A convolution along any number of axes, with or without bias, forward or transposed, can be swapped."""
    kind = getattr(nn, f"Conv{'Transpose' * transposed}{axes}d")
    model = nn.Sequential(kind(4, 6, 3, padding=0 if transposed else padding, bias=bias), nn.ReLU())
    x = torch.zeros(2, 4, *[8] * axes)
    swapped = swap(model, imported(model, *x.shape), "depthwise-separable")
    check(swapped, x)
    assert swapped.left == ()
    assert swapped.module(x).shape == model(x).shape
    assert [type(part).__name__ for part in swapped.module[0]] == [kind.__name__, "ReLU", f"Conv{axes}d"]


class Odd(nn.Module):
    """Convolutions that are not simply modules."""

    def __init__(self):
        super().__init__()
        self.plain = nn.Conv2d(4, 4, 3, padding=1)
        self.twice = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.reflecting = nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect")
        self.even = nn.Conv2d(4, 4, 4, padding="same")
        self.weight = nn.Parameter(torch.zeros(4, 4, 3, 3))
        self.normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 3))
        self.tied = nn.Conv2d(4, 4, 3, bias=False)
        self.tied.weight = self.weight
        self.left, self.right = nn.Conv2d(4, 4, 3, bias=False), nn.Conv2d(4, 4, 3, bias=False)
        self.right.weight = self.left.weight
        self.pointwise = nn.Conv2d(4, 4, 1)

    def forward(self, x):
        """All of them in turn."""
        x = self.reflecting(self.twice(self.twice(self.plain(x))))
        x = functional.conv2d(self.even(x), self.weight)
        return self.right(self.left(self.tied(self.normed(self.pointwise(x)))))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
def test_what_is_left():
    """A module that does more than a convolution, or has its weights in common with others, is named and stays."""
    model, x = Odd(), torch.zeros(1, 4, 20, 20)
    swapped = swap(model, imported(model, *x.shape), "depthwise-separable")
    assert dict(swapped.left) == {
        "reflecting": "its padding is reflect, and a variant pads with zeros",
        "even": "its module computes more than the layer",
        "conv": "it has its weights in common with another module",
        "tied": "it has its weights in common with another module",
        "normed": "its module is a ParametrizedConv2d, which may do more than a convolution",
        "left": "it has its weights in common with another module",
        "right": "it has its weights in common with another module",
    }
    check(swapped, x)
    assert isinstance(swapped.module.plain, nn.Sequential)
    assert isinstance(swapped.module.twice, nn.Sequential)
    part = swap(model, imported(model, *x.shape), "depthwise-separable", only=["twice"])
    assert part.left == (("twice", "its module runs more than once, and not every run was chosen"),)
    check(part, x)


def test_a_pair_in_code():
    """A pair with a function between its modules stays; with modules between, all of it is swapped, its gate too."""

    class Pair(nn.Module):
        def __init__(self, function):
            super().__init__()
            self.a, self.b = nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4, bias=False), nn.Conv2d(4, 8, 1)
            self.act, self.function = nn.ReLU(), function

        def forward(self, x):
            x = functional.relu(self.a(x)) if self.function else self.act(self.a(x))
            return self.b(x * torch.sigmoid(x.mean((2, 3), keepdim=True)))

    x = torch.zeros(1, 4, 9, 9)
    stays = swap(Pair(True), imported(Pair(True), *x.shape), "standard")
    assert stays.left == (("a", "relu, a part of it, is no module of its own that runs once"),)
    check(stays, x)
    swapped = swap(Pair(False), imported(Pair(False), *x.shape), "standard")
    assert swapped.left == ()
    assert [type(part).__name__ for part in (swapped.module.a, swapped.module.act)] == ["Identity", "Identity"]
    check(swapped, x)
    assert swapped.module(x).shape == (1, 8, 5, 5)


def test_weights_that_stay_are_in_memory_once():
    """A form has the model's own weights where nothing was swapped, and statistics of its own."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 8, 1))
    module = swap(model, imported(model, 1, 3, 8, 8), "depthwise-separable").module
    assert module[2].weight is model[2].weight
    assert module[1].running_mean is not model[1].running_mean
    assert {id(each) for each in module[0].parameters()}.isdisjoint(id(each) for each in model.parameters())


def test_a_function():
    """A convolution that a function computes is no module, and nothing can take its place."""

    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 4, 3, 3))

        def forward(self, x):
            return functional.conv2d(x, self.weight)

    model, x = Functional(), torch.zeros(1, 4, 9, 9)
    swapped = swap(model, imported(model, *x.shape), "spatial-separable")
    assert swapped.left == (("conv", "it is no module of its own, so that nothing can take its place"),)
    check(swapped, x)


def test_what_the_new_weights_are_like():
    """New weights have the type of the old ones, train where those do, and stand wherever the module stood."""
    conv = nn.Conv2d(4, 4, 3, padding=1)
    model = nn.Sequential(conv, nn.ReLU(), nn.Sequential(conv)).eval()
    network = imported(model, 1, 4, 8, 8)
    module = swap(model.double().requires_grad_(False), network, "depthwise-separable").module
    assert module[0] is module[2][0]
    assert len(module[0]) == 3
    assert {(each.dtype, each.requires_grad) for each in module.parameters()} == {(torch.float64, False)}
    assert not any(each.training for each in module.modules())
    assert swap(model, network, "standard").module[0].weight.equal(conv.weight)
