"""The derivation of a variant's cost: in symbols, in numbers, and as a closed ratio.

Each variant runs once more, on a convolution whose numbers remember their names (:mod:`sepcalc.explain.symbols`); its
stages then carry the formulas of their parameters and multiply-adds. M and N are the channels in and out, D_K the
kernel, D_F the feature map at the input, D_G that at the output (Howard 2017, section 3.1). Where the axes differ, the
kernel is K_t, K_h, K_w and the map T, H, W, with a prime at the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sepcalc.core.comparison import Candidate, Comparison
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

_OPEN = "The feature map is left open: D_F stays in the result."

_BIAS = "A stage with a bias has one more parameter for each of its output channels."


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a ``name`` means and its ``value``; None where the feature map is left open."""

    name: str
    value: int | None
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A count in symbols, and what is left of it with the numbers put in: a number, or one times D_F²."""

    label: str
    formula: Formula
    result: Formula


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """How the ``count`` (parameters or multiply-adds) of a variant comes about, stage by stage."""

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

    ``parts`` are the shares of the stages; empty without a closed form.
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
        return _values(self.legend)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The formula and the number of each count, by variant and by stage."""
        return (_table(self),)

    def _repr_html_(self) -> str:
        return explanation_fragment(self, "html")

    def _repr_markdown_(self) -> str:
        return explanation_fragment(self, "markdown")


