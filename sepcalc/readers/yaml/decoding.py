"""From the mappings of a network file to checked records, and in words what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from sepcalc.core.errors import closest

MOST_FAULTS = 1000
"""Faults after which nobody reads on."""

Record = TypeVar("Record", bound=Struct)


def decode(arguments: Mapping[str, Any], record: type[Record]) -> Record | None:
    """Check ``arguments`` against ``record``; None where they have :func:`faults`."""
    try:
        return msgspec.convert(arguments, record)
    except msgspec.ValidationError:
        return None


def faults(arguments: Mapping[Any, Any], record: type[Struct]) -> Iterator[tuple[Any, str]]:
    """Every fault of ``arguments`` with its key: unknown and missing ones, and values of a wrong kind.

    After :data:`MOST_FAULTS` it stops.
    """
    if decode(arguments, record) is not None:
        return iter(())
    return islice(_all_faults(arguments, record), MOST_FAULTS)


def _all_faults(arguments: Mapping[Any, Any], record: type[Struct]) -> Iterator[tuple[Any, str]]:
    known = fields(record)
    for key, value in arguments.items():
        if key not in known:
            yield key, f"unknown key {shown(key)}{meant(key, known)}"
            continue
        try:
            msgspec.convert(value, known[key].type)
        except msgspec.ValidationError:
            yield key, f"{key}: expected {_expected(known[key].type)}, got {shown(value)}"
    for key, each in known.items():
        if each.required and key not in arguments:
            yield None, f"{key} is missing; give {_expected(each.type)}"


def misreadings(arguments: Mapping[str, Any], record: type[Struct]) -> Iterator[tuple[Any, str]]:
    """Texts that are no lengths where lengths are expected, with their keys; :func:`faults` takes any text for one."""
    for key, value in arguments.items():
        hint = fields(record)[key].type
        if isinstance(value, str) and (forms := [*_forms(hint)]) and not any(re.search(form, value) for form in forms):
            yield key, f"{key}: expected {_expected(hint)}, got {shown(value)}"


def _forms(hint: Any) -> Iterator[str]:
    """The patterns of text in the type of a field."""
    for meta in getattr(hint, "__metadata__", ()):
        if pattern := (getattr(meta, "extra_json_schema", None) or {}).get("pattern"):
            yield pattern
    for part in getattr(hint, "__args__", ()):
        yield from _forms(part)


_OTHER_WORDS = {
    "kernel": "k",
    "kernel_size": "k",
    "in_channels": "c_in",
    "out_channels": "c_out",
    "channels": "c_out",
    "filters": "c_out",
    "units": "c_out",
    "strides": "stride",
    "pad": "padding",
    "activation": "act",
    "normalization": "norm",
}
"""What frameworks call the same arguments."""


def meant(word: object, known: Iterable[str]) -> str:
    """Like :func:`closest`, with the words of frameworks understood as well."""
    if not isinstance(word, str):
        return closest("", known)
    others = {other: ours for other, ours in _OTHER_WORDS.items() if ours in known}
    hint = closest(word, [*known, *others])
    for other, ours in others.items():
        hint = hint.replace(f"did you mean '{other}'?", f"did you mean '{ours}'?")
    return hint if "did you mean" in hint else closest(word, known)


@lru_cache(maxsize=64)
def fields(record: type[Struct]) -> dict[str, Any]:
    """The fields of ``record`` by the name that they have in a file."""
    return {each.encode_name: each for each in msgspec.structs.fields(record)}


def _expected(hint: Any) -> str:
    """What the type of a field says of itself; the outermost description that there is."""
    for meta in reversed(getattr(hint, "__metadata__", ())):
        if meta.description:
            return str(meta.description)
    return next(filter(None, map(_expected, getattr(hint, "__args__", ()))), "")


def shown(value: object) -> str:
    """A value in a message: as in YAML, and shortened.

    >>> shown({"k": [3, None], "bias": True})
    '{k: [3, null], bias: true}'
    """
    return clipped(f"'{value}'" if isinstance(value, str) else _shown(value, 3))


def clipped(text: str) -> str:
    """``text``, or its beginning where it is longer than a message should be."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def _shown(value: object, levels: int) -> str:
    # Aliases of aliases can stand for more text than there is memory: a few entries and levels are enough.
    if isinstance(value, (list, dict)) and not levels:
        return "..."
    if isinstance(value, list):
        return f"[{', '.join(_shown(each, levels - 1) for each in value[:20])}]"
    if isinstance(value, dict):
        pairs = islice(value.items(), 20)
        return f"{{{', '.join(f'{_shown(key, 0)}: {_shown(each, levels - 1)}' for key, each in pairs)}}}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
