"""PyTorch as the bench that a measurement asks for: the only file of this room that needs it."""

from __future__ import annotations

from collections.abc import Sequence

from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.network import Network
from sepcalc.core.runtime import delayed
from sepcalc.core.variants import Variant
from sepcalc.measure.loop import Call
from sepcalc.measure.machine import free_bytes
from sepcalc.measure.network import Own, Written
from sepcalc.measure.run import Bench, Subject
from sepcalc.measure.session import Timed
from sepcalc.readers.inputs import Request


def torch_bench() -> Bench:
    """The bench of this machine.

    Raises :class:`MissingExtraError` without torch.
    """
    try:
        with delayed():
            from sepcalc.measure.pytorch.calls import held
            from sepcalc.measure.pytorch.ceilings import ceilings
            from sepcalc.measure.pytorch.environment import environment
            from sepcalc.measure.pytorch.failures import reason
            from sepcalc.measure.pytorch.samplers import sampler
    except ImportError as missing:
        raise MissingExtraError("torch", "measuring") from missing
    return Bench(
        prepare=_prepare,
        held=held,
        run=sampler,
        environment=lambda conditions: environment(*conditions),
        ceilings=ceilings,
        reason=reason,
    )


def _prepare(subject: Subject) -> Call:
    from sepcalc.measure.pytorch.calls import built, check, prepare

    _check_room(subject.row)
    module, conditions = built(subject.module), subject.row.conditions
    check(subject.row.label, module, subject.inputs, subject.predicted, conditions)
    return prepare(module, subject.inputs, conditions)


def _check_room(row: Timed) -> None:
    """Raise :class:`SpecError` where the tensors of one stage need more memory than is free.

    Linux gives a program more than there is, and ends it without a word once it writes there.
    """
    free = free_bytes() if row.conditions.device == "cpu" else None
    least = max((each.traffic_bytes or 0 for each in row.work), default=0)
    if free is not None and least > free:
        has = f"{least / 1e9:,.1f} GB are needed at least, and {free / 1e9:,.1f} GB are free"
        raise SpecError(f"out of memory: {has}; give a smaller batch or size")


def own_model(request: Request, network: Network, *, only: Sequence[str] = (), keep: Sequence[str] = ()) -> Own:
    """The model that is asked for and ``network`` was read from, on real weights, and with variants swapped in.

    Raises :class:`SepcalcError` with the words of the model's own code where that fails.
    """
    from sepcalc.builders.torch_swap import swap
    from sepcalc.readers.pytorch.model import build

    model = build(request)

    def written(variant: Variant) -> Written:
        swapped = swap(model.module, network, variant, only=only, keep=keep)
        return Written(network=swapped.network, module=lambda: swapped.module, left=swapped.left)

    return Own(inputs=model.given, module=lambda: model.module, written=written)
