"""The plain list of layers: what it looks like, and that it reads back."""

from dataclasses import replace
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imported import imported
from nets import NETS
from strategies import specs

from sepcalc.core.layers import INPUT, Convolution, FeatureMap, Operator, Product
from sepcalc.core.network import Network
from sepcalc.core.spec import LARGEST, ConvSpec
from sepcalc.core.variants import choose
from sepcalc.readers.yaml.reader import bundled, load, read
from sepcalc.readers.yaml.writer import to_yaml


def _facts(network):
    """What must survive: names, forms and costs of layers, also as what they could be."""
    layers = [(each.name, type(each), each.cost) for each in network.layers]
    return layers, network.totals(choose(["all"])), [each.name for each in network.uncounted]


@pytest.mark.parametrize("name", bundled())
def test_bundled(name):
    """A bundled network reads back as a plain list, layer for layer, with the same totals for every variant."""
    network = load(name)
    assert _facts(read(to_yaml(network))) == _facts(network)


@pytest.mark.parametrize("name", NETS)
def test_imported(name):
    """So does an imported one."""
    network = imported(*NETS[name]).network
    assert _facts(read(to_yaml(network))) == _facts(network)


CONVOLUTIONS = st.builds(Convolution, name=st.just("conv"), type=st.just("conv"), spec=specs(), batch=st.integers(1, 9))


@given(st.lists(CONVOLUTIONS, max_size=5))
def test_convolutions(layers):
    """Any convolutions after one another read back, one axis after three as well."""
    named = tuple(replace(each, name=f"conv{index}") for index, each in enumerate(layers))
    network = Network(name="net", layers=named)
    assert _facts(read(to_yaml(network))) == _facts(network)


def test_same_text():
    """The text of what was read from a text is the same text."""
    text = to_yaml(load("mobilenet_v3_small"))
    assert to_yaml(read(text)) == text


def test_text():
    """A line for each layer, with what it is and nothing that goes without saying."""
    image, vector = FeatureMap(channels=8, size=(5, 5)), FeatureMap(channels=8, size=())
    conv = ConvSpec.of(3, 8, 3, size=(9, 7), stride=2, padding=(1, 0), bias="all")
    linear = ConvSpec(c_in=4, c_out=5, kernel=(), size=())
    layers = (
        Convolution(name="conv", type="conv", spec=conv),
        Operator(name="bn", type="batch_norm", input=image, output=image, params=16),
        Operator(name="pool", type="mean", input=image, output=vector),
        Convolution(name="fc", type="linear", spec=ConvSpec(c_in=8, c_out=10, kernel=(), size=()), batch=4),
        Convolution(name="fc2", type="linear", spec=ConvSpec(c_in=8, c_out=9, kernel=(1,), size=(6,)), shares="fc"),
        Product(name="qk", type="matmul", input=image, output=image, terms=((linear, 2 * LARGEST + 1),)),
        Operator(name="1.5", type="fft", input=vector, output=vector, counted=False),
    )  # fmt: skip
    assert to_yaml(Network(name="yes", source="a: b", layers=layers)) == dedent(
        """\
        name: "yes"
        source: "a: b"
        layers:
          - {name: conv, c_in: 3, c_out: 8, k: 3, size: 9x7, stride: 2, padding: 1x0, bias: true}
          - {name: bn, type: operator, operator: batch_norm, c_in: 8, size: 5, params: 16}
          - {name: pool, type: operator, operator: mean, c_in: 8, size: 5, out: [1]}
          - {name: fc, type: linear, c_in: 8, c_out: 10, size: 1, batch: 4}
          - {name: fc2, type: linear, c_in: 8, c_out: 9, size: 6, per_position: true, shares: fc}
          - {name: qk, type: product, operator: matmul, c_in: 8, size: 5x5, terms: [[4, 5, 1000000000], [4, 5, 1000000000], [4, 5, 1]]}
          - {name: "1.5", type: uncounted, operator: fft, c_in: 8, size: [1]}
        """  # noqa: E501 (a line of a file)
    )


@pytest.mark.parametrize(
    "name", ["0", "0.conv", "1e3", "no", "null", "a b", "a#2", "a: b", "é", "a,b", "{", "'", '"', "-", "x1"]
)
def test_names(name):
    """Whatever a layer is called, it is called so when it is read back."""
    vector = FeatureMap(channels=8, size=(1,))
    layer = Operator(name=name, type=name, input=vector, output=vector)
    network = Network(name=name, layers=(layer,), wiring=((INPUT,),))
    assert read(to_yaml(network)) == network


def test_nothing():
    """A network without layers is a file without layers."""
    assert to_yaml(Network(name="none", layers=())) == "name: none\nlayers: []\n"
