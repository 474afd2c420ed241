"""The derivation of a variant's cost: in symbols, in numbers, and as a closed ratio.

Each variant runs on a convolution whose numbers remember their names (:mod:`sepcalc.explain.symbols`), so that its
stages carry formulas. The names are those of Howard 2017, section 3.1. Where the axes differ, the kernel and the map
have a name for each axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sepcalc.core.comparison import Candidate, Comparison, check_size
from sepcalc.core.spec import Axes, ConvSpec, describe
from sepcalc.core.table import COUNTING_RULE, PARAMS_RULE, Cell, Column, Row, Table, Tabular
from sepcalc.core.variants import Option, Stages, Variant
from sepcalc.explain.symbols import UNICODE, Formula, Symbol, formula, write
from sepcalc.render.formats import explanation_fragment

_MEANINGS = {
    "M": "input channels",
    "N": "output channels",
    "D_K": "length of the kernel, each axis",
    "K_t": "depth of the kernel",
    "K_h": "height of the kernel",
    "K_w": "width of the kernel",
    "D_F": "length of the feature map, each axis",
    "D_G": "length of the output's map, each axis",
    "T": "depth of the feature map",
    "H": "height of the feature map",
    "W": "width of the feature map",
    "T′": "depth of the output's map",
    "H′": "height of the output's map",
    "W′": "width of the output's map",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a ``name`` means and its ``value``; None where the feature map is left open."""

    name: str
    value: int | None
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A count in symbols, and its ``result``: a number, times D_F² where the feature map is open."""

    label: str
    formula: Formula
    result: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """The ``count`` (parameters or multiply-adds) of a variant, stage by stage."""

    count: str
    stages: tuple[Line, ...]

    @property
    def formula(self) -> Formula:
        """The sum in symbols."""
        return sum((line.formula for line in self.stages), Formula())

    @property
    def result(self) -> Formula:
        """The sum in numbers."""
        return sum((line.result for line in self.stages), Formula())


@dataclass(frozen=True, slots=True, kw_only=True)
class StageShare:
    """The part of the standard's cost that one stage needs, in symbols and as a ``value``."""

    label: str
    closed: Formula
    value: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRatio:
    """A variant's total over the standard's: its ``value``, and a sum of products (``closed``) where there is one.

    ``parts`` are the shares of the stages, empty without a closed form.
    """

    count: str
    total: Formula
    standard: Formula
    closed: Formula | None
    value: Fraction
    parts: tuple[StageShare, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One variant: its derivations and ratios, or the reason why it does not apply.

    ``channels`` are the input's, then the output's of each stage.
    """

    name: str
    summary: str
    gives_up: str
    why_not: str | None = None
    channels: tuple[Formula, ...] = ()
    derivations: tuple[Derivation, ...] = ()
    ratios: tuple[CostRatio, ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Tabular):
    """The names, the rules of counting (``notes``), and a section for each variant, the reference first."""

    title: str
    legend: tuple[Definition, ...]
    notes: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def values(self) -> dict[str, int]:
        """The number that each name stands for; names of an open feature map are missing."""
        return {item.name: item.value for item in self.legend if item.value is not None}

    @property
    def tables(self) -> tuple[Table, ...]:
        """The formula and the number of each count, by variant and by stage."""
        return (_table(self),)

    def _repr_html_(self) -> str:
        return explanation_fragment(self, "html")

    def _repr_markdown_(self) -> str:
        return explanation_fragment(self, "markdown")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A convolution with named channels and kernel, and names for the other numbers of its stages.

    ``maps`` has a name for each length, by axis; ``open_map`` the names of the lengths of an open feature map.
    """

    spec: ConvSpec
    maps: tuple[Mapping[int, Symbol], ...]
    open_map: tuple[Symbol, ...]
    options: Mapping[Option, Symbol]

    @property
    def values(self) -> dict[str, int]:
        """The number that each name stands for, in the order of the legend."""
        lengths = (length for names in self.maps for length in [*names.values()][::-1])
        symbols = (self.spec.c_in, self.spec.c_out, *self.spec.kernel, *lengths, *self.options.values())
        return {name: int(symbol) for symbol in symbols for name in formula(symbol).names}

    def stages(self, variant: Variant) -> Stages:
        """The stages of ``variant``, each on the map whose positions it pays for: equal in parameters and MACs."""
        numbers = _numbers(variant)
        bound = variant.bind({option.name: named for option, named in self.options.items() if option in numbers})
        return tuple(map(self._flat, bound(self.spec)))

    def _flat(self, stage: ConvSpec) -> ConvSpec:
        lengths = zip(self.maps, stage.positions or (), strict=False)
        size = tuple(names.get(length, length) for names, length in lengths) or self.open_map
        return replace(stage, size=size, stride=(), padding="same", dilation=(), transposed=False, output_padding=())


def _numbers(variant: Variant) -> dict[Option, int]:
    """The options of ``variant`` that could have a name: each is one whole number."""
    values = {option: variant.options.get(option.name) for option in variant.takes if option.symbol}
    return {option: value for option, value in values.items() if isinstance(value, int)}


def _named_options(variants: Iterable[Variant]) -> dict[Option, Symbol]:
    """A name for each option in which all ``variants`` agree; where they differ, each formula shows its number."""
    chosen = [item for variant in variants for item in _numbers(variant).items()]
    return {
        option: Symbol(option.symbol, value)
        for option, value in chosen
        if all(own == value for other, own in chosen if other == option)
    }


def _name_all(spec: ConvSpec, variants: Iterable[Variant]) -> _Named:
    size, out = spec.size or (), spec.out_size or ()
    square = len({*size}) <= 1 and len({*out}) <= 1
    at = _lengths(size, "D_F", ("T", "H", "W"), square=square)
    to = _lengths(out, "D_G", ("T′", "H′", "W′"), square=square)
    kernel = _lengths(spec.kernel, "D_K", ("K_t", "K_h", "K_w"), square=len({*spec.kernel}) <= 1)
    return _Named(
        spec=replace(spec, c_in=Symbol("M", spec.c_in), c_out=Symbol("N", spec.c_out), kernel=kernel),
        # An axis that keeps its length keeps its name.
        maps=tuple({int(after): after, int(before): before} for before, after in zip(at, to, strict=True)),
        # One stands for the open length, so that a count is the count per position.
        open_map=tuple(Symbol("D_F", 1) for _ in spec.kernel),
        options=_named_options(variants),
    )


def _lengths(values: Axes, common: str, names: Sequence[str], *, square: bool) -> tuple[Symbol, ...]:
    chosen = [common] * len(values) if square else names[len(names) - len(values) :]
    return tuple(map(Symbol, chosen, values))


def explain_layer(comparison: Comparison) -> Explanation:
    """The derivation of every candidate of ``comparison``: formulas, numbers, sums, and the ratio to the standard.

    >>> from sepcalc import ConvSpec, compare
    >>> from sepcalc.explain.symbols import UNICODE, write
    >>> separable = explain_layer(compare(ConvSpec(c_in=64, c_out=64, kernel=(3, 3)))).sections[1]
    >>> write(separable.ratios[0].closed, UNICODE), separable.ratios[0].value
    ('1/N + 1/D_K²', Fraction(73, 576))

    Raises :class:`SpecError` where formulas depend on the size and it is open.
    """
    check_size(comparison.spec)
    spec = replace(comparison.spec, groups=1)
    named = _name_all(spec, (candidate.variant for candidate in comparison.candidates if candidate.applies))
    sections: list[Section] = []
    for candidate in comparison.candidates:
        standard = sections[0].derivations if sections else ()
        sections.append(_section(comparison, candidate, named, standard))
    title, legend, notes = describe(comparison.spec), tuple(_legend(named)), tuple(_notes(spec))
    return Explanation(title=title, legend=legend, notes=notes, sections=tuple(sections))


def _notes(spec: ConvSpec) -> Iterator[str]:
    yield f"{COUNTING_RULE} {PARAMS_RULE}"
    if spec.bias != "none":
        yield "A stage with a bias has one more parameter for each of its output channels."
    if spec.size is None:
        yield "The feature map is left open: D_F stays in the result."


def _legend(named: _Named) -> Iterator[Definition]:
    meanings = _MEANINGS | {option.symbol: option.meaning for option in named.options}
    for name, value in named.values.items():
        yield Definition(name=name, value=value, meaning=meanings[name])
    if named.spec.size is None:
        yield Definition(name="D_F", value=None, meaning=meanings["D_F"])


def _section(comparison: Comparison, candidate: Candidate, named: _Named, standard: Sequence[Derivation]) -> Section:
    stages = named.stages(candidate.variant) if candidate.applies else ()
    channels = (*(stage.c_in for stage in stages[:1]), *(stage.c_out for stage in stages))
    derivations = tuple(_derivations(candidate, stages, named.values)) if stages else ()
    return Section(
        name=candidate.variant.name,
        summary=candidate.variant.summary,
        gives_up=candidate.variant.gives_up,
        why_not=candidate.why_not,
        channels=tuple(map(formula, channels)),
        derivations=derivations,
        ratios=_ratios(comparison, candidate, derivations, standard, named.values) if stages and standard else (),
        remark=candidate.remark,
    )


def _derivations(candidate: Candidate, stages: Stages, values: Mapping[str, int]) -> Iterator[Derivation]:
    counts = {"parameters": [stage.params for stage in stages], "multiply-adds": [stage.macs for stage in stages]}
    for count, numbers in counts.items():
        labelled = zip(candidate.stages, map(formula, numbers), strict=True)
        lines = (Line(label=stage.kind, formula=symbols, result=symbols.put(values)) for stage, symbols in labelled)
        yield Derivation(count=count, stages=tuple(lines))


def _ratios(
    comparison: Comparison,
    candidate: Candidate,
    mine: Sequence[Derivation],
    standard: Sequence[Derivation],
    values: Mapping[str, int],
) -> tuple[CostRatio, ...]:
    params = _ratio(mine[0], standard[0].formula, 1 / comparison.params_reduction(candidate), values)
    macs = _ratio(mine[1], standard[1].formula, 1 / comparison.macs_reduction(candidate), values)
    if params.closed and params.closed == macs.closed:
        return (replace(macs, count="parameters and multiply-adds alike"),)
    return params, macs


def _ratio(mine: Derivation, standard: Formula, value: Fraction, values: Mapping[str, int]) -> CostRatio:
    parts = [(line.label, line.formula.over(standard)) for line in mine.stages]
    return CostRatio(
        count=mine.count,
        total=mine.formula,
        standard=standard,
        closed=mine.formula.over(standard),
        value=value,
        parts=tuple(StageShare(label=label, closed=part, value=part.at(values)) for label, part in parts if part),
    )


def _table(explanation: Explanation) -> Table:
    """A row for each variant with its sums, and one for each of its stages where it has several."""
    results = (derivation.result for section in explanation.sections for derivation in section.derivations)
    axes = max((power for result in results for term in result.terms for _, power in term.powers), default=0)
    counted = Column(key="macs_per_position", title="MACs", kind="per-position", axes=axes)
    return Table(
        name="explanation",
        title=explanation.title,
        columns=(
            Column(key="variant", title="Variant"),
            Column(key="params_formula", title="Params in symbols"),
            Column(key="params", title="Params", kind="count"),
            Column(key="macs_formula", title="MACs in symbols"),
            counted if axes else Column(key="macs", title="MACs", kind="count"),
        ),
        rows=tuple(row for section in explanation.sections for row in _table_rows(section)),
        caption=" ".join(explanation.notes),
    )


def _table_rows(section: Section) -> Iterator[Row]:
    """The sums of a variant, empty where it does not apply; then its stages if there are several."""
    if not section.derivations:
        yield Row(cells=(section.name, "", None, "", None))
        return
    yield Row(cells=(section.name, *_counts(section.derivations)))
    stages = list(zip(*(derivation.stages for derivation in section.derivations), strict=True))
    for lines in stages if len(stages) > 1 else ():
        yield Row(cells=(lines[0].label, *_counts(lines)), role="part")


def _counts(lines: Sequence[Line | Derivation]) -> Iterator[Cell]:
    """Each count in symbols, then its number; that of one position where the map is open."""
    for line in lines:
        yield write(line.formula, UNICODE)
        yield int(line.result.at(dict.fromkeys(line.result.names, 1)))
