"""What counters of operators count: below functions (a dispatch mode) or as a traced graph names them.

Facts of the named releases, read from their sources and held against the tools themselves in
``tests/conventions/test_oracles.py``. What is not in a table counts as nothing there.
"""

from __future__ import annotations

from math import prod

from sepcalc.conventions.formulas import (
    Event,
    Formula,
    addmm,
    addmv,
    attention,
    batch_norm,
    bias,
    bias_each_output,
    convolution,
    convolution_by_output,
    einsum_cost,
    linear,
    matmul,
    matmul_by_first,
    norm,
    per_input,
    per_output,
    term,
    twice,
)
from sepcalc.conventions.rules_recurrent import cells, unrolled

FLOP_COUNTER_MODE: dict[str, Formula] = {
    "aten.convolution": twice(convolution),
    "aten.mm": twice(matmul),
    "aten.bmm": twice(matmul),
    "aten.addmm": twice(addmm),
    "aten.baddbmm": twice(addmm),
    **dict.fromkeys(("aten.rnn", "aten.gru"), twice(unrolled[:1])),
}
"""``torch.utils.flop_counter.FlopCounterMode``: products alone, two FLOPs each. The fused attention kernels of GPUs are
in its table too, the CPU's is not: there attention is nothing."""

PTFLOPS_ATEN: dict[str, Formula] = {
    "aten.convolution": convolution + bias,
    "aten.mm": matmul,
    "aten.bmm": matmul,
    "aten.addmm": addmm + bias_each_output,
    **dict.fromkeys(("aten.rnn", "aten.gru"), unrolled),
}
"""ptflops, ``backend="aten"``."""


def _einsum_halved(event: Event) -> int:
    equation = str(event.config["equation"]).replace(" ", "")
    letters: dict[str, str] = {}
    for letter in filter(str.isalpha, equation):
        letters.setdefault(letter, chr(ord("a") + len(letters)))
    renamed = "".join(letters.get(letter, letter) for letter in equation)
    if renamed in ("abc,abd->acd", "abc,adc->adb"):
        return prod(event.inputs[0]) * event.inputs[1][-1 if renamed.startswith("abc,abd") else 1]
    return einsum_cost(event) // 2


FVCORE: dict[str, Formula] = {
    "aten::_convolution": convolution,
    "aten::linear": linear,
    "aten::addmm": addmm,
    "aten::mm": matmul_by_first,
    "aten::matmul": matmul_by_first,
    "aten::bmm": matmul_by_first,
    "aten::einsum": term("products", "half of what NumPy prints, to four figures", _einsum_halved),
    "aten::batch_norm": batch_norm,
    "aten::layer_norm": norm(5, 4),
    "aten::group_norm": norm(5, 4),
    "aten::instance_norm": norm(5, 4),
    "aten::adaptive_avg_pool2d": per_input("pooling"),
    "aten::upsample_nearest2d": per_output("upsampling"),
    "aten::upsample_bilinear2d": per_output("upsampling", 4),
    "aten::grid_sampler": per_output("upsampling", 4),
    **cells({}),
}
"""fvcore's ``FlopCountAnalysis``: a FLOP is a fused multiply-add there."""


def _lstm(event: Event) -> int:
    hidden = event.outputs[1][-1]
    directions = event.y[-1] // hidden
    layers = event.outputs[1][0] // directions
    reads = event.x[-1] + (layers - 1) * hidden * directions
    return prod(event.y[:2]) * directions * 4 * hidden * (reads + layers * hidden)


def _einsum_all(event: Event) -> int:
    equation = str(event.config["equation"])
    if "..." in equation:
        return 0
    sizes: dict[str, int] = {}
    for letters, shape in zip(equation.partition("->")[0].split(","), event.inputs, strict=True):
        sizes.update(zip(letters.replace(" ", ""), shape, strict=False))
    return prod(sizes.values())


def _sampled(event: Event) -> int:
    return prod(event.y) * {"nearest": 0, "bicubic": 16}.get(str(event.config.get("mode", "bilinear")), 4)


_SCALED = norm(1, 0)
_AVERAGED = per_output("pooling")

TORCHPROFILE: dict[str, Formula] = {
    "aten::_convolution": convolution_by_output,
    "aten::linear": linear,
    "aten::addmm": addmm,
    "aten::addmv": addmv,
    "aten::matmul": matmul,
    "aten::bmm": matmul,
    "aten::baddbmm": addmm,
    "aten::scaled_dot_product_attention": attention,
    "aten::einsum": term("products", "the lengths of all indices (nothing with '...')", _einsum_all),
    "aten::lstm": term("products", "steps · gates · (input + hidden)", _lstm),
    "aten::mul": per_output("elementwise"),
    "aten::mul_": per_output("elementwise"),
    "aten::mean": _AVERAGED,
    "aten::leaky_relu": per_output("activation"),
    "aten::local_response_norm": per_output("norm", 3),
    "F.multi_head_attention_forward": term("elementwise", "4 products of lengths", lambda _: 4),
    "F._in_projection_packed": term(
        "elementwise", "a product of lengths for its weights, and one for its bias", lambda event: len(event.inputs) - 1
    ),
    **cells({"gru_cell": 2, "lstm_cell": 3}),
    "aten::batch_norm": _SCALED,
    "aten::instance_norm": _SCALED,
    "aten::layer_norm": _SCALED,
    "aten::group_norm": _SCALED,
    **dict.fromkeys((f"aten::{kind}avg_pool{axes}d" for kind in ("", "adaptive_") for axes in (1, 2, 3)), _AVERAGED),
    "aten::upsample_bilinear2d": per_output("upsampling", 4),
    "aten::grid_sampler": term("upsampling", "4 · output (nearest 0, bicubic 16)", _sampled),
}
"""torchprofile's ``profile_macs``."""
