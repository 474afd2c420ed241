"""Two modes that watch a run: one sees the functions that code calls, the other the operators that run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from sepcalc.readers.pytorch.operators import OPERATORS
from sepcalc.readers.trace import OperatorKind


@contextmanager
def separate_kernels() -> Iterator[None]:
    """Switch off the kernels that run a whole layer at once and so hide its operators."""
    private: Any = torch._C
    before = torch.backends.mha.get_fastpath_enabled(), private._get_mkldnn_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    private._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before[0])
        private._set_mkldnn_enabled(before[1])


class Functions(TorchFunctionMode):
    """Sees each function that the code calls on tensors.

    ``called(name, func, args, kwargs, named=...)`` calls the function and returns its result; a function that consists
    of others runs in the context ``within(name)``.
    """

    def __init__(self, called: Callable[..., Any], within: Callable[[str], AbstractContextManager[None]]) -> None:
        super().__init__()
        self.called, self.within = called, within

    def __torch_function__(
        self, func: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Report the function, unless it only reads a tensor's attribute."""
        kwargs = kwargs or {}
        bare = func.__name__
        if bare in _QUESTIONS:
            return func(*args, **kwargs)
        name = _name(func)
        if func is nn.functional.multi_head_attention_forward:
            with self.within(name), _unguarded(), self:
                return func(*args, **kwargs)
        if bare in _SYMBOLS and _stands_at_symbol(sys._getframe(1)):
            name = f"torch.Tensor.__{_SYMBOLS[bare]}__"
        named = name.startswith("torch.Tensor.") or _looked_up(func, sys._getframe(1))
        return self.called(name, func, args, kwargs, named=named)


class Operators(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types for this mode
    """Sees each operator that runs; ``ran(func, args, output)`` is called after it."""

    def __init__(self, ran: Callable[[Any, tuple[Any, ...], Any], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the same
        self.ran = ran

    def __torch_dispatch__(
        self, func: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run the operator and report it; one that consists of others is run as these."""
        kwargs = kwargs or {}
        if func.namespace == "prim":  # a question, such as on which device a tensor is
            return func(*args, **kwargs)
        if _is_composite(func):
            with self:
                return func.decompose(*args, **kwargs)
        output = func(*args, **kwargs)
        self.ran(func, (*args, *kwargs.values()), output)
        return output


@contextmanager
def _unguarded() -> Iterator[None]:
    """Let ``multi_head_attention_forward`` run its body under a function mode, rather than be handed to it again."""
    functional: Any = nn.functional
    guard = functional.has_torch_function
    functional.has_torch_function = lambda _: False
    try:
        yield
    finally:
        functional.has_torch_function = guard


_QUESTIONS = frozenset({"__get__", "__set__", "dim", "size", "__len__"})

_SYMBOLS = {
    "add": "add", "sub": "sub", "mul": "mul", "matmul": "matmul", "div": "truediv", "true_divide": "truediv",
}  # fmt: skip
"""Methods that a symbol between tensors calls, and the symbol's own method (``__add__``)."""


def _stands_at_symbol(frame: Any) -> bool:
    """Whether the code stands at ``a + b`` rather than at a call."""
    from dis import opname

    return bool(opname[frame.f_code.co_code[frame.f_lasti]].startswith(("BINARY_", "INPLACE_")))


_BETWEEN = frozenset({"torch.overrides", "torch._jit_internal"})
"""PyTorch's own modules between a function and the code that calls it."""


def _looked_up(func: Any, frame: Any) -> bool:
    """Whether the code looks the function up in PyTorch's namespace, as in ``F.relu(x)``.

    ``self.activation(x)`` and a name imported from there are no such calls.
    """
    bare = func.__name__
    own = {bare, f"_{bare}", f"{bare}_with_indices"}
    while frame.f_back is not None and (frame.f_globals.get("__name__") in _BETWEEN or frame.f_code.co_name in own):
        frame = frame.f_back
    if frame.f_globals is vars(nn.functional):
        return True
    return bare in frame.f_code.co_names and frame.f_globals.get(bare) is not func


@cache
def _is_composite(func: Any) -> bool:
    """Whether torch itself defines the operator as a chain of others. Fake tensors are handed it whole."""
    private: Any = torch._C
    return func.namespace == "aten" and bool(
        private._dispatch_has_kernel_for_dispatch_key(func.name(), "CompositeImplicitAutograd")
    )


def _name(func: Any) -> str:
    """The name by which code reaches a function."""
    name = func.__name__
    if getattr(nn.functional, name, None) is func:
        return f"torch.nn.functional.{name}"
    if hasattr(func, "__objclass__") or func.__module__ == "torch._tensor":
        return f"torch.Tensor.{name}"
    if getattr(torch, name, None) is func:
        return f"torch.{name}"
    return f"{(func.__module__ or 'torch').replace('torch._C._nn', 'torch.nn.functional')}.{name}"


@cache
def kind(func: Any, short: str) -> OperatorKind:
    """The kind of an operator of the dispatcher, by its record and by torch's own tags."""
    if func.is_view:
        return "view"
    if record := OPERATORS.get(short):
        return record.kind
    # The form that works in place often lacks the tags of the other.
    plain = getattr(torch.ops.aten, short, None)
    forms = (func, *(getattr(plain, overload) for overload in (plain.overloads() if plain else ())))
    tags = {tag for form in forms for tag in form.tags}
    return "free" if torch.Tag.pointwise in tags or _REDUCTION in tags else "unknown"


_REDUCTION = getattr(torch.Tag, "reduction", None)
