"""The flags that choose variants and set their options."""

from collections.abc import Iterator, Mapping
from inspect import Parameter
from typing import Annotated, Any, NamedTuple

import typer

from sepcalc.cli.flags import flag, flag_name, refuse
from sepcalc.core.variants import Option, Variant, all_options, choose, owner_of

VariantOption = Annotated[
    list[str] | None,
    typer.Option("--variant", metavar="NAME", help="A variant to compare; repeatable; all for every one."),
]


class OptionFlags(dict[str, str | None]):
    """The options of variants as text, by name: each that is registered has a flag."""

    @staticmethod
    def parameters() -> Iterator[Parameter]:
        """The flag of each option."""
        for option in all_options():
            declared = typer.Option(flag_name(option.name), metavar="N", help=_help(option))
            yield Parameter(
                option.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, declared]
            )


def _help(option: Option) -> str:
    owner = owner_of(option.name)
    usual = owner.defaults[option.name]
    if option.words:
        words = ", ".join(f"{word} (the default)" if word == usual else word for word in option.words)
        return f"{owner.name}: {option.help}, {words} or a number."
    return f"{owner.name}: {option.help}{'' if usual is None else f', {usual} by default'}."


class VariantFlags(NamedTuple):
    """Variants by name, and what their options are."""

    variant: VariantOption = None
    options: OptionFlags = OptionFlags()

    def values(self) -> dict[str, Any]:
        """The options that are given, by name."""
        given = ((option, self.options.get(option.name)) for option in all_options())
        return {
            option.name: flag(flag_name(option.name), option.parse, text) for option, text in given if text is not None
        }

    def chosen(self, values: Mapping[str, Any] | None = None, *, implied: str | None = None) -> tuple[Variant, ...]:
        """The variants that ``--variant`` names, or the first three, with the ``values`` of their options bound.

        Raises :class:`SepcalcError` for an option of a variant that is not among them, since it would change nothing;
        not for the ``implied`` one, which brings its variant with it.
        """
        options = self.values() if values is None else values
        chosen = flag("--variant", lambda given: choose(given, options), self.variant or [])
        for key, value in options.items():
            if key != implied and not any(key in variant.accepts for variant in chosen):
                owner = owner_of(key).name
                refuse({flag_name(key): value}, f"{owner} is not compared; add --variant {owner}")
        return chosen
