"""The bundled networks held against what their sources publish, and against Keras's own definitions of them."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import groupby
from math import floor, prod
from typing import Any

import pytest
from frameworks import keras_on_torch

from sepcalc.core.layers import Convolution, Cost, FeatureMap, Layer, total
from sepcalc.core.network import Network
from sepcalc.core.spec import Axes
from sepcalc.core.variants import all_variants, get
from sepcalc.readers.yaml.reader import bundled, load, read

NAMES = sorted(bundled())

TOTALS = {
    "alexnet": Cost(params=61_100_840, macs=714_188_480),
    "convnext_tiny": Cost(params=28_589_128, macs=4_455_531_264),
    "densenet121": Cost(params=7_978_856, macs=2_834_161_664),
    "efficientnet_b0": Cost(params=5_288_548, macs=385_814_752),
    "erfnet": Cost(params=2_066_836, macs=26_612_727_808),
    "ghostnet": Cost(params=5_182_508, macs=141_150_512),
    "googlenet": Cost(params=6_624_904, macs=1_498_376_192),
    "inception_v3": Cost(params=23_834_568, macs=5_713_216_096),
    "mnasnet1_0": Cost(params=4_383_312, macs=314_415_872),
    "mobilenet_v1": Cost(params=4_231_976, macs=568_740_352),
    "mobilenet_v2": Cost(params=3_504_872, macs=300_774_272),
    "mobilenet_v3_large": Cost(params=5_483_032, macs=216_589_760),
    "mobilenet_v3_small": Cost(params=2_542_856, macs=56_510_400),
    "regnet_y_400mf": Cost(params=4_344_144, macs=401_842_848),
    "resnet18": Cost(params=11_689_512, macs=1_814_073_344),
    "resnet50": Cost(params=25_557_032, macs=4_089_184_256),
    "resnext50_32x4d": Cost(params=25_028_904, macs=4_230_479_872),
    "shufflenet_v2_x1_0": Cost(params=2_278_604, macs=144_907_992),
    "squeezenet1_0": Cost(params=1_248_424, macs=818_924_576),
    "vgg16": Cost(params=138_357_544, macs=15_470_264_320),
    "wide_resnet50_2": Cost(params=68_883_240, macs=11_398_021_120),
    "xception": Cost(params=22_855_952, macs=8_357_403_496),
}
"""What torchvision's models have; MobileNet v1 by table 1 of its paper, Xception by Keras, GhostNet and ERFNet by
their authors' code."""


def convolutions(network: Network) -> list[Convolution]:
    """The layers with a matrix product."""
    return [layer for layer in network.layers if isinstance(layer, Convolution)]


def rewritten(name: str, *changes: tuple[str, str], size: int | None = None) -> Network:
    """A bundled network with parts of its text replaced."""
    text = bundled()[name].read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return read(text, size=size)


def groups(network: Network) -> dict[str, list[Layer]]:
    """The layers by the first part of their name, in order; no group may be torn apart."""
    parts = [(key, list(layers)) for key, layers in groupby(network.layers, lambda layer: layer.name.split(".")[0])]
    assert len(parts) == len(dict(parts))
    return dict(parts)


@pytest.mark.parametrize("name", NAMES)
def test_totals(name):
    """Every bundled network equals its definition to the last parameter and multiply-add."""
    network = load(name)
    assert network.cost == TOTALS[name]
    assert not network.uncounted


@pytest.mark.parametrize("name", NAMES)
def test_sources(name):
    """Every file says at its top what it is, and names the table that it comes from and figures to compare with."""
    text, network = bundled()[name].read_text(encoding="utf-8"), load(name)
    about = text[: text.index("\nname: ")]
    assert all(line.startswith("# ") for line in about.splitlines())
    assert "Input {}×{}.".format(*network.input.size) in about
    assert re.match(r"[A-Z]\w+ \d{4}, (arXiv:\d{4}\.\d{4,5}|doi:10\.\S+), ((table|figure) \d|as in)", network.source)
    assert network.published
    assert all(each.params or each.macs for each in network.published)


# What a source counts that is not counted here: every note is recomputed.


def normed(network: Network) -> list[FeatureMap]:
    """What each norm of a network reads: behind a convolution, or a layer of its own."""
    found = []
    for layer in network.layers:
        if isinstance(layer, Convolution) and layer.norm != "none":
            stages = layer.stages if layer.between == "all" else layer.stages[-1:]
            found += [FeatureMap(channels=stage.c_out, size=stage.out_size) for stage in stages]
        elif layer.type in ("batch_norm", "layer_norm"):
            found.append(layer.output)
    return found


