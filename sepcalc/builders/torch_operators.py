"""PyTorch modules for the words of a network file that ``torch.nn`` has no class for.

Shapes are PyTorch's: examples, channels, and one dimension for each axis; behind a vector there are two dimensions.
"""

from __future__ import annotations

from functools import partial, reduce
from math import gcd, inf, prod
from operator import mul

from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.layers import NormKind
from sepcalc.core.spec import Axes, Padding

try:
    import torch
    from torch import nn
except ImportError as missing:
    raise MissingExtraError("torch", "building PyTorch modules") from missing

GROUPS = 32
"""Groups of a group norm, which network files leave open: the paper's number (Wu 2018, section 4.1)."""


def norm(kind: NormKind, shape: Axes, *, affine: bool) -> nn.Module:
    """The norm of that ``kind`` over maps of ``shape``; ``affine`` says whether it learns scale and shift.

    A layer or RMS norm is over the channels at each position, as in ConvNeXt (Liu 2022, section 2.6); a group norm has
    :data:`GROUPS` groups or as many as divide the channels.

    Raises :class:`SpecError` for an instance or group norm over one number, which PyTorch refuses.

    >>> norm("group", (48, 7, 7), affine=True).num_groups
    16
    """
    channels, *size = shape
    if prod(size) == 1 and (kind == "instance" or (kind == "group" and GROUPS % channels == 0)):
        a = "an" if kind == "instance" else "a"
        raise SpecError(
            f"{a} {kind} norm of {channels} channels at one position has one number each; put it before the pooling"
        )
    match kind:
        case "none":
            return nn.Identity()
        case "batch" | "instance":
            return getattr(nn, f"{kind.title()}Norm{len(size) or 1}d")(channels, affine=affine)  # type: ignore[no-any-return]
        case "group":
            return nn.GroupNorm(gcd(GROUPS, channels), channels, affine=affine)
        case "layer":
            return PerPosition(nn.LayerNorm(channels, elementwise_affine=affine))
        case "rms":
            return PerPosition(nn.RMSNorm(channels, elementwise_affine=affine))


def pool(word: str, kernel: Axes, stride: Axes, padding: Padding, *, ceil: bool) -> nn.Module:
    """``Max`` or ``Avg`` pooling with a window; padding for maxima is below every number.

    >>> pool("Max", (3, 3), (2, 2), "same", ceil=False)
    MaxPool2d(kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), dilation=1, ceil_mode=False)
    """
    window = partial(getattr(nn, f"{word}Pool{len(kernel)}d"), kernel, stride, ceil_mode=ceil)
    if padding != "same":
        return window(padding)  # type: ignore[no-any-return]
    spreads = [k - 1 for k in kernel]
    if not any(spread % 2 for spread in spreads):
        return window(tuple(spread // 2 for spread in spreads))  # type: ignore[no-any-return]
    return nn.Sequential(_outside(spreads, -inf if word == "Max" else 0.0), window())


def _outside(spreads: list[int], value: float) -> nn.Module:
    """``value`` around a map, the smaller half first, as ``same`` padding has it; PyTorch lists the last axis first."""
    ends = tuple(width for spread in reversed(spreads) for width in (spread // 2, spread - spread // 2))
    return getattr(nn, f"ConstantPad{len(spreads)}d")(ends, value)  # type: ignore[no-any-return]


class PerPosition(nn.Module):
    """Runs a module for the last dimension over the channels at each position."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(examples, channels, positions…) to (examples, the module's output channels, positions…)."""
        return self.inner(x.movedim(1, -1)).movedim(-1, 1)  # type: ignore[no-any-return]


class Repeated(nn.Module):
    """Runs a module over ``batch`` copies of its input and returns the first result."""

    def __init__(self, inner: nn.Module, batch: int) -> None:
        super().__init__()
        self.inner, self.batch = inner, batch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The module's shape for one copy."""
        return self.inner(x.repeat_interleave(self.batch, 0))[:: self.batch]  # type: ignore[no-any-return]


class Narrow(nn.Module):
    """Some of a map's channels: as many as ``channels``, from the ``first`` on."""

    def __init__(self, first: int, channels: int) -> None:
        super().__init__()
        self.first, self.channels = first, channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A view: nothing is copied."""
        return x.narrow(1, self.first, self.channels)


class Shuffle(nn.Module):
    """Channels of all groups in turn (Zhang 2018, ShuffleNet, section 3.1); PyTorch's refuses a vector."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        return x.reshape(x.shape[0], self.groups, -1, *x.shape[2:]).transpose(1, 2).flatten(1, 2)


class Scale(nn.Module):
    """A learned factor for each of ``channels``, the same at every position along the ``axes`` axes."""

    def __init__(self, channels: int, axes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.shape = (channels, *(1,) * axes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        return x * self.weight.view(self.shape)


class Unused(nn.Module):
    """Parameters that are in the model and never run."""

    def __init__(self, params: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(params))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The input, unchanged."""
        return x


class Add(nn.Module):
    """The sum of several feature maps of one shape."""

    def forward(self, first: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        """The same shape."""
        return sum(others, first)


class Multiply(nn.Module):
    """A product; a vector, or a map of one position, spreads over all positions along the ``axes`` axes."""

    def __init__(self, axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        """The shape of the largest."""
        ones = (1,) * self.axes
        return reduce(mul, (x if x.dim() == 2 + self.axes else x.reshape(*x.shape[:2], *ones) for x in maps))


class Concat(nn.Module):
    """The channels of several feature maps, one after another."""

    def forward(self, *maps: torch.Tensor) -> torch.Tensor:
        """The same positions."""
        return torch.cat(maps, 1)
