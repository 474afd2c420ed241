"""What several commands share: their flags, and where their results go."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from sepcalc.errors import SepcalcError, closest
from sepcalc.render import FORMATS, Format, render
from sepcalc.spec import Axes, parse_lengths
from sepcalc.table import Table
from sepcalc.variants import Mid

FormatOption = Annotated[
    str | None, typer.Option("--format", "-f", help=f"One of {', '.join(FORMATS)}.", show_default="terminal")
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file; its suffix chooses the format.")
]
SiOption = Annotated[bool, typer.Option("--si", help="Round counts: 569 M.")]
ColumnsOption = Annotated[
    str | None, typer.Option("--columns", help="Columns to show, with commas between; 'all' for every one.")
]
StagesOption = Annotated[bool, typer.Option("--stages", help="Show the stages of each variant below it.")]
VariantOption = Annotated[
    list[str] | None, typer.Option("--variant", help="A variant to compare; repeatable; 'all' for every one.")
]
DepthMultiplierOption = Annotated[
    int | None, typer.Option("--depth-multiplier", help="depthwise-separable: filters per channel.", show_default="1")
]
MidOption = Annotated[
    str | None,
    typer.Option(
        "--mid", help="spatial-separable: channels between, in, out, min, max or a number.", show_default="min"
    ),
]
GroupsOption = Annotated[int | None, typer.Option("--groups", help="grouped: how many groups.")]
ReductionOption = Annotated[
    int | None, typer.Option("--reduction", help="bottleneck: c_out / the channels inside.", show_default="4")
]
ExpansionOption = Annotated[
    int | None, typer.Option("--expansion", help="inverted-bottleneck: the channels inside / c_in.", show_default="6")
]


Given = TypeVar("Given")
Answer = TypeVar("Answer")


def flag(name: str, read: Callable[[Given], Answer], given: Given) -> Answer:
    """What ``read`` makes of a flag's value; a fault is reported with the flag's name."""
    try:
        return read(given)
    except SepcalcError as error:
        raise SepcalcError(f"{name}: {error}") from None


def lengths(name: str, text: str, least: int = 1) -> int | Axes:
    """A flag with one number, or one per axis."""
    return flag(name, lambda given: parse_lengths(given, least), text)


def mid_channels(text: str | None) -> Mid | None:
    """The value of ``--mid``: a word or a number."""
    if text is None or text in ("in", "out", "min", "max"):
        return text  # type: ignore[return-value]
    if not text.isdecimal() or not int(text[:11]):
        raise SepcalcError(f"--mid: expected in, out, min, max or a whole number from 1, got '{text}'")
    return int(text)


def chosen_format(name: str | None, output: Path | None) -> Format:
    """The format that the user asked for, by name or by the suffix of the file.

    Raises :class:`SepcalcError` with the closest known one.
    """
    if name is None:
        if output is None:
            return "terminal"
        from sepcalc.output import format_for

        return format_for(output)
    if name not in FORMATS:
        raise SepcalcError(f"--format: unknown format '{name}'{closest(name, FORMATS)}")
    return name


def with_columns(table: Table, wanted: str | None, default: Sequence[str]) -> Table:
    """``table`` with the columns that ``--columns`` names, or the default ones."""
    if wanted == "all":
        return table
    first = table.columns[0].key
    if wanted is None:
        return table.select((first, *default[1:]))
    keys = [key.strip() for key in wanted.split(",") if key.strip()]
    try:
        return table.select(dict.fromkeys((first, *keys))).pinned()
    except SepcalcError as error:
        raise SepcalcError(f"--columns: {error}") from None


def show_tables(tables: Sequence[Table], form: Format, output: Path | None, *, si: bool) -> None:
    """Render ``tables`` for a terminal, a pipe or a file."""
    live = output is None and sys.stdout.isatty()
    show_text(render(tables, form, si=si, width=terminal_width() if live else None, color=live and colorful()), output)


def show_json(answer: dict[str, Any], output: Path | None) -> None:
    """Print a machine-readable answer."""
    import json

    show_text(json.dumps(answer, indent=2, ensure_ascii=False) + "\n", output)


def show_text(text: str, output: Path | None) -> None:
    """Print ``text``, or write it to a file."""
    if output is None:
        # A terminal that cannot show × shows a question mark; it must not end the program.
        sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
        sys.stdout.write(text)
        return
    from sepcalc.output import write

    write(output, text)


def terminal_width() -> int:
    """The number of columns of the terminal."""
    from shutil import get_terminal_size

    return get_terminal_size().columns


def colorful() -> bool:
    """Whether escape codes are welcome: https://no-color.org, and no dumb terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
