"""A network as the plain list of layers in YAML: one line a layer, every number written out.

The text has no blocks and no defaults, and is the same for the same network. Read again it gives the same layers,
names, parameters and multiply-adds; a vector comes back as one position, and a window of pooling is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from math import prod
from typing import Any

from sepcalc.core.layers import INPUT, Convolution, FeatureMap, Layer, Operator, Part, Product, Taps, writer_of
from sepcalc.core.network import Network
from sepcalc.core.spec import LARGEST, Axes, Bias

_PLAIN_WORD = re.compile(r"[A-Za-z_][\w.#/+()-]*")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})

_BIAS: dict[Bias, Any] = {"none": None, "all": True, "last": "last"}


def to_yaml(network: Network) -> str:
    """``network`` as YAML text, with every layer in the form in which it is written.

    >>> from sepcalc.core.spec import ConvSpec
    >>> stem = Convolution(name="stem", type="conv", spec=ConvSpec(c_in=3, c_out=64, kernel=(3, 3), size=(56, 56)))
    >>> print(to_yaml(Network(name="mine", layers=(stem,))), end="")
    name: mine
    layers:
      - {name: stem, c_in: 3, c_out: 64, k: 3, size: 56}
    """
    head = {"name": network.name, "source": network.source}
    lines = [f"{key}: {_scalar(value)}" for key, value in head.items() if value is not None]
    if network.outputs:
        lines.append(f"outputs: {_value([network.layers[place].name for place in network.outputs])}")
    rows = []
    for index, layer in enumerate(network.layers):
        reads = _reads(network, index)
        before = index - 1 if reads is None else next((tap for tap in reads if not isinstance(tap, Part)), INPUT)
        axes = 2 if before == INPUT else len(_there(network.layers[before].output))
        keys = (*_entries(layer, axes), *_listed(network, reads))
        entries = ", ".join(f"{key}: {_value(value)}" for key, value in keys)
        rows.append(f"  - {{name: {_scalar(layer.name)}, {entries}}}")
    return "\n".join((*lines, "layers:" if rows else "layers: []", *rows)) + "\n"


def _entries(layer: Layer, axes: int) -> Iterator[tuple[str, Any]]:
    """The keys of a layer and their values; the layer before it writes a map of ``axes`` axes."""
    match layer:
        case Convolution(type="linear"):
            pairs = _linear(layer, axes)
        case Convolution():
            pairs = _convolution(layer, axes)
        case Operator() | Product():
            pairs = _operator(layer, axes)
    return ((key, value) for key, value in pairs if value is not None)


def _reads(network: Network, index: int) -> Taps | None:
    """The layers that a layer reads; None where that goes without saying, since it is the one before it."""
    if network.wiring is None or index == 0:
        return None
    reads, before = network.layers[index].input, network.layers[index - 1].output
    alike = (reads.channels, _there(reads)) == (before.channels, _there(before))
    taps = network.wiring[index]
    if taps == ((index - 1,) if alike else ()):
        return None
    return tuple(tap for tap in taps if writer_of(tap) != INPUT)


def _listed(network: Network, reads: Taps | None) -> Iterator[tuple[str, Any]]:
    if reads is not None:
        yield "reads", [network.layers[tap].name for tap in reads if not isinstance(tap, Part)]
        if in_part := [network.layers[tap.writer].name for tap in reads if isinstance(tap, Part)]:
            yield "reads_part_of", in_part


def _convolution(layer: Convolution, axes: int) -> Iterator[tuple[str, Any]]:
    spec, variant = layer.spec, layer.variant
    own = len(spec.kernel)
    yield "c_in", spec.c_in
    yield "c_out", spec.c_out
    yield "k", _lengths(spec.kernel, own)
    yield "size", _lengths(_there(layer.input), axes)
    yield "stride", _unless(spec.stride, 1)
    yield "padding", None if spec.padding == "same" else _lengths(spec.padding, own)
    yield "dilation", _unless(spec.dilation, 1)
    yield "groups", None if spec.groups == 1 else spec.groups
    yield "bias", _BIAS[spec.bias]
    yield "transposed", True if spec.transposed else None
    yield "output_padding", _unless(spec.output_padding, 0)
    yield "variant", None if variant.name == "standard" else variant.name
    yield from variant.options.items()
    yield "norm_last", layer.norm_last
    yield "act_last", layer.act_last
    yield "between", None if layer.between == "all" else layer.between
    yield from _around(layer)


def _linear(layer: Convolution, axes: int) -> Iterator[tuple[str, Any]]:
    yield "type", "linear"
    yield "c_in", layer.spec.c_in
    yield "c_out", layer.spec.c_out
    yield "size", _lengths(_there(layer.input), axes)
    yield "per_position", True if prod(_there(layer.input)) > 1 else None
    yield "bias", _BIAS[layer.spec.bias]
    yield from _around(layer)


def _around(layer: Convolution) -> Iterator[tuple[str, Any]]:
    yield "norm", None if layer.norm == "none" else layer.norm
    yield "act", None if layer.act == "none" else layer.act
    yield "batch", None if layer.batch == 1 else layer.batch
    yield "shares", layer.shares


def _operator(layer: Operator | Product, axes: int) -> Iterator[tuple[str, Any]]:
    reads, writes = layer.input, layer.output
    yield "type", "product" if isinstance(layer, Product) else "operator" if layer.counted else "uncounted"
    yield "operator", layer.type
    yield "c_in", reads.channels
    yield "size", _lengths(_there(reads), axes)
    if isinstance(layer, Product):
        yield "terms", [[spec.c_in, spec.c_out, part] for spec, times in layer.terms for part in _parts(times)]
    yield "params", layer.params or None
    yield "c_out", None if writes.channels == reads.channels else writes.channels
    yield "out", None if _there(writes) == _there(reads) else _lengths(_there(writes), len(_there(reads)))


def _parts(times: int) -> Iterable[int]:
    """``times`` as a sum of numbers that a file may hold."""
    return [LARGEST] * (times // LARGEST) + ([times % LARGEST] if times % LARGEST or not times else [])


def _there(at: FeatureMap) -> Axes:
    """The size in a file: a vector stands at one position."""
    return at.size or (1,)


def _lengths(values: Axes, axes: int) -> int | str | list[int]:
    """One number if all ``axes`` axes have it, else one per axis."""
    if len(values) == axes and len(set(values)) == 1:
        return values[0]
    return list(values) if len(values) == 1 else "x".join(map(str, values))


def _unless(values: Axes, usual: int) -> int | str | list[int] | None:
    return None if all(value == usual for value in values) else _lengths(values, len(values))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value) if isinstance(value, int) else _scalar(value)


def _scalar(text: str) -> str:
    """Text that YAML reads back as this text: plain where that is safe, else in quotes."""
    if _PLAIN_WORD.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    return text if re.fullmatch(r"[1-9]\d*(x\d+)+", text) else json.dumps(text)
