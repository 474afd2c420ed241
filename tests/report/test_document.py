"""A report as a value."""

from dataclasses import replace

import pytest
from fake_bench import fake_bench
from reports import MADE, NETWORK

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.core.errors import SepcalcError
from sepcalc.core.layers import total
from sepcalc.core.network_tables import network_table, totals_table
from sepcalc.core.table import COUNTING_RULE, Table
from sepcalc.explain.derivation import Explanation
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.tables import timing_tables
from sepcalc.readers.yaml.reader import read
from sepcalc.render.cells import human
from sepcalc.report.document import NO_PICTURES, RULES, Listing, Picture, ReportSubject, chosen_layer, report_network


def blocks(document, name):
    """What the section called ``name`` is made of."""
    (section,) = [each for each in document.sections if each.name == name]
    return section.blocks


def tables(document, name):
    """The tables of a section."""
    found = (block.table if isinstance(block, Listing) else block for block in blocks(document, name))
    return [block for block in found if isinstance(block, Table)]


def test_sections():
    """A report has all that is known of a network, in this order."""
    document = report_network(ReportSubject(network=NETWORK), MADE)
    assert document.title == "MobileNet v1"
    assert document.lead == "Howard 2017, arXiv:1704.04861, table 1. Input 3×224×224."
    assert [each.name for each in document.sections] == ["totals", "layers", "layer", "counters", "published", "made"]
    assert document.pictures == ()


def test_numbers_are_those_of_the_tables():
    """The totals and the layers are the tables that the terminal prints, and the figures at the top cells of them."""
    what_ifs = tuple(NETWORK.what_if(each) for each in choose())
    document = report_network(ReportSubject(network=NETWORK), MADE)
    (totals,), (layers,) = tables(document, "totals"), tables(document, "layers")
    assert totals == totals_table(NETWORK, what_ifs).without_rules(RULES)
    assert layers == network_table(NETWORK, what_ifs).select(each.key for each in layers.columns).without_rules(RULES)
    written, _, separable, spatial, _ = totals.rows
    cells = (written.cells[1], written.cells[2], separable.cells[4], spatial.cells[4])
    columns = (totals.columns[1], totals.columns[2], totals.columns[4], totals.columns[4])
    shown = [human(cell, column, si=True) for cell, column in zip(cells, columns, strict=True)]
    assert [figure.value for figure in document.highlights] == shown == ["4.23 M", "569 M", "8.70×", "1.52×"]


def test_the_best_variants_come_first():
    """Of many variants the two that save most stand at the top."""
    what_ifs = tuple(NETWORK.what_if(each) for each in choose(["all"], {"groups": 2}))
    document = report_network(ReportSubject(network=NETWORK, what_ifs=what_ifs), MADE)
    reductions = sorted((row.cells[4] for row in totals_table(NETWORK, what_ifs).rows[2:-1]), reverse=True)
    column = totals_table(NETWORK, what_ifs).columns[4]
    assert [each.value for each in document.highlights[2:]] == [human(cell, column) for cell in reductions[:2]]


def test_what_saves_nothing_is_no_figure():
    """A variant that costs more than the standard does not stand at the top as a saving."""
    what_ifs = tuple(NETWORK.what_if(each) for each in choose(["spatial-separable"], {"mid": 4096}))
    assert what_ifs[1].cost.macs > what_ifs[0].cost.macs
    document = report_network(ReportSubject(network=NETWORK, what_ifs=what_ifs), MADE)
    assert [each.label for each in document.highlights] == ["parameters", "multiply-adds (MACs)"]


def test_the_layer_of_the_most_macs():
    """Unasked the convertible layer of the most multiply-adds is explained, in every variant and in its own."""
    layer = chosen_layer(NETWORK)
    assert layer.cost.macs == max(unit.cost.macs for unit in NETWORK.units)
    document = report_network(ReportSubject(network=NETWORK), MADE)
    sentence, *_, derived = blocks(document, "layer")
    assert sentence.startswith(f"{layer.name} is a layer of type {layer.label}, with 9.7 % of all multiply-adds")
    assert [each.name for each in derived.sections] == ["standard", "depthwise-separable", "spatial-separable"]
    (table,) = tables(document, "layer")
    assert [row.cells[0] for row in table.rows] == [each.name for each in derived.sections]


def test_a_layer_of_its_own_variant():
    """A layer that is written as a variant which is not compared is explained in that too, with its own options."""
    text = "name: N\nlayers:\n  - {name: a, c_in: 8, c_out: 8, k: 3, size: 4, variant: spatial-separable, mid: 5}\n"
    network = read(text)
    subject = ReportSubject(
        network=network, what_ifs=tuple(network.what_if(each) for each in choose(["blueprint-separable"]))
    )
    derived = next(block for block in blocks(report_network(subject, MADE), "layer") if isinstance(block, Explanation))
    assert [each.name for each in derived.sections] == ["standard", "blueprint-separable", "spatial-separable"]
    assert derived.values["R"] == 5


