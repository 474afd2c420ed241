"""The arguments of each layer in a network file, and of the file's other parts.

The records are data for msgspec: one declaration gives the checks, the messages and the JSON Schema.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct, defstruct
from msgspec.structs import fields

from sepcalc.core.variants import GROUPS, Option, all_options, all_variants
from sepcalc.readers.yaml.argument_types import (
    WHOLE,
    WHOLE_OR_0,
    Act,
    Batch,
    Biases,
    Body,
    Earlier,
    Figure,
    Flag,
    Index,
    Inside,
    Join,
    Lengths,
    Names,
    Norm,
    Offsets,
    Overrides,
    Pads,
    Pooled,
    Scale,
    Text,
    Whole,
    defined,
    says,
)


class Common(Struct, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """What every layer may say: its name, where its input comes from, and how often it stands in a row."""

    name: Annotated[
        Text | None,
        says("what the layer is called in tables and by later layers; its type and a number where it has no name"),
    ] = None
    from_: Annotated[Earlier | None, says("an earlier layer that this one reads; the one before it by default")] = None
    c_in: Annotated[
        Whole | None, says("input channels, M, where nothing before the layer says so; otherwise a check")
    ] = None
    size: Annotated[
        Lengths | None,
        says("the feature map at the layer's input, D_F, where nothing before the layer says so; otherwise a check"),
    ] = None
    repeat: Annotated[Index, says("how many times the layer stands in a row")] = 1
    first: Annotated[Overrides | None, says("what is different in the first repetition")] = None


class ConvArguments(Common, kw_only=True):
    """A convolution; what only some variants take belongs to those variants."""

    options: ClassVar[tuple[str, ...]] = ()
    c_out: Annotated[
        Whole | None, says("output channels, N; a depthwise convolution keeps its channels by default")
    ] = None
    k: Annotated[Lengths, says("length of the kernel, D_K")]
    stride: Annotated[Lengths, says("step of the window")] = 1
    padding: Annotated[
        Pads,
        says(
            "zeros around the input: same keeps ceil(size / stride) positions, valid adds none, a number pads both ends"
        ),
    ] = "same"
    dilation: Annotated[Lengths, says("distance between the positions that the kernel looks at")] = 1
    groups: Annotated[Whole, says("parts of the channels that never meet")] = 1
    bias: Annotated[Biases, says("which stages have a bias: true or all, the last one, or none of them")] = False
    transposed: Annotated[Flag, says("whether stride enlarges the feature map (a deconvolution)")] = False
    output_padding: Annotated[Offsets, says("positions added to one end of a transposed convolution's output")] = 0
    variant: Annotated[
        str | None,
        says("the form in which the convolution is written; the word of the layer says so for the commonest"),
    ] = None
    norm: Annotated[Norm, says("the norm after each stage")] = "none"
    act: Annotated[Act, says("the activation after each stage")] = "none"
    act_last: Annotated[Act | None, says("the activation after the last stage, where it is another one")] = None
    between: Annotated[
        Inside,
        says("what stands between stages as well as after the last: norm and activation (all), act alone, or none"),
    ] = "all"
    scale: Annotated[Scale, says("whether a width multiplier changes c_out; up: only one above 1")] = "yes"
    shares: Annotated[
        Earlier | None,
        says("an earlier layer whose weights this one uses again: they count once in params, twice in MACs"),
    ] = None
    batch: Annotated[Batch, says("feature maps that the layer runs over for one example")] = 1


def conv_arguments() -> type[ConvArguments]:
    """:class:`ConvArguments` with a key for each option of the variants that are registered now."""
    return _conv_arguments(tuple(variant.rewrite for variant in all_variants()))


@lru_cache
def _conv_arguments(_rewrites: tuple[Any, ...]) -> type[ConvArguments]:
    names = [name for variant in all_variants() for name in (variant.name, *variant.aliases)]
    known = Annotated[str, Meta(description="the name of a variant", extra_json_schema={"enum": names})]
    # The number of groups is the convolution's own, and has its key above.
    options = [option for option in all_options() if option is not GROUPS]
    keys: list[tuple[str, Any, Any]] = []
    for field in fields(ConvArguments)[len(fields(Common)) :]:
        if field.name == "variant":
            keys.append((field.name, Annotated[known | None, field.type.__metadata__[0]], None))
            keys += [(option.name, _option_type(option), None) for option in options]
        else:
            keys.append((field.name, field.type, field.default))
    return defstruct(  # type: ignore[return-value]  # the same fields, and more
        ConvArguments.__name__,
        keys,
        bases=(Common,),
        kw_only=True,
        namespace={"__doc__": ConvArguments.__doc__, "options": tuple(option.name for option in options)},
    )


def _option_type(option: Option) -> Any:
    value: Any = Whole
    if option.words:
        expected = Meta(description=f"{', '.join(option.words)} or a whole number")
        value = Annotated[Annotated[int, WHOLE] | Literal[option.words], expected]
    return Annotated[value | None, says(option.key_help or option.help)]


class LinearArguments(Common, kw_only=True):
    """A linear layer, on one position unless it says ``per_position``."""

    c_out: Annotated[Whole, says("output features; no width multiplier changes them")]
    bias: Annotated[Flag, says("whether there is a bias")] = False
    norm: Annotated[Norm, says("the norm after the layer")] = "none"
    act: Annotated[Act, says("the activation after the layer")] = "none"
    per_position: Annotated[Flag, says("whether the layer runs at each position of a feature map")] = False
    shares: Annotated[
        Earlier | None,
        says("an earlier layer whose weights this one uses again: they count once in params, twice in MACs"),
    ] = None
    batch: Annotated[Batch, says("vectors that the layer runs over for one example")] = 1


class PoolArguments(Common, kw_only=True):
    """Pooling with a window ``k``, to ``out`` positions whatever the input, or ``global``."""

    k: Annotated[Pooled | None, says("the window, or global for all positions")] = None
    stride: Annotated[Lengths | None, says("step of the window; the window itself by default")] = None
    padding: Annotated[Pads, says("positions around the input, as for a convolution; at most half the window")] = 0
    ceil: Annotated[Flag, says("whether a window that only begins inside the input counts (ceil_mode)")] = False
    out: Annotated[Lengths | None, says("the size to pool to, whatever the input (adaptive pooling); instead of k")] = (
        None
    )


class NormArguments(Common, kw_only=True):
    """A norm of its own; ``affine`` overrides whether it learns scale and shift."""

    kind: Annotated[Norm, says("which norm")]
    affine: Annotated[Flag | None, says("whether it learns scale and shift; as in PyTorch by default")] = None


class DropoutArguments(Common, kw_only=True):
    """Dropout: no cost."""

    p: Annotated[
        Annotated[float, Meta(ge=0, le=1), Meta(description="a number from 0 to 1")],
        says("the share of elements that training drops"),
    ] = 0.5


class UpsampleArguments(Common, kw_only=True):
    """Interpolation by a factor, or to a size."""

    scale: Annotated[Lengths | None, says("the factor by which the size grows")] = None
    out: Annotated[Lengths | None, says("the size to interpolate to; instead of scale")] = None


class ShuffleArguments(Common, kw_only=True):
    """Channel shuffle over ``groups``."""

    groups: Annotated[Whole, says("the groups that take turns")]


class SplitArguments(Common, kw_only=True):
    """Keep one of several equal parts of the channels; ``part`` counts from 0."""

    parts: Annotated[Whole, says("how many equal parts there are")] = 2
    part: Annotated[Index, says("which of them goes on, counted from 0")] = 0


class JoinArguments(Common, kw_only=True, rename={"from_": "from", "with_": "with"}):
    """Join what reaches the layer with the output of earlier ones."""

    with_: Annotated[Names, says("what is joined to the output of the layer before")]


class ResidualArguments(Common, kw_only=True):
    """A body beside a shortcut.

    ``auto`` projects where the shape changes, ``optional`` has no shortcut there, ``identity`` is an error there.
    """

    body: Annotated[Body, says("the layers beside the shortcut")]
    shortcut: Annotated[
        Any,
        Meta(
            description="auto, identity, optional or a list of layers",
            extra_json_schema={"anyOf": [{"enum": ["auto", "identity", "optional"]}, {"$ref": "#/$defs/layers"}]},
        ),
        says("the way around the body: auto is a 1×1 projection where the shape changes, optional is none there"),
    ] = "auto"
    join: Annotated[Join, says("how the two ends meet")] = "add"
    act: Annotated[Act, says("the activation after the join")] = "none"


class ParallelArguments(Common, kw_only=True):
    """Branches that read the same feature map, or with ``split`` a part of its channels each."""

    branches: Annotated[
        Any,
        Meta(description="a list of branches"),
        defined("branches"),
        says("lists of layers that read the same feature map; an empty one is the identity"),
    ]
    join: Annotated[Join, says("how the ends of the branches meet")] = "concat"
    split: Annotated[
        Annotated[
            bool | list[Annotated[int, WHOLE]],
            Meta(description="true for equal parts, or a list of channels for each branch"),
        ]
        | None,
        says("whether each branch reads a part of the channels alone: equal parts, or as many as the list says"),
    ] = None


class OperatorArguments(Common, kw_only=True):
    """An operator by the name that its framework has for it, and what is known of it.

    ``operator`` is one without a matrix product; ``uncounted`` is one that nobody here understands, and
    is listed, never counted as zero.
    """

    operator: Annotated[Text, says("what its framework calls it")]
    params: Annotated[Index, says("trainable numbers in it")] = 0
    c_out: Annotated[Whole | None, says("channels that it writes; those that it reads by default")] = None
    out: Annotated[Lengths | None, says("size that it writes; the one that it reads by default")] = None


class ProductArguments(OperatorArguments, kw_only=True):
    """Matrix products that are no layer of their own kind: attention, einsum, a recurrent layer."""

    terms: Annotated[
        list[Annotated[list[Annotated[int, WHOLE_OR_0]], Meta(min_length=3, max_length=3)]],
        Meta(description="a list of products, each [c_in, c_out, times]"),
        says("linear maps, and how many vectors each is applied to: [c_in, c_out, times]"),
    ]


class InputArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """What the network reads."""

    channels: Annotated[Whole, says("channels of the input: 3 for a colour picture")]
    size: Annotated[Lengths | None, says("height and width of the input, or as many lengths as it has axes")] = None


class DefaultArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """What every convolution of the file does unless it says otherwise."""

    norm: Annotated[Norm | None, says("the norm after each stage")] = None
    act: Annotated[Act | None, says("the activation after each stage")] = None
    act_last: Annotated[Act | None, says("the activation after the last stage, where it is another one")] = None
    between: Annotated[Inside | None, says("what stands between stages as well as after the last")] = None
    bias: Annotated[Biases | None, says("which stages have a bias")] = None
    padding: Annotated[Pads | None, says("zeros around the input: same, valid or a number")] = None


class PublishedArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """A figure as its source prints it, such as ``569 M``."""

    source: Annotated[Text, says("where the figure is printed")]
    params: Annotated[Figure | None, says("parameters as printed there")] = None
    macs: Annotated[Figure | None, says("multiply-adds as printed there")] = None
    note: Annotated[Text | None, says("how that source counts otherwise")] = None


class BlockArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """Layers to be reused; ``args`` gives names and defaults, and null where a value must be given."""

    layers: Annotated[Body, says("what the block stands for; $c_in is the channels that reach it")]
    args: Annotated[
        dict[Any, Any],
        Meta(description="a mapping of names to defaults"),
        defined("arguments-of-a-block"),
        says("names that the layers use as $name, with a default or null; a default can use the names before it"),
    ] = {}


class FileArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole file."""

    layers: Annotated[Body, says("the layers, one after another")]
    name: Annotated[Text | None, says("the name of the network; the file's by default")] = None
    source: Annotated[Text | None, says("the paper or the code that it follows")] = None
    input: Annotated[
        Annotated[
            dict[Any, Any], Meta(description="a mapping like {channels: 3, size: 224}"), defined("InputArguments")
        ]
        | None,
        says("what the network reads; shapes are inferred from it"),
    ] = None
    defaults: Annotated[
        Annotated[
            dict[Any, Any], Meta(description="a mapping like {norm: batch, act: relu}"), defined("DefaultArguments")
        ]
        | None,
        says("what every convolution does unless it says otherwise"),
    ] = None
    blocks: Annotated[
        Annotated[dict[Any, Any], Meta(description="a mapping of names to blocks"), defined("blocks")] | None,
        says("lists of layers to be used by their name"),
    ] = None
    published: Annotated[
        Annotated[list[Any], Meta(description="a list of figures"), defined("published")] | None,
        says("figures of other sources, shown beside the computed ones"),
    ] = None
    divisor: Annotated[Whole | None, says("what a width multiplier rounds channels to a multiple of; 1 by default")] = (
        None
    )
