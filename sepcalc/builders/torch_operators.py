"""The PyTorch modules of activations, norms and the other operators of a network file.

What has a class in ``torch.nn`` is that class, with its defaults. Shapes are those of PyTorch: examples, channels, and
one dimension for each axis; what follows a vector has two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import gcd, inf, prod

from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.network import FeatureMap, Operator, Product, Settings

try:
    import torch
    from torch import nn
except ImportError as missing:
    raise MissingExtraError("torch", "building PyTorch modules") from missing

GROUPS = 32
"""Groups of a group norm, which no file says: the paper's number (Wu 2018, section 4.1), or a divisor of it."""

_ACTIVATIONS: Mapping[str, Callable[..., nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "leaky_relu": nn.LeakyReLU,
    "prelu": nn.PReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
    "mish": nn.Mish,
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "softplus": nn.Softplus,
    "softmax": partial(nn.Softmax, dim=1),
    "identity": nn.Identity,
    "none": nn.Identity,
}

_IN_PLACE = ("relu", "relu6", "silu", "swish", "hardswish")
"""Activations that torchvision's models run in place."""


def activation(word: str, *, in_place: bool = False) -> nn.Module:
    """The activation called ``word``; ``in_place`` where it has what it reads to itself, and models are written so.

    >>> activation("relu6", in_place=True)
    ReLU6(inplace=True)
    """
    return _ACTIVATIONS[word](inplace=True) if in_place and word in _IN_PLACE else _ACTIVATIONS[word]()


def norm(kind: str, reads: FeatureMap, *, affine: bool) -> nn.Module:
    """The norm of that ``kind``; ``affine`` says whether it learns scale and shift.

    A layer or RMS norm is over the channels at each position, as in ConvNeXt (Liu 2022, section 2.6); a group norm has
    :data:`GROUPS` groups or as many as divide the channels.

    Raises :class:`SpecError` for an instance or group norm over one number, which PyTorch refuses.

    >>> norm("group", FeatureMap(channels=48, size=(7, 7)), affine=True).num_groups
    16
    """
    channels, axes = reads.channels, max(len(reads.size), 1)
    if prod(reads.size) == 1 and (kind == "instance" or (kind == "group" and GROUPS % channels == 0)):
        a = "an" if kind == "instance" else "a"
        raise SpecError(
            f"{a} {kind} norm of {channels} channels at one position has one number each; put it before the pooling"
        )
    match kind:
        case "batch":
            return getattr(nn, f"BatchNorm{axes}d")(channels, affine=affine)  # type: ignore[no-any-return]
        case "instance":
            return getattr(nn, f"InstanceNorm{axes}d")(channels, affine=affine)  # type: ignore[no-any-return]
        case "group":
            return nn.GroupNorm(gcd(GROUPS, channels), channels, affine=affine)
        case "layer":
            return PerPosition(nn.LayerNorm(channels, elementwise_affine=affine))
        case "rms":
            return PerPosition(nn.RMSNorm(channels, elementwise_affine=affine))
        case _:
            return nn.Identity()


class PerPosition(nn.Module):
    """A module over the last dimension, run over the channels at each position."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(examples, channels, positions…) to the same with the channels that the module writes."""
        return self.inner(x.movedim(1, -1)).movedim(-1, 1)  # type: ignore[no-any-return]


class Repeated(nn.Module):
    """A module that runs over ``batch`` feature maps for one example, of which one goes on.

    A network file says how many there are, and not where they come from: here they are copies.
    """

    def __init__(self, inner: nn.Module, batch: int) -> None:
        super().__init__()
        self.inner, self.batch = inner, batch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the module does, over copies of each example."""
        return self.inner(x.repeat_interleave(self.batch, 0))[:: self.batch]  # type: ignore[no-any-return]


class Narrow(nn.Module):
    """So many ``channels`` from the ``first`` on."""

    def __init__(self, first: int, channels: int) -> None:
        super().__init__()
        self.first, self.channels = first, channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A view: nothing is copied."""
        return x.narrow(1, self.first, self.channels)


class _Shuffle(nn.Module):
    """Channels of all groups in turn (Zhang 2018, ShuffleNet, section 3.1)."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(x.shape[0], self.groups, -1, *x.shape[2:]).transpose(1, 2).flatten(1, 2)


class _Scale(nn.Module):
    """A learned factor for each channel."""

    def __init__(self, reads: FeatureMap) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(reads.channels))
        self.shape = (reads.channels, *(1 for _ in reads.size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight.view(self.shape)


class _Unused(nn.Module):
    """Parameters that are in the model and never run."""

    def __init__(self, params: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(params))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


class _Add(nn.Module):
    def forward(self, first: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        for each in others:
            first = first + each
        return first


class _Multiply(nn.Module):
    """A product in which a vector, or a map of one position, spreads over all positions."""

    def __init__(self, axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        first, *others = (x if x.dim() == 2 + self.axes else self._spread(x) for x in maps)
        for each in others:
            first = first * each
        return first

    def _spread(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(*x.shape[:2], *(1,) * self.axes)


class _Concat(nn.Module):
    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        return torch.cat(maps, 1)


def operator(layer: Operator | Product) -> nn.Module:
    """The module of an operator of a network file; it takes as many tensors as the layer reads.

    Raises :class:`SpecError` for what is known by its name and cost alone.
    """
    if isinstance(layer, Operator) and layer.type == "unused" and layer.input == layer.output:
        return _Unused(layer.params)
    if isinstance(layer, Product) or layer.settings is None:
        raise SpecError(f"of '{layer.type}' only the name and the cost are known")
    if layer.type in _ACTIVATIONS:
        return activation(layer.type)
    if layer.type.endswith("_norm"):
        return norm(layer.type.removesuffix("_norm"), layer.input, affine=layer.params > 0)
    return _OPERATORS[layer.type](layer, layer.settings)


def _pool(word: str, layer: Operator, settings: Settings) -> nn.Module:
    axes = len(layer.output.size)
    if not settings.stride:
        return getattr(nn, f"Adaptive{word}Pool{axes}d")(layer.output.size)  # type: ignore[no-any-return]
    window = partial(getattr(nn, f"{word}Pool{axes}d"), layer.kernel, settings.stride, ceil_mode=settings.ceil)
    if settings.padding != "same":
        return window(settings.padding)  # type: ignore[no-any-return]
    spreads = [k - 1 for k in layer.kernel]
    if not any(spread % 2 for spread in spreads):
        return window(tuple(spread // 2 for spread in spreads))  # type: ignore[no-any-return]
    return nn.Sequential(_outside(spreads, -inf if word == "Max" else 0.0), window())


def _outside(spreads: list[int], value: float) -> nn.Module:
    """``value`` around a map, the smaller half first, as ``same`` padding has it; PyTorch lists the last axis first."""
    ends = tuple(width for spread in reversed(spreads) for width in (spread // 2, spread - spread // 2))
    return getattr(nn, f"ConstantPad{len(spreads)}d")(ends, value)  # type: ignore[no-any-return]


def _upsample(layer: Operator, _: Settings) -> nn.Module:
    return nn.Upsample(size=layer.output.size)


def _split(layer: Operator, settings: Settings) -> nn.Module:
    channels = layer.output.channels
    return Narrow(settings.part * channels, channels)


_OPERATORS: Mapping[str, Callable[[Operator, Settings], nn.Module]] = {
    "maxpool": partial(_pool, "Max"),
    "avgpool": partial(_pool, "Avg"),
    "flatten": lambda *_: nn.Flatten(),
    "upsample": _upsample,
    "channel_shuffle": lambda _, settings: _Shuffle(settings.groups),
    "split": _split,
    "layer_scale": lambda layer, _: _Scale(layer.input),
    "dropout": lambda _, settings: nn.Dropout(settings.p),
    "add": lambda *_: _Add(),
    "mul": lambda layer, _: _Multiply(len(layer.output.size)),
    "concat": lambda *_: _Concat(),
}
"""The operators of a network file by their words, beside activations and norms."""
