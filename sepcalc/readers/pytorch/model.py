"""A PyTorch model, named as ``module:callable``, run once and read as a trace.

The model is built and run on the meta device, where tensors have shapes and no values: nothing is computed, and a
large model needs no more memory than a small one. If the code asks for values, the model is run with its weights alone
on the meta device, then on torch's fake tensors, then on real ones, and the trace says so.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from warnings import catch_warnings, simplefilter

from sepcalc.core.errors import MissingExtraError
from sepcalc.readers.inputs import Input, Request
from sepcalc.readers.pytorch.source import ModelError, article, beside, error_summary, find
from sepcalc.readers.trace import Trace

try:
    import torch
    from torch import nn

    from sepcalc.readers.pytorch.recorder import RunError, record
except ImportError as missing:
    if missing.name != "torch":
        raise
    raise MissingExtraError("torch", "importing a PyTorch model") from missing

DEFAULT_INPUT = (1, 3, 224, 224)
"""One image, where neither the user nor the model names an input."""

WAYS = {
    "meta": "on the meta device",
    "weights on meta": "with its weights alone on the meta device",
    "fake": "on fake tensors",
    "real": "on real tensors",
}
"""The ways to run a model, from the cheapest to the one that always works, and their words in a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that can be run as ``module(*args, **kwargs)``; ``given`` are these inputs as shapes."""

    module: nn.Module
    given: tuple[Input, ...]
    args: tuple[torch.Tensor, ...]
    kwargs: Mapping[str, torch.Tensor]


def build(request: Request) -> Model:
    """The requested model with real weights and random floating-point inputs, not run. Raises as :func:`load` does."""
    with redirect_stdout(sys.stderr), beside(request.source), ExitStack() as stack:
        try:
            model = _ready(stack, "real", find(request.source), request)
        except _FailedError as failure:
            raise failure.explained() from failure.error
    for tensor in (*model.args, *model.kwargs.values()):
        if tensor.is_floating_point():
            tensor.normal_()
    return model


def load(request: Request) -> Trace:
    """The trace of one run of the model that the request names as ``module:callable`` or ``file.py:callable``.

    Without inputs, the model gets the input that it names itself (as timm's do), or one image of 224×224.

    Raises :class:`SepcalcError` where there is no such callable, and with the error of the model's own code.
    """
    # The model's code may print, which is no part of the answer.
    with redirect_stdout(sys.stderr), beside(request.source):
        return trace(find(request.source), request)


def trace(target: Any, request: Request, *, ways: Sequence[str] = tuple(WAYS)) -> Trace:
    """The trace of ``target``, a model or its constructor, run in the first of ``ways`` that works.

    An existing model is run as it is; the request's source is then only its name. Raises as :func:`load` does.
    """
    first: BaseException | None = None
    ways = ("real",) if isinstance(target, nn.Module) else ways
    for way in ways:
        try:
            done = _attempt(way, target, request)
        except _FailedError as failure:
            first = first or failure.error
            if way == ways[-1] or not failure.about_values:
                raise failure.explained() from failure.error
            continue
        why = (f"{request.source} was run {WAYS[way]}, since {error_summary(first)}",) if first else ()
        return replace(done, notes=(*done.notes, *why))
    raise ValueError("ways is empty; name one")


def count_modules(request: Request) -> dict[str, int]:
    """FLOPs of each module of the requested model by its path, as ``torch.utils.flop_counter`` counts a run of its own.

    The whole model has an empty path. Raises as :func:`load` does.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with redirect_stdout(sys.stderr), beside(request.source):
        target, ways = find(request.source), list(WAYS)
        while ways:
            with FlopCounterMode(display=False) as counter:
                try:
                    trace(target, request, ways=(ways.pop(0),))
                    break
                except ModelError:
                    if not ways:
                        raise
    counts = {name: sum(flops.values()) for name, flops in counter.get_flop_counts().items()}
    return {name.partition(".")[2]: flops for name, flops in counts.items() if name != "Global"}


class _FailedError(Exception):
    """The model's code raised ``error`` while it was built, or at ``place`` while it ran on the inputs ``given``."""

    def __init__(
        self, error: BaseException, request: Request, given: Sequence[Input] | None = None, *, place: str = ""
    ) -> None:
        super().__init__(request.source)
        self.error, self.request, self.given, self.place = error, request, given, place

    @property
    def about_values(self) -> bool:
        """Whether tensors with values might help; an error of a constructor may always be about values."""
        text = f"{type(self.error).__name__} {self.error}".lower()
        told = isinstance(self.error, NotImplementedError) or any(word in text for word in _ABOUT_VALUES)
        return told or (self.given is None and not isinstance(self.error, TypeError))

    def explained(self) -> ModelError:
        reason, source = error_summary(self.error, self.place), self.request.source
        if self.given is None:
            return ModelError(f"{source} cannot be built: {reason}; check it and its --arg")
        given = ", ".join(map(str, self.given))
        cure = "check --input" if self.request.inputs else "give its --input"
        return ModelError(f"{source} does not run on input {given}: {reason}; {cure}")


_ABOUT_VALUES = (
    "meta", "fake", "tensor subclass", "datadependent", "dynamicoutput", "unsupportedoperator", "no data",
    "data-dependent",
)  # fmt: skip


def _attempt(way: str, target: Any, request: Request) -> Trace:
    source = request.source
    with ExitStack() as stack:
        model = _ready(stack, way, target, request)
        try:
            done = record(model.module, model.args, model.kwargs, _title(request))
        except RunError as failed:
            raise _FailedError(failed.error, request, model.given, place=failed.place) from failed.error
    shown = ", ".join(map(str, model.given))
    notes = () if request.inputs else (f"no --input was given; {source} was run on {shown}",)
    return replace(done, source=f"{source}, input {shown}", notes=notes)


def _ready(stack: ExitStack, way: str, target: Any, request: Request) -> Model:
    """The model and its inputs; it can be run in this ``way`` for as long as ``stack`` is open."""
    # Warnings are about values and speed, which do not matter here.
    stack.enter_context(catch_warnings())
    simplefilter("ignore")
    try:
        built = target if isinstance(target, nn.Module) else _built(stack, way, partial(target, **request.arguments))
    except (Exception, SystemExit) as error:
        raise _FailedError(error, request) from error
    if not isinstance(built, nn.Module):
        returned = article(type(built).__name__)
        raise ModelError(f"{request.source} returned {returned}, not a torch.nn.Module; name a model")
    given = request.inputs or (_named_by(built),)
    device = "meta" if "meta" in way else "cpu"
    if device == "meta":
        stack.enter_context(torch.device(device))
    tensors = [(one.name, torch.zeros(one.shape, dtype=getattr(torch, one.dtype), device=device)) for one in given]
    return Model(
        module=built,
        given=given,
        args=tuple(tensor for name, tensor in tensors if name is None),
        kwargs={name: tensor for name, tensor in tensors if name is not None},
    )


def _built(stack: ExitStack, way: str, build: Callable[[], Any]) -> Any:
    """The model; fake tensors live for as long as ``stack`` is open."""
    if way == "weights on meta":
        return _with_weights_on_meta(build)
    if way == "fake":
        from torch._subclasses.fake_tensor import FakeTensorMode

        stack.enter_context(FakeTensorMode(allow_non_fake_inputs=True))
    with torch.device("meta") if way == "meta" else nullcontext():
        return build()


def _with_weights_on_meta(build: Callable[[], Any]) -> Any:
    """Build with real tensors, but move each weight to the meta device once it belongs to a module."""
    original = nn.Module.register_parameter

    def register(self: nn.Module, name: str, param: nn.Parameter | None) -> None:
        if param is not None and not param.is_meta:
            param = nn.Parameter(param.to("meta"), requires_grad=param.requires_grad)
        original(self, name, param)

    patched: Any = nn.Module
    patched.register_parameter = register
    try:
        built = build()
    finally:
        patched.register_parameter = original
    for module in built.modules() if isinstance(built, nn.Module) else ():
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else buffer.to("meta")
    return built


def _named_by(model: nn.Module) -> Input:
    """The input that the model names itself, or the usual image."""
    size: Any = getattr(model, "pretrained_cfg", None) or getattr(model, "default_cfg", None)
    size = size.get("input_size") if isinstance(size, Mapping) else None
    if isinstance(size, (list, tuple)) and all(isinstance(length, int) and length > 0 for length in size):
        return Input(shape=(1, *size))
    return Input(shape=DEFAULT_INPUT)


def _title(request: Request) -> str:
    name = request.source.rpartition(":")[2]
    given = ", ".join(f"{key}={value}" for key, value in request.arguments.items())
    return f"{name}({given})" if given else name
