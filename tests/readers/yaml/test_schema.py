"""The JSON Schema of network files, and the page that documents them: both say what the reader does."""

import json
import re
from collections.abc import Iterator
from functools import cache

import jsonschema
import msgspec
import pytest
import yaml
from commands import ROOT, sepcalc
from files import faults, network
from hypothesis import assume, given
from hypothesis import strategies as st
from key_tables import MARKED, PAGE, documented, filled, records
from layer_files import EXAMPLES, LAYER_FAULTS
from network_files import INFERRED, PLAIN, STRUCTURED, mutations
from strategies import randomly

from sepcalc.core import spec
from sepcalc.core.errors import SepcalcError
from sepcalc.core.modules import ACTIVATIONS
from sepcalc.core.variants import all_variants
from sepcalc.readers.yaml import limits, positions
from sepcalc.readers.yaml.decoding import decode, fields
from sepcalc.readers.yaml.layers import LAYER_TYPES
from sepcalc.readers.yaml.reader import bundled, read
from sepcalc.readers.yaml.schema import schema

NETWORKS = {path.stem: path for path in [*bundled().values(), *(ROOT / "tests" / "networks").glob("*.yaml")]}
LAYER_RECORDS = sorted({kind.arguments for kind in LAYER_TYPES.values()}, key=lambda record: record.__name__)


@cache
def validator() -> jsonschema.Draft202012Validator:
    """What checks files by the schema."""
    return jsonschema.Draft202012Validator(schema())


def accepts(document: object) -> bool:
    """Whether the schema has nothing against ``document``."""
    return validator().is_valid(document)


def with_layers(layers: object) -> dict:
    """A document with an input and these layers."""
    return {"input": {"channels": 3, "size": 8}, "layers": layers}


def test_it_is_a_schema():
    """The schema is one itself, of the 2020-12 draft, and plain JSON."""
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema())) == schema()


def test_it_is_printed():
    """``sepcalc schema`` prints it."""
    ran = sepcalc("schema")
    assert (ran.code, ran.err, json.loads(ran.out)) == (0, "", schema())


def test_descriptions_have_no_indent(monkeypatch):
    """Whether msgspec keeps the indent of a docstring or strips it, the schema is the same."""
    expected = schema()

    def indented(*records: object, **options: object) -> tuple[tuple, dict[str, dict]]:
        references, components = msgspec.json.schema_components(*records, **options)
        for component in components.values():
            component["description"] = component["description"].replace("\n", "\n    ")
        return references, components

    monkeypatch.setattr("sepcalc.readers.yaml.schema.schema_components", indented)
    assert schema() == expected


def parts(part: object, path: str = "#") -> Iterator[tuple[str, dict]]:
    """Every mapping in the schema, by where it stands."""
    if isinstance(part, dict):
        yield path, part
        for key, each in part.items():
            yield from parts(each, f"{path}/{key}")
    elif isinstance(part, list):
        for index, each in enumerate(part):
            yield from parts(each, f"{path}/{index}")


def test_references_lead_somewhere():
    """Every reference of the schema is to a part of it, and every definition is needed."""
    found = dict(parts(schema()))
    references = {each["$ref"] for each in found.values() if isinstance(each.get("$ref"), str)}
    assert references <= set(found)
    needed = {each.split("/")[2] for each in references} | {each.split("/")[2] for each in found if each.count("/") > 9}
    assert set(schema()["$defs"]) == needed


def test_every_key_says_what_it_means():
    """Editors can show a meaning for every key and for every word of a layer."""
    definitions = {"": schema()} | schema()["$defs"]
    for name in {"", *records()} - {"FileArguments"}:
        for key, value in definitions[name]["properties"].items():
            assert value.get("description"), f"{name}.{key}"
    words = definitions["word-with-arguments"]["properties"]
    assert {word for word, value in words.items() if value} == set(LAYER_TYPES)
    assert all(words[word]["description"].endswith(".") for word in LAYER_TYPES)


def test_words_that_editors_complete():
    """The words for activations, variants and layers are listed in the schema."""
    text = json.dumps(schema())
    assert all(f'"{word}"' in text for each in all_variants() for word in (each.name, *each.aliases))
    assert all(f'"{word}"' in text for word in ACTIVATIONS)
    alone = schema()["$defs"]["word"]["anyOf"][0]["enum"]
    assert set(alone) == {"flatten", "dropout", "split", "layer_scale", *ACTIVATIONS}
    for word in LAYER_TYPES:
        assert accepts({"layers": [word]}) == (word in alone) == (not faults(f"{{{INPUT}, layers: [{word}]}}"))


