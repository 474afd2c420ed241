"""Networks as PyTorch modules, made from their description.

A layer becomes the modules of its stages, with its norm and its activations where they stand in the network, so that
what is timed is what is counted: parameters and FLOPs of the modules are the network's ``params`` and ``2 * macs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sepcalc.errors import MissingExtraError
from sepcalc.network import NORM_PARAMS, Convolution, FeatureMap
from sepcalc.spec import ConvSpec
from sepcalc.torch_backend import build as build_stages
from sepcalc.torch_layers import PerPosition, activation, norm

try:
    import torch
    from torch import nn
except ImportError as missing:
    raise MissingExtraError("torch", "building PyTorch modules") from missing


def layer_module(layer: Convolution, *, device: str = "cpu") -> nn.Sequential:
    """The module of one layer: its stages as written, with the norm and the activation that stand after each.

    It reads (examples, c_in, and one dimension for each axis). A layer with a ``batch`` runs over so many feature maps
    for each example: give it as many. A layer that ``shares`` its weights gets some of its own.

    Raises :class:`SpecError` for a stage or a norm that PyTorch cannot express.

    >>> from sepcalc.variants import get
    >>> spec = ConvSpec.of(64, 128, k=3, size=56)
    >>> layer_module(Convolution(name="a", type="conv", spec=spec, variant=get("dws"), act="relu"), device="meta")
    Sequential(
      (0): Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=64, bias=False)
      (1): ReLU(inplace=True)
      (2): Conv2d(64, 128, kernel_size=(1, 1), stride=(1, 1), bias=False)
      (3): ReLU(inplace=True)
    )
    """
    *inner, last = layer.stages
    with torch.device(device):
        return nn.Sequential(
            *(part for stage in inner for part in _inside(layer, stage, device)),
            *_stage(layer, last, device),
            *_norm(layer, last),
            *_activation(layer.act if layer.act_last is None else layer.act_last),
        )


def _inside(layer: Convolution, stage: ConvSpec, device: str) -> Iterator[nn.Module]:
    """A stage that is not the last, with what stands between it and the next one."""
    yield from _stage(layer, stage, device)
    if layer.between == "all":
        yield from _norm(layer, stage)
    if layer.between != "none":
        yield from _activation(layer.act)


def _stage(layer: Convolution, stage: ConvSpec, device: str) -> Iterator[nn.Module]:
    if layer.type == "linear" and stage.kernel:
        vector = replace(stage, kernel=(), size=(), stride=(), padding="same", dilation=(), output_padding=())
        yield PerPosition(*build_stages([vector], device=device))
    else:
        yield from build_stages([stage], device=device)


def _norm(layer: Convolution, stage: ConvSpec) -> Iterator[nn.Module]:
    if layer.norm != "none":
        writes = FeatureMap(channels=stage.c_out, size=stage.out_size or ())
        yield norm(layer.norm, writes, affine=NORM_PARAMS[layer.norm] > 0)


def _activation(word: str) -> Iterator[nn.Module]:
    if word not in ("none", "identity"):
        # Only this reads what a convolution or its norm writes, so that it may write in its place.
        yield activation(word, in_place=True)
