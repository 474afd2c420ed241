"""Modules under the clock: the same conditions for all of them, and a check of each before it is timed.

What is timed is one call of a module on random numbers, in inference mode and evaluation mode; with ``backward``
it is a forward and a backward pass in training mode, with the gradients of the weights and of the input. Numbers
are random, since zeros and denormals take another time than others on some hardware. Weights are those that the
module has. A module that is timed is a copy, so the one that was given stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

from sepcalc.builders.prediction import Counted
from sepcalc.core.errors import MissingExtraError, SepcalcError, SpecError, closest
from sepcalc.measure.conditions import DTYPES, Conditions
from sepcalc.measure.loop import Call
from sepcalc.readers.inputs import Input

try:
    import torch
    from torch import nn
except ImportError as missing:
    raise MissingExtraError("torch", "measuring") from missing

from sepcalc.builders.torch_stages import counted
from sepcalc.measure.pytorch.devices import usable_devices
from sepcalc.readers.pytorch.values import tensors

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""The channels-last form of a tensor, by its dimensions: one for the batch, one for channels, and the axes."""


def check_usable(conditions: Conditions) -> None:
    """Raise :class:`SepcalcError` for a device that is not there, or a dtype that no module has."""
    here = usable_devices()
    if conditions.device not in here:
        built = f"PyTorch {torch.__version__}"
        raise SepcalcError(f"{built} has no device '{conditions.device}' here; give one of: {', '.join(here)}")
    if conditions.dtype not in DTYPES:
        raise SepcalcError(f"a module cannot compute in '{conditions.dtype}'{closest(conditions.dtype, DTYPES)}")


@contextmanager
def held(conditions: Conditions) -> Iterator[None]:
    """Hold what all candidates of one measurement share, and put everything back afterwards.

    These are the threads, whether gradients are kept track of, and on CUDA two choices: TF32 is allowed wherever
    PyTorch knows it (for convolutions that is its default), and cuDNN tries its algorithms in the warm-up and keeps
    the fastest. On a CPU, memory that a call gives back stays with the program for the next one.

    Raises :class:`SepcalcError` as :func:`check_usable` does.
    """
    check_usable(conditions)
    with ExitStack() as stack:
        threads = torch.get_num_threads()
        stack.callback(torch.set_num_threads, threads)
        torch.set_num_threads(conditions.threads)
        if conditions.device == "cuda":
            for owner, name in CUDA_SWITCHES:
                stack.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, True)
        if conditions.device == "cpu":
            torch.empty(LARGE_BLOCK, dtype=torch.uint8)
        if conditions.compile:
            stack.enter_context(_compiled_each_for_itself())
        stack.enter_context(torch.inference_mode(not conditions.backward))
        stack.enter_context(torch.set_grad_enabled(conditions.backward))
        yield


LARGE_BLOCK = 31 * 2**20
"""The size in bytes of a block of memory that is let go of before anything is timed.

The C library of Linux gives every large block back to the system at once, and the next call pays for new pages, until
it has seen a block let go of that was as large; beyond 32 MiB it never learns. So what a layer of some MiB takes would
depend on what ran before it: twice as long as first of all, for some.
"""

CUDA_SWITCHES = (
    (torch.backends.cudnn, "allow_tf32"),
    (torch.backends.cuda.matmul, "allow_tf32"),
    (torch.backends.cudnn, "benchmark"),
)
"""What is on while a measurement on CUDA lasts."""


def _compiled_each_for_itself() -> Any:
    """Without the limit on how often one piece of code is compiled: beyond it, modules would run as they are."""
    from torch._dynamo import config

    changed: Any = config
    return changed.patch(cache_size_limit=10**6, accumulated_cache_size_limit=10**6)


def built(make: Callable[[], nn.Module]) -> nn.Module:
    """What ``make`` makes, also while conditions are held, with weights that a copy can share."""
    with torch.inference_mode(False):
        return make()


def prepare(module: nn.Module, inputs: Sequence[Input], conditions: Conditions, *, seed: int = 0) -> Call:
    """One run of a copy of ``module`` under ``conditions``: call it while they are :func:`held`.

    The first dimension of every input is its batch, and is multiplied by that of the conditions. Inputs of
    floating point become random in the dtype of the conditions, and follow from ``seed``; others are zeros.

    Raises :class:`SpecError` for a memory format that none of the inputs has, and what torch raises where the
    module has no room.
    """
    if conditions.channels_last and not any(len(each.shape) in FORMATS for each in inputs):
        shapes = ", ".join(map(str, inputs))
        raise SpecError(f"channels-last is for maps of two or three axes, and input {shapes} is none; leave it out")
    with torch.inference_mode(False), torch.no_grad():
        copy = _copied(module, partial(_placed, conditions=conditions)).train(conditions.backward)
        chance = torch.Generator().manual_seed(seed)
        filled = [(each.name, _filled(each, conditions, chance)) for each in inputs]
    arguments = [tensor for name, tensor in filled if name is None]
    named = {name: tensor for name, tensor in filled if name is not None}
    run = torch.compile(copy, dynamic=False) if conditions.compile else copy
    forward = partial(run, *arguments, **named)
    if not conditions.backward:
        return forward
    return _with_backward(forward, [*arguments, *named.values(), *copy.parameters()], chance)


