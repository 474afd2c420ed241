"""YAML as plain values that remember their lines and columns.

Mappings and lists become :class:`Map` and :class:`Seq`, a ``dict`` and a ``list`` that know the place of each entry;
scalars are as ``yaml.safe_load`` reads them. One loop assembles the events of PyYAML's C parser, five times as fast as
its loader, with positions and bounded nesting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sepcalc.core.errors import SepcalcError

DEEPEST = 100
"""Levels of nesting; a network needs a dozen."""

LARGEST_FILE = 128 * 2**20
"""Bytes; a million layers written out take 60 million."""

MOST_VALUES = 10_000_000
"""Values in a file; a million layers of five keys have six million."""

MOST_ALIASED = 1_000_000
"""Values that all aliases of a file may stand for."""

_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that YAML 1.1 forbids."""

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, which an escape like ``"\\x1b"`` puts into a text and a terminal obeys."""

_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9_]*)|[^:]*\.[^:]*")
"""YAML 1.1's plain numbers; 010 (eight), 1:30 (ninety) and 0x1 (one, but as a padding one per axis) stay text."""

_LONGEST_NUMBER = 40  # digits


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Place:
    """A position in a file; both numbers count from 1."""

    line: int
    column: int

    @classmethod
    def of(cls, mark: Any) -> Place:
        """The place of one of PyYAML's marks, which count from 0."""
        return cls(line=mark.line + 1, column=mark.column + 1)


class Map(dict[Any, Any]):
    """A mapping with the mark of its start and of each of its values."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Any) -> None:
        self.mark = mark
        self.marks: dict[Any, Any] = {}

    def place(self, key: object = None) -> Place:
        """Where the value of ``key`` stands, or the mapping itself."""
        return Place.of(self.marks.get(key, self.mark))

    def without(self, key: object) -> Map:
        """The same mapping without ``key``."""
        rest = Map(self.mark)
        rest.update(self)
        rest.pop(key, None)
        rest.marks = self.marks
        return rest


class Seq(list[Any]):
    """A list with the mark of its start and of each of its items."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Any) -> None:
        self.mark = mark
        self.marks: list[Any] = []

    def place(self, index: int | None = None) -> Place:
        """Where the item at ``index`` stands, or the list itself."""
        return Place.of(self.mark if index is None else self.marks[index])


class YamlError(SepcalcError):
    """Text that is not YAML, or that is larger than a network file can be."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.place = place


def read_text(path: Path) -> str:
    """The text of the file at ``path``; raises :class:`SepcalcError` if it cannot be read."""
    try:
        if path.is_dir():
            raise SepcalcError(f"{path} is a folder; name a YAML file in it")
        with path.open("rb") as file:  # a pipe or a device has no size to ask for
            data = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SepcalcError(f"cannot read {path}: {reason.lower()}; check the path") from None
    if len(data) > LARGEST_FILE:
        raise SepcalcError(f"{path} is larger than {LARGEST_FILE:,} bytes; that is no description of a network")
    return _decode(data, path)


def _decode(data: bytes, path: Path) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    if b"\0" in data[:4096] and not wide:
        raise SepcalcError(f"{path} is a binary file; give a YAML file")
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        if wide:
            raise SepcalcError(f"{path} is broken UTF-16; save the file as UTF-8") from None
        line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
        raise SepcalcError(f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None


def parse(text: str) -> Any:
    """One YAML document as :class:`Map`, :class:`Seq` and scalars; raises :class:`YamlError` with the place.

    >>> document = parse("layers: [relu, {conv: 3}]")
    >>> document["layers"].place(1)
    Place(line=1, column=16)
    """
    # One of these characters begins every value but the first; counting them is cheap, so it comes first.
    if sum(map(text.count, "\n,[{")) > MOST_VALUES:
        raise YamlError(f"more than {MOST_VALUES:,} values; write a block with repeat")
    try:
        return _Assembler(text).document()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error, text) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise _unreadable(text) or YamlError(f"not YAML: {' '.join(str(error).split())}") from None


_CURES = {
    "mapping values are not allowed in this context": "put quotes around a text with a colon in it",
    "did not find expected ',' or ']'": "close the bracket that opens in line {line}",
    "did not find expected ',' or '}'": "close the bracket that opens in line {line}",
    "found unexpected end of stream": "close the quote that opens in line {line}",
    "did not find expected key": "check the indentation",
    "did not find expected '-' indicator": "check the indentation",
    "found character that cannot start any token": "put quotes around a text that begins with it",
}
"""A cure for each of the parser's commonest messages."""


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    mark = error.problem_mark or error.context_mark
    begin = error.context_mark or error.problem_mark
    if mark is None or begin is None:
        return YamlError(f"not YAML: {error.problem}; check the syntax")
    if text[mark.index : mark.index + 1] == "\t":
        return _error("not YAML: a tab stands where only spaces can; indent with spaces", mark)
    cure = _CURES.get(str(error.problem), "check the syntax from line {line} on").format(line=begin.line + 1)
    problem = " ".join(filter(None, (error.context, error.problem)))
    return _error(f"not YAML: {problem}; {cure}", mark)


def _unreadable(text: str) -> YamlError | None:
    """An error with the place of the first character that YAML forbids; the parser names no place."""
    found = _UNREADABLE.search(text)
    if found is None:
        return None
    before = text[: found.start()]
    place = Place(line=before.count("\n") + 1, column=found.start() - before.rfind("\n"))
    return YamlError(f"not YAML: the character U+{ord(found[0]):04X} cannot stand in it; remove it", place)


