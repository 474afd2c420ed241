"""Timing that can be believed: candidates in turns, medians of per-round ratios, and the machine beside them.

Every round takes one sample of every candidate, in random order, so that whatever else the machine does
falls on all of them alike. The headline is a median; the ratio of two candidates is the median of their
per-round ratios with a bootstrap 95 % interval, and the ratio of their minima stands beside it, because
delays only ever add (Chen & Revels 2016, arXiv:1608.04295). Outliers are kept. Times are in seconds.

>>> from random import Random
>>> samples = in_turns({"fast": lambda: 1.0, "slow": lambda: 3.0}, rounds=30, rng=Random(0))
>>> ratio(samples["slow"], samples["fast"], rng=Random(0))
Ratio(median=3.0, low=3.0, high=3.0, of_minima=3.0)
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import Random
from statistics import median, quantiles
from time import perf_counter_ns
from typing import Any, TypeVar

from sepcalc.measure_machine import cpu_name

T = TypeVar("T")

UNSTEADY = 0.10
"""Above this median / minimum - 1 a figure is marked: something else was running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The samples of one candidate, in the unit of the samples."""

    median: float
    low_quartile: float
    high_quartile: float
    minimum: float
    rounds: int

    @property
    def unsteady(self) -> bool:
        """Whether the median is more than a tenth above the minimum."""
        return self.median / self.minimum - 1 > UNSTEADY


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as long one candidate takes as another: by rounds with a 95 % interval, and by minima."""

    median: float
    low: float
    high: float
    of_minima: float

    def __str__(self) -> str:
        return f"{figures(self.median)} [{figures(self.low)}, {figures(self.high)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What one process took: wall-clock and processor seconds, and the most memory it held, in bytes."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A promise of the benchmark: a measured value and the bound it must keep."""

    what: str
    value: float | Ratio
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value, of a ratio the median, keeps the bound."""
        value = self.value.median if isinstance(self.value, Ratio) else self.value
        low, high = self.at_least, self.at_most
        return (low is None or value >= low) and (high is None or value <= high)

    def __str__(self) -> str:
        bounds = {"≥": self.at_least, "≤": self.at_most}
        bound = " and ".join(f"{sign} {value:g}" for sign, value in bounds.items() if value is not None)
        value = str(self.value) if isinstance(self.value, Ratio) else figures(self.value)
        return f"{'met' if self.met else 'MISSED'}: {self.what}: {value}, target {bound}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a part of a benchmark found: its raw samples, and the promises they are judged by."""

    samples: Mapping[str, Any]
    targets: tuple[Target, ...]


def dice(seed: int) -> Random:
    """The source of chance: orders, resamples and invented networks follow from ``seed``."""
    return Random(seed)  # noqa: S311 - nobody is to be deceived


def in_turns(
    candidates: Mapping[str, Callable[[], T]], *, rounds: int, rng: Random, warm_up: int = 1
) -> dict[str, list[T]]:
    """``rounds`` samples of every candidate, each round in a new random order, after ``warm_up`` unrecorded ones.

    A candidate is a function that takes one sample of itself and returns it. The garbage collector
    runs between rounds and not within one.
    """
    samples: dict[str, list[T]] = {name: [] for name in candidates}
    order = list(candidates)
    collects = gc.isenabled()
    gc.disable()
    try:
        for number in range(-warm_up, rounds):
            rng.shuffle(order)
            gc.collect()
            for name in order:
                sample = candidates[name]()
                if number >= 0:
                    samples[name].append(sample)
    finally:
        if collects:
            gc.enable()
    return samples


