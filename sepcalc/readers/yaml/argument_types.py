"""What may stand behind a key of a network file: numbers, lengths per axis, words.

Each type carries the words in which a message says what was expected, and its part of the JSON Schema.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from msgspec import Meta

from sepcalc.core.network import Between, NormKind
from sepcalc.core.spec import LARGEST

WHOLE = Meta(ge=1, le=LARGEST)
WHOLE_OR_0 = Meta(ge=0, le=LARGEST)


def _form(pattern: str) -> Meta:
    # For the JSON Schema alone: a Meta with a pattern of its own crashes the interpreter at exit
    # (msgspec issue 717), so strings are checked where they are read.
    return Meta(extra_json_schema={"pattern": pattern})


def says(meaning: str) -> Meta:
    """What a key means, for the JSON Schema; a type's own description says what is expected."""
    return Meta(extra_json_schema={"description": meaning})


def defined(name: str) -> Meta:
    """A part of the JSON Schema that is defined once, by this name."""
    return Meta(extra_json_schema={"$ref": f"#/$defs/{name}"})


Text = Annotated[str | int, Meta(description="text")]
Whole = Annotated[int, WHOLE, Meta(description=f"a whole number from 1 to {LARGEST:,}")]
Index = Annotated[int, WHOLE_OR_0, Meta(description=f"a whole number from 0 to {LARGEST:,}")]
Flag = Annotated[bool, Meta(description="true or false")]
LENGTHS_EXPECTED = "a whole number, or one per axis like 3x1 or [3, 1]"
PADS_EXPECTED = "same, valid, a whole number, or one per axis like 1x0 or [1, 0]"
POOLED_EXPECTED = "global, a whole number, or one per axis like 3x1 or [3, 1]"
Lengths = Annotated[
    Annotated[int, WHOLE]
    | Annotated[list[Annotated[int, WHOLE]], Meta(min_length=1, max_length=3)]
    | Annotated[str, _form(r"^[1-9][0-9]{0,8}(x[1-9][0-9]{0,8}){1,2}$")],
    Meta(description=LENGTHS_EXPECTED),
]
Pads = Annotated[
    Annotated[int, WHOLE_OR_0]
    | Annotated[list[Annotated[int, WHOLE_OR_0]], Meta(min_length=1, max_length=3)]
    | Annotated[str, _form(r"^(same|valid|[0-9]{1,9}(x[0-9]{1,9}){1,2})$")],
    Meta(description=PADS_EXPECTED),
]
Offsets = Annotated[
    Annotated[int, WHOLE_OR_0]
    | Annotated[list[Annotated[int, WHOLE_OR_0]], Meta(min_length=1, max_length=3)]
    | Annotated[str, _form(r"^[0-9]{1,9}(x[0-9]{1,9}){1,2}$")],
    Meta(description="a whole number, or one per axis like 1x0 or [1, 0]"),
]
Pooled = Annotated[
    Annotated[int, WHOLE]
    | Annotated[list[Annotated[int, WHOLE]], Meta(min_length=1, max_length=3)]
    | Annotated[str, _form(r"^(global|[1-9][0-9]{0,8}(x[1-9][0-9]{0,8}){1,2})$")],
    Meta(description=POOLED_EXPECTED),
]
Biases = Annotated[bool | Literal["none", "last", "all"], Meta(description="true, false, none, last or all")]
# YAML 1.1 makes true and false of a plain yes and no; editors that follow YAML 1.2 leave the words.
Scale = Annotated[bool | Literal["yes", "up", "no"], Meta(description="yes, up or no")]

Activation = Literal[
    "relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "swish", "mish", "hardswish", "hardsigmoid",
    "sigmoid", "tanh", "softplus", "softmax", "identity",
]  # fmt: skip
ACTIVATIONS: tuple[str, ...] = get_args(Activation)
Norm = Annotated[NormKind, Meta(description=f"one of {', '.join(get_args(NormKind))}")]
Act = Annotated[
    Literal["none"] | Activation,
    Meta(description=f"one of none, {', '.join(ACTIVATIONS)}"),
]
Inside = Annotated[Between, Meta(description="all, act or none")]
Join = Annotated[Literal["add", "concat", "mul"], Meta(description="add, concat or mul")]
Body = Annotated[Any, Meta(description="a list of layers"), defined("layers")]
Earlier = Annotated[str | int, Meta(description="the name of an earlier layer")]
Names = Annotated[
    str | int | Annotated[list[str | int], Meta(min_length=1)],
    Meta(description="the name of an earlier layer, or a list of names"),
]
Batch = Annotated[int, WHOLE, Meta(description="how many feature maps it runs over")]
Figure = Annotated[str | int | float, Meta(description="a figure like 569 M")]
Overrides = Annotated[
    dict[str, Any], Meta(description="a mapping of what is different in the first repetition, like {stride: 2}")
]
