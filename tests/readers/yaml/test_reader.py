"""Whole files: the forms that the design shows, what they compute, every fault at once, and nothing but such faults."""

import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import hostile
import pytest
from commands import process
from files import faults, network
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from network_files import INFERRED, PLAIN, SIGNS, STRUCTURED, WORDS, mutations
from strategies import randomly

import sepcalc
from sepcalc import SepcalcError, load
from sepcalc.core.layers import Cost, FeatureMap
from sepcalc.core.network import Network, Published
from sepcalc.core.spec import LARGEST
from sepcalc.readers.yaml.reader import MOST_SHOWN, FileError, bundled, find, read


def test_a_plain_list():
    """Every layer says what it is; nothing has to follow from what stands before."""
    found = read(PLAIN)
    assert (found.name, found.source, found.input) == ("my-net", None, None)
    assert [each.name for each in found.layers] == ["conv1", "conv2"]
    assert found.cost == Cost(params=3 * 64 * 9 + 64 * 128 * 9, macs=27 * 64 * 224**2 + 576 * 128 * 112**2)


def test_a_network():
    """Shapes are inferred from the input, and every layer has the defaults of the file."""
    found = read(INFERRED)
    assert found.name == "MobileNet v1"
    assert found.source == "arXiv:1704.04861, table 1"
    assert found.input == FeatureMap(channels=3, size=(224, 224))
    separable = [f"separable{i}" for i in range(1, 7)]
    assert [each.name for each in found.layers] == ["stem", *separable, "avgpool1", "linear1"]
    assert found.layers[-1].output.shape == (1000, 1, 1)
    widths = [32, 64, *[512] * 5]
    stages = [9 * c_in + 2 * c_in + c_in * c_out + 2 * c_out for c_in, c_out in pairwise(widths)]
    assert found.cost.params == 27 * 32 + 64 + sum(stages) + 513_000


def test_structure():
    """Branches join, blocks have arguments, and a shortcut projects where the shape changes."""
    found = read(STRUCTURED)
    assert [each.name.removeprefix("bottleneck1.") for each in found.layers[:6]] == [
        "conv1", "conv2", "conv3", "shortcut1", "add1", "relu1",
    ]  # fmt: skip
    assert [each.name for each in found.layers[-3:]] == ["relu1", "conv1", "concat1"]
    assert found.layers[-1].output.shape == (320, 56, 56)
    first, other = 3 * 64 + 64 * 64 * 9 + 64 * 256 + 3 * 256, 256 * 64 + 64 * 64 * 9 + 64 * 256
    assert found.cost.params == first + 2 * other + 256 * 64


def test_a_name_is_the_files_by_default():
    """A network without a name is called like its file, and texts stand on one line."""
    assert read("layers: []", file="nets/my net.yaml").name == "my net"
    assert read("name: 42\nlayers: []").name == "42"
    text = "name: |\n  two\n  lines\nsource: >\n  a\n  b\nlayers: []"
    assert read(text) == Network(name="two lines", source="a b", layers=(), wiring=())


def test_published_figures():
    """Figures of other sources are kept as they are printed."""
    text = """
    layers: []
    published:
      - {source: a paper, params: 4.2 M, macs: 569 M}
      - {source: 2017, macs: 569000000, params: 4.2}
      - source: a table
        note: |
          counts
          biases
    """
    assert read(dedent(text)).published == (
        Published(source="a paper", params="4.2 M", macs="569 M"),
        Published(source="2017", params="4.2", macs="569000000"),
        Published(source="a table", note="counts biases"),
    )


@pytest.mark.parametrize("text", ["input:", "blocks:", "defaults:", "published:", "divisor:", "name:", "source:"])
def test_null_at_the_top(text):
    """A key without a value is as good as none."""
    assert read(f"{text}\nlayers: [{{c_in: 3, size: 8, c_out: 2, k: 1}}]", width=1).cost.params == 6


