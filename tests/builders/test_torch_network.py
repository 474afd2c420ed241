"""Networks as modules: held against their own numbers, against torchvision's modules, and operator by operator."""

import sys
from dataclasses import replace
from importlib import import_module
from weakref import ref

import pytest
import torch
from files import layer, network
from hypothesis import given
from hypothesis import strategies as st
from oracles import model_zoo
from strategies import randomly, rewrites, specs
from torch import nn
from torch.nn import functional

from sepcalc.builders.torch_network import build_network, example, layer_module
from sepcalc.builders.torch_stages import flops, parameter_count
from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.layers import NORM_PARAMS, Convolution
from sepcalc.core.modules import ACTIVATIONS
from sepcalc.core.network import Network
from sepcalc.core.variants import all_variants, choose
from sepcalc.readers.yaml.reader import bundled, load, read

# On tensors this small threads do nothing but wait for each other.
torch.set_num_threads(1)

EVERY = [pytest.param(variant, id=variant.name) for variant in all_variants()]
WORDS = ("none", *ACTIVATIONS)


def check(found: Network) -> None:
    """The module of a network has its parameters, its multiply-adds and the output of its last layer."""
    module, x = build_network(found, device="meta").eval(), example(found, device="meta")
    assert parameter_count(module) == found.cost.params
    assert flops(module, x) == 2 * found.cost.macs
    assert module(x).shape == (1, *found.layers[-1].output.shape)


@pytest.mark.slow
@pytest.mark.parametrize("name", bundled())
def test_bundled_networks(name):
    """Every bundled network, as written and as each default variant, has the parameters and FLOPs that it says."""
    found = load(name)
    for each in (found, *map(found.written_as, choose())):
        check(each)


@pytest.mark.slow
@pytest.mark.parametrize("variant", EVERY)
@randomly(40)
@given(
    data=st.data(),
    # The others need more than one number, which a random layer need not have.
    norm=st.sampled_from([kind for kind in NORM_PARAMS if kind not in ("instance", "group")]),
    acts=st.tuples(st.sampled_from(WORDS), st.none() | st.sampled_from(WORDS)),
    between=st.sampled_from(["all", "act", "none"]),
)
def test_layers(variant, data, norm, acts, between):
    """One layer, in any form and with any norm and activations, has the cost that its description gives it."""
    spec, _ = data.draw(rewrites(variant, specs(axes=st.integers(1, 3))))
    try:
        found = Convolution(
            name="layer", type="conv", spec=spec, variant=variant, norm=norm, act=acts[0], act_last=acts[1],
            between=between, batch=data.draw(st.integers(1, 3)),
        )  # fmt: skip
        cost = found.cost
    except SpecError:  # only with its options bound does the variant apply
        return
    # In training a batch norm needs more than one number for each channel.
    module, x = layer_module(found, device="meta").eval(), torch.zeros(found.batch, *found.input.shape, device="meta")
    assert parameter_count(module) == cost.params
    assert flops(module, x) == 2 * cost.macs
    assert module(x).shape == (found.batch, *found.output.shape)


@pytest.mark.parametrize(
    ("between", "act_last", "kinds"),
    [
        ("all", None, ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU"]),
        ("act", None, ["Conv2d", "ReLU", "Conv2d", "BatchNorm2d", "ReLU"]),
        ("none", "none", ["Conv2d", "Conv2d", "BatchNorm2d"]),
        ("all", "sigmoid", ["Conv2d", "BatchNorm2d", "ReLU", "Conv2d", "BatchNorm2d", "Sigmoid"]),
    ],
)
def test_what_stands_between_stages(between, act_last, kinds):
    """Norm and activation stand where the description says: after each stage, or after the last alone."""
    separable = layer("separable: {c_out: 4, k: 3, norm: batch, act: relu}")
    found = layer_module(replace(separable, between=between, act_last=act_last), device="meta")
    assert [type(each).__name__ for each in found] == kinds


def in_order(model: nn.Module, x: torch.Tensor) -> list[nn.Module]:
    """The modules of ``model`` that have parameters and no modules inside, in the order in which they run."""
    run = []
    leaves = [each for each in model.modules() if not list(each.children()) and list(each.parameters())]
    handles = [each.register_forward_hook(lambda module, *_: run.append(module)) for each in leaves]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return run


def give(theirs: nn.Module, mine: nn.Module) -> None:
    """Copy weights, statistics and settings, all of which are made random first where they are all alike."""
    if isinstance(theirs, nn.BatchNorm2d | nn.LayerNorm):
        mine.eps = theirs.eps
        for each in theirs.state_dict().values():
            if each.is_floating_point():
                each.uniform_(0.5, 1.5)
    values = theirs.state_dict()
    assert values.keys() == mine.state_dict().keys()
    mine.load_state_dict({key: values[key].view_as(each) for key, each in mine.state_dict().items()})


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "resnet18", "mobilenet_v2", "shufflenet_v2_x1_0", "googlenet", "densenet121", "squeezenet1_0",
        "resnext50_32x4d", "mobilenet_v3_small", "mnasnet1_0", "efficientnet_b0", "convnext_tiny",
    ],
)  # fmt: skip
def test_torchvision(name):
    """With the weights of torchvision's module, a bundled network computes what that module computes."""
    torch.manual_seed(0)
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    theirs = getattr(model_zoo(), name)(**options).double().eval()
    for key, each in theirs.named_parameters():
        if key.endswith("layer_scale"):
            nn.init.ones_(each)
    found = load(name, size=64)
    mine, x = build_network(found).double().eval(), example(found, examples=2).double()
    for pair in zip(in_order(theirs, x), in_order_but(mine, x), strict=True):
        give(*pair)
    with torch.no_grad():
        torch.testing.assert_close(mine(x).flatten(1), theirs(x))


