"""Random convolutions and variants for property tests: every one of them can exist."""

from dataclasses import replace
from inspect import signature
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from hypothesis import HealthCheck, reject, settings
from hypothesis import strategies as st

from sepcalc.core.errors import SpecError
from sepcalc.core.spec import Axes, ConvSpec
from sepcalc.core.variants import Stages, Variant

BIASES = ("none", "last", "all")


@st.composite
def specs(
    draw: st.DrawFn,
    *,
    axes: st.SearchStrategy[int] = st.integers(1, 3),  # noqa: B008 a strategy is a value
    biases: tuple[str, ...] = BIASES,
    grouped: bool = True,
) -> ConvSpec:
    """A convolution with a size: any padding, stride, dilation, groups, bias, forward or transposed, rarely square."""
    count = draw(axes)

    def each(least: int, most: int) -> Axes:
        return tuple(draw(st.lists(st.integers(least, most), min_size=count, max_size=count)))

    groups = draw(st.integers(1, 3)) if grouped else 1
    c_in = groups * draw(st.integers(1, 4))
    c_out = c_in * draw(st.integers(1, 3)) if draw(st.booleans()) else groups * draw(st.integers(1, 8))
    transposed = draw(st.booleans())
    kernel, stride, dilation = each(1, 5), each(1, 3), each(1, 3)
    padding = draw(st.sampled_from(["same", "valid", "numeric"]))
    pads = each(0, 3) if padding == "numeric" else (0,) * count
    extra = (0,) * count
    if transposed and padding != "same":
        extra = tuple(draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True))
    reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if padding == "same":
        least = [1] * count
    elif transposed:
        short = [max(0, 2 * p - spread - more) for p, spread, more in zip(pads, reach, extra, strict=True)]
        least = [1 + -(-missing // s) for missing, s in zip(short, stride, strict=True)]
    else:
        least = [max(1, spread + 1 - 2 * p) for p, spread in zip(pads, reach, strict=True)]
    return ConvSpec(
        c_in=c_in,
        c_out=c_out,
        kernel=kernel,
        size=tuple(n + draw(st.integers(0, 6)) for n in least),
        stride=stride,
        padding="same" if padding == "same" else pads,
        dilation=dilation,
        groups=groups,
        bias=draw(st.sampled_from(biases)),
        transposed=transposed,
        output_padding=extra,
    )


def open_specs() -> st.SearchStrategy[ConvSpec]:
    """A convolution that keeps its size, with the size left open."""
    return specs().map(lambda spec: replace(spec, size=None, stride=(), padding="same", output_padding=()))


def bound(variant: Variant) -> st.SearchStrategy[Variant]:
    """``variant`` with each of its options left alone or drawn from what the option's annotation allows."""
    hints = get_type_hints(variant.rewrite)
    options = {name: st.none() | _values(hints[name]) for name in signature(variant.rewrite).parameters}
    return st.fixed_dictionaries({name: options[name] for name in sorted(variant.accepts)}).map(variant.bind)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_args(hint):
        return st.one_of([_values(part) for part in get_args(hint) if part is not NoneType])
    return st.integers(1, 6) if hint is int else st.from_type(hint)


@st.composite
def rewrites(
    draw: st.DrawFn, variant: Variant, spec: st.SearchStrategy[ConvSpec] | None = None
) -> tuple[ConvSpec, Stages]:
    """A convolution to which ``variant`` applies, with some choice of its options, and the stages it becomes."""
    source = draw(specs() if spec is None else spec)
    try:
        return source, draw(bound(variant))(source)
    except SpecError:
        reject()


def randomly(examples: int) -> settings:
    """Settings for a property on that many examples, a fifth of them in a quick run (``tests/conftest.py``).

    Most variants do not apply to most convolutions, so many examples may be rejected.
    """
    examples = max(examples * settings().max_examples // 100, 1)
    return settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
