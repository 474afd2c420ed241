"""The user's own module with a variant in place of its convolutions.

Layers of an imported network are named by the paths of their modules. In a copy of the model a variant's stages replace
each convolution that is a module. Their weights are random: they are for timing, and the outputs mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from sepcalc.builders.torch_network import layer_module
from sepcalc.core.errors import MissingExtraError
from sepcalc.core.layers import Convolution, Layer
from sepcalc.core.network import Network
from sepcalc.core.recognition import Unit, rewrite
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import Variant, get

try:
    from torch import nn
except ImportError as missing:
    raise MissingExtraError("torch", "building PyTorch modules") from missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """A model in another form: its ``module``, and the ``network`` that describes it.

    ``left`` holds the name and the reason of each chosen layer that stays as it is.
    """

    module: nn.Module
    network: Network
    left: tuple[tuple[str, str], ...]


def swap(
    module: nn.Module,
    network: Network,
    variant: Variant | str,
    *,
    only: Iterable[str] = (),
    keep: Iterable[str] = (),
) -> Swapped:
    """A copy of ``module`` with ``variant`` in the layers that :meth:`Network.what_if` converts.

    ``network`` is ``module`` as imported. Kept weights are shared with ``module``, so a large model is in memory once.
    New weights are random, on the device and of the type and mode of the old ones. A convolution computed by a
    function, or within a larger module, stays.

    >>> from sepcalc.readers.pytorch.layers import to_network
    >>> from sepcalc.readers.inputs import Input, Request
    >>> from sepcalc.readers.pytorch.model import trace
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
    >>> request = Request(source="model", inputs=(Input(shape=(1, 3, 9, 9)),))
    >>> network = to_network(trace(model, request))
    >>> swap(model, network, "depthwise-separable").module[0]
    Sequential(
      (0): Conv2d(3, 3, kernel_size=(3, 3), stride=(1, 1), groups=3)
      (1): ReLU(inplace=True)
      (2): Conv2d(3, 8, kernel_size=(1, 1), stride=(1, 1))
    )
    """
    copy = deepcopy(module, {id(weight): weight for weight in module.parameters()})
    modules = dict(copy.named_modules())
    refused, changes = [], []
    for unit, cost, reason in network.rewrites(get(variant), only=only, keep=keep):
        new = unit.layer if cost is None else unit.layer.written_as(get(variant))
        if reason is not None:
            refused.append((unit.layer.name, reason))
        elif new.stages != unit.layer.stages:
            changes.append((unit, new))
    search = _Obstacles(network, modules, {name for unit, _ in changes for name in unit.names})
    stays = {unit.layer.name: obstacle for unit, _ in changes if (obstacle := search.of(unit))}
    done = [(unit, new) for unit, new in changes if unit.layer.name not in stays]
    news: dict[nn.Module, nn.Module] = {}
    for unit, new in done:
        *others, last = (modules[_path(network.layers[index].name)] for index, _ in unit.parts)
        news |= {other: nn.Identity() for other in others}
        news.setdefault(last, _stages(last, new))
    for parent in list(copy.modules()):
        for name, child in parent._modules.items():
            if child in news:
                setattr(parent, name, news[child])
    return Swapped(
        module=copy,
        network=replace(network, **rewrite(network.layers, network.wiring, network.outputs, done)),
        left=(*refused, *stays.items()),
    )


class _Obstacles:
    """The reasons why units cannot be swapped, if the layers called ``changed`` are rewritten."""

    def __init__(self, network: Network, modules: Mapping[str, nn.Module], changed: set[str]) -> None:
        self.network, self.modules, self.changed = network, modules, changed
        self.tied = _tied(network)
        self.runs: dict[str, list[Layer]] = {}
        for layer in network.layers:
            self.runs.setdefault(_path(layer.name), []).append(layer)

    def of(self, unit: Unit) -> str | None:
        """The reason; None where the unit can be swapped."""
        for index, _ in unit.parts:
            path = _path(self.network.layers[index].name)
            runs = self.runs[path]
            if isinstance(self.network.layers[index], Convolution):
                convolutions = [layer for layer in runs if isinstance(layer, Convolution)]
                obstacle = _TIED if path in self.tied else self._of_module(self.modules.get(path), convolutions)
                if obstacle is not None:
                    return obstacle
            if len(unit.parts) > 1 and (path not in self.modules or len(runs) > 1):
                return f"{path}, a part of it, is no module of its own that runs once"
        return None

    def _of_module(self, module: nn.Module | None, runs: list[Convolution]) -> str | None:
        first, *again = runs
        owners = {layer.shares for layer in again}
        if isinstance(module, _CONVOLUTIONS) and type(module) not in _CONVOLUTIONS:
            return f"its module is a {type(module).__name__}, which may do more than a convolution"
        if not isinstance(module, _CONVOLUTIONS) or owners - {first.name}:
            return "it is no module of its own, so that nothing can take its place"
        if module.padding_mode != "zeros":
            return f"its padding is {module.padding_mode}, and a variant pads with zeros"
        own = {name for name, _ in module.named_parameters()}
        if not _is_described(module, first.spec) or own - {"weight", "bias"}:
            return "its module computes more than the layer"
        if len({layer.name in self.changed for layer in runs}) > 1:
            return "its module runs more than once, and not every run was chosen"
        return None


def _tied(network: Network) -> set[str]:
    """The paths of different modules with the same weights."""
    layers = [layer for layer in network.layers if isinstance(layer, Convolution) and layer.shares]
    pairs = [(_path(layer.name), _path(str(layer.shares))) for layer in layers]
    return {path for first, second in pairs for path in (first, second) if first != second}


_TIED = "it has its weights in common with another module"


def _path(name: str) -> str:
    return name.partition("#")[0]


_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def _is_described(module: Any, spec: ConvSpec) -> bool:
    """Whether ``module`` is the convolution ``spec``, without padding beyond it."""
    theirs = (module.in_channels, module.out_channels, module.kernel_size, module.stride, module.dilation)
    mine = (spec.c_in, spec.c_out, spec.kernel, spec.stride, spec.dilation)
    spreads = [d * (k - 1) for k, d in zip(spec.kernel, spec.dilation, strict=True)]
    words = {"valid": (0,) * len(spreads), "same": tuple(spread / 2 for spread in spreads)}
    return mine == theirs and spec.padding == words.get(module.padding, module.padding)


def _stages(module: Any, layer: Convolution) -> nn.Module:
    """The stages of ``layer`` on the device of ``module`` and of its type."""
    weight = module.weight
    stages = layer_module(layer, device=str(weight.device)).to(weight.dtype)
    return stages.requires_grad_(weight.requires_grad).train(module.training)
