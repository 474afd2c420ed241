"""The rules of other counters, held against the counters themselves: the same integers on the same models.

These tests need the extra ``oracles``; without it they fail, so that they can never pass unseen.
"""

from __future__ import annotations

import copy
import importlib.metadata
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (the name by which everybody knows it)
from oracles import flop_counter_mode, model_zoo, real_totals
from torch import nn

from sepcalc.conventions.counters import COUNTERS
from sepcalc.conventions.reconcile import Reconciled, reconcile
from sepcalc.conventions.tables import reconcile_all
from sepcalc.readers.pytorch.layers import macs_of_operations, to_network
from sepcalc.readers.pytorch.recorder import record
from sepcalc.readers.sources import open_source

pytestmark = pytest.mark.slow

ZOO = (
    "alexnet", "vgg16", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "squeezenet1_0", "googlenet",
    "inception_v3", "densenet121", "mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "mnasnet1_0",
    "shufflenet_v2_x1_0", "efficientnet_b0", "convnext_tiny", "regnet_y_400mf",
)  # fmt: skip

AS_WRITTEN = (
    "alexnet", "vgg16", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "squeezenet1_0",
    "efficientnet_b0", "regnet_y_400mf",
)  # fmt: skip
"""Networks whose torchvision code is all modules, joins by symbols and a flatten."""


def reconciled(model: nn.Module, *inputs: torch.Tensor) -> dict[str, Reconciled]:
    """Every counter re-enacted on one run of ``model``, on the meta device."""
    trace = record(copy.deepcopy(model).to("meta"), [each.to("meta") for each in inputs], {}, "net")
    macs = macs_of_operations(trace)
    assert sum(macs) == to_network(trace).cost.macs
    return {counter.name: reconcile(counter, trace, macs) for counter in COUNTERS}


def agree(model: nn.Module, *inputs: torch.Tensor, on_meta: bool = False) -> None:
    """Hold every counter's total against the tool's own, and the parts of each difference against the difference."""
    model.eval()
    found = reconciled(model, *inputs)
    real = real_totals(model, *inputs, on_meta=on_meta)
    assert {name: each.total for name, each in found.items()} == real
    for each in found.values():
        assert sum(amount for _, amount in each.items) == each.difference


