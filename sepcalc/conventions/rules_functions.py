"""The tables of counters that replace PyTorch's functions by name.

They see every call by that name, from a module's forward or the user's code, and no other: ``+`` is not ``torch.add``.
Facts of the named releases, read from their sources.
"""

from __future__ import annotations

from math import prod
from typing import Any

from sepcalc.conventions import counter_formulas as formulas
from sepcalc.conventions.counter_formulas import Event, Parts, norm, part, per_input, twice
from sepcalc.conventions.rules_modules import recurrent_flops

_AXES = (1, 2, 3)
_CONVS = tuple(f"F.conv{axes}d" for axes in _AXES)
_TRANSPOSED = tuple(f"F.conv_transpose{axes}d" for axes in _AXES)
_POOLS = tuple(f"F.{kind}_pool{axes}d" for kind in ("avg", "max", "adaptive_avg", "adaptive_max") for axes in _AXES)
_ADDMMS = ("torch.addmm", "Tensor.addmm", "torch.baddbmm")
_ELEMENTWISE = ("torch.mul", "Tensor.mul", "torch.add", "Tensor.add")
_MATMULS = ("torch.matmul", "Tensor.matmul", "torch.mm", "Tensor.mm", "torch.bmm", "Tensor.bmm")
_ACTIVATIONS = ("F.relu", "F.prelu", "F.elu", "F.relu6", "F.silu", "F.gelu")


