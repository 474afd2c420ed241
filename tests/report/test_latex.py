"""A report in LaTeX, and that what the program prints as LaTeX compiles, where there is a pdflatex."""

import re
from dataclasses import replace
from shutil import which

import pytest
from check_latex import compiled, complaint
from commands import sepcalc
from fake_bench import fake_bench
from reports import MADE, NETWORK

from sepcalc import choose, load
from sepcalc.measure.loop import Plan
from sepcalc.measure.network import measure_network
from sepcalc.measure.run import MeasurementSetup
from sepcalc.render.latex_text import escape
from sepcalc.report.document import ReportSubject, report_network
from sepcalc.report.latex import draw

pytestmark = pytest.mark.slow

REPORT = report_network(ReportSubject(network=NETWORK, pictures=True), MADE)
TEXT = draw(REPORT, "it")

compiles = pytest.mark.skipif(which("pdflatex") is None, reason="there is no pdflatex on this machine")


def test_an_article():
    """The text is a whole document with a section for each of the report, and names its packages once."""
    assert TEXT.startswith("\\documentclass{article}\n\\usepackage{amsmath,booktabs,graphicx,longtable}\n")
    assert TEXT.endswith("\n\\end{document}\n")
    assert re.findall(r"\\section\{(.*)\}", TEXT) == [escape(each.title) for each in REPORT.sections]
    assert "% needs" not in TEXT.lower()


def test_pictures():
    """Pictures are files beside the report; without them the package that they need is not asked for."""
    assert re.findall(r"\\includegraphics\{(.*)\}", TEXT) == ["it-layers.pdf", "it-layer.pdf"]
    assert "graphicx" not in draw(report_network(ReportSubject(network=NETWORK), MADE), "it")


def test_a_line_is_short():
    """Of the layers' columns those that do not fit the line are left out, what a variant saves last."""
    head = next(line for line in TEXT.splitlines() if line.startswith("Layer &"))
    titles = re.sub(r"\\begin\{tabular\}\[b\]\{@\{\}r@\{\}\}|\\end\{tabular\}|\\\\", "", head)
    assert " ".join(titles.split()) == (
        "Layer & Type & Params & MACs & Share & Reduction, depthwise- separable & Reduction, spatial- separable"
    )


@compiles
@pytest.mark.parametrize("name", ["resnet50", "erfnet", "vgg16"])
def test_a_report_compiles(name, tmp_path):
    """A report is set without a complaint, pictures and all, and nothing hangs over the margin."""
    assert sepcalc(f"report {name} --pictures -o '{tmp_path / 'my report.tex'}'") == (0, "", "")
    (tmp_path / "my report.tex").rename(tmp_path / "it.tex")
    assert compiled(tmp_path / "it.tex") == ""
    assert (tmp_path / "it.pdf").stat().st_size > 50_000


@compiles
def test_measurements_compile(tmp_path):
    """Two sessions have tables of the same names; their labels differ, and their intervals fit the line."""
    setting = MeasurementSetup(bench=fake_bench(), plan=Plan(rounds=12, time_s=0.0), command="sepcalc measure resnet18")
    session = measure_network(load("resnet18"), setting)
    document = report_network(ReportSubject(network=NETWORK, measured=(session, session)), MADE)
    (tmp_path / "it.tex").write_text(draw(document, "it"), "utf-8")
    assert compiled(tmp_path / "it.tex") == ""


@compiles
def test_hostile_names_compile(tmp_path):
    """Whatever a network is called, it is set."""
    hostile = r"\input{x} #1 $ & % _ ^ ~ {} \\ \end{document} 漢 ·² —"
    document = report_network(
        ReportSubject(network=replace(NETWORK, name=hostile, source=hostile)), replace(MADE, command=hostile)
    )
    (tmp_path / "it.tex").write_text(draw(document, "it"), "utf-8")
    assert compiled(tmp_path / "it.tex") == ""


@compiles
@pytest.mark.parametrize("options", ["", "twocolumn"])
@pytest.mark.parametrize(
    "line",
    [
        "network resnet50 --columns name,params,macs,reduction --format latex",
        "network mobilenet_v1 --format latex",
        "layer --cin 64 --cout 128 -k 3 --size 56 --stages --format latex",
    ],
)
def test_tables_compile(line, options):
    """Tables fit an article of one column and of two, a long one too."""
    assert complaint(sepcalc(line).out, options) == ""


@compiles
@pytest.mark.parametrize("before", ["", r"\title{T}\author{A}\maketitle"])
def test_a_table_comes_first(before):
    """A long table may be the first thing on a page of two columns."""
    line = "network resnet50 --columns name,params,macs,reduction --format latex"
    assert complaint(sepcalc(line).out, "twocolumn", before) == ""


@compiles
def test_many_variants_compile(tmp_path):
    """With every variant there are more columns than a line holds, and the report still fits the page."""
    network = load("mobilenet_v2")
    what_ifs = tuple(network.what_if(each) for each in choose(["all"], {"groups": 2}))
    (tmp_path / "it.tex").write_text(
        draw(report_network(ReportSubject(network=network, what_ifs=what_ifs), MADE), "it"), "utf-8"
    )
    assert compiled(tmp_path / "it.tex") == ""
