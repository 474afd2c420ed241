"""A sweep of a million points as a whole process: how long it takes, and how much memory, for each format.

    python benchmarks/sweep.py
    python benchmarks/sweep.py --rounds 10 --check      # exit 1 above 10 s or 300 MB to CSV

A point is one convolution, with a row for each of the first three variants: three million rows. The ``even`` grid asks
every convolution the same questions; in the ``uneven`` one kernels of 1, strides, and channels on both sides of
each other part every block of points. Files go to a temporary folder, and the number of their rows is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

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
    show,
    summary,
)

GRIDS = {
    "even": "--cin 64 --cout 96:1086:10 -k 3:102 --size 1:100",
    "uneven": "--cin 16:160:16 --cout 8:1600:16 -k 1:9:2 --size 7:106 --stride 1,2",
}
"""A million points each."""

FORMATS = ("csv", "json", "parquet")
ROWS = 3_000_000
SECONDS, MEGABYTES = 10, 300
PACKAGES = ("sepcalc", "polars")
"""What the figures depend on."""


def sweep(grid: str, path: Path) -> Process:
    """Run the sweep of a grid to its end.

    Raises :class:`RuntimeError` where the file has not every row.
    """
    program = "from sepcalc.cli import main; main()"
    done = process([sys.executable, "-c", program, "sweep", *GRIDS[grid].split(), "-o", str(path)])
    if path.suffix == ".csv":
        with path.open("rb") as file:  # line by line: a process begins with the memory of the one that started it
            found = sum(1 for _ in file) - 1
        if found != ROWS:
            raise RuntimeError(f"{path.name} has {found:,} rows, not {ROWS:,}")
    return done


def main() -> int:
    """Measure, print and judge; the exit code."""
    given = arguments(__doc__ or "").parse_args()
    rng, facts = dice(given.seed), machine(PACKAGES)
    print(describe(facts))
    with TemporaryDirectory() as folder:
        candidates: dict[str, Callable[[], Process]] = {
            f"{grid}, {form}": partial(sweep, grid, Path(folder) / f"{grid}.{form}")
            for grid in GRIDS
            for form in FORMATS
        }
        samples = in_turns(candidates, rounds=given.rounds or 5, rng=rng, warm_up=0)
    rows, targets = [], []
    for name, taken in samples.items():
        found, peak = summary([each.wall_s for each in taken]), max(each.peak_bytes for each in taken) / 1e6
        star = "*" if found.unsteady else ""
        cpu = summary([each.cpu_s for each in taken]).median
        rows.append([name, f"{figures(found.median)}{star}", figures(found.minimum), figures(cpu), figures(peak)])
        if name.endswith("csv"):
            targets.append(Target(what=f"{name}: seconds", value=found.median, at_most=SECONDS))
            targets.append(Target(what=f"{name}: peak, MB", value=peak, at_most=MEGABYTES))
    title = "A million points, three million rows, whole processes"
    show(title, ("", "median, s", "minimum, s", "processor, s", "peak, MB"), rows, markdown=given.markdown)
    return finish({"sweep": Report(samples=samples, targets=tuple(targets))}, facts, path=given.json, check=given.check)


if __name__ == "__main__":
    sys.exit(main())
