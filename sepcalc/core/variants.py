"""Variants: rewrites of one convolution into a chain of primitive ones.

A variant is a decorated function ``ConvSpec -> tuple[ConvSpec, ...]``; its docstring is its summary, and an
:class:`Option` describes each of its keyword-only parameters. It raises :class:`SpecError` where it does not apply.

>>> [stage.kind for stage in get("dws")(ConvSpec(c_in=64, c_out=128, kernel=(3, 3)))]
['depthwise 3×3', 'pointwise 1×1']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, get_args

from sepcalc.core.errors import SpecError, closest
from sepcalc.core.parsing import is_whole, parse_whole
from sepcalc.core.spec import LARGEST, Axes, ConvSpec, times

Stages = tuple[ConvSpec, ...]
Merged = tuple[ConvSpec, Mapping[str, Any]] | None
Merge = Callable[[Stages], Merged]
"""From the stages of a variant back to the convolution and the options; None for stages of another form."""
MidWord = Literal["in", "out", "min", "max"]
Mid = MidWord | int


class Option(NamedTuple):
    """An option of variants, a whole number from 1 or one of ``words``, under the ``name`` of its parameter.

    ``help`` describes it in the help of commands, ``key_help`` as a key of network files. Formulas call it
    ``symbol``, which the legend explains by ``meaning``; without a symbol they show its number. ``title`` heads
    its column in a sweep.
    """

    name: str
    help: str
    key_help: str = ""
    words: tuple[str, ...] = ()
    symbol: str = ""
    meaning: str = ""
    title: str = ""

    def parse(self, text: str) -> int | str:
        """The value that ``text`` stands for; raises :class:`SpecError` for any other text.

        >>> MID.parse("max"), MID.parse("32")
        ('max', 32)
        """
        if text in self.words:
            return text
        if self.words and not is_whole(text, 1):
            raise SpecError(f"expected {', '.join(self.words)} or a whole number from 1 to {LARGEST:,}, got '{text}'")
        return parse_whole(text)


GROUPS = Option("groups", help="how many groups", symbol="G", meaning="groups", title="Groups")
"""The first option, since every convolution has groups: a flag, and a key of files with a meaning of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A registered rewrite, with the options that are bound to it."""

    name: str
    aliases: tuple[str, ...]
    summary: str
    gives_up: str
    rewrite: Callable[..., Stages]
    remark: Callable[[ConvSpec, Stages], str]
    takes: tuple[Option, ...]
    defaults: Mapping[str, Any] = field(hash=False)
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    merge: Merge | None = None

    @property
    def accepts(self) -> frozenset[str]:
        """The names of its options."""
        return frozenset(self.defaults)

    def __call__(self, spec: ConvSpec) -> Stages:
        """The chain of stages of ``spec``; raises :class:`SpecError` where the variant does not apply to it."""
        stages = self.rewrite(spec, **self.options)
        if spec.bias == "last":
            return (*(replace(stage, bias="none") for stage in stages[:-1]), stages[-1])
        return stages

    def merged(self, stages: Stages) -> tuple[ConvSpec, Variant] | None:
        """A convolution, and this variant with the options that rewrite it as ``stages``; None where there is none.

        A chain is recognised where the variant's own stages have the same channels, weights and positions.
        """
        found = self.merge(stages) if self.merge else None
        biased = [stage.bias != "none" for stage in stages]
        if found is None or (any(biased[:-1]) and not all(biased)):
            return None
        spec = replace(found[0], bias="all" if all(biased) else "last" if biased[-1] else "none")
        try:
            variant = self.bind(found[1])
            return (spec, variant) if list(map(_work, variant(spec))) == list(map(_work, stages)) else None
        except SpecError:
            return None

    def bind(self, options: Mapping[str, Any]) -> Variant:
        """This variant with its own ``options``, None left out; raises :class:`SpecError` for a count below 1."""
        mine = {key: value for key, value in options.items() if key in self.defaults and value is not None}
        for key, value in mine.items():
            if type(value) is int and value < 1:
                raise SpecError(f"{key} {value} is out of range; give a whole number from 1")
        return replace(self, options={**self.options, **mine}) if mine else self


def _work(stage: ConvSpec) -> tuple[Any, ...]:
    return stage.c_in, stage.c_out, stage.groups, stage.weights, stage.params, stage.positions


_REGISTRY: dict[str, Variant] = {}


def variant(
    name: str,
    *aliases: str,
    gives_up: str,
    options: tuple[Option, ...] = (),
    remark: Callable[[ConvSpec, Stages], str] = lambda spec, stages: "",
    merge: Merge | None = None,
) -> Callable[[Callable[..., Stages]], Callable[..., Stages]]:
    """A decorator that registers a rewrite under ``name`` and ``aliases``.

    ``gives_up`` is a sentence on its limits, ``options`` describe its keyword-only parameters, and ``remark`` may add a
    note to the variant's row. ``merge`` undoes the rewrite, so that stages are recognised among a network's layers.

    Raises :class:`ValueError` where a name is taken, and for an option that is no parameter.
    """

    def register(rewrite: Callable[..., Stages]) -> Callable[..., Stages]:
        for word in (name, *aliases):
            if word in _names():
                raise ValueError(f"variant name '{word}' is taken")
        defaults = getattr(rewrite, "__kwdefaults__", None) or {}
        taken = {option.name for option in all_options() if option not in options}
        for option in options:
            if option.name not in defaults:
                raise ValueError(f"variant '{name}' has no keyword '{option.name}' with a default")
            if option.name in taken:
                raise ValueError(f"option name '{option.name}' is taken")
        _REGISTRY[name] = Variant(
            name=name,
            aliases=aliases,
            summary=" ".join((rewrite.__doc__ or "").split("\n\n")[0].split()),
            gives_up=gives_up,
            rewrite=rewrite,
            remark=remark,
            takes=options,
            defaults=defaults,
            merge=merge,
        )
        return rewrite

    return register


def _names() -> dict[str, Variant]:
    return {word: variant for variant in _REGISTRY.values() for word in (variant.name, *variant.aliases)}


def all_variants() -> tuple[Variant, ...]:
    """Every registered variant, the reference first, then in the order of registration."""
    return tuple(_REGISTRY.values())


def all_options() -> tuple[Option, ...]:
    """Every option of a registered variant, ``groups`` first."""
    return tuple(dict.fromkeys((GROUPS, *(option for variant in _REGISTRY.values() for option in variant.takes))))


def owner_of(option: str) -> Variant:
    """The first variant that takes the option."""
    return next(variant for variant in _REGISTRY.values() if option in variant.defaults)


def get(name: str | Variant) -> Variant:
    """The variant with this name or alias, or itself; raises :class:`SpecError` with the closest known name."""
    if isinstance(name, Variant):
        return name
    names = _REGISTRY if name in _REGISTRY else _names()
    if name not in names:
        raise SpecError(f"unknown variant '{name}'{closest(name, names)}")
    return names[name]


def choose(names: Iterable[str] = (), options: Mapping[str, Any] | None = None) -> tuple[Variant, ...]:
    """The variants called ``names`` with ``options`` bound: the first three without names, every one for ``all``.

    The reference, ``standard``, always comes first, and no variant comes twice.

    >>> [variant.name for variant in choose(["dw"])]
    ['standard', 'depthwise']
    """
    wanted = [names] if isinstance(names, str) else list(names)
    found = all_variants() if "all" in wanted else tuple(map(get, wanted)) if wanted else all_variants()[:3]
    unique = dict.fromkeys(variant.name for variant in (get("standard"), *found))
    return tuple(_REGISTRY[name].bind(options or {}) for name in unique)


def pointwise(spec: ConvSpec, c_in: int, c_out: int, size: Axes | None) -> ConvSpec:
    """A 1×1 stage of a rewrite of ``spec``, on a feature map of ``size``."""
    return ConvSpec(c_in=c_in, c_out=c_out, kernel=(1,) * len(spec.kernel), size=size, bias=spec.bias)


@variant("standard", "std", gives_up="It gives up nothing: every output sees every channel of its whole window.")
def standard(spec: ConvSpec) -> Stages:
    """One dense convolution: the reference."""
    return (spec,)


def _is_depthwise(stage: ConvSpec) -> bool:
    return 1 < stage.groups == stage.c_in and max(stage.kernel, default=1) > 1


def _is_pointwise(stage: ConvSpec) -> bool:
    return stage.groups == 1 == max(stage.kernel, default=1) and max(stage.stride, default=1) == 1


DEPTH_MULTIPLIER = Option(
    "depth_multiplier",
    help="filters per channel",
    key_help="filters for each input channel of a depthwise-separable convolution",
)


def _merged_depthwise(stages: Stages) -> Merged:
    if len(stages) != 2 or not _is_depthwise(stages[0]) or not _is_pointwise(stages[1]):
        return None
    filtered, mixed = stages
    multiplier = filtered.c_out // filtered.c_in
    return replace(filtered, c_out=mixed.c_out, groups=1), {} if multiplier == 1 else {"depth_multiplier": multiplier}


@variant(
    "depthwise-separable",
    "dws",
    "separable",
    gives_up="It cannot see space and channels at once.",
    options=(DEPTH_MULTIPLIER,),
    merge=_merged_depthwise,
)
def depthwise_separable(spec: ConvSpec, *, depth_multiplier: int = 1) -> Stages:
    """Filter every channel on its own, then mix the channels at each position (Howard 2017, section 3.1)."""
    filtered = replace(spec, c_out=spec.c_in * depth_multiplier, groups=spec.c_in)
    return filtered, pointwise(spec, filtered.c_out, spec.c_out, filtered.out_size)


MID = Option(
    "mid",
    help="channels between",
    key_help="channels between the stages of a spatial-separable convolution: those of in, out, the smaller (min), …",
    words=get_args(MidWord),
    symbol="R",
    meaning="channels between the factors (mid)",
    title="Mid",
)


def _rank(spec: ConvSpec, mid: Mid) -> int:
    if isinstance(mid, int):
        return mid
    ranks = {"in": spec.c_in, "out": spec.c_out, "min": min(spec.c_in, spec.c_out), "max": max(spec.c_in, spec.c_out)}
    if mid not in ranks:
        raise SpecError(f"unknown mid '{mid}'; give in, out, min, max or a number")
    return ranks[mid]


def break_even(spec: ConvSpec, count: Callable[[ConvSpec], int] = lambda stage: stage.weights) -> int:
    """The smallest ``mid`` at which spatial separation saves no weights of ``spec``, or of another ``count``.

    For a k×k kernel that is k·c_in·c_out / (c_in + c_out), rounded up (Jaderberg 2014, section 2).

    >>> break_even(ConvSpec(c_in=64, c_out=128, kernel=(3, 3)))
    128
    """
    whole = count(spec)

    def saves(mid: int) -> bool:
        mid *= spec.groups
        return mid <= LARGEST and sum(map(count, spatial_separable(spec, mid=mid))) < whole

    low, high = 0, 1  # saves(low), not saves(high)
    while saves(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if saves(middle) else (low, middle)
    return high * spec.groups


def _break_even_remark(spec: ConvSpec, stages: Stages) -> str:
    mid, limits = stages[0].c_out, {"weights": break_even(spec)}
    if spec.size is not None and not spec.keeps_size:
        # A stage in front of a stride works on a larger map than the whole convolution.
        limits["multiply-adds"] = break_even(spec, lambda stage: stage.macs)
    saves, limit = mid < max(limits.values()), f"mid < {limits['weights']:,}"
    if len({*limits.values()}) == 1:
        return f"mid {mid:,}; saves while {limit}" if saves else f"mid {mid:,} saves nothing: only {limit} does"
    ranges = [f"{name} {'while' if mid < most else 'only while'} mid < {most:,}" for name, most in limits.items()]
    return f"mid {mid:,}{'; saves' if saves else ' saves nothing:'} {', '.join(ranges)}"


_NEUTRAL = {"kernel": 1, "stride": 1, "dilation": 1, "padding": 0, "output_padding": 0}
"""The values along an axis on which a stage does nothing."""


def _merged_lines(stages: Stages) -> Merged:
    """The convolution whose window is the product of the stages' lines, in any order that costs the same."""
    first, last = stages[0], stages[-1]
    long = [axis for stage in stages for axis, k in enumerate(stage.kernel) if k > 1]
    lines = len(stages) > 1 and len(long) == len({*long}) and all(max(stage.kernel, default=1) > 1 for stage in stages)
    if not lines or {(stage.groups, len(stage.kernel)) for stage in stages} != {(first.groups, len(first.kernel))}:
        return None

    joined: dict[str, Any] = {}
    for name, neutral in _NEUTRAL.items():
        values = [getattr(stage, name) for stage in stages]
        join = max if neutral else sum
        joined[name] = "same" if "same" in values else tuple(map(join, zip(*values, strict=True)))
    return replace(first, c_out=last.c_out, **joined), {"mid": first.c_out}


