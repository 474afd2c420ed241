"""A report as one HTML file: no other file, no request, no framework.

The page's Content-Security-Policy allows only its own style sheet and script, by their hashes. The script adds sorting,
search, the filter and the switch of colors; without it the page shows all tables in full.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from hashlib import sha256
from importlib.resources import files

from sepcalc.core.table import Table
from sepcalc.explain import prose
from sepcalc.explain.derivation import Explanation
from sepcalc.render.charts.chart import Chart
from sepcalc.render.charts.style import WIDTH
from sepcalc.render.html import classed, escape
from sepcalc.report.document import Block, Listing, Picture, Report, Section

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="sepcalc {version}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<div class="bar">
<h1>{title}</h1>
<button id="theme" class="switch needs-script" type="button" hidden>Dark</button>
</div>
<p class="lead">{lead}</p>
<dl class="figures">
{figures}
</dl>
<nav aria-label="Sections">
<ul>
{links}
</ul>
</nav>
</header>
<main id="content">
{sections}
</main>
<footer>Made with sepcalc {version} on {date}.</footer>
<script>{script}</script>
</body>
</html>
"""

_TOOLS = """<div class="tools needs-script" data-table="{name}" hidden>
<label>Search<input type="search" placeholder="a name or a type" autocomplete="off" aria-controls="{name}"></label>
{choice}<output aria-live="polite"></output>
</div>"""

_CHOICE = '<label>Variant<select aria-controls="{name}"><option value="">all</option>{options}</select></label>\n'


def draw(report: Report, _beside: str) -> str:
    """The whole page, with its pictures inside."""
    style, script = (files("sepcalc.report").joinpath(f"page.{kind}").read_text("utf-8") for kind in ("css", "js"))
    return _PAGE.format(
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; "
        "form-action 'none'",
        version=escape(report.provenance.version),
        date=escape(report.provenance.date),
        title=escape(report.title),
        lead=escape(report.lead),
        figures="\n".join(
            f"<div><dt>{escape(shown.label)}</dt><dd>{escape(shown.value)}</dd></div>" for shown in report.highlights
        ),
        links="\n".join(f'<li><a href="#{part.name}">{escape(part.title)}</a></li>' for part in report.sections),
        sections="\n".join(map(_section, report.sections)),
        style=style,
        script=script,
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"


def _section(section: Section) -> str:
    numbered = enumerate(section.blocks, start=1)
    inner = "\n".join(line for place, block in numbered for line in _block(block, f"{section.name}-{place}"))
    heading = f'<h2 id="{section.name}-heading">{escape(section.title)}</h2>'
    return f'<section id="{section.name}" aria-labelledby="{section.name}-heading">\n{heading}\n{inner}\n</section>'


def _block(block: Block, name: str) -> Iterator[str]:
    """The lines of ``block``; ``name`` is the identity of its table."""
    if isinstance(block, str):
        yield f"<p>{escape(block)}</p>"
    elif isinstance(block, Picture):
        yield _figure(block)
    elif isinstance(block, Explanation):
        yield prose.for_html(block, level=3)
    elif isinstance(block, Listing):
        yield _tools(block.table, name)
        yield from _table(block.table, name, "scroll tall", "sortable")
    else:
        yield from _table(block, name, "scroll", "plain")


def _table(table: Table, name: str, box: str, classes: str) -> Iterator[str]:
    """The table in a box that scrolls, with a keyboard too; then its remarks."""
    drawn = classed(table, identity=name, classes=classes)
    yield f'<div class="{box}" role="region" aria-label="{escape(table.title)}" tabindex="0">\n{drawn}\n</div>'
    lines = "".join(f"<p>{escape(line)}</p>" for line in (table.legend, *table.notes) if line)
    yield f'<div class="remarks">{lines}</div>' if lines else ""


def _tools(table: Table, name: str) -> str:
    """The search, and a filter by variant if the table compares variants."""
    variants = dict.fromkeys(column.variant for column in table.columns if column.variant)
    options = "".join(f'<option value="{escape(variant)}">{escape(variant)}</option>' for variant in variants)
    return _TOOLS.format(name=name, choice=_CHOICE.format(name=name, options=options) if options else "")


_BOX = re.compile(r'width="[^"]*" height="([^"]*)" viewBox="[^"]*"')

_SPOKEN = re.compile(r' (?:aria-[a-z]+|role)="[^"]*"')


def _figure(picture: Picture) -> str:
    """The picture as SVG in the colors of the page, its parts side by side on a wide page.

    A screen reader meets one image, named by the caption; the numbers are in the tables.
    """
    from sepcalc.render.charts.chart import draw_svg

    words = escape(picture.words)
    parts = "\n".join(_alike(_SPOKEN.sub("", draw_svg(part).decode())) for part in _parts(picture.chart))
    drawn = f'<div class="parts" role="img" aria-label="{words}">\n{parts}\n</div>'
    return f'<figure class="chart">\n{drawn}\n<figcaption>{words}</figcaption>\n</figure>'


def _alike(drawing: str) -> str:
    """The drawing in a box as wide as the widest, so that type has the same size in all drawings."""
    return _BOX.sub(rf'width="{WIDTH:g}" height="\1" viewBox="0 0 {WIDTH:g} \1"', drawing, count=1)


def _parts(chart: Chart) -> list[Chart]:
    """The vertically stacked parts of ``chart``, as separate charts."""
    whole = {key: value for key, value in chart.spec.items() if key not in ("vconcat", "spacing")}
    return [Chart(spec={**whole, **part}) for part in chart.spec.get("vconcat", [{}])]
