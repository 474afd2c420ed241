"""``sepcalc measure``: its flags, its messages, what it keeps, and what it does when it is interrupted."""

import json
import subprocess
import sys

import pytest
from commands import sepcalc
from fake_bench import fake_bench
from fake_clock import noisy

from sepcalc.measure.record import load_measurement

LAYER = "measure --cin 64 --cout 128 -k 3 --size 56"
QUICK = f"{LAYER} --rounds 12 --time 0"
ONE_NETWORK = "they are for networks, and this is one convolution; leave them out"
LOADS = "--load shows what was measured; leave one or the other out"
EVERYTHING = "json always holds every row and sample; choose another format"

MESSAGES = {
    # What is measured.
    "measure": "name a network, or describe a convolution like --cin 64 --cout 128 -k 3 --size 56",
    "measure --batch 8": "name a network, or describe a convolution like --cin 64 --cout 128 -k 3 --size 56",
    "measure --channels 64": "missing -k; a convolution is described like --cin 64 --cout 128 -k 3",
    "measure --cin 64": "missing --cout, -k; a convolution is described like --cin 64 --cout 128 -k 3",
    "measure --cin 64 --cout 128 -k 3": "--size: timing needs a feature map of some size; give one like 56",
    "measure resnet18 vgg16": "one network at a time, not resnet18, vgg16; --save each, and --load them together",
    "measure resnet19": "no bundled network is called 'resnet19'; did you mean 'resnet18'?",
    "measure resnet18 --cin 3 -k 3": (
        "--cin and -k would change nothing: they describe a convolution, and 'resnet18' is a network; "
        "leave one or the other out"
    ),
    "measure resnet18 --only 'foo*'": (
        "--only: no convertible layer of ResNet-18 is called 'foo*'; known: conv1, conv2.1.conv1, conv2.1.conv2, "
        "conv2.2.conv1, conv2.2.conv2, conv3.1.conv1, conv3.1.conv2, conv3.2.conv1, conv3.2.conv2, conv4.1.conv1, "
        "conv4.1.conv2, conv4.2.conv1, conv4.2.conv2, conv5.1.conv1, conv5.1.conv2, conv5.2.conv1, conv5.2.conv2"
    ),
    f"{LAYER} --width 0.5": f"--width would change nothing: {ONE_NETWORK}",
    f"{LAYER} --only a --input 1x3x8x8": f"--input and --only would change nothing: {ONE_NETWORK}",
    # Conditions.
    f"{LAYER} --batch 1,": "--batch: a value is empty in '1,'; leave out the comma",
    f"{LAYER} --dtype float8": "--dtype: unknown word 'float8'; did you mean 'float64'?",
    f"{LAYER} --dtype int8": "--dtype: unknown word 'int8'; known: float64, float32, float16, bfloat16",
    f"{LAYER} --channels-last=maybe": "--channels-last: unknown word 'maybe'; known: no, yes, both",
    f"{LAYER} --device gpu": "--device: expected cpu, cuda or mps, got 'gpu'",
    f"{LAYER} --device cuda --threads 2": (
        "--threads would change nothing: they are the CPU's, and cuda computes; leave them out"
    ),
    f"{LAYER} --threads 9": "--threads: 9 threads would wait for one another here; give 4 at most",
    f"{LAYER} --cache hot": "--cache: unknown word 'hot'; known: warm, cold",
    f"{LAYER} --backward --roofline": (
        "--roofline would change nothing: counts are those of a forward pass; leave --backward out"
    ),
    # How long.
    f"{LAYER} --seed -1": "--seed: expected a whole number from 0 to 1,000,000,000, got '-1'",
    # What is shown.
    f"{QUICK} --columns foo": (
        "--columns: unknown column 'foo'; known: variant, median_s, minimum_s, speedup, promised, delivered, "
        "macs_per_s, intensity, bound, roof_share, attainable_s, peak_macs_per_s, peak_bytes_per_s, verdict, n, inner, "
        "outliers, spread, ratio_of_minima, params, macs, traffic_bytes, reason"
    ),
    "measure resnet18 --format csv --table totals --table layers": (
        "--table: csv holds one table; name one, or choose another format"
    ),
    "measure resnet18 --table total": "--table: no table 'total'; did you mean 'totals'?",
    # Files.
    f"{LAYER} --save nowhere/run.json": (
        "cannot write 'nowhere/run.json': there is no folder '{folder}/nowhere'; create it first"
    ),
    "measure --load": "--load: no file is named; name some that 'sepcalc measure --save FILE' wrote",
    "measure --load run.json": "cannot read 'run.json': no such file or directory; check its path",
    "measure --load run.json run.json": "--load: 'run.json' is named twice; name each file once",
    "measure --load run.json --batch 8": f"--batch would change nothing: {LOADS}",
    "measure --load run.json --cin 8 --save a.json": f"--cin and --save would change nothing: {LOADS}",
}
"""Every command line that is refused, and the whole of what is said about it."""


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch, cache):  # noqa: ARG001 (nothing is kept)
    """What is timed takes a time that is known, on four cores, and nothing is kept for later runs."""
    monkeypatch.setattr("sepcalc.cli.measure_flags.usable_cores", lambda: 4)
    monkeypatch.setattr("sepcalc.measure.pytorch.bench.torch_bench", fake_bench)


