"""Other counters as tables: their totals on files, the parts of each difference, the page, and published figures."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from commands import ROOT, sepcalc

from sepcalc.conventions.as_modules import AS_MODULES, layers_trace
from sepcalc.conventions.counters import COUNTERS, choose_counters
from sepcalc.conventions.events import visits
from sepcalc.conventions.published import explained, published_figures
from sepcalc.conventions.reconcile import ITEMS, Reconciled
from sepcalc.conventions.tables import reconcile_all, reconcile_table
from sepcalc.core.errors import SepcalcError
from sepcalc.core.layers import Convolution, FeatureMap, Operator, Product
from sepcalc.core.network import Network
from sepcalc.core.spec import ConvSpec
from sepcalc.readers.sources import open_source
from sepcalc.readers.trace import Module, Trace

sys.path.append(str(ROOT / "docs"))

from conventions_page import page

RESNET50 = {
    "flop-counter-mode": 8_178_368_512,
    "fvcore": 4_111_512_576,
    "ptflops": 4_132_436_968,
    "ptflops-aten": 4_089_185_256,
    "thop": 4_133_742_592,
    "torchinfo": 4_089_238_376,
    "calflops": 8_211_108_352,
    "calflops-macs": 4_089_184_256,
    "torchprofile": 4_100_300_288,
    "deepspeed": 8_211_108_352,
    "deepspeed-macs": 4_089_184_256,
}
"""What the tools print for torchvision's ResNet-50 at 224×224."""


def found(network: Network) -> dict[str, Reconciled]:
    """Every counter on the layers of a network."""
    return {each.counter.name: each for each in reconcile_all(network, None, COUNTERS)}


def net(*layers: Convolution | Product | Operator) -> Network:
    """A network of these layers."""
    return Network(name="net", layers=layers)


def test_resnet50() -> None:
    """The bundled ResNet-50 has the total in every counter that the tool prints for torchvision's."""
    assert {name: each.total for name, each in found(open_source("resnet50")).items()} == RESNET50


@pytest.mark.parametrize("name", ["mobilenet_v2", "convnext_tiny", "erfnet", "xception", "shufflenet_v2_x1_0"])
def test_parts_add_up(name: str) -> None:
    """The parts of every difference add up to it, each is one of the known items, and none is zero."""
    network = open_source(name)
    for each in found(network).values():
        assert each.ours == network.cost.macs
        assert sum(amount for _, amount in each.items) == each.difference
        assert all(amount for _, amount in each.items)
        labels = [label for label, _ in each.items if " norm, " not in label]
        assert labels == sorted(labels, key=ITEMS.index)


def test_norms_at_their_rate() -> None:
    """A batch norm costs two, four, one or its parameters, and each counter's row says which."""
    spec = ConvSpec(c_in=3, c_out=8, kernel=(3, 3), size=(10, 10))
    each = found(net(Convolution(name="conv", type="conv", spec=spec, norm="batch")))
    assert each["fvcore"].items == (("batch norm, 2 per element", 1600),)
    assert each["thop"].items == (("batch norm, 4 per element", 3200),)
    assert each["torchprofile"].items == (("batch norm, 1 per element", 800),)
    assert each["torchinfo"].items == (("batch norm, by its parameters", 16),)
    assert each["flop-counter-mode"].items == (("two FLOPs for each MAC", spec.macs),)


def test_transposed_rule() -> None:
    """A transposed convolution of stride 2 counts four times where output positions count, and the note says so."""
    spec = ConvSpec(c_in=4, c_out=8, kernel=(2, 2), size=(10, 10), stride=(2, 2), transposed=True)
    each = found(net(Convolution(name="up", type="conv", spec=spec)))
    for name in ("thop", "torchinfo", "torchprofile"):
        assert each[name].items == (("transposed convolutions by its rule", 3 * spec.macs),)
        assert any("by its output's positions" in note for note in each[name].notes)
    for name in ("fvcore", "ptflops", "ptflops-aten", "calflops-macs"):
        assert each[name].difference == 0


