"""What the benchmarks share: options, rounds in turns, processes, tables, targets, and the machine.

The rounds are those of :mod:`sepcalc.measure.loop`, their summary is :mod:`sepcalc.measure.statistics`, as for
``sepcalc measure`` itself. But a candidate that fails ends everything: half a benchmark is none. Times are in seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from math import inf
from pathlib import Path
from time import perf_counter_ns
from typing import Any, NoReturn, TypeVar

from sepcalc.core.table import Cell, Column, Estimate, Row, Table
from sepcalc.measure import machine as measure_machine
from sepcalc.measure.loop import Call, Clock, Measurement, Pending, Plan, Sample, Sampler, Series, measure, on_host
from sepcalc.measure.statistics import UNSTEADY, PairedRatio, Summary
from sepcalc.render.cells import human
from sepcalc.render.files import write
from sepcalc.render.formats import render_tables

T = TypeVar("T")

SEPCALC = (sys.executable, "-c", "from sepcalc.cli.main import main; main()")
"""The program, started as its installed script does."""

NAME = Column(key="name", title="")
MEDIAN = Column(key="median_s", title="median [quartiles], ms", kind="time", unit="ms", interval=True)
MINIMUM = Column(key="minimum_s", title="minimum, ms", kind="time", unit="ms")
RATIO = Column(key="ratio", title="ratio [95 %]", kind="quotient", interval=True)
OF_MINIMA = Column(key="of_minima", title="of minima", kind="quotient")
"""Columns that several benchmarks have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process: its wall-clock and processor seconds, the most memory it held in bytes, and its output."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A promise of the benchmark: a measured value and its bounds."""

    what: str
    value: float | PairedRatio
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value, of a ratio the median, is within the bounds."""
        value = self.value.value if isinstance(self.value, PairedRatio) else self.value
        low, high = self.at_least, self.at_most
        return (low is None or value >= low) and (high is None or value <= high)

    def __str__(self) -> str:
        bounds = {"≥": self.at_least, "≤": self.at_most}
        bound = " and ".join(f"{sign} {value:g}" for sign, value in bounds.items() if value is not None)
        value = interval(self.value) if isinstance(self.value, PairedRatio) else self.value
        return f"{'met' if self.met else 'MISSED'}: {self.what}: {figures(value)}, target {bound}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of a part of a benchmark: its raw samples, and its targets."""

    samples: Mapping[str, Any]
    targets: tuple[Target, ...]


def exactly(rounds: int, seed: int, *, least_s: float = 0.0) -> Plan:
    """A plan of so many rounds and no more, after one sample of each candidate that is not recorded."""
    return Plan(rounds=rounds, time_s=0, warmup_s=0, warmup_calls=1, least_s=least_s, seed=seed)


def measured(calls: Mapping[str, Call], plan: Plan, sample: Sampler = on_host) -> Measurement:
    """The complete measurement of ``calls``: an error of one ends it, and so does Ctrl-C."""
    found = measure(calls, plan, sample=sample, reason=_raise)
    if found.interrupted:
        raise KeyboardInterrupt
    return found


def _raise(error: Exception) -> NoReturn:
    raise error


def in_turns(candidates: Mapping[str, Callable[[], T]], *, rounds: int, seed: int) -> dict[str, list[T]]:
    """What each candidate returned in each round; it measures itself.

    >>> in_turns({"one": lambda: 1, "two": lambda: 2}, rounds=3, seed=0)
    {'one': [1, 1, 1], 'two': [2, 2, 2]}
    """
    returned: dict[str, list[T]] = {name: [] for name in candidates}

    def take(name: str) -> None:
        returned[name].append(candidates[name]())

    measured({name: partial(take, name) for name in candidates}, exactly(rounds, seed))
    return {name: samples[-rounds:] for name, samples in returned.items()}


def prepared(call: Call, inner: int, clock: Clock) -> Pending:
    """A sampler of calls that prepare and return a call: that one alone is timed."""
    spent_ns = 0
    for _ in range(inner):
        ready: Any = call()
        start = clock()
        ready()
        spent_ns += clock() - start
    sample = Sample(spent_ns / 1e9)
    return lambda: sample


