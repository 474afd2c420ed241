r"""Text as LaTeX, escaped so that pdflatex shows it unchanged.

Symbols of the field become mathematics (``D_F²`` is ``$D_F^{2}$``), accented letters TeX's accents. A character without
a glyph in pdflatex becomes its code point, ``U+5377``. Widths are those of Computer Modern, in digits at 10 pt, to
estimate whether a line of an article holds a text.
"""

from __future__ import annotations

import re
from itertools import groupby

from sepcalc.render.cells import visible

DIGIT = 5
"""The width of a digit at 10 pt, in points."""

LINE = 69
"""Digits in a line of an article at 10 pt: 345 pt."""

SIZES = (("", 1.0, 1.0), (r"\small", 0.93, 0.9), (r"\footnotesize", 0.85, 0.8), (r"\scriptsize", 0.8, 0.7))
"""Sizes of type, the largest first, each with the widths of its text and of its mathematics."""

_TEXT_WIDTHS = {
    character: width
    for width, characters in {
        0.56: "ijl.,:;!|'",
        0.65: "f -_",
        0.78: "rst()[]",
        0.95: "ceaz",
        1.0: "0123456789go/+",
        1.12: "bdhknpquvxy",
        1.5: "w",
        1.7: "m%",
    }.items()
    for character in characters
}
"""Widths of Computer Modern's characters, in digits; any other counts as a capital."""

_MATH_WIDTHS = {"·": 1.46, "=": 2.68, "+": 2.46, ",": 0.56, "(": 0.78, ")": 0.78, " ": 0, "_": 0, "′": 0.6, "%": 2}
"""Widths of the signs of mathematics with the space around them, in digits."""

_PAIR = r"(\S) (\S+)"

_SIGNS = r"""
    \ \textbackslash{} ~ \textasciitilde{} ^ \textasciicircum{} ` \`{} " {''} § \S{} © \copyright{}
    — --- – -- … \ldots{} “ `` ” '' ‘ ` ’ '
"""
"""Signs of text, each before its TeX."""

_TEXT = {" %": r"\,\%", **dict(re.findall(_PAIR, _SIGNS))}
# After a line break these would be its arguments.
_TEXT |= {character: f"{{{character}}}" for character in "[]*"}
_TEXT |= {letter: rf"{{\{name}}}" for letter, name in re.findall(_PAIR, "ß ss ø o Ø O ł l Ł L æ ae Æ AE œ oe Œ OE")}
_TEXT |= {character: f"\\{character}" for character in "&%$#_{}"}

_COMMANDS = (
    "× times · cdot ÷ div ± pm ≤ leq ≥ geq ≠ neq ≈ approx ∞ infty → rightarrow ← leftarrow ↔ leftrightarrow "
    "⇒ Rightarrow ∈ in √ surd ⌈ lceil ⌉ rceil ⌊ lfloor ⌋ rfloor µ mu Π prod Σ sum ∏ prod ∑ sum Δ Delta Ω Omega "
    "α alpha β beta γ gamma δ delta ε epsilon ζ zeta η eta θ theta ι iota κ kappa λ lambda μ mu ν nu ξ xi π pi "
    "ρ rho σ sigma τ tau υ upsilon φ phi χ chi ψ psi ω omega"
)
"""Signs of mathematics, each before the name of its command."""

_MATH = {"−": "-", "<": "<", ">": ">", "|": "|", "°": r"^\circ"}
_MATH |= {"½": r"\frac{1}{2}", "¼": r"\frac{1}{4}", "¾": r"\frac{3}{4}"}
_MATH |= {sign: f"\\{name}" for sign, name in re.findall(_PAIR, _COMMANDS)}
_MATH |= {raised: f"^{{{plain}}}" for raised, plain in zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)}
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u030a": "r", "\u030b": "H",
    "\u030c": "v", "\u0304": "=", "\u0306": "u", "\u0307": ".", "\u0327": "c",
}  # fmt: skip
_SYMBOL = r"(?<![A-Za-z0-9_])D_[A-Z](?![A-Za-z0-9_])|(?<=·)[A-Z](?![A-Za-z0-9_])|(?<![A-Za-z0-9_])[A-Z](?=·)"
_PIECES = re.compile(rf"(?P<symbol>{_SYMBOL})| %|(?:(?!{_SYMBOL}| %)[A-Za-z0-9 .:;/()+=@,'!?-])+|.", re.DOTALL)
_LIGATURE = re.compile(r"([-',])(?=\1)")


def escape(text: str) -> str:
    r"""``text`` as LaTeX that shows it unchanged, in a cell, a paragraph or a caption.

    >>> print(escape("conv_1 & D_K²·M ≥ 50 %"))
    conv\_1 \& $D_K^{2}\cdot M$ $\geq$ 50\,\%
    """
    pieces = [_piece(match) for match in _PIECES.finditer(visible(text))]
    runs = groupby(pieces, key=lambda piece: piece[0])
    return "".join(_math(list(run)) if math else "".join(tex for _, tex in run) for math, run in runs)


def text_width(text: str) -> float:
    """The width of ``text`` in digits.

    >>> round(text_width("conv 3×3"), 2)
    8.39
    """
    return sum(_TEXT_WIDTHS.get(character, 1.55) for character in text)


def math_width(plain: str) -> float:
    """The width of a formula, given in plain notation, as mathematics, in digits.

    >>> round(math_width("D_K²·M = 576"), 2)
    13.54
    """
    return sum(_MATH_WIDTHS.get(sign, 1.8 if sign.isupper() else 1) for sign in plain)


def _piece(match: re.Match[str]) -> tuple[bool, str]:
    """Whether a piece of text is mathematics, and its TeX."""
    piece = match[0]
    if match.lastgroup == "symbol" or piece in _MATH:
        return True, _MATH.get(piece, piece)
    if piece in _TEXT:
        return False, _TEXT[piece]
    return False, _LIGATURE.sub(r"\1{}", piece) if piece.isascii() else _letter(piece)


def _math(pieces: list[tuple[bool, str]]) -> str:
    """One formula: a space ends the name of a command, and a power without a symbol gets an empty base."""
    joined = previous = ""
    for _, piece in pieces:
        base = "{}" if piece[0] == "^" and not previous[:1].isalpha() else ""
        space = " " if piece[0].isalpha() and joined[-1:].isalpha() else ""
        joined, previous = f"{joined}{space}{base}{piece}", piece
    return f"${joined}$"


def _letter(character: str) -> str:
    from unicodedata import normalize

    base, *marks = list(normalize("NFD", character))
    if len(marks) == 1 and base.isascii() and base.isalpha() and marks[0] in _ACCENTS:
        return f"\\{_ACCENTS[marks[0]]}{{{base}}}"
    return f"\\texttt{{U+{ord(character):04X}}}"
