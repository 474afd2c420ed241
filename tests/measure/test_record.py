"""A measurement as JSON: what it holds, and that it comes back."""

import json
from dataclasses import replace
from typing import Any

import pytest
from answers import as_read, entries, is_whole
from fake_bench import fake_bench

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.core.errors import SepcalcError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.network import measure_network
from sepcalc.measure.record import answer, answers, encoded, save_measurement
from sepcalc.measure.record import load_measurement as load_session
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.session import judged

pytestmark = pytest.mark.usefixtures("cache")

SESSION = [
    "schema", "kind", "of", "title", "command", "interrupted", "environment", "plan", "clock_step_s", "void_rounds",
    "ceilings", "notes", "rows",
]  # fmt: skip
ROW = [
    "group", "name", "role", "part_of", "as_written", "layers", "left", "conditions", "params", "macs",
    "traffic_bytes", "intensity", "work", "why_not", "failure", "verdict", "reason", "median_s", "q1_s", "q3_s",
    "minimum_s", "outliers", "speedup", "speedup_low", "speedup_high", "ratio_of_minima", "promised", "delivered",
    "macs_per_s", "attainable_s", "bound", "inner", "samples_s", "enqueue_s",
]  # fmt: skip
COUNTS = {
    "layers", "left", "params", "macs", "traffic_bytes", "outliers", "inner", "batch", "threads", "rounds", "seed",
}  # fmt: skip
"""Keys whose values are whole numbers, or null where there is none."""


def layer(**others):
    """The session of a layer in every variant: one does not apply, one failed."""
    bench = fake_bench(fails={"bottleneck": MemoryError("no room")})
    setting = MeasurementSetup(
        **{"bench": bench, "plan": Plan(rounds=12, time_s=0.0), "command": "sepcalc measure ×", **others}
    )
    return measure_layer(compare(ConvSpec.of(64, 96, k=3, size=8), choose(["all"])), setting)


def network():
    """The session of a network."""
    setting = MeasurementSetup(bench=fake_bench(), plan=Plan(rounds=3, time_s=0.0))
    return measure_network(load("mobilenet_v1"), setting)


