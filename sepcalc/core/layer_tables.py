"""The table that compares the variants of one convolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

from sepcalc.core.comparison import Candidate, Comparison
from sepcalc.core.spec import describe
from sepcalc.core.table import CAPTION, REDUCTION_RULE, Cell, Field, Table, by_key, fill_table


class LayerRow(NamedTuple):
    """A variant in a comparison, or one stage of it."""

    candidate: Candidate
    comparison: Comparison
    element_bytes: int
    is_stage: bool = False
    positions: int = 1
    """Where the size is open: positions that a stage writes for each one that its variant writes."""

    @property
    def name(self) -> str:
        """The variant's name, or the stage's kind."""
        return self.candidate.stages[0].kind if self.is_stage else self.candidate.variant.name

    @property
    def stages(self) -> Iterator[LayerRow]:
        """A row for each stage."""
        for stage, counted in zip(self.candidate.stages, self.candidate.counted, strict=True):
            positions = prod(counted.out_size or ()) if stage.size is None else 1
            yield self._replace(candidate=replace(self.candidate, stages=(stage,)), is_stage=True, positions=positions)


def _of_stage(name: str) -> Callable[[LayerRow], Cell]:
    """The attribute called ``name`` of a row that is one convolution."""
    return lambda row: getattr(row.candidate.stages[0], name) if len(row.candidate.stages) == 1 else None


_TRAFFIC = "Traffic: input, weights and output of each stage moved once, {element_bytes} bytes per element."
_SIZED = ("sized",)

FIELDS: dict[str, Field[LayerRow]] = by_key(
    Field(key="params", title="Params", kind="count", answer="too", figure=lambda row: row.candidate.params),
    Field(key="macs", title="MACs", kind="count", shown=_SIZED, answer="too", figure=lambda row: row.candidate.macs),
    Field(key="macs_per_position", title="MACs{per_position}", kind="per-position", rule="{left_open}",
          shown=("open",), answer="too", figure=lambda row: row.positions * row.candidate.macs_per_position),
    Field(key="params_reduction", title="Params reduction", kind="reduction", rank=1, rule=REDUCTION_RULE,
          needs="reference", answer="too", figure=lambda row: row.comparison.params_reduction(row.candidate)),
    Field(key="macs_reduction", title="MACs reduction", kind="reduction", rank=2, rule=REDUCTION_RULE,
          needs="reference", answer="too", figure=lambda row: row.comparison.macs_reduction(row.candidate)),
    Field(key="out_size", title="Output", kind="size", rank=5, shown=_SIZED, answer="too",
          figure=lambda row: row.candidate.out_size),
    Field(key="activations", title="Activations", kind="count", rank=6, shown=_SIZED, answer="too",
          figure=lambda row: row.candidate.activations),
    Field(key="traffic_bytes", title="Traffic", kind="bytes", rank=4, rule=_TRAFFIC, shown=_SIZED, answer="too",
          figure=lambda row: row.candidate.traffic_bytes(row.element_bytes)),
    Field(key="intensity", title="FLOP/byte", kind="quotient", rank=3, rule=_TRAFFIC, shown=_SIZED, answer="too",
          figure=lambda row: row.candidate.intensity(row.element_bytes)),
    Field(key="flops", title="FLOPs", kind="count", rank=9, shown=(),
          figure=lambda row: None if row.candidate.macs is None else 2 * row.candidate.macs),
    Field(key="weights", title="Weights", kind="count", rank=9, shown=(),
          figure=lambda row: sum(stage.weights for stage in row.candidate.stages)),
    Field(key="params_ratio", title="Params ratio", kind="share", rank=9, shown=(), needs="reference",
          figure=lambda row: 1 / row.comparison.params_reduction(row.candidate)),
    Field(key="macs_ratio", title="MACs ratio", kind="share", rank=9, shown=(), needs="reference",
          figure=lambda row: 1 / row.comparison.macs_reduction(row.candidate)),
    Field(key="c_in", title="c_in", kind="count", rank=9, shown=(), figure=lambda row: row.candidate.stages[0].c_in),
    Field(key="c_out", title="c_out", kind="count", rank=9, shown=(),
          figure=lambda row: row.candidate.stages[-1].c_out),
    Field(key="in_size", title="Input", kind="size", rank=9, shown=(), figure=lambda row: row.candidate.stages[0].size),
    Field(key="kernel", title="Kernel", kind="size", rank=9, shown=(), figure=_of_stage("kernel")),
    Field(key="stride", title="Stride", kind="size", rank=9, shown=(), figure=_of_stage("stride")),
    Field(key="groups", title="Groups", kind="count", rank=9, shown=(), figure=_of_stage("groups")),
)  # fmt: skip
"""The columns beside the variant's name. The table is ``open`` or ``sized``; stages have no ``reference``."""


def layer_fields() -> dict[str, Field[LayerRow]]:
    """:data:`FIELDS`, with None where the variant does not apply, and a blank where a stage has no such figure."""

    def guarded(field: Field[LayerRow]) -> Callable[[LayerRow], Cell]:
        blank = field.needs == "reference"
        return lambda row: "" if blank and row.is_stage else field.figure(row) if row.candidate.applies else None

    return {key: replace(field, figure=guarded(field)) for key, field in FIELDS.items()}


def layer_tables(comparison: Comparison) -> tuple[Table, ...]:
    """The one table of a comparison."""
    return (layer_table(comparison),)


def layer_table(comparison: Comparison, *, element_bytes: int = 4, stages: bool = False) -> Table:
    """One row per variant of a convolution, with its stages below it if ``stages``.

    ``element_bytes`` is what one weight or activation takes, for traffic and intensity.
    """
    spec, is_open = comparison.spec, comparison.spec.size is None
    return fill_table(
        Table(name="layer", title=describe(spec), caption=CAPTION, notes=tuple(_notes(comparison))),
        [Field(key="variant", title="Variant", figure=lambda row: row.name), *layer_fields().values()],
        _rows(comparison, element_bytes, stages=stages),
        role=lambda row: "part" if row.is_stage else "body",
        form="open" if is_open else "sized",
        facts=layer_facts(
            is_open=is_open, axes=len(spec.kernel) if spec.keeps_size else 0, element_bytes=element_bytes
        ),
    )


def layer_facts(*, is_open: bool, axes: int, element_bytes: int = 4) -> dict[str, Any]:
    """What titles and rules of :data:`FIELDS` name; ``axes`` is 0 where an open map is counted at one position."""
    left_open = "D_F: the size of the feature map, left open."
    one_position = "Per position: of the output, where the stride divides the size, which is left open."
    return {
        "element_bytes": element_bytes,
        # With a size, the positions of the output are a number, and need not be D_F on each axis.
        "axes": axes if is_open else 0,
        "per_position": "" if is_open and axes else " per position",
        "left_open": "" if not is_open else left_open if axes else one_position,
    }


def _rows(comparison: Comparison, element_bytes: int, *, stages: bool) -> Iterator[LayerRow]:
    for candidate in comparison.candidates:
        row = LayerRow(candidate, comparison, element_bytes)
        yield row
        if stages and len(candidate.stages) > 1:
            yield from row.stages


def _notes(comparison: Comparison) -> Iterator[str]:
    for candidate in comparison.candidates:
        if candidate.why_not is not None:
            yield f"{candidate.variant.name} does not apply: {candidate.why_not}."
        elif candidate.remark:
            yield f"{candidate.variant.name}: {candidate.remark}."