def test_attention_that_nobody_counts() -> None:
    """Attention that a counter does not see stands in its row as missing, with the reason in words."""
    terms = tuple((ConvSpec(c_in=one, c_out=other, kernel=(), size=()), 14) for one, other in ((8, 7), (7, 8)))
    at = FeatureMap(channels=8, size=(7,))
    each = found(net(Product(name="heads", type="attention", input=at, output=at, terms=terms)))
    macs = 2 * 14 * 7 * 8
    assert each["torchprofile"].total == each["deepspeed-macs"].total == macs
    for name in ("fvcore", "ptflops", "ptflops-aten", "thop", "torchinfo", "calflops-macs"):
        assert each[name].total == 0
        assert each[name].items == (("not counted", -macs),)
        assert each[name].missed == ("attention",)
        assert any("attention" in note for note in each[name].notes)


def test_what_a_file_stands_for() -> None:
    """Every layer of a file becomes modules that are called once, and our multiply-adds stay ours."""
    network = open_source("mobilenet_v1")
    trace, macs = layers_trace(network)
    assert sum(macs) == network.cost.macs
    assert len(trace.calls) == len(trace.modules)
    assert {module.cls for module in trace.modules[1:]} == {
        "Conv2d",
        "BatchNorm2d",
        "ReLU",
        "AdaptiveAvgPool2d",
        "Linear",
    }
    assert trace.params == network.cost.params


def test_visits() -> None:
    """A module with two parents is visited twice, one with two names in a parent once, none below a stop."""
    modules = (
        Module(path="", qualname="Net", children=(("a", 1), ("b", 2), ("c", 1))),
        Module(path="a", qualname="Block", children=(("x", 3),)),
        Module(path="b", qualname="torch.nn.modules.container.Sequential", children=(("x", 3),)),
        Module(path="a.x", qualname="torch.nn.modules.conv.Conv2d"),
    )
    trace = Trace(name="net", inputs=(), modules=modules)
    assert visits(trace) == [1, 1, 1, 2]
    assert visits(trace, ["nn.Sequential"]) == [1, 1, 1, 1]


def test_releases_and_names() -> None:
    """Counters are chosen by name, in the order asked for and once; an unknown one gets the closest."""
    assert [each.name for each in choose_counters(["thop", "fvcore", "thop"])] == ["thop", "fvcore"]
    assert choose_counters(["all"]) == COUNTERS
    with pytest.raises(SepcalcError) as error:
        choose_counters(["fvcor"])
    assert str(error.value) == "unknown counter 'fvcor'; did you mean 'fvcore'?"


def test_page() -> None:
    """The page is what the tables say."""
    written = (ROOT / "docs" / "conventions.md").read_text("utf-8")
    assert written == page(), "python docs/conventions_page.py > docs/conventions.md writes it anew"


def test_table_of_a_file() -> None:
    """A file's table says that its layers count as modules, a run's does not."""
    network = open_source("alexnet")
    some = reconcile_all(network, None, choose_counters(["fvcore"]))
    table = reconcile_table(network, some, as_modules=True)
    assert [row.cells for row in table.rows] == [
        ("sepcalc", "MAC", 714_188_480, ""),
        ("fvcore 0.1.5.post20221221", "MAC", 714_197_696, 9_216),
        ("pooling", "", "", 9_216),
    ]
    assert table.notes[0] == AS_MODULES
    assert AS_MODULES not in reconcile_table(network, some, as_modules=False).notes


