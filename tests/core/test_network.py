"""Networks as values: totals, what rewriting would change, and whole networks held against PyTorch."""

from dataclasses import replace

import pytest
from commands import ROOT
from files import network
from frameworks import torch
from torch import nn

from sepcalc import SpecError, load
from sepcalc.builders.torch_stages import flops, parameter_count
from sepcalc.core.layers import Convolution, Cost, FeatureMap, Operator
from sepcalc.core.network import Network
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import all_variants, choose, get

FILES = ROOT / "tests" / "networks"


def double(c_in: int, width: int) -> nn.Sequential:
    """Two 3×3 convolutions with bias."""
    first, second = nn.Conv2d(c_in, width, 3, padding=1), nn.Conv2d(width, width, 3, padding=1)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU())


class UNet(nn.Module):
    """U-Net with three skips."""

    def __init__(self):
        super().__init__()
        self.downs = nn.ModuleList([double(1, 32), double(32, 64), double(64, 128)])
        self.bottom = double(128, 256)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in (128, 64, 32))
        self.doubles = nn.ModuleList(double(2 * width, width) for width in (128, 64, 32))
        self.head = nn.Conv2d(32, 2, 1)

    def forward(self, x):
        """Down, across and up again."""
        skips = []
        for down in self.downs:
            skips.append(down(x))
            x = nn.functional.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for up, after in zip(self.ups, self.doubles, strict=True):
            x = after(torch.cat([up(x), skips.pop()], 1))
        return self.head(x)


class SqueezeExcite(nn.Module):
    """A basic residual block with a gate."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(24, 48, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(48),
            nn.ReLU(),
            nn.Conv2d(48, 48, 3, padding=1, bias=False),
            nn.BatchNorm2d(48),
        )
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.excite = nn.Sequential(nn.Linear(48, 6), nn.ReLU(), nn.Linear(6, 48), nn.Sigmoid())
        self.shortcut = nn.Sequential(nn.Conv2d(24, 48, 1, stride=2, bias=False), nn.BatchNorm2d(48))

    def forward(self, x):
        """The gated body beside the projection."""
        y = self.body(x)
        return torch.relu(y * self.excite(self.squeeze(y))[:, :, None, None] + self.shortcut(x))


def pointwise(c_in: int, c_out: int) -> list[nn.Module]:
    """A 1×1 convolution with norm and activation."""
    return [nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]


def depthwise(channels: int, stride: int) -> list[nn.Module]:
    """A depthwise 3×3 with its norm."""
    conv = nn.Conv2d(channels, channels, 3, stride=stride, padding=1, groups=channels, bias=False)
    return [conv, nn.BatchNorm2d(channels)]


class ShuffleUnits(nn.Module):
    """A unit that halves the map, and two basic ones."""

    def __init__(self):
        super().__init__()
        self.left = nn.Sequential(*depthwise(24, 2), *pointwise(24, 58))
        self.right = nn.Sequential(*pointwise(24, 58), *depthwise(58, 2), *pointwise(58, 58))
        self.basic = nn.ModuleList(
            nn.Sequential(*pointwise(58, 58), *depthwise(58, 1), *pointwise(58, 58)) for unit in range(2)
        )
        self.shuffle = nn.ChannelShuffle(2)

    def forward(self, x):
        """Both branches of each unit, shuffled."""
        x = self.shuffle(torch.cat([self.left(x), self.right(x)], 1))
        for unit in self.basic:
            kept, read = x.chunk(2, 1)
            x = self.shuffle(torch.cat([kept, unit(read)], 1))
        return x


class DenseBlock(nn.Module):
    """Six layers that read all before them, and a transition."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(c_in), nn.ReLU(), *pointwise(c_in, 48), nn.Conv2d(48, 12, 3, padding=1, bias=False)
            )
            for c_in in range(24, 96, 12)
        )
        narrow = nn.Conv2d(96, 48, 1, bias=False)
        self.transition = nn.Sequential(nn.BatchNorm2d(96), nn.ReLU(), narrow, nn.AvgPool2d(2))

    def forward(self, x):
        """Each layer beside all that it reads."""
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return self.transition(x)