def _values(legend: Iterable[Definition]) -> dict[str, int]:
    return {each.name: each.value for each in legend if each.value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """A convolution with named channels and kernel, and names for the other numbers of its stages.

    ``maps`` names lengths by axis and length, ``open_map`` those of an open feature map, ``options`` the variants'
    numbers.
    """

    spec: ConvSpec
    maps: tuple[Mapping[int, Symbol], ...]
    open_map: tuple[Symbol, ...]
    options: Mapping[Option, Symbol]

    def stages(self, variant: Variant) -> Stages:
        """The stages of ``variant``, each on the map whose positions it pays for: equal in parameters and MACs."""
        return tuple(self._flat(stage) for stage in self._bound(variant)(self.spec))

    def _bound(self, variant: Variant) -> Variant:
        numbers = _numbers(variant)
        return variant.bind({option.name: named for option, named in self.options.items() if option in numbers})

    def _flat(self, stage: ConvSpec) -> ConvSpec:
        size = self.open_map if stage.positions is None else self._names(stage.positions)
        return replace(stage, size=size, stride=(), padding="same", dilation=(), transposed=False, output_padding=())

    def _names(self, size: Axes) -> Axes:
        return tuple(named.get(length, length) for named, length in zip(self.maps, size, strict=True))


def _numbers(variant: Variant) -> dict[Option, int]:
    """The variant's options that are a number and could have a name; many factors read best as the number."""
    values = ((option, variant.options.get(option.name)) for option in variant.takes if option.symbol)
    return {option: value for option, value in values if isinstance(value, int)}


def _named_options(variants: Iterable[Variant]) -> dict[Option, Symbol]:
    """A name for each option in which all ``variants`` agree; where they differ, each formula shows its number."""
    chosen = [item for each in variants for item in _numbers(each).items()]
    alike = {option: value for option, value in chosen if all(own == value for other, own in chosen if other == option)}
    return {option: Symbol(option.symbol, value) for option, value in alike.items()}


def _name_all(spec: ConvSpec, variants: Iterable[Variant]) -> _Named:
    size, out = spec.size or (), spec.out_size or ()
    square = len(set(size)) <= 1 and len(set(out)) <= 1
    return _Named(
        spec=replace(
            spec,
            c_in=Symbol("M", spec.c_in),
            c_out=Symbol("N", spec.c_out),
            kernel=_lengths(spec.kernel, "D_K", ("K_t", "K_h", "K_w"), square=len(set(spec.kernel)) <= 1),
        ),
        maps=tuple(
            # An axis that keeps its length keeps its name.
            {int(to): to, int(at): at}
            for to, at in zip(
                _lengths(out, "D_G", ("T′", "H′", "W′"), square=square),
                _lengths(size, "D_F", ("T", "H", "W"), square=square),
                strict=True,
            )
        ),
        # One stands for the open length, so that a count is the count per position.
        open_map=tuple(Symbol("D_F", 1) for _ in spec.kernel),
        options=_named_options(variants),
    )


def _lengths(values: Axes, common: str, each: Sequence[str], *, square: bool) -> tuple[Symbol, ...]:
    names = [common] * len(values) if square else each[len(each) - len(values) :]
    return tuple(Symbol(name, value) for name, value in zip(names, values, strict=True))


def explain_layer(comparison: Comparison) -> Explanation:
    """The derivation of every candidate of ``comparison``: formulas, numbers, sums, and the ratio to the standard.

    >>> from sepcalc import ConvSpec, compare
    >>> from sepcalc.explain.symbols import UNICODE, write
    >>> separable = explain_layer(compare(ConvSpec(c_in=64, c_out=64, kernel=(3, 3)))).sections[1]
    >>> write(separable.ratios[0].closed, UNICODE), separable.ratios[0].value
    ('1/N + 1/D_K²', Fraction(73, 576))
    """
    spec = replace(comparison.spec, groups=1)
    named = _name_all(spec, (each.variant for each in comparison.candidates if each.applies))
    stages = [named.stages(each.variant) if each.applies else () for each in comparison.candidates]
    legend = tuple(_legend(named))
    values = _values(legend)
    derived = [_derivations(each, chain, values) for each, chain in zip(comparison.candidates, stages, strict=True)]
    return Explanation(
        title=describe(comparison.spec),
        legend=legend,
        notes=tuple(_notes(spec)),
        sections=tuple(
            Section(
                name=each.variant.name,
                summary=each.variant.summary,
                gives_up=each.variant.gives_up,
                why_not=each.why_not,
                channels=tuple(formula(channels) for channels in _channels(chain)),
                derivations=mine,
                ratios=_ratios(comparison, each, mine, derived[0], values),
                remark=each.remark,
            )
            for each, chain, mine in zip(comparison.candidates, stages, derived, strict=True)
        ),
    )


def _notes(spec: ConvSpec) -> Iterator[str]:
    yield f"{COUNTING_RULE} {PARAMS_RULE}"
    if spec.bias != "none":
        yield _BIAS
    if spec.size is None:
        yield _OPEN


def _legend(named: _Named) -> Iterator[Definition]:
    lengths = [at for each in named.maps for at in tuple(each.values())[::-1]]
    symbols = (named.spec.c_in, named.spec.c_out, *named.spec.kernel, *lengths, *named.options.values())
    known = {name: int(symbol) for symbol in symbols for name in formula(symbol).names}
    meanings = _MEANINGS | {option.symbol: option.meaning for option in named.options}
    for name, value in known.items():
        yield Definition(name=name, value=value, meaning=meanings[name])
    if named.spec.size is None:
        yield Definition(name="D_F", value=None, meaning=_MEANINGS["D_F"])


def _channels(stages: Stages) -> list[int]:
    return [*(stage.c_in for stage in stages[:1]), *(stage.c_out for stage in stages)]


def _derivations(candidate: Candidate, stages: Stages, values: Mapping[str, int]) -> tuple[Derivation, ...]:
    def derive(count: str, numbers: Iterable[int]) -> Derivation:
        formulas = zip(candidate.stages, map(formula, numbers), strict=True)
        lines = (Line(label=stage.kind, formula=each, result=each.put(values)) for stage, each in formulas)
        return Derivation(count=count, stages=tuple(lines))

    if not candidate.applies:
        return ()
    return (
        derive("parameters", (stage.params for stage in stages)),
        derive("multiply-adds", (stage.macs for stage in stages)),
    )


def _ratios(
    comparison: Comparison,
    candidate: Candidate,
    mine: Sequence[Derivation],
    standard: Sequence[Derivation],
    values: Mapping[str, int],
) -> tuple[CostRatio, ...]:
    if not mine or mine is standard:
        return ()
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
    maps = [item for each in explanation.sections for item in _results(each) if item]
    axes = max((power for result in maps for term in result.terms for _, power in term.powers), default=0)
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


def _results(section: Section) -> tuple[Formula, ...]:
    return tuple(each.result for each in section.derivations)


def _table_rows(section: Section) -> Iterator[Row]:
    """The sums of a variant; then its stages, which are none where it does not apply."""
    if not section.derivations:
        yield Row(cells=(section.name, "", None, "", None))
        return
    sums = (cell for each in section.derivations for cell in _count(each.formula, each.result))
    yield Row(cells=(section.name, *sums))
    stages = list(zip(*(each.stages for each in section.derivations), strict=True))
    for lines in stages if len(stages) > 1 else ():
        counts = (cell for line in lines for cell in _count(line.formula, line.result))
        yield Row(cells=(lines[0].label, *counts), role="part")


def _count(symbols: Formula, result: Formula) -> tuple[Cell, Cell]:
    """A count in symbols, and its number; that of one position where the map is open."""
    return write(symbols, UNICODE), int(result.at(dict.fromkeys(result.names, 1)))
