"""Times of a network: each distinct layer in each variant, then the whole as written and in each variant.

Layers of one shape are timed once, with their norm and activations. The whole is a module built from the description,
or the user's own model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from typing import Any

from sepcalc.builders.prediction import Counted
from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution
from sepcalc.core.network import AS_WRITTEN, Network, chooser
from sepcalc.core.table import first_few
from sepcalc.core.variants import Stages, Variant, choose
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.layer import layer_subject, layer_work
from sepcalc.measure.roofline import Work
from sepcalc.measure.run import Group, MeasurementSetup, Subject, run
from sepcalc.measure.session import WHOLE, Session, Timed
from sepcalc.readers.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A network as found or in a variant: its description, and the function that makes its module.

    ``left``: the name of each chosen layer that the variant could not convert, and the reason.
    """

    network: Network
    module: Callable[[], Any]
    left: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModel:
    """A user's own model, from which a network was read: its inputs, its module, and its form in a variant."""

    inputs: tuple[Input, ...]
    module: Callable[[], Any]
    written: Callable[[Variant], Written]


def measure_network(
    network: Network,
    setup: MeasurementSetup,
    *,
    variants: Sequence[Variant] = (),
    only: Sequence[str] = (),
    keep: Sequence[str] = (),
    own: OwnModel | None = None,
) -> Session:
    """Time the convertible layers of ``network`` that ``only`` and ``keep`` choose, then the whole, in each variant.

    ``variants`` are the first three by default; the first is the reference. A layer that a variant cannot express stays
    as written. The layers of a network without wiring, as from an ONNX file, are timed alone.

    Raises :class:`SpecError` if no layer is convertible, and :class:`SepcalcError` if a module differs from its counts.
    """
    rewriting = _Rewriting(network=network, variants=tuple(variants) or choose(), only=only, keep=keep, own=own)
    layers = distinct(network, chooser(only, keep))
    if not layers:
        raise SpecError(f"{network.name} has no layer that could be written as another variant; choose another network")
    groups = [rewriting.layer_group(names, layer, setup.conditions) for names, layer in layers]
    notes = ["The whole is not timed: it cannot be built from its layers alone"]
    if own is not None or (network.wiring is not None and not network.abridged and all(network.wiring)):
        groups.append(rewriting.whole_group(setup.conditions))
        notes = list(rewriting.notes())
    return run("network", network.title, groups, setup, notes=[f"{note}." for note in notes])


def distinct(network: Network, chosen: Callable[..., bool]) -> list[tuple[list[str], Convolution]]:
    """The units that are ``chosen``: each distinct one with the names of all that are equal to it.

    >>> from sepcalc.readers.yaml.reader import load
    >>> [names for names, _ in distinct(load("vgg16"), lambda name: name.startswith("conv3"))]
    [['conv3.1'], ['conv3.2', 'conv3.3']]
    """
    names: dict[Convolution, list[str]] = {}
    for unit in network.units:
        if chosen(*unit.names):
            names.setdefault(replace(unit.layer, name="", shares=None), []).append(unit.layer.name)
    return [(same, layer) for layer, same in names.items()]


