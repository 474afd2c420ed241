"""What every command prints, byte for byte.

``pytest tests/test_golden.py --update-golden`` writes the files in ``tests/golden`` anew; look at the difference
before it is committed. Stored are every command line as text, every command as JSON, and two answers in the other
formats. An answer that is not stored holds what a stored one holds: the words of the text, the numbers of the JSON.
Printed numbers add up, and answers for programs hold the library's own numbers.
"""

import csv
import html
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
    "network": NETWORK,
    "list": "network --list",
    "compare": "compare resnet50 mobilenet_v1 mobilenet_v2",
    "sweep": "sweep --cin 64 --cout 32:128:x2 -k 1,3 --size 56 --groups 3,4",
    "sweep-network": "sweep mobilenet_v1 --width 0.25,1 --size 160:224:64",
    "measure": f"{MEASURE} --variant all",
}
"""Command lines whose answer is stored as text and as JSON."""

SHAPES = {
    "layer-1d": "layer --cin 40 --cout 60 -k 5 --axes 1 --size 101 --dilation 2 --variant all",
    "layer-3d": "layer --cin 16 --cout 32 -k 3x3x5 --size 8x30x40 --stride 1x2x2 --bias all --dtype float16",
    "layer-transposed": "layer --cin 64 --cout 32 -k 4 --size 14 --stride 2 --padding 1 --transposed --bias last",
}
"""The first command on other shapes."""

SPECS = {
    "layer-sized": ConvSpec.of(64, 128, k=3, size=56, groups=4),
    "layer-1d": ConvSpec.of(40, 60, k=5, size=(101,), dilation=2),
    "layer-3d": ConvSpec.of(16, 32, k=(3, 3, 5), size=(8, 30, 40), stride=(1, 2, 2), bias="all"),
    "layer-transposed": ConvSpec.of(64, 32, k=4, size=14, stride=2, padding=1, transposed=True, bias="last"),
}
"""The convolutions of these command lines."""

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

TEXTS = TABLES | SHAPES | LAYOUTS | {"layer-si": f"{LAYER} --size 56 --si"}
"""Command lines that print tables for people."""

EVERYWHERE = ("layer-stages", "network")
"""Answers stored in every format: rows with parts, and several tables with a sum."""

CASES = {
    **{f"{name}.txt": line for name, line in TEXTS.items()},
    **{f"{name}.json": f"{line} --format json" for name, line in TABLES.items()},
    **{
        f"{name}{FORMATS[form].suffix}": f"{TEXTS[name]} --format {form}"
        for name in EVERYWHERE
        for form in ("csv", "tsv", "markdown", "latex", "html")
    },
    **{
        f"explain{FORMATS[form].suffix}": f"{LAYER} --size 56 --mid 48 --explain --format {form}"
        for form in ("terminal", "markdown", "latex")
    },
    "measure.csv": f"{TABLES['measure']} --format csv",
    "code-torch.txt": f"{LAYER} --size 56 --variant all --code torch",
    "code-keras.txt": f"{LAYER} --size 56 --variant all --code keras",
}
"""Every golden file and the command line that prints it into a pipe."""

