"""Every word for a layer: the shapes and parameters of the PyTorch module that it stands for, and what it refuses."""

import frameworks  # noqa: F401 (torch with one thread)
import pytest
import torch
from files import faults, layer, layer_faults, names, network, shapes
from hypothesis import given
from hypothesis import strategies as st
from layer_files import EXAMPLES, LAYER_FAULTS
from strategies import randomly
from torch import nn

from sepcalc.builders.torch_stages import build_stages, parameter_count
from sepcalc.core.layers import NORM_PARAMS, Convolution, Operator
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import all_variants, get
from sepcalc.readers.yaml.arguments import Common
from sepcalc.readers.yaml.layers import LAYER_TYPES, layer_type


@pytest.mark.parametrize("word", LAYER_TYPES)
def test_every_word(word):
    """Each word does what its example says."""
    text, shape, params, macs = EXAMPLES[word]
    found = network(f"- identity: {{name: start}}\n- {text}", channels=4, size=6)
    assert found.layers[-1].output.shape == shape
    assert (found.cost.params, found.cost.macs) == (params, macs)


@pytest.mark.parametrize("word", LAYER_TYPES)
def test_every_word_is_described(word):
    """Each word has a sentence that says what it is."""
    assert LAYER_TYPES[word].summary.endswith(".")


def test_words_are_taken_once():
    """A word that is taken cannot be registered again, nor can one beside it."""
    before = dict(LAYER_TYPES)
    for words in (("conv",), ("conv", "new")):
        with pytest.raises(ValueError, match=r"^layer type 'conv' is taken$"):
            layer_type(*words, arguments=Common)(lambda scope, args, word: None)
    assert before == LAYER_TYPES


