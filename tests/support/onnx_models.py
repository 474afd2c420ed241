"""Small networks of the kinds that people export, and exports of them: what an ONNX file of each looks like."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from frameworks import torch as _threads  # noqa: F401 (one thread)
from imported import net
from torch import nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

Build = Callable[[], nn.Module]


def _conv(c_in: int, c_out: int, k: int = 3, **options: Any) -> nn.Sequential:
    conv = nn.Conv2d(c_in, c_out, k, padding=k // 2, bias=False, **options)
    return nn.Sequential(conv, nn.BatchNorm2d(c_out), nn.ReLU6())


def _vgg() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(256, 32), nn.ReLU(), nn.Dropout(), nn.Linear(32, 10),
    )  # fmt: skip


def _basic(m: nn.Module) -> None:
    m.body = nn.Sequential(_conv(8, 8), _conv(8, 8))


def _mobile(m: nn.Module) -> None:
    m.stem = _conv(3, 8, stride=2)
    m.block = nn.Sequential(
        _conv(8, 48, 1), _conv(48, 48, stride=2, groups=48), nn.Conv2d(48, 16, 1), nn.BatchNorm2d(16)
    )


def _gated(m: nn.Module) -> None:
    m.body = nn.Sequential(nn.Conv2d(3, 12, 5, padding=2), nn.Hardswish())
    m.gate = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Conv2d(12, 3, 1), nn.ReLU(), nn.Conv2d(3, 12, 1), nn.Hardsigmoid()
    )


def _run_gated(m: Any, x: torch.Tensor) -> torch.Tensor:
    y = m.body(x)
    return y * m.gate(y)


def _unet(m: nn.Module) -> None:
    m.down = nn.Conv2d(3, 8, 3, stride=2, padding=1)
    m.norm = nn.GroupNorm(2, 8)
    m.up = nn.ConvTranspose2d(8, 6, 3, stride=2, padding=1, output_padding=1)
    m.last = nn.Conv2d(9, 2, 1)


def _run_unet(m: Any, x: torch.Tensor) -> torch.Tensor:
    return m.last(torch.cat([x, m.up(F.silu(m.norm(m.down(x))))], 1))


def _vit(m: nn.Module) -> None:
    m.patch = nn.Conv2d(3, 16, 8, stride=8)
    m.cls, m.position = nn.Parameter(torch.zeros(1, 1, 16)), nn.Parameter(torch.zeros(1, 17, 16))
    m.block = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, norm_first=True, activation="gelu")
    m.norm, m.head = nn.LayerNorm(16), nn.Linear(16, 10)


def _run_vit(m: Any, x: torch.Tensor) -> torch.Tensor:
    tokens = m.patch(x).flatten(2).transpose(1, 2)
    tokens = torch.cat([m.cls.expand(x.shape[0], -1, -1), tokens], 1) + m.position
    return m.head(m.norm(m.block(tokens))[:, 0])


def _convnext(m: nn.Module) -> None:
    m.depthwise, m.norm = nn.Conv2d(16, 16, 7, padding=3, groups=16), nn.LayerNorm(16)
    m.widen, m.narrow, m.scale = nn.Linear(16, 64), nn.Linear(64, 16), nn.Parameter(torch.zeros(16))


def _run_convnext(m: Any, x: torch.Tensor) -> torch.Tensor:
    y = m.norm(m.depthwise(x).permute(0, 2, 3, 1))
    return x + (m.scale * m.narrow(F.gelu(m.widen(y)))).permute(0, 3, 1, 2)


def _language(m: nn.Module) -> None:
    m.words, m.proj = nn.Embedding(50, 12), nn.Linear(12, 12)
    m.out = nn.Linear(12, 50, bias=False)
    m.out.weight = m.words.weight


def _volumes() -> nn.Module:
    pool = nn.Sequential(nn.AvgPool3d(2), nn.InstanceNorm3d(4))
    return nn.Sequential(nn.Conv3d(1, 4, 3, stride=2, padding=(1, 0, 1)), nn.PReLU(4), pool)


def _sound() -> nn.Module:
    last = nn.Conv1d(8, 4, 4, stride=4, groups=4)
    return nn.Sequential(nn.Conv1d(2, 8, 5, dilation=2), nn.GELU(), nn.Upsample(size=64), last)


def _recurrent(m: nn.Module) -> None:
    m.lstm = nn.LSTM(6, 5, 2, bidirectional=True, batch_first=True)
    m.gru = nn.GRU(10, 4)


def _shuffle(m: nn.Module) -> None:
    m.conv, m.last = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(8, 2, 1)


def _run_shuffle(m: Any, x: torch.Tensor) -> torch.Tensor:
    kept, other = x.chunk(2, dim=1)
    y = torch.cat([kept, m.conv(other)], 1)
    batch, channels, height, width = y.shape
    return m.last(y.view(batch, 2, channels // 2, height, width).transpose(1, 2).flatten(1, 2))


RECURRENT = net(_recurrent, lambda m, x: m.gru(m.lstm(x)[0])[0])
"""Two recurrent layers, whose multiply-adds torch's counter does not count."""

MODELS: dict[str, tuple[Build, str]] = {
    "vgg": (_vgg, "2x3x16x16"),
    "resnet": (net(_basic, lambda m, x: torch.relu(x + m.body(x))), "1x8x14x10"),
    "shuffle": (net(_shuffle, _run_shuffle), "2x8x6x6"),
    "mobilenet": (net(_mobile, lambda m, x: m.block(m.stem(x)).mean((2, 3))), "1x3x32x32"),
    "squeeze and excite": (net(_gated, _run_gated), "2x3x9x9"),
    "unet": (net(_unet, _run_unet), "1x3x16x16"),
    "vision transformer": (net(_vit, _run_vit), "2x3x32x32"),
    "convnext": (net(_convnext, _run_convnext), "1x16x8x8"),
    "language": (net(_language, lambda m, x: m.out(torch.tanh(m.proj(m.words(x))))), "2x7:int64"),
    "volumes": (_volumes, "1x1x9x9x9"),
    "sound": (_sound, "3x2x40"),
}  # fmt: skip
"""Networks, each with its input."""


def export(build: Build, shape: str, path: Path, **options: Any) -> Path:
    """Write the model to ``path`` with torch's exporter, its parameters no two alike, as after training."""
    lengths, _, dtype = shape.partition(":")
    example = torch.zeros(*map(int, lengths.split("x")), dtype=getattr(torch, dtype or "float32"))
    torch.manual_seed(0)
    model = build().eval()
    with torch.no_grad():
        for each in (*model.parameters(), *model.buffers()):
            if each.is_floating_point():
                each.copy_(torch.rand_like(each) + 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (example,), path, input_names=["x"], verbose=False, **options)
    return path


OLD: dict[str, Any] = {
    "dynamo": False, "opset_version": 17, "training": torch.onnx.TrainingMode.TRAINING, "do_constant_folding": False,
}  # fmt: skip
"""The exporter by TorchScript, leaving every operator as it is."""

NEW: dict[str, Any] = {"dynamo": True, "optimize": False}
"""The exporter by FX graphs, likewise."""
