"""The table that compares the variants of one convolution."""

from fractions import Fraction

import pytest
from hypothesis import given
from strategies import open_specs, randomly, specs

from sepcalc import ConvSpec, choose, compare
from sepcalc.core.layer_tables import layer_table
from sepcalc.core.spec import describe
from sepcalc.core.table import Table


def column(table: Table, key: str) -> list:
    """The cells of a column."""
    place = [each.key for each in table.columns].index(key)
    return [row.cells[place] for row in table.rows]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (ConvSpec.of(64, 128, k=3), "3×3 convolution, 64 → 128 channels"),
        (ConvSpec.of(8, 8, k=(3, 1), size=(5, 7)), "3×1 convolution, 8 → 8 channels, 5×7"),
        (ConvSpec.of(8, 8, k=(5,), size=40), "1D convolution, kernel 5, 8 → 8 channels, size 40"),
        (
            ConvSpec.of(8, 8, k=3, size=9, stride=2, padding=1, dilation=2, groups=4, bias="last"),
            "3×3 convolution, 8 → 8 channels, 9×9, stride 2×2, dilation 2×2, padding 1×1, 4 groups, bias on the output",
        ),
        (
            ConvSpec.of(8, 8, k=3, size=9, stride=2, padding=1, transposed=True, output_padding=1),
            "3×3 transposed convolution, 8 → 8 channels, 9×9, stride 2×2, padding 1×1, output padding 1×1",
        ),
    ],
)
def test_titles(spec, text):
    """A title holds the convolution with whatever is not its default, and nothing that is."""
    assert describe(spec) == text


@randomly(60)
@given(specs())
def test_columns_are_the_candidates_figures(spec):
    """Every row holds its candidate's figures, exactly; a candidate that does not apply has none."""
    comparison = compare(spec, choose(["all"]))
    table = layer_table(comparison, element_bytes=2)
    for row, candidate in enumerate(comparison.candidates):
        cells = {each.key: table.rows[row].cells[place] for place, each in enumerate(table.columns)}
        assert cells.pop("variant") == candidate.variant.name
        if not candidate.applies:
            assert set(cells.values()) == {None}
            continue
        assert (cells["params"], cells["macs"], cells["flops"]) == (
            candidate.params, candidate.macs, 2 * candidate.macs,
        )  # fmt: skip
        assert cells["traffic_bytes"] == candidate.traffic_bytes(2)
        assert cells["intensity"] == Fraction(cells["flops"], cells["traffic_bytes"])
        assert cells["params_ratio"] * cells["params_reduction"] == cells["macs_ratio"] * cells["macs_reduction"] == 1
        assert (cells["c_in"], cells["c_out"], cells["in_size"]) == (spec.c_in, spec.c_out, spec.size)
        assert cells["out_size"] == spec.out_size


@randomly(60)
@given(specs())
def test_stages_add_up(spec):
    """The stages below a variant are parts of it: what can be added adds up to the variant's own figure."""
    comparison = compare(spec, choose(["all"]))
    table = layer_table(comparison, stages=True)
    for key in ("params", "macs", "flops", "weights", "activations", "traffic_bytes"):
        groups: list[list] = []
        for row, cell in zip(table.rows, column(table, key), strict=True):
            if row.role == "body":
                groups.append([cell])
            else:
                groups[-1].append(cell)
        assert all(sum(parts) == whole for whole, *parts in groups if parts)
    assert sum(row.role == "body" for row in table.rows) == len(comparison.candidates)


@randomly(30)
@given(open_specs())
def test_an_open_size(spec):
    """Without a size the default columns hold a number in every row that applies."""
    comparison = compare(spec)
    table = layer_table(comparison).brief()
    assert [each.key for each in table.columns] == [
        "variant", "params", "macs_per_position", "params_reduction", "macs_reduction",
    ]  # fmt: skip
    for row, candidate in zip(table.rows, comparison.candidates, strict=True):
        assert (None in row.cells) != candidate.applies
    assert "D_F: the size of the feature map, left open." in table.legend


def test_positions_of_a_known_size_are_a_number():
    """With a size, multiply-adds per position are no multiple of D_F², which is the input's."""
    table = layer_table(compare(ConvSpec.of(64, 128, k=3, size=56, stride=2)))
    assert {each.key: each.axes for each in table.columns}["macs_per_position"] == 0


def test_notes():
    """What does not apply has its reason below the table, and the spatial variant its break-even."""
    table = layer_table(compare(ConvSpec.of(64, 96, k=3), choose(["spatial-separable", "depthwise", "grouped"])))
    assert table.notes == (
        "spatial-separable: mid 64; saves while mid < 116.",
        "depthwise does not apply: depthwise cannot change 64 channels to 96.",
        "grouped does not apply: the number of groups is open; give groups.",
    )


def test_a_spatial_variant_that_costs_more():
    """Beyond its break-even the spatial variant is said to save nothing."""
    table = layer_table(compare(ConvSpec.of(64, 128, k=3), choose(["sps"], {"mid": 128})))
    assert table.notes == ("spatial-separable: mid 128 saves nothing: only mid < 128 does.",)
    assert column(table, "params_reduction")[1] == 1


def test_captions_name_the_rule():
    """The caption says what is counted, and what one element takes."""
    caption = layer_table(compare(ConvSpec.of(8, 8, k=3, size=4)), element_bytes=2).legend
    assert "1 MAC = 2 FLOPs; bias, normalisation, activations and pooling are not in them." in caption
    assert "2 bytes per element" in caption
