"""A 3x3 convolution from 64 to 128 channels, by sepcalc."""

import torch
from torch import nn


class Standard(nn.Sequential):
    """One dense convolution: the reference.

    73,728 parameters and 231,211,008 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 128, 3, padding=1, bias=False),
        )


class DepthwiseSeparable(nn.Sequential):
    """Filter every channel on its own, then mix the channels at each position
    (Howard 2017, section 3.1).

    8,768 parameters and 27,496,448 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),
            nn.Conv2d(64, 128, 1, bias=False),
        )


class SpatialSeparable(nn.Sequential):
    """Filter along one axis at a time, through mid channels in between (Jaderberg
    2014, scheme 2).

    36,864 parameters and 115,605,504 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 64, (3, 1), padding=(1, 0), bias=False),
            nn.Conv2d(64, 128, (1, 3), padding=(0, 1), bias=False),
        )


class Depthwise(nn.Sequential):
    """Filter every channel on its own, and mix none.

    1,152 parameters and 3,612,672 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 128, 3, padding=1, groups=64, bias=False),
        )


class DepthwiseSpatial(nn.Sequential):
    """Filter every channel along one axis at a time, then mix the channels (EffNet,
    Freeman 2018, section 3).

    8,576 parameters and 26,894,336 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 64, (3, 1), padding=(1, 0), groups=64, bias=False),
            nn.Conv2d(64, 64, (1, 3), padding=(0, 1), groups=64, bias=False),
            nn.Conv2d(64, 128, 1, bias=False),
        )


class BlueprintSeparable(nn.Sequential):
    """Mix the channels first, then filter every new channel on its own (BSConv-U,
    Haase 2020, section 3.2).

    9,344 parameters and 29,302,784 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 128, 1, bias=False),
            nn.Conv2d(128, 128, 3, padding=1, groups=128, bias=False),
        )


# grouped is left out: grouped needs a number of groups: give groups.


class Bottleneck(nn.Sequential):
    """Narrow the channels, filter there, and widen again (He 2016, section 4.1).

    15,360 parameters and 48,168,960 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 32, 1, bias=False),
            nn.Conv2d(32, 32, 3, padding=1, bias=False),
            nn.Conv2d(32, 128, 1, bias=False),
        )


class InvertedBottleneck(nn.Sequential):
    """Widen the channels, filter each on its own, and narrow again (MobileNetV2,
    Sandler 2018, table 1).

    77,184 parameters and 242,049,024 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 384, 1, bias=False),
            nn.Conv2d(384, 384, 3, padding=1, groups=384, bias=False),
            nn.Conv2d(384, 128, 1, bias=False),
        )


if __name__ == "__main__":
    example = torch.randn(1, 64, 56, 56)
    for variant in (
        Standard,
        DepthwiseSeparable,
        SpatialSeparable,
        Depthwise,
        DepthwiseSpatial,
        BlueprintSeparable,
        Bottleneck,
        InvertedBottleneck,
    ):
        module = variant()
        params = sum(weight.numel() for weight in module.parameters())
        print(variant.__name__, f"{params:,}", tuple(module(example).shape))
