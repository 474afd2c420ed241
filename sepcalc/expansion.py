"""How many layers a network file stands for, found without building one of them.

A few lines can name more layers than there is memory for: repetitions of repetitions, aliases of aliases, a
block that contains itself. All of them are refused before any is expanded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sepcalc.arguments import BlockArguments
from sepcalc.errors import SepcalcError
from sepcalc.expressions import evaluate
from sepcalc.located import Map
from sepcalc.scope import LayerError

MOST_LAYERS = 1_000_000
"""Layers after expansion."""

DEEPEST_BLOCKS = 50
"""Blocks inside blocks."""


@dataclass(slots=True, kw_only=True)
class Expansion:
    """Counts layers; the same list with the same arguments is counted once."""

    blocks: Mapping[str, BlockArguments]
    known: dict[object, int] = field(default_factory=dict)
    inside: tuple[str, ...] = ()
    looked_at: int = 0

    def layers(self, layers: Any, names: Mapping[str, Any]) -> int:
        """How many layers a list stands for where ``$name`` is ``names["name"]``.

        Raises :class:`LayerError` above a million, and where a block contains itself.
        """
        if not isinstance(layers, list):
            return 0
        key = (id(layers), *names.items())
        if key not in self.known:
            self.known[key] = bounded(sum(self.layer(item, names) for item in layers))
        return self.known[key]

    def layer(self, item: Any, names: Mapping[str, Any]) -> int:
        """How many layers one entry of a list stands for."""
        self.looked_at = bounded(self.looked_at + 1)
        if type(item) is not Map:
            return int(item not in self.blocks) or self.block(item, {}, names) if isinstance(item, str) else 1
        word, value = next(iter(item.items())) if len(item) == 1 else (item.get("type", "conv"), item)
        if word in self.blocks:
            one = self.block(word, value if isinstance(value, Map) else {}, names)
        else:
            one = 1 + sum(self.layers(body, names) for body in _bodies(value))
        times = _number(value.get("repeat", 1), names) if isinstance(value, Map) else 1
        return bounded(one * times)

    def block(self, name: str, arguments: Mapping[str, Any], names: Mapping[str, Any]) -> int:
        """How many layers one use of a block stands for."""
        if name in self.inside:
            raise LayerError(f"block {name} contains itself: {' → '.join((*self.inside, name))}")
        if len(self.inside) >= DEEPEST_BLOCKS:
            raise LayerError(f"blocks are nested more than {DEEPEST_BLOCKS} deep; write some of them out")
        block = self.blocks[name]
        mine = {key: _number(arguments.get(key, default), names) for key, default in block.args.items()}
        before = self.inside
        self.inside = (*before, name)
        count = self.layers(block.layers, mine)
        self.inside = before
        return count


def _bodies(value: Any) -> Iterator[Any]:
    """The lists of layers inside a layer: of a residual, and of each branch."""
    if isinstance(value, list):
        yield value
        yield from (branch for branch in value if isinstance(branch, list))
    elif isinstance(value, Map):
        yield value.get("body")
        yield value.get("shortcut")
        branches = value.get("branches")
        for branch in branches if isinstance(branches, list) else ():
            yield from branch.values() if isinstance(branch, Map) else (branch,)


def _number(value: Any, names: Mapping[str, Any]) -> int:
    """A number as far as it can be known before shapes are; 1 stands for what cannot be."""
    if isinstance(value, str) and "$" in value:
        try:
            value = evaluate(value, names)
        except SepcalcError:
            return 1
    return value if isinstance(value, int) and value >= 0 else 1


def bounded(count: int) -> int:
    """``count``, unless it is more than a million: then :class:`LayerError`."""
    if count > MOST_LAYERS:
        raise LayerError(f"more than {MOST_LAYERS:,} layers after expansion; check repeat, blocks and aliases")
    return count
