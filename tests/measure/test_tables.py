"""The tables of measurements: their numbers are those of the samples, and what is not to be believed is none."""

from dataclasses import replace
from fractions import Fraction

import pytest
from fake_bench import ALLOWS, ENVIRONMENT, fake_bench

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.core.table import Estimate
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.network import OwnModel, Written, measure_network
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.runs import runs_table
from sepcalc.measure.session import WHOLE, judged
from sepcalc.measure.tables import MOST_REASONS, MOST_STAGES, time_unit, timing_tables
from sepcalc.readers.inputs import Input
from sepcalc.readers.yaml.reader import read
from sepcalc.render.formats import FORMATS, render_tables

pytestmark = pytest.mark.usefixtures("cache")

PLAN = Plan(rounds=12, time_s=0.0)


def layer(variants=(), fails=None, **others):
    """The session of a layer."""
    comparison = compare(ConvSpec.of(64, 128, k=3, size=56), variants)
    return measure_layer(comparison, MeasurementSetup(bench=fake_bench(fails=fails), plan=PLAN, **others))


def network(name="mobilenet_v1", **others):
    """The session of a network."""
    return measure_network(load(name), MeasurementSetup(bench=fake_bench(), plan=PLAN), **others)


def records(table):
    """The rows of a table as dictionaries."""
    return [dict(zip([column.key for column in table.columns], row.cells, strict=True)) for row in table.rows]


def shaken(session, place):
    """A session in which the row at ``place`` was once much quicker than ever else."""
    row = session.rows[place]
    series = replace(row.series, samples=(row.series.samples[0] / 9, *row.series.samples[1:]))
    rows = [*session.rows]
    rows[place] = replace(row, series=series)
    return replace(session, rows=tuple(rows))


def test_a_layer():
    """Each row shows what its samples say."""
    session = layer()
    (table,) = timing_tables(session)
    assert (table.name, table.title) == ("measurement", "3×3 convolution, 64 → 128 channels, 56×56")
    for record, row in zip(records(table), judged(session), strict=True):
        found = row.summary
        assert record["variant"] == row.timed.name
        assert record["median_s"] == Estimate(
            value=Fraction(found.median_s), low=Fraction(found.q1_s), high=Fraction(found.q3_s)
        )
        assert (record["n"], record["inner"], record["outliers"]) == (found.n, found.inner, found.outliers)
        assert record["macs_per_s"] * Fraction(found.median_s) == row.timed.macs
        assert record["promised"] == Fraction(session.rows[0].macs, row.timed.macs)
        assert row.ratio is None or record["speedup"].value == Fraction(row.ratio.value)
        assert row.ratio is None or record["delivered"] == record["speedup"].value / record["promised"]


def test_the_caption():
    """The caption says how it was measured, on what, and under which conditions."""
    (table,) = timing_tables(layer())
    assert table.caption == (
        "Time per call: median [quartiles] of 12 rounds in random order, seed 0. "
        "Fake 9000, 1 thread, torch 2.13.0, float32, batch 1, contiguous, warm cache, load average 0.0."
    )


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (Conditions(threads=4), "Fake 9000, 4 threads, torch 2.13.0, float32, batch 1, contiguous, warm cache, load"),
        (Conditions(device="cuda", cache="cold"), "Fake 9000, torch 2.13.0, float32, batch 1, contiguous, cold cache,"),
        (Conditions(compile=True, channels_last=True), "batch 1, channels_last, warm cache, compiled, load"),
        (Conditions(backward=True, batch=8), "batch 8, contiguous, warm cache, forward and backward, load"),
    ],
)
def test_conditions_in_the_caption(conditions, words):
    """Every condition that changes a time is in the caption."""
    (table,) = timing_tables(layer(conditions=(conditions,)))
    assert words in table.caption


