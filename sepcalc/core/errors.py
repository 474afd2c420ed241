"""The exceptions of the package: inner code raises the fact and the cure, the boundary that knows the place adds it.

The command line prints the message and exits with :attr:`SepcalcError.exit_code`; nothing else ends the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class SepcalcError(Exception):
    """Wrong input: one clear message, exit code 2."""

    exit_code = 2


class SpecError(SepcalcError):
    """A convolution that cannot exist, or a variant that does not apply to one."""


class LayerError(SepcalcError):
    """A fault of a layer, with the argument at fault as ``key``; ``others`` are further faults, by argument."""

    def __init__(self, message: str, key: Any = None, others: Iterable[tuple[Any, str]] = ()) -> None:
        super().__init__(message)
        self.key = key
        self.others = tuple(others)


class GateError(SepcalcError):
    """A limit that the user set (``--max-params``, ``--strict``) was not met: exit code 1."""

    exit_code = 1


class MissingExtraError(SepcalcError):
    """An optional dependency is needed and not installed."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the '{extra}' extra: pip install 'sepcalc[{extra}]'")


MOST_KNOWN = 40
"""The most known words that one message lists."""


def closest(word: str, known: Iterable[str], listed: Iterable[str] | None = None) -> str:
    """An ending for a message: the known word that was probably meant, or the known words, or ``listed`` instead.

    >>> closest("kernal", ["kernel", "size"])
    "; did you mean 'kernel'?"
    >>> closest("zzz", ["kernel", "size"])
    '; known: kernel, size'
    """
    words = list(known)
    if (match := nearest(word, words)) is not None:
        return f"; did you mean '{match}'?"
    words = words if listed is None else list(listed)
    if not words:
        return ""
    more = f" and {len(words) - MOST_KNOWN:,} more" if len(words) > MOST_KNOWN else ""
    return f"; known: {', '.join(words[:MOST_KNOWN])}{more}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if any.

    >>> nearest("--stage", ["--stages", "--size"]), nearest("nett", ["Net"])
    ('--stages', 'Net')
    """
    from difflib import get_close_matches

    words = {candidate.lower(): candidate for candidate in known}
    return next((words[match] for match in get_close_matches(word.lower(), words, n=1)), None)


def either(words: Iterable[str]) -> str:
    """A choice of ``words``, within a sentence.

    >>> either(["terminal", "markdown", "latex"])
    'terminal, markdown or latex'
    """
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
