"""What every command prints in every format, byte for byte.

``pytest tests/test_golden.py --update-golden`` writes the files in ``tests/golden`` anew; look at the difference
before it is committed. Beside being equal to what is stored, printed numbers add up, and answers for programs
hold the library's own numbers.
"""

import csv
import json
import re
from fractions import Fraction
from pathlib import Path

import pytest
from commands import Screen, sepcalc
from fake_bench import fake_bench

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.readers.yaml.reader import bundled
from sepcalc.render.formats import FORMATS

GOLDEN = Path(__file__).parent / "golden"
PEOPLE = ("terminal", "markdown", "latex", "html")

LAYER = "layer --cin 64 --cout 128 -k 3"
SIZED = f"{LAYER} --size 56 --variant all --groups 4"
NETWORK = "network mobilenet_v1"
MEASURE = "measure --cin 64 --cout 128 -k 3 --size 56 --time 0"

TABLES = {
    "layer": LAYER,
    "layer-sized": SIZED,
    "layer-1d": "layer --cin 40 --cout 60 -k 5 --axes 1 --size 101 --dilation 2 --variant all",
    "layer-3d": "layer --cin 16 --cout 32 -k 3x3x5 --size 8x30x40 --stride 1x2x2 --bias all --dtype float16",
    "layer-transposed": "layer --cin 64 --cout 32 -k 4 --size 14 --stride 2 --padding 1 --transposed --bias last",
    "network": NETWORK,
    "list": "network --list",
    "compare": "compare resnet50 mobilenet_v1 mobilenet_v2",
    "sweep": "sweep --cin 64 --cout 32:128:x2 -k 1,3 --size 56 --groups 3,4",
    "sweep-network": "sweep mobilenet_v1 --width 0.25,1 --size 160:224:64",
    "measure": f"{MEASURE} --variant all",
}
"""Command lines that every format knows."""

LAYOUTS = {
    "layer-stages": f"{SIZED} --stages",
    "layer-columns": f"{LAYER} --columns all",
    "network-group": "network resnet50 --group",
    "network-top": "network vgg16 --top 3 --sort params",
    "network-stages": "network mobilenet_v1 --variant spatial-separable --stages --columns all --only 'separable1*'",
    "network-totals": "network mobilenet_v1 --table totals --width 0.75 --size 160 --variant all --groups 8",
    "network-published": "network mobilenet_v1 --table published",
    "measure-roofline": f"{MEASURE} --roofline",
    "measure-grid": f"{MEASURE} --variant dws --batch 1,8 --channels-last both --columns all",
    "measure-network": "measure mobilenet_v2 --time 0 --only 'stage[23]*'",
    "measure-totals": "measure mobilenet_v1 --time 0 --table totals",
}
"""Command lines that change what a table shows, and mean nothing in JSON."""

CASES = {
    **{
        f"{name}{each.suffix}": f"{line} --format {form}"
        for name, line in TABLES.items()
        for form, each in FORMATS.items()
    },
    **{
        f"{name}{each.suffix}": f"{line} --format {form}"
        for name, line in LAYOUTS.items()
        for form, each in FORMATS.items()
        if form != "json"
    },
    **{f"layer-si{FORMATS[form].suffix}": f"{LAYER} --size 56 --si --format {form}" for form in PEOPLE},
    **{
        f"explain{FORMATS[form].suffix}": f"{LAYER} --size 56 --mid 48 --explain --format {form}"
        for form in ("terminal", "markdown", "latex")
    },
    "schema.json": "schema",
    "code-torch.txt": f"{LAYER} --size 56 --variant all --code torch",
    "code-keras.txt": f"{LAYER} --size 56 --variant all --code keras",
}
"""Every golden file and the command line that prints it into a pipe."""

NARROW = {
    "layer-60.txt": SIZED,
    "network-60.txt": NETWORK,
    "list-60.txt": "network --list",
    "measure-60.txt": MEASURE,
    "compare-60.txt": "compare resnet50 mobilenet_v1 mobilenet_v2",
    "explain-60.txt": f"{LAYER} --size 56 --mid 48 --explain",
}
"""The same for a terminal of 60 columns."""


