"""Flags as records: a group of flags is declared once, and each command that takes it reads one value.

The fields of a record are options of Typer with defaults, or records. A command decorated with :func:`flat` shows them
to Typer as flags, in their order. Records are named tuples, because dataclasses take several times as long to make, at
every start.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter, Signature, signature
from typing import Any, TypeVar

import typer

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.parsing import parse_lengths, parse_whole
from sepcalc.core.spec import Axes

Given = TypeVar("Given")
Answer = TypeVar("Answer")
Word = TypeVar("Word", bound=str)


def option(names: str, metavar: str, text: str) -> Any:
    """The declaration of a flag that takes a value: its names with spaces between, the value's name, and its help."""
    return typer.Option(*names.split(), metavar=metavar, help=text)


def many(names: str, metavar: str, text: str) -> Any:
    """The declaration of a flag that takes several values, repeated or with commas between them; see :func:`option`."""
    help_ = f"{text}; repeatable, or with commas."
    return typer.Option(*names.split(), metavar=metavar, help=help_, callback=_listed)


def _listed(param: typer.CallbackParam, texts: list[str] | None) -> list[str] | None:
    values = [value.strip() for text in texts or () for value in text.split(",")]
    if "" in values:
        raise SepcalcError(f"{param.opts[0]}: a value is empty in '{','.join(texts or ())}'; leave out the comma")
    return values or None


def flat(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with a flag for each field of the records that it takes.

    >>> from typing import NamedTuple
    >>> class Size(NamedTuple):
    ...     width: str = "1"
    ...     height: str = "1"
    >>> @flat
    ... def area(unit: str, size: Size) -> None:
    ...     print(int(size.width) * int(size.height), unit)
    >>> str(signature(area))
    "(*, unit: str, width: str = '1', height: str = '1')"
    >>> area(width="3", height="2", unit="m²")
    6 m²
    """
    return _Flat(command)


class _Flat:
    """A command whose flags are found when Typer asks for its signature: variants may be registered until then."""

    def __init__(self, command: Callable[..., None]) -> None:
        self._command = command
        self._parameters = signature(command).parameters.values()
        self.__name__, self.__module__, self.__doc__ = command.__name__, command.__module__, command.__doc__
        self.__annotations__ = {}  # all that Typer needs is in the signature

    @property
    def __signature__(self) -> Signature:
        return Signature([flag for parameter in self._parameters for flag in _spread(parameter)])

    def __call__(self, **values: Any) -> None:
        self._command(**{known.name: _gathered(known.name, known.annotation, values) for known in self._parameters})


def _spread(parameter: Parameter) -> Iterator[Parameter]:
    """The flags of a parameter: itself, or those of its record."""
    record = _record(parameter.annotation)
    if record is None:
        yield parameter.replace(kind=Parameter.KEYWORD_ONLY)
    elif hasattr(record, "parameters"):
        yield from record.parameters()
    else:
        for name, annotation in record.__annotations__.items():
            default = record._field_defaults.get(name, Parameter.empty)
            yield from _spread(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation))


def _gathered(name: str, annotation: Any, values: Mapping[str, Any]) -> Any:
    """The value of a parameter: that of its flag, or a record with the values of its fields' flags."""
    record = _record(annotation)
    if record is None:
        return values[name]
    if hasattr(record, "parameters"):
        return record((parameter.name, values[parameter.name]) for parameter in record.parameters())
    return record(*(_gathered(field, kind, values) for field, kind in record.__annotations__.items()))


def _record(annotation: Any) -> Any:
    """The record type of a parameter or field; None if it is a flag."""
    kind = getattr(annotation, "__origin__", annotation)
    return kind if hasattr(kind, "_fields") or hasattr(kind, "parameters") else None


def flags_of(record: Any) -> dict[str, object]:
    """The values of a record's flags by name; a flag with its default value gets None.

    >>> from typing import NamedTuple
    >>> class Kernel(NamedTuple):
    ...     k: str = "3"
    ...     output_padding: str = "0"
    >>> flags_of(Kernel(output_padding="1"))
    {'-k': None, '--output-padding': '1'}
    """
    if hasattr(record, "parameters"):
        return {flag_name(parameter.name): record.get(parameter.name) for parameter in record.parameters()}
    flags: dict[str, object] = {}
    for name, value in zip(record._fields, record, strict=True):
        default = record._field_defaults.get(name)
        flags |= flags_of(value) if _record(type(value)) else {flag_name(name): None if value == default else value}
    return flags


def flag_name(name: str) -> str:
    """The flag that sets the field called ``name``.

    >>> flag_name("k"), flag_name("depth_multiplier"), flag_name("as_")
    ('-k', '--depth-multiplier', '--as')
    """
    return f"-{name}" if len(name) == 1 else f"--{name.rstrip('_').replace('_', '-')}"


def flag(name: str, read: Callable[[Given], Answer], given: Given) -> Answer:
    """``read(given)``; the message of an error starts with the flag's name."""
    try:
        return read(given)
    except SepcalcError as error:
        raise SepcalcError(f"{name}: {error}") from None


def lengths(name: str, text: str, least: int = 1) -> int | Axes:
    """The value of a flag that takes one number, or one per axis."""
    return flag(name, lambda given: parse_lengths(given, least), text)


def whole(name: str, text: str | None) -> int | None:
    """The value of a flag that takes a whole number from 1; None if it is not given."""
    return None if text is None else flag(name, parse_whole, text)


def word(name: str, text: str, known: Iterable[Word]) -> Word:
    """The value of a flag that takes one of the words in ``known``."""
    words: dict[str, Word] = {choice: choice for choice in known}
    if text not in words:
        raise SepcalcError(f"{name}: unknown word '{text}'{closest(text, words)}")
    return words[text]


def refuse(flags: Mapping[str, object], why: str) -> None:
    """Raise :class:`SepcalcError` if any of ``flags`` is given: they exclude another one, or ask for other numbers."""
    if given := _given(flags):
        raise SepcalcError(f"{given} would change nothing: {why}")


def ignore(flags: Mapping[str, object], why: str) -> None:
    """Say so if any of ``flags`` is given: they shape the result, and this one has no place for them."""
    if given := _given(flags):
        say(f"ignored {given}: {why}")


def _given(flags: Mapping[str, object]) -> str:
    return " and ".join(name for name, value in flags.items() if value not in (None, False, []))


def say(note: str) -> None:
    """Write a note to standard error; standard output holds only the result."""
    sys.stderr.write(f"{note}\n")
