"""``sepcalc report``."""

import json
import re

import pytest
from commands import sepcalc


@pytest.fixture(autouse=True)
def on_a_day(monkeypatch):
    """The day is set, as for a build that can be made again."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795132800")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "first"),
    [
        ("report.html", "<!DOCTYPE html>"),
        ("REPORT.HTML", "<!DOCTYPE html>"),
        ("report.md", "# MobileNet v1"),
        ("report.tex", "\\documentclass{article}"),
    ],
)
def test_formats(folder, file, first):
    """The suffix says what is written; a report is one file, and nothing is printed."""
    assert sepcalc(f"report mobilenet_v1 -o {file}") == (0, "", "")
    assert (folder / file).read_text("utf-8").startswith(f"{first}\n")
    assert [each.name for each in folder.iterdir()] == [file]


@pytest.mark.parametrize("epoch", ["9" * 20, "today"])
def test_no_day(folder, monkeypatch, epoch):
    """A day that there is not is one sentence, and no file."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    assert sepcalc("report mobilenet_v1 -o report.md") == (
        2,
        "",
        f"SOURCE_DATE_EPOCH '{epoch}' is no day; give the seconds since 1970 as a whole number, or unset it\n",
    )
    assert not [*folder.iterdir()]


def test_how_it_was_made(folder):
    """The report holds the command as it was typed, the day and the source."""
    sepcalc("report mobilenet_v1 --layer conv1 --only 'conv*' -o 'my report.md'")
    text = (folder / "my report.md").read_text("utf-8")
    assert r"| Command | sepcalc report mobilenet\_v1 --layer conv1 --only 'conv\*' -o 'my report.md' |" in re.sub(
        " +", " ", text.replace("mobilenet_v1", r"mobilenet\_v1")
    )
    assert re.search(r"^\| Date +\| 2026-11-20 ", text, re.MULTILINE)
    assert "conv1 is a layer of type conv 3×3" in text


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "pictures"), [(".md", ".svg"), (".tex", ".pdf")])
def test_pictures(folder, suffix, pictures):
    """Asked for, charts are files beside the report, which names them."""
    assert sepcalc(f"report mobilenet_v1 --pictures -o 'my report{suffix}'") == (0, "", "")
    names = sorted(each.name for each in folder.iterdir())
    assert names == sorted([f"my report{suffix}", f"my-report-layer{pictures}", f"my-report-layers{pictures}"])
    assert all(name in (folder / f"my report{suffix}").read_text("utf-8") for name in names if "my-report" in name)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("report vgg16", "missing --output; for example: sepcalc report resnet50 -o report.html"),
        ("report vgg16 -o r.pdf", "--output: unknown suffix '.pdf' of 'r.pdf'; give one of .html, .md, .tex"),
        ("report vgg16 -o r", "--output: no suffix in 'r'; give one of .html, .md, .tex"),
        ("report vgg16 --layer conv55 -o r.md", "--layer: 'conv55' is not there in VGG-16; did you mean 'conv5.3'?"),
        ("report vgg16 --mid 5 --variant standard -o r.md",
         "--mid would change nothing: spatial-separable is not compared; add --variant spatial-separable"),
        ("report vgg16 --measurements no.json -o r.md", "--measurements: cannot read 'no.json': "),
        ("report nonesuch -o r.md", "no bundled network is called 'nonesuch'; known: "),
    ],
)  # fmt: skip
def test_errors(folder, line, message):
    """What is wrong is one sentence, and nothing is written."""
    code, out, err = sepcalc(line)
    assert (code, out) == (2, "")
    assert err.startswith(message)
    assert list(folder.iterdir()) == []


def test_pictures_of_a_page(folder):
    """A page holds its pictures, so --pictures gets a note and the page is written."""
    note = "ignored --pictures: the report itself holds its pictures; leave it out\n"
    assert sepcalc("report vgg16 --pictures -o r.html") == (0, "", note)
    assert [path.name for path in folder.iterdir()] == ["r.html"]


def test_another_size(folder):
    """Another size is another network: its figures are its own, and nobody published them."""
    sepcalc("report mobilenet_v1 --size 160 -o small.md")
    text = (folder / "small.md").read_text("utf-8")
    macs = json.loads(sepcalc("network mobilenet_v1 --size 160 --format json").out)["totals"]["as-written"]["macs"]
    assert f"{macs:,}" in text
    assert "## Published figures" not in text


def test_code_that_was_run(folder):
    """For PyTorch code other counters are re-enacted on what ran, and the note about modules is not there."""
    (folder / "tiny.py").write_text("from torch import nn\n\n\ndef net():\n    return nn.Conv2d(3, 8, 3)\n")
    assert sepcalc("report tiny.py:net --input 1x3x8x8 -o ran.md").code == 0
    text = (folder / "ran.md").read_text("utf-8")
    assert "torchprofile" in text
    assert "counts as a module here" not in text
    sepcalc("report mobilenet_v1 -o not-ran.md")
    assert "counts as a module here" in (folder / "not-ran.md").read_text("utf-8")


def test_without_the_extra(folder, monkeypatch):
    """Charts that are asked for need their extra; a page comes without them and says so."""
    for module in ("render.charts.chart", "report.document"):
        monkeypatch.setattr(f"sepcalc.{module}.can_draw", lambda: False)
    code, _, err = sepcalc("report vgg16 --pictures -o r.md")
    assert (code, err) == (2, "drawing a chart needs the 'plot' extra: pip install 'sepcalc[plot]'\n")
    assert sepcalc("report vgg16 -o r.html").code == 0
    text = (folder / "r.html").read_text("utf-8")
    assert "<svg" not in text
    assert "Without pictures: they need the extra" in text
