"""What a measurement depends on beside the module: the machine, the libraries, and their settings."""

from __future__ import annotations

import re
from typing import Any

import torch

from sepcalc.measure.conditions import VARYING, Conditions
from sepcalc.measure.machine import machine
from sepcalc.measure.pytorch.calls import held

_LISTED = ("dtype", "memory_format")
"""The varying conditions that the record names."""


def environment(*conditions: Conditions) -> dict[str, Any]:
    """The record that travels with the times: plain data, None for what is not there.

    ``conditions`` share device and threads; all their dtypes and memory formats are named. ``instructions``: those of
    the CPU that PyTorch's own kernels use; ``tf32``: whether a GPU may compute float32 in fewer digits.

    Raises :class:`SepcalcError` where the device is not there.
    """
    first = conditions[0]
    is_cuda = first.device == "cuda"
    with held(first):
        return {
            **machine(),
            "device": first.device,
            "gpu": torch.cuda.get_device_name() if is_cuda else None,
            "torch": str(torch.__version__),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "cuda": torch.version.cuda if is_cuda else None,
            "cudnn": torch.backends.cudnn.version() if is_cuda else None,  # type: ignore[no-untyped-call]  # untyped
            "onednn": _built_with(r"MKL-DNN v([\d.]+)"),
            "mkl": _built_with(r"Math Kernel Library Version ([\d.]+)"),
            "threads": torch.get_num_threads(),
            "tf32": torch.backends.cudnn.allow_tf32 if is_cuda else None,
            **{key: ", ".join(dict.fromkeys(str(VARYING[key].value(one)) for one in conditions)) for key in _LISTED},
        }


def _built_with(pattern: str) -> str | None:
    """The version of a library that PyTorch was built with, from its own description."""
    found = re.search(pattern, torch.__config__.show())
    return found[1] if found else None