def norm_params(network: Network) -> int:
    """What batch norms learn, scales and shifts; they track as many moving statistics."""
    return sum(2 * each.channels for each in normed(network))


def without_norms(network: Network) -> Cost:
    """As TF-Slim's README counts."""
    return Cost(params=network.cost.params - norm_params(network), macs=network.cost.macs)


def with_statistics(network: Network) -> Cost:
    """As Keras counts: moving means and variances are parameters."""
    return Cost(params=network.cost.params + norm_params(network))


def without_linear_layers(network: Network) -> Cost:
    """As He 2016 counts VGG's FLOPs."""
    return Cost(macs=sum(layer.cost.macs for layer in convolutions(network) if layer.type != "linear"))


def with_auxiliary(network: Network) -> Cost:
    """As torchvision counts: with a classifier beside the last 17×17 module that takes part in training alone."""
    beside = """
        input: {channels: 768, size: 17}
        defaults: {norm: batch, padding: valid}
        layers:
          - avgpool: {k: 5, stride: 3}
          - conv: {c_out: 128, k: 1}
          - conv: {c_out: 768, k: 5}
          - avgpool: global
          - linear: {c_out: 1000, bias: true}
        """
    return total([network.cost, Cost(params=read(beside).cost.params)])


STRIDE_FIRST = (("$width, k: 1}", "$width, k: 1, stride: $stride}"), ("k: 3, stride: $stride}", "k: 3}"))


def paper_resnet50() -> Network:
    """ResNet-50 with the stride of a stage in the first 1×1."""
    return rewritten("resnet50", *STRIDE_FIRST)


def keras_resnet50() -> Network:
    """The paper's ResNet-50 with Keras's biases."""
    return rewritten("resnet50", *STRIDE_FIRST, ("{norm: batch, ", "{norm: batch, bias: true, "))


def alexnet_of_2012() -> Network:
    """The network whose towers meet in conv3 alone: elsewhere, the filters of two GPUs are two groups."""
    return rewritten(
        "alexnet",
        ("c_out: 64, k: 11", "c_out: 96, k: 11"),
        ("c_out: 192, k: 5", "c_out: 256, k: 5, groups: 2"),
        ("conv4, c_out: 256, k: 3", "conv4, c_out: 384, k: 3, groups: 2"),
        ("conv5, c_out: 256, k: 3", "conv5, c_out: 256, k: 3, groups: 2"),
    )


def paper_googlenet() -> Network:
    """GoogLeNet with the 5×5 and the poolings of its paper, and with biases for batch norms."""
    return rewritten(
        "googlenet",
        ("$n5x5, k: 3", "$n5x5, k: 5"),
        ("k: 2, stride: 2", "k: 3, stride: 2"),
        ("{norm: batch, ", "{bias: true, "),
    )


def profiled_erfnet() -> Cost:
    """ERFNet for 19 classes as thop counts it."""
    network = rewritten("erfnet", ("c_out: 20", "c_out: 19"), ("classes: 20", "classes: 19"))
    upsampled = [layer for layer in convolutions(network) if layer.spec.transposed]
    at_output = sum(layer.spec.weights * prod(layer.spec.out_size) for layer in upsampled)
    elements = sum(prod(each.shape) for each in normed(network))
    macs = network.cost.macs - sum(layer.cost.macs for layer in upsampled) + at_output + 4 * elements
    return Cost(params=network.cost.params, macs=2 * macs)


def caffe_squeezenet() -> Network:
    """SqueezeNet as in its authors' Caffe file, which pads the last 1×1 convolution."""
    return rewritten("squeezenet1_0", ("k: 1, scale: no", "k: 1, scale: no, padding: 1"), size=227)