@variant(
    "spatial-separable",
    "sps",
    "spatial",
    gives_up="It cannot see a whole window through any mid channel: each adds the product of one line along each axis.",
    options=(MID,),
    remark=_break_even_remark,
    merge=_merged_lines,
)
def spatial_separable(spec: ConvSpec, *, mid: Mid = "min") -> Stages:
    """Filter along one axis at a time, through mid channels in between (Jaderberg 2014, scheme 2)."""
    long = [axis for axis, k in enumerate(spec.kernel) if k > 1]
    if len(long) < 2:
        kernel = f"kernel {times(spec.kernel)}" if spec.kernel else "a linear layer"
        raise SpecError(f"spatial separation needs two axes with k > 1, not {kernel}")
    between = _rank(spec, mid)
    stages: list[ConvSpec] = []
    for axis in long:
        read, size = (stages[-1].c_out, stages[-1].out_size) if stages else (spec.c_in, spec.size)
        # An axis of length 1 has no stage of its own: the first stage does its stride and padding.
        mine = [axis] if stages else [a for a in range(len(spec.kernel)) if a == axis or a not in long]
        written = spec.c_out if axis == long[-1] else between
        stages.append(replace(spec, c_in=read, c_out=written, size=size, **_along(spec, mine)))
    return tuple(stages)


