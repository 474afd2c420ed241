"""Flags as records: a group of flags is declared once, and each command that takes it reads one value.

A record is a named tuple whose fields are options of Typer with a default, or records; a dataclass takes several times
as long to make, at every start. Typer sees the fields of the records of a command that :func:`flat` decorates as flags,
in their order. Required fields are named beside the record: ``Annotated[Record, "cin", "cout"]``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import Parameter, Signature, signature
from typing import Any, TypeVar

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.parsing import parse_lengths, parse_whole
from sepcalc.core.spec import Axes

Given = TypeVar("Given")
Answer = TypeVar("Answer")
Word = TypeVar("Word", bound=str)


def flat(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with a flag for each field of the records that it takes.

    >>> from typing import Annotated, NamedTuple
    >>> class Size(NamedTuple):
    ...     width: str = "1"
    ...     height: str = "1"
    >>> @flat
    ... def area(unit: str, size: Annotated[Size, "width"]) -> None:
    ...     print(int(size.width) * int(size.height), unit)
    >>> str(signature(area))
    "(*, unit: str, width: str, height: str = '1')"
    >>> area(width="3", height="2", unit="m²")
    6 m²
    """
    return _Flat(command)


class _Flat:
    """A command whose flags are found when Typer asks for its signature: variants may be registered until then."""

    def __init__(self, command: Callable[..., None]) -> None:
        self._command = command
        self._taken = signature(command).parameters.values()
        self.__name__, self.__module__, self.__doc__ = command.__name__, command.__module__, command.__doc__
        self.__annotations__ = {}  # all that Typer needs is in the signature

    @property
    def __signature__(self) -> Signature:
        return Signature([flag for parameter in self._taken for flag in _spread(parameter)])

    def __call__(self, **values: Any) -> None:
        self._command(**{each.name: _gathered(each.name, each.annotation, values) for each in self._taken})


def _spread(parameter: Parameter) -> Iterator[Parameter]:
    """The flags of a parameter: itself, or those of its record."""
    record = _record(parameter.annotation)
    if record is None:
        yield parameter.replace(kind=Parameter.KEYWORD_ONLY)
    elif hasattr(record, "parameters"):
        yield from record.parameters()
    else:
        required = getattr(parameter.annotation, "__metadata__", ())
        for name, annotation in record.__annotations__.items():
            default = Parameter.empty if name in required else record._field_defaults.get(name, Parameter.empty)
            yield from _spread(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation))


def _gathered(name: str, annotation: Any, values: Mapping[str, Any]) -> Any:
    """The value of a parameter: its own flag's, or a record of the flags of its fields."""
    record = _record(annotation)
    if record is None:
        return values[name]
    if hasattr(record, "parameters"):
        return record((parameter.name, values[parameter.name]) for parameter in record.parameters())
    return record(*(_gathered(field, kind, values) for field, kind in record.__annotations__.items()))


def _record(annotation: Any) -> Any:
    """The record that a parameter or a field is declared as; None where it is a flag."""
    kind = getattr(annotation, "__origin__", annotation)
    return kind if hasattr(kind, "_fields") or hasattr(kind, "parameters") else None


def flags_of(record: Any) -> dict[str, object]:
    """The flags of a record by name, None where one has its default.

    >>> from typing import NamedTuple
    >>> class Kernel(NamedTuple):
    ...     k: str = "3"
    ...     output_padding: str = "0"
    >>> flags_of(Kernel(output_padding="1"))
    {'-k': None, '--output-padding': '1'}
    """
    if hasattr(record, "parameters"):
        return {flag_name(parameter.name): record.get(parameter.name) for parameter in record.parameters()}
    found: dict[str, object] = {}
    for name, value in zip(record._fields, record, strict=True):
        if _record(type(value)) is not None:
            found |= flags_of(value)
        else:
            found[flag_name(name)] = None if value == record._field_defaults.get(name) else value
    return found


def flag_name(name: str) -> str:
    """The flag that sets the field called ``name``.

    >>> flag_name("k"), flag_name("depth_multiplier"), flag_name("as_")
    ('-k', '--depth-multiplier', '--as')
    """
    return f"-{name}" if len(name) == 1 else f"--{name.rstrip('_').replace('_', '-')}"


def flag(name: str, read: Callable[[Given], Answer], given: Given) -> Answer:
    """What ``read`` makes of a flag's value; a fault is reported with the flag's name."""
    try:
        return read(given)
    except SepcalcError as error:
        raise SepcalcError(f"{name}: {error}") from None


def lengths(name: str, text: str, least: int = 1) -> int | Axes:
    """A flag with one number, or one per axis."""
    return flag(name, lambda given: parse_lengths(given, least), text)


def whole(name: str, text: str | None) -> int | None:
    """A flag with one whole number from 1; None where it is not given."""
    return None if text is None else flag(name, parse_whole, text)


def word(name: str, text: str, known: Iterable[Word]) -> Word:
    """A flag with one of the words in ``known``."""
    words = tuple(known)
    for each in words:
        if each == text:
            return each
    raise SepcalcError(f"{name}: unknown word '{text}'{closest(text, words)}")


def refuse(flags: Mapping[str, object], why: str) -> None:
    """Raise :class:`SepcalcError` for those of the ``flags`` that are given, where they would change nothing."""
    given = [name for name, value in flags.items() if value not in (None, False, [])]
    if given:
        raise SepcalcError(f"{' and '.join(given)} would change nothing: {why}")
