"""Stages as the calls of PyTorch and Keras; what the PyTorch ones cost is held against torch in test_torch_backend."""

from dataclasses import replace

import pytest
import torch
from frameworks import keras_on_torch
from hypothesis import given, reject
from hypothesis import strategies as st
from strategies import randomly, rewrites, specs

from sepcalc.builders.calls import CALLS, Call, keras_calls, torch_calls
from sepcalc.builders.torch_stages import build_stages, flops
from sepcalc.core.errors import SpecError
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import all_variants

EVERY = [pytest.param(variant, id=variant.name) for variant in all_variants()]


def conv(**settings: object) -> ConvSpec:
    """A convolution of 8 to 16 channels, 3×3 unless ``settings`` say otherwise."""
    return ConvSpec.of(8, 16, **{"k": 3, "bias": "all", **settings})


def called(name: str, *args: object, **kwargs: object) -> Call:
    """A call as it is written."""
    return Call(name=name, args=args, kwargs=kwargs)


@pytest.mark.parametrize(
    ("stage", "calls"),
    [
        (conv(), [called("Conv2d", 8, 16, 3, padding=1)]),
        (conv(bias="none"), [called("Conv2d", 8, 16, 3, padding=1, bias=False)]),
        (conv(k=1), [called("Conv2d", 8, 16, 1)]),
        (conv(k=(5,), stride=2, size=9), [called("Conv1d", 8, 16, 5, stride=2, padding=2)]),
        (
            conv(k=(3, 1, 3), groups=8),
            [called("Conv3d", 8, 16, (3, 1, 3), padding=(1, 0, 1), groups=8)],
        ),
        (conv(dilation=(2, 1)), [called("Conv2d", 8, 16, 3, padding=(2, 1), dilation=(2, 1))]),
        (conv(k=4, dilation=2), [called("Conv2d", 8, 16, 4, padding=3, dilation=2)]),
        (conv(padding=(2, 0)), [called("Conv2d", 8, 16, 3, padding=(2, 0))]),
        # Even kernels pad more at the end, unless the stride never gets there.
        (conv(k=2), [called("ZeroPad2d", (0, 1, 0, 1)), called("Conv2d", 8, 16, 2)]),
        (conv(k=(4, 3)), [called("ZeroPad2d", (1, 1, 1, 2)), called("Conv2d", 8, 16, (4, 3))]),
        (conv(k=(2, 3, 4)), [called("ZeroPad3d", (1, 2, 1, 1, 0, 1)), called("Conv3d", 8, 16, (2, 3, 4))]),
        (conv(k=4, stride=2, size=8), [called("Conv2d", 8, 16, 4, stride=2, padding=1)]),
        (
            conv(k=4, stride=2, size=9),
            [called("ZeroPad2d", (1, 2, 1, 2)), called("Conv2d", 8, 16, 4, stride=2)],
        ),
        (
            conv(k=4, stride=2),
            [called("ZeroPad2d", (1, 2, 1, 2)), called("Conv2d", 8, 16, 4, stride=2)],
        ),
        (conv(transposed=True), [called("ConvTranspose2d", 8, 16, 3, padding=1)]),
        (
            conv(transposed=True, stride=2),
            [called("ConvTranspose2d", 8, 16, 3, stride=2, padding=1, output_padding=1)],
        ),
        (conv(transposed=True, stride=2, k=4), [called("ConvTranspose2d", 8, 16, 4, stride=2, padding=1)]),
        (conv(transposed=True, stride=2, k=2), [called("ConvTranspose2d", 8, 16, 2, stride=2)]),
        (
            conv(transposed=True, k=(2, 3)),
            [called("ConvTranspose2d", 8, 16, (2, 3), padding=(0, 1)), called("ZeroPad2d", (0, 0, 0, -1))],
        ),
        (
            conv(transposed=True, stride=2, padding=1, output_padding=(1, 0)),
            [called("ConvTranspose2d", 8, 16, 3, stride=2, padding=1, output_padding=(1, 0))],
        ),
        (conv(k=(), size=()), [called("Linear", 8, 16)]),
        (conv(k=(), size=(), bias="none"), [called("Linear", 8, 16, bias=False)]),
    ],
)
def test_torch_calls(stage, calls):
    """A stage is the call that a PyTorch user would write, with padding or cropping where PyTorch needs it."""
    assert list(torch_calls(stage)) == calls


