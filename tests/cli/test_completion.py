"""What shells offer when the tab key is pressed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from commands import environment

from sepcalc.cli.completion import WORDS
from sepcalc.cli.layer import FRAMEWORKS
from sepcalc.cli.main import COMMANDS, app
from sepcalc.cli.network import TABLES
from sepcalc.conventions.counters import COUNTERS
from sepcalc.core.spec import BIASES, ELEMENT_BYTES
from sepcalc.core.variants import all_variants
from sepcalc.readers.yaml.reader import bundled
from sepcalc.render.formats import FORMATS

SHELLS = ("bash", "zsh", "fish")

CHOICES = ("NAME", "WHERE", "FRAMEWORK", "COUNTER", "KEYS", "KEY", "GLOB", "SOURCE", "[SOURCE]", "SOURCE...", "STATE")
"""What help calls a value that is one of known words."""


def offered(line: str, **more: str) -> list[str]:
    """What a bash is offered at the end of ``line``, asked as its script asks."""
    words = line.split(" ")
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_SEPCALC_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-m", "sepcalc"],
        env=environment(**asked, **more),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("sepcalc ", [*COMMANDS]),
        (
            "sepcalc layer --variant ",
            [*(name for each in all_variants() for name in (each.name, *each.aliases)), "all"],
        ),
        ("sepcalc layer --variant dws,sep", ["dws,separable"]),
        ("sepcalc layer --variant sep", ["separable"]),
        ("sepcalc network resnet18 --variant blue", ["blueprint-separable"]),
        ("sepcalc layer --format ", [*FORMATS]),
        ("sepcalc compare resnet18 -f ", [*FORMATS]),
        ("sepcalc layer --dtype ", [*ELEMENT_BYTES]),
        ("sepcalc layer --dtype=int", ["int8"]),
        ("sepcalc layer --bias ", [*BIASES]),
        ("sepcalc layer --code ", [*FRAMEWORKS]),
        ("sepcalc layer --padding ", ["same", "valid"]),
        ("sepcalc layer --mid m", ["min", "max"]),
        ("sepcalc network --table ", [*TABLES]),
        ("sepcalc network --as ", [*(each.name for each in COUNTERS), "all"]),
        ("sepcalc network ", [*bundled()]),
        ("sepcalc compare resnet18 efficientnet", ["efficientnet_b0"]),
        ("sepcalc network squeezenet1_0 --only fire9", ["fire9.expand3x3"]),
        ("sepcalc layer --columns params,macs_r", ["params,macs_reduction", "params,macs_ratio"]),
        ("sepcalc network --columns macs_s", ["macs_share"]),
        ("sepcalc network --sort a", []),
        ("sepcalc layer --cin ", []),
        ("sepcalc no-such-command ", [*COMMANDS]),
        ("sepcalc measure --dtype float32,b", ["float32,bfloat16"]),
        ("sepcalc measure --dtype int", []),
        ("sepcalc measure --columns promised,deli", ["promised,delivered"]),
        ("sepcalc sweep --columns macs_r", ["macs_reduction"]),
        ("sepcalc measure --device c", ["cpu", "cuda"]),
        ("sepcalc measure --cache ", ["warm", "cold"]),
        ("sepcalc measure --table ", ["layers", "totals"]),
        ("sepcalc measure mobilenet_v", [name for name in bundled() if name.startswith("mobilenet_v")]),
    ],
)
def test_words(line, words, tmp_path):
    """Each place offers the words that may stand there, from where the checks have them."""
    assert offered(line, HOME=str(tmp_path)) == words


def test_files_of_networks(folder):
    """Networks in files are offered beside the bundled ones."""
    for name in ("alexandria.yaml", "alexis.onnx", "alex.txt"):
        (folder / name).touch()
    assert offered("sepcalc network alex") == ["alexnet", "alexandria.yaml", "alexis.onnx"]


def test_layers_of_what_cannot_be_opened(folder):
    """Where a network cannot be read there are no layers to offer, and no message in the middle of a line."""
    (folder / "faulty.yaml").write_text("layers: [{conv: {}}]")
    assert offered("sepcalc network faulty.yaml --only ") == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_choice_is_offered(command):
    """Each flag and argument whose value is one of known words offers them."""
    program = typer.main.get_command(app)
    found = program.get_command(None, command)
    assert [each.name for each in found.params if each.metavar in CHOICES and each.name not in WORDS] == []


def test_every_word_has_a_place():
    """There are words for no parameter that does not exist."""
    program = typer.main.get_command(app)
    assert {each.name for command in COMMANDS for each in program.get_command(None, command).params} >= set(WORDS)


def test_bash(tmp_path):
    """A real bash, with the script that the program prints for it, gets the words."""
    program = tmp_path / "sepcalc"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sepcalc "$@"\n')
    program.chmod(0o755)
    script = """
        eval "$(sepcalc --show-completion)"
        complete -p sepcalc
        COMP_WORDS=(sepcalc layer --variant depthwise-s); COMP_CWORD=3
        _sepcalc_completion sepcalc
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script],  # noqa: S607 (wherever bash is)
        env=environment(PATH=path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "complete -o default -F _sepcalc_completion sepcalc",
        "depthwise-separable",
        "depthwise-spatial",
    ]


def in_shell(shell: str, argument: str, home: Path) -> str:
    """What the program prints when ``shell`` calls it with ``argument``."""
    # As if the shell were found above the program; here that is the one which runs the tests.
    more = {"HOME": str(home), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "sepcalc", argument, shell],
        env=environment(**more),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_scripts(shell, tmp_path):
    """There is a script for each shell that asks the program in that shell's way, and it can be installed."""
    script = in_shell(shell, "--show-completion", tmp_path)
    assert f"_SEPCALC_COMPLETE=complete_{shell}" in script
    assert f"{shell} completion installed in {tmp_path}" in in_shell(shell, "--install-completion", tmp_path)
    installed = [file for file in tmp_path.rglob("*") if file.is_file() and "complete_" in file.read_text("utf-8")]
    assert [file.read_text("utf-8").strip() for file in installed] == [script.strip()]


@pytest.mark.parametrize(
    ("shell", "separable"),
    [
        ("zsh", '"depthwise-separable":"Filter every channel on its own, then mix the channels at each position'),
        ("fish", "depthwise-separable\tFilter every channel on its own, then mix the channels at each position"),
    ],
)
def test_help_beside_words(shell, separable, tmp_path):
    """Shells that can show a word's meaning get it."""
    asked = {
        "_SEPCALC_COMPLETE": f"complete_{shell}",
        "_TYPER_COMPLETE_ARGS": "sepcalc layer --variant depthwise-se",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "sepcalc"], env=environment(**asked), capture_output=True, text=True, check=True
    )
    assert separable in done.stdout


def test_other_runs_know_nothing_of_it():
    """A run that no shell began loads nothing of the completion."""
    script = "import sys; from sepcalc.cli.main import run; run(['layer', '--help']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    assert "sepcalc.cli.layer" in done.stdout
    assert "sepcalc.cli.completion" not in done.stdout
