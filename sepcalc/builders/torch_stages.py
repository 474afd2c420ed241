"""Stages as PyTorch modules, to check the arithmetic.

FLOPs are counted by PyTorch while a module runs: two per multiply-add of convolutions and matrix products, none for
biases, so ``flops == 2 * macs``.
"""

from __future__ import annotations

from collections.abc import Iterable

from sepcalc.builders.calls import torch_calls
from sepcalc.builders.prediction import Counted
from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.modules import Call
from sepcalc.core.runtime import resolve
from sepcalc.core.spec import ConvSpec

try:
    import torch
    from torch import nn
except ImportError as missing:
    raise MissingExtraError("torch", "building PyTorch modules") from missing


def build_stages(stages: Iterable[ConvSpec], *, device: str = "cpu") -> nn.Sequential:
    """The module that runs ``stages`` one after another; on the ``meta`` device it has shapes and no values.

    Raises :class:`SpecError` for a stage that PyTorch cannot express: see :func:`torch_calls`.

    >>> build_stages([ConvSpec(c_in=64, c_out=128, kernel=(1, 1))], device="meta")
    Sequential(
      (0): Conv2d(64, 128, kernel_size=(1, 1), stride=(1, 1), bias=False)
    )
    """
    calls = [call for stage in stages for call in torch_calls(stage)]
    with torch.device(device):
        return nn.Sequential(*map(build_module, calls))


def build_module(call: Call) -> nn.Module:
    """The module that ``call`` makes, of ``torch.nn`` or of the Python module that its name begins with.

    >>> build_module(Call(name="PReLU", args=(4,)))
    PReLU(num_parameters=4)
    """
    kind = resolve(call.name) if ":" in call.name else getattr(nn, call.name)
    return kind(*call.args, **call.kwargs)  # type: ignore[no-any-return]


def example(spec: ConvSpec, *, device: str = "cpu") -> torch.Tensor:
    """One input for ``spec``: zeros of shape (1, c_in) and one more dimension for each axis.

    Raises :class:`SpecError` where the size is open.

    >>> example(ConvSpec(c_in=64, c_out=128, kernel=(3, 3), size=(56, 40))).shape
    torch.Size([1, 64, 56, 40])
    """
    if spec.size is None:
        raise SpecError("an input to run depends on the feature size; give a size")
    return torch.zeros(1, spec.c_in, *spec.size, device=device)


def parameter_count(module: nn.Module) -> int:
    """Parameters of ``module``, frozen ones too, one that is used twice counted once."""
    return sum(parameter.numel() for parameter in module.parameters())


def counted(module: nn.Module, *inputs: torch.Tensor, **named: torch.Tensor) -> Counted:
    """The parameters, output shape and FLOPs of ``module``, from one run, also on the ``meta`` device.

    FLOPs are those of ``torch.utils.flop_counter``, for the whole batch; the shape is None unless the module returns
    one tensor.
    """
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = module(*inputs, **named)
    return Counted(
        params=parameter_count(module),
        shape=tuple(output.shape[1:]) if isinstance(output, torch.Tensor) else None,
        flops=int(counter.get_total_flops()),
    )


def flops(module: nn.Module, *inputs: torch.Tensor) -> int:
    """FLOPs of one run of ``module`` on ``inputs`` by ``torch.utils.flop_counter``; works on the ``meta`` device."""
    return counted(module, *inputs).flops
