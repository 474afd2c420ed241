"""Whole numbers with a value at each of many points: one run of a rewrite counts a whole block of points.

No variant carries a formula, and rewriting a million convolutions one by one takes too long. So the rewrite runs on a
:class:`Many`, an ``int`` with many values. Sums, products, quotients and remainders are computed once for all points,
in Python's exact integers. A question with different answers (is ``c_in`` smaller than ``c_out``?) ends the run: the
points are split by the answer, and each part runs on its own. Any other use (a hash, a power, a float) splits the
points by value. So every answer is that of plain numbers.

C code that reads an ``int`` directly (``math.gcd``, ``range``) goes unnoticed. No rewrite needs it, and tests compare
every registered variant with plain numbers.

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
from itertools import count, repeat
from operator import add, eq, floordiv, ge, gt, le, lt, mod, mul, sub
from typing import Any, NamedTuple

from sepcalc.core.errors import SpecError
from sepcalc.core.spec import Axes

Value = int | Axes | str | Fraction
"""What a point can have under a name: a whole number, one for each axis, a word or a factor."""

Operation = Callable[[int, int], int]


class Split(Exception):  # noqa: N818 - it says how to go on, and never leaves this module
    """The points do not agree on ``question``; ``labels`` has what each of them answers."""

    def __init__(self, question: object, labels: Sequence[object]) -> None:
        super().__init__()
        self.question, self.labels = question, labels


class Points:
    """Points with a value under each name, what is known of their numbers, and their ``places`` among all points."""

    def __init__(self, columns: Mapping[str, Sequence[Value]], places: Sequence[int] | None = None) -> None:
        self.columns = columns
        self.places = range(len(next(iter(columns.values())))) if places is None else places
        self.known: dict[object, Many] = {}
        self.written: list[tuple[Many, str]] = []
        self._numbers: dict[str, Any] | None = None
        self._parts: dict[object, list[Points]] = {}

    @property
    def numbers(self) -> dict[str, Any]:
        """The value under each name: a plain one where all points have the same, else a :class:`Many`."""
        if self._numbers is None:
            self._numbers = {name: self._number(values) for name, values in self.columns.items()}
        return self._numbers

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
        """The points by what they answer; the same ones for whoever else asks the same."""
        if split.question not in self._parts:
            members: defaultdict[object, list[int]] = defaultdict(list)
            for label, number in zip(split.labels, count(), strict=False):
                members[label].append(number)
            self._parts[split.question] = [self._part(mine) for mine in members.values()]
        return self._parts[split.question]

    def _part(self, mine: Sequence[int]) -> Points:
        columns = {name: [*map(values.__getitem__, mine)] for name, values in self.columns.items()}
        return Points(columns, [*map(self.places.__getitem__, mine)])

    def texts(self, message: str) -> list[str]:
        """``message`` at each point, with the numbers that were written into it."""
        pieces: list[Iterable[str]] = [repeat(text) for text in message.split(_MARK)]
        for place in range(1, len(pieces), 2):
            number, form = self.written[int(message.split(_MARK)[place])]
            pieces[place] = [format(value, form) for value in number.values]
        return ["".join(each) for each, _ in zip(zip(*pieces, strict=False), self.places, strict=False)]


def _kind(value: Value) -> object:
    """What values need to have alike to be one number: as many axes, or none; any other value stands for itself."""
    return len(value) if isinstance(value, tuple) else 0 if isinstance(value, int) else (value,)


_MARK = "\0"
"""Stands around the number of a number that was written into a text."""


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
        """The plain number that this is at all points; where it is not one, the points are parted by it."""
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


def _points(left: int, right: int) -> Points:
    number = left if isinstance(left, Many) else right
    assert isinstance(number, Many)  # noqa: S101 - a plain number has its own operations
    return number.points


_SAME: dict[Operation, int] = {sub: 0, floordiv: 1, mod: 0}
"""What an operation makes of twice the same number, as long as that is not 0."""

_NEUTRAL: dict[Operation, int] = {add: 0, sub: 0, mul: 1, floordiv: 1}
"""What on the right of an operation leaves the left as it is; on the left too for sums and products."""


def _combine(operate: Operation, left: int, right: int) -> int:
    """The number that ``operate`` makes of two, at least one of them many; worked out when its values are needed."""
    neutral = _NEUTRAL.get(operate)
    if not isinstance(right, Many) and right == neutral:
        return left
    if not isinstance(left, Many) and left == neutral and operate in (add, mul):
        return right
    low, high = _ends(right)
    if left is right and operate in _SAME and (low > 0 or operate is sub):
        return _SAME[operate]
    points, key = _points(left, right), (operate, _key(left), _key(right))
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
            # Each of the others grows or falls along each side alone, so its ends are at the ends of both.
            corners = [operate(one, other) for one in _ends(left) for other in (low, high)]
            points.known[key] = Many(points, min(corners), max(corners), made=made)
    return points.known[key]


def _key(number: int) -> object:
    return (id(number),) if isinstance(number, Many) else number


def _answer(ask: Callable[[int, int], bool], left: int, right: int) -> bool:
    """What all points answer to a comparison; where they differ, they are parted by it."""
    if left is right:
        return ask(0, 0)
    (low, high), (least, most) = _ends(left), _ends(right)
    if ask is eq:
        if high < least or most < low:
            return False
    elif len(answers := {ask(low, least), ask(low, most), ask(high, least), ask(high, most)}) == 1:
        return answers.pop()
    each = [*map(ask, spread(left), spread(right))]
    if len({*each}) > 1:
        raise Split((ask, _key(left), _key(right)), each)
    return each[0]


def _on(operate: Operation) -> Callable[[Any, Any], Any]:
    return lambda self, other: _combine(operate, self, other) if isinstance(other, int) else NotImplemented


def _reflected(operate: Operation) -> Callable[[Any, Any], Any]:
    return lambda self, other: _combine(operate, other, self) if isinstance(other, int) else NotImplemented


def _asked(ask: Callable[[int, int], bool]) -> Callable[[Any, Any], Any]:
    return lambda self, other: _answer(ask, self, other) if isinstance(other, int) else NotImplemented


def _one_by_one(name: str) -> Any:
    plain = getattr(int, name)
    if not callable(plain):
        return property(lambda self: getattr(self.one(), name))
    return lambda *numbers: plain(*(each.one() if isinstance(each, Many) else each for each in numbers))


def _teach() -> None:
    """Give :class:`Many` everything that an ``int`` can do: as many numbers at once, or else one by one."""
    for operate in (add, sub, mul, floordiv, mod):
        setattr(Many, f"__{operate.__name__}__", _on(operate))
        setattr(Many, f"__r{operate.__name__}__", _reflected(operate))
    for ask in (lt, le, gt, ge, eq):
        setattr(Many, f"__{ask.__name__}__", _asked(ask))
    for name in {*dir(int)} - {*dir(object), *vars(Many), "from_bytes"} | {"__hash__"}:
        setattr(Many, name, _one_by_one(name))


_teach()


class Piece(NamedTuple):
    """What a run came to at ``places``: the values of each of its ``answers``, or ``reasons`` why there are none."""

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
        yield Piece(points.places, tuple(_listed(each, total) for each in answers))
    except SpecError as reason:
        yield Piece(points.places, reasons=points.texts(str(reason)))
    except Split as split:
        for part in points.parts(split):
            yield from evaluate(run, part)


def _listed(number: int, total: int) -> Sequence[int]:
    return number.values if isinstance(number, Many) else [number] * total
