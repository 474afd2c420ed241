"""How far a long sweep is: a bar on standard error, one line that is drawn over and over and then taken away."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from sepcalc.cli.options import terminal_width

_BAR, _PAUSE_S = 40, 0.1
"""The most characters of the bar, and the least time from one to the next."""

_REST_AWAY = "\x1b[K"
"""Takes away the rest of a line of a terminal."""


@contextmanager
def progress(total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """What draws a bar on standard error where that is a terminal; at the end it is taken away, however that comes."""
    if not (shown and sys.stderr.isatty()):
        yield lambda done: None
        return
    drawn = monotonic()

    def draw(done: int) -> None:
        nonlocal drawn
        if monotonic() - drawn > _PAUSE_S:
            drawn = monotonic()
            sys.stderr.write(f"\r{_bar(done, total, _width())}{_REST_AWAY}")
            sys.stderr.flush()

    try:
        yield draw
    finally:
        sys.stderr.write(f"\r{_REST_AWAY}")
        sys.stderr.flush()


def _bar(done: int, total: int, width: int) -> str:
    """How far ``done`` is towards ``total``, in less than ``width`` characters: a line that folds cannot be redrawn."""
    text = f" {done:,} of {total:,} points"
    room = max(min(_BAR, width - 1 - len(text)), 0)
    bar = "━" * (room * done // total)
    return f"{bar:·<{room}}{text}"[: width - 1]


def _width() -> int:
    """The columns of the terminal that standard error is."""
    from os import get_terminal_size

    try:
        return get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        return terminal_width()