def test_layers_inside_are_registered():
    """The keys that the schema takes for layers, or for branches, are those of the layer type."""
    for kind in LAYER_TYPES.values():
        properties = schema()["$defs"][kind.arguments.__name__]["properties"]
        for part, keys in (("layers", kind.bodies), ("branches", kind.branches)):
            assert {key for key, value in properties.items() if f"'#/$defs/{part}'" in str(value)} == set(keys)


INPUT = "input: {channels: 4, size: 8}"


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_valid(name):
    """Every bundled network, and every one of the tests, is valid."""
    validator().validate(yaml.safe_load(NETWORKS[name].read_text("utf-8")))


@pytest.mark.parametrize("text", [PLAIN, INFERRED, STRUCTURED])
def test_the_designs_examples_are_valid(text):
    """The three examples of the design are valid."""
    validator().validate(yaml.safe_load(text))


@pytest.mark.parametrize("word", LAYER_TYPES)
def test_every_word_is_valid(word):
    """An example of each word is valid, with its arguments behind it and side by side."""
    text = EXAMPLES[word][0]
    item = yaml.safe_load(f"[{text}]")[0]
    validator().validate(with_layers([item]))
    kind = LAYER_TYPES[word]
    arguments = item[word] if isinstance(item, dict) else {}
    if not isinstance(arguments, dict):
        arguments = {kind.short: arguments}
    plain = {"type": word, **arguments}
    validator().validate(with_layers([plain]))
    assert not accepts(with_layers([plain | {"unknown": 1}]))
    assert not accepts(with_layers([{word: arguments | {"unknown": 1}}]))
    assert network(f"- identity: {{name: start}}\n- {json.dumps(plain)}", channels=4).layers


VALID = {
    "a plain convolution": [{"c_out": 8, "k": 3}],
    "a block": ["block", {"block": {"w": 3, "act": "relu", "k": [1, 2]}}, {"block": None}, {"type": "block", "w": 3}],
    "an expression": [{"conv": {"c_out": "4*$width", "k": "$k", "bias": "$bias", "stride": ["$s", 1]}}, "$act"],
    "a repetition": [{"conv": {"c_out": 8, "k": 3, "repeat": 3, "first": {"stride": 2}}}],
    "branches": [{"parallel": [[], ["relu"], {"name": [{"conv": {"c_out": 8, "k": 1}}]}]}],
    "a name that is a number": [{"relu": {"name": 3}}, {"add": 3}],
}
INVALID = {
    "an unknown key": [{"conv": {"c_out": 8, "k": 3, "kernel": 3}}],
    "an unknown key of a plain layer": [{"c_out": 8, "k": 3, "kernel": 3}],
    "a missing key": [{"conv": {"c_out": 8}}],
    "a missing key of a plain layer": [{"c_out": 8, "stride": 1}],
    "a wrong type": [{"conv": {"c_out": "many", "k": 3}}],
    "no length": [{"conv": {"c_out": 8, "k": "3x"}}],
    "too many axes": [{"conv": {"c_out": 8, "k": [1, 1, 1, 1]}}],
    "zero": [{"conv": {"c_out": 0, "k": 3}}],
    "a wrong word": [{"conv": {"c_out": 8, "k": 3, "act": "rleu"}}],
    "an unknown variant": [{"conv": {"c_out": 8, "k": 3, "variant": "dsw"}}],
    "an unknown key in first": [{"conv": {"c_out": 8, "k": 3, "first": {"strde": 2}}}],
    "a repetition in first": [{"conv": {"c_out": 8, "k": 3, "first": {"repeat": 2}}}],
    "a list as a layer": [["relu"]],
    "a number as a layer": [3],
    "nothing as a layer": [None, {}],
    "a layer that needs arguments": [{"conv": None}],
    "two words in one layer": [{"conv": {"c_out": 8, "k": 3}, "relu": None}],
    "branches that are none": [{"parallel": ["relu"]}],
    "no branches": [{"parallel": []}],
    "a pooling of two kinds": [{"maxpool": {"k": 3, "out": 7}}],
    "a gap in a residual": [{"residual": {"body": "relu"}}],
    "a wrong shortcut": [{"residual": {"body": [], "shortcut": "atuo"}}],
    "layers handed to a block": [{"block": {"w": ["relu"]}}],
}


@pytest.mark.parametrize("name", VALID)
def test_valid_layers(name):
    """What the language has the schema accepts."""
    validator().validate(with_layers(VALID[name]))