def test_a_gpu_is_named():
    """Where a GPU computes, it is named, not the processor beside it, with its library and whether TF32 is allowed."""
    (table,) = timing_tables(replace(layer(), environment={**ENVIRONMENT, "gpu": "H200", "cudnn": 91002, "tf32": True}))
    assert ". H200, 1 thread, torch 2.13.0, cuDNN 91002, float32, " in table.caption
    assert ", TF32 allowed, " in table.caption
    half = layer(conditions=(Conditions(dtype="float16"),))
    (table,) = timing_tables(replace(half, environment={**ENVIRONMENT, "tf32": True}))
    assert "TF32" not in table.caption


def test_a_grid():
    """Conditions that differ are columns, and those alone."""
    grid = (Conditions(), Conditions(batch=8), Conditions(dtype="float16", channels_last=True))
    (table,) = timing_tables(layer(conditions=grid))
    assert [(each["dtype"], each["batch"], each["memory_format"]) for each in records(table)[::3]] == [
        ("float32", 1, "contiguous"),
        ("float32", 8, "contiguous"),
        ("float16", 1, "channels_last"),
    ]
    assert "torch 2.13.0, warm cache, load" in table.caption
    (plain,) = timing_tables(layer())
    assert not {"dtype", "batch", "memory_format"} & {column.key for column in plain.columns}


def test_unreliable():
    """A speed-up that is not to be believed is the word, in its place and in the verdict, and a note has the reason."""
    session = shaken(layer(), 1)
    (table,) = timing_tables(session)
    record = records(table)[1]
    assert (record["speedup"], record["delivered"], record["verdict"]) == ("unreliable", None, "unreliable")
    assert table.notes[0] == f"depthwise-separable: unreliable, {record['reason']}."


def test_failed_and_not_applicable():
    """What has no times is a row of its own with a note, and its variant is still there."""
    session = layer(choose(["grouped", "dw"]), fails={"depthwise": MemoryError("no room")})
    (table,) = timing_tables(session)
    assert [each["verdict"] for each in records(table)] == ["reference", "does not apply", "failed"]
    assert table.notes == (
        "grouped: does not apply, the number of groups is open; give groups.",
        "depthwise: failed, no room.",
    )


def test_many_reasons():
    """Of many reasons of one kind a few are in the notes, and the others are counted."""
    names = [each.name for each in choose(["all"]) if each.name not in ("standard", "grouped")]
    session = layer(choose(names), fails={name: MemoryError(name) for name in names})
    (table,) = timing_tables(session)
    more = len(names) - MOST_REASONS
    assert more > 0
    assert table.notes[-1] == f"{more} more rows: failed; the column 'reason' says why."


def test_notes_on_the_run():
    """An interruption, rounds that were left out and what else is to be known are notes."""
    (table,) = timing_tables(replace(layer(), interrupted=True, void_rounds=2, notes=("This is known.",)))
    assert table.notes == (
        "Interrupted: these are the results so far.",
        "2 rounds are left out: the clock stood still in them or stepped backwards.",
        "This is known.",
    )


def test_launch_bound():
    """Rows that wait for the host are named."""
    session = layer()
    rows = [replace(row, series=replace(row.series, enqueue=row.series.samples)) for row in session.rows[:2]]
    (table,) = timing_tables(replace(session, rows=tuple(rows)))
    assert table.notes == (
        "Launch-bound, the host takes as long to start it as the device to run it: standard, depthwise-separable.",
    )


def test_a_roofline():
    """With ceilings each row has its bound and its share of the roof, and each stage a sentence."""
    (table,) = timing_tables(layer(choose(["dws"]), roofline=True))
    assert [each["bound"] for each in records(table)] == ["compute", "compute", "memory", "compute"]
    assert all(0.7 < each["roof_share"] < 1 for each in records(table))
    peaks = {(2 * each["peak_macs_per_s"], each["peak_bytes_per_s"]) for each in records(table)}
    assert peaks == {tuple(ALLOWS)}
    _, separable, *stages = (each["attainable_s"] for each in records(table))
    assert separable == pytest.approx(sum(stages))
    assert all(each["attainable_s"] == each["roof_share"] * each["median_s"].value for each in records(table))
    assert table.notes[0] == (
        "depthwise 3×3 of depthwise-separable: 2.25 FLOP/byte, memory-bound, at 79.7 % of its roof."
    )