def in_order_but(model: nn.Module, x: torch.Tensor) -> list[nn.Module]:
    """As :func:`in_order`, without the scales that torchvision keeps outside of modules."""
    return [each for each in in_order(model, x) if type(each).__name__ != "Scale"]


def run(layers: str, x: torch.Tensor, **options) -> torch.Tensor:
    """What the module of these ``layers`` makes of ``x``."""
    channels, *size = x.shape[1:]
    found = network(layers, channels=channels, size="x".join(map(str, size)), **options)
    answer = build_network(found).to(x.dtype).eval()(x)
    assert answer.shape == (len(x), *found.layers[-1].output.shape)
    return answer


X = torch.randn(2, 12, 9, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
FIRST, SECOND = X.chunk(2, 1)


def normed(x: torch.Tensor) -> torch.Tensor:
    """Mean 0 and variance 1 over the channels at each position."""
    return (x - x.mean(1, keepdim=True)) / (x.var(1, keepdim=True, correction=0) + 1e-5).sqrt()


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("- maxpool: 2", functional.max_pool2d(X, 2)),
        ("- maxpool: {k: 2, ceil: true}", functional.max_pool2d(X, 2, ceil_mode=True)),
        ("- maxpool: {k: 3, stride: 2, padding: 1}", functional.max_pool2d(X, 3, 2, 1)),
        ("- maxpool: {k: 3, stride: 2, padding: same}", functional.max_pool2d(X, 3, 2, 1)),
        (
            "- maxpool: {k: 2x3, stride: 1, padding: same}",
            functional.max_pool2d(functional.pad(X, (1, 1, 0, 1), value=-1e9), (2, 3), 1),
        ),
        ("- maxpool: global", X.amax((2, 3), keepdim=True)),
        ("- avgpool: {k: 3, stride: 1, padding: same}", functional.avg_pool2d(X, 3, 1, 1)),
        (
            "- avgpool: {k: 2, stride: 1, padding: same}",
            functional.avg_pool2d(functional.pad(X, (0, 1, 0, 1)), 2, 1),
        ),
        ("- avgpool: global", X.mean((2, 3), keepdim=True)),
        ("- avgpool: {out: 3x2}", functional.adaptive_avg_pool2d(X, (3, 2))),
        ("- flatten", X.flatten(1)),
        ("- upsample: 2", X.repeat_interleave(2, 2).repeat_interleave(2, 3)),
        ("- upsample: {out: 5x4}", functional.interpolate(X, (5, 4))),
        ("- channel_shuffle: 3", functional.channel_shuffle(X, 3)),
        ("- split: {parts: 3, part: 2}", X[:, 8:]),
        ("- dropout: 0.9", X),
        ("- operator: {operator: unused, params: 5}", X),
        ("- norm: none", X),
        ("- norm: layer", normed(X)),
        ("- flatten\n- norm: layer", normed(X.flatten(1))),
        ("- norm: rms", functional.rms_norm(X.movedim(1, -1), (12,)).movedim(-1, 1)),
        ("- norm: {kind: instance, affine: true}", functional.instance_norm(X)),
        ("- norm: group", functional.group_norm(X, 4)),
        ("- norm: {kind: batch, affine: false}", X / (1 + 1e-5) ** 0.5),
        ("- layer_scale", X),
        ("- softmax", X.softmax(1)),
        ("- parallel: {split: true, branches: [[], [relu]]}", torch.cat([FIRST, SECOND.relu()], 1)),
        (
            "- parallel: {split: true, join: add, branches: [[], [parallel: {split: [5, 1], branches: [[relu], []]}]]}",
            FIRST + torch.cat([SECOND[:, :5].relu(), SECOND[:, 5:]], 1),
        ),
        ("- residual: {body: [tanh], act: relu}", (X.tanh() + X).relu()),
        (
            "- residual: {join: mul, body: [avgpool: global, sigmoid], shortcut: identity}",
            X * X.mean((2, 3), keepdim=True).sigmoid(),
        ),
        (
            "- tanh: {name: a}\n- avgpool: global\n- flatten\n- mul: a",
            X.tanh() * X.tanh().mean((2, 3), keepdim=True),
        ),
        ("- relu: {name: a}\n- tanh: {name: b}\n- sigmoid: {from: a}\n- concat: [b, a]",
            torch.cat([X.relu().sigmoid(), X.relu().tanh(), X.relu()], 1)),
        ("- add: {with: [a, b], from: a}", None),
    ],
)  # fmt: skip
def test_operators(layers, expected):
    """Each operator of a network file computes what PyTorch's function of that name does."""
    if expected is None:
        layers, expected = f"- relu: {{name: a}}\n- tanh: {{name: b}}\n{layers}", 2 * X.relu() + X.relu().tanh()
    torch.testing.assert_close(run(layers, X), expected)


