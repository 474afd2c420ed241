"""The state of reading a network file: the feature map that reaches the next layer, the names, the faults so far.

A :class:`Reading` is one pass over one file and collects its layers and faults. A :class:`Scope` is a chain of layers
with the feature map at its end. Branches and blocks are scopes inside scopes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from typing import Any

from sepcalc.core.errors import LayerError, closest
from sepcalc.core.layers import INPUT, FeatureMap, Layer, Operator, Taps, parts
from sepcalc.core.modules import Call
from sepcalc.core.spec import LARGEST, Axes, times
from sepcalc.readers.yaml.arguments import BlockArguments
from sepcalc.readers.yaml.decoding import shown
from sepcalc.readers.yaml.expressions import Channels
from sepcalc.readers.yaml.lengths import axes_of, lengths
from sepcalc.readers.yaml.positions import Place

Output = tuple[FeatureMap, Taps]
"""The output of a layer or a block, and the layers that wrote it."""

_MOST_RECENT = 1000  # names among which a misspelt one is looked for


class LostError(Exception):
    """A layer that cannot be checked: after an earlier fault its input is unknown."""


def all_of(faults: Iterable[tuple[Any, str]]) -> LayerError:
    """One error for all ``faults``, each a key and a message; there is at least one."""
    *others, (key, message) = faults
    return LayerError(message, key, others)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Problem:
    """A fault with its place and the name of its layer."""

    place: Place
    layer: str
    message: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """One pass over one file."""

    run: Callable[[Scope, list[Any]], None]
    width: Fraction = Fraction(1)
    divisor: int = 1
    inferred: bool = False
    blocks: Mapping[str, BlockArguments | None] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    wiring: list[Taps] = field(default_factory=list)
    abridged: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    known: dict[str, Layer] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    outputs: dict[str, Output | None] = field(default_factory=dict)

    def scaled(self, channels: int, rule: bool | str = "yes") -> int:
        """``channels`` times the width multiplier, rounded as in the MobileNet papers' code.

        :class:`Channels` are multiplied already. The ``rule`` "no" (or False) keeps the number, "up" where the width is
        below 1.
        """
        fixed = rule in (False, "no") or (rule == "up" and self.width < 1)
        if self.width == 1 or fixed or isinstance(channels, Channels):
            return channels
        return self.rounded(channels * self.width)

    def rounded(self, exact: Fraction | int) -> int:
        """A number of channels as a multiple of the divisor, never below 90 % of ``exact``."""
        nearest = max(self.divisor, int(exact + Fraction(self.divisor, 2)) // self.divisor * self.divisor)
        return nearest if 10 * nearest >= 9 * exact else nearest + self.divisor

    @property
    def functions(self) -> dict[str, Callable[[int], Channels]]:
        """The functions that expressions in a block can call."""
        return {
            "scaled()": lambda channels: Channels(self.scaled(channels)),
            "rounded()": lambda channels: Channels(self.rounded(channels)),
        }

    def layer(self, name: str) -> Layer | None:
        """The layer of this full name; None if it is the name of a block or of a faulty layer."""
        for layer in islice(self.layers, len(self.known), None):
            self.known[layer.name] = layer
        return self.known.get(name)


@dataclass(slots=True, kw_only=True)
class Scope:
    """A chain of layers: ``at`` is the feature map that reaches the next one.

    ``at`` is None before the first layer, and where a fault leaves it unknown: then ``lost`` is set. ``taps`` say which
    layers wrote it. ``prefix`` begins the names of layers, ``names`` holds the value of each ``$name``.
    """

    reading: Reading
    at: FeatureMap | None = None
    taps: Taps = (INPUT,)
    lost: bool = False
    prefix: str = ""
    names: Mapping[str, Any] = field(default_factory=dict)

    def branch(self, name: str | None = None) -> Scope:
        """A chain that starts where this one is; a ``name`` begins the names of its layers.

        Raises :class:`LayerError` where the name is no text on one line.
        """
        if name is None:
            return self.within(self.at, self.prefix, self.names)
        if not name.isprintable():
            raise LayerError(f"name: expected text on one line, got {shown(name)}", "name")
        return self.within(self.at, f"{self.prefix}{name}.", self.names)

    def within(self, at: FeatureMap | None, prefix: str, names: Mapping[str, Any]) -> Scope:
        """A chain inside this one. Written out: :func:`dataclasses.replace` takes three times as long."""
        return Scope(reading=self.reading, at=at, taps=self.taps, lost=self.lost, prefix=prefix, names=names)

    def arrive(self, other: Scope) -> None:
        """Continue from the end of another chain."""
        self.at, self.taps, self.lost = other.at, other.taps, other.lost

    def new_name(self, given: str | int | None, word: str) -> str:
        """The full name of a new layer: the ``given`` one, or its type and a number.

        Raises :class:`LayerError` where the name is taken.
        """
        outputs = self.reading.outputs
        begin = f"{self.prefix}{word}_" if word[-1].isdigit() else self.prefix + word  # relu6_1
        if given is None:
            number = self.reading.numbers.get(begin, 0) + 1
            while (name := f"{begin}{number}") in outputs:
                number += 1
            self.reading.numbers[begin] = number
            return name
        name = f"{self.prefix}{given}"
        if name in outputs:
            raise LayerError(f"the name {name} is taken by an earlier layer; choose another", "name")
        if given == "" or not name.isprintable():
            raise LayerError(f"name: expected text on one line, got {shown(given)}", "name")
        return name

    def emit(self, layer: Layer) -> None:
        """Append ``layer`` and go on from its output; raises :class:`LayerError` for an output that is too large."""
        reading, writes = self.reading, layer.output
        if max(writes.shape) > LARGEST:
            shape = times(writes.shape)
            raise LayerError(f"the output {shape} is out of range; nothing above {LARGEST:,} is believed")
        reading.wiring.append(self.taps)
        self.at, self.taps, self.lost = writes, (len(reading.layers),), False
        reading.layers.append(layer)
        reading.outputs[layer.name] = writes, self.taps

    def keep(self, name: str) -> None:
        """Give the output of the chain so far the full ``name``, for later layers to read."""
        self.reading.outputs[name] = None if self.at is None else (self.at, self.taps)

    def operator(
        self,
        args: Any,
        word: str,
        reads: FeatureMap,
        writes: FeatureMap,
        *,
        kernel: Axes = (),
        params: int = 0,
        module: Call | None = None,
    ) -> None:
        """Append an operator without multiply-adds, and the ``module`` that it becomes in PyTorch."""
        name = self.new_name(args.name, word)
        self.emit(
            Operator(name=name, type=word, input=reads, output=writes, kernel=kernel, params=params, module=module)
        )

    def reached(self, args: Any) -> FeatureMap:
        """The input of a layer with these arguments; no layer writes one that differs from ``at``.

        Raises :class:`LayerError` where it is unknown or the arguments contradict it; :class:`LostError` after an
        earlier fault.
        """
        at = self.at
        listed = getattr(args, "reads", None) is not None or getattr(args, "reads_part_of", None)
        if listed:
            at = self._list(args)
        if args.from_ is not None:
            at, self.taps = self.output_of(str(args.from_))
        if args.c_in is None and args.size is None:
            return self.known(at)
        if self.reading.inferred and at is not None:
            self._agree(args, at)
        channels = args.c_in if args.c_in is not None else self.known(at).channels
        size = self.known(at).size if args.size is None else lengths("size", args.size, axes_of(args.size, args, at))
        reads = FeatureMap(channels=channels, size=size)
        if listed:
            self.reading.abridged |= reads != at
        elif at is not None and reads != at:
            self.taps = ()
        return reads

    def _list(self, args: Any) -> FeatureMap | None:
        """Read the layers that the arguments list; returns the map of the first that is read whole."""
        whole = [self.output_of(str(name)) for name in args.reads or ()]
        in_part = [self.output_of(str(name)) for name in args.reads_part_of]
        self.taps = (*(tap for _, taps in whole for tap in taps), *parts(tap for _, taps in in_part for tap in taps))
        return whole[0][0] if whole else None

    def known(self, at: FeatureMap | None) -> FeatureMap:
        """``at`` itself; raises :class:`LayerError` or :class:`LostError` where it is None."""
        if at is not None:
            return at
        if self.lost:
            raise LostError
        raise LayerError("nothing reaches this layer; give it c_in and size, or the file an input")

    def _agree(self, args: Any, at: FeatureMap) -> None:
        """Raise :class:`LayerError` with each argument that contradicts ``at``."""
        found = []
        if args.size is not None and (not at.size or lengths("size", args.size, len(at.size)) != at.size):
            here = times(at.size) if at.size else "vector"
            found.append(("size", f"size {args.size} contradicts the {here} that reaches it; remove size"))
        if args.c_in not in (None, at.channels):
            here = f"{at.channels} channels"
            found.append(("c_in", f"c_in {args.c_in} contradicts the {here} that reach it; remove c_in"))
        if found:
            raise all_of(found)

    def output_of(self, name: str) -> Output:
        """The output of the earlier layer called ``name``, in this block or any around it.

        Raises :class:`LayerError` where there is none; :class:`LostError` where a fault left it open.
        """
        found = self.reading.outputs[self.full_name(name)]
        if found is None:
            raise LostError
        return found

    def full_name(self, name: str) -> str:
        """The full name of the earlier layer called ``name``, in this block or any around it.

        Raises :class:`LayerError` where there is none.
        """
        prefix = self.prefix
        while (full := prefix + name) not in self.reading.outputs:
            if not prefix:
                recent = islice(reversed(self.reading.outputs), _MOST_RECENT)
                hint = closest(name, [known.removeprefix(self.prefix) for known in recent])
                cure = hint if hint.startswith("; did") else "; give a layer that name"
                raise LayerError(f"no earlier layer is called {shown(name)}{cure}")
            prefix = prefix[: prefix.rstrip(".").rfind(".") + 1]
        return full

    def run(self, layers: Any) -> None:
        """Read a list of layers and append them; raises :class:`LayerError` where it is no list."""
        if not isinstance(layers, list):
            raise LayerError(f"expected a list of layers, got {shown(layers)}")
        self.reading.run(self, layers)

    def lose(self) -> None:
        """Forget the input of the next layer."""
        self.at, self.lost = None, True
