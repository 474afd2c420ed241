"""What a module should be, beside what it is."""

from dataclasses import replace

import pytest

from sepcalc.builders.prediction import Counted, predicted
from sepcalc.core.errors import SpecError
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import get

SPEC = ConvSpec.of(64, 128, k=3, size=56, stride=2)


def test_a_prediction_is_the_sum_of_the_stages():
    """Parameters and FLOPs are sums over the stages; the shape is what the last one writes."""
    stages = get("depthwise-separable")(SPEC)
    assert predicted(stages) == Counted(params=8768, shape=(128, 28, 28), flops=2 * 8768 * 28 * 28)


def test_a_linear_layer_writes_channels_alone():
    """Without axes the shape is the number of channels."""
    assert predicted((ConvSpec(c_in=8, c_out=4, kernel=(), size=()),)).shape == (4,)


def test_a_prediction_needs_a_size():
    """Where the size is open, nothing can be predicted."""
    with pytest.raises(SpecError, match="give a size"):
        predicted((replace(SPEC, size=None, stride=()),))


def test_every_difference_is_named():
    """All that differs is said at once, and nothing where both are the same."""
    told = predicted((SPEC,))
    assert told.differences(told) == ""
    assert told.differences(Counted(params=1, shape=None, flops=2)) == (
        "parameters 73728 here, 1 in torch; shape (128, 28, 28) here, None in torch; FLOPs 115605504 here, 2 in torch"
    )


def test_a_shape_that_is_not_predicted():
    """A prediction without a shape is true of a module that writes any."""
    told = replace(predicted((SPEC,)), shape=None)
    assert told.differences(predicted((SPEC,))) == ""
