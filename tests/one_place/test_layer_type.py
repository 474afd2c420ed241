"""A layer type is one place to touch: a record and a function, and everything else knows it."""

from json import loads
from typing import Annotated
from unittest.mock import patch

import frameworks  # noqa: F401 (torch with one thread)
import jsonschema
import pytest
from commands import sepcalc
from files import layer_faults, network
from key_tables import PAGE, documented, filled
from torch import nn

from sepcalc import Call, Common, Whole, build_network, layer_type, parameter_count, read
from sepcalc.builders.torch_network import example
from sepcalc.readers.yaml.arguments import Body, says
from sepcalc.readers.yaml.layers import LAYER_TYPES
from sepcalc.readers.yaml.writer import to_yaml


class SlopesArguments(Common, kw_only=True):
    """Layers, and behind them a slope for each group of channels."""

    body: Annotated[Body, says("the layers before the slopes")]
    groups: Annotated[Whole, says("how many slopes there are")] = 1


@pytest.fixture(autouse=True)
def _slopes():
    """The layer type, for one test."""
    with patch.dict(LAYER_TYPES):

        @layer_type("slopes", arguments=SlopesArguments, short="body", bodies=("body",))
        def slopes(scope, args, word):
            """A slope for each group of channels."""
            scope.run(args.body)
            reads = scope.reached(args)
            module = Call(name="PReLU", args=(args.groups,))
            scope.operator(args, word, reads, reads, params=args.groups, module=module)

        yield


LAYERS = "- slopes: {groups: 4, body: [conv: {c_out: 4, k: 1}]}"


def test_the_reader():
    """The reader takes its arguments, in full and in short, and its layers count."""
    found = network(LAYERS)
    assert [(layer.name, layer.output.shape) for layer in found.layers] == [
        ("conv1", (4, 32, 32)), ("slopes1", (4, 32, 32)),
    ]  # fmt: skip
    assert (found.cost.params, found.cost.macs) == (3 * 4 + 4, 3 * 4 * 32 * 32)
    assert network("- slopes: [relu]").cost.params == 1


@pytest.mark.parametrize(
    ("layers", "fault"),
    [
        ("- slope: [relu]", "1:3: layer: unknown layer 'slope'; did you mean 'slopes'?"),
        ("- slopes: {body: [], gruops: 2}", "1:30: slopes: unknown key 'gruops'; did you mean 'groups'?"),
        (
            "- slopes: {body: [], groups: 0}",
            "1:30: slopes: groups: expected a whole number from 1 to 1,000,000,000, got 0",
        ),
        ("- slopes: {groups: 2}", "1:3: slopes: body is missing; give a list of layers"),
        ("- slopes: [rleu]", "1:12: layer: unknown layer 'rleu'; did you mean 'relu'?"),
        (
            "- slopes: [relu: {repeat: 1000001}]",
            "1:3: layers: more than 1,000,000 layers after expansion; check repeat, blocks and aliases",
        ),
    ],
)
def test_faults(layers, fault):
    """A wrong word, wrong arguments and wrong layers inside are found, and too many layers before any is built."""
    assert layer_faults(layers) == [fault]


def test_the_schema():
    """The printed JSON Schema has the word, its keys and the layers inside."""
    schema = loads(sepcalc("schema").out)
    assert schema["$defs"]["word-with-arguments"]["properties"]["slopes"]["description"] == (
        "A slope for each group of channels."
    )
    assert schema["$defs"]["SlopesArguments"]["properties"]["body"]["$ref"] == "#/$defs/layers"
    checker = jsonschema.Draft202012Validator(schema)
    right = [[{"slopes": ["relu"]}], [{"slopes": {"body": ["relu"], "groups": "$g"}}], [{"type": "slopes", "body": []}]]
    wrong = [["slopes"], [{"slopes": {"body": [], "groups": 0}}], [{"slopes": {"body": [3]}}], [{"slopes": "$body"}]]
    assert [checker.is_valid({"layers": layers}) for layers in (*right, *wrong)] == [True] * 3 + [False] * 4


def test_the_writer():
    """The written file gives the same layers, at the same cost."""
    found = network(LAYERS)
    again = read(to_yaml(found))
    assert [layer.name for layer in again.layers] == ["conv1", "slopes1"]
    assert again.cost == found.cost


def test_the_module():
    """Its module runs, and has its shape and its parameters."""
    found = network(LAYERS)
    module = build_network(found)
    assert any(isinstance(part, nn.PReLU) for part in module.modules())
    assert parameter_count(module) == found.cost.params
    assert module(example(found)).shape == (1, 4, 32, 32)


def test_the_commands(tmp_path):
    """The command line counts it, and lists it as a layer."""
    path = tmp_path / "net.yaml"
    path.write_text(f"input: {{channels: 3, size: 32}}\nlayers:\n{LAYERS}\n", "utf-8")
    ran = sepcalc(f"network {path} --format json")
    rows = loads(ran.out)["layers"]
    assert ran.code == 0
    assert [(row["name"], row["params"]) for row in rows] == [("conv1", 12), ("slopes1", 4)]


def test_the_page():
    """The page of the language gets a section with its keys."""
    before = PAGE.read_text("utf-8")
    page = filled(before)
    assert set(documented(page)) - set(documented(before)) == {"slopes"}
    section = page.split("### `slopes`")[1].split("\n## ")[0]
    assert "A slope for each group of channels." in section
    assert "| `groups` | a whole number from 1 to 1,000,000,000 | `1` | how many slopes there are |" in section
    assert filled(page) == page
