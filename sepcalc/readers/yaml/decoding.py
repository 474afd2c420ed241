"""The mappings of a network file as checked records, and their faults in words."""

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
"""Faults after which reading stops."""

Record = TypeVar("Record", bound=Struct)


def decode(arguments: Mapping[str, Any], record: type[Record]) -> Record | None:
    """Check ``arguments`` against ``record``; None where they have :func:`faults`."""
    try:
        return msgspec.convert(arguments, record)
    except msgspec.ValidationError:
        return None


def faults(arguments: Mapping[Any, Any], record: type[Struct]) -> Iterator[tuple[Any, str]]:
    """Up to :data:`MOST_FAULTS` faults of ``arguments``, with their keys: unknown and missing keys, wrong values."""
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
    for key, field in known.items():
        if field.required and key not in arguments:
            yield None, f"{key} is missing; give {_expected(field.type)}"


def misreadings(arguments: Mapping[str, Any], record: type[Struct]) -> Iterator[tuple[Any, str]]:
    """The faults of texts in place of lengths, with their keys: :func:`faults` accepts any text there."""
    for key, value in arguments.items():
        hint = fields(record)[key].type
        if isinstance(value, str) and (forms := [*_forms(hint)]) and not any(re.search(form, value) for form in forms):
            yield key, f"{key}: expected {_expected(hint)}, got {shown(value)}"


def _forms(hint: Any) -> Iterator[str]:
    """The patterns that the type of a field has for text."""
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
"""Keys by the words that frameworks have for them."""


def meant(word: object, known: Iterable[str]) -> str:
    """The ending of :func:`closest`; it also understands the words of frameworks."""
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
    return {field.encode_name: field for field in msgspec.structs.fields(record)}


def _expected(hint: Any) -> str:
    """The outermost description in the type of a field."""
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
    """``text``, cut to the 40 characters that fit into a message."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def _shown(value: object, levels: int) -> str:
    # Only a few entries and levels: aliases of aliases can stand for more text than memory holds.
    if isinstance(value, (list, dict)) and not levels:
        return "..."
    if isinstance(value, list):
        return f"[{', '.join(_shown(item, levels - 1) for item in value[:20])}]"
    if isinstance(value, dict):
        pairs = islice(value.items(), 20)
        return f"{{{', '.join(f'{_shown(key, 0)}: {_shown(item, levels - 1)}' for key, item in pairs)}}}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
