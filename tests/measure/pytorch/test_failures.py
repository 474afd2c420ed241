"""PyTorch's messages in one line."""

import pytest
import torch

from sepcalc.core.errors import SpecError
from sepcalc.measure.pytorch.failures import reason

MEMORY = "out of memory: {} more were asked for; give a smaller batch or size"


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        (
            "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 GiB of which 1.2 GiB",
            MEMORY.format("2.00 GiB"),
        ),
        (
            "MPS backend out of memory (MPS allocated: 8.89 GB, max allowed: 9.07 GB). Tried to allocate 6.25 MB on",
            MEMORY.format("6.25 MB"),
        ),
        ("CUDA error: out of memory\nCUDA kernel errors might be", "out of memory; give a smaller batch or size"),
        ("cuDNN error: CUDNN_STATUS_ALLOC_FAILED", "out of memory; give a smaller batch or size"),
        (
            "\"slow_conv2d_cpu\" not implemented for 'Half'",
            "PyTorch has no kernel for slow_conv2d_cpu in float16 on this device",
        ),
        (
            "The operator 'aten::slow_conv3d_forward' is not currently implemented for the MPS device. If you",
            "PyTorch has no kernel for aten::slow_conv3d_forward on MPS",
        ),
        (
            "Could not run 'aten::empty.memory_format' with arguments from the 'MPS' backend. This could be because",
            "PyTorch has no kernel for aten::empty.memory_format on MPS",
        ),
        (
            "CUDA error: no kernel image is available for execution on the device\nCUDA kernel errors might be",
            "this PyTorch has no kernels for this GPU; install one that is built for it",
        ),
        (
            "GET was unable to find an engine to execute this computation",
            "cuDNN has no kernel for this, or no memory for one",
        ),
        (
            "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')\n\nSet",
            "torch.compile finds no C++ compiler; install one",
        ),
        ("Compiler: cl is not found.", "torch.compile finds no C++ compiler; install one"),
        ("CppCompileError: C++ compile error\n\nCommand:", "torch.compile writes C++ that the compiler here refuses"),
        (
            "Cannot find a working triton installation. Either the package is not installed or it is too old.",
            "torch.compile finds no triton; install it",
        ),
        (
            "Found Tesla P100-PCIE-16GB which is too old to be supported by the triton GPU compiler, which is used as",
            "torch.compile needs a newer GPU than Tesla P100-PCIE-16GB",
        ),
    ],
)
def test_known_messages(message, meaning):
    """What torch, cuDNN, triton and compilers say at length is one sentence with what it is about."""
    assert reason(RuntimeError(message)) == meaning


def test_memory_of_this_machine():
    """The message of this very torch for too large a tensor is understood."""
    with pytest.raises(RuntimeError) as error:
        torch.empty(10**15)
    assert reason(error.value) == MEMORY.format("4,000,000,000,000,000 bytes")
    assert reason(MemoryError()) == "out of memory; give a smaller batch or size"


def test_one_value_to_normalise():
    """The message of this very torch for a batch norm that trains on one value is understood."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is what is tested
        torch.nn.BatchNorm2d(4)(torch.randn(1, 4, 1, 1))
    assert reason(error.value) == "batch norm trains on more than one value per channel; give a batch"


def test_our_own_errors_stay():
    """A reason that was written here is not written anew."""
    assert reason(SpecError("channels-last is for maps")) == "channels-last is for maps"


def test_what_is_not_known():
    """Any other message is shortened to one line that begins with its kind."""
    shown = reason(RuntimeError("something\nnew " + "x" * 500))
    assert shown.startswith("RuntimeError: something new x")
    assert len(shown) < 350
