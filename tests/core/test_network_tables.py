"""The tables that answer for a network."""

from fractions import Fraction
from itertools import accumulate
from math import prod

import pytest

from sepcalc import choose, load
from sepcalc.core.errors import SepcalcError
from sepcalc.core.network_tables import bundled_table, network_table, published_table, totals_table
from sepcalc.core.table import Table, first_few
from sepcalc.readers.yaml.reader import bundled, read

MIXED = """
name: Mixed
input: {channels: 8, size: 6}
defaults: {norm: batch}
layers:
  - separable: {name: block.first, c_out: 16, k: 3}
  - separable: {name: block.second, c_out: 16, k: 3}
  - conv: {name: odd, c_out: 24, k: 3}
  - uncounted: {name: magic, operator: Einsum, params: 5}
  - avgpool: global
  - linear: {name: fc, c_out: 10, bias: true}
"""


def column(table: Table, key: str) -> list:
    """The cells of a column."""
    place = [each.key for each in table.columns].index(key)
    return [row.cells[place] for row in table.rows]


def of(table: Table, name: str) -> dict:
    """The row called ``name``."""
    row = next(row for row in table.rows if row.cells[0] == name)
    return {each.key: cell for each, cell in zip(table.columns, row.cells, strict=True)}


@pytest.mark.slow
@pytest.mark.parametrize("name", bundled())
@pytest.mark.parametrize("layout", [{}, {"group": True}, {"top": 4}, {"sort": "params", "top": 2}, {"sort": "type"}])
def test_rows_add_up(name, layout):
    """However layers are grouped, sorted or cut, the rows add up to the total, and the shares to one."""
    network = load(name)
    table = network_table(network, **layout)
    for key, total in (("params", network.cost.params), ("macs", network.cost.macs), ("layers", len(network.layers))):
        *parts, whole = column(table, key)
        assert sum(parts) == whole == total
    for key in ("params_share", "macs_share"):
        assert sum(column(table, key)[:-1]) == column(table, key)[-1] == 1
    assert [row.role for row in table.rows] == ["body"] * (len(table.rows) - 1) + ["total"]


def test_a_row_shows_its_layer():
    """A row has the layer's own shapes, kernel, stride and groups; an operator has no multiply-adds of its own."""
    table = network_table(load("mobilenet_v1"))
    assert of(table, "separable2") | {"macs_share": None, "params_share": None} == {
        "name": "separable2", "type": "depthwise-separable 3×3", "input": (64, 112, 112), "output": (128, 56, 56),
        "params": 9_152, "macs": 27_496_448, "macs_share": None, "params_share": None, "flops": 54_992_896,
        "kernel": (3, 3), "stride": (2, 2), "groups": 1, "layers": 1,
    }  # fmt: skip
    pool = of(table, "avgpool1")
    assert (pool["type"], pool["macs"], pool["stride"], pool["groups"]) == ("avgpool 7×7", 0, "", "")


def test_uncounted():
    """What is not understood has no multiply-adds and no share, comes last where they order, and is named below."""
    table = network_table(read(MIXED), sort="macs")
    row = of(table, "magic")
    assert (row["params"], row["macs"], row["flops"], row["macs_share"]) == (5, None, None, None)
    assert table.rows[-2].cells[0] == "magic"
    assert table.notes == ("uncounted, and missing from every total: magic (Einsum).",)
    assert table.notes[0] in totals_table(read(MIXED), [read(MIXED).what_if(each) for each in choose()]).notes


def test_groups():
    """Layers whose names agree up to the first dot are one row, from the first one's input to the last one's output."""
    network = read(MIXED)
    row = of(network_table(network, group=True), "block")
    assert (row["layers"], row["input"], row["output"]) == (2, (8, 6, 6), (16, 6, 6))
    assert row["params"] == sum(layer.cost.params for layer in network.layers[:2])


@pytest.mark.parametrize("key", ["params", "macs", "input", "output", "kernel", "macs_share"])
def test_order_of_numbers(key):
    """Numbers go from the largest, shapes by how much they hold, and what has none comes last."""
    cells = column(network_table(load("inception_v3"), sort=key), key)[:-1]
    sizes = [prod(cell) if isinstance(cell, tuple) else cell for cell in cells if cell not in (None, "")]
    assert sizes == sorted(sizes, reverse=True)
    assert all(cell in (None, "") for cell in cells[len(sizes) :])


