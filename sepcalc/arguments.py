"""The arguments of each layer in a network file: their types, and how a fault in them is reported.

The records are data for msgspec: one declaration gives the checks, the messages and the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from sepcalc.errors import closest
from sepcalc.network import Between, NormKind
from sepcalc.spec import LARGEST

_whole = Meta(ge=1, le=LARGEST)
_whole_or_0 = Meta(ge=0, le=LARGEST)


def _form(pattern: str) -> Meta:
    # For the JSON Schema alone: a Meta with a pattern of its own crashes the interpreter at exit
    # (msgspec issue 717), so strings are checked where they are read.
    return Meta(extra_json_schema={"pattern": pattern})


Text = Annotated[str | int, Meta(description="text")]
Whole = Annotated[int, _whole, Meta(description=f"a whole number from 1 to {LARGEST:,}")]
Index = Annotated[int, _whole_or_0, Meta(description=f"a whole number from 0 to {LARGEST:,}")]
Flag = Annotated[bool, Meta(description="true or false")]
LENGTHS_EXPECTED = "a whole number, or one per axis like 3x1 or [3, 1]"
PADS_EXPECTED = "same, valid, a whole number, or one per axis like 1x0 or [1, 0]"
POOLED_EXPECTED = "global, a whole number, or one per axis like 3x1 or [3, 1]"
Lengths = Annotated[
    Annotated[int, _whole]
    | Annotated[list[Annotated[int, _whole]], Meta(min_length=1, max_length=3)]
    | Annotated[str, _form(r"^[1-9][0-9]{0,8}(x[1-9][0-9]{0,8}){1,2}$")],
    Meta(description=LENGTHS_EXPECTED),
]
Pads = Annotated[
    Annotated[int, _whole_or_0]
    | Annotated[list[Annotated[int, _whole_or_0]], Meta(min_length=1, max_length=3)]
    | Annotated[str, _form(r"^(same|valid|[0-9]{1,9}(x[0-9]{1,9}){1,2})$")],
    Meta(description=PADS_EXPECTED),
]
Pooled = Annotated[
    Annotated[int, _whole]
    | Annotated[list[Annotated[int, _whole]], Meta(min_length=1, max_length=3)]
    | Annotated[str, _form(r"^(global|[1-9][0-9]{0,8}(x[1-9][0-9]{0,8}){1,2})$")],
    Meta(description=POOLED_EXPECTED),
]
Biases = Annotated[bool | Literal["none", "last", "all"], Meta(description="true, false, none, last or all")]
# YAML 1.1 makes true and false of a plain yes and no; editors that follow YAML 1.2 leave the words.
Scale = Annotated[bool | Literal["yes", "up", "no"], Meta(description="yes, up or no")]
Mid = Annotated[
    Annotated[int, _whole] | Literal["in", "out", "min", "max"],
    Meta(description="in, out, min, max or a whole number"),
]

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
Body = Annotated[Any, Meta(description="a list of layers", extra_json_schema={"$ref": "#/$defs/layers"})]
Earlier = Annotated[str | int, Meta(description="the name of an earlier layer")]
Names = Annotated[
    str | int | Annotated[list[str | int], Meta(min_length=1)],
    Meta(description="the name of an earlier layer, or a list of names"),
]
Overrides = Annotated[
    dict[str, Any], Meta(description="a mapping of what is different in the first repetition, like {stride: 2}")
]


class Common(Struct, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """What every layer may say: its name, where its input comes from, and how often it stands in a row."""

    name: Text | None = None
    from_: Earlier | None = None
    c_in: Whole | None = None
    size: Lengths | None = None
    repeat: Index = 1
    first: Overrides | None = None


class ConvArguments(Common, kw_only=True):
    """A convolution; what only some variants take belongs to those variants."""

    c_out: Whole | None = None
    k: Lengths
    stride: Lengths = 1
    padding: Pads = "same"
    dilation: Lengths = 1
    groups: Whole = 1
    bias: Biases = False
    transposed: Flag = False
    output_padding: Pads = 0
    variant: Annotated[str, Meta(description="the name of a variant")] | None = None
    depth_multiplier: Whole | None = None
    mid: Mid | None = None
    reduction: Whole | None = None
    expansion: Whole | None = None
    norm: Norm = "none"
    act: Act = "none"
    act_last: Act | None = None
    between: Inside = "all"
    scale: Scale = "yes"
    shares: Earlier | None = None
    batch: Annotated[int, _whole, Meta(description="how many feature maps it runs over")] = 1


class LinearArguments(Common, kw_only=True):
    """A linear layer, on one position unless it says ``per_position``."""

    c_out: Whole
    bias: Flag = False
    norm: Norm = "none"
    act: Act = "none"
    per_position: Flag = False
    shares: Earlier | None = None
    batch: Annotated[int, _whole, Meta(description="how many feature maps it runs over")] = 1


class PoolArguments(Common, kw_only=True):
    """Pooling with a window ``k``, to ``out`` positions whatever the input, or ``global``."""

    k: Pooled | None = None
    stride: Lengths | None = None
    padding: Pads = 0
    ceil: Flag = False
    out: Lengths | None = None


class NormArguments(Common, kw_only=True):
    """A norm of its own; ``affine`` overrides whether it learns scale and shift."""

    kind: Norm
    affine: Flag | None = None


class DropoutArguments(Common, kw_only=True):
    """Dropout: no cost."""

    p: Annotated[float, Meta(ge=0, le=1), Meta(description="a number from 0 to 1")] = 0.5


class UpsampleArguments(Common, kw_only=True):
    """Interpolation by a factor, or to a size."""

    scale: Lengths | None = None
    out: Lengths | None = None


class ShuffleArguments(Common, kw_only=True):
    """Channel shuffle over ``groups``."""

    groups: Whole


class SplitArguments(Common, kw_only=True):
    """Keep one of several equal parts of the channels; ``part`` counts from 0."""

    parts: Whole = 2
    part: Index = 0


class JoinArguments(Common, kw_only=True, rename={"from_": "from", "with_": "with"}):
    """Join what reaches the layer with the output of earlier ones."""

    with_: Names


class ResidualArguments(Common, kw_only=True):
    """A body beside a shortcut.

    ``auto`` projects where the shape changes, ``optional`` has no shortcut there, ``identity`` is an error there.
    """

    body: Body
    shortcut: Annotated[
        Any,
        Meta(
            description="auto, identity, optional or a list of layers",
            extra_json_schema={"anyOf": [{"enum": ["auto", "identity", "optional"]}, {"$ref": "#/$defs/layers"}]},
        ),
    ] = "auto"
    join: Join = "add"
    act: Act = "none"


class ParallelArguments(Common, kw_only=True):
    """Branches that read the same feature map, or with ``split`` a part of its channels each."""

    branches: Annotated[Any, Meta(description="a list of branches", extra_json_schema={"$ref": "#/$defs/branches"})]
    join: Join = "concat"
    split: (
        Annotated[
            bool | list[Annotated[int, _whole]],
            Meta(description="true for equal parts, or a list of channels for each branch"),
        ]
        | None
    ) = None


class OperatorArguments(Common, kw_only=True):
    """An operator by the name that its framework has for it, and what is known of it.

    ``operator`` is one without a matrix product; ``uncounted`` is one that nobody here understands, and
    is listed, never counted as zero.
    """

    operator: Text
    params: Index = 0
    c_out: Whole | None = None
    out: Lengths | None = None


class ProductArguments(OperatorArguments, kw_only=True):
    """Matrix products that are no layer of their own kind: attention, einsum, a recurrent layer."""

    terms: Annotated[
        list[Annotated[list[Annotated[int, _whole_or_0]], Meta(min_length=3, max_length=3)]],
        Meta(description="a list of products, each [c_in, c_out, times]"),
    ]


class InputArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """What the network reads."""

    channels: Whole
    size: Lengths | None = None


class DefaultArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """What every convolution of the file does unless it says otherwise."""

    norm: Norm | None = None
    act: Act | None = None
    act_last: Act | None = None
    between: Inside | None = None
    bias: Biases | None = None
    padding: Pads | None = None


class PublishedArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """A figure as its source prints it, such as ``569 M``."""

    source: Text
    params: Annotated[str | int | float, Meta(description="a figure like 4.2 M")] | None = None
    macs: Annotated[str | int | float, Meta(description="a figure like 569 M")] | None = None
    note: Text | None = None


class BlockArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """Layers to be reused; ``args`` gives names and defaults, and null where a value must be given."""

    layers: Body
    args: Annotated[dict[str, Any], Meta(description="a mapping of names to defaults")] = {}


class FileArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole file."""

    layers: Body
    name: Text | None = None
    source: Text | None = None
    input: Annotated[dict[str, Any], Meta(description="a mapping like {channels: 3, size: 224}")] | None = None
    defaults: Annotated[dict[str, Any], Meta(description="a mapping like {norm: batch, act: relu}")] | None = None
    blocks: Annotated[dict[str, Any], Meta(description="a mapping of names to blocks")] | None = None
    published: Annotated[list[Any], Meta(description="a list of figures")] | None = None
    divisor: Whole | None = None


