"""The command line: find the command, run it, turn an error into one message.

Each command is a module of its own, imported only when it is called, because every use pays for start-up.
"""

import os
import re
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sepcalc import __version__
from sepcalc.cli.options import discard_output
from sepcalc.core.errors import SepcalcError, closest, nearest

COMMANDS = {
    "layer": "sepcalc.cli.layer",
    "network": "sepcalc.cli.network",
    "compare": "sepcalc.cli.compare",
    "sweep": "sepcalc.cli.sweep",
    "measure": "sepcalc.cli.measure",
    "verify": "sepcalc.cli.verify",
    "import": "sepcalc.cli.import_",
    "report": "sepcalc.cli.report",
    "schema": "sepcalc.cli.schema",
}
"""Every command and the module that holds its ``app`` and its ``EXAMPLES``."""

EXAMPLE = "sepcalc layer --cin 64 --cout 128 -k 3"
"""The first command for a newcomer."""

_UsageError: Any = typer.BadParameter.__base__
_ClickError: Any = _UsageError.__base__


class _Commands(TyperGroup):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer calls it so)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        completing = ctx is not None and ctx.resilient_parsing
        if cmd_name not in COMMANDS:
            if completing:
                return None
            raise SepcalcError(f"unknown command '{cmd_name}'{closest(cmd_name, COMMANDS)}")
        command = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        if completing:
            from sepcalc.cli.completion import complete

            return complete(command)
        return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sepcalc {__version__}\n")
        raise typer.Exit


@app.callback(epilog=f"Start with: {EXAMPLE}")
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What a convolution costs, and what writing it as separable stages saves."""


def main(arguments: list[str] | None = None) -> None:
    """Run the program with ``arguments`` (those of the process by default) and exit with its code.

    0: done. 1: a limit set by the user was not met. 2: wrong input, with a message on standard error. 130: interrupted.
    """
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the program; the exit code."""
    _prepare_streams()
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="sepcalc", standalone_mode=False, obj=arguments)
        sys.stdout.flush()
    except SepcalcError as error:
        return _fail(str(error), error.exit_code)
    except _ClickError as error:
        return _fail(_usage_message(error, arguments), 2)
    except OSError as error:
        discard_output()
        if isinstance(error, BrokenPipeError):
            return 0
        return _fail(f"cannot write the result: {(error.strerror or str(error)).lower()}; write to another place", 2)
    except SystemExit as end:
        # Typer exits like this after a completion, and when the reader of a help text closes its pipe.
        return 0 if isinstance(end.__context__, BrokenPipeError) else int(end.code or 0)
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return code if isinstance(code, int) else 0


def _prepare_streams() -> None:
    """Make sure that both streams exist and take every character."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started the program
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115 (it stays open to the end)
        elif isinstance(stream, TextIOWrapper):
            # A terminal that cannot show × shows a question mark, instead of an error.
            stream.reconfigure(errors="replace")


def _fail(message: str, code: int) -> int:
    """Print an error, with control characters made visible; the exit code."""
    from sepcalc.render.cells import visible

    sys.stderr.write("".join(f"{visible(line)}\n" for line in message.splitlines()))
    return code


def _usage_message(error: Any, arguments: list[str]) -> str:
    """Typer's error as one sentence in this program's style."""
    command = [word for word in arguments[:1] if word in COMMANDS]
    see = f"see '{' '.join(('sepcalc', *command, '--help'))}'"
    match type(error).__name__:
        case "NoArgsIsHelpError":
            return str(error.message)
        case "NoSuchOption":
            # Compared without their dashes, which would make all options similar.
            options = {name.lstrip("-"): name for parameter in error.ctx.command.params for name in parameter.opts}
            meant = nearest(error.option_name.lstrip("-"), options)
            return f"unknown option '{error.option_name}'; " + (f"did you mean '{options[meant]}'?" if meant else see)
        case "MissingParameter":
            needed = [
                known for known in error.ctx.command.params if known.required and known.name not in error.ctx.params
            ]
            names = ", ".join(
                known.metavar if known.param_type_name == "argument" else known.opts[0] for known in needed
            )
            return f"missing {names}; for example: {import_module(COMMANDS[command[0]]).EXAMPLES[0]}"
        case "BadOptionUsage":
            fault = "needs a value" if "requires" in error.message else "takes no value"
            return f"option '{error.option_name}' {fault}; {see}"
    message = error.format_message().rstrip(".")
    if found := re.search(r"unexpected extra arguments? ?.*\((.*)\)$", message):
        message = f"unexpected argument '{found[1]}'"
    return f"{message[:1].lower()}{message[1:]}; {see}"
