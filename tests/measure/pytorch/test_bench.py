"""PyTorch under the clock, in runs too short to say anything of times: that what is timed is what was counted."""

import json
from dataclasses import replace

import pytest
from commands import sepcalc
from frameworks import torch
from onnx_models import MODELS, OLD, export

from sepcalc import ConvSpec, choose, compare
from sepcalc.core.errors import SepcalcError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.network import measure_network
from sepcalc.measure.pytorch.bench import own_model, torch_bench
from sepcalc.measure.pytorch.calls import prepare
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.session import WHOLE
from sepcalc.readers.inputs import Request
from sepcalc.readers.sources import open_source
from sepcalc.readers.yaml.reader import read

pytestmark = pytest.mark.usefixtures("cache")

PLAN = Plan(rounds=3, time_s=0.01, warmup_s=0.0, least_s=1e-5)
COMPARISON = compare(ConvSpec.of(4, 8, k=3, size=6), choose(["all"], {"groups": 2}))
SHORT = "--rounds 3 --time 0.01"

CODE = """
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.a = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.kernel = nn.Parameter(torch.rand(width, width, 3, 3))

    def forward(self, x):
        return F.conv2d(F.relu(self.norm(self.a(x))), self.kernel, padding=1)
"""


def setting(*conditions):
    """A setting on PyTorch."""
    return MeasurementSetup(bench=torch_bench(), plan=PLAN, conditions=conditions or (Conditions(),))


