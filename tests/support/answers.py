"""Answers for programs, as a program reads them."""

import json
from typing import Any


def as_read(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer as a program reads it; NaN and infinity, which are no JSON, are refused."""
    return json.loads(json.dumps(answer, allow_nan=False))


def entries(value: Any) -> list[tuple[str, Any]]:
    """Every key with its value, at any depth."""
    if isinstance(value, list):
        return [entry for each in value for entry in entries(each)]
    if not isinstance(value, dict):
        return []
    return [*value.items(), *(entry for each in value.values() for entry in entries(each))]


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
