"""Integer arithmetic in a network file: ``4*$width``, ``$c_in/2``, ``scaled($width)/2``.

Whole numbers, names, ``+ - * / // %``, brackets and functions that the reader offers; nothing is executed. ``/`` must
have no remainder, ``//`` rounds down.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from sepcalc.core.errors import SpecError, closest
from sepcalc.readers.yaml.decoding import shown

LARGEST = 10**12
"""The largest result, and with a minus the smallest."""

_LONGEST = 200  # characters


class Channels(int):
    """A number of channels of a built layer: a width multiplier is already in it."""

    __slots__ = ()


def evaluate(text: str, names: Mapping[str, Any]) -> Any:
    """The value of ``text``, where ``$name`` stands for ``names["name"]``.

    A lone ``$name`` gives its value of any type; arithmetic is on whole numbers alone. The result is a
    :class:`Channels` if an operand is one.

    Raises :class:`SpecError` for anything else.

    >>> evaluate("4*$width", {"width": 64})
    256
    """
    if (name := text[1:]) in names and text[0] == "$":
        return _known(name, names[name])
    return _compiled(text)(names)


def _known(name: str, value: Any) -> Any:
    if value is None:
        raise SpecError(f"${name} has no value; give {name}")
    return value


Evaluator = Callable[[Mapping[str, Any]], int]


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Evaluator:
    if len(text) > _LONGEST:
        raise SpecError(f"{text[:30]}... is longer than {_LONGEST} characters; split it")
    try:
        # With an underscore in front a name is no keyword of Python, and differs from a name without a $.
        tree = ast.parse(re.sub(r"\$(?=[^\W\d])", "_", text).strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise SpecError(f"'{text}' is no arithmetic; write it like 4*$width") from None
    return _evaluator(tree.body, text)


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def _evaluator(node: ast.expr, text: str) -> Evaluator:
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            return lambda names: number
        case ast.Name(id=name) if name.startswith("_"):
            return lambda names: _number(name[1:], names)
        case ast.Name(id=name):
            raise SpecError(f"'{text}' has {name} in it, which is no number; write ${name}")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _binary(lambda names: 0, _evaluator(operand, text), operator.sub)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            inner = _evaluator(argument, text)
            return lambda names: _function(f"{name}()", names)(inner(names))
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return _binary(_evaluator(left, text), _evaluator(right, text), _divide)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _binary(_evaluator(left, text), _evaluator(right, text), _OPERATORS[type(op)])
    raise SpecError(f"'{text}' is no arithmetic on whole numbers; use + - * / // % and brackets")


def _binary(left: Evaluator, right: Evaluator, act: Callable[[int, int], int]) -> Evaluator:
    def run(names: Mapping[str, Any]) -> int:
        a, b = left(names), right(names)
        try:
            result = act(a, b)
        except ZeroDivisionError:
            raise SpecError(f"{a} is divided by 0; divide by something else") from None
        if abs(result) > LARGEST:
            raise SpecError(f"{a} and {b} make a number above {LARGEST:,}; nothing in a network is as large")
        return Channels(result) if isinstance(a, Channels) or isinstance(b, Channels) else result

    return run


def _divide(a: int, b: int) -> int:
    if a % b:
        raise SpecError(f"{a}/{b} does not come out even; use // to round down")
    return a // b


def _function(name: str, names: Mapping[str, Any]) -> Callable[[int], int]:
    if name not in names:
        known = [function for function in names if function.endswith("()")]
        raise SpecError(f"{name} is not known here{closest(name, known) if known else '; use it in a block'}")
    found: Callable[[int], int] = names[name]
    return found


def _number(name: str, names: Mapping[str, Any]) -> int:
    if name not in names:
        known = [word for word in names if not word.endswith("()")]
        hint = closest(name, known) if known else "; write a number, or make it an argument of a block"
        raise SpecError(f"${name} is not known here{hint}")
    value = _known(name, names[name])
    if not isinstance(value, int) or isinstance(value, bool):
        raise SpecError(f"${name} is {shown(value)}, not a whole number")
    if abs(value) > LARGEST:
        raise SpecError(f"${name} is a number above {LARGEST:,}; nothing in a network is as large")
    return value
