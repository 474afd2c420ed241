"""``sepcalc network``: every message on its full text, tables, gates, and what flags do together."""

import csv
import json

import pytest
from commands import Screen, sepcalc

from sepcalc import load
from sepcalc.core.network_tables import network_table
from sepcalc.core.variants import all_variants
from sepcalc.readers.yaml.reader import bundled

NETWORK = "network mobilenet_v1"
COLUMNS = ", ".join(column.key for column in network_table(load("mobilenet_v1")).columns)
KEYS = (
    f"{COLUMNS}, params_cumulative, macs_cumulative, params_cumulative:…, macs_cumulative:…, "
    "reduction, params:…, macs:…, reduction:…"
)
LAYERS = ", ".join(["conv1", *(f"separable{number}" for number in range(1, 14))])
KNOWN = ", ".join(bundled())
LIST = "--list shows what is bundled; leave one or the other out"
JSON = "json always holds every layer and total; choose another format"

UNCOUNTED = """\
name: Mystery
input: {channels: 8, size: 4}
layers:
  - conv: {name: stem, c_out: 8, k: 3}
  - uncounted: {name: magic, operator: Einsum}
"""

MESSAGES = {
    # What must be there.
    "network": "name a network: a bundled one ('sepcalc network --list'), a .yaml or .onnx file, or module:callable",
    "network mobilenet-v1": "no bundled network is called 'mobilenet-v1'; did you mean 'mobilenet_v1'?",
    "network qqq": f"no bundled network is called 'qqq'; known: {KNOWN}",
    "network qqq.yaml": "cannot read qqq.yaml: no such file or directory; check the path",
    "network .": ". is a folder; name a YAML file in it",
    f"{NETWORK} resnet50": "unexpected argument 'resnet50'; see 'sepcalc network --help'",
    f"{NETWORK} resnet50 vgg16": "unexpected argument 'resnet50 vgg16'; see 'sepcalc network --help'",
    f"{NETWORK} --color": "unknown option '--color'; see 'sepcalc network --help'",
    f"{NETWORK} --tables totals": "unknown option '--tables'; did you mean '--table'?",
    f"{NETWORK} --top": "option '--top' needs a value; see 'sepcalc network --help'",
    # Words.
    f"{NETWORK} --sort param": "--sort: unknown column 'param'; did you mean 'params'?",
    f"{NETWORK} --sort qqq": f"--sort: unknown column 'qqq'; known: {KEYS}",
    f"{NETWORK} --columns qqq": f"--columns: unknown column 'qqq'; known: {KEYS}",
    f"{NETWORK} --columns ''": f"--columns: no column is named; give all, or some of {COLUMNS}",
    f"{NETWORK} --table totals --columns kernel": (
        "--columns: unknown column 'kernel'; known: variant, params, macs, params_reduction, macs_reduction, converted"
    ),
    f"{NETWORK} --table layer": "--table: no table 'layer'; did you mean 'layers'?",
    f"{NETWORK} --table qqq": "--table: no table 'qqq'; known: layers, totals, published",
    f"{NETWORK} --only qqq": f"--only: no convertible layer of MobileNet v1 is called 'qqq'; known: {LAYERS}",
    "network resnet50 --only conv5": (
        "--only: no convertible layer of ResNet-50 is called 'conv5'; did you mean 'conv5.*'?"
    ),
    f"{NETWORK} --keep fc": f"--keep: no convertible layer of MobileNet v1 is called 'fc'; known: {LAYERS}",
    f"{NETWORK} --only separabl3": (
        "--only: no convertible layer of MobileNet v1 is called 'separabl3'; did you mean 'separable3'?"
    ),
    # Tables that cannot be had.
    f"{NETWORK} --format csv --table totals --table layers": (
        "--table: csv holds one table; name one, or choose another format"
    ),
    f"{NETWORK} --table published --width 0.5": (
        "--table: MobileNet v1 is not as published with --width or --size; leave 'published' out"
    ),
    # Flags that would change nothing.
    f"{NETWORK} --group --stages": (
        "--stages would change nothing: --group adds layers up; leave one or the other out"
    ),
    "network --list mobilenet_v1": f"'mobilenet_v1' would change nothing: {LIST}",
    "network --list --top 3 --strict": f"--top and --strict would change nothing: {LIST}",
    "network --list --width 0.5": f"--width would change nothing: {LIST}",
}
"""Every command line that is refused, and the whole of what is said about it."""


