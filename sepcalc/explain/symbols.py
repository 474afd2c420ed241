"""Whole numbers that remember their names, so that a count has a derivation.

Variants carry no formulas: a derivation runs the same rewrite on a :class:`Symbol`, an ``int`` called ``M`` or ``D_K``.
Products, sums and exact quotients of symbols remember their :class:`Formula`; all other operations return a plain
``int``. So a formula may show a number where a name could stand, but never a wrong name.

>>> m, n, k = Symbol("M", 64), Symbol("N", 128), Symbol("D_K", 3)
>>> count = k * k * m + m * n
>>> count, write(formula(count), UNICODE)
(8768, 'D_K²·M + M·N')
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

_ORDER = ("D_K", "K_t", "K_h", "K_w", "M", "R", "N", "G", "D_F", "D_G", "T", "T′", "H", "H′", "W", "W′")
"""Factors stand in the order of Howard 2017, equation 2: D_K · D_K · M · N · D_F · D_F."""


@dataclass(frozen=True, slots=True)
class Term:
    """A rational ``coefficient`` times named ``powers``, of which none is zero; negative ones are divisors."""

    coefficient: Fraction
    powers: tuple[tuple[str, int], ...] = ()

    def __mul__(self, other: Term) -> Term:
        powers = dict(self.powers)
        for name, power in other.powers:
            powers[name] = powers.get(name, 0) + power
        named = {name: powers[name] for name in (*_ORDER, *sorted(powers)) if powers.get(name)}
        return Term(self.coefficient * other.coefficient, tuple(named.items()))

    def inverse(self) -> Term:
        """1 / this term."""
        return Term(1 / self.coefficient, tuple((name, -power) for name, power in self.powers))

    def at(self, values: Mapping[str, int]) -> Fraction:
        """The value of this term with ``values``."""
        return prod((Fraction(values[name]) ** power for name, power in self.powers), start=self.coefficient)

    def put(self, values: Mapping[str, int]) -> Term:
        """This term with numbers for the names that ``values`` knows."""
        known = tuple(item for item in self.powers if item[0] in values)
        return Term(Term(self.coefficient, known).at(values), tuple(item for item in self.powers if item not in known))


@dataclass(frozen=True, slots=True)
class Formula:
    """A sum of :class:`Term` values with different powers, in the order of their first occurrence."""

    terms: tuple[Term, ...] = ()

    def __add__(self, other: Formula) -> Formula:
        return _gather(self.terms + other.terms)

    def __mul__(self, other: Formula) -> Formula:
        return _gather(tuple(mine * its for mine in self.terms for its in other.terms))

    def over(self, other: Formula) -> Formula | None:
        """This formula divided by ``other``, term by term; None where ``other`` is not a single term.

        >>> standard, separable = formula(Symbol("D_K", 3) * Symbol("N", 8)), formula(Symbol("D_K", 3) + 1)
        >>> write(separable.over(standard), UNICODE)
        '1/N + 1/(D_K·N)'
        """
        return self * Formula((other.terms[0].inverse(),)) if len(other.terms) == 1 else None

    def put(self, values: Mapping[str, int]) -> Formula:
        """This formula with numbers for the names that ``values`` knows."""
        return _gather(tuple(term.put(values) for term in self.terms))

    @property
    def names(self) -> frozenset[str]:
        """The names that occur."""
        return frozenset(name for term in self.terms for name, _ in term.powers)

    def at(self, values: Mapping[str, int]) -> Fraction:
        """The value of this formula with ``values``; raises :class:`KeyError` for an unknown name.

        >>> formula(Symbol("N", 128) // 4).at({"N": 10})
        Fraction(5, 2)
        """
        return sum((term.at(values) for term in self.terms), Fraction(0))


def _gather(terms: tuple[Term, ...]) -> Formula:
    sums: dict[tuple[tuple[str, int], ...], Fraction] = {}
    for term in terms:
        sums[term.powers] = sums.get(term.powers, Fraction(0)) + term.coefficient
    return Formula(tuple(Term(coefficient, powers) for powers, coefficient in sums.items() if coefficient))


class Symbol(int):
    """An integer called ``name``, which behaves as the integer it is.

    Equal values stay apart: with 64 channels in and out, M is not N.

    >>> wide = Symbol("M", 64) * 6
    >>> wide, write(formula(wide), UNICODE), wide // wide
    (384, '6·M', 1)
    >>> write(formula(Symbol("N", 128) // 4), UNICODE), formula(Symbol("N", 10) // 4) == formula(2)
    ('N/4', True)
    """

    formula: Formula

    def __new__(cls, name: str, value: int) -> Symbol:
        """``value`` with a ``name``."""
        return cls._remember(value, Formula((Term(Fraction(1), ((name, 1),)),)))

    @classmethod
    def _remember(cls, value: int, formula: Formula) -> Symbol:
        number = super().__new__(cls, value)
        number.formula = formula
        return number

    def __mul__(self, other: int) -> int:
        if not isinstance(other, int):
            return NotImplemented
        return self._remember(int(self) * int(other), self.formula * formula(other))

    def __add__(self, other: int) -> int:
        if not isinstance(other, int):
            return NotImplemented
        return self._remember(int(self) + int(other), self.formula + formula(other))

    def __floordiv__(self, other: int) -> int:
        if not isinstance(other, int):
            return NotImplemented
        value, rest = divmod(int(self), int(other))
        exact = None if rest else self.formula.over(formula(other))
        return self._remember(value, exact) if exact and exact.names else value

    __rmul__ = __mul__
    __radd__ = __add__


def formula(number: int) -> Formula:
    """The formula of ``number``; that of a plain integer is a constant.

    >>> write(formula(7), UNICODE)
    '7'
    """
    if isinstance(number, Symbol):
        return number.formula
    return Formula((Term(Fraction(number)),)) if number else Formula()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """The signs between factors and between terms, and the functions that write the parts of a formula."""

    times: str
    plus: str = " + "
    name: Callable[[str], str]
    number: Callable[[int], str]
    power: Callable[[str, int], str]
    quotient: Callable[[str, str], str]


def _slash(above: str, below: str) -> str:
    """A fraction on one line; a divisor that is a product or a sum, in plain text or in TeX, is in brackets."""
    top = f"({above})" if "+" in above or "/" in above else above
    return f"{top}/({below})" if {*"·+\\"}.intersection(below) else f"{top}/{below}"


UNICODE = Notation(
    times="·",
    name=lambda name: name,
    number=lambda number: f"{number:,}",
    power=lambda base, power: base + str(power).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
    quotient=_slash,
)
"""Plain text: D_K²·M/(4·N)."""

MARKDOWN = Notation(
    times="·",
    name=lambda name: name.replace("′", "'"),
    number=str,
    power=lambda base, power: f"{base}^{power}" if power < 10 else f"{base}^{{{power}}}",
    quotient=_slash,
)
"""TeX mathematics that reads well unrendered, between dollar signs: D_K^2·M/(4·N)."""

LATEX = replace(
    MARKDOWN,
    times=r" \cdot ",
    number=lambda number: f"{number:,}".replace(",", "{,}"),
    quotient=lambda above, below: rf"\frac{{{above}}}{{{below}}}",
)
"""LaTeX mathematics, displayed."""

INLINE = replace(LATEX, quotient=_slash)
"""LaTeX mathematics within a sentence."""


def _element(name: str) -> str:
    base, _, index = name.partition("_")
    letter = base.rstrip("′")
    prime = f"<msup><mi>{letter}</mi><mo>′</mo></msup>" if letter != base else f"<mi>{letter}</mi>"
    return f"<msub>{prime}<mi>{index}</mi></msub>" if index else prime


MATHML = Notation(
    times="<mo>·</mo>",
    plus="<mo>+</mo>",
    name=_element,
    number=lambda number: f"<mn>{number:,}</mn>",
    power=lambda base, power: f"<msup>{base}<mn>{power}</mn></msup>",
    quotient=lambda above, below: f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>",
)
"""MathML Core: the content of a ``<math>`` element."""


def _slash_element(above: str, below: str) -> str:
    top = f"<mo>(</mo>{above}<mo>)</mo>" if MATHML.plus in above else above
    return f"{top}<mo>/</mo>" + (f"<mo>(</mo>{below}<mo>)</mo>" if "<mo>" in below else below)


INLINE_MATHML = replace(MATHML, quotient=_slash_element)
"""MathML within a sentence."""


def write(formula: Formula, notation: Notation, values: Mapping[str, int] | None = None, *, spell: bool = False) -> str:
    """``formula`` as text, with numbers for the names that ``values`` knows.

    ``spell`` writes powers as products: D_K·D_K·M for D_K²·M.

    >>> write(formula(Symbol("D_K", 3) * Symbol("D_K", 3) * Symbol("M", 64)), UNICODE, {"D_K": 3}, spell=True)
    '3·3·M'
    """
    terms = (_term(term, notation, values or {}, spell) for term in formula.terms)
    return notation.plus.join(terms) or notation.number(0)


def _term(term: Term, notation: Notation, values: Mapping[str, int], spell: bool) -> str:
    def side(coefficient: int, sign: int) -> list[str]:
        factors = [] if coefficient == 1 else [notation.number(coefficient)]
        for name, power in term.powers:
            word = notation.number(values[name]) if name in values else notation.name(name)
            if power * sign > 0:
                raised = notation.power(word, abs(power)) if abs(power) > 1 else word
                factors += [word] * abs(power) if spell else [raised]
        return factors

    above = notation.times.join(side(term.coefficient.numerator, 1)) or notation.number(1)
    below = notation.times.join(side(term.coefficient.denominator, -1))
    return notation.quotient(above, below) if below else above