NARROW = {
    "layer-60.txt": SIZED,
    "network-60.txt": NETWORK,
    "measure-60.txt": MEASURE,
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
def _no_torch(monkeypatch, cache):  # noqa: ARG001 (nothing is kept)
    """What is timed takes a time that is known, and nothing is kept for later runs."""
    monkeypatch.setattr("sepcalc.measure.pytorch.bench.torch_bench", fake_bench)


OTHERS = {
    "network": "the others use --table totals or --table published",
    "network-group": "the others use --table totals or --table published",
    "network-top": "the others use --table totals or --table published",
    "network-stages": "the others use --table totals or --table published",
    "measure-network": "the other use --table totals",
}
"""How to get the tables that a format for one table leaves out."""


def note(name: str, form: str) -> str:
    """The note on standard error for the command line of that name."""
    if form not in ("csv", "tsv") or name not in OTHERS:
        return ""
    return f"{form} holds one table, this is 'layers'; for {OTHERS[name]}\n"


@pytest.mark.parametrize("name", CASES)
def test_printed(golden, name):
    """A command prints what is stored, and nothing else."""
    ran = sepcalc(CASES[name])
    assert (ran.code, ran.err) == (0, note(*name.split(".")))
    golden(name, ran.out)


def answer(name: str, form: str) -> str:
    """What the command line of that name prints in a format, with the notes that belong to it."""
    ran = sepcalc(f"{TEXTS[name]} --format {form}")
    assert (ran.code, ran.err) == (0, note(name, form))
    return ran.out


MARKUP = {
    "terminal": r"─+",
    "markdown": r"^\| :?-.*$|^- |\||\*\*|↳",
    "html": r"(?s)^.*<body>|<[^>]*>",
}
"""What each format adds to the words of an answer."""


def words(form: str, text: str) -> list[str]:
    """The words of an answer without markup and escapes; sorted, for a terminal breaks the lines of a cell."""
    return sorted(html.unescape(re.sub(MARKUP[form], " ", text, flags=re.MULTILINE)).replace("\\", "").split())


def numbers(rows: list[str]) -> list[list[str]]:
    """The numbers of each row, as they are printed; a LaTeX length or exponent is none."""
    return [re.findall(r"\d[\d,.]*", re.sub(r"\d+pt|\^\{\d\}", "", row)) for row in rows]


@pytest.mark.parametrize("name", TEXTS)
def test_formats_for_people_say_the_same(name):
    """Markdown and HTML hold the words of the stored text, and the rows of LaTeX the numbers of Markdown's."""
    text = words("terminal", (GOLDEN / f"{name}.txt").read_text())
    markdown = answer(name, "markdown")
    assert words("markdown", markdown) == text
    assert words("html", answer(name, "html")) == text
    rows = [line for line in answer(name, "latex").splitlines() if re.search(r" & .*\\\\$", line)]
    printed_rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    assert [row for row in numbers(rows) if row] == [row for row in numbers(printed_rows) if row]


def records(form: str, text: str) -> list[dict[str, str]]:
    """The records of an answer in CSV or TSV."""
    return list(csv.DictReader(text.splitlines(), delimiter="," if form == "csv" else "\t"))


@pytest.mark.parametrize("name", {**TABLES, **SHAPES, **LAYOUTS})
def test_formats_for_programs_say_the_same(name):
    """CSV and TSV hold the same records, one for each row of the first table for people, with its counts."""
    found = records("csv", answer(name, "csv"))
    assert found == records("tsv", answer(name, "tsv"))
    _, _, *rows = answer(name, "markdown").split("\n\n")[1].splitlines()
    assert len(found) == len(rows)
    for record, row in zip(found, rows, strict=True):
        counts = {value for value in record.values() if value.isdecimal()}
        assert counts <= set(re.split(r"[ *|]+", row.replace(",", "")))


RECORDS = {"layer": "variants", "network": "layers", "compare": "networks", "sweep": "rows", "measure": "rows"}
"""Where the records of a command's table stand in its JSON."""


@pytest.mark.parametrize("name", {**TABLES, **SHAPES})
def test_records_hold_the_numbers_of_the_json(name):
    """Each name and number of the JSON that the table shows stands in its CSV, to the last digit.

    The type of a layer is not compared: a table writes its kernel behind it.
    """
    document = json.loads(answer(name, "json"))
    entries = document["tables"][0]["rows"] if name == "list" else document[RECORDS[TEXTS[name].split()[0]]]
    rows = [row for row in records("csv", answer(name, "csv")) if row.get("role") != "total"]
    for row, entry in zip(rows, entries, strict=True):
        shared = row.keys() & entry.keys() - {"type"}
        exact = {key: str(entry[key]) for key in shared if isinstance(entry[key], str | int | float)}
        assert exact
        assert {key: row[key] for key in exact} == exact


@pytest.mark.parametrize("name", NARROW)
def test_narrow(golden, monkeypatch, name):
    """A terminal of 60 columns shows what is stored."""
    golden(name, narrow(NARROW[name], monkeypatch))


@pytest.mark.parametrize("name", TABLES)
def test_no_line_is_longer_than_the_terminal(monkeypatch, name):
    """Every command fits into 60 columns."""
    assert narrow(TABLES[name], monkeypatch)


def narrow(line: str, monkeypatch) -> str:
    """What a command line shows in a terminal of 60 columns, none of its lines longer."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    ran = sepcalc(line, out=Screen)
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 60
    return ran.out


def test_color(golden, monkeypatch):
    """In a terminal headings and titles are bold, and captions dim."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    golden("layer-color.ansi", sepcalc(f"{LAYER} --stages", out=Screen).out)


def test_schema(golden):
    """The JSON Schema is what is stored, where each key has a line, and is printed with an indent."""
    ran = sepcalc("schema")
    schema = json.loads(ran.out)
    assert (ran.code, ran.err, ran.out) == (0, "", json.dumps(schema, indent=2, ensure_ascii=False) + "\n")
    golden("schema.json", folded(schema, 4) + "\n")


def folded(value, depth, indent=""):
    """``value`` as JSON that is broken into lines down to so many levels of mappings."""
    if depth == 0 or not isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    inner = f"{indent}  "
    items = (f"{inner}{json.dumps(key)}: {folded(item, depth - 1, inner)}" for key, item in value.items())
    return "{\n" + ",\n".join(items) + f"\n{indent}}}"


def test_no_golden_file_is_left_over():
    """Every stored file belongs to a case."""
    assert {path.name for path in GOLDEN.iterdir()} <= {*CASES, *NARROW, "layer-color.ansi", "schema.json"}


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


@pytest.mark.slow
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
    rows = records(form, sepcalc(f"network {name} --table layers --format {form}").out)
    for key in ("params", "macs"):
        parts = [int(row[key]) for row in rows if row["role"] == "body"]
        assert [int(row[key]) for row in rows if row["role"] == "total"] == [sum(parts)]


@pytest.mark.parametrize("name", bundled())
def test_json_holds_the_numbers_of_the_library(name):
    """The answer for a network has the library's totals, and layers that add up to them."""
    answer, network = json.loads(sepcalc(f"network {name} --format json").out), load(name)
    totals = {key: {"params": cost.params, "macs": cost.macs} for key, cost in network.totals().items()}
    assert answer["totals"] == totals
    for key in ("params", "macs"):
        assert sum(layer[key] for layer in answer["layers"]) == totals["as-written"][key]
    assert [layer["name"] for layer in answer["layers"]] == [layer.name for layer in network.layers]


@pytest.mark.parametrize("name", SPECS)
def test_json_of_a_layer_holds_the_numbers_of_the_library(name):
    """The answer for a layer has the numbers of each variant and stage that the library has."""
    document = json.loads(answer(name, "json"))
    comparison = compare(SPECS[name], choose([record["variant"] for record in document["variants"]]))
    for record, row in zip(document["variants"], comparison.candidates, strict=True):
        assert (record["why_not"], record["remark"]) == (row.why_not or None, row.remark or None)
        assert record["applies"] == row.applies
        if row.applies:
            check_variant(record, row, document["element_bytes"])
            assert record["params_reduction"] == float(comparison.params_reduction(row))
            assert record["macs_reduction"] == float(Fraction(comparison.candidates[0].macs, row.macs))


def check_variant(record, row, element_bytes):
    """Hold the JSON of a variant against what the library says of it."""
    assert (record["params"], record["macs"]) == (row.params, row.macs)
    assert (record["traffic_bytes"], record["activations"]) == (row.traffic_bytes(element_bytes), row.activations)
    for key in ("params", "macs"):
        assert sum(stage[key] for stage in record["stages"]) == record[key]
    for stage, spec in zip(record["stages"], row.stages, strict=True):
        assert (stage["name"], stage["groups"]) == (spec.kind, spec.groups)
        assert (stage["kernel"], stage["stride"]) == ([*spec.kernel], [*spec.stride])
        assert (stage["in_size"], stage["out_size"]) == ([*spec.size], [*spec.out_size])
