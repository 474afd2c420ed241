"""The events that a counter sees in a run (:class:`~sepcalc.readers.trace.Trace`).

A counter of modules hooks their calls, one of functions replaces names in PyTorch's namespaces, one of graphs reads the
operators that ``torch.jit`` traces, one of the dispatcher the operators that run in the end. Names are short:
``nn.Conv2d``, ``F.relu``, ``Tensor.add``, ``aten::linear`` in a graph, ``aten.addmm`` in the dispatcher.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sepcalc.conventions.counter_formulas import Event
from sepcalc.readers.trace import AtenCall, Operation, Trace

_ARGUMENTS: Mapping[str, Sequence[str]] = {
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training"),
    "instance_norm": ("input", "running_mean", "running_var", "weight", "bias"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias"),
    "group_norm": ("input", "num_groups", "weight", "bias"),
    "interpolate": ("input", "size", "scale_factor", "mode"),
    "upsample": ("input", "size", "scale_factor", "mode"),
    "grid_sample": ("input", "grid", "mode"),
    "einsum": ("equation",),
    "leaky_relu": ("input", "negative_slope", "inplace"),
    "relu": ("input", "inplace"),
    "local_response_norm": ("input", "size"),
}
"""The order of the arguments that formulas ask for."""

_CALLED = {
    "torch.nn.functional.": "F.",
    "torch.functional.": "torch.",
    "torch._VF.": "torch.",
    "torch.Tensor.": "Tensor.",
}


def function_name(operation: Operation) -> str:
    """The function's name as code writes it: ``F.relu``, ``Tensor.add``; empty where there was none."""
    for long, short in _CALLED.items():
        if operation.function.startswith(long):
            return short + operation.function.removeprefix(long)
    return operation.function


def class_name(qualname: str) -> str:
    """A module's class as code writes it, ``nn.Conv2d``, or in full where it is not PyTorch's own."""
    return f"nn.{qualname.rpartition('.')[2]}" if qualname.startswith("torch.nn.modules.") else qualname


def bound(operation: Operation) -> dict[str, object]:
    """The attributes of an operator by name, positional arguments included."""
    bare = operation.function.rpartition(".")[2]
    given = operation.attributes.get("arguments", ())
    names = _ARGUMENTS.get(bare, ())
    config = dict(zip(names, given, strict=False)) if isinstance(given, tuple) else {}
    config.update(operation.attributes)
    if operation.word.endswith("_norm") and "affine" not in config:
        config["affine"] = config.get("weight") is not None
    if operation.word == "linear" and "bias" not in config:
        config["bias"] = len(operation.inputs) > 2
    return config


def _event(name: str, index: int, operation: Operation, times: int = 1) -> Event:
    return Event(
        name=name,
        word=operation.word,
        inputs=operation.inputs,
        outputs=operation.outputs,
        weight=operation.weight,
        config=bound(operation),
        operation=index,
        call=operation.call,
        times=times,
    )


def dispatched(trace: Trace) -> Iterator[Event]:
    """The operators that the dispatcher runs on a CPU, where attention and an LSTM are one kernel each."""
    for index, operation in enumerate(trace.operations):
        if kernel := _kernel(operation):
            yield _event(kernel, index, operation)
        else:
            yield from (_below(call, index, operation) for call in operation.aten)


def _kernel(operation: Operation) -> str | None:
    """The kernel that a CPU runs instead of this trace's operators, if there is one.

    Raises :class:`NotImplementedError` where a recurrent layer runs by kernels of another kind.
    """
    recurrent = operation.word in ("rnn", "gru", "lstm") and len(operation.inputs) > 3
    if recurrent and len(operation.inputs[1]) == 1:
        raise NotImplementedError("a packed sequence")
    if operation.word == "lstm" and "lstm" in operation.function:
        if len({shape[-1] for shape in operation.inputs[1:3]}) > 1:
            raise NotImplementedError("a recurrent layer with projections")
        return "aten.mkldnn_rnn_layer"
    if recurrent and operation.word != "lstm":
        return f"aten.{operation.word}"
    if operation.word == "attention" and len(operation.inputs) > 2:
        query, key, value = operation.inputs[:3]
        alike = len(query) == len(key) == len(value) == 4 and query[-1] == key[-1] == value[-1]
        shared = 1 if operation.attributes.get("enable_gqa") is True else 2
        if alike and query[:shared] == key[:shared] == value[:shared] and all(query + key):
            return "aten._scaled_dot_product_flash_attention_for_cpu"
    return None


