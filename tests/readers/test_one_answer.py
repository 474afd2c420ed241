"""One network, one answer: bundled, as a PyTorch model and as an ONNX export it costs the same in every variant."""

import pytest
import torch
from imported import imported, net
from onnx_models import NEW, OLD, export
from oracles import model_zoo
from torch import nn
from torch.nn import functional

from sepcalc.core.network import Network
from sepcalc.core.variants import choose
from sepcalc.readers.inputs import Input, Request
from sepcalc.readers.onnx.model import load as load_onnx
from sepcalc.readers.pytorch.layers import to_network
from sepcalc.readers.pytorch.model import trace
from sepcalc.readers.yaml.reader import bundled, load, read
from sepcalc.readers.yaml.writer import to_yaml

pytestmark = pytest.mark.slow

TIMM = {"ghostnet": "ghostnet_100", "mobilenet_v1": "mobilenetv1_100", "xception": "legacy_xception"}
"""The bundled networks that torchvision lacks, as timm calls them; ERFNet is in neither."""

WITHOUT_AUXILIARY = {"googlenet", "inception_v3"}

NAMES = sorted(set(bundled()) - {"erfnet"})


def build(name: str):
    """The model of this name, from torchvision or timm."""
    if name in TIMM:
        import timm

        return timm.create_model(TIMM[name])
    options = {"init_weights": False, "aux_logits": False} if name in WITHOUT_AUXILIARY else {}
    return getattr(model_zoo(), name)(**options)


def answers(network: Network):
    """What a network costs as written and in every variant, how many layers each converts, and the least of all."""
    what_ifs = [network.what_if(variant) for variant in choose(["all"], {"groups": 2})]
    converted = {answer.variant.name: (answer.cost, answer.converted) for answer in what_ifs}
    return network.cost, converted, network.cheapest(what_ifs)


def _imported(name: str, size: tuple[int, ...]) -> Network:
    return to_network(trace(lambda: build(name), Request(source=name, inputs=(Input(shape=(1, 3, *size)),))))


@pytest.mark.parametrize("name", NAMES)
def test_pytorch(name):
    """The model of torchvision or timm costs what the bundled file does, in every variant; so does the file of it."""
    network = load(name)
    model = _imported(name, network.input.size)
    assert answers(model) == answers(network)
    assert answers(read(to_yaml(model))) == answers(network)


@pytest.mark.parametrize("name", NAMES)
def test_onnx(name, tmp_path):
    """So does its ONNX export, with operators that are still apart: a norm folded into a weight is no parameter."""
    network = load(name)
    shape = "x".join(map(str, (1, 3, *network.input.size)))
    file = export(lambda: build(name), shape, tmp_path / f"{name}.onnx", **OLD)
    assert answers(load_onnx(file)) == answers(network)
    file.unlink()


@pytest.mark.parametrize("name", ["convnext_tiny", "efficientnet_b0", "ghostnet", "shufflenet_v2_x1_0"])
def test_onnx_by_graphs(name, tmp_path):
    """So does the export of the newer exporter."""
    network = load(name)
    shape = "x".join(map(str, (1, 3, *network.input.size)))
    assert answers(load_onnx(export(lambda: build(name), shape, tmp_path / "net.onnx", **NEW))) == answers(network)


@pytest.mark.parametrize(
    ("name", "variant", "params", "macs"),
    [
        ("mobilenet_v2", "standard", 11_131_976, 1_224_972_288),
        ("efficientnet_b0", "standard", 33_149_284, 3_024_258_560),
        ("efficientnet_b0", "depthwise-separable", 5_287_813, 376_519_648),
    ],
)
def test_figures(name, variant, params, macs):
    """Hooks on torchvision's models, every pair one dense layer with the gates kept, count these multiply-adds."""
    cost = load(name).what_if(variant).cost
    assert (cost.params, cost.macs) == (params, macs)


def _depthwise(channels: int, **options) -> nn.Conv2d:
    return nn.Conv2d(channels, options.pop("c_out", channels), 3, padding=1, groups=channels, bias=False, **options)


