"""The program as a whole: commands, help, streams, terminals, exit codes."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
import typer
from commands import environment, process, program, sepcalc, terminal

from sepcalc import __version__
from sepcalc.cli.main import COMMANDS, EXAMPLE, app, main

LAYER = "layer --cin 64 --cout 128 -k 3"
NETWORK = "network mobilenet_v1"
ESCAPE = "\x1b"
SELF_CONTAINED = ("layer", "network", "compare", "schema")
"""Commands that need no framework and no model; the others show in tests of their own that their examples work."""

EXAMPLES = [example for command in SELF_CONTAINED for example in import_module(COMMANDS[command]).EXAMPLES]
BIG = "name: Big\nlayers:\n" + "  - {c_in: 64, c_out: 64, k: 3, size: 56}\n" * 3000
"""A network whose table is larger than what a pipe holds."""

MESSAGES = {
    "laier": "unknown command 'laier'; did you mean 'layer'?",
    "LAYER": "unknown command 'LAYER'; did you mean 'layer'?",
    "frobnicate": f"unknown command 'frobnicate'; known: {', '.join(COMMANDS)}",
    "--versio": "unknown option '--versio'; did you mean '--version'?",
    "-v": "unknown option '-v'; see 'sepcalc --help'",
    "schema all": "unexpected argument 'all'; see 'sepcalc schema --help'",
    "schema --format json": "unknown option '--format'; see 'sepcalc schema --help'",
    "schema -o nowhere/a.json": "cannot write 'nowhere/a.json': there is no folder '{folder}/nowhere'; create it first",
    "compare": "missing SOURCE...; for example: sepcalc compare resnet50 mobilenet_v1 mobilenet_v2",
    "verify": "missing SOURCE; for example: sepcalc verify resnet50",
}


@pytest.mark.parametrize("line", MESSAGES)
def test_messages(folder, line):
    """What is wrong ends the program with 2, one sentence on standard error and nothing on standard output."""
    assert sepcalc(line) == (2, "", MESSAGES[line].replace("{folder}", str(folder)) + "\n")


@pytest.mark.parametrize("line", ["laier", f"{LAYER} --size x", "network nope", "network nope.yaml", "layer --cin"])
def test_no_traceback(line):
    """As a process the program refuses in the same way: exit code, one line, no traceback."""
    ran = process(line)
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1


def test_version():
    """--version prints the program's name and version."""
    assert sepcalc("--version") == (0, f"sepcalc {__version__}\n", "")


def test_main(capsys):
    """The console script ends the process with the program's exit code."""
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"sepcalc {__version__}\n"


def test_as_a_module_from_another_folder(tmp_path):
    """``python -m sepcalc`` works from any folder, bundled networks included."""
    ran = process("network vgg16 --table totals --format csv", cwd=tmp_path)
    assert ran == (0, sepcalc("network vgg16 --table totals --format csv").out, "")


def test_nothing_to_do():
    """Without a command the help goes to standard error: there is no result."""
    assert sepcalc("") == (2, "", sepcalc("--help").out)


def options(command: str | None) -> list[str]:
    """The flags of a command, or of the program itself."""
    found = typer.main.get_command(app)
    found = found if command is None else found.get_command(None, command)
    return [name for each in found.params if each.param_type_name == "option" for name in each.opts]


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help(monkeypatch, command, columns):
    """Help names every flag whole, within the width of the terminal, and gives examples to be copied as they are."""
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = sepcalc(f"{command or ''} --help")
    assert (ran.code, ran.err) == (0, "")
    assert [name for name in options(command) if not re.search(rf"(?<![\w-]){name}(?![\w-])", ran.out)] == []
    examples = (EXAMPLE,) if command is None else import_module(COMMANDS[command]).EXAMPLES
    lines = ran.out.splitlines()
    assert [example for example in examples if not any(line.endswith(example) for line in lines)] == []
    assert max(len(line) for line in lines if not line.endswith(examples)) <= columns
    assert "..." not in ran.out.replace("SOURCE...", "").replace("[ARGS]...", "")
    assert sepcalc(f"{command or ''} -h") == ran


