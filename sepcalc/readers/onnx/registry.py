"""A record of each operator of ONNX: whether it is a layer, its word, and the roles of its inputs.

Each operator is registered once: by :func:`register` here, or by :func:`product` above the function that counts its
multiply-adds (:mod:`sepcalc.readers.onnx.operators`). An operator without a record is *uncounted*, under its own name:
operators of other domains, control flow, transforms and determinants.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from sepcalc.readers.onnx.graph import Node

Convert = Callable[[Any, Node, str], None]
"""Appends the layers of a node, called by the last argument, to the :class:`~sepcalc.readers.onnx.scope.Scope`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecord:
    """One operator. A *product* has multiply-adds, a *free* one is a layer without any, a *silent* one is no layer.

    ``word`` is the field's name for it, by default its own in small letters. ``weights`` are the inputs that hold
    weights of any type, in an initializer or a Constant node; ``settings`` the inputs that say how it works, and hold
    nothing learned. ``carries`` is the part of its stored inputs that its output holds: the first (*move*), the first
    several times (*repeat*), a part of the first (*cut*), or all of them (*join*).
    """

    kind: Literal["product", "free", "silent", "uncounted"]
    word: str = ""
    weights: tuple[int, ...] = ()
    settings: tuple[int, ...] = ()
    carries: Literal["", "move", "repeat", "cut", "join"] = ""
    computes_shapes: bool = False
    """Whether exporters compute shapes with it."""
    looks_up: bool = False
    """Whether it is a layer only where its first input is a parameter."""
    quantizes: bool = False
    """Whether it is a layer although it writes whole numbers."""
    pools_all: bool = False
    """Whether its window is its whole input."""
    convert: Convert | None = None
    """The function that makes the layers of a product."""


OPERATORS: dict[str, OperatorRecord] = {}
"""The record of each operator; the name of an operator of another domain begins with the domain."""


def register(record: OperatorRecord, *ops: str) -> None:
    """Register the same record for each of ``ops``."""
    OPERATORS.update((op, replace(record, word=record.word or _snake_case(op))) for op in ops)


def product(
    *ops: str, word: str = "", weights: tuple[int, ...] = (), settings: tuple[int, ...] = ()
) -> Callable[[Convert], Convert]:
    """Register the decorated function, which makes the layers of a node, for each of ``ops``."""

    def add(convert: Convert) -> Convert:
        record = OperatorRecord(kind="product", word=word, weights=weights, settings=settings, convert=convert)
        register(record, *ops)
        return convert

    return add


def operator_record(op: str) -> OperatorRecord:
    """The record of an operator, *uncounted* where there is none.

    >>> [operator_record(op).word for op in ("LayerNormalization", "LeakyRelu", "com.microsoft.FusedConv")]
    ['layer_norm', 'leaky_relu', 'com.microsoft.FusedConv']
    """
    return OPERATORS.get(op) or _uncounted(op)


@lru_cache(maxsize=1024)
def _uncounted(op: str) -> OperatorRecord:
    return OperatorRecord(kind="uncounted", word=op if "." in op else _snake_case(op))


def _snake_case(op: str) -> str:
    """``ScatterND`` as ``scatter_nd``; a domain before the name is left out."""
    bare = op.rpartition(".")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", bare).lower()


def _free(*ops: str, word: str = "", settings: tuple[int, ...] = (), computes_shapes: bool = False) -> None:
    register(OperatorRecord(kind="free", word=word, settings=settings, computes_shapes=computes_shapes), *ops)