def test_order_of_names():
    """Text goes from A."""
    names = column(network_table(load("vgg16"), sort="name"), "name")[:-1]
    assert names == sorted(names)


def test_an_unknown_order():
    """An unknown column is refused with the closest one."""
    with pytest.raises(SepcalcError) as error:
        network_table(load("vgg16"), sort="param")
    assert str(error.value) == "unknown column 'param'; did you mean 'params'?"


def test_stages():
    """Stages are parts of their layer: their multiply-adds add up to its, their params but for its norms."""
    network = read(MIXED)
    table = network_table(network, stages=True)
    rows = list(
        zip([row.role for row in table.rows], *(column(table, key) for key in ("name", "params", "macs")), strict=True)
    )
    assert rows[:3] == [
        ("body", "block.first", 8 * 9 + 8 * 16 + 2 * (8 + 16), (8 * 9 + 8 * 16) * 36),
        ("part", "depthwise 3×3", 8 * 9, 8 * 9 * 36),
        ("part", "pointwise 1×1", 8 * 16, 8 * 16 * 36),
    ]
    assert [role for role, *_ in rows].count("part") == 4
    assert "the norms after them are in their layer's row" in table.caption
    assert "Stages:" not in network_table(network).caption


def test_stages_of_shared_weights():
    """Stages of weights that an earlier layer holds have no parameters, as their layer has none."""
    network = read("""
        input: {channels: 8, size: 6}
        layers: [separable: {name: a, c_out: 8, k: 3}, separable: {name: b, c_out: 8, k: 3, shares: a}]
    """)
    table = network_table(network, stages=True)
    assert column(table, "params") == [136, 72, 64, 0, 0, 0, 136]
    assert column(table, "macs")[:3] == column(table, "macs")[3:6]


def test_no_stages():
    """Where no layer has several stages, a note says so, and there is no rule of stages."""
    table = network_table(load("resnet18"), stages=True)
    assert table.notes == ("No layer of ResNet-18 is written in several stages.",)
    assert "Stages:" not in table.legend
    assert network_table(load("resnet18")).notes == ()
    assert network_table(load("mobilenet_v1"), stages=True).notes == ()


def test_totals():
    """The totals hold the network as written and each variant, with reductions against the standard."""
    network = load("mobilenet_v1")
    table = totals_table(network, [network.what_if(each) for each in choose()])
    names = ["as-written", "standard", "depthwise-separable", "spatial-separable"]
    assert column(table, "variant") == [*names, "cheapest"]
    assert column(table, "macs")[:2] == [568_740_352, 4_867_293_184]
    assert column(table, "macs_reduction")[0] == Fraction(4_867_293_184, 568_740_352)
    assert column(table, "converted") == ["", 14, 14, 14, 1]
    costs = network.totals()
    assert column(table, "params")[:-1] == [costs[name].params for name in names]


def test_layers_that_stay_as_written():
    """What a variant cannot express is named with the reason, a few names standing for many."""
    convs = ", ".join(f"conv: {{name: odd{number}, c_out: 12, k: 3, from: stem}}" for number in range(5))
    network = read(f"{{input: {{channels: 8, size: 6}}, layers: [relu: {{name: stem}}, {convs}]}}")
    table = totals_table(network, [network.what_if(each) for each in choose(["depthwise"])])
    assert table.notes == (
        "depthwise leaves odd0, odd1, odd2 and 2 more as written: depthwise cannot change 8 channels to 12.",
    )
    assert column(table, "converted") == ["", 5, 0, 0]


def test_a_network_without_multiply_adds():
    """Where there is nothing to divide by there is no share and no reduction."""
    network = read("{input: {channels: 8, size: 6}, layers: [relu]}")
    assert column(network_table(network), "macs_share") == [None, None]
    table = totals_table(network, [network.what_if(each) for each in choose()])
    assert set(column(table, "macs_reduction")) == {None}


@pytest.mark.parametrize("name", bundled())
def test_published(name):
    """What is computed stands above what each source prints, as it prints it."""
    network = load(name)
    table = published_table(network)
    assert table is not None
    assert (column(table, "params")[0], column(table, "macs")[0]) == (network.cost.params, network.cost.macs)
    assert column(table, "source")[1:] == [each.source for each in network.published]
    assert column(table, "macs")[1:] == [each.macs for each in network.published]