@pytest.fixture
def golden(request: pytest.FixtureRequest):
    """A function that holds a text against the golden file of that name, or writes the file."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
        assert path.is_file(), "pytest tests/test_golden.py --update-golden writes it"
        assert path.read_bytes().decode() == text

    return check


@pytest.fixture(autouse=True)
def _no_torch(monkeypatch, tmp_path):
    """What is timed takes a time that is known, and nothing is kept for later runs."""
    monkeypatch.setattr("sepcalc.measure.pytorch.bench.torch_bench", fake_bench)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.mark.parametrize("name", CASES)
def test_printed(golden, name):
    """A command prints what is stored, and nothing else."""
    ran = sepcalc(CASES[name])
    assert (ran.code, ran.err) == (0, NOTES.get(name, ""))
    golden(name, ran.out)


NOTES = {
    f"{name}{suffix}": f"{form} holds one table, this is 'layers'; for the others use {others}\n"
    for suffix, form in ((".csv", "csv"), (".tsv", "tsv"))
    for name, others in {
        "network": "--table totals or --table published",
        "network-group": "--table totals or --table published",
        "network-top": "--table totals or --table published",
        "network-stages": "--table totals or --table published",
    }.items()
} | {
    f"measure-network.{form}": f"{form} holds one table, this is 'layers'; for the other use --table totals\n"
    for form in ("csv", "tsv")
}
"""What is said beside a result: a format for one table tells how to get the others."""


@pytest.mark.parametrize("name", NARROW)
def test_narrow(golden, monkeypatch, name):
    """In a terminal of 60 columns no line is longer, and what is shown is what is stored."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    ran = sepcalc(NARROW[name], out=Screen)
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 60
    golden(name, ran.out)


def test_color(golden, monkeypatch):
    """In a terminal headings and titles are bold, and captions dim."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    golden("layer-color.ansi", sepcalc(f"{LAYER} --stages", out=Screen).out)


def test_no_golden_file_is_left_over():
    """Every stored file belongs to a case."""
    assert {path.name for path in GOLDEN.iterdir()} <= {*CASES, *NARROW, "layer-color.ansi"}


CELLS = {
    "terminal": lambda line: re.split(r"  +", line),
    "markdown": lambda line: [cell.strip(" *") for cell in line.strip("|").split("|")],
    "latex": lambda line: line.replace(r"\,\%", " %").removesuffix(r" \\").split(" & "),
    "html": lambda line: re.findall(r"<td[^>]*>(.*?)</td>", line),
}
"""The cells of a line of a table."""


def printed(form: str, text: str) -> list[tuple[int, int]]:
    """The parameters and multiply-adds of each row of a table of layers, parsed again from their columns."""
    rows = [CELLS[form](line) for line in text.splitlines()]
    counts = [row[-3:-1] for row in rows if len(row) > 3 and row[-1].endswith(" %")]
    return [(int(params.replace(",", "")), int(macs.replace(",", ""))) for params, macs in counts]


@pytest.mark.parametrize("layout", ["", "--group", "--top 3", "--sort params"])
@pytest.mark.parametrize("form", PEOPLE)
@pytest.mark.parametrize("name", bundled())
def test_columns_add_up(name, form, layout):
    """The integers that a table of layers prints add up to the total that it prints, which is the library's."""
    *parts, total = printed(form, sepcalc(f"network {name} --table layers --format {form} {layout}").out)
    cost = load(name).cost
    assert parts
    assert (sum(params for params, _ in parts), sum(macs for _, macs in parts)) == total == (cost.params, cost.macs)


@pytest.mark.parametrize("form", ["csv", "tsv"])
@pytest.mark.parametrize("name", bundled())
def test_records_add_up(name, form):
    """The same for the records of CSV and TSV, whose sum is marked as one."""
    lines = sepcalc(f"network {name} --table layers --format {form}").out.splitlines()
    records = list(csv.DictReader(lines, delimiter="," if form == "csv" else "\t"))
    for key in ("params", "macs"):
        parts = [int(record[key]) for record in records if record["role"] == "body"]
        assert [int(record[key]) for record in records if record["role"] == "total"] == [sum(parts)]


@pytest.mark.parametrize("name", bundled())
def test_json_holds_the_numbers_of_the_library(name):
    """The answer for a network has the library's totals, and layers that add up to them."""
    answer, network = json.loads(sepcalc(f"network {name} --format json").out), load(name)
    totals = {key: {"params": cost.params, "macs": cost.macs} for key, cost in network.totals().items()}
    assert answer["totals"] == totals
    for key in ("params", "macs"):
        assert sum(layer[key] for layer in answer["layers"]) == totals["as-written"][key]
    assert [layer["name"] for layer in answer["layers"]] == [layer.name for layer in network.layers]


def test_json_of_a_layer_holds_the_numbers_of_the_library():
    """The answer for a layer has the numbers of each variant that the library has."""
    answer = json.loads(sepcalc(f"{SIZED} --format json").out)
    comparison = compare(ConvSpec.of(64, 128, k=3, size=56, groups=4), choose(["all"]))
    for record, row in zip(answer["variants"], comparison.candidates, strict=True):
        assert record["variant"] == row.variant.name
        assert (record["params"], record["macs"]) == (row.params, row.macs)
        assert record["params_reduction"] == float(comparison.params_reduction(row))
        assert record["macs_reduction"] == float(Fraction(comparison.candidates[0].macs, row.macs))
        assert (record["traffic_bytes"], record["activations"]) == (row.traffic_bytes(4), row.activations)
        for key in ("params", "macs"):
            assert sum(stage[key] for stage in record["stages"]) == record[key]
