"""Subjects under the clock: rows with samples, whatever becomes of single ones."""

from dataclasses import replace

import pytest
from fake_bench import ALLOWS, fake_bench
from fake_clock import FakeClock

from sepcalc import ConvSpec, choose, compare
from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.machine import Ceilings, load_ceilings, save_ceilings
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.session import judged

pytestmark = pytest.mark.usefixtures("cache")

COMPARISON = compare(ConvSpec.of(64, 128, k=3, size=56))
PLAN = Plan(rounds=12, time_s=0.0, seed=3)


def setting(**others):
    """A setting with a bench of its own, and a short plan."""
    return MeasurementSetup(**{"bench": fake_bench(), "plan": PLAN, **others})


def words(session):
    """The verdicts by label."""
    return {row.label: row.word for row in judged(session)}


def test_a_session():
    """A session holds the samples of every round, the plan, the machine and the command."""
    session = measure_layer(COMPARISON, setting(command="sepcalc measure"))
    assert [len(row.series.samples) for row in session.rows] == [12] * 3
    assert (session.plan, session.command, session.interrupted) == (PLAN, "sepcalc measure", False)
    assert (session.environment["cpu"], session.clock_step_s > 0, session.void_rounds) == ("Fake 9000", True, 0)
    assert list(words(session).values()) == ["reference", "faster", "faster"]


def test_a_seed_is_a_run():
    """The same seed gives the same samples, another one another order."""
    one, same, other = (
        measure_layer(COMPARISON, setting(plan=replace(PLAN, seed=seed))).rows[1].series.samples for seed in (1, 1, 2)
    )
    assert one == same != other


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError("no room"), "no room"), (SpecError("no such form"), "no such form"), (KeyError(), "KeyError")],
)
def test_failures(error, reason):
    """What cannot be made ready says so in its row, and the others go on."""
    session = measure_layer(COMPARISON, setting(bench=fake_bench(fails={"spatial-separable": error})))
    assert words(session) == {
        "standard": "reference", "depthwise-separable": "faster", "spatial-separable": "failed",
    }  # fmt: skip
    assert session.rows[2].failure == reason


def test_a_failure_under_the_clock():
    """So does what fails when it is called."""

    def takes(subject):
        if subject.row.name == "spatial-separable":
            return -1.0
        return 0.001

    class Refusing(FakeClock):
        def spend(self, seconds):
            if seconds < 0:
                raise RuntimeError("no kernel")
            super().spend(seconds)

    session = measure_layer(COMPARISON, setting(bench=fake_bench(takes=takes, clock=Refusing())))
    assert [row.failure for row in session.rows] == [None, None, "no kernel"]


def test_a_wrong_module_stops():
    """A module that is not what was counted ends the measurement: all its numbers would be about something else."""
    bench = fake_bench(fails={"standard": SepcalcError("standard was not timed")})
    with pytest.raises(SepcalcError, match=r"^standard was not timed$"):
        measure_layer(COMPARISON, setting(bench=bench))


def test_interrupted_under_the_clock():
    """Ctrl-C between two rounds leaves the complete ones."""

    def progress(_title, _done, _planned, state):
        if state.phase == "rounds" and state.done == 5:
            raise KeyboardInterrupt

    session = measure_layer(COMPARISON, setting(progress=progress))
    assert (session.interrupted, [len(row.series.samples) for row in session.rows]) == (True, [5] * 3)


def test_interrupted_before_the_clock():
    """Ctrl-C while modules are built leaves nothing, and no error."""
    session = measure_layer(COMPARISON, setting(bench=fake_bench(fails={"standard": KeyboardInterrupt()})))
    assert (session.interrupted, session.rows) == (True, ())


def test_a_grid():
    """Every combination of conditions is timed in the same rounds, each with its own reference."""
    grid = (Conditions(), Conditions(batch=8), Conditions(dtype="float16"))
    session = measure_layer(COMPARISON, setting(conditions=grid))
    assert [row.conditions for row in session.rows] == [each for each in grid for _ in range(3)]
    assert [row.word for row in judged(session)] == ["reference", "faster", "faster"] * 3
    one, eight, half = (row for row in session.rows if row.name == "standard")
    assert (one.macs * 8, one.traffic_bytes) == (eight.macs, half.traffic_bytes * 2)


def test_ceilings_that_nobody_knows():
    """Without a roofline and without one that is kept there are no ceilings, and stages are not timed."""
    session = measure_layer(COMPARISON, setting())
    assert (session.ceilings, {row.role for row in session.rows}) == ({}, {"body"})


def test_ceilings_are_kept():
    """A roofline is measured for each dtype, kept, and there in later runs; stages are timed beside it."""
    grid = (Conditions(), Conditions(dtype="float16"))
    session = measure_layer(COMPARISON, setting(conditions=grid, roofline=True))
    assert session.ceilings == {"float32": ALLOWS, "float16": ALLOWS}
    assert [row.name for row in session.rows if row.of and row.conditions == grid[0]] == [
        "depthwise 3×3", "pointwise 1×1", "conv 3×1", "conv 1×3",
    ]  # fmt: skip
    assert measure_layer(COMPARISON, setting()).ceilings == {"float32": ALLOWS}


def test_the_highest_ceiling_counts():
    """A ceiling is the most that was seen: a machine that is busy now does not lower it."""
    session = measure_layer(COMPARISON, setting())
    save_ceilings(session.environment, Conditions(), Ceilings(flop_per_s=1.0, bytes_per_s=1e12))
    best = Ceilings(flop_per_s=ALLOWS.flop_per_s, bytes_per_s=1e12)
    assert measure_layer(COMPARISON, setting(roofline=True)).ceilings == {"float32": best}
    assert load_ceilings(session.environment, Conditions()) == best


def test_a_layer_of_open_size():
    """What has no size cannot be run."""
    with pytest.raises(SpecError, match=r"^timing needs a feature map of some size; give a size$"):
        measure_layer(compare(ConvSpec.of(64, 128, k=3)), setting())


def test_what_does_not_apply():
    """A variant that does not apply is a row with the reason, and nothing is timed for it."""
    session = measure_layer(compare(ConvSpec.of(64, 96, k=3, size=8), choose(["depthwise"])), setting())
    row = session.rows[1]
    assert (row.name, row.why_not, row.series) == ("depthwise", "depthwise cannot change 64 channels to 96", None)


def test_a_grouped_convolution():
    """The reference of a grouped convolution is the dense one of the same shape, as in the counts."""
    session = measure_layer(compare(ConvSpec.of(64, 128, k=3, size=8, groups=4)), setting())
    comparison = compare(ConvSpec.of(64, 128, k=3, size=8, groups=4))
    assert [row.macs for row in session.rows] == [each.macs for each in comparison.candidates]
    assert session.rows[-1].name == "grouped"
