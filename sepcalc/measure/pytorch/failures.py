"""The reason of a failure in one line: PyTorch's own messages are long, and written for its authors."""

from __future__ import annotations

import re

from sepcalc.core.errors import SepcalcError
from sepcalc.readers.pytorch.source import error_summary

_DTYPES = {"Half": "float16", "BFloat16": "bfloat16", "Float": "float32", "Double": "float64"}

_MEANINGS = (
    (r"tried to allocate ([\d.]+) (\w+)", "out of memory: {} {} more were asked for; give a smaller batch or size"),
    (r"out of memory|CUDNN_STATUS_ALLOC_FAILED", "out of memory; give a smaller batch or size"),
    (r"\"(\w+)\" not implemented for '(\w+)'", "PyTorch has no kernel for {} in {} on this device"),
    (r"operator '(\S+)' is not currently \w+ \w+ the (\w+)", "PyTorch has no kernel for {} on {}"),
    (r"Could not run '(\S+)' with arguments from the '(\w+)' backend", "PyTorch has no kernel for {} on {}"),
    (r"no kernel image is available", "this PyTorch has no kernels for this GPU; install one that is built for it"),
    (r"unable to find an engine to execute", "cuDNN has no kernel for this, or no memory for one"),
    (r"No working C\+\+ compiler|Compiler: \w+ is not found", "torch.compile finds no C++ compiler; install one"),
    (r"C\+\+ compile error", "torch.compile writes C++ that the compiler here refuses"),
    (r"working triton installation", "torch.compile finds no triton; install it"),
    (r"Found (.+?) which is too old to be supported by the triton", "torch.compile needs a newer GPU than {}"),
    (r"Expected more than 1 value per channel", "batch norm trains on more than one value per channel; give a batch"),
)
"""Patterns in PyTorch's messages, and their meaning; the first that is found counts."""


def reason(error: Exception) -> str:
    r"""The reason of ``error`` in one line: its known meaning, or else the beginning of its message.

    >>> reason(RuntimeError('"slow_conv2d_cpu" not implemented for \'Half\''))
    'PyTorch has no kernel for slow_conv2d_cpu in float16 on this device'
    """
    if isinstance(error, SepcalcError):
        return str(error)
    message = "out of memory" if isinstance(error, MemoryError) else str(error)
    for pattern, meaning in _MEANINGS:
        if found := re.search(pattern, message, re.IGNORECASE):
            return meaning.format(*map(_readable, found.groups()))
    return error_summary(error)


def _readable(word: str) -> str:
    """A word of PyTorch as people write it: a dtype by its name, a number with thousands separators."""
    return f"{int(word):,}" if word.isdecimal() else _DTYPES.get(word, word)
