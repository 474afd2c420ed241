"""Modules of PyTorch that between them use every kind of layer, and the inputs that they take."""

import torch
from imported import net
from torch import nn
from torch.nn import functional


def _shares(net_, x):
    return net_.head(net_.emb(x))


def _tied(self):
    self.emb = nn.Embedding(100, 16)
    self.head = nn.Linear(16, 100)
    self.head.weight = self.emb.weight


def _odd(self):
    self.conv = nn.Conv1d(4, 8, 3, stride=2, padding=1)
    self.up = nn.ConvTranspose3d(2, 4, 3, stride=2, output_padding=1, groups=2)
    self.mix = nn.Parameter(torch.ones(8, 8))
    self.scale = nn.Parameter(torch.ones(()))


def _oddly(self, x):
    y = self.conv(x)
    y = y + torch.einsum("bcl,cd->bdl", y, self.mix) * self.scale
    fixed = torch.ones(4, 1, 1, 3)
    return self.up(y.reshape(1, 2, 2, 2, -1)), functional.conv2d(x[:, :, None], fixed, groups=4), y @ y.transpose(1, 2)


def _attention(self):
    self.self_ = nn.MultiheadAttention(16, 4, batch_first=True)
    self.cross = nn.MultiheadAttention(16, 4, kdim=8, vdim=8, batch_first=True)


def _attend(self, x, y):
    few = x[:, :3]
    same = self.self_(x, x, x)[0] + self.self_(x, few, few, need_weights=False)[0]
    return functional.scaled_dot_product_attention(same, x, x) + self.cross(x, y, y)[0]


def _recurrent(self):
    self.lstm = nn.LSTM(16, 8, 2, batch_first=True, bidirectional=True, proj_size=4)
    self.gru = nn.GRU(8, 8, batch_first=True)
    self.cell = nn.LSTMCell(8, 4)


def _normed(self):
    self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 8, 3))
    self.batch, self.layer = nn.BatchNorm2d(8), nn.LayerNorm((8, 7, 7))
    self.group, self.instance = nn.GroupNorm(2, 8), nn.InstanceNorm2d(8, affine=True)
    self.rms, self.act = nn.RMSNorm(7), nn.PReLU(8)


def _normalise(self, x):
    x = self.instance(self.group(self.layer(self.batch(self.conv(x)))))
    return functional.max_pool2d(self.act(self.rms(x)), 2)


def _batched(self, x):
    added = torch.addmm(x[0], x[0], x[1]), torch.baddbmm(x, x, x)
    return *added, torch.bmm(x, x), x[0] @ x[1], self.f(x[None])


NETS = {
    "tied": (net(_tied, _shares), "2x5:int64"),
    "odd": (net(_odd, _oddly), "2x4x16"),
    "attention": (net(_attention, _attend), "2x5x16", "2x7x8"),
    "encoder": (lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), "2x5x16"),
    "recurrent": (net(_recurrent, lambda self, x: self.cell(self.gru(self.lstm(x)[0])[0][:, 0])), "2x5x16"),
    "normed": (net(_normed, _normalise), "2x8x9x9"),
    "products": (net(lambda self: setattr(self, "f", nn.Linear(4, 3)), _batched), "2x4x4"),
    "convolution": (lambda: nn.Conv2d(6, 9, (3, 5), (2, 1), "valid", groups=3, dilation=(1, 2)), "4x6x20x21"),
    "even kernel": (lambda: nn.Conv2d(6, 9, 4, padding="same"), "1x6x20x20"),
    "one image": (lambda: nn.Conv2d(6, 9, 3), "6x20x20"),
    "vectors": (lambda: nn.Linear(6, 9), "6"),
    "grid": (lambda: nn.Linear(6, 9), "2x3x4x5x7x6"),
}
