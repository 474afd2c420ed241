"""One convolution, and the one formula.

A :class:`ConvSpec` is a grouped convolution on one feature map; its counts are exact Python integers. ``macs`` are the
multiply-adds for one example, without bias, norms and activations; FLOPs are twice that. ``traffic_bytes`` is a lower
bound: a real cache reads some data more than once. A linear layer is a convolution with no axes: ``kernel=()`` and
``size=()``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Literal, get_args

from sepcalc.core.errors import SpecError

Bias = Literal["none", "last", "all"]
Padding = tuple[int, ...] | Literal["same"]
Axes = tuple[int, ...]

BIASES: tuple[Bias, ...] = get_args(Bias)

ELEMENT_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""The bytes of one weight or activation, by the name of its type."""

LARGEST = 10**9
"""The largest channel count, kernel, size or stride that is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvSpec:
    """A grouped convolution on one feature map: M = ``c_in``, N = ``c_out``, D_K = ``kernel``, D_F = ``size``.

    ``kernel``, ``size``, ``stride``, ``dilation``, ``output_padding`` and numeric ``padding`` have one entry per axis.
    ``size`` is the feature map at the *input*; with None counts are per output position. ``padding="same"`` keeps
    ``ceil(size / stride)`` positions (transposed: ``size * stride``); numbers pad both ends of an axis, with PyTorch's
    floor formula. ``bias`` says which stages of a variant have a bias: none, the last, or all.

    Raises :class:`SpecError` where no such convolution exists.

    >>> ConvSpec(c_in=64, c_out=128, kernel=(3, 3)).params
    73728
    """

    c_in: int
    c_out: int
    kernel: Axes
    size: Axes | None = None
    stride: Axes = ()
    padding: Padding = "same"
    dilation: Axes = ()
    groups: int = 1
    bias: Bias = "none"
    transposed: bool = False
    output_padding: Axes = ()

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, tuple):
            _check_types(self)
        axes = len(self.kernel)
        if not self.stride:
            object.__setattr__(self, "stride", (1,) * axes)
        if not self.dilation:
            object.__setattr__(self, "dilation", (1,) * axes)
        if not self.output_padding:
            object.__setattr__(self, "output_padding", (0,) * axes)
        if not _is_ordinary(self):
            _check(self)

    @classmethod
    def of(
        cls,
        c_in: int,
        c_out: int,
        k: int | Axes,
        *,
        size: int | Axes | None = None,
        stride: int | Axes = 1,
        padding: int | Axes | Literal["same", "valid"] = "same",
        dilation: int | Axes = 1,
        groups: int = 1,
        bias: Bias = "none",
        transposed: bool = False,
        output_padding: int | Axes = 0,
    ) -> ConvSpec:
        """A spec from numbers that stand for all axes; two axes unless ``k`` or ``size`` says otherwise.

        >>> ConvSpec.of(3, 256, k=5, size=12, padding="valid").out_size
        (8, 8)
        """
        axes = next((len(value) for value in (k, size, stride, dilation) if isinstance(value, (tuple, list))), 2)
        pads = 0 if padding == "valid" else padding
        return cls(
            c_in=c_in,
            c_out=c_out,
            kernel=_per_axis(k, axes),
            size=None if size is None else _per_axis(size, axes),
            stride=_per_axis(stride, axes),
            padding=pads if isinstance(pads, str) else _per_axis(pads, axes),
            dilation=_per_axis(dilation, axes),
            groups=groups,
            bias=bias,
            transposed=transposed,
            output_padding=_per_axis(output_padding, axes),
        )

    @property
    def out_size(self) -> Axes | None:
        """The feature map at the output, one entry per axis; None where ``size`` is."""
        if self.size is None:
            return None
        if self.padding == "same":
            return self.same_size(self.size)
        axes = zip(self.size, self.kernel, self.stride, self.padding, self.dilation, self.output_padding, strict=True)
        if self.transposed:
            return tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 + extra for n, k, s, p, d, extra in axes)
        return tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d, _ in axes)

    def same_size(self, size: Axes) -> Axes:
        """The output's size with ``same`` padding: ceil(size / stride), transposed size * stride."""
        if max(self.stride, default=1) == 1:
            return size
        if self.transposed:
            return tuple(n * s for n, s in zip(size, self.stride, strict=True))
        return tuple(n if s == 1 else -(-n // s) for n, s in zip(size, self.stride, strict=True))

    @property
    def keeps_size(self) -> bool:
        """Whether the output is as large as the input whatever the input's size."""
        if any(s != 1 for s in self.stride):
            return False
        if self.padding == "same":
            return True
        axes = zip(self.kernel, self.dilation, self.padding, strict=True)
        return all(2 * p == d * (k - 1) for k, d, p in axes) and not any(self.output_padding)

    @property
    def positions(self) -> Axes | None:
        """The map on which every weight is used once at each position: the output's, or the input's if transposed."""
        return self.size if self.transposed else self.out_size

    @property
    def weights(self) -> int:
        """c_out · (c_in / groups) · Π kernel: the kernel's entries (Howard 2017, section 3.1)."""
        return prod(self.kernel) * (self.c_in // self.groups) * self.c_out

    @property
    def params(self) -> int:
        """Weights, and ``c_out`` biases where this stage has them."""
        return self.weights if self.bias == "none" else self.weights + self.c_out

    @property
    def macs(self) -> int:
        """weights · Π out_size (transposed: weights · Π size), in multiply-adds (Howard 2017, equation 2).

        Raises :class:`SpecError` without a size.
        """
        return self.weights * prod(self._known(self.positions))

    @property
    def activations(self) -> int:
        """c_out · Π out_size: elements written (Radosavovic 2020, section 3.1)."""
        return self.c_out * prod(self._known(self.out_size))

    def traffic_bytes(self, element_bytes: int, batch: int = 1) -> int:
        """Bytes of the weights and of a ``batch`` of inputs and outputs, each moved once."""
        read = self.c_in * prod(self._known(self.size))
        return (batch * (read + self.activations) + self.weights) * element_bytes

    @property
    def kind(self) -> str:
        """The field's name for this convolution.

        >>> ConvSpec(c_in=8, c_out=8, kernel=(3, 3), groups=8).kind
        'depthwise 3×3'
        """
        kernel = times(self.kernel)
        if 1 < self.groups == self.c_in:
            name = "depthwise"
        elif self.groups > 1:
            name = f"grouped ({self.groups})"
        else:
            name = "pointwise" if max(self.kernel, default=1) == 1 else "conv"
        return f"{name} {kernel}{' transposed' if self.transposed else ''}" if self.kernel else "linear"

    def _known(self, size: Axes | None) -> Axes:
        if size is None:
            raise SpecError("this count depends on the feature size; give a size")
        return size


def _per_axis(value: int | Axes, axes: int) -> Axes:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes


def _is_ordinary(spec: ConvSpec) -> bool:
    """Whether no check can fail: a quick test, since specs are made by the thousand and nearly all pass it."""
    axes, size, groups = len(spec.kernel), spec.size, spec.groups
    try:
        numbers = (spec.c_in, spec.c_out, groups) + spec.kernel + spec.stride + spec.dilation + (size or ())
        whole = isinstance(sum(numbers), int)
    except TypeError:  # text, a list, or one number where there should be a tuple
        return False
    for number in numbers:  # not by min and max, which would ask which number is the larger
        if not 1 <= number <= LARGEST:
            return False
    return (
        whole
        and spec.padding == "same"
        and spec.bias in BIASES
        and len(spec.stride) == len(spec.dilation) == len(spec.output_padding) == axes <= 3
        and (size is None or len(size) == axes)
        and (groups == 1 or spec.c_in % groups == 0 == spec.c_out % groups)
        and not any(spec.output_padding)
    )


def _check(spec: ConvSpec) -> None:
    _check_types(spec)
    _check_axes(spec)
    _check_ranges(spec)
    _check_groups(spec)
    _check_output_padding(spec)
    _check_fit(spec)


def _check_types(spec: ConvSpec) -> None:
    """Whole numbers of Python alone are exact: a float rounds, and a NumPy integer overflows."""
    if spec.bias not in BIASES:
        raise SpecError(f"unknown bias {spec.bias!r}; give none, last or all")
    if isinstance(spec.padding, str) and spec.padding != "same":
        raise SpecError(f"unknown padding '{spec.padding}'; give same or a number for each axis")
    for name in _LEAST:
        value = getattr(spec, name)
        if (name == "size" and value is None) or (name == "padding" and value == "same"):
            continue
        if name in ("c_in", "c_out", "groups"):
            if not isinstance(value, int):
                raise SpecError(f"{name} {value!r} is no whole number; give an int")
        elif not isinstance(value, tuple) or not all(isinstance(number, int) for number in value):
            fact = f"{name} {value!r} is no tuple of whole numbers"
            raise SpecError(f"{fact}; give one for each axis, or use ConvSpec.of")


def _check_axes(spec: ConvSpec) -> None:
    axes = len(spec.kernel)
    for name in ("size", "stride", "padding", "dilation", "output_padding"):
        value = getattr(spec, name)
        if value is not None and value != "same" and len(value) != axes:
            given = f"{name} {times(value)} has {len(value)} axes"
            raise SpecError(f"{given}, kernel {times(spec.kernel)} has {axes}; give both as many")
    if axes > 3:
        raise SpecError(f"kernel {times(spec.kernel)} has {axes} axes; at most 3 are supported")


_LEAST = dict.fromkeys(("c_in", "c_out", "kernel", "size", "stride", "dilation", "groups"), 1)
_LEAST |= {"padding": 0, "output_padding": 0}


def _check_ranges(spec: ConvSpec) -> None:
    for name, least in _LEAST.items():
        value = getattr(spec, name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and not least <= number <= LARGEST:
                raise SpecError(f"{name} {number} is out of range; give a whole number from {least} to {LARGEST:,}")


def _check_groups(spec: ConvSpec) -> None:
    for name, channels in (("c_in", spec.c_in), ("c_out", spec.c_out)):
        if channels % spec.groups:
            below = channels // spec.groups * spec.groups
            nearest = ", ".join(str(n) for n in (below, below + spec.groups) if n)
            raise SpecError(f"{name} {channels} is not divisible by groups {spec.groups}; nearest: {nearest}")


def _check_fit(spec: ConvSpec) -> None:
    if min(spec.out_size or (1,)) < 1:
        padding = spec.padding if spec.padding == "same" else times(spec.padding)
        given = f"size {times(spec.size or ())} with padding {padding}"
        raise SpecError(f"kernel {times(spec.kernel)} leaves nothing of {given}; give a larger size or more padding")


def _check_output_padding(spec: ConvSpec) -> None:
    if any(spec.output_padding) and spec.padding == "same":
        fact = f"output_padding {times(spec.output_padding)} cannot change the size that padding same fixes"
        raise SpecError(f"{fact}; give padding in numbers")
    # PyTorch's own limit: a wider output padding would add positions that no input reaches.
    for extra, s, d in zip(spec.output_padding, spec.stride, spec.dilation, strict=True):
        if extra and (not spec.transposed or extra >= max(s, d)):
            raise SpecError(f"output_padding {extra} needs a transposed convolution with a larger stride or dilation")


def times(values: Iterable[int]) -> str:
    """The lengths with × between them.

    >>> times((56, 40))
    '56×40'
    """
    return "×".join(map(str, values))


def describe(spec: ConvSpec) -> str:
    """A convolution in a few words: its shape, and every value that is not the default.

    >>> describe(ConvSpec.of(64, 128, k=3, size=56, stride=2))
    '3×3 convolution, 64 → 128 channels, 56×56, stride 2×2'
    >>> describe(ConvSpec.of(64, 128, k=(3,), size=100))
    '1D convolution, kernel 3, 64 → 128 channels, size 100'
    """
    kind = f"{'transposed ' if spec.transposed else ''}convolution"
    line = len(spec.kernel) == 1  # a lone number says nothing
    words = [
        *([f"1D {kind}", f"kernel {times(spec.kernel)}"] if line else [f"{times(spec.kernel)} {kind}"]),
        f"{spec.c_in} → {spec.c_out} channels",
        *([f"{'size ' * line}{times(spec.size)}"] if spec.size is not None else []),
        *(f"{name} {times(value)}" for name, value in (("stride", spec.stride), ("dilation", spec.dilation))
          if max(value, default=1) > 1),
        *([] if spec.padding == "same" else [f"padding {times(spec.padding)}"]),
        *([f"output padding {times(spec.output_padding)}"] if any(spec.output_padding) else []),
        *([f"{spec.groups} groups"] if spec.groups > 1 else []),
        *({"none": [], "last": ["bias on the output"], "all": ["bias on every stage"]}[spec.bias]),
    ]  # fmt: skip
    return ", ".join(words)
