"""The nine rewrites and their registry."""

from dataclasses import replace
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import bound, randomly, rewrites, specs

from sepcalc.core import variants
from sepcalc.core.errors import SpecError
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import Stages, Variant, all_variants, break_even, choose, get

EVERY = [pytest.param(variant, id=variant.name) for variant in all_variants()]
LAYER = ConvSpec.of(64, 128, k=3, size=56)
NAMES = [
    *("standard", "std"),
    *("depthwise-separable", "dws", "separable"),
    *("spatial-separable", "sps", "spatial"),
    *("depthwise", "dw"),
    "depthwise-spatial",
    *("blueprint-separable", "bsconv"),
    "grouped",
    "bottleneck",
    "inverted-bottleneck",
]


@pytest.fixture
def registry(monkeypatch):
    """A copy of the registry, for variants that must not stay."""
    monkeypatch.setattr(variants, "_REGISTRY", dict(variants._REGISTRY))


@pytest.mark.parametrize("variant", EVERY)
@randomly(60)
@given(data=st.data())
def test_stages_form_a_chain(variant, data):
    """A stage reads the channels and the size that the one before it writes; the ends are the convolution's own."""
    spec, stages = data.draw(rewrites(variant))
    assert (stages[0].c_in, stages[0].size) == (spec.c_in, spec.size)
    for writer, reader in pairwise(stages):
        assert (reader.c_in, reader.size) == (writer.c_out, writer.out_size)
    assert (stages[-1].c_out, stages[-1].out_size) == (spec.c_out, spec.out_size)


@pytest.mark.parametrize("variant", EVERY)
@randomly(60)
@given(data=st.data())
def test_biases_follow_the_policy(variant, data):
    """No stage has a bias, or the last alone, or each of them."""
    spec, stages = data.draw(rewrites(variant))
    extra = [stage.params - stage.weights for stage in stages]
    outputs = [stage.c_out for stage in stages]
    assert (
        extra
        == {
            "none": [0] * len(stages),
            "last": [0] * (len(stages) - 1) + outputs[-1:],
            "all": outputs,
        }[spec.bias]
    )


def without_sizes(variant: Variant, spec: ConvSpec) -> Stages | str:
    """The stages of ``spec`` with their sizes left open, or the reason why there are none."""
    try:
        return tuple(replace(stage, size=None) for stage in variant(spec))
    except SpecError as reason:
        return str(reason)


@pytest.mark.parametrize("variant", EVERY)
@randomly(40)
@given(data=st.data())
def test_the_size_changes_no_stage(variant, data):
    """Where the size is open a variant applies or not, and has its stages, as at any size."""
    spec, each = data.draw(specs()), data.draw(bound(variant))
    assert without_sizes(each, replace(spec, size=None)) == without_sizes(each, spec)


@pytest.mark.parametrize("variant", EVERY)
def test_every_variant_describes_itself(variant):
    """A variant has one sentence that says what it does and one that says what it gives up."""
    assert variant.summary.endswith(".")
    assert variant.gives_up.startswith("It ")
    assert variant.gives_up.endswith(".")


def test_names_of_the_design():
    """The nine variants and their aliases are those of the design, the reference first."""
    assert [name for each in all_variants() for name in (each.name, *each.aliases)] == NAMES


@pytest.mark.parametrize(
    ("name", "options", "stages"),
    [
        ("standard", {}, [(64, 128, (3, 3), 1)]),
        ("depthwise-separable", {}, [(64, 64, (3, 3), 64), (64, 128, (1, 1), 1)]),
        ("depthwise-separable", {"depth_multiplier": 2}, [(64, 128, (3, 3), 64), (128, 128, (1, 1), 1)]),
        ("spatial-separable", {}, [(64, 64, (3, 1), 1), (64, 128, (1, 3), 1)]),
        ("spatial-separable", {"mid": "in"}, [(64, 64, (3, 1), 1), (64, 128, (1, 3), 1)]),
        ("spatial-separable", {"mid": "out"}, [(64, 128, (3, 1), 1), (128, 128, (1, 3), 1)]),
        ("spatial-separable", {"mid": "max"}, [(64, 128, (3, 1), 1), (128, 128, (1, 3), 1)]),
        ("spatial-separable", {"mid": 10}, [(64, 10, (3, 1), 1), (10, 128, (1, 3), 1)]),
        ("depthwise", {}, [(64, 128, (3, 3), 64)]),
        ("depthwise-spatial", {}, [(64, 64, (3, 1), 64), (64, 64, (1, 3), 64), (64, 128, (1, 1), 1)]),
        ("blueprint-separable", {}, [(64, 128, (1, 1), 1), (128, 128, (3, 3), 128)]),
        ("grouped", {"groups": 8}, [(64, 128, (3, 3), 8)]),
        ("bottleneck", {}, [(64, 32, (1, 1), 1), (32, 32, (3, 3), 1), (32, 128, (1, 1), 1)]),
        ("bottleneck", {"reduction": 2}, [(64, 64, (1, 1), 1), (64, 64, (3, 3), 1), (64, 128, (1, 1), 1)]),
        ("inverted-bottleneck", {}, [(64, 384, (1, 1), 1), (384, 384, (3, 3), 384), (384, 128, (1, 1), 1)]),
        ("inverted-bottleneck", {"expansion": 1}, [(64, 64, (3, 3), 64), (64, 128, (1, 1), 1)]),
    ],
)
def test_stages(name, options, stages):
    """Each variant is the chain that the design's table names."""
    found = get(name).bind(options)(LAYER)
    assert [(stage.c_in, stage.c_out, stage.kernel, stage.groups) for stage in found] == stages