CONVENTIONS: dict[tuple[str, str], Callable[[Network], Cost]] = {
    ("alexnet", "Krizhevsky 2012, abstract"): lambda network: alexnet_of_2012().cost,
    ("densenet121", "Keras, DenseNet121"): with_statistics,
    ("efficientnet_b0", "Keras, EfficientNetB0"): lambda network: Cost(params=with_statistics(network).params + 7),
    ("erfnet", "pytorch-auto-drive, ERFNet"): lambda network: profiled_erfnet(),
    ("googlenet", "Szegedy 2015, section 1"): lambda network: paper_googlenet().cost,
    ("inception_v3", "Szegedy 2016, abstract"): lambda network: network.cost,
    ("inception_v3", "torchvision, Inception_V3_Weights"): with_auxiliary,
    ("inception_v3", "Keras, InceptionV3"): lambda network: Cost(
        params=with_statistics(network).params - norm_params(network) // 2
    ),
    ("mobilenet_v1", "Keras, MobileNet"): with_statistics,
    ("mobilenet_v2", "Sandler 2018, table 4"): without_norms,
    ("mobilenet_v2", "TF-Slim, mobilenet_v2_1.0_224"): without_norms,
    ("mobilenet_v2", "Keras, MobileNetV2"): with_statistics,
    ("mobilenet_v3_large", "Howard 2019, table 3"): lambda network: network.cost,
    ("mobilenet_v3_large", "Keras, MobileNetV3Large"): with_statistics,
    ("mobilenet_v3_small", "Howard 2019, table 3"): lambda network: network.cost,
    ("mobilenet_v3_small", "Keras, MobileNetV3Small"): with_statistics,
    ("resnet50", "He 2016, table 1"): lambda network: paper_resnet50().cost,
    ("resnet50", "Keras, ResNet50"): lambda network: with_statistics(keras_resnet50()),
    ("squeezenet1_0", "Iandola 2016, README of SqueezeNet v1.1"): lambda network: Cost(
        macs=2 * caffe_squeezenet().cost.macs
    ),
    ("vgg16", "He 2016, arXiv:1512.03385, section 4.1"): without_linear_layers,
    ("xception", "Keras, Xception"): with_statistics,
}
"""The count behind each published figure that has a note."""


def printed(figure: str) -> tuple[Fraction, Fraction]:
    """The value of a figure like ``569 M``, and that of a one in its last digit."""
    number, unit = re.fullmatch(r"([\d,]+(?:\.\d+)?)(?: ([kMG]))?", figure).groups()
    scale = {None: 1, "k": 10**3, "M": 10**6, "G": 10**9}[unit]
    digits = len(number.partition(".")[2])
    return Fraction(number.replace(",", "")) * scale, Fraction(scale, 10**digits)


def agrees(figure: str, count: int, *, down: bool) -> bool:
    """Whether ``figure`` is ``count`` rounded, or rounded down, to the digits that are printed."""
    value, step = printed(figure)
    return value == floor(count / step) * step if down else abs(value - count) <= step / 2


@pytest.mark.parametrize(
    ("name", "entry"),
    [pytest.param(name, each, id=f"{name}-{each.source}") for name in NAMES for each in load(name).published],
)
def test_published_figures(name, entry):
    """A published figure is the computed one in the digits that are printed, or what its note says it is."""
    network = load(name)
    cost = CONVENTIONS[name, entry.source](network) if entry.note else network.cost
    down = "rounded down" in (entry.note or "")
    for figure, count in ((entry.params, cost.params), (entry.macs, cost.macs)):
        assert figure is None or agrees(figure, count, down=down)


@pytest.mark.parametrize(
    ("figure", "count", "down"),
    [("4.2 M", 4_251_000, False), ("569 M", 568_400_000, False), ("3.8 G", 3_900_000_000, True), ("1,024", 1023, True)],
)
def test_a_published_figure_can_disagree(figure, count, down):
    """A figure that is off by one in its last digit does not pass for the computed one."""
    assert not agrees(figure, count, down=down)


def test_every_note_is_recomputed():
    """Each note has a computation that ends in its figure, and each computation has its note."""
    assert set(CONVENTIONS) == {(name, each.source) for name in NAMES for each in load(name).published if each.note}


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("alexnet", {"60,965,224": lambda network: alexnet_of_2012().cost.params}),
        ("densenet121", {"83,648": norm_params}),
        ("efficientnet_b0", {"42,016": norm_params}),
        ("googlenet", {"1.583 G": lambda network: round(paper_googlenet().cost.macs, -6)}),
        ("inception_v3", {"3,326,696": lambda network: with_auxiliary(network).params - network.cost.params}),
        ("inception_v3", {"34,432": norm_params, "17,216": lambda network: norm_params(network) // 2}),
        ("mobilenet_v1", {"21,888": norm_params}),
        ("mobilenet_v2", {"34,112": norm_params}),
        ("mobilenet_v3_large", {"24,400": norm_params}),
        ("mobilenet_v3_small", {"12,112": norm_params}),
        ("resnet50", {"3.858 G": lambda network: round(paper_resnet50().cost.macs, -6)}),
        ("resnet50", {"53,120": norm_params, "26,560": lambda n: keras_resnet50().cost.params - n.cost.params}),
        ("squeezenet1_0", {"861,339,936": lambda network: caffe_squeezenet().cost.macs}),
        ("vgg16", {"123,633,664": lambda network: network.cost.macs - without_linear_layers(network).macs}),
        ("xception", {"54,528": norm_params}),
    ],
)
def test_numbers_in_notes(name, numbers):
    """A number that a note explains a figure with is the computed one."""
    network = load(name)
    assert any(all(number in (each.note or "") for number in numbers) for each in network.published)
    for number, count in numbers.items():
        assert printed(number)[0] == count(network)


