"""What was timed, and the judgement on it."""

from dataclasses import replace
from fractions import Fraction

import pytest

from sepcalc import ConvSpec
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Plan, Series
from sepcalc.measure.roofline import Work
from sepcalc.measure.session import WHOLE, Session, Timed, doubtful, judged, labels

HERE = Conditions()
WORK = (Work(name="conv 3×3", macs=800, traffic_bytes=100),)


def series(seconds, rounds=30):
    """A series of equal samples."""
    return Series(inner=1, samples=(seconds,) * rounds)


def timed(name="standard", seconds=0.8, **others):
    """A row with samples of so many seconds, or none."""
    given = {"group": "", "conditions": HERE, "work": WORK, **others}
    return Timed(name=name, series=None if seconds is None else series(seconds), **given)


def session(*rows, **others):
    """A session of these rows."""
    return Session(scope="layer", title="a layer", rows=rows, plan=Plan(), **others)


HALF = (Work(name="half", macs=400, traffic_bytes=50),)


def test_work():
    """A stage's work is that of the whole batch, its weights read once."""
    spec = ConvSpec.of(64, 128, k=3, size=56)
    one, eight = (Work.of(spec, batch=batch, element_bytes=4) for batch in (1, 8))
    assert (one.macs, eight.macs) == (spec.macs, 8 * spec.macs)
    assert one.traffic_bytes == spec.traffic_bytes(4)
    assert eight.traffic_bytes - one.traffic_bytes == 7 * 4 * (64 + 128) * 56 * 56
    assert one.intensity == Fraction(2 * spec.macs, spec.traffic_bytes(4))


def test_sums_of_work():
    """A row's counts are sums over its stages, and its traffic is unknown where that of one is."""
    row = timed(work=(*WORK, *HALF))
    assert (row.macs, row.traffic_bytes, row.intensity) == (1200, 150, 16)
    unknown = replace(row, work=(*WORK, Work(name="attention", macs=7, traffic_bytes=None)))
    assert (unknown.macs, unknown.traffic_bytes, unknown.intensity) == (807, None, None)


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (timed("grouped"), "grouped"),
        (timed("grouped", group=WHOLE), "grouped"),
        (timed("grouped", group="conv1"), "conv1 as grouped"),
        (timed("conv 3×1", of="spatial-separable", role="part"), "conv 3×1 of spatial-separable"),
    ],
)
def test_labels(row, label):
    """A sentence names the layer if there are several, the variant, and the stage if it is one."""
    assert (row.label, labels([row])) == (label, [label])


def test_labels_of_a_grid():
    """Where conditions differ between rows, those that do are in their labels."""
    grid = [Conditions(batch=8), Conditions(channels_last=True)]
    assert labels([timed(conditions=each) for each in grid]) == [
        "standard (batch 8, contiguous)",
        "standard (batch 1, channels_last)",
    ]


def test_labels_of_stages_with_one_name():
    """Two stages of the same name, as in a bottleneck, are told apart."""
    parts = [timed("pointwise 1×1", of="bottleneck", role="part")] * 2
    assert labels(parts) == ["pointwise 1×1 of bottleneck", "pointwise 1×1 of bottleneck #2"]


def test_judged():
    """The first row is the reference; others are held against it in time and in multiply-adds."""
    standard, half = judged(session(timed(), timed("half", 0.5, work=HALF)))
    assert (standard.word, standard.ratio, standard.promised, standard.delivered) == ("reference", None, 1, None)
    assert (half.word, half.ratio.value, half.promised) == ("faster", 1.6, 2)
    assert float(half.delivered) == pytest.approx(0.8)
    assert float(half.macs_per_s) == pytest.approx(800)


def test_each_group_has_its_reference():
    """Rows are held against the first of their group under their conditions, not against any other."""
    other = Conditions(batch=8)
    pairs = [("a", HERE, 0.8), ("b", HERE, 0.1), ("a", other, 0.4)]
    rows = [
        timed(name, seconds, group=group, conditions=conditions)
        for group, conditions, first in pairs
        for name, seconds in (("standard", first), ("x", 0.4))
    ]
    rows = judged(session(*rows))
    assert [row.word for row in rows] == ["reference", "faster", "reference", "slower", "reference", "no difference"]


def test_parts_are_compared_with_nothing():
    """A stage has times and no ratio, and is no reference even where it comes first."""
    part, standard = judged(session(timed("conv", role="part", of="standard"), timed()))
    assert (part.word, part.ratio, part.promised, part.summary.n) == ("", None, None, 30)
    assert standard.word == "reference"


def test_what_has_no_times():
    """A variant that does not apply is no reference and no fault; one that failed is a fault."""
    rows = judged(session(timed("grouped", None, why_not="no groups"), timed(), timed("x", None, failure="no memory")))
    assert [(row.word, row.reason) for row in rows] == [
        ("does not apply", "no groups"), ("reference", ""), ("failed", "no memory"),
    ]  # fmt: skip
    assert [row.label for row in doubtful(rows)] == ["x"]


def test_without_a_reference():
    """Where the reference failed, nothing is claimed of the others."""
    _, row = judged(session(timed(seconds=None, failure="no memory"), timed("x", 0.4)))
    assert (row.word, row.reason, row.delivered) == ("unreliable", "standard, the reference, failed", None)
    assert row.summary.median_s == 0.4


def test_unsteady_times():
    """What is not to be believed delivers nothing, and the reason is there."""
    shaky = replace(timed("x"), series=Series(inner=1, samples=(0.1,) * 3 + (0.4,) * 27))
    standard, row = judged(session(timed(), shaky))
    assert (standard.believed, row.believed, row.delivered) == (True, False, None)
    assert row.reason


def test_a_backward_pass():
    """The multiply-adds of a backward pass are not counted, so it has no rate."""
    (row,) = judged(session(timed(conditions=Conditions(backward=True))))
    assert row.macs_per_s is None


@pytest.mark.parametrize(("enqueue", "bound"), [((), False), ((0.1,) * 30, False), ((0.9,) * 30, True)])
def test_launch_bound(enqueue, bound):
    """A row is launch-bound where the host needs as long for it as the device."""
    (row,) = judged(session(replace(timed(), series=replace(series(0.8), enqueue=enqueue))))
    assert row.launch_bound == bound
