"""The program as a user runs it: in this process, as a process of its own, and in a terminal."""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from sepcalc.cli.main import run

ROOT = Path(__file__).parents[2]


class Ran(NamedTuple):
    """What a run came to: its exit code, and what it wrote to standard output and standard error."""

    code: int
    out: str
    err: str


class Screen(StringIO):
    """A stream that says it is a terminal; COLUMNS says how wide."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def sepcalc(line: str, *, out: type[StringIO] = StringIO) -> Ran:
    """Run a command line in this process, its output in a pipe or on a :class:`Screen`."""
    stdout, stderr = out(), StringIO()
    with redirect_stdout(stdout), redirect_stderr(stderr):
        code = run(shlex.split(line))
    return Ran(code, stdout.getvalue(), stderr.getvalue())


def environment(**changes: str) -> dict[str, str]:
    """The variables of this process, without those that change what a terminal shows, and with ``changes``."""
    hidden = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING")
    return {key: value for key, value in os.environ.items() if key not in hidden} | changes


def program(line: str) -> list[str]:
    """The command of a process that runs a command line."""
    return [sys.executable, "-m", "sepcalc", *shlex.split(line)]


def process(line: str, *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Ran:
    """Run a command line as a process, its output in pipes, read as UTF-8."""
    done = subprocess.run(
        program(line), cwd=cwd, env=env or environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def terminal(line: str, *, columns: int = 80, **variables: str) -> Ran:
    """Run a command line in a terminal of ``columns`` columns; what it wrote, line ends as the program wrote them."""
    import fcntl
    import pty
    import struct
    import termios

    controller, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = environment(**{"TERM": "xterm", **variables})
    started = subprocess.Popen(program(line), cwd=ROOT, env=env, stdin=screen, stdout=screen, stderr=subprocess.PIPE)
    os.close(screen)
    shown = bytearray()
    while chunk := _read(controller):
        shown += chunk
    os.close(controller)
    with started:
        assert started.stderr
        err = started.stderr.read().decode()
    return Ran(started.returncode, shown.decode().replace("\r\n", "\n"), err)


def _read(controller: int) -> bytes:
    try:
        return os.read(controller, 65536)
    except OSError:  # Linux says so where the program has closed its terminal
        return b""
