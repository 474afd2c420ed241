"""Shares as bars beside the numbers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.cli.layer import SHARES as LAYER
from sepcalc.cli.network import SHARES as NETWORK
from sepcalc.core.layer_tables import layer_table
from sepcalc.core.network_tables import network_table
from sepcalc.core.table import Column, Row, Table
from sepcalc.render.bars import with_bars
from sepcalc.render.cells import BAR, texts

COLUMNS = (Column(key="macs", title="MACs", kind="count"), Column(key="share", title="Share", kind="share"))


def lengths(shares):
    """How many eighths of a character the bars of ``shares`` are long."""
    rows = tuple(Row(cells=(1, share)) for share in shares)
    table = with_bars(Table(name="", title="", columns=COLUMNS, rows=rows), {"macs": "share"})
    return [sum(" ▏▎▍▌▋▊▉█".index(character) for character in line[1]) for line in texts(table)]


@given(st.lists(st.fractions(0, 3, max_denominator=1000), min_size=1, max_size=6))
def test_bars_are_in_proportion(shares):
    """A bar is as long as its share of the largest, to an eighth of a character; what is not nothing is seen."""
    most = max(shares) or Fraction(1)
    for share, length in zip(shares, lengths(shares), strict=True):
        assert abs(length - 8 * BAR * share / most) <= 1
        assert (length == 0) == (share == 0)


def test_a_network_from_its_cells():
    """The bars of a network are the shares of its own table; the sum has none, and no other cell changes."""
    table = network_table(load("alexnet"))
    barred = with_bars(table, NETWORK)
    place = [column.key for column in barred.columns].index("macs_bar")
    shares = [row.cells[[column.key for column in table.columns].index("macs_share")] for row in table.rows]
    assert [row.cells[place] for row in barred.rows[:-1]] == [share / max(shares[:-1]) for share in shares[:-1]]
    assert barred.rows[-1].cells[place] == ""
    keys = [column.key for column in table.columns]
    assert barred.select(keys) == table


@pytest.mark.parametrize("size", [None, 56])
def test_a_layer(size):
    """A bar stands after each count that is there; what does not apply has none."""
    comparison = compare(ConvSpec.of(64, 96, k=3, size=size), choose(["depthwise", "inverted-bottleneck"]))
    barred = with_bars(layer_table(comparison), LAYER)
    keys = [column.key for column in barred.columns]
    for key in ("params", "macs_per_position"):
        assert keys[keys.index(key) + 1] == f"{key}_bar"
    bars = [row.cells[keys.index("params_bar")] for row in barred.rows]
    assert bars[1] == ""
    assert bars[2] == 1
    assert bars[0] == Fraction(64 * 96 * 9, comparison.candidates[2].params)


def test_a_table_without_the_share():
    """A column whose share is not in the table gets no bar."""
    table = network_table(load("alexnet")).select(["name", "macs"])
    assert with_bars(table, NETWORK) == table


def test_where_space_is_short():
    """The bars of multiply-adds stay longer than those of parameters."""
    ranks = {column.key: column.rank for column in with_bars(network_table(load("alexnet")), NETWORK).columns}
    assert ranks["params_bar"] > ranks["macs_bar"] > 0


def test_nothing_but_zero():
    """Where every share is nothing there are no bars, and nothing goes wrong."""
    assert lengths([Fraction(0), Fraction(0)]) == [0, 0]