def timed(run: Callable[[T], object], prepare: Callable[[], T], *, shortest_s: float = 0.02) -> Callable[[], float]:
    """A candidate whose sample is the mean time of one ``run``, each on what a fresh ``prepare()`` returns.

    Preparations stand outside the clock; as many runs make one sample as last at least ``shortest_s``:
    about as long as one run of the slow candidates, so that all are equally warm.
    """

    def spent_s(runs: int) -> float:
        spent_ns = 0
        for _ in range(runs):
            fresh = prepare()
            start = perf_counter_ns()
            run(fresh)
            spent_ns += perf_counter_ns() - start
        return spent_ns / 1e9

    runs = 1
    while spent_s(runs) < shortest_s:
        runs *= 2
    return lambda: spent_s(runs) / runs


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


def summary(samples: Sequence[float]) -> Summary:
    """Median, quartiles and minimum of ``samples``."""
    low, _, high = quantiles([*samples, samples[0]] if len(samples) == 1 else samples, n=4, method="inclusive")
    return Summary(
        median=median(samples), low_quartile=low, high_quartile=high, minimum=min(samples), rounds=len(samples)
    )


def ratio(samples: Sequence[float], reference: Sequence[float], *, rng: Random, resamples: int = 2000) -> Ratio:
    """``samples`` / ``reference``, sample by sample of the same round."""
    each = [mine / its for mine, its in zip(samples, reference, strict=True)]
    medians = sorted(median(rng.choices(each, k=len(each))) for _ in range(resamples))
    return Ratio(
        median=median(each),
        low=medians[int(0.025 * resamples)],
        high=medians[int(0.975 * resamples)],
        of_minima=min(samples) / min(reference),
    )


def figures(value: float) -> str:
    """``value`` to three significant figures, with thousands separators.

    >>> figures(0.012345), figures(1.0), figures(51.04), figures(6789.0)
    ('0.0123', '1.00', '51.0', '6,789')
    """
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def milliseconds(seconds: float) -> str:
    """``seconds`` in milliseconds, to three figures."""
    return figures(seconds * 1e3)


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """The processor, cores, load, Python and the versions of ``packages``: what the figures depend on."""
    return {
        "cpu": cpu_name() or "unknown",
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "packages": {name: _version(name) for name in packages},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def describe(facts: Mapping[str, Any]) -> str:
    """The machine for people, in a sentence of what it is and one of what is installed."""
    packages = ", ".join(f"{name} {number}" for name, number in facts["packages"].items())
    where = f"{facts['cpu']}, {facts['cores']} cores, load {facts['load']}, {facts['system']}, {facts['python']}"
    return f"{where}.\n{packages}.\n"


def show(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], *, markdown: bool) -> None:
    """Print a table: for the terminal, or as Markdown for the documentation."""
    if markdown:
        lines = [headings, [":--", *["--:"] * (len(headings) - 1)], *rows]
        print(f"**{title}**\n", *(f"| {' | '.join(line)} |" for line in lines), "", sep="\n")
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    Console(width=200, highlight=False, markup=False).print(table)


def finish(reports: Mapping[str, Report], facts: Mapping[str, Any], *, path: Path | None, check: bool) -> int:
    """Print each target, save the raw samples to ``path``; the exit code: 1 for a missed target under ``check``."""
    targets = [target for report in reports.values() for target in report.targets]
    for target in targets:
        print(f"- {target}")
    if path:
        save(path, {"machine": facts, "reports": reports})
    return int(check and not all(target.met for target in targets))


def save(path: Path, results: Mapping[str, Any]) -> None:
    """Write ``results`` to ``path`` as JSON, through a temporary file and a rename."""
    partial = path.with_name(path.name + ".part")
    partial.write_text(json.dumps(results, indent=1, default=asdict) + "\n")
    partial.replace(path)


def arguments(description: str) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    parser = argparse.ArgumentParser(description=description.split("\n", 1)[0])
    parser.add_argument("-n", "--rounds", type=int, help="samples of each candidate")
    parser.add_argument("--seed", type=int, default=0, help="of the order in each round and of the bootstrap")
    parser.add_argument("--check", action="store_true", help="exit 1 where a target is missed")
    parser.add_argument("--markdown", action="store_true", help="print tables as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the raw samples")
    return parser
