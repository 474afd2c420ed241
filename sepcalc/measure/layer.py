"""Times of one convolution in each of its variants and, for the roofline, of each of their stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from sepcalc.builders.prediction import Counted
from sepcalc.core.comparison import Comparison
from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution
from sepcalc.core.spec import ELEMENT_BYTES, describe
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.roofline import Work
from sepcalc.measure.run import Group, MeasurementSetup, Subject, run
from sepcalc.measure.session import Session, Timed
from sepcalc.readers.inputs import Input


def measure_layer(comparison: Comparison, setup: MeasurementSetup) -> Session:
    """Time the variants of ``comparison`` in turns, under every condition of ``setup``.

    The reference is the dense convolution. For a roofline the stages of a variant that has several are timed too.

    Raises :class:`SpecError` if the size is open, and :class:`SepcalcError` if a module differs from its counts.
    """
    if comparison.spec.size is None:
        raise SpecError("timing needs a feature map of some size; give a size")
    entries = tuple(entry for at in setup.conditions for entry in _entries(comparison, at, stages=setup.roofline))
    title = describe(comparison.spec)
    return run("layer", title, [Group(title=title, entries=entries)], setup)


def _entries(comparison: Comparison, conditions: Conditions, *, stages: bool) -> Iterator[Subject | Timed]:
    spec = replace(comparison.spec, groups=1)
    for candidate in comparison.candidates:
        name = candidate.variant.name
        row = Timed(group="", name=name, conditions=conditions, why_not=candidate.why_not)
        if candidate.why_not is not None:
            yield row
            continue
        layer = Convolution(name=name, type="conv", spec=spec)
        yield layer_subject(row, layer.written_as(candidate.variant))
        if stages and len(candidate.stages) > 1:
            for stage in candidate.stages:
                part = replace(row, name=stage.kind, role="part", of=name)
                yield layer_subject(part, Convolution(name=stage.kind, type="conv", spec=stage))


def layer_subject(row: Timed, layer: Convolution) -> Subject:
    """The subject of ``row``: ``layer`` with its norms and activations, and with weights of its own."""
    alone = replace(layer, shares=None)
    cost, conditions = alone.cost, row.conditions
    return Subject(
        row=replace(row, params=cost.params, work=tuple(layer_work(alone, conditions))),
        inputs=(Input(shape=(layer.batch, *layer.input.shape)),),
        predicted=Counted(params=cost.params, shape=layer.output.shape, flops=2 * cost.macs),
        module=partial(_module, alone),
    )


def layer_work(layer: Convolution, conditions: Conditions) -> Iterator[Work]:
    """The work of each stage of ``layer`` for the batch and in the dtype of ``conditions``."""
    batch, size = conditions.batch * layer.batch, ELEMENT_BYTES[conditions.dtype]
    return (Work.of(stage, batch=batch, element_bytes=size) for stage in layer.stages)


def _module(layer: Convolution) -> Any:
    from sepcalc.builders.torch_network import layer_module

    return layer_module(layer)