@st.composite
def windows(draw: st.DrawFn):
    """A pooling layer that PyTorch has: its arguments, and the size that it reads."""
    axes = draw(st.integers(1, 3))

    def each(least, most):
        return draw(st.lists(st.integers(least, most), min_size=axes, max_size=axes))

    kernel = each(1, 5)
    padding = [draw(st.integers(0, k // 2)) for k in kernel]
    size = [k + more for k, more in zip(kernel, each(0, 9), strict=True)]  # AvgPool3d takes no smaller one
    return kernel, each(1, 4), padding, draw(st.booleans()), size


@pytest.mark.parametrize("word", ["maxpool", "avgpool"])
@randomly(150)
@given(windows())
def test_pooling_is_that_of_pytorch(word, window):
    """Pooling of any window, stride, padding and rounding writes the size that PyTorch's does."""
    kernel, stride, padding, ceil, size = window
    module = getattr(nn, f"{'Max' if word == 'maxpool' else 'Avg'}Pool{len(size)}d")
    expected = module(kernel, stride, padding, ceil_mode=ceil)(torch.zeros(1, 2, *size)).shape[1:]
    text = f"{word}: {{k: {kernel}, stride: {stride}, padding: {padding}, ceil: {str(ceil).lower()}}}"
    assert layer(text, channels=2, size=size).output.shape == tuple(expected)


@randomly(60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(1, 5), st.integers(1, 4))
def test_pooling_with_same_padding(size, k, stride):
    """``same`` keeps ceil(size / stride) positions, as in Keras; ``valid`` is no padding."""
    found = layer(f"maxpool: {{k: {k}, stride: {stride}, padding: same}}", size=size)
    assert found.output.size == tuple(-(-n // stride) for n in size)
    if min(size) >= k:
        valid = layer(f"maxpool: {{k: {k}, stride: {stride}, padding: valid}}", size=size)
        assert valid.output == layer(f"maxpool: {{k: {k}, stride: {stride}}}", size=size).output


@pytest.mark.parametrize(
    ("text", "size", "kernel"),
    [
        ("avgpool: global", (1, 1), (32, 32)),
        ("maxpool: {k: global}", (1, 1), (32, 32)),
        ("avgpool: {out: 7}", (7, 7), ()),
        ("avgpool: {out: 7x5}", (7, 5), ()),
        ("maxpool: 2", (16, 16), (2, 2)),
        ("maxpool: 2x1", (16, 32), (2, 1)),
        ("maxpool: {k: 3, stride: [1, 2]}", (30, 15), (3, 3)),
    ],
)
def test_forms_of_pooling(text, size, kernel):
    """A window is its own stride by default; ``out`` pools to a size and ``global`` to one position."""
    found = layer(text)
    assert (found.output.size, found.kernel) == (size, kernel)


CONVOLUTIONS = st.fixed_dictionaries(
    {
        "c_out": st.integers(1, 6),
        "k": st.integers(1, 5) | st.sampled_from(["3x1", "[1, 3]"]),
        "stride": st.integers(1, 3),
        "dilation": st.integers(1, 2),
        "padding": st.sampled_from(["same", "valid", 0, 1, 2, "2x1"]),
        "bias": st.sampled_from(["true", "false", "none", "last", "all"]),
    }
)


@pytest.mark.parametrize("word", ["conv", "separable", "spatial", "depthwise"])
@randomly(60)
@given(CONVOLUTIONS)
def test_convolutions_are_their_stages_in_pytorch(word, arguments):
    """A convolution as written is the module built from its stages: same output, same parameters."""
    if word == "depthwise":
        arguments["c_out"] *= 3
    if word == "spatial" and arguments["k"] in (1, "3x1", "[1, 3]"):
        arguments["k"] = 3
    text = ", ".join(f"{key}: {value}" for key, value in arguments.items())
    found = layer(f"{word}: {{{text}}}", size="13x11")
    module = build_stages(found.stages, device="meta")
    assert tuple(module(torch.zeros(1, 3, 13, 11, device="meta")).shape[1:]) == found.output.shape
    assert parameter_count(module) == found.cost.params


def test_transposed_convolution():
    """A transposed convolution enlarges the feature map and costs input positions times weights."""
    found = layer("conv: {c_out: 8, k: 3, stride: 2, padding: 1, output_padding: 1, transposed: true}")
    module = nn.ConvTranspose2d(3, 8, 3, stride=2, padding=1, output_padding=1, bias=False)
    assert module(torch.zeros(1, 3, 32, 32)).shape[1:] == found.output.shape == (8, 64, 64)
    assert found.cost.params == parameter_count(module)
    assert found.cost.macs == 3 * 8 * 9 * 32 * 32


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_axes_follow_from_the_size(axes):
    """The same lines describe signals, pictures and volumes; the input's size says which."""
    size = "x".join(["16"] * axes)
    found = network(
        """
        - conv: {c_out: 8, k: 3, stride: 2, norm: batch, act: relu}
        - separable: {c_out: 16, k: 3}
        - maxpool: 2
        - upsample: 3
        - avgpool: global
        - flatten
        - linear: 10
        """,
        channels=4,
        size=size if axes > 1 else "[16]",
    )
    conv, norm, pool = (getattr(nn, f"{word}{axes}d") for word in ("Conv", "BatchNorm", "MaxPool"))
    expected = nn.Sequential(
        conv(4, 8, 3, stride=2, padding=1, bias=False),
        norm(8),
        conv(8, 8, 3, padding=1, groups=8, bias=False),
        conv(8, 16, 1, bias=False),
        pool(2),
        nn.Upsample(scale_factor=3),
        getattr(nn, f"AdaptiveAvgPool{axes}d")(1),
        nn.Flatten(),
        nn.Linear(16, 10, bias=False),
    )
    x = expected[:-3](torch.zeros(2, 4, *[16] * axes))
    assert found.layers[3].output.shape == x.shape[1:]
    assert found.layers[-1].output.shape == (10,)
    assert found.cost.params == parameter_count(expected)


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("norm: batch", nn.BatchNorm2d(6)),
        ("norm: {kind: batch, affine: false}", nn.BatchNorm2d(6, affine=False)),
        ("norm: group", nn.GroupNorm(2, 6)),
        ("norm: {kind: group, affine: false}", nn.GroupNorm(2, 6, affine=False)),
        ("norm: instance", nn.InstanceNorm2d(6)),
        ("norm: {kind: instance, affine: true}", nn.InstanceNorm2d(6, affine=True)),
        ("norm: layer", nn.LayerNorm(6)),
        ("norm: {kind: layer, affine: false}", nn.LayerNorm(6, elementwise_affine=False)),
        ("norm: rms", nn.RMSNorm(6)),
        ("norm: {kind: rms, affine: true}", nn.RMSNorm(6, elementwise_affine=True)),
        ("norm: none", nn.Identity()),
        ("prelu", nn.PReLU()),
        ("relu", nn.ReLU()),
    ],
)
def test_parameters_of_norms_and_activations(text, module):
    """A norm or activation of its own learns what PyTorch's does."""
    assert layer(text, channels=6).cost.params == parameter_count(module)


@pytest.mark.parametrize("norm", NORM_PARAMS)
@pytest.mark.parametrize("between", ["all", "act", "none"])
def test_norms_of_convolutions(norm, between):
    """A convolution's norm and slopes are those of the layers written out one by one."""
    short = layer(f"separable: {{c_out: 8, k: 3, norm: {norm}, act: prelu, between: {between}}}")
    first_norm = f"- norm: {norm}" if between == "all" else ""
    first_act = "- prelu" if between != "none" else ""
    long = network(
        f"- depthwise: {{k: 3}}\n{first_norm}\n{first_act}\n- conv: {{c_out: 8, k: 1}}\n- norm: {norm}\n- prelu"
    )
    assert short.cost == long.cost


def test_the_last_activation():
    """``act_last`` replaces the activation after the last stage: MobileNetV2's linear bottleneck."""
    text = "separable: {{c_out: 8, k: 3, act: {}, act_last: {}}}"
    slopes = [
        layer(text.format(*acts)).cost.params for acts in (("prelu", "prelu"), ("prelu", "none"), ("relu", "prelu"))
    ]
    plain = layer("separable: {c_out: 8, k: 3}").cost.params
    assert [each - plain for each in slopes] == [2, 1, 1]


def test_linear_layers():
    """A linear layer follows a vector or a single position, or runs at each position."""
    found = network(
        """
        - linear: {c_out: 8, per_position: true, bias: true, norm: layer, act: prelu}
        - avgpool: global
        - linear: {c_out: 6, bias: true}
        - flatten
        - linear: 5
        """
    )
    expected = nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.PReLU(), nn.Linear(8, 6), nn.Linear(6, 5, bias=False))
    assert found.cost.params == parameter_count(expected)
    assert [each.cost.macs for each in found.layers] == [3 * 8 * 32 * 32, 0, 48, 0, 30]
    assert [each.label for each in found.layers if isinstance(each, Convolution)] == ["linear"] * 3


@randomly(60)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 4), st.integers(1, 20))
def test_upsample_is_that_of_pytorch(size, factor, out):
    """Interpolation by a factor or to a size writes what PyTorch's does."""
    x = torch.zeros(1, 3, *size)
    by, to = nn.Upsample(scale_factor=factor), nn.Upsample(size=[out] * len(size))
    assert layer(f"upsample: {factor}", size=size).output.shape == by(x).shape[1:]
    assert layer(f"upsample: {{out: {out}}}", size=size).output.shape == to(x).shape[1:]


