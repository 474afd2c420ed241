"""Candidates side by side, and the published figures of single layers."""

from dataclasses import replace
from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import open_specs, randomly, rewrites

from sepcalc import Candidate, ConvSpec, SpecError, choose, compare
from sepcalc.core.layer_tables import layer_table
from sepcalc.core.variants import all_variants, get

EVERY = [pytest.param(variant, id=variant.name) for variant in all_variants()]


def row(spec: ConvSpec, name: str) -> Candidate:
    """The candidate called ``name`` in the comparison of ``spec``."""
    return next(each for each in compare(spec, choose([name])).candidates if each.variant == get(name))


def named(source: str, spec: ConvSpec, **figures: tuple[int | None, int | None]) -> object:
    """A published layer with its figures, standard and separable."""
    return pytest.param(spec, figures, id=source)


@pytest.mark.parametrize(
    ("spec", "figures"),
    [
        named("the textbook pair", ConvSpec.of(64, 128, k=3), params=(73_728, 8_768)),
        named(
            "Howard 2017, table 3",
            ConvSpec.of(512, 512, k=3, size=14),
            macs=(462_422_016, 52_283_392),
            params=(2_359_296, 266_752),
        ),
        named(
            "Wang, A Basic Introduction to Separable Convolutions",
            ConvSpec.of(3, 256, k=5, size=12, padding="valid"),
            macs=(1_228_800, 4_800 + 49_152),
        ),
        named(
            "Bai, A Comprehensive Introduction",
            ConvSpec.of(3, 128, k=3, size=7, padding="valid"),
            macs=(86_400, 675 + 9_600),
        ),
        named("common tutorial", ConvSpec.of(128, 256, k=3, size=56), macs=(924_844_032, 106_373_120)),
        named("a study note, 3 to 32", ConvSpec.of(3, 32, k=3), params=(864, 123)),
        named("a study note, 64 to 64", ConvSpec.of(64, 64, k=3), params=(36_864, 4_672)),
        named("an nn.Sequential with biases", ConvSpec.of(64, 128, k=3, bias="all"), params=(73_856, 8_960)),
        named(
            "CS231n",
            ConvSpec.of(3, 96, k=11, size=227, stride=4, padding=0, bias="all"),
            macs=(105_415_200, None),
            params=(34_944, None),
        ),
    ],
)
def test_published_layers(spec, figures):
    """Parameters and multiply-adds are those that the sources print."""
    for count, (standard, separable) in figures.items():
        assert getattr(row(spec, "standard"), count) == standard
        assert separable is None or getattr(row(spec, "depthwise-separable"), count) == separable


def test_published_stages():
    """The stages cost what Wang's and Bai's introductions say of each: the window first, then the 1×1."""
    wang, bai = (
        row(ConvSpec.of(3, n, k=k, size=size, padding="valid"), "depthwise-separable")
        for n, k, size in [(256, 5, 12), (128, 3, 7)]
    )
    assert [stage.macs for stage in wang.stages] == [4_800, 49_152]
    assert [stage.macs for stage in bai.stages] == [675, 9_600]


def test_published_blueprint():
    """BSConv-U costs what the separable form does, but at stride 2 its 1×1 still runs at the input's resolution."""
    spec = ConvSpec.of(512, 512, k=3, size=14)
    assert row(spec, "bsconv").macs == 52_283_392
    mixed, filtered = row(replace(spec, stride=(2, 2)), "bsconv").stages
    assert (mixed.macs, filtered.macs) == (512 * 512 * 14 * 14, 512 * 9 * 7 * 7)


def test_reductions_of_the_textbook_pair():
    """Reductions are exact quotients standard / variant: 8.41 times fewer parameters, and twice fewer."""
    comparison = compare(ConvSpec.of(64, 128, k=3))
    assert [comparison.params_reduction(each) for each in comparison.candidates] == [1, Fraction(73_728, 8_768), 2]
    assert f"{float(comparison.params_reduction(comparison.candidates[1])):.2f}" == "8.41"


def test_the_closed_form_of_the_reduction():
    """Separable multiply-adds are 1/N + 1/D_K² of the standard's (Howard 2017, section 3.1)."""
    comparison = compare(ConvSpec.of(64, 128, k=3, size=56))
    assert 1 / comparison.macs_reduction(comparison.candidates[1]) == Fraction(1, 128) + Fraction(1, 9)


@pytest.mark.parametrize("variant", EVERY)
@randomly(40)
@given(data=st.data())
def test_open_sizes_count_per_position(variant, data):
    """Multiply-adds per position of an open size are the weights, and a size costs them at each of its positions."""
    spec, stages = data.draw(rewrites(variant, open_specs()))
    open_row = Candidate(variant=variant, stages=stages)
    assert open_row.macs is open_row.activations is open_row.out_size is None
    assert open_row.traffic_bytes(4) is open_row.intensity(4) is None
    assert open_row.macs_per_position == sum(stage.weights for stage in stages)
    size = tuple(data.draw(st.integers(1, 9)) for _ in spec.kernel)
    closed_row = Candidate(variant=variant, stages=tuple(replace(stage, size=size) for stage in stages))
    assert closed_row.macs == open_row.macs_per_position * prod(size)
    assert closed_row.macs_per_position == open_row.macs_per_position


