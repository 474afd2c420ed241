"""What the machine says of itself, on systems that are made up."""

import os
import sys

import pytest

from sepcalc.measure import machine as module
from sepcalc.measure.machine import (
    cpu_name,
    free_bytes,
    last_cache_bytes,
    load_average,
    machine,
    machine_key,
    usable_cores,
)


@pytest.fixture
def linux(monkeypatch, tmp_path):
    """A Linux that describes nothing yet: the files of its processors and its memory, and the folder of its caches."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(module, "CPU_LIST", tmp_path / "cpuinfo")
    monkeypatch.setattr(module, "CACHES", tmp_path / "cache")
    monkeypatch.setattr(module, "MEMORY", tmp_path / "meminfo")
    return tmp_path


@pytest.fixture
def mac(monkeypatch):
    """What sysctl says on a Mac, by name."""
    told = {}
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(module, "_sysctl", told.get)
    return told


def write_cache(folder, index, **facts):
    """Describe one cache as Linux does."""
    place = folder / "cache" / f"index{index}"
    place.mkdir(parents=True)
    for name, value in facts.items():
        (place / name).write_text(f"{value}\n")


def test_free_memory(linux):
    """What Linux calls available is what a program may still take, in bytes; elsewhere that is unknown."""
    assert free_bytes() is None
    (linux / "meminfo").write_text("MemTotal:       24595208 kB\nMemFree:  1 kB\nMemAvailable:   23592960 kB\n")
    assert free_bytes() == 23_592_960 * 1024


def test_the_name_of_a_processor(linux):
    """The first processor that Linux lists gives the name, not its number of the model."""
    (linux / "cpuinfo").write_text("processor\t: 0\nmodel\t\t: 2\nmodel name\t: AMD EPYC 9654\nmodel name\t: other\n")
    assert cpu_name() == "AMD EPYC 9654"


def test_a_board_without_a_processor_name(linux):
    """Where Linux names no processor, the board's model stands for it, and else the architecture."""
    (linux / "cpuinfo").write_text("processor\t: 0\nModel\t\t: Raspberry Pi 4\n")
    assert cpu_name() == "Raspberry Pi 4"
    (linux / "cpuinfo").write_text("processor\t: 0\n")
    assert cpu_name() == module.platform.machine()


def test_a_system_without_a_list(linux, monkeypatch):  # noqa: ARG001 - a Linux without the file
    """Elsewhere the name is what Python knows, and None where that is nothing."""
    monkeypatch.setattr(module.platform, "processor", lambda: "Intel64 Family 6")
    assert cpu_name() == "Intel64 Family 6"
    monkeypatch.setattr(module.platform, "processor", lambda: "")
    assert cpu_name() is None


def test_the_last_cache(linux):
    """The cache of the highest level counts, and none of instructions; a cache that hides its size does not."""
    write_cache(linux, 0, level=1, type="Data", size="48K")
    write_cache(linux, 1, level=1, type="Instruction", size="64M")
    write_cache(linux, 2, level=2, type="Unified", size="1M")
    assert last_cache_bytes() == 2**20
    write_cache(linux, 3, level=3, type="Unified", size="32768K")
    assert last_cache_bytes() == 32 * 2**20
    write_cache(linux, 4, level=4, type="Unified")
    assert last_cache_bytes() == 32 * 2**20


def test_no_cache_is_described(linux):  # noqa: ARG001 - it is the system that matters
    """Without a description there is no size, rather than a guess."""
    assert last_cache_bytes() is None


def test_a_mac(mac):
    """A Mac tells its processor and the largest cache that it has: a third level, or the second of its fast cores."""
    mac.update({"machdep.cpu.brand_string": "Apple M2", "hw.l2cachesize": "4194304"})
    assert (cpu_name(), last_cache_bytes()) == ("Apple M2", 4194304)
    mac["hw.perflevel0.l2cachesize"] = "16777216"
    assert last_cache_bytes() == 16777216
    mac["hw.l3cachesize"] = "25165824"
    assert last_cache_bytes() == 25165824
    mac.clear()
    assert (cpu_name(), last_cache_bytes()) == (None, None)


def test_cores_are_those_that_may_be_used(monkeypatch):
    """A program that is kept to some cores counts these; where a system cannot keep one to some, all."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert usable_cores() == 8


def test_load(monkeypatch):
    """The load is that of the last minute, and None where the system knows none."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.126, 9.0, 9.0), raising=False)
    assert load_average() == 0.13
    monkeypatch.delattr(os, "getloadavg")
    assert load_average() is None


def test_the_key_of_a_machine():
    """Two runs on one machine have one key, whatever else ran; another GPU or library is another machine."""
    found = {**machine(), "gpu": "NVIDIA H200", "torch": "2.13.0"}
    busy = {**found, "load": 9.0, "threads": 2, "dtype": "float16"}
    assert machine_key(found) == machine_key(busy)
    assert len({machine_key({**found, **other}) for other in ({}, {"gpu": "NVIDIA A100"}, {"torch": "2.14.0"})}) == 3
    assert machine_key(found).startswith("gpu NVIDIA H200")
