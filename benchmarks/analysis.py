"""How long counting takes: sepcalc beside the counters of others, and how it grows with the file.

    python benchmarks/analysis.py                          # the three parts, one after the other
    python benchmarks/analysis.py growth --rounds 3
    python benchmarks/analysis.py --check                  # exit 1 where a target is missed

*growth* is described in ``growth.py``. *processes*: from nothing to the total, each sample a new process that
imports, builds or loads, counts and prints. *counting*: the same in one warm process, where the models of the
others are already built; for sepcalc "count" has a loaded network and "load + count" starts from the YAML file.
Whatever sepcalc remembers of a network is wiped before each sample, and each one counts a newly loaded network.

Everything runs on one thread. The others are called as ``counters.py`` says, on torch's CPU and on its meta
device where they can. sepcalc is held against the fastest of them whose total is the one it is known for.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from operator import attrgetter
from statistics import median

import counters
import growth
from harness import (
    MEDIAN,
    MINIMUM,
    NAME,
    RATIO,
    SEPCALC,
    Process,
    Report,
    Target,
    arguments,
    describe,
    exactly,
    finish,
    in_turns,
    interval,
    machine,
    measured,
    prepared,
    process,
    show,
    timing_cells,
    wall_times,
)

from sepcalc.core.table import Cell, Column
from sepcalc.measure.loop import Series
from sepcalc.measure.statistics import PairedRatio, paired_ratio, summarize

PACKAGES = ("sepcalc", "typer", "rich", "PyYAML", "msgspec", *counters.PACKAGES)
LIBRARY = "import sys, sepcalc; print(sepcalc.load(sys.argv[1]).cost.macs)"
COLUMNS = (
    NAME,
    Column(key="total", title="total", kind="count"),
    Column(key="of_macs", title="of the MACs", kind="share"),
    MEDIAN,
    MINIMUM,
    replace(RATIO, title="fastest / it [95 %]"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A counter of others on one device."""

    counter: str
    device: str

    @property
    def name(self) -> str:
        """Counter and device."""
        return f"{self.counter}, {self.device}"


CONTENDERS = tuple(
    Contender(counter=counter, device=device)
    for counter in counters.KNOWN
    for device in (("cpu",) if counter in counters.COMPUTES else ("cpu", "meta"))
)
"""Every counter on every device that it can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """The times of everyone on one ``network``, and the totals of the others.

    ``bounds``, by the name of what sepcalc does, is how many times as fast as the fastest of them it has to be.
    """

    title: str
    network: str
    others: Mapping[Contender, int]
    times: Mapping[str, Series]
    bounds: Mapping[str, float]

    @property
    def fastest(self) -> str:
        """The fastest of the others that counted what they are known to count."""
        fair = [other.name for other, total in self.others.items() if total == self.known(other)]
        return min(fair, key=lambda name: median(self.times[name].samples))

    def known(self, other: Contender) -> int:
        """The total that a counter is known for."""
        return counters.KNOWN[other.counter][self.network]


def counting(network: str, *, rounds: int, seed: int) -> Race:
    """Count ``network`` in one warm process."""
    import sepcalc

    counters.quiet()
    models = {device: counters.build(network, device) for device in ("cpu", "meta")}

    def total(counter: str, device: str) -> int:
        with contextlib.redirect_stdout(io.StringIO()):  # ptflops warns there
            return counters.COUNTERS[counter](*models[device])

    sepcalc.load(network).totals()
    memory = caches()

    def forget() -> None:
        for clear in memory:
            clear()

    def loaded() -> sepcalc.Network:
        found = sepcalc.load(network)
        forget()
        return found

    def from_file() -> Callable[[], object]:
        forget()
        return lambda: sepcalc.load(network).cost

    others = {other: total(other.counter, other.device) for other in CONTENDERS}
    candidates: dict[str, Callable[[], Callable[[], object]]] = {
        "sepcalc, count": lambda: partial(attrgetter("cost"), loaded()),
        "sepcalc, count with three what-ifs": lambda: loaded().totals,
        "sepcalc, load + count": from_file,
    }
    for other in others:
        candidates[other.name] = partial(partial, total, other.counter, other.device)
    # A sample lasts about as long as one run of the slow ones, so that all are equally warm.
    found = measured(candidates, exactly(rounds, seed, least_s=0.02), sample=prepared)
    return Race(
        title=f"{network} in one warm process",
        network=network,
        others=others,
        times=found.series,
        bounds={"sepcalc, count": 50, "sepcalc, load + count": 10},
    )


def caches() -> list[Callable[[], None]]:
    """The functions that empty sepcalc's caches of costs and expressions; its argument types stay known."""
    mine = [vars(module) for name, module in list(sys.modules.items()) if name.split(".")[0] == "sepcalc"]
    found = [value for names in mine for word, value in names.items() if word != "fields"]
    return [value.cache_clear for value in found if hasattr(value, "cache_clear")]


