"""How far a measurement is, on a terminal: what is being timed, its ratio so far, and the time that remains.

The bar is drawn between rounds alone, by no thread of its own: whatever is drawn while something is timed is timed too.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

from sepcalc.cli.options import colorful
from sepcalc.measure.loop import State
from sepcalc.measure.run import Progress

if TYPE_CHECKING:
    from rich.table import Column

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
        TextColumn("{task.fields[what]}", markup=False, table_column=_cut(max_width=console.width // 3)),
        BarColumn(bar_width=console.width // 6),
        TimeRemainingColumn(),
        TextColumn("{task.fields[estimate]}", markup=False, table_column=_cut(ratio=1)),
    )
    with Bar(*columns, console=console, auto_refresh=False, transient=True, expand=True) as bar:
        task = bar.add_task("", what="preparing", estimate="")
        drawn = 0.0

        def progress(title: str, done: int, planned: int, state: State) -> None:
            nonlocal drawn
            if monotonic() - drawn < EVERY_S:
                return
            bar.update(task, completed=done + part(state), total=planned, what=title, estimate=estimate(title, state))
            bar.refresh()
            drawn = monotonic()

        yield progress


def _cut(*, ratio: int | None = None, max_width: int | None = None) -> "Column":
    """A column whose text is cut where there is no room for it: one line is enough."""
    from rich.table import Column

    return Column(no_wrap=True, overflow="ellipsis", ratio=ratio, max_width=max_width)


def part(state: State) -> float:
    """How much of a group is done, from 0 to 1.

    >>> part(State(phase="rounds", done=15, planned=30, spent_s=0.5, planned_s=2.0))
    0.4
    """
    return WARM_UP * state.share if state.phase == "warm-up" else WARM_UP + (1 - WARM_UP) * state.share


def estimate(title: str, state: State) -> str:
    """How many times as fast as the first candidate each of the others is so far, without the title of their group.

    >>> samples = {"conv1 as standard": [0.3], "conv1 as depthwise": [0.1]}
    >>> estimate("conv1", State(phase="rounds", done=1, planned=3, samples=samples))
    'depthwise 3.00×'
    """
    first, *others = [*state.medians.items()] or [("", 0.0)]
    return ", ".join(f"{key.removeprefix(f'{title} as ')} {first[1] / seconds:.2f}×" for key, seconds in others)
