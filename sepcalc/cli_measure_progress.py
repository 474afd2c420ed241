"""How far a measurement is, on a terminal: what is being timed, its ratio so far, and the time that remains.

The bar is drawn between rounds alone, by no thread of its own: whatever is drawn while something is timed is timed too.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from sepcalc.cli_options import colorful
from sepcalc.measure import State
from sepcalc.timing_run import Progress

EVERY_S = 0.2
"""Seconds between two drawings."""

WARM_UP = 0.2
"""The part of a group's bar that is the warm-up's."""


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar on standard error, if that is a terminal; it is gone afterwards."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda title, done, planned, state: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True, no_color=not colorful())
    columns = (
        TextColumn("{task.fields[what]}", markup=False),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[estimate]}", markup=False),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=console, auto_refresh=False, transient=True) as bar:
        task = bar.add_task("", what="", estimate="")
        drawn = 0.0

        def progress(title: str, done: int, planned: int, state: State) -> None:
            nonlocal drawn
            if monotonic() - drawn < EVERY_S:
                return
            bar.update(task, completed=done + part(state), total=planned, what=title, estimate=estimate(state))
            bar.refresh()
            drawn = monotonic()

        yield progress


def part(state: State) -> float:
    """How much of a group is done, from 0 to 1.

    >>> part(State(phase="rounds", done=15, planned=30, spent_s=0.5, planned_s=2.0))
    0.4
    """
    if state.phase == "warm-up":
        return WARM_UP * state.done / max(state.planned, 1)
    rounds = state.done / max(state.planned, 1)
    time = state.spent_s / state.planned_s if state.planned_s else 1.0
    return WARM_UP + (1 - WARM_UP) * min(rounds, time, 1.0)


def estimate(state: State) -> str:
    """How many times as fast as the first candidate each of the others is so far.

    >>> estimate(State(phase="rounds", done=1, planned=3, samples={"standard": [0.3], "depthwise": [0.1]}))
    'depthwise 3.00×'
    """
    first, *others = [*state.medians.items()] or [("", 0.0)]
    return ", ".join(f"{key} {first[1] / seconds:.2f}×" for key, seconds in others)