def processes(network: str, *, rounds: int, seed: int) -> Race:
    """Count ``network`` from nothing, each time in a new process."""

    def run(*command: str) -> Process:
        return process(command, {"OMP_NUM_THREADS": "1"})

    candidates = {
        "sepcalc, library": partial(run, sys.executable, "-c", LIBRARY, network),
        "sepcalc, command": partial(run, *SEPCALC, "network", network),
    }
    for other in CONTENDERS:
        candidates[other.name] = partial(run, sys.executable, counters.__file__, other.counter, network, other.device)
    taken = in_turns(candidates, rounds=rounds, seed=seed)
    return Race(
        title=f"{network}, whole processes",
        network=network,
        others={other: int(taken[other.name][0].output.split()[-1]) for other in CONTENDERS},
        times=wall_times(taken),
        bounds={"sepcalc, library": 15, "sepcalc, command": 15},
    )


def report(race: Race, *, markdown: bool) -> Report:
    """Print what everyone took, and hold sepcalc against the fastest of the fair others."""
    ratios = {name: paired_ratio(race.times[race.fastest], times) for name, times in race.times.items()}
    title = f"{race.title}; fastest of the others: {race.fastest}"
    show(title, COLUMNS, _rows(race, ratios), markdown=markdown)
    return Report(
        samples=race.times,
        targets=tuple(
            Target(what=f"{race.title}: {race.fastest} / {name}", value=ratios[name], at_least=bound)
            for name, bound in race.bounds.items()
        ),
    )


def _rows(race: Race, ratios: Mapping[str, PairedRatio]) -> Iterator[list[Cell]]:
    others = {other.name: other for other in race.others}
    exact = counters.MACS[race.network]
    for name, times in race.times.items():
        other, total, label = others.get(name), exact, name
        if other:
            total = race.others[other]
            label += "" if total == race.known(other) else f" (elsewhere {race.known(other):,})"
        starred, *taken = timing_cells(label, summarize(times))
        yield [starred, total, Fraction(total, exact), *taken, interval(ratios[name])]


def main() -> int:
    """Run the chosen parts; the exit code."""
    parser = arguments(__doc__)
    parts = {"growth": 5, "processes": 5, "counting": 30}  # the heap of the last would stain the memory of the first
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="all of them by default")
    options = parser.parse_args()
    facts = machine(PACKAGES)
    print(describe(facts))
    reports: dict[str, Report] = {}
    for part, usual in parts.items():
        rounds = options.rounds or usual
        if options.parts and part not in options.parts:
            continue
        if part == "growth":
            reports[part] = growth.report(rounds=rounds, seed=options.seed, markdown=options.markdown)
            continue
        for network in counters.MACS:
            race = {"processes": processes, "counting": counting}[part](network, rounds=rounds, seed=options.seed)
            reports[f"{part}, {network}"] = report(race, markdown=options.markdown)
    return finish(reports, facts, options)


if __name__ == "__main__":
    sys.exit(main())
