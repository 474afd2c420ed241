"""Which layers of a network are one convolution, in whatever form a file writes it.

A *unit* is what a what-if rewrites: a dense convolution with a window, or the layers that together are a convolution in
a separable form. Each reads the one before it, and nothing else does:

* depthwise, pointwise: depthwise-separable;
* k×1, 1×k: spatial-separable; depthwise lines with a pointwise one behind them are depthwise-spatial;
* pointwise, depthwise, and no pointwise one behind it: blueprint-separable.

Norms, activations and dropout between them belong to the unit. A gate between them (squeeze-and-excitation) keeps its
cost, and acts on the unit's input in another form.

A layer that is written as a variant of several stages is looked at stage by stage: an inverted bottleneck is a 1×1
convolution and a depthwise-separable unit. A depthwise or grouped layer alone is no unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Any, NamedTuple, get_args

from sepcalc.core.layers import (
    INPUT,
    NORM_PARAMS,
    STANDARD,
    Convolution,
    Cost,
    Layer,
    NormKind,
    Operator,
    Part,
    Tap,
    Taps,
    total,
    writer_of,
    written_type,
)
from sepcalc.core.modules import ACTIVATIONS, activation_params
from sepcalc.core.variants import Variant, all_variants

MOST_STAGES = 4
"""Stages of a separable form: a line along each of three axes, and a pointwise one."""

MOST_IN_A_GATE = 32
"""Layers between two convolutions that may be a gate."""

_NORMS: dict[str, NormKind] = {f"{kind}_norm": kind for kind in get_args(NormKind) if kind != "none"}
_ACTIVATIONS = {
    *ACTIVATIONS, "celu", "clip", "hardshrink", "hardtanh", "logsigmoid", "rrelu", "softshrink", "softsign",
    "tanhshrink", "threshold", "thresholded_relu",
}  # fmt: skip
_NEUTRAL = {"alpha_dropout", "dropout", "feature_dropout", "identity"}
_SELF_GATES = {"sigmoid": "silu", "hardsigmoid": "hardswish"}
"""Activations that exporters write as a product of the map and a function of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A convolution that a what-if can rewrite.

    ``layer`` is the whole of it, in the form in which it is written. ``parts`` are the layers of the network that it
    consists of, by index, with what each contributes to its cost; a rewritten unit's cost stands at the first.
    ``stages`` are its places in the network as :func:`lay_out` has it, ``gate`` those of layers inside that keep their
    cost: a gate, and norms and activations with other parameters than the framework's default.
    """

    layer: Convolution
    names: tuple[str, ...]
    parts: tuple[tuple[int, Cost], ...]
    stages: tuple[int, ...]
    gate: tuple[int, ...] = ()

    @property
    def cost(self) -> Cost:
        """What the unit costs as written."""
        return total(cost for _, cost in self.parts)


class Laid(NamedTuple):
    """A network with a layer for each stage, which layer of the network each comes from, and what each reads."""

    layers: Sequence[Layer]
    origins: Sequence[int]
    wiring: Sequence[Taps]


def lay_out(layers: Sequence[Layer], wiring: Sequence[Taps] | None) -> Laid:
    """The network with a layer for each stage of a convolution; a layer of one stage stays the same value."""
    laid: list[Layer] = []
    origins: list[int] = []
    ends: list[int] = []
    reads: list[Taps] = []
    for index, layer in enumerate(layers):
        stages = _stage_layers(layer)
        taps = wiring[index] if wiring is not None else ()
        reads.append(tuple(_moved(tap, ends) for tap in taps))
        reads += [(len(laid) + place,) for place in range(len(stages) - 1)]
        laid += stages
        origins += [index] * len(stages)
        ends.append(len(laid) - 1)
    return Laid(laid, origins, reads)


def _moved(tap: Tap, ends: Sequence[int]) -> Tap:
    if isinstance(tap, Part):
        return tap._replace(writer=ends[tap.writer]) if tap.writer >= 0 else tap
    return ends[tap] if tap >= 0 else tap


def _stage_layers(layer: Layer) -> list[Layer]:
    if not isinstance(layer, Convolution) or layer.variant.name == "standard":
        return [layer]
    stages = layer.stages
    last = len(stages) - 1
    return [
        replace(
            layer,
            name=layer.name if last == 0 else f"{layer.name}.{place + 1}",
            type="conv",
            spec=stage,
            variant=STANDARD,
            norm=layer.last_norm if place == last else layer.norm if layer.between == "all" else "none",
            act=layer.last_act if place == last else layer.act if layer.between != "none" else "none",
            norm_last=None,
            act_last=None,
            between="all",
            shares=layer.shares and (layer.shares if last == 0 else f"{layer.shares}.{place + 1}"),
        )
        for place, stage in enumerate(stages)
    ]


def find_units(layers: Sequence[Layer], wiring: Sequence[Taps] | None, outputs: Iterable[int] = ()) -> tuple[Unit, ...]:
    """The units of a network of ``layers``, in their order.

    ``wiring`` says what each layer reads; ``outputs`` are layers whose results the caller reads too.
    """
    return _Search(layers, lay_out(layers, wiring), outputs).units()


class _Link(NamedTuple):
    """The way from a convolution to the next layer: its norm and activation, the layers in between, and the reader."""

    norm: NormKind
    act: str
    inside: tuple[int, ...]
    gate: tuple[int, ...]
    reader: int | None


class _Search:
    """The layers of a network by stage, and who reads each."""

    def __init__(self, layers: Sequence[Layer], laid: Laid, outputs: Iterable[int]) -> None:
        self.layers, self.laid = layers, laid
        self.stages = Counter(laid.origins)
        self.convolutions = {at: layer for at, layer in enumerate(laid.layers) if isinstance(layer, Convolution)}
        self.readers: list[list[tuple[int, bool]]] = [[] for _ in laid.layers]
        for reader, taps in enumerate(laid.wiring):
            for tap in taps:
                if (writer := writer_of(tap)) >= 0:
                    self.readers[writer].append((reader, not isinstance(tap, Part)))
        read_outside = set(outputs)
        for at, origin in enumerate(laid.origins):
            if origin in read_outside and (at + 1 == len(laid.origins) or laid.origins[at + 1] != origin):
                self.readers[at].append((len(laid.layers), False))
        self.links: dict[int, _Link] = {}
        self.taken: set[int] = set()
        self.owners: dict[str, str] = {}

    def units(self) -> tuple[Unit, ...]:
        """The units: long chains before short ones, each in the order of the variants, and dense convolutions last."""
        found: dict[int, Unit] = {}
        forms = [variant for variant in all_variants() if variant.merge]
        chains = {start: chain for start in self.convolutions if len(chain := self._chain(start)) > 1}
        for declared, length, variant in product((True, False), range(MOST_STAGES, 1, -1), forms):
            for start, chain in chains.items():
                places = chain[:length]
                if len(places) < length or start in self.taken or declared != self._is_declared(places):
                    continue
                unit = self._merged(variant, places)
                if unit is not None:
                    found[start] = unit
                    self.taken.update(unit.stages)
                    self.owners[self.convolutions[start].name] = unit.layer.name
        for start, layer in self.convolutions.items():
            if start not in self.taken and _is_dense_window(layer):
                found[start] = self._unit(self._normed(start, layer), (start,), ())
        return tuple(found[start] for start in sorted(found))

    def _normed(self, start: int, layer: Convolution) -> Convolution:
        """A dense convolution; the norm and the activation behind it, if it has none, follow its inner stages."""
        if layer.between != "all" or "none" not in (layer.norm, layer.act):
            return layer
        link = self._after(start)
        if (link.norm, link.act) == (layer.norm, layer.act):
            return layer
        return replace(layer, norm=link.norm, act=link.act, norm_last=layer.last_norm, act_last=layer.last_act)

    def _chain(self, start: int) -> list[int]:
        """The convolutions from ``start`` on of which each alone reads the one before it, as many as a form has."""
        places = [start]
        while len(places) < MOST_STAGES and (reader := self._after(places[-1]).reader) in self.convolutions:
            places.append(reader)
        return places

    def _is_declared(self, places: Sequence[int]) -> bool:
        """Whether these are all stages of one layer, which the network writes as a variant itself."""
        origins = self.laid.origins
        return origins[places[0]] == origins[places[-1]] and self.stages[origins[places[0]]] == len(places)

    def _merged(self, variant: Variant, places: Sequence[int]) -> Unit | None:
        """The unit in the form of ``variant`` with its stages at these ``places``."""
        layers = [self.convolutions[place] for place in places]
        found = variant.merged(tuple([layer.spec for layer in layers]))
        if found is None or self.taken.intersection(places):
            return None
        links = [self._after(place) for place in places[:-1]]
        around = {(link.norm, link.act) for link in links}
        if len(around) > 1 or len({layer.batch for layer in layers}) > 1:
            return None
        first, last = layers[0], layers[-1]
        if not self._is_declared(places) and last.spec.groups > 1 and self._is_mixed(places[-1]):
            return None
        if last.type == "linear" and last.spec.c_in in (last.spec.size or ()):
            return None  # it may mix positions: nobody says which axis holds the channels
        gate = tuple(place for link in links for place in link.gate)
        if gate and first.spec.c_out != first.spec.c_in:
            return None
        owner = self.owners.get(first.shares or "")
        if any((layer.shares is None) != (owner is None) for layer in layers):
            return None
        stages = tuple(sorted({*places, *(place for link in links for place in link.inside)}))
        spec, written = found
        ((norm, act),) = around
        origins = {self.laid.origins[place] for place in stages}
        whole = self.layers[min(origins)]
        if len(origins) == 1 and isinstance(whole, Convolution) and whole.variant.name == written.name:
            return self._unit(whole, stages, gate)
        layer = Convolution(
            name=first.name if len(origins) > 1 else whole.name,
            type=written_type(written),
            spec=spec,
            variant=written,
            norm=norm,
            act=act,
            norm_last=None if last.norm == norm else last.norm,
            act_last=None if last.act == act else last.act,
            shares=owner,
            batch=first.batch,
        )
        unit = self._unit(layer, stages, gate)
        return unit if unit.cost == layer.cost else None

    def _is_mixed(self, place: int) -> bool:
        """Whether a pointwise convolution alone reads the one at ``place``."""
        reader = self._after(place).reader
        return reader in self.convolutions and max(self.convolutions[reader].spec.kernel, default=1) == 1

    def _unit(self, layer: Convolution, stages: tuple[int, ...], gate: tuple[int, ...]) -> Unit:
        parts: dict[int, Cost] = {}
        for stage in stages:
            origin = self.laid.origins[stage]
            parts[origin] = total((parts.get(origin, Cost()), self.laid.layers[stage].cost))
        names = [self.layers[origin].name for origin in parts if isinstance(self.layers[origin], Convolution)]
        return Unit(layer=layer, names=tuple(names), parts=tuple(parts.items()), stages=stages, gate=gate)

    def _after(self, start: int) -> _Link:
        """The way from a convolution to the next layer that is no norm, no activation and no gate."""
        if start not in self.links:
            self.links[start] = self._walk(start, self.convolutions[start])
        return self.links[start]

    def _walk(self, start: int, layer: Convolution) -> _Link:
        norm, act = layer.last_norm, layer.last_act
        inside: list[int] = []
        gates: list[int] = []
        at = start
        while (step := self._step(at)) is not None:
            before, (at, gate) = self.laid.layers[at], step
            other = self.laid.layers[at]
            kind = _role(other, layer.spec.c_out, reads=len(self.laid.wiring[at]))
            if gate and all(_is_elementwise(self.laid.layers[place], before) for place in gate):
                act = _SELF_GATES.get(self.laid.layers[gate[0]].type, "identity") if act == "none" else act
                inside += gate
            elif gate or kind == "kept":
                gates += gate or (at,)
            elif kind == "norm" and norm == "none":
                norm = _NORMS[other.type]
                inside.append(at)
            elif kind == "activation" and act in ("none", "identity"):
                act = other.type
                inside.append(at)
            elif kind == "neutral":
                inside.append(at)
            else:
                return _Link(norm, act, tuple(inside), tuple(gates), at)
        return _Link(norm, act, tuple(inside), tuple(gates), None)

    def _step(self, at: int, depth: int = 0) -> tuple[int, tuple[int, ...]] | None:
        """The next layer: the only reader of ``at``, or the ``mul`` that closes a gate, with the gate's layers."""
        readers = self.readers[at]
        if len(readers) == 1 and readers[0][1]:
            return readers[0][0], ()
        if len(readers) != 2 or not all(whole for _, whole in readers) or depth > MOST_IN_A_GATE:
            return None
        (first, _), (last, _) = sorted(readers)
        if self.laid.layers[last].type != "mul" or len(self.laid.wiring[last]) != 2 or first == last:
            return None
        gate = [first]
        while len(gate) < MOST_IN_A_GATE and _is_global(self.laid.layers[gate[-1]]):
            step = self._step(gate[-1], depth + 1)
            if step is None or (not step[1] and step[0] != last and len(self.laid.wiring[step[0]]) != 1):
                return None
            gate += step[1][:-1] if step[1] else ()
            gate.append(step[0])
            if step[0] == last:
                return last, tuple(gate)
        return None