@pytest.mark.slow
@pytest.mark.parametrize("word", ACTIVATIONS)
def test_activations(word):
    """Each activation of a network file is that of PyTorch, on its own and behind a convolution."""
    own = {"prelu": lambda x: functional.prelu(x, torch.tensor([0.25], dtype=x.dtype)), "identity": lambda x: x}
    own |= {"swish": functional.silu, "softmax": lambda x: x.softmax(1), "sigmoid": torch.sigmoid, "tanh": torch.tanh}
    expected = own.get(word) or getattr(functional, word)
    torch.testing.assert_close(run(f"- {word}", X), expected(X))
    found = network(f"- conv: {{c_out: 2, k: 1, act: {word}}}", channels=12, size="9x7")
    module = build_network(found).double()
    torch.testing.assert_close(module(X), expected(functional.conv2d(X, next(module.parameters()))))
    check(found)


@pytest.mark.parametrize("axes", [1, 3])
def test_other_axes(axes):
    """Sequences and volumes have modules as pictures have."""
    found = network(
        """
        - conv: {c_out: 8, k: 3, norm: batch, act: relu}
        - residual: {body: [separable: {c_out: 8, k: 3, norm: instance}], shortcut: identity}
        - maxpool: {k: 2, stride: 1, padding: same}
        - upsample: 2
        - norm: layer
        - layer_scale
        - avgpool: {out: 1}
        - norm: batch
        - linear: {c_out: 4, bias: true}
        """,
        size="x".join(["6"] * axes) if axes > 1 else "[6]",
    )
    check(found)


SHARED = """
- conv: {name: a, c_out: 3, k: 3, norm: batch, act: prelu, bias: true}
- maxpool: 2
- conv: {name: b, c_out: 3, k: 3, norm: batch, act: prelu, bias: true, shares: a, stride: 2, batch: 4}
- avgpool: global
- flatten
- linear: {name: c, c_out: 3, batch: 5}
- linear: {c_out: 3, shares: c}
"""


def test_shared_weights_and_batches():
    """Weights that are shared are one parameter in any form, and a layer with a batch runs over so many maps."""
    found = network(SHARED)
    for each in (found, *map(found.written_as, choose())):
        check(each)
    module = build_network(found)
    sizes = sorted(each.numel() for each in module.parameters())
    assert sizes == sorted([81, 3, 3, 3, 1, 9])


def test_shares_of_another_form():
    """A layer whose weights belong to one in another form has no module, and the message names both."""
    found = network("- conv: {name: a, c_out: 3, k: 3}\n- conv: {name: b, c_out: 3, k: 3, shares: a}")
    with pytest.raises(SpecError) as caught:
        build_network(found.written_as("depthwise-separable", only=["b"]))
    assert str(caught.value) == (
        "b has no PyTorch module: it shares the parameters of a, which has others; give both the same form"
    )


