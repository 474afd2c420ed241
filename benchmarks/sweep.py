"""A sweep of a million points as a whole process: how long it takes, and how much memory, for each format.

    python benchmarks/sweep.py
    python benchmarks/sweep.py --rounds 10 --check      # exit 1 above 10 s or 300 MB to CSV

A point is one convolution, with a row for each of the first three variants: three million rows. The ``even`` grid asks
every convolution the same questions; in the ``uneven`` one kernels of 1, strides, and channels on both sides of
each other part every block of points. Files go to a temporary folder, and the number of their rows is checked.
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

from harness import (
    MEDIAN,
    MINIMUM,
    NAME,
    SEPCALC,
    Process,
    Report,
    Target,
    benchmark,
    cpu_times,
    in_turns,
    process,
    show,
    timing_cells,
    wall_times,
)

from sepcalc.core.table import Cell, Column
from sepcalc.measure.statistics import summarize

GRIDS = {
    "even": "--cin 64 --cout 96:1086:10 -k 3:102 --size 1:100",
    "uneven": "--cin 16:160:16 --cout 8:1600:16 -k 1:9:2 --size 7:106 --stride 1,2",
}
"""A million points each."""

FORMATS = ("csv", "json", "parquet")
ROWS = 3_000_000
SECONDS, MEGABYTES = 10, 300
PACKAGES = ("sepcalc", "polars")

COLUMNS = (
    NAME,
    replace(MEDIAN, title="median [quartiles], s", unit="s"),
    replace(MINIMUM, title="minimum, s", unit="s"),
    Column(key="cpu_s", title="processor, s", kind="time"),
    Column(key="peak", title="peak, MB", kind="quotient"),
)


def sweep(grid: str, path: Path) -> Process:
    """Run the sweep of a grid to its end.

    Raises :class:`RuntimeError` where rows are missing in the file.
    """
    done = process([*SEPCALC, "sweep", *GRIDS[grid].split(), "-o", str(path)])
    if path.suffix == ".csv":
        with path.open("rb") as file:  # line by line: a process begins with the memory of the one that started it
            found = sum(1 for _ in file) - 1
        if found != ROWS:
            raise RuntimeError(f"{path.name} has {found:,} rows, not {ROWS:,}")
    return done


def measured(*, rounds: int, seed: int) -> dict[str, list[Process]]:
    """The processes for each grid in each format."""
    with TemporaryDirectory() as folder:
        candidates: dict[str, Callable[[], Process]] = {
            f"{grid}, {form}": partial(sweep, grid, Path(folder) / f"{grid}.{form}")
            for grid in GRIDS
            for form in FORMATS
        }
        return in_turns(candidates, rounds=rounds, seed=seed)


def report(taken: Mapping[str, Sequence[Process]], *, markdown: bool) -> Report:
    """Print the table; the processes, and the targets of CSV."""
    wall = {name: summarize(times) for name, times in wall_times(taken).items()}
    cpu = {name: summarize(times) for name, times in cpu_times(taken).items()}
    peaks = {name: max(done.peak_bytes for done in processes) for name, processes in taken.items()}

    def row(name: str) -> list[Cell]:
        return [*timing_cells(name, wall[name]), Fraction(cpu[name].median_s), Fraction(peaks[name], 10**6)]

    show("A million points, three million rows, whole processes", COLUMNS, map(row, taken), markdown=markdown)
    promised = [name for name in taken if name.endswith("csv")]
    seconds = (Target(what=f"{name}, s", value=wall[name].median_s, at_most=SECONDS) for name in promised)
    memory = (Target(what=f"{name}, peak in MB", value=peaks[name] / 1e6, at_most=MEGABYTES) for name in promised)
    return Report(samples=taken, targets=(*seconds, *memory))


def reports(options: argparse.Namespace) -> dict[str, Report]:
    """Sweep each grid into each format, in turns."""
    taken = measured(rounds=options.rounds, seed=options.seed)
    return {"sweep": report(taken, markdown=options.markdown)}


if __name__ == "__main__":
    sys.exit(benchmark(__doc__, PACKAGES, reports, rounds=5))
