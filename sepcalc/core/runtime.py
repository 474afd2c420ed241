"""Late imports by name, a pause of the garbage collector, and a delay of Ctrl-C."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


def resolve(name: str | Callable[..., Any]) -> Any:
    """The object called ``module:name``, imported now; a function is returned as it is.

    >>> resolve("math:gcd")(12, 18)
    6
    """
    if callable(name):
        return name
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


@contextmanager
def paused() -> Iterator[None]:
    """A context without garbage collection; afterwards the collector is as before.

    >>> with paused():
    ...     gc.isenabled()
    False
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextmanager
def delayed() -> Iterator[None]:
    """A context in which Ctrl-C takes effect at the end.

    While PyTorch is imported, its code reports Ctrl-C as a missing library, or crashes. Threads beside the main one,
    and programs that handle Ctrl-C themselves, see no change.

    >>> from signal import SIGINT, raise_signal
    >>> try:
    ...     with delayed():
    ...         raise_signal(SIGINT)
    ...         print("imported")
    ... except KeyboardInterrupt:
    ...     print("interrupted")
    imported
    interrupted
    """
    from signal import SIGINT, getsignal, raise_signal, signal
    from threading import current_thread, main_thread

    if current_thread() is not main_thread() or getsignal(SIGINT) is None:
        yield
        return
    came: list[int] = []
    before = signal(SIGINT, lambda number, _frame: came.append(number))
    try:
        yield
    finally:
        signal(SIGINT, before)
        for number in came[:1]:
            raise_signal(number)