_free(
    "Acos", "Acosh", "AffineGrid", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh", "Bernoulli", "BitShift",
    "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "BlackmanWindow", "Celu", "CenterCropPad", "Col2Im",
    "Compress", "Cos", "Cosh", "CumProd", "DepthToSpace", "Elu", "Erf", "Exp", "GatherElements", "GatherND", "Gelu",
    "HammingWindow", "HannWindow", "Hardmax", "IsInf", "IsNaN", "LeakyRelu", "Log", "LogSoftmax", "LpPool", "MaxPool",
    "MaxUnpool", "Mean", "Mish", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
    "RandomUniformLike", "Reciprocal", "ReduceL1", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare", "Relu",
    "ReverseSequence", "Round", "Scatter", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus",
    "Softsign", "SpaceToDepth", "Sum", "Tan", "Tanh", "TensorScatter", "ThresholdedRelu", "Unique", "Xor",
)  # fmt: skip
_free(
    "Abs", "Add", "And", "Ceil", "CumSum", "Equal", "Floor", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Mul",
    "Neg", "Not", "Or", "ScatterElements", "ScatterND", "Sqrt", computes_shapes=True,
)  # fmt: skip
_free("Div", "Mod", "Sub", settings=(1,), computes_shapes=True)
_free("Max", "Min", settings=(0, 1), computes_shapes=True)
_free("Where", settings=(0,), computes_shapes=True)
for _op, _word in {"ReduceMax": "amax", "ReduceMin": "amin", "ReduceProd": "prod", "ReduceSum": "sum"}.items():
    _free(_op, word=_word, computes_shapes=True)
_WORDS = {
    "ReduceL2": "norm", "ReduceMean": "mean", "GroupNormalization": "group_norm", "LayerNormalization": "layer_norm",
    "LpNormalization": "normalize", "LRN": "local_response_norm", "RMSNormalization": "rms_norm",
    "HardSigmoid": "hardsigmoid", "HardSwish": "hardswish", "PRelu": "prelu", "SwiGLU": "swiglu", "Swish": "silu",
    "TopK": "topk", "AveragePool": "avg_pool", "MaxRoiPool": "roi_pool", "ConcatFromSequence": "cat",
}  # fmt: skip
for _op, _word in _WORDS.items():
    _free(_op, word=_word)
_free("Clip", "OneHot", "RotaryEmbedding", settings=(1, 2))
_free("GridSample", "Pow", "RoiAlign", settings=(1,))
_free("Pad", settings=(1, 2, 3))
_free("NonMaxSuppression", settings=(0, 1, 2, 3, 4))
_free("BatchNormalization", word="batch_norm", settings=(3, 4))
_free("InstanceNormalization", "MeanVarianceNormalization", word="instance_norm")
_free("Resize", word="upsample", settings=(1, 2, 3))
_free("Upsample", settings=(1,))
register(OperatorRecord(kind="free", word="cat", carries="join", computes_shapes=True), "Concat")
register(OperatorRecord(kind="free", word="embedding", looks_up=True, computes_shapes=True), "Gather")
register(OperatorRecord(kind="free", word="adaptive_avg_pool", pools_all=True), "GlobalAveragePool")
register(OperatorRecord(kind="free", word="adaptive_max_pool", pools_all=True), "GlobalMaxPool")
register(OperatorRecord(kind="free", word="lp_pool", pools_all=True), "GlobalLpPool")
register(OperatorRecord(kind="free", settings=(1, 2), carries="move"), "Dropout")
register(OperatorRecord(kind="free", word="dequantize", settings=(1, 2), carries="move"), "DequantizeLinear")
register(
    OperatorRecord(kind="free", word="quantize", settings=(1, 2), carries="move", quantizes=True), "QuantizeLinear"
)
register(OperatorRecord(kind="free", word="quantize", quantizes=True), "DynamicQuantizeLinear")

register(
    OperatorRecord(kind="silent", carries="move", computes_shapes=True),
    "Cast", "CastLike", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze",
)  # fmt: skip
register(OperatorRecord(kind="silent", carries="move"), "Flatten", "Trilu")
register(OperatorRecord(kind="silent", carries="repeat", computes_shapes=True), "Expand", "Tile")
register(OperatorRecord(kind="silent", carries="cut", computes_shapes=True), "Slice", "Split")
register(OperatorRecord(kind="silent", settings=(0, 1, 2), computes_shapes=True), "Range")
register(OperatorRecord(kind="silent", computes_shapes=True), "Constant", "ConstantOfShape", "NonZero")
register(
    OperatorRecord(kind="silent"),
    "BitCast", "EyeLike", "Optional", "OptionalGetElement", "OptionalHasElement", "SequenceAt", "SequenceConstruct",
    "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "Shape", "Size", "SplitToSequence",
)  # fmt: skip

register(OperatorRecord(kind="uncounted", weights=(1, 3)), "DeformConv")
register(OperatorRecord(kind="uncounted", settings=(1, 2, 3)), "STFT")
