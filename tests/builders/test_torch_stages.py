"""The core held against PyTorch: every random convolution, rewritten by every variant, built and counted."""

import sys
from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import find, given, settings
from hypothesis import strategies as st
from strategies import randomly, rewrites, specs
from torch.nn.functional import conv1d, conv2d, conv3d

from sepcalc.builders.prediction import Counted
from sepcalc.builders.torch_stages import build_stages, counted, example, flops, parameter_count
from sepcalc.core import variants
from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import Stages, Variant, all_variants, get, pointwise

# On tensors this small threads do nothing but wait for each other.
torch.set_num_threads(1)

EVERY = [pytest.param(variant, id=variant.name) for variant in all_variants()]


def check_against_torch(spec: ConvSpec, stages: Stages) -> None:
    """Compare what ``stages`` say of themselves with the modules built from them, one after another."""
    x = example(spec, device="meta")
    for stage in stages:
        module = build_stages([stage], device="meta")
        assert x.shape == (1, stage.c_in, *stage.size)
        assert parameter_count(module) == stage.params
        assert flops(module, x) == 2 * stage.macs
        x = module(x)
        assert x.shape == (1, stage.c_out, *stage.out_size)
        assert x.numel() == stage.activations
    assert x.shape == (1, spec.c_out, *spec.out_size)


@pytest.mark.parametrize("variant", EVERY)
@randomly(60)
@given(data=st.data())
def test_stages_cost_in_torch_what_they_say(variant, data):
    """Parameters, shapes and FLOPs of every stage of every variant are those of the module built from it."""
    check_against_torch(*data.draw(rewrites(variant)))


@pytest.mark.parametrize("variant", EVERY)
@randomly(15)
@given(data=st.data())
def test_a_whole_variant_is_one_module(variant, data):
    """A variant's stages in one ``nn.Sequential`` have the sum of the stages' parameters and multiply-adds."""
    spec, stages = data.draw(rewrites(variant))
    module = build_stages(stages, device="meta")
    assert parameter_count(module) == sum(stage.params for stage in stages)
    assert flops(module, example(spec, device="meta")) == 2 * sum(stage.macs for stage in stages)


@randomly(30)
@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(["none", "last", "all"]))
def test_a_linear_layer_is_a_convolution_without_axes(c_in, c_out, bias):
    """Without axes a convolution costs what ``nn.Linear`` does."""
    spec = ConvSpec(c_in=c_in, c_out=c_out, kernel=(), size=(), bias=bias)
    check_against_torch(spec, get("standard")(spec))


@pytest.fixture
def registry(monkeypatch):
    """A copy of the registry, for variants that must not stay."""
    monkeypatch.setattr(variants, "_REGISTRY", dict(variants._REGISTRY))


def caught(variant: Variant) -> ConvSpec:
    """The simplest convolution on which :func:`check_against_torch` refuses ``variant``."""

    def fails(pair: tuple[ConvSpec, Stages]) -> bool:
        try:
            check_against_torch(*pair)
        except AssertionError:
            return True
        return False

    return find(rewrites(variant), fails, settings=settings(randomly(300), database=None))[0]


@pytest.mark.usefixtures("registry")
def test_a_stage_at_the_wrong_resolution_is_caught():
    """The comparison with torch finds a variant whose second stage forgets the stride of the first."""

    @variants.variant("forgetful", gives_up="It cannot remember its stride.")
    def forgetful(spec: ConvSpec) -> Stages:
        return replace(spec, c_out=spec.c_in, groups=spec.c_in), pointwise(spec, spec.c_in, spec.c_out, spec.size)

    spec = caught(get("forgetful"))
    assert spec.out_size != spec.size


@pytest.mark.usefixtures("registry")
def test_a_wrong_formula_is_caught(monkeypatch):
    """The comparison with torch finds transposed convolutions that are counted by output positions."""
    monkeypatch.setattr(ConvSpec, "macs", property(lambda spec: spec.weights * prod(spec.out_size)))
    assert caught(get("standard")).transposed


def kernel_of(module: torch.nn.Module, stage: ConvSpec) -> torch.Tensor:
    """The weight of a stage without groups, as (c_out, c_in, *kernel): zero between channels that do not meet."""
    weight = next(layer.weight for layer in module if hasattr(layer, "weight"))
    parts = weight.detach().chunk(stage.groups)
    full = weight.new_zeros(stage.c_out, stage.c_in, *stage.kernel)
    for group, part in enumerate(parts):
        block = part.transpose(0, 1) if stage.transposed else part
        rows, columns = stage.c_out // stage.groups, stage.c_in // stage.groups
        full[group * rows : (group + 1) * rows, group * columns : (group + 1) * columns] = block
    return full


def composed(modules: list[torch.nn.Module], stages: Stages) -> torch.Tensor:
    """The dense kernel that is the product of the stages' kernels, which must lie along different axes."""
    for extents in zip(*(stage.kernel for stage in stages), strict=True):
        assert sum(k > 1 for k in extents) <= 1
    total, *rest = (kernel_of(module, stage) for module, stage in zip(modules, stages, strict=True))
    for factor in rest:
        total = torch.einsum("nr...,rm...->nm...", factor, total)
    return total


