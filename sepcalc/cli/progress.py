"""The progress of a measurement or a sweep, on one line of a terminal that disappears at the end.

The caller's thread draws it: a second thread would disturb the timing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

from sepcalc.cli.options import colorful

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from sepcalc.measure.loop import State
    from sepcalc.measure.run import Progress

Draw = Callable[[float, float, str, str], None]
"""Draws the part of a total that is done, between a title and a detail."""

EVERY_S = 0.2
"""Seconds between two drawings."""

WARM_UP = 0.2
"""The warm-up's share of a group's bar."""


@contextmanager
def measure_progress() -> Iterator[Progress]:
    """Draws the title of the timed group, the remaining time, and the ratios so far."""
    with _line(wanted=True, at_once="preparing") as draw:
        yield lambda title, done, planned, state: draw(done + part(state), planned, title, estimate(title, state))


@contextmanager
def sweep_progress(total: int, *, wanted: bool) -> Iterator[Callable[[int], None]]:
    """Draws the number of finished points of a grid; a very short sweep draws nothing."""
    with _line(wanted=wanted) as draw:
        yield lambda done: draw(done, total, "sweep", f"{done:,} of {total:,} points")


@contextmanager
def _line(*, wanted: bool, at_once: str = "") -> Iterator[Draw]:
    """A line on standard error, if that is a terminal; with ``at_once`` it starts at once with this title."""
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
    from rich.table import Column

    console = Console(stderr=True, no_color=not colorful())
    cut = partial(Column, no_wrap=True, overflow="ellipsis")  # a text without room is cut: one line is enough
    bar = Progress(
        TextColumn("{task.fields[title]}", markup=False, table_column=cut(max_width=console.width // 3)),
        BarColumn(bar_width=console.width // 6),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", markup=False, table_column=cut(ratio=1)),
        console=console,
        auto_refresh=False,
        transient=True,
        expand=True,
        redirect_stdout=False,  # a sweep may be writing its rows there
    )
    bar.add_task("", title="", detail="")
    bar.start()
    return bar


def part(state: State) -> float:
    """The part of a group that is done, from 0 to 1.

    >>> from sepcalc.measure.loop import State
    >>> part(State(phase="rounds", done=15, planned=30, spent_s=0.5, planned_s=2.0))
    0.4
    """
    return WARM_UP * state.share if state.phase == "warm-up" else WARM_UP + (1 - WARM_UP) * state.share


def estimate(title: str, state: State) -> str:
    """The speed of each candidate relative to the first so far; names without the group's title.

    >>> from sepcalc.measure.loop import State
    >>> samples = {"conv1 as standard": [0.3], "conv1 as depthwise": [0.1]}
    >>> estimate("conv1", State(phase="rounds", done=1, planned=3, samples=samples))
    'depthwise 3.00×'
    """
    first, *others = [*state.medians.items()] or [("", 0.0)]
    return ", ".join(f"{key.removeprefix(f'{title} as ')} {first[1] / seconds:.2f}×" for key, seconds in others)
