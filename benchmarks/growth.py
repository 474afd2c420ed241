"""How sepcalc grows with the file, beside the least that reading YAML into Python can take.

"PyYAML alone" is ``yaml.load`` with its C loader; "sepcalc" is ``load`` on the same file and the totals as written
and for the three default variants. Each sample is a process of its own, in which a file of ten layers comes
first, so that imports are not in the time. It is the processor's time, which a busy machine stretches less than the
clock's; neither program waits for anything. The garbage collector is on, as in anyone's program.
Memory is the most that the process held; Linux reports no less than the benchmark itself holds, some 40 MB.

In the styles "flow" and "block" two layers take turns. In "all different" hardly two layers are alike, which no
network is: it shows what counting costs where a layer that was counted before is of no use.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from random import Random
from statistics import linear_regression, median
from typing import Any

from harness import NAME, OF_MINIMA, RATIO, Process, Report, Target, in_turns, interval, process, series, show

from sepcalc.core.table import Cell, Column
from sepcalc.measure.loop import Series
from sepcalc.measure.statistics import PairedRatio, paired_ratio

SIZES = (1_000, 10_000, 100_000)

PROGRAM = """
import sys
from time import process_time
{define}
run(sys.argv[1])
start = process_time()
run(sys.argv[2])
print(process_time() - start)
"""

PROGRAMS = {
    "PyYAML alone": """
import yaml
def run(path):
    with open(path, "rb") as file:
        return yaml.load(file, yaml.CSafeLoader)
""",
    "sepcalc": """
import sepcalc
def run(path):
    return sepcalc.load(path).totals()
""",
}
"""What reads a file, by its name; :data:`PROGRAM` times it on the second of two."""

COLUMNS = (
    replace(NAME, title="layers"),
    Column(key="loader_s", title="PyYAML alone, ms", kind="time", unit="ms"),
    Column(key="sepcalc_s", title="sepcalc, ms", kind="time", unit="ms"),
    Column(key="layer_s", title="µs a layer", kind="time", unit="µs"),
    RATIO,
    OF_MINIMA,
    Column(key="peak", title="MB", kind="quotient"),
    Column(key="loader_peak", title="PyYAML MB", kind="quotient"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """The samples of both programs on one file."""

    style: str
    layers: int
    samples: Mapping[str, Sequence[Process]]

    def times(self, program: str) -> Series:
        """The processor time of ``program`` itself in each round, without start and imports."""
        return series(float(sample.output) for sample in self.samples[program])

    def median_s(self, program: str) -> float:
        """The median of those, in seconds."""
        return median(self.times(program).samples)

    @property
    def ratio(self) -> PairedRatio:
        """How many times as long sepcalc takes as the loader."""
        return paired_ratio(self.times("sepcalc"), self.times("PyYAML alone"))

    def peak_bytes(self, program: str) -> int:
        """The most memory that ``program`` held in any round."""
        return max(sample.peak_bytes for sample in self.samples[program])


def _flow(keys: Mapping[str, Any]) -> str:
    return f"- {{{', '.join(f'{key}: {value}' for key, value in keys.items())}}}\n"


def _block(keys: Mapping[str, Any]) -> str:
    first, *rest = (f"{key}: {value}\n" for key, value in keys.items())
    return f"- {first}" + "".join(f"  {line}" for line in rest)


def _alike(layers: int) -> Iterator[dict[str, Any]]:
    """A chain of two kinds of layers in turn."""
    for number in range(1, layers + 1):
        c_in, c_out = (64, 128) if number % 2 else (128, 64)
        yield {"name": f"conv{number}", "c_in": c_in, "c_out": c_out, "k": 3, "size": 56}


def _different(layers: int) -> Iterator[dict[str, Any]]:
    """A chain of which hardly two layers are alike, so that remembering one does not help."""
    rng, c_out = Random(0), 64  # noqa: S311 - nobody is to be deceived
    for number in range(1, layers + 1):
        c_in, c_out = c_out, rng.randint(16, 4096)
        yield {"name": f"conv{number}", "c_in": c_in, "c_out": c_out, "k": rng.choice((3, 5, 7)), "size": 56}


STYLES = {"flow": (_flow, _alike), "block": (_block, _alike), "flow, all different": (_flow, _different)}
"""How a generated file is written, and what its layers are."""

LIKE_NETWORKS = ("flow", "block")
"""The styles whose layers repeat, as a network's do: the ratio to the loader is promised for these."""


def write_network(path: Path, style: str, layers: int) -> Path:
    """A network of ``layers`` layers of five keys, in the YAML ``style``."""
    write, invent = STYLES[style]
    path.write_text("name: generated\nlayers:\n" + "".join(map(write, invent(layers))))
    return path


def exponent(seconds: Mapping[int, float]) -> float:
    """The p of n^p that fits ``seconds`` by number of layers: the slope of the least-squares line in logarithms.

    >>> round(exponent({10: 1.0, 100: 10.0, 1000: 100.0}), 6)
    1.0
    """
    return linear_regression([math.log(n) for n in seconds], [math.log(t) for t in seconds.values()]).slope


def measure(style: str, layers: int, *, rounds: int, seed: int) -> Point:
    """Both programs in turns on one generated file."""
    with tempfile.TemporaryDirectory() as folder:
        first = write_network(Path(folder, "first.yaml"), style, 10)
        network = write_network(Path(folder, "network.yaml"), style, layers)
        candidates = {
            name: partial(process, [sys.executable, "-c", PROGRAM.format(define=define), str(first), str(network)])
            for name, define in PROGRAMS.items()
        }
        return Point(style=style, layers=layers, samples=in_turns(candidates, rounds=rounds, seed=seed))


def report(*, rounds: int, seed: int, markdown: bool) -> Report:
    """Measure every style at every size, print the table, and judge the targets."""
    points = [measure(style, layers, rounds=rounds, seed=seed) for style in STYLES for layers in SIZES]
    show(
        "Growth: load and total a generated file; processor time without start and imports, peak memory with them",
        COLUMNS,
        map(_row, points),
        markdown=markdown,
    )
    slopes = {program: {style: _slope(points, style, program) for style in STYLES} for program in PROGRAMS}
    for program, each in slopes.items():
        print(f"{program} grows as " + ", ".join(f"n^{slope:.3f} ({style})" for style, slope in each.items()) + ".")
    print()
    promised = [point.ratio for point in points if point.style in LIKE_NETWORKS]
    worst = max(promised, key=lambda found: found.value)
    peak = max(point.peak_bytes("sepcalc") for point in points)
    return Report(
        samples={f"{point.style}, {point.layers}": point.samples for point in points},
        targets=(
            Target(what="growth, exponent of n", value=max(slopes["sepcalc"].values()), at_most=1.05),
            Target(what="sepcalc / PyYAML alone, worst of flow and block", value=worst, at_most=1.3),
            Target(what="peak memory, GB", value=peak / 1e9, at_most=1.5),
        ),
    )


def _slope(points: Sequence[Point], style: str, program: str) -> float:
    return exponent({point.layers: point.median_s(program) for point in points if point.style == style})


def _row(point: Point) -> list[Cell]:
    own, loader = (Fraction(point.median_s(program)) for program in ("sepcalc", "PyYAML alone"))
    peaks = (Fraction(point.peak_bytes(program), 10**6) for program in ("sepcalc", "PyYAML alone"))
    ratios = (interval(point.ratio), Fraction(point.ratio.of_minima))
    return [f"{point.layers:,} {point.style}", loader, own, own / point.layers, *ratios, *peaks]