WIDE = """
- conv: {c_out: 32, k: 3}
- separable: {c_out: 64, k: 3}
- depthwise: {k: 3, c_out: 64}
- conv: {c_out: 1280, k: 1, scale: up}
- conv: {c_out: 21, k: 1, scale: no}
- block: {w: 24}
- avgpool: global
- linear: 1000
"""
BLOCK = """
divisor: 8
blocks:
  block: {args: {w: null}, layers: [conv: {c_out: $w, k: 1}, conv: {c_out: 6*$c_in, k: 1}]}
"""


@pytest.mark.parametrize(
    ("width", "channels"),
    [
        (1, [32, 64, 64, 1280, 21, 24, 126, 126, 1000]),
        ("0.5", [16, 32, 32, 1280, 21, 16, 126, 126, 1000]),
        (0.35, [16, 24, 24, 1280, 21, 8, 126, 126, 1000]),
        (Fraction(3, 4), [24, 48, 48, 1280, 21, 24, 126, 126, 1000]),
        ("7/5", [48, 88, 88, 1792, 21, 32, 126, 126, 1000]),
    ],
)
def test_width(width, channels):
    """A width multiplier scales what is written, each layer by its own rule, and nothing twice."""
    assert [each.output.channels for each in network(WIDE, head=BLOCK, width=width).layers] == channels


def test_width_without_a_divisor():
    """Without a divisor channels round to whole numbers, never below one."""
    text = "- conv: {c_out: 30, k: 1}\n- conv: {c_out: 1, k: 1}"
    assert [each.output.channels for each in network(text, width="0.25").layers] == [8, 1]
    assert [each.output.channels for each in network(text, width="0.01").layers] == [1, 1]