def test_nothing_published():
    """A network without published figures has no such table."""
    assert published_table(read(MIXED)) is None


def test_bundled():
    """The list holds every network with the name under which it is found."""
    networks = {name: load(path) for name, path in bundled().items()}
    table = bundled_table(networks)
    assert column(table, "name") == list(bundled())
    assert column(table, "params") == [network.cost.params for network in networks.values()]
    assert all(column(table, "source"))


@pytest.mark.parametrize(("count", "text"), [(1, "a0"), (3, "a0, a1, a2"), (1203, "a0, a1, a2 and 1,200 more")])
def test_some(count, text):
    """A few names are all named; of many the first three."""
    assert first_few([f"a{number}" for number in range(count)]) == text


def test_what_ifs_by_layer():
    """Each layer shows what it costs as each variant and what that saves; the sums are those of the totals."""
    network = load("mobilenet_v1")
    what_ifs = [network.what_if(each, keep=["conv1"]) for each in choose()]
    table, totals = network_table(network, what_ifs), totals_table(network, what_ifs)
    whole, kept, separable = (of(table, name) for name in ("total", "conv1", "separable2"))
    for row, what_if, place in zip(totals.rows[1:-1], what_ifs, range(3), strict=True):
        name = what_if.variant.name
        assert (whole[f"params:{name}"], whole[f"macs:{name}"]) == row.cells[1:3]
        assert not place or whole[f"reduction:{name}"] == row.cells[4]
    assert (kept["macs:standard"], kept["reduction"], kept["reduction:spatial-separable"]) == (None, None, None)
    assert separable["reduction"] == separable["reduction:depthwise-separable"]
    assert separable["reduction"] == Fraction(separable["macs:standard"], separable["macs"])
    assert "reduction" not in [column.key for column in table.brief().columns]


def test_what_ifs_by_block():
    """A block is rewritten where a layer of it is; its other layers stay as written."""
    network = load("resnet50")
    what_ifs = [network.what_if(each) for each in choose()]
    table = network_table(network, what_ifs, group=True).select(["name", "macs", "macs:standard", "reduction"])
    block, last = of(table, "conv2"), of(table, "fc")
    assert block["macs"] == block["macs:standard"]
    assert (last["macs:standard"], last["reduction"]) == (None, None)
    inside = [
        layer.cost if cost is None else cost
        for layer, cost in zip(network.layers, what_ifs[1].layers, strict=True)
        if layer.name.startswith("conv2")
    ]
    assert block["reduction"] == Fraction(block["macs"], sum(cost.macs for cost in inside))


@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("name", ["mobilenet_v1", "resnet50"])
def test_cumulative(name, group):
    """What the network costs up to each layer or block is the sum of all rows up to it, and at the end the total."""
    network = load(name)
    what_ifs = [network.what_if(each) for each in choose()]
    table, totals = network_table(network, what_ifs, group=group), totals_table(network, what_ifs)
    for key, place in (("params", 1), ("macs", 2)):
        written = column(table, key)[:-1]
        for row in totals.rows[:-1]:
            suffix = "" if row.cells[0] == "as-written" else f":{row.cells[0]}"
            *so_far, whole = column(table, f"{key}_cumulative{suffix}")
            costs = zip(column(table, key + suffix)[:-1], written, strict=True)
            assert so_far == list(accumulate(as_written if cost is None else cost for cost, as_written in costs))
            assert (so_far[-1], whole) == (row.cells[place], "")


def test_cumulative_is_of_the_depth():
    """A layer keeps what comes before it in the network, however rows are sorted; stages and others have none."""
    network = load("mobilenet_v1")
    what_ifs = [network.what_if(each) for each in choose()]
    plain = network_table(network, what_ifs)
    cut = network_table(network, what_ifs, stages=True, sort="params", top=3)
    assert of(cut, "fc")["macs_cumulative"] == of(plain, "fc")["macs_cumulative"] == network.cost.macs
    assert {of(cut, name)["macs_cumulative"] for name in ("pointwise 1×1", "13 others", "total")} == {""}