def _is_dense_window(layer: Convolution) -> bool:
    return layer.type != "linear" and layer.spec.groups == 1 and max(layer.spec.kernel, default=1) > 1


def _is_global(layer: Layer) -> bool:
    """Whether the multiply-adds of ``layer``, if any, are those of one position, whatever the map's size."""
    return not layer.cost.macs or (isinstance(layer, Convolution) and prod(layer.spec.positions or ()) == 1)


def _is_elementwise(layer: Layer, before: Layer) -> bool:
    """Whether ``layer`` computes each number of a map of the shape that ``before`` writes, and learns nothing."""
    return isinstance(layer, Operator) and not layer.params and layer.output.shape == before.output.shape


def _role(layer: Layer, channels: int, *, reads: int) -> str:
    """What ``layer`` is between two convolutions: norm, activation, neutral, kept as it is, or something else.

    A product of one input is one with a constant.
    """
    if not isinstance(layer, Operator) or layer.input.shape != layer.output.shape:
        return ""
    if layer.type in _NORMS and layer.params == NORM_PARAMS[_NORMS[layer.type]] * channels:
        return "norm"
    if layer.type in _ACTIVATIONS and layer.params == activation_params(layer.type):
        return "activation"
    if not layer.params and (layer.type in {*_NEUTRAL, *_NORMS} or (reads == 1 and layer.type in ("mul", "div"))):
        return "neutral"
    return "kept" if layer.type in {*_ACTIVATIONS, *_NORMS} else ""


