"""A format is one record: registered here, it is there wherever formats are."""

from pathlib import Path

import pytest
from commands import sepcalc

from sepcalc import ConvSpec, compare, explain_layer, layer_table, render_tables
from sepcalc.cli.completion import WORDS
from sepcalc.core.errors import SepcalcError
from sepcalc.render.formats import FORMATS, Output

LAYER = "layer --cin 64 --cout 128 -k 3"


def names_of(tables, look):
    """The names of tables, and how they are asked for."""
    return f"tables {', '.join(table.name for table in tables)}, si {look.si}\n"


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> Output:
    """The format ``names``, which draws the names of things."""
    output = Output(
        suffix=".names",
        draw=names_of,
        explain=lambda explanation, look: f"derivation {explanation.title}\n",
        report=lambda report, beside: f"report {report.title}, {len(report.pictures)} pictures at {beside}\n",
        pictures=".png",
    )
    monkeypatch.setitem(FORMATS, "names", output)
    return output


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (f"{LAYER} --format names --si", "tables layer, si True\n"),
        ("network alexnet -f names", "tables layers, totals, published, si False\n"),
        ("compare alexnet vgg16 -f names", "tables comparison, si False\n"),
        ("sweep --cin 8 --cout 8,16 -k 3 -f names", "tables sweep, si False\n"),
        ("network alexnet --as thop -f names", "tables counters, si False\n"),
        (f"{LAYER} --explain --format names", "derivation 3×3 convolution, 64 → 128 channels\n"),
    ],
)
def test_commands_print_it(line, text):
    """Each command knows the format by its name, and a derivation has it too."""
    assert sepcalc(line) == (0, text, "")


def test_a_file_chooses_it(folder: Path):
    """The suffix of a file stands for the format, in a table and in a derivation."""
    assert sepcalc(f"{LAYER} -o a.names") == sepcalc(f"{LAYER} --explain -o b.NAMES") == (0, "", "")
    assert (folder / "a.names").read_text() == "tables layer, si False\n"
    assert (folder / "b.NAMES").read_text().startswith("derivation ")


def test_a_report_is_written_in_it(folder: Path):
    """A report has it by its suffix, with the pictures beside it in the form that the record names."""
    assert sepcalc("report alexnet --pictures -o all.names") == (0, "", "")
    assert (folder / "all.names").read_text() == "report AlexNet, 2 pictures at all\n"
    assert {path.name for path in folder.glob("*.png")} == {"all-layer.png", "all-layers.png"}


def test_messages_name_it():
    """What lists formats, or suffixes, lists the new one."""
    assert "did you mean 'names'?" in sepcalc(f"{LAYER} --format namse").err
    assert "; known: terminal, markdown, latex, csv, tsv, html, json, names\n" in sepcalc(f"{LAYER} --format zzz").err
    assert ".json, .names, or choose a format" in sepcalc(f"{LAYER} -o a.zzz").err
    assert sepcalc("report alexnet -o a.zzz").err.endswith("give one of .html, .md, .names, .tex\n")
    assert "choose terminal, markdown, latex or names, not csv" in sepcalc(f"{LAYER} --explain -f csv").err


def test_a_shell_offers_it():
    """Completion has the format with its suffix."""
    assert ("names", "-o FILE.names") in [word[:2] for word in WORDS["format"](None)]


def test_what_it_holds(monkeypatch, names):
    """An exact format refuses what changes looks, and one of a single table says which other tables there are."""
    monkeypatch.setitem(FORMATS, "names", names._replace(exact=True, one_table=True))
    assert "names holds exact numbers" in sepcalc(f"{LAYER} --format names --si").err
    code, out, err = sepcalc("network alexnet --format names")
    assert (code, out) == (0, "tables layers, si False\n")
    assert err.startswith("names holds one table, this is 'layers'; for the others use --table totals ")
    assert "--table: names holds one table" in sepcalc("network alexnet -f names --table totals --table layers").err
    tables = [layer_table(compare(ConvSpec.of(8, 8, k=3)))] * 2
    with pytest.raises(SepcalcError, match="names holds one table, not 2: layer, layer; choose one of them"):
        render_tables(tables, "names")


def test_a_notebook_shows_it(monkeypatch, names):
    """What stands under ``html`` is what a notebook shows, of tables and of derivations."""
    shown = names._replace(fragment=lambda tables, look: "a fragment", explain_fragment=lambda *_: "a derivation")
    monkeypatch.setitem(FORMATS, "html", shown)
    comparison = compare(ConvSpec.of(8, 8, k=3))
    assert (comparison._repr_html_(), explain_layer(comparison)._repr_html_()) == ("a fragment", "a derivation")
