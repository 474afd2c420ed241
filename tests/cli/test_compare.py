"""Tests of ``sepcalc compare``: several networks side by side."""

import csv
import io
import json
from fractions import Fraction

import pytest

from sepcalc import load
from sepcalc.cli.main import run
from sepcalc.core.network import Network
from sepcalc.core.network_tables import comparison_table
from sepcalc.readers.yaml.reader import read

ONE = "{name: one, input: {channels: 8, size: 6}, layers: [{conv: {c_out: 16, k: 3, bias: true}}]}"


def test_reductions_are_against_the_first(capsys):
    """Each row holds the network's totals and the first network's over them."""
    assert run(["compare", "resnet50", "mobilenet_v1", "--format", "csv"]) == 0
    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (int(first["params"]), int(first["macs"])) == (25_557_032, 4_089_184_256)
    assert (int(second["params"]), int(second["macs"])) == (4_231_976, 568_740_352)
    assert (float(first["params_reduction"]), float(first["macs_reduction"])) == (1, 1)
    assert float(second["params_reduction"]) == 25_557_032 / 4_231_976
    assert float(second["macs_reduction"]) == 4_089_184_256 / 568_740_352


@pytest.mark.parametrize(("name", "millions"), [("resnet50", 11.1), ("mobilenet_v2", 6.7)])
def test_published_activations(name, millions):
    """Activations are those that Radosavovic 2020 and timm print."""
    assert round(load(name).activations / 1e6, 1) == millions


def test_intensity_by_hand():
    """FLOP per byte is 2 MACs over input, weights and output at four bytes each, or at what --dtype says."""
    macs, moved = 9 * 8 * 16 * 36, 8 * 36 + 9 * 8 * 16 + 16 * 36
    network = read(ONE)
    assert network.traffic_bytes(4) == 4 * moved
    assert network.intensity(2) == Fraction(2 * macs, 2 * moved)


def test_a_batch_moves_weights_once():
    """Over a batch the maps are moved for each example, the weights once."""
    network = read("{layers: [{name: c, c_in: 8, c_out: 16, k: 3, size: 6, batch: 5}]}")
    assert network.traffic_bytes(1) == 5 * (8 * 36 + 16 * 36) + 9 * 8 * 16
    assert network.activations == 5 * 16 * 36


def test_unknown_traffic_is_not_zero():
    """Where products of activations move what the file does not say, there is no intensity."""
    text = "{layers: [{name: a, type: product, operator: attention, c_in: 8, size: 6, terms: [[8, 6, 6]]}]}"
    network = read(text)
    assert network.cost.macs == 288
    assert network.intensity(4) is None
    note = "products of activations, such as attention, move an unknown number of bytes, so it has no FLOP/byte."
    assert comparison_table([network]).notes == (f"{network.name}: {note}",)
    (row,) = comparison_table([network]).rows
    assert row.cells[5] is None


def test_uncounted_operators_are_named():
    """What is missing from a total stands in a note with the network's name."""
    text = "{name: mine, layers: [{name: x, type: uncounted, operator: fft, c_in: 3, size: 5}]}"
    (note,) = comparison_table([read(text)]).notes
    assert note == "mine: uncounted, and missing from every total: x (fft)."


def test_a_network_without_cost():
    """A network with nothing to count has no reduction, and no division by zero."""
    (row,) = comparison_table([Network(name="none", layers=())]).rows
    assert row.cells[-2:] == (None, None)


def test_json(capsys):
    """The machine-readable answer holds exact integers and floats, and the first network as reference."""
    assert run(["compare", "mobilenet_v1", "mobilenet_v2", "--format", "json", "--dtype", "int8"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["schema"], answer["kind"], answer["element_bytes"]) == (1, "comparison", 1)
    first, second = answer["networks"]
    assert first["input"] == {"channels": 3, "size": [224, 224], "batch": 1}
    assert second["macs"] == 300_774_272
    assert second["macs_reduction"] == 568_740_352 / 300_774_272
    assert second["intensity"] == 2 * second["macs"] / second["traffic_bytes"]
    assert second["uncounted"] == []


def test_unknown_network(capsys):
    """A name that is not bundled is one message, and nothing is printed."""
    assert run(["compare", "resnet50", "resnet51"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "no bundled network is called 'resnet51'; did you mean 'resnet50'?\n"


def test_columns(capsys):
    """Columns can be chosen, the name stays."""
    assert run(["compare", "mobilenet_v1", "--columns", "macs", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "name,macs\nMobileNet v1,568740352\n"


def test_any_mix_of_sources(capsys, tmp_path):
    """A PyTorch network stands beside a bundled one; --input and --arg go to it alone."""
    path = tmp_path / "net.py"
    path.write_text("from torch import nn\n\ndef Net(classes):\n    return nn.Conv2d(1, classes, 3, padding=1)\n")
    command = ["compare", "mobilenet_v1", f"{path}:Net", "--input", "1x1x28x28", "--arg", "classes=7"]
    assert run([*command, "--columns", "params,macs", "--format", "csv"]) == 0
    assert capsys.readouterr().out.splitlines()[2].split(",")[1:] == ["70", str(9 * 7 * 28 * 28)]


def test_input_for_no_imported_network(capsys):
    """--input beside networks in YAML alone is refused, since it would change nothing."""
    assert run(["compare", "resnet50", "--input", "1x3x224x224"]) == 2
    assert capsys.readouterr().err == (
        "--input would change nothing: no network here is an ONNX or PyTorch one; leave them out\n"
    )