def test_rules_are_said_once():
    """The rules of counting stand where it says how the report was made, and below no table or derivation."""
    document = report_network(ReportSubject(network=NETWORK), MADE)
    *_, derived = blocks(document, "layer")
    assert derived.notes == ()
    assert " ".join(RULES) in blocks(document, "made")
    found = [table for section in document.sections for table in tables(document, section.name)]
    assert len(found) > 5
    assert not any(rule in table.legend for table in found for rule in RULES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("separable77", "'separable77' is not there in MobileNet v1; did you mean 'separable7'?"),
        ("avgpool1", "'avgpool1' is no convolution in MobileNet v1; known: conv1, separable1, "),
    ],
)
def test_no_such_layer(name, message):
    """A layer that cannot be explained is named with those that can."""
    with pytest.raises(SepcalcError) as error:
        chosen_layer(NETWORK, name)
    assert str(error.value).startswith(message)


def test_nothing_to_convert():
    """A network without a layer to convert explains none; nor has it figures that nobody published."""
    network = read("name: N\nlayers:\n  - {name: fc, type: linear, c_in: 8, size: [1], c_out: 8}\n")
    document = report_network(ReportSubject(network=network), MADE)
    assert [each.name for each in document.sections] == ["totals", "layers", "counters", "made"]
    assert network.cost == total(each.cost for each in network.layers)


def test_another_network_than_published():
    """Figures that sources print of the network as published are not shown beside another one."""
    document = report_network(ReportSubject(network=NETWORK, published=False), MADE)
    assert "published" not in [each.name for each in document.sections]


def test_batches():
    """A layer that runs over several feature maps says so, since its derivation is for one."""
    network = replace(NETWORK, layers=tuple(replace(each, batch=4) for each in NETWORK.layers[:2]))
    assert any(
        "It runs over 4 feature maps" in str(each)
        for each in blocks(report_network(ReportSubject(network=network), MADE), "layer")
    )


def test_measurements():
    """Sessions of measuring are shown as their own tables, each with the command that it came from."""
    setting = MeasurementSetup(bench=fake_bench(), plan=Plan(rounds=12, time_s=0.0), command="sepcalc measure --cin 64")
    session = measure_layer(compare(ConvSpec.of(64, 128, k=3, size=56)), setting)
    document = report_network(ReportSubject(network=NETWORK, measured=(session, replace(session, command=""))), MADE)
    table = timing_tables(session)[0].brief()
    assert blocks(document, "measured") == ("Measured by: sepcalc measure --cin 64", table, table)
    drawn = report_network(ReportSubject(network=NETWORK, measured=(session, session), pictures=True), MADE).pictures[
        2:
    ]
    assert [each.name for each in drawn] == ["measured-1", "measured-2"]


@pytest.mark.parametrize("kind", ["layer", "network"])
def test_a_measurement_of_another_network(kind):
    """Where another network was measured, or another size of it, a sentence says so; a layer is a layer of anything."""
    setting = MeasurementSetup(bench=fake_bench(), plan=Plan(rounds=12, time_s=0.0))
    session = replace(measure_layer(compare(ConvSpec.of(64, 128, k=3, size=56)), setting), scope=kind)
    here, other = (replace(session, title=each.title) for each in (NETWORK, load("mobilenet_v1", size=160)))
    sentence = (
        "This measurement is of MobileNet v1, input 3×160×160; the report is about MobileNet v1, input 3×224×224."
    )
    assert sentence not in blocks(report_network(ReportSubject(network=NETWORK, measured=(here,)), MADE), "measured")
    said = blocks(report_network(ReportSubject(network=NETWORK, measured=(here, other)), MADE), "measured")
    assert said.count(sentence) == (kind == "network")


def test_how_it_was_made():
    """The report says what was typed, with what, when and about what, and by which rule it counts."""
    (table,) = tables(report_network(ReportSubject(network=NETWORK), MADE), "made")
    assert [row.cells[1] for row in table.rows] == [MADE.command, "sepcalc 1.2.3", MADE.date, MADE.source]
    _, rule, *_ = blocks(report_network(ReportSubject(network=NETWORK), MADE), "made")
    assert rule.startswith(COUNTING_RULE)


def test_pictures():
    """Pictures are drawn from the same tables where they are wanted."""
    document = report_network(ReportSubject(network=NETWORK, pictures=True), MADE)
    assert [each.name for each in document.pictures] == ["layers", "layer"]
    assert NO_PICTURES not in blocks(document, "made")
    assert [type(block) for block in blocks(document, "layers")] == [Picture, Listing]
    drawn = document.pictures[0].chart.data["layers"]
    (layers,) = tables(document, "layers")
    assert sum(row["macs"] for row in drawn if row["variant"].startswith("as-written")) == layers.rows[-1].cells[4]


def test_nothing_to_draw():
    """A network without any costs has a report all the same, which says why it has no chart."""
    network = read("name: N\ninput: {channels: 3, size: 8}\nlayers: [relu]\n")
    document = report_network(ReportSubject(network=network, pictures=True), MADE)
    assert document.pictures == ()
    assert blocks(document, "layers")[0] == (
        "There is no chart here: N, input 3×8×8: no layer has parameters or multiply-adds, so there is nothing to draw."
    )


def test_without_the_extra(monkeypatch):
    """Where charts cannot be drawn a report comes without them and says so; where none are wanted it says nothing."""
    monkeypatch.setattr("sepcalc.report.document.can_draw", lambda: False)
    document = report_network(ReportSubject(network=NETWORK, pictures=True), MADE)
    assert document.pictures == ()
    assert blocks(document, "made")[-1] == NO_PICTURES
    assert NO_PICTURES not in blocks(report_network(ReportSubject(network=NETWORK), MADE), "made")
