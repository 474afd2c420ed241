"""One line on a terminal that shows how far a measurement or a sweep is; it is gone at the end.

It is drawn by the caller's thread alone: a thread of its own would take time from whatever is timed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from sepcalc.cli.options import colorful

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.table import Column

    from sepcalc.measure.loop import State
    from sepcalc.measure.run import Progress

Draw = Callable[[float, float, str, str], None]
"""Draws how much of a total is done, between the title and a detail."""

EVERY_S = 0.2
"""Seconds between two drawings."""

WARM_UP = 0.2
"""The share of a group's bar that its warm-up gets."""


@contextmanager
def measure_progress() -> Iterator[Progress]:
    """Draws what is being timed, the time that remains, and the ratios so far."""
    with _line(wanted=True, at_once="preparing") as draw:
        yield lambda title, done, planned, state: draw(done + part(state), planned, title, estimate(title, state))


@contextmanager
def sweep_progress(total: int, *, wanted: bool) -> Iterator[Callable[[int], None]]:
    """Draws how many points of a grid are done; a sweep that ends at once draws nothing."""
    with _line(wanted=wanted) as draw:
        yield lambda done: draw(done, total, "sweep", f"{done:,} of {total:,} points")


@contextmanager
def _line(*, wanted: bool, at_once: str = "") -> Iterator[Draw]:
    """A line on standard error if that is a terminal, drawn now and then, first with the title ``at_once``."""
    if not (wanted and sys.stderr.isatty()) or os.environ.get("TERM") == "dumb":
        yield lambda done, total, title, detail: None
        return
    bar, drawn = None, -inf if at_once else monotonic()

    def draw(done: float, total: float, title: str, detail: str) -> None:
        nonlocal bar, drawn
        if monotonic() - drawn < EVERY_S:
            return
        bar = bar or _started_bar()
        bar.update(bar.task_ids[0], completed=done, total=total, title=title, detail=detail)
        bar.refresh()
        drawn = monotonic()

    try:
        if at_once:
            draw(0, 100, at_once, "")
        yield draw
    finally:
        if bar:
            bar.stop()


def _started_bar() -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, no_color=not colorful())
    bar = Progress(
        TextColumn("{task.fields[title]}", markup=False, table_column=_cut(max_width=console.width // 3)),
        BarColumn(bar_width=console.width // 6),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False, table_column=_cut(ratio=1)),
        console=console,
        auto_refresh=False,
        transient=True,
        expand=True,
        redirect_stdout=False,  # a sweep may be writing its rows there
    )
    bar.add_task("", title="", detail="")
    bar.start()
    return bar


def _cut(*, ratio: int | None = None, max_width: int | None = None) -> Column:
    """A column whose text is cut where there is no room for it: one line is enough."""
    from rich.table import Column

    return Column(no_wrap=True, overflow="ellipsis", ratio=ratio, max_width=max_width)


def part(state: State) -> float:
    """How much of a group is done, from 0 to 1.

    >>> from sepcalc.measure.loop import State
    >>> part(State(phase="rounds", done=15, planned=30, spent_s=0.5, planned_s=2.0))
    0.4
    """
    return WARM_UP * state.share if state.phase == "warm-up" else WARM_UP + (1 - WARM_UP) * state.share


def estimate(title: str, state: State) -> str:
    """How many times as fast as the first candidate each other is so far, without the title of their group.

    >>> from sepcalc.measure.loop import State
    >>> samples = {"conv1 as standard": [0.3], "conv1 as depthwise": [0.1]}
    >>> estimate("conv1", State(phase="rounds", done=1, planned=3, samples=samples))
    'depthwise 3.00×'
    """
    first, *others = [*state.medians.items()] or [("", 0.0)]
    return ", ".join(f"{key.removeprefix(f'{title} as ')} {first[1] / seconds:.2f}×" for key, seconds in others)
