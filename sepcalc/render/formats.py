"""A table in every format. A new format is one line in :data:`FORMATS` and one function.

Formats for people (terminal, Markdown, LaTeX, HTML) round as :mod:`sepcalc.render.cells` says and hold the
title, the rule of counting and every note. Formats for programs (CSV, TSV, JSON) hold exact numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.runtime import resolve
from sepcalc.core.table import Table
from sepcalc.render.cells import Look

Format = Literal["terminal", "markdown", "latex", "csv", "tsv", "html", "json"]


Draw = Callable[[Sequence[Table], Look], str]


class Output(NamedTuple):
    """A format: the ``suffix`` of its files, and the functions that draw tables in it.

    A function is given as such, or as ``module:name`` if it is to be imported when it first draws: a run pays for one
    format. ``fragment`` draws tables as a part of another document, where that is not what ``draw`` draws.
    """

    suffix: str
    draw: Draw | str
    fragment: Draw | str = ""


FORMATS: dict[Format, Output] = {
    "terminal": Output(suffix=".txt", draw="sepcalc.render.terminal:draw"),
    "markdown": Output(suffix=".md", draw="sepcalc.render.markdown:draw"),
    "latex": Output(suffix=".tex", draw="sepcalc.render.latex:draw"),
    "csv": Output(suffix=".csv", draw="sepcalc.render.records:draw_csv"),
    "tsv": Output(suffix=".tsv", draw="sepcalc.render.records:draw_tsv"),
    "html": Output(suffix=".html", draw="sepcalc.render.html:draw", fragment="sepcalc.render.html:draw_fragments"),
    "json": Output(suffix=".json", draw="sepcalc.render.records:draw_json"),
}
"""Every format by name, in the order in which they are listed to people."""


def render_tables(
    tables: Sequence[Table],
    format: Format,  # noqa: A002 - the word of the command line
    *,
    si: bool = False,
    width: int | None = None,
    color: bool = False,
) -> str:
    """``tables`` as text in ``format``, ending in a line end; no text for no tables.

    ``si`` prints counts for people as 569 M. In a terminal ``width`` characters wide, columns of the
    highest rank go until the table fits; None is as wide as needed. ``color`` allows escape codes.

    Raises :class:`SepcalcError` for an unknown format, and where a format cannot hold these tables:
    CSV and TSV hold exactly one.

    >>> from sepcalc.core.table import Column, Row
    >>> columns = Column(key="variant", title="Variant"), Column(key="macs", title="MACs", kind="count")
    >>> table = Table(name="layer", title="A layer", columns=columns, rows=(Row(cells=("standard", 924_844_032)),))
    >>> print(render_tables([table], "markdown"), end="")
    **A layer**
    <BLANKLINE>
    | Variant  |        MACs |
    | :------- | ----------: |
    | standard | 924,844,032 |
    >>> print(render_tables([table], "csv"), end="")
    variant,macs
    standard,924844032
    """
    if format not in FORMATS:
        raise SepcalcError(f"unknown format '{format}'{closest(format, FORMATS)}")
    drawn = _called(FORMATS[format].draw)(tables, Look(si=si, width=width, color=color))
    # A file name that is no UTF-8 reaches a title as lone surrogates, which nothing could write.
    return drawn.encode("utf-8", "backslashreplace").decode("utf-8")


def fragments(tables: Sequence[Table], format: Format) -> str:  # noqa: A002 - the word of the command line
    """``tables`` in ``format`` as a part of another document, such as a notebook."""
    output = FORMATS[format]
    return _called(output.fragment or output.draw)(tables, Look())


def _called(draw: Draw | str) -> Draw:
    function: Draw = resolve(draw) if isinstance(draw, str) else draw
    return function
