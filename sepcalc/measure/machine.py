"""The machine that times are taken on: its description, and the ceilings that were measured on it.

An unknown fact is None, never a guess. Sizes are in bytes. The ceilings are kept in the user's cache folder by machine,
device, dtype and threads, so that they are measured once.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sepcalc.core.errors import SepcalcError
from sepcalc.measure.conditions import Conditions

CEILINGS_SCHEMA = 1
"""The version of the file with the ceilings; a file of another version is not read."""

CPU_LIST = Path("/proc/cpuinfo")
CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
MEMORY = Path("/proc/meminfo")
"""Where Linux describes the processors, the caches of the first one, and the memory."""


class Ceilings(NamedTuple):
    """The highest measured speeds of a machine: floating point operations, and bytes read and written, per second."""

    flop_per_s: float
    bytes_per_s: float


def machine() -> dict[str, Any]:
    """The processor, the system, and how busy they are: times depend on them, and no program decides them."""
    return {
        "cpu": cpu_name(),
        "cores": usable_cores(),
        "last_cache_bytes": last_cache_bytes(),
        "load": load_average(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


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
        sizes_told = map(_sysctl, ("hw.l3cachesize", "hw.perflevel0.l2cachesize", "hw.l2cachesize"))
        return next((int(size) for size in sizes_told if size and size.isdecimal()), None)
    facts = ([_read(cache / name) for name in ("type", "level", "size")] for cache in CACHES.glob("index*"))
    sizes = {int(level): _bytes(size) for kind, level, size in facts if kind != "Instruction" and level and size}
    return sizes[max(sizes)] if sizes else None


def free_bytes() -> int | None:
    """The memory that a program may take before others have to give up theirs."""
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


def load_ceilings(environment: Mapping[str, Any], conditions: Conditions) -> Ceilings | None:
    """The ceilings that were measured on this machine under these conditions; None where there are none."""
    ceilings = _saved_ceilings().get(_ceilings_key(environment, conditions))
    try:
        flop_per_s, bytes_per_s = map(float, ceilings or ())
    except (TypeError, ValueError):
        return None
    return Ceilings(flop_per_s, bytes_per_s) if flop_per_s > 0 < bytes_per_s else None


def save_ceilings(environment: Mapping[str, Any], conditions: Conditions, ceilings: Ceilings) -> None:
    """Keep ``ceilings`` for later runs. Raises :class:`SepcalcError` where the folder cannot be written to."""
    from sepcalc.render.files import write

    file = _ceilings_file()
    known = {**_saved_ceilings(), _ceilings_key(environment, conditions): list(ceilings)}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SepcalcError(f"cannot create '{file.parent}': {reason}; set XDG_CACHE_HOME to another place") from None
    write(file, json.dumps({"schema": CEILINGS_SCHEMA, "ceilings": known}, indent=2) + "\n")


def _ceilings_key(environment: Mapping[str, Any], conditions: Conditions) -> str:
    """The key of saved ceilings. It names the versions of libraries, since a new one may have faster kernels."""
    machine = ", ".join(f"{name} {environment[name]}" for name in _IDENTITY if environment.get(name) is not None)
    return f"{machine}; {conditions.device}, {conditions.dtype}, {conditions.threads} threads"


_IDENTITY = ("gpu", "cpu", "cores", "last_cache_bytes", "instructions", "torch", "cuda", "cudnn", "onednn", "mkl")


def _saved_ceilings() -> dict[str, Any]:
    """All saved ceilings by their key. They can be measured again, so a damaged file is as good as none."""
    try:
        content = json.loads(_ceilings_file().read_text("utf-8"))
        return dict(content["ceilings"]) if content["schema"] == CEILINGS_SCHEMA else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _ceilings_file() -> Path:
    return cache_folder() / "ceilings.json"


def cache_folder() -> Path:
    """The folder of this program for files that can be made again."""
    local = os.environ.get("LOCALAPPDATA") if sys.platform == "win32" else None
    if own := os.environ.get("XDG_CACHE_HOME") or local:
        return Path(own) / "sepcalc"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "sepcalc"
