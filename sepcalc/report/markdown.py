"""A report in Markdown, for a repository: GitHub shows its tables, its formulas and the pictures beside it."""

from __future__ import annotations

from collections.abc import Iterator

from sepcalc.explain import prose
from sepcalc.explain.derivation import Explanation
from sepcalc.render import markdown
from sepcalc.render.cells import Look
from sepcalc.report.document import Block, Listing, Picture, Report


def draw(report: Report, beside: str) -> str:
    """The whole report; its pictures are files ``beside`` it, ``BESIDE-NAME.svg``."""
    highlights = "\n".join(
        f"- **{markdown.escape(each.value)}** {markdown.escape(each.label)}" for each in report.highlights
    )
    blocks = [f"# {markdown.escape(report.title)}", markdown.paragraph(report.lead), highlights]
    for section in report.sections:
        blocks += [
            f"## {markdown.escape(section.title)}",
            *(text for each in section.blocks for text in _block(each, beside)),
        ]
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"


def _block(block: Block, beside: str) -> Iterator[str]:
    if isinstance(block, str):
        yield markdown.paragraph(block)
    elif isinstance(block, Picture):
        yield f"![{markdown.escape(block.words)}]({beside}-{block.name}.svg)"
    elif isinstance(block, Explanation):
        yield prose.for_markdown(block, level=3)
    else:
        yield markdown.fragment(block.table if isinstance(block, Listing) else block, Look())
