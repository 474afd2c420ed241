"""The roofline: the least time of a stage, and the ceiling that bounds it.

The model of Williams 2009 (Roofline, doi:10.1145/1498765.1498785): a stage can be no faster than its FLOPs at the
machine's peak, nor than its bytes at the memory's speed. Both ceilings are measured, not taken from a data sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from sepcalc.core.spec import ConvSpec
from sepcalc.measure.machine import Ceilings

Bound = Literal["memory", "compute"]


def traffic_bytes(work: Sequence[Work]) -> int | None:
    """The bytes that stages move if every tensor moves once; None without a stage, or where one is unknown."""
    known = [stage.traffic_bytes for stage in work if stage.traffic_bytes is not None]
    return sum(known) if known and len(known) == len(work) else None


def attainable_s(work: Sequence[Work], ceilings: Ceilings) -> float | None:
    """The least seconds that stages take one after the other; None without a stage, or where a traffic is unknown.

    >>> stage = Work(name="conv 3×3", macs=10**9, traffic_bytes=10**6)
    >>> attainable_s([stage], Ceilings(flop_per_s=100e9, bytes_per_s=10e9))
    0.02
    """
    if traffic_bytes(work) is None:
        return None
    flops, memory = ceilings
    return sum(max(2 * stage.macs / flops, (stage.traffic_bytes or 0) / memory) for stage in work)


def bound(work: Sequence[Work], ceilings: Ceilings) -> Bound | None:
    """The ceiling under which the stages spend most of their attainable time; None where that time is unknown.

    >>> stage = Work(name="depthwise 3×3", macs=10**6, traffic_bytes=10**6)
    >>> bound([stage], Ceilings(flop_per_s=100e9, bytes_per_s=10e9))
    'memory'
    """
    whole, ridge = attainable_s(work, ceilings), ceilings.flop_per_s / ceilings.bytes_per_s
    if whole is None:
        return None
    starved = [stage for stage in work if stage.intensity is not None and stage.intensity < ridge]
    return "memory" if (attainable_s(starved, ceilings) or 0) > whole / 2 else "compute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A stage's multiply-adds for the whole batch, and its bytes if every tensor moves once; None if unknown."""

    name: str
    macs: int
    traffic_bytes: int | None

    @classmethod
    def of(cls, stage: ConvSpec, *, batch: int, element_bytes: int) -> Work:
        """The work of a stage on ``batch`` examples.

        >>> Work.of(ConvSpec.of(64, 128, k=3, size=56), batch=2, element_bytes=4)
        Work(name='conv 3×3', macs=462422016, traffic_bytes=5111808)
        """
        traffic = stage.traffic_bytes(element_bytes, batch=batch)
        return cls(name=stage.kind, macs=stage.macs * batch, traffic_bytes=traffic)

    @property
    def intensity(self) -> Fraction | None:
        """Arithmetic intensity in FLOP per byte, 2 · macs / traffic (Williams 2009)."""
        return Fraction(2 * self.macs, self.traffic_bytes) if self.traffic_bytes else None
