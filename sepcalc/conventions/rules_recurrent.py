"""What counters say of recurrent layers: each gate's products, and their own idea of what stands beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from sepcalc.conventions.formulas import Amount, Event, Formula, Term, per_output

_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_BESIDE = {"RNN": 1, "GRU": 7, "LSTM": 10}
"""Elementwise operations for each hidden number and step, as ptflops, calflops and DeepSpeed count them."""

_BESIDE_THOP = {"RNN": 1, "GRU": 7, "LSTM": 8}
"""The same in thop."""


def _matrices(event: Event) -> int:
    """All weights of one direction: input to hidden and hidden to hidden, of every layer."""
    return sum(prod(shape) for name, shape in _forward(event) if name.startswith("weight"))


def _biases(event: Event) -> int:
    return sum(prod(shape) for name, shape in _forward(event) if name.startswith("bias"))


def _forward(event: Event) -> list[tuple[str, tuple[int, ...]]]:
    return [(name, shape) for name, shape in event.own.items() if not name.endswith("_reverse")]


def _steps(event: Event) -> int:
    """The first two lengths of the input (the first alone for a cell), twice if it runs in both directions."""
    cell = event.name.endswith("Cell")
    if event.number("proj_size"):
        raise NotImplementedError("a recurrent layer with projections")
    if len(event.inputs) > 1 and len(event.inputs[1]) == 1 and not cell:
        raise NotImplementedError("a packed sequence")
    return prod(event.x[: 1 if cell else 2]) * (2 if event.flag("bidirectional") else 1)


def _per_step(amount: Amount) -> Amount:
    return lambda event: amount(event) * _steps(event)


def _hidden(event: Event, times: int) -> int:
    return times * event.number("hidden_size") * event.number("num_layers", 1)


def _formula(kind: str, per_weight: int, beside: int, *, less_gates: int = 0) -> Formula:
    gates = _GATES[kind]
    extra = beside - less_gates * gates
    many = "" if per_weight == 1 else f"{per_weight} · "
    return (
        Term(item="products", says=f"{many}weights · steps", amount=_per_step(lambda e: per_weight * _matrices(e))),
        Term(item="bias", says="biases · steps", amount=_per_step(_biases)),
        Term(
            item="recurrent", says=f"{extra} · hidden · layers · steps", amount=_per_step(lambda e: _hidden(e, extra))
        ),
    )


def _table(formula: Callable[[str], Formula]) -> dict[str, Formula]:
    return {f"nn.{kind}{suffix}": formula(kind) for kind in _GATES for suffix in ("", "Cell")}


def cells(elementwise: Mapping[str, int]) -> dict[str, Formula]:
    """Cells as a traced graph holds them: two linear layers and what multiplies numbers one by one."""
    return {
        f"aten::{name}": (
            Term(item="products", says="weights · batch", amount=_cell_products),
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
    # With the batch first, the first layer's input is no block of memory, and its bias is added after the product.
    if isinstance(given, tuple) and given[-1:] == (True,) and min(event.x[:2]) > 1 and biases:
        apart = biases[0] * (2 if given[-2] is True else 1)
    return prod(event.x[:2]) * (sum(biases) - apart)


unrolled = (
    Term(item="products", says="weights · steps", amount=_unrolled_products),
    Term(item="bias", says="biases · steps, one less in the first layer with the batch first", amount=_unrolled_bias),
)
"""An RNN or a GRU as a CPU runs it: products step by step."""

recurrent_macs = _table(lambda kind: _formula(kind, 1, _BESIDE[kind]))
"""ptflops."""

recurrent_flops = _table(lambda kind: _formula(kind, 2, _BESIDE[kind], less_gates=2))
"""calflops and DeepSpeed: an addition less than two FLOPs for each gate and product."""

recurrent_thop = _table(lambda kind: _formula(kind, 1, _BESIDE_THOP[kind]))
"""thop."""
