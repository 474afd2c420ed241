"""The tables of counters of functions, which put their own function in the place of PyTorch's, by its name.

They see every call by that name, from a module's forward or the user's code, and none by another: ``+`` is not
``torch.add``. Facts of the named releases, read from their sources.
"""

from __future__ import annotations

from math import prod

from sepcalc.conventions.formulas import (
    Event,
    Parts,
    addmm,
    attention,
    batch_norm,
    bias,
    convolution,
    einsum_cost,
    elementwise,
    elementwise_from_left,
    linear,
    matmul_by_first,
    norm,
    part,
    per_input,
    twice,
)
from sepcalc.conventions.rules_modules import recurrent_flops

_AXES = (1, 2, 3)
_CONVS = tuple(f"F.conv{axes}d" for axes in _AXES)
_TRANSPOSED = tuple(f"F.conv_transpose{axes}d" for axes in _AXES)
_POOLS = tuple(f"F.{kind}_pool{axes}d" for kind in ("avg", "max", "adaptive_avg", "adaptive_max") for axes in _AXES)
_ADDMMS = ("torch.addmm", "Tensor.addmm", "torch.baddbmm")
_ELEMENTWISE = ("torch.mul", "Tensor.mul", "torch.add", "Tensor.add")
_PRODUCTS = ("torch.matmul", "Tensor.matmul", "torch.mm", "Tensor.mm", "torch.bmm", "Tensor.bmm")
_ACTIVATIONS = ("F.relu", "F.prelu", "F.elu", "F.relu6", "F.silu", "F.gelu")