SESSIONS = {
    "layer": layer,
    "roofline": lambda: layer(roofline=True),
    "grid": lambda: layer(conditions=(Conditions(), Conditions(batch=8, channels_last=True))),
    "network": network,
    "interrupted": lambda: replace(layer(), interrupted=True, void_rounds=3, notes=("a note",)),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_it_comes_back(name, tmp_path):
    """A session that was saved is the same when it is loaded, to the last sample."""
    session = SESSIONS[name]()
    save_measurement(session, tmp_path / "run.json")
    assert load_session(tmp_path / "run.json") == session
    assert [path.name for path in tmp_path.glob("*.json")] == ["run.json"]


@pytest.mark.parametrize("name", SESSIONS)
def test_the_contract(name):
    """Every session has an answer of the promised form, with numbers that are numbers."""
    record = as_read(answer(SESSIONS[name]()))
    assert (record["schema"], record["kind"]) == (1, "measurement")
    assert set(SESSION) <= set(record)
    assert all(set(ROW) <= set(row) for row in record["rows"])
    for key, value in entries({key: value for key, value in record.items() if key != "environment"}):
        if key in COUNTS and value is not None:
            assert is_whole(value), key
        elif key.endswith("_s") and value is not None:
            assert all(isinstance(each, int | float) for each in (value if isinstance(value, list) else [value])), key


def test_figures_are_those_of_the_library():
    """What is derived in the record is what the library says of the session."""
    session = layer(roofline=True)
    for record, row in zip(answer(session)["rows"], judged(session), strict=True):
        assert (record["verdict"], record["reason"]) == (row.word, row.reason)
        assert record["median_s"] == (row.summary and row.summary.median_s)
        assert record["speedup"] == (row.ratio and row.ratio.value)
        assert (record["bound"] is not None) == bool(row.timed.work)


def test_what_is_not_believed_is_no_number():
    """A ratio that is not to be believed is null; its samples are there."""
    session = layer()
    shaky = replace(session.rows[1].series, samples=(1e-6, *session.rows[1].series.samples[1:]))
    rows = (session.rows[0], replace(session.rows[1], series=shaky), *session.rows[2:])
    record = answer(replace(session, rows=rows))["rows"][1]
    assert (record["verdict"], record["speedup"], record["speedup_low"]) == ("unreliable", None, None)
    assert (record["delivered"], len(record["samples_s"])) == (None, 12)


def test_several():
    """Several sessions are one answer, each under its name."""
    session = layer()
    record = answers({"a.json": session, "b.json": session})
    assert (record["schema"], record["kind"]) == (1, "measurements")
    assert [each["run"] for each in record["measurements"]] == ["a.json", "b.json"]
    assert record["measurements"][0] == {"run": "a.json", **answer(session)}


def changed(change: Any) -> str:
    """A record that ``change`` did something to."""
    record = json.loads(encoded(layer()))
    change(record)
    return json.dumps(record)


def row(key, value):
    """A change of one row of the record."""
    return lambda record: record["rows"][1].update({key: value})


DAMAGED = {
    "": "input data was truncated",
    "{": "input data was truncated",
    "times": "JSON is malformed: invalid character (byte 4)",
    "[]": "expected 'object', got 'array'",
    '{"kind": "measurement"}': "object missing required field 'schema'",
    '{"schema": 1, "kind": "measurement"}': "object missing required field 'of'",
    changed(lambda record: record["rows"][1].pop("samples_s")): (
        "object missing required field 'samples_s' - at '$.rows[1]'"
    ),
    changed(row("samples_s", [1.0])): "1 samples beside rows of 12 - at '$.rows[1]'",
    changed(row("samples_s", [0.0] * 12)): "expected 'float' >= 1e-12 - at '$.rows[1].samples_s[0]'",
    changed(row("samples_s", ["a"])): "expected 'float', got 'str' - at '$.rows[1].samples_s[0]'",
    changed(row("inner", 0)): "expected 'int' >= 1 - at '$.rows[1].inner'",
    changed(row("role", "total")): "invalid enum value 'total' - at '$.rows[1].role'",
    changed(row("conditions", {"cache": "hot"})): "invalid enum value 'hot' - at '$.rows[1].conditions.cache'",
    changed(lambda record: record.update(plan=7)): "expected 'object', got 'int' - at '$.plan'",
    changed(lambda record: record["ceilings"].update(float32=[1])): (
        "expected 'array' of length 2 - at '$.ceilings[...]'"
    ),
}
"""Records that are no longer whole, and what is said of them."""


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_files(text, folder):
    """A damaged file is one sentence that says what is wrong, and where."""
    (folder / "run.json").write_text(text)
    with pytest.raises(SepcalcError) as caught:
        load_session("run.json")
    assert str(caught.value) == f"'run.json' is not a complete measurement file: {DAMAGED[text]}; measure again"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"schema": 1, "kind": "layer"}',
            "'run.json' holds 'layer', no measurement; 'sepcalc measure --save FILE' writes one",
        ),
        (
            '{"schema": 2, "kind": "measurement"}',
            "'run.json' has version 2 of the record, and this program reads 1; measure again",
        ),
    ],
)
def test_other_files(folder, text, message):
    """A file of another kind or version says which."""
    (folder / "run.json").write_text(text)
    with pytest.raises(SepcalcError) as caught:
        load_session("run.json")
    assert str(caught.value) == message


def test_no_file(folder):
    """A file that cannot be read says why."""
    with pytest.raises(SepcalcError) as caught:
        load_session("run.json")
    assert str(caught.value) == "cannot read 'run.json': no such file or directory; check its path"
    (folder / "latin.json").write_bytes(b'{"kind": "\xff"}')
    with pytest.raises(SepcalcError, match=r"^'latin\.json' is not a complete measurement file: "):
        load_session("latin.json")
