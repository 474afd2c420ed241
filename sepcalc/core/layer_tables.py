"""The table that compares the variants of one convolution.

What a number means stands in the table's caption, what a reader has to know about single rows in its notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sepcalc.core.comparison import Candidate, Comparison
from sepcalc.core.spec import ConvSpec, describe
from sepcalc.core.table import COUNTING_RULE, PARAMS_RULE, REDUCTION_RULE, Cell, Column, Kind, Row, Table

_SHOWN = ("params", "params_reduction", "macs_reduction")
_SHOWN_OPEN = (*_SHOWN, "macs_per_position")
_SHOWN_SIZED = (*_SHOWN, "macs", "out_size", "activations", "traffic_bytes", "intensity")
"""Columns that are there unasked: what an open size leaves unknown is not."""


def layer_tables(comparison: Comparison) -> tuple[Table, ...]:
    """What a comparison shows of itself: its one table."""
    return (layer_table(comparison),)


def layer_table(comparison: Comparison, *, element_bytes: int = 4, stages: bool = False) -> Table:
    """One row per variant of a convolution, with its stages below it if ``stages``.

    ``element_bytes`` is what one weight or activation takes, for traffic and intensity.
    """
    spec = comparison.spec
    figures = _figures(comparison, element_bytes)
    rows: list[Row] = []
    for candidate in comparison.candidates:
        cells = [figure(candidate) if candidate.applies else None for _, figure in figures]
        rows.append(Row(cells=(candidate.variant.name, *cells)))
        for stage in candidate.stages if stages and len(candidate.stages) > 1 else ():
            # A stage is a chain of one: the same figures, but nothing to compare it with.
            alone = replace(candidate, stages=(stage,))
            part = ["" if column.key in _COMPARED else figure(alone) for column, figure in figures]
            rows.append(Row(cells=(stage.kind, *part), role="part"))
    return Table(
        name="layer",
        title=describe(spec),
        columns=(Column(key="variant", title="Variant"), *(column for column, _ in figures)),
        rows=tuple(rows),
        caption=f"{COUNTING_RULE} {PARAMS_RULE}",
        notes=tuple(_notes(comparison)),
    )


_COMPARED = ("params_reduction", "macs_reduction", "params_ratio", "macs_ratio")

Figure = Callable[[Candidate], Cell]


def _figures(comparison: Comparison, element_bytes: int) -> tuple[tuple[Column, Figure], ...]:
    """Every column of a layer's table but the first, with the figure that it shows."""
    is_open = comparison.spec.size is None
    # With a size, the positions of the output are a number, and need not be D_F on each axis.
    axes = len(comparison.spec.kernel) if is_open else 0

    moved = f"Traffic: input, weights and output of each stage moved once, {element_bytes} bytes per element."
    rules = {
        "macs_per_position": "D_F: the size of the feature map, left open." if is_open else "",
        "params_reduction": REDUCTION_RULE,
        "macs_reduction": REDUCTION_RULE,
        "traffic_bytes": moved,
        "intensity": moved,
    }

    def column(key: str, title: str, kind: Kind, rank: int = 9) -> Column:
        extra = key not in (_SHOWN_OPEN if is_open else _SHOWN_SIZED)
        return Column(key=key, title=title, kind=kind, rank=rank, axes=axes, rule=rules.get(key, ""), extra=extra)

    def flops(row: Candidate) -> Cell:
        return None if row.macs is None else 2 * row.macs

    def one_stage(figure: Callable[[ConvSpec], Cell]) -> Figure:
        return lambda row: figure(row.stages[0]) if len(row.stages) == 1 else None

    return (
        (column("params", "Params", "count", 0), lambda row: row.params),
        (column("macs", "MACs", "count", 0), lambda row: row.macs),
        (
            column("macs_per_position", "MACs" if is_open else "MACs per position", "per-position", 0),
            lambda row: row.macs_per_position,
        ),
        (column("params_reduction", "Params reduction", "reduction", 1), comparison.params_reduction),
        (column("macs_reduction", "MACs reduction", "reduction", 2), comparison.macs_reduction),
        (column("out_size", "Output", "size", 5), lambda row: row.out_size),
        (column("activations", "Activations", "count", 6), lambda row: row.activations),
        (column("traffic_bytes", "Traffic", "bytes", 4), lambda row: row.traffic_bytes(element_bytes)),
        (column("intensity", "FLOP/byte", "quotient", 3), lambda row: row.intensity(element_bytes)),
        (column("flops", "FLOPs", "count"), flops),
        (column("weights", "Weights", "count"), lambda row: sum(stage.weights for stage in row.stages)),
        (column("params_ratio", "Params ratio", "share"), lambda row: 1 / comparison.params_reduction(row)),
        (column("macs_ratio", "MACs ratio", "share"), lambda row: 1 / comparison.macs_reduction(row)),
        (column("c_in", "c_in", "count"), lambda row: row.stages[0].c_in),
        (column("c_out", "c_out", "count"), lambda row: row.stages[-1].c_out),
        (column("in_size", "Input", "size"), lambda row: row.stages[0].size),
        (column("kernel", "Kernel", "size"), one_stage(lambda stage: stage.kernel)),
        (column("stride", "Stride", "size"), one_stage(lambda stage: stage.stride)),
        (column("groups", "Groups", "count"), one_stage(lambda stage: stage.groups)),
    )


def _notes(comparison: Comparison) -> Iterable[str]:
    for candidate in comparison.candidates:
        if candidate.why_not is not None:
            yield f"{candidate.variant.name} does not apply: {candidate.why_not}."
        elif candidate.remark:
            yield f"{candidate.variant.name}: {candidate.remark}."