@pytest.mark.parametrize("name", INVALID)
def test_invalid_layers(name):
    """What the language does not have the schema refuses, and so does the reader."""
    assert not accepts(with_layers(INVALID[name]))
    assert faults(json.dumps(with_layers(INVALID[name])))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "a"},
        {"layers": {}},
        {"layers": None},
        {"layers": [], "lyaers": []},
        {"layers": [], "input": {"channels": 0, "size": 8}},
        {"layers": [], "input": {"size": 8}},
        {"layers": [], "input": 3},
        {"layers": [], "defaults": {"nrom": "batch"}},
        {"layers": [], "defaults": {"act": "rleu"}},
        {"layers": [], "blocks": {"conv": {"layers": []}}},
        {"layers": [], "blocks": {"b": {"layer": []}}},
        {"layers": [], "blocks": {"b": {"layers": [], "args": {"two words": 1}}}},
        {"layers": [], "blocks": {"b": {"layers": [], "args": {"c_in": 1}}}},
        {"layers": [], "published": {"source": "a"}},
        {"layers": [], "published": [{"macs": 3}]},
        {"layers": [], "divisor": 0},
        [],
        None,
    ],
    ids=json.dumps,
)
def test_invalid_files(document):
    """What no file may have at its top the schema refuses, and so does the reader."""
    assert not accepts(document)
    assert faults(json.dumps(document))


# Which convolutions need c_out depends on the variant, which the schema leaves to the reader.
SAID_BY_SCHEMA = re.compile(": expected|missing; give (?!a whole number of channels)|unknown key|unknown variant")


@pytest.mark.parametrize("text", [text for text, fault in LAYER_FAULTS.items() if SAID_BY_SCHEMA.search(fault)])
def test_faults_of_words_and_values_are_invalid(text):
    """Wherever the reader expects another value or key, the schema refuses the file."""
    assert not accepts(with_layers(yaml.safe_load(text)))


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 9)
    | st.sampled_from([0.5, 1.5, -0.5, "same", "3x1", "1x0", "global", "none", "all", "batch", "add", "x", "2*$w"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.slow
@pytest.mark.parametrize("record", LAYER_RECORDS, ids=lambda record: record.__name__)
@randomly(60)
@given(data=st.data())
def test_what_the_schema_accepts_the_records_do(record, data):
    """Arguments that the schema accepts, with numbers for its expressions, are arguments of the layer."""
    word = next(word for word, kind in LAYER_TYPES.items() if kind.arguments is record)
    needed = [key for key, each in fields(record).items() if each.required]
    keys = st.sampled_from([key for key in fields(record) if key not in ("first", "body", "branches", "shortcut")])
    arguments = data.draw(st.dictionaries(keys, VALUES, max_size=3))
    for key in needed:
        arguments.setdefault(key, {"body": [], "branches": [[]], "with": "a"}.get(key, 1))
    if "$" not in json.dumps(arguments) and accepts(with_layers([{word: arguments}])):
        assert decode(arguments, record) is not None


@randomly(60)
@given(mutations())
def test_what_is_read_is_valid(text):
    """Whatever the reader makes a network of is valid: the schema is no stricter."""
    try:
        read(text)
        document = positions.parse(text)
    except SepcalcError:
        assume(False)
    validator().validate(document)


def test_tables_of_keys():
    """The page has a table for every record, and each says what the record does."""
    page = PAGE.read_text("utf-8")
    assert sorted(found[1] for found in MARKED.finditer(page)) == sorted(records())
    assert page == filled(page), "python tests/support/key_tables.py rewrites them"


def test_every_word_is_documented():
    """Every word for a layer stands in a heading of the page, and no other word does."""
    assert sorted(documented(PAGE.read_text("utf-8"))) == sorted(LAYER_TYPES)


def test_limits_are_documented():
    """The limits on the page are those of the program."""
    page = PAGE.read_text("utf-8").split("## Limits")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (.*?) \| ([\d,]+(?: MiB)?) \|$", page, re.MULTILINE))
    assert [value.replace(",", "") for value in rows.values()] == [
        f"{positions.LARGEST_FILE // 2**20} MiB",
        *map(
            str,
            (
                positions.DEEPEST,
                positions.MOST_ALIASED,
                positions.MOST_VALUES,
                limits.MOST_LAYERS,
                limits.DEEPEST_LAYERS,
                limits.MOST_USES,
                spec.LARGEST,
            ),
        ),
    ]


BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", BLOCKS, ids=lambda text: text.splitlines()[0])
def test_examples_of_the_page(text):
    """Every example of the page is a network, or the layers of one, and valid; the faulty one is neither."""
    whole = text if "\nlayers:" in text else None
    if text.startswith("# faulty.yaml"):
        assert len(faults(text)) == 4
        assert not accepts(yaml.safe_load(text))
        return
    found = read(whole) if whole else network(text)
    assert found.layers
    validator().validate(yaml.safe_load(whole) if whole else with_layers(yaml.safe_load(text)))
