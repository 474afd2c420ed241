"""What PyTorch's operators are called, and which of them multiply and add."""

import pytest
import torch

from sepcalc.readers.pytorch.modes import kind
from sepcalc.readers.pytorch.names import FREE, MAKERS, MOVES, PRODUCTS, ROLES, base, word


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


def test_tables():
    """No operator is of two kinds, and those that have roles are known."""
    assert not PRODUCTS & FREE
    assert not PRODUCTS & MOVES
    assert set(ROLES) <= PRODUCTS | FREE


@pytest.mark.parametrize("name", sorted(PRODUCTS | MAKERS))
def test_there(name):
    """An operator of the tables is one of PyTorch's."""
    assert hasattr(torch.ops.aten, name)


@pytest.mark.parametrize("name", sorted(FREE | MOVES))
def test_there_in_some_form(name):
    """An operator without multiply-adds is one of PyTorch's, or the form without a mark of one in place."""
    assert hasattr(torch.ops.aten, name) or hasattr(torch.ops.aten, f"{name}_")


def test_kinds():
    """Tags and tables together say what an operator does; what neither knows is unknown."""
    aten = torch.ops.aten
    assert kind(aten.gelu_.default, "gelu") == kind(aten.hardswish_.default, "hardswish") == "free"
    known = [aten.relu.default, aten.sum.dim_IntList, aten.view.default, aten.clone.default, aten.mm.default]
    operators = [*known, aten._cdist_forward.default]
    kinds = [kind(each, base(str(each))) for each in operators]
    assert kinds == ["free", "free", "view", "move", "product", "unknown"]
