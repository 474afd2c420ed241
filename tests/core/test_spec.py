"""One convolution and its numbers."""

from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from strategies import randomly, specs

from sepcalc.core.errors import SpecError
from sepcalc.core.spec import ConvSpec

SQUARE = ConvSpec(c_in=64, c_out=128, kernel=(3, 3))


def test_the_textbook_layer():
    """64 to 128 channels with a 3×3 kernel are 73,728 weights."""
    assert (SQUARE.weights, SQUARE.params) == (73_728, 73_728)


@pytest.mark.parametrize(("bias", "params"), [("none", 73_728), ("last", 73_856), ("all", 73_856)])
def test_a_bias_is_one_parameter_for_each_output_channel(bias, params):
    """A convolution by itself is the last one, so both policies that have a bias give it one."""
    assert replace(SQUARE, bias=bias).params == params


def test_a_bias_is_no_multiply_add():
    """Biases are parameters and no multiply-adds."""
    assert ConvSpec.of(8, 8, k=3, size=4, bias="all").macs == ConvSpec.of(8, 8, k=3, size=4).macs


@pytest.mark.parametrize(
    ("settings", "out_size"),
    [
        ({"size": 56}, (56, 56)),
        ({"size": 57, "stride": 2}, (29, 29)),
        ({"size": (57, 10), "stride": (2, 3)}, (29, 4)),
        ({"size": 12, "padding": "valid"}, (10, 10)),
        ({"size": 12, "padding": 0}, (10, 10)),
        ({"size": 12, "padding": (0, 2)}, (10, 14)),
        ({"size": 12, "padding": 1, "stride": 2}, (6, 6)),
        ({"size": 12, "padding": "valid", "dilation": 3}, (6, 6)),
        ({"size": 12, "dilation": 3}, (12, 12)),
        ({"size": 7, "stride": 2, "transposed": True}, (14, 14)),
        ({"size": 7, "stride": 2, "transposed": True, "padding": 1}, (13, 13)),
        ({"size": 7, "stride": 2, "transposed": True, "padding": 1, "output_padding": 1}, (14, 14)),
        ({"size": 7, "transposed": True, "padding": "valid", "dilation": 2}, (11, 11)),
        ({"size": None}, None),
    ],
)
def test_output_size(settings, out_size):
    """``same`` divides by the stride and rounds up, numbers follow PyTorch's formulas, an open size stays open."""
    assert ConvSpec.of(8, 8, k=3, **settings).out_size == out_size


@pytest.mark.parametrize(
    ("settings", "keeps"),
    [
        ({}, True),
        ({"k": 4}, True),
        ({"padding": 1}, True),
        ({"padding": 1, "transposed": True}, True),
        ({"padding": 2, "dilation": 2}, True),
        ({"k": (3, 1), "padding": (1, 0)}, True),
        ({"k": 4, "padding": 1}, False),
        ({"padding": "valid"}, False),
        ({"padding": "valid", "k": 1}, True),
        ({"padding": 2}, False),
        ({"stride": (1, 2)}, False),
        ({"padding": 2, "transposed": True, "dilation": 2, "output_padding": 1}, False),
    ],
)
def test_keeps_size(settings, keeps):
    """A convolution keeps its size where stride is 1 and padding makes up for the kernel."""
    assert ConvSpec.of(8, 8, **{"k": 3, **settings}).keeps_size is keeps


@randomly(100)
@given(specs())
def test_a_convolution_that_keeps_its_size_does(spec):
    """``keeps_size`` is a promise about every size."""
    if spec.keeps_size:
        assert spec.out_size == spec.size


def test_depthwise_weights():
    """Groups divide the weights: a depthwise 3×3 on 64 channels has 576."""
    assert ConvSpec.of(64, 64, k=3, groups=64).weights == 576


def test_activations_and_traffic():
    """Activations are the output's elements; traffic is input, weights and output, each moved once."""
    spec = ConvSpec.of(3, 8, k=3, size=(4, 5), stride=2)
    assert spec.activations == 8 * 2 * 3
    assert spec.traffic_bytes(2) == 2 * (3 * 4 * 5 + 8 * 3 * 9 + 8 * 2 * 3)


