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
from functools import partial
from itertools import zip_longest
from pathlib import Path

from interleave import (
    Process,
    Report,
    Target,
    arguments,
    describe,
    dice,
    figures,
    finish,
    in_turns,
    machine,
    process,
    ratio,
    show,
    summary,
)

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


def main() -> int:
    """Measure, print and judge; the exit code."""
    given = arguments(__doc__ or "").parse_args()
    rng, facts = dice(given.seed), machine(PACKAGES)
    print(describe(facts))
    same_words()
    candidates = {name: partial(start, program) for name, program in PROGRAMS.items()}
    samples = in_turns(candidates, rounds=given.rounds or 40, rng=rng)
    wall = {name: [each.wall_s for each in taken] for name, taken in samples.items()}
    cpu = {name: [each.cpu_s for each in taken] for name, taken in samples.items()}
    ratios = {
        name: (ratio(wall[name], wall[MINIMAL], rng=rng), ratio(cpu[name], cpu[MINIMAL], rng=rng)) for name in wall
    }
    rows = []
    for name, (by_wall, by_cpu) in ratios.items():
        found = summary(wall[name])
        rows.append(
            [
                name,
                figures(found.median * 1e3) + ("*" if found.unsteady else ""),
                f"{figures(found.low_quartile * 1e3)} to {figures(found.high_quartile * 1e3)}",
                figures(found.minimum * 1e3),
                str(by_wall),
                figures(by_wall.of_minima),
                figures(summary(cpu[name]).median * 1e3),
                str(by_cpu),
            ]
        )
    show(
        "Start-up, whole processes",
        (
            "",
            "median, ms",
            "quartiles, ms",
            "minimum, ms",
            "ratio [95 %]",
            "of minima",
            "processor, ms",
            "ratio [95 %]",
        ),
        rows,
        markdown=given.markdown,
    )
    target = Target(what=f"{SEPCALC} / {MINIMAL}", value=ratios[SEPCALC][0], at_most=GOAL)
    return finish({"startup": Report(samples=samples, targets=(target,))}, facts, path=given.json, check=given.check)


if __name__ == "__main__":
    sys.exit(main())
