"""What PyTorch's operators are called in the field, and which of them have multiply-adds.

Three kinds: *products* (matrix products, convolutions and attention kernels, which are counted), *free* ones
(elementwise, reductions, norms, pooling, interpolation, whatever moves data: no multiply-adds by the rule), and
all others, which nobody here understands: they are uncounted, by name. PyTorch's own tags say of most
elementwise operators and reductions what they are; the tables here name the rest.
"""

from __future__ import annotations

import re

WORDS = {
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "convolution"),
        "conv",
    ),
    **dict.fromkeys(("mm", "mv", "dot", "vdot", "inner", "tensordot", "chain_matmul", "multi_dot"), "matmul"),
    **dict.fromkeys(("concat", "concatenate"), "cat"),
    **dict.fromkeys(("multiply", "rmul", "imul"), "mul"),
    **dict.fromkeys(("radd", "iadd"), "add"),
    **dict.fromkeys(("subtract", "rsub", "isub"), "sub"),
    **dict.fromkeys(("divide", "true_divide", "truediv", "rtruediv", "itruediv", "rdiv", "idiv"), "div"),
    **dict.fromkeys(("hardtanh",), "relu6"),
    **dict.fromkeys(("interpolate", "upsample_nearest", "upsample_bilinear"), "upsample"),
    **dict.fromkeys(("rnn_tanh", "rnn_relu"), "rnn"),
    **dict.fromkeys(("rnn_tanh_cell", "rnn_relu_cell"), "rnn_cell"),
    **dict.fromkeys(("getitem", "index_select"), "index"),
    **dict.fromkeys(("_to_copy", "to_copy"), "to"),
    **dict.fromkeys(
        ("batch_norm_legit", "batch_norm_legit_no_training", "batch_norm_legit_functional", "cudnn_batch_norm"),
        "batch_norm",
    ),
    "fused_rms_norm": "rms_norm",
    "scaled_dot_product_attention": "attention",
    "prelu_kernel": "prelu",
    "safe_softmax": "softmax",
    "max_pool2d_with_indices": "max_pool",
    "max_pool3d_with_indices": "max_pool",
    "grid_sampler": "grid_sample",
    "setitem": "copy",
}
"""The word for a function or an operator, where it is not its own name."""

NUMBERED = (
    "adaptive_avg_pool", "adaptive_max_pool", "avg_pool", "max_pool", "lp_pool", "fractional_max_pool", "max_unpool",
    "upsample_nearest", "upsample_bilinear", "upsample_bicubic", "upsample_linear", "upsample_trilinear",
    "reflection_pad", "replication_pad", "constant_pad", "grid_sampler",
)  # fmt: skip
"""Operators with the number of axes at the end of their name."""

PRODUCTS = frozenset({
    "mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "vdot", "convolution", "_convolution",
    "_addmm_activation", "_int_mm", "_scaled_mm",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention", "_scaled_dot_product_fused_attention_overrideable",
})  # fmt: skip
"""Operators of the dispatcher whose multiply-adds are counted."""

