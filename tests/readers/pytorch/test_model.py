"""A PyTorch model, run in the cheapest way that works, and what is said when none does."""

import sys
import warnings

import pytest
import torch
from imported import imported, net, requested
from nets import NETS
from torch import nn

from sepcalc.core.errors import MissingExtraError, SepcalcError
from sepcalc.readers.inputs import parse_input
from sepcalc.readers.pytorch.layers import to_network
from sepcalc.readers.pytorch.model import WAYS as WAYS_TO_RUN
from sepcalc.readers.pytorch.model import build, load, trace

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=10, bias=True):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, bias=bias)
        self.fc = nn.Linear(8 * 26 * 26, classes)

    def forward(self, image):
        return self.fc(torch.relu(self.conv(image)).flatten(1))

def loud():
    print("building")
    return nn.Conv2d(3, 8, 3)

def wrong():
    raise ValueError("no such\\nthing")

def leaves():
    raise SystemExit(3)

def nothing():
    return {"a": 1}

built = nn.Conv2d(3, 8, 3)
"""


@pytest.fixture
def code(folder):
    """A file of models in the current folder."""
    (folder / "my_net.py").write_text(CODE)
    return folder


def _fault(source, *inputs, **arguments):
    with pytest.raises(SepcalcError) as raised:
        load(requested(source, *inputs, **arguments))
    return str(raised.value)


def test_load(code):  # noqa: ARG001 (the current folder)
    """A model is built with the arguments, run on the inputs with their batch, and says where it comes from."""
    found = load(requested("./my_net.py:Net", "5x1x28x28", classes=7, bias=False))
    network = to_network(found)
    assert (network.name, network.source) == ("Net(classes=7, bias=False)", "./my_net.py:Net, input 5x1x28x28")
    assert network.cost.params == 8 * 9 + 8 * 26 * 26 * 7 + 7
    assert network.cost.macs == 5 * (8 * 9 * 26 * 26 + 8 * 26 * 26 * 7)
    assert not found.notes


def test_named_input(code):  # noqa: ARG001 (the current folder)
    """An input with a name goes to the argument of this name."""
    assert load(requested("my_net:Net", "image=1x1x28x28")).inputs == ((1, 1, 28, 28),)


def test_built(code):  # noqa: ARG001 (the current folder)
    """A model that is there already is run as it is."""
    assert to_network(load(requested("./my_net.py:built", "1x3x8x8"))).cost.params == 3 * 8 * 9 + 8


def test_printing(code, capsys):  # noqa: ARG001 (the current folder)
    """What the model's code prints goes to standard error."""
    load(requested("./my_net.py:loud"))
    assert capsys.readouterr() == ("", "building\n")


def test_on_real_weights(code, capsys):  # noqa: ARG001 (the current folder)
    """A model that is to be run is built with its arguments, on real weights, with random inputs where they belong."""
    model = build(requested("./my_net.py:Net", "image=2x1x28x28", classes=7))
    assert model.given == (parse_input("image=2x1x28x28"),)
    assert model.module(*model.args, **model.kwargs).shape == (2, 7)
    assert model.kwargs["image"].std() > 0
    loud = build(requested("./my_net.py:loud"))
    assert loud.module(*loud.args).shape == (1, 8, 222, 222)
    assert capsys.readouterr() == ("", "building\n")
    indices = build(requested("torch.nn:Embedding", "2x3:int64", num_embeddings=1, embedding_dim=4))
    assert indices.module(*indices.args).shape == (2, 3, 4)


def test_what_cannot_be_built(code):
    """A model that is to be run fails as one that is to be counted does."""
    with pytest.raises(SepcalcError) as raised:
        build(requested("./my_net.py:wrong"))
    assert str(raised.value) == _fault("./my_net.py:wrong")
    assert str(code / "my_net.py") in str(raised.value)


def test_usual_input(code):  # noqa: ARG001 (the current folder)
    """Without an input the model gets an image of 224×224, and a note says so."""
    found = load(requested("./my_net.py:loud"))
    assert (found.inputs, found.notes) == (
        ((1, 3, 224, 224),),
        ("no --input was given; ./my_net.py:loud was run on 1x3x224x224",),
    )


def test_input_of_the_model():
    """A model that names its own input, as timm's do, gets that."""

    def build():
        model = nn.Conv2d(3, 8, 3)
        model.pretrained_cfg = {"input_size": (3, 32, 48)}
        return model

    assert trace(build, requested("test:net")).inputs == ((1, 3, 32, 48),)


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("wrong", [], "./my_net.py:wrong cannot be built: ValueError: no such thing ({}:19); check it and its --arg"),
        ("leaves", [], "./my_net.py:leaves cannot be built: RuntimeError: it ended the program (3) ({}:22); check it"),
        ("nothing", [], "./my_net.py:nothing returned a dict, not a torch.nn.Module; name a model"),
        ("Net", ["1x1x28x28:int64"], "./my_net.py:Net does not run on input 1x1x28x28:int64: "),
        ("Net", [], "./my_net.py:Net does not run on input 1x3x224x224: RuntimeError in conv (Conv2d): "),
        ("Net", ["1x1x20x20"], "./my_net.py:Net does not run on input 1x1x20x20: RuntimeError in fc (Linear): "),
        ("Net", ["picture=1x1x28x28"], "./my_net.py:Net does not run on input picture=1x1x28x28: TypeError: "),
    ],
)  # fmt: skip
def test_faults(code, name, inputs, message):
    """What the model's code raises is one line, with the place in the code."""
    said = _fault(f"./my_net.py:{name}", *inputs)
    assert said.startswith(message.format(code / "my_net.py"))
    assert "\n" not in said


