"""What a machine allows."""

import pytest

from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import Work, attainable_s, bound

ROOF = Ceilings(flop_per_s=1000.0, bytes_per_s=10.0)
MEMORY = Work(name="depthwise", macs=100, traffic_bytes=20)
COMPUTE = Work(name="dense", macs=5000, traffic_bytes=10)
UNKNOWN = Work(name="attention", macs=5000, traffic_bytes=None)


@pytest.mark.parametrize(
    ("work", "seconds", "word"),
    [
        ((MEMORY,), 2.0, "memory"),
        ((COMPUTE,), 10.0, "compute"),
        ((MEMORY, COMPUTE), 12.0, "compute"),
        ((MEMORY,) * 6 + (COMPUTE,), 22.0, "memory"),
        ((MEMORY, UNKNOWN), None, None),
    ],
)
def test_attainable(work, seconds, word):
    """A stage takes what its slower ceiling takes, a chain the sum; it is bound by what takes most of that."""
    assert (attainable_s(work, ROOF), bound(work, ROOF)) == (seconds, word)
