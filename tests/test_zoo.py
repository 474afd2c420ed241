"""The walk of the zoos, on models that stand here."""

import sys
from pathlib import Path

import pytest
from test_folding import NETS
from torch import nn

from sepcalc.inputs import Input, parse_input
from sepcalc.network import FeatureMap, Network, Operator


@pytest.fixture
def zoo(monkeypatch):
    """The benchmark that walks the zoos."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))
    import zoo

    yield zoo
    sys.modules.pop("zoo")


@pytest.mark.parametrize("name", NETS)
def test_exact(zoo, name):
    """A model whose import agrees with torch's counter on the same run is exact."""
    build, *inputs = NETS[name]
    outcome = zoo.judge(name, build, tuple(parse_input(text) for text in inputs))
    assert (outcome.verdict, outcome.detail) == ("exact", "")


def test_refused(zoo):
    """A model that cannot be run is refused, with the reason."""
    outcome = zoo.judge("net", lambda: nn.Conv2d(4, 8, 3), (Input(shape=(1, 3, 8, 8)),))
    assert outcome.verdict == "refused"
    assert outcome.detail.startswith("net does not run on input 1x3x8x8: RuntimeError")


def test_different(zoo):
    """An import that does not agree is different, in parameters, in multiply-adds or in both."""
    vector = FeatureMap(channels=1, size=())
    network = Network(name="net", layers=(Operator(name="a", type="relu", input=vector, output=vector, params=3),))
    outcome = zoo.compared("net", network, 4, 10, 0.0, ())
    assert outcome.verdict == "different"
    assert outcome.detail == "3 parameters, the model has 4; 0 MACs, torch counts 10 FLOPs"
    assert zoo.compared("net", network, 3, 0, 0.0, ()).verdict == "exact"


def test_walk(zoo, monkeypatch, capsys):
    """The walk prints a line for each model and the sums, and fails at a difference or at too many refusals."""
    image = (Input(shape=(1, 3, 8, 8)),)
    models = [("a", lambda: nn.Conv2d(3, 8, 3), image), ("b", lambda: nn.Conv2d(4, 8, 3), image)]
    monkeypatch.setattr(zoo, "torchvision_models", lambda: iter([(f"x {name}", *rest) for name, *rest in models]))
    monkeypatch.setattr(zoo, "timm_models", lambda: iter([]))
    monkeypatch.setattr(sys, "argv", ["zoo.py"])
    assert zoo.main() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "2 models: 1 exact, 0 different, 1 refused"
    monkeypatch.setattr(sys, "argv", ["zoo.py", "--only", "a"])
    assert zoo.main() == 0
