"""What the machine says of itself, on systems that are made up, and where its ceilings are kept."""

import json
import os
import sys
from pathlib import Path

import pytest

from sepcalc.core.errors import SepcalcError
from sepcalc.measure import machine as module
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.machine import (
    Ceilings,
    cache_folder,
    cpu_name,
    free_bytes,
    last_cache_bytes,
    load_average,
    load_ceilings,
    save_ceilings,
    usable_cores,
)

ROOF = Ceilings(flop_per_s=1000.0, bytes_per_s=10.0)
HERE = {"cpu": "Fake 9000", "cores": 2, "torch": "2.13.0", "load": 0.5}


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


def test_ceilings_are_found_again(cache):
    """Ceilings are found again for the same machine, device, dtype and threads, whatever its load, and only then."""
    save_ceilings(HERE, Conditions(), ROOF)
    assert load_ceilings({**HERE, "load": 9.0}, Conditions(batch=8, cache="cold")) == ROOF
    for other in (Conditions(threads=2), Conditions(dtype="float16"), Conditions(device="cuda")):
        assert load_ceilings(HERE, other) is None
    for changed in ({"torch": "2.14.0"}, {"gpu": "NVIDIA A100"}):
        assert load_ceilings({**HERE, **changed}, Conditions()) is None
    assert [path.name for path in cache.iterdir()] == ["ceilings.json"]


@pytest.mark.usefixtures("cache")
def test_ceilings_beside_others():
    """What is kept for one dtype stays when another is measured."""
    faster = Ceilings(flop_per_s=2000.0, bytes_per_s=10.0)
    save_ceilings(HERE, Conditions(), ROOF)
    save_ceilings(HERE, Conditions(dtype="float16"), faster)
    assert (load_ceilings(HERE, Conditions()), load_ceilings(HERE, Conditions(dtype="float16"))) == (ROOF, faster)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", '{"schema": 1}', '{"schema": 1, "ceilings": []}', "\xff",
        *('{"schema": 1, "ceilings": {"KEY": %s}}' % value  # noqa: UP031 (braces are JSON's)
          for value in ("null", "[1]", '["a", "b"]', "[0, 1]", "[NaN, 1]", "{}", "[1, 2, 3]")),
    ],
)  # fmt: skip
def test_damaged_ceilings(cache, text):
    """A file that is no longer whole is as good as none, and is replaced by the next measurement."""
    save_ceilings(HERE, Conditions(), ROOF)
    (file,) = cache.iterdir()
    (key,) = json.loads(file.read_text())["ceilings"]
    file.write_bytes(text.replace("KEY", key).encode("latin-1"))
    assert load_ceilings(HERE, Conditions()) is None
    save_ceilings(HERE, Conditions(), ROOF)
    assert load_ceilings(HERE, Conditions()) == ROOF


def test_ceilings_of_another_version(cache):
    """What an other version of the program kept is measured anew."""
    save_ceilings(HERE, Conditions(), ROOF)
    (file,) = cache.iterdir()
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2'))
    assert load_ceilings(HERE, Conditions()) is None


def test_no_cache_folder(cache):
    """A cache folder that cannot be made is one sentence with the place and the cure."""
    cache.parent.mkdir()
    cache.write_text("a file")
    with pytest.raises(SepcalcError) as caught:
        save_ceilings(HERE, Conditions(), ROOF)
    assert str(caught.value) == f"cannot create '{cache}': file exists; set XDG_CACHE_HOME to another place"


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {}, "HOME/.cache/sepcalc"),
        ("linux", {"XDG_CACHE_HOME": "own"}, "own/sepcalc"),
        ("darwin", {}, "HOME/Library/Caches/sepcalc"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/sepcalc"),
    ],
)
def test_cache_folders(monkeypatch, platform, variables, folder):
    """Each system has a place for what can be made again."""
    monkeypatch.setattr("sys.platform", platform)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder.replace("HOME", str(Path.home())))
