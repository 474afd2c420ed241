"""PyTorch as the bench that a measurement asks for: the only file of this room that needs it."""

from __future__ import annotations

from sepcalc.measure import Call
from sepcalc.timing_run import Bench, Subject


def torch_bench() -> Bench:
    """The bench of this machine.

    Raises :class:`MissingExtraError` without torch.
    """
    from sepcalc.torch_ceilings import ceilings
    from sepcalc.torch_environment import environment
    from sepcalc.torch_failures import reason
    from sepcalc.torch_samplers import sampler
    from sepcalc.torch_timing import held

    return Bench(
        prepare=_prepare,
        held=held,
        run=sampler,
        environment=lambda conditions: environment(*conditions),
        ceilings=ceilings,
        reason=reason,
    )


def _prepare(subject: Subject) -> Call:
    from sepcalc.torch_timing import check, prepare

    module, conditions = subject.module(), subject.row.conditions
    check(subject.row.label, module, subject.inputs, subject.predicted, conditions)
    return prepare(module, subject.inputs, conditions)
