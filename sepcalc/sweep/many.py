"""Whole numbers with a value at each of many points: one run of a rewrite counts a whole block of points.

Rewriting a million convolutions one by one takes too long. So a rewrite runs on :class:`Many`, an ``int`` with many
values: arithmetic is done once for all points, in exact integers. If points answer a question differently (is ``c_in``
below ``c_out``?), the run ends and each part runs on its own; a hash, a power or a float splits the points by value.
C code that reads an ``int`` directly (``math.gcd``, ``range``) goes unnoticed; tests compare all variants with plain
numbers.

>>> whole = Points({"c_in": [1, 2, 3, 4], "k": [3, 3, 3, 3]})
>>> [(piece.places, piece.answers) for piece in evaluate(lambda c_in, k: (k * k * c_in,), whole)]
[(range(0, 4), ([9, 18, 27, 36],))]
>>> [(piece.places, piece.answers) for piece in evaluate(lambda c_in, k: (min(c_in, k),), whole)]
[([0, 1, 2], ([1, 2, 3],)), ([3], ([3],))]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import repeat
from operator import add, eq, floordiv, ge, gt, le, lt, mod, mul, sub
from typing import Any, NamedTuple

from sepcalc.core.errors import SpecError
from sepcalc.core.spec import Axes

Value = int | Axes | str | Fraction
"""A value of a point: a whole number, one for each axis, a word or a factor."""

Operation = Callable[[int, int], int]


class Split(Exception):  # noqa: N818 - it says how to go on, and never leaves this module
    """The points do not agree on ``question``; ``labels`` has the answer of each."""

    def __init__(self, question: object, labels: Sequence[object]) -> None:
        self.question, self.labels = question, labels


class Points:
    """Points with a value under each name, and their ``places`` among all points.

    ``known`` has the results of operations, ``written`` the numbers in texts with their formats.
    """

    def __init__(self, columns: Mapping[str, Sequence[Value]], places: Sequence[int] | None = None) -> None:
        self.columns = columns
        self.places = range(len(next(iter(columns.values())))) if places is None else places
        self.known: dict[object, Many] = {}
        self.written: list[tuple[Many, str]] = []
        self._parts: dict[object, list[Points]] = {}

    @cached_property
    def numbers(self) -> dict[str, Any]:
        """The value under each name: a plain one where all points have the same, else a :class:`Many`."""
        return {name: self._number(values) for name, values in self.columns.items()}

    def _number(self, values: Sequence[Any]) -> Any:
        if values.count(values[0]) == len(values):
            return values[0]
        if {*map(type, values)} == {int}:
            return Many(self, min(values), max(values), values=values)
        kinds = [*map(_kind, values)]
        if len({*kinds}) == 1 and isinstance(values[0], tuple):
            return tuple(map(self._number, zip(*values, strict=True)))
        raise Split("kinds", kinds)

    def parts(self, split: Split) -> list[Points]:
        """The points with each answer; a question that comes again has the same parts."""
        if split.question not in self._parts:
            members: defaultdict[object, list[int]] = defaultdict(list)
            for number, label in enumerate(split.labels):
                members[label].append(number)
            self._parts[split.question] = [
                Points(
                    {name: [*map(values.__getitem__, part)] for name, values in self.columns.items()},
                    [*map(self.places.__getitem__, part)],
                )
                for part in members.values()
            ]
        return self._parts[split.question]

    def texts(self, message: str) -> list[str]:
        """``message`` at each point, with that point's numbers."""
        words = message.split(_MARK)
        pieces: list[Iterable[str]] = [*map(repeat, words)]
        for place in range(1, len(words), 2):
            number, form = self.written[int(words[place])]
            pieces[place] = [format(value, form) for value in number.values]
        return ["".join(texts) for texts, _ in zip(zip(*pieces, strict=False), self.places, strict=False)]


def _kind(value: Value) -> object:
    """Values of one kind can be one number: lengths of as many axes, or whole numbers; others only if equal."""
    return len(value) if isinstance(value, tuple) else 0 if isinstance(value, int) else (value,)


_MARK = "\0"
"""Stands in a text before and after the place of a number in :attr:`Points.written`."""


class Many(int):
    """A number with a value at each of ``points``, none below ``low`` or above ``high``."""

    points: Points
    low: int
    high: int
    _values: Sequence[int] | None
    _made: tuple[Operation, int, int] | None

    def __new__(
        cls,
        points: Points,
        low: int,
        high: int,
        *,
        values: Sequence[int] | None = None,
        made: tuple[Operation, int, int] | None = None,
    ) -> Many:
        """A number with these ``values``, or ``made`` by an operation on two others."""
        number = super().__new__(cls, low)
        number.points, number.low, number.high = points, low, high
        number._values, number._made = values, made
        return number

    @property
    def values(self) -> Sequence[int]:
        """The plain number at each point."""
        if self._values is None:
            assert self._made is not None  # noqa: S101 - one of the two is given
            operate, left, right = self._made
            self._values = [*map(operate, spread(left), spread(right))]
        return self._values

    def one(self) -> int:
        """The plain number, if it is the same at all points; raises :class:`Split` otherwise."""
        if len({*self.values}) > 1:
            raise Split(_key(self), self.values)
        return self.values[0]

    def __bool__(self) -> bool:
        return self != 0

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __neg__(self) -> int:
        return 0 - self

    def __format__(self, form: str) -> str:
        self.points.written.append((self, form))
        return f"{_MARK}{len(self.points.written) - 1}{_MARK}"

    def __str__(self) -> str:
        return format(self, "")

    __repr__ = __str__


