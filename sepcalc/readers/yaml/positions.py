"""YAML as plain values that remember their lines and columns.

Mappings and lists become :class:`Map` and :class:`Seq`, a ``dict`` and a ``list`` that know the place of each entry;
scalars are those of ``yaml.safe_load``. The events of PyYAML's C parser are assembled in one loop without recursion:
five times as fast as its loader, with positions and bounded nesting.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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
"""Control characters, which an escape like ``"\\x1b"`` can bring in: what is printed should be what was meant."""

_NUMBER = re.compile(r"[-+]?(0|[1-9][0-9_]*)|[^:]*\.[^:]*")
"""Of YAML 1.1's numbers those that mean here what they look like.

010 (eight), 1:30 (ninety) and 0x1 (one, but as a padding one per axis) stay text.
"""

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
        rest.update((other, value) for other, value in self.items() if other != key)
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
    """Text that is no YAML, or more of it than a description of a network can need."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.place = place


def read_text(path: Path) -> str:
    """The text of the file at ``path``; raises :class:`SepcalcError` where there is none."""
    try:
        if path.is_dir():
            raise SepcalcError(f"{path} is a folder; name a YAML file in it")
        with path.open("rb") as file:  # a pipe or a device tells its size to nobody
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
        line = data.count(b"\n", 0, error.start) + 1
        raise SepcalcError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def parse(text: str) -> Any:
    """One YAML document as :class:`Map`, :class:`Seq` and scalars; raises :class:`YamlError` with the place.

    >>> document = parse("layers: [relu, {conv: 3}]")
    >>> document["layers"].place(1)
    Place(line=1, column=16)
    """
    # Whatever begins a value but the first of all; looking at the text for it is cheap, and so comes first.
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
"""What to do about the commonest of the parser's complaints."""


def _syntax_error(error: yaml.MarkedYAMLError, text: str) -> YamlError:
    """The parser's complaint with a cure."""
    mark = error.problem_mark or error.context_mark
    begin = error.context_mark or error.problem_mark
    if mark is None or begin is None:
        return YamlError(f"not YAML: {error.problem}; check the syntax")
    if text[mark.index : mark.index + 1] == "\t":
        return YamlError("not YAML: a tab stands where only spaces can; indent with spaces", Place.of(mark))
    cure = _CURES.get(str(error.problem), "check the syntax from line {line} on").format(line=begin.line + 1)
    what = " ".join(part for part in (error.context, error.problem) if part)
    return YamlError(f"not YAML: {what}; {cure}", Place.of(mark))