def test_a_linear_layer_has_no_axes():
    """A convolution without axes is a linear layer: its multiply-adds are its weights."""
    linear = ConvSpec(c_in=1024, c_out=1000, kernel=(), size=(), bias="all")
    assert (linear.params, linear.macs, linear.out_size, linear.kind) == (1_025_000, 1_024_000, (), "linear")


def test_integers_stay_exact():
    """Counts beyond what a float holds are exact."""
    assert ConvSpec.of(10**9, 10**9, k=3, size=10**9).macs == 9 * 10**36


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({}, "conv 3×3"),
        ({"k": 1}, "pointwise 1×1"),
        ({"k": (3, 1)}, "conv 3×1"),
        ({"groups": 8}, "depthwise 3×3"),
        ({"groups": 2}, "grouped (2) 3×3"),
        ({"transposed": True}, "conv 3×3 transposed"),
        ({"k": (3, 3, 3), "groups": 8, "transposed": True}, "depthwise 3×3×3 transposed"),
    ],
)
def test_kind(settings, kind):
    """A convolution is called what the field calls it."""
    assert ConvSpec.of(8, 16, **{"k": 3, **settings}).kind == kind


def test_one_channel_is_not_depthwise():
    """A convolution of one channel is dense."""
    assert ConvSpec.of(1, 4, k=3).kind == "conv 3×3"


@pytest.mark.parametrize(
    ("arguments", "kernel"),
    [
        ({"k": 3}, (3, 3)),
        ({"k": (5,)}, (5,)),
        ({"k": 3, "size": (8, 8, 8)}, (3, 3, 3)),
        ({"k": 3, "stride": (2,)}, (3,)),
        ({"k": 3, "dilation": (1, 2, 1)}, (3, 3, 3)),
        ({"k": (), "size": ()}, ()),
    ],
)
def test_one_number_stands_for_all_axes(arguments, kernel):
    """The number of axes follows from whichever argument names them, and is two where none does."""
    spec = ConvSpec.of(2, 2, **arguments)
    assert spec.kernel == kernel
    assert len(spec.stride) == len(spec.dilation) == len(spec.output_padding) == len(kernel)


def test_left_out_axes_are_neutral():
    """A spec that leaves out stride and dilation equals the one that says 1."""
    ones = ConvSpec(c_in=64, c_out=128, kernel=(3, 3), stride=(1, 1), dilation=(1, 1), output_padding=(0, 0))
    assert ones == SQUARE
    assert hash(ones) == hash(SQUARE)