@pytest.fixture
def bench(monkeypatch):
    """A function that puts another bench in the place of PyTorch."""

    def put(**others):
        monkeypatch.setattr("sepcalc.measure.pytorch.bench.torch_bench", lambda: fake_bench(**others))

    return put


@pytest.mark.parametrize("line", MESSAGES)
def test_messages(folder, line, monkeypatch):
    """What is wrong ends the program with 2, one sentence on standard error, nothing on standard output and no file."""
    monkeypatch.setattr("sepcalc.measure.run.measure", None)  # nothing is measured before
    assert sepcalc(line) == (2, "", MESSAGES[line].replace("{folder}", str(folder)) + "\n")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("line", "flags", "note"),
    [
        (f"{QUICK} --format csv", "--table totals --si", "--table: a convolution has one table"),
        (f"{QUICK} --format json", "--columns n --table layers", f"--table and --columns: {EVERYTHING}"),
    ],
)
def test_notes(line, flags, note):
    """A flag that shapes what is not shown gets a note on standard error, and the times are shown."""
    ran = sepcalc(f"{line} {flags}")
    assert (ran.code, ran.out[:7], ran.err.splitlines()[0]) == (0, sepcalc(line).out[:7], f"ignored {note}")


def rows(line):
    """The rows of a measurement, as JSON has them."""
    return json.loads(sepcalc(f"{line} --format json").out)["rows"]


@pytest.mark.parametrize(
    ("flags", "conditions"),
    [
        ("--batch 8", {"batch": 8}),
        ("--dtype bfloat16", {"dtype": "bfloat16"}),
        ("--channels-last", {"channels_last": True}),
        ("--channels-last yes", {"channels_last": True}),
        ("--channels-last no", {"channels_last": False}),
        ("--channels-last --strict", {"channels_last": True}),
        ("--threads 2", {"threads": 2}),
        ("--compile", {"compile": True}),
        ("--backward", {"backward": True}),
        ("--cache cold", {"cache": "cold"}),
        ("--device cuda", {"device": "cuda", "cache": "cold"}),
        ("--device cuda --cache warm", {"device": "cuda", "cache": "warm"}),
        ("--device mps", {"device": "mps", "cache": "warm"}),
    ],
)
def test_conditions(flags, conditions):
    """Every flag of a condition reaches all that is timed."""
    for row in rows(f"{QUICK} {flags}"):
        assert {key: row["conditions"][key] for key in conditions} == conditions


def test_a_grid():
    """Several values of several flags, in one flag or in more, are timed in every combination, each once."""
    found = rows(f"{QUICK} --variant dws --batch 1,8 --batch 8 --dtype float16 --dtype float32 --channels-last both")
    seen = [tuple(row["conditions"][key] for key in ("dtype", "batch", "channels_last")) for row in found[::2]]
    assert seen == [(dtype, batch, last) for dtype in ("float16", "float32") for batch in (1, 8) for last in (0, 1)]


def test_the_plan():
    """Rounds, time and seed are those of the flags, and otherwise the library's."""
    plan = json.loads(sepcalc(f"{LAYER} --rounds 5 --time 0.25 --seed 7 -f json").out)["plan"]
    assert (plan["rounds"], plan["time_s"], plan["seed"]) == (5, 0.25, 7)
    plan = json.loads(sepcalc(f"{LAYER} -f json").out)["plan"]
    assert (plan["rounds"], plan["time_s"], plan["seed"]) == (30, 2.0, 0)


def test_the_command_is_in_the_record():
    """The record holds the command line as it was typed, and the program's version."""
    record = json.loads(sepcalc(f"{QUICK} --variant 'dws' -f json").out)
    assert record["command"] == f"sepcalc {QUICK} --variant dws -f json"
    assert record["environment"]["sepcalc"]


def test_save_and_load(folder):
    """What was saved is shown as it was when it was measured, and as JSON it is the same."""
    shown = sepcalc(f"{QUICK} --save run.json")
    assert sepcalc("measure --load run.json") == shown
    assert json.loads(sepcalc("measure --load run.json -f json").out) == json.loads((folder / "run.json").read_text())
    assert [path.name for path in folder.iterdir()] == ["run.json"]


def test_runs_side_by_side(folder):
    """Several files are one table, and as JSON each is whole."""
    for name in ("a.json", "b.json"):
        sepcalc(f"{QUICK} --save {name}")
    lines = sepcalc("measure --load a.json b.json -f csv").out.splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == ["a.json", "b.json"] * 3
    record = json.loads(sepcalc("measure --load a.json b.json -f json").out)
    assert [each["run"] for each in record["measurements"]] == ["a.json", "b.json"]
    both = sepcalc("measure --load a.json b.json")
    note = "ignored --table: 2 files are one table, side by side\n"
    assert sepcalc("measure --load a.json b.json --table totals") == (0, both.out, note)
    one = sepcalc("measure --load a.json --table totals")
    assert one == (0, sepcalc("measure --load a.json").out, "ignored --table: a convolution has one table\n")
    assert len(list(folder.iterdir())) == 2