def test_volumes_separate_into_three():
    """A 3×3×3 kernel separates along each axis, through mid channels twice."""
    stages = get("sps").bind({"mid": 5})(ConvSpec.of(4, 8, k=(3, 3, 3)))
    assert [(stage.c_in, stage.c_out, stage.kernel) for stage in stages] == [
        (4, 5, (3, 1, 1)),
        (5, 5, (1, 3, 1)),
        (5, 8, (1, 1, 3)),
    ]


def test_spatial_stages_split_by_axis():
    """Each spatial stage takes the stride, padding and dilation of its own axis."""
    spec = ConvSpec.of(4, 8, k=(3, 5), size=(20, 30), stride=(2, 3), padding=(1, 4), dilation=(1, 2))
    first, second = get("sps")(spec)
    assert (first.stride, first.padding, first.dilation, first.out_size) == ((2, 1), (1, 0), (1, 1), (10, 30))
    assert (second.stride, second.padding, second.dilation, second.out_size) == ((1, 3), (0, 4), (1, 2), (10, 10))


def test_an_axis_of_length_one_goes_with_the_first_stage():
    """An axis that the kernel does not filter has no stage; its stride is done first."""
    first, second = get("sps")(ConvSpec.of(4, 8, k=(1, 3, 5), size=(9, 9, 9), stride=(2, 1, 1)))
    assert (first.kernel, first.stride, first.out_size) == ((1, 3, 1), (2, 1, 1), (5, 9, 9))
    assert (second.kernel, second.stride, second.out_size) == ((1, 1, 5), (1, 1, 1), (5, 9, 9))


def test_depthwise_spatial_composes():
    """``depthwise-spatial`` is ``depthwise-separable`` with its first stage separated along the axes."""
    filtered, mixed = get("dws")(LAYER)
    assert get("depthwise-spatial")(LAYER) == (*get("sps")(filtered), mixed)


def test_blueprint_mixes_at_the_resolution_of_its_input():
    """At stride 2 the 1×1 of BSConv-U still runs at every position of the input."""
    mixed, filtered = get("bsconv")(replace(LAYER, stride=(2, 2)))
    assert (mixed.out_size, filtered.out_size) == ((56, 56), (28, 28))


@pytest.mark.parametrize(
    ("name", "options", "spec", "reason"),
    [
        ("depthwise", {}, ConvSpec.of(64, 96, k=3), "depthwise cannot change 64 channels to 96"),
        (
            "spatial-separable",
            {},
            ConvSpec.of(8, 8, k=(1, 3)),
            "spatial separation needs two axes with k > 1, not kernel 1×3",
        ),
        (
            "spatial-separable",
            {},
            ConvSpec.of(8, 8, k=()),
            "spatial separation needs two axes with k > 1, not a linear layer",
        ),
        (
            "depthwise-spatial",
            {},
            ConvSpec.of(8, 8, k=(3,)),
            "spatial separation needs two axes with k > 1, not kernel 3",
        ),
        ("spatial-separable", {"mid": "half"}, LAYER, "unknown mid 'half'; give in, out, min, max or a number"),
        ("grouped", {}, LAYER, "the number of groups is open; give groups"),
        ("grouped", {"groups": 24}, LAYER, "c_in 64 is not divisible by groups 24; nearest: 48, 72"),
        ("bottleneck", {"reduction": 200}, LAYER, "reduction 200 leaves no channel of 128"),
    ],
)
def test_reasons(name, options, spec, reason):
    """A variant that does not apply says why."""
    with pytest.raises(SpecError) as error:
        get(name).bind(options)(spec)
    assert str(error.value) == reason


@pytest.mark.parametrize("option", ["depth_multiplier", "mid", "groups", "reduction", "expansion"])
def test_options_count_from_one(option):
    """No option takes a count below 1."""
    taker = next(each for each in all_variants() if option in each.accepts)
    with pytest.raises(SpecError) as error:
        taker.bind({option: 0})
    assert str(error.value) == f"{option} 0 is out of range; give a whole number from 1"


def test_options_go_where_they_are_known():
    """A variant takes the options that it knows, keeps those it has, and leaves its defaults alone."""
    options = {"mid": 5, "expansion": None, "reduction": 2}
    assert get("sps").bind(options).options == {"mid": 5}
    assert get("bottleneck").bind(options).bind({"mid": 1}).options == {"reduction": 2}
    assert get("inverted-bottleneck").bind(options) is get("inverted-bottleneck")


