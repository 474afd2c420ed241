"""What PyTorch's operators are called, and which of them multiply and add."""

import pytest
import torch

from sepcalc.readers.pytorch.modes import kind
from sepcalc.readers.pytorch.operators import OPERATORS, base, word


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("conv_transpose2d", "conv"),
        ("__radd__", "add"),
        ("add_", "add"),
        ("max_pool2d_with_indices", "max_pool"),
        ("_adaptive_avg_pool2d", "adaptive_avg_pool"),
        ("constant_pad_nd", "pad"),
        ("_upsample_bicubic2d_aa", "upsample"),
        ("_native_batch_norm_legit_no_training", "batch_norm"),
        ("_safe_softmax", "softmax"),
        ("log2", "log2"),
    ],
)
def test_word(name, expected):
    """Functions and operators of one kind have one word, whatever number of axes they are for."""
    assert word(name) == expected


def test_records():
    """What is a product says of what, and nothing else does."""
    assert all((record.terms is not None) == (record.kind == "product") for record in OPERATORS.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_there(name):
    """An operator with a record is one of PyTorch's; without multiply-adds, also one that has only a form in place."""
    record = OPERATORS[name]
    in_place = record.kind != "product" and not record.makes
    assert hasattr(torch.ops.aten, name) or (in_place and hasattr(torch.ops.aten, f"{name}_"))


def test_kinds():
    """Tags and tables together say what an operator does; what neither knows is unknown."""
    aten = torch.ops.aten
    assert kind(aten.gelu_.default, "gelu") == kind(aten.hardswish_.default, "hardswish") == "free"
    known = [aten.relu.default, aten.sum.dim_IntList, aten.view.default, aten.clone.default, aten.mm.default]
    operators = [*known, aten._cdist_forward.default]
    kinds = [kind(each, base(str(each))) for each in operators]
    assert kinds == ["free", "free", "view", "move", "product", "unknown"]
