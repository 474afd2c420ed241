"""The chart of a measurement: what it draws is what the table holds."""

from dataclasses import replace

import pytest
from drawings import drawing
from fake_bench import fake_bench

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.network import measure_network
from sepcalc.measure.run import MeasurementSetup
from sepcalc.render.charts.measurement import measurement_chart

pytestmark = pytest.mark.usefixtures("cache")

PLAN = Plan(rounds=12, time_s=0.0)


def layer(variants=(), **others):
    """The table of a layer's variants."""
    comparison = compare(ConvSpec.of(64, 128, k=3, size=56), choose(variants))
    return measure_layer(comparison, MeasurementSetup(bench=fake_bench(), plan=PLAN, **others)).tables[0]


def network(name, **others):
    """The table of a network's layers."""
    return measure_network(load(name), MeasurementSetup(bench=fake_bench(), plan=PLAN, **others)).tables[0]


GRID = (Conditions(), Conditions(batch=8), Conditions(dtype="float16"))


TABLES = {
    "layer": lambda: layer(),
    "roofline": lambda: layer(roofline=True),
    "all": lambda: layer(["all"], roofline=True),
    "grid": lambda: layer(roofline=True, conditions=GRID),
    "few layers": lambda: network("alexnet"),
    "layers": lambda: network("resnet50", roofline=True),
}
"""Tables of every shape, made when they are asked for."""


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_words_are_apart(name):
    """No word is cut off or lies on another, and the picture fits a column."""
    picture = drawing(measurement_chart(TABLES[name]()))
    assert (picture.clipped(), picture.overlapping()) == ([], [])
    assert picture.width <= 322


@pytest.mark.parametrize("name", ["roofline", "grid", "layers"])
def test_data_is_the_table(name):
    """Every point of either panel is a row of the table with all its cells."""
    table = TABLES[name]()
    rows = table.to_dicts()
    chart = measurement_chart(table)
    for dataset in ("compared", "roofed"):
        known = [{key: each[key] for key in rows[0]} for each in chart.data[dataset]]
        assert known
        assert all(each in rows for each in known)
    left_out = "reference" if name == "layers" else ""
    compared = [row for row in rows if row.get("role") != "part" and row["speedup"] and row["verdict"] != left_out]
    assert len(chart.data["compared"]) == len(compared)


def test_stages_lie_below_their_roof():
    """Each stage of a variant, and each variant of one stage, is a point; none reaches above the roof."""
    chart = measurement_chart(layer(roofline=True))
    assert [each["variant"] for each in chart.data["roofed"]] == [
        "standard", "depthwise 3×3", "pointwise 1×1", "conv 3×1", "conv 1×3",
    ]  # fmt: skip
    for each in chart.data["roofed"]:
        attainable = min(each["peak_macs_per_s"], each["intensity"] * each["peak_bytes_per_s"] / 2)
        assert 0.5 * attainable < each["macs_per_s"] < attainable


def test_the_roof():
    """The roof rises with the bytes that can be moved and is flat from where the arithmetic is the limit."""
    chart = measurement_chart(layer(roofline=True))
    peak, moved = chart.data["roofed"][0]["peak_macs_per_s"], chart.data["roofed"][0]["peak_bytes_per_s"]
    rise, ridge, end = chart.data["roofs"]
    assert rise["macs_per_s"] == pytest.approx(rise["intensity"] * moved / 2)
    assert (ridge["intensity"], ridge["macs_per_s"]) == (2 * peak / moved, peak)
    assert end["macs_per_s"] == peak
    assert rise["intensity"] < ridge["intensity"] < end["intensity"]


def test_the_diagonal():
    """On the diagonal all that was promised is delivered, over the whole of both axes."""
    low, high = measurement_chart(layer()).data["diagonal"]
    assert (low["promised"], high["promised"]) == (low["speedup"], high["speedup"])
    assert low["promised"] < 1
    assert high["promised"] > 8.41


def test_without_a_roof():
    """Where no ceilings are known there is one panel."""
    assert "roofed" not in measurement_chart(layer()).data


def test_what_is_not_to_be_believed():
    """A row whose ratio is unreliable has no point, and the reason stands above."""
    table = layer()
    place = [column.key for column in table.columns].index("speedup")
    cells = table.rows[1].cells
    doubted = replace(table.rows[1], cells=(*cells[:place], "unreliable", *cells[place + 1 :]))
    chart = measurement_chart(
        replace(table, rows=(table.rows[0], doubted, table.rows[2]), notes=("It is unreliable.",))
    )
    assert [each["variant"] for each in chart.data["compared"]] == ["standard", "spatial-separable"]
    assert "It is unreliable." in chart.spec["title"]["subtitle"]


def test_names_of_the_worst():
    """Of many layers those that are furthest behind the promise are named, and a legend tells the variants."""
    table = network("resnet50")
    chart = measurement_chart(table)
    rows = sorted(chart.data["compared"], key=lambda each: each["delivered"])[:5]
    assert [each["text"] for each in chart.data["compared names"]] == [each["name"] for each in rows]
    words = [word.text for word in drawing(chart).words]
    assert {"depthwise-separable", "spatial-separable"} <= set(words)


def test_intervals():
    """Each ratio has its 95 % interval as a line."""
    chart = measurement_chart(layer())
    for each in chart.data["compared"][1:]:
        assert each["speedup_low"] <= each["speedup"] <= each["speedup_high"]
    rule = chart.spec["vconcat"][0]["layer"][1]["encoding"]
    assert (rule["y"]["field"], rule["y2"]["field"]) == ("speedup_low", "speedup_high")
