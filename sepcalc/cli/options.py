"""Options that several commands share, and the output of results to a terminal, a pipe or a file."""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from sepcalc.cli.flags import flag, ignore, option, word
from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.spec import ELEMENT_BYTES
from sepcalc.core.table import Table
from sepcalc.render.formats import FORMATS, render_tables

FormatOption = Annotated[
    str | None, option("--format -f", "NAME", f"{', '.join(FORMATS)}; by default from the suffix of -o, or terminal.")
]
OutputOption = Annotated[Path | None, option("--output -o", "FILE", "Write to this file; its suffix sets the format.")]
StagesOption = Annotated[bool, typer.Option("--stages", help="Show the stages of each variant or layer below it.")]

DtypeOption = Annotated[
    str | None, option("--dtype", "NAME", f"Element type for traffic: {', '.join(ELEMENT_BYTES)}; float32 by default.")
]


class ShowFlags(NamedTuple):
    """The columns and the format of the results, and where they go."""

    columns: Annotated[
        str | None, option("--columns", "KEYS", "Columns of the first table, like params,macs, or all.")
    ] = None
    format: FormatOption = None
    output: OutputOption = None
    si: Annotated[bool, typer.Option("--si", help="Round counts, like 569 M.")] = False

    def form(self) -> str:
        """The format chosen by ``--format``, or by the suffix of ``--output``; ``terminal`` without either.

        Raises :class:`SepcalcError` for an unknown format or suffix.
        """
        if self.format is None and self.output is not None:
            from sepcalc.render.files import format_for

            return flag("--output", format_for, self.output)
        if self.format is not None and self.format not in FORMATS:
            raise SepcalcError(f"--format: unknown format '{self.format}'{closest(self.format, FORMATS)}")
        return self.format or "terminal"

    def tables(self, first: Table, *others: Table) -> None:
        """Show tables, the first with the columns that ``--columns`` chooses."""
        show_tables([with_columns(first, self.columns), *others], self.form(), self.output, si=self.si)

    def answer(self, answer: dict[str, Any], holds: str = "figure", others: Mapping[str, object] | None = None) -> None:
        """Print a JSON answer, and a note on flags that shape tables and on ``others``: JSON holds every ``holds``."""
        looks = {**(others or {}), "--columns": self.columns, "--si": self.si}
        ignore(looks, f"json always holds every {holds}; choose another format")
        show_json(answer, self.output)


def command_app() -> typer.Typer:
    """The Typer app of one command, with help in plain text; errors go to the caller."""
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


def typed(context: typer.Context) -> str:
    """The command line as it was typed, quoted where needed."""
    from shlex import join

    return join(("sepcalc", *(context.obj or ())))


def element_bytes(dtype: str | None) -> int:
    """The bytes of one element of the type named by ``--dtype``, float32 by default."""
    return ELEMENT_BYTES[word("--dtype", dtype or "float32", ELEMENT_BYTES)]


def with_columns(table: Table, wanted: str | None) -> Table:
    """``table`` with its first column and the columns named by ``--columns``; by default :meth:`Table.brief`."""
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


def need_size(columns: str | None, unknown: Collection[str]) -> None:
    """Raise :class:`SepcalcError` if ``columns`` names a column that is ``unknown`` without a size."""
    for key in map(str.strip, (columns or "").split(",")):
        if key in unknown:
            instead = ", or choose macs_per_position" if key == "macs" else ""
            raise SepcalcError(f"--columns: {key} cannot be known without a size; give --size{instead}")


def check_tables(names: Sequence[str], known: Sequence[str], form: str) -> None:
    """Raise :class:`SepcalcError` for an unknown table, and for several in a format that holds one."""
    for name in names:
        if name not in known:
            raise SepcalcError(f"--table: no table '{name}'{closest(name, known)}")
    if FORMATS[form].one_table and len(set(names)) > 1:
        raise SepcalcError(f"--table: {form} holds one table; name one, or choose another format")


def show_tables(tables: Sequence[Table], form: str, output: Path | None, *, si: bool) -> None:
    """Render ``tables`` for a terminal, a pipe or a file."""
    ignore_si(form, si=si)
    width, color = screen(output)
    show_text(render_tables(tables, form, si=si, width=width, color=color), output)


def ignore_si(form: str, *, si: bool) -> None:
    """A note on ``--si`` with a format of exact numbers."""
    if form not in FORMATS or FORMATS[form].exact:
        ignore({"--si": si}, f"{form} holds exact numbers; choose another format")


def show_json(answer: dict[str, Any], output: Path | None) -> None:
    """Print a JSON answer."""
    import json

    # A stream that cannot encode × gets an escape sequence with the same meaning.
    escaped = output is None and (sys.stdout.encoding or "utf-8").lower() not in ("utf-8", "utf8")
    show_text(json.dumps(answer, indent=2, ensure_ascii=escaped) + "\n", output)


def show_text(text: str, output: Path | None) -> None:
    """Print ``text``, or write it to a file. A reader may close its pipe early."""
    if output is not None:
        from sepcalc.render.files import write

        write(output, text)
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Send standard output to the null device, so that the interpreter can flush it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def screen(output: Path | None) -> tuple[int | None, bool]:
    """The width of the terminal and whether it takes colors; None and False if the result goes elsewhere."""
    if output is not None or not sys.stdout.isatty():
        return None, False
    from shutil import get_terminal_size

    return get_terminal_size().columns, colorful()


def colorful() -> bool:
    """Whether escape codes are allowed: not if NO_COLOR is set (https://no-color.org) or the terminal is dumb."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
