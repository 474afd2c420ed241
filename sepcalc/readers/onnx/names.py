"""What the field calls ONNX's operators that have no matrix product, and which of them are no layer at all.

Whatever is neither here nor among the products is *uncounted*, by its own name: operators of other domains, control
flow, transforms and determinants.
"""

from __future__ import annotations

import re

from sepcalc.readers.onnx.graph import Node, Shape
from sepcalc.readers.onnx.scope import CUTS, MOVES, Scope

WORDS = {
    "AveragePool": "avg_pool",
    "BatchNormalization": "batch_norm",
    "Concat": "cat",
    "ConcatFromSequence": "cat",
    "ConvInteger": "conv",
    "ConvTranspose": "conv",
    "DequantizeLinear": "dequantize",
    "DynamicQuantizeLinear": "quantize",
    "Gather": "embedding",
    "Gemm": "matmul",
    "GlobalAveragePool": "adaptive_avg_pool",
    "GlobalLpPool": "lp_pool",
    "GlobalMaxPool": "adaptive_max_pool",
    "GroupNormalization": "group_norm",
    "HardSigmoid": "hardsigmoid",
    "HardSwish": "hardswish",
    "InstanceNormalization": "instance_norm",
    "LRN": "local_response_norm",
    "LayerNormalization": "layer_norm",
    "LogSoftmax": "log_softmax",
    "LpNormalization": "normalize",
    "MatMul": "matmul",
    "MatMulInteger": "matmul",
    "MaxRoiPool": "roi_pool",
    "MeanVarianceNormalization": "instance_norm",
    "PRelu": "prelu",
    "Pow": "pow",
    "QLinearConv": "conv",
    "QLinearMatMul": "matmul",
    "QuantizeLinear": "quantize",
    "RMSNormalization": "rms_norm",
    "ReduceL2": "norm",
    "ReduceMax": "amax",
    "ReduceMean": "mean",
    "ReduceMin": "amin",
    "ReduceProd": "prod",
    "ReduceSum": "sum",
    "Resize": "upsample",
    "Swish": "silu",
    "SwiGLU": "swiglu",
    "TopK": "topk",
    "Upsample": "upsample",
}
"""The word for an operator, where it is not its own name in small letters."""

FREE = frozenset({
    "Abs", "Acos", "Acosh", "Add", "AffineGrid", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh",
    "AveragePool", "BatchNormalization", "Bernoulli", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr",
    "BitwiseXor", "BlackmanWindow", "Ceil", "Celu", "CenterCropPad", "Clip", "Col2Im", "Compress", "Concat",
    "ConcatFromSequence", "Cos", "Cosh", "CumProd", "CumSum", "DepthToSpace", "DynamicQuantizeLinear", "Div",
    "Elu", "Equal", "Erf", "Exp", "Floor", "Gather", "GatherElements", "GatherND", "Gelu", "GlobalAveragePool",
    "GlobalLpPool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GridSample", "GroupNormalization",
    "HammingWindow", "HannWindow", "HardSigmoid", "HardSwish", "Hardmax", "InstanceNormalization", "IsInf",
    "IsNaN", "LRN", "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax",
    "LpNormalization", "LpPool", "Max", "MaxPool", "MaxRoiPool", "MaxUnpool", "Mean",
    "MeanVarianceNormalization", "Min", "Mish", "Mod", "Mul", "Multinomial", "Neg", "NonMaxSuppression", "Not",
    "OneHot", "Or", "PRelu", "Pad", "Pow", "RMSNormalization", "RandomNormal", "RandomNormalLike",
    "RandomUniform", "RandomUniformLike", "Reciprocal", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
    "Relu", "ReverseSequence", "Resize", "RoiAlign", "RotaryEmbedding", "Round", "Scatter", "ScatterElements",
    "ScatterND", "Selu", "Shrink", "Sigmoid", "Sign", "Sin", "Sinh", "Softmax", "Softplus", "Softsign",
    "SpaceToDepth", "Sqrt", "Sub", "Sum", "SwiGLU", "Swish", "Tan", "Tanh", "TensorScatter", "ThresholdedRelu",
    "TopK", "Unique", "Upsample", "Where", "Xor",
})  # fmt: skip
"""Operators that are layers without multiply-adds: norms, activations, pooling, elementwise ones and the like."""

SILENT = (MOVES - {"QuantizeLinear", "DequantizeLinear", "Dropout"}) | CUTS | {
    "BitCast", "Constant", "ConstantOfShape", "EyeLike", "NonZero", "Optional", "OptionalGetElement",
    "OptionalHasElement", "Range", "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase",
    "SequenceInsert", "SequenceLength", "Shape", "Size", "SplitToSequence",
}  # fmt: skip
"""Operators that look at shapes, or hand the same numbers on: no layer of a network."""


def word(op: str) -> str:
    """What the field calls an operator.

    >>> word("LayerNormalization"), word("LeakyRelu"), word("ScatterND"), word("com.microsoft.FusedConv")
    ('layer_norm', 'leaky_relu', 'scatter_nd', 'com.microsoft.FusedConv')
    """
    if "." in op:
        return op
    return WORDS.get(op) or re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", op).lower()


def free(scope: Scope, node: Node) -> bool:
    """Add the layer of an operator without multiply-adds; False where ``node`` is none of these.

    Arithmetic on whole numbers computes shapes and indices, and is no layer.
    """
    if node.op in SILENT:
        return True
    if node.op not in FREE and node.op not in MOVES:
        return False
    embeds = node.op == "Gather" and scope.parameter(node, 0) is not None
    counts = not scope.graph.floating.intersection(node.outputs) and "Quantize" not in node.op
    constant = all(each in scope.stored for each in node.inputs if each)
    learned = any(scope.parameter(node, slot) for slot in range(len(node.inputs)))
    if counts or (node.op == "Gather" and not embeds) or (constant and not learned):
        scope.set_apart(node)
        return True
    name = scope.new_name(*node.names)
    scope.operator(node, name, word(node.op), kernel=_kernel(scope, node))
    return True


def _kernel(scope: Scope, node: Node) -> Shape:
    """The window of a pooling operator."""
    if node.op.startswith("Global"):
        return tuple(length or 1 for length in scope.shapes.get(node.input(0), ())[2:])
    return node.ints("kernel_shape")
