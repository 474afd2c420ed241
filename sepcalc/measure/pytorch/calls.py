"""Modules become calls to time: under the same conditions for all, and checked before they are timed.

A call runs a copy of a module with its own weights in inference and evaluation mode; with ``backward`` it is a forward
and a backward pass in training mode, with the gradients of the weights and of the input. It reads random numbers,
because zeros and denormals take another time on some hardware.
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
from sepcalc.core.runtime import resolve
from sepcalc.measure.conditions import DTYPES, Conditions
from sepcalc.measure.loop import Call
from sepcalc.readers.inputs import Input

try:
    import torch
    from torch import Tensor, nn
except ImportError as missing:
    raise MissingExtraError("torch", "measuring") from missing

from sepcalc.builders.torch_stages import counted
from sepcalc.measure.pytorch.devices import usable_devices
from sepcalc.readers.pytorch.values import tensors

FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""The channels-last form of a tensor, by its dimensions: one for the batch, one for channels, and the axes."""


def check_usable(conditions: Conditions) -> None:
    """Raise :class:`SepcalcError` for a device that is missing, or a dtype in which no module computes."""
    here = usable_devices()
    if conditions.device not in here:
        built = f"PyTorch {torch.__version__}"
        raise SepcalcError(f"{built} has no device '{conditions.device}' here; give one of: {', '.join(here)}")
    if conditions.dtype not in DTYPES:
        raise SepcalcError(f"a module cannot compute in '{conditions.dtype}'{closest(conditions.dtype, DTYPES)}")


@contextmanager
def held(conditions: Conditions) -> Iterator[None]:
    """A context with the settings that all candidates of one measurement share; it restores the old ones at the end.

    They are the threads and the tracking of gradients. On CUDA, TF32 is allowed wherever PyTorch knows it (its default
    for convolutions), and cuDNN tries its algorithms in the warm-up and takes the fastest. On a CPU, memory that a call
    frees stays with the program for the next call.

    Raises :class:`SepcalcError` as :func:`check_usable` does.
    """
    check_usable(conditions)
    with ExitStack() as stack:
        stack.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(conditions.threads)
        if conditions.device == "cuda":
            for owner, name in CUDA_SWITCHES:
                stack.callback(setattr, owner, name, getattr(owner, name))
                setattr(owner, name, True)
        if conditions.device == "cpu":
            torch.empty(LARGE_BLOCK, dtype=torch.uint8)
        if conditions.compile:
            # Beyond the limits on compiling one piece of code, modules would run uncompiled.
            config = resolve("torch._dynamo:config")
            stack.enter_context(config.patch(cache_size_limit=10**6, accumulated_cache_size_limit=10**6))
        stack.enter_context(torch.inference_mode(not conditions.backward))
        stack.enter_context(torch.set_grad_enabled(conditions.backward))
        yield


LARGE_BLOCK = 31 * 2**20
"""The size in bytes of a block of memory that is freed before anything is timed.

The C library of Linux returns a large block to the system at once, so that the next call pays for new pages, until it
has freed a block as large, of up to 32 MiB. Without this the first layer of some MiB took up to twice as long.
"""

CUDA_SWITCHES = (
    (torch.backends.cudnn, "allow_tf32"),
    (torch.backends.cuda.matmul, "allow_tf32"),
    (torch.backends.cudnn, "benchmark"),
)
"""The switches that are on during a measurement on CUDA."""


def built(make: Callable[[], nn.Module]) -> nn.Module:
    """The module that ``make`` makes, with weights that a copy can share even inside :func:`held`."""
    with torch.inference_mode(False):
        return make()


def prepare(module: nn.Module, inputs: Sequence[Input], conditions: Conditions, *, seed: int = 0) -> Call:
    """A call of a copy of ``module`` under ``conditions``, for use inside :func:`held`.

    The first dimension of every input is its batch, and is multiplied by that of the conditions. Floating-point inputs
    are random numbers from ``seed`` in the dtype of the conditions; others are zeros.

    Raises :class:`SpecError` for a memory format that no input has, and torch's own error where memory runs out.
    """
    if conditions.channels_last and not any(len(given.shape) in FORMATS for given in inputs):
        shapes = ", ".join(map(str, inputs))
        raise SpecError(f"channels-last is for maps of two or three axes, and input {shapes} is none; leave it out")
    with torch.inference_mode(False), torch.no_grad():
        copy = _copied(module, partial(_placed, conditions=conditions)).train(conditions.backward)
        chance = torch.Generator().manual_seed(seed)
        arguments, named = _arguments(inputs, lambda given: _filled(given, conditions, chance))
    run = torch.compile(copy, dynamic=False) if conditions.compile else copy
    forward = partial(run, *arguments, **named)
    if not conditions.backward:
        return forward
    return _with_backward(forward, [*arguments, *named.values(), *copy.parameters()], chance)


