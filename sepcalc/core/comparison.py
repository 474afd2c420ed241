"""One convolution in several variants, side by side.

Counts are sums over a variant's stages, so a chain pays in traffic and activations for the maps between its stages. A
*reduction* is standard / variant: above 1 the variant saves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

from sepcalc.core.errors import SpecError
from sepcalc.core.spec import Axes, ConvSpec, times
from sepcalc.core.table import Tabular
from sepcalc.core.variants import Stages, Variant, choose, get


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A variant of the convolution: its stages, or the reason why there are none.

    Counts of a variant that does not apply raise :class:`SpecError` with that reason.
    """

    variant: Variant
    stages: Stages = ()
    why_not: str | None = None
    remark: str = ""

    @property
    def applies(self) -> bool:
        """Whether the variant can express this convolution."""
        return self.why_not is None

    @property
    def _made(self) -> Stages:
        if self.why_not is not None:
            raise SpecError(self.why_not)
        return self.stages

    @property
    def params(self) -> int:
        """Trainable parameters of all stages."""
        return sum(stage.params for stage in self._made)

    @property
    def macs(self) -> int | None:
        """Multiply-adds of all stages; None where the size is open."""
        return None if self.out_size is None else sum(stage.macs for stage in self._made)

    @property
    def macs_per_position(self) -> Fraction:
        """Multiply-adds for each position of the output: D_K·D_K·M·N for the standard convolution.

        Where the size is open they are those at each size that the strides divide.
        """
        made = self.counted or self._made  # which raises
        return Fraction(sum(stage.macs for stage in made), prod(made[-1].out_size or ()))

    @property
    def counted(self) -> Stages:
        """The stages; where the size is open, on the map from which the strides leave one position."""
        if not self.stages or self.stages[0].size is not None:
            return self.stages
        strides = zip(*(stage.stride for stage in self.stages), strict=True)
        return tuple(_sized(self.stages, tuple(map(prod, strides))))

    @property
    def out_size(self) -> Axes | None:
        """The feature map that the last stage writes; None where the size is open."""
        return self._made[-1].out_size

    @property
    def activations(self) -> int | None:
        """Elements written by all stages; None where the size is open."""
        return None if self.out_size is None else sum(stage.activations for stage in self._made)

    def traffic_bytes(self, element_bytes: int) -> int | None:
        """Bytes moved by all stages, each tensor once; None where the size is open."""
        return None if self.out_size is None else sum(stage.traffic_bytes(element_bytes) for stage in self._made)

    def intensity(self, element_bytes: int) -> Fraction | None:
        """Arithmetic intensity in FLOP per byte, 2 · macs / traffic (Williams 2009); None where the size is open."""
        macs, traffic = self.macs, self.traffic_bytes(element_bytes)
        return None if macs is None or traffic is None else Fraction(2 * macs, traffic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Tabular):
    """The candidates for one convolution, the reference first."""

    _TABLES = "sepcalc.core.layer_tables:layer_tables"

    spec: ConvSpec
    candidates: tuple[Candidate, ...]

    def params_reduction(self, candidate: Candidate) -> Fraction:
        """Standard parameters / the candidate's."""
        return Fraction(self.candidates[0].params, candidate.params)

    def macs_reduction(self, candidate: Candidate) -> Fraction:
        """Standard multiply-adds / the candidate's."""
        return self.candidates[0].macs_per_position / candidate.macs_per_position


def compare(spec: ConvSpec, variants: Iterable[Variant | str] = ()) -> Comparison:
    """The variants of ``spec`` (the first three by default) beside the dense convolution.

    The reference stays the dense convolution also for a spec with groups; ``grouped`` then joins the comparison.

    Raises :class:`SpecError` where ``spec`` leaves the size open and even counts per position depend on it (``valid``
    padding, a stride that is transposed or has padding in numbers).

    >>> [row.params for row in compare(ConvSpec(c_in=64, c_out=128, kernel=(3, 3))).candidates]
    [73728, 8768, 36864]
    """
    if spec.transposed or spec.padding != "same":
        check_size(spec)
    chosen = (get("standard"), *(tuple(map(get, variants)) or choose()))
    if spec.groups > 1:
        chosen = (*chosen, get("grouped"))
        chosen = tuple(variant.bind({"groups": spec.groups, **variant.options}) for variant in chosen)
    dense = replace(spec, groups=1)
    return Comparison(spec=spec, candidates=tuple(_candidate(variant, dense) for variant in dict.fromkeys(chosen)))


def check_size(spec: ConvSpec) -> None:
    """Raise :class:`SpecError` where counts depend on the size and ``spec`` leaves it open."""
    if spec.size is None and not spec.keeps_size:
        why = "stride" if any(s != 1 for s in spec.stride) else "padding"
        raise SpecError(f"multiply-adds at {why} {times(getattr(spec, why))} depend on the feature size; give a size")


def _candidate(variant: Variant, spec: ConvSpec) -> Candidate:
    try:
        stages = variant(spec)
    except SpecError as reason:
        return Candidate(variant=variant, why_not=str(reason))
    if spec.size is None and not spec.keeps_size:  # a remark on the counts at one position
        spec = replace(spec, size=spec.stride)
    return Candidate(variant=variant, stages=stages, remark=variant.remark(spec, stages))


def _sized(stages: Stages, size: Axes) -> Iterator[ConvSpec]:
    """``stages`` of an open size, on a map of ``size``."""
    for stage in stages:
        sized = replace(stage, size=size)
        yield sized
        size = sized.out_size or ()