def _along(spec: ConvSpec, axes: list[int]) -> dict[str, Any]:
    """The arguments of the part of ``spec`` that works along ``axes`` alone."""
    arguments = {}
    for name, neutral in _NEUTRAL.items():
        values = getattr(spec, name)
        if values != "same":
            arguments[name] = tuple([value if axis in axes else neutral for axis, value in enumerate(values)])
    return arguments


@variant("depthwise", "dw", gives_up="It cannot change or mix channels.")
def depthwise(spec: ConvSpec) -> Stages:
    """Filter every channel on its own, and mix none."""
    if spec.c_out % spec.c_in:
        raise SpecError(f"depthwise cannot change {spec.c_in} channels to {spec.c_out}")
    return (replace(spec, groups=spec.c_in),)


def _merged_depthwise_lines(stages: Stages) -> Merged:
    found = _merged_lines(stages[:-1])
    return found and _merged_depthwise((found[0], stages[-1]))


@variant(
    "depthwise-spatial",
    gives_up="It cannot see two axes, or space and channels, at once.",
    merge=_merged_depthwise_lines,
)
def depthwise_spatial(spec: ConvSpec) -> Stages:
    """Filter every channel along one axis at a time, then mix the channels (EffNet, Freeman 2018, section 3)."""
    filtered, mixed = depthwise_separable(spec)
    return (*spatial_separable(filtered), mixed)


