"""Small PyTorch models for tests of the import, and one of them beside torch's own counter."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from frameworks import torch as _threads  # noqa: F401 (one thread)
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sepcalc.core.network import Network
from sepcalc.readers.inputs import Request, parse_input
from sepcalc.readers.pytorch.layers import to_network
from sepcalc.readers.pytorch.model import trace
from sepcalc.readers.trace import Operation, Trace


class Imported(NamedTuple):
    """An import, and what torch says of the same model and the same run."""

    network: Network
    trace: Trace
    params: int
    flops: int

    @property
    def words(self) -> list[str]:
        """What ran, in order."""
        return [each.word for each in self.trace.operations]

    def layers(self) -> list[tuple[str, str, int, int]]:
        """Name, label, parameters and multiply-adds of each layer."""
        return [(each.name, each.label, each.cost.params, each.cost.macs) for each in self.network.layers]


def requested(source: str, *inputs: str, **arguments: object) -> Request:
    """A network that is asked for, its inputs as a user writes them."""
    return Request(source=source, inputs=tuple(map(parse_input, inputs)), arguments=arguments)


def imported(build: Callable[[], nn.Module], *inputs: str) -> Imported:
    """Import what ``build`` returns, with torch's counter around the same run."""
    models = []

    def kept() -> nn.Module:
        models.append(build())
        counter.flop_counts.clear()
        return models[-1]

    with FlopCounterMode(display=False) as counter:
        done = trace(kept, requested("test:net", *inputs))
    params = sum(each.numel() for each in models[-1].parameters())
    return Imported(to_network(done), done, params, counter.get_total_flops())


def net(build: Callable[[nn.Module], None], run: Callable[..., object]) -> Callable[[], nn.Module]:
    """A class of models: ``build`` gives them their modules, ``run`` is their forward."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            build(self)

        def forward(self, *inputs: torch.Tensor) -> object:
            return run(self, *inputs)

    return Net


def operation(build: Callable[[], nn.Module], *inputs: str) -> Operation:
    """The only operator of a model that has one."""
    (found,) = imported(build, *inputs).trace.operations
    return found