FREE = frozenset({
    # pooling, interpolation and padding
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool2d_with_indices",
    "max_pool3d_with_indices", "max_pool1d", "max_pool2d", "fractional_max_pool2d", "fractional_max_pool3d",
    "max_unpool2d", "max_unpool3d", "upsample_bicubic2d", "upsample_bilinear2d", "upsample_linear1d",
    "upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "upsample_trilinear3d",
    "_upsample_bicubic2d_aa", "_upsample_bilinear2d_aa", "_upsample_nearest_exact1d", "_upsample_nearest_exact2d",
    "_upsample_nearest_exact3d", "grid_sampler_2d", "grid_sampler_3d", "affine_grid_generator", "constant_pad_nd",
    "reflection_pad1d", "reflection_pad2d", "reflection_pad3d", "replication_pad1d", "replication_pad2d",
    "replication_pad3d",
    # norms and what has parameters of its own
    "native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "_batch_norm_no_update",
    "_batch_norm_with_update", "_native_batch_norm_legit_functional", "native_layer_norm", "native_group_norm",
    "_fused_rms_norm", "_weight_norm_interface", "renorm", "embedding", "_embedding_bag",
    "_embedding_bag_forward_only", "embedding_renorm_", "_prelu_kernel", "prelu",
    # activations and reductions that carry no tag
    "_softmax", "_log_softmax", "_safe_softmax", "log_sigmoid_forward", "glu", "hardswish", "hardsigmoid",
    "floor_divide", "mse_loss", "huber_loss", "smooth_l1_loss", "nll_loss_forward", "binary_cross_entropy",
    "rrelu_with_noise", "dropout", "native_dropout", "alpha_dropout", "_masked_scale", "cummax", "cummin", "cumprod",
    "cumsum", "logcumsumexp", "dist", "median", "nanmedian", "mode", "kthvalue", "trace", "histc", "bincount",
    "one_hot", "linalg_vector_norm", "polar", "complex", "equal",
    # what moves, makes or looks at data
    "_to_copy", "_unsafe_view", "_reshape_copy", "_pin_memory", "_reshape_alias", "alias_copy", "as_strided_copy",
    "as_strided_scatter", "block_diag", "broadcast_tensors", "bucketize", "searchsorted", "isin", "cat", "_chunk_cat",
    "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "col2im", "im2col", "copy", "diag", "diag_embed",
    "diagonal_scatter", "fill", "zero", "set", "flip", "gather", "index", "index_add", "index_copy", "index_fill",
    "index_put", "index_reduce", "index_select", "_unsafe_index", "_unsafe_index_put", "_unsafe_masked_index", "item",
    "_local_scalar_dense", "lift", "lift_fresh", "lift_fresh_copy", "masked_fill", "masked_scatter", "masked_select",
    "meshgrid", "multinomial", "nonzero", "nonzero_static", "pad_sequence", "_pack_padded_sequence",
    "_pad_packed_sequence", "repeat", "repeat_interleave", "resize", "resize_as", "roll", "rot90", "scatter",
    "scatter_add", "scatter_reduce", "select_scatter", "slice_scatter", "sort", "argsort", "stack", "take", "topk",
    "tril", "triu", "tril_indices", "triu_indices", "_unique", "_unique2", "unique_consecutive", "unique_dim",
    "unsafe_chunk", "unsafe_split", "unsafe_split_with_sizes", "split_with_sizes_copy", "_resize_output",
    "segment_reduce", "uniform", "normal", "bernoulli", "exponential", "threshold", "clone", "unfold_copy",
    "_assert_async", "_assert_scalar", "_assert_tensor_metadata", "_functional_assert_async", "sym_size", "sym_numel",
    "_is_all_true", "_is_any_true", "is_same_size", "squeeze_", "unsqueeze_", "t_", "transpose_", "as_strided_",
    "detach_", "resolve_conj", "resolve_neg",
})  # fmt: skip
"""Operators without multiply-adds that PyTorch does not tag as elementwise or as a reduction."""

MOVES = frozenset({
    "clone", "_unsafe_view", "_to_copy", "copy", "lift", "lift_fresh", "lift_fresh_copy", "contiguous", "detach",
    "alias_copy", "_reshape_copy", "_reshape_alias", "fill", "zero", "item", "_local_scalar_dense", "_pin_memory",
    "unsafe_split", "unsafe_chunk", "unsafe_split_with_sizes", "sym_size", "sym_numel", "_assert_async",
    "_assert_scalar", "equal", "_assert_tensor_metadata", "_functional_assert_async", "is_same_size", "resolve_conj",
    "resolve_neg", "resize", "resize_as", "set", "_is_all_true", "_is_any_true", "squeeze_", "unsqueeze_", "t_",
    "transpose_", "as_strided_", "detach_",
})  # fmt: skip
"""Operators that write the same numbers to another place, or that look at them: no layer of a network."""

MAKERS = frozenset({
    "arange", "empty_like", "full_like", "new_empty", "new_empty_strided", "new_full", "new_ones", "new_zeros",
    "ones_like", "rand_like", "randn_like", "randint_like", "zeros_like",
})  # fmt: skip
"""Operators that make a tensor of the shape of another, whatever that holds."""

ROLES = {
    "convolution": {1: "weight", 2: "bias"},
    "_convolution": {1: "weight", 2: "bias"},
    "addmm": {0: "bias", 2: "weight"},
    "native_layer_norm": {2: "weight", 3: "bias"},
    "native_batch_norm": {1: "weight", 2: "bias"},
    "native_group_norm": {1: "weight", 2: "bias"},
    "_fused_rms_norm": {2: "weight"},
    "embedding": {0: "weight"},
}
"""Which argument of an operator holds its weights."""


_AXES = re.compile(r"(_exact)?(\d?d|_nd)?(_aa)?$")


def base(name: str) -> str:
    """The operator's name without its namespace, its overload, and the mark of an in-place one.

    >>> base("aten.add_.Tensor"), base("torchvision.roi_align.default")
    ('add', 'torchvision.roi_align')
    """
    space, _, rest = name.partition(".")
    short = rest.rpartition(".")[0] or rest
    short = short if short in FREE else short.rstrip("_")
    return short if space in ("aten", "prims", "prim") else f"{space}.{short}"


def word(name: str) -> str:
    """What the field calls a function or an operator, given its bare name.

    >>> word("max_pool2d"), word("__iadd__"), word("native_layer_norm"), word("relu_")
    ('max_pool', 'add', 'layer_norm', 'relu')
    """
    bare = name.strip("_").removeprefix("native_")
    if bare in WORDS:
        return WORDS[bare]
    stem = _AXES.sub("", bare)
    if stem in NUMBERED:
        return "pad" if stem.endswith("_pad") else "upsample" if stem.startswith("upsample") else WORDS.get(stem, stem)
    return bare
