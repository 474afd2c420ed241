"""The lock of what the tests need: it names everything that they bring with them."""

import re
from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).parent / "constraints.txt"


def needed(name: str, extras: frozenset[str], found: dict[str, frozenset[str]]) -> None:
    """Add to ``found`` what the installed package of that name needs with these extras, here and in turn."""
    if extras <= found.get(name, frozenset()) and name in found:
        return
    found[name] = found.get(name, frozenset()) | extras
    for line in requires(name) or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": each}) for each in ("", *extras)):
            needed(canonicalize_name(requirement.name), frozenset(requirement.extras), found)


def test_everything_is_locked():
    """Whatever ``pip install -e '.[dev]'`` brings has one release in the lock; sepcalc itself has none."""
    found: dict[str, frozenset[str]] = {}
    needed("sepcalc", frozenset({"dev"}), found)
    locked = {Requirement(line).name for line in LOCK.read_text("utf-8").splitlines() if not line.startswith("#")}
    assert found.keys() - locked == {"sepcalc"}


def test_the_lock_is_for_every_machine():
    """Each line is one exact release from a registry: no address, no path, no build for one machine."""
    lines = [line for line in LOCK.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[\w.]+( ; .+)?", line)] == []
