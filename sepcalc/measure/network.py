"""A network under the clock: each distinct layer in each variant, then the whole as written and in each variant.

Layers of one shape are timed once, with the norm and the activations that they have in the network. The whole is a
module built from the description, or the user's own where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from sepcalc.builders.prediction import Counted
from sepcalc.core.errors import SpecError
from sepcalc.core.network import AS_WRITTEN, Convolution, Network, chooser
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
    """A network in some form: its description, and what makes its module.

    ``left`` are the name and the reason of each chosen layer that stays as it is.
    """

    network: Network
    module: Callable[[], Any]
    left: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnModel:
    """A user's own model, from which a network was read: what it reads, its module, and that with another variant."""

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
    """Time the convertible layers of ``network`` that ``only`` and ``keep`` leave, then the whole, in each variant.

    The first of ``variants`` is the reference; the first three if there are none. What a variant cannot express stays
    as written. Where nothing says what each layer reads, as in an ONNX file, the layers are timed alone.

    Raises :class:`SpecError` where there is nothing to convert, and :class:`SepcalcError` where a module is not what
    was counted.
    """
    rewriting = _Rewriting(network=network, variants=tuple(variants) or choose(), only=only, keep=keep, own=own)
    layers = distinct(network, chooser(only, keep))
    if not layers:
        raise SpecError(f"{network.name} has no layer that could be written as another variant; choose another network")
    groups = [rewriting.layer_group(names, layer, setup.conditions) for names, layer in layers]
    notes: list[str] = []
    if own is None and not _is_wired(network):
        notes.append("The whole is not timed: nothing says what each of its layers reads")
    else:
        groups.append(rewriting.whole_group(setup.conditions))
        notes += rewriting.notes()
    return run("network", network.title, groups, setup, notes=[f"{note}." for note in notes])


def distinct(network: Network, chosen: Callable[[str], bool]) -> list[tuple[list[str], Convolution]]:
    """The convertible layers that are ``chosen``, those that are alike once, with the names of all of them.

    >>> from sepcalc.readers.yaml.reader import load
    >>> [names for names, _ in distinct(load("vgg16"), lambda name: name.startswith("conv3"))]
    [['conv3.1'], ['conv3.2', 'conv3.3']]
    """
    found: dict[Convolution, list[str]] = {}
    for layer in network.layers:
        if isinstance(layer, Convolution) and layer.convertible and chosen(layer.name):
            found.setdefault(replace(layer, name="", shares=None), []).append(layer.name)
    return [(names, layer) for layer, names in found.items()]


def _is_wired(network: Network) -> bool:
    return network.wiring is not None and all(network.wiring)


