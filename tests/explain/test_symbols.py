"""Integers that remember their names, and formulas as text."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.explain.symbols import (
    INLINE,
    INLINE_MATHML,
    LATEX,
    MARKDOWN,
    MATHML,
    UNICODE,
    Formula,
    Notation,
    Symbol,
    formula,
    write,
)

VALUES = {"M": 64, "N": 64, "D_K": 3, "D_F": 14}
M, N, K, F = (Symbol(name, value) for name, value in VALUES.items())

NUMBERS = st.one_of(st.sampled_from([M, N, K, F]), st.integers(-3, 20))
OPERATIONS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b if b else a,
    "%": lambda a, b: a % b if b else a,
    "min": min,
    "negative": lambda a, b: b - -a,
}


@given(st.recursive(NUMBERS, lambda below: st.tuples(st.sampled_from(sorted(OPERATIONS)), below, below), max_leaves=12))
def test_a_symbol_counts_as_its_integer_and_its_formula_is_right(tree):
    """Whatever is calculated has the value that plain integers give, and so has its formula."""

    def value(node, leaf):
        return OPERATIONS[node[0]](*(value(below, leaf) for below in node[1:])) if type(node) is tuple else leaf(node)

    symbolic, plain = value(tree, lambda number: number), value(tree, int)
    assert symbolic == plain
    assert formula(symbolic).at(VALUES) == plain


def test_equal_values_stay_apart():
    """With as many channels in as out, M is not N, and the smaller one is the one that was picked."""
    assert M == N
    assert write(formula(M * N), UNICODE) == "M·N"
    assert formula(min(M, N)) == formula(M)
    assert formula(min(N, M)) == formula(N)


def test_division_remembers_only_what_is_exact():
    """An exact quotient is a formula, one with a remainder and one that leaves no name are plain numbers."""
    assert write(formula(M // 4), UNICODE) == "M/4"
    assert write(formula(M * K // (N * 3)), UNICODE) == "D_K·M/(3·N)"
    assert type(M // 5) is int
    assert type(M * 6 // (M * 6)) is int
    assert type(M * N // (M + N)) is int


def test_operations_without_a_formula_forget():
    """A difference, a remainder and a power are plain integers."""
    assert [type(number) for number in (M - 1, -M, M % 5, M**2, abs(M))] == [int] * 5


def test_a_symbol_mixes_with_other_numbers():
    """Fractions and floats treat a symbol as the integer that it is."""
    assert M * Fraction(1, 2) == 32
    assert M + Fraction(1, 2) == Fraction(129, 2)
    assert M * 0.5 + 0.5 == 32.5
    assert M // Fraction(3, 2) == 42
    assert f"{M:,} {M}" == "64 64"


def test_like_terms_are_gathered():
    """A sum holds each product once, and none that cancels."""
    assert write(formula(M * N + K + N * M), UNICODE) == "2·M·N + D_K"
    assert formula(M * N + M * N * -1) == Formula()
    assert write(Formula(), UNICODE) == "0"


def test_a_ratio_is_a_sum_of_products_only_over_a_single_term():
    """Over one product a sum divides term by term; over a sum there is no closed form."""
    separable, standard = formula(K * K * M + M * N), formula(K * K * M * N)
    assert write(separable.over(standard), UNICODE) == "1/N + 1/D_K²"
    assert separable.over(formula(K * K * M * N + N)) is None


def test_numbers_are_put_in_one_by_one():
    """Names without a value stay."""
    count = formula(K * K * M * F * F)
    assert write(count.put({"D_K": 3, "M": 64}), UNICODE) == "576·D_F²"
    assert write(count.put(VALUES), UNICODE) == "112,896"
    with pytest.raises(KeyError, match="D_F"):
        count.at({"D_K": 3, "M": 64})


RATIO = formula(M * M * K // 4).over(formula(Symbol("K_h", 5) * Symbol("H′", 7) * K))


SQUARE = "<msup><mi>M</mi><mn>2</mn></msup>"
BELOW = "<mn>4</mn><mo>·</mo><msub><mi>K</mi><mi>h</mi></msub><mo>·</mo><msup><mi>H</mi><mo>′</mo></msup>"


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (UNICODE, "M²/(4·K_h·H′)"),
        (MARKDOWN, "M^2/(4·K_h·H')"),
        (LATEX, r"\frac{M^2}{4 \cdot K_h \cdot H'}"),
        (INLINE, r"M^2/(4 \cdot K_h \cdot H')"),
        (MATHML, f"<mfrac><mrow>{SQUARE}</mrow><mrow>{BELOW}</mrow></mfrac>"),
        (INLINE_MATHML, f"{SQUARE}<mo>/</mo><mo>(</mo>{BELOW}<mo>)</mo>"),
    ],
    ids=["unicode", "markdown", "latex", "inline", "mathml", "inline mathml"],
)
def test_notations(notation: Notation, text: str):
    """Each notation writes products, powers, quotients and primes in its own way."""
    assert write(RATIO, notation) == text


def test_factors_stand_as_in_the_paper():
    """The kernel comes first, then the channels, then the feature map, in whatever order they were multiplied."""
    count = formula(F * 2 * N * K * M * F * K)
    assert write(count, UNICODE, spell=True) == "2·D_K·D_K·M·N·D_F·D_F"
    assert write(count, UNICODE, VALUES, spell=True) == "2·3·3·64·64·14·14"
    assert write(count, UNICODE) == "2·D_K²·M·N·D_F²"


def test_large_numbers_and_powers():
    """Thousands have separators that TeX sets without a space; a power of ten or more is one group."""
    power = formula(Symbol("X", 2))
    for _ in range(9):
        power = power * formula(Symbol("X", 2))
    many = power * formula(4096)
    assert [write(many, each) for each in (UNICODE, MARKDOWN, LATEX)] == [
        "4,096·X¹⁰",
        "4096·X^{10}",
        r"4{,}096 \cdot X^{10}",
    ]
