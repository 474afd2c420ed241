"""An explanation as text: for the terminal, in Markdown, in LaTeX, in HTML.

Every format has the same order: the names, the rules of counting, and for each variant its stages, their counts in
symbols and numbers, the sum, the ratio to the standard, and the variant's limitation. In Markdown only symbols are
mathematics, so that the source is readable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from sepcalc.core.errors import SepcalcError, either
from sepcalc.core.runtime import resolve
from sepcalc.core.table import Column, Kind
from sepcalc.explain.derivation import CostRatio, Definition, Derivation, Explanation, Section
from sepcalc.explain.symbols import INLINE, INLINE_MATHML, LATEX, MARKDOWN, MATHML, UNICODE, Formula, Notation, write
from sepcalc.render import html, latex_text, markdown
from sepcalc.render.cells import Look, human
from sepcalc.render.formats import FORMATS
from sepcalc.render.latex_text import LINE, SIZES, math_width

_GLUE = "\N{NO-BREAK SPACE}"
_MATH = "<math>{}</math>".format


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """The notations of a format in equations and sentences, and the functions that set a formula and escape a text."""

    symbols: Notation
    numbers: Notation
    sentence: Notation
    inline: Callable[[str], str]
    text: Callable[[str], str]

    def show(self, formula: Formula) -> str:
        return self.inline(write(formula, self.sentence))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """An equation of a derivation: its stage, its formula ("" for the sum), then the numbers."""

    label: str
    symbols: str
    numbers: Sequence[str]

    @property
    def sides(self) -> list[str]:
        """The sides of the equation, without repetitions."""
        return _distinct(self.symbols, *self.numbers)


def _distinct(*sides: str) -> list[str]:
    return list(dict.fromkeys(side for side in sides if side))


def _rows(derivation: Derivation, style: _Style, values: Mapping[str, int]) -> list[_Row]:
    rows, results = [], [write(line.result, style.numbers) for line in derivation.stages]
    for line, result in zip(derivation.stages, results, strict=True):
        symbols = write(line.formula, style.symbols, spell=True)
        numbers = _distinct(write(line.formula, style.numbers, values, spell=True), result)
        rows.append(_Row(label=style.text(line.label), symbols=symbols, numbers=numbers))
    if len(rows) > 1:
        numbers = [style.numbers.plus.join(results), write(derivation.result, style.numbers)]
        rows.append(_Row(label="sum", symbols="", numbers=numbers))
    return rows


def _chain(section: Section, style: _Style) -> str:
    """The stages between the channels that they read and write: M → depthwise 3×3 → M → pointwise 1×1 → N."""
    first, *others = map(style.show, section.channels)
    labels = (style.text(line.label) for line in section.derivations[0].stages)
    return f" {style.text('→')} ".join((first, *chain.from_iterable(zip(labels, others, strict=True))))


def _quotient(ratio: CostRatio, style: _Style) -> str:
    return style.symbols.quotient(write(ratio.total, style.symbols), write(ratio.standard, style.symbols))


def _closed(ratio: CostRatio, style: _Style) -> str:
    """The closed form in symbols; "" without one, and for one of numbers alone."""
    return write(ratio.closed, style.symbols) if ratio.closed and ratio.closed.names else ""


def _value(ratio: CostRatio, style: _Style, values: Mapping[str, int]) -> list[str]:
    """The closed form in numbers, the value as a fraction, and as a share."""
    form = write(ratio.closed, style.numbers, values) if ratio.closed else ""
    above, below = map(style.numbers.number, ratio.value.as_integer_ratio())
    fraction = above if below == "1" else style.numbers.quotient(above, below)
    return _distinct(form, fraction, style.text(_human(ratio.value, "share")))


def _sides(ratio: CostRatio, style: _Style, values: Mapping[str, int]) -> list[str]:
    """The sides of the equation to the right of the quotient."""
    return _distinct(_closed(ratio, style), *_value(ratio, style, values))


def _parts(ratio: CostRatio, style: _Style) -> str:
    """The share of each stage, as a sentence; "" for a single stage or without a closed form."""
    parts = [
        f"{style.text(part.label)} takes {style.show(part.closed)} ({style.text(_human(part.value, 'share'))})"
        for part in ratio.parts
    ]
    return f"Of the standard's cost, {', '.join(parts)}." if len(parts) > 1 else ""


def _reduction(ratio: CostRatio) -> str:
    return f"reduction {_human(1 / ratio.value, 'reduction')}"


def _equals(item: Definition, notation: Notation = UNICODE) -> str:
    return "" if item.value is None else f" = {notation.number(item.value)}"


def _human(value: Fraction, kind: Kind) -> str:
    return human(value, Column(key="", title="", kind=kind))


def _closing(section: Section) -> list[str]:
    """The sentences below a variant's numbers: why there are none, or its limitation and its remark."""
    if section.why_not:
        return [f"Does not apply: {section.why_not}."]
    return [section.gives_up, *([f"Note: {section.remark}."] if section.remark else [])]


