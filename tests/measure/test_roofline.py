"""What a machine allows, and where that is kept."""

import json
from pathlib import Path

import pytest

from sepcalc.core.errors import SepcalcError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.machine import Ceilings
from sepcalc.measure.roofline import Work, attainable_s, bound, cache_folder, keep, kept

ROOF = Ceilings(flop_per_s=1000.0, bytes_per_s=10.0)
MEMORY = Work(name="depthwise", macs=100, traffic_bytes=20)
COMPUTE = Work(name="dense", macs=5000, traffic_bytes=10)
UNKNOWN = Work(name="attention", macs=5000, traffic_bytes=None)
HERE = {"cpu": "Fake 9000", "cores": 2, "torch": "2.13.0", "load": 0.5}


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


def test_kept(cache):
    """Ceilings are found again for the same machine, device, dtype and threads, whatever its load, and only then."""
    keep(HERE, Conditions(), ROOF)
    assert kept({**HERE, "load": 9.0}, Conditions(batch=8, cache="cold")) == ROOF
    for other in (Conditions(threads=2), Conditions(dtype="float16"), Conditions(device="cuda")):
        assert kept(HERE, other) is None
    assert kept({**HERE, "torch": "2.14.0"}, Conditions()) is None
    assert [path.name for path in cache.iterdir()] == ["ceilings.json"]


@pytest.mark.usefixtures("cache")
def test_kept_beside_others():
    """What is kept for one dtype stays when another is measured."""
    faster = Ceilings(flop_per_s=2000.0, bytes_per_s=10.0)
    keep(HERE, Conditions(), ROOF)
    keep(HERE, Conditions(dtype="float16"), faster)
    assert (kept(HERE, Conditions()), kept(HERE, Conditions(dtype="float16"))) == (ROOF, faster)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", '{"schema": 1}', '{"schema": 1, "ceilings": []}', "\xff",
        *('{"schema": 1, "ceilings": {"KEY": %s}}' % value  # noqa: UP031 (braces are JSON's)
          for value in ("null", "[1]", '["a", "b"]', "[0, 1]", "[NaN, 1]", "{}", "[1, 2, 3]")),
    ],
)  # fmt: skip
def test_a_damaged_file(cache, text):
    """A file that is no longer whole is as good as none, and is replaced by the next measurement."""
    keep(HERE, Conditions(), ROOF)
    (file,) = cache.iterdir()
    (key,) = json.loads(file.read_text())["ceilings"]
    file.write_bytes(text.replace("KEY", key).encode("latin-1"))
    assert kept(HERE, Conditions()) is None
    keep(HERE, Conditions(), ROOF)
    assert kept(HERE, Conditions()) == ROOF


def test_another_version(cache):
    """What an other version of the program kept is measured anew."""
    keep(HERE, Conditions(), ROOF)
    (file,) = cache.iterdir()
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2'))
    assert kept(HERE, Conditions()) is None


def test_no_folder(cache):
    """A cache folder that cannot be made is one sentence with the place and the cure."""
    cache.parent.mkdir()
    cache.write_text("a file")
    with pytest.raises(SepcalcError) as caught:
        keep(HERE, Conditions(), ROOF)
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
def test_folders(monkeypatch, platform, variables, folder):
    """Each system has a place for what can be made again."""
    monkeypatch.setattr("sys.platform", platform)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(folder.replace("HOME", str(Path.home())))