@pytest.mark.parametrize(
    ("size", "given", "found"),
    [
        ("32", 16, (16, 16)),
        ("32", (16, 8), (16, 8)),
        ("32x24", 16, (16, 16)),
        ("[8, 8, 8]", (4, 4, 4), (4, 4, 4)),
        ("[8, 8, 8]", 4, (4, 4, 4)),
        ("[64]", 32, (32,)),
    ],
)
def test_size(size, given, found):
    """Another size of the input replaces the file's, and one number stands for all of its axes."""
    text = f"input: {{channels: 3, size: {size}}}\nlayers: [conv: {{c_out: 8, k: 3, stride: 2}}]"
    assert read(text, size=given).layers[0].output.size == tuple(-(-n // 2) for n in found)


def test_a_size_for_an_input_that_has_none():
    """A size given from outside is as good as one in the file."""
    assert read("input: {channels: 3}\nlayers: [relu]", size=8).layers[0].output.shape == (3, 8, 8)


def test_bundled_networks_are_found_by_name():
    """A bundled network is found by its name, a file by its path."""
    assert "mobilenet_v1" in bundled()
    assert find("mobilenet_v1") == bundled()["mobilenet_v1"]
    assert load("mobilenet_v1") == load(find("mobilenet_v1")) == load(str(find("mobilenet_v1")))
    for path in ("net.yaml", "net.yml", "folder/net"):
        assert find(path) == Path(path)


def test_a_file_beside_a_bundled_name(folder):
    """A file in the current folder comes before a bundled network of its name."""
    (folder / "mobilenet_v1").write_text("layers: []")
    assert load("mobilenet_v1") == Network(name="mobilenet_v1", layers=(), wiring=())


def test_names_of_no_network(tmp_path):
    """An unknown name gets the closest bundled one; a path is a path."""
    with pytest.raises(SepcalcError) as caught:
        load("mobilnet_v1")
    assert str(caught.value) == "no bundled network is called 'mobilnet_v1'; did you mean 'mobilenet_v1'?"
    with pytest.raises(SepcalcError, match=r"^no bundled network is called 'n{36}\.\.\.; known: ") as caught:
        load("n" * 5000)
    with pytest.raises(SepcalcError, match=r"^cannot read .*none\.yaml: no such file or directory; check the path$"):
        load(tmp_path / "none.yaml")
    for name in ("a\0b", "a\0b.yaml"):
        with pytest.raises(SepcalcError, match=r"^(no bundled network is called 'a.b'|cannot read .*null byte)"):
            load(name)


TOP = {
    "": ["1:1: there is nothing in this file; begin it with layers:"],
    "# nothing\n": ["1:1: there is nothing in this file; begin it with layers:"],
    "relu": ["1:1: a network is a mapping with layers, not 'relu'; begin it with layers:"],
    "[{conv: {k: 3}}]": ["1:1: a network is a mapping with layers, not [{conv: {k: 3}}]; begin it with layers:"],
    "name: a": ["1:1: layers is missing; give a list of layers"],
    "layers: {}": ["1:9: layers: expected a list of layers, got {}"],
    "layers:": ["1:8: layers: expected a list of layers, got null"],
    "layers: relu": ["1:9: layers: expected a list of layers, got 'relu'"],
    "lyaers: [relu]": [
        "1:1: layers is missing; give a list of layers",
        "1:9: unknown key 'lyaers'; did you mean 'layers'?",
    ],
    "input: {channels: 0, size: 8}\nlayers: [relu]": [
        "1:19: input: channels: expected a whole number from 1 to 1,000,000,000, got 0"
    ],
    "input: {channels: 3}\nlayers: [relu, linear: 3]": ["1:8: input: size is missing; give the input a size"],
    "input: {size: 3x}\nlayers: [relu]": [
        "1:8: input: channels is missing; give a whole number from 1 to 1,000,000,000"
    ],
    "input: {channels: 3, size: 8x8x8x8}\nlayers: [relu]": [
        "1:28: input: size: expected a whole number, or one per axis like 3x1 or [3, 1], got '8x8x8x8'"
    ],
    "input: {channels: 3, size: 8x0}\nlayers: [relu]": [
        "1:28: input: size: expected a whole number, or one per axis like 3x1 or [3, 1], got '8x0'"
    ],
    "input: {chanels: 3, size: 8}\nlayers: [relu]": [
        "1:8: input: channels is missing; give a whole number from 1 to 1,000,000,000",
        "1:18: input: unknown key 'chanels'; did you mean 'channels'?",
    ],
    "input: [3, 8]\nlayers: [relu]": ["1:8: input: expected a mapping like {channels: 3, size: 224}, got [3, 8]"],
    "defaults: {nrom: batch, norm: bacth, k: 3}\nlayers: []": [
        "1:18: defaults: unknown key 'nrom'; did you mean 'norm'?",
        "1:31: defaults: norm: expected one of none, batch, layer, group, instance, rms, got 'bacth'",
        "1:41: defaults: unknown key 'k'; known: norm, act, act_last, between, bias, padding",
    ],
    "published: [3, {macs: 3}, {source: a, mac: 3}]\nlayers: []": [
        "1:13: published: expected a mapping like {source: a paper, macs: 569 M}, got 3",
        "1:16: published: source is missing; give text",
        "1:44: published: unknown key 'mac'; did you mean 'macs'?",
    ],
    "divisor: 0\nname: [a]\nlayers: []": [
        "1:10: divisor: expected a whole number from 1 to 1,000,000,000, got 0",
        "2:7: name: expected text, got [a]",
    ],
    "layers: a: b": [
        "1:10: not YAML: mapping values are not allowed in this context; put quotes around a text with a colon in it"
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", TOP, ids=repr)
def test_faults_at_the_top(text):
    """What is wrong with the top level of a file is named with its place, all of it at once."""
    assert faults(text) == TOP[text]


def test_all_faults_come_at_once():
    """The faults of every part of a file come together, in the order of their lines."""
    text = """
    name: [net]
    input: {channels: 3, size: 32}
    defaults: {norm: bacth}
    blocks:
      cell: {args: {w: null}, layers: [conv: {c_out: $v, k: 3}]}
    layers:
      - conv: {c_out: many, k: 3, pading: 1}
      - cell
      - cell: {w: 3}
      - covn: {c_out: 3}
    published:
      - {macs: 3 G}
    """
    assert faults(text) == [
        "2:7: name: expected text, got [net]",
        "4:18: defaults: norm: expected one of none, batch, layer, group, instance, rms, got 'bacth'",
        "6:50: cell1.conv: c_out: $v is not known here; known: w",
        "8:19: conv: c_out: expected a whole number from 1 to 1,000,000,000, got 'many'",
        "8:39: conv: unknown key 'pading'; did you mean 'padding'?",
        "9:5: cell: block cell needs w; give it a value",
        "11:5: layer: unknown layer 'covn'; did you mean 'conv'?",
        "13:5: published: source is missing; give text",
    ]


def test_faults_behind_a_fault():
    """Where a fault leaves open what reaches a layer, the layer's own lengths are checked all the same."""
    text = """
    input: {channels: 3, size: 32}
    layers:
      - conv: {c_out: 0, k: 3}
      - conv: {c_out: 16, k: 3q, stride: 1x2, padding: valid}
      - conv: {c_out: 16, k: 3, stride: abc, padding: sane}
      - maxpool: all
      - avgpool: global
    """
    assert faults(text) == [
        "4:19: conv: c_out: expected a whole number from 1 to 1,000,000,000, got 0",
        "5:26: conv: k: expected a whole number, or one per axis like 3x1 or [3, 1], got '3q'",
        "6:37: conv: stride: expected a whole number, or one per axis like 3x1 or [3, 1], got 'abc'",
        "6:51: conv: padding: expected same, valid, a whole number, or one per axis like 1x0 or [1, 0], got 'sane'",
        "7:5: maxpool: k: expected global, a whole number, or one per axis like 3x1 or [3, 1], got 'all'",
    ]


def test_two_contradictions():
    """Channels and size that both contradict what reaches a layer are two faults."""
    assert faults("input: {channels: 3, size: 32}\nlayers: [conv: {c_out: 8, k: 3, c_in: 4, size: 16}]") == [
        "2:39: conv: c_in 4 contradicts the 3 channels that reach it; remove c_in",
        "2:48: conv: size 16 contradicts the 32×32 that reaches it; remove size",
    ]


def test_a_message_stays_readable():
    """Of many faults the first ones are shown, with how many others there are."""
    text = f"input: {{channels: 3, size: 8}}\nlayers: [{', '.join(f'wrong{i}' for i in range(50))}]"
    lines = faults(text)
    assert len(lines) == MOST_SHOWN + 1
    assert lines[-1] == " and 30 others"
    with pytest.raises(FileError) as caught:
        read(text, file="net.yaml")
    assert len(caught.value.problems) == 50
    assert str(caught.value).splitlines()[-1] == "net.yaml: and 30 others"
    more = ", ".join(f"wrong{i}" for i in range(49, 5000))
    assert faults(text.replace("wrong49", more))[-1] == " and more than 980 others"


def test_a_message_is_lines_of_text():
    """A fault is one line, and no longer than anyone reads."""
    (line,) = faults('input: {channels: 3, size: 8}\nlayers: ["two\\nlines"]')
    assert line.startswith("2:10: layer: unknown layer 'two lines'; known: conv, ")
    (line,) = faults(f"input: {{channels: 3, size: 8}}\nlayers: [add: {{name: {'n' * 1000}, with: b}}]")
    assert len(line) < 650
    assert line.endswith("nnn...")


@pytest.mark.parametrize(
    ("width", "problem"),
    [
        ("half", "width: expected a factor above 0 and up to 1,000 like 0.75, got 'half'"),
        ("1/0", "width: expected a factor above 0 and up to 1,000 like 0.75, got '1/0'"),
        (float("nan"), "width: expected a factor above 0 and up to 1,000 like 0.75, got 'nan'"),
        (0, "width: expected a factor above 0 and up to 1,000 like 0.75, got '0'"),
        ("-1/2", "width: expected a factor above 0 and up to 1,000 like 0.75, got '-1/2'"),
        ("1e9", "width: expected a factor above 0 and up to 1,000 like 0.75, got '1e9'"),
    ],
)
def test_widths_that_are_none(width, problem):
    """A width that is no positive number is refused."""
    with pytest.raises(SepcalcError) as caught:
        network("- relu", width=width)
    assert str(caught.value) == problem


def test_widths_and_sizes_of_plain_lists():
    """A plain list has nothing that a width or a size could change, and says so."""
    assert faults(PLAIN, width="0.5") == [
        "3:1: width needs a network whose shapes are inferred; give the file an input"
    ]
    assert faults(PLAIN, size=8) == ["3:1: size needs a network with an input; give the file an input"]


@pytest.mark.parametrize("size", [0, -8, LARGEST + 1, (8, 0), (8, 8, 8, 8)])
def test_sizes_that_are_none(size):
    """A size from outside is checked like one in the file."""
    (found,) = faults("input: {channels: 3, size: 8}\nlayers: [relu]", size=size)
    assert found.startswith("1:28: input: ")


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> dict[str, tuple[float, str]]:
    """What came of every hostile file, read in a process of its own."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile.write(folder)
    done = subprocess.run(
        [sys.executable, hostile.__file__, str(folder)],
        env=os.environ | {"PYTHONPATH": str(Path(sepcalc.__file__).parent.parent), "PYTHONUTF8": "1"},
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    return {name: (amount, message) for name, amount, message in map(json.loads, done.stdout.splitlines())}


@pytest.mark.slow
@pytest.mark.parametrize("name", hostile.FILES)
def test_hostile_files(measured, name):
    """A file that should be refused is refused with its faults, in under two seconds."""
    seconds, message = measured[name]
    assert not message.startswith("read: ")
    assert seconds < 2
    assert len(message) < 20_000
    assert re.match(r"\d+:(\d+:)? |.* is a binary file; give a YAML file$", message), message


@pytest.mark.slow
def test_hostile_files_take_little_memory(measured):
    """The worst of all hostile files takes less than 500 MB."""
    megabytes, _ = measured[""]
    assert megabytes < 500


TEXTS = st.lists(st.sampled_from(WORDS + SIGNS * 4), max_size=40).map("".join)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bomb as k", "nesting in block style", "billion repeats", "binary", "empty"])
def test_hostile_files_on_the_command_line(tmp_path, name):
    """The program says what is wrong with a hostile file on standard error, in a line, and exits with 2."""
    hostile.write(tmp_path)
    ran = process(f"network '{name}.yaml'", cwd=tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert f"{name}.yaml" in ran.err


def survives(text: str) -> None:
    """Read ``text`` and compute all of it, or be told why not; nothing else may happen."""
    try:
        found = read(text, file="net.yaml")
    except SepcalcError as error:
        assert str(error)  # noqa: PT017 (it must have a message)
    else:
        assert all(cost.params >= 0 <= cost.macs for cost in found.totals().values())
        assert len({each.name for each in found.layers}) == len(found.layers)


@randomly(400)
@given(TEXTS, st.sampled_from(["", "layers:\n", f"{hostile.INPUT}layers:\n- ", "blocks: {cell: {layers: [relu]}}\n"]))
def test_any_text(text, begin):
    """Text made of the language's own words is a network, or a message says why not."""
    survives(begin + text)


SCALARS = st.none() | st.booleans() | st.integers(-3, 20) | st.floats() | st.sampled_from(WORDS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=4), max_leaves=12
)


@randomly(300)
@given(st.lists(st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=3) | VALUES, max_size=4), VALUES, VALUES)
def test_any_values(layers, defaults, args):
    """Any values in the places of layers, defaults and arguments are a network, or a message says why not."""
    document = {
        "input": {"channels": 3, "size": 8},
        "defaults": defaults,
        "blocks": {"cell": {"args": args, "layers": layers}},
        "layers": [{"cell": args}, *layers, "cell"],
    }
    survives(json.dumps(document, default=str))


@randomly(100)
@given(st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-16", "surrogatepass")))
def test_any_bytes(tmp_path_factory, data):
    """A file of any bytes is a network, or a message says why not."""
    path = tmp_path_factory.mktemp("bytes", numbered=True) / "net.yaml"
    path.write_bytes(data)
    with pytest.raises(SepcalcError):
        load(path)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutations())
def test_mutations_of_bundled_networks(text):
    """A bundled file with a few characters, words or lines changed is a network, or a message says why not."""
    survives(text)


@pytest.mark.parametrize("source", ["torchvision.models:resnet50", "net.onnx"])
def test_load_is_for_yaml(source):
    """Asked for code or an ONNX file, load names what opens them."""
    with pytest.raises(SepcalcError) as raised:
        load(source)
    assert str(raised.value) == f"'{source}' is no network in YAML; open_source opens ONNX files and PyTorch code"
