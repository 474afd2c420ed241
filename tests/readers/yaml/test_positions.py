"""YAML with places: the same values as PyYAML's own loader, where each stood, and what is refused."""

import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc.core.errors import SepcalcError
from sepcalc.readers.yaml import positions
from sepcalc.readers.yaml.positions import DEEPEST, Map, Place, Seq, YamlError, parse, read_text

NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False)
WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=8).filter(
    lambda text: text != "<<"
)
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)


def complaint(text: str) -> str:
    """What is wrong with ``text``, behind its line and column."""
    with pytest.raises(YamlError) as caught:
        parse(text)
    place = caught.value.place
    return f"{place.line}:{place.column}: {caught.value}" if place else str(caught.value)


@randomly(150)
@given(DOCUMENTS, st.booleans())
def test_values_are_those_of_pyyaml(document, flow):
    """Any document that PyYAML writes, in block or in flow style, is read as PyYAML's safe loader reads it."""
    text = yaml.safe_dump(document, default_flow_style=flow, allow_unicode=True, width=10_000)
    assert parse(text) == yaml.safe_load(text) == document


@randomly(100)
@given(st.dictionaries(WORDS, st.integers(1, 99), min_size=1), st.integers(0, 3))
def test_places_are_where_values_begin(mapping, blank):
    """The place of each value is the line and column at which its text begins."""
    text = "\n" * blank + json.dumps(mapping, ensure_ascii=False, indent=blank)
    lines, found = text.split("\n"), parse(text)
    assert found == mapping
    for key, value in mapping.items():
        place = found.place(key)
        assert lines[place.line - 1][place.column - 1 :].startswith(str(value))


def test_places_of_layers():
    """A mapping knows where it begins and where each value stands, a list where each item does."""
    document = parse("name: net\nlayers:\n  - relu\n  - conv: {k: 3,\n           c_out: 4}\n")
    layers = document["layers"]
    assert isinstance(document, Map)
    assert isinstance(layers, Seq)
    assert document.place() == Place(line=1, column=1)
    assert document.place("layers") == layers.place() == Place(line=3, column=3)
    assert layers.place(1) == Place(line=4, column=5)
    assert layers[1]["conv"].place("c_out") == Place(line=5, column=19)
    assert layers[1]["conv"].place("nowhere") == layers[1]["conv"].place() == Place(line=4, column=11)


def test_without_keeps_places():
    """A mapping without one of its keys keeps the others and their places, and the first is as it was."""
    whole = parse("{a: 1, b: 2}")
    rest = whole.without("a")
    assert (rest, whole) == ({"b": 2}, {"a": 1, "b": 2})
    assert rest.place("b") == whole.place("b")


@pytest.mark.parametrize("text", ["", "# nothing but a comment\n", "---\n", "---\n...\n", "~", "null"])
def test_nothing(text):
    """A file without a value is null, as YAML has it."""
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("+3", 3),
        ("-3", -3),
        ("1_000", 1000),
        ("0x1", "0x1"),
        ("0b1", "0b1"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.0e+3", 1000.0),
        ("-.inf", float("-inf")),
        ("true", True),
        ("No", False),
        ("on", True),
        ("", None),
        ("1x1", "1x1"),
        ("'3'", "3"),
        ("!!str 3", "3"),
        ("! relu", "relu"),
        ("1e5", "1e5"),
        ("010", "010"),
        ("1:30", "1:30"),
        ("1:30.5", "1:30.5"),
        ("2026-11-20", "2026-11-20"),
        ("2026-99-99", "2026-99-99"),
        ("=", "="),
        ('"a\\tb\\nc"', "a\tb\nc"),
    ],
)
def test_scalars(text, value):
    """Scalars are what YAML makes of them, but for numbers and dates that would surprise: those stay text."""
    (found,) = parse(f"[{text}]") if text else parse("-")
    assert (found, type(found)) == (value, type(value))


def test_windows_lines():
    """Line ends of Windows and of old Macs change neither values nor lines."""
    for end in ("\r\n", "\r"):
        found = parse(f"a: 1{end}b:{end}  - c{end}")
        assert found == {"a": 1, "b": ["c"]}
        assert found.place("b") == Place(line=3, column=3)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("- &a {k: 3}\n- <<: *a\n  c: 4", {"k": 3, "c": 4}),
        ("- &a {k: 3}\n- {<<: *a, k: 5}", {"k": 5}),
        ("- &a {k: 3}\n- {k: 5, <<: *a}", {"k": 5}),
        ("- &a {k: 3}\n- <<: [*a, {k: 1, d: 2}]", {"k": 3, "d": 2}),
        ("- {k: 3}\n- <<: {<<: {k: 1}, d: 2}", {"k": 1, "d": 2}),
    ],
)
def test_merge_keys(text, value):
    """``<<`` brings in what the mapping does not have itself, the first base before the others, as in PyYAML."""
    assert parse(text)[1] == value == yaml.safe_load(text)[1]


