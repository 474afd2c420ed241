"""What a trace keeps of torch's values: shapes for tensors, and plain data for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

from sepcalc.readers.trace import Shape


def storage(tensor: torch.Tensor) -> int:
    """What identifies a tensor's memory: a view has that of what it views."""
    return int(tensor.untyped_storage()._cdata)


def shape(tensor: torch.Tensor) -> Shape:
    """A tensor's lengths as plain numbers."""
    return tuple(map(int, tensor.shape))


def tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    """Every tensor in ``values``, in lists and mappings among them too."""
    for each in values:
        if isinstance(each, torch.Tensor):
            yield each
        elif isinstance(each, (list, tuple)):
            yield from tensors(each)
        elif isinstance(each, Mapping):
            yield from tensors(each.values())


_SIMPLE = (int, float, str, bool, type(None))


def is_plain(value: Any) -> bool:
    """Whether ``value`` is short plain data."""
    if isinstance(value, (list, tuple)):
        return len(value) <= 16 and all(isinstance(each, _SIMPLE) for each in value)
    return isinstance(value, _SIMPLE)


def plain(value: Any) -> object:
    """An argument as plain data: a tensor as its shape, what is neither as its text."""
    if isinstance(value, torch.Tensor):
        return shape(value)
    if isinstance(value, (list, tuple)):
        return tuple(plain(each) for each in value)
    return value if isinstance(value, _SIMPLE) else str(value)
