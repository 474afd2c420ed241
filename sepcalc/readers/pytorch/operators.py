"""A record of each operator of PyTorch's dispatcher: whether it multiplies and adds, its word, its weights.

Each is registered once: by :func:`register`, or by :func:`product` above the function that counts its multiply-adds.
*Products* (matrix products, convolutions and attention kernels) are counted; *free* operators (elementwise, reductions,
norms, pooling, interpolation, moves of data) have no multiply-adds by the rule; all others are uncounted, by name.
PyTorch itself tags most elementwise operators and reductions, which need no record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod

from sepcalc.core.spec import ConvSpec
from sepcalc.readers.trace import AtenCall, OperatorKind, Shape

Terms = tuple[tuple[ConvSpec, int], ...]
"""Matrix products: linear maps, and how many vectors each is applied to."""

CountTerms = Callable[[AtenCall], Terms]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecord:
    """One operator of the dispatcher; ``word`` is the field's name for it, by default its own.

    ``roles`` says which of its arguments are its ``weight`` and its ``bias``.
    """

    kind: OperatorKind
    word: str = ""
    roles: Mapping[int, str] = field(default_factory=dict)
    makes: bool = False
    """Whether it reads only the shape of a tensor."""
    terms: CountTerms | None = None
    """The function that counts the matrix products of a product."""


OPERATORS: dict[str, OperatorRecord] = {}
"""The record of each operator by its :func:`base` name."""


def register(record: OperatorRecord, *names: str) -> None:
    """Register the same record for each of ``names``."""
    OPERATORS.update(dict.fromkeys(names, record))


def product(*names: str, word: str = "", roles: Mapping[int, str] | None = None) -> Callable[[CountTerms], CountTerms]:
    """Register the decorated function, which counts matrix products, for each of ``names``."""

    def add(terms: CountTerms) -> CountTerms:
        register(OperatorRecord(kind="product", word=word, roles=roles or {}, terms=terms), *names)
        return terms

    return add


def term(c_in: int, c_out: int, times: int) -> tuple[ConvSpec, int]:
    """A linear map that is applied to ``times`` vectors, or to none where a dimension is empty."""
    times = times if c_in and c_out else 0
    return ConvSpec(c_in=max(c_in, 1), c_out=max(c_out, 1), kernel=(), size=()), times


@product("convolution", "_convolution", word="conv", roles={1: "weight", 2: "bias"})
def _convolution(call: AtenCall) -> Terms:
    """A convolution as the linear map of each group, at each position."""
    reads, weight, writes = call.inputs[0], call.inputs[1], call.outputs[0]
    transposed, groups = bool(call.arguments[6]), int(str(call.arguments[8]))
    window = prod(weight[2:])
    if transposed:
        return (term(weight[0] // groups, weight[1] * window, groups * reads[0] * prod(reads[2:])),)
    return (term(weight[1] * window, weight[0] // groups, groups * writes[0] * prod(writes[2:])),)


@product("mm", "mv", "dot", "vdot", word="matmul")
@product("bmm", "_int_mm", "_scaled_mm")
def _matmul(call: AtenCall) -> Terms:
    return _matrices(*call.inputs[:2])


@product("addmm", roles={0: "bias", 2: "weight"})
@product("baddbmm", "addbmm", "addmv", "_addmm_activation")
def _added_matmul(call: AtenCall) -> Terms:
    # The first input is added to the product.
    return _matrices(*call.inputs[1:3])


def _matrices(left: Shape, right: Shape) -> Terms:
    return (term(left[-1], right[-1] if len(right) > 1 else 1, prod(left[:-1])),)


@product(
    "_scaled_dot_product_flash_attention", "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_fused_attention_overrideable",
)  # fmt: skip
def _attention(call: AtenCall) -> Terms:
    """Queries times keys, and the scores times values."""
    (*many, queries, inner), (*_, keys, _), (*_, outer) = call.inputs[:3]
    vectors = prod(many) * queries
    return term(inner, keys, vectors), term(keys, outer, vectors)


register(
    OperatorRecord(kind="free"),
    # pooling, interpolation and padding
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d",
    "fractional_max_pool2d", "fractional_max_pool3d", "max_unpool2d", "max_unpool3d", "upsample_bicubic2d",
    "upsample_bilinear2d", "upsample_linear1d", "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d",
    "upsample_trilinear3d", "_upsample_bicubic2d_aa", "_upsample_bilinear2d_aa", "_upsample_nearest_exact1d",
    "_upsample_nearest_exact2d", "_upsample_nearest_exact3d", "grid_sampler_2d", "grid_sampler_3d",
    "affine_grid_generator", "constant_pad_nd", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d",
    "replication_pad1d", "replication_pad2d", "replication_pad3d",
    # norms, and operators with parameters of their own
    "_batch_norm_no_update", "_batch_norm_with_update", "_weight_norm_interface", "renorm", "_embedding_bag",
    "_embedding_bag_forward_only", "embedding_renorm_", "prelu",
    # activations and reductions that carry no tag
    "_softmax", "_log_softmax", "log_sigmoid_forward", "glu", "hardswish", "hardsigmoid", "floor_divide", "mse_loss",
    "huber_loss", "smooth_l1_loss", "nll_loss_forward", "binary_cross_entropy", "rrelu_with_noise", "dropout",
    "native_dropout", "alpha_dropout", "_masked_scale", "cummax", "cummin", "cumprod", "cumsum", "logcumsumexp",
    "dist", "median", "nanmedian", "mode", "kthvalue", "trace", "histc", "bincount", "one_hot", "linalg_vector_norm",
    "polar", "complex",
    # operators that move, make or look at data
    "as_strided_copy", "as_strided_scatter", "block_diag", "broadcast_tensors", "bucketize", "searchsorted", "isin",
    "cat", "_chunk_cat", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "col2im", "im2col", "diag",
    "diag_embed", "diagonal_scatter", "flip", "gather", "index", "index_add", "index_copy", "index_fill", "index_put",
    "index_reduce", "_unsafe_index", "_unsafe_index_put", "_unsafe_masked_index", "masked_fill", "masked_scatter",
    "masked_select", "meshgrid", "multinomial", "nonzero", "nonzero_static", "pad_sequence", "_pack_padded_sequence",
    "_pad_packed_sequence", "repeat", "repeat_interleave", "roll", "rot90", "scatter", "scatter_add",
    "scatter_reduce", "select_scatter", "slice_scatter", "sort", "argsort", "stack", "take", "topk", "tril", "triu",
    "tril_indices", "triu_indices", "_unique", "_unique2", "unique_consecutive", "unique_dim",
    "split_with_sizes_copy", "_resize_output", "segment_reduce", "uniform", "normal", "bernoulli", "exponential",
    "threshold", "unfold_copy",
)  # fmt: skip
_SCALE_AND_SHIFT = {1: "weight", 2: "bias"}
register(OperatorRecord(kind="free", word="batch_norm", roles=_SCALE_AND_SHIFT), "native_batch_norm")
register(
    OperatorRecord(kind="free", word="batch_norm"),
    "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit_functional",
)  # fmt: skip
register(OperatorRecord(kind="free", word="group_norm", roles=_SCALE_AND_SHIFT), "native_group_norm")
register(OperatorRecord(kind="free", word="layer_norm", roles={2: "weight", 3: "bias"}), "native_layer_norm")
register(OperatorRecord(kind="free", word="rms_norm", roles={2: "weight"}), "_fused_rms_norm")
register(OperatorRecord(kind="free", roles={0: "weight"}), "embedding")
register(OperatorRecord(kind="free", word="prelu"), "_prelu_kernel")
register(OperatorRecord(kind="free", word="softmax"), "_safe_softmax")
register(OperatorRecord(kind="free", word="max_pool"), "max_pool2d_with_indices", "max_pool3d_with_indices")
register(OperatorRecord(kind="free", word="index"), "index_select")
register(
    OperatorRecord(kind="free", makes=True),
    "arange", "empty_like", "full_like", "new_empty", "new_empty_strided", "new_full", "new_ones", "new_zeros",
    "ones_like", "rand_like", "randn_like", "randint_like", "zeros_like",
)  # fmt: skip

# A move of the same numbers to another place, or a look at them, is no layer of a network.
register(
    OperatorRecord(kind="move"),
    "clone", "_unsafe_view", "copy", "lift", "lift_fresh", "lift_fresh_copy", "contiguous", "detach", "alias_copy",
    "_reshape_copy", "_reshape_alias", "fill", "zero", "item", "_local_scalar_dense", "_pin_memory", "unsafe_split",
    "unsafe_chunk", "unsafe_split_with_sizes", "sym_size", "sym_numel", "_assert_async", "_assert_scalar", "equal",
    "_assert_tensor_metadata", "_functional_assert_async", "is_same_size", "resolve_conj", "resolve_neg", "resize",
    "resize_as", "set", "_is_all_true", "_is_any_true", "squeeze_", "unsqueeze_", "t_", "transpose_", "as_strided_",
    "detach_",
)  # fmt: skip
register(OperatorRecord(kind="move", word="to"), "_to_copy")

WORDS = {
    **dict.fromkeys((f"conv{kind}{axes}d" for kind in ("", "_transpose") for axes in (1, 2, 3)), "conv"),
    **dict.fromkeys(("inner", "tensordot", "chain_matmul", "multi_dot"), "matmul"),
    **dict.fromkeys(("concat", "concatenate"), "cat"),
    **dict.fromkeys(("multiply", "rmul", "imul"), "mul"),
    **dict.fromkeys(("radd", "iadd"), "add"),
    **dict.fromkeys(("subtract", "rsub", "isub"), "sub"),
    **dict.fromkeys(("divide", "true_divide", "truediv", "rtruediv", "itruediv", "rdiv", "idiv"), "div"),
    "hardtanh": "relu6",
    **dict.fromkeys(("interpolate", "upsample_nearest", "upsample_bilinear"), "upsample"),
    **dict.fromkeys(("rnn_tanh", "rnn_relu"), "rnn"),
    **dict.fromkeys(("rnn_tanh_cell", "rnn_relu_cell"), "rnn_cell"),
    "cudnn_batch_norm": "batch_norm",
    "getitem": "index",
    "scaled_dot_product_attention": "attention",
    "grid_sampler": "grid_sample",
    "setitem": "copy",
}
"""The word for a function that code calls, where it is not its own name."""

NUMBERED = (
    "adaptive_avg_pool", "adaptive_max_pool", "avg_pool", "max_pool", "lp_pool", "fractional_max_pool", "max_unpool",
    "upsample_nearest", "upsample_bilinear", "upsample_bicubic", "upsample_linear", "upsample_trilinear",
    "reflection_pad", "replication_pad", "constant_pad", "grid_sampler",
)  # fmt: skip
"""Operators with the number of axes at the end of their name."""

_AXES = re.compile(r"(_exact)?(\d?d|_nd)?(_aa)?$")


def base(name: str) -> str:
    """The operator's name without its namespace, its overload, and the mark of an in-place one.

    >>> base("aten.add_.Tensor"), base("torchvision.roi_align.default")
    ('add', 'torchvision.roi_align')
    """
    space, _, rest = name.partition(".")
    short = rest.rpartition(".")[0] or rest
    short = short if short in OPERATORS else short.rstrip("_")
    return short if space in ("aten", "prims", "prim") else f"{space}.{short}"


def word(name: str) -> str:
    """The field's name for a function or an operator, given its bare name.

    >>> word("max_pool2d"), word("__iadd__"), word("native_layer_norm"), word("relu_")
    ('max_pool', 'add', 'layer_norm', 'relu')
    """
    record = OPERATORS.get(name)
    if record is not None and record.word:
        return record.word
    bare = name.strip("_").removeprefix("native_")
    if bare in WORDS:
        return WORDS[bare]
    stem = _AXES.sub("", bare)
    if stem in NUMBERED:
        return "pad" if stem.endswith("_pad") else "upsample" if stem.startswith("upsample") else WORDS.get(stem, stem)
    return bare
