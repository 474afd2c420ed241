"""The tables of counters of operators: of the dispatcher, or of a traced graph.

Facts of the named releases, read from their sources and held against the tools themselves in
``tests/conventions/test_oracles.py``. Any other name counts as nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from sepcalc.conventions import counter_formulas as formulas
from sepcalc.conventions.counter_formulas import Event, Part, Parts, norm, part, per_input, per_output, twice


def _cells(elementwise: Mapping[str, int]) -> dict[str, Parts]:
    """Cells of a traced graph: two linear layers, and products of numbers one by one."""
    return {
        f"aten::{name}": (
            Part(item="products", says="weights · batch", amount=_cell_products),
            *(per_output("elementwise", elementwise[name]) if name in elementwise else ()),
        )
        for name in ("rnn_tanh_cell", "rnn_relu_cell", "gru_cell", "lstm_cell")
    }


def _cell_products(event: Event) -> int:
    states = 2 if event.word == "lstm_cell" else 1
    return event.x[0] * sum(prod(shape) for shape in event.inputs[1 + states : 3 + states])


def _unrolled_products(event: Event) -> int:
    return prod(event.x[:2]) * sum(prod(shape) for shape in event.inputs[2:] if len(shape) == 2)


def _unrolled_bias(event: Event) -> int:
    biases = [shape[0] for shape in event.inputs[2:] if len(shape) == 1]
    given = event.config.get("arguments", ())
    apart = 0
    # With the batch first, the first layer's input is not contiguous, and its bias is added after the product.
    if isinstance(given, tuple) and given[-1:] == (True,) and min(event.x[:2]) > 1 and biases:
        apart = biases[0] * (2 if given[-2] is True else 1)
    return prod(event.x[:2]) * (sum(biases) - apart)


_unrolled = (
    Part(item="products", says="weights · steps", amount=_unrolled_products),
    Part(item="bias", says="biases · steps, one less in the first layer with the batch first", amount=_unrolled_bias),
)
"""An RNN or a GRU as a CPU runs it: products step by step."""

FLOP_COUNTER_MODE: dict[str, Parts] = {
    "aten.convolution": twice(formulas.convolution),
    **dict.fromkeys(("aten.mm", "aten.bmm"), twice(formulas.matmul)),
    **dict.fromkeys(("aten.addmm", "aten.baddbmm"), twice(formulas.addmm)),
    **dict.fromkeys(("aten.rnn", "aten.gru"), twice(_unrolled[:1])),
}
"""``torch.utils.flop_counter.FlopCounterMode``: products alone, two FLOPs each. The table has the fused attention
kernels of GPUs and not the CPU's: there attention counts as nothing."""

PTFLOPS_ATEN: dict[str, Parts] = {
    "aten.convolution": formulas.convolution + formulas.bias,
    **dict.fromkeys(("aten.mm", "aten.bmm"), formulas.matmul),
    "aten.addmm": formulas.addmm + formulas.bias_each_output,
    **dict.fromkeys(("aten.rnn", "aten.gru"), _unrolled),
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
    return formulas.einsum_cost(event) // 2


FVCORE: dict[str, Parts] = {
    "aten::_convolution": formulas.convolution,
    "aten::linear": formulas.linear,
    "aten::addmm": formulas.addmm,
    **dict.fromkeys(("aten::mm", "aten::matmul", "aten::bmm"), formulas.matmul_by_first),
    "aten::einsum": part("products", "half of what NumPy prints, to four figures", _einsum_halved),
    "aten::batch_norm": formulas.batch_norm,
    **dict.fromkeys(("aten::layer_norm", "aten::group_norm", "aten::instance_norm"), norm(5, 4)),
    "aten::adaptive_avg_pool2d": per_input("pooling"),
    "aten::upsample_nearest2d": per_output("upsampling"),
    **dict.fromkeys(("aten::upsample_bilinear2d", "aten::grid_sampler"), per_output("upsampling", 4)),
    **_cells({}),
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


TORCHPROFILE: dict[str, Parts] = {
    "aten::_convolution": formulas.convolution_by_output,
    "aten::linear": formulas.linear,
    **dict.fromkeys(("aten::addmm", "aten::baddbmm"), formulas.addmm),
    "aten::addmv": formulas.addmv,
    **dict.fromkeys(("aten::matmul", "aten::bmm"), formulas.matmul),
    "aten::scaled_dot_product_attention": formulas.attention,
    "aten::einsum": part("products", "the lengths of all indices (nothing with '...')", _einsum_all),
    "aten::lstm": part("products", "steps · gates · (input + hidden)", _lstm),
    **dict.fromkeys(("aten::mul", "aten::mul_"), per_output("elementwise")),
    "aten::mean": per_output("pooling"),
    "aten::leaky_relu": per_output("activation"),
    "aten::local_response_norm": per_output("norm", 3),
    "F.multi_head_attention_forward": part("elementwise", "4 products of lengths", lambda _: 4),
    "F._in_projection_packed": part(
        "elementwise", "a product of lengths for its weights, and one for its bias", lambda event: len(event.inputs) - 1
    ),
    **_cells({"gru_cell": 2, "lstm_cell": 3}),
    **dict.fromkeys((f"aten::{kind}_norm" for kind in ("batch", "instance", "layer", "group")), norm(1, 0)),
    **dict.fromkeys(
        (f"aten::{kind}avg_pool{axes}d" for kind in ("", "adaptive_") for axes in (1, 2, 3)), per_output("pooling")
    ),
    "aten::upsample_bilinear2d": per_output("upsampling", 4),
    "aten::grid_sampler": part("upsampling", "4 · output (nearest 0, bicubic 16)", _sampled),
}
"""torchprofile's ``profile_macs``."""
