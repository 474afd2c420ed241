"""A 3x3 convolution from 64 to 128 channels, by sepcalc."""

import keras
from keras import layers


def standard() -> keras.Model:
    """One dense convolution: the reference.

    73,728 parameters and 231,211,008 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.Conv2D(128, 3, padding="same", use_bias=False),
        ],
        name="standard",
    )


def depthwise_separable() -> keras.Model:
    """Filter every channel on its own, then mix the channels at each position
    (Howard 2017, section 3.1).

    8,768 parameters and 27,496,448 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
            layers.Conv2D(128, 1, use_bias=False),
        ],
        name="depthwise_separable",
    )


def spatial_separable() -> keras.Model:
    """Filter along one axis at a time, through mid channels in between (Jaderberg
    2014, scheme 2).

    36,864 parameters and 115,605,504 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.Conv2D(64, (3, 1), padding="same", use_bias=False),
            layers.Conv2D(128, (1, 3), padding="same", use_bias=False),
        ],
        name="spatial_separable",
    )


def depthwise() -> keras.Model:
    """Filter every channel on its own, and mix none.

    1,152 parameters and 3,612,672 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.DepthwiseConv2D(
                3,
                padding="same",
                depth_multiplier=2,
                use_bias=False,
            ),
        ],
        name="depthwise",
    )


def depthwise_spatial() -> keras.Model:
    """Filter every channel along one axis at a time, then mix the channels (EffNet,
    Freeman 2018, section 3).

    8,576 parameters and 26,894,336 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.DepthwiseConv2D((3, 1), padding="same", use_bias=False),
            layers.DepthwiseConv2D((1, 3), padding="same", use_bias=False),
            layers.Conv2D(128, 1, use_bias=False),
        ],
        name="depthwise_spatial",
    )


def blueprint_separable() -> keras.Model:
    """Mix the channels first, then filter every new channel on its own (BSConv-U,
    Haase 2020, section 3.2).

    9,344 parameters and 29,302,784 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.Conv2D(128, 1, use_bias=False),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
        ],
        name="blueprint_separable",
    )


# grouped is left out: grouped needs a number of groups: give groups.


def bottleneck() -> keras.Model:
    """Narrow the channels, filter there, and widen again (He 2016, section 4.1).

    15,360 parameters and 48,168,960 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.Conv2D(32, 1, use_bias=False),
            layers.Conv2D(32, 3, padding="same", use_bias=False),
            layers.Conv2D(128, 1, use_bias=False),
        ],
        name="bottleneck",
    )


def inverted_bottleneck() -> keras.Model:
    """Widen the channels, filter each on its own, and narrow again (MobileNetV2,
    Sandler 2018, table 1).

    77,184 parameters and 242,049,024 multiply-adds for one input of 56x56.
    """
    return keras.Sequential(
        [
            keras.Input((56, 56, 64)),
            layers.Conv2D(384, 1, use_bias=False),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
            layers.Conv2D(128, 1, use_bias=False),
        ],
        name="inverted_bottleneck",
    )


if __name__ == "__main__":
    example = keras.random.normal((1, 56, 56, 64))
    for variant in (
        standard,
        depthwise_separable,
        spatial_separable,
        depthwise,
        depthwise_spatial,
        blueprint_separable,
        bottleneck,
        inverted_bottleneck,
    ):
        model = variant()
        print(model.name, f"{model.count_params():,}", tuple(model(example).shape))
