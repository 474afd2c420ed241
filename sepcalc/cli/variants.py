"""The flags that choose variants and set their options."""

from collections.abc import Iterator, Mapping
from inspect import Parameter
from typing import Annotated, Any, NamedTuple

from sepcalc.cli.flags import flag, flag_name, many, option, refuse
from sepcalc.core.variants import Option, Variant, all_options, choose, owner_of

VariantOption = Annotated[list[str] | None, many("--variant", "NAME", "A variant to compare, or all")]


class OptionFlags(dict[str, str | None]):
    """The options of variants as text, by name; every registered option has a flag."""

    @staticmethod
    def parameters() -> Iterator[Parameter]:
        """The flag of each option."""
        for known in all_options():
            declared = Annotated[str | None, option(flag_name(known.name), "N", _help(known))]
            yield Parameter(known.name, Parameter.KEYWORD_ONLY, default=None, annotation=declared)


def _help(known: Option) -> str:
    owner = owner_of(known.name)
    usual = owner.defaults[known.name]
    if known.words:
        words = ", ".join(f"{word} (the default)" if word == usual else word for word in known.words)
        return f"{owner.name}: {known.help}, {words} or a number."
    return f"{owner.name}: {known.help}{'' if usual is None else f', {usual} by default'}."


class VariantFlags(NamedTuple):
    """The variants to compare, and their options."""

    variant: VariantOption = None
    options: OptionFlags = OptionFlags()

    def values(self) -> dict[str, Any]:
        """The options that are given, by name."""
        given = ((known, self.options.get(known.name)) for known in all_options())
        return {known.name: flag(flag_name(known.name), known.parse, text) for known, text in given if text is not None}

    def chosen(self, values: Mapping[str, Any] | None = None, *, implied: str | None = None) -> tuple[Variant, ...]:
        """The variants named by ``--variant``, or the first three, with the ``values`` of their options bound.

        Raises :class:`SepcalcError` for an option of a variant that is not compared. The option ``implied`` is allowed:
        it adds its variant.
        """
        options = self.values() if values is None else values
        chosen = flag("--variant", lambda given: choose(given, options), self.variant or [])
        for key, value in options.items():
            if key != implied and not any(key in variant.accepts for variant in chosen):
                owner = owner_of(key).name
                refuse({flag_name(key): value}, f"{owner} is not compared; add --variant {owner}")
        return chosen