@pytest.mark.parametrize(
    "name",
    [
        "standard",
        "depthwise-separable",
        "spatial-separable",
        "depthwise",
        "depthwise-spatial",
        "blueprint-separable",
        "grouped",
        "bottleneck",
        "inverted-bottleneck",
    ],
)
@randomly(30)
@given(data=st.data())
def test_factors_compose_to_a_dense_kernel(name, data):
    """The stages, run one after another in float64, give what one dense convolution with the product kernel gives."""
    # A bias before the last stage would meet the zero padding of the next: the composition is exact without.
    spec, stages = data.draw(rewrites(get(name), specs(biases=("none", "last"))))
    torch.manual_seed(0)
    modules = [build_stages([stage]).double() for stage in stages]
    dense = build_stages([replace(spec, groups=1)]).double()
    layer = next(layer for layer in dense if hasattr(layer, "weight"))
    kernel = composed(modules, stages)
    with torch.no_grad():
        layer.weight.copy_(kernel.transpose(0, 1) if spec.transposed else kernel)
        if spec.bias == "last":
            layer.bias.copy_(next(each.bias for each in modules[-1] if hasattr(each, "weight")))
        x = torch.randn(2, spec.c_in, *spec.size, dtype=torch.float64)
        torch.testing.assert_close(torch.nn.Sequential(*modules)(x), dense(x), rtol=1e-9, atol=1e-12)


def plain(spec: ConvSpec) -> ConvSpec:
    """``spec`` at stride 1 with ``same`` padding."""
    return replace(spec, stride=(), padding="same", output_padding=(), bias="none", transposed=False)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@randomly(40)
@given(specs().map(plain))
def test_same_padding_is_that_of_torch(spec):
    """At stride 1 ``same`` padding gives the values of torch's own ``padding="same"``, even kernels included."""
    module = build_stages([spec]).double()
    x = torch.randn(1, spec.c_in, *spec.size, dtype=torch.float64)
    convolve = (conv1d, conv2d, conv3d)[len(spec.kernel) - 1]
    expected = convolve(x, module[-1].weight, padding="same", dilation=spec.dilation, groups=spec.groups)
    torch.testing.assert_close(module(x), expected)


@randomly(60)
@given(specs())
def test_transposed_same_is_the_adjoint(spec):
    """The transposed convolution with ``same`` padding is the adjoint of the forward one, at any stride."""
    wide = tuple(n * s for n, s in zip(spec.size, spec.stride, strict=True))
    down = replace(spec, size=wide, padding="same", output_padding=(), bias="none", transposed=False)
    up = replace(down, size=spec.size, c_in=spec.c_out, c_out=spec.c_in, transposed=True)
    forward, backward = build_stages([down]).double(), build_stages([up]).double()
    backward[0].weight = forward[-1].weight
    x = torch.randn(1, down.c_in, *wide, dtype=torch.float64)
    y = torch.randn(1, up.c_in, *spec.size, dtype=torch.float64)
    torch.testing.assert_close((forward(x) * y).sum(), (x * backward(y)).sum())


def test_a_shared_parameter_counts_once():
    """A module that is used twice has its parameters counted once and its FLOPs twice."""
    layer = build_stages([ConvSpec(c_in=4, c_out=4, kernel=(1,))])
    twice = torch.nn.Sequential(layer, layer)
    assert parameter_count(twice) == 16
    assert flops(twice, torch.zeros(1, 4, 10)) == 2 * 2 * 160


def test_what_returns_several_has_no_shape():
    """A module is counted in one run: parameters, the shape without the batch, FLOPs; several outputs have no shape."""
    layer = build_stages([ConvSpec(c_in=4, c_out=4, kernel=(1,))])
    assert counted(layer, torch.zeros(2, 4, 10)) == Counted(params=16, shape=(4, 10), flops=2 * 2 * 160)
    layer.register_forward_hook(lambda module, given, output: (output, output))
    assert counted(layer, torch.zeros(1, 4, 10)) == Counted(params=16, shape=None, flops=2 * 160)


def test_frozen_parameters():
    """Parameters that are frozen are parameters, as they are for the importer."""
    assert parameter_count(build_stages([ConvSpec(c_in=4, c_out=4, kernel=(1,))]).requires_grad_(False)) == 16


def test_an_input_needs_a_size():
    """Where the size is open there is no input to run."""
    with pytest.raises(SpecError) as error:
        example(ConvSpec(c_in=4, c_out=4, kernel=(1,)))
    assert str(error.value) == "an input to run depends on the feature size; give a size"


def test_missing_torch_names_the_extra(monkeypatch):
    """Without torch the import says which extra to install."""
    # Undone within the test: what seeds every test anew may need torch for it.
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torch", None)
        patch.delitem(sys.modules, "sepcalc.builders.torch_stages")
        with pytest.raises(MissingExtraError) as error:
            import sepcalc.builders.torch_stages  # noqa: F401 the import is what fails
    assert str(error.value) == "building PyTorch modules needs the 'torch' extra: pip install 'sepcalc[torch]'"