def process(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Process:
    """Run ``command`` to its end, its output captured; Python keeps what it compiles, as an installed program has it.

    Raises :class:`RuntimeError` with the end of its error output where it fails.
    """
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})}
    start = perf_counter_ns()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables) as child:
        assert child.stdout is not None  # noqa: S101
        assert child.stderr is not None  # noqa: S101
        output, complaint = child.stdout.read(), child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        wall_s = (perf_counter_ns() - start) / 1e9
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)[:200]} failed: {complaint.decode()[-500:]}")
    unit = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in KiB except there
    return Process(
        wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime, peak_bytes=used.ru_maxrss * unit, output=output.decode()
    )


def series(samples: Iterable[float]) -> Series:
    """The seconds that a candidate reported of itself, one for each round."""
    return Series(inner=1, samples=tuple(samples))


def wall_times(taken: Mapping[str, Sequence[Process]]) -> dict[str, Series]:
    """The wall-clock times of each candidate's processes."""
    return {name: series(done.wall_s for done in processes) for name, processes in taken.items()}


def cpu_times(taken: Mapping[str, Sequence[Process]]) -> dict[str, Series]:
    """The processor times of each candidate's processes."""
    return {name: series(done.cpu_s for done in processes) for name, processes in taken.items()}


def interval(found: PairedRatio | Summary) -> Estimate:
    """A ratio with its 95 % interval, or a median with the quartiles."""
    if isinstance(found, PairedRatio):
        return Estimate.of(found.value, found.low, found.high)
    return Estimate.of(found.median_s, found.q1_s, found.q3_s)


def starred(name: str, *found: Summary) -> str:
    """``name``, with a star where a median is more than a tenth above the minimum: something else was running."""
    return f"{name} *" if any(summary.spread > UNSTEADY for summary in found) else name


def timing_cells(name: str, found: Summary) -> list[Cell]:
    """The cells of :data:`NAME`, :data:`MEDIAN` and :data:`MINIMUM`."""
    return [starred(name, found), interval(found), Fraction(found.minimum_s)]


def figures(value: float | Estimate) -> str:
    """``value`` in a sentence: to three figures, or to those that its interval allows.

    >>> figures(0.012345), figures(Estimate.of(1.07, 1.05, 1.09)), figures(inf)
    ('0.0123', '1.07 [1.05, 1.09]', 'unknown')
    """
    if value == inf:
        return "unknown"
    return human(value if isinstance(value, Estimate) else Fraction(value), RATIO)


def show(title: str, columns: Iterable[Column], rows: Iterable[Sequence[Cell]], *, markdown: bool) -> None:
    """Print a table: for the terminal, or as Markdown for the documentation."""
    body = tuple(Row(cells=tuple(cells)) for cells in rows)
    table = Table(name="benchmark", title=title, columns=tuple(columns), rows=body)
    print(render_tables([table], "markdown" if markdown else "terminal").rstrip(), end="\n\n")


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """The machine, Python and the versions of ``packages``."""
    return {**measure_machine.machine(), "packages": {name: _version(name) for name in packages}}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def describe(facts: Mapping[str, Any]) -> str:
    """The machine for people: a sentence on what it is, and one on the packages."""
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    where = f"{facts['cpu']}, {facts['cores']} cores, load {facts['load']}, {facts['system']}, {facts['python']}"
    return "".join(f"{fact}.\n" for fact in (where, packages) if fact)


def finish(reports: Mapping[str, Report], facts: Mapping[str, Any], options: argparse.Namespace) -> int:
    """Print each target, save the raw samples if asked to; the exit code: 1 for a missed target under ``--check``."""
    targets = [target for report in reports.values() for target in report.targets]
    for target in targets:
        print(f"- {target}")
    if options.json:
        write(options.json, json.dumps({"machine": facts, "reports": reports}, indent=1, default=asdict) + "\n")
    return int(options.check and not all(target.met for target in targets))


def benchmark(
    description: str | None,
    packages: Iterable[str],
    reports: Callable[[argparse.Namespace], Mapping[str, Report]],
    *,
    rounds: int,
) -> int:
    """Print the machine, and the tables and targets of the ``reports``; the exit code.

    ``packages`` are those that the figures depend on, ``rounds`` those that are taken unless an option says otherwise.
    """
    options = arguments(description, rounds=rounds).parse_args()
    facts = machine(packages)
    print(describe(facts))
    return finish(reports(options), facts, options)


def arguments(description: str | None, *, rounds: int | None = None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=(description or "").split("\n", 1)[0])
    parser.add_argument("-n", "--rounds", type=int, default=rounds, help="samples of each candidate")
    parser.add_argument("--seed", type=int, default=0, help="of the order in each round")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the raw samples")
    return parser