def test_merged_places():
    """A merged value stands where it was written."""
    assert parse("- &a {k: 3}\n- <<: *a")[1].place("k") == Place(line=1, column=10)


def test_aliases_of_scalars():
    """A scalar with an anchor is the scalar, each time that it stands there."""
    assert parse("[&a relu, &b relu, *a, *b, &a 3, *a]") == ["relu", "relu", "relu", "relu", 3, 3]


def test_text_that_cannot_be_encoded():
    """A complaint about no character that can be named is still one sentence."""
    assert positions._unreadable("a: b") is None


def test_aliases_are_the_value_itself():
    """An alias is the anchored value, the last one of that name."""
    first, again, other, last = parse("[&a [1], *a, &a [2], *a]")
    assert again is first
    assert last is other


COMPLAINTS = {
    "a: b: c": (
        "1:5: not YAML: mapping values are not allowed in this context; put quotes around a text with a colon in it"
    ),
    "a: [b\nc: d": (
        "2:2: not YAML: while parsing a flow sequence did not find expected ',' or ']'; "
        "close the bracket that opens in line 1"
    ),
    "\n{a: b\nc": (
        "4:1: not YAML: while parsing a flow mapping did not find expected ',' or '}'; "
        "close the bracket that opens in line 2"
    ),
    "a:\n- 'b": (
        "2:5: not YAML: while scanning a quoted scalar found unexpected end of stream; "
        "close the quote that opens in line 2"
    ),
    "a:\n  - b\n - c": "3:2: not YAML: while parsing a block mapping did not find expected key; check the indentation",
    "- a\nb: c": (
        "2:1: not YAML: while parsing a block collection did not find expected '-' indicator; check the indentation"
    ),
    "a:\n\t- b": "2:1: not YAML: a tab stands where only spaces can; indent with spaces",
    "a: @b": (
        "1:4: not YAML: while scanning for the next token found character that cannot start any token; "
        "put quotes around a text that begins with it"
    ),
    'a:\n  "\\q"': (
        "2:4: not YAML: while parsing a quoted scalar found unknown escape character; check the syntax from line 2 on"
    ),
    "%YAML 9.9\n---\na": "1:1: not YAML: found incompatible YAML document; check the syntax from line 1 on",
    "a: b\nc: d\0": "2:5: not YAML: the character U+0000 cannot stand in it; remove it",
    "\x07": "1:1: not YAML: the character U+0007 cannot stand in it; remove it",
    "a: \ud800": "1:4: not YAML: the character U+D800 cannot stand in it; remove it",
    'a: "\\x1b[31m"': "1:4: the control character U+001B stands in a text; remove it",
    'a: "\\u202e"': "1:4: the control character U+202E stands in a text; remove it",
    "a: *b": "1:4: *b names nothing; write &b at an earlier value",
    "a: &b [*b]": "1:8: *b stands inside &b, so it contains itself; write it elsewhere",
    "a: &b {c: {d: *b}}": "1:15: *b stands inside &b, so it contains itself; write it elsewhere",
    "a: 1\nb: 2\na: 3": "3:1: the key 'a' stands here and at line 1; remove one",
    "[a]: 3": "1:1: a key must be a word, not a list or a mapping",
    "? {a: b}\n: 3": "1:3: a key must be a word, not a list or a mapping",
    "<<: 3": "1:5: << takes a mapping, or a list of mappings; write <<: *name",
    "<<: [{a: 1}, 3]": "1:5: << takes a mapping, or a list of mappings; write <<: *name",
    "a: 1\n---\nb: 2": "2:1: a second document begins here; give one document per file",
    "a: !!python/object/new:os.system [b]": "1:4: the tag !!python/object/new:os.system is not allowed here; remove it",
    "a: !!python/name:os.system x": "1:4: the tag !!python/name:os.system is not allowed here; remove it",
    "a: !!int 3": "1:4: the tag !!int is not allowed here; remove it",
    "a: !!set {b, c}": "1:4: the tag !!set is not allowed here; remove it",
    "a: !mine b": "1:4: the tag !mine is not allowed here; remove it",
    "a: " + "9" * 41: f"1:4: {'9' * 40}... is too large a number; put quotes around it if it is a text",
    "a: " + "9" * 5000: f"1:4: {'9' * 40}... is too large a number; put quotes around it if it is a text",
    "[" * (DEEPEST + 1): f"1:{DEEPEST + 1}: more than {DEEPEST} levels of nesting; write parts of it as blocks",
    "- " * (DEEPEST + 1): f"1:{2 * DEEPEST + 1}: more than {DEEPEST} levels of nesting; write parts of it as blocks",
}


