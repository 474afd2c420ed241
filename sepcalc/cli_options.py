"""What several commands share: their flags, what a flag's text stands for, and where their results go."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from sepcalc.errors import SepcalcError, closest
from sepcalc.render import FORMATS, Format, render
from sepcalc.spec import LARGEST, Axes, parse_lengths, parse_whole
from sepcalc.table import Table
from sepcalc.variants import Mid, Variant, all_variants, choose

FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", "-f", metavar="NAME", help=f"{', '.join(FORMATS)}; terminal, or what the suffix of -o says."
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; its suffix says the format.")
]
SiOption = Annotated[bool, typer.Option("--si", help="Round counts: 569 M.")]
ColumnsOption = Annotated[
    str | None,
    typer.Option("--columns", metavar="KEYS", help="Columns of the first table: params,macs; all for every one."),
]
StagesOption = Annotated[bool, typer.Option("--stages", help="Show the stages of each variant below it.")]
VariantOption = Annotated[
    list[str] | None,
    typer.Option("--variant", metavar="NAME", help="A variant to compare; repeatable; all for every one."),
]
DepthMultiplierOption = Annotated[
    str | None,
    typer.Option("--depth-multiplier", metavar="N", help="depthwise-separable: filters per channel, 1 by default."),
]
MidOption = Annotated[
    str | None,
    typer.Option(
        "--mid", metavar="N", help="spatial-separable: channels between, in, out, min (the default), max or a number."
    ),
]
GroupsOption = Annotated[str | None, typer.Option("--groups", metavar="N", help="grouped: how many groups.")]
ReductionOption = Annotated[
    str | None,
    typer.Option("--reduction", metavar="N", help="bottleneck: c_out / the channels inside, 4 by default."),
]
ExpansionOption = Annotated[
    str | None,
    typer.Option("--expansion", metavar="N", help="inverted-bottleneck: the channels inside / c_in, 6 by default."),
]

ELEMENT_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}
"""What one weight or activation takes, by the name of its type."""

DtypeOption = Annotated[
    str | None,
    typer.Option("--dtype", metavar="NAME", help=f"For traffic: {', '.join(ELEMENT_BYTES)}; float32 by default."),
]

FOR_PROGRAMS: tuple[Format, ...] = ("csv", "tsv", "json")
"""Formats with exact numbers alone."""

ONE_TABLE: tuple[Format, ...] = ("csv", "tsv")
"""Formats that hold a single table."""

Given = TypeVar("Given")
Answer = TypeVar("Answer")


def command_app() -> typer.Typer:
    """The app of one command: help in plain text, which no width cuts, and errors left to the caller."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def examples(*lines: str) -> str:
    """The examples at the end of a command's help."""
    # Typer does not fill the lines of a paragraph that begins with a backspace.
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines)))


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


def variant_options(
    depth_multiplier: str | None, mid: str | None, groups: str | None, reduction: str | None, expansion: str | None
) -> dict[str, Any]:
    """The options of variants by name; None where they are not given."""
    return {
        "depth_multiplier": whole("--depth-multiplier", depth_multiplier),
        "mid": _mid(mid),
        "groups": whole("--groups", groups),
        "reduction": whole("--reduction", reduction),
        "expansion": whole("--expansion", expansion),
    }


