"""An einsum as matrix products: two operands at a time, from the left.

An index of one operand alone is summed over first, as PyTorch does; that is no product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

from sepcalc.core.errors import SepcalcError
from sepcalc.readers.onnx.graph import Shape, by

MatrixProduct = tuple[int, int, int]
"""Numbers in, numbers out, and the number of vectors."""


def einsum_products(equation: str, shapes: Sequence[Shape]) -> list[MatrixProduct]:
    """The matrix products of an einsum, in the order of its operands; none where it has only one.

    Raises :class:`SepcalcError` where equation and shapes do not fit.

    >>> einsum_products("bhid,bhjd->bhij", [(2, 8, 16, 64), (2, 8, 16, 64)])
    [(64, 16, 256)]
    """
    reads, arrow, writes = equation.replace(" ", "").partition("->")
    operands = reads.split(",")
    if len(operands) != len(shapes):
        raise SepcalcError(f"has the equation {equation!r:.60} and {len(shapes)} inputs")
    lengths: dict[str, int] = {}
    labels = [_labels(operand, shape, lengths) for operand, shape in zip(operands, shapes, strict=True)]
    # Without an arrow, the result has the labels that stand in the equation once, and the ellipsis.
    times = Counter(label for operand in labels for label in operand)
    implied = {label for label, count in times.items() if count == 1 or label.startswith("...")}
    written = set(_split(writes)) if arrow else implied
    if "..." in written:
        written |= {label for label in lengths if label.startswith("...")}
    products, left = [], labels[0]
    for number, right in enumerate(labels[1:], 1):
        later = written.union(*labels[number + 1 :])
        left, product = _pair(left, right, later, lengths)
        products.append(product)
    return products


def _split(operand: str) -> list[str]:
    """The labels of an operand; an ellipsis is one."""
    before, dots, after = operand.partition("...")
    return [*before, *([dots] if dots else []), *after]


def _labels(operand: str, shape: Shape, lengths: dict[str, int]) -> list[str]:
    """The labels of an operand's axes, in an ellipsis numbered from its end; lengths go into ``lengths``."""
    named = _split(operand)
    open_axes = len(shape) - len(named) + 1
    if "..." in named:
        at = named.index("...")
        named[at : at + 1] = [f"...{open_axes - axis}" for axis in range(open_axes)]
    if len(named) != len(shape):
        raise SepcalcError(f"reads {by(shape)} as {operand!r:.60}")
    for label, length in zip(named, shape, strict=True):
        known = lengths.setdefault(label, length)
        if known != length and 1 not in (known, length):
            raise SepcalcError(f"has lengths {known} and {length} for one label of its equation")
        lengths[label] = max(known, length)
    return list(dict.fromkeys(named))


def _pair(
    left: list[str], right: list[str], later: set[str], lengths: dict[str, int]
) -> tuple[list[str], MatrixProduct]:
    """One product of two operands: the labels of the result, and its size as a matrix product."""
    mine = [label for label in left if label in right or label in later]
    other = [label for label in right if label in left or label in later]
    summed = [label for label in mine if label in other and label not in later]
    columns = [label for label in other if label not in mine]
    result = [label for label in dict.fromkeys([*mine, *other]) if label in later]
    rows = [label for label in result if label not in columns]
    c_in, c_out, times = (prod(lengths[label] for label in group) for group in (summed, columns, rows))
    return result, (c_in, c_out, times)
