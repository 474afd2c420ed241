"""Torch's values as a trace holds them: tensors as shapes, the rest as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from sepcalc.readers.trace import Shape


def storage(tensor: torch.Tensor) -> int:
    """The identity of a tensor's memory, which a view shares with its base."""
    return int(tensor.untyped_storage()._cdata)


Layout = tuple[tuple[int, int], ...]
"""Lengths and strides of a tensor's axes, in the order of the strides."""


def layout(tensor: torch.Tensor) -> Layout:
    """The layout of ``tensor`` without axes of one number or of one that repeats; alike for a view in another order."""
    axes = zip(map(int, tensor.shape), map(int, tensor.stride()), strict=True)
    return tuple(sorted((stride, length) for length, stride in axes if length > 1 and stride))


def shape(tensor: torch.Tensor) -> Shape:
    """A tensor's lengths as plain numbers."""
    return tuple(map(int, tensor.shape))


def tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    """Every tensor in ``values``, in lists and mappings among them too."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors(value)
        elif isinstance(value, Mapping):
            yield from tensors(value.values())


def shapes(values: Iterable[Any]) -> tuple[Shape, ...]:
    """The shape of every tensor in ``values``."""
    return tuple(map(shape, tensors(values)))


_SIMPLE = (int, float, str, bool, type(None))


def is_plain(value: Any) -> bool:
    """Whether ``value`` is short plain data."""
    if isinstance(value, (list, tuple)):
        return len(value) <= 16 and all(isinstance(entry, _SIMPLE) for entry in value)
    return isinstance(value, _SIMPLE)


def plain(value: Any) -> object:
    """An argument as plain data: a tensor as its shape, any other object as its text."""
    if isinstance(value, torch.Tensor):
        return shape(value)
    if isinstance(value, (list, tuple)):
        return tuple(plain(entry) for entry in value)
    return value if isinstance(value, _SIMPLE) else str(value)