def test_a_spec_does_not_change():
    """A spec is a value."""
    with pytest.raises(FrozenInstanceError):
        SQUARE.c_in = 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": (8,)}, "size 8 has 1 axes, kernel 3×3 has 2; give both as many"),
        ({"stride": (1, 2, 1)}, "stride 1×2×1 has 3 axes, kernel 3×3 has 2; give both as many"),
        ({"padding": (1, 1, 1)}, "padding 1×1×1 has 3 axes, kernel 3×3 has 2; give both as many"),
        ({"dilation": (2,)}, "dilation 2 has 1 axes, kernel 3×3 has 2; give both as many"),
        ({"output_padding": (1, 0, 0)}, "output_padding 1×0×0 has 3 axes, kernel 3×3 has 2; give both as many"),
        ({"kernel": (3, 3, 3, 3)}, "kernel 3×3×3×3 has 4 axes; at most 3 are supported"),
        ({"padding": "valid"}, "unknown padding 'valid'; give same or a number for each axis"),
        ({"c_in": 0}, "c_in 0 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"c_out": -4}, "c_out -4 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"c_out": 10**9 + 1}, "c_out 1000000001 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"kernel": (3, 0)}, "kernel 0 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"size": (0, 8)}, "size 0 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"stride": (1, 0)}, "stride 0 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"dilation": (0, 1)}, "dilation 0 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"groups": 0}, "groups 0 is out of range; give a whole number from 1 to 1,000,000,000"),
        ({"padding": (-1, 0)}, "padding -1 is out of range; give a whole number from 0 to 1,000,000,000"),
        ({"output_padding": (-1, 0)}, "output_padding -1 is out of range; give a whole number from 0 to 1,000,000,000"),
        ({"c_in": 10, "groups": 4}, "c_in 10 is not divisible by groups 4; nearest: 8, 12"),
        ({"c_in": 3, "groups": 4}, "c_in 3 is not divisible by groups 4; nearest: 4"),
        ({"c_in": 8, "c_out": 10, "groups": 4}, "c_out 10 is not divisible by groups 4; nearest: 8, 12"),
        (
            {"size": (2, 9), "padding": (0, 1)},
            "kernel 3×3 leaves nothing of size 2×9 with padding 0×1; give a larger size or more padding",
        ),
        (
            {"padding": (1, 1), "output_padding": (1, 0)},
            "output_padding 1 needs a transposed convolution with a larger stride or dilation",
        ),
        (
            {"size": (8, 8), "padding": (1, 1), "output_padding": (0, 2), "stride": (2, 2), "transposed": True},
            "output_padding 2 needs a transposed convolution with a larger stride or dilation",
        ),
        (
            {"output_padding": (0, 1), "stride": (2, 2), "transposed": True},
            "output_padding 0×1 cannot change the size that padding same fixes; give padding in numbers",
        ),
    ],
)
def test_impossible_convolutions(settings, message):
    """A convolution that cannot exist is refused with its values and the cure."""
    with pytest.raises(SpecError) as error:
        replace(SQUARE, **{"stride": (), "dilation": (), "output_padding": (), **settings})
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"c_in": 64.0}, "c_in 64.0 is no whole number; give an int"),
        ({"c_out": "64"}, "c_out '64' is no whole number; give an int"),
        ({"groups": None}, "groups None is no whole number; give an int"),
        ({"kernel": 3}, "kernel 3 is no tuple of whole numbers; give one for each axis, or use ConvSpec.of"),
        ({"kernel": "3x3"}, "kernel '3x3' is no tuple of whole numbers; give one for each axis, or use ConvSpec.of"),
        (
            {"kernel": (3, 3.5)},
            "kernel (3, 3.5) is no tuple of whole numbers; give one for each axis, or use ConvSpec.of",
        ),
        ({"size": 56}, "size 56 is no tuple of whole numbers; give one for each axis, or use ConvSpec.of"),
        ({"size": [56, 56]}, "size [56, 56] is no tuple of whole numbers; give one for each axis, or use ConvSpec.of"),
        ({"stride": [2, 2]}, "stride [2, 2] is no tuple of whole numbers; give one for each axis, or use ConvSpec.of"),
        ({"padding": 1}, "padding 1 is no tuple of whole numbers; give one for each axis, or use ConvSpec.of"),
        ({"padding": "valid"}, "unknown padding 'valid'; give same or a number for each axis"),
        ({"bias": True}, "unknown bias True; give none, last or all"),
    ],
)
def test_values_that_are_no_whole_numbers(settings, message):
    """What could not be counted exactly, or not at all, is refused: a float rounds, text is no number."""
    with pytest.raises(SpecError) as error:
        ConvSpec(**{"c_in": 64, "c_out": 128, "kernel": (3, 3), **settings})
    assert str(error.value) == message


def test_integers_of_numpy_are_refused():
    """An integer that overflows is no exact number."""
    numpy = pytest.importorskip("numpy")
    with pytest.raises(SpecError, match="is no whole number; give an int"):
        ConvSpec.of(numpy.int64(64), 128, k=3)


def test_what_stands_for_all_axes():
    """``of`` takes a number, a tuple or a list, and the words for padding that there are."""
    assert ConvSpec.of(8, 8, k=[3, 5], size=[9, 7], stride=2) == ConvSpec.of(8, 8, k=(3, 5), size=(9, 7), stride=(2, 2))
    with pytest.raises(SpecError) as error:
        ConvSpec.of(8, 8, k=3, padding="sane")
    assert str(error.value) == "unknown padding 'sane'; give same or a number for each axis"


@pytest.mark.parametrize("count", ["macs", "activations"])
def test_counts_that_need_a_size(count):
    """A count that depends on the feature size says so where the size is open."""
    with pytest.raises(SpecError) as error:
        getattr(SQUARE, count)
    assert str(error.value) == "this count depends on the feature size; give a size"


def test_traffic_needs_a_size():
    """Traffic depends on the feature size."""
    with pytest.raises(SpecError) as error:
        SQUARE.traffic_bytes(4)
    assert str(error.value) == "this count depends on the feature size; give a size"