@pytest.mark.parametrize("k", [(3, 3), (5, 5), (7, 7), (2, 2)])
@pytest.mark.parametrize(("c_in", "c_out"), [(64, 128), (3, 256), (1, 1), (17, 23), (512, 512)])
def test_break_even_in_closed_form(k, c_in, c_out):
    """For a k×k kernel the break-even is k·c_in·c_out / (c_in + c_out), rounded up (Jaderberg 2014, section 2)."""
    assert break_even(ConvSpec(c_in=c_in, c_out=c_out, kernel=k)) == ceil(k[0] * c_in * c_out / (c_in + c_out))


@randomly(50)
@given(st.data())
def test_break_even_is_the_edge(data):
    """With one mid less than the break-even spatial separation saves weights, at the break-even it does not."""
    spec, _ = data.draw(rewrites(get("sps")))
    edge = break_even(spec)

    def weights(mid: int) -> int:
        return sum(stage.weights for stage in get("sps").bind({"mid": mid})(spec))

    assert weights(edge) >= spec.weights
    assert edge == spec.groups or weights(edge - spec.groups) < spec.weights


@pytest.mark.parametrize(
    ("mid", "remark"),
    [
        ("min", "mid 64; saves while mid < 128"),
        ("max", "mid 128 saves nothing: only mid < 128 does"),
        (3000, "mid 3,000 saves nothing: only mid < 128 does"),
    ],
)
def test_spatial_remark(mid, remark):
    """The spatial row names mid, and says when the break-even is passed."""
    spatial = get("sps").bind({"mid": mid})
    assert spatial.remark(LAYER, spatial(LAYER)) == remark


@pytest.mark.parametrize(
    ("mid", "remark"),
    [
        (16, "mid 16; saves weights while mid < 96, multiply-adds while mid < 64"),
        (64, "mid 64; saves weights while mid < 96, multiply-adds only while mid < 64"),
        (96, "mid 96 saves nothing: weights only while mid < 96, multiply-adds only while mid < 64"),
    ],
)
def test_spatial_remark_with_a_stride(mid, remark):
    """With a stride the first factor works on a larger map, so that multiply-adds stop being saved earlier."""
    spec = ConvSpec.of(64, 64, k=3, size=10, stride=2)
    spatial = get("sps").bind({"mid": mid})
    assert spatial.remark(spec, spatial(spec)) == remark


@randomly(50)
@given(st.data())
def test_spatial_remark_is_true(data):
    """What the spatial row says to be saved is what it saves, whatever the stride and the padding."""
    spec, stages = data.draw(rewrites(get("sps")))
    said = get("sps").remark(spec, stages)
    saved = {
        "weights": sum(stage.weights for stage in stages) < spec.weights,
        "multiply-adds": None if spec.size is None else sum(stage.macs for stage in stages) < spec.macs,
    }
    for name, does in saved.items():
        if does is not None:
            alike = "; saves while" in said
            assert does == (alike or f"{name} while" in said), (said, name)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("names", [("standard",), ("dws",), ("mine", "std"), ("mine", "depthwise")])
def test_a_name_is_taken_once(names):
    """The registry refuses a name or an alias that it has, and registers nothing then."""
    before = all_variants()
    taken = names[-1]
    with pytest.raises(ValueError, match=f"^variant name '{taken}' is taken$"):
        variants.variant(*names, gives_up="It cannot be.")(lambda spec: (spec,))
    assert all_variants() == before


@pytest.mark.usefixtures("registry")
def test_a_new_variant_is_one_function():
    """A decorated function has its options from its keywords and its summary from its docstring, and can be chosen."""

    @variants.variant("twice", "2x", gives_up="It cannot stop.")
    def twice(spec: ConvSpec, *, times: int = 2) -> Stages:
        """Do it again.

        And more that nobody reads in a table.
        """
        return (spec,) * times

    mine = get("2x")
    assert (mine.name, mine.summary, mine.accepts) == ("twice", "Do it again.", {"times"})
    assert mine.bind({"times": 3})(LAYER) == (LAYER,) * 3
    assert all_variants()[-1] == mine
    assert [each.name for each in choose(["twice"])] == ["standard", "twice"]
    assert twice(LAYER) == (LAYER, LAYER)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("depthwise-seperable", "unknown variant 'depthwise-seperable'; did you mean 'depthwise-separable'?"),
        ("DWS", "unknown variant 'DWS'; did you mean 'dws'?"),
        ("xyz", f"unknown variant 'xyz'; known: {', '.join(NAMES)}"),
    ],
)
def test_unknown_names(name, message):
    """An unknown variant gets the closest known one, or all of them."""
    with pytest.raises(SpecError) as error:
        get(name)
    assert str(error.value) == message


def test_choose():
    """The reference is always first, nothing comes twice, and options are bound to those that know them."""
    assert [each.name for each in choose()] == ["standard", "depthwise-separable", "spatial-separable"]
    assert [each.name for each in choose(["sps", "std", "spatial-separable"])] == ["standard", "spatial-separable"]
    assert choose(["dw", "all"]) == all_variants()
    assert choose(["sps"], {"mid": "in", "groups": 2})[1].options == {"mid": "in"}