@pytest.mark.parametrize(("channels", "groups"), [(6, 2), (6, 3), (6, 6), (6, 1)])
def test_shuffle_flatten_and_split_are_those_of_pytorch(channels, groups):
    """Channel shuffle, flatten and an equal split write what PyTorch's do."""
    x = torch.zeros(1, channels, 4, 5)
    kept = layer(f"channel_shuffle: {groups}", channels=channels, size="4x5").output.shape
    assert kept == nn.ChannelShuffle(groups)(x).shape[1:]
    assert layer("flatten", channels=channels, size="4x5").output.shape == x.flatten(1).shape[1:]
    for part, chunk in enumerate(x.chunk(groups, 1)):
        text = f"split: {{parts: {groups}, part: {part}}}"
        assert layer(text, channels=channels, size="4x5").output.shape == chunk.shape[1:]


VARIANTS = {
    "standard": ("", {}),
    "depthwise-separable": ("depth_multiplier: 2", {"depth_multiplier": 2}),
    "spatial-separable": ("mid: max", {"mid": "max"}),
    "depthwise": ("", {}),
    "depthwise-spatial": ("", {}),
    "blueprint-separable": ("", {}),
    "grouped": ("groups: 4", {"groups": 4}),
    "bottleneck": ("reduction: 2", {"reduction": 2}),
    "inverted-bottleneck": ("expansion: 3", {"expansion": 3}),
}
"""An option of each variant, as a file writes it and as the library does."""