def test_help_names_the_commands():
    """The program's help has a line for each command."""
    shown = sepcalc("--help").out
    assert all(re.search(rf"^  {command} +\S", shown, re.MULTILINE) for command in COMMANDS)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_work(folder, example):
    """Every example of the help works as it stands, with a network of one's own where it names one."""
    for name in re.findall(r"\S+\.yaml", example):
        (folder / name).write_text("layers:\n  - {name: block.conv, c_in: 3, c_out: 4, k: 3, size: 8}\n")
    words = shlex.split(example)
    assert words[0] == "sepcalc"
    ran = sepcalc(shlex.join(words[1:]))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out or any(path.suffix != ".yaml" for path in folder.iterdir())


@pytest.mark.parametrize(
    ("words", "place", "offered"),
    [("sepcalc la", 1, ["layer"]), ("sepcalc layer --sta", 2, ["--stages"]), ("sepcalc nope --x", 2, [])],
)
def test_completion(words, place, offered):
    """A shell completes commands and their flags."""
    env = environment(_SEPCALC_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(place))
    ran = process("", env=env)
    assert ran.out.split() == offered
    assert "Traceback" not in ran.err


PRINTED = [LAYER, f"{LAYER} --explain", f"{LAYER} --code torch", NETWORK, "network --list", "--help"]


@pytest.mark.slow
@pytest.mark.parametrize("line", PRINTED)
def test_a_pipe_gets_text_alone(line):
    """In a pipe there are no escape codes, and the width of a terminal changes nothing but the help."""
    ran = process(line, env=environment(COLUMNS="40", TERM="xterm-256color", COLORTERM="truecolor"))
    assert (ran.code, ran.err) == (0, "")
    assert ESCAPE not in ran.out
    if "--help" not in line:
        assert ran.out == sepcalc(line).out


def test_color_in_a_terminal():
    """A terminal shows bold headings and dim remarks; nothing of the text is lost."""
    colored, plain = terminal(LAYER), terminal(LAYER, NO_COLOR="1")
    assert f"{ESCAPE}[1m" in colored.out
    assert f"{ESCAPE}[2m" in colored.out
    assert re.sub(rf"{ESCAPE}\[\d*m", "", colored.out).split() == plain.out.split()


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("line", [LAYER, f"{LAYER} --explain"])
def test_no_color(line, variables):
    """NO_COLOR and a dumb terminal are honoured."""
    assert ESCAPE not in terminal(line, **variables).out


def test_empty_no_color():
    """An empty NO_COLOR means nothing, as its specification says."""
    assert ESCAPE in terminal(LAYER, NO_COLOR="").out


