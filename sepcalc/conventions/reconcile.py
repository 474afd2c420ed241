"""The total of another counter for a run, and its difference from ours in parts that add up exactly.

``sepcalc`` counts the multiply-adds of convolutions, linear layers, matrix products and attention, each once. The parts
are in the other counter's unit.
"""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from sepcalc.conventions.counter_formulas import Event, Item
from sepcalc.conventions.counters import Counter, Rules
from sepcalc.core.table import Tabular
from sepcalc.readers.trace import Trace

TWICE = "two FLOPs for each MAC"
TRANSPOSED = "transposed convolutions by its rule"
REPEATED = "products counted again"
OWN_RULE = "products by its own rule"
MISSED = "not counted"
AVERAGED = "average over the batch"

_LABELS: dict[Item, str] = {"activation": "activations", "recurrent": "recurrent layers, beside their products"}

ITEMS = (
    TWICE, "bias", "norms", "activations", "pooling", "elementwise", "upsampling", _LABELS["recurrent"], TRANSPOSED,
    OWN_RULE, REPEATED, MISSED, "other", AVERAGED,
)  # fmt: skip
"""The parts of a difference, in the order of the tables; the label of a norm has its kind and its rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Tabular):
    """The total that ``counter`` prints, and the parts of its difference from ``ours``, in the counter's unit.

    ``total`` is None where it cannot be reproduced exactly, and ``reason`` says why. ``missed`` are the words of
    operators whose multiply-adds it does not see.
    """

    _TABLES = "sepcalc.conventions.tables:reconciled_tables"

    counter: Counter
    ours: int
    total: int | None
    items: tuple[tuple[str, int], ...] = ()
    missed: tuple[str, ...] = ()
    reason: str | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """The remarks on this total."""
        seen = {label for label, _ in self.items} | set(self.missed)
        texts = [note.text for note in self.counter.notes if not note.about or seen.intersection(note.about)]
        if self.missed:
            texts.append(f"not counted, wholly or in part: {', '.join(self.missed)}")
        return (*texts, *([self.reason] if self.reason else ()))

    @property
    def difference(self) -> int | None:
        """The counter's total less ours."""
        return None if self.total is None else self.total - self.ours


def reconcile(counter: Counter, trace: Trace, macs: Sequence[int]) -> Reconciled:
    """The total of ``counter`` for the run, and its difference from ours; ``macs`` are ours for each operation."""
    ours = sum(macs)
    sums = _Sums(trace=trace, macs=macs, factor=2 if counter.unit == "FLOP" else 1)
    try:
        for rules in counter.rules:
            sums.count(rules)
    except NotImplementedError as reason:
        return Reconciled(counter=counter, ours=ours, total=None, reason=f"cannot be re-enacted: {reason}")
    sums.settle()
    order = {label: number for number, label in enumerate(ITEMS)}
    labels = sorted(sums.items, key=lambda label: (order.get(label, order["norms"]), label))
    items = tuple((label, sums.items[label]) for label in labels if sums.items[label])
    return Reconciled(counter=counter, ours=ours, total=ours + sums.items.total(), items=items, missed=sums.missed())


_Place = tuple[str, int]
"""An operation or a call by its index."""


@dataclass(slots=True, kw_only=True)
class _Sums:
    """A counter's sum as it grows: products and biases by their place, other parts by their label."""

    trace: Trace
    macs: Sequence[int]
    factor: int
    items: Counts[str] = field(default_factory=Counts)
    products: Counts[_Place] = field(default_factory=Counts)
    biases: Counts[_Place] = field(default_factory=Counts)
    words: dict[_Place, str] = field(default_factory=dict)
    claimed: dict[int, _Place] = field(default_factory=dict)
    inside: dict[int, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, operation in enumerate(self.trace.operations):
            self.inside.setdefault(operation.call, []).append(index)

    def count(self, rules: Rules) -> None:
        """Add up the events of one view."""
        whole = 0
        for event in rules.view(self.trace):
            for part in rules.table.get(event.name, ()) if event.times else ():
                amount = part.amount(event) * event.times
                self.put(event, part.item, amount)
                whole += amount
        first = self.trace.inputs[0] if len(self.trace.inputs) == 1 else ()
        if rules.per_example and first and first[0] > 1:
            self.items[AVERAGED] += int(whole / first[0]) - whole

    def put(self, event: Event, item: Item, amount: int) -> None:
        """Add a part of an event to where it belongs."""
        place = ("call", event.call) if event.operation is None else ("operation", event.operation)
        self.words.setdefault(place, event.word)
        if item == "products":
            self.products[place] += amount
        elif item == "bias":
            self.biases[place] += amount
        else:
            self.items[_rated(event, amount) if item == "norm" else _LABELS.get(item, item)] += amount

    def settle(self) -> None:
        """Compare the products with ours, place by place; operators that a module claims are not claimed again."""
        self.items[TWICE] += (self.factor - 1) * sum(self.macs)
        for place in sorted(self.products):
            operations = [index for index in self.operations(place) if index not in self.claimed]
            self.claimed.update(dict.fromkeys(operations, place))
            ours = self.factor * sum(self.macs[index] for index in operations)
            self.items[self.label(place, operations, ours)] += self.products[place] - ours
        for place, amount in self.biases.items():
            works = any(self.macs[index] for index in self.operations(place))
            self.items["bias" if works else _kind(self.words[place])] += amount
        for index, macs in enumerate(self.macs):
            if index not in self.claimed:
                self.items[MISSED] -= self.factor * macs

    def operations(self, place: _Place) -> Sequence[int]:
        """The operators at a place: one, or all that ran directly in a call."""
        kind, index = place
        return (index,) if kind == "operation" else self.inside.get(index, ())

    def label(self, place: _Place, operations: Sequence[int], ours: int) -> str:
        """The label of a difference between its products and ours at a place."""
        if not ours:
            again = any(self.macs[index] for index in self.operations(place))
            return REPEATED if again else _kind(self.words[place])
        transposed = any(self.trace.operations[index].attributes.get("transposed") is True for index in operations)
        return TRANSPOSED if transposed else OWN_RULE

    def missed(self) -> tuple[str, ...]:
        """The words of operators with multiply-adds that were not seen, or counted as nothing."""
        nothing = {None, *(place for place, amount in self.products.items() if not amount)}
        missed = [index for index, macs in enumerate(self.macs) if macs and self.claimed.get(index) in nothing]
        return tuple(dict.fromkeys(self.trace.operations[index].word for index in missed))


def _kind(word: str) -> str:
    """The label of weights that are no multiply-adds by our rule."""
    if word.endswith("_norm"):
        return f"{word.replace('_', ' ')}, by its parameters"
    return "activations" if word == "prelu" else "other"


def _rated(event: Event, amount: int) -> str:
    """The label of a norm: its kind, and how many for each number it reads."""
    elements = prod(event.x) * event.times
    name = event.word.replace("_", " ") if event.word.endswith("norm") else "norms"
    return f"{name}, {amount // elements} per element" if elements and amount % elements == 0 else name
