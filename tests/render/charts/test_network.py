"""The chart of a network: what it draws is what the tables hold."""

import pytest
from drawings import drawing

from sepcalc import choose, load
from sepcalc.core.errors import SepcalcError
from sepcalc.core.network_tables import network_table, totals_table
from sepcalc.readers.yaml.reader import read
from sepcalc.render.charts.network import network_chart

COUNTS = ("params", "macs")
DEEP = "\n".join(
    (
        "name: A network that somebody in a hurry gave a name which is a good deal longer than a line of it",
        "layers:",
        *(
            f"  - {{name: features.denseblock{block}.denselayer{layer}.conv{k}, c_in: 64, c_out: 64, k: {k}, size: 56}}"
            for block in range(4)
            for layer in range(15)
            for k in (1, 3)
        ),
    )
)


def tables(network, variants=(), **layout):
    """The tables of a network with what its variants cost."""
    what_ifs = [network.what_if(each) for each in choose(variants)]
    return network_table(network, what_ifs, **layout), totals_table(network, what_ifs)


@pytest.mark.slow
@pytest.mark.parametrize("group", [False, True])
@pytest.mark.parametrize("name", ["mobilenet_v1", "resnet50", "densenet121"])
def test_data_is_the_table(name, group):
    """Every cost and every sum so far is a cell of the table of layers, as written where a layer is not rewritten."""
    layers, totals = tables(load(name), group=group)
    chart = network_chart(layers, totals)
    rows = [row for row in layers.to_dicts() if row["role"] == "body" and (row["params"] or row["macs"])]
    variants = dict.fromkeys(each["variant"] for each in chart.data["layers"])
    for variant in variants:
        shown = [each for each in chart.data["layers"] if each["variant"] == variant]
        assert [each["name"] for each in shown] == [row["name"] for row in rows]
        assert [each["place"] for each in shown] == list(range(1, len(rows) + 1))
        for part in variant.split(" = "):
            suffix = "" if part == "as-written" else f":{part}"
            for count in COUNTS:
                costs = [row[count] if row[count + suffix] is None else row[count + suffix] for row in rows]
                assert [each[count] for each in shown] == costs
                so_far = [each[f"{count}_cumulative"] for each in shown]
                assert so_far == [row[f"{count}_cumulative{suffix}"] for row in rows]
    forms = [row["variant"] for row in totals.to_dicts() if row["variant"] != "cheapest"]
    assert [name for each in variants for name in each.split(" = ")] == forms


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet_v1", "vgg16", "shufflenet_v2_x1_0"])
def test_curves_end_at_the_totals(name):
    """The totals beside the bars are those of the table of totals, and where the curves end."""
    layers, totals = tables(load(name), ["all"])
    chart = network_chart(layers, totals)
    known = {row["variant"]: row for row in totals.to_dicts()}
    last = max(each["place"] for each in chart.data["layers"])
    ends = {each["variant"]: each for each in chart.data["layers"] if each["place"] == last}
    for shown in chart.data["totals"]:
        row = known[shown["variant"].split(" = ")[0]]
        for count in COUNTS:
            assert shown[count] == row[count] == ends[shown["variant"]][f"{count}_cumulative"]
            assert shown[f"{count}_reduction"] == row[f"{count}_reduction"]


def test_the_same_is_drawn_once():
    """A network written with dense convolutions and its standard form are one row, under both names."""
    names = [each["variant"] for each in network_chart(*tables(load("vgg16"))).data["totals"]]
    assert names == ["as-written = standard", "depthwise-separable", "spatial-separable"]


@pytest.mark.slow
@pytest.mark.parametrize("variants", [(), ("all",)])
@pytest.mark.parametrize("network", [load("mobilenet_v1"), load("densenet121"), load("alexnet"), read(DEEP)])
def test_words_are_apart(network, variants):
    """No word is cut off or lies on another, however long the names are, and the picture fits a column."""
    picture = drawing(network_chart(*tables(network, variants)))
    assert (picture.clipped(), picture.overlapping()) == ([], [])
    assert picture.width <= 322


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "names"),
    [
        (load("alexnet"), ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]),
        (load("densenet121"), ["dense1", "dense2", "dense3", "dense4", "classification"]),
        (read(DEEP), ["denseblock0", "denseblock1", "denseblock2", "denseblock3"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_names_below(network, names):
    """Below the depth stand the layers, or the blocks where there are many layers."""
    words = drawing(network_chart(*tables(network))).words
    upright = sorted(
        (word for word in words if word.text in names), key=lambda word: (word.box.top > 350, word.box.left)
    )
    assert [word.text for word in upright] == names * 2


def test_what_is_uncounted():
    """An operator whose multiply-adds are unknown has its parameters, no bar of the others, and a note above."""
    network = read(
        "name: Mixed\ninput: {channels: 8, size: 6}\nlayers:\n  - conv: {c_out: 16, k: 3}\n"
        "  - uncounted: {name: magic, operator: Einsum, params: 5}"
    )
    chart = network_chart(*tables(network))
    (magic, *_) = [each for each in chart.data["layers"] if each["name"] == "magic"]
    assert (magic["params"], magic["macs"], magic["macs_hint"]) == (
        5,
        None,
        "magic, as-written = standard: unknown MACs",
    )
    assert any("uncounted" in line for line in chart.spec["title"]["subtitle"])


def test_nothing_to_draw():
    """A network without a parameter is refused in a sentence."""
    network = read("name: pools\ninput: {channels: 3, size: 8}\nlayers: [{maxpool: 2}]")
    with pytest.raises(SepcalcError) as error:
        network_chart(*tables(network))
    assert str(error.value) == (
        "pools, input 3×8×8: no layer has parameters or multiply-adds, so there is nothing to draw"
    )


def test_too_many_layers(monkeypatch):
    """More layers than anybody can see are refused with the cure."""
    monkeypatch.setattr("sepcalc.render.charts.network.MOST", 7)
    with pytest.raises(SepcalcError) as error:
        network_chart(*tables(load("alexnet")))
    assert str(error.value) == "AlexNet, input 3×224×224: 8 layers are too many for a chart of 7; add them up by block"
