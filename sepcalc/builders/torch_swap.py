"""The user's own module with a variant in place of its convolutions.

Layers of an imported network are named by the paths of their modules. In a copy of the model a variant's stages replace
each convolution that is a module. Their weights are random: they are for timing, and the outputs mean nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from sepcalc.builders.torch_stages import build_stages
from sepcalc.core.errors import MissingExtraError
from sepcalc.core.network import Convolution, Network
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import Variant

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
      (1): Conv2d(3, 8, kernel_size=(1, 1), stride=(1, 1))
    )
    """
    only, keep = tuple(only), tuple(keep)
    written = network.written_as(variant, only=only, keep=keep)
    copy = deepcopy(module, {id(weight): weight for weight in module.parameters()})
    modules = dict(copy.named_modules())
    stays: dict[str, str] = {}
    news: dict[nn.Module, nn.Module] = {}
    tied = _tied(network)
    for path, runs in _runs(network, written).items():
        chosen = [(old, new) for old, new in runs if new is not old]
        found = modules.get(path)
        obstacle = _TIED if path in tied else _obstacle(found, runs)
        if obstacle is not None:
            stays |= {old.name: obstacle for old, _ in chosen}
        elif chosen and found is not None:
            news[found] = _stages(found, *chosen[0])
    for parent in list(copy.modules()):
        for name, child in parent._modules.items():
            if child in news:
                setattr(parent, name, news[child])
    layers = zip(network.layers, written.layers, strict=True)
    return Swapped(
        module=copy,
        network=replace(network, layers=tuple(old if old.name in stays else new for old, new in layers)),
        left=(*network.what_if(variant, only=only, keep=keep).refused, *stays.items()),
    )


Rewrite = tuple[Convolution, Convolution]
"""A layer as it is, and as it is to be: the same value where it stays."""


def _runs(network: Network, written: Network) -> dict[str, list[Rewrite]]:
    """The convolutions of each path: a module that runs again is ``path#2``, and shares the weights of ``path``."""
    runs: dict[str, list[Rewrite]] = {}
    for old, new in zip(network.layers, written.layers, strict=True):
        if isinstance(old, Convolution) and isinstance(new, Convolution):
            runs.setdefault(_path(old.name), []).append((old, new))
    return runs


def _tied(network: Network) -> set[str]:
    """The paths of different modules with the same weights."""
    layers = [layer for layer in network.layers if isinstance(layer, Convolution) and layer.shares]
    pairs = [(_path(layer.name), _path(str(layer.shares))) for layer in layers]
    return {path for first, second in pairs for path in (first, second) if first != second}


_TIED = "it has its weights in common with another module"


def _path(name: str) -> str:
    return name.partition("#")[0]


def _obstacle(module: nn.Module | None, runs: list[Rewrite]) -> str | None:
    """The reason why the convolutions of one path cannot be swapped; None where they can, or where none is chosen."""
    first, *again = (old for old, _ in runs)
    owners = {layer.shares for layer in again}
    if isinstance(module, _CONVOLUTIONS) and type(module) not in _CONVOLUTIONS:
        return f"its module is a {type(module).__name__}, which may do more than a convolution"
    if not isinstance(module, _CONVOLUTIONS) or owners - {first.name}:
        return "it is no module of its own, so that nothing can take its place"
    if module.padding_mode != "zeros":
        return f"its padding is {module.padding_mode}, and a variant pads with zeros"
    if not _is_described(module, first.spec) or {name for name, _ in module.named_parameters()} - {"weight", "bias"}:
        return "its module computes more than the layer"
    if len({new is old for old, new in runs}) > 1:
        return "its module runs more than once, and not every run was chosen"
    return None


_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def _is_described(module: Any, spec: ConvSpec) -> bool:
    """Whether ``module`` is the convolution ``spec``, without padding beyond it."""
    theirs = (module.in_channels, module.out_channels, module.kernel_size, module.stride, module.dilation)
    mine = (spec.c_in, spec.c_out, spec.kernel, spec.stride, spec.dilation)
    spreads = [d * (k - 1) for k, d in zip(spec.kernel, spec.dilation, strict=True)]
    words = {"valid": (0,) * len(spreads), "same": tuple(spread / 2 for spread in spreads)}
    return mine == theirs and spec.padding == words.get(module.padding, module.padding)


def _stages(module: Any, old: Convolution, new: Convolution) -> nn.Module:
    """The stages of ``new`` on the device of ``module`` and of its type; the module itself where nothing changes."""
    if new.stages == old.stages:
        return module  # type: ignore[no-any-return]
    weight = module.weight
    stages = build_stages(new.stages, device=str(weight.device)).to(weight.dtype)
    return stages.requires_grad_(weight.requires_grad).train(module.training)
