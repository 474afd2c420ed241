"""Ctrl-C while PyTorch is imported, which takes seconds: its code takes it for a missing library, or dies of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, getsignal, raise_signal, signal
from threading import current_thread, main_thread


@contextmanager
def delayed() -> Iterator[None]:
    """Ctrl-C takes effect at the end, and does then what it did before.

    Nothing changes where Python is not told of it: in threads beside the main one, and inside programs that see to it
    themselves.

    >>> try:
    ...     with delayed():
    ...         raise_signal(SIGINT)
    ...         print("imported")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    imported
    interrupted
    """
    if current_thread() is not main_thread() or getsignal(SIGINT) is None:
        yield
        return
    came: list[int] = []
    before = signal(SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal(SIGINT, before)
        for each in came[:1]:
            raise_signal(each)
