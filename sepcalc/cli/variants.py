"""The flags that choose variants and set their options."""

from typing import Annotated, Any, NamedTuple

import typer

from sepcalc.cli.flags import flag, flag_name, refuse, whole
from sepcalc.core.errors import SepcalcError
from sepcalc.core.parsing import parse_whole
from sepcalc.core.spec import LARGEST
from sepcalc.core.variants import Mid, Variant, all_variants, choose

VariantOption = Annotated[
    list[str] | None,
    typer.Option("--variant", metavar="NAME", help="A variant to compare; repeatable; all for every one."),
]


class VariantFlags(NamedTuple):
    """Variants by name, and what their options are."""

    variant: VariantOption = None
    groups: Annotated[str | None, typer.Option("--groups", metavar="N", help="grouped: how many groups.")] = None
    depth_multiplier: Annotated[
        str | None,
        typer.Option("--depth-multiplier", metavar="N", help="depthwise-separable: filters per channel, 1 by default."),
    ] = None
    mid: Annotated[
        str | None,
        typer.Option(
            "--mid",
            metavar="N",
            help="spatial-separable: channels between, in, out, min (the default), max or a number.",
        ),
    ] = None
    reduction: Annotated[
        str | None,
        typer.Option("--reduction", metavar="N", help="bottleneck: c_out / the channels inside, 4 by default."),
    ] = None
    expansion: Annotated[
        str | None,
        typer.Option("--expansion", metavar="N", help="inverted-bottleneck: the channels inside / c_in, 6 by default."),
    ] = None

    def options(self) -> dict[str, Any]:
        """The options of variants by name; None where they are not given."""
        return {
            "depth_multiplier": whole("--depth-multiplier", self.depth_multiplier),
            "mid": None if self.mid is None else flag("--mid", parse_mid, self.mid),
            "groups": whole("--groups", self.groups),
            "reduction": whole("--reduction", self.reduction),
            "expansion": whole("--expansion", self.expansion),
        }

    def chosen(self, *, implied: str | None = None) -> tuple[Variant, ...]:
        """The variants that ``--variant`` names, or the first three, with their options bound.

        Raises :class:`SepcalcError` for an option of a variant that is not among them, since it would change nothing;
        not for the ``implied`` one, which brings its variant with it.
        """
        options = self.options()
        chosen = flag("--variant", lambda given: choose(given, options), self.variant or [])
        for key, value in options.items():
            if value is not None and key != implied and not any(key in each.accepts for each in chosen):
                owner = next(each.name for each in all_variants() if key in each.accepts)
                refuse({flag_name(key): value}, f"{owner} is not compared; add --variant {owner}")
        return chosen


def parse_mid(text: str) -> Mid:
    """One of the words for ``mid``, or a whole number from 1.

    Raises :class:`SepcalcError` for any other text.
    """
    if text in ("in", "out", "min", "max"):
        return text  # type: ignore[return-value]
    try:
        return parse_whole(text)
    except SepcalcError:
        raise SepcalcError(
            f"expected in, out, min, max or a whole number from 1 to {LARGEST:,}, got '{text}'"
        ) from None