@pytest.mark.parametrize("text", COMPLAINTS, ids=lambda text: repr(text[:20]))
def test_complaints(text):
    """What is no YAML, or more than data, is refused with its place and a cure."""
    assert complaint(text) == COMPLAINTS[text]


def test_complaint_without_a_place(monkeypatch):
    """A complaint of the parser that names no place is still one sentence."""

    def fails(_):
        raise yaml.MarkedYAMLError(problem="found something")

    monkeypatch.setattr(positions._Assembler, "document", fails)
    assert complaint("a") == "not YAML: found something; check the syntax"


def test_aliases_of_aliases_are_counted(monkeypatch):
    """Aliases may stand for so many values together and not for one more."""
    monkeypatch.setattr(positions, "MOST_ALIASED", 12)
    assert parse("- &a [1, {b: 2}]\n- [*a, *a, *a]")[1][2] == [1, {"b": 2}]
    assert complaint("- &a [1, {b: 2}]\n- [*a, *a, *a, *a]") == (
        "2:16: aliases stand for more than 12 values; write a block with repeat"
    )
    assert complaint("- &a [1, 2]\n- &b [*a, *a]\n- *b") == (
        "3:3: aliases stand for more than 12 values; write a block with repeat"
    )


def test_values_are_counted(monkeypatch):
    """More values than any network has are refused before the parser sees them."""
    monkeypatch.setattr(positions, "MOST_VALUES", 5)
    assert parse("[1, 2, 3, 4, 5]") == [1, 2, 3, 4, 5]
    assert complaint("[1, 2, 3, 4, 5, 6]") == "more than 5 values; write a block with repeat"


def fault(path: Path) -> str:
    """What is wrong with the file at ``path``."""
    with pytest.raises(SepcalcError) as caught:
        read_text(path)
    return str(caught.value)


def written(folder: Path, data: bytes) -> Path:
    """A file of ``data`` in ``folder``."""
    path = folder / "net.yaml"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path, encoding):
    """UTF-8 with and without a byte order mark is read, and UTF-16 with one."""
    assert read_text(written(tmp_path, "name: Größe ×".encode(encoding))) == "name: Größe ×"


def test_files_that_are_no_text(tmp_path):
    """Another encoding, broken text and a binary file are named, with the line where there is one."""
    path = written(tmp_path, "a: b\nname: Größe".encode("latin-1"))
    assert fault(path) == f"{path}:2: byte 0xf6 is not UTF-8; save the file as UTF-8"
    written(tmp_path, "name: x".encode("utf-16") + b"!")
    assert fault(path) == f"{path} is broken UTF-16; save the file as UTF-8"
    for binary in (b"PK\3\4\0\0", b"\x08\0onnx", b"\xff\xd8\xff\xe0\0\x10JFIF\0", bytes(100)):
        written(tmp_path, binary)
        assert fault(path) == f"{path} is a binary file; give a YAML file"


def test_files_that_cannot_be_read(tmp_path):
    """A folder and a missing file are named, and so is a path that goes through a file."""
    assert fault(tmp_path) == f"{tmp_path} is a folder; name a YAML file in it"
    missing = tmp_path / "none.yaml"
    assert fault(missing) == f"cannot read {missing}: no such file or directory; check the path"
    inside = written(tmp_path, b"a") / "net.yaml"
    assert fault(inside) == f"cannot read {inside}: not a directory; check the path"
    long = tmp_path / ("n" * 300)
    assert fault(long) == f"cannot read {long}: file name too long; check the path"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_unreadable_file(tmp_path, monkeypatch):
    """A file without permission to read is named with the reason."""
    path = written(tmp_path, b"a: b")
    path.chmod(0)
    if os.geteuid() == 0:  # nothing is unreadable to root

        def denied(*_):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", denied)
    assert fault(path) == f"cannot read {path}: permission denied; check the path"


def test_large_files(tmp_path, monkeypatch):
    """A file above the limit is refused, and so is a device without an end."""
    monkeypatch.setattr(positions, "LARGEST_FILE", 10)
    assert read_text(written(tmp_path, b"0123456789")) == "0123456789"
    path = written(tmp_path, b"0123456789a")
    assert fault(path) == f"{path} is larger than 10 bytes; that is no description of a network"
    assert fault(Path("/dev/zero")) == "/dev/zero is larger than 10 bytes; that is no description of a network"