def spread(number: int) -> Iterable[int]:
    """The values of ``number`` point by point; a plain number never ends."""
    return number.values if isinstance(number, Many) else repeat(number)


def _ends(number: int) -> tuple[int, int]:
    return (number.low, number.high) if isinstance(number, Many) else (number, number)


_SAME: dict[Operation, int] = {sub: 0, floordiv: 1, mod: 0}
"""The result of an operation on a number and itself, unless that is 0."""

_NEUTRAL: dict[Operation, int] = {add: 0, sub: 0, mul: 1, floordiv: 1}
"""The right operand that leaves the left one unchanged; for sums and products the left operand too."""


def _combine(operate: Operation, left: int, right: int) -> int:
    """The result of ``operate``, with at least one operand many; its values are computed when they are needed."""
    neutral = _NEUTRAL.get(operate)
    if not isinstance(right, Many) and right == neutral:
        return left
    if not isinstance(left, Many) and left == neutral and operate in (add, mul):
        return right
    low, high = _ends(right)
    if left is right and operate in _SAME and (low > 0 or operate is sub):
        return _SAME[operate]
    points = next(number.points for number in (left, right) if isinstance(number, Many))
    key = operate, _key(left), _key(right)
    if key not in points.known:
        made = operate, left, right
        if operate in (floordiv, mod) and low < 1:
            if right == 0:
                raise ZeroDivisionError
            values = [*map(operate, spread(left), spread(right))]
            points.known[key] = Many(points, min(values), max(values), values=values)
        elif operate is mod:
            points.known[key] = Many(points, 0, high - 1, made=made)
        else:
            # The other operations are monotonic in either operand, so the extremes are at the operands' ends.
            corners = [operate(one, other) for one in _ends(left) for other in (low, high)]
            points.known[key] = Many(points, min(corners), max(corners), made=made)
    return points.known[key]


def _key(number: int) -> object:
    return (id(number),) if isinstance(number, Many) else number


def _answer(ask: Callable[[int, int], bool], left: int, right: int) -> bool:
    """The answer to a comparison, if all points agree; raises :class:`Split` otherwise."""
    if left is right:
        return ask(0, 0)
    (low, high), (least, most) = _ends(left), _ends(right)
    if ask is eq:
        if high < least or most < low:
            return False
    elif len(corners := {ask(low, least), ask(low, most), ask(high, least), ask(high, most)}) == 1:
        return corners.pop()
    answers = [*map(ask, spread(left), spread(right))]
    if len({*answers}) > 1:
        raise Split((ask, _key(left), _key(right)), answers)
    return answers[0]


def _method(work_out: Callable[..., Any], sign: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: work_out(sign, self, other) if isinstance(other, int) else NotImplemented


def _reflected(operate: Operation) -> Callable[[Any, Any], Any]:
    return lambda self, other: _combine(operate, other, self) if isinstance(other, int) else NotImplemented


def _one_by_one(name: str) -> Any:
    plain = getattr(int, name)
    if not callable(plain):
        return property(lambda self: getattr(self.one(), name))
    return lambda *numbers: plain(*(number.one() if isinstance(number, Many) else number for number in numbers))


def _teach() -> None:
    """Give :class:`Many` all operations of an ``int``: arithmetic and comparisons at once, the others by value."""
    for operate in (add, sub, mul, floordiv, mod):
        setattr(Many, f"__{operate.__name__}__", _method(_combine, operate))
        setattr(Many, f"__r{operate.__name__}__", _reflected(operate))
    for ask in (lt, le, gt, ge, eq):
        setattr(Many, f"__{ask.__name__}__", _method(_answer, ask))
    for name in {*dir(int)} - {*dir(object), *vars(Many), "from_bytes"} | {"__hash__"}:
        setattr(Many, name, _one_by_one(name))


_teach()


class Piece(NamedTuple):
    """The result of a run at ``places``: the values of each of its ``answers``, or ``reasons`` for their absence."""

    places: Sequence[int]
    answers: tuple[Sequence[int], ...] = ()
    reasons: Sequence[str] = ()


def evaluate(run: Callable[..., tuple[int, ...]], points: Points) -> Iterator[Piece]:
    """The answers of ``run`` at ``points``, in pieces that took the same branches.

    ``run`` gets the points' numbers by name. A :class:`SpecError` is the reason why a piece has no answers.
    """
    total = len(points.places)
    try:
        answers = run(**points.numbers)
        listed = (number.values if isinstance(number, Many) else [number] * total for number in answers)
        yield Piece(points.places, tuple(listed))
    except SpecError as reason:
        yield Piece(points.places, reasons=points.texts(str(reason)))
    except Split as split:
        for part in points.parts(split):
            yield from evaluate(run, part)