def build(name: str) -> tuple[nn.Module, torch.Tensor]:
    """A model of torchvision without trained weights, and an image for it."""
    plain: dict[str, Any] = (
        {"aux_logits": False, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    )
    size = 299 if name == "inception_v3" else 224
    return getattr(model_zoo(), name)(weights=None, **plain).eval(), torch.zeros(1, 3, size, size)


@pytest.mark.parametrize("name", ZOO)
def test_torchvision(name: str) -> None:
    """Every counter's total on a torchvision model is re-enacted to the last integer."""
    agree(*build(name), on_meta=True)


@pytest.mark.parametrize("name", AS_WRITTEN)
def test_bundled(name: str) -> None:
    """A bundled file gives every counter's total on torchvision's model, where that is made of modules alone."""
    found = reconcile_all(open_source(name), None, COUNTERS)
    expected = reconciled(*build(name))
    assert {each.counter.name: (each.total, each.items) for each in found} == {
        key: (each.total, each.items) for key, each in expected.items()
    }


def test_releases() -> None:
    """The installed counters are the releases that the rules are of."""
    for counter in COUNTERS:
        assert importlib.metadata.version(counter.package).partition("+")[0].replace("-", ".post") == counter.release


Body = Callable[..., torch.Tensor]


class One(nn.Module):
    """A model whose forward is a function of its parts and one input; some counters need a parameter to exist."""

    def __init__(self, body: Body, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.body = body
        self.register_parameter("unused", nn.Parameter(torch.zeros(1)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Call the body."""
        return self.body(self, x)


class Two(One):
    """The same with two inputs."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Call the body."""
        return self.body(self, x, y)


class Three(One):
    """The same with three inputs."""

    def forward(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Call the body."""
        return self.body(self, x, y, z)


def chain(*modules: nn.Module) -> One:
    """Modules one after another."""
    return One(lambda net, x: net.all(x), all=nn.Sequential(*modules))


def image(batch: int = 1) -> torch.Tensor:
    """Eight channels of 12×10."""
    return torch.zeros(batch, 8, 12, 10)


def matrices(*shapes: tuple[int, ...]) -> tuple[torch.Tensor, ...]:
    """Tensors of these shapes."""
    return tuple(torch.zeros(shape) for shape in shapes)


class Subclass(nn.Conv2d):
    """A convolution that tables by exact class do not know."""


CONVOLUTIONS: dict[str, tuple[nn.Module, torch.Tensor]] = {
    "batch of two": (nn.Sequential(nn.Conv2d(8, 12, 3), nn.BatchNorm2d(12), nn.ReLU()), image(2)),
    "groups": (chain(nn.Conv2d(8, 16, 3, groups=4), nn.ReLU6(), nn.Conv2d(16, 16, 3, groups=16, dilation=2)), image()),
    "transposed": (chain(nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1)), image()),
    "transposed square": (chain(nn.ConvTranspose2d(8, 8, 4, stride=2)), image()),
    "transposed groups": (chain(nn.ConvTranspose2d(8, 16, 3, stride=2, groups=4)), image()),
    "transposed depthwise": (chain(nn.ConvTranspose2d(8, 8, 3, stride=2, groups=8)), image()),
    "one axis": (chain(nn.Conv1d(8, 4, 3), nn.MaxPool1d(2), nn.AdaptiveAvgPool1d(1)), torch.zeros(2, 8, 30)),
    "three axes": (chain(nn.Conv3d(4, 4, 3), nn.AvgPool3d(2), nn.ConvTranspose3d(4, 2, 2)), torch.zeros(1, 4, 8, 8, 8)),
    "same": (chain(nn.Conv2d(8, 4, 3, padding="same"), nn.Conv2d(4, 4, 4, padding="same")), image()),
    "reflected": (chain(nn.Conv2d(8, 4, 3, padding=1, padding_mode="reflect")), image()),
    "root": (nn.Conv2d(8, 12, 3), image()),
    "subclass": (chain(Subclass(8, 4, 3)), image()),
    "weight norm": (chain(nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 4, 3))), image()),
    "function": (One(lambda net, x: F.relu(F.conv2d(x, net.c.weight)), c=nn.Conv2d(8, 4, 3)), image()),
    "transposed function": (
        One(lambda net, x: F.conv_transpose2d(x, net.c.weight, stride=2), c=nn.ConvTranspose2d(8, 4, 3)),
        image(),
    ),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")
def test_convolutions(name: str) -> None:
    """Convolutions of every kind, as modules and as functions."""
    agree(*CONVOLUTIONS[name])


SHARED = nn.Conv2d(8, 8, 3, padding=1)

MODULES: dict[str, tuple[nn.Module, torch.Tensor]] = {
    "linear": (chain(nn.Linear(10, 7), nn.Linear(7, 3, bias=False)), image()),
    "linear root": (nn.Linear(10, 7), torch.zeros(3, 10)),
    "norms": (
        chain(
            nn.BatchNorm2d(8), nn.BatchNorm2d(8, affine=False), nn.BatchNorm2d(8, track_running_stats=False),
            nn.BatchNorm2d(8, affine=False, track_running_stats=False), nn.InstanceNorm2d(8),
            nn.InstanceNorm2d(8, affine=True),
            nn.GroupNorm(2, 8), nn.GroupNorm(2, 8, affine=False), nn.LayerNorm(10), nn.RMSNorm(10),
            nn.LayerNorm((12, 10), elementwise_affine=False), nn.LocalResponseNorm(3),
        ),
        image(2),
    ),
    "activations": (
        chain(
            nn.ReLU(), nn.ReLU(inplace=True), nn.PReLU(), nn.ELU(), nn.LeakyReLU(), nn.LeakyReLU(inplace=True),
            nn.ReLU6(), nn.GELU(), nn.SiLU(), nn.Hardswish(), nn.Sigmoid(), nn.Softmax(1), nn.Tanh(), nn.Mish(),
            nn.LogSoftmax(1),
        ),
        image(2),
    ),
    "pooling": (
        chain(nn.MaxPool2d(2, 1), nn.AvgPool2d(2, 1), nn.AdaptiveMaxPool2d(6), nn.AdaptiveAvgPool2d((4, 3))),
        image(2),
    ),
    "pooling, uneven": (chain(nn.AdaptiveAvgPool2d((5, 3))), image(2)),
    "upsampling": (
        chain(
            nn.Upsample(scale_factor=2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Upsample(size=(7, 9)),
            nn.UpsamplingNearest2d(scale_factor=2), nn.Upsample(scale_factor=2, mode="bicubic"),
        ),
        image(2),
    ),
    "called twice": (One(lambda net, x: net.c(net.c(x)), c=nn.Conv2d(8, 8, 3)), image()),
    "two parents": (
        One(lambda net, x: net.b(net.a(x)), a=nn.Sequential(SHARED), b=nn.Sequential(SHARED, nn.ReLU())),
        image(),
    ),
    "two names": (One(lambda net, x: net.b(net.a(x)), a=SHARED, b=SHARED), image()),
    "tied weights": (
        One(lambda net, x: F.linear(net.e(x), net.e.weight), e=nn.Embedding(11, 6)),
        torch.zeros(2, 3, dtype=torch.long),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_modules(name: str) -> None:
    """Norms, activations, pooling, upsampling, and modules that several names share."""
    agree(*MODULES[name])


FUNCTIONS: dict[str, tuple[nn.Module, tuple[torch.Tensor, ...]]] = {
    "activations": (One(lambda _, x: F.softmax(F.elu(F.silu(F.gelu(torch.relu(x.relu())))), 1)), (image(2),)),
    "pooling": (One(lambda _, x: F.adaptive_avg_pool2d(F.avg_pool2d(F.max_pool2d(x, 2), 2), 1)), (image(2),)),
    "mean": (One(lambda _, x: x.mean((2, 3)) + torch.mean(x)), (image(2),)),
    "interpolation": (
        One(lambda _, x: F.interpolate(F.interpolate(x, size=(9, 11), mode="bilinear"), scale_factor=2)),
        (image(),),
    ),
    "kept function": (One(lambda net, x: net.kept(x), kept=chain(nn.Linear(10, 4))), (image(),)),
    "symbols and names": (
        Two(lambda _, x, y: (x + y) * y - x / 2 + torch.add(x, y) + x.add(y) + torch.mul(x, y) + x.mul(2)),
        (image(2), image(2)),
    ),
    "broadcast": (Two(lambda _, x, y: torch.mul(x, y) + torch.add(y, x)), matrices((2, 8, 12, 10), (10,))),
    "in place": (One(lambda _, x: x.clone().add_(1).mul_(2).__imul__(3)), (image(),)),
    "products": (
        Two(lambda _, x, y: (x @ y) + torch.matmul(x, y) + x.matmul(y) + torch.bmm(x, y) + x.bmm(y)),
        matrices((2, 3, 4), (2, 4, 5)),
    ),
    "flat products": (
        Two(lambda _, x, y: torch.mm(x, y) + x.mm(y) + torch.addmm(x @ y, x, y) + (x @ y).addmm(x, y)),
        matrices((3, 4), (4, 5)),
    ),
    "broadcast product": (Two(lambda _, x, y: x @ y), matrices((3, 4), (2, 4, 5))),
    "added batch": (Two(lambda _, x, y: torch.baddbmm(x @ y, x, y)), matrices((2, 3, 4), (2, 4, 5))),
    "einsum": (Two(lambda _, x, y: torch.einsum("bhqd,bhkd->bhqk", x, y)), matrices((2, 3, 17, 13), (2, 3, 19, 13))),
    "einsum by rule": (Two(lambda _, x, y: torch.einsum("nct,ncp->ntp", x, y)), matrices((2, 33, 17), (2, 33, 19))),
    "attention": (
        Three(lambda _, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        matrices((2, 4, 7, 8), (2, 4, 9, 8), (2, 4, 9, 8)),
    ),
    "attention, other depth": (
        Three(lambda _, q, k, v: F.scaled_dot_product_attention(q, k, v)),
        matrices((2, 4, 7, 8), (2, 4, 9, 8), (2, 4, 9, 6)),
    ),
    "sampling": (Two(lambda _, x, y: F.grid_sample(x, y)), matrices((1, 8, 12, 10), (1, 4, 4, 2))),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.filterwarnings("ignore:Default grid_sample:UserWarning")
def test_functions(name: str) -> None:
    """Functions that a forward calls by itself, and symbols, which no counter of names sees."""
    model, inputs = FUNCTIONS[name]
    agree(model, *inputs)


@pytest.mark.parametrize("bias", [True, False])
def test_attention_between_sequences(bias: bool) -> None:
    """Keys and values of another sequence are projected at once, which a tracer of lengths sees."""
    layer = nn.MultiheadAttention(16, 4, batch_first=True, bias=bias)
    model = Two(lambda net, x, y: net.a(x, y, y, need_weights=False)[0], a=layer)
    agree(model, *matrices((2, 5, 16), (2, 7, 16)))
    apart = nn.MultiheadAttention(16, 4, batch_first=True, bias=bias, kdim=8, vdim=8)
    agree(Two(lambda net, x, y: net.a(x, y, y)[0], a=apart), *matrices((2, 5, 16), (2, 7, 8)))


def test_attention_of_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class of timm's that ptflops knows where timm is installed: it counts the products, and nothing below."""
    from ptflops import pytorch_ops

    class Attention(nn.Module):
        num_heads, head_dim = 4, 4

        def __init__(self) -> None:
            super().__init__()
            self.num_heads, self.head_dim = 4, 4
            self.qkv, self.proj = nn.Linear(16, 48), nn.Linear(16, 16)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            q, k, v = self.qkv(x).reshape(2, 5, 3, 4, 4).permute(2, 0, 3, 1, 4)
            return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(2, 5, 16))

    Attention.__module__, Attention.__qualname__ = "timm.layers.attention", "Attention"
    monkeypatch.setitem(pytorch_ops.MODULES_MAPPING, Attention, pytorch_ops.timm_attention_counter_hook)
    agree(chain(Attention(), nn.Linear(16, 8)), torch.zeros(2, 5, 16))


@pytest.mark.parametrize("kind", ["weights", "no weights", "no bias"])
def test_attention_layer(kind: str) -> None:
    """An attention layer: fused, and as products of its own where its weights are asked for."""
    layer = nn.MultiheadAttention(16, 4, batch_first=True, bias=kind != "no bias")
    asked = kind == "weights"
    agree(One(lambda net, x: net.a(x, x, x, need_weights=asked)[0], a=layer), torch.zeros(2, 5, 16))


def test_transformer_layer() -> None:
    """A function that a module keeps and calls later is none that a counter of names sees."""
    agree(nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), torch.zeros(2, 5, 16))


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_recurrent(kind: str) -> None:
    """Recurrent layers, in both directions and without bias, and cells."""
    layer, cell = getattr(nn, kind), getattr(nn, f"{kind}Cell")
    sequence = torch.zeros(2, 5, 16)
    agree(One(lambda net, x: net.r(x)[0], r=layer(16, 12, num_layers=2, batch_first=True)), sequence)
    agree(One(lambda net, x: net.r(x)[0], r=layer(16, 12, num_layers=2, bidirectional=True, bias=False)), sequence)
    agree(One(lambda net, x: net.r(x)[0], r=cell(16, 12)), torch.zeros(3, 16))
    agree(layer(16, 12), sequence)


@pytest.mark.parametrize("kind", ["projections", "packed"])
def test_recurrent_layers_without_a_total(kind: str) -> None:
    """Where a counter's rule does not fit it has no total, with the reason, rather than one that is wrong."""

    def packed(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
        lengths = torch.full((x.shape[0],), x.shape[1], device="cpu")
        return net.r(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True))[0].data

    one = One(lambda net, x: net.r(x)[0], r=nn.LSTM(8, 16, proj_size=4, batch_first=True))
    model = one if kind == "projections" else One(packed, r=nn.GRU(8, 4, batch_first=True))
    found = reconciled(model.eval(), torch.zeros(2, 5, 8))
    missing = {name for name, each in found.items() if each.total is None}
    assert missing == {"flop-counter-mode", "ptflops", "ptflops-aten", "thop", "calflops", "deepspeed"}
    said = "a recurrent layer with projections" if kind == "projections" else "a packed sequence"
    assert {found[name].reason for name in missing} == {f"cannot be re-enacted: {said}"}


def test_attention_with_shared_heads() -> None:
    """Fewer heads of keys than of queries are one kernel too; other counters fail there."""
    body: Body = lambda _, q, k, v: F.scaled_dot_product_attention(q, k, v, enable_gqa=True)  # noqa: E731
    inputs = matrices((2, 8, 5, 4), (2, 2, 6, 4), (2, 2, 6, 4))
    model = Three(body).eval()
    assert reconciled(model, *inputs)["flop-counter-mode"].total == flop_counter_mode(model, inputs) == 0


def test_einsum_of_three() -> None:
    """An einsum of three tensors has no total in the counters that search a path for it, and the reason is said."""
    model = Three(lambda _, x, y, z: torch.einsum("ab,bc,cd->ad", x, y, z))
    found = reconciled(model.eval(), *matrices((3, 4), (4, 5), (5, 6)))
    assert {name for name, each in found.items() if each.total is None} == {"fvcore", "calflops", "deepspeed"}
    assert found["fvcore"].reason == "cannot be re-enacted: the einsum 'ab,bc,cd->ad' of 3 tensors"