# The convolutions one by one, as Keras has them.

Shape = tuple[int, int, Axes, Axes, int, Axes, int]


def shape(c_in: int, c_out: int, kernel: Axes, stride: Axes, groups: int, out: Axes, biases: int) -> Shape:
    """A convolution as a value to compare.

    A linear layer is a 1×1 on one position, and 7×1 is 1×7: Inception-v3's pairs come in either order.
    """
    return c_in, c_out, tuple(sorted(kernel)) or (1, 1), stride or (1, 1), groups, out or (1, 1), biases


def shapes_here(network: Network) -> Counter[Shape]:
    """Each primitive convolution of a bundled network."""
    stages = [stage for layer in convolutions(network) for stage in layer.stages]
    return Counter(
        shape(each.c_in, each.c_out, each.kernel, each.stride, each.groups, each.out_size, each.params - each.weights)
        for each in stages
    )


def keras_layers(model: Any) -> Iterator[Any]:
    """The layers of a Keras model, and of the models inside it."""
    for layer in model.layers:
        yield from keras_layers(layer) if hasattr(layer, "layers") else (layer,)


def keras_shapes(layer: Any) -> Iterator[Shape]:
    """The primitive convolutions of a Keras layer; none for most."""
    kind = type(layer).__name__
    c_in, c_out = layer.input.shape[-1] if kind.endswith(("Conv2D", "Dense")) else 0, layer.output.shape[-1]
    biases = c_out if c_in and layer.use_bias else 0
    out = layer.output.shape[1:-1]
    if kind == "Dense":
        yield shape(c_in, c_out, (), (), 1, out, biases)
    elif kind == "Conv2D":
        yield shape(c_in, c_out, layer.kernel_size, layer.strides, layer.groups, out, biases)
    elif kind == "DepthwiseConv2D":
        yield shape(c_in, c_out, layer.kernel_size, layer.strides, c_in, out, biases)
    elif kind == "SeparableConv2D":
        yield shape(c_in, c_in * layer.depth_multiplier, layer.kernel_size, layer.strides, c_in, out, 0)
        yield shape(c_in * layer.depth_multiplier, c_out, (1, 1), (1, 1), 1, out, biases)


@pytest.fixture(scope="module")
def applications():
    """Keras's models, with no memory behind their weights."""
    keras = keras_on_torch()
    with keras.device("meta"):
        yield keras.applications


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("convnext_tiny", "ConvNeXtTiny"),
        ("densenet121", "DenseNet121"),
        ("efficientnet_b0", "EfficientNetB0"),
        ("inception_v3", "InceptionV3"),
        ("mobilenet_v1", "MobileNet"),
        ("mobilenet_v2", "MobileNetV2"),
        ("mobilenet_v3_large", "MobileNetV3Large"),
        ("mobilenet_v3_small", "MobileNetV3Small"),
        ("resnet50", "ResNet50"),
        ("vgg16", "VGG16"),
        ("xception", "Xception"),
    ],
)
def test_convolutions_are_those_of_keras(name, model, applications):
    """Every convolution, norm and parameter is Keras's; its Inception-v3 alone has batch norms without scale."""
    network = keras_resnet50() if name == "resnet50" else load(name)
    theirs = getattr(applications, model)(weights=None, input_shape=(*network.input.size, 3))
    layers = list(keras_layers(theirs))
    assert shapes_here(network) == Counter(each for layer in layers for each in keras_shapes(layer))
    norms = [layer for layer in layers if type(layer).__name__ in ("BatchNormalization", "LayerNormalization")]
    assert Counter(each.channels for each in normed(network)) == Counter(layer.output.shape[-1] for layer in norms)
    scales = sum(layer.output.shape[-1] for layer in norms if not layer.scale)
    assert network.cost.params - scales == sum(prod(each.shape) for each in theirs.trainable_weights)
    (entry,) = (each for each in load(name).published if each.source == f"Keras, {model}")
    assert entry.params == f"{theirs.count_params():,}"
    assert bool(scales) == (name == "inception_v3")


# What the papers say of the structure.

