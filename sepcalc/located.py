"""YAML as plain values that remember where they stood.

Mappings and lists come back as :class:`Map` and :class:`Seq`, a ``dict`` and a ``list`` that also know
the line and column of each entry. Scalars are what ``yaml.safe_load`` makes of them. The events
of PyYAML's C parser are assembled here, in one loop without recursion: that is five times as fast as its
loader, keeps the positions, and bounds the nesting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sepcalc.errors import SepcalcError

DEEPEST = 100
"""Levels of nesting; a network needs a dozen."""

LARGEST_FILE = 256 * 2**20
"""Bytes; a million layers written out take 60 million."""


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
    """The text of the file at ``path``.

    Raises :class:`SepcalcError` where there is no such file, or where it is no text.
    """
    try:
        if path.is_dir():
            raise SepcalcError(f"{path} is a folder; name a YAML file in it")
        if path.stat().st_size > LARGEST_FILE:
            raise SepcalcError(f"{path} is larger than {LARGEST_FILE:,} bytes; that is no description of a network")
        data = path.read_bytes()
    except OSError as error:
        raise SepcalcError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    return _decode(data, path)


def _decode(data: bytes, path: Path) -> str:
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SepcalcError(f"{path} is a binary file; give a YAML file")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SepcalcError(
            f"{path}:{line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def parse(text: str) -> Any:
    """Read one YAML document into :class:`Map`, :class:`Seq` and scalars.

    Raises :class:`YamlError` with the place of the fault.

    >>> document = parse("layers: [relu, {conv: 3}]")
    >>> document["layers"].place(1)
    Place(line=1, column=16)
    """
    try:
        return _Assembler(text).document()
    except yaml.MarkedYAMLError as error:
        what = " ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"not YAML: {what}", Place.of(mark) if mark else None) from None
    except yaml.YAMLError as error:
        raise YamlError(f"not YAML: {' '.join(str(error).split())}") from None


class _Assembler:
    """One pass over the parser's events."""

    def __init__(self, text: str) -> None:
        self.loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self.scalars: dict[tuple[str, bool], Any] = {}
        self.anchors: dict[str, Any] = {}
        self.open: list[Map | Seq] = []
        self.keys: list[Any] = []  # the key that waits for its value in each open mapping

    def events(self) -> Iterator[Any]:
        documents = 0
        while True:
            event = self.loader.get_event()
            kind = type(event)
            if kind is yaml.StreamEndEvent:
                return
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise YamlError(
                        "a second document begins here; give one document per file", Place.of(event.start_mark)
                    )
            elif kind is not yaml.StreamStartEvent and kind is not yaml.DocumentEndEvent:
                yield event

    def document(self) -> Any:
        root: Any = None
        for event in self.events():
            kind = type(event)
            if kind is yaml.ScalarEvent:
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
        tag = event.tag
        if tag is None or tag == "!":
            tag = self.loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag in _PLAIN_WORDS:
            return event.value
        try:
            return self.loader.construct_object(yaml.ScalarNode(tag, event.value, event.start_mark))
        except (ValueError, OverflowError):
            shown = event.value if len(event.value) < 40 else event.value[:37] + "..."
            raise YamlError(f"{shown} is no number that can be read", Place.of(event.start_mark)) from None

    def container(self, event: Any) -> Map | Seq:
        place = event.start_mark
        if len(self.open) >= DEEPEST:
            raise YamlError(f"more than {DEEPEST} levels of nesting; write parts of it as blocks", Place.of(place))
        mapping = type(event) is yaml.MappingStartEvent
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{'map' if mapping else 'seq'}"):
            raise YamlError(f"the tag {event.tag} is not allowed here; remove it", Place.of(place))
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
            raise YamlError(f"*{name} stands inside &{name}, so it contains itself", Place.of(event.start_mark))
        return value


_NO_KEY = object()

_PLAIN_WORDS = ("tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")
"""What YAML 1.1 makes of ``<<`` and ``=``: no values of their own."""


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
            raise YamlError("<< takes a mapping, or a list of mappings", Place.of(mark))
        for key, value in base.items():
            if key not in mapping:
                mapping[key] = value
                mapping.marks[key] = base.marks[key]
