"""A bench without PyTorch: every call takes the time that a roofline allows it, by a clock that only calls move."""

from contextlib import nullcontext

from fake_clock import FakeClock, noisy, work

from sepcalc.measure.loop import first_line, on_host
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import attainable_s
from sepcalc.measure.run import Bench

ALLOWS = Ceilings(flop_per_s=100e9, bytes_per_s=20e9)
"""The ceilings of the machine that is not there."""

START_S = 20e-6
"""What every stage takes beside its work."""

ENVIRONMENT = {"cpu": "Fake 9000", "cores": 2, "load": 0.0, "torch": "2.13.0", "threads": 1}


def takes_s(subject):
    """How long a subject takes: its stages under their roof, and a start for each."""
    return (attainable_s(subject.row.work, ALLOWS) or 0.0) + START_S * len(subject.row.work)


def fake_bench(*, fails=None, machine=None, clock=None, takes=takes_s, ceilings=ALLOWS):
    """A bench whose subjects take ``takes`` of them; those whose label is in ``fails`` raise that instead."""
    clock, machine, fails = clock or FakeClock(), machine or noisy(), fails or {}

    def prepare(subject):
        if subject.row.label in fails:
            raise fails[subject.row.label]
        return work(clock, takes(subject), machine)

    return Bench(
        prepare=prepare,
        held=lambda conditions: nullcontext(),
        sampler=lambda conditions: on_host,
        environment=lambda conditions: ENVIRONMENT,
        ceilings=lambda conditions: ceilings,
        reason=first_line,
        clock=clock,
    )