def _pair(m) -> None:
    m.a, m.b = _depthwise(8, stride=2), nn.Conv2d(8, 16, 1)


def _normed(m) -> None:
    _pair(m)
    m.n = nn.BatchNorm2d(8)


def _gated(m) -> None:
    _normed(m)
    m.squeeze, m.excite = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)


def _gate(m, x):
    return torch.sigmoid(m.excite(torch.relu(m.squeeze(x.mean((2, 3), keepdim=True)))))


def _changed_in_place(m, x):
    y = m.a(x)
    y[:, :2] *= 2
    return m.b(y)


def _scrambled(m, x):
    y = m.a(x)
    return m.b(y.reshape(2, 49, 8).transpose(1, 2).reshape(2, 8, 7, 7))


def _expanded(m) -> None:
    m.c, m.a, m.b = nn.Conv2d(8, 16, 1, bias=False), nn.Conv2d(16, 16, 3, groups=16), nn.Conv2d(16, 4, 1, bias=False)


def _returned(m, x):
    y = m.a(x)
    return m.b(y), y


MODELS = {
    "functions": (net(_normed, lambda m, x: m.b(functional.relu_(m.n(m.a(x))))), 1),
    "written out": (net(_normed, lambda m, x: m.b((y := m.n(m.a(x))) * torch.sigmoid(y))), 1),
    "gate": (net(_gated, lambda m, x: m.b((y := functional.silu(m.n(m.a(x)))) * _gate(m, y))), 1),
    "part": (net(_pair, lambda m, x: m.b(torch.cat([m.a(x)[:, :4]] * 2, 1))), 0),
    "in place": (net(_pair, _changed_in_place), 0),
    "sum": (net(_pair, lambda m, x: m.b(m.a(x) + x[:, :, ::2, ::2])), 0),
    "returned": (net(_pair, _returned), 0),
    "multiplier": (lambda: nn.Sequential(_depthwise(8, c_out=16), nn.PReLU(), nn.Conv2d(16, 4, 1)), 1),
    "slopes": (lambda: nn.Sequential(_depthwise(8), nn.PReLU(8), nn.Conv2d(8, 4, 1)), 1),
    "scrambled": (net(_pair, _scrambled), 0),
    "positions": (lambda: nn.Sequential(nn.Conv1d(8, 8, 3, padding=1, groups=8), nn.Linear(14, 14)), 0),
    "expansion": (net(_expanded, lambda m, x: m.b(m.a(m.c(x)))), 0),
    "plain norm": (lambda: nn.Sequential(_depthwise(8), nn.BatchNorm2d(8, affine=False), nn.Conv2d(8, 4, 1)), 1),
    "blueprint": (lambda: nn.Sequential(nn.Conv2d(8, 16, 1, bias=False), _depthwise(16), nn.GELU()), 1),
    "odd bias": (lambda: nn.Sequential(nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 4, 1, bias=False)), 0),
}
"""Models, and how many convolutions in a separable form each has."""


@pytest.mark.parametrize("name", MODELS)
def test_models(name, tmp_path):
    """However code puts it, model, ONNX export and written file agree, and no layer is joined past another reader."""
    build, count = MODELS[name]
    shape = "2x8x14" if name == "positions" else "2x8x14x14"
    network = imported(build, shape).network
    forms = [unit for unit in network.units if unit.layer.variant.name != "standard"]
    assert len(forms) == count
    assert all(unit.layer.cost == unit.cost for unit in network.units)
    file = export(build, shape, tmp_path / "net.onnx", **OLD)
    exported = load_onnx(file)
    assert answers(exported) == answers(read(to_yaml(network))) == answers(network)
    words = f"input {shape.replace('x', '×')}, counts for the batch of 2"
    assert exported.title.partition(", ")[2] == network.title.partition(", ")[2] == words
    for variant in choose(["all"], {"groups": 2}):
        assert network.written_as(variant).cost == network.what_if(variant).cost
