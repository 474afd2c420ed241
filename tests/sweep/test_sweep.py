"""Counts on a grid: at every point those of one convolution, or of one network."""

from fractions import Fraction
from operator import truediv

import pytest
from grids import grids
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.core.comparison import check_size
from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.core.variants import all_variants
from sepcalc.sweep.sweep import sweep_layer, sweep_network


def plainly(point, settings, variant):
    """Parameters, multiply-adds and reductions of one convolution, or the reason why there are none."""
    options = {key: value for key, value in point.items() if key not in ("c_in", "c_out", "k", "size", "stride")}
    try:
        spec = ConvSpec.of(
            point["c_in"],
            point["c_out"],
            point["k"],
            size=point.get("size"),
            stride=point.get("stride", 1),
            **settings,
        )
        check_size(spec)
        comparison = compare(spec, [variant.bind(options)])
    except SpecError as reason:
        return str(reason)
    found = comparison.candidates[-1]
    if not found.applies:
        return found.why_not
    macs = found.macs_per_position if spec.size is None else found.macs
    return found.params, macs, comparison.params_reduction(found), comparison.macs_reduction(found)


def everywhere(found, place):
    """The same of one row at every point of a sweep."""
    block = found.block(0, len(found.grid))
    reductions = (found.reductions(block, place, count, Fraction) for count in ("params", "macs"))
    for params, macs, why_not, *both in zip(*block.counts[place], *reductions, strict=True):
        yield (params, macs, *both) if why_not is None else why_not


@pytest.mark.parametrize("variant", all_variants(), ids=lambda each: each.name)
@randomly(60)
@given(grid=grids())
def test_every_point_is_one_convolution(variant, grid):
    """Whatever is swept, each row is to the last unit what the convolution of its point is on its own."""
    values, settings = grid
    found = sweep_layer(values, [variant], settings)
    place = found.names.index(variant.name)
    columns = found.grid.columns(0, len(found.grid))
    points = [dict(zip(columns, each, strict=True)) for each in zip(*columns.values(), strict=True)]
    assert [*everywhere(found, place)] == [plainly(point, settings, variant) for point in points]


def test_no_overflow():
    """Counts are exact beyond any machine word, and so are their reductions."""
    found = sweep_layer({"c_in": [10**9, 10**9 - 1], "c_out": 10**9, "k": [10**6, 3], "size": 10**9})
    spec = ConvSpec.of(10**9, 10**9, 10**6, size=10**9)
    standard, separable, _ = found.block(0, 4).counts
    assert standard.macs[0] == spec.macs == 10**48
    expected = compare(spec)
    assert separable.macs[0] == expected.candidates[1].macs
    block = found.block(0, 4)
    assert found.reductions(block, 1, "macs", Fraction)[0] == expected.macs_reduction(expected.candidates[1])
    assert found.reductions(block, 1, "macs", truediv)[0] == float(expected.macs_reduction(expected.candidates[1]))


@given(st.integers(1, 40))
def test_blocks(points):
    """The points of a grid do not depend on the blocks in which they are counted."""
    from dataclasses import replace

    whole = sweep_layer({"c_in": [4, 6, 8], "c_out": [4, 8, 9], "k": [1, 3], "size": [5, 7], "groups": [2, 3]})
    together, at_once = replace(whole, block_points=points).whole(), whole.block(0, len(whole.grid))
    assert together.values == at_once.values
    assert [[*map(list, each)] for each in together.counts] == [[*map(list, each)] for each in at_once.counts]


def test_groups_bring_grouped():
    """Where groups are swept, the grouped convolution is a row, and the reference stays dense."""
    found = sweep_layer({"c_in": 8, "c_out": 8, "k": 3, "groups": [2, 3]})
    assert found.names == (*(each.name for each in choose()), "grouped")
    assert found.block(0, 2).counts[-1].why_not == ([None, "c_in 8 is not divisible by groups 3; nearest: 6, 9"])


def test_an_open_size_is_one_position():
    """Without a size, multiply-adds are those of one position; a stride needs the size."""
    found = sweep_layer({"c_in": 64, "c_out": 128, "k": 3, "stride": [1, 2]})
    standard = found.block(0, 2).counts[0]
    assert [*standard.macs] == [73_728, None]
    assert standard.why_not[1] == "multiply-adds at stride 2×2 depend on the feature size; give a size"


def test_a_network():
    """A network is counted at each width and size as it would be alone, as written and rewritten."""

    def opened(width, size):
        return load("mobilenet_v1", width=width, size=size)

    values = {"width": [Fraction(1, 2), 1], "size": [128, 160]}
    found = sweep_network("mobilenet_v1", values, opened, choose())
    assert found.names == ("as-written", "standard", "depthwise-separable", "spatial-separable")
    blocks = [*found.blocks()]
    for block in blocks:
        totals = opened(block.values["width"][0], block.values["size"][0]).totals()
        del totals["cheapest"]
        assert [(each.params[0], each.macs[0]) for each in block.counts] == [
            (cost.params, cost.macs) for cost in totals.values()
        ]
    assert len(blocks) == 4


def test_a_network_is_opened_once_for_each_point():
    """All rows of a point are of one network, which is opened once."""
    opened = []

    def open_one(width, size):
        opened.append((width, size))
        return load("alexnet", size=size)

    sweep_network("alexnet", {"size": [224, 256]}, open_one).whole()
    assert opened == [(None, 224), (None, 256)]


def test_a_network_that_cannot_be():
    """Where a network cannot have a size, its point has the reason, and the other points their counts."""
    found = sweep_network("vgg16", {"size": [8, 224]}, lambda width, size: load("vgg16", size=size))
    small, whole = found.blocks()
    assert whole.counts[0].params == [load("vgg16").cost.params]
    for counts in small.counts:
        assert (counts.params, counts.macs) == ([None], [None])
        assert "conv4.pool: window 2 is larger than the 1 positions that reach it" in counts.why_not[0]


def test_options_of_a_network():
    """Options of variants can be swept for a network as well."""
    values = {"mid": ["min", 8]}
    found = sweep_network("alexnet", values, lambda width, size: load("alexnet"), choose(["sps"]))
    macs = [block.counts[-1].macs[0] for block in found.blocks()]
    assert macs == [load("alexnet").what_if(choose(["sps"], {"mid": mid})[1]).cost.macs for mid in values["mid"]]


def test_it_shows_itself():
    """A sweep is a table in a notebook, and records for a data frame."""
    found = sweep_layer({"c_in": 64, "c_out": [64, 128], "k": 3})
    assert "depthwise-separable" in found._repr_html_()
    assert found.to_dicts()[1]["params_reduction"] == 36864 / 4672


def test_too_many_points():
    """A grid that nobody can wait for is refused before anything is counted."""
    with pytest.raises(SepcalcError, match=r"^the grid has 1,000,000,000 points"):
        sweep_layer({"c_in": range(1, 1001), "c_out": range(1, 1001), "k": range(1, 1001)})
