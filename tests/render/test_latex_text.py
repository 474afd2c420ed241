"""Text as LaTeX."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly
from tables import texts

from sepcalc.render.latex_text import escape

SHOWN = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\`{}": "`",
    r"\,\%": " %",
    "{''}": '"',
    "{[}": "[",
    "{]}": "]",
    "{*}": "*",
    "{}": "",
    **{f"\\{character}": character for character in "&%$#_{}"},
    "$": "",
}
TOKEN = re.compile("|".join(map(re.escape, SHOWN)))


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("conv_1 & 50%", r"conv\_1 \& 50\%"),
        ("8.41×", r"8.41$\times$"),
        ("73,728·D_F²", r"73,728$\cdot D_F^{2}$"),
        ("D_K·D_K·M·D_F² + M·N·D_F²", r"$D_K\cdot D_K\cdot M\cdot D_F^{2}$ + $M\cdot N\cdot D_F^{2}$"),
        ("1/N + 1/D_K²", r"1/N + 1/$D_K^{2}$"),
        ("56×40", r"56$\times$40"),
        ("11.9 %", r"11.9\,\%"),
        ("<0.1 %", r"$<$0.1\,\%"),
        ("m² x²³", r"m${}^{2}$ x${}^{2}{}^{3}$"),
        ("Π kernel ≥ D_K", r"$\prod$ kernel $\geq$ $D_K$"),
        ("—", "---"),
        ("--columns ,, ''", r"-{}-columns ,{}, '{}'"),
        ("[x] *", "{[}x{]} {*}"),
        ("BOARD_X D_FX 3D_F", r"BOARD\_X D\_FX 3D\_F"),
        ("é Å ç ß Łódź", r"\'{e} \r{A} \c{c} {\ss} {\L}\'{o}d\'{z}"),
        ("Ж漢😀", r"\texttt{U+0416}\texttt{U+6F22}\texttt{U+1F600}"),
        ("a\nb", r"a\textbackslash{}nb"),
        ("αβ→γ", r"$\alpha\beta\rightarrow\gamma$"),
        ("", ""),
    ],
)
def test_escape(text, tex):
    """Symbols of the field are mathematics, letters keep their accents, the rest is itself or its code point."""
    assert escape(text) == tex


@randomly(200)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_ascii_shows_what_was_there(text):
    """What TeX prints for an ASCII text is the text."""
    shown = TOKEN.sub(lambda match: SHOWN[match[0]], escape(text))
    assert shown == text


@randomly(200)
@given(texts)
def test_nothing_stays_special(text):
    """No text leaves a character that ends a cell, a row, an argument or the mathematics."""
    tex = escape(text)
    assert tex.isascii()
    assert tex.isprintable()
    bare = re.sub(r"\\[^A-Za-z]", "", tex)
    assert not set(bare) & set("&%#~")
    outside, inside = bare.split("$")[::2], bare.split("$")[1::2]
    assert len(outside) == len(inside) + 1
    assert all(part for part in inside)
    assert not set("".join(outside)) & set("_^<>|")
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