def test_many_stages():
    """Of many stages a few have a sentence, and the others are counted."""
    (table,) = timing_tables(layer(choose(["dws", "sps", "inverted-bottleneck"]), roofline=True))
    assert len(table.notes) == MOST_STAGES + 1
    assert table.notes[-1] == "1 more stage; the columns 'bound' and 'roof_share' say why."


def test_no_sentence_on_what_is_not_believed():
    """A stage whose times are not to be believed has no sentence on its roof."""
    (table,) = timing_tables(shaken(layer(choose(["dws"]), roofline=True), 2))
    assert [note.split(":")[0] for note in table.notes] == [
        "depthwise 3×3 of depthwise-separable", "pointwise 1×1 of depthwise-separable",
    ]  # fmt: skip
    assert "unreliable" in table.notes[0]


def test_without_a_roofline():
    """Without ceilings nothing is said of bounds."""
    (table,) = timing_tables(layer())
    assert not {"bound", "roof_share"} & {column.key for column in table.brief().columns}
    assert {(each["bound"], each["roof_share"]) for each in records(table)} == {(None, None)}


def test_a_backward_pass():
    """What only a forward pass has is left out: its multiply-adds alone are counted."""
    (table,) = timing_tables(layer(conditions=(Conditions(backward=True),)))
    assert not {"macs_per_s", "intensity", "bound"} & {column.key for column in table.columns}


def test_layers_of_a_network():
    """Each distinct layer has a row for each form, with how often it occurs."""
    session = network()
    layers, _ = timing_tables(session)
    inside = [row for row in session.rows if row.group != WHOLE]
    shown = [(each["name"], each["variant"], each["layers"]) for each in records(layers)]
    assert shown == [(row.group, row.name, row.layers) for row in inside]
    convertible = len(load("mobilenet_v1").units)
    assert sum(each["layers"] for each in records(layers) if each["variant"] == "standard") == convertible


def test_the_worst_layers_are_named():
    """The rows that deliver the least of what they promise are named, the worst first."""
    session = network()
    layers, _ = timing_tables(session)
    behind = sorted((row for row in judged(session) if row.timed.group != WHOLE and row.delivered and row.promised > 1),
                    key=lambda row: row.delivered)  # fmt: skip
    (note,) = (note for note in layers.notes if note.startswith("Furthest behind the promise: "))
    assert [note.index(row.label) for row in behind[:3]] == sorted(note.index(row.label) for row in behind[:3])
    assert f"{behind[0].label} ({float(behind[0].delivered):.1%}".replace("%", " %") in note


def test_no_layer_is_behind():
    """What delivers all that it promises is not named as if it fell behind."""
    session = network()
    quick = [replace(row, series=replace(row.series, samples=tuple(each / 9 for each in row.series.samples)))
             if row.name == "depthwise-separable" else row for row in session.rows]  # fmt: skip
    layers, _ = timing_tables(replace(session, rows=tuple(quick)))
    assert "depthwise-separable" not in layers.notes[-1]
    layers, _ = timing_tables(replace(session, rows=tuple(row for row in quick if row.name != "spatial-separable")))
    assert layers.notes == ()


def test_totals_add_up():
    """The sum of the layers is each median as often as its layer occurs, and with the rest it is the whole."""
    session = network("mobilenet_v2")
    _, totals = timing_tables(session)
    rows = judged(session)
    for record in records(totals):
        name = record["variant"]
        groups = {}
        for row in rows:
            if row.timed.group != WHOLE and (row.timed.name == name or row.timed.as_written):
                groups.setdefault(row.timed.group, []).append(row)
        chosen = [next((row for row in group if row.timed.name == name), group[0]) for group in groups.values()]
        seconds = sum(Fraction(row.summary.median_s) * row.timed.layers for row in chosen)
        assert record["layers_s"] == seconds
        assert record["layers_s"] + record["rest_s"] == record["median_s"].value


