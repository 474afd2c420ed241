"""The tables of counters that hook modules, and see nothing else that a forward does.

A class must be the one in the table, not a subclass of it. Facts of the named releases, read from their sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod

from sepcalc.conventions import counter_formulas as formulas
from sepcalc.conventions.counter_formulas import Event, Part, Parts, norm, part, per_input, per_output, twice
from sepcalc.conventions.events import called, class_name, visits
from sepcalc.readers.trace import Trace

_AXES = (1, 2, 3)


def _classes(*names: str) -> tuple[str, ...]:
    """``Conv`` stands for ``nn.Conv1d``, ``nn.Conv2d`` and ``nn.Conv3d``."""
    return tuple(f"nn.{name}{axes}d" for name in names for axes in _AXES)


_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_BESIDE = {"RNN": 1, "GRU": 7, "LSTM": 10}
"""Elementwise operations for each hidden number and step in ptflops, calflops and DeepSpeed."""

_BESIDE_THOP = {"RNN": 1, "GRU": 7, "LSTM": 8}
"""The same in thop."""


def _numbers(event: Event, of: str) -> int:
    """All weights, or biases, of one direction: input to hidden and hidden to hidden, of every layer."""
    own = event.own.items()
    return sum(prod(shape) for name, shape in own if name.startswith(of) and not name.endswith("_reverse"))


def _steps(event: Event) -> int:
    """The first two lengths of the input (the first alone for a cell), twice if it runs in both directions."""
    cell = event.name.endswith("Cell")
    if event.number("proj_size"):
        raise NotImplementedError("a recurrent layer with projections")
    if len(event.inputs) > 1 and len(event.inputs[1]) == 1 and not cell:
        raise NotImplementedError("a packed sequence")
    return prod(event.x[: 1 if cell else 2]) * (2 if event.flag("bidirectional") else 1)


_weights = part("products", "weights · steps", lambda event: _numbers(event, "weight") * _steps(event))
_added = part("bias", "biases · steps", lambda event: _numbers(event, "bias") * _steps(event))


def _table(products: Parts, beside: Mapping[str, int], less_gates: int = 0) -> dict[str, Parts]:
    extra = {kind: _per_hidden(beside[kind] - less_gates * gates) for kind, gates in _GATES.items()}
    return {f"nn.{kind}{cell}": products + _added + extra[kind] for kind in _GATES for cell in ("", "Cell")}


def _per_hidden(times: int) -> Parts:
    """So many for each hidden number of every layer and step."""

    def amount(event: Event) -> int:
        return times * event.number("hidden_size") * event.number("num_layers", 1) * _steps(event)

    return part("recurrent", f"{times} · hidden · layers · steps", amount)


recurrent_macs = _table(_weights, _BESIDE)
"""ptflops."""

recurrent_flops = _table(twice(_weights), _BESIDE, less_gates=2)
"""calflops and DeepSpeed: two FLOPs for each multiply-add, less one addition for each gate and product."""

recurrent_thop = _table(_weights, _BESIDE_THOP)
"""thop."""


def _window_by_output(event: Event) -> int:
    groups = event.number("groups", 1)
    return prod(event.y) * (event.x[1] // groups) * prod(event.w[2:])


def _softmax(event: Event) -> int:
    axis = event.config.get("dim")
    length = event.x[axis] if isinstance(axis, int) else 1
    return prod(event.x) // length * (3 * length - 1)


def _adaptive(event: Event) -> int:
    # In floating point, as thop does it: 7 / 3 · 7 / 3 is no fraction there.
    window = 1.0
    for reads, writes in zip(event.x[2:], event.y[2:], strict=True):
        window *= reads / writes
    return int((window + 1) * prod(event.y))


_UPSAMPLED = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 259}


def _upsampled(event: Event) -> int:
    return _UPSAMPLED.get(str(event.config.get("mode")), 0) * prod(event.y)


THOP: dict[str, Parts] = {
    **dict.fromkeys(
        _classes("Conv", "ConvTranspose"), part("products", "output · c_in/groups · window", _window_by_output)
    ),
    "nn.Linear": part("products", "c_in · output", lambda event: event.number("in_features") * prod(event.y)),
    **dict.fromkeys((*_classes("BatchNorm", "InstanceNorm"), "nn.LayerNorm", "nn.SyncBatchNorm"), norm(4, 2)),
    "nn.PReLU": per_input("activation"),
    "nn.Softmax": part("activation", "(3 · length - 1) · input/length", _softmax),
    **dict.fromkeys(_classes("AvgPool"), per_output("pooling")),
    **dict.fromkeys(_classes("AdaptiveAvgPool"), part("pooling", "(window + 1) · output", _adaptive)),
    **dict.fromkeys(
        ("nn.Upsample", "nn.UpsamplingBilinear2d", "nn.UpsamplingNearest2d"),
        part("upsampling", "output · 1 (nearest), 5 (linear), 11 (bilinear) or 259 (bicubic)", _upsampled),
    ),
    **recurrent_thop,
}
"""thop's ``profile``."""

THOP_ZERO = (
    "nn.ZeroPad2d", "nn.ReLU", "nn.ReLU6", "nn.LeakyReLU", *_classes("MaxPool", "AdaptiveMaxPool"), "nn.Dropout",
    "nn.PixelShuffle",
)  # fmt: skip
"""Classes that thop knows and counts as nothing; it looks no further below them."""


