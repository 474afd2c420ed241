"""Tests of what holds the arithmetic against PyTorch."""

from dataclasses import replace

import pytest

from sepcalc import ConvSpec, load
from sepcalc.builders import verify as module
from sepcalc.builders.verify import verification_table, verify
from sepcalc.core.layers import Convolution
from sepcalc.core.network import Network
from sepcalc.core.variants import all_variants, get
from sepcalc.readers.yaml.reader import read


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2", "resnet18", "inception_v3"])
def test_bundled_networks_agree_with_torch(name):
    """Every layer of a bundled network, as written and in every form that it can take, is what torch counts."""
    network = load(name)
    checks = verify(network)
    assert {check.verdict for check in checks} == {"equal"}
    written = [check for check in checks if check.form == "as-written"]
    assert sum(check.measured.flops for check in written) == 2 * network.cost.macs


def test_forms_of_a_layer():
    """A convertible layer is built as written and as each variant that applies; a pointwise one as written alone."""
    text = "{input: {channels: 8, size: 6}, layers: [{conv: {c_out: 16, k: 3}}, {conv: {c_out: 4, k: 1}}]}"
    forms = [(check.layer, check.form) for check in verify(read(text))]
    applies = [each.name for each in all_variants() if each.name != "grouped"]
    assert forms == [("conv1", "as-written"), *(("conv1", name) for name in applies), ("conv2", "as-written")]


def test_named_variants_alone():
    """Only the variants that are named are built."""
    text = "{input: {channels: 8, size: 6}, layers: [{conv: {c_out: 16, k: 3}}]}"
    assert [check.form for check in verify(read(text), [get("dws")])] == ["as-written", "depthwise-separable"]


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        ({"params": 1}, "parameters 1152 here, 1 in torch"),
        ({"shape": (16, 5, 6)}, "shape (16, 6, 6) here, (16, 5, 6) in torch"),
        ({"flops": 2}, "FLOPs 82944 here, 2 in torch"),
        ({"params": 1, "flops": 2}, "parameters 1152 here, 1 in torch; FLOPs 82944 here, 2 in torch"),
    ],
)
def test_a_difference_is_found(monkeypatch, wrong, verdict):
    """Where torch says otherwise, the check differs and names what, and so does the table."""
    right = module._measured
    monkeypatch.setattr(module, "_measured", lambda stages: replace(right(stages), **wrong))
    network = read("{name: n, input: {channels: 8, size: 6}, layers: [{conv: {c_out: 16, k: 3}}]}")
    (check,) = [each for each in verify(network, [get("dws")]) if each.form == "as-written"]
    assert check.differs
    assert check.verdict == verdict
    (row,) = verification_table(network, [check]).rows
    assert row.cells[-1] == f"as-written: {verdict}"


def test_a_form_that_torch_cannot_build(monkeypatch):
    """A form without a module is no difference; the table says why it was not built."""
    from sepcalc.core.errors import SpecError

    def refuse(_):
        raise SpecError("no such module")

    monkeypatch.setattr(module, "_measured", refuse)
    layer = Convolution(name="conv", type="conv", spec=ConvSpec.of(8, 16, k=1, size=6))
    network = Network(name="n", layers=(layer,))
    checks = verify(network)
    table = verification_table(network, checks)
    assert not any(check.differs for check in checks)
    assert table.rows[0].cells[-1] == "not built"
    assert table.notes == ("conv, as-written, is not built: no such module.",)


def test_products_are_not_built():
    """What has multiply-adds and is no convolution or linear layer is named, with how much of the whole it is."""
    product = "{{name: {}, type: product, operator: matmul, c_in: 4, size: 5, terms: [[4, 5, 5]]}}"
    layers = ["{name: fc, type: linear, c_in: 4, c_out: 2, size: [1]}", *map(product.format, "abcdef")]
    network = read(f"{{name: n, layers: [{', '.join(layers)}]}}")
    (note,) = verification_table(network, verify(network)).notes
    named = "a (matmul), b (matmul), c (matmul) and 3 more"
    assert note == f"Not held against PyTorch, 600 of 608 MACs: {named}."


def test_operators_are_not_built():
    """Norms, activations and pooling have nothing to count and are not built."""
    assert verify(read("{input: {channels: 8, size: 6}, layers: [relu, {norm: batch}, {avgpool: global}]}")) == ()
