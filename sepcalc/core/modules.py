"""Framework modules as data: a constructor call names a class, which is imported only when it is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = int | float | str | tuple[int, ...] | tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One constructor call: a class and its arguments, defaults left out.

    ``name`` is a class of ``torch.nn`` or ``keras.layers``, or for any other ``module:class``.
    """

    name: str
    args: tuple[Value, ...] = ()
    kwargs: Mapping[str, Value] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """An activation: its module in PyTorch and its trainable ``params``.

    ``in_place`` marks those that torchvision's models run in place.
    """

    module: Call
    params: int = 0
    in_place: bool = False


ACTIVATIONS: Mapping[str, Activation] = {
    "relu": Activation(module=Call(name="ReLU"), in_place=True),
    "relu6": Activation(module=Call(name="ReLU6"), in_place=True),
    "leaky_relu": Activation(module=Call(name="LeakyReLU")),
    "prelu": Activation(module=Call(name="PReLU"), params=1),
    "elu": Activation(module=Call(name="ELU")),
    "selu": Activation(module=Call(name="SELU")),
    "gelu": Activation(module=Call(name="GELU")),
    "silu": Activation(module=Call(name="SiLU"), in_place=True),
    "swish": Activation(module=Call(name="SiLU"), in_place=True),
    "mish": Activation(module=Call(name="Mish")),
    "hardswish": Activation(module=Call(name="Hardswish"), in_place=True),
    "hardsigmoid": Activation(module=Call(name="Hardsigmoid")),
    "sigmoid": Activation(module=Call(name="Sigmoid")),
    "tanh": Activation(module=Call(name="Tanh")),
    "softplus": Activation(module=Call(name="Softplus")),
    "softmax": Activation(module=Call(name="Softmax", kwargs={"dim": 1})),
    "identity": Activation(module=Call(name="Identity")),
}
"""Every activation by its word in a network file."""


def activation_params(word: str) -> int:
    """Trainable numbers of the activation called ``word``; 0 for ``none`` and for an unknown one."""
    return ACTIVATIONS[word].params if word in ACTIVATIONS else 0
