"""How long the report about a network of 1,000 layers takes to open in a browser, and to be sorted and searched there.

    python benchmarks/report.py
    python benchmarks/report.py --check             # exit 1 where a target is missed

*Opened* is the time from the navigation to the end of the page's load event, with a picture on the screen; *sorted*,
*searched* and *filtered* are from the event until the next frame is on the screen. Each round is a page of its own in
one headless Chromium without a graphics card. *Written* is the whole process that makes the file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from growth import write_network
from harness import NAME, SEPCALC, Report, Target, benchmark, in_turns, process, show

from sepcalc.core.table import Cell, Column

sys.path.append(str(Path(__file__).parent.parent / "tests" / "support"))

PACKAGES = ("sepcalc", "altair", "vl-convert-python", "playwright")

SIZES = (100, 1_000, 10_000)
PROMISED = 1_000
"""Layers for which the target is set."""

FRAME = "await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"

STEPS = {
    "opened": "return performance.getEntriesByType('navigation')[0].loadEventEnd / 1e3;",
    "sorted": "document.querySelector('#layers thead th:nth-child(5) button').click();",
    "searched": "const box = document.querySelector('#layers input'); box.value = '9';"
    " box.dispatchEvent(new Event('input'));",
    "filtered": "const list = document.querySelector('#layers select'); list.selectedIndex = 1;"
    " list.dispatchEvent(new Event('change'));",
}
"""What a reader does, in this order; the first is the page's own account."""

COLUMNS = (
    replace(NAME, title="layers"),
    Column(key="size", title="MB", kind="quotient"),
    Column(key="written_s", title="written, s", kind="time"),
    *(Column(key=f"{step}_s", title=f"{step}, ms", kind="time", unit="ms") for step in STEPS),
)


def visit(browser: Any, file: Path) -> dict[str, float]:
    """Open the report in a page of its own and do each step; seconds."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(file.as_uri())
    page.evaluate(f"async () => {{ {FRAME} }}")
    took = {
        step: page.evaluate(f"async () => {{ const start = performance.now(); {does} {FRAME}"
                            " return (performance.now() - start) / 1e3; }")
        for step, does in STEPS.items()
    }  # fmt: skip
    page.close()
    return took


def report(*, rounds: int, seed: int, markdown: bool) -> Report:
    """Write the reports, open each in turns, print the table, and judge the target."""
    from browser import browser

    with TemporaryDirectory() as folder:
        files: dict[str, Path] = {}
        written: dict[str, tuple[Cell, ...]] = {}
        for layers in SIZES:
            network, name = write_network(Path(folder, f"{layers}.yaml"), "flow", layers), f"{layers:,}"
            files[name] = network.with_suffix(".html")
            done = process([*SEPCALC, "report", str(network), "-o", str(files[name])])
            written[name] = Fraction(files[name].stat().st_size, 10**6), Fraction(done.wall_s)
        with browser() as chromium:
            candidates = {name: partial(visit, chromium, file) for name, file in files.items()}
            taken = in_turns(candidates, rounds=rounds, seed=seed)

    def row(name: str) -> list[Cell]:
        return [name, *written[name], *(Fraction(median(visited[step] for visited in taken[name])) for step in STEPS)]

    show("The report in Chromium", COLUMNS, map(row, taken), markdown=markdown)
    return Report(samples=taken, targets=promises(taken[f"{PROMISED:,}"]))


def promises(taken: Sequence[Mapping[str, float]]) -> tuple[Target, ...]:
    """The target of the page of :data:`PROMISED` layers."""
    whole = median(visited["opened"] + visited["sorted"] for visited in taken)
    return (Target(what=f"{PROMISED:,} layers opened and sorted once, s", value=whole, at_most=2),)


def reports(options: argparse.Namespace) -> dict[str, Report]:
    """Write and visit the reports."""
    return {"report": report(rounds=options.rounds, seed=options.seed, markdown=options.markdown)}


if __name__ == "__main__":
    sys.exit(benchmark(__doc__, PACKAGES, reports, rounds=7))
