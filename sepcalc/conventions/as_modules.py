"""The layers of a file as a run of PyTorch's own modules.

A file does not say which code computes its layers, but counters of modules or functions depend on it. So each
convolution, norm, activation and pooling is taken for the module of that name, joins for the symbols (``+``, ``*``),
and matrix products and attention for functions. Other code for the same layers can have other totals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod

from sepcalc.core.layers import NORM_PARAMS, Convolution, Operator, Product
from sepcalc.core.modules import ACTIVATIONS
from sepcalc.core.network import Network
from sepcalc.core.spec import ConvSpec
from sepcalc.readers.trace import AtenCall, Config, Module, ModuleCall, Operation, Parameter, Shape, Trace

AS_MODULES = (
    "Every convolution, norm, activation and pooling counts as a module here, and joins as symbols; a model's own code "
    "can differ: for its totals, name it as module:callable."
)
"""The note below such totals."""

_POOLS = {"maxpool": "max_pool", "avgpool": "avg_pool"}

_MODULES: Mapping[str, tuple[str, str]] = {
    **{
        word: (f"activation.{activation.module.name}", {"relu6": "hardtanh", "swish": "silu"}.get(word, word))
        for word, activation in ACTIVATIONS.items()
        if word != "identity"
    },
    "batch_norm": ("batchnorm.BatchNorm{}d", "batch_norm"),
    "instance_norm": ("instancenorm.InstanceNorm{}d", "instance_norm"),
    "layer_norm": ("normalization.LayerNorm", "layer_norm"),
    "group_norm": ("normalization.GroupNorm", "group_norm"),
    "rms_norm": ("normalization.RMSNorm", "rms_norm"),
    "local_response_norm": ("normalization.LocalResponseNorm", "local_response_norm"),
    "max_pool": ("pooling.MaxPool{}d", "max_pool{}d"),
    "avg_pool": ("pooling.AvgPool{}d", "avg_pool{}d"),
    "adaptive_max_pool": ("pooling.AdaptiveMaxPool{}d", "adaptive_max_pool{}d"),
    "adaptive_avg_pool": ("pooling.AdaptiveAvgPool{}d", "adaptive_avg_pool{}d"),
    "upsample": ("upsampling.Upsample", "interpolate"),
    "embedding": ("sparse.Embedding", "embedding"),
}
"""The class and the function of each word; ``{}`` is the number of axes."""

_SYMBOLS = {"add": "__add__", "mul": "__mul__", "layer_scale": "__mul__", "mean": "mean"}
"""The methods of tensors that join."""


def layers_trace(network: Network) -> tuple[Trace, tuple[int, ...]]:
    """A run of the layers of ``network``, and our multiply-adds of each of its operators."""
    writing = _Writing()
    for layer in network.layers:
        if isinstance(layer, Convolution):
            writing.convolution(layer)
        elif isinstance(layer, Product):
            writing.product(layer)
        elif layer.params != 0 or not layer.type.endswith("parameters"):
            writing.operator(layer)
    root = Module(
        path="",
        qualname="Network",
        children=tuple((module.path, place + 1) for place, module in enumerate(writing.modules)),
    )
    whole = ModuleCall(module=0, parent=None, depth=0, inputs=(), outputs=())
    reads = () if network.input is None else ((1, *network.input.shape),)
    trace = Trace(
        name=network.name,
        inputs=reads,
        parameters=tuple(writing.parameters),
        modules=(root, *writing.modules),
        calls=(whole, *writing.calls),
        operations=tuple(writing.operations),
    )
    return trace, tuple(writing.macs)


@dataclass(slots=True, kw_only=True)
class _Writing:
    """The run as far as it is written; module 0 and call 0 are the model itself, which is added last."""

    parameters: list[Parameter] = field(default_factory=list)
    modules: list[Module] = field(default_factory=list)
    calls: list[ModuleCall] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    macs: list[int] = field(default_factory=list)

    def module(self, path: str, cls: str, own: Mapping[str, Shape], config: Config, reads: Shape, writes: Shape) -> int:
        """Add a module and its call; the index of the call."""
        places = []
        for name, shape in own.items():
            places.append((name, len(self.parameters)))
            self.parameters.append(Parameter(name=f"{path}.{name}", shape=shape))
        self.modules.append(
            Module(path=path, qualname=f"torch.nn.modules.{cls}", own=tuple(places), config=dict(config))
        )
        index = len(self.modules)
        self.calls.append(ModuleCall(module=index, parent=0, depth=1, inputs=(reads,), outputs=(writes,)))
        return index

    def ran(self, operation: Operation, macs: int = 0) -> None:
        """Add an operator."""
        self.operations.append(operation)
        self.macs.append(macs)

    def convolution(self, layer: Convolution) -> None:
        """Each stage of a layer, with the norm and the activation that follow it."""
        stages = layer.stages
        for place, stage in enumerate(stages):
            last = place == len(stages) - 1
            path = layer.name if len(stages) == 1 else f"{layer.name}.{place}"
            write = self.linear if layer.type == "linear" else self.stage
            shape = write(path, stage, layer.batch)
            if not last and layer.between == "none":
                continue
            affine = NORM_PARAMS[layer.norm] > 0
            self.named(f"{path}.norm", f"{layer.norm}_norm", shape, shape, affine=affine)
            self.named(f"{path}.act", (layer.act_last or layer.act) if last else layer.act, shape, shape)

    def weighted(self, path: str, cls: str, operation: Operation, macs: int) -> Shape:
        """Add a layer with weights as a module, its call and its operation; the shape that it writes."""
        (reads, *own), writes = operation.inputs, operation.outputs[0]
        named = dict(zip(("weight", "bias"), own, strict=False))
        call = self.module(path, cls, named, operation.attributes, reads, writes)
        self.ran(replace(operation, call=call, weight=named["weight"]), macs)
        return writes

    def stage(self, path: str, stage: ConvSpec, batch: int) -> Shape:
        """One convolution; the shape that it writes."""
        axes, biased = len(stage.kernel), stage.bias != "none"
        reads, writes = (batch, stage.c_in, *(stage.size or ())), (batch, stage.c_out, *(stage.out_size or ()))
        first, second = (stage.c_in, stage.c_out) if stage.transposed else (stage.c_out, stage.c_in)
        inputs: tuple[Shape, ...] = (reads, (first, second // stage.groups, *stage.kernel))
        inputs += ((stage.c_out,),) if biased else ()
        config: dict[str, object] = {
            "kernel": stage.kernel, "stride": stage.stride, "dilation": stage.dilation, "groups": stage.groups,
            "transposed": stage.transposed, "bias": biased,
        }  # fmt: skip
        if stage.padding != "same":
            config["padding"] = stage.padding
        given = (*inputs, None)[:3]
        below = AtenCall(
            name="aten.convolution.default", inputs=inputs, outputs=(writes,), kind="product",
            arguments=(*given, stage.stride, (), stage.dilation, stage.transposed, (), 1),
        )  # fmt: skip
        cls, function = ("ConvTranspose", "conv_transpose") if stage.transposed else ("Conv", "conv")
        operation = Operation(
            word="conv", function=f"torch.nn.functional.{function}{axes}d", call=0, inputs=inputs, outputs=(writes,),
            attributes=config, aten=(below,),
        )  # fmt: skip
        return self.weighted(path, f"conv.{cls}{axes}d", operation, stage.macs * batch)

    def linear(self, path: str, stage: ConvSpec, batch: int) -> Shape:
        """One linear layer, channels last."""
        lead: Shape = (batch, *(stage.size or ()))
        writes, weight, biased = (*lead, stage.c_out), (stage.c_out, stage.c_in), stage.bias != "none"
        bias: tuple[Shape, ...] = ((stage.c_out,),) if biased else ()
        below = AtenCall(
            name=f"aten.{'addmm' if biased else 'mm'}.default", inputs=(*bias, (prod(lead), stage.c_in), weight[::-1]),
            outputs=((prod(lead), stage.c_out),), kind="product",
        )  # fmt: skip
        operation = Operation(
            word="linear", function="torch.nn.functional.linear", call=0, inputs=((*lead, stage.c_in), weight, *bias),
            outputs=(writes,), attributes={"in_features": stage.c_in, "bias": biased}, aten=(below,),
        )  # fmt: skip
        return self.weighted(path, "linear.Linear", operation, stage.macs * batch)

    def named(self, path: str, word: str, reads: Shape, writes: Shape, *, affine: bool = False) -> bool:
        """A norm, an activation or a pooling as the module that its word stands for, if there is one."""
        if word not in _MODULES:
            return False
        axes = max(len(reads) - 2, 1)
        cls, function = (name.format(axes) for name in _MODULES[word])
        own: dict[str, Shape] = {}
        if affine:
            own = {"weight": (reads[1],), **({} if word == "rms_norm" else {"bias": (reads[1],)})}
        elif word == "prelu":
            own = {"weight": (1,)}
        config: dict[str, object] = {"affine": affine, "mode": "nearest", "dim": 1}
        call = self.module(path, cls, own, config, reads, writes)
        if word == "upsample":
            config["size"] = writes[2:]
        self.ran(
            Operation(
                word=word, function=f"torch.nn.functional.{function}", call=call, inputs=(reads,), outputs=(writes,),
                attributes=config,
            )
        )  # fmt: skip
        return True

    def operator(self, layer: Operator) -> None:
        """An operator without multiply-adds."""
        reads, writes = (1, *layer.input.shape), (1, *layer.output.shape)
        word = _POOLS.get(layer.type, layer.type)
        window = layer.kernel and layer.kernel != layer.input.size
        if layer.type in _POOLS and not window:
            word = f"adaptive_{word}"
        affine = word.endswith("_norm") and layer.params > 0
        if self.named(layer.name, word, reads, writes, affine=affine):
            return
        function = f"torch.Tensor.{_SYMBOLS.get(word, word)}"
        self.ran(Operation(word=word, function=function, call=0, inputs=(reads, reads), outputs=(writes,)))

    def product(self, layer: Product) -> None:
        """Matrix products: attention as its function, any other as one matmul for each term."""
        calls = tuple(_product_call(spec, times) for spec, times in layer.terms)
        if layer.type == "attention" and len(layer.terms) == 2:
            (inner, times), (outer, _) = layer.terms
            key, value = (1, 1, outer.c_in, inner.c_in), (1, 1, outer.c_in, outer.c_out)
            query, writes = (1, 1, times, inner.c_in), (1, 1, times, outer.c_out)
            function, inputs = "torch.nn.functional.scaled_dot_product_attention", (query, key, value)
            operation = Operation(
                word="attention", function=function, call=0, inputs=inputs, outputs=(writes,), aten=calls
            )
            self.ran(operation, layer.cost.macs)
            return
        operation = Operation(word=layer.type, function="torch.matmul", call=0, inputs=(), outputs=())
        for (spec, times), call in zip(layer.terms, calls, strict=True):
            self.ran(replace(operation, inputs=call.inputs, outputs=call.outputs, aten=(call,)), spec.macs * times)


def _product_call(spec: ConvSpec, times: int) -> AtenCall:
    inputs, writes = ((times, spec.c_in), (spec.c_in, spec.c_out)), (times, spec.c_out)
    return AtenCall(name="aten.mm.default", inputs=inputs, outputs=(writes,), kind="product")