Record = TypeVar("Record", bound=Struct)


def decode(arguments: Mapping[str, Any], record: type[Record]) -> Record | None:
    """Check ``arguments`` against ``record``; None where they have :func:`faults`."""
    try:
        return msgspec.convert(arguments, record)
    except msgspec.ValidationError:
        return None


def faults(arguments: Mapping[Any, Any], record: type[Struct]) -> Iterator[tuple[Any, str]]:
    """Every fault of ``arguments`` with its key: unknown and missing ones, and values of a wrong kind."""
    known = fields(record)
    for key, value in arguments.items():
        if key not in known:
            yield key, f"unknown key {shown(key)}{meant(key, known)}"
            continue
        try:
            msgspec.convert(value, known[key].type)
        except msgspec.ValidationError:
            yield key, f"{key}: expected {_expected(known[key].type)}, got {shown(value)}"
    for key, each in known.items():
        if each.required and key not in arguments:
            yield None, f"{key} is missing; give {_expected(each.type)}"


_OTHER_WORDS = {
    "kernel": "k",
    "kernel_size": "k",
    "in_channels": "c_in",
    "out_channels": "c_out",
    "channels": "c_out",
    "filters": "c_out",
    "units": "c_out",
    "strides": "stride",
    "pad": "padding",
    "activation": "act",
    "normalization": "norm",
}
"""What frameworks call the same arguments."""


