"""The environment of a measurement: the machine, the libraries, and their settings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from sepcalc.measure.conditions import VARYING, Conditions
from sepcalc.measure.machine import machine
from sepcalc.measure.pytorch.calls import held


def environment(conditions: Sequence[Conditions]) -> dict[str, Any]:
    """The machine, the libraries and their settings as plain data; None for a part that is missing.

    ``conditions`` share device and threads; all their dtypes and memory formats are named. ``instructions``: the CPU's
    that PyTorch's own kernels use; ``tf32``: whether a GPU may compute float32 in fewer digits.

    Raises :class:`SepcalcError` where the device is missing.
    """
    first = conditions[0]
    is_cuda = first.device == "cuda"
    listed = ("dtype", "memory_format")
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
            **{key: ", ".join(dict.fromkeys(str(VARYING[key].value(at)) for at in conditions)) for key in listed},
        }


def _built_with(pattern: str) -> str | None:
    """The version of a library that PyTorch was built with, from its own description."""
    found = re.search(pattern, torch.__config__.show())
    return found[1] if found else None
