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
from collections.abc import Callable, Mapping, Sequence
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
    series,
    show,
    starred,
)

from sepcalc.measure import Series
from sepcalc.measure_statistics import Ratio, ratio, summarize
from sepcalc.table import Cell, Column

PACKAGES = ("sepcalc", "typer", "rich", "PyYAML", "msgspec", *counters.PACKAGES)
LIBRARY = "import sys, sepcalc; print(sepcalc.load(sys.argv[1]).cost.macs)"
COMMAND = "from sepcalc.cli import main; main()"
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
    """A counter of others on one device, and what it says of a network."""

    counter: str
    device: str
    total: int
    known: int

    @property
    def name(self) -> str:
        """Counter and device."""
        return f"{self.counter}, {self.device}"

    @property
    def fair(self) -> bool:
        """Whether it counted what it is known to count."""
        return self.total == self.known


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """The times of everyone on one ``network``; ``bounds`` is how many times as fast sepcalc has to be, by its name."""

    title: str
    network: str
    others: Sequence[Contender]
    times: Mapping[str, Series]
    bounds: Mapping[str, float]

    @property
    def fastest(self) -> str:
        """The fastest of the fair others."""
        return min((each.name for each in self.others if each.fair), key=lambda name: median(self.times[name].samples))


def contenders(network: str, say: Callable[[str, str], int]) -> list[Contender]:
    """Every counter on every device that it can use; ``say(counter, device)`` counts once."""
    return [
        Contender(counter=counter, device=device, total=say(counter, device), known=known[network])
        for counter, known in counters.KNOWN.items()
        for device in (("cpu",) if counter in counters.COMPUTES else ("cpu", "meta"))
    ]


def counting(network: str, *, rounds: int, seed: int) -> Race:
    """Count ``network`` in one warm process."""
    import sepcalc

    counters.quiet()
    models = {device: counters.build(network, device) for device in ("cpu", "meta")}

    def say(counter: str, device: str) -> int:
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

    others = contenders(network, say)
    candidates: dict[str, Callable[[], Callable[[], object]]] = {
        "sepcalc, count": lambda: partial(attrgetter("cost"), loaded()),
        "sepcalc, count with three what-ifs": lambda: loaded().totals,
        "sepcalc, load + count": from_file,
    }
    for each in others:
        candidates[each.name] = partial(partial, say, each.counter, each.device)
    # A sample lasts about as long as one run of the slow ones, so that all are equally warm.
    found = measured(candidates, exactly(rounds, seed, least_s=0.02), run=prepared)
    return Race(
        title=f"{network} in one warm process",
        network=network,
        others=others,
        times={each.key: each for each in found.series},
        bounds={"sepcalc, count": 50, "sepcalc, load + count": 10},
    )


def caches() -> list[Callable[[], None]]:
    """What empties each cache in which sepcalc remembers costs and expressions.

    What it knows of its own argument types stays, as torch's registries do.
    """
    mine = [vars(module) for name, module in list(sys.modules.items()) if name.split(".")[0] == "sepcalc"]
    found = [value for names in mine for word, value in names.items() if word != "fields"]
    return [value.cache_clear for value in found if hasattr(value, "cache_clear")]


def processes(network: str, *, rounds: int, seed: int) -> Race:
    """Count ``network`` from nothing, each time in a new process."""

    def run(*command: str) -> Process:
        return process([sys.executable, *command], {"OMP_NUM_THREADS": "1"})

    def other(counter: str, device: str) -> Process:
        return run(counters.__file__, counter, network, device)

    others = contenders(network, lambda counter, device: int(other(counter, device).output.split()[-1]))
    candidates = {
        "sepcalc, library": lambda: run("-c", LIBRARY, network),
        "sepcalc, command": lambda: run("-c", COMMAND, "network", network),
    }
    for each in others:
        candidates[each.name] = partial(other, each.counter, each.device)
    taken = in_turns(candidates, rounds=rounds, seed=seed)
    return Race(
        title=f"{network}, whole processes",
        network=network,
        others=others,
        times={name: series(each.wall_s for each in done) for name, done in taken.items()},
        bounds={"sepcalc, library": 15, "sepcalc, command": 15},
    )


def report(race: Race, *, markdown: bool) -> Report:
    """Print what everyone took, and hold sepcalc against the fastest of the fair others."""
    ratios = {name: ratio(race.times[race.fastest], each) for name, each in race.times.items()}
    totals = {each.name: each for each in race.others}
    show(
        f"{race.title}; fastest of the others: {race.fastest}",
        COLUMNS,
        [_row(race, name, totals.get(name), ratios[name]) for name in race.times],
        markdown=markdown,
    )
    return Report(
        samples=race.times,
        targets=tuple(
            Target(what=f"{race.title}: {race.fastest} / {name}", value=ratios[name], at_least=bound)
            for name, bound in race.bounds.items()
        ),
    )


def _row(race: Race, name: str, other: Contender | None, faster: Ratio) -> list[Cell]:
    found, exact = summarize(race.times[name]), counters.MACS[race.network]
    total = other.total if other else exact
    known = "" if other is None or other.fair else f" (elsewhere {other.known:,})"
    times = (interval(found), Fraction(found.minimum_s), interval(faster))
    return [starred(f"{name}{known}", found), total, Fraction(total, exact), *times]


def main() -> int:
    """Run the chosen parts; the exit code."""
    parser = arguments(__doc__ or "")
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
