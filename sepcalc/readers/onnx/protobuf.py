"""An ONNX file without its weights: read as the bytes of a protobuf, before anything is built from them.

A count needs the shapes of weights and none of their values, but a parser would load every value, and shape inference
would copy it twice. So the file is mapped, and the numbers of large tensors are left out: a gigabyte of weights costs
nothing. Small tensors stay whole: Reshape reads shapes from them. Field numbers are those of ``onnx.proto``.
"""

from __future__ import annotations

from pathlib import Path

from sepcalc.core.errors import SepcalcError

LARGEST_VALUES = 2**14
"""Bytes of a tensor that keeps its numbers."""

LARGEST_GRAPH = 64 * 2**20
"""Bytes of everything but weights: a network of 10,000 nodes takes 10 million with its stack traces."""

LARGEST_LISTS = 2**23
"""Bytes of packed lists of numbers, in all attributes together."""

MOST_NODES = 100_000
"""Nodes of a file, and of one whose functions are written out."""

MOST_FIELDS = 2_000_000
"""Fields of all messages: a parser may make an object of each."""

DEEPEST = 60
"""Messages within messages; protobuf itself stops at 100."""

_PARTS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value", 14: "annotation", 15: "sparse"},
    "function": {7: "node", 11: "attribute", 12: "value"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 14: "type", 15: "type", 22: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "value": {2: "type"},
    "type": {1: "tensor_type", 4: "sequence_type", 5: "map_type", 8: "tensor_type", 9: "sequence_type"},
    "tensor_type": {2: "shape"},
    "sequence_type": {1: "type"},
    "map_type": {2: "type"},
}
"""Which fields of a message hold messages with parts of their own."""

_NUMBERS = frozenset({4, 5, 6, 7, 9, 10, 11})
"""The fields of a tensor that hold its numbers."""

_LISTS = frozenset({7, 8})
"""The fields of an attribute that hold a list of numbers."""

_ELSEWHERE = b"\x70\x01"
"""``data_location: EXTERNAL``: the numbers of a tensor are in another file."""

_TRAINING = 20
"""The field of a model that holds graphs for training."""

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5


def read_graph(path: Path) -> bytes:
    """The serialized model in the file at ``path``, without the numbers of tensors above :data:`LARGEST_VALUES`.

    External data is never opened. Raises :class:`SepcalcError` where there is no such file, or no model in it.
    """
    import mmap

    try:
        # A pipe or a device would be waited for, or read for ever.
        if path.exists() and not path.is_file():
            raise SepcalcError("is not a file")
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise SepcalcError("is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, memoryview(data) as view:
                return without_weights(view)
    except OSError as error:
        raise SepcalcError(f"cannot be read: {error.strerror or error}") from None


def without_weights(data: memoryview | bytes) -> bytes:
    """A copy of a serialized model that leaves out the numbers of large tensors.

    Raises :class:`SepcalcError` where ``data`` is no protobuf, or describes more than is believed.
    """
    view = memoryview(data)
    try:
        copied = _Copy(view).message("model", 0, len(view), 0)
        return bytes(view if copied is None else copied)
    finally:
        view.release()


class _Copy:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.fields = self.nodes = self.copied = self.lists = 0

    def message(self, kind: str, begin: int, end: int, depth: int) -> bytearray | None:
        """The message of this ``kind`` between two places, without the weights in it; None if it has none."""
        if depth > DEEPEST:
            raise SepcalcError(f"nests graphs more than {DEEPEST // 3} deep")
        parts = _PARTS.get(kind, {})
        drops = kind == "tensor" and end - begin > LARGEST_VALUES
        copied = bytearray()
        at = since = begin  # bytes from ``since`` on are copied unchanged, in one piece
        while at < end:
            number, wire, body, after = self.field(at, end)
            if wire == _BYTES and number in parts:
                self.count_node(parts[number])
                inner = self.message(parts[number], body, after, depth + 1)
                if inner is not None:
                    copied += self.data[since:at]
                    copied += _varint(number << 3 | _BYTES) + _varint(len(inner)) + inner
                    since = after
            elif (drops and number in _NUMBERS) or (kind == "model" and number == _TRAINING):
                copied += self.data[since:at]
                since = after
            else:
                self.keep(after - at, is_list=kind == "attribute" and number in _LISTS)
            at = after
        if since == begin:
            return None
        copied += self.data[since:end]
        return copied + _ELSEWHERE if drops else copied

    def count_node(self, part: str) -> None:
        self.nodes += part == "node"
        if self.nodes > MOST_NODES:
            raise SepcalcError(f"has more than {MOST_NODES:,} nodes")

    def keep(self, count: int, *, is_list: bool) -> None:
        self.copied += count
        self.lists += count * is_list
        if self.copied > LARGEST_GRAPH:
            raise SepcalcError(f"describes a graph of more than {LARGEST_GRAPH // 2**20} MiB, its weights left out")
        if self.lists > LARGEST_LISTS:
            raise SepcalcError(f"has more than {LARGEST_LISTS // 2**20} MiB of numbers in attributes")

    def field(self, at: int, end: int) -> tuple[int, int, int, int]:
        """The field that begins at this place: its number, its wire type, where its contents begin and end."""
        self.fields += 1
        if self.fields > MOST_FIELDS:
            raise SepcalcError(f"has more than {MOST_FIELDS:,} fields")
        key, body = self.varint(at, end)
        wire = key & 7
        if wire == _BYTES:
            length, body = self.varint(body, end)
            after = body + length
        elif wire == _VARINT:
            after = self.varint(body, end)[1]
        elif wire in (_FIXED_64, _FIXED_32):
            after = body + (8 if wire == _FIXED_64 else 4)
        else:
            raise SepcalcError(f"is not an ONNX file: no field of a protobuf begins at byte {at:,}")
        if after > end:
            begins = f"byte {at:,} begins a field of {after - at:,} bytes, and {end - at:,} are left"
            raise SepcalcError(f"is truncated or not an ONNX file: {begins}")
        return key >> 3, wire, body, after

    def varint(self, at: int, end: int) -> tuple[int, int]:
        number = shift = 0
        for place in range(at, min(end, at + 10)):
            byte = self.data[place]
            if byte < 128:
                return number | byte << shift, place + 1
            number |= (byte & 127) << shift
            shift += 7
        raise SepcalcError(f"is truncated or not an ONNX file: no number ends after byte {at:,}")


def _varint(number: int) -> bytes:
    """``number`` in groups of seven bits, the lowest first."""
    copied = bytearray()
    while number > 127:
        copied.append(number & 127 | 128)
        number >>= 7
    return bytes([*copied, number])