@pytest.mark.parametrize("variant", EVERY)
@randomly(40)
@given(data=st.data())
def test_a_candidate_is_the_sum_of_its_stages(variant, data):
    """Parameters, multiply-adds, activations and traffic add up over the stages; intensity is 2 · macs / traffic."""
    spec, stages = data.draw(rewrites(variant))
    whole = Candidate(variant=variant, stages=stages)
    parts = [Candidate(variant=variant, stages=(stage,)) for stage in stages]
    assert whole.params == sum(part.params for part in parts)
    assert whole.macs == sum(part.macs for part in parts)
    assert whole.activations == sum(part.activations for part in parts)
    assert whole.traffic_bytes(2) == sum(part.traffic_bytes(2) for part in parts)
    assert whole.intensity(2) == Fraction(2 * whole.macs, whole.traffic_bytes(2))
    assert whole.macs_per_position * prod(spec.out_size) == whole.macs


def test_reductions_do_not_need_the_size():
    """At stride 1 the reductions of an open size are those of any size."""
    reductions = [
        [comparison.macs_reduction(each) for each in comparison.candidates]
        for comparison in (compare(ConvSpec.of(64, 128, k=3, size=size)) for size in (None, 7, (56, 40)))
    ]
    assert reductions[0] == reductions[1] == reductions[2]


def test_a_variant_that_does_not_apply_stays():
    """A variant that cannot express the convolution is a candidate with the reason and no stages."""
    candidate = row(ConvSpec.of(64, 96, k=3), "depthwise")
    assert not candidate.applies
    assert (candidate.why_not, candidate.stages) == ("depthwise cannot change 64 channels to 96", ())


def test_the_reference_is_always_there():
    """Whatever variants are asked for, the dense convolution comes first, once."""
    names = [each.variant.name for each in compare(ConvSpec.of(8, 8, k=3), [get("dw"), get("std")]).candidates]
    assert names == ["standard", "depthwise"]


def test_a_grouped_convolution_is_one_candidate():
    """A spec with groups is compared with the dense convolution, as one candidate among the others."""
    comparison = compare(ConvSpec.of(64, 128, k=3, groups=8))
    assert [(each.variant.name, each.params) for each in comparison.candidates] == [
        ("standard", 73_728),
        ("depthwise-separable", 8_768),
        ("spatial-separable", 36_864),
        ("grouped", 9_216),
    ]


def test_groups_said_twice_are_one_candidate():
    """Groups given for the convolution and for ``grouped`` make one row; other groups make another."""
    spec = ConvSpec.of(64, 128, k=3, groups=8)

    def groups(given: int | None) -> list[int]:
        chosen = choose(["grouped"], {"groups": given})
        return [each.stages[0].groups for each in compare(spec, chosen).candidates]

    assert groups(None) == groups(8) == [1, 8]
    assert groups(4) == [1, 4, 8]


@pytest.mark.parametrize("stride", [2, (2, 1), (1, 3)])
@pytest.mark.parametrize("groups", [1, 4])
def test_a_stride_without_a_size(stride, groups):
    """With a stride and an open size, counts per position are those at each size that the stride divides."""
    variants = ["all"] if groups == 1 else []
    spec = ConvSpec.of(8, 8, k=3, stride=stride, groups=groups)
    for one, sized in zip(
        compare(spec, choose(variants)).candidates,
        compare(replace(spec, size=(12, 18)), choose(variants)).candidates,
        strict=True,
    ):
        assert (one.applies, one.remark) == (sized.applies, sized.remark)
        if one.applies:
            assert (one.params, one.macs) == (sized.params, None)
            assert one.macs_per_position == sized.macs_per_position


def test_stages_at_a_stride_without_a_size():
    """Where the size is open, the stages of a variant add up to its multiply-adds per position."""
    table = layer_table(compare(ConvSpec.of(8, 8, k=3, stride=2), ["sps"]), stages=True)
    assert [row.cells[3] for row in table.rows] == [576, 576, 2 * 192, 192]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stride": 2, "transposed": True}, "multiply-adds at stride 2×2 depend on the feature size; give a size"),
        ({"padding": "valid"}, "multiply-adds at padding 0×0 depend on the feature size; give a size"),
        ({"padding": (2, 1)}, "multiply-adds at padding 2×1 depend on the feature size; give a size"),
    ],
)
def test_where_the_size_matters(settings, message):
    """Where counts depend on the size and it is missing, the comparison says so."""
    with pytest.raises(SpecError) as error:
        compare(ConvSpec.of(8, 8, k=3, **settings))
    assert str(error.value) == message


@pytest.mark.parametrize("count", ["params", "macs", "macs_per_position", "out_size", "activations"])
def test_what_does_not_apply_is_not_zero(count):
    """A variant that does not apply has no count; asking for one gives the reason."""
    (_, candidate) = compare(ConvSpec.of(64, 96, k=3, size=8), [get("depthwise")]).candidates
    with pytest.raises(SpecError, match="depthwise cannot change 64 channels to 96"):
        getattr(candidate, count)


def test_variants_by_name():
    """Wherever variants are asked for, their names and aliases do."""
    spec = ConvSpec.of(8, 8, k=3, size=4)
    assert compare(spec, ["dws", "bsconv"]) == compare(spec, [get("dws"), get("blueprint-separable")])
    assert choose("dws") == choose(["depthwise-separable"])