class _Assembler:
    """One pass over the parser's events."""

    def __init__(self, text: str) -> None:
        self.loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self.scalars: dict[tuple[str, bool], Any] = {}
        self.anchors: dict[str, Any] = {}
        self.weights: dict[int, tuple[int, Any]] = {}
        self.aliased = 0
        self.root = Seq(None)
        self.open: list[Map | Seq] = [self.root]
        self.keys: list[Any] = [_MISSING]  # the key that waits for its value in each open mapping

    def document(self) -> Any:
        known, get_event = self.scalars, self.loader.get_event
        build: dict[type[Any], Callable[[Any], Any]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.AliasEvent: self.alias,
            yaml.MappingStartEvent: self.container,
            yaml.SequenceStartEvent: self.container,
        }
        while (kind := type(event := get_event())) is not yaml.StreamEndEvent:
            if kind not in build:
                self.bound(event)
                continue
            value = _MISSING
            if kind is yaml.ScalarEvent and event.tag is None and event.anchor is None:
                value = known.get((event.value, event.implicit[0]), _MISSING)
            if value is _MISSING:
                value = build[kind](event)
            self.attach(value, event.start_mark)
            if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.open.append(value)
                self.keys.append(_MISSING)
        return self.root[0] if self.root else None

    def attach(self, value: Any, mark: Any) -> None:
        parent, key = self.open[-1], self.keys[-1]
        if isinstance(parent, Seq):
            parent.append(value)
            parent.marks.append(mark)
        elif key is not _MISSING:
            parent[key] = value
            parent.marks[key] = mark
            self.keys[-1] = _MISSING
        elif isinstance(value, (dict, list)):
            raise _error("a key must be a word, not a list or a mapping", mark)
        elif value in parent:
            raise _error(f"the key '{value}' stands here and at line {parent.place(value).line}; remove one", mark)
        else:
            self.keys[-1] = value

    def bound(self, event: Any) -> None:
        """Close the mapping or the list that ends here; a second document is an error."""
        if isinstance(event, yaml.CollectionEndEvent):
            self.keys.pop()
            closed = self.open.pop()
            if isinstance(closed, Map) and "<<" in closed:
                _merge(closed)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root:
            raise _error("a second document begins here; give one document per file", event.start_mark)

    def scalar(self, event: Any) -> Any:
        value = self.scalars[event.value, event.implicit[0]] = self.construct(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def construct(self, event: Any) -> Any:
        text, tag, mark = event.value, event.tag, event.start_mark
        if tag is None or tag == "!":
            tag = self.loader.resolve(yaml.ScalarNode, text, event.implicit)
        elif tag != f"{_TAG}str":
            raise _tag_error(event)
        if found := _INVISIBLE.search(text):
            raise _error(f"the control character U+{ord(found[0]):04X} stands in a text; remove it", mark)
        if tag in _TEXTS or (tag in _NUMBERS and not _NUMBER.fullmatch(text)):
            return text
        if tag in _NUMBERS and len(text) > _LONGEST_NUMBER:
            start = text[:_LONGEST_NUMBER]
            raise _error(f"{start}... is too large a number; put quotes around it if it is a text", mark)
        if tag == _NUMBERS[0] and text.isdecimal():
            return int(text)
        return self.loader.construct_object(yaml.ScalarNode(tag, text, mark))

    def container(self, event: Any) -> Map | Seq:
        mark = event.start_mark
        if len(self.open) > DEEPEST:
            raise _error(f"more than {DEEPEST} levels of nesting; write parts of it as blocks", mark)
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", f"{_TAG}{'map' if mapping else 'seq'}"):
            raise _tag_error(event)
        value = Map(mark) if mapping else Seq(mark)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def alias(self, event: Any) -> Any:
        name, mark = event.anchor, event.start_mark
        if name not in self.anchors:
            raise _error(f"*{name} names nothing; write &{name} at an earlier value", mark)
        value = self.anchors[name]
        if any(value is parent for parent in self.open):
            raise _error(f"*{name} stands inside &{name}, so it contains itself; write it elsewhere", mark)
        self.aliased += self.weight(value)
        if self.aliased > MOST_ALIASED:
            raise _error(f"aliases stand for more than {MOST_ALIASED:,} values; write a block with repeat", mark)
        return value

    def weight(self, value: Any) -> int:
        """The number of values in ``value``; an aliased value counts at each alias."""
        if not isinstance(value, (Map, Seq)):
            return 1
        if id(value) not in self.weights:
            parts = value.values() if isinstance(value, Map) else value
            self.weights[id(value)] = 1 + sum(map(self.weight, parts)), value
        return self.weights[id(value)][0]


_MISSING: Any = object()

_TAG = "tag:yaml.org,2002:"

_NUMBERS = (f"{_TAG}int", f"{_TAG}float")

_TEXTS = frozenset(f"{_TAG}{kind}" for kind in ("str", "merge", "value", "timestamp"))
"""Tags of scalars that stay text: words, ``<<``, ``=`` and dates."""


def _error(message: str, mark: Any) -> YamlError:
    return YamlError(message, Place.of(mark))


def _tag_error(event: Any) -> YamlError:
    return _error(f"the tag {event.tag.replace(_TAG, '!!')} is not allowed here; remove it", event.start_mark)


def _merge(mapping: Map) -> None:
    """Carry out ``<<: *base``: add the entries of the base that the mapping does not have itself."""
    mark = mapping.marks.pop("<<")
    bases = mapping.pop("<<")
    for base in bases if isinstance(bases, Seq) else [bases]:
        if not isinstance(base, Map):
            raise _error("<< takes a mapping, or a list of mappings; write <<: *name", mark)
        for key, value in base.items():
            if key not in mapping:
                mapping[key] = value
                mapping.marks[key] = base.marks[key]