STAGES = {
    "alexnet": "conv1 64 55, pool1 64 27, conv2 192 27, pool2 192 13, conv3 384 13, conv4 256 13, conv5 256 13, "
    "pool5 256 6",
    "resnext50_32x4d": "conv1 64 112, conv2 256 56, conv3 512 28, conv4 1024 14, conv5 2048 7",
    "wide_resnet50_2": "conv1 64 112, conv2 256 56, conv3 512 28, conv4 1024 14, conv5 2048 7",
    "googlenet": "conv1 64 112, pool1 64 56, conv2 192 56, pool2 192 28, 3a 256 28, 3b 480 28, pool3 480 14, "
    "4a 512 14, 4b 512 14, 4c 512 14, 4d 528 14, 4e 832 14, pool4 832 7, 5a 832 7, 5b 1024 7",
    "densenet121": "convolution 64 112, pooling 64 56, dense1 256 56, transition1 128 28, dense2 512 28, "
    "transition2 256 14, dense3 1024 14, transition3 512 7, dense4 1024 7",
    "mobilenet_v3_large": "conv1 16 112, bneck1 16 112, bneck2 24 56, bneck3 24 56, bneck4 40 28, bneck5 40 28, "
    "bneck6 40 28, bneck7 80 14, bneck8 80 14, bneck9 80 14, bneck10 80 14, bneck11 112 14, bneck12 112 14, "
    "bneck13 160 7, bneck14 160 7, bneck15 160 7, conv2 960 7, pool 960 1, conv3 1280 1, conv4 1000 1",
    "mobilenet_v3_small": "conv1 16 112, bneck1 16 56, bneck2 24 28, bneck3 24 28, bneck4 40 14, bneck5 40 14, "
    "bneck6 40 14, bneck7 48 14, bneck8 48 14, bneck9 96 7, bneck10 96 7, bneck11 96 7, conv2 576 7, pool 576 1, "
    "conv3 1024 1, conv4 1000 1",
    "mnasnet1_0": "conv1 32 112, stage1 16 112, stage2 24 56, stage3 40 28, stage4 80 14, stage5 96 14, stage6 192 7, "
    "stage7 320 7, conv2 1280 7",
    "shufflenet_v2_x1_0": "conv1 24 112, pool1 24 56, stage2 116 28, stage3 232 14, stage4 464 7, conv5 1024 7, "
    "globalpool 1024 1",
    "efficientnet_b0": "stage1 32 112, stage2 16 112, stage3 24 56, stage4 40 28, stage5 80 14, stage6 112 14, "
    "stage7 192 7, stage8 320 7",
    "convnext_tiny": "stem 96 56, res2 96 56, res3 192 28, res4 384 14, res5 768 7",
    "regnet_y_400mf": "stem 32 112, stage1 48 56, stage2 104 28, stage3 208 14, stage4 440 7",
    "ghostnet": "conv1 16 112, bneck1 16 112, bneck2 24 56, bneck3 24 56, bneck4 40 28, bneck5 40 28, bneck6 80 14, "
    "bneck7 80 14, bneck8 80 14, bneck9 80 14, bneck10 112 14, bneck11 112 14, bneck12 160 7, bneck13 160 7, "
    "bneck14 160 7, bneck15 160 7, bneck16 160 7, conv2 960 7, pool 960 1, conv3 1280 1",
    "resnet18": "conv1 64 112, conv2 64 56, conv3 128 28, conv4 256 14, conv5 512 7",
    "resnet50": "conv1 64 112, conv2 256 56, conv3 512 28, conv4 1024 14, conv5 2048 7",
    "vgg16": "conv1 64 112, conv2 128 56, conv3 256 28, conv4 512 14, conv5 512 7",
    "mobilenet_v2": "conv1 32 112, stage1 16 112, stage2 24 56, stage3 32 28, stage4 64 14, stage5 96 14, "
    "stage6 160 7, stage7 320 7, conv2 1280 7",
    "xception": "entry 728 19, middle 728 19, exit 1000 1",
    "inception_v3": "Conv2d_1a_3x3 32 149, Conv2d_2a_3x3 32 147, Conv2d_2b_3x3 64 147, MaxPool_3a_3x3 64 73, "
    "Conv2d_3b_1x1 80 73, Conv2d_4a_3x3 192 71, MaxPool_5a_3x3 192 35, Mixed_5b 256 35, Mixed_5c 288 35, "
    "Mixed_5d 288 35, Mixed_6a 768 17, Mixed_6b 768 17, Mixed_6c 768 17, Mixed_6d 768 17, Mixed_6e 768 17, "
    "Mixed_7a 1280 8, Mixed_7b 2048 8, Mixed_7c 2048 8",
    "squeezenet1_0": "conv1 96 111, maxpool1 96 55, fire2 128 55, fire3 128 55, fire4 256 55, maxpool4 256 27, "
    "fire5 256 27, fire6 384 27, fire7 384 27, fire8 512 27, maxpool8 512 13, fire9 512 13, conv10 1000 13, "
    "avgpool10 1000 1",
}
"""Name, channels and size of each stage, as the papers' tables and, for Inception-v3, its authors' code have them."""