def for_terminal(explanation: Explanation, look: Look) -> str:
    """Plain text for a terminal, 80 characters wide where ``look`` has no width; colour sets headings in bold."""
    width = look.width or 80

    def bold(text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if look.color else text

    blocks = [bold(_wrap(explanation.title, width)), _terminal_legend(explanation.legend, width)]
    blocks += [_wrap(" ".join(explanation.notes), width)]
    for section in explanation.sections:
        blocks += [f"{bold(section.name)}\n{_wrap(section.summary, width, indent=2)}"]
        blocks += _terminal_counts(section, explanation.values, width)
        blocks += _terminal_ratios(section, explanation.values, width)
        blocks += [_wrap(text, width, indent=2) for text in _closing(section)]
    return "\n\n".join(blocks) + "\n"


def _terminal_legend(legend: Sequence[Definition], width: int) -> str:
    long, wide = max(len(item.name) for item in legend), max(len(_equals(item)) for item in legend)
    return "\n".join(
        _wrap(
            _glued(f"{item.name:<{long}}{_equals(item):<{wide}}  ") + item.meaning,
            width,
            indent=2,
            hang=long + wide + 2,
        )
        for item in legend
    )


def _terminal_counts(section: Section, values: Mapping[str, int], width: int) -> Iterator[str]:
    if section.derivations:
        yield _wrap(_chain(section, _TERMINAL), width, indent=2, hang=2)
    tables = [_rows(derivation, _TERMINAL, values) for derivation in section.derivations]
    grids = [_grid(rows) for rows in tables]
    fits = all(len(line) <= width for grid in grids for line in grid)
    for derivation, rows, grid in zip(section.derivations, tables, grids, strict=True):
        lines = grid if fits else [f"    {row.label}\n{_equation(row.sides, width, indent=6)}" for row in rows]
        yield "\n".join((f"  {derivation.count}", *lines))


def _grid(rows: Sequence[_Row]) -> list[str]:
    """Equations under each other, with their signs of equality aligned."""
    table = []
    for row in rows:
        first, *others = row.sides
        table.append((row.label, first, *[""] * (2 - len(others)), *(f"= {side}" for side in others)))
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["    " + "  ".join(map(str.ljust, cells, widths)).rstrip() for cells in table]


def _terminal_ratios(section: Section, values: Mapping[str, int], width: int) -> Iterator[str]:
    for ratio in section.ratios:
        sides = [_quotient(ratio, _TERMINAL), *_sides(ratio, _TERMINAL, values)]
        equation = _equation([*sides[:-1], f"{sides[-1]}, {_reduction(ratio)}"], width, indent=4)
        yield f"  ratio to standard, {ratio.count}\n{equation}"
        if parts := _parts(ratio, _TERMINAL):
            yield _wrap(parts, width, indent=4)


def _equation(sides: Sequence[str], width: int, *, indent: int) -> str:
    """An equation that breaks before ``=``, and before ``+`` only where one of its sides is too long for a line."""
    room = width - indent - len("  = ")
    sides = [_glued(side) if len(side) <= room else side.replace(" + ", f" +{_GLUE}") for side in sides]
    return _wrap(f" ={_GLUE}".join(sides), width, indent=indent, hang=2)


def _glued(text: str) -> str:
    return text.replace(" ", _GLUE)


def _wrap(text: str, width: int, *, indent: int = 0, hang: int = 0) -> str:
    from textwrap import fill

    first, rest = " " * indent, " " * (indent + hang)
    lines = fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return lines.replace(_GLUE, " ")


def for_markdown(explanation: Explanation, _look: Look | None = None, *, level: int = 2) -> str:
    """Markdown whose symbols GitHub sets as mathematics, with headings from the ``level`` on."""
    legend = (
        f"- {_MARKDOWN.inline(MARKDOWN.name(item.name))}{_equals(item)}: {item.meaning}" for item in explanation.legend
    )
    heading, notes = "#" * level, map(markdown.escape, explanation.notes)
    blocks = [f"{heading} {markdown.escape(explanation.title)}", "\n".join(legend), *notes]
    for section in explanation.sections:
        blocks += [f"{heading}# {section.name}", markdown.escape(section.summary)]
        blocks += [_chain(section, _MARKDOWN)] if section.derivations else []
        blocks += [_markdown_count(derivation, explanation.values) for derivation in section.derivations]
        for ratio in section.ratios:
            blocks += _markdown_ratio(ratio, explanation.values)
        blocks += [markdown.escape(text) for text in _closing(section)]
    return "\n\n".join(blocks) + "\n"


def _markdown_count(derivation: Derivation, values: Mapping[str, int]) -> str:
    lines = (
        f"- {row.label}: {' = '.join([*([_MARKDOWN.inline(row.symbols)] if row.symbols else []), *row.numbers])}"
        for row in _rows(derivation, _MARKDOWN, values)
    )
    return "\n".join((f"**{derivation.count.capitalize()}**", "", *lines))


def _markdown_ratio(ratio: CostRatio, values: Mapping[str, int]) -> Iterator[str]:
    symbols = _MARKDOWN.inline(" = ".join(_distinct(_quotient(ratio, _MARKDOWN), _closed(ratio, _MARKDOWN))))
    sides = " = ".join((symbols, *_value(ratio, _MARKDOWN, values)))
    yield f"**Ratio to standard**, {ratio.count}: {sides}, {_reduction(ratio)}"
    if parts := _parts(ratio, _MARKDOWN):
        yield parts


_NEXT = " \\\\\n  "
_GAP, _INDENT = 4, 2
"""Widths in digits between an equation and its label, and before a line that continues one."""


def for_latex(explanation: Explanation, _look: Look) -> str:
    """A LaTeX fragment of headings, sentences and displayed equations, under a comment that names its package."""
    return f"% Needs \\usepackage{{amsmath}}.\n{for_article(explanation)}"


def for_article(explanation: Explanation) -> str:
    """The fragment without that comment, for a document that loads amsmath."""
    legend = (f"${LATEX.name(item.name)}{_equals(item, LATEX)}$ ({item.meaning})" for item in explanation.legend)
    escape = latex_text.escape
    blocks = [
        f"\\subsection*{{{escape(explanation.title)}}}",
        f"{', '.join(legend)}.",
        escape(" ".join(explanation.notes)),
    ]
    for section in explanation.sections:
        blocks += [f"\\paragraph{{{escape(section.name)}}}\n{escape(section.summary)}"]
        blocks += _latex_counts(section, explanation.values)
        blocks += [_latex_ratio(ratio, explanation.values) for ratio in section.ratios]
        blocks += [escape(" ".join(_closing(section)))]
    return "\n\n".join(blocks) + "\n"


def _latex_counts(section: Section, values: Mapping[str, int]) -> Iterator[str]:
    if section.derivations:
        yield f"{_chain(section, _LATEX)}."
    for derivation in section.derivations:
        plain = _rows(derivation, _TERMINAL, values)
        broken = _width(plain, broken=False) > LINE
        rows = (_latex_row(row, broken=broken) for row in _rows(derivation, _LATEX, values))
        yield f"{derivation.count.capitalize()}:\n{_align(rows, _width(plain, broken=broken))}"


def _width(rows: Sequence[_Row], *, broken: bool) -> float:
    """The width in digits of equations with their labels."""
    left = max(math_width(row.symbols) for row in rows)
    right = max(math_width(number) for row in rows for number in _broken(row, broken))
    return left + math_width("=") + right + _GAP + max(len(row.label) for row in rows)


def _broken(row: _Row, broken: bool) -> Sequence[str]:
    """The numbers of an equation line by line; a broken sum is its result alone, below the counts that it adds."""
    if not broken:
        return [" = ".join(row.numbers)]
    return row.numbers if row.symbols else row.numbers[-1:]


def _latex_row(row: _Row, *, broken: bool) -> str:
    first, *rest = _broken(row, broken)
    left, label = (row.symbols, rf" && \text{{{row.label}}}") if row.symbols else (rf"\text{{{row.label}}}", "")
    return _NEXT.join((f"{left} &= {first}{label}", *(f"&= {number}" for number in rest)))


def _align(rows: Iterable[str], width: float) -> str:
    """Displayed equations, in smaller type where ``width``, in digits, exceeds a line."""
    lines = f"\\begin{{align*}}\n  {_NEXT.join(rows)}\n\\end{{align*}}"
    size = next((size for size, _, part in SIZES if width * part <= LINE), SIZES[-1][0])
    return f"{{{size}\n{lines}}}%" if size else lines


def _latex_ratio(ratio: CostRatio, values: Mapping[str, int]) -> str:
    over = max(math_width(write(total, UNICODE)) for total in (ratio.total, ratio.standard))
    lines = _ratio_lines(ratio, values)
    wide = max(width for _, width in lines)
    beside = over + math_width("=") + wide <= LINE
    first, *rest = (f"&= {line}" if beside else rf"&\quad = {line}" for line, _ in lines)
    head = [f"{_quotient(ratio, _LATEX)}\n  {first}"] if beside else [f"& {_quotient(ratio, _LATEX)}", first]
    after = "\n".join(filter(None, (f"{latex_text.escape(_reduction(ratio)).capitalize()}.", _parts(ratio, _LATEX))))
    shown = _align([*head, *rest], 0 if beside else max(over, _INDENT + math_width("=") + wide))
    return f"Ratio to standard, {ratio.count}:\n{shown}\n{after}"


def _ratio_lines(ratio: CostRatio, values: Mapping[str, int]) -> list[tuple[str, float]]:
    """The closed form, the numbers put in, and the value, each a line with its width in digits."""
    sides = zip(_sides(ratio, _LATEX, values), _sides(ratio, _TERMINAL, values), strict=True)
    *before, fraction, share = ((side, math_width(plain)) for side, plain in sides)
    return [*before, (f"{fraction[0]} = {share[0]}", fraction[1] + math_width("=") + share[1])]


def for_html(explanation: Explanation, _look: Look | None = None, *, level: int = 2) -> str:
    """HTML with MathML and headings from the ``level`` on, styled by classes alone."""
    legend = (
        f"<div><dt>{_MATH(MATHML.name(item.name))}{_equals(item)}</dt><dd>{html.escape(item.meaning)}</dd></div>"
        for item in explanation.legend
    )
    blocks = [_html("h", explanation.title, level), f'<dl class="names">{"".join(legend)}</dl>']
    blocks += [_html("p", note) for note in explanation.notes]
    for section in explanation.sections:
        blocks += [_html("h", section.name, level + 1), _html("p", section.summary)]
        blocks += [f'<p class="chain">{_chain(section, _HTML)}</p>'] if section.derivations else []
        blocks += [_html_count(derivation, explanation.values) for derivation in section.derivations]
        for ratio in section.ratios:
            blocks += _html_ratio(ratio, explanation.values)
        blocks += [_html("p", text) for text in _closing(section)]
    return "\n".join(blocks) + "\n"


def _html(tag: str, text: str, level: int | str = "") -> str:
    return f"<{tag}{level}>{html.escape(text)}</{tag}{level}>"


def _html_count(derivation: Derivation, values: Mapping[str, int]) -> str:
    lines = "\n".join(map(_html_row, _rows(derivation, _HTML, values)))
    caption = _html("caption", derivation.count.capitalize())
    return f'<div class="scroll"><table class="equations">{caption}\n<tbody>\n{lines}\n</tbody></table></div>'


def _html_row(row: _Row) -> str:
    """A row of three cells: the formula, the numbers put in (empty if they are the result already), the result."""
    first, *rest = map(_MATH, row.sides)
    cells = (first, *[""] * (2 - len(rest)), *(f"= {side}" for side in rest))
    return f'<tr><th scope="row">{row.label}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'


def _html_ratio(ratio: CostRatio, values: Mapping[str, int]) -> Iterator[str]:
    *forms, share = [_quotient(ratio, _HTML), *_sides(ratio, _HTML, values)]
    equation = " = ".join((*(f'<math displaystyle="true">{form}</math>' for form in forms), share))
    yield f"<p>Ratio to standard, {html.escape(ratio.count)}:</p>"
    yield f'<p class="equation">{equation}, {_reduction(ratio)}</p>'
    if parts := _parts(ratio, _HTML):
        yield f"<p>{parts}</p>"


_TERMINAL = _Style(symbols=UNICODE, numbers=UNICODE, sentence=UNICODE, inline=_glued, text=str)
_MARKDOWN = _Style(symbols=MARKDOWN, numbers=UNICODE, sentence=MARKDOWN, inline="${}$".format, text=markdown.escape)
_LATEX = _Style(symbols=LATEX, numbers=LATEX, sentence=INLINE, inline="${}$".format, text=latex_text.escape)
_HTML = _Style(symbols=MATHML, numbers=MATHML, sentence=INLINE_MATHML, inline=_MATH, text=html.escape)


def render_explanation(
    explanation: Explanation,
    format: str,  # noqa: A002 - the word of the command line
    *,
    width: int | None = None,
    color: bool = False,
) -> str:
    """``explanation`` as text: for the ``terminal``, in ``markdown`` or in ``latex`` (a fragment that needs amsmath).

    ``width`` is the terminal's in characters, 80 if None; ``color`` sets headings in bold there.

    Raises :class:`SepcalcError` for a format without derivations.
    """
    drawing = {name: output.explain for name, output in FORMATS.items() if output.explain}
    if format not in drawing:
        raise SepcalcError(f"--explain is prose: choose {either(drawing)}, not {format}")
    text: str = resolve(drawing[format])(explanation, Look(width=width, color=color))
    return text
