"""A column is one record: registered here, it is there wherever columns are."""

import json
from fractions import Fraction
from types import SimpleNamespace

import pytest
from commands import sepcalc

from sepcalc import ConvSpec, compare, layer_table, load, network_table
from sepcalc.cli.completion import WORDS
from sepcalc.core import layer_tables, network_tables
from sepcalc.core.table import Field
from sepcalc.render.formats import FORMATS
from sepcalc.sweep.tables import FIGURES

LAYER = "layer --cin 64 --cout 128 -k 3 --size 8"
NETWORK = "network alexnet --table layers"
KEYS = {LAYER: "pages", NETWORK: "macs_each"}


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column of a layer's table, which is there unasked and in JSON, and one of a network's for those who ask."""
    pages = Field(
        key="pages", title="Pages", kind="quotient", rank=4, rule="Pages: MACs / 65,536.", shown=("sized",),
        answer="too", figure=lambda row: row.candidate.macs and Fraction(row.candidate.macs, 2**16),
    )  # fmt: skip
    each = Field(
        key="macs_each", title="MACs each", kind="count", rank=6, shown=(), answer="too",
        figure=lambda row: row.line.macs and row.line.macs // (row.line.layers or 1),
    )  # fmt: skip
    monkeypatch.setitem(layer_tables.FIELDS, pages.key, pages)
    monkeypatch.setitem(network_tables.FIELDS, each.key, each)


def header(line: str) -> list[str]:
    """The keys of the columns that a command line prints."""
    ran = sepcalc(f"{line} --format csv")
    assert ran.code == 0, ran.err
    return ran.out.splitlines()[0].split(",")


@pytest.mark.parametrize("line", KEYS)
def test_it_is_asked_for(line):
    """``--columns`` has it by its key and among all, and a message and the completion name it."""
    key = KEYS[line]
    assert header(f"{line} --columns {key}")[1] == key
    assert key in header(f"{line} --columns all")
    assert f"did you mean '{key}'?" in sepcalc(f"{line} --columns {key}x").err
    offered = [word.value for word in WORDS["columns"](SimpleNamespace(info_name=line.split()[0]))]
    assert key in offered


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("line", KEYS)
def test_every_format_draws_it(line, form):
    """Each format has its numbers, those for people its title too."""
    title, number = {LAYER: ("Pages", "8.56"), NETWORK: ("MACs each", "70,276,800")}[line]
    if form == "json":
        ran = sepcalc(f"{line.split(' --table')[0]} --format json")
    else:
        ran = sepcalc(f"{line} --columns {KEYS[line]} --format {form}")
    assert (number.replace(",", "") if FORMATS[form].exact else number) in ran.out
    assert FORMATS[form].exact or title in ran.out


def test_it_is_there_unasked():
    """Where its form of the table shows it, it is there with its rule; otherwise for those who ask."""
    brief = layer_table(compare(ConvSpec.of(64, 128, k=3, size=8))).brief()
    assert "pages" in [column.key for column in brief.columns]
    assert "Pages: MACs / 65,536." in brief.legend
    brief = layer_table(compare(ConvSpec.of(64, 128, k=3))).brief()
    assert "pages" not in [column.key for column in brief.columns]
    assert "macs_each" not in [column.key for column in network_table(load("alexnet")).brief().columns]


def test_json_answers_have_it():
    """The JSON answers of both commands have its key, of every variant and of every layer."""
    variants = json.loads(sepcalc(f"{LAYER} --format json").out)["variants"]
    assert [variant["pages"] for variant in variants] == [72, 8.5625, 36]
    assert isinstance(variants[0]["pages"], int)
    layers = json.loads(sepcalc("network alexnet --format json").out)["layers"]
    assert [layer["macs_each"] for layer in layers] == [layer["macs"] for layer in layers]


def test_layers_are_sorted_by_it():
    """``--sort`` orders the layers of a network by it."""
    order = [line.split(",")[0] for line in sepcalc(f"{NETWORK} --sort macs_each --format csv").out.splitlines()[1:]]
    assert order == [line.split(",")[0] for line in sepcalc(f"{NETWORK} --sort macs --format csv").out.splitlines()[1:]]


def test_a_sweep_shares_it(monkeypatch):
    """A sweep that knows its figures at many points at once has the same column, in tables and in files."""
    monkeypatch.setitem(FIGURES, "pages", lambda row: [row.divide(macs, 2**16) for macs in row.counts.macs])
    line = "sweep --cin 64 --cout 128,256 -k 3 --size 8"
    ran = sepcalc(f"{line} -f markdown")
    assert " Pages |" in ran.out.splitlines()[2]
    assert "Pages: MACs / 65,536." in ran.out
    assert header(line) == [
        "c_out",
        "variant",
        "params",
        "macs",
        "params_reduction",
        "macs_reduction",
        "pages",
        "why_not",
    ]
    assert sepcalc(f"{line} -f csv").out.splitlines()[1].split(",")[-2] == "72.0"