@pytest.mark.parametrize("variant", all_variants(), ids=lambda variant: variant.name)
def test_every_variant_can_be_written(variant):
    """``variant`` writes a convolution in any form, with the options of that form, by its name or an alias."""
    text, options = VARIANTS[variant.name]
    for name in (variant.name, *variant.aliases):
        found = layer(f"conv: {{c_out: 8, k: 3, variant: {name}, {text}}}", channels=8)
        assert found.variant == variant.bind(options)
        assert found.spec == ConvSpec.of(8, 8, k=3, size=32)
        assert found.cost.params == sum(stage.params for stage in variant.bind(options)(found.spec))


def test_words_for_variants():
    """``separable``, ``spatial`` and ``depthwise`` are convolutions written as that variant."""
    words = {"separable": "depthwise-separable", "spatial": "spatial-separable", "depthwise": "depthwise"}
    for word, name in words.items():
        found = layer(f"{word}: {{c_out: 6, k: 3}}")
        assert (found.variant, found.type) == (get(name), name)


JOINS = [
    ("add: a", (3, 8, 8)),
    ("add: [a, a]", (3, 8, 8)),
    ("concat: a", (6, 8, 8)),
    ("concat: {with: [a, a, a]}", (12, 8, 8)),
    ("mul: a", (3, 8, 8)),
    ("mul: gate", (3, 8, 8)),
    ("mul: vector", (3, 8, 8)),
    ("mul: {from: gate, with: a}", (3, 8, 8)),
]


@pytest.mark.parametrize(("text", "shape"), JOINS)
def test_joins(text, shape):
    """A join takes what reaches it and earlier layers; in a product one position gates all of them."""
    layers = f"""
    - identity: {{name: start}}
    - avgpool: {{k: global, name: gate}}
    - linear: {{c_out: 3, from: gate}}
    - flatten: {{name: vector}}
    - identity: {{from: start, name: a}}
    - {text}
    """
    found = network(layers, size=8)
    assert found.layers[-1].output.shape == shape


def test_from_reads_an_earlier_layer():
    """``from`` goes on from any earlier layer; the layers between go on being counted."""
    found = network("- conv: {name: a, c_out: 8, k: 1}\n- conv: {c_out: 16, k: 1}\n- conv: {c_out: 4, k: 1, from: a}")
    assert [each.input.channels for each in found.layers] == [3, 8, 8]
    assert found.cost.params == 24 + 128 + 32


