r"""A report as a LaTeX article, for pdflatex.

It needs amsmath, booktabs and longtable, and graphicx for its pictures. A table wider than the line loses its columns
of the highest ranks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sepcalc.explain import prose
from sepcalc.explain.derivation import Explanation
from sepcalc.render import latex
from sepcalc.render.cells import Look
from sepcalc.render.latex_text import escape
from sepcalc.report.document import Block, Listing, Picture, Report

_DOCUMENT = r"""\documentclass{{article}}
\usepackage{{{packages}}}
\title{{{title}}}
\emergencystretch=4em
\author{{}}
\date{{{date}}}
\begin{{document}}
\maketitle
\noindent {lead}

{body}
\end{{document}}
"""


def draw(report: Report, beside: str) -> str:
    """The whole article; its pictures are files ``beside`` it, ``BESIDE-NAME.pdf``."""
    items = (rf"\item \textbf{{{escape(shown.value)}}} {escape(shown.label)}" for shown in report.highlights)
    blocks = ["\n".join((r"\begin{itemize}", *items, r"\end{itemize}"))]
    for section in report.sections:
        blocks.append(rf"\section{{{escape(section.title)}}}")
        for place, block in enumerate(section.blocks, start=1):
            blocks += _block(block, f"{section.name}-{place}", beside)
    return _DOCUMENT.format(
        packages=f"amsmath,booktabs,{'graphicx,' if report.pictures else ''}longtable",
        title=escape(report.title),
        date=escape(report.provenance.date),
        lead=escape(report.lead),
        body="\n\n".join(block.strip("\n") for block in blocks),
    )


def _block(block: Block, name: str, beside: str) -> Iterator[str]:
    """The paragraphs of ``block``; ``name`` is the label of its table."""
    if isinstance(block, str):
        yield escape(block)
    elif isinstance(block, Picture):
        yield _picture(block, beside)
    elif isinstance(block, Explanation):
        yield prose.for_article(block)
    else:
        table = replace(block.table if isinstance(block, Listing) else block, name=name)
        yield latex.long(latex.fitted(table, Look()), Look())


def _picture(picture: Picture, beside: str) -> str:
    drawn, caption = rf"\includegraphics{{{beside}-{picture.name}.pdf}}", rf"\caption{{{escape(picture.words)}}}"
    return "\n".join((r"\begin{figure}[htbp]", r"\centering", drawn, caption, r"\end{figure}"))