def _arguments(inputs: Sequence[Input], make: Callable[[Input], Tensor]) -> tuple[list[Tensor], dict[str, Tensor]]:
    """The tensors that ``make`` makes of ``inputs``: those without a name in order, the others by name."""
    made = [(given.name, make(given)) for given in inputs]
    named = {name: tensor for name, tensor in made if name is not None}
    return [tensor for name, tensor in made if name is None], named


def check(name: str, module: nn.Module, inputs: Sequence[Input], predicted: Counted, conditions: Conditions) -> None:
    """Raise :class:`SepcalcError` if ``module`` differs from its ``predicted`` counts for one example.

    It runs once on the meta device, or on the CPU if its code needs values. An error of the module's own is passed on.
    """
    try:
        found = _counted_on("meta", module, inputs, conditions)
    except Exception:  # a model's code may do anything with tensors that have no values
        found = _counted_on("cpu", module, inputs, conditions)
    if wrong := replace(predicted, flops=predicted.flops * conditions.batch).differences(found):
        raise SepcalcError(
            f"{name} was not timed, since its module differs from the prediction: {wrong}; this is a fault of sepcalc"
        )


def _counted_on(device: str, module: nn.Module, inputs: Sequence[Input], conditions: Conditions) -> Counted:
    copy = _copied(module, lambda tensor: tensor.to(device)).eval()
    arguments, named = _arguments(inputs, lambda given: _zeros(given, conditions.batch, device))
    return counted(copy, *arguments, **named)


def _copied(module: nn.Module, move: Callable[[Tensor], Tensor]) -> nn.Module:
    """A copy of ``module`` with each tensor as ``move`` makes it, and copied no more than once.

    Weights that do not move are shared with ``module``, since nothing here writes to a weight; buffers never are.
    """
    memo: dict[int, Any] = {}
    for weight in module.parameters():
        moved = move(weight.detach())
        # Weights from inference mode cannot take gradients; their copies can.
        free = moved.clone() if moved.is_inference() else moved
        memo[id(weight)] = nn.Parameter(free, requires_grad=weight.requires_grad)
    for buffer in module.buffers():
        moved = move(buffer)
        memo[id(buffer)] = moved.clone() if moved is buffer else moved
    return deepcopy(module, memo)


def _placed(tensor: Tensor, conditions: Conditions) -> Tensor:
    """``tensor`` on the device and in the memory format of the conditions; in their dtype if it is floating-point."""
    dtype = getattr(torch, conditions.dtype) if tensor.is_floating_point() else tensor.dtype
    moved = tensor.to(device=conditions.device, dtype=dtype)
    form = FORMATS.get(tensor.dim()) if conditions.channels_last else None
    return moved if form is None else moved.contiguous(memory_format=form)


def _zeros(given: Input, batch: int, device: str) -> Tensor:
    first, *rest = given.shape
    return torch.zeros(first * batch, *rest, dtype=getattr(torch, given.dtype), device=device)


def _filled(given: Input, conditions: Conditions, chance: torch.Generator) -> Tensor:
    """An input under ``conditions``; with ``backward`` it takes a gradient, like the output of an earlier layer."""
    made = _zeros(given, conditions.batch, "cpu")
    if not made.is_floating_point():
        return made.to(conditions.device)
    values = torch.randn(made.shape, generator=chance)
    return _placed(values, conditions).requires_grad_(conditions.backward)


def _with_backward(forward: Call, wanted: Sequence[Tensor], chance: torch.Generator) -> Call:
    """A forward and a backward pass; its gradients are dropped at the end, so that they do not add up over calls."""
    leaves = [tensor for tensor in wanted if tensor.requires_grad]
    gradients: list[Tensor] = []

    def run() -> None:
        outputs = [tensor for tensor in tensors((forward(),)) if tensor.requires_grad]
        if not gradients:  # in the first call, during the warm-up
            for output in outputs:
                values = torch.randn(output.shape, generator=chance)
                gradients.append(torch.empty_like(output, requires_grad=False).copy_(values))
        torch.autograd.backward(outputs, gradients)
        for leaf in leaves:
            leaf.grad = None

    return run
