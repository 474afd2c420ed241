"""The machine that times are taken on, as its system describes it.

What a system does not tell is None, never a guess. Sizes are in bytes.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

CPU_LIST = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
MEMORY = Path("/proc/meminfo")
"""Where Linux describes the processors, the caches of the first of them, and the memory."""


class Ceilings(NamedTuple):
    """The most that a machine was seen to do: floating point operations, and bytes read and written, per second."""

    flop_per_s: float
    bytes_per_s: float


def machine() -> dict[str, Any]:
    """What times depend on that no program decides: the processor, the system, and how busy they are."""
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "last_cache_bytes": last_cache_bytes(),
        "load": load_average(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def machine_key(environment: Mapping[str, Any]) -> str:
    """What tells one machine's peak speeds from another's: the same text as long as both speeds should be the same.

    A new version of a library may have faster kernels, so versions are in it; load, threads and dtype are not.

    >>> machine_key({"cpu": "EPYC", "cores": 2, "load": 0.3, "torch": "2.13.0"})
    'cpu EPYC, cores 2, torch 2.13.0'
    """
    return ", ".join(f"{name} {environment[name]}" for name in _IDENTITY if environment.get(name) is not None)


_IDENTITY = ("gpu", "cpu", "cores", "last_cache_bytes", "instructions", "torch", "cuda", "cudnn", "onednn", "mkl")


def cpu_name() -> str | None:
    """The processor's name, like ``AMD EPYC 9654``."""
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    if CPU_LIST.exists():
        facts = (line.partition(":") for line in CPU_LIST.read_text("utf-8").splitlines())
        name = next((value.strip() for word, _, value in facts if word.strip() in ("model name", "Model")), "")
        return name or platform.machine() or None
    return platform.processor() or None


def usable_cores() -> int | None:
    """The processor cores that this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def last_cache_bytes() -> int | None:
    """The size of the last cache before memory, of those that the first core uses."""
    if sys.platform == "darwin":
        told = map(_sysctl, ("hw.l3cachesize", "hw.perflevel0.l2cachesize", "hw.l2cachesize"))
        return next((int(size) for size in told if size and size.isdecimal()), None)
    told = ([_read(each / name) for name in ("type", "level", "size")] for each in CACHES.glob("index*"))
    sizes = {int(level): _bytes(size) for kind, level, size in told if kind != "Instruction" and level and size}
    return sizes[max(sizes)] if sizes else None


def free_bytes() -> int | None:
    """The memory that a program may still take before others have to give up theirs."""
    facts = (line.partition(":") for line in _read(MEMORY).splitlines())
    return next((int(value.split()[0]) << 10 for word, _, value in facts if word == "MemAvailable"), None)


def load_average() -> float | None:
    """How many programs wanted a processor, averaged over the last minute."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _read(file: Path) -> str:
    return file.read_text("utf-8").strip() if file.exists() else ""


def _bytes(size: str) -> int:
    """A size as Linux writes it: ``32768K``."""
    return int(size.rstrip("KMG")) << 10 * " KMG".index(size.lstrip("0123456789") or " ")


def _sysctl(name: str) -> str | None:
    from subprocess import run

    done = run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False)  # noqa: S603 (no shell, our own words)
    return done.stdout.strip() or None
