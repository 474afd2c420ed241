"""A report in Markdown, for a repository: GitHub shows its tables, formulas and pictures."""

from __future__ import annotations

from sepcalc.explain import prose
from sepcalc.explain.derivation import Explanation
from sepcalc.render import markdown
from sepcalc.render.cells import Look
from sepcalc.render.markdown import escape
from sepcalc.report.document import Block, Listing, Picture, Report


def draw(report: Report, beside: str) -> str:
    """The whole report; its pictures are files ``beside`` it, ``BESIDE-NAME.svg``."""
    figures = [f"- **{escape(shown.value)}** {escape(shown.label)}" for shown in report.highlights]
    blocks = [f"# {escape(report.title)}", markdown.paragraph(report.lead), "\n".join(figures)]
    for section in report.sections:
        blocks += [f"## {escape(section.title)}", *(_block(block, beside) for block in section.blocks)]
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"


def _block(block: Block, beside: str) -> str:
    if isinstance(block, str):
        return markdown.paragraph(block)
    if isinstance(block, Picture):
        return f"![{escape(block.words)}]({beside}-{block.name}.svg)"
    if isinstance(block, Explanation):
        return prose.for_markdown(block, level=3)
    return markdown.fragment(block.table if isinstance(block, Listing) else block, Look())
