"""The Python code that a user names: found, run, and its errors in one line.

Only here is a file that the user names run as code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sepcalc.core.errors import SepcalcError, closest


class ModelError(SepcalcError):
    """The model's own code failed; the message has its error and the place."""


def find(source: str) -> Any:
    """The object that ``source`` names: ``package.module:name``, or ``folder/file.py:name``.

    Raises :class:`SepcalcError` where there is no such module, or no such name in it.
    """
    place, _, name = source.rpartition(":")
    if not place or not name:
        raise SepcalcError(f"expected module:callable like torchvision.models:resnet50, got '{source}'")
    found: Any = _module(place, source)
    for part in name.split("."):
        if not hasattr(found, part):
            known = [public for public in dir(found) if public[:1] != "_" and callable(getattr(found, public, None))]
            raise SepcalcError(f"{place} has no '{name}'{closest(part, known)}")
        found = getattr(found, part)
    if not callable(found):
        kind = article(type(found).__name__)
        raise SepcalcError(f"{source} is {kind}, not something to call; name what builds a model")
    return found


def _module(place: str, source: str) -> Any:
    from importlib import import_module

    path = Path(place)
    is_file = path.suffix == ".py"
    if is_file and not path.is_file():
        raise SepcalcError(f"there is no file '{place}'; check the path in '{source}'")
    try:
        return _executed(path.resolve(), path.stat().st_mtime_ns) if is_file else import_module(place)
    except ModuleNotFoundError as error:
        if error.name and not is_file and f"{place}.".startswith(f"{error.name}."):
            cure = "install it, or give the path of a .py file"
            raise SepcalcError(f"no module is called '{error.name}'; {cure}") from None
        raise ModelError(f"{place} cannot be imported: {error_summary(error)}") from error
    except (Exception, SystemExit) as error:
        raise ModelError(f"{place} cannot be imported: {error_summary(error)}") from error


@lru_cache(maxsize=64)
def _executed(path: Path, _changed: int) -> Any:
    """The module of a file, run again only after a change: running it twice may register things twice."""
    from importlib.util import module_from_spec, spec_from_file_location

    # A file may be called like a module that is in use; data classes look theirs up by name.
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_"
    spec = spec_from_file_location(name, path)
    assert spec is not None  # noqa: S101 (a .py file always has one)
    assert spec.loader is not None  # noqa: S101 (the same)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@contextmanager
def beside(source: str) -> Iterator[None]:
    """Let modules beside the file, or in the current folder, be imported, as python does for a script."""
    path = Path(source.rpartition(":")[0])
    folder = str(path.resolve().parent if path.suffix == ".py" else Path.cwd())
    before = list(sys.path)
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path[:] = before


def error_summary(error: BaseException, place: str = "") -> str:
    """The beginning of an exception's message, the module that ran, and the place in the user's code."""
    name, message = type(error).__name__, str(error)
    if isinstance(error, SystemExit):
        name, message = "RuntimeError", f"it ended the program ({error})"
    text = " ".join(message.split())
    text = text if len(text) <= 300 else f"{text[:297]}..."
    name = f"{name} in {place}" if place else name
    return f"{name}: {text}{_where(error)}" if text else f"{name}{_where(error)}"


def _where(error: BaseException) -> str:
    from traceback import extract_tb

    if isinstance(error, SyntaxError):
        return ""
    frames = [frame for frame in extract_tb(error.__traceback__) if _is_theirs(frame.filename)]
    return f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""


def _is_theirs(file: str) -> bool:
    """Whether ``file`` belongs to the user or to a package of models: not to Python, torch or this program."""
    libraries = (os.path.dirname(os.__file__), str(Path(__file__).parents[2]))  # noqa: PTH120 (compared as text)
    if "site-packages" in file:
        return f"site-packages{os.sep}torch{os.sep}" not in file
    return not file.startswith((*libraries, "<"))


def article(noun: str) -> str:
    """``noun`` with a or an before it."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {noun}"
