"""The benchmarks' arithmetic, with samples that are made up: nothing is timed here."""

import doctest
import importlib
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

import sepcalc
from sepcalc.measure.loop import Plan, on_host
from sepcalc.measure.statistics import PairedRatio, summarize

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The folder of the benchmarks, from which they import each other."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def harness():
    """What all benchmarks share."""
    import harness

    return harness


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


@pytest.mark.parametrize("name", [each.stem for each in BENCHMARKS.glob("*.py")])
def test_examples(name):
    """What the docstrings of a benchmark show is so."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_turns(harness):
    """What each candidate returns comes back, once a round and without the first, in an order that the seed decides."""

    def order(seed):
        ran = []

        def run(name):
            ran.append(name)
            return f"{name}{ran.count(name)}"

        taken = harness.in_turns({name: lambda name=name: run(name) for name in "abcd"}, rounds=5, seed=seed)
        assert taken == {name: [f"{name}{number}" for number in range(2, 7)] for name in "abcd"}
        return ran

    ran = order(1)
    rounds = [ran[start : start + 4] for start in range(0, len(ran), 4)]
    assert all(sorted(each) == list("abcd") for each in rounds)
    assert len({tuple(each) for each in rounds}) > 1
    assert order(1) == ran
    assert order(2) != ran


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_half_a_benchmark(harness, error):
    """A candidate that fails ends the benchmark with its own error, and Ctrl-C ends it too."""
    calls = []

    def fails_later():
        calls.append(1)
        if len(calls) == 3:
            raise error

    with pytest.raises(error):
        harness.in_turns({"good": int, "bad": fails_later}, rounds=9, seed=0)


def test_preparing_is_not_timed(harness):
    """Of calls that prepare, only what they return is within the time, each on a preparation of its own."""
    now, order = 0, []

    def takes(nanoseconds, what):
        nonlocal now
        now += nanoseconds
        order.append(what)

    def call():
        takes(100, "prepare")
        return lambda: takes(7, "run")

    assert harness.prepared(call, 3, lambda: now)().seconds == pytest.approx(21e-9)
    assert order == ["prepare", "run"] * 3
    assert on_host(call, 3, lambda: now)().seconds == pytest.approx(300e-9)


def test_least_time(harness):
    """A plan has exactly its rounds, and a sample as many calls as last the least time."""
    found = harness.measured({"one": int, "two": int}, harness.exactly(4, seed=0, least_s=1e-4))
    assert found.rounds == 4
    assert all(each.inner > 1 for each in found.series.values())
    found = harness.measured({"one": int}, harness.exactly(1, seed=0))
    assert (found.rounds, found.series["one"].inner) == (1, 1)


def test_star(harness):
    """A name gets a star where one of the medians is more than a tenth above its minimum."""
    calm, shaken = (summarize(harness.series(each)) for each in ([1.0, 1.05, 1.09], [1.0, 1.2, 1.3]))
    assert harness.starred("it", calm) == "it"
    assert harness.starred("it", calm, shaken) == "it *"


def test_table(harness, capsys):
    """A table has times in its unit with their quartiles, and stands between its title and an empty line."""
    found = summarize(harness.series([0.066, 0.068, 0.069]))
    harness.show("Start-up", (harness.NAME, harness.MEDIAN), [["it", harness.interval(found)]], markdown=True)
    title, _, heading, _, row, end = capsys.readouterr().out.split("\n")[:-1]
    assert (title, end) == ("**Start-up**", "")
    assert heading.split("|")[2].strip() == r"median \[quartiles\], ms"
    assert [each.strip() for each in row.split("|")] == ["", "it", r"68.0 \[67.0, 68.5\]", ""]


@pytest.mark.parametrize(
    ("bounds", "value", "met"),
    [({"at_most": 1.3}, 1.3, True), ({"at_most": 1.3}, 1.31, False), ({"at_least": 50}, 49.9, False)],
)
def test_target(harness, bounds, value, met):
    """A target is met on its bound and not beyond; of a ratio the median counts."""
    assert harness.Target(what="it", value=value, **bounds).met is met
    ratio = PairedRatio(value=value, low=0.0, high=99.0, of_minima=0.0)
    assert harness.Target(what="it", value=ratio, **bounds).met is met


def test_exit_code(harness, tmp_path, capsys):
    """A missed target is named, exits 1 under --check alone, and the raw samples are saved where asked for."""
    missed = harness.Target(what="start-up", value=1.4, at_most=1.25)
    reports = {"part": harness.Report(samples={"one": harness.series([1.0])}, targets=(missed,))}
    options = harness.arguments("").parse_args

    assert harness.finish(reports, {"cpu": "one"}, options(["--check", "--json", str(tmp_path / "raw.json")])) == 1
    assert harness.finish(reports, {}, options([])) == 0
    assert capsys.readouterr().out.splitlines() == ["- MISSED: start-up: 1.40, target ≤ 1.25"] * 2
    kept = json.loads((tmp_path / "raw.json").read_text())
    assert kept["machine"] == {"cpu": "one"}
    assert kept["reports"]["part"]["samples"]["one"]["samples"] == [1.0]


def test_machine(harness):
    """The machine and what is installed stand before every table, and what is not there is said."""
    facts = harness.machine(["sepcalc", "no-such-package"])
    assert facts["packages"] == {"sepcalc": sepcalc.__version__, "no-such-package": "not installed"}
    told = harness.describe({**facts, "cpu": "EPYC", "cores": 2, "load": 0.5, "system": "Linux", "python": "CPython 3"})
    versions = f"sepcalc {sepcalc.__version__}, no-such-package not installed"
    assert told == f"EPYC, 2 cores, load 0.5, Linux, CPython 3.\n{versions}.\n"


def test_process(harness):
    """A process has its times, its memory and what it printed."""
    done = harness.process([sys.executable, "-c", "print('done')"])
    assert (done.output, done.wall_s > 0, done.cpu_s >= 0) == ("done\n", True, True)
    assert 2**20 < done.peak_bytes < 2**32


def test_failed_process(harness):
    """A program that fails is an error with what it complained of, never a fast sample."""
    with pytest.raises(RuntimeError, match="no such wonder"):
        harness.process([sys.executable, "-c", "raise SystemExit('no such wonder')"])


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
    found = stability.run(calls, Plan(rounds=3, time_s=0, warmup_s=0, least_s=1e-5), iter([0]), 0)
    assert found.ratio > 0
    assert found.by_torch > 0
    assert not found.accepted


def test_two_clocks(agreement):
    """Both clocks look at every form of a layer once a round."""
    clocks = agreement.Clocks(plan=Plan(rounds=2, time_s=0, warmup_s=0), least_s=1e-4)
    times = agreement.compared(sepcalc.ConvSpec.of(4, 4, 3, size=8), clocks, rounds=2, seed=0)
    assert list(times) == ["standard", "depthwise-separable", "spatial-separable"]
    looks = [taken.samples for each in times.values() for taken in (each.sepcalc, each.torch)]
    assert {len(each) for each in looks} == {2}
    assert min(map(min, looks)) > 0


def test_clocks_that_differ(agreement, harness, capsys):
    """A form on which the clocks differ by over 5 % misses its promise, either way, and its line has both bounds."""
    times = {
        name: agreement.Times(sepcalc=harness.series([2.0 * factor] * 3), torch=harness.series([2.0] * 3))
        for name, factor in {"fast": 0.94, "near": 1.04, "slow": 1.06}.items()
    }
    report = agreement.report(times, markdown=True)
    assert [target.met for target in report.targets] == [False, True, False]
    line = "MISSED: fast, sepcalc / torch: 0.9400 [0.9400, 0.9400], target ≥ 0.95 and ≤ 1.05"
    assert str(report.targets[0]) == line
    near = next(line for line in capsys.readouterr().out.splitlines() if "near" in line)
    assert [each.strip() for each in near.split("|")[1:4]] == ["near", "2,080", "2,000"]


@pytest.fixture
def processes(harness):
    """Three runs of one process, of so many seconds and bytes."""

    def some(seconds, peak_bytes, output=""):
        one = harness.Process(wall_s=seconds, cpu_s=seconds / 2, peak_bytes=0, output=output)
        return [one, replace(one, peak_bytes=peak_bytes), one]

    return some


def test_startup_promise(processes, capsys):
    """The promise is the ratio of two programs by the clock; each has its row, and the processor its column."""
    import startup

    seconds = {startup.LAYER: 0.07, startup.MINIMAL: 0.05, "bare interpreter": 0.01}
    (target,) = startup.report({name: processes(each, 9) for name, each in seconds.items()}, markdown=True).targets
    assert (target.value.value, target.at_most, target.met) == (pytest.approx(1.4), 1.25, False)
    rows = [[each.strip() for each in line.split("|")] for line in capsys.readouterr().out.splitlines()[4:-1]]
    assert [(row[1], row[6]) for row in rows] == [
        ("sepcalc layer", "35.0"),
        ("smallest Typer + Rich program", "25.0"),
        ("bare interpreter", "5.00"),
    ]


def versions_taken(processes, *, new_start=0.05, new_total=7):
    """Processes of two versions, the old of which starts in 50 ms."""
    return {
        (version, task): processes(start, 9, output=f"0.2 0.4 {total}")
        for version, start, total in (("old", 0.05, 7), ("new", new_start, new_total))
        for task in ("start-up", "count", "sweep")
    }


def test_versions(processes, capsys):
    """A version that starts more slowly misses its target, and what did not change is met."""
    import versions

    report = versions.report(versions_taken(processes, new_start=0.06), markdown=True)
    found = {target.what.partition(", new")[0]: (target.value, target.met) for target in report.targets}
    assert found["start-up, clock"] == (pytest.approx(1.2), False)
    assert found["loading"] == found["counting"] == (1.0, True)
    row = next(line for line in capsys.readouterr().out.splitlines() if "start-up, clock" in line)
    assert [cell.strip().split(" ")[0] for cell in row.split("|")[2:5]] == ["50.00", "60.00", "1.200"]


def test_versions_that_count_differently(processes):
    """Times of versions that disagree on the total are not compared."""
    import versions

    versions.check_same_total(versions_taken(processes))
    with pytest.raises(RuntimeError, match="the versions count differently: 7 and 8 MACs"):
        versions.check_same_total(versions_taken(processes, new_total=8))


def test_sweep_promise(processes):
    """The promises are about CSV: its usual time, and the most memory of all its runs."""
    import sweep

    taken = {"even, csv": processes(11.0, 299_000_000), "even, json": processes(99.0, 9_000_000_000)}
    targets = sweep.report(taken, markdown=True).targets
    assert [(each.value, each.met) for each in targets] == [(11.0, False), (299.0, True)]


def test_growth_ratio(growth, processes):
    """A point's ratio is sepcalc's own time / the loader's, as the processes report them, whatever the clock said."""
    samples = {"sepcalc": processes(9.0, 5, output="0.3"), "PyYAML alone": processes(1.0, 7, output="0.2")}
    point = growth.Point(style="flow", layers=10, samples=samples)
    assert point.ratio.value == pytest.approx(1.5)
    assert (point.peak_bytes("sepcalc"), point.median_s("sepcalc")) == (5, 0.3)