def rewrite(
    layers: Sequence[Layer],
    wiring: Sequence[Taps] | None,
    outputs: Iterable[int],
    units: Iterable[tuple[Unit, Convolution]],
) -> dict[str, Any]:
    """The layers, wiring and outputs of a network with another layer in the place of each of ``units``.

    It stands where the last stage of the unit stood; what was between the stages is gone, and a gate reads and
    multiplies the unit's input. Other layers stay the same values.
    """
    laid = lay_out(layers, wiring)
    now: list[Layer | None] = list(laid.layers)
    touched: set[int] = set()
    for unit, written in units:
        for stage in unit.stages:
            now[stage] = None
            touched.add(laid.origins[stage])
        now[unit.stages[-1]] = written
        _move_gate(now, laid, unit)
    places: dict[int, Taps] = {INPUT: (INPUT,)}
    found: list[Layer] = []
    reads: list[Taps] = []
    for at, layer in enumerate(now):
        origin = laid.origins[at]
        inner = origin not in touched and at and laid.origins[at - 1] == origin
        if inner or layer is None:
            places[at] = places[at - 1] if inner else _placed(laid.wiring[at], places)
            continue
        reads.append(_placed(laid.wiring[at], places))
        places[at] = (len(found),)
        found.append(layer if origin in touched or layer is not laid.layers[at] else layers[origin])
    ends = {origin: places[at] for at, origin in enumerate(laid.origins)}
    return {
        "layers": tuple(found),
        "wiring": None if wiring is None else tuple(reads),
        "outputs": tuple(end for output in outputs for end in ends[output]),
    }


def _placed(taps: Taps, places: Mapping[int, Taps]) -> Taps:
    """``taps`` with new indices after layers were removed; empty if one is unknown."""
    found: list[Tap] = []
    for tap in taps:
        writer = places[writer_of(tap)]
        if len(writer) != 1:
            return ()
        at = writer[0]
        found.append(tap._replace(writer=at) if isinstance(tap, Part) and isinstance(at, int) else at)
    return tuple(found)


def _move_gate(now: list[Layer | None], laid: Laid, unit: Unit) -> None:
    """Let the layers of a gate that work on the unit's map work on its input instead."""
    before, after = unit.layer.spec.size, unit.layer.spec.out_size
    if before is None or before == after:
        return
    maps = set(unit.stages)
    for place in unit.gate:
        layer = now[place]
        if not isinstance(layer, Operator) or not maps.intersection(laid.wiring[place]):
            continue
        reads, writes = layer.input, layer.output
        if writes.size == after:
            maps.add(place)
            writes = replace(writes, size=before)
        reads = replace(reads, size=before) if reads.size == after else reads
        kernel = before if layer.kernel == after else layer.kernel
        now[place] = replace(layer, input=reads, output=writes, kernel=kernel)