@pytest.mark.parametrize(
    ("shortcut", "c_out", "stride", "expected"),
    [
        ("auto", 3, 1, ["conv1", "add1"]),
        ("auto", 8, 1, ["conv1", "shortcut1", "add1"]),
        ("auto", 3, 2, ["conv1", "shortcut1", "add1"]),
        ("identity", 3, 1, ["conv1", "add1"]),
        ("optional", 3, 1, ["conv1", "add1"]),
        ("optional", 8, 1, ["conv1"]),
        ("optional", 3, 2, ["conv1"]),
        ("[{avgpool: 2}, {conv: {c_out: 8, k: 1}}]", 8, 2, ["conv1", "avgpool1", "conv2", "add1"]),
        ("[]", 3, 1, ["conv1", "add1"]),
    ],
)
def test_shortcuts(shortcut, c_out, stride, expected):
    """A shortcut projects where it has to, or is left out, or is written down."""
    text = f"- residual: {{body: [conv: {{c_out: {c_out}, k: 3, stride: {stride}}}], shortcut: {shortcut}}}"
    assert names(text) == expected
    assert shapes(text)[-1] == (c_out, 32 // stride, 32 // stride)


def test_a_projection_is_like_the_other_convolutions():
    """The projection of a shortcut has the norm and the bias that the file's defaults give, and no activation."""
    text = "- residual: [conv: {c_out: 8, k: 3, stride: 2}]"
    found = network(text, head="defaults: {norm: batch, act: prelu, bias: true}").layers[1]
    expected = nn.Sequential(nn.Conv2d(3, 8, 1, stride=2), nn.BatchNorm2d(8))
    assert found.spec == ConvSpec.of(3, 8, k=1, size=32, stride=2, bias="all")
    assert found.cost.params == parameter_count(expected)


def test_joins_of_residuals_and_branches():
    """A residual adds and branches are concatenated unless they say otherwise."""
    assert names("- residual: [relu]\n- residual: {body: [relu], join: concat}\n- parallel: [[relu], []]") == [
        "relu1", "add1", "relu2", "concat1", "relu3", "concat2",
    ]  # fmt: skip
    assert names("- parallel: {branches: [[relu], [avgpool: global]], join: mul}")[-1] == "mul1"
    assert names("- residual: {body: [relu], act: prelu}")[-1] == "prelu1"
    assert network("- residual: {body: [relu], act: prelu}").cost.params == 1


@pytest.mark.parametrize(
    ("split", "widths"), [("true", (6, 6)), ("[4, 8]", (4, 8)), ("false", (12, 12)), ("null", (12, 12))]
)
def test_branches_of_a_split(split, widths):
    """Each branch reads all channels, equal parts of them, or as many as the list says."""
    found = network(f"- parallel: {{split: {split}, branches: [[relu], [gelu]]}}", channels=12)
    assert [each.input.channels for each in found.layers[:2]] == list(widths)
    assert found.layers[-1].output.channels == sum(widths)


def test_names_of_branches():
    """Layers of a named branch carry its name, those of a named layer with layers inside carry that."""
    text = """
    - residual:
        name: res
        body: [relu, {parallel: [{left: [relu]}, {right: [relu, relu]}]}]
        shortcut: [conv: {c_out: 6, k: 1}]
    - parallel: [{left: [relu]}, []]
    - relu: {from: res}
    """
    assert names(text) == [
        "res.relu1", "res.left.relu1", "res.right.relu1", "res.right.relu2", "res.concat1", "res.conv1", "res.add1",
        "left.relu1", "concat1", "relu1",
    ]  # fmt: skip


def test_shared_weights():
    """Weights that are used twice count once in parameters and twice in multiply-adds."""
    found = network(
        """
        - conv: {name: head, c_out: 3, k: 3, norm: batch, bias: true}
        - maxpool: 2
        - conv: {c_out: 3, k: 3, norm: batch, bias: true, shares: head}
        """
    )
    first, _, again = found.layers
    assert first.cost.params == 3 * 3 * 9 + 3 + 6
    assert (again.cost.params, again.shares) == (0, "head")
    assert first.cost.macs == 4 * again.cost.macs > 0
    module = nn.Sequential(head := nn.Sequential(nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)), nn.MaxPool2d(2), head)
    assert found.cost.params == parameter_count(module)


def test_weights_of_linear_layers_are_shared():
    """A linear layer shares weights with another, found by its full name."""
    found = network(
        "- avgpool: global\n- linear: {name: a, c_out: 3}\n- half: {name: b}",
        head="blocks: {half: {layers: [linear: {c_out: 3, shares: a}]}}",
    )
    assert [each.shares for each in found.layers[1:]] == [None, "a"]
    assert found.cost.params == 9


def test_batch():
    """A layer that runs over several feature maps has its parameters once and its multiply-adds as often."""
    one, many = layer("conv: {c_out: 8, k: 3}"), layer("conv: {c_out: 8, k: 3, batch: 5}")
    assert (many.cost.params, many.cost.macs) == (one.cost.params, 5 * one.cost.macs)


def test_uncounted():
    """An operator that nobody understands is listed with its place and its name, and an ordinary one is not."""
    found = network("- operator: clamp\n- uncounted: {operator: aten::fft, name: a, params: 5}\n- uncounted: fft")
    assert [(each.name, each.type) for each in found.uncounted] == [("a", "aten::fft"), ("fft1", "fft")]
    assert found.cost.params == 5
    assert all(isinstance(each, Operator) for each in found.layers)


@pytest.mark.parametrize("text", LAYER_FAULTS)
def test_faults(text):
    """What a layer refuses is named with its place, its values and the cure."""
    assert layer_faults(text) == [LAYER_FAULTS[text]]