@pytest.fixture
def analysis():
    """The benchmark of counting."""
    import analysis

    return analysis


def test_fair_race(analysis, harness, capsys):
    """sepcalc is held against the fastest counter among those whose total is the known one; the others are marked."""
    said = {"thop": 4, "calflops": 4_089_184_256, "torchinfo": 4_089_238_376}
    seconds = {"sepcalc": 1.0, "thop, meta": 2.0, "calflops, meta": 30.0, "torchinfo, meta": 60.0}
    race = analysis.Race(
        title="race",
        network="resnet50",
        others={analysis.Contender(counter=name, device="meta"): total for name, total in said.items()},
        times={name: harness.series([each] * 3) for name, each in seconds.items()},
        bounds={"sepcalc": 50},
    )
    (target,) = analysis.report(race, markdown=False).targets
    assert (target.what, target.value.value, target.met) == ("race: calflops, meta / sepcalc", 30.0, False)
    assert "\nthop, meta (elsewhere 4,133,742,592)" in capsys.readouterr().out


def test_the_report_opens_and_sorts_in_time():
    """The promise is about opening and the first sort together, of the network of 1,000 layers, in the middle case."""
    import report

    taken = [{"opened": opened, "sorted": 0.5, "searched": 9.0, "filtered": 9.0} for opened in (0.7, 1.0, 8.0)]
    (target,) = report.promises(taken)
    assert (target.value, target.at_most) == (1.5, 2)
    assert list(report.STEPS) == ["opened", "sorted", "searched", "filtered"]


def test_document():
    """Every section that is written by the benchmarks has its marked place in the page, once, and nothing else has."""
    import document

    page = document.PAGE.read_text(encoding="utf-8")
    assert re.findall(r"<!-- begin (\w+) -->", page) == re.findall(r"<!-- end (\w+) -->", page)
    assert sorted(re.findall(r"<!-- begin (\w+) -->", page)) == sorted(document.SECTIONS)
    scripts = {each.name for each in BENCHMARKS.glob("*.py") if "--check" in each.read_text(encoding="utf-8")}
    assert {script for script, *_ in document.SECTIONS.values()} == scripts - {"harness.py"}