def thop_calls(trace: Trace) -> Iterator[Event]:
    """Calls of modules as thop adds them up.

    A module with two parents is hooked twice and added up twice: each of its calls counts four times.
    """
    hooked = visits(trace)
    added = visits(trace, (*THOP, *THOP_ZERO), through_root=True)
    yield from called(trace, [one * other for one, other in zip(hooked, added, strict=True)])


def _head(event: Event) -> tuple[int, int, int, int]:
    """Batch and the lengths of queries, keys and values."""
    axis = int(event.flag("batch_first"))
    query, key, value = event.inputs[:3]
    return query[1 - axis], query[axis], key[axis], value[axis]


def _attention_products(event: Event) -> int:
    batch, queries, keys, values = _head(event)
    depth, key_depth, value_depth = (shape[2] for shape in event.inputs[:3])
    heads = event.number("num_heads", 1)
    projected = queries * depth**2 + keys * key_depth**2 + values * value_depth**2 + queries * value_depth**2
    return batch * (projected + heads * queries * keys * (depth // heads + value_depth // heads))


def _attention_bias(event: Event) -> int:
    batch, queries, keys, values = _head(event)
    inner = (queries + keys + values) * event.inputs[0][2] if "in_proj_bias" in event.own else 0
    return batch * (inner + queries * event.inputs[2][2])


def _attention_beside(event: Event) -> int:
    batch, queries, keys, _ = _head(event)
    return batch * (event.number("num_heads", 1) * queries * keys + queries * event.inputs[0][2])


def _timm_scores(event: Event) -> tuple[int, int]:
    """Queries times keys of every head of timm's attention, and the length of a head."""
    batch, length = event.x[:2]
    return batch * event.number("num_heads", 1) * length**2, event.number("head_dim")


def _timm_products(event: Event) -> int:
    scores, depth = _timm_scores(event)
    return 2 * scores * depth


def _timm_beside(event: Event) -> int:
    scores, depth = _timm_scores(event)
    return scores + scores // event.x[1] * depth


_TIMM_ATTENTION = (
    Part(item="products", says="both products of every head", amount=_timm_products),
    Part(item="other", says="scores + queries · depth", amount=_timm_beside),
)

PTFLOPS_MODULES: dict[str, Parts] = {
    **dict.fromkeys(_classes("Conv", "ConvTranspose"), formulas.convolution + formulas.bias),
    "nn.Linear": formulas.linear + formulas.bias,
    **dict.fromkeys(("nn.ReLU", "nn.PReLU", "nn.ELU", "nn.LeakyReLU", "nn.ReLU6", "nn.GELU"), per_output("activation")),
    **dict.fromkeys(_classes("MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool"), per_input("pooling")),
    **dict.fromkeys((*_classes("BatchNorm", "InstanceNorm"), "nn.GroupNorm"), norm(2, 1)),
    "nn.LayerNorm": per_input("norm"),
    "nn.Upsample": part("upsampling", "output of one example", lambda event: prod(event.y[1:])),
    **recurrent_macs,
    "nn.MultiheadAttention": (
        Part(item="products", says="projections and both products of every head", amount=_attention_products),
        Part(item="bias", says="(queries + keys + values + queries) · depth", amount=_attention_bias),
        Part(item="other", says="scores + queries · depth", amount=_attention_beside),
    ),
    **dict.fromkeys(("timm.layers.attention.Attention", "timm.models.vision_transformer.Attention"), _TIMM_ATTENTION),
}
"""ptflops, ``backend="pytorch"``: the modules. It adds functions to them, also the ones that the same modules call."""


def ptflops_calls(trace: Trace) -> Iterator[Event]:
    """Calls of modules as ptflops adds them up: nothing below a class that it knows."""
    yield from called(trace, visits(trace, PTFLOPS_MODULES))


TORCHINFO: dict[str, Parts] = {
    "*Conv*, weight": part("products", "weights · batch · output positions",
                           lambda event: prod(event.w) * prod(event.y[:1] + event.y[2:])),
    "*Conv*, bias": part("bias", "bias · batch · output positions",
                         lambda event: prod(event.w) * prod(event.y[:1] + event.y[2:])),
    "other, weight": part("products", "weights · first length of the output", lambda event: event.y[0] * prod(event.w)),
    "other, bias": part("bias", "bias · first length of the output", lambda event: event.y[0] * prod(event.w)),
    "other, *weight*": part("products", "weights · first two lengths of the output",
                            lambda event: prod(event.y[:2]) * prod(event.w)),
    "other, *bias*": part("bias", "biases · first two lengths of the output",
                          lambda event: prod(event.y[:2]) * prod(event.w)),
}  # fmt: skip
"""torchinfo's ``summary``: by the parameter names of each module without submodules, and by ``Conv`` in its class."""


def torchinfo_parameters(trace: Trace) -> Iterator[Event]:
    """The parameters that each call of a module without submodules uses, as torchinfo names them."""
    for event in called(trace, [1] * len(trace.modules)):
        module = trace.modules[trace.calls[event.call].module]
        for name, shape in event.own.items() if module.leaf else ():
            if kind := _kind(class_name(module.qualname), name):
                yield replace(event, name=kind, weight=shape)


def _kind(name: str, parameter: str) -> str | None:
    if parameter in ("weight", "bias"):
        return f"{'*Conv*' if 'Conv' in name.rpartition('.')[2] else 'other'}, {parameter}"
    part = next((kind for kind in ("weight", "bias") if kind in parameter), None)
    return part and f"other, *{part}*"
