"""Derivations that between them use every construction."""

from sepcalc import ConvSpec, choose, compare
from sepcalc.explain.derivation import explain_layer
from sepcalc.explain.prose import render_explanation

LAYER = ConvSpec.of(64, 128, k=3, size=56)

DOCUMENTS = {
    "square": LAYER,
    "volume": ConvSpec.of(64, 128, k=(3, 5, 7), size=(16, 112, 112), stride=2, bias="all"),
    "open": ConvSpec.of(64, 96, k=3),
}
"""Derivations that between them use every construction; tests/support/check_latex.py compiles them."""


def fragment(spec):
    """The derivation of ``spec`` in every variant, in LaTeX."""
    return render_explanation(explain_layer(compare(spec, choose(["all"], {"groups": 4, "mid": 48}))), "latex")