def option_flags(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options by the flags that set them."""
    return {f"--{key.replace('_', '-')}": value for key, value in options.items()}


def _mid(text: str | None) -> Mid | None:
    if text is None or text in ("in", "out", "min", "max"):
        return text  # type: ignore[return-value]
    try:
        return parse_whole(text)
    except SepcalcError:
        raise SepcalcError(
            f"--mid: expected in, out, min, max or a whole number from 1 to {LARGEST:,}, got '{text}'"
        ) from None


Word = TypeVar("Word", bound=str)


def word(name: str, text: str, known: Iterable[Word]) -> Word:
    """A flag with one of the words in ``known``."""
    words = tuple(known)
    for each in words:
        if each == text:
            return each
    raise SepcalcError(f"{name}: unknown word '{text}'{closest(text, words)}")


def element_bytes(dtype: str | None) -> int:
    """What one element takes in the type that ``--dtype`` names, float32 by default."""
    return ELEMENT_BYTES[word("--dtype", dtype or "float32", ELEMENT_BYTES)]


def chosen_variants(
    names: Sequence[str] | None, options: Mapping[str, Any], *, implied: str | None = None
) -> tuple[Variant, ...]:
    """The variants that ``--variant`` names, or the first three, with ``options`` bound.

    Raises :class:`SepcalcError` for an option of a variant that is not among them, since it would change nothing;
    not for the ``implied`` one, which brings its variant with it.
    """
    chosen = flag("--variant", lambda given: choose(given, options), names or [])
    for key, value in options.items():
        if value is not None and key != implied and not any(key in each.accepts for each in chosen):
            owner = next(each.name for each in all_variants() if key in each.accepts)
            refuse(option_flags({key: value}), f"{owner} is not compared; add --variant {owner}")
    return chosen


def refuse(flags: Mapping[str, object], why: str) -> None:
    """Raise :class:`SepcalcError` for those of the ``flags`` that are given, where they would change nothing."""
    given = [name for name, value in flags.items() if value not in (None, False, [])]
    if given:
        raise SepcalcError(f"{' and '.join(given)} would change nothing: {why}")


def chosen_format(name: str | None, output: Path | None) -> Format:
    """The format that the user asked for, by name or by the suffix of the file.

    Raises :class:`SepcalcError` with the closest known one.
    """
    if name is None:
        if output is None:
            return "terminal"
        from sepcalc.output import format_for

        return flag("--output", format_for, output)
    if name not in FORMATS:
        raise SepcalcError(f"--format: unknown format '{name}'{closest(name, FORMATS)}")
    return name


def with_columns(table: Table, wanted: str | None) -> Table:
    """``table`` with its first column and those that ``--columns`` names, or all, or those that are there unasked."""
    first = table.columns[0].key
    if wanted == "all":
        return table
    if wanted is None:
        return table.brief()
    keys = [key.strip() for key in wanted.split(",") if key.strip()]
    if not keys:
        known = ", ".join(column.key for column in table.columns)
        raise SepcalcError(f"--columns: no column is named; give all, or some of {known}")
    return flag("--columns", table.select, dict.fromkeys((first, *keys))).pinned()


def show_tables(tables: Sequence[Table], form: Format, output: Path | None, *, si: bool) -> None:
    """Render ``tables`` for a terminal, a pipe or a file."""
    if form in FOR_PROGRAMS:
        refuse({"--si": si}, f"{form} holds exact numbers; choose another format")
    live = output is None and sys.stdout.isatty()
    show_text(render(tables, form, si=si, width=terminal_width() if live else None, color=live and colorful()), output)


def show_json(answer: dict[str, Any], output: Path | None) -> None:
    """Print a machine-readable answer."""
    import json

    # A stream that cannot hold × gets an escape that stands for the same text.
    escaped = output is None and (sys.stdout.encoding or "utf-8").lower() not in ("utf-8", "utf8")
    show_text(json.dumps(answer, indent=2, ensure_ascii=escaped) + "\n", output)


def show_text(text: str, output: Path | None) -> None:
    """Print ``text``, or write it to a file. A reader that goes away has what it wanted."""
    if output is not None:
        from sepcalc.output import write

        write(output, text)
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Let standard output go nowhere, so that the interpreter can flush it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def terminal_width() -> int:
    """The number of columns of the terminal."""
    from shutil import get_terminal_size

    return get_terminal_size().columns


def colorful() -> bool:
    """Whether escape codes are welcome: https://no-color.org, and no dumb terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
