"""Tables to render: one of every kind of cell, and random ones full of hostile text."""

from fractions import Fraction

from hypothesis import strategies as st

from sepcalc.table import Column, Row, Table

HOSTILE = list("|\\`*_[]<>&~$#%^{}\"'-+=.,;:!?@/ \t\r\n\x00\x1b\x7f\x85\xa0\u200b\u2028\ud800é×·²—≥ΠЖ漢😀aA0D_FM")

texts = st.text(st.sampled_from(HOSTILE) | st.characters(), max_size=12)
"""Text with everything that some format takes for its own."""

SAMPLE = Table(
    name="layer",
    title="64 → 128, 3×3",
    columns=(
        Column(key="variant", title="Variant"),
        Column(key="params", title="Params", kind="count"),
        Column(key="params_reduction", title="Params reduction", kind="reduction", rank=1),
        Column(key="macs", title="MACs", kind="per-position"),
        Column(key="out_size", title="Output", kind="size", rank=2),
        Column(key="traffic_bytes", title="Traffic", kind="bytes", rank=2),
    ),
    rows=(
        Row(cells=("standard", 73_728, Fraction(1), Fraction(73_728), (56, 40), 2_703_360)),
        Row(cells=("depthwise-separable", 8_768, Fraction(73_728, 8_768), Fraction(8_768), (56, 40), 3_245_678)),
        Row(cells=("depthwise 3×3", 576, None, Fraction(576), (), 123_456), role="part"),
        Row(cells=("sum", 83_072, None, None, None, 6_072_494), role="total"),
    ),
    caption="MACs of the convolution alone.",
    notes=("mid 64; saves while mid < 128", "uncounted: x (Y)"),
)

numbers = st.none() | st.integers(0, 10**15) | st.fractions(0, 10**6, max_denominator=10**4)
CELLS = {
    "text": texts,
    "count": st.none() | st.integers(0, 10**15),
    "per-position": numbers,
    "bytes": st.none() | st.integers(0, 10**15),
    "reduction": numbers,
    "share": numbers,
    "quotient": numbers,
    "size": st.none() | st.lists(st.integers(1, 10**4), max_size=3).map(tuple),
}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table of one to five columns of any kind and up to six rows of any role."""
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=5))
    columns = tuple(
        Column(
            key=f"key{place}", title=draw(texts), kind=kind, rank=draw(st.integers(0, 2)), axes=draw(st.integers(0, 3))
        )
        for place, kind in enumerate(kinds)
    )
    roles = st.sampled_from(["body", "part", "total"])
    rows = tuple(
        Row(cells=tuple(draw(CELLS[kind]) for kind in kinds), role=draw(roles)) for _ in range(draw(st.integers(0, 6)))
    )
    notes = tuple(draw(st.lists(texts, max_size=2)))
    return Table(name=draw(texts), title=draw(texts), columns=columns, rows=rows, caption=draw(texts), notes=notes)


def column_of(*values: str) -> Table:
    """A table of one column of text."""
    columns = (Column(key="name", title="Name"),)
    return Table(name="names", title="Names", columns=columns, rows=tuple(Row(cells=(value,)) for value in values))