@pytest.mark.parametrize(("name", "expected"), STAGES.items())
def test_stages_are_those_of_the_paper(name, expected):
    """Layers are grouped as the paper's table groups them, and each group writes the shape that the table prints."""
    # SqueezeNet's table takes 224×224 and prints what comes of 227×227.
    network = load(name, size=227 if name == "squeezenet1_0" else None)
    shapes = {
        key: layers[-1].output.shape for key, layers in groups(network).items() if re.search(rf"\b{key} ", expected)
    }
    assert all(height == width for _, height, width in shapes.values())
    assert ", ".join(f"{key} {channels} {size}" for key, (channels, size, _) in shapes.items()) == expected


def test_layers_of_erfnet():
    """ERFNet's layers write the channels and sizes that table 2 of its paper prints, and are numbered as there."""
    shapes = {key: layers[-1].output.shape for key, layers in groups(load("erfnet")).items() if key != "output_conv"}
    assert shapes == {
        "layer1": (16, 256, 512),
        "layer2": (64, 128, 256),
        "layers3-7": (64, 128, 256),
        "layer8": (128, 64, 128),
        "layers9-16": (128, 64, 128),
        "layer17": (64, 128, 256),
        "layers18-19": (64, 128, 256),
        "layer20": (16, 256, 512),
        "layers21-22": (16, 256, 512),
        "layer23": (20, 512, 1024),
    }


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("alexnet", 8),
        ("densenet121", 121),
        ("mobilenet_v1", 28),
        ("resnet18", 18),
        ("resnet50", 50),
        ("resnext50_32x4d", 50),
        ("vgg16", 16),
        ("wide_resnet50_2", 50),
        ("xception", 36 + 1),
    ],
)
def test_depth_is_that_of_the_paper(name, depth):
    """The network is as deep as its paper says; MobileNet's counts both factors of a separable layer."""
    layers = [layer for layer in convolutions(load(name)) if "shortcut" not in layer.name]
    assert sum(len(layer.stages) if name == "mobilenet_v1" else 1 for layer in layers) == depth


def test_modules_of_squeezenet():
    """SqueezeNet's modules have the parameters that table 1 of its paper prints."""
    params = {key: sum(layer.cost.params for layer in layers) for key, layers in groups(load("squeezenet1_0")).items()}
    assert {key: count for key, count in params.items() if count} == {
        "conv1": 14_208,
        "fire2": 11_920,
        "fire3": 12_432,
        "fire4": 45_344,
        "fire5": 49_440,
        "fire6": 104_880,
        "fire7": 111_024,
        "fire8": 188_992,
        "fire9": 197_184,
        "conv10": 513_000,
    }


# The same networks in other sizes and forms.


def test_conv_mobilenet():
    """MobileNet v1 with every separable layer made standard is the paper's Conv MobileNet (table 4)."""
    assert load("mobilenet_v1").what_if(get("standard")).cost == Cost(params=29_294_088, macs=4_867_293_184)


def test_shallow_mobilenet():
    """MobileNet v1 without the five layers of 512 channels is the paper's shallow one (table 5)."""
    shallow = rewritten("mobilenet_v1", ("  - separable: {c_out: 512, k: 3, repeat: 5}\n", ""))
    assert shallow.cost == Cost(params=2_887_976, macs=307_323_392)


def test_narrow_mobilenet():
    """A width of 0.75 gives the paper's 0.75 MobileNet (table 5)."""
    assert load("mobilenet_v1", width="0.75").cost == Cost(params=2_585_560, macs=325_400_448)


def test_small_mobilenet_v2():
    """Width and size together give the checkpoint of that name."""
    assert load("mobilenet_v2", width="0.5", size=160).cost == Cost(params=1_968_680, macs=50_184_000)


@pytest.mark.parametrize(
    ("width", "size", "macs", "params"),
    [
        ("1.0", 224, 569, "4.2 M"),
        ("0.75", 224, 325, "2.6 M"),
        ("0.5", 224, 149, "1.3 M"),
        ("0.25", 224, 41, "0.5 M"),
        ("1.0", 192, 418, "4.2 M"),
        ("1.0", 160, 290, "4.2 M"),
        ("1.0", 128, 186, "4.2 M"),
    ],
)
def test_widths_and_sizes_of_mobilenet(width, size, macs, params):
    """Tables 6 and 7 of the MobileNet paper, whose millions of multiply-adds are rounded up or down."""
    cost = load("mobilenet_v1", width=width, size=size).cost
    assert macs in (floor(cost.macs / 10**6), floor(cost.macs / 10**6) + 1)
    assert agrees(params, cost.params, down=False)


