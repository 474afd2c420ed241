"""Numbers that are many at once: at each point they are the plain numbers."""

import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.core.errors import SpecError
from sepcalc.sweep.many import Many, Points, evaluate

NUMBERS = st.lists(st.tuples(st.integers(-(10**12), 10**12), st.integers(-9, 9)), min_size=1, max_size=12)

OPERATIONS = {
    name: getattr(operator, name)
    for name in (
        "add",
        "sub",
        "mul",
        "floordiv",
        "mod",
        "lt",
        "le",
        "gt",
        "ge",
        "eq",
        "ne",
        "and_",
        "or_",
        "xor",
        "truediv",
    )
} | {
    "divmod": divmod,
    "power": lambda one, other: one ** abs(other),
    "shift": lambda one, other: one << abs(other),
    "negative": lambda one, other: -one + other,
    "absolute": lambda one, other: abs(one) - abs(other),
    "smaller": min,
    "larger": max,
    "fraction": lambda one, other: Fraction(one, other * other + 1),
    "numerator": lambda one, other: one.numerator * other.denominator,
    "bits": lambda one, other: one.bit_length() + other.bit_length(),
    "float": lambda one, other: float(one) - float(other),
    "hash": lambda one, other: {one: 1, other: 2}[other],
    "truth": lambda one, other: 1 if one and not other else 0,
    "itself": lambda one, other: (
        (one - one) + (one * one) // (one * one + 1) + (one == one) + one % (other * other + 1)
    ),
    "text": lambda one, other: len(f"{float(one):.3f}") + other,
}
"""What can be done with two whole numbers, each in the way in which a program writes it."""


def everywhere(run, columns):
    """What ``run`` answers at each point, in order: a value, or the type and the text of what it raises."""
    found = {}
    for piece in evaluate(run, Points(columns)):
        for number, place in enumerate(piece.places):
            found[place] = piece.reasons[number] if piece.reasons else tuple(each[number] for each in piece.answers)
    return [found[place] for place in sorted(found)]


@pytest.mark.parametrize("name", OPERATIONS)
@given(pairs=NUMBERS)
def test_operations(name, pairs):
    """Whatever is done with two numbers that are many, each point has the answer of its own plain numbers."""

    def run(one, other):
        try:
            return (OPERATIONS[name](one, other),)
        except ZeroDivisionError:
            raise SpecError("nothing to divide by") from None

    def plainly(one, other):
        try:
            return run(one, other)
        except SpecError as reason:
            return str(reason)

    ones, others = map(list, zip(*pairs, strict=True))
    assert everywhere(run, {"one": ones, "other": others}) == [plainly(*pair) for pair in pairs]


@given(pairs=NUMBERS)
def test_bounds(pairs):
    """No value of a number that was worked out is outside the bounds by which questions are answered."""
    ones, others = map(list, zip(*pairs, strict=True))
    one, other = Points({"one": ones, "other": others}).numbers.values()
    for made in (one + other, one - other, one * other, one // (other * other + 1), -one, 3 - one, (one * one) % 7):
        if isinstance(made, Many):
            assert made.low <= min(made.values)
            assert max(made.values) <= made.high


def test_one_run_for_all_points():
    """A question that all points answer alike costs no second run, however many there are."""
    runs = []

    def run(n, k):
        runs.append(n)
        return (n * k if n >= 1 and k < n else 0,)

    columns = {"n": [*range(100, 1100)], "k": [*range(1, 51)] * 20}
    assert everywhere(run, columns) == [(n * k,) for n, k in zip(*columns.values(), strict=True)]
    assert len(runs) == 1


def test_points_are_parted_once():
    """Runs that ask the same question share the parts, and so what is worked out in them."""
    whole = Points({"n": [1, 2, 3, 4]})
    parts = []

    def run(n):
        if n > 2:
            parts.append(n)
        return (n,)

    first, second = ([*evaluate(run, whole)] for _ in range(2))
    assert first == second
    assert [piece.places for piece in first] == [[0, 1], [2, 3]]
    assert parts[0] is parts[1]


def test_reasons():
    """A reason has at each point the number of that point, in the form in which it was written."""

    def run(c_in, groups):
        if c_in % groups:
            raise SpecError(f"c_in {c_in:,} is not divisible by {groups!r}")
        return (c_in // groups,)

    columns = {"c_in": [1000, 1001, 1002, 1003], "groups": [2, 2, 4, 3]}
    assert everywhere(run, columns) == [
        (500,),
        "c_in 1,001 is not divisible by 2",
        "c_in 1,002 is not divisible by 4",
        "c_in 1,003 is not divisible by 3",
    ]


def test_kinds_of_values():
    """Lengths, words and factors may stand beside numbers: each kind has a run of its own, lengths one for all."""
    seen = []

    def run(k):
        seen.append(k)
        return (k if isinstance(k, int) else 1,)

    everywhere(run, {"k": [3, 5, (3, 1), (5, 1), "min", Fraction(1, 2)]})
    numbers, lengths, *others = seen
    assert numbers.values == [3, 5]
    assert [getattr(each, "values", each) for each in lengths] == [(3, 5), 1]
    assert others == ["min", Fraction(1, 2)]


def test_other_errors_pass():
    """An error that is no reason is not taken for one."""
    with pytest.raises(KeyError):
        [*evaluate(lambda n: {}["no"], Points({"n": [1, 2]}))]