AFTER_FLATTEN = {
    "conv: {c_out: 8, k: 3}": "conv: a vector of 3072 channels reaches this layer, which needs positions; use linear",
    "maxpool: 2": "maxpool: a vector of 3072 channels reaches this layer, which needs positions; put it before flatten",
    "avgpool: global": (
        "avgpool: a vector of 3072 channels reaches this layer, which needs positions; put it before flatten"
    ),
    "upsample: 2": (
        "upsample: a vector of 3072 channels reaches this layer, which needs positions; put it before flatten"
    ),
    "linear: {c_out: 8, size: 1}": "linear: size 1 contradicts the vector that reaches it; remove size",
}


@pytest.mark.parametrize("text", AFTER_FLATTEN)
def test_layers_that_need_positions(text):
    """What needs positions is refused behind flatten."""
    (found,) = layer_faults(f"- flatten\n- {text}")
    assert found.split(": ", 1)[1] == AFTER_FLATTEN[text]


SHARED = {
    "conv: {c_out: 8, k: 3, shares: a}": None,
    "conv: {c_out: 8, k: 5, shares: a}": (
        "a has weights 8×3×3×3 without bias, this layer needs 8×3×5×5 without bias; make them alike"
    ),
    "conv: {c_out: 8, k: 3, bias: true, shares: a}": (
        "a has weights 8×3×3×3 without bias, this layer needs 8×3×3×3 with bias; make them alike"
    ),
    "separable: {c_out: 8, k: 3, shares: a}": (
        "a has weights 8×3×3×3 without bias, this layer needs 3×1×3×3 and 8×3×1×1 without bias; make them alike"
    ),
    "conv: {c_out: 8, k: 3, shares: b}": "b has no weights to share; name a convolution or a linear layer",
}


@pytest.mark.parametrize("text", SHARED)
def test_weights_that_cannot_be_shared(text):
    """Weights are shared between layers that have the same ones, and with nothing else."""
    layers = f"- conv: {{name: a, c_out: 8, k: 3}}\n- relu: {{name: b, from: start}}\n- {text}"
    found = layer_faults(f"- identity: {{name: start}}\n{layers}")
    assert [each.split(": ", 2)[2] for each in found] == ([SHARED[text]] if SHARED[text] else [])


def test_names_are_taken_once():
    """A name that an earlier layer has is refused, for layers with layers inside as well."""
    assert layer_faults(
        "- relu: {name: a}\n- gelu: {name: a}\n- residual: {name: a, body: [relu]}\n- relu: {name: relu1}"
    ) == [
        "2:16: a: the name a is taken by an earlier layer; choose another",
        "3:20: a: the name a is taken by an earlier layer; choose another",
    ]


def test_faults_inside_layers_with_layers_inside():
    """Where it is unknown what reaches a residual or a branch, the faults that are its own are found all the same."""
    assert layer_faults(
        """
        - conv: {k: 3}
        - residual: {body: [conv: {c_out: 8}], shortcut: [rleu]}
        - parallel: [[{conv: {c_out: 8, k: 0}}], [{separable: {k: 3}}]]
        - residual: {body: 5}
        - maxpool
        """.strip("\n")
    ) == [
        "1:3: conv: c_out is missing; give a whole number of channels",
        "2:21: conv: k is missing; give a whole number, or one per axis like 3x1 or [3, 1]",
        "2:51: layer: unknown layer 'rleu'; did you mean 'relu'?",
        "3:36: conv: k: expected a whole number, or one per axis like 3x1 or [3, 1], got 0",
        "3:43: separable: c_out is missing; give a whole number of channels",
        "4:3: residual: expected a list of layers, got 5",
        "5:3: maxpool: give k or out, one of the two",
    ]


def test_nothing_reaches_the_first_layer():
    """Without an input the first layer has to say what it reads."""
    assert faults("layers: [relu, relu]") == [
        "1:10: relu: nothing reaches this layer; give it c_in and size, or the file an input"
    ]
    assert faults("layers: [{relu: {c_in: 3}}]") == [
        "1:10: relu: nothing reaches this layer; give it c_in and size, or the file an input"
    ]
