"""The JSON answers: exact integers and floats, never strings, made of the figures of the tables.

``schema`` is raised when a key goes or changes its meaning; new keys may come without that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sepcalc.core.comparison import Comparison
from sepcalc.core.layer_tables import LayerRow, layer_fields
from sepcalc.core.layers import Convolution, Cost, Layer
from sepcalc.core.network import Network, WhatIf
from sepcalc.core.network_tables import (
    COMPARED,
    FIELDS,
    PUBLISHED,
    TOTALS,
    ComparedRow,
    NetworkRow,
    line_of,
    published_rows,
    totals_rows,
)
from sepcalc.core.table import SCHEMA, Field, answer_of

_SPEC = ("c_in", "c_out", "kernel", "size", "stride", "padding", "dilation", "groups", "bias", "transposed")
_STAGE = ("c_in", "c_out", "kernel", "stride", "groups", "in_size", "out_size", "params", "macs")


def _record(value: object, *names: str) -> dict[str, Any]:
    return {name: getattr(value, name) for name in names}


def layer_answer(comparison: Comparison, *, element_bytes: int) -> dict[str, Any]:
    """A comparison as JSON: the convolution, and each variant with its stages."""
    return {
        "schema": SCHEMA,
        "kind": "layer",
        "spec": _record(comparison.spec, *_SPEC, "output_padding"),
        "element_bytes": element_bytes,
        "variants": [_variant(LayerRow(candidate, comparison, element_bytes)) for candidate in comparison.candidates],
    }


def _variant(row: LayerRow) -> dict[str, Any]:
    candidate, fields = row.candidate, layer_fields()
    return {
        "variant": candidate.variant.name,
        "applies": candidate.applies,
        "why_not": candidate.why_not,
        "remark": candidate.remark or None,
        **answer_of(fields.values(), row),
        "stages": [
            {"name": stage.name, **{key: fields[key].answered(stage) for key in _STAGE}} for stage in row.stages
        ],
    }


def network_answer(network: Network, what_ifs: Iterable[WhatIf]) -> dict[str, Any]:
    """A network as JSON: its layers, its totals as written and for each what-if, and its uncounted layers."""
    what_ifs = tuple(what_ifs)
    totals = list(totals_rows(network, what_ifs))
    whole, fields = totals[0].cost, [field for field in FIELDS.values() if field.answer != "no"]
    convertible = {index for unit in network.units for index, _ in unit.parts}
    return {
        "schema": SCHEMA,
        "kind": "network",
        "name": network.name,
        "source": network.source,
        "input": _input(network),
        "layers": [
            {**_layer(layer, whole, fields), "convertible": index in convertible}
            for index, layer in enumerate(network.layers)
        ],
        "totals": {row.name: answer_of(TOTALS.values(), row) for row in totals},
        "kept": {
            what_if.variant.name: [{"name": name, "why_not": why_not} for name, why_not in what_if.refused]
            for what_if in what_ifs
        },
        "uncounted": _uncounted(network),
        "published": [{**answer_of(PUBLISHED.values(), row), "note": row.note} for row in published_rows(network)],
    }


def _layer(layer: Layer, whole: Cost, fields: Iterable[Field[NetworkRow]]) -> dict[str, Any]:
    reads, writes = layer.input, layer.output
    return {
        **_record(layer, "name", "type"),
        "c_in": reads.channels,
        "c_out": writes.channels,
        "kernel": layer.kernel,
        "in_size": reads.size,
        "out_size": writes.size,
        "groups": layer.spec.groups if isinstance(layer, Convolution) else 1,
        **answer_of(fields, NetworkRow(line_of(layer), whole)),
    }


def comparison_answer(networks: Sequence[Network], *, element_bytes: int) -> dict[str, Any]:
    """Several networks as JSON, the first of them the reference of the reductions."""
    first = networks[0].cost
    return {
        "schema": SCHEMA,
        "kind": "comparison",
        "element_bytes": element_bytes,
        "networks": [
            {
                "name": network.name,
                "input": _input(network),
                **answer_of(COMPARED.values(), ComparedRow(network, first, element_bytes)),
                "uncounted": _uncounted(network),
            }
            for network in networks
        ],
    }


def _input(network: Network) -> dict[str, Any] | None:
    reads = network.input
    return None if reads is None else {"channels": reads.channels, "size": reads.size, "batch": network.batch}


def _uncounted(network: Network) -> list[dict[str, str]]:
    return [_record(layer, "name", "type") for layer in network.uncounted]
