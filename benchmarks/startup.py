"""Start-up: ``sepcalc layer`` as a whole process beside the smallest Typer + Rich program that prints such a table.

    python benchmarks/startup.py
    python benchmarks/startup.py --rounds 100 --check      # exit 1 above 1.25 ×

Both are started in the same way, as an installed script is: a new interpreter imports a function and calls
it, from compiled files. They run in turns, in random order, with their output captured; ``minimal.py``
prints the same words as one Rich table with a title and a caption, which is checked first.

Wall-clock time is the headline; the processor's time (user and system) is less at the mercy of neighbours. A bare
interpreter and one that imports Typer and Rich stand beside them, to show where the time goes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import zip_longest
from pathlib import Path

from harness import (
    MEDIAN,
    MINIMUM,
    NAME,
    OF_MINIMA,
    RATIO,
    SEPCALC,
    Process,
    Report,
    Target,
    benchmark,
    cpu_times,
    in_turns,
    interval,
    process,
    show,
    timing_cells,
    wall_times,
)

from sepcalc.core.table import Cell
from sepcalc.measure.statistics import paired_ratio, summarize

LAYER, MINIMAL = "sepcalc layer", "smallest Typer + Rich program"
PROGRAMS = {
    LAYER: (*SEPCALC, "layer", "--cin", "64", "--cout", "128", "-k", "3"),
    MINIMAL: (sys.executable, "-c", "from minimal import run; run()"),
    "import typer, rich": (sys.executable, "-c", "import typer, rich.console, rich.table"),
    "bare interpreter": (sys.executable, "-c", "pass"),
}
GOAL = 1.25
PACKAGES = ("sepcalc", "typer", "rich", "click")


def start(program: tuple[str, ...]) -> Process:
    """Run ``program`` to its end, where it finds ``minimal.py``."""
    search = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(Path(__file__).parent))))
    return process(program, {"PYTHONPATH": search, "COLUMNS": "120"})


def same_words() -> None:
    """Check that both print the same words, whatever the rules between them.

    Raises :class:`RuntimeError` where they do not: then ``minimal.py`` has to follow what ``sepcalc layer`` prints.
    """
    own, minimal = (words(start(PROGRAMS[name]).output) for name in (LAYER, MINIMAL))
    for mine, its in zip_longest(own, minimal):
        if mine != its:
            raise RuntimeError(f"sepcalc layer prints {mine!r} where minimal.py prints {its!r}; bring it up to date")


def words(text: str) -> list[str]:
    """The words of ``text`` without the lines of its table.

    >>> words("┃ a ┃ ━━━━━")
    ['a']
    """
    return [word for word in text.split() if any(not "\u2500" <= letter <= "\u257f" for letter in word)]


def report(taken: Mapping[str, Sequence[Process]], *, markdown: bool) -> Report:
    """Print the table of all programs; the processes, and the target."""
    wall, cpu = wall_times(taken), cpu_times(taken)
    ratios = {name: paired_ratio(wall[name], wall[MINIMAL]) for name in taken}

    def row(name: str) -> list[Cell]:
        return [
            *timing_cells(name, summarize(wall[name])),
            interval(ratios[name]),
            Fraction(ratios[name].of_minima),
            Fraction(summarize(cpu[name]).median_s),
            interval(paired_ratio(cpu[name], cpu[MINIMAL])),
        ]

    processor = replace(MINIMUM, key="cpu_s", title="processor, ms")
    columns = (NAME, MEDIAN, MINIMUM, RATIO, OF_MINIMA, processor, replace(RATIO, key="cpu_ratio"))
    show("Start-up, whole processes", columns, map(row, taken), markdown=markdown)
    target = Target(what=f"{LAYER} / {MINIMAL}", value=ratios[LAYER], at_most=GOAL)
    return Report(samples=taken, targets=(target,))


def reports(options: argparse.Namespace) -> dict[str, Report]:
    """Start all programs in turns."""
    same_words()
    candidates = {name: partial(start, program) for name, program in PROGRAMS.items()}
    taken = in_turns(candidates, rounds=options.rounds, seed=options.seed)
    return {"startup": report(taken, markdown=options.markdown)}


if __name__ == "__main__":
    sys.exit(benchmark(__doc__, PACKAGES, reports, rounds=40))
