"""A stage as the constructor calls that make it, in PyTorch and in Keras: printed as code, or carried out.

The calls have the stage's parameters, output size and multiply-adds. ``padding="same"`` fixes the output's size,
ceil(size / stride); at stride > 1 frameworks place the zeros differently, which changes no count. Keras calls say
``"same"``. PyTorch calls pad d·(k - 1) around the input, the smaller half first; a transposed one is the adjoint of the
forward one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from sepcalc.core.errors import SpecError
from sepcalc.core.modules import Call, Value
from sepcalc.core.spec import Axes, ConvSpec, times

Framework = Literal["torch", "keras"]
Calls = tuple[Call, ...]


def torch_calls(stage: ConvSpec) -> Calls:
    """The ``torch.nn`` calls that make ``stage``.

    Raises :class:`SpecError` for a linear layer with groups.

    >>> for call in torch_calls(ConvSpec(c_in=64, c_out=128, kernel=(2, 3), stride=(2, 1))):
    ...     print(call.name, call.args, call.kwargs)
    ZeroPad2d ((1, 1, 0, 1),) {}
    Conv2d (64, 128, (2, 3)) {'stride': (2, 1), 'bias': False}
    """
    if not stage.kernel:
        return (_linear(stage, "Linear", (stage.c_in, stage.c_out), "bias"),)
    if stage.transposed:
        return _torch_transposed(stage)
    if stage.padding != "same":
        return (_torch_conv(stage, padding=stage.padding),)
    spreads, size = _spreads(stage), stage.size or (1,) * len(stage.stride)
    # An axis needs one zero more at its end, unless the stride steps over that position.
    if all(spread % 2 == 0 or (n - 1) % s for spread, n, s in zip(spreads, size, stage.stride, strict=True)):
        return (_torch_conv(stage, padding=tuple(spread // 2 for spread in spreads)),)
    return _torch_zero_pad([(spread // 2, spread - spread // 2) for spread in spreads]), _torch_conv(stage)


def _torch_transposed(stage: ConvSpec) -> Calls:
    if stage.padding != "same":
        return (_torch_conv(stage, padding=stage.padding, output_padding=stage.output_padding),)
    # The adjoint of the forward convolution takes off the positions that the forward one pads.
    spreads = _spreads(stage)
    padding = tuple(spread // 2 for spread in spreads)
    ends = tuple(s - 1 - spread % 2 for s, spread in zip(stage.stride, spreads, strict=True))
    conv = _torch_conv(stage, padding=padding, output_padding=tuple(max(end, 0) for end in ends))
    return (conv, _torch_zero_pad([(0, min(end, 0)) for end in ends])) if min(ends) < 0 else (conv,)


def _torch_conv(stage: ConvSpec, *, padding: Axes = (0,), output_padding: Axes = (0,)) -> Call:
    kwargs: dict[str, Value] = {
        "stride": stage.stride,
        "padding": padding,
        "output_padding": output_padding,
        "dilation": stage.dilation,
        "groups": stage.groups,
        "bias": stage.bias != "none",
    }
    name = f"Conv{'Transpose' * stage.transposed}{len(stage.kernel)}d"
    return Call(name=name, args=(stage.c_in, stage.c_out, _short(stage.kernel)), kwargs=_brief(kwargs, _TORCH_DEFAULTS))


def _torch_zero_pad(ends: list[tuple[int, int]]) -> Call:
    # PyTorch lists the last axis first.
    return Call(name=f"ZeroPad{len(ends)}d", args=(tuple(width for pair in reversed(ends) for width in pair),))


def keras_calls(stage: ConvSpec) -> Calls:
    """The ``keras.layers`` calls that make ``stage``, for ``channels_last`` and any backend of Keras 3.

    Raises :class:`SpecError` for what Keras cannot express: stride and dilation in one layer, groups in a
    transposed or linear one, and an output padding that its stride does not cover.

    >>> for call in keras_calls(ConvSpec(c_in=64, c_out=128, kernel=(3, 3), groups=64, padding=(1, 1))):
    ...     print(call.name, call.args, call.kwargs)
    ZeroPadding2D (1,) {}
    DepthwiseConv2D (3,) {'depth_multiplier': 2, 'use_bias': False}
    """
    if not stage.kernel:
        return (_linear(stage, "Dense", (stage.c_out,), "use_bias"),)
    if max(stage.stride) > 1 and max(stage.dilation) > 1:
        stride, dilation = (times(values) for values in (stage.stride, stage.dilation))
        raise SpecError(f"Keras has no layer with stride {stride} and dilation {dilation} at once; use torch")
    if stage.transposed:
        return _keras_transposed(stage)
    # Keras has no depthwise layer for volumes, and TensorFlow's needs one stride.
    if 1 < stage.groups == stage.c_in and len(stage.kernel) < 3 and len(set(stage.stride)) == 1:
        conv = _keras_conv(stage, "DepthwiseConv", depth_multiplier=stage.c_out // stage.c_in)
    else:
        conv = _keras_conv(stage, groups=stage.groups)
    if stage.padding == "same" or not any(stage.padding):
        return (conv,)
    return _keras_resize("ZeroPadding", [(p, p) for p in stage.padding]), conv


def _keras_conv(stage: ConvSpec, name: str = "Conv", **own: Value) -> Call:
    kwargs: dict[str, Value] = {
        "strides": stage.stride,
        "padding": "same" if stage.padding == "same" and any(_spreads(stage)) else "valid",
        "dilation_rate": stage.dilation,
        **own,
        "use_bias": stage.bias != "none",
    }
    args = (_short(stage.kernel),) if name == "DepthwiseConv" else (stage.c_out, _short(stage.kernel))
    full = f"{name}{len(stage.kernel)}D{'Transpose' * stage.transposed}"
    return Call(name=full, args=args, kwargs=_brief(kwargs, _KERAS_DEFAULTS))


def _keras_transposed(stage: ConvSpec) -> Calls:
    if stage.groups > 1:
        raise SpecError(f"Keras has no transposed layer with groups {stage.groups}; use torch")
    if stage.padding == "same":
        return (_keras_conv(stage),)
    ends = list(zip(stage.padding, stage.output_padding, strict=True))
    added = tuple(max(extra - p, 0) for p, extra in ends)
    for extra, s in zip(added, stage.stride, strict=True):
        if extra >= s:
            raise SpecError(f"Keras has no output_padding {extra} at stride {s}; use torch")
    # Left to itself, Keras pads the output of a kernel that is shorter than its stride.
    default = tuple(max(s - spread - 1, 0) for s, spread in zip(stage.stride, _spreads(stage), strict=True))
    conv = _keras_conv(stage) if added == default else _keras_conv(stage, output_padding=added)
    crops = [(p, max(p - extra, 0)) for p, extra in ends]
    return (conv, _keras_resize("Cropping", crops)) if any(map(any, crops)) else (conv,)


def _keras_resize(name: str, ends: list[tuple[int, int]]) -> Call:
    """A ``ZeroPadding`` or ``Cropping`` layer of these widths at both ends of each axis."""
    widths: Value = tuple(ends) if len(ends) > 1 else ends[0]
    if all(first == last for first, last in ends):
        widths = _short(tuple(first for first, _ in ends))
    return Call(name=f"{name}{len(ends)}D", args=(widths,))


def _linear(stage: ConvSpec, name: str, args: Axes, bias: str) -> Call:
    if stage.groups > 1:
        raise SpecError(f"a linear layer cannot have groups {stage.groups}; use a convolution with k 1")
    return Call(name=name, args=args, kwargs={} if stage.bias != "none" else {bias: False})


def _spreads(stage: ConvSpec) -> Axes:
    """The number of positions of the window after its first one, on each axis."""
    return tuple(d * (k - 1) for k, d in zip(stage.kernel, stage.dilation, strict=True))


_TORCH_DEFAULTS: dict[str, Value] = {
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
}
_KERAS_DEFAULTS: dict[str, Value] = {
    "use_bias": True,
    "strides": 1,
    "padding": "valid",
    "dilation_rate": 1,
    "groups": 1,
    "depth_multiplier": 1,
}


def _brief(settings: dict[str, Value], defaults: Mapping[str, Value]) -> dict[str, Value]:
    """The settings that differ from the defaults."""
    short = {key: _short(value) for key, value in settings.items()}
    return {key: value for key, value in short.items() if value != defaults.get(key)}


def _short(value: Value) -> Value:
    """One number for all axes where they are alike."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


CALLS: Mapping[Framework, Callable[[ConvSpec], Calls]] = {"torch": torch_calls, "keras": keras_calls}
"""How a stage is made in each framework."""
