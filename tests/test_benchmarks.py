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
def agreement():
    """The benchmark that holds two clocks against each other."""
    import measure_agreement

    return measure_agreement


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


@pytest.fixture
def stability():
    """The benchmark of the measuring itself."""
    import measure_stability

    return measure_stability


def runs(stability, *ratios, torch=2.0, word="faster"):
    """Measurements that found these ratios."""
    return [stability.Run(ratio=each, word=word, reason="", by_torch=torch) for each in ratios]


def test_stability_account(stability):
    """Runs are held against the median of the quiet ones that were accepted, and torch's all count as accepted."""
    taken = {
        "quiet": [*runs(stability, 1.98, 2.0, 2.02), *runs(stability, 9.0, 9.0, 9.0, 9.0, word="unreliable")],
        "busy": [*runs(stability, 2.1, 2.3, torch=5.0), *runs(stability, 0.5, word="unreliable", torch=5.0)],
    }
    assert stability.right(taken["quiet"]) == 2.0
    found = stability.accounts(taken, "quiet")
    own, torch = found["busy, sepcalc"], found["busy, torch"]
    assert (own.off, own.believed_wrongly, own.accepted) == (2, 1, (2.1, 2.3))
    assert own.farthest == pytest.approx(0.15)
    assert (torch.off, torch.believed_wrongly, len(torch.accepted)) == (3, 3, 3)


@pytest.mark.parametrize(
    ("quiet", "busy", "kept"),
    [
        ((2.0, 2.01), (2.0, 2.05), [True, True, True]),
        ((2.0, 2.2), (2.0, 2.01), [False, True, True]),
        ((2.0, 2.01), (1.7, 2.3), [True, False, False]),
    ],
)
def test_stability_targets(stability, quiet, busy, kept):
    """The scatter of accepted runs is bounded under each condition, and none of them may be off by more than 10 %."""
    taken = {"quiet": runs(stability, *quiet), "busy": runs(stability, *busy)}
    targets = stability.report(taken, quiet="quiet", markdown=True).targets
    assert [each.met for each in targets] == kept


def test_stability_of_nothing(stability):
    """Accepting nothing keeps the promise on a busy machine, and not on a quiet one."""
    nothing = runs(stability, 2.0, 9.0, word="unreliable")
    targets = stability.report({"quiet": nothing, "busy": nothing}, quiet="quiet", markdown=True).targets
    assert [each.met for each in targets] == [False, True, True]


def test_busy_processes(stability, monkeypatch):
    """The busy processes run while they are wanted, and are gone afterwards, also after a failure."""
    started, popen = [], stability.subprocess.Popen

    def kept(*given):
        started.append(popen(*given))
        return started[-1]

    def fail():
        assert [each.poll() for each in started] == [None, None]
        raise ZeroDivisionError

    monkeypatch.setattr(stability.subprocess, "Popen", kept)
    with pytest.raises(ZeroDivisionError), stability.busy(2):
        fail()
    assert len(started) == 2
    assert all(each.returncode for each in started)


def test_stability_run(stability):
    """One measurement has a ratio by sepcalc and one by torch, each from as many samples of as many calls."""
    calls = {"slow": lambda: sum(range(2000)), "fast": lambda: sum(range(200))}
    plan = stability.Plan(rounds=3, time_s=0, warmup_s=0, least_s=1e-5)
    found = stability.run(calls, plan, iter([0]), 0)
    assert found.ratio > 0
    assert found.by_torch > 0
    assert not found.accepted
    with pytest.raises(RuntimeError, match=r"^slow failed: division by zero$"):
        stability.run({"slow": lambda: 1 / 0, "fast": int}, plan, iter([0]), 0)


def test_two_clocks(agreement, interleave):
    """Both clocks look at every form of a layer once a round, and each form has its promise."""
    clocks = agreement.Clocks(plan=agreement.Plan(rounds=2, time_s=0, warmup_s=0), least_s=1e-4)
    spec = agreement.ConvSpec.of(4, 4, 3, size=8)
    times = agreement.compared(spec, clocks, rounds=2, rng=interleave.dice(0))
    assert list(times) == ["standard", "depthwise-separable", "spatial-separable"]
    assert {len(taken) for each in times.values() for taken in (each.sepcalc, each.torch)} == {2}
    assert min(min(each.sepcalc + each.torch) for each in times.values()) > 0


def test_clocks_that_differ(agreement, interleave, capsys):
    """A form on which the clocks differ by more than 5 % misses its promise, either way, and its line has both bounds."""
    times = {
        name: agreement.Times(sepcalc=[2.0 * factor] * 3, torch=[2.0] * 3)
        for name, factor in {"fast": 0.94, "near": 1.04, "slow": 1.06}.items()
    }
    report = agreement.report(times, rng=interleave.dice(0), markdown=True)
    assert [target.met for target in report.targets] == [False, True, False]
    assert str(report.targets[0]) == "MISSED: fast, sepcalc / torch: 0.940 [0.940, 0.940], target ≥ 0.95 and ≤ 1.05"
    assert "| near | 2,080 | 2,000 | 1.04 [1.04, 1.04] | 1.04 |" in capsys.readouterr().out


def test_the_report_opens_and_sorts_in_time():
    """The promise is about opening and the first sort together, of the network of 1,000 layers, in the middle case."""
    import report

    taken = [{"opened": opened, "sorted": 0.5, "searched": 9.0, "filtered": 9.0} for opened in (0.7, 1.0, 8.0)]
    (target,) = report.promises(taken)
    assert (target.value, target.at_most) == (1.5, 2)
    assert list(report.STEPS) == ["opened", "sorted", "searched", "filtered"]
