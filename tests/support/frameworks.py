"""PyTorch, and Keras on top of it, for tests that run small modules and count them with torch's own counter."""

import os
from functools import cache
from tempfile import TemporaryDirectory
from types import ModuleType

import pytest
import torch

# On tensors this small threads do nothing but wait for each other.
torch.set_num_threads(1)


@cache
def keras_on_torch() -> ModuleType:
    """The keras package, imported as a user with nothing configured but the backend would see it."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as home:
        patch.setitem(os.environ, "KERAS_BACKEND", "torch")
        patch.setitem(os.environ, "KERAS_HOME", home)
        import keras
    assert keras.backend.backend() == "torch"
    return keras
