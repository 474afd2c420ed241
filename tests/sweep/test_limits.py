"""How reductions move along a grid, and what they near beyond it."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc import ConvSpec, compare
from sepcalc.core.variants import all_variants
from sepcalc.sweep.limits import horizons, limits, trend_notes
from sepcalc.sweep.sweep import sweep_layer
from sepcalc.sweep.tables import sweep_table


def notes(values, variants=(), **settings):
    """The sentences about a sweep, by the name they begin with."""
    found = sweep_layer(values, variants, settings)
    told = trend_notes(found, found.block(0, len(found.grid)), horizons(found))
    return dict(note.rstrip(".").split(": ", 1) for note in told)


def test_the_saving_grows_with_filters_and_window():
    """The question of the textbook: the saving grows with the filters, towards k², and with the window."""
    told = notes({"c_in": 64, "c_out": [32, 64, 128], "k": [3, 5, 7], "size": 56})
    assert told == {
        "depthwise-separable": (
            "the reduction grows with c_out, towards k² (9.00× at k 3, 25.0× at k 5, 49.0× at k 7); "
            "grows with k, towards c_out (32.0× at c_out 32, 64.0× at c_out 64, 128× at c_out 128)"
        ),
        "spatial-separable": (
            "the reduction grows and falls with c_out, towards k (3.00× at k 3, 5.00× at k 5, 7.00× at k 7); "
            "grows with k"
        ),
    }


@pytest.mark.parametrize(
    ("values", "settings", "sentence"),
    [
        (
            {"c_in": [16, 32], "c_out": 64, "k": 3, "size": [14, 28]},
            {},
            "the reduction does not change with c_in or size",
        ),
        ({"c_in": 16, "c_out": [64, 128], "k": 3}, {}, "the reduction grows with c_out, towards k² = 9.00×"),
        ({"c_in": 16, "c_out": [128, 32, 64], "k": 3}, {}, "the reduction grows with c_out, towards k² = 9.00×"),
        ({"c_in": 16, "c_out": [64, 128], "k": (3, 1)}, {}, "the reduction grows with c_out, towards 3.00×"),
        (
            {"c_in": 16, "c_out": [64, 128], "k": [3, (3, 1)]},
            {},
            "the reduction grows with c_out, towards a limit from 3.00× to 9.00×",
        ),
        ({"c_in": 16, "c_out": 64, "k": [3, 5], "size": 8}, {"padding": "valid"}, "the reduction grows with k"),
        (
            {"c_in": 16, "c_out": 64, "k": 3, "depth_multiplier": [1, 2]},
            {},
            "the reduction falls with depth_multiplier",
        ),
    ],
)
def test_sentences(values, settings, sentence):
    """A quantity that changes nothing, one limit, one without a formula, several, and none that is known."""
    assert notes(values, ["dws"], **settings)["depthwise-separable"] == sentence


@pytest.mark.parametrize(
    ("c_out", "sentence"),
    [
        ([32, 64], "the reduction falls with c_out, but in the end nears k = 3.00×"),
        ([32, 128], "the reduction is the same at each given c_out, but in the end nears k = 3.00×"),
        ([64, 128], "the reduction grows with c_out, towards k = 3.00×"),
        ([32, 64, 128], "the reduction grows and falls with c_out, towards k = 3.00×"),
    ],
)
def test_a_limit_on_the_other_side(c_out, sentence):
    """A reduction that goes another way on the grid than beyond it is not said to go towards its limit, nor to stay."""
    assert notes({"c_in": 64, "c_out": c_out, "k": 3}, ["sps"]) == {"spatial-separable": sentence}


def test_a_sentence_is_about_the_grid():
    """What does not change on a grid may do so elsewhere: at stride 2 an odd size is not like an even one."""
    even, odd = (
        sweep_layer({"c_in": 8, "c_out": 8, "k": 3, "stride": 2, "size": size}, ["bsconv"])
        for size in ([6, 10], [6, 7, 10])
    )
    assert [*trend_notes(even, even.whole(), horizons(even))] == [
        "blueprint-separable: the reduction does not change with size."
    ]
    first, _ = trend_notes(odd, odd.whole(), horizons(odd))
    assert first.startswith("blueprint-separable: the MACs reduction grows and falls with size")


def test_two_reductions():
    """Where params and multiply-adds do not go the same way, each reduction has its own sentence."""
    found = sweep_layer({"c_in": 16, "c_out": 64, "k": 3, "size": 28, "stride": [1, 2]}, ["bsconv"])
    assert [*trend_notes(found, found.block(0, 2), horizons(found))] == [
        "blueprint-separable: the MACs reduction falls with stride.",
        "blueprint-separable: the params reduction does not change with stride.",
    ]


def test_towards_nothing():
    """A reduction that falls without end nears 0."""
    told = notes({"c_in": [8, 16], "c_out": 64, "k": 3}, ["inverted-bottleneck"])
    assert told["inverted-bottleneck"] == "the reduction falls with c_in, towards 0"


def test_where_a_variant_does_not_apply():
    """Points without a count say nothing about the others, neither of the direction nor of the limit."""
    told = notes({"c_in": 64, "c_out": [128, 256, 512], "k": [1, 3]}, ["sps"])
    assert told["spatial-separable"] == "the reduction grows with c_out, towards k (3.00× at k 3)"


@pytest.mark.parametrize("variant", all_variants(), ids=lambda each: each.name)
@randomly(25)
@given(
    c_in=st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True),
    c_out=st.lists(st.integers(1, 64), min_size=1, max_size=3, unique=True),
    k=st.lists(st.integers(1, 7), min_size=1, max_size=3, unique=True),
    stride=st.sampled_from([1, 2]),
)
def test_a_limit_is_what_comes_near_it(variant, c_in, c_out, k, stride):
    """No variant is ever far from a limit that is given for it, at a number much larger than any that was looked at."""
    found = sweep_layer({"c_in": c_in, "c_out": c_out, "k": k, "size": 12, "stride": stride, "groups": 2}, [variant])
    place, columns = found.names.index(variant.name), found.grid.columns(0, len(found.grid))
    for beyond in horizons(found):
        for point, limit in enumerate(limits(found, beyond, place, "macs")):
            if limit is None:
                continue
            at = {key: values[point] for key, values in columns.items()}
            at[beyond.axis.key] = max(beyond.axis.values) * 2 ** (
                (9 * 10**8 // max(beyond.axis.values)).bit_length() - 5
            )
            spec = ConvSpec.of(at["c_in"], at["c_out"], at["k"], size=12, stride=stride)
            comparison = compare(spec, [variant.bind({"groups": 2})])
            assert abs(comparison.macs_reduction(comparison.candidates[-1]) - limit) <= max(
                limit / 10**4, Fraction(1, 1000)
            )


def test_limit_columns():
    """A table has for each quantity that can grow a column with the limit at each row's other values."""
    table = sweep_table(sweep_layer({"c_in": 64, "c_out": [32, 64], "k": [3, 5]}, ["dws"]))
    records = [each for each in table.to_dicts() if each["variant"] == "depthwise-separable"]
    assert [(each["k"], each["limit:c_out"]) for each in records] == [(3, 9.0), (5, 25.0)] * 2
    assert [(each["c_out"], each["limit:k"]) for each in records] == [(32, 32.0)] * 2 + [(64, 64.0)] * 2
    assert not {"limit:c_out", "limit:k"} & {column.key for column in table.brief().columns}