def test_layers_that_stay_as_written():
    """A layer that cannot take the form is in the sum as it is written."""
    text = """\
name: odd
input: {channels: 8, size: 16}
layers:
  - conv: {name: a, c_out: 9, k: 3}
  - conv: {name: b, c_out: 9, k: 3}
"""
    setting = MeasurementSetup(bench=fake_bench(), plan=PLAN)
    session = measure_network(read(text), setting, variants=choose(["depthwise"]))
    _, totals = timing_tables(session)
    medians = {(row.timed.group, row.timed.name): row.summary for row in judged(session)}
    record = next(each for each in records(totals) if each["variant"] == "depthwise")
    expected = medians["a", "standard"].median_s + medians["b", "depthwise"].median_s
    assert float(record["layers_s"]) == pytest.approx(expected)


def test_layers_that_the_whole_leaves():
    """Of alike layers those that the whole leaves as written are in its sum as written, the others in its form."""
    text = """\
name: alike
input: {channels: 8, size: 16}
layers:
  - conv: {name: a, c_out: 8, k: 3}
  - conv: {name: b, c_out: 8, k: 3}
  - conv: {name: c, c_out: 8, k: 3}
"""
    whole = read(text)

    def written(variant):
        return Written(network=whole.written_as(variant, keep=["c"]), module=object, left=(("c", "it is a function"),))

    own = OwnModel(inputs=(Input(shape=(1, 8, 16, 16)),), module=object, written=written)
    session = measure_network(whole, MeasurementSetup(bench=fake_bench(), plan=PLAN), variants=choose(["dws"]), own=own)
    _, totals = timing_tables(session)
    standard, separable = (row.summary.median_s for row in judged(session) if row.timed.group == "a")
    sums = [float(each["layers_s"]) for each in records(totals)]
    assert sums == pytest.approx([3 * standard, 2 * separable + standard])


def test_a_network_of_layers_alone():
    """Where the whole was not timed, the sums of the layers stand alone, with their speed-up and its promise."""
    session = network()
    inside = replace(session, rows=tuple(row for row in session.rows if row.group != WHOLE), notes=("Alone.",))
    _, totals = timing_tables(inside)
    _, beside = timing_tables(session)
    assert [column.key for column in totals.columns] == ["variant", "layers_s", "layers_speedup", "promised"]
    sums = {each["variant"]: each["layers_s"] for each in records(beside)}
    for each in records(totals):
        assert each["layers_s"] == sums[each["variant"]]
        assert each["layers_speedup"] == sums["standard"] / sums[each["variant"]]
    whats = load("mobilenet_v1")
    macs = [sum(unit.layer.cost_as(variant).macs for unit in whats.units) for variant in choose()]
    assert [each["promised"] for each in records(totals)] == [Fraction(macs[0], each) for each in macs]
    assert totals.notes == ("Alone.",)


@pytest.mark.parametrize(("layers", "believed"), [(1, True), (5, False)])
def test_sums_of_what_is_not_believed(layers, believed):
    """A sum of which more than a tenth is not to be believed gives no rest and no speed-up; one with less does."""
    session = network()
    place = next(place for place, row in enumerate(session.rows) if row.layers == layers and row.name == "standard")
    wrong = shaken(session, place)
    inside = replace(wrong, rows=tuple(row for row in wrong.rows if row.group != WHOLE))
    for each, key in ((wrong, "rest_s"), (inside, "layers_speedup")):
        _, totals = timing_tables(each)
        figures = {record["variant"]: record[key] for record in records(totals)}
        assert isinstance(figures["standard"], Fraction) == believed
        assert figures["standard"] == "unreliable" or believed


def test_no_rest_of_a_whole_that_is_not_believed():
    """Where the whole is not to be believed, neither is what it takes beside its layers."""
    session = network()
    place = next(place for place, row in enumerate(session.rows) if row.group == WHOLE and row.name == "as-written")
    _, totals = timing_tables(shaken(session, place))
    assert [each["rest_s"] == "unreliable" for each in records(totals)] == [False, False, False, True]


