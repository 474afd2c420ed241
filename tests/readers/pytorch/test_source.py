"""Python code found by its name, and what is said where it is not there or cannot be imported."""

import os
import sys

import pytest

from sepcalc.core.errors import SepcalcError
from sepcalc.readers.pytorch.source import beside, error_summary, find


@pytest.fixture
def code(folder):
    """Files of code in the current folder, one of which imports another."""
    (folder / "one_net.py").write_text("from two_nets import Inner\nclass Net:\n    inner = Inner\n\nnumber = 3\n")
    (folder / "two_nets.py").write_text("class Inner:\n    pass\n")
    (folder / "asks.py").write_text("import no_such_package\n")
    (folder / "ends.py").write_text("raise SystemExit('no weights')\n")
    (folder / "torn.py").write_text("def f(\n")
    (folder / "json.py").write_text("def mine():\n    pass\n")
    return folder


def _found(source):
    with beside(source):
        return find(source)


@pytest.mark.parametrize("source", ["one_net:Net.inner", "./one_net.py:Net.inner", "two_nets:Inner"])
def test_find(code, source):  # noqa: ARG001 (the current folder)
    """A name is found in a module, in a file, and inside a class; what stands beside the file can be imported."""
    assert _found(source).__name__ == "Inner"


def test_name_in_use(code):  # noqa: ARG001 (the current folder)
    """A file that is called like a module that is in use does not take its place."""
    import json

    assert _found("./json.py:mine").__name__ == "mine"
    assert sys.modules["json"] is json


def test_a_file_is_run_once(code, capsys):
    """Two models of one file are two names in one module; a file that was changed is run again."""
    (code / "loud.py").write_text("print('ran')\nclass A: pass\nclass B: pass\n")
    assert _found("./loud.py:A").__module__ == _found("loud.py:B").__module__
    assert capsys.readouterr().out == "ran\n"
    (code / "loud.py").write_text("class C: pass\n")
    os.utime(code / "loud.py", ns=(1, 1))
    assert _found("loud.py:C").__name__ == "C"


def test_path(code):  # noqa: ARG001 (the current folder)
    """Afterwards Python looks for modules where it did before."""
    before = list(sys.path)
    _found("./one_net.py:Net")
    assert sys.path == before


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("one_net:", "expected module:callable like torchvision.models:resnet50, got 'one_net:'"),
        (":Net", "expected module:callable like torchvision.models:resnet50, got ':Net'"),
        ("./one_net.py:Nett", "./one_net.py has no 'Nett'; did you mean 'Net'?"),
        ("./one_net.py:Net.iner", "./one_net.py has no 'Net.iner'; did you mean 'inner'?"),
        ("./one_net.py:number", "./one_net.py:number is an int, not something to call; name what builds a model"),
        ("./three.py:Net", "there is no file './three.py'; check the path in './three.py:Net'"),
        ("no_such.part:Net", "no module is called 'no_such'; install it, or give the path of a .py file"),
        ("./torn.py:f", "./torn.py cannot be imported: SyntaxError: '(' was never closed (torn.py, line 1)"),
        (
            "./asks.py:f",
            "./asks.py cannot be imported: ModuleNotFoundError: No module named 'no_such_package' ({}/asks.py:1)",
        ),
        ("ends:f", "ends cannot be imported: RuntimeError: it ended the program (no weights) ({}/ends.py:1)"),
    ],
)
def test_faults(code, source, message):
    """What cannot be found or imported is said in one line, with the place in the user's code."""
    with pytest.raises(SepcalcError) as raised:
        _found(source)
    assert str(raised.value) == message.format(code)


def test_said():
    """A long message of several lines becomes one that is short."""
    assert error_summary(ValueError("one\n  two")) == "ValueError: one two"
    assert len(error_summary(ValueError("x" * 10_000))) < 350
    assert error_summary(KeyError()) == "KeyError"