@pytest.mark.parametrize(
    ("stage", "calls"),
    [
        (conv(), [called("Conv2D", 16, 3, padding="same")]),
        (conv(bias="none", stride=2), [called("Conv2D", 16, 3, strides=2, padding="same", use_bias=False)]),
        (conv(k=1), [called("Conv2D", 16, 1)]),
        (conv(padding="valid"), [called("Conv2D", 16, 3)]),
        (conv(padding=1), [called("ZeroPadding2D", 1), called("Conv2D", 16, 3)]),
        (conv(padding=(1, 2)), [called("ZeroPadding2D", (1, 2)), called("Conv2D", 16, 3)]),
        (conv(k=(3,), padding=2), [called("ZeroPadding1D", 2), called("Conv1D", 16, 3)]),
        (conv(dilation=2), [called("Conv2D", 16, 3, padding="same", dilation_rate=2)]),
        (conv(groups=4), [called("Conv2D", 16, 3, padding="same", groups=4)]),
        (conv(groups=8), [called("DepthwiseConv2D", 3, padding="same", depth_multiplier=2)]),
        (
            conv(groups=8, k=(3, 1), stride=2),
            [called("DepthwiseConv2D", (3, 1), strides=2, padding="same", depth_multiplier=2)],
        ),
        (conv(groups=8, k=(3,)), [called("DepthwiseConv1D", 3, padding="same", depth_multiplier=2)]),
        # TensorFlow's depthwise layer wants one stride, and nobody has one for volumes.
        (conv(groups=8, stride=(2, 1)), [called("Conv2D", 16, 3, strides=(2, 1), padding="same", groups=8)]),
        (conv(groups=8, k=(3, 3, 3)), [called("Conv3D", 16, 3, padding="same", groups=8)]),
        (conv(transposed=True, stride=2), [called("Conv2DTranspose", 16, 3, strides=2, padding="same")]),
        (
            conv(transposed=True, stride=2, padding=1),
            [called("Conv2DTranspose", 16, 3, strides=2), called("Cropping2D", 1)],
        ),
        (
            conv(transposed=True, stride=2, padding=1, output_padding=(1, 0)),
            [called("Conv2DTranspose", 16, 3, strides=2), called("Cropping2D", ((1, 0), (1, 1)))],
        ),
        (
            conv(transposed=True, k=(3,), stride=2, padding=0, output_padding=1),
            [called("Conv1DTranspose", 16, 3, strides=2, output_padding=1)],
        ),
        (
            conv(transposed=True, k=(3,), stride=2, padding=2, output_padding=1),
            [called("Conv1DTranspose", 16, 3, strides=2), called("Cropping1D", (2, 1))],
        ),
        # A kernel shorter than its stride would be padded by Keras.
        (
            conv(transposed=True, k=(2,), stride=3, padding="valid"),
            [called("Conv1DTranspose", 16, 2, strides=3, output_padding=0)],
        ),
        (
            conv(transposed=True, k=(2,), stride=3, padding="valid", output_padding=1),
            [called("Conv1DTranspose", 16, 2, strides=3)],
        ),
        (conv(k=(), size=()), [called("Dense", 16)]),
        (conv(k=(), size=(), bias="none"), [called("Dense", 16, use_bias=False)]),
    ],
)
def test_keras_calls(stage, calls):
    """A stage is the layer that a Keras user would write, depthwise layers where Keras has them."""
    assert list(keras_calls(stage)) == calls


@pytest.mark.parametrize(
    ("framework", "stage", "reason"),
    [
        (
            "keras",
            conv(stride=(2, 1), dilation=(1, 3), size=9),
            "Keras has no layer with stride 2×1 and dilation 1×3 at once; use torch",
        ),
        ("keras", conv(transposed=True, groups=4), "Keras has no transposed layer with groups 4; use torch"),
        (
            "keras",
            conv(transposed=True, k=(3,), dilation=2, padding=0, output_padding=1),
            "Keras has no output_padding 1 at stride 1; use torch",
        ),
        ("keras", conv(k=(), groups=4), "a linear layer cannot have groups 4; use a convolution with k 1"),
        ("torch", conv(k=(), groups=4), "a linear layer cannot have groups 4; use a convolution with k 1"),
    ],
)
def test_what_a_framework_cannot_express(framework, stage, reason):
    """A stage that a framework cannot express is refused with the reason, never made into something else."""
    with pytest.raises(SpecError) as error:
        CALLS[framework](stage)
    assert str(error.value) == reason


def keras_model(stage: ConvSpec) -> torch.nn.Module:
    """The Keras model of one stage; rejected where Keras cannot express it."""
    keras = keras_on_torch()
    try:
        calls = keras_calls(stage)
    except SpecError:
        reject()
    made = [getattr(keras.layers, call.name)(*call.args, **call.kwargs) for call in calls]
    return keras.Sequential([keras.Input((*stage.size, stage.c_in)), *made])


@pytest.mark.slow
@pytest.mark.parametrize("variant", EVERY)
@randomly(8)
@given(data=st.data())
def test_stages_cost_in_keras_what_they_say(variant, data):
    """Parameters, shapes and FLOPs of every stage that Keras can express are those of the Keras layers."""
    _, stages = data.draw(rewrites(variant, specs(axes=st.sampled_from([1, 2, 2, 3]))))
    for stage in stages:
        model = keras_model(stage)
        x = torch.zeros(1, *stage.size, stage.c_in)
        assert model.count_params() == stage.params
        assert model(x).shape == (1, *stage.out_size, stage.c_out)
        assert flops(model, x) == 2 * stage.macs


def alike(spec: ConvSpec) -> ConvSpec:
    """``spec``, at stride 1 where it has ``same`` padding: with numbers, and there, both frameworks mean the same."""
    return replace(spec, stride=()) if spec.padding == "same" else spec


def keras_weights(module: torch.nn.Module, stage: ConvSpec) -> list[torch.Tensor]:
    """The weights of a stage as Keras lays them out: axes, then channels read and written (transposed: swapped)."""
    layer = next(layer for layer in module if hasattr(layer, "weight"))
    kernel = layer.weight.detach().movedim((0, 1), (-1, -2))
    if keras_calls(stage)[-1].name.startswith("Depthwise"):
        kernel = kernel.reshape(*stage.kernel, stage.c_in, stage.c_out // stage.c_in)
    return [kernel, *([] if layer.bias is None else [layer.bias.detach()])]


@randomly(80)
@given(specs(axes=st.sampled_from([1, 2, 2, 3])).map(alike))
def test_keras_computes_what_torch_does(spec):
    """With the same weights the Keras layers and the PyTorch module of a convolution give the same output."""
    model, module = keras_model(spec), build_stages([spec])
    model.set_weights(keras_weights(module, spec))
    x = torch.randn(1, spec.c_in, *spec.size)
    with torch.no_grad():
        expected = module(x)
        found = model(x.movedim(1, -1)).movedim(-1, 1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