NOTES = {
    (f"{NETWORK} --table totals", "--top 3 --sort macs"): (
        "--sort and --top: the table 'layers' is not shown; add --table layers"
    ),
    (f"{NETWORK} --table published", "--variant all"): (
        "--variant: the table 'totals' is not shown; add --table totals"
    ),
    (f"{NETWORK} --format json", "--top 3 --group"): f"--group and --top: {JSON}",
    (f"{NETWORK} --format json", "--table totals"): f"--table: {JSON}",
    (f"{NETWORK} --format json", "--table totals --columns macs --si"): f"--table and --columns and --si: {JSON}",
    (f"{NETWORK} --format csv --table layers", "--si"): "--si: csv holds exact numbers; choose another format",
}
"""Flags that shape what a command line does not show, and the whole of the note about them."""


@pytest.mark.parametrize(("line", "flags"), NOTES)
def test_notes(line, flags):
    """A flag that shapes what is not shown gets a note on standard error, and the answer is the one without it."""
    assert sepcalc(f"{line} {flags}") == (0, sepcalc(line).out, f"ignored {NOTES[line, flags]}\n")


@pytest.mark.parametrize("line", MESSAGES)
def test_messages(folder, line):
    """What is wrong ends the program with 2, one sentence on standard error, nothing on standard output and no file."""
    assert sepcalc(line) == (2, "", MESSAGES[line].replace("{folder}", str(folder)) + "\n")
    assert list(folder.iterdir()) == []


def test_faults_of_a_file(folder):
    """All faults of a file come at once, with their places, in one message."""
    (folder / "net.yaml").write_text(
        "input: {channels: 3, size: 8}\nlayers:\n  - conv: {c_out: 4, kernel: 3}\n  - rulu\n"
    )
    ran = sepcalc("network net.yaml")
    assert (ran.code, ran.out) == (2, "")
    places = [line.split(": ")[0] for line in ran.err.splitlines()]
    assert {place.rsplit(":", 1)[0] for place in places} == {"net.yaml:3", "net.yaml:4"}


def test_control_characters_are_not_printed():
    """A message shows the control characters of a value, and does not send them to the terminal."""
    assert sepcalc("network '\x1b[31mred'").err.startswith("no bundled network is called '\\x1b[31mred'; ")


def test_no_published_figures(folder):
    """A network without published figures says so where they are asked for."""
    (folder / "net.yaml").write_text("name: Mine\nlayers:\n  - {c_in: 3, c_out: 4, k: 3, size: 8}\n")
    assert sepcalc("network net.yaml --table published") == (
        2, "", "--table: Mine has no published figures; leave 'published' out\n"
    )  # fmt: skip


BOTH_PASSED = (
    "MobileNet v1 has 4,231,976 parameters, 4,230,976 more than --max-params 1k "
    "and 568,740,352 MACs, 568,740,351 more than --max-macs 1\n"
)

GATES = {
    "--max-params 5M --max-macs 600M": (0, ""),
    "--max-macs 568740352": (0, ""),
    "--max-macs 568740351": (1, "MobileNet v1 has 568,740,352 MACs, 1 more than --max-macs 568740351\n"),
    "--max-macs 0.5G": (1, "MobileNet v1 has 568,740,352 MACs, 68,740,352 more than --max-macs 0.5G\n"),
    "--max-params 4.2M": (1, "MobileNet v1 has 4,231,976 parameters, 31,976 more than --max-params 4.2M\n"),
    "--max-params 1k --max-macs 1": (
        1,
        BOTH_PASSED,
    ),
    "--strict": (0, ""),
}


@pytest.mark.parametrize("flags", GATES)
def test_gates(flags):
    """A limit that is passed ends the program with 1 and one sentence; what was asked for is printed all the same."""
    ran = sepcalc(f"{NETWORK} {flags}")
    assert (ran.code, ran.err) == GATES[flags]
    assert ran.out == sepcalc(NETWORK).out


@pytest.mark.parametrize("form", ["json", "csv"])
def test_gates_of_every_format(form):
    """A build server that reads JSON or CSV meets the same gates."""
    ran = sepcalc(f"{NETWORK} --format {form} --max-macs 1M")
    assert ran.code == 1
    assert ran.err.endswith("MobileNet v1 has 568,740,352 MACs, 567,740,352 more than --max-macs 1M\n")
    assert ran.out == sepcalc(f"{NETWORK} --format {form}").out


