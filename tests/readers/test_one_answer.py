"""One network, one answer: bundled, as a PyTorch model and as an ONNX export it costs the same in every variant."""

import pytest
from onnx_models import NEW, OLD, export
from oracles import model_zoo

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