def _without_padding(event: Event) -> tuple[int, ...]:
    """The output size by the formula of an ordinary convolution."""
    lengths = []
    for axis, length in enumerate(event.x[2:]):
        pad, step, gap = (_entry(event, key, axis) for key in ("padding", "stride", "dilation"))
        lengths.append((length + 2 * pad - gap * (event.w[2 + axis] - 1) - 1) // step + 1)
    return tuple(lengths)


def _entry(event: Event, key: str, axis: int) -> int:
    value = event.config.get(key, 0 if key == "padding" else 1)
    entry = value[axis if len(value) > 1 else 0] if isinstance(value, tuple | list) else value
    return entry if isinstance(entry, int) else 0


def _same_as_floor(event: Event) -> int:
    """An even window with ``padding="same"`` is one position short there, since half of its padding is rounded down."""
    if event.config.get("padding_word") != "same":
        return event.x[0] * prod(event.y[2:])
    sizes = []
    for axis, length in enumerate(event.x[2:]):
        reach = _entry(event, "dilation", axis) * (event.w[2 + axis] - 1)
        sizes.append(length + 2 * (reach // 2) - reach)
    return event.x[0] * prod(sizes)


_CONVOLUTION = part("products", "weights · positions", lambda event: _same_as_floor(event) * prod(event.w))
_CONVOLUTION_BIAS = part(
    "bias", "output where there is a bias", lambda event: _same_as_floor(event) * event.w[0] * event.flag("bias")
)


def _transposed_twice_grouped(event: Event) -> int:
    filters = event.w[1] // event.number("groups", 1)
    return prod(event.x) * filters * prod(event.w[2:])


def _transposed_bias(event: Event) -> int:
    return event.w[1] * event.x[0] * prod(_without_padding(event)) if event.flag("bias") else 0


_CALFLOPS_TRANSPOSED = part("products", "input · (c_out/groups)/groups · window", _transposed_twice_grouped)
_CALFLOPS_TRANSPOSED_BIAS = part(
    "bias", "c_out/groups · positions by an ordinary convolution's formula", _transposed_bias
)


def _asked_size(event: Event) -> int:
    """The size that was asked for, without channels, or the input where a factor was."""
    size = event.config.get("size")
    if isinstance(size, int):
        return size
    return prod(size) if isinstance(size, tuple | list) else prod(event.x)


def _asked_size_or_scaled(event: Event) -> int:
    return _asked_size(event) if event.config.get("size") is not None else int(prod(event.x) * _scale(event))


def _scale(event: Event) -> float:
    factor = event.config.get("scale_factor")
    if isinstance(factor, tuple | list):
        return float(prod(factor))
    return float(factor) ** (len(event.x) - 2) if isinstance(factor, int | float) else 1.0


def _resized(event: Event) -> int:
    """Batch, channels and the size that was asked for; a factor's fraction is kept until the end."""
    size = event.config.get("size")
    if size is None:
        return int(prod(event.x) * _scale(event))
    axes = len(event.x) - 2
    return prod(event.x[:2]) * (prod(size) if isinstance(size, tuple | list) else int(str(size)) ** axes)


def _padded_channels(event: Event) -> int:
    """``local_response_norm`` pads the channels by the window, averages them, and multiplies and adds three times."""
    return 3 * prod(event.x) + prod(event.x) // event.x[1] * (event.x[1] + event.number("size") - 1)


_UNARY = {
    "F.local_response_norm": part("norm", "4 · input, the channels of one padded by the window", _padded_channels),
    **dict.fromkeys((*_ACTIVATIONS, "F.leaky_relu", "F.softmax"), per_input("activation")),
    **dict.fromkeys(_POOLS, per_input("pooling")),
    "F.batch_norm": batch_norm,
    "F.layer_norm": norm(5, 4),
    "F.instance_norm": norm(5, 4),
    "F.group_norm": norm(5, 4),
}


def _both(formula: Parts) -> dict[str, Parts]:
    """``F.upsample`` calls ``F.interpolate``: both names are replaced, so both are counted."""
    return {"F.interpolate": formula, "F.upsample": formula + formula}


_ADDMM_FLOPS = twice(addmm) + part("bias", "first input", lambda event: prod(event.x))
_EINSUM = part("products", "what NumPy prints, to four figures", einsum_cost)

CALFLOPS: dict[str, Parts] = {
    "F.linear": twice(linear),
    **dict.fromkeys(_CONVS, twice(_CONVOLUTION) + _CONVOLUTION_BIAS),
    **dict.fromkeys(_TRANSPOSED, twice(_CALFLOPS_TRANSPOSED) + _CALFLOPS_TRANSPOSED_BIAS),
    **_UNARY,
    **_both(part("upsampling", "size asked for, or the input", _asked_size)),
    **dict.fromkeys(("torch.matmul", "Tensor.matmul"), twice(matmul_by_first)),
    **dict.fromkeys(_ADDMMS, _ADDMM_FLOPS),
    **dict.fromkeys(_ELEMENTWISE, elementwise_from_left),
    "torch.einsum": _EINSUM,
    **recurrent_flops,
}
"""calflops, its FLOPs."""

CALFLOPS_MACS: dict[str, Parts] = {
    "F.linear": linear,
    **dict.fromkeys(_CONVS, _CONVOLUTION),
    **dict.fromkeys(_TRANSPOSED, _CALFLOPS_TRANSPOSED),
    **dict.fromkeys(("torch.matmul", "Tensor.matmul"), matmul_by_first),
    **dict.fromkeys(_ADDMMS, addmm),
}
"""calflops, its MACs: an einsum and an RNN have none."""

_MATMULS = ("torch.matmul", "Tensor.matmul", "Tensor.__matmul__", "torch.mm", "Tensor.mm", "torch.bmm", "Tensor.bmm")

DEEPSPEED: dict[str, Parts] = {
    **CALFLOPS,
    **dict.fromkeys(_TRANSPOSED, twice(convolution) + bias),
    **_both(part("upsampling", "size asked for, or input · factor", _asked_size_or_scaled)),
    **dict.fromkeys(_MATMULS, twice(matmul_by_first)),
    **dict.fromkeys(_ELEMENTWISE, elementwise),
    "F.scaled_dot_product_attention": twice(attention),
}
"""DeepSpeed's profiler, its FLOPs: calflops began as a copy of it, and it has mended some of the same faults since."""

DEEPSPEED_MACS: dict[str, Parts] = {
    **CALFLOPS_MACS,
    **dict.fromkeys(_TRANSPOSED, convolution),
    **dict.fromkeys(_MATMULS, matmul_by_first),
    "F.scaled_dot_product_attention": attention,
}
"""DeepSpeed's profiler, its MACs."""


_PTFLOPS_ADDMM = addmm + part(
    "bias", "first input unless beta is 0", lambda event: prod(event.x) if event.config.get("beta", 1) != 0 else 0
)

PTFLOPS_FUNCTIONS: dict[str, Parts] = {
    **dict.fromkeys((*_ACTIVATIONS, "F.softmax"), per_input("activation")),
    **dict.fromkeys(_POOLS, per_input("pooling")),
    **_both(part("upsampling", "result", _resized)),
    "F.local_response_norm": _UNARY["F.local_response_norm"],
    **dict.fromkeys(_PRODUCTS, matmul_by_first),
    **dict.fromkeys(_ADDMMS, _PTFLOPS_ADDMM),
    **dict.fromkeys(_ELEMENTWISE, elementwise_from_left),
}
"""ptflops, ``backend="pytorch"``: the functions beside the modules."""
