"""The table of a sweep."""

from fractions import Fraction

import pytest
from grids import grids
from hypothesis import given
from strategies import randomly

from sepcalc.core.errors import SepcalcError
from sepcalc.core.variants import all_variants, choose
from sepcalc.render.formats import render_tables
from sepcalc.sweep.sweep import sweep_layer, sweep_network
from sepcalc.sweep.tables import elided, sweep_table


@randomly(40)
@given(grid=grids())
def test_rows_are_points_and_variants(grid):
    """Row by row a table has the point, the variant, its counts and its reductions; what is missing is None."""
    found = sweep_layer(grid[0], all_variants(), grid[1])
    table = sweep_table(found)
    block = found.block(0, len(found.grid))
    swept = [axis.key for axis in found.grid.swept]
    assert [column.key for column in table.columns][: len(swept) + 2] == [*swept, "variant", "params"]
    macs = "macs_per_position" if found.is_open else "macs"
    rows = iter(table.rows)
    for point in range(len(found.grid)):
        for name, counts in zip(found.names, block.counts, strict=True):
            cells = dict(zip((column.key for column in table.columns), next(rows).cells, strict=True))
            assert [cells[key] for key in swept] == [block.values[key][point] for key in swept]
            assert (cells["variant"], cells["params"], cells[macs]) == (name, counts.params[point], counts.macs[point])
            assert cells["why_not"] == counts.why_not[point]
            standard = block.counts[0].macs[point]
            ratio = None if counts.macs[point] is None else Fraction(standard, counts.macs[point])
            assert cells["macs_reduction"] == ratio
    assert next(rows, None) is None


@pytest.mark.parametrize(
    ("values", "settings", "title"),
    [
        (
            {"c_in": 64, "c_out": [32, 64], "k": [3, 5, 7], "size": 56},
            {},
            "Convolution, c_in 64, size 56; c_out 32, 64, k 3, 5, 7",
        ),
        (
            {"c_in": 64, "c_out": range(1, 2001), "k": 3},
            {},
            "Convolution, c_in 64, k 3; c_out from 1 to 2,000 (2,000 values)",
        ),
        (
            {"c_in": 8, "c_out": 8, "k": [(3, 1), 3], "mid": ["min", 4]},
            {"padding": (1, 0), "bias": "all", "transposed": True},
            "Transposed convolution, padding 1×0, bias all, c_in 8, c_out 8; k 3×1, 3×3, mid min, 4",
        ),
        ({"c_in": 8, "c_out": 8, "k": [3, 5]}, {"dilation": (1,)}, "1D convolution, c_in 8, c_out 8; k 3, 5"),
        ({"c_in": 8, "c_out": 8, "k": 3}, {"padding": "valid"}, "Convolution, padding valid, c_in 8, c_out 8, k 3"),
    ],
)
def test_titles(values, settings, title):
    """A title holds what is not the default, what stays the same, and what is swept, many values by their ends."""
    assert sweep_table(sweep_layer(values, ["dws"], settings)).title == title


def test_reasons():
    """Like reasons are one note, with their number and the first; where there is no convolution, variants have none."""
    table = sweep_table(
        sweep_layer(
            {"c_in": [6, 10], "c_out": 12, "k": [1, 9], "size": 7, "groups": [2, 4]}, ["sps"], {"padding": "valid"}
        )
    )
    assert [note for note in table.notes if "points" in note] == [
        (
            "nothing is counted at 4 of 8 points: kernel 9×9 leaves nothing of size 7×7 with padding 0×0; "
            "give a larger size or more padding."
        ),
        (
            "spatial-separable does not apply at 4 of 8 points: spatial separation needs two axes with k > 1, "
            "not kernel 1×1."
        ),
        "grouped does not apply at 2 of 8 points, the first: c_in 6 is not divisible by groups 4; nearest: 4, 8.",
    ]


def test_open_size():
    """Without a size, multiply-adds are shown for each position of as many axes as there are."""
    shown = render_tables(
        [sweep_table(sweep_layer({"c_in": 8, "c_out": [8, 16], "k": 3}, [], {"dilation": (1, 1, 1)}))], "terminal"
    )
    assert "1,728·D_F³" in shown


def test_factors_of_a_network():
    """A width is shown as a factor, and reductions are against the standard network, the one as written included."""
    from sepcalc import load

    values = {"width": [Fraction(1, 4), 1]}
    found = sweep_network("mobilenet_v1", values, lambda width, size: load("mobilenet_v1", width=width), choose())
    records = sweep_table(found).to_dicts()
    assert [each["width"] for each in records] == [0.25] * 4 + [1.0] * 4
    assert [each["macs_reduction"] for each in records if each["variant"] == "standard"] == [1.0, 1.0]
    assert records[4]["macs_reduction"] == 4_867_293_184 / 568_740_352


def test_too_long():
    """A table that nobody reads is refused, with the way to get the numbers."""
    with pytest.raises(SepcalcError) as caught:
        sweep_table(sweep_layer({"c_in": range(1, 101), "c_out": range(1, 101), "k": 3}))
    assert str(caught.value) == (
        "a table of 30,000 rows is too long to be read, the longest has 20,000; "
        "give fewer values, or -o with a .csv, .tsv, .json or .parquet file"
    )


def test_elided():
    """Of a long table the first and the last rows are shown, and a note says how many are not; a short one stays."""
    table = sweep_table(sweep_layer({"c_in": range(1, 101), "c_out": 4, "k": 3}))
    short = elided(table, 20)
    assert short.rows[:10] == table.rows[:10]
    assert short.rows[11:] == table.rows[-10:]
    assert short.notes[0] == "280 of 300 rows are not shown; -o with the name of a file writes them all."
    assert "…" in short.rows[10].cells
    assert elided(table, 300) is table