def _unreadable(text: str) -> YamlError | None:
    """The first character of ``text`` that YAML forbids, where the parser says no more than that there is one."""
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
        self.open: list[Map | Seq] = []
        self.keys: list[Any] = []  # the key that waits for its value in each open mapping

    def events(self) -> Iterator[Any]:
        documents = 0
        get_event = self.loader.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind not in _AROUND:
                yield event
            elif kind is yaml.StreamEndEvent:
                return
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise YamlError(
                        "a second document begins here; give one document per file", Place.of(event.start_mark)
                    )

    def document(self) -> Any:
        root: Any = None
        known, scalar, nothing = self.scalars, yaml.ScalarEvent, object()
        for event in self.events():
            kind = type(event)
            value: Any
            if kind is scalar:
                plain = event.tag is None and event.anchor is None
                value = known.get((event.value, event.implicit[0]), nothing) if plain else nothing
                if value is nothing:
                    value = self.scalar(event)
            elif kind is yaml.AliasEvent:
                value = self.alias(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                value = self.container(event)
            else:
                self.close()
                continue
            if self.open:
                self.attach(value, event.start_mark)
            else:
                root = value
            if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                self.open.append(value)
                self.keys.append(_NO_KEY)
        return root

    def attach(self, value: Any, mark: Any) -> None:
        parent = self.open[-1]
        if isinstance(parent, Seq):
            parent.append(value)
            parent.marks.append(mark)
        elif (key := self.keys[-1]) is _NO_KEY:
            self.keys[-1] = _checked_key(parent, value, mark)
        else:
            parent[key] = value
            parent.marks[key] = mark
            self.keys[-1] = _NO_KEY

    def close(self) -> None:
        closed = self.open.pop()
        self.keys.pop()
        if type(closed) is Map and "<<" in closed:
            _merge(closed)

    def scalar(self, event: Any) -> Any:
        plain = event.implicit[0]
        known = (event.value, plain)
        if event.tag is None and known in self.scalars:
            value = self.scalars[known]
        else:
            value = self.scalars[known] = self.construct(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def construct(self, event: Any) -> Any:
        text, tag, place = event.value, event.tag, event.start_mark
        if tag is None or tag == "!":
            tag = self.loader.resolve(yaml.ScalarNode, text, event.implicit)
        elif tag != f"{_TAG}str":
            raise YamlError(f"the tag {tag.replace(_TAG, '!!')} is not allowed here; remove it", Place.of(place))
        if found := _INVISIBLE.search(text):
            raise YamlError(f"the control character U+{ord(found[0]):04X} stands in a text; remove it", Place.of(place))
        if tag in _TEXTS or (tag in _NUMBERS and not _NUMBER.fullmatch(text)):
            return text
        if tag in _NUMBERS and len(text) > _LONGEST_NUMBER:
            start = text[:_LONGEST_NUMBER]
            raise YamlError(f"{start}... is too large a number; put quotes around it if it is a text", Place.of(place))
        if tag == _NUMBERS[0] and text.isdecimal():
            return int(text)
        return self.loader.construct_object(yaml.ScalarNode(tag, text, place))

    def container(self, event: Any) -> Map | Seq:
        place = event.start_mark
        if len(self.open) >= DEEPEST:
            raise YamlError(f"more than {DEEPEST} levels of nesting; write parts of it as blocks", Place.of(place))
        mapping = type(event) is yaml.MappingStartEvent
        if event.tag not in (None, "!", f"{_TAG}{'map' if mapping else 'seq'}"):
            raise YamlError(f"the tag {event.tag.replace(_TAG, '!!')} is not allowed here; remove it", Place.of(place))
        value = Map(place) if mapping else Seq(place)
        if event.anchor is not None:
            self.anchors[event.anchor] = value
        return value

    def alias(self, event: Any) -> Any:
        name = event.anchor
        if name not in self.anchors:
            raise YamlError(f"*{name} names nothing; write &{name} at an earlier value", Place.of(event.start_mark))
        value = self.anchors[name]
        if any(value is each for each in self.open):
            raise YamlError(
                f"*{name} stands inside &{name}, so it contains itself; write it elsewhere", Place.of(event.start_mark)
            )
        self.aliased += self.weight(value)
        if self.aliased > MOST_ALIASED:
            raise YamlError(
                f"aliases stand for more than {MOST_ALIASED:,} values; write a block with repeat",
                Place.of(event.start_mark),
            )
        return value

    def weight(self, value: Any) -> int:
        """How many values there are in ``value``, those that it holds through aliases counted each time."""
        if not isinstance(value, (Map, Seq)):
            return 1
        if id(value) not in self.weights:
            parts = value.values() if isinstance(value, Map) else value
            self.weights[id(value)] = 1 + sum(map(self.weight, parts)), value
        return self.weights[id(value)][0]


_NO_KEY = object()

_AROUND = frozenset({yaml.StreamStartEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent, yaml.StreamEndEvent})
"""Events around a document."""

_TAG = "tag:yaml.org,2002:"

_NUMBERS = (f"{_TAG}int", f"{_TAG}float")

_TEXTS = frozenset(f"{_TAG}{kind}" for kind in ("str", "merge", "value", "timestamp"))
"""What stays as it is written: texts, ``<<`` and ``=``, and dates, of which a network has none."""


def _checked_key(parent: Map, key: Any, mark: Any) -> Any:
    if isinstance(key, (dict, list)):
        raise YamlError("a key must be a word, not a list or a mapping", Place.of(mark))
    if key in parent:
        first = parent.place(key)
        raise YamlError(f"the key '{key}' stands here and at line {first.line}; remove one", Place.of(mark))
    return key


def _merge(mapping: Map) -> None:
    """Carry out ``<<: *base``: entries of the base that the mapping does not have itself."""
    mark = mapping.marks.pop("<<")
    bases = mapping.pop("<<")
    for base in bases if isinstance(bases, Seq) else [bases]:
        if not isinstance(base, Map):
            raise YamlError("<< takes a mapping, or a list of mappings; write <<: *name", Place.of(mark))
        for key, value in base.items():
            if key not in mapping:
                mapping[key] = value
                mapping.marks[key] = base.marks[key]