def _positions(event: Event, *, same: bool = False) -> int:
    """The batch times the output's positions by an ordinary convolution's formula; ``same`` sets the padding.

    An even window with ``padding="same"`` is one position short, since half of its padding is rounded down.
    """
    positions = event.x[0]
    for axis, length in enumerate(event.x[2:]):
        pad, step, gap = (_entry(event, key, axis) for key in ("padding", "stride", "dilation"))
        reach = gap * (event.w[2 + axis] - 1)
        positions *= (length + 2 * (reach // 2 if same else pad) - reach - 1) // step + 1
    return positions


def _entry(event: Event, key: str, axis: int) -> int:
    value = event.config.get(key, 0 if key == "padding" else 1)
    entry = value[axis if len(value) > 1 else 0] if isinstance(value, tuple | list) else value
    return entry if isinstance(entry, int) else 0


def _same_as_floor(event: Event) -> int:
    same = event.config.get("padding_word") == "same"
    return _positions(event, same=True) if same else event.x[0] * prod(event.y[2:])


_CONVOLUTION = part("products", "weights · positions", lambda event: _same_as_floor(event) * prod(event.w))
_CONVOLUTION_BIAS = part(
    "bias", "output where there is a bias", lambda event: _same_as_floor(event) * event.w[0] * event.flag("bias")
)


def _transposed_twice_grouped(event: Event) -> int:
    filters = event.w[1] // event.number("groups", 1)
    return prod(event.x) * filters * prod(event.w[2:])


def _transposed_bias(event: Event) -> int:
    return event.w[1] * _positions(event) if event.flag("bias") else 0


_CALFLOPS_TRANSPOSED = part("products", "input · (c_out/groups)/groups · window", _transposed_twice_grouped)
_CALFLOPS_TRANSPOSED_BIAS = part(
    "bias", "c_out/groups · positions by an ordinary convolution's formula", _transposed_bias
)


def _size(event: Event, axes: int = 1) -> int:
    """The positions that were asked for, one number standing for so many axes; 0 where a factor was given."""
    size = event.config.get("size")
    if isinstance(size, tuple | list):
        return prod(size)
    return int(size**axes) if isinstance(size, int) else 0


def _scaled(event: Event) -> int:
    """The input times the factor that was asked for; its fraction is kept until the end."""
    factor: Any = event.config.get("scale_factor") or 1
    positions = prod(factor) if isinstance(factor, tuple | list) else float(factor) ** (len(event.x) - 2)
    return int(prod(event.x) * float(positions))


def _resized(event: Event) -> int:
    return prod(event.x[:2]) * _size(event, len(event.x) - 2) or _scaled(event)


def _padded_channels(event: Event) -> int:
    """``local_response_norm`` pads the channels by the window, averages them, and multiplies and adds three times."""
    return 3 * prod(event.x) + prod(event.x) // event.x[1] * (event.x[1] + event.number("size") - 1)


_UNARY = {
    "F.local_response_norm": part("norm", "4 · input, the channels of one padded by the window", _padded_channels),
    **dict.fromkeys((*_ACTIVATIONS, "F.leaky_relu", "F.softmax"), per_input("activation")),
    **dict.fromkeys(_POOLS, per_input("pooling")),
    "F.batch_norm": formulas.batch_norm,
    **dict.fromkeys(("F.layer_norm", "F.instance_norm", "F.group_norm"), norm(5, 4)),
}


def _both(formula: Parts) -> dict[str, Parts]:
    """``F.upsample`` calls ``F.interpolate``: both names are replaced, so both are counted."""
    return {"F.interpolate": formula, "F.upsample": formula + formula}


CALFLOPS: dict[str, Parts] = {
    "F.linear": twice(formulas.linear),
    **dict.fromkeys(_CONVS, twice(_CONVOLUTION) + _CONVOLUTION_BIAS),
    **dict.fromkeys(_TRANSPOSED, twice(_CALFLOPS_TRANSPOSED) + _CALFLOPS_TRANSPOSED_BIAS),
    **_UNARY,
    **_both(part("upsampling", "size asked for, or the input", lambda event: _size(event) or prod(event.x))),
    **dict.fromkeys(("torch.matmul", "Tensor.matmul"), twice(formulas.matmul_by_first)),
    **dict.fromkeys(_ADDMMS, twice(formulas.addmm) + part("bias", "first input", lambda event: prod(event.x))),
    **dict.fromkeys(_ELEMENTWISE, formulas.elementwise_from_left),
    "torch.einsum": part("products", "what NumPy prints, to four figures", formulas.einsum_cost),
    **recurrent_flops,
}
"""calflops, its FLOPs."""

CALFLOPS_MACS: dict[str, Parts] = {
    "F.linear": formulas.linear,
    **dict.fromkeys(_CONVS, _CONVOLUTION),
    **dict.fromkeys(_TRANSPOSED, _CALFLOPS_TRANSPOSED),
    **dict.fromkeys(("torch.matmul", "Tensor.matmul"), formulas.matmul_by_first),
    **dict.fromkeys(_ADDMMS, formulas.addmm),
}
"""calflops, its MACs: an einsum and an RNN have none."""

DEEPSPEED: dict[str, Parts] = {
    **CALFLOPS,
    **dict.fromkeys(_TRANSPOSED, twice(formulas.convolution) + formulas.bias),
    **_both(part("upsampling", "size asked for, or input · factor", lambda event: _size(event) or _scaled(event))),
    **dict.fromkeys(("Tensor.__matmul__", *_MATMULS), twice(formulas.matmul_by_first)),
    **dict.fromkeys(_ELEMENTWISE, formulas.elementwise),
    "F.scaled_dot_product_attention": twice(formulas.attention),
}
"""DeepSpeed's profiler, its FLOPs: calflops began as a copy of it, and it has mended some of the same faults since."""

DEEPSPEED_MACS: dict[str, Parts] = {
    **CALFLOPS_MACS,
    **dict.fromkeys(_TRANSPOSED, formulas.convolution),
    **dict.fromkeys(("Tensor.__matmul__", *_MATMULS), formulas.matmul_by_first),
    "F.scaled_dot_product_attention": formulas.attention,
}
"""DeepSpeed's profiler, its MACs."""


_PTFLOPS_ADDMM = formulas.addmm + part(
    "bias", "first input unless beta is 0", lambda event: prod(event.x) if event.config.get("beta", 1) != 0 else 0
)

PTFLOPS_FUNCTIONS: dict[str, Parts] = {
    **dict.fromkeys((*_ACTIVATIONS, "F.softmax"), per_input("activation")),
    **dict.fromkeys(_POOLS, per_input("pooling")),
    **_both(part("upsampling", "result", _resized)),
    "F.local_response_norm": _UNARY["F.local_response_norm"],
    **dict.fromkeys(_MATMULS, formulas.matmul_by_first),
    **dict.fromkeys(_ADDMMS, _PTFLOPS_ADDMM),
    **dict.fromkeys(_ELEMENTWISE, formulas.elementwise_from_left),
}
"""ptflops, ``backend="pytorch"``: the functions beside the modules."""