MODELS = {"unet": UNet, "squeeze_excite": SqueezeExcite, "shufflenet_unit": ShuffleUnits, "densenet_block": DenseBlock}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_whole_networks_are_those_of_pytorch(name):
    """Parameters, output and FLOPs of a file are those of the same network written for PyTorch."""
    found = load(FILES / f"{name}.yaml")
    with torch.device("meta"):
        model = MODELS[name]()
        x = torch.zeros(2, *found.input.shape)
    assert found.layers[-1].output.shape == model(x).shape[1:]
    assert found.cost.params == parameter_count(model)
    assert 2 * 2 * found.cost.macs == flops(model, x)
    assert not found.uncounted


def test_every_file_has_a_model():
    """No file of the folder is left unchecked."""
    assert {path.stem for path in FILES.iterdir()} == set(MODELS)


@pytest.mark.parametrize(("width", "size"), [("0.5", (32, 32)), ("1.25", (64, 64))])
def test_a_whole_network_at_another_width(width, size):
    """A U-Net at another width and size has other channels and maps, and the classes that it had."""
    found = load(FILES / "unet.yaml", width=width, size=size)
    *inner, classes = [each.output.channels for each in found.layers]
    *written, _ = [each.output.channels for each in load(FILES / "unet.yaml").layers]
    assert inner == [int(each * float(width)) for each in written]
    assert classes == 2
    assert found.layers[-1].output.size == size


SPEC = ConvSpec.of(8, 16, k=3, size=10)


def test_a_network_is_the_sum_of_its_layers():
    """Costs add up, over layers and over nothing."""
    assert Network(name="none", layers=()).cost == Cost()
    conv = Convolution(name="a", type="conv", spec=SPEC)
    norm = Operator(name="b", type="norm", input=conv.output, output=conv.output, params=32)
    assert Network(name="some", layers=(conv, norm)).cost == Cost(params=SPEC.params + 32, macs=SPEC.macs)


BRANCHY = """
- conv: {name: stem, c_out: 16, k: 3, norm: batch}
- separable: {name: a.dws, c_out: 16, k: 3, norm: batch}
- conv: {name: a.point, c_out: 16, k: 1}
- conv: {name: b.grouped, c_out: 16, k: 3, groups: 4}
- depthwise: {name: b.dw, k: 3}
- conv: {name: c.narrow, c_out: 12, k: 3}
- conv: {name: c.twice, c_out: 12, k: 3}
- conv: {name: c.again, c_out: 12, k: 3, shares: c.twice}
- uncounted: {name: c.fft, operator: fft}
- linear: {c_out: 10, per_position: true}
"""


def test_what_can_be_converted():
    """A dense convolution with k > 1, and one in a separable form, can be another variant."""
    chosen = [unit.layer.name for unit in network(BRANCHY).units]
    assert chosen == ["stem", "a.dws", "c.narrow", "c.twice", "c.again"]


@pytest.mark.parametrize("variant", choose(["all"], {"groups": 4}), ids=lambda variant: variant.name)
def test_what_if(variant):
    """What a network would cost as a variant is what it costs with that variant in each layer that can take it."""
    found = network(BRANCHY)
    answer = found.what_if(variant)
    convertible = [unit.layer for unit in found.units]
    expected, converted, refused = Cost(), 0, []
    for each in found.layers:
        cost = each.cost
        if each in convertible:
            try:
                cost = replace(each, variant=variant).cost
                converted += 1
            except SpecError as reason:
                refused.append((each.name, str(reason)))
        expected = Cost(params=expected.params + cost.params, macs=expected.macs + cost.macs)
    assert (answer.cost, answer.converted, list(answer.refused)) == (expected, converted, refused)


@pytest.mark.parametrize(("only", "keep"), [((), ()), (("c.*",), ()), ((), ("stem", "a.*"))])
@pytest.mark.parametrize("variant", choose(["all"], {"groups": 4}), ids=lambda variant: variant.name)
def test_written_as(variant, only, keep):
    """A network written as a variant costs what the what-if says, and keeps names, norms, activations and wiring."""
    found = network(BRANCHY, head="defaults: {norm: batch, act: prelu, act_last: relu, between: act}")
    written = found.written_as(variant, only=only, keep=keep)
    answer = found.what_if(variant, only=only, keep=keep)
    assert written.cost == answer.cost
    assert replace(written, layers=found.layers) == found
    changed = [(old, new) for old, new in zip(found.layers, written.layers, strict=True) if new != old]
    assert all(new == replace(old, type=new.type, variant=variant) for old, new in changed)
    assert len(changed) <= answer.converted


