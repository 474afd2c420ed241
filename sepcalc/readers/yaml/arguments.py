"""The types of arguments in network files, and the records of convolutions and of the file's parts.

The records are data for msgspec: one declaration gives the checks, the messages and the JSON Schema. A type carries the
words of its message and its part of the schema. The record of any other layer type stands beside its function.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from msgspec import Meta, Struct, defstruct
from msgspec.structs import fields

from sepcalc.core.layers import Between, NormKind
from sepcalc.core.modules import ACTIVATIONS
from sepcalc.core.spec import LARGEST
from sepcalc.core.variants import GROUPS, Option, all_options, all_variants

WHOLE = Meta(ge=1, le=LARGEST)
WHOLE_OR_0 = Meta(ge=0, le=LARGEST)


def _form(pattern: str) -> Meta:
    # For the JSON Schema alone; strings are checked where they are read. A Meta with a pattern crashes the interpreter
    # at exit (msgspec issue 717).
    return Meta(extra_json_schema={"pattern": pattern})


def says(meaning: str) -> Meta:
    """The meaning of a key, for the JSON Schema; the description of its type says which values it takes."""
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
OFFSETS_EXPECTED = "a whole number, or one per axis like 1x0 or [1, 0]"
POOLED_EXPECTED = "global, a whole number, or one per axis like 3x1 or [3, 1]"
_Number = Annotated[int, WHOLE]
_NumberOr0 = Annotated[int, WHOLE_OR_0]
_Numbers = Annotated[list[_Number], Meta(min_length=1, max_length=3)]
_NumbersOr0 = Annotated[list[_NumberOr0], Meta(min_length=1, max_length=3)]
_AXES, _AXES_OR_0 = r"[1-9][0-9]{0,8}(x[1-9][0-9]{0,8}){1,2}", r"[0-9]{1,9}(x[0-9]{1,9}){1,2}"
Lengths = Annotated[_Number | _Numbers | Annotated[str, _form(f"^{_AXES}$")], Meta(description=LENGTHS_EXPECTED)]
Pads = Annotated[
    _NumberOr0 | _NumbersOr0 | Annotated[str, _form(f"^(same|valid|{_AXES_OR_0})$")], Meta(description=PADS_EXPECTED)
]
Offsets = Annotated[
    _NumberOr0 | _NumbersOr0 | Annotated[str, _form(f"^{_AXES_OR_0}$")], Meta(description=OFFSETS_EXPECTED)
]
Pooled = Annotated[_Number | _Numbers | Annotated[str, _form(f"^(global|{_AXES})$")], Meta(description=POOLED_EXPECTED)]
Biases = Annotated[bool | Literal["none", "last", "all"], Meta(description="true, false, none, last or all")]
# YAML 1.1 makes true and false of a plain yes and no; editors that follow YAML 1.2 leave the words.
Scale = Annotated[bool | Literal["yes", "up", "no"], Meta(description="yes, up or no")]

Norm = Annotated[NormKind, Meta(description=f"one of {', '.join(get_args(NormKind))}")]
if TYPE_CHECKING:
    Act = str
else:
    _WORDS = tuple(ACTIVATIONS)
    Act = Annotated[Literal["none"] | Literal[_WORDS], Meta(description=f"one of none, {', '.join(_WORDS)}")]
Inside = Annotated[Between, Meta(description="all, act or none")]
Join = Annotated[Literal["add", "concat", "mul"], Meta(description="add, concat or mul")]
Body = Annotated[Any, Meta(description="a list of layers"), defined("layers")]
Branches = Annotated[Any, Meta(description="a list of branches"), defined("branches")]
Earlier = Annotated[str | int, Meta(description="the name of an earlier layer")]
Names = Annotated[
    str | int | Annotated[list[str | int], Meta(min_length=1)],
    Meta(description="the name of an earlier layer, or a list of names"),
]
Listed = Annotated[list[str | int], Meta(description="a list of names of earlier layers")]
Shares = Annotated[
    Earlier | None,
    says("an earlier layer whose weights this one uses again: they count once in params, twice in MACs"),
]
Batch = Annotated[int, WHOLE, Meta(description="how many feature maps it runs over")]
Figure = Annotated[str | int | float, Meta(description="a figure like 569 M")]
Overrides = Annotated[
    dict[str, Any], Meta(description="a mapping of arguments for the first repetition alone, like {stride: 2}")
]


class Common(Struct, forbid_unknown_fields=True, kw_only=True, rename={"from_": "from"}):
    """The arguments of every layer: its name, its input, and how often it stands in a row."""

    name: Annotated[
        Text | None,
        says("the layer's name in tables and for later layers; its type and a number by default"),
    ] = None
    from_: Annotated[Earlier | None, says("an earlier layer that this one reads; the one before it by default")] = None
    c_in: Annotated[Whole | None, says("input channels, M, where they cannot be inferred; otherwise a check")] = None
    size: Annotated[
        Lengths | None,
        says("the size of the layer's input, D_F, where it cannot be inferred; otherwise a check"),
    ] = None
    repeat: Annotated[Index, says("how many times the layer stands in a row")] = 1
    first: Annotated[Overrides | None, says("arguments for the first repetition alone")] = None


class ListedArguments(Common, kw_only=True):
    """The arguments of a layer that a written network may list with all that it reads."""

    reads: Annotated[
        Listed | None, says("all earlier layers that this one reads; what only moves numbers between them is left out")
    ] = None
    reads_part_of: Annotated[Listed, says("earlier layers of which this one reads some numbers alone")] = []


class ConvArguments(ListedArguments, kw_only=True):
    """A convolution; some arguments belong to some variants alone."""

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
    groups: Annotated[Whole, says("number of groups into which the channels are divided")] = 1
    bias: Annotated[Biases, says("which stages have a bias: true or all, the last one, or none of them")] = False
    transposed: Annotated[Flag, says("whether stride enlarges the feature map (a deconvolution)")] = False
    output_padding: Annotated[Offsets, says("positions added to one end of a transposed convolution's output")] = 0
    variant: Annotated[
        str | None,
        says("the variant in which the convolution is written; common variants have a word of their own"),
    ] = None
    norm: Annotated[Norm, says("the norm after each stage")] = "none"
    act: Annotated[Act, says("the activation after each stage")] = "none"
    norm_last: Annotated[Norm | None, says("the norm after the last stage, if it is another one")] = None
    act_last: Annotated[Act | None, says("the activation after the last stage, if it is another one")] = None
    between: Annotated[
        Inside,
        says("the layers between stages: norm and activation (all), act alone, or none"),
    ] = "all"
    scale: Annotated[Scale, says("whether a width multiplier changes c_out; up: only one above 1")] = "yes"
    shares: Shares = None
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
    for field in fields(ConvArguments)[len(fields(ListedArguments)) :]:
        if field.name == "variant":
            keys.append((field.name, Annotated[known | None, field.type.__metadata__[0]], None))
            keys += [(option.name, _option_type(option), None) for option in options]
        else:
            keys.append((field.name, field.type, field.default))
    return defstruct(  # type: ignore[return-value]  # the same fields, and more
        ConvArguments.__name__,
        keys,
        bases=(ListedArguments,),
        kw_only=True,
        namespace={"__doc__": ConvArguments.__doc__, "options": tuple(option.name for option in options)},
    )


def _option_type(option: Option) -> Any:
    value: Any = Whole
    if option.words:
        expected = Meta(description=f"{', '.join(option.words)} or a whole number")
        value = Annotated[Annotated[int, WHOLE] | Literal[option.words], expected]
    return Annotated[value | None, says(option.key_help or option.help)]


class OperatorArguments(ListedArguments, kw_only=True):
    """An operator by its framework's name, with its known figures.

    ``operator`` has no matrix product; ``uncounted`` is not understood here: it is listed, never counted as zero.
    """

    operator: Annotated[Text, says("its name in its framework")]
    params: Annotated[Index, says("trainable numbers in it")] = 0
    c_out: Annotated[Whole | None, says("channels of its output; the channels of its input by default")] = None
    out: Annotated[Lengths | None, says("size of its output; the size of its input by default")] = None


class InputArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """The network's input."""

    channels: Annotated[Whole, says("channels of the input: 3 for a colour picture")]
    size: Annotated[Lengths | None, says("height and width of the input, or as many lengths as it has axes")] = None


class DefaultArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """The defaults of every convolution in the file."""

    norm: Annotated[Norm | None, says("the norm after each stage")] = None
    act: Annotated[Act | None, says("the activation after each stage")] = None
    act_last: Annotated[Act | None, says("the activation after the last stage, if it is another one")] = None
    between: Annotated[Inside | None, says("the layers between stages")] = None
    bias: Annotated[Biases | None, says("which stages have a bias")] = None
    padding: Annotated[Pads | None, says("zeros around the input: same, valid or a number")] = None


class PublishedArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """A figure as its source prints it, such as ``569 M``."""

    source: Annotated[Text, says("where the figure is printed")]
    params: Annotated[Figure | None, says("parameters as printed there")] = None
    macs: Annotated[Figure | None, says("multiply-adds as printed there")] = None
    note: Annotated[Text | None, says("how the source counts in another way")] = None


class BlockArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """Layers to be reused; ``args`` gives names and defaults, and null where a value must be given."""

    layers: Annotated[Body, says("the layers of the block; $c_in is the number of channels of its input")]
    args: Annotated[
        dict[Any, Any],
        Meta(description="a mapping of names to defaults"),
        defined("arguments-of-a-block"),
        says("names that the layers use as $name, with a default or null; a default can use the names before it"),
    ] = {}


_Map = dict[Any, Any]
_Input = Annotated[_Map, Meta(description="a mapping like {channels: 3, size: 224}"), defined("InputArguments")]
_Defaults = Annotated[_Map, Meta(description="a mapping like {norm: batch, act: relu}"), defined("DefaultArguments")]
_Blocks = Annotated[_Map, Meta(description="a mapping of names to blocks"), defined("blocks")]
_Figures = Annotated[list[Any], Meta(description="a list of figures"), defined("published")]


class FileArguments(Struct, forbid_unknown_fields=True, kw_only=True):
    """A whole file."""

    layers: Annotated[Body, says("the layers, one after another")]
    name: Annotated[Text | None, says("the name of the network; the file's by default")] = None
    source: Annotated[Text | None, says("the paper or the code that it follows")] = None
    input: Annotated[_Input | None, says("the network's input; shapes are inferred from it")] = None
    defaults: Annotated[_Defaults | None, says("the defaults of every convolution")] = None
    blocks: Annotated[_Blocks | None, says("lists of layers to be used by their name")] = None
    published: Annotated[_Figures | None, says("figures of other sources, shown beside the computed ones")] = None
    outputs: Annotated[Listed, says("layers whose results the network returns although others read them too")] = []
    divisor: Annotated[Whole | None, says("scaled channels are rounded to multiples of it; 1 by default")] = None
