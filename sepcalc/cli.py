"""The command line: find the command, run it, turn what went wrong into one message.

Each command lives in a module of its own, imported only when it is called: start-up is paid for by every use.
"""

import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sepcalc import __version__
from sepcalc.errors import SepcalcError, closest

COMMANDS = {
    "layer": "sepcalc.cli_layer",
    "network": "sepcalc.cli_network",
    "schema": "sepcalc.cli_schema",
}
"""Every command and the module whose ``app`` it is."""

_UsageError: Any = typer.BadParameter.__base__
_ClickError: Any = _UsageError.__base__


class _Commands(TyperGroup):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (typer calls it so)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (typer calls it so)
        if cmd_name not in COMMANDS:
            raise SepcalcError(f"unknown command '{cmd_name}'{closest(cmd_name, COMMANDS)}")
        command = typer.main.get_command(import_module(COMMANDS[cmd_name]).app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sepcalc {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What a convolution costs, and what writing it as separable stages saves.

    Start with: sepcalc layer --cin 64 --cout 128 -k 3
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the program with ``arguments`` (those of the process by default) and exit with its code.

    0: done. 1: a limit that the user set was not met. 2: wrong input, with one message on standard error.
    """
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the program; the exit code."""
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="sepcalc", standalone_mode=False)
        sys.stdout.flush()
    except SepcalcError as error:
        return _fail(str(error), error.exit_code)
    except _ClickError as error:
        return _fail(_usage_message(error), 2)
    except BrokenPipeError:
        # The reader has what it wanted; Python must not flush into the closed pipe at exit.
        sys.stdout = None
        return 0
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", 130)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    if message:
        sys.stderr.write(f"{message}\n")
    return code


def _usage_message(error: Any) -> str:
    """What typer has to say, as one line of this program's style."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(error.ctx.get_help())
    message = error.format_message().rstrip(".")
    name = error.ctx.command.name if getattr(error, "ctx", None) and error.ctx.command.name in COMMANDS else None
    command = f"sepcalc {name}" if name else "sepcalc"
    return f"{message[:1].lower()}{message[1:]}; see '{command} --help'"