def test_a_failed_layer_has_no_sum():
    """Where a layer could not be timed there is no sum, rather than a wrong one."""
    session = network()
    rows = tuple(replace(row, series=None) if row.group == "conv1" and row.name == "standard" else row
                 for row in session.rows)  # fmt: skip
    _, totals = timing_tables(replace(session, rows=rows))
    found = {each["variant"]: (each["layers_s"] is None, each["rest_s"] is None) for each in records(totals)}
    assert found["standard"] == found["as-written"] == (True, True)
    assert found["depthwise-separable"] == (False, False)


@pytest.mark.parametrize(
    ("seconds", "unit"), [(2.0, "s"), (1.0, "s"), (0.9, "ms"), (1e-3, "ms"), (9e-4, "µs"), (1e-9, "ns"), (1e-12, "ns")]
)
def test_the_unit(seconds, unit):
    """The unit is the largest in which the middle time is at least one."""
    rows = judged(layer(choose(["dws", "dw"])))
    times = (seconds / 1e4, seconds, seconds * 1e4)
    rows = [replace(row, summary=replace(row.summary, median_s=each)) for row, each in zip(rows, times, strict=True)]
    assert time_unit(rows) == unit


def test_no_times_have_a_unit():
    """Without a single time there is a unit all the same."""
    assert time_unit([]) == "s"


def test_runs():
    """Several runs are rows below each other, each thing against the first run that has it."""
    session = layer()
    slower = replace(
        session,
        environment={**ENVIRONMENT, "cpu": "Slow 1"},
        rows=tuple(
            replace(
                row,
                conditions=replace(row.conditions, threads=2),
                series=replace(row.series, samples=tuple(2 * each for each in row.series.samples)),
            )
            for row in session.rows[:2]
        ),
    )
    table = runs_table({"here.json": session, "there.json": slower})
    assert [(each["timed"], each["run"], each["against_first"]) for each in records(table)] == [
        ("standard", "here.json", 1),
        ("standard", "there.json", Fraction(1, 2)),
        ("depthwise-separable", "here.json", 1),
        ("depthwise-separable", "there.json", Fraction(1, 2)),
        ("spatial-separable", "here.json", 1),
    ]
    assert records(table)[1]["median_s"].value == 2 * records(table)[0]["median_s"].value
    assert records(table)[3]["speedup"].value == records(table)[2]["speedup"].value
    assert table.notes[1].startswith("there.json: 3×3 convolution, 64 → 128 channels, 56×56, Slow 1, 2 threads, ")


def test_warnings_of_runs():
    """What is to be known of the rows of a run stands beside how it was measured."""
    table = runs_table({"here.json": layer(), "there.json": replace(shaken(layer(), 1), interrupted=True)})
    assert [note[:49] for note in table.notes] == [
        "here.json: 3×3 convolution, 64 → 128 channels, 56",
        "there.json: 3×3 convolution, 64 → 128 channels, 5",
        "there.json: Interrupted: these are the results so",
        "there.json: depthwise-separable: unreliable, the ",
    ]


def test_runs_of_different_things():
    """Rows of other layers, and under other conditions, are never held against each other."""
    other = measure_layer(compare(ConvSpec.of(8, 8, k=3, size=8)), MeasurementSetup(bench=fake_bench(), plan=PLAN))
    batch = layer(conditions=(Conditions(batch=8),))
    table = runs_table({"a": layer(), "b": other, "c": batch})
    assert [each["against_first"] for each in records(table)] == [1] * 9
    assert [each["batch"] for each in records(table)] == [1] * 6 + [8] * 3


@pytest.mark.parametrize("form", FORMATS)
def test_every_format(form):
    """Every table of a measurement can be drawn in every format, in full and with what fits."""
    session = shaken(layer(choose(["all"]), roofline=True), 2)
    for table in (*timing_tables(session), *timing_tables(network()), runs_table({"a": session, "b": session})):
        for each in (table, table.brief()):
            assert render_tables([each], form, width=60)