def test_a_network_written_as_it_is():
    """Written as the variant that it is written in, a layer is as it was, its own options and all."""
    found = network("- conv: {c_out: 8, k: 3, variant: depthwise-separable, depth_multiplier: 2}")
    assert found.written_as("depthwise-separable") == found
    assert found.written_as("standard").layers[0].type == "conv"


def test_what_if_names_what_it_refuses():
    """Layers that a variant cannot express stay as written, with the reason."""
    found = network(BRANCHY)
    answer = found.what_if(get("depthwise"))
    assert answer.refused == (
        ("stem", "depthwise cannot change 3 channels to 16"),
        ("c.narrow", "depthwise cannot change 16 channels to 12"),
    )
    assert answer.converted == 3


@pytest.mark.parametrize(
    ("only", "keep", "names"),
    [
        ((), (), ["stem", "a.dws", "c.narrow", "c.twice", "c.again"]),
        (("c.*",), (), ["c.narrow", "c.twice", "c.again"]),
        (("a.*", "b.*"), (), ["a.dws"]),
        ((), ("c.*", "stem"), ["a.dws"]),
        (("c.*",), ("*.twice",), ["c.narrow", "c.again"]),
        (("C.*",), (), []),
        (("?.dws",), (), ["a.dws"]),
        (("a.point",), (), []),
    ],
)
def test_only_and_keep(only, keep, names):
    """Shell patterns on names choose what is converted, and ``keep`` wins."""
    found = network(BRANCHY)
    answer = found.what_if(get("blueprint-separable"), only=only, keep=keep)
    assert answer.converted == len(names)
    change = sum(each.cost_as(answer.variant).macs - each.cost.macs for each in found.layers if each.name in names)
    assert answer.cost.macs - found.cost.macs == change


def test_totals():
    """Totals are the network as written and as each of the variants, the first three by default."""
    found = network(BRANCHY)
    assert list(found.totals()) == ["as-written", *(variant.name for variant in choose()), "cheapest"]
    every = found.totals(choose(["all"], {"groups": 4}))
    assert list(every) == ["as-written", *(each.name for each in all_variants()), "cheapest"]
    assert every["as-written"] == found.cost
    assert found.totals(only=["nothing"]) == dict.fromkeys(found.totals(), found.cost)


def test_uncounted_operators_are_listed():
    """What nobody understands is in a list of its own."""
    assert [each.name for each in network(BRANCHY).uncounted] == ["c.fft"]


def test_shared_weights_in_what_if():
    """Shared weights are counted once, in whatever form."""
    found = network("- conv: {name: a, c_out: 3, k: 3}\n- conv: {c_out: 3, k: 3, shares: a}")
    for variant, params in (("standard", 81), ("depthwise-separable", 36), ("spatial-separable", 54)):
        cost = found.what_if(get(variant)).cost
        assert cost == Cost(params=params, macs=2 * params * 32 * 32)


def test_labels():
    """A layer is called what a reader calls it."""
    labels = [each.label for each in network(BRANCHY).layers]
    assert labels == [
        "conv 3×3", "depthwise-separable 3×3", "pointwise 1×1", "grouped (4) 3×3", "depthwise 3×3",
        "conv 3×3", "conv 3×3", "conv 3×3", "fft", "linear",
    ]  # fmt: skip
    assert [each.label for each in network("- maxpool: 3\n- avgpool: global\n- relu").layers] == [
        "maxpool 3×3", "avgpool 10×10", "relu",
    ]  # fmt: skip


def test_titles():
    """A network is called by its name, with what it reads where that is known."""
    layer = Convolution(name="a", type="conv", spec=ConvSpec.of(3, 4, k=3, size=8))
    reads = FeatureMap(channels=3, size=(8, 8))
    assert Network(name="net", layers=(layer,)).title == "net"
    assert Network(name="net", layers=(layer,), input=reads).title == "net, input 3×8×8"
