"""The chart of a sweep: what it draws is what the table holds."""

import pytest
from drawings import drawing

from sepcalc import choose, load
from sepcalc.core.errors import SepcalcError
from sepcalc.render.charts.sweep import sweep_chart
from sepcalc.sweep.sweep import sweep_layer, sweep_network
from sepcalc.sweep.tables import sweep_table

SWEEPS = {
    "filters": {"c_in": [64], "c_out": [32, 64, 128, 256, 512, 1024], "k": [3], "size": [56]},
    "window": {"c_in": [64], "c_out": [128], "k": [3, 5, 7, 9]},
    "grid": {"c_in": [64], "c_out": [32, 1024], "k": [3, 5, 7], "size": [56]},
    "stride": {"c_in": [64], "c_out": [32, 64, 128], "k": [3], "size": [56], "stride": [1, 2]},
    "kernels": {"c_in": [64], "c_out": [64], "k": [1, (3, 1), 3], "size": [56]},
    "mid": {"c_in": [64], "c_out": [64], "k": [3], "size": [56], "mid": ["in", 16]},
}


def drawn(name, variants=()):
    """The table of a sweep and its chart."""
    table = sweep_table(sweep_layer(SWEEPS[name], choose(variants)))
    return table, sweep_chart(table)


def points(chart):
    """All points of a chart, panel by panel."""
    return [each for name, rows in chart.data.items() if name.startswith("points") for each in rows]


@pytest.mark.parametrize("name", SWEEPS)
def test_data_is_the_table(name):
    """Every row of the table is a point of some panel with all its cells, and there is no other point."""
    table, chart = drawn(name)
    known = [{key: value for key, value in each.items() if key not in ("place", "hint")} for each in points(chart)]
    rows = table.to_dicts()
    assert all(row in known for row in rows)
    assert all(each in rows for each in known)


@pytest.mark.slow
@pytest.mark.parametrize("variants", [(), ("all",)])
@pytest.mark.parametrize("name", SWEEPS)
def test_words_are_apart(name, variants):
    """No word is cut off or lies on another, and the picture fits a column."""
    picture = drawing(drawn(name, variants)[1])
    assert (picture.clipped(), picture.overlapping()) == ([], [])
    assert picture.width <= 322


def test_the_limit():
    """The limit k² of the depthwise separable convolution is drawn and named, as the table has it."""
    table, chart = drawn("filters")
    limits = {each["variant"]: each["limit"] for each in chart.data["labels 1"] if each["limit"] is not None}
    assert limits == {
        row["variant"]: row["limit:c_out"] for row in table.to_dicts()[:3] if row["variant"] != "standard"
    }
    assert limits["depthwise-separable"] == 9
    assert "limit 9.00×" in [word.text for word in drawing(chart).words]


def test_values_stand_where_they_are():
    """A swept number stands at its value, what is no single number at equal distances."""
    assert sorted({each["place"] for each in points(drawn("filters")[1])}) == [32, 64, 128, 256, 512, 1024]
    assert [each["place"] for each in points(drawn("kernels")[1])][::3] == [1, 2, 3]
    assert {each["place"] for each in points(drawn("mid")[1])} == {1, 2}


@pytest.mark.parametrize(
    ("name", "titles"),
    [
        ("filters", ["Reduction of MACs and of params"]),
        ("grid", [f"Reduction of MACs and of params, c_out {count}" for count in ("32", "1,024")]),
        (
            "stride",
            [f"{count} reduction, stride {stride}" for count in ("MACs", "Params") for stride in (1, 2)],
        ),
    ],
)
def test_panels(name, titles):
    """The quantity with the most values runs along the axis, every combination of the others has a panel."""
    _, chart = drawn(name)
    assert [panel["title"]["text"] for panel in chart.spec["vconcat"]] == titles


def test_a_network():
    """A sweep of a network is drawn like that of a convolution, its own form among the variants."""
    found = sweep_network("alexnet", {"size": [127, 224]}, lambda width, size: load("alexnet", size=size), choose())
    chart = sweep_chart(sweep_table(found))
    assert {each["variant"] for each in points(chart)} >= {"as-written", "standard"}
    assert drawing(chart).overlapping() == []


def test_nothing_swept():
    """A table of a single point has no line, and is refused with the cure."""
    table = sweep_table(sweep_layer({"c_in": [64], "c_out": [128], "k": [3]}, choose()))
    with pytest.raises(SepcalcError) as error:
        sweep_chart(table)
    assert str(error.value) == (
        "Convolution, c_in 64, c_out 128, k 3: nothing is swept, so there is no line to draw; give a list or a range"
    )


def test_too_many_panels():
    """More panels than anybody can read are refused with their number and the cure."""
    values = {"c_in": list(range(8, 128, 8)), "c_out": list(range(8, 136, 8)), "k": [3]}
    with pytest.raises(SepcalcError) as error:
        sweep_chart(sweep_table(sweep_layer(values, choose())))
    assert str(error.value).endswith(": 15 panels are too many for a chart of 12; give fewer values")
