"""A table in every format. A new format is one line in :data:`FORMATS` and one function.

Formats for people (terminal, Markdown, LaTeX, HTML) round as :mod:`sepcalc.cells` says and hold the
title, the rule of counting and every note. Formats for programs (CSV, TSV, JSON) hold exact numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from sepcalc.cells import Look
from sepcalc.errors import SepcalcError, closest
from sepcalc.table import Table

Format = Literal["terminal", "markdown", "latex", "csv", "tsv", "html", "json"]

Draw = Callable[[Sequence[Table], Look], str]


class Output(NamedTuple):
    """A format: the ``suffix`` of its files and the function that ``draw`` s tables in it."""

    suffix: str
    draw: Draw


def _late(module: str, function: str = "draw") -> Draw:
    """The function of that name, whose module is imported when it first draws: a run pays for one format."""

    def draw(tables: Sequence[Table], look: Look) -> str:
        from importlib import import_module

        drawn: str = getattr(import_module(f"sepcalc.{module}"), function)(tables, look)
        return drawn

    return draw


FORMATS: dict[Format, Output] = {
    "terminal": Output(suffix=".txt", draw=_late("terminal")),
    "markdown": Output(suffix=".md", draw=_late("markdown")),
    "latex": Output(suffix=".tex", draw=_late("latex")),
    "csv": Output(suffix=".csv", draw=_late("records", "draw_csv")),
    "tsv": Output(suffix=".tsv", draw=_late("records", "draw_tsv")),
    "html": Output(suffix=".html", draw=_late("webpage")),
    "json": Output(suffix=".json", draw=_late("records", "draw_json")),
}
"""Every format by name, in the order in which they are listed to people."""


def render(
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

    >>> from sepcalc.table import Column, Row
    >>> columns = Column(key="variant", title="Variant"), Column(key="macs", title="MACs", kind="count")
    >>> table = Table(name="layer", title="A layer", columns=columns, rows=(Row(cells=("standard", 924_844_032)),))
    >>> print(render([table], "markdown"), end="")
    **A layer**
    <BLANKLINE>
    | Variant  |        MACs |
    | :------- | ----------: |
    | standard | 924,844,032 |
    >>> print(render([table], "csv"), end="")
    variant,macs
    standard,924844032
    """
    if format not in FORMATS:
        raise SepcalcError(f"unknown format '{format}'{closest(format, FORMATS)}")
    drawn = FORMATS[format].draw(tables, Look(si=si, width=width, color=color))
    # A file name that is no UTF-8 reaches a title as lone surrogates, which nothing could write.
    return drawn.encode("utf-8", "backslashreplace").decode("utf-8")
