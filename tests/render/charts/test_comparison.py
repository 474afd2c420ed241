"""The chart of networks: what it draws is what the table holds."""

import pytest
from drawings import drawing

from sepcalc import load
from sepcalc.core.network_tables import comparison_table
from sepcalc.readers.yaml.reader import bundled, read
from sepcalc.render.charts.comparison import comparison_chart

NAMES = ("resnet18", "resnet50", "mobilenet_v1")
EMPTY = "name: pools\ninput: {channels: 3, size: 8}\nlayers: [{maxpool: 2}]"


def scales(chart):
    """The types of the scales of both axes, and what they begin with."""
    encoding = chart.spec["layer"][0]["encoding"]
    return [(encoding[axis]["scale"]["type"], encoding[axis]["scale"]["domain"][0]) for axis in "xy"]


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], sorted(bundled())], ids=len)
def test_data_is_the_table(names):
    """Every point is a row of the table, with its name."""
    table = comparison_table([load(name) for name in names])
    data = comparison_chart(table).data
    keys = ("name", "params", "macs")
    assert [[each[key] for key in keys] for each in data["networks"]] == [
        [row[key] for key in keys] for row in table.to_dicts()
    ]
    assert [each["text"] for each in data["names"]] == [row["name"] for row in table.to_dicts()]


@pytest.mark.parametrize("names", [NAMES, NAMES[:1], NAMES[:1] * 5, sorted(bundled())], ids=len)
def test_words_are_apart(names):
    """No name is cut off or lies on another, even where all networks are one."""
    picture = drawing(comparison_chart(comparison_table([load(name) for name in names])))
    assert (picture.clipped(), picture.overlapping()) == ([], [])
    assert picture.width <= 322


def test_scales():
    """Axes begin at zero where the networks are alike, and both are logarithmic where one spans a factor of ten."""
    alike = comparison_chart(comparison_table([load("resnet18"), load("resnet50")]))
    assert scales(alike) == [("linear", 0), ("linear", 0)]
    apart = comparison_chart(comparison_table([load("resnet50"), load("mobilenet_v2")]))
    assert [kind for kind, low in scales(apart) if low > 0] == ["log", "log"]


def test_zero():
    """A network that costs nothing has no place on a logarithmic axis, so there is none."""
    chart = comparison_chart(comparison_table([load("resnet50"), read(EMPTY)]))
    assert scales(chart) == [("linear", 0), ("linear", 0)]
    assert comparison_chart(comparison_table([read(EMPTY)])).data["networks"][0]["params"] == 0
