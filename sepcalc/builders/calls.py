"""A stage as the constructor calls that make it, in PyTorch and in Keras.

Calls are data. Printed code writes them down and built modules carry them out, so both are the same. A list of calls
has exactly the stage's parameters, output size and multiply-adds; only padding and cropping stand around the
convolution.

``padding="same"`` fixes the output's size, ceil(size / stride); frameworks place the zeros differently at stride > 1.
PyTorch calls pad d·(k - 1) around the input, the smaller half first, as PyTorch models do; a transposed one is the
adjoint of the forward one. Keras calls say ``"same"``. Neither changes a count.
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
    spreads = _spreads(stage)
    halves = tuple(spread // 2 for spread in spreads)
    if all(spread % 2 == 0 or end for spread, end in zip(spreads, _spare_ends(stage), strict=True)):
        return (_torch_conv(stage, padding=halves),)
    pad = _torch_zero_pad([(half, spread - half) for half, spread in zip(halves, spreads, strict=True)])
    return pad, _torch_conv(stage)


def _spare_ends(stage: ConvSpec) -> list[bool]:
    """Whether the stride steps over the last padded position of each axis; not where the size is open."""
    return [(n - 1) % s > 0 for n, s in zip(stage.size or (1,) * len(stage.stride), stage.stride, strict=True)]


def _torch_transposed(stage: ConvSpec) -> Calls:
    if stage.padding != "same":
        return (_torch_conv(stage, padding=stage.padding, output_padding=stage.output_padding),)
    # The adjoint of the forward convolution: what that pads, this takes off.
    spreads = _spreads(stage)
    padding = tuple(spread // 2 for spread in spreads)
    ends = tuple(s - 1 - spread % 2 for s, spread in zip(stage.stride, spreads, strict=True))
    conv = _torch_conv(stage, padding=padding, output_padding=tuple(max(end, 0) for end in ends))
    return (conv, _torch_zero_pad([(0, min(end, 0)) for end in ends])) if min(ends) < 0 else (conv,)


def _torch_conv(stage: ConvSpec, *, padding: Axes = (0,), output_padding: Axes = (0,)) -> Call:
    return Call(
        name=f"Conv{'Transpose' * stage.transposed}{len(stage.kernel)}d",
        args=(stage.c_in, stage.c_out, _short(stage.kernel)),
        kwargs=_brief(
            {
                "stride": stage.stride,
                "padding": padding,
                "output_padding": output_padding,
                "dilation": stage.dilation,
                "groups": stage.groups,
                "bias": stage.bias != "none",
            },
            _TORCH_DEFAULTS,
        ),
    )


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
    conv = _keras_depthwise(stage) if _is_keras_depthwise(stage) else _keras_conv(stage, groups=stage.groups)
    if stage.padding == "same" or not any(stage.padding):
        return (conv,)
    return _keras_resize("ZeroPadding", [(p, p) for p in stage.padding]), conv


def _is_keras_depthwise(stage: ConvSpec) -> bool:
    """Whether Keras has a depthwise layer for ``stage``: it has none for volumes, and TensorFlow's needs one stride."""
    return 1 < stage.groups == stage.c_in and len(stage.kernel) < 3 and len(set(stage.stride)) == 1


def _keras_depthwise(stage: ConvSpec) -> Call:
    kwargs = _keras_kwargs(stage, depth_multiplier=stage.c_out // stage.c_in)
    return Call(name=f"DepthwiseConv{len(stage.kernel)}D", args=(_short(stage.kernel),), kwargs=kwargs)


def _keras_conv(stage: ConvSpec, **own: Value) -> Call:
    name = f"Conv{len(stage.kernel)}D{'Transpose' * stage.transposed}"
    return Call(name=name, args=(stage.c_out, _short(stage.kernel)), kwargs=_keras_kwargs(stage, **own))


def _keras_kwargs(stage: ConvSpec, **own: Value) -> dict[str, Value]:
    return _brief(
        {
            "strides": stage.stride,
            "padding": "same" if stage.padding == "same" and any(_spreads(stage)) else "valid",
            "dilation_rate": stage.dilation,
            **own,
            "use_bias": stage.bias != "none",
        },
        _KERAS_DEFAULTS,
    )


def _keras_transposed(stage: ConvSpec) -> Calls:
    if stage.groups > 1:
        raise SpecError(f"Keras has no transposed layer with groups {stage.groups}; use torch")
    if stage.padding == "same":
        return (_keras_conv(stage),)
    each = list(zip(stage.padding, stage.output_padding, strict=True))
    added = tuple(max(extra - p, 0) for p, extra in each)
    for extra, s in zip(added, stage.stride, strict=True):
        if extra >= s:
            raise SpecError(f"Keras has no output_padding {extra} at stride {s}; use torch")
    # Left to itself, Keras pads the output of a kernel that is shorter than its stride.
    default = tuple(max(s - spread - 1, 0) for s, spread in zip(stage.stride, _spreads(stage), strict=True))
    conv = _keras_conv(stage) if added == default else _keras_conv(stage, output_padding=added)
    crops = [(p, max(p - extra, 0)) for p, extra in each]
    return (conv, _keras_resize("Cropping", crops)) if any(map(any, crops)) else (conv,)


def _keras_resize(name: str, ends: list[tuple[int, int]]) -> Call:
    """A ``ZeroPadding`` or ``Cropping`` layer that adds or takes off that much at both ends of each axis."""
    widths: Value = tuple(ends) if len(ends) > 1 else ends[0]
    if all(first == last for first, last in ends):
        widths = _short(tuple(first for first, _ in ends))
    return Call(name=f"{name}{len(ends)}D", args=(widths,))


def _linear(stage: ConvSpec, name: str, args: Axes, bias: str) -> Call:
    if stage.groups > 1:
        raise SpecError(f"a linear layer cannot have groups {stage.groups}; use a convolution with k 1")
    return Call(name=name, args=args, kwargs=_brief({bias: stage.bias != "none"}, {bias: True}))


def _spreads(stage: ConvSpec) -> Axes:
    """How many positions the window reaches beyond its first one, on each axis."""
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
    "strides": 1,
    "padding": "valid",
    "dilation_rate": 1,
    "groups": 1,
    "depth_multiplier": 1,
    "use_bias": True,
}


def _brief(settings: dict[str, Value], defaults: dict[str, Value]) -> dict[str, Value]:
    """The settings that a reader has to see."""
    short = {key: _short(value) for key, value in settings.items()}
    return {key: value for key, value in short.items() if value != defaults.get(key)}


def _short(value: Value) -> Value:
    """One number for all axes where they are alike."""
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


CALLS: Mapping[Framework, Callable[[ConvSpec], Calls]] = {"torch": torch_calls, "keras": keras_calls}
"""How a stage is made in each framework."""
