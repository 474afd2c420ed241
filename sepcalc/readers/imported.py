"""What layers of an imported network look like, wherever they come from: their names, their maps, bare parameters."""

from __future__ import annotations

from math import prod

from sepcalc.core.network import FeatureMap, Operator

MOST_AXES = 3
"""Axes of a feature map; of more, those in the middle become one."""


def feature_map(shape: tuple[int | None, ...], *, last: bool = False) -> FeatureMap:
    """A shape, batch first, as channels and size; a vector has channels alone, a length that is unknown or 0 is 1.

    ``last`` says that three axes are a batch, positions and channels.

    >>> feature_map((8, 64, 56, 40)), feature_map((5,))
    (FeatureMap(channels=64, size=(56, 40)), FeatureMap(channels=5, size=()))
    """
    lengths = tuple(length or 1 for length in shape)
    inner = lengths[1:] or lengths or (1,)
    channels, *size = inner[::-1] if last and len(inner) == 2 else inner
    return FeatureMap(channels=channels, size=flat(tuple(size)))


def flat(size: tuple[int, ...]) -> tuple[int, ...]:
    """``size`` with at most three axes: those in the middle become one.

    >>> flat((2, 3, 4, 5))
    (2, 12, 5)
    """
    return size if len(size) <= MOST_AXES else (size[0], prod(size[1:-1]), size[-1])


def one_line(name: str) -> str:
    r"""A name on one line, without the dollar that begins an expression in a network file.

    >>> one_line("a$b\n")
    'a_b_'
    """
    return "".join(each if each.isprintable() and each != "$" else "_" for each in name)


def parameters_alone(name: str, kind: str, params: int) -> Operator:
    """A layer for parameters that belong to no operator, or that its form has no place for."""
    nothing = FeatureMap(channels=1, size=())
    return Operator(name=name, type=kind, input=nothing, output=nothing, params=params)
