"""The number of layers in a network file, found without building one.

A few lines can name more layers than memory holds: nested repetitions, nested aliases, a block that contains itself.
They are refused before any is expanded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sepcalc.core.errors import LayerError, SepcalcError
from sepcalc.readers.yaml.arguments import BlockArguments
from sepcalc.readers.yaml.expressions import evaluate
from sepcalc.readers.yaml.layers import LAYER_TYPES, LayerType
from sepcalc.readers.yaml.positions import Map

MOST_LAYERS = 1_000_000
"""Layers after expansion."""

DEEPEST_LAYERS = 50
"""Lists of layers inside one another: of blocks, of residuals and of branches."""

MOST_USES = 100_000
"""Lists of layers that are measured again for other arguments."""

Extent = tuple[int, int]
"""A number of layers after expansion, and the depth of lists of layers inside one another."""


@dataclass(slots=True, kw_only=True)
class Expansion:
    """Measures lists of layers; the same list with the same arguments is measured once."""

    blocks: Mapping[str, BlockArguments | None]
    known: dict[object, Extent] = field(default_factory=dict)
    inside: tuple[str, ...] = ()
    depth: int = 0
    looked_at: int = 0
    uses: int = 0

    def layers(self, layers: Any, names: Mapping[str, Any]) -> Extent:
        """The extent of a list of layers where ``$name`` is ``names["name"]``.

        Raises :class:`LayerError` above a million layers, and where a block contains itself.
        """
        if not isinstance(layers, list):
            return 0, 0
        key = (id(layers), *names.items())
        if key not in self.known:
            self._enter(1)
            self.uses += bool(names)
            if self.uses > MOST_USES:
                raise LayerError(f"blocks are used with more than {MOST_USES:,} different arguments; write fewer")
            self.depth += 1
            self.known[key] = together([self.layer(item, names) for item in layers])
            self.depth -= 1
        count, levels = self.known[key]
        self._enter(levels + 1)
        return count, levels + 1

    def _enter(self, levels: int) -> None:
        if self.depth + levels > DEEPEST_LAYERS:
            parts = "blocks, residuals and branches"
            raise LayerError(f"{parts} stand more than {DEEPEST_LAYERS} deep in one another; write some of them out")

    def layer(self, item: Any, names: Mapping[str, Any]) -> Extent:
        """The extent of one entry of a list; an empty one takes as long to read as a layer, and counts as one."""
        self.looked_at = bounded(self.looked_at + 1)
        word, arguments = _split(item, names)
        if "repeat" not in arguments and "first" not in arguments:
            return self._once(word, arguments, names)
        times, first = value(arguments.get("repeat", 1), names), arguments.get("first")
        if not isinstance(times, int) or times < 0:
            return _ONE  # reading reports it
        others = self._once(word, arguments, names)
        if not times or not isinstance(first, Map):
            return bounded(others[0] * times), others[1]
        opening = self._once(word, {**arguments, **first}, names)
        return bounded(opening[0] + others[0] * (times - 1)), max(opening[1], others[1])

    def _once(self, word: Any, arguments: Mapping[str, Any], names: Mapping[str, Any]) -> Extent:
        if word in self.blocks:
            return self.block(word, arguments, names)
        kind = LAYER_TYPES.get(word)
        if kind is None or not (kind.bodies or kind.branches):
            return _ONE
        inner = together([self.layers(body, names) for body in _bodies(kind, arguments)])
        return 1 + inner[0], inner[1]

    def block(self, name: str, arguments: Mapping[str, Any], names: Mapping[str, Any]) -> Extent:
        """The extent of one use of a block."""
        if name in self.inside:
            raise LayerError(f"block {name} contains itself: {' → '.join((*self.inside, name))}; take it out of itself")
        block = self.blocks[name]
        if block is None:
            return _ONE
        mine: dict[str, Any] = {}
        for key, default in block.args.items():
            mine[key] = value(arguments[key], names) if key in arguments else value(default, mine)
        before = self.inside
        self.inside = (*before, name)
        count, levels = self.layers(block.layers, mine)
        self.inside = before
        return max(count, 1), levels


_ONE: Extent = (1, 0)


def together(extents: list[Extent]) -> Extent:
    """The extent of entries that stand side by side."""
    return bounded(sum(count for count, _ in extents)), max((levels for _, levels in extents), default=0)


def _split(item: Any, names: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
    """The word of a layer and its arguments; None for a missing word, which reading reports."""
    if isinstance(item, str):
        return value(item, names), {}
    if not isinstance(item, Map) or not item:
        return None, {}
    if len(item) > 1 or "type" in item:
        word = item.get("type", "conv")
        return (word if isinstance(word, str) else None), item
    ((word, arguments),) = item.items()
    if isinstance(arguments, Map):
        return word, arguments
    kind = LAYER_TYPES.get(word) if isinstance(arguments, list) else None
    return word, {kind.short: arguments} if kind and kind.short else {}


def _bodies(kind: LayerType, arguments: Mapping[str, Any]) -> Iterator[Any]:
    """The lists of layers inside a layer: its bodies, and each branch."""
    yield from (arguments.get(key) for key in kind.bodies)
    for key in kind.branches:
        branches = arguments.get(key)
        for branch in branches if isinstance(branches, list) else ():
            yield from branch.values() if isinstance(branch, Map) else (branch,)


def value(given: Any, names: Mapping[str, Any]) -> Any:
    """The value of an argument if it is known without shapes, else 1.

    Repetitions and words never depend on shapes: see :class:`~sepcalc.readers.yaml.expressions.Channels`.
    """
    if isinstance(given, str) and "$" in given:
        try:
            given = evaluate(given, names)
        except SepcalcError:
            return 1
    return given if isinstance(given, (int, str)) else 1


def bounded(count: int) -> int:
    """``count`` itself; raises :class:`LayerError` above a million."""
    if count > MOST_LAYERS:
        raise LayerError(f"more than {MOST_LAYERS:,} layers after expansion; check repeat, blocks and aliases")
    return count
