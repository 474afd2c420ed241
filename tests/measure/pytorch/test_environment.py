"""The record that travels with the times."""

import json

import pytest
import torch

from sepcalc.core.errors import SepcalcError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.machine import machine
from sepcalc.measure.pytorch import calls
from sepcalc.measure.pytorch.environment import environment


def test_on_the_cpu():
    """The machine, the libraries and the conditions are all there, and nothing of a GPU, as plain data."""
    found = environment([Conditions(threads=1)])
    assert set(machine()) < set(found)
    assert (found["device"], found["torch"], found["threads"]) == ("cpu", torch.__version__, 1)
    assert (found["dtype"], found["memory_format"]) == ("float32", "contiguous")
    assert [found[name] for name in ("gpu", "cuda", "cudnn", "tf32")] == [None] * 4
    assert json.loads(json.dumps(found)) == found


def test_libraries(monkeypatch):
    """oneDNN and MKL are there with their versions if PyTorch was built with them, and None if not."""
    shown = "  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product\n  - Intel(R) MKL-DNN v3.12.0 (Git Hash 80)"
    monkeypatch.setattr(torch.__config__, "show", lambda: shown)
    found = environment([Conditions()])
    assert (found["onednn"], found["mkl"]) == ("3.12.0", "2024.2")
    monkeypatch.setattr(torch.__config__, "show", lambda: "PyTorch built with: nothing")
    found = environment([Conditions()])
    assert (found["onednn"], found["mkl"]) == (None, None)


def test_a_grid_names_all_that_it_varies():
    """Several conditions share one record: each dtype and memory format is named once."""
    grid = [Conditions(dtype=dtype, channels_last=last) for dtype in ("float32", "float16") for last in (False, True)]
    found = environment(grid)
    assert (found["dtype"], found["memory_format"]) == ("float32, float16", "contiguous, channels_last")


def test_on_cuda(monkeypatch):
    """On a GPU its name, CUDA, cuDNN and TF32 as it is while measuring are there."""
    monkeypatch.setattr(calls, "usable_devices", lambda: ("cpu", "cuda"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91002)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    found = environment([Conditions(device="cuda")])
    assert (found["gpu"], found["cuda"], found["cudnn"], found["tf32"]) == ("NVIDIA H200", "13.0", 91002, True)
    assert torch.backends.cudnn.allow_tf32 is False


def test_a_device_that_is_not_there(monkeypatch):
    """There is no record of a device that is not there."""
    monkeypatch.setattr(calls, "usable_devices", lambda: ("cpu",))
    with pytest.raises(SepcalcError, match="no device 'mps'"):
        environment([Conditions(device="mps")])
