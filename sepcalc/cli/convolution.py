"""The flags that describe one convolution."""

from typing import Annotated, Any, Literal, NamedTuple

import typer

from sepcalc.cli.flags import flag, lengths, option, refuse, whole, word
from sepcalc.cli.variants import VariantFlags
from sepcalc.core.comparison import Comparison, compare
from sepcalc.core.errors import SepcalcError
from sepcalc.core.parsing import parse_lengths, parse_whole
from sepcalc.core.spec import BIASES, Axes, ConvSpec


class ConvolutionFlags(NamedTuple):
    """A convolution as text, all optional; see :meth:`needed`."""

    cin: Annotated[str | None, option("--cin --in-channels", "N", "Channels in (M).")] = None
    cout: Annotated[str | None, option("--cout --out-channels", "N", "Channels out (N).")] = None
    channels: Annotated[str | None, option("--channels", "N", "Channels in and out, instead of those two.")] = None
    k: Annotated[str | None, option("-k --k --kernel --kernel-size", "KERNEL", "Kernel (D_K): 3, 3x1, 3x3x3.")] = None
    size: Annotated[str | None, option("--size", "SIZE", "Feature map at the input (D_F): 56, 56x40; optional.")] = None
    axes: Annotated[
        str | None, option("--axes", "N", "Number of axes (1 to 3) if KERNEL is one number; 2 by default.")
    ] = None
    stride: Annotated[str, option("--stride", "STRIDE", "Step of the window: 2, 2x1.")] = "1"
    padding: Annotated[str, option("--padding", "PADDING", "same, valid, or numbers as in PyTorch: 1, 1x0.")] = "same"
    dilation: Annotated[str, option("--dilation", "DILATION", "Distance between the positions read: 2, 2x1.")] = "1"
    bias: Annotated[str, option("--bias", "WHERE", "Stages with a bias: none, last or all.")] = "none"
    transposed: Annotated[bool, typer.Option("--transposed", help="A transposed convolution.")] = False
    output_padding: Annotated[
        str | None, option("--output-padding", "PADDING", "With --transposed, as in PyTorch: 1, 1x0.")
    ] = None

    def spec(self, groups: str | None = None) -> ConvSpec:
        """The convolution described by these flags; ``groups`` is the text of ``--groups``.

        Raises :class:`SepcalcError` for a missing flag, and for a convolution that cannot exist.
        """
        needed = self.needed()
        return ConvSpec.of(
            flag("--cin", parse_whole, needed["--cin"]),
            flag("--cout", parse_whole, needed["--cout"]),
            on_axes(lengths("-k", needed["-k"]), self.axes),
            size=None if self.size is None else lengths("--size", self.size),
            stride=lengths("--stride", self.stride),
            groups=whole("--groups", groups) or 1,
            **self.settings(),
        )

    def needed(self) -> dict[str, str]:
        """The texts of ``--cin``, ``--cout`` and ``-k``, where ``--channels`` stands for the first two.

        Raises :class:`SepcalcError` if one is missing or given twice.
        """
        given = {"--cin": self.cin, "--cout": self.cout}
        if whole("--channels", self.channels):
            refuse(given, "--channels sets both; leave one or the other out")
            given = dict.fromkeys(given, self.channels)
        given["-k"] = self.k
        found = {name: text for name, text in given.items() if text is not None}
        if missing := ", ".join(name for name in given if name not in found):
            raise SepcalcError(f"missing {missing}; a convolution is described like --cin 64 --cout 128 -k 3")
        return found

    def settings(self) -> dict[str, Any]:
        """The arguments of :meth:`ConvSpec.of` that cannot be swept; raises :class:`SepcalcError` for a wrong value."""
        if not self.transposed:
            refuse({"--output-padding": self.output_padding}, "only transposed convolutions have it; add --transposed")
        return {
            "padding": _padding(self.padding),
            "dilation": lengths("--dilation", self.dilation),
            "bias": word("--bias", self.bias, BIASES),
            "transposed": self.transposed,
            "output_padding": lengths("--output-padding", self.output_padding or "0", least=0),
        }


def compared(convolution: ConvolutionFlags, variants: VariantFlags) -> Comparison:
    """The described convolution beside its variants."""
    spec = convolution.spec(variants.options.get("groups"))
    chosen = variants.chosen(implied="groups")
    # The only possible error is a missing size.
    return flag("--size", lambda given: compare(given, chosen), spec)


def on_axes(kernel: int | Axes, axes: str | None) -> int | Axes:
    """The value of ``-k``; one number is repeated for each of ``axes``."""
    if axes is None:
        return kernel
    if axes not in ("1", "2", "3"):
        raise SepcalcError(f"--axes: expected 1, 2 or 3, got '{axes}'")
    if isinstance(kernel, int):
        return (kernel,) * int(axes)
    if len(kernel) != int(axes):
        text = "x".join(map(str, kernel))
        raise SepcalcError(f"--axes: -k {text} has {len(kernel)} axes, not {axes}; leave --axes out")
    return kernel


def _padding(text: str) -> int | Axes | Literal["same", "valid"]:
    if text == "same":
        return "same"
    if text == "valid":
        return "valid"
    try:
        return parse_lengths(text, 0)
    except SepcalcError:
        raise SepcalcError(f"--padding: expected same, valid, or numbers like 1 or 1x0, got '{text}'") from None
