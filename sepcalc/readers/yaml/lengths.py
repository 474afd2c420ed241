"""Lengths along the axes of a feature map, as a network file writes them."""

from __future__ import annotations

from typing import Any

from sepcalc.core.errors import LayerError
from sepcalc.core.layers import FeatureMap
from sepcalc.core.parsing import is_whole
from sepcalc.core.spec import Axes, Bias, Padding
from sepcalc.readers.yaml.arguments import LENGTHS_EXPECTED, PADS_EXPECTED
from sepcalc.readers.yaml.decoding import shown


def axes_of(value: Any, args: Any, at: FeatureMap | None) -> int:
    """The number of axes: from the value itself, from the kernel, or from the map ``at`` the layer's input; else 2."""
    for given in (value, getattr(args, "k", None)):
        if isinstance(given, list):
            return len(given)
        if isinstance(given, str) and "x" in given:
            return given.count("x") + 1
    return len(at.size) if at is not None and at.size else 2


def lengths(
    key: str, value: int | list[int] | str, axes: int, least: int = 1, expected: str = LENGTHS_EXPECTED
) -> Axes:
    """One number per axis, from one for all, a list, or text like ``3x1``.

    Raises :class:`LayerError` for other text, or another number of axes.

    >>> lengths("k", "3x1", 2)
    (3, 1)
    """
    if isinstance(value, int):
        return (value,) * axes
    numbers = tuple(value) if isinstance(value, list) else _split(value, least)
    if not numbers:
        raise LayerError(f"{key}: expected {expected}, got {shown(value)}", key)
    if len(numbers) != axes:
        text = f"{key} {'x'.join(map(str, numbers))}"
        raise LayerError(f"{text} has {len(numbers)} axes, the feature map has {axes}", key)
    return numbers


def _split(text: str, least: int) -> Axes:
    """The numbers of text like ``3x1``; empty for other text."""
    parts = text.split("x")
    if not 1 < len(parts) < 4 or not all(is_whole(part, least) for part in parts):
        return ()
    return tuple(map(int, parts))


def padding(value: int | list[int] | str, axes: int) -> Padding:
    """The padding of a window: ``same``, or one number per axis."""
    if value == "same":
        return "same"
    return lengths("padding", 0 if value == "valid" else value, axes, 0, PADS_EXPECTED)


def bias(value: bool | str) -> Bias:
    """The stages that have a bias; true means all of them, as in an ``nn.Sequential``."""
    if isinstance(value, bool):
        return "all" if value else "none"
    return value  # type: ignore[return-value]  # the record has checked the word
