"""Results as files, written whole or not at all.

A temporary file in the same folder replaces the old one: no program reads half a table, and a full disk leaves the old
file as it was.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from sepcalc.core.errors import SepcalcError
from sepcalc.render.formats import FORMATS

Value = TypeVar("Value")


def format_for(path: str | Path) -> str:
    """The format of files with the suffix of ``path``, in capitals or not.

    Raises :class:`SepcalcError` for any other suffix, with the known ones.

    >>> format_for("resnet50.tex")
    'latex'
    """
    return by_suffix(path, {output.suffix: name for name, output in FORMATS.items()}, ", or choose a format")


def by_suffix(path: str | Path, known: Mapping[str, Value], otherwise: str = "") -> Value:
    """The value in ``known`` for the suffix of ``path``, in capitals or not.

    Raises :class:`SepcalcError` for any other suffix, with the known ones and an ``otherwise``: another cure.
    """
    suffix = Path(path).suffix
    if suffix.lower() in known:
        return known[suffix.lower()]
    fault = f"unknown suffix '{suffix}' of" if suffix else "no suffix in"
    raise SepcalcError(f"{fault} '{path}'; give one of {', '.join(known)}{otherwise}")


def check_place(path: str | Path) -> None:
    """Raise :class:`SepcalcError` if the folder of ``path`` does not exist, before work that takes long."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise SepcalcError(f"cannot write '{path}': {_reason(FileNotFoundError(), target)}")


def write(path: str | Path, content: str | bytes) -> None:
    """Write ``content`` to ``path``, text as UTF-8, in one step: other programs see the old file or the new one.

    An existing file keeps its permissions, a link its target. A pipe or a device is written to directly.

    Raises :class:`SepcalcError` with the reason and the cure where the system refuses; no temporary file remains.
    """
    # Line ends are not translated; lone surrogates, which UTF-8 cannot hold, become escapes.
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    with writing(path) as file:
        file.write(data)


@contextmanager
def writing(path: str | Path) -> Iterator[BinaryIO]:
    """A file to write piece by piece, which appears in one step at the end, and not at all after a failure."""
    given, target = Path(path), Path(os.path.realpath(path))
    try:
        # A pipe has no real path.
        with given.open("wb") if given.exists() and not given.is_file() else _replacing(target) as file:
            yield file
    except OSError as error:
        raise SepcalcError(f"cannot write '{path}': {_reason(error, target)}") from None


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError
    temporary = target.with_name(f".sepcalc-{os.urandom(8).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            if target.exists():
                temporary.chmod(target.stat().st_mode & 0o7777)
            yield file
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _reason(error: OSError, target: Path) -> str:
    from errno import ENOSPC

    reasons: dict[type[OSError], str] = {
        IsADirectoryError: "it is a folder; give the name of a file",
        FileNotFoundError: f"there is no folder '{target.parent}'; create it first",
        NotADirectoryError: f"'{target.parent}' is not a folder; give another place",
        PermissionError: "permission denied; change its permissions or give another place",
    }
    if error.errno == ENOSPC:
        return "the disk is full; free some space or give another place"
    return reasons.get(type(error), f"{(error.strerror or str(error)).lower()}; give another place")