def test_files_have_no_color(folder):
    """What goes to a file from a terminal is what goes there from a pipe."""
    assert terminal(f"{LAYER} -o {folder}/a.txt") == (0, "", "")
    assert (folder / "a.txt").read_text("utf-8") == sepcalc(LAYER).out


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        f"{LAYER} --size 56 --stages --variant all --groups 4",
        f"{LAYER} --explain --variant all",
        NETWORK,
        "network resnet50 --group",
        "network --list",
        "compare resnet50 mobilenet_v1 mobilenet_v2",
        "network --help",
    ],
)
def test_a_narrow_terminal(line):
    """In a terminal of 60 columns no line is longer, and every number is whole."""
    ran = terminal(line, columns=60, NO_COLOR="1")
    assert (ran.code, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 60
    numbers = set(re.findall(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])", ran.out))
    assert numbers <= set(re.findall(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])", sepcalc(line).out))
    assert numbers or "--help" in line or "--explain" in line


@pytest.mark.parametrize(
    ("line", "unbuffered"),
    [(NETWORK, ""), (NETWORK, "1"), ("network big.yaml", ""), (f"{LAYER} --explain", ""), ("layer --help", "")],
)
def test_a_reader_that_goes_away(folder, line, unbuffered):
    """``| head -1`` ends the program without a traceback, and without a fault."""
    (folder / "big.yaml").write_text(BIG)
    assert closed(line, folder, PYTHONUNBUFFERED=unbuffered) == (0, "")


def closed(line: str, folder: Path, **variables: str) -> tuple[int, str]:
    """Run a command line whose reader is gone before it writes: its exit code, and what it says."""
    env = environment(**variables)
    with subprocess.Popen(program(line), cwd=folder, env=env, stdout=-1, stderr=-1) as started:
        assert started.stdout
        assert started.stderr
        started.stdout.close()
        said = started.stderr.read().decode()
    return started.returncode, said


def test_a_gate_behind_a_reader_that_goes_away(folder):
    """A limit that is passed is said though nobody reads the table to its end."""
    (folder / "big.yaml").write_text(BIG)
    macs = 3000 * 64 * 64 * 9 * 56 * 56
    sentence = f"Big has {macs:,} MACs, {macs - 10**6:,} more than --max-macs 1M\n"
    assert closed("network big.yaml --max-macs 1M", folder) == (1, sentence)


@pytest.mark.parametrize("line", [LAYER, "--version"])
def test_output_that_cannot_be_written(line):
    """Where the system takes no output, the program says so and ends with 2."""
    with Path(os.devnull).open() as unwritable:
        done = subprocess.run(program(line), stdout=unwritable, stderr=-1, check=False, env=environment())
    assert (done.returncode, done.stderr.decode()) == (
        2,
        "cannot write the result: bad file descriptor; write to another place\n",
    )


def test_closed_streams():
    """A program that was started without standard output or standard error ends as it should."""
    for line, redirection, code in ((LAYER, ">&-", 0), (LAYER, "2>&-", 0), ("laier", "2>&-", 2)):
        command = f"{shlex.join(program(line))} {redirection}"
        assert subprocess.run(["/bin/sh", "-c", command], stdout=-3, check=False).returncode == code


@pytest.mark.slow
@pytest.mark.parametrize(
    "variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
@pytest.mark.parametrize("line", [LAYER, f"{LAYER} --explain", "network --list"])
def test_a_poor_encoding(line, variables):
    """Where × cannot be written there is a question mark, and never a fault."""
    ran = process(line, env=environment(**variables))
    good = sepcalc(line).out
    assert (ran.code, ran.err) == (0, "")
    assert ran.out in (good, re.sub(r"[^\x00-\x7f]", "?", good))


def test_messages_survive_a_poor_encoding():
    """A message is written in any encoding as well."""
    line = "layer --cin 64 --cout 128 -k 3x3 --size 8x8x8"
    ran = process(line, env=environment(PYTHONIOENCODING="ascii"))
    assert ran == (2, "", "size 8?8?8 has 3 axes, kernel 3?3 has 2; give both as many\n")


def test_json_survives_a_poor_encoding():
    """JSON says the same in any encoding."""
    ran = process(f"{LAYER} --format json", env=environment(PYTHONIOENCODING="ascii"))
    assert ran.out.isascii()
    assert json.loads(ran.out) == json.loads(sepcalc(f"{LAYER} --format json").out)


def test_interruption(folder):
    """Ctrl-C ends the program with 130, and without a traceback."""
    pipe = folder / "slow.yaml"
    os.mkfifo(pipe)
    with subprocess.Popen(program("network slow.yaml"), cwd=folder, stdout=-1, stderr=-1) as started:
        end = wait_for_reader(pipe, started)
        out, err = interrupt(started)
        os.close(end)
    assert (started.returncode, out, err) == (130, b"", b"")


def interrupt(started: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Press Ctrl-C until a program ends; what it has written."""
    for _ in range(20):
        # A signal that comes between two instructions does not wake the program from the wait that follows.
        started.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return started.communicate(timeout=1)
    started.kill()
    raise AssertionError("the program cannot be interrupted")


def wait_for_reader(pipe: Path, started: subprocess.Popen[bytes]) -> int:
    """Wait until a program waits for what comes through a named pipe; the end to write to."""
    while started.poll() is None:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # there is no reader yet
            time.sleep(0.01)
    raise AssertionError(started.communicate())


def test_schema_is_json(folder):
    """The schema is the same on standard output and in a file of any name."""
    shown = sepcalc("schema").out
    assert json.loads(shown)["$schema"].startswith("https://json-schema.org/")
    assert sepcalc("schema -o a.schema") == (0, "", "")
    assert (folder / "a.schema").read_text("utf-8") == shown