@dataclass(frozen=True, kw_only=True)  # without slots, for the cached properties
class _Rewriting:
    """A network and the variants in which it is timed."""

    network: Network
    variants: tuple[Variant, ...]
    only: Sequence[str]
    keep: Sequence[str]
    own: OwnModel | None

    def layer_group(self, names: Sequence[str], layer: Convolution, grid: Sequence[Conditions]) -> Group:
        """A layer in each form, under each of the conditions."""
        rows = (Timed(group=names[0], name="", layers=len(names), conditions=conditions) for conditions in grid)
        entries = (entry for row in rows for entry in self._layer_entries(row, names, layer))
        return Group(title=names[0], entries=tuple(entries))

    def _layer_entries(self, row: Timed, names: Sequence[str], layer: Convolution) -> Iterator[Subject | Timed]:
        seen_as_written = False
        for variant in self.variants:
            named = replace(row, name=variant.name)
            try:
                as_written = layer.as_variant(variant) == layer.stages and not seen_as_written
            except SpecError as reason:
                yield replace(named, why_not=str(reason))
                continue
            seen_as_written = seen_as_written or as_written
            left = sum(name in names for name, _ in self.written[variant.name].left)
            yield layer_subject(replace(named, as_written=as_written, left=left), layer.written_as(variant))
        if not seen_as_written:
            own = layer.variant.name
            name = AS_WRITTEN if own in [variant.name for variant in self.variants] else own
            yield layer_subject(replace(row, name=name, as_written=True), layer)

    def whole_group(self, grid: Sequence[Conditions]) -> Group:
        """The whole in each form, under each of the conditions."""
        entries = (self._whole(name, form, conditions) for conditions in grid for name, form in self.forms.items())
        return Group(title=self.network.name, entries=tuple(entries))

    @cached_property
    def forms(self) -> dict[str, Written]:
        """The network in each variant that changes it, and once as written: by the first variant that leaves it so."""
        mine = _stages(self.network)
        forms = {name: form for name, form in self.written.items() if _stages(form.network) != mine}
        found = Written(network=self.network, module=self.own.module) if self.own else _built(self.network)
        unchanged = [variant for variant in self.variants if variant.name not in forms]
        rewritten = ((at.name, self.network.written_as(at, only=self.only, keep=self.keep)) for at in unchanged)
        forms[next((name for name, network in rewritten if _stages(network) == mine), AS_WRITTEN)] = found
        return {name: forms[name] for name in (*self.written, AS_WRITTEN) if name in forms}

    @cached_property
    def written(self) -> dict[str, Written]:
        """The network in each variant, by its name."""
        rewrite = partial(self.network.written_as, only=self.only, keep=self.keep)
        written = self.own.written if self.own else lambda variant: _built(rewrite(variant))
        return {variant.name: written(variant) for variant in self.variants}

    def notes(self) -> Iterator[str]:
        """Sentences on the inputs, the form as written, the layers that stay, and the variants that change nothing."""
        if self.own is not None and any(given.shape[0] != 1 for given in self.own.inputs):
            yield f"At batch 1 a call reads {', '.join(map(str, self.own.inputs))}"
        for name, form in self.forms.items():
            if form.network is self.network and name != AS_WRITTEN:
                yield f"{self.network.name} is written as {name}"
        for name, form in self.written.items():
            for reason in dict.fromkeys(reason for _, reason in form.left):
                left = first_few([layer for layer, why in form.left if why == reason])
                yield f"the whole as {name} leaves {left} as written: {reason}"
        for variant in self.variants:
            if variant.name not in self.forms and not self.written[variant.name].left:
                yield f"{variant.name} changes no layer, so the whole is not timed as such"

    def _whole(self, name: str, form: Written, conditions: Conditions) -> Subject:
        network, cost = form.network, form.network.cost
        work, as_written = tuple(_work(network, conditions)), network is self.network
        row = Timed(group=WHOLE, name=name, conditions=conditions, params=cost.params, work=work, as_written=as_written)
        example = Input(shape=(1, *(network.input or network.layers[0].input).shape))
        # A user's model may return anything; the network that was read from it does not say what.
        shape = network.layers[-1].output.shape if self.own is None else None
        return Subject(
            row=row,
            inputs=(example,) if self.own is None else self.own.inputs,
            predicted=Counted(params=cost.params, shape=shape, flops=2 * cost.macs),
            module=form.module,
        )


def _stages(network: Network) -> tuple[Stages, ...]:
    """The stages of all convolutions: they tell one form of a network from another."""
    return tuple(layer.stages for layer in network.layers if isinstance(layer, Convolution))


def _work(network: Network, conditions: Conditions) -> Iterator[Work]:
    """The work of a network: of every stage, and of products, whose traffic is unknown."""
    for layer in network.layers:
        if isinstance(layer, Convolution):
            yield from layer_work(layer, conditions)
        elif layer.cost.macs:
            yield Work(name=layer.type, macs=layer.cost.macs * conditions.batch, traffic_bytes=None)


def _built(network: Network) -> Written:
    """``network`` with a module that is built once, so that all conditions of a grid share its weights."""

    @cache
    def module() -> Any:
        from sepcalc.builders.torch_network import build_network

        return build_network(network)

    return Written(network=network, module=module)