ONE_EACH = "channels at one position has one number each; put it before the pooling"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            "- product: {name: qk, operator: attention, terms: [[3, 3, 9]]}",
            "qk has no PyTorch module: of 'attention' only the name and the cost are known",
        ),
        (
            "- operator: {name: x, operator: relu}",
            "x has no PyTorch module: of 'relu' only the name and the cost are known",
        ),
        ("- uncounted: fft", "fft1 has no PyTorch module: of 'fft' only the name and the cost are known"),
        (
            "- avgpool: global\n- norm: {name: n, kind: instance}",
            f"n has no PyTorch module: an instance norm of 3 {ONE_EACH}",
        ),
        (
            "- conv: {name: n, c_out: 16, k: 32, padding: valid, norm: group}",
            f"n has no PyTorch module: a group norm of 16 {ONE_EACH}",
        ),
    ],
)
def test_what_has_no_module(layers, message):
    """What is known by its cost alone cannot be run, and the message names the layer."""
    with pytest.raises(SpecError) as caught:
        build_network(network(layers))
    assert str(caught.value) == message


def test_unknown_wiring():
    """Layers of which it is unknown what they read are no module."""
    with pytest.raises(SpecError) as caught:
        build_network(replace(network("- relu"), wiring=None))
    assert str(caught.value) == "net cannot be built from its layers alone; run the model itself"
    plain = "layers:\n- {name: a, c_in: 3, c_out: 4, k: 3, size: 8}\n- {name: b, c_in: 4, c_out: 4, k: 3, size: 4}"
    with pytest.raises(SpecError) as caught:
        build_network(read(plain))
    assert str(caught.value) == "b reads 4×4×4, which the layer before it does not write; add what is missing"
    check(read(f"{plain}\n".replace("size: 4", "size: 8")))
    with pytest.raises(SpecError, match=r"^empty has no layers, and so no input$"):
        example(Network(name="empty", layers=()))


BRANCHES = """
- conv: {c_out: 8, k: 3, bias: true, act: relu}
- residual: {body: [sigmoid, relu, hardswish], act: silu}
- parallel: {split: true, branches: [[relu6], [conv: {c_out: 4, k: 3, norm: batch, act: relu}]]}
- channel_shuffle: 2
- residual: {join: mul, body: [avgpool: global, conv: {c_out: 8, k: 1, act: hardsigmoid}], shortcut: identity}
- avgpool: global
- linear: {c_out: 5, act: swish}
"""


def test_gradients():
    """Nothing is overwritten that the gradients of another layer need: they are those of finite differences."""
    module = build_network(network(BRANCHES, size=4)).double()
    x = torch.randn(2, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, x)


@pytest.mark.slow
def test_other_forms_of_the_same_numbers():
    """Channels last, in half precision and compiled, the module computes what it computes."""
    found = network(BRANCHES, size=8)
    module, x = build_network(found).eval(), example(found, examples=2)
    with torch.inference_mode():
        expected = module(x)
        torch.testing.assert_close(torch.compile(module, backend="eager", fullgraph=True)(x), expected)
        last = module.to(memory_format=torch.channels_last)
        torch.testing.assert_close(last(x.to(memory_format=torch.channels_last)), expected)
        assert last(x.to(memory_format=torch.channels_last)).shape == expected.shape
        half = module.to(torch.bfloat16)(x.bfloat16())
    torch.testing.assert_close(half.float(), expected, rtol=0.1, atol=0.05)


def test_nothing_is_kept():
    """A feature map is let go of as soon as no later layer reads it."""
    body = "\n".join(["- tanh"] * 6)
    module, seen, most = build_network(network(f"- tanh: {{name: a}}\n{body}\n- add: a\n{body}")), [], []

    def look(*given):
        seen.append(ref(given[-1]))
        most.append(sum(each() is not None for each in seen))

    for each in module.run:
        each.register_forward_hook(look)
    with torch.inference_mode():
        module(torch.zeros(1, 3, 32, 32))
    # What the layer reads and writes, and beside the first body the map that is added behind it.
    assert most == [1, 2, *[3] * 6, *[2] * 6]


def test_what_flows_keeps_its_size():
    """After many layers numbers are neither too small nor too large for half precision."""
    found = network("- conv: {c_out: 64, k: 3, act: relu, repeat: 40}", channels=64, size=8)
    with torch.inference_mode():
        size = build_network(found)(example(found)).square().mean().sqrt()
    assert 2**-10 < size < 2**10


@pytest.mark.parametrize("module", ["torch_network", "torch_operators", "torch_swap"])
def test_without_torch(monkeypatch, module):
    """Where torch is not installed, the message says what to install."""
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        for name in ("torch_stages", "torch_operators", module):
            patch.delitem(sys.modules, f"sepcalc.builders.{name}", raising=False)
        with pytest.raises(MissingExtraError) as raised:
            import_module(f"sepcalc.builders.{module}")
    assert str(raised.value) == "building PyTorch modules needs the 'torch' extra: pip install 'sepcalc[torch]'"
