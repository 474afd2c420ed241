"""The predicted and the measured counts of a chain of stages: parameters, output shape and FLOPs."""

from __future__ import annotations

from dataclasses import dataclass

from sepcalc.core.variants import Stages


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Parameters, the output's shape without the batch, and the FLOPs of one example.

    ``shape`` is None where there is no single shape, as for a model with several outputs; such a prediction fits any
    shape.
    """

    params: int
    shape: tuple[int, ...] | None
    flops: int

    def differences(self, found: Counted) -> str:
        """The differences of ``found`` from the prediction, as text; empty where there are none.

        >>> Counted(params=9, shape=(1, 4), flops=72).differences(Counted(params=10, shape=(1, 4), flops=72))
        'parameters 9 here, 10 in torch'
        """
        pairs = (
            ("parameters", self.params, found.params),
            ("shape", self.shape, found.shape if self.shape else None),
            ("FLOPs", self.flops, found.flops),
        )
        return "; ".join(f"{noun} {ours} here, {theirs} in torch" for noun, ours, theirs in pairs if ours != theirs)


def predicted(stages: Stages) -> Counted:
    """The counts of ``stages``: sums, and the last one's output shape. Raises :class:`SpecError` for an open size."""
    return Counted(
        params=sum(stage.params for stage in stages),
        shape=(stages[-1].c_out, *(stages[-1].out_size or ())),
        flops=2 * sum(stage.macs for stage in stages),
    )