@pytest.mark.parametrize(
    ("width", "params", "macs"),
    [
        ("1.4", "6.06 M", {224: "582 M"}),
        ("1.3", "5.34 M", {224: "509 M"}),
        ("1.0", "3.47 M", {224: "300 M", 192: "221 M", 160: "154 M", 128: "99 M", 96: "56 M"}),
        ("0.75", "2.61 M", {224: "209 M", 192: "153 M", 160: "107 M", 128: "69 M", 96: "39 M"}),
        ("0.5", "1.95 M", {224: "97 M", 192: "71 M", 160: "50 M", 128: "32 M", 96: "18 M"}),
        ("0.35", "1.66 M", {224: "59 M", 192: "43 M", 160: "30 M", 128: "20 M", 96: "11 M"}),
    ],
)
def test_widths_and_sizes_of_mobilenet_v2(width, params, macs):
    """The 22 checkpoints in TF-Slim's README: multiply-adds rounded down, parameters without batch norm's."""
    for size, figure in macs.items():
        cost = without_norms(load("mobilenet_v2", width=width, size=size))
        assert agrees(figure, cost.macs, down=True)
        assert agrees(params, cost.params, down=False)


@pytest.mark.parametrize(
    ("width", "cost", "macs"),
    [
        ("0.5", Cost(params=2_218_512, macs=104_455_968), "0.104 G"),
        ("0.75", Cost(params=3_170_208, macs=215_493_104), "0.215 G"),
        ("1.3", Cost(params=6_282_256, macs=526_362_432), "0.526 G"),
    ],
)
def test_widths_of_mnasnet(width, cost, macs):
    """The other widths are torchvision's models, whose weights publish their parameters and multiply-adds."""
    assert load("mnasnet1_0", width=width).cost == cost
    assert agrees(macs, cost.macs, down=False)


@pytest.mark.parametrize(
    ("stages", "cost", "params", "macs"),
    [
        ((48, 96, 192, 1024), Cost(params=1_366_792, macs=40_476_448), "1.4 M", "0.04 G"),
        ((176, 352, 704, 1024), Cost(params=3_503_624, macs=295_759_392), "3.5 M", "0.296 G"),
        ((244, 488, 976, 2048), Cost(params=7_393_996, macs=583_253_464), "7.4 M", "0.583 G"),
    ],
)
def test_columns_of_shufflenet_v2(stages, cost, params, macs):
    """The other columns of table 5 have its parameters, and torchvision's multiply-adds."""
    old = ("c: 116", "c: 232", "c: 464", "c_out: 1024")
    new = [f"{each.split()[0]} {channels}" for each, channels in zip(old, stages, strict=True)]
    network = rewritten("shufflenet_v2_x1_0", *zip(old, new, strict=True))
    assert network.cost == cost
    assert agrees(params, cost.params, down=False)
    assert agrees(macs, cost.macs, down=False)


def test_half_ghostnet():
    """A width of 0.5 gives the paper's GhostNet 0.5× (table 7): channels are rounded before a module halves them."""
    cost = load("ghostnet", width="0.5").cost
    assert cost == Cost(params=2_587_292, macs=42_328_152)
    assert agrees("2.6 M", cost.params, down=False)
    assert agrees("42 M", cost.macs, down=False)


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("mobilenet_v3_large", Cost(params=1_734_576, macs=64_962_192)),
        ("mobilenet_v3_small", Cost(params=917_264, macs=18_970_736)),
    ],
)
def test_half_mobilenet_v3(name, cost):
    """A width of 0.5 gives what torchvision makes of the same width."""
    assert load(name, width="0.5").cost == cost


# What the papers say of the parts.


def test_activations_of_regnet():
    """RegNetY-400MF writes the 3.9 million activations of figure 16: elements that its convolutions write."""
    layers = [layer for layer in convolutions(load("regnet_y_400mf")) if layer.type != "linear"]
    written = sum(stage.activations for layer in layers for stage in layer.stages)
    assert agrees("3.9 M", written, down=False)


