"""Tests of what holds the arithmetic against PyTorch."""

from dataclasses import replace

import pytest
from frameworks import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sepcalc import ConvSpec, load
from sepcalc.builders import verify as module
from sepcalc.builders.verify import different_modules, verification_table, verify, whole_remark
from sepcalc.core.layers import Convolution
from sepcalc.core.network import Network
from sepcalc.core.variants import all_variants, get
from sepcalc.readers.inputs import Input, Request
from sepcalc.readers.pytorch.layers import macs_of_modules
from sepcalc.readers.pytorch.model import trace
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
    assert table.notes[0] == "conv, as-written, is not built: no such module."
    assert table.notes[-1] == "Nothing was built, so nothing is checked."


def test_products_are_not_built():
    """What has multiply-adds and is no convolution or linear layer is named, with how much of the whole it is."""
    product = "{{name: {}, type: product, operator: matmul, c_in: 4, size: 5, terms: [[4, 5, 5]]}}"
    layers = ["{name: fc, type: linear, c_in: 4, c_out: 2, size: [1]}", *map(product.format, "abcdef")]
    network = read(f"{{name: n, layers: [{', '.join(layers)}]}}")
    note, verdict = verification_table(network, verify(network)).notes
    named = "a (matmul), b (matmul), c (matmul) and 3 more"
    assert note == f"Not checked, 600 of 608 MACs: {named}."
    assert verdict == "Equal: 1 forms of 1 layer, with 8 of 608 MACs and 8 of 8 parameters as written."


class Stem(nn.Sequential):
    """A convolution inside a module, and a recurrent layer."""

    def __init__(self):
        super().__init__(nn.Sequential(nn.Conv1d(8, 8, 3), nn.ReLU()), nn.Flatten(), nn.Linear(48, 4))


def test_the_whole_model():
    """Torch counts a run of the model itself, module by module, as the import does."""
    request = Request(source="test_verify:Stem", inputs=(Input(shape=(2, 8, 8)),))
    run = trace(Stem, request)
    ours = {path: 2 * macs for path, macs in macs_of_modules(run).items()}
    with FlopCounterMode(display=False) as counter:
        Stem()(torch.zeros(2, 8, 8))
    theirs = {
        name.partition(".")[2]: sum(flops.values())
        for name, flops in counter.get_flop_counts().items()
        if name != "Global"
    }
    assert theirs == {path: ours[path] for path in theirs}
    assert {path for path, flops in ours.items() if flops} == set(theirs)
    assert whole_remark(ours, theirs) == "Equal: the model's 4 modules in a run of its own, 5,376 FLOPs in all."


def test_an_operator_that_the_import_missed():
    """Where torch finds more than the import, the innermost module is named with both counts."""
    ours, theirs = {"": 10, "a": 6, "a.b": 6, "c": 4}, {"": 13, "a": 8, "a.b": 8, "c": 5}
    assert different_modules(ours, theirs) == {"a.b": (6, 8), "c": (4, 5)}
    assert whole_remark(ours, theirs) == (
        "Different in a run of the model, in FLOPs: a.b 6 here, 8 in torch, c 4 here, 5 in torch."
    )
    assert different_modules({"": 1}, {"": 2}) == {"": (1, 2)}


def test_operators_are_not_built():
    """Norms, activations and pooling have nothing to count and are not built."""
    network = read("{input: {channels: 8, size: 6}, layers: [relu, {norm: batch}, {avgpool: global}]}")
    assert verify(network) == ()
    assert verification_table(network, ()).notes == ("Nothing was built, so nothing is checked.",)