def test_tables_of_a_network():
    """A format for one table gets the first, and is told of the other; --table chooses."""
    line = "measure mobilenet_v1 --rounds 3 --time 0 --format csv"
    ran = sepcalc(line)
    assert ran.out.startswith("name,variant,layers,")
    assert ran.err == "csv holds one table, this is 'layers'; for the other use --table totals\n"
    totals = sepcalc(f"{line} --table totals")
    assert (totals.out.startswith("variant,median_s,"), totals.err) == (True, "")
    named = sepcalc(f"{line} --table totals --columns rest_s,median_s")
    assert named.out.startswith("variant,rest_s,median_s,")


def test_flags_of_a_network():
    """Width, size and patterns change what is timed."""
    found = rows("measure mobilenet_v1 --width 0.5 --size 96 --only conv1 --rounds 3 --time 0")
    assert {row["group"] for row in found} == {"conv1", "network"}
    assert found[0]["macs"] == 3 * 16 * 9 * 48 * 48


def test_strict(folder, bench):
    """--strict exits with 1 where a row is not to be believed, after the table; a saved run is judged alike."""
    assert sepcalc(f"{QUICK} --strict").code == 0
    bench(fails={"spatial-separable": MemoryError("no room")})
    ran = sepcalc(f"{QUICK} --strict --save run.json")
    message = "1 of 3 rows are unreliable or failed, which --strict forbids; first spatial-separable: no room\n"
    assert (ran.code, ran.err) == (1, message)
    assert "depthwise-separable" in ran.out
    assert sepcalc("measure --load run.json --strict") == ran
    assert sepcalc("measure --load run.json").code == 0
    assert len(list(folder.iterdir())) == 1


ADVICE = "unreliable: 3 of 3 rows; close other programs and measure again, or for longer, as with"


@pytest.mark.parametrize(
    ("flags", "err"),
    [
        ("", f"{ADVICE} --time 10\n"),
        ("--time 9", f"{ADVICE} --time 45\n"),
        ("--rounds 9 --time 0", ""),
    ],
)
def test_advice(bench, flags, err):
    """Where the machine was not quiet a sentence says what may help, which it does not where rounds are too few."""
    bench(machine=noisy(share=1.0))
    assert sepcalc(f"{LAYER} {flags}").err == err


def test_nothing_could_be_timed(folder, bench):
    """Where nothing could be timed the reason is the message, and no file is written."""
    bench(fails={each: MemoryError("no room") for each in ("standard", "depthwise-separable", "spatial-separable")})
    assert sepcalc(f"{QUICK} --save run.json") == (2, "", "nothing could be timed: no room\n")
    assert list(folder.iterdir()) == []


def test_interrupted(folder, monkeypatch):
    """Ctrl-C shows and keeps what there is by then, and the exit code is 130."""
    waited = []

    def progress(_title, _done, _planned, state):
        waited.append(state)
        if state.phase == "rounds" and state.done == 11:
            raise KeyboardInterrupt

    monkeypatch.setattr("sepcalc.cli.measure_run.measure_progress", lambda: _always(progress))
    ran = sepcalc(f"{LAYER} --save run.json")
    assert (ran.code, ran.err) == (130, "")
    assert "Interrupted: these are the results so far." in ran.out
    assert (load_measurement(folder / "run.json").interrupted, len(load_measurement(folder / "run.json").rows)) == (
        True,
        3,
    )


def test_interrupted_before_there_is_anything(folder, bench):
    """Ctrl-C before the first round shows nothing and writes nothing."""
    bench(fails={"standard": KeyboardInterrupt()})
    assert sepcalc(f"{QUICK} --save run.json") == (130, "", "")
    assert list(folder.iterdir()) == []


class _always:  # noqa: N801 (it is used as a function)
    """A context that gives one value."""

    def __init__(self, value):
        self.value = value

    def __enter__(self):
        return self.value

    def __exit__(self, *_):
        return None


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from sepcalc.cli.main import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("line", "code", "err"),
    [
        ("measure --help", 0, ""),
        ("measure --load run.json", 0, ""),
        (QUICK, 2, "measuring needs the 'torch' extra: pip install 'sepcalc[torch]'\n"),
        (f"{QUICK} --batch 0", 2, "--batch: expected a whole number from 1 to 1,000,000,000, got '0'\n"),
    ],
)
def test_without_torch(folder, line, code, err):
    """Without PyTorch there are help, saved measurements and messages on flags, and one sentence on what is missing."""
    sepcalc(f"{QUICK} --save run.json")
    command = [sys.executable, "-c", WITHOUT_TORCH, *line.split()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert (done.returncode, done.stderr) == (code, err)
