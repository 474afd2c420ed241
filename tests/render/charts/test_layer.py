"""The chart of a layer: what it draws is what the table holds."""

import pytest
from drawings import drawing

from sepcalc import ConvSpec, choose, compare
from sepcalc.core.layer_tables import layer_table
from sepcalc.render.charts.layer import layer_chart

SPECS = {
    "sized": ConvSpec.of(64, 128, k=3, size=56),
    "open": ConvSpec.of(64, 128, k=3),
    "1d": ConvSpec.of(16, 32, k=(5,), size=100),
    "3d": ConvSpec.of(64, 128, k=(3, 3, 3)),
    "transposed": ConvSpec.of(64, 32, k=4, size=28, stride=2, padding=1, transposed=True),
    "biased": ConvSpec.of(3, 96, k=11, size=227, stride=4, padding="valid", bias="all"),
    "one": ConvSpec.of(1, 1, k=1, size=1),
    "huge": ConvSpec.of(10**9, 10**9, k=(10**9, 10**9), size=10**9),
}


def drawn(spec, variants=("all",)):
    """The table of a comparison with its stages, and its chart."""
    table = layer_table(compare(spec, choose(variants, {"groups": 4} if spec.c_in % 4 == 0 else {})), stages=True)
    return table, layer_chart(table)


@pytest.mark.parametrize("name", SPECS)
def test_data_is_the_table(name):
    """Every number of the chart is a cell of the table, for the variants and for their stages, and none is missing."""
    table, chart = drawn(SPECS[name])
    macs = "macs" if SPECS[name].size else "macs_per_position"
    rows = table.to_dicts()
    keys = ("params", macs, "params_reduction", "macs_reduction")
    bodies = [row for row in rows if row["role"] == "body"]
    shown = chart.data["variants"]
    assert [each["variant"] for each in shown] == [row["variant"] for row in bodies]
    assert [[each[key] for key in keys] for each in shown] == [[row[key] for key in keys] for row in bodies]
    parts = [
        row
        for place, row in enumerate(rows)
        if row["role"] == "part" or rows[place + 1 : place + 2] == [] or rows[place + 1]["role"] == "body"
    ]
    stages = [(each["stage"], each["params"], each[macs]) for each in chart.data["stages"]]
    assert stages == [(row["variant"], row["params"], row[macs]) for row in parts]


@pytest.mark.parametrize("name", SPECS)
def test_stages_are_stacked_to_the_total(name):
    """The stages of a variant add up to what stands at the end of its bar."""
    _, chart = drawn(SPECS[name])
    for key in ("params", "macs" if SPECS[name].size else "macs_per_position"):
        for body in chart.data["variants"]:
            stages = [each[key] for each in chart.data["stages"] if each["variant"] == body["variant"]]
            assert sum(each or 0 for each in stages) == (body[key] or 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("variants", [("all",), (), ("grouped",)])
def test_words_are_apart(name, variants):
    """No word is cut off or lies on another, and the picture is as wide as a column of a paper."""
    _, chart = drawn(SPECS[name], variants)
    picture = drawing(chart)
    assert (picture.clipped(), picture.overlapping()) == ([], [])
    assert picture.width <= 322


def test_words():
    """A bar has its variant, its stages with what they take, its total and its reduction beside it."""
    _, chart = drawn(SPECS["sized"])
    words = [word.text for word in drawing(chart).words]
    assert words.count("depthwise-separable") == 2
    assert "depthwise 3×3 576 + pointwise 1×1 8.19 k" in words
    assert "8.77 k, 8.41×" in words
    assert "27.5 M, 8.41×" in words
    assert words[0] == "0"
    assert {"Params", "MACs"} <= set(words)


def test_what_does_not_apply():
    """A variant that does not apply keeps its place, says so, and the reason stands above."""
    spec = ConvSpec.of(64, 96, k=3, size=56)
    chart = layer_chart(layer_table(compare(spec, choose(["depthwise"])), stages=True))
    words = " ".join(word.text for word in drawing(chart).words)
    assert words.count("does not apply") == 3
    assert "depthwise does not apply: depthwise cannot change 64 channels to 96" in words


def test_an_open_size():
    """Where the size is open the axis says so, and the numbers are those of a position."""
    _, chart = drawn(SPECS["open"])
    words = [word.text for word in drawing(chart).words]
    assert "MACs (·D_F²)" in words
    assert "8.77 k·D_F², 8.41×" in words
    assert [each["macs_per_position"] for each in chart.data["variants"]][:2] == [73_728, 8_768]