def _merged_blueprint(stages: Stages) -> Merged:
    if len(stages) != 2 or not _is_pointwise(stages[0]) or not _is_depthwise(stages[1]):
        return None
    return replace(stages[1], c_in=stages[0].c_in, groups=1), {}


@variant(
    "blueprint-separable",
    "bsconv",
    gives_up="It cannot give an output channel more than one shape of filter.",
    merge=_merged_blueprint,
)
def blueprint_separable(spec: ConvSpec) -> Stages:
    """Mix the channels first, then filter every new channel on its own (BSConv-U, Haase 2020, section 3.2)."""
    mixed = pointwise(spec, spec.c_in, spec.c_out, spec.size)
    return mixed, replace(spec, c_in=spec.c_out, groups=spec.c_out)


@variant("grouped", gives_up="It cannot mix channels across groups.", options=(GROUPS,))
def grouped(spec: ConvSpec, *, groups: int | None = None) -> Stages:
    """Split the channels into groups that never meet (Krizhevsky 2012; Xie 2017, section 3)."""
    if groups is None:
        raise SpecError("the number of groups is open; give groups")
    return (replace(spec, groups=groups),)


REDUCTION = Option(
    "reduction",
    help="c_out / the channels inside",
    key_help="how many times narrower the middle of a bottleneck is than its output",
)


@variant(
    "bottleneck", gives_up="It cannot see more than c_out / reduction channels in its window.", options=(REDUCTION,)
)
def bottleneck(spec: ConvSpec, *, reduction: int = 4) -> Stages:
    """Narrow the channels, filter there, and widen again (He 2016, section 4.1)."""
    mid = spec.c_out // reduction
    if not mid:
        raise SpecError(f"reduction {reduction} leaves no channel of {spec.c_out}")
    narrow = pointwise(spec, spec.c_in, mid, spec.size)
    window = replace(spec, c_in=mid, c_out=mid)
    return narrow, window, pointwise(spec, mid, spec.c_out, window.out_size)


EXPANSION = Option(
    "expansion",
    help="the channels inside / c_in",
    key_help="how many times wider the middle of an inverted-bottleneck is than its input",
)


@variant(
    "inverted-bottleneck",
    gives_up="It cannot mix channels inside its window, and writes expansion times the activations.",
    options=(EXPANSION,),
)
def inverted_bottleneck(spec: ConvSpec, *, expansion: int = 6) -> Stages:
    """Widen the channels, filter each on its own, and narrow again (MobileNetV2, Sandler 2018, table 1)."""
    wide = spec.c_in * expansion
    # MobileNetV2's first block expands by 1, which is no stage at all.
    expand = () if expansion == 1 else (pointwise(spec, spec.c_in, wide, spec.size),)
    filtered = replace(spec, c_in=wide, c_out=wide, groups=wide)
    return (*expand, filtered, pointwise(spec, wide, spec.c_out, filtered.out_size))