def test_strict(folder):
    """An operator that is not understood is named in every format, missing from the totals, and fails --strict."""
    (folder / "net.yaml").write_text(UNCOUNTED)
    for form in ("terminal", "markdown", "latex", "html"):
        ran = sepcalc(f"network net.yaml --format {form}")
        assert ran.code == 0
        assert "uncounted, and missing from every total: magic (Einsum)." in ran.out
    records = list(csv.DictReader(sepcalc("network net.yaml --format csv").out.splitlines()))
    assert [record["macs"] for record in records if record["name"] == "magic"] == [""]
    answer = json.loads(sepcalc("network net.yaml --format json").out)
    assert answer["uncounted"] == [{"name": "magic", "type": "Einsum"}]
    sentence = "Mystery has uncounted operators, which --strict forbids: magic\n"
    assert sepcalc("network net.yaml --strict --format json") == (1, json.dumps(answer, indent=2) + "\n", sentence)


def table(line: str) -> list[dict[str, str]]:
    """The records of a CSV table."""
    return list(csv.DictReader(sepcalc(f"{line} --format csv").out.splitlines()))


def test_the_paper_s_networks():
    """MobileNet v1 as written has 568,740,352 multiply-adds; with every separable layer standard 4,867,293,184."""
    found = {record["variant"]: int(record["macs"]) for record in table(f"{NETWORK} --table totals")}
    assert (found["as-written"], found["standard"]) == (568_740_352, 4_867_293_184)


def test_group():
    """--group adds the layers of each block up."""
    blocks = table("network resnet50 --group --columns all --table layers")
    layers = table("network resnet50 --table layers")
    for block in blocks[:-1]:
        mine = [each for each in layers[:-1] if each["name"].split(".")[0] == block["name"]]
        assert int(block["layers"]) == len(mine)
        for key in ("params", "macs"):
            assert int(block[key]) == sum(int(each[key]) for each in mine)
    assert sum(int(block["layers"]) for block in blocks[:-1]) == int(blocks[-1]["layers"]) == len(layers) - 1


@pytest.mark.parametrize("key", ["macs", "params", "macs_share", "groups"])
def test_sort(key):
    """--sort orders by numbers from the largest, and rows without one come last."""
    column = [record[key] for record in table(f"network mobilenet_v2 --table layers --sort {key} --columns {key}")[:-1]]
    numbers = [float(text) for text in column if text]
    assert numbers == sorted(numbers, reverse=True)
    assert column[: len(numbers)] == [text for text in column if text]


@pytest.mark.parametrize(("flags", "key"), [("--top 3", "macs"), ("--top 3 --sort params", "params")])
def test_top(flags, key):
    """--top keeps the largest, by multiply-adds unless sorted otherwise, and adds up the others."""
    rows = table(f"network vgg16 --table layers {flags}")
    every = sorted((int(row[key]) for row in table("network vgg16 --table layers")[:-1]), reverse=True)
    assert [int(row[key]) for row in rows] == [*every[:3], sum(every[3:]), sum(every)]
    assert rows[3]["name"] == f"{len(every) - 3} others"


def test_top_of_all():
    """More rows than there are leave no others."""
    assert [row["name"] for row in table(f"{NETWORK} --table layers --top 999")][-1] == "total"
    assert "others" not in sepcalc(f"{NETWORK} --table layers --top 999").out


def test_stages():
    """--stages shows the stages of each layer, whose multiply-adds add up to the layer's."""
    parts = 0
    for row in reversed(table(f"{NETWORK} --table layers --stages")[:-1]):
        if row["role"] == "part":
            parts += int(row["macs"])
        elif parts:
            assert int(row["macs"]) == parts
            parts = 0
    assert parts == 0


@pytest.mark.parametrize(
    ("flags", "converted"),
    [("", 14), ("--only 'separable*'", 13), ("--keep conv1 --keep separable1", 12), ("--only '*1' --keep conv1", 2)],
)
def test_only_and_keep(flags, converted):
    """--only and --keep choose by name the layers that are rewritten."""
    assert int(table(f"{NETWORK} --table totals {flags}")[1]["converted"]) == converted


def test_width_and_size():
    """--width and --size give the paper's smaller networks, without figures that were published for the whole one."""
    answer = json.loads(sepcalc(f"{NETWORK} --width 0.75 --format json").out)
    assert answer["totals"]["as-written"] == {"params": 2_585_560, "macs": 325_400_448}
    assert json.loads(sepcalc(f"{NETWORK} --size 160 --format json").out)["input"] == {
        "channels": 3,
        "size": [160, 160],
        "batch": 1,
    }
    assert "as published" in sepcalc(NETWORK).out
    assert "as published" in sepcalc(f"{NETWORK} --width 1.0").out
    assert "as published" not in sepcalc(f"{NETWORK} --width 0.75").out
    assert "as published" not in sepcalc(f"{NETWORK} --size 160").out


