"""What a chain of stages is predicted to be, and what its module is: three numbers that must be the same."""

from __future__ import annotations

from dataclasses import dataclass

from sepcalc.core.variants import Stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Parameters, the shape that is written without the batch, and the FLOPs of one example.

    ``shape`` is None where there is no one shape, as for a model that returns several tensors; a prediction
    without one is true of any.
    """

    params: int
    shape: tuple[int, ...] | None
    flops: int

    def differences(self, found: Counted) -> str:
        """Where ``found`` in torch is not what was predicted; empty where it is.

        >>> Counted(params=9, shape=(1, 4), flops=72).differences(Counted(params=10, shape=(1, 4), flops=72))
        'parameters 9 here, 10 in torch'
        """
        pairs = (
            ("parameters", self.params, found.params),
            ("shape", self.shape, found.shape if self.shape else None),
            ("FLOPs", self.flops, found.flops),
        )
        return "; ".join(f"{what} {ours} here, {theirs} in torch" for what, ours, theirs in pairs if ours != theirs)


def predicted(stages: Stages) -> Counted:
    """What ``stages`` say of themselves: sums, and the shape that the last one writes.

    Raises :class:`SpecError` where the size is open.
    """
    return Counted(
        params=sum(stage.params for stage in stages),
        shape=(stages[-1].c_out, *(stages[-1].out_size or ())),
        flops=2 * sum(stage.macs for stage in stages),
    )
