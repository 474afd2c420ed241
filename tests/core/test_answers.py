"""The machine-readable answers: their keys, and numbers that are numbers."""

from typing import Any

import pytest
from answers import as_read, entries, is_whole
from hypothesis import given
from strategies import open_specs, randomly, specs

from sepcalc import ConvSpec, choose, compare
from sepcalc.core.answers import layer_answer, network_answer
from sepcalc.core.variants import all_variants
from sepcalc.readers.yaml.reader import bundled, load, read

LAYER = {
    "spec": ["c_in", "c_out", "kernel", "size", "stride", "padding", "dilation", "groups", "bias"],
    "variant": [
        "variant", "applies", "why_not", "params", "macs", "macs_per_position", "params_reduction", "macs_reduction",
        "activations", "traffic_bytes", "intensity", "stages",
    ],
    "stage": ["name", "c_in", "c_out", "kernel", "stride", "groups", "in_size", "out_size", "params", "macs"],
}  # fmt: skip
"""The keys that the design promises; others may come."""

NETWORK = {
    "layer": [
        "name", "type", "c_in", "c_out", "kernel", "in_size", "out_size", "groups", "params", "macs", "convertible",
    ],
    "total": ["params", "macs"],
}  # fmt: skip

COUNTS = {"c_in", "c_out", "groups", "params", "macs", "activations", "traffic_bytes", "channels", "element_bytes"}
"""Keys whose values are whole numbers, or null where there is none."""

LENGTHS = {"kernel", "size", "stride", "dilation", "in_size", "out_size", "output_padding"}
"""Keys whose values are one whole number per axis, or null."""

RATIOS = {"macs_per_position", "params_reduction", "macs_reduction", "intensity"}
"""Keys whose values are numbers, or null."""


def check_types(answer: dict[str, Any]) -> None:
    """Hold every value to the type of its key."""
    for key, value in entries({key: value for key, value in answer.items() if key != "published"}):
        if value is None:
            continue
        if key in COUNTS:
            assert is_whole(value), key
        elif key in LENGTHS:
            assert isinstance(value, list), key
            assert all(map(is_whole, value)), key
        elif key in RATIOS:
            assert isinstance(value, int | float), key


def check_layer(answer: dict[str, Any]) -> None:
    """Hold an answer for a layer to the contract."""
    assert (answer["schema"], answer["kind"]) == (1, "layer")
    assert set(LAYER["spec"]) <= set(answer["spec"])
    for variant in answer["variants"]:
        assert set(LAYER["variant"]) <= set(variant)
        assert variant["applies"] == (variant["why_not"] is None) == bool(variant["stages"])
        assert all(set(LAYER["stage"]) <= set(stage) for stage in variant["stages"])
        assert variant["applies"] or all(variant[key] is None for key in COUNTS & set(variant) | RATIOS)
    check_types(answer)


@randomly(60)
@given(specs() | open_specs())
def test_layers(spec):
    """Every convolution in every variant has an answer of the promised form, with the library's own numbers."""
    comparison = compare(spec, choose(["all"]))
    answer = as_read(layer_answer(comparison, element_bytes=4))
    check_layer(answer)
    for record, row in zip(answer["variants"], comparison.candidates, strict=True):
        assert record["why_not"] == row.why_not
        if row.applies:
            assert (record["params"], record["macs"]) == (row.params, row.macs)
            assert record["macs_per_position"] == pytest.approx(float(row.macs_per_position), rel=1e-15)
            assert record["traffic_bytes"] == row.traffic_bytes(4)
            assert [stage["params"] for stage in record["stages"]] == [stage.params for stage in row.stages]


def test_every_variant_is_there():
    """An answer holds the variants that were compared, in their order, whether they apply or not."""
    answer = layer_answer(compare(ConvSpec.of(64, 96, k=3), choose(["all"])), element_bytes=4)
    assert [each["variant"] for each in answer["variants"]] == [each.name for each in all_variants()]
    refused = {each["variant"]: each["why_not"] for each in answer["variants"] if not each["applies"]}
    assert refused["depthwise"] == "depthwise cannot change 64 channels to 96"


def test_large_numbers_stay_exact():
    """Numbers beyond those that a float can hold keep every digit."""
    answer = as_read(layer_answer(compare(ConvSpec.of(10**9, 10**9, k=1001, size=10**9)), element_bytes=8))
    assert answer["variants"][0]["macs"] == 10**36 * 1001**2


@pytest.mark.parametrize("name", bundled())
def test_networks(name):
    """Every bundled network has an answer of the promised form."""
    network = load(name)
    answer = as_read(network_answer(network, [network.what_if(each) for each in choose()]))
    assert (answer["schema"], answer["kind"], answer["uncounted"]) == (1, "network", [])
    assert set(answer["input"]) == {"channels", "size", "batch"}
    assert list(answer["totals"]) == ["as-written", *(each.name for each in choose()), "cheapest"]
    assert all(list(total) == NETWORK["total"] for total in answer["totals"].values())
    assert all(set(NETWORK["layer"]) <= set(layer) for layer in answer["layers"])
    check_types(answer)


def test_layers_that_stay_as_written():
    """A layer that a variant cannot express is named with the reason."""
    network = read("{input: {channels: 6, size: 8}, layers: [{conv: {name: odd, c_out: 9, k: 3}}]}")
    answer = network_answer(network, [network.what_if(each) for each in choose(["depthwise"])])
    assert answer["kept"]["depthwise"] == [{"name": "odd", "why_not": "depthwise cannot change 6 channels to 9"}]


def test_what_is_not_counted():
    """An operator that is not understood has null multiply-adds and stands in the list of those."""
    network = read("{input: {channels: 6, size: 8}, layers: [{uncounted: {name: odd, operator: Foo}}]}")
    answer = as_read(network_answer(network, []))
    assert answer["uncounted"] == [{"name": "odd", "type": "Foo"}]
    assert answer["layers"][0]["macs"] is None


def test_a_network_without_an_input():
    """A plain list of layers has no input of its own."""
    network = read("{layers: [{c_in: 3, c_out: 4, k: 3, size: 8}]}")
    assert network_answer(network, [])["input"] is None
