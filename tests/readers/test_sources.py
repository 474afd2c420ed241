"""One function for every kind of source, and what each kind cannot take."""

from fractions import Fraction

import pytest

from sepcalc.core.errors import SepcalcError
from sepcalc.readers.inputs import Input, Request
from sepcalc.readers.sources import kind_of, open_source, open_traced
from sepcalc.readers.yaml.reader import load
from sepcalc.readers.yaml.writer import to_yaml

IMAGE = Input(shape=(1, 3, 8, 8))
CODE = "from torch import nn\n\ndef net(width=4):\n    return nn.Conv2d(3, width, 3)\n"


@pytest.fixture
def code(folder):
    """A file of code in the current folder."""
    (folder / "net.py").write_text(CODE)
    return folder


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("resnet50", "yaml"),
        ("nets/a.yaml", "yaml"),
        ("nets/a.YML", "yaml"),
        ("C:\\nets\\a.yaml", "yaml"),
        ("a.onnx", "onnx"),
        ("C:\\nets\\a.onnx", "onnx"),
        ("torchvision.models:resnet50", "torch"),
        ("./net.py:net", "torch"),
        ("resnet5O", "yaml"),
    ],
)
def test_kinds(source, kind):
    """A suffix says what a file is; a colon between a module and a name is code."""
    assert kind_of(source) == kind


def test_bundled():
    """A bundled network is opened by its name, with another width and size."""
    network = open_source("mobilenet_v1", width=Fraction(3, 4), size=128)
    assert network == load("mobilenet_v1", width=Fraction(3, 4), size=128)


def test_file(folder):
    """A YAML file is opened by its path."""
    (folder / "a.yaml").write_text(to_yaml(load("resnet18")))
    assert open_source("a.yaml").cost == load("resnet18").cost


def test_code(code):  # noqa: ARG001 (the current folder)
    """Code is run with its arguments and inputs, and its trace is there."""
    network, trace = open_traced(Request(source="./net.py:net", inputs=(IMAGE,), arguments={"width": 5}))
    assert trace is not None
    assert (network.cost.params, network.cost.macs) == (3 * 5 * 9 + 5, 3 * 5 * 9 * 36)
    assert open_traced(Request(source="resnet18"))[1] is None


def test_notes(code):  # noqa: ARG001 (the current folder)
    """A note goes to who wants to hear of it."""
    heard = []
    open_source("./net.py:net", note=heard.append)
    assert heard == ["no --input was given; ./net.py:net was run on 1x3x224x224"]


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (
            "resnet18",
            {"inputs": [IMAGE]},
            "--input is for ONNX and PyTorch networks, and 'resnet18' is in YAML; give --size",
        ),
        (
            "resnet18",
            {"arguments": {"a": 1}},
            "--arg is for PyTorch networks, and 'resnet18' is in YAML; write its values into the file",
        ),
        (
            "a.onnx",
            {"arguments": {"a": 1}},
            "--arg is for PyTorch networks, and 'a.onnx' is an ONNX file; leave it out",
        ),
        ("a.onnx", {"size": 160}, "--size is for networks in YAML, and 'a.onnx' is none; give --input"),
        ("a.onnx", {"width": 2}, "--width is for networks in YAML, and 'a.onnx' is none; leave it out"),
        (
            "./net.py:net",
            {"width": "0.5"},
            "--width is for networks in YAML, and './net.py:net' is none; give --arg to its code",
        ),
        ("./net.py", {}, "'./net.py' does not say what builds the model; name it as in './net.py:Net'"),
    ],
)
def test_faults(source, options, message):
    """What a kind of source cannot take is refused with what it can."""
    with pytest.raises(SepcalcError) as raised:
        open_source(source, **options)
    assert str(raised.value) == message
