"""Two versions of sepcalc in one run: how long the new one takes beside the old one.

    python benchmarks/versions.py old/bin/python new/bin/python

Each argument is the interpreter of an environment in which a version is installed, compiled and with the same versions
of the libraries. Only what both have is used: the installed script and ``sepcalc.load``. All processes take turns; a
ratio is the new one's time / the old one's, below 1 where the new one is faster. *Start-up* is ``sepcalc layer`` by the
clock and by the processor's time; *sweep* is 100,000 points to CSV. *Loading* and *counting* are of a generated file
of 10,000 layers, hardly two of them alike, in the processor's time without start and imports.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from growth import write_network
from harness import (
    MEDIAN,
    NAME,
    OF_MINIMA,
    RATIO,
    Process,
    Report,
    Target,
    arguments,
    describe,
    finish,
    in_turns,
    interval,
    machine,
    process,
    series,
    show,
    starred,
)

from sepcalc.core.table import Cell
from sepcalc.measure.loop import Series
from sepcalc.measure.statistics import NOISE, paired_ratio, summarize

COMMANDS = {
    "start-up": "layer --cin 64 --cout 128 -k 3",
    "sweep": "sweep --cin 64 --cout 96:1086:10 -k 3:12 --size 1:100 -f csv",
}

PROGRAM = """
import sys
from time import process_time
import sepcalc
sepcalc.load(sys.argv[1]).totals()
start = process_time()
network = sepcalc.load(sys.argv[2])
loaded = process_time()
totals = network.totals()
print(loaded - start, process_time() - loaded, network.cost.macs)
"""

FIGURES: Mapping[str, tuple[str, Callable[[Process], float]]] = {
    "start-up, clock": ("start-up", lambda done: done.wall_s),
    "start-up, processor": ("start-up", lambda done: done.cpu_s),
    "loading": ("count", lambda done: float(done.output.split()[0])),
    "counting": ("count", lambda done: float(done.output.split()[1])),
    "sweep": ("sweep", lambda done: done.cpu_s),
}
"""What is compared: of which process, and how many of its seconds."""

Taken = Mapping[tuple[str, str], Sequence[Process]]
"""The processes by version, ``old`` or ``new``, and by task."""


def measured(pythons: Mapping[str, Path], *, rounds: int, seed: int) -> Taken:
    """The processes of both versions, in turns."""
    with TemporaryDirectory() as folder:
        files = [write_network(Path(folder, f"{n}.yaml"), "flow, all different", n) for n in (10, 10_000)]
        candidates = {}
        for version, python in pythons.items():
            # The script that stands beside the interpreter is what a user starts.
            tasks = {task: [str(python.with_name("sepcalc")), *line.split()] for task, line in COMMANDS.items()}
            tasks["count"] = [str(python), "-c", PROGRAM, *map(str, files)]
            for task, command in tasks.items():
                # Without the path of this process, in which another version may lie.
                candidates[version, task] = partial(process, command, {"PYTHONPATH": "", "COLUMNS": "120"})
        by_name = {" ".join(key): candidate for key, candidate in candidates.items()}
        taken = in_turns(by_name, rounds=rounds, seed=seed)
        return {key: taken[" ".join(key)] for key in candidates}


def check_same_total(taken: Taken) -> None:
    """Raise :class:`RuntimeError` where the versions count the same file differently."""
    totals = {version: taken[version, "count"][0].output.split()[2] for version in ("old", "new")}
    if totals["old"] != totals["new"]:
        raise RuntimeError(f"the versions count differently: {totals['old']} and {totals['new']} MACs")


def report(taken: Taken, *, markdown: bool) -> Report:
    """Print the table; the processes, and a target for each figure: its interval reaches down to "not slower"."""
    times: dict[str, tuple[Series, Series]] = {}
    for name, (task, seconds) in FIGURES.items():
        old, new = (series(map(seconds, taken[version, task])) for version in ("old", "new"))
        times[name] = old, new
    ratios = {name: paired_ratio(new, old) for name, (old, new) in times.items()}

    def row(name: str) -> list[Cell]:
        old, new = map(summarize, times[name])
        cells = (interval(old), interval(new), interval(ratios[name]), Fraction(ratios[name].of_minima))
        return [starred(name, old, new), *cells]

    heads = (replace(MEDIAN, key=f"{version}_s", title=f"{version} [quartiles], ms") for version in ("old", "new"))
    show("New version beside the old one", (NAME, *heads, RATIO, OF_MINIMA), map(row, times), markdown=markdown)
    return Report(
        samples={" ".join(key): processes for key, processes in taken.items()},
        targets=tuple(
            Target(what=f"{name}, new / old, low end", value=ratio.low, at_most=1 + NOISE)
            for name, ratio in ratios.items()
        ),
    )


def main() -> int:
    """Compare the versions; the exit code."""
    parser = arguments(__doc__, rounds=20)
    parser.add_argument("old", type=Path, help="the interpreter of the old version")
    parser.add_argument("new", type=Path, help="the interpreter of the new version")
    options: argparse.Namespace = parser.parse_args()
    facts = machine(())
    print(describe(facts))
    taken = measured({"old": options.old, "new": options.new}, rounds=options.rounds, seed=options.seed)
    check_same_total(taken)
    return finish({"versions": report(taken, markdown=options.markdown)}, facts, options)


if __name__ == "__main__":
    sys.exit(main())
