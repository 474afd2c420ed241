"""Every format as one record: the suffix of its files, and the functions that draw in it.

Formats for people (terminal, Markdown, LaTeX, HTML) round as :mod:`sepcalc.render.cells` and hold the title, the rules
and every note. Exact formats (CSV, TSV, JSON) are for programs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.runtime import resolve
from sepcalc.core.table import Table, share_rules
from sepcalc.render.cells import Look

Late = Callable[..., str] | str
"""A function that draws, or its ``module:name``, imported when it first draws: a run pays for one format."""


class Output(NamedTuple):
    """A format; an empty field is something that it cannot draw.

    suffix: that of its files.
    draw: tables and a :class:`Look` as text. explain: an explanation and a :class:`Look` as text, for ``--explain``.
    fragment, explain_fragment: the same as a part of another document, if that differs.
    report: a :class:`~sepcalc.report.document.Report` and the name of its file without suffix, as text.
    pictures: the suffix of the charts beside a report; empty if the report holds them.
    exact: whether numbers are exact, for programs. one_table: whether it holds a single table.
    """

    suffix: str
    draw: Late
    fragment: Late = ""
    explain: Late = ""
    explain_fragment: Late = ""
    report: Late = ""
    pictures: str = ""
    exact: bool = False
    one_table: bool = False


FORMATS: dict[str, Output] = {
    "terminal": Output(
        suffix=".txt", draw="sepcalc.render.terminal:draw", explain="sepcalc.explain.prose:for_terminal"
    ),
    "markdown": Output(
        suffix=".md",
        draw="sepcalc.render.markdown:draw",
        explain="sepcalc.explain.prose:for_markdown",
        report="sepcalc.report.markdown:draw",
        pictures=".svg",
    ),
    "latex": Output(
        suffix=".tex",
        draw="sepcalc.render.latex:draw",
        explain="sepcalc.explain.prose:for_latex",
        report="sepcalc.report.latex:draw",
        pictures=".pdf",
    ),
    "csv": Output(suffix=".csv", draw="sepcalc.render.records:draw_csv", exact=True, one_table=True),
    "tsv": Output(suffix=".tsv", draw="sepcalc.render.records:draw_tsv", exact=True, one_table=True),
    "html": Output(
        suffix=".html",
        draw="sepcalc.render.html:draw",
        fragment="sepcalc.render.html:draw_fragments",
        explain_fragment="sepcalc.explain.prose:for_html",
        report="sepcalc.report.html:draw",
    ),
    "json": Output(suffix=".json", draw="sepcalc.render.records:draw_json", exact=True),
}
"""Every format by name, in the order in which they are listed to people."""


def render_tables(
    tables: Sequence[Table],
    format: str,  # noqa: A002 - the word of the command line
    *,
    si: bool = False,
    width: int | None = None,
    color: bool = False,
) -> str:
    """``tables`` as text in ``format``, ending in a line end; empty for no tables.

    ``si`` prints counts for people as 569 M. In a terminal of ``width`` characters, columns of the highest rank go
    until the table fits; None is as wide as needed. ``color`` allows escape codes.

    Raises :class:`SepcalcError` for an unknown format, and for several tables where it holds one.

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
    output = FORMATS[format]
    if output.one_table and len(tables) != 1:
        names = f"{len(tables)}{': ' * bool(tables)}{', '.join(table.name for table in tables)}"
        raise SepcalcError(f"{format} holds one table, not {names}; choose one of them, or the json format")
    shown = tables if output.exact else share_rules(tables)
    text: str = resolve(output.draw)(shown, Look(si=si, width=width, color=color))
    # A file name that is not UTF-8 reaches a title as lone surrogates, which no file can hold.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def fragments(tables: Sequence[Table], format: str) -> str:  # noqa: A002 - the word of the command line
    """``tables`` in ``format`` as a part of another document, such as a notebook."""
    output = FORMATS[format]
    text: str = resolve(output.fragment or output.draw)(share_rules(tables), Look())
    return text


def explanation_fragment(explanation: Any, format: str) -> str:  # noqa: A002 - the word of the command line
    """An explanation in ``format`` as a part of another document."""
    output = FORMATS[format]
    text: str = resolve(output.explain_fragment or output.explain)(explanation, Look())
    return text
