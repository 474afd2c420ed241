"""One run of a PyTorch model, watched at three levels at once.

Hooks see the modules, a function mode the functions that the code calls (``F.linear`` is one operator there, and
several below), a dispatch mode the operators that run. On the meta device nothing is computed and nothing stored: a run
costs microseconds an operator, whatever the model's size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from sepcalc.core.layers import INPUT, Part, Tap, writer_of
from sepcalc.readers.pytorch.modes import Functions, Operators, kind, separate_kernels
from sepcalc.readers.pytorch.operators import OPERATORS, base, word
from sepcalc.readers.pytorch.parameters import Ownership, Read
from sepcalc.readers.pytorch.values import Layout, is_plain, layout, plain, shape, shapes, storage, tensors
from sepcalc.readers.trace import AtenCall, Config, Module, ModuleCall, Operation, Parameter, Shape, Trace


class RunError(Exception):
    """The model raised ``error`` while the module at ``place`` ran."""

    def __init__(self, error: Exception, place: str) -> None:
        super().__init__(place)
        self.error, self.place = error, place


def record(model: nn.Module, inputs: Sequence[torch.Tensor], named: Mapping[str, torch.Tensor], name: str) -> Trace:
    """The trace of one run of ``model`` in evaluation mode.

    Raises :class:`RunError` from an error of the model.
    """
    model.eval()
    run = None
    with torch.no_grad(), separate_kernels():
        try:
            if any(nn.parameter.is_lazy(parameter) for parameter in model.parameters()):
                model(*inputs, **named)
            run = _Run(model)
            run.wrote(None, (*inputs, *named.values()))
            with run.hooks(model), Functions(run.called, run.within), Operators(run.ran):
                returned = model(*inputs, **named)
        except Exception as error:
            raise RunError(error, run.place if run else "") from error
    return Trace(
        name=name,
        inputs=shapes((*inputs, *named.values())),
        parameters=run.parameters,
        modules=run.modules,
        calls=tuple(run.calls),
        operations=tuple(run.attributed()),
        outputs=tuple(run.taps(tensors((returned,)))),
    )


@dataclass(slots=True)
class _Function:
    """A function that is running, and the operators below it so far."""

    name: str
    arguments: tuple[object, ...]
    options: Config
    inputs: tuple[Shape, ...]
    named: bool = True
    aten: list[AtenCall] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)
    constant: bool = True
    taps: dict[int, Tap] = field(default_factory=dict)
    index: int = INPUT
    """Of its operation in the trace, once it has run."""


class _Run:
    def __init__(self, model: nn.Module) -> None:
        weights, named = dict(model.named_parameters()), list(model.named_modules())
        self.parameters = tuple(Parameter(name=name, shape=shape(weight)) for name, weight in weights.items())
        self.ownership = Ownership(list(weights.values()), model.buffers())
        self.indices = {id(module): index for index, (_, module) in enumerate(named)}
        places = self.indices | {id(weight): index for index, weight in enumerate(weights.values())}
        self.modules = tuple(_module(path, module, places) for path, module in named)
        self.calls: list[ModuleCall] = []
        self.stack: list[int] = []
        self.inside: list[str] = []
        self.function: _Function | None = None
        self.operations: list[Operation] = []
        self.writers: dict[int, tuple[_Function | None, Layout]] = {}
        """The function that last wrote to each piece of memory, none for the input, and the layout that it wrote."""

    @property
    def place(self) -> str:
        """The innermost module that is running: its path and its class."""
        module = self.modules[self.calls[self.stack[-1]].module] if self.stack else None
        return f"{module.path} ({module.cls})" if module and module.path else ""

    @contextmanager
    def hooks(self, model: nn.Module) -> Iterator[None]:
        with ExitStack() as handles:
            for module in model.modules():
                # A scripted module takes no hooks; its operators count as its parent's.
                if isinstance(module, torch.jit.ScriptModule):
                    continue
                before = module.register_forward_pre_hook(self.enter, with_kwargs=True)
                after = module.register_forward_hook(self.leave)
                handles.callback(before.remove)
                handles.callback(after.remove)
            yield

    def enter(self, module: nn.Module, args: Any, kwargs: Mapping[str, Any]) -> None:
        call = ModuleCall(
            module=self.indices[id(module)],
            parent=self.stack[-1] if self.stack else None,
            depth=len(self.stack),
            inputs=shapes(args),
            outputs=(),
            named={key: shape(value) for key, value in kwargs.items() if isinstance(value, torch.Tensor)},
        )
        self.stack.append(len(self.calls))
        self.calls.append(call)

    def leave(self, _module: nn.Module, _args: Any, output: Any) -> None:
        index = self.stack.pop()
        self.calls[index] = replace(self.calls[index], outputs=shapes((output,)))

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """A function that consists of others runs as long as this lasts."""
        self.inside.append(name)
        try:
            yield
        finally:
            self.inside.pop()

    def called(self, name: str, func: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, named: bool) -> Any:
        """Call a function and record its operators."""
        outer = self.function
        self.function = function = _Function(
            name,
            tuple(plain(value) for value in args),
            {key: plain(value) for key, value in kwargs.items()},
            shapes((*args, *kwargs.values())),
            named,
        )
        try:
            output = func(*args, **kwargs)
            self.close(function, output)
        finally:
            self.function = outer
        return output

    def ran(self, func: Any, args: tuple[Any, ...], output: Any) -> None:
        """An operator of the dispatcher is done; one that no function called is a function of its own."""
        name = str(func)
        short = base(name)
        makes = short in OPERATORS and OPERATORS[short].makes
        given, written = [] if makes else list(tensors(args)), list(tensors((output,)))
        constant = self.ownership.follow(given, written, view=func.is_view)
        if not given:
            for tensor in written:
                self.writers.pop(storage(tensor), None)
            return
        call = AtenCall(
            name=name,
            inputs=shapes(given),
            outputs=shapes(written),
            arguments=tuple(plain(value) for value in args),
            kind=kind(func, short),
        )
        function = self.function or _Function("", (), {}, call.inputs)
        function.aten.append(call)
        for tap in self.taps(given, function):  # the first look at a result, not the function's own views of it
            function.taps.setdefault(writer_of(tap), tap)
        if call.kind != "view":
            self.wrote(function, written)
        if call.kind != "view":
            function.constant &= constant
            function.reads += self.ownership.reads(short, args)
        if function is not self.function:
            self.close(function, output)

    def wrote(self, function: _Function | None, written: Iterable[torch.Tensor]) -> None:
        """Note who wrote these tensors."""
        self.writers.update((storage(tensor), (function, layout(tensor))) for tensor in written)

    def taps(self, given: Iterable[torch.Tensor], within: _Function | None = None) -> Iterator[Tap]:
        """Whose results these tensors are, but for those of a function that is running."""
        for tensor in given:
            writer, written = self.writers.get(storage(tensor), (within, ()))
            if writer is not within:
                index = INPUT if writer is None else writer.index
                # A part, or the numbers in other rows than they were written in.
                yield index if layout(tensor) == written else Part(index, 0, 0)

    def close(self, function: _Function, output: Any) -> None:
        if all(call.kind == "view" for call in function.aten):
            return
        called = _word(function)
        function.index = len(self.operations)
        # What it returns may be a view of what its operators wrote.
        mine = [tensor for tensor in tensors((output,)) if self.writers.get(storage(tensor), (None,))[0] is function]
        self.wrote(function, mine)
        products = [call for call in function.aten if call.kind == "product"]
        attributes: Config = {"arguments": function.arguments, **function.options}
        weight = function.inputs[1] if called == "linear" and len(function.inputs) > 1 else None
        if called == "conv" and len(products) == 1:
            attributes, weight = _convolution(function, products[0]), products[0].inputs[1]
        self.operations.append(
            Operation(
                word=called,
                function=function.name,
                call=self.stack[-1] if self.stack else 0,
                inputs=function.inputs,
                outputs=shapes((output,)),
                weight=weight,
                attributes=attributes,
                uses=self.ownership.uses(function.reads, called, constant=function.constant, product=bool(products)),
                aten=tuple(function.aten),
                inside=tuple(self.inside),
                constant=function.constant,
                taps=tuple(function.taps.values()),
                named=function.named,
            )
        )

    def attributed(self) -> Iterable[Operation]:
        """The operators, once every parameter that any of them read has its owner."""
        for operation in self.operations:
            uses = tuple(map(self.ownership.late, operation.uses))
            yield operation if uses == operation.uses else replace(operation, uses=uses)


def _word(function: _Function) -> str:
    """The field's name for a function; an operator of another library has it from its record, if there is one."""
    operator = function.name.removeprefix("torch._ops.")
    if operator not in OPERATORS:
        operator = function.name.rpartition(".")[2] or base(function.aten[-1].name)
    return word(operator)


def _convolution(function: _Function, call: AtenCall) -> Config:
    """The attributes of a convolution from ``aten.convolution``, and ``same`` or ``valid`` if its padding is a word."""
    words = [value for value in (*function.arguments, *function.options.values()) if value in ("same", "valid")]
    given: Any = call.arguments
    kernel = call.inputs[1][2:]
    # One number stands for all axes.
    stride, padding, dilation, extra = (
        axes if len(axes) == len(kernel) else axes * len(kernel) for axes in (*given[3:6], given[7])
    )
    return {
        "kernel": kernel,
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "transposed": given[6],
        "output_padding": extra,
        "groups": given[8],
        "bias": given[2] is not None,
        **({"padding_word": words[0]} if words else {}),
    }


def _module(path: str, module: nn.Module, places: Mapping[int, int]) -> Module:
    """A module with its parameters and children by their places in the trace."""
    return Module(
        path=path,
        qualname=f"{type(module).__module__}.{type(module).__qualname__}",
        own=tuple((name, places[id(own)]) for name, own in module._parameters.items() if own is not None),
        children=tuple((name, places[id(child)]) for name, child in module._modules.items() if child is not None),
        config={key: plain(value) for key, value in vars(module).items() if key[:1] != "_" and is_plain(value)},
    )
