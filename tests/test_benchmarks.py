"""The benchmarks' arithmetic, with samples that are made up: nothing is timed here."""

import gc
import sys
from pathlib import Path

import pytest
import yaml

import sepcalc


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The folder of the benchmarks, from which they import each other."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent.parent / "benchmarks"))


@pytest.fixture
def interleave():
    """What all benchmarks measure with."""
    import interleave

    return interleave


@pytest.fixture
def growth():
    """The benchmark of growth."""
    import growth

    return growth


def test_turns(interleave):
    """Every round runs each candidate once, in an order that the seed decides, after one round that is not recorded."""

    def order(seed):
        ran = []
        candidates = {name: lambda name=name: ran.append(name) for name in "abcd"}
        samples = interleave.in_turns(candidates, rounds=5, rng=interleave.dice(seed))
        assert {len(taken) for taken in samples.values()} == {5}
        return ran

    ran = order(1)
    rounds = [ran[start : start + 4] for start in range(0, len(ran), 4)]
    assert len(rounds) == 6
    assert all(sorted(each) == list("abcd") for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1
    assert order(1) == ran
    assert order(2) != ran


def test_collector(interleave):
    """The garbage collector is off while a sample is taken, and as it was afterwards, also after a failure."""
    during = interleave.in_turns({"one": gc.isenabled}, rounds=2, rng=interleave.dice(0))
    assert during == {"one": [False, False]}
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        interleave.in_turns({"one": lambda: 1 / 0}, rounds=1, rng=interleave.dice(0))
    assert gc.isenabled()


def test_ratio_by_rounds(interleave):
    """A slow round slows both candidates and leaves their ratio alone; the ratio of minima stands beside it."""
    reference = [1.0, 10.0, 1.0, 1.0, 5.0]
    found = interleave.ratio([2.0, 20.0, 2.0, 3.0, 10.0], reference, rng=interleave.dice(0))
    assert (found.median, found.of_minima) == (2.0, 2.0)
    assert found.low <= 2.0 <= found.high


def test_unsteady(interleave):
    """A median more than a tenth above the minimum is marked."""
    assert not interleave.summary([1.0, 1.05, 1.09]).unsteady
    assert interleave.summary([1.0, 1.2, 1.3]).unsteady


def test_one_sample(interleave):
    """A single sample is its own median, quartiles and minimum."""
    found = interleave.summary([2.0])
    assert {found.median, found.low_quartile, found.high_quartile, found.minimum} == {2.0}


@pytest.mark.parametrize(
    ("bounds", "value", "met"),
    [({"at_most": 1.3}, 1.3, True), ({"at_most": 1.3}, 1.31, False), ({"at_least": 50}, 49.9, False)],
)
def test_target(interleave, bounds, value, met):
    """A target is met on its bound and not beyond; of a ratio the median counts."""
    assert interleave.Target(what="it", value=value, **bounds).met is met
    ratio = interleave.Ratio(median=value, low=0.0, high=99.0, of_minima=0.0)
    assert interleave.Target(what="it", value=ratio, **bounds).met is met


def test_exit_code(interleave, tmp_path, capsys):
    """A missed target is named, exits 1 under --check alone, and the raw samples are saved either way."""
    missed = interleave.Target(what="start-up", value=1.4, at_most=1.25)
    reports = {"part": interleave.Report(samples={"one": [1.0]}, targets=(missed,))}
    assert interleave.finish(reports, {}, path=tmp_path / "raw.json", check=True) == 1
    assert interleave.finish(reports, {}, path=None, check=False) == 0
    assert capsys.readouterr().out.splitlines()[0] == "- MISSED: start-up: 1.40, target ≤ 1.25"
    assert yaml.safe_load((tmp_path / "raw.json").read_text())["reports"]["part"]["samples"] == {"one": [1.0]}


def test_failed_process(interleave):
    """A program that fails is an error with what it complained of, never a fast sample."""
    with pytest.raises(RuntimeError, match="no such wonder"):
        interleave.process([sys.executable, "-c", "raise SystemExit('no such wonder')"])


@pytest.mark.parametrize("style", ["flow", "block", "flow, all different"])
def test_generated_networks(growth, tmp_path, style):
    """Each style is a file of as many layers of five keys as asked for, and sepcalc counts them."""
    path = growth.write_network(tmp_path / "network.yaml", style, 20)
    layers = yaml.safe_load(path.read_text())["layers"]
    assert [list(each) for each in layers] == [["name", "c_in", "c_out", "k", "size"]] * 20
    expected = sum(each["c_in"] * each["c_out"] * each["k"] ** 2 * each["size"] ** 2 for each in layers)
    assert sepcalc.load(path).cost.macs == expected
