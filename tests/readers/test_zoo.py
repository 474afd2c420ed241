"""The walk of the zoos, on models that stand here."""

import sys

import pytest
from commands import ROOT
from imported import imported
from nets import NETS
from torch import nn

from sepcalc.readers.inputs import Input, parse_input

pytestmark = pytest.mark.slow

IMAGE = (Input(shape=(1, 3, 8, 8)),)


@pytest.fixture
def zoo(monkeypatch):
    """The benchmark that walks the zoos."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import zoo

    yield zoo
    sys.modules.pop("zoo")


@pytest.mark.parametrize("name", NETS)
def test_exact(zoo, name):
    """A model whose import agrees with torch's counter on the same run is exact."""
    build, *inputs = NETS[name]
    outcome = zoo.judge(zoo.Model(name=name, build=build, inputs=tuple(map(parse_input, inputs))))
    assert (outcome.verdict, outcome.detail) == ("exact", "")


def test_refused(zoo):
    """A model that cannot be run is refused, with the reason."""
    outcome = zoo.judge(zoo.Model(name="net", build=lambda: nn.Conv2d(4, 8, 3), inputs=IMAGE))
    assert outcome.verdict == "refused"
    assert outcome.detail.startswith("net does not run on input 1x3x8x8: RuntimeError")


def test_different(zoo):
    """An import differs by what does not agree: parameters, multiply-adds, and what is documented of both."""
    network = imported(lambda: nn.Conv2d(3, 8, 3, bias=False), "1x3x8x8").network
    assert not zoo.differences(network, 216, 2 * 7776, (216, 0.0))
    assert zoo.differences(network, 217, 10, (216, 0.1)) == [
        "216 parameters, the model has 217",
        "7,776 MACs, torch counts 10 FLOPs",
        "216 parameters and 7,776 MACs, documented are (216, 0.1)",
    ]


def test_walk(zoo, monkeypatch, capsys):
    """The walk prints a line for each model and the sums, and fails at a difference or at too many refusals."""
    good, bad = (
        zoo.Model(name=f"x {name}", build=lambda channels=channels: nn.Conv2d(channels, 8, 3), inputs=IMAGE)
        for name, channels in (("good", 3), ("bad", 4))
    )
    monkeypatch.setattr(zoo, "torchvision_models", lambda: iter([good, bad]))
    monkeypatch.setattr(zoo, "timm_models", lambda: iter([]))
    monkeypatch.setattr(sys, "argv", ["zoo.py"])
    assert zoo.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 models: 1 exact, 0 different, 1 refused"
    monkeypatch.setattr(sys, "argv", ["zoo.py", "--only", "good"])
    assert zoo.main() == 0
