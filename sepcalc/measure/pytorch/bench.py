"""PyTorch as the bench of a measurement, and a user's own PyTorch model as its subject."""

from __future__ import annotations

from collections.abc import Sequence

from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.network import Network
from sepcalc.core.runtime import delayed
from sepcalc.core.variants import Variant
from sepcalc.measure.loop import Call
from sepcalc.measure.machine import free_bytes
from sepcalc.measure.network import OwnModel, Written
from sepcalc.measure.run import Bench, Subject
from sepcalc.measure.session import Timed
from sepcalc.readers.inputs import Request


def torch_bench() -> Bench:
    """The bench of this machine. Raises :class:`MissingExtraError` without torch."""
    try:
        with delayed():
            from sepcalc.measure.pytorch.calls import held
            from sepcalc.measure.pytorch.ceilings import ceilings
            from sepcalc.measure.pytorch.devices import sampler
            from sepcalc.measure.pytorch.environment import environment
            from sepcalc.measure.pytorch.failures import reason
    except ImportError as missing:
        raise MissingExtraError("torch", "measuring") from missing
    return Bench(
        prepare=_prepare, held=held, sampler=sampler, environment=environment, ceilings=ceilings, reason=reason
    )


def _prepare(subject: Subject) -> Call:
    from sepcalc.measure.pytorch.calls import built, check, prepare

    _check_room(subject.row)
    module, conditions = built(subject.module), subject.row.conditions
    check(subject.row.label, module, subject.inputs, subject.predicted, conditions)
    return prepare(module, subject.inputs, conditions)


def _check_room(row: Timed) -> None:
    """Raise :class:`SpecError` where the tensors of one stage need more memory than is free.

    Linux grants a program more memory than there is, and kills it without a message once it writes to it.
    """
    free = free_bytes() if row.conditions.device == "cpu" else None
    least = max((stage.traffic_bytes or 0 for stage in row.work), default=0)
    if free is not None and least > free:
        has = f"{least / 1e9:,.1f} GB are needed at least, and {free / 1e9:,.1f} GB are free"
        raise SpecError(f"out of memory: {has}; give a smaller batch or size")


def own_model(request: Request, network: Network, *, only: Sequence[str] = (), keep: Sequence[str] = ()) -> OwnModel:
    """The requested model, from which ``network`` was read, as it is and in each variant, with real weights.

    Raises :class:`SepcalcError` with the message of the model's own code where that fails.
    """
    from sepcalc.builders.torch_swap import swap
    from sepcalc.readers.pytorch.model import build

    model = build(request)

    def written(variant: Variant) -> Written:
        swapped = swap(model.module, network, variant, only=only, keep=keep)
        return Written(network=swapped.network, module=lambda: swapped.module, left=swapped.left)

    return OwnModel(inputs=model.given, module=lambda: model.module, written=written)
