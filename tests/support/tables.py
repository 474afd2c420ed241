"""Tables to render: one of every kind of cell, and random ones full of hostile text."""

from fractions import Fraction

from hypothesis import strategies as st

from sepcalc.core.table import Column, Estimate, Row, Table
from sepcalc.render.cells import PER_SECOND

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

FIRST_RECORD = {
    "variant": "standard",
    "params": 73728,
    "params_reduction": 1.0,
    "macs": 73728,
    "out_size": [56, 40],
    "traffic_bytes": 2703360,
    "role": "body",
}
"""The first row of the sample as a record."""

fractions = st.fractions(0, 10**6, max_denominator=10**4)
numbers = st.none() | st.integers(0, 10**15) | fractions
estimates = st.tuples(fractions, fractions, fractions).map(
    lambda ends: Estimate(low=min(ends), value=sorted(ends)[1], high=max(ends))
)
CELLS = {
    "text": texts,
    "count": st.none() | st.integers(0, 10**15),
    "per-position": numbers,
    "bytes": st.none() | st.integers(0, 10**15),
    "reduction": numbers | estimates,
    "share": numbers | estimates,
    "quotient": numbers | estimates,
    "time": numbers | estimates,
    "rate": numbers,
    "size": st.none() | st.lists(st.integers(1, 10**4), max_size=3).map(tuple),
}


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """A table of one to five columns of any kind and up to six rows of any role."""
    kinds = draw(st.lists(st.sampled_from(sorted(CELLS)), min_size=1, max_size=5))
    columns = tuple(
        Column(
            key=f"key{place}",
            title=draw(texts),
            kind=kind,
            rank=draw(st.integers(0, 2)),
            axes=draw(st.integers(0, 3)),
            unit=draw(st.sampled_from(sorted(PER_SECOND))),
            interval=draw(st.booleans()),
        )
        for place, kind in enumerate(kinds)
    )
    roles = st.sampled_from(["body", "part", "total"])
    rows = tuple(
        Row(cells=tuple(draw(CELLS[kind]) for kind in kinds), role=draw(roles)) for _ in range(draw(st.integers(0, 6)))
    )
    notes = tuple(draw(st.lists(texts, max_size=2)))
    return Table(name=draw(texts), title=draw(texts), columns=columns, rows=rows, caption=draw(texts), notes=notes)


MEASURED = Table(
    name="measured",
    title="64 → 128, 3×3",
    columns=(
        Column(key="variant", title="Variant"),
        Column(key="median_s", title="Median (ms)", kind="time", unit="ms", interval=True, rank=2),
        Column(key="minimum_s", title="Min (ms)", kind="time", unit="ms", rank=3),
        Column(key="speedup", title="Speed-up", kind="reduction", interval=True, rank=1),
        Column(key="macs_per_s", title="MAC/s", kind="rate", rank=4),
    ),
    rows=(
        Row(
            cells=(
                "standard",
                Estimate(value=Fraction("0.004216"), low=Fraction("0.00418"), high=Fraction("0.00426")),
                Fraction("0.00417"),
                Fraction(1),
                Fraction(45_200_000_000),
            )
        ),
        Row(
            cells=(
                "depthwise-separable",
                Estimate(value=Fraction("0.00123"), low=Fraction("0.00122"), high=Fraction("0.00125")),
                Fraction("0.00121"),
                Estimate(value=Fraction("3.4216"), low=Fraction("3.38"), high=Fraction("3.47")),
                Fraction(18_300_000_000),
            )
        ),
        Row(cells=("grouped", None, None, "unreliable", None)),
    ),
)
"""A table of numbers with intervals: a median with its quartiles, a speed-up with the ends that it may have."""


def column_of(*values: str) -> Table:
    """A table of one column of text."""
    columns = (Column(key="name", title="Name"),)
    return Table(name="names", title="Names", columns=columns, rows=tuple(Row(cells=(value,)) for value in values))