def test_cures(code):
    """A fault says what to change: the input, which was a guess or not, or the argument."""
    place = f"({code / 'my_net.py'}:12)"
    assert _fault("./my_net.py:Net").endswith(f"{place}; give its --input")
    assert _fault("./my_net.py:Net", "1x1x20x20").endswith(f"{place}; check --input")
    assert _fault("./my_net.py:Net", clases=3).endswith(
        "cannot be built: TypeError: Net.__init__() got an unexpected keyword argument 'clases'; check it and its --arg"
    )


def _asks_while_built():
    widths = (torch.arange(3) * 8 + 8).tolist()
    return nn.Sequential(nn.Conv2d(3, widths[0], 3), nn.BatchNorm2d(widths[0]), nn.Conv2d(widths[0], widths[1], 3))


def _asks(self, x):
    y = self.c(x)
    return y if y.abs().sum().item() >= 0 else None


WAYS = {
    "with its weights alone on the meta device": _asks_while_built,
    "on real tensors": net(lambda self: setattr(self, "c", nn.Conv2d(3, 4, 3)), _asks),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways(way):
    """A model that asks for values is run in the next way that works, which gives the same counts and says so."""
    found = imported(WAYS[way], "1x3x9x9")
    assert (found.network.cost.params, 2 * found.network.cost.macs) == (found.params, found.flops)
    (note,) = found.trace.notes
    assert note.startswith(f"test:net was run {way}, since ")


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS_TO_RUN)
@pytest.mark.parametrize("name", NETS)
def test_same(name, way):
    """Every way of running a model gives the same layers with the same costs."""
    build, *texts = NETS[name]
    asked = requested("test:net", *texts)
    runs = [to_network(trace(build, asked, ways=(each,))).layers for each in ("meta", way)]
    first, second = ([(each.name, each.label, each.output, each.cost) for each in layers] for layers in runs)
    assert first == second


def test_values_in_numpy():
    """What is handed to NumPy needs real tensors; fake ones are refused there with other words."""
    build = net(lambda self: setattr(self, "c", nn.Conv2d(3, 4, 3)), lambda self, x: self.c(x).numpy().sum())
    found = imported(build, "1x3x9x9")
    assert 2 * found.network.cost.macs == found.flops
    assert found.trace.notes[0].startswith("test:net was run on real tensors, since ")


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_scripted():
    """A scripted part takes no hooks, and is counted all the same."""
    model = net(lambda self: setattr(self, "c", torch.jit.script(nn.Conv2d(3, 4, 3))), lambda self, x: self.c(x))
    found = imported(model, "1x3x9x9")
    assert (found.network.cost.params, 2 * found.network.cost.macs) == (found.params, found.flops)


def test_no_memory():
    """Weights take none: a model of ten thousand billion parameters is read like any other."""
    network = imported(lambda: nn.Linear(10**6, 10**7, bias=False), "1x1000000").network
    assert network.cost.params == network.cost.macs == 10**13


def test_lazy():
    """A layer that learns its width from its input is read as it is then."""
    assert imported(lambda: nn.LazyConv2d(4, 3), "1x5x9x9").network.cost.params == 5 * 4 * 9 + 4


def test_state():
    """Torch is left as it was: its fast paths, its default device, the warnings that it gives."""
    before = torch.backends.mha.get_fastpath_enabled(), torch.get_default_device(), list(warnings.filters)
    imported(lambda: nn.Linear(3, 3), "1x3")
    assert (torch.backends.mha.get_fastpath_enabled(), torch.get_default_device(), list(warnings.filters)) == before


def test_evaluation():
    """The run is an inference: dropout does nothing, and batch norm needs no second example."""
    layers = imported(lambda: nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(3)), "1x3").network.layers
    assert [each.type for each in layers] == ["batch_norm"]


def test_without_torch(monkeypatch):
    """Where torch is not installed, the message says what to install."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        patch.delitem(sys.modules, "sepcalc.readers.pytorch.model")
        with pytest.raises(MissingExtraError) as raised:
            import sepcalc.readers.pytorch.model  # noqa: F401 (imported to see it fail)
    assert str(raised.value) == "importing a PyTorch model needs the 'torch' extra: pip install 'sepcalc[torch]'"


def test_default_dtype():
    """An input is made of what its text says."""
    found = trace(lambda: nn.Embedding(10, 4), requested("test:net", "2x3:int64"))
    assert to_network(found).cost.params == 40