@pytest.mark.parametrize("name", ["layers", "totals", "published"])
def test_table(name):
    """--table shows that table alone, as it stands among the others, and with all its rules."""
    alone, every = sepcalc(f"{NETWORK} --table {name}").out, sepcalc(NETWORK).out
    picture, rules = alone.split("\n\n")
    assert picture in every
    assert alone != every
    assert name == "published" or rules.startswith("MACs: multiply-adds")


def test_columns_belong_to_the_first_table():
    """--columns chooses from the table that is shown first."""
    assert list(table(f"{NETWORK} --columns flops,kernel")[0]) == ["name", "flops", "kernel", "role"]
    assert list(table(f"{NETWORK} --table totals --columns macs")[0]) == ["variant", "macs"]
    assert list(table("network --list --columns macs")[0]) == ["name", "macs"]


def test_every_variant():
    """--variant all compares every variant there is."""
    answer = json.loads(sepcalc(f"{NETWORK} --variant all --groups 8 --format json").out)
    assert list(answer["totals"]) == ["as-written", *(each.name for each in all_variants()), "cheapest"]


def test_where_it_saves():
    """What a variant makes dearer stays as written in every row of the totals."""
    totals = json.loads(sepcalc(f"{NETWORK} --where-it-saves --format json").out)["totals"]
    written = totals["as-written"]["macs"]
    assert {name: row["macs"] for name, row in totals.items() if row["macs"] != written} == {
        "depthwise-separable": 559_445_248, "spatial-separable": 562_192_384, "cheapest": 559_445_248,
    }  # fmt: skip


@pytest.mark.parametrize(("variants", "shown"), [("", False), ("-v dws", True), ("-v dws -v sps", False)])
def test_one_variant_is_a_column(variants, shown):
    """With one variant the table of layers has a column with what each layer saves."""
    head = sepcalc(f"network resnet18 --table layers {variants}".replace("-v", "--variant")).out.splitlines()[1]
    assert ("Reduction" in head) == shown


def test_list():
    """--list names every bundled network with its costs and where it comes from."""
    rows = table("network --list")
    assert [row["name"] for row in rows] == list(bundled())
    for row in rows:
        network = load(row["name"])
        assert (int(row["params"]), int(row["macs"]), row["source"]) == (*vars_of(network), network.source)
        assert row["source"]


def vars_of(network):
    """Parameters and multiply-adds of a network."""
    return network.cost.params, network.cost.macs


def test_output(folder):
    """-o writes every table, and says nothing but which tables a CSV file leaves out."""
    assert sepcalc(f"{NETWORK} -o net.md") == (0, "", "")
    assert (folder / "net.md").read_text("utf-8") == sepcalc(f"{NETWORK} --format markdown").out
    ran = sepcalc(f"{NETWORK} -o net.csv")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == "csv holds one table, this is 'layers'; for the others use --table totals or --table published\n"
    assert sorted(path.name for path in folder.iterdir()) == ["net.csv", "net.md"]


def test_one_table_is_enough_for_csv(folder):
    """Where a table is named, or there are no published figures, a CSV file says only what is so."""
    assert sepcalc(f"{NETWORK} --table layers -o net.csv") == (0, "", "")
    (folder / "net.yaml").write_text("layers:\n  - {c_in: 3, c_out: 4, k: 3, size: 8}\n")
    err = "csv holds one table, this is 'layers'; for the others use --table totals\n"
    assert sepcalc("network net.yaml -o net.csv") == (0, "", err)


def test_a_file_that_is_called_like_a_network(folder):
    """What exists as a file is that file, and what does not is looked for among the bundled ones."""
    (folder / "vgg16").write_text("name: Mine\nlayers:\n  - {c_in: 3, c_out: 4, k: 3, size: 8}\n")
    assert json.loads(sepcalc("network vgg16 --format json").out)["name"] == "Mine"
    assert sepcalc("network ./resnet18").err == "no bundled network is called './resnet18'; did you mean 'resnet18'?\n"


def test_numbers_stay_whole_on_narrow_terminals(monkeypatch):
    """A terminal of 40 columns takes columns away, and cuts no number."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    shown = sepcalc(f"{NETWORK} --table layers", out=Screen).out
    assert all(f"{layer.cost.macs:,}" in shown for layer in load("mobilenet_v1").layers)
    assert max(map(len, shown.splitlines())) <= 40
