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
from sepcalc.measure.statistics import paired_ratio, summarize

SEPCALC, MINIMAL = "sepcalc layer", "smallest Typer + Rich program"
PROGRAMS = {
    SEPCALC: ("from sepcalc.cli import main; main()", "layer", "--cin", "64", "--cout", "128", "-k", "3"),
    MINIMAL: ("from minimal import run; run()",),
    "import typer, rich": ("import typer, rich.console, rich.table",),
    "bare interpreter": ("pass",),
}
GOAL = 1.25
PACKAGES = ("sepcalc", "typer", "rich", "click")
"""What the figures depend on."""


def start(program: tuple[str, ...]) -> Process:
    """Run ``program``, the code and the arguments, to its end."""
    search = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(Path(__file__).parent))))
    return process([sys.executable, "-c", *program], {"PYTHONPATH": search, "COLUMNS": "120"})


def same_words() -> None:
    """Check that both print the same words, whatever the rules between them.

    Raises :class:`RuntimeError` where they do not: then ``minimal.py`` has to follow what ``sepcalc layer`` prints.
    """
    own, minimal = (words(start(PROGRAMS[name]).output) for name in (SEPCALC, MINIMAL))
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
    """Print the table of all programs; the processes, and the promise."""
    wall = {name: series(each.wall_s for each in done) for name, done in taken.items()}
    cpu = {name: series(each.cpu_s for each in done) for name, done in taken.items()}
    ratios = {name: paired_ratio(wall[name], wall[MINIMAL]) for name in taken}

    def row(name: str) -> list[Cell]:
        by_wall, by_cpu = summarize(wall[name]), summarize(cpu[name])
        return [
            starred(name, by_wall),
            interval(by_wall),
            Fraction(by_wall.minimum_s),
            interval(ratios[name]),
            Fraction(ratios[name].of_minima),
            Fraction(by_cpu.median_s),
            interval(paired_ratio(cpu[name], cpu[MINIMAL])),
        ]

    processor = replace(MINIMUM, key="cpu_s", title="processor, ms")
    columns = (NAME, MEDIAN, MINIMUM, RATIO, OF_MINIMA, processor, replace(RATIO, key="cpu_ratio"))
    show("Start-up, whole processes", columns, map(row, taken), markdown=markdown)
    target = Target(what=f"{SEPCALC} / {MINIMAL}", value=ratios[SEPCALC], at_most=GOAL)
    return Report(samples=taken, targets=(target,))


def main() -> int:
    """Measure, print and judge; the exit code."""
    options = arguments(__doc__ or "").parse_args()
    facts = machine(PACKAGES)
    print(describe(facts))
    same_words()
    candidates = {name: partial(start, program) for name, program in PROGRAMS.items()}
    taken = in_turns(candidates, rounds=options.rounds or 40, seed=options.seed)
    return finish({"startup": report(taken, markdown=options.markdown)}, facts, options)


if __name__ == "__main__":
    sys.exit(main())
