"""The machine-readable answers: exact integers and floats, never strings, in a form that does not change.

``schema`` is raised when a key changes its meaning or goes; new keys may come without that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from sepcalc.core.comparison import Candidate, Comparison
from sepcalc.core.network import AS_WRITTEN, Convolution, Layer, Network, Operator, WhatIf
from sepcalc.core.spec import ConvSpec


def layer_answer(comparison: Comparison, *, element_bytes: int) -> dict[str, Any]:
    """A comparison as JSON: the convolution, and each variant with its stages."""
    return {
        "schema": SCHEMA,
        "kind": "layer",
        "spec": _spec(comparison.spec),
        "element_bytes": element_bytes,
        "variants": [_candidate(comparison, each, element_bytes) for each in comparison.candidates],
    }


def _spec(spec: ConvSpec) -> dict[str, Any]:
    keys = ("c_in", "c_out", "kernel", "size", "stride", "padding", "dilation", "groups", "bias", "transposed")
    return {key: getattr(spec, key) for key in (*keys, "output_padding")}


def _candidate(comparison: Comparison, candidate: Candidate, element_bytes: int) -> dict[str, Any]:
    there = candidate.applies
    return {
        "variant": candidate.variant.name,
        "applies": there,
        "why_not": candidate.why_not,
        "remark": candidate.remark or None,
        "params": candidate.params if there else None,
        "macs": candidate.macs if there else None,
        "macs_per_position": _number(candidate.macs_per_position) if there else None,
        "params_reduction": float(comparison.params_reduction(candidate)) if there else None,
        "macs_reduction": float(comparison.macs_reduction(candidate)) if there else None,
        "out_size": candidate.out_size if there else None,
        "activations": candidate.activations if there else None,
        "traffic_bytes": candidate.traffic_bytes(element_bytes) if there else None,
        "intensity": _number(candidate.intensity(element_bytes)) if there else None,
        "stages": [_stage(stage) for stage in candidate.stages],
    }


def _stage(stage: ConvSpec) -> dict[str, Any]:
    return {
        "name": stage.kind,
        "c_in": stage.c_in,
        "c_out": stage.c_out,
        "kernel": stage.kernel,
        "stride": stage.stride,
        "groups": stage.groups,
        "in_size": stage.size,
        "out_size": stage.out_size,
        "params": stage.params,
        "macs": None if stage.size is None else stage.macs,
    }


def _number(value: Fraction | None) -> int | float | None:
    if value is None:
        return None
    return value.numerator if value.denominator == 1 else float(value)


def network_answer(network: Network, what_ifs: Iterable[WhatIf]) -> dict[str, Any]:
    """A network as JSON: its layers, its totals as written and for each what-if, and what is not in them."""
    what_ifs = tuple(what_ifs)
    return {
        "schema": SCHEMA,
        "kind": "network",
        "name": network.name,
        "source": network.source,
        "input": _input(network),
        "layers": [_layer(each) for each in network.layers],
        "totals": {
            AS_WRITTEN: {"params": network.cost.params, "macs": network.cost.macs},
            **{each.variant.name: {"params": each.cost.params, "macs": each.cost.macs} for each in what_ifs},
        },
        "kept": {each.variant.name: _refused(each.refused) for each in what_ifs},
        "uncounted": _uncounted(network),
        "published": [
            {"source": each.source, "params": each.params, "macs": each.macs, "note": each.note}
            for each in network.published
        ],
    }


def _refused(refused: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "why_not": why_not} for name, why_not in refused]


def _layer(layer: Layer) -> dict[str, Any]:
    cost = layer.cost
    counted = not isinstance(layer, Operator) or layer.counted
    return {
        "name": layer.name,
        "type": layer.type,
        "c_in": layer.input.channels,
        "c_out": layer.output.channels,
        "kernel": layer.kernel,
        "in_size": layer.input.size,
        "out_size": layer.output.size,
        "groups": layer.spec.groups if isinstance(layer, Convolution) else 1,
        "params": cost.params,
        "macs": cost.macs if counted else None,
        "convertible": layer.convertible,
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
                "name": each.name,
                "input": _input(each),
                "params": each.cost.params,
                "macs": each.cost.macs,
                "activations": each.activations,
                "traffic_bytes": each.traffic_bytes(element_bytes),
                "intensity": _number(each.intensity(element_bytes)),
                "params_reduction": first.params / each.cost.params if each.cost.params else None,
                "macs_reduction": first.macs / each.cost.macs if each.cost.macs else None,
                "uncounted": _uncounted(each),
            }
            for each in networks
        ],
    }


def _input(network: Network) -> dict[str, Any] | None:
    reads = network.input
    return None if reads is None else {"channels": reads.channels, "size": reads.size}


def _uncounted(network: Network) -> list[dict[str, str]]:
    return [{"name": each.name, "type": each.type} for each in network.uncounted]


SCHEMA = 1
"""The version of the JSON contract."""