def meant(word: object, known: Iterable[str]) -> str:
    """Like :func:`closest`, with the words of frameworks understood as well."""
    if not isinstance(word, str):
        return closest("", known)
    others = {other: ours for other, ours in _OTHER_WORDS.items() if ours in known}
    hint = closest(word, [*known, *others])
    for other, ours in others.items():
        hint = hint.replace(f"did you mean '{other}'?", f"did you mean '{ours}'?")
    return hint if "did you mean" in hint else closest(word, known)


@lru_cache(maxsize=64)
def fields(record: type[Struct]) -> dict[str, Any]:
    """The fields of ``record`` by the name that they have in a file."""
    return {each.encode_name: each for each in msgspec.structs.fields(record)}


def _expected(hint: Any) -> str:
    for part in (hint, *getattr(hint, "__args__", ())):
        for meta in reversed(getattr(part, "__metadata__", ())):
            if meta.description:
                return str(meta.description)
    return str(hint)


def shown(value: object) -> str:
    """A value as a message shows it: as YAML would, and short however large it is.

    >>> shown({"k": [3, None], "bias": True})
    '{k: [3, null], bias: true}'
    """
    return clipped(f"'{value}'" if isinstance(value, str) else _shown(value, 3))


def clipped(text: str) -> str:
    """``text``, or its beginning where it is longer than a message should be."""
    return text if len(text) <= 40 else f"{text[:37]}..."


def _shown(value: object, levels: int) -> str:
    # Aliases of aliases can stand for more text than there is memory: a few entries and levels are enough.
    if isinstance(value, (list, dict)) and not levels:
        return "..."
    if isinstance(value, list):
        return f"[{', '.join(_shown(each, levels - 1) for each in value[:20])}]"
    if isinstance(value, dict):
        pairs = islice(value.items(), 20)
        return f"{{{', '.join(f'{_shown(key, 0)}: {_shown(each, levels - 1)}' for key, each in pairs)}}}"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