def _below(call: AtenCall, index: int, operation: Operation) -> Event:
    space, _, rest = call.name.partition(".")
    name = f"{space}.{rest.partition('.')[0]}"
    convolves = name == "aten.convolution"
    config = {"bias": call.arguments[2] is not None, "transposed": call.arguments[6]} if convolves else {}
    return Event(
        name=name,
        word=operation.word,
        inputs=call.inputs,
        outputs=call.outputs,
        weight=call.inputs[1] if convolves else None,
        config=config,
        operation=index,
        call=operation.call,
    )


_GRAPH_NAMES = {"multiply": "mul", "multiply_": "mul_", "grid_sample": "grid_sampler", "iadd": "add_", "imul": "mul_"}


def graph_name(operation: Operation) -> str:
    """The operator's name in ``torch.jit``: its C++ function, of a convolution the innermost."""
    if not operation.function:
        return operation.aten[-1].name.partition(".")[2].partition(".")[0] if operation.aten else ""
    bare = operation.function.rpartition(".")[2]
    config = bound(operation)
    if operation.word == "conv":
        return "_convolution_mode" if "padding_word" in config else "_convolution"
    if bare in ("interpolate", "upsample"):
        axes = len(operation.inputs[0]) - 2
        mode = str(config.get("mode", "nearest"))
        return f"upsample_{'linear' if mode == 'linear' else mode}{axes}d"
    if bare.startswith("__"):
        bare = bare.strip("_")
        bare = bare[1:] if bare in ("rmul", "radd", "rmatmul") else bare
    bare = _GRAPH_NAMES.get(bare, bare)
    return f"{bare}_" if config.get("inplace") is True else bare


_HEADS = "torch.nn.functional.multi_head_attention_forward"


def traced(trace: Trace) -> Iterator[Event]:
    """The operators of the graph that ``torch.jit`` makes of the run.

    The code of an attention layer multiplies lengths, which a graph holds too: one event a layer stands for them, and
    one for a projection of keys and values together. A graph holds nothing unused; the weights averaged over the heads
    are taken as unused.
    """
    for index, operation in enumerate(trace.operations):
        heads = _HEADS in operation.inside
        if heads and operation.word == "mean":
            continue
        yield _event(f"aten::{graph_name(operation)}", index, operation)
        if heads and operation.word in ("attention", "softmax"):
            yield _event("F.multi_head_attention_forward", index, operation)
        if heads and _projects_both(trace, operation):
            yield _event("F._in_projection_packed", index, operation)


def _projects_both(trace: Trace, operation: Operation) -> bool:
    """Whether a linear layer makes keys and values at once: where these are the same and the queries are not."""
    weight = operation.weight or (1, 0)
    names = [trace.parameters[use.parameter].name for use in operation.uses if use.role == "weight"]
    return weight[0] == 2 * weight[1] and any(name.endswith("in_proj_weight") for name in names)


def functions(trace: Trace, times: Sequence[int] | None = None) -> Iterator[Event]:
    """The calls of PyTorch's functions by name; ``times`` says how often each module is added up."""
    for index, operation in enumerate(trace.operations):
        if operation.named:
            many = times[trace.calls[operation.call].module] if times and trace.calls else 1
            yield _event(function_name(operation), index, operation, many)


def called(trace: Trace, times: Sequence[int]) -> Iterator[Event]:
    """The calls of modules; ``times`` says how often each module's calls are added up."""
    words = {}
    for operation in reversed(trace.operations):
        words[operation.call] = operation.word
    for index, call in enumerate(trace.calls):
        module = trace.modules[call.module]
        own = {name: trace.parameters[place].shape for name, place in module.own}
        yield Event(
            name=class_name(module.qualname),
            word=words.get(index, ""),
            inputs=call.inputs,
            outputs=call.outputs,
            weight=own.get("weight"),
            config={**module.config, "bias": own.get("bias") is not None or module.config.get("bias") is True},
            own=own,
            call=index,
            times=times[call.module],
        )


def visits(trace: Trace, stops: Iterable[str] = (), *, through_root: bool = False) -> list[int]:
    """How often a walk down the tree of modules comes to each; it goes no further below classes in ``stops``.

    As with PyTorch's ``children``, a module with two parents is visited twice, one with two names in one parent once.
    """
    ends = frozenset(stops)
    counts = [0] * len(trace.modules)
    pending = [0] if trace.modules else []
    while pending:
        index = pending.pop()
        counts[index] += 1
        if class_name(trace.modules[index].qualname) in ends and not (through_root and index == 0):
            continue
        pending += dict.fromkeys(child for _, child in trace.modules[index].children)
    return counts