@pytest.mark.parametrize(
    ("printed", "exact", "stands"),
    [
        ("569 M", 568_740_352, True),
        ("15.3 G", 15_346_630_656, True),
        ("4.2 M", 4_231_976, True),
        ("570 M", 568_740_352, False),
        ("61,100,840", 61_100_840, True),
        ("61,100,841", 61_100_840, False),
    ],
)
def test_rounding(printed: str, exact: int, stands: bool) -> None:
    """A printed figure stands for a number that rounds to it, or that rounded down is it."""
    assert explained(printed, iter([("it", exact)])) == (("it", exact) if stands else None)


def test_published_figures() -> None:
    """A quoted figure has its convention: Keras's moving statistics, VGG's lacking classifier."""
    vgg = {(each.source, each.figure): each for each in published_figures(open_source("vgg16"))}
    he = vgg["He 2016, arXiv:1512.03385, section 4.1", "macs"]
    assert (he.convention, he.exact) == ("multiply-adds without linear layers", 15_346_630_656)
    mobile = {(each.source, each.figure): each for each in published_figures(open_source("mobilenet_v1"))}
    keras = mobile["Keras, MobileNet", "params"]
    assert (keras.convention, keras.exact) == ("with the moving statistics of batch norm", 4_253_864)
    assert mobile["Howard 2017, table 8", "macs"].convention == "multiply-adds"


def test_command() -> None:
    """``--as`` prints the counter's total with its parts, for people and for programs."""
    ran = sepcalc("network resnet50 --as fvcore")
    assert ran.code == 0
    assert "4,111,512,576" in ran.out
    assert "batch norm, 2 per element" in ran.out
    answer = json.loads(sepcalc("network resnet50 --as all --format json").out)
    assert {each["counter"]: each["total"] for each in answer["counters"]} == RESNET50
    for each in answer["counters"]:
        assert sum(item["amount"] for item in each["items"]) == each["difference"]


def test_published_command() -> None:
    """``--published`` prints what the figures stand for, for people and for programs."""
    assert "multiply-adds without linear layers" in sepcalc("network vgg16 --published --format markdown").out
    answer = json.loads(sepcalc("network vgg16 --published --format json").out)
    assert [each["exact"] for each in answer["figures"]][:2] == [138_357_544, 15_346_630_656]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("network resnet50 --as fvcor", "--as: unknown counter 'fvcor'; did you mean 'fvcore'?"),
        (
            "network resnet50 --as thop --variant grouped",
            "--variant would change nothing: --as shows other counters alone; leave one or the other out",
        ),
        (
            "network resnet50 --published --width 0.5",
            "--width would change nothing: --published shows published figures alone; leave one or the other out",
        ),
    ],
)
def test_wrong_flags(line: str, message: str) -> None:
    """What a table of counters cannot take is an error with the cure."""
    ran = sepcalc(line)
    assert (ran.code, ran.out) == (2, "")
    assert message in " ".join(ran.err.split())


CODE = """
import torch
from torch import nn
from torch.nn import functional

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.module = nn.Conv2d(3, 8, 3)
        self.weight = nn.Parameter(torch.zeros(8, 8, 3, 3))

    def forward(self, image):
        return functional.conv2d(torch.relu(self.module(image)), self.weight)
"""


def test_code_and_its_functions(folder: Path) -> None:
    """In code, what a function does is invisible to counters of modules, and the row says how much that is."""
    (folder / "net.py").write_text(CODE)
    module, function = 8 * 3 * 9 * 30 * 30, 8 * 8 * 9 * 28 * 28
    answer = json.loads(sepcalc("network ./net.py:Net --input 1x3x32x32 --as all --format json").out)
    found = {each["counter"]: each for each in answer["counters"]}
    assert answer["macs"] == module + function
    assert answer["as_modules"] is False
    assert found["thop"]["total"] == module
    assert found["thop"]["items"] == [{"item": "not counted", "amount": -function}]
    assert found["thop"]["missed"] == ["conv"]
    assert found["fvcore"]["total"] == found["calflops-macs"]["total"] == module + function
    assert found["torchinfo"]["total"] == module + 8 * 30 * 30
