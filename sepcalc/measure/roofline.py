"""What a machine allows: the time that a stage takes at least, and what bounds it.

The model of Williams 2009 (Roofline, doi:10.1145/1498765.1498785): a stage can be no faster than its FLOPs at the
machine's peak, nor than its bytes at the memory's speed. Both ceilings are measured, not taken from a data sheet.
They are kept in the user's cache folder by machine, device, dtype and threads, so that they are measured once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from sepcalc.core.errors import SepcalcError
from sepcalc.core.spec import ConvSpec
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.machine import Ceilings, machine_key

Bound = Literal["memory", "compute"]

SCHEMA = 1
"""The version of the file with the kept ceilings; others are measured anew."""


def attainable_s(work: Iterable[Work], ceilings: Ceilings) -> float | None:
    """Seconds that stages take at least, one after the other; None without any, or where a traffic is unknown.

    >>> stage = Work(name="conv 3×3", macs=10**9, traffic_bytes=10**6)
    >>> attainable_s([stage], Ceilings(flop_per_s=100e9, bytes_per_s=10e9))
    0.02
    """
    each = [_attainable_s(stage, ceilings) for stage in work]
    known = [seconds for seconds in each if seconds is not None]
    return sum(known) if known and len(known) == len(each) else None


def _attainable_s(stage: Work, ceilings: Ceilings) -> float | None:
    if stage.traffic_bytes is None:
        return None
    return max(2 * stage.macs / ceilings.flop_per_s, stage.traffic_bytes / ceilings.bytes_per_s)


def bound(work: Iterable[Work], ceilings: Ceilings) -> Bound | None:
    """Which ceiling the stages spend most of their attainable time under; None where that time is unknown.

    >>> stage = Work(name="depthwise 3×3", macs=10**6, traffic_bytes=10**6)
    >>> bound([stage], Ceilings(flop_per_s=100e9, bytes_per_s=10e9))
    'memory'
    """
    stages, ridge = list(work), ceilings.flop_per_s / ceilings.bytes_per_s
    whole = attainable_s(stages, ceilings)
    starved = [each for each in stages if each.intensity is not None and each.intensity < ridge]
    if whole is None:
        return None
    return "memory" if (attainable_s(starved, ceilings) or 0) > whole / 2 else "compute"


def kept(environment: Mapping[str, Any], conditions: Conditions) -> Ceilings | None:
    """The ceilings that were measured before on this machine, under these conditions; None where there are none."""
    found = _read(_file()).get(_key(environment, conditions))
    try:
        flop_per_s, bytes_per_s = map(float, found or ())
    except (TypeError, ValueError):
        return None
    return Ceilings(flop_per_s, bytes_per_s) if flop_per_s > 0 < bytes_per_s else None


def keep(environment: Mapping[str, Any], conditions: Conditions, ceilings: Ceilings) -> None:
    """Keep ``ceilings`` for later runs.

    Raises :class:`SepcalcError` where the folder cannot be written to.
    """
    from sepcalc.render.files import write

    file = _file()
    every = {**_read(file), _key(environment, conditions): list(ceilings)}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SepcalcError(f"cannot create '{file.parent}': {reason}; set XDG_CACHE_HOME to another place") from None
    write(file, json.dumps({"schema": SCHEMA, "ceilings": every}, indent=2) + "\n")


def _key(environment: Mapping[str, Any], conditions: Conditions) -> str:
    threads = f"{conditions.threads} threads"
    return f"{machine_key(environment)}; {conditions.device}, {conditions.dtype}, {threads}"


def _read(file: Path) -> dict[str, Any]:
    """What is kept, by machine and conditions. It can be measured again, so a damaged file is as good as none."""
    try:
        read = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    found = read.get("ceilings") if isinstance(read, dict) and read.get("schema") == SCHEMA else None
    return found if isinstance(found, dict) else {}


def _file() -> Path:
    return cache_folder() / "ceilings.json"


def cache_folder() -> Path:
    """Where this user's programs keep what can be made again."""
    own = os.environ.get("XDG_CACHE_HOME")
    if not own and sys.platform == "win32":
        own = os.environ.get("LOCALAPPDATA")
    if own:
        return Path(own) / "sepcalc"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "sepcalc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a stage has to do for the whole batch: multiply-adds, and bytes if every tensor moves once.

    ``traffic_bytes`` is None where it is unknown.
    """

    name: str
    macs: int
    traffic_bytes: int | None

    @classmethod
    def of(cls, stage: ConvSpec, *, batch: int, element_bytes: int) -> Work:
        """The work of a stage on ``batch`` examples.

        >>> Work.of(ConvSpec.of(64, 128, k=3, size=56), batch=2, element_bytes=4)
        Work(name='conv 3×3', macs=462422016, traffic_bytes=5111808)
        """
        return cls(
            name=stage.kind,
            macs=stage.macs * batch,
            traffic_bytes=stage.traffic_bytes(element_bytes, batch=batch),
        )

    @property
    def intensity(self) -> Fraction | None:
        """Arithmetic intensity in FLOP per byte, 2 · macs / traffic (Williams 2009)."""
        return Fraction(2 * self.macs, self.traffic_bytes) if self.traffic_bytes else None
