"""sepcalc import, and the flags that sepcalc network shares with it."""

import pytest
import yaml
from commands import sepcalc

from sepcalc.cli.sources import parse_argument
from sepcalc.core.errors import SepcalcError
from sepcalc.readers.sources import open_source

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.emb, self.fc = nn.Embedding(50, 8), nn.Linear(8, classes)

    def forward(self, ids, mask=None):
        x = self.fc(self.emb(ids))
        return torch.fft.fft(x) if mask is None else x * mask[..., None]
"""


@pytest.fixture
def code(folder):
    """A file of code in the current folder."""
    (folder / "net.py").write_text(CODE)
    return folder


def test_printed(code):  # noqa: ARG001 (the current folder)
    """The list goes to standard output; what is uncounted is said beside it."""
    ran = sepcalc("import ./net.py:Net --arg classes=7 --input 2x5:int64")
    assert (ran.code, ran.err) == (0, "uncounted, and missing from every total: fft_fft (fft_fft)\n")
    read = yaml.safe_load(ran.out)
    assert read["source"] == "./net.py:Net, input 2x5:int64"
    assert [each["name"] for each in read["layers"]] == ["emb", "fc", "fft_fft"]


def test_written(code):
    """The file that is written reads back to the same totals, and says nothing."""
    line = "./net.py:Net --input ids=2x5:int64 --input mask=2x5"
    ran = sepcalc(f"import {line} -o net.yaml")
    assert ran == (0, "", "")
    there, here = sepcalc(f"network {line} -f json"), sepcalc("network net.yaml -f json")
    assert there.code == here.code == 0
    layers = [[each[key] for key in ("name", "params", "macs")] for each in yaml.safe_load(there.out)["layers"]]
    assert [[each[key] for key in ("name", "params", "macs")] for each in yaml.safe_load(here.out)["layers"]] == layers
    assert open_source(str(code / "net.yaml")).cost.macs == 2 * 5 * 8 * 10


def test_network(code):  # noqa: ARG001 (the current folder)
    """The network command shows code like any other network, and its gates hold."""
    ran = sepcalc("network ./net.py:Net --input 2x5:int64 --strict -f csv --table layers")
    assert ran.code == 1
    assert "fc,linear" in ran.out
    assert ran.err.endswith("fft_fft\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--input 2xA", "--input: expected a shape like 1x3x224x224, ids=2x16 or 2x16:int64, got '2xA'"),
        ("--arg classes", "--arg: expected name=value like classes=10, got 'classes'"),
        ("--arg a-b=1", "--arg: expected name=value like classes=10, got 'a-b=1'"),
        ("--arg a=[1", "--arg: expected a number, true, null, text or a list of them, got '[1'"),
    ],
)
def test_faults(code, line, message):  # noqa: ARG001 (the current folder)
    """A flag that cannot be read is named, with what it takes."""
    assert sepcalc(f"import ./net.py:Net {line}") == (2, "", f"{message}\n")


def test_no_traceback(code):
    """What the user's code raises is one line on standard error."""
    ran = sepcalc("import ./net.py:Net --input 2x5")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("./net.py:Net does not run on input 2x5: RuntimeError in emb (Embedding): ")
    assert ran.err.endswith(f"({code / 'net.py'}:11); check --input\n")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=0.5", 0.5),
        ("a=true", True),
        ("a=", None),
        ("a=x=y", "x=y"),
        ("a=[1, 2]", [1, 2]),
        ("a='1'", "1"),
    ],
)
def test_arguments(text, value):
    """A value is what YAML makes of it."""
    assert parse_argument(text) == ("a", value)


def test_argument_code():
    """A value is never code."""
    with pytest.raises(SepcalcError):
        parse_argument("a=!!python/object/apply:os.getcwd []")