def check(name: str, module: nn.Module, inputs: Sequence[Input], predicted: Counted, conditions: Conditions) -> None:
    """Hold ``module`` against what was ``predicted`` of it for one example, before it is timed.

    It runs once on the meta device, without its values, and only where its code asks for values with them.

    Raises :class:`SepcalcError` which says what differs, and what the module raises where it does not run.
    """
    try:
        found = _counted_on("meta", module, inputs, conditions)
    except Exception:  # whatever a model's code does with tensors that have no values
        found = _counted_on("cpu", module, inputs, conditions)
    wrong = replace(predicted, flops=predicted.flops * conditions.batch).differences(found)
    if wrong:
        raise SepcalcError(
            f"{name} was not timed, since its module is not what was counted: {wrong}; this is a fault of sepcalc"
        )


def _counted_on(device: str, module: nn.Module, inputs: Sequence[Input], conditions: Conditions) -> Counted:
    copy = _copied(module, lambda tensor: tensor.to(device)).eval()
    made = [(each.name, _zeros(each, conditions.batch, device)) for each in inputs]
    return counted(
        copy,
        *(tensor for name, tensor in made if name is None),
        **{name: tensor for name, tensor in made if name is not None},
    )


def _copied(module: nn.Module, move: Callable[[torch.Tensor], torch.Tensor]) -> nn.Module:
    """A copy of ``module`` with its tensors as ``move`` makes them, and without a second copy of any on the way.

    Weights that need no move are shared with ``module``: nothing here writes into a weight. Buffers never are.
    """
    memo: dict[int, Any] = {}
    for weight in module.parameters():
        moved = move(weight.detach())
        # A module that was built in inference mode has weights that cannot take gradients; a copy can.
        free = moved.clone() if moved.is_inference() else moved
        memo[id(weight)] = nn.Parameter(free, requires_grad=weight.requires_grad)
    for buffer in module.buffers():
        moved = move(buffer)
        memo[id(buffer)] = moved.clone() if moved is buffer else moved
    return deepcopy(module, memo)


def _placed(tensor: torch.Tensor, conditions: Conditions) -> torch.Tensor:
    """``tensor`` on the device of the conditions, in their dtype if it is of floating point, in their format."""
    dtype = getattr(torch, conditions.dtype) if tensor.is_floating_point() else tensor.dtype
    moved = tensor.to(device=conditions.device, dtype=dtype)
    form = FORMATS.get(tensor.dim()) if conditions.channels_last else None
    return moved if form is None else moved.contiguous(memory_format=form)


def _zeros(given: Input, batch: int, device: str) -> torch.Tensor:
    first, *rest = given.shape
    return torch.zeros(first * batch, *rest, dtype=getattr(torch, given.dtype), device=device)


def _filled(given: Input, conditions: Conditions, chance: torch.Generator) -> torch.Tensor:
    """An input under ``conditions``; with ``backward`` it takes a gradient, as the output of a layer before it does."""
    made = _zeros(given, conditions.batch, "cpu")
    if not made.is_floating_point():
        return made.to(conditions.device)
    values = torch.randn(made.shape, generator=chance)
    return _placed(values, conditions).requires_grad_(conditions.backward)


def _with_backward(forward: Call, wanted: Sequence[torch.Tensor], chance: torch.Generator) -> Call:
    """A forward and a backward pass; the gradients are let go of at the end, so none is added to an earlier one."""
    leaves = [each for each in wanted if each.requires_grad]
    gradients: list[torch.Tensor] = []

    def run() -> None:
        outputs = [each for each in tensors((forward(),)) if each.requires_grad]
        if not gradients:  # the first call, which is a part of the warm-up
            gradients.extend(_like(each, chance) for each in outputs)
        torch.autograd.backward(outputs, gradients)
        for leaf in leaves:
            leaf.grad = None

    return run


def _like(tensor: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Random numbers in the shape, dtype, device and memory format of ``tensor``."""
    values = torch.randn(tensor.shape, generator=chance)
    return torch.empty_like(tensor, requires_grad=False).copy_(values)