def test_group_width_of_regnet():
    """Every group of RegNetY-400MF is 8 channels wide, at any width of the network."""
    for width in ("0.5", "1", "1.5"):
        stages = [stage for layer in convolutions(load("regnet_y_400mf", width=width)) for stage in layer.stages]
        grouped = [stage for stage in stages if stage.groups > 1]
        assert len(grouped) == 16
        assert {stage.c_in // stage.groups for stage in grouped} == {8}


def test_factors_of_erfnet():
    """A pair of 3×1 and 1×3 has two thirds of the weights of the 3×3 that it stands for (table 1)."""
    pairs = [layer for layer in convolutions(load("erfnet")) if layer.variant.name == "spatial-separable"]
    assert len(pairs) == 2 * (5 + 8 + 2 + 2)
    assert all(3 * sum(stage.weights for stage in pair.stages) == 2 * pair.spec.weights for pair in pairs)


def test_what_erfnet_never_runs():
    """The classifier of the encoder alone has parameters, no multiply-adds, and is no convolution of the network."""
    (unused,) = (layer for layer in load("erfnet").layers if layer.type == "unused")
    assert unused.cost == Cost(params=2_580)
    assert unused.input == unused.output


def test_paths_of_resnext():
    """One grouped convolution in the middle costs what 32 paths of 4 channels do (figure 3, a and c)."""
    path = "[conv: {c_out: 4, k: 1}, conv: {c_out: 4, k: 3}, conv: {c_out: 256, k: 1}]"
    begin = "input: {channels: 256, size: 56}\nlayers:\n"
    paths = read(f"{begin}  - parallel: {{join: add, branches: [{', '.join([path] * 32)}]}}")
    block = [layer for layer in load("resnext50_32x4d").layers if layer.name.startswith("conv2.2.conv")]
    bare = [stage for layer in block for stage in layer.stages]
    assert paths.cost == Cost(params=sum(stage.params for stage in bare), macs=sum(stage.macs for stage in bare))


@pytest.mark.parametrize("name", ["efficientnet_b0", "regnet_y_400mf"])
def test_squeezes_of_the_block_input(name):
    """The squeeze has a quarter of the channels that reach the block, not of those that reach the squeeze."""
    network = load(name)
    squeezes = {layer.name.rsplit(".", 2)[0]: layer for layer in network.layers if layer.name.endswith("squeeze")}
    assert len(squeezes) == 16
    for block, squeeze in squeezes.items():
        first = next(layer for layer in network.layers if layer.name.startswith(f"{block}."))
        assert 4 * squeeze.output.channels == first.input.channels


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", ["0.25", "1.5"])
def test_the_classifier_keeps_its_classes(name, width):
    """A width changes the cost of every network, and not the classes that it tells apart."""
    network = load(name, width=width)
    assert convolutions(network)[-1].spec.c_out == (20 if name == "erfnet" else 1000)
    assert (network.cost.macs < TOTALS[name].macs) == (width == "0.25")
    assert (network.cost.params < TOTALS[name].params) == (width == "0.25")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("factor", [Fraction(1, 2), 2])
def test_size_changes_no_parameter(name, factor):
    """Every network takes an input of another size with the parameters that it has."""
    cost = load(name, size=tuple(int(factor * length) for length in load(name).input.size)).cost
    assert cost.params == TOTALS[name].params
    assert (cost.macs > TOTALS[name].macs) == (factor == 2)


@pytest.mark.slow
@pytest.mark.parametrize("variant", [pytest.param(each, id=each.name) for each in all_variants()])
@pytest.mark.parametrize("name", NAMES)
def test_what_ifs(name, variant):
    """Every unit is converted or refused with a reason, and the total is the sum over units and other layers."""
    network = load(name)
    answer = network.what_if(variant)
    refused = dict(answer.refused)
    assert answer.converted + len(refused) == len(network.units)
    assert set(refused) <= {unit.layer.name for unit in network.units}
    assert all(refused.values())
    converted = [unit for unit in network.units if unit.layer.name not in refused]
    was, now = total(unit.cost for unit in converted), total(unit.layer.cost_as(variant) for unit in converted)
    assert answer.cost.macs - network.cost.macs == now.macs - was.macs
    assert answer.cost.params - network.cost.params == now.params - was.params


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["standard", "depthwise-separable", "blueprint-separable"])
@pytest.mark.parametrize("name", NAMES)
def test_these_variants_are_never_refused(name, variant):
    """What can express every convolution converts every convertible layer."""
    assert load(name).what_if(get(variant)).refused == ()


@pytest.mark.parametrize(
    "name",
    ["alexnet", "densenet121", "googlenet", "resnet18", "resnet50", "squeezenet1_0", "vgg16", "wide_resnet50_2"],
)
def test_dense_networks_are_standard_already(name):
    """Made standard, a network of dense convolutions is as it was; made separable, it is smaller."""
    network = load(name)
    assert network.what_if(get("standard")).cost == network.cost
    separable = network.what_if(get("depthwise-separable")).cost
    assert separable.params < network.cost.params
    assert separable.macs < network.cost.macs


@pytest.mark.parametrize(("name", "stem"), [("mobilenet_v1", "conv*"), ("xception", "entry.conv*")])
def test_separable_networks_are_separable_already(name, stem):
    """Made separable except for its dense stem, a separable network is as it was."""
    network = load(name)
    assert network.what_if(get("depthwise-separable"), keep=[stem]).cost == network.cost