@dataclass(frozen=True, kw_only=True)  # without slots, since the forms are kept
class _Rewriting:
    """A network and the variants in which it is to be timed."""

    network: Network
    variants: tuple[Variant, ...]
    only: Sequence[str]
    keep: Sequence[str]
    own: OwnModel | None

    def layer_group(self, names: Sequence[str], layer: Convolution, conditions: Sequence[Conditions]) -> Group:
        """A layer in each form, under each of the conditions."""
        rows = (Timed(group=names[0], name="", layers=len(names), conditions=each) for each in conditions)
        entries = (entry for row in rows for entry in self._of_layer(row, names, layer))
        return Group(title=names[0], entries=tuple(entries))

    def _of_layer(self, row: Timed, names: Sequence[str], layer: Convolution) -> Iterator[Subject | Timed]:
        found = False
        for variant in self.variants:
            named = replace(row, name=variant.name)
            try:
                as_written = layer.as_variant(variant) == layer.stages and not found
            except SpecError as reason:
                yield replace(named, why_not=str(reason))
                continue
            found = found or as_written
            left = sum(name in names for name, _ in self.written[variant.name].left)
            yield layer_subject(replace(named, as_written=as_written, left=left), layer.written_as(variant))
        if not found:
            mine = layer.variant.name
            name = AS_WRITTEN if any(each.name == mine for each in self.variants) else mine
            yield layer_subject(replace(row, name=name, as_written=True), layer)

    def whole_group(self, conditions: Sequence[Conditions]) -> Group:
        """The whole in each form, under each of the conditions."""
        entries = (self._whole(form, each) for each in conditions for form in self.forms)
        return Group(title=self.network.name, entries=tuple(entries))

    @cached_property
    def forms(self) -> tuple[_Form, ...]:
        """The network in each variant, but for those that leave it as written once it is there."""
        written, mine = self.written.items(), _stages(self.network)
        found = {name: _Form(name=name, written=each) for name, each in written if _stages(each.network) != mine}
        same = next((name for name in self.written if name not in found), AS_WRITTEN)
        found[same] = _Form(name=same, written=self._as_written, as_written=True)
        return tuple(found[name] for name in (*self.written, AS_WRITTEN) if name in found)

    @cached_property
    def written(self) -> dict[str, Written]:
        """The network in each variant, by its name."""
        return {each.name: self._in_variant(each) for each in self.variants}

    def _in_variant(self, variant: Variant) -> Written:
        if self.own is not None:
            return self.own.written(variant)
        network = self.network.written_as(variant, only=self.only, keep=self.keep)
        return Written(network=network, module=_module_of(network))

    @property
    def _as_written(self) -> Written:
        module = _module_of(self.network) if self.own is None else self.own.module
        return Written(network=self.network, module=module)

    def notes(self) -> Iterator[str]:
        """What a call reads, which form is that of the file, which variants change nothing, and what they leave."""
        if self.own is not None and any(each.shape[0] != 1 for each in self.own.inputs):
            yield f"At batch 1 a call reads {', '.join(map(str, self.own.inputs))}"
        names = [each.name for each in self.forms]
        for each in self.forms:
            if each.as_written and each.name != AS_WRITTEN:
                yield f"{self.network.name} is written as {each.name}"
            for reason in dict.fromkeys(reason for _, reason in each.written.left):
                left = first_few([name for name, why in each.written.left if why == reason])
                yield f"the whole as {each.name} leaves {left} as written: {reason}"
        for variant in self.variants:
            if variant.name not in names:
                yield f"{variant.name} changes no layer, so the whole is not timed as such"

    def _whole(self, form: _Form, conditions: Conditions) -> Subject:
        network = form.written.network
        cost = network.cost
        row = Timed(
            group=WHOLE,
            name=form.name,
            conditions=conditions,
            params=cost.params,
            work=tuple(_work(network, conditions)),
            as_written=form.as_written,
        )
        # A model of one's own may return anything, and a network that was read from it says nothing of that.
        shape = network.layers[-1].output.shape if self.own is None else None
        return Subject(
            row=row,
            inputs=_inputs(network) if self.own is None else self.own.inputs,
            predicted=Counted(params=cost.params, shape=shape, flops=2 * cost.macs),
            module=form.written.module,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """The whole network as one row has it: that of a variant, or as written."""

    name: str
    written: Written
    as_written: bool = False


def _stages(network: Network) -> tuple[Stages, ...]:
    """What tells one form of a network from another."""
    return tuple(layer.stages for layer in network.layers if isinstance(layer, Convolution))


def _work(network: Network, conditions: Conditions) -> Iterator[Work]:
    """What a network has to do: every stage of it, and products by their multiply-adds alone."""
    for layer in network.layers:
        if isinstance(layer, Convolution):
            yield from layer_work(layer, conditions)
        elif layer.cost.macs:
            yield Work(name=layer.type, macs=layer.cost.macs * conditions.batch, traffic_bytes=None)


def _inputs(network: Network) -> tuple[Input, ...]:
    reads = network.input or network.layers[0].input
    return (Input(shape=(1, *reads.shape)),)


def _module_of(network: Network) -> Callable[[], Any]:
    """What makes the module of ``network``, once: under all conditions of a grid it has the same weights in memory."""

    @cache
    def module() -> Any:
        from sepcalc.builders.torch_network import build_network

        return build_network(network)

    return module