@pytest.mark.parametrize(
    "conditions",
    [
        Conditions(),
        Conditions(batch=3, channels_last=True),
        Conditions(backward=True, batch=2),
        Conditions(dtype="bfloat16"),
        Conditions(cache="cold"),
    ],
    ids=str,
)
def test_every_variant(conditions):
    """Every variant is built, held against its counts, and timed under every condition; torch is as it was after."""
    before = torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()
    session = measure_layer(COMPARISON, setting(conditions))
    assert (torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    timed = {row.name: (row.failure, len(row.series.samples) if row.series else 0) for row in session.rows}
    assert all(failure is None and n >= 3 for failure, n in timed.values()), timed
    assert session.environment["torch"] == torch.__version__


@pytest.mark.parametrize("backward", [False, True])
def test_conditions_are_held(backward):
    """Every call that is timed runs with the threads and the gradients of the conditions."""
    bench, seen = torch_bench(), set()

    def prepare(subject):
        call = bench.prepare(subject)

        def watched():
            seen.add((torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
            return call()

        return watched

    conditions = Conditions(threads=2, backward=backward)
    measure_layer(COMPARISON, replace(setting(conditions), bench=replace(bench, prepare=prepare)))
    assert seen == {(2, backward, not backward)}


def test_a_module_that_is_not_what_was_counted():
    """A module with other parameters than were counted is never timed."""
    bench = torch_bench()
    spied = replace(
        bench, prepare=lambda subject: bench.prepare(replace(subject, module=lambda: torch.nn.Conv2d(4, 8, 3)))
    )
    with pytest.raises(SepcalcError, match=r"^standard was not timed, since its module differs from the prediction"):
        measure_layer(COMPARISON, replace(setting(), bench=spied))


def test_a_memory_format_that_there_is_not():
    """Where a format does not exist for a layer each row says so."""
    session = measure_layer(compare(ConvSpec.of(4, 8, k=(3,), size=6)), setting(Conditions(channels_last=True)))
    assert {row.failure for row in session.rows if row.why_not is None} == {
        "channels-last is for maps of two or three axes, and input 1x4x6 is none; leave it out"
    }


def test_more_than_there_is_room_for(monkeypatch):
    """What has no room says so in its row before it is built, and the others are timed."""
    monkeypatch.setattr("sepcalc.measure.pytorch.bench.free_bytes", lambda: 10**9)
    comparison = compare(ConvSpec.of(4, 8, k=3, size=6), choose(["std"]))
    one, many = measure_layer(comparison, setting(Conditions(), Conditions(batch=10**6))).rows
    assert (one.failure, many.series) == (None, None)
    assert many.failure == (
        "out of memory: 1.7 GB are needed at least, and 1.0 GB are free; give a smaller batch or size"
    )


def test_a_network():
    """A network is built from its description, as written and in each variant, and timed layer by layer too."""
    network = read(
        "{name: small, input: {channels: 3, size: 8}, defaults: {norm: batch, act: relu}, "
        "layers: [{conv: {name: a, c_out: 4, k: 3}}, {separable: {name: b, c_out: 8, k: 3}}, {avgpool: global}]}"
    )
    session = measure_network(network, setting(Conditions(batch=2)))
    assert [(row.group, row.failure, bool(row.series)) for row in session.rows] == [
        *((group, None, True) for group in ("a", "b") for _ in range(3)),
        *((WHOLE, None, True) for _ in range(4)),
    ]


def test_weights_are_in_memory_once(monkeypatch):
    """What is timed has the very weights of the module that was built, so that a large network fits twice as often."""
    built, timed = [], []
    bench = torch_bench()

    def spied(module, *given):
        built.append(module)
        call = prepare(module, *given)
        timed.append(call.func)
        return call

    monkeypatch.setattr("sepcalc.measure.pytorch.calls.prepare", spied)
    network = read("{name: one, input: {channels: 3, size: 8}, layers: [{conv: {name: a, c_out: 4, k: 3}}]}")
    measure_network(network, replace(setting(Conditions(), Conditions(batch=2)), bench=bench))
    weights = [[next(each.parameters()).data_ptr() for each in modules] for modules in (built, timed)]
    assert weights[0] == weights[1]
    whole = weights[0][-6:]
    assert whole[:3] == whole[3:]


@pytest.fixture
def code(folder):
    """A file of code in the current folder."""
    (folder / "net.py").write_text(CODE)
    return "./net.py:Net"


def test_a_model_of_ones_own(code):
    """A user's own model is timed as it is, and with variants in the place of its modules; what is none is named."""
    network = open_source(code)
    own = own_model(Request(source=code, arguments={"width": 4}), network)
    session = measure_network(network, setting(), variants=choose(["dws"]), own=own)
    whole = {row.name: row for row in session.rows if row.group == WHOLE}
    assert list(whole) == ["standard", "depthwise-separable"]
    assert all(row.series for row in whole.values())
    assert whole["standard"].params == sum(each.numel() for each in own.module().parameters())
    assert whole["depthwise-separable"].params < whole["standard"].params
    assert any("depthwise-separable leaves conv as written: " in note for note in session.notes)


@pytest.mark.slow
@pytest.mark.usefixtures("code")
def test_the_command():
    """The command times what a user names: a convolution, and code with its inputs and arguments."""
    record = json.loads(sepcalc(f"measure --cin 4 --cout 8 -k 3 --size 6 {SHORT} -f json").out)
    assert [len(row["samples_s"]) >= 3 for row in record["rows"]] == [True] * 3
    ran = sepcalc(f"measure ./net.py:Net --input 2x3x8x8 --arg width=2 --variant dws {SHORT} -f json")
    assert ran.code == 0, ran.err
    rows = json.loads(ran.out)["rows"]
    assert {row["group"] for row in rows} == {"a", "conv", "network"}
    assert all(row["median_s"] > 0 for row in rows)
    assert rows[0]["macs"] == 2 * 3 * 2 * 9 * 64


@pytest.mark.slow
def test_an_onnx_file(folder):
    """Of an ONNX file the layers are timed alone, and a note says why."""
    export(*MODELS["vgg"], folder / "net.onnx", **OLD)
    ran = sepcalc(f"measure net.onnx {SHORT} -f json")
    assert ran.code == 0, ran.err
    record = json.loads(ran.out)
    assert len({row["group"] for row in record["rows"]}) == 2
    assert record["notes"] == ["The whole is not timed: it cannot be built from its layers alone."]
