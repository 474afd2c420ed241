"""A network as a list of layers, and what rewriting its convolutions would change.

A network costs the sum of its layers. What the program does not understand is marked as uncounted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from fractions import Fraction

from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution, Cost, FeatureMap, Layer, Operator, Product, Taps, total
from sepcalc.core.recognition import Unit, find_units, rewrite
from sepcalc.core.spec import Axes, times
from sepcalc.core.table import Tabular
from sepcalc.core.variants import Variant, choose, get

AS_WRITTEN, CHEAPEST = "as-written", "cheapest"
"""The unmodified network's name in tables of variants, and that of the network with each unit in its cheapest form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Figures as a source prints them, for example ``569 M``, and a note on how it counts."""

    source: str
    params: str | None = None
    macs: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Tabular):
    """A network with another variant in every unit that was chosen and can take it."""

    _TABLES = "sepcalc.core.network_tables:what_if_tables"

    variant: Variant
    cost: Cost
    layers: tuple[Cost | None, ...]
    """The cost of each layer after the rewrite; None where it stays. A unit of several layers costs at its first."""
    units: tuple[Cost | None, ...]
    """The cost of each of the network's units after the rewrite; None where it stays as written."""
    refused: tuple[tuple[str, str], ...]
    """Name and reason of each chosen unit that stays as written, since the variant does not apply to it."""

    @property
    def converted(self) -> int:
        """How many units are converted."""
        return sum(cost is not None for cost in self.units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Tabular):
    """Layers in their order in the file, and what the file says about the network.

    ``wiring`` says what each layer reads; None where that is unknown. In an ``abridged`` network, as imports are, what
    only moves numbers (reshapes, transposes) is no layer: the wiring names who reads whose numbers, and cannot be run.
    """

    _TABLES = "sepcalc.core.network_tables:network_tables"

    name: str
    layers: tuple[Layer, ...]
    wiring: tuple[Taps, ...] | None = None
    input: FeatureMap | None = None
    batch: int = 1
    """Examples that the network reads at once; all counts are for these."""
    source: str | None = None
    published: tuple[Published, ...] = ()
    outputs: tuple[int, ...] = ()
    """Layers whose results the network returns although others read them too."""
    abridged: bool = False
    _units: tuple[Unit, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def units(self) -> tuple[Unit, ...]:
        """What a what-if can rewrite: the dense convolutions with a window, and those in a separable form."""
        if self._units is None:
            object.__setattr__(self, "_units", find_units(self.layers, self.wiring, self.outputs))
        return self._units or ()

    @property
    def title(self) -> str:
        """The name, and the network's input where that is known."""
        if self.input_shape is None:
            return self.name
        batch = f", counts for the batch of {self.batch:,}" if self.batch > 1 else ""
        return f"{self.name}, input {times(self.input_shape)}{batch}"

    @property
    def input_shape(self) -> Axes | None:
        """Channels and size of the input, after the number of examples if there are several; None where it is open."""
        return None if self.input is None else (*[self.batch][: self.batch > 1], *self.input.shape)

    @property
    def cost(self) -> Cost:
        """What the network costs as written."""
        return total(layer.cost for layer in self.layers)

    @property
    def activations(self) -> int:
        """Elements that the stages of all convolutions and linear layers write (Radosavovic 2020, section 3.1)."""
        return sum(stage.activations * layer.batch for layer in self._convolutions for stage in layer.stages)

    def traffic_bytes(self, element_bytes: int) -> int | None:
        """Bytes of input, weights and output of each stage, moved once; None beside products of activations."""
        if any(isinstance(layer, Product) for layer in self.layers):
            return None
        return sum(
            stage.traffic_bytes(element_bytes, layer.batch) for layer in self._convolutions for stage in layer.stages
        )

    def intensity(self, element_bytes: int) -> Fraction | None:
        """Arithmetic intensity in FLOP per byte; None where the traffic is unknown."""
        traffic = self.traffic_bytes(element_bytes)
        return Fraction(2 * self.cost.macs, traffic) if traffic else None

    @property
    def _convolutions(self) -> Iterator[Convolution]:
        return (layer for layer in self.layers if isinstance(layer, Convolution))

    @property
    def uncounted(self) -> tuple[Operator, ...]:
        """The operators whose multiply-adds are unknown, and so missing from every total."""
        return tuple(layer for layer in self.layers if isinstance(layer, Operator) and not layer.counted)

    def what_if(
        self, variant: Variant | str, *, only: Iterable[str] = (), keep: Iterable[str] = (), saving: bool = False
    ) -> WhatIf:
        """The cost with ``variant`` in every unit that ``only`` matches and ``keep`` does not.

        ``only`` and ``keep`` are shell patterns on the names of a unit's layers. With ``saving`` a unit that would cost
        more multiply-adds, or as many and more parameters, stays as written. So does one that the variant cannot
        express, which is listed with the reason.
        """
        variant = get(variant)
        costs, layers, refused = [], list[Cost | None]([None] * len(self.layers)), []
        for unit, cost, reason in self.rewrites(variant, only=only, keep=keep, saving=saving):
            costs.append(cost)
            if reason is not None:
                refused.append((unit.layer.name, reason))
            if cost is None:
                continue
            for new, (index, old) in zip((cost, *[Cost()] * len(unit.parts)), unit.parts, strict=False):
                layers[index] = total(((layers[index] or self.layers[index].cost) - old, new))
        whole = total(layer.cost if cost is None else cost for layer, cost in zip(self.layers, layers, strict=True))
        return WhatIf(variant=variant, cost=whole, layers=tuple(layers), units=tuple(costs), refused=tuple(refused))

    def written_as(
        self, variant: Variant | str, *, only: Iterable[str] = (), keep: Iterable[str] = (), saving: bool = False
    ) -> Network:
        """The network whose cost :meth:`what_if` gives; layers keep their names, norms, activations and inputs."""
        variant = get(variant)
        found = self.rewrites(variant, only=only, keep=keep, saving=saving)
        rewritten = [
            (unit, unit.layer.written_as(variant))
            for unit, cost, _ in found
            if cost is not None and unit.layer.as_variant(variant) != unit.layer.stages
        ]
        return replace(self, **rewrite(self.layers, self.wiring, self.outputs, rewritten))

    def rewrites(
        self, variant: Variant, *, only: Iterable[str] = (), keep: Iterable[str] = (), saving: bool = False
    ) -> Iterator[tuple[Unit, Cost | None, str | None]]:
        """Each unit; its cost as ``variant`` if it was chosen, or the reason why it has none."""
        chosen = chooser(only, keep)
        for unit in self.units:
            cost = reason = None
            if chosen(*unit.names):
                try:
                    cost = unit.layer.cost_as(variant)
                except SpecError as error:
                    reason = str(error)
            if cost is not None and saving and (cost.macs, cost.params) > (unit.cost.macs, unit.cost.params):
                cost = None
            yield unit, cost, reason

    def cheapest(self, what_ifs: Iterable[WhatIf]) -> tuple[Cost, int]:
        """The cost with each unit in the form of the fewest multiply-adds, and how many units that changes.

        The forms are the one as written and those of ``what_ifs``. Ties go to fewer parameters.
        """
        saved, changed = Cost(), 0
        forms = zip(*(what_if.units for what_if in what_ifs), strict=True)
        for unit, costs in zip(self.units, forms, strict=False):
            written = unit.cost
            best = min((written, *filter(None, costs)), key=lambda cost: (cost.macs, cost.params))
            saved = total((saved, written - best))
            changed += best != written
        return self.cost - saved, changed

    def totals(
        self, variants: Iterable[Variant | str] = (), *, only: Iterable[str] = (), keep: Iterable[str] = ()
    ) -> dict[str, Cost]:
        """The cost ``as-written``, as each of ``variants``, and with each unit in the ``cheapest`` of these forms.

        The first three variants by default.
        """
        chosen = tuple(map(get, variants)) or choose()
        what_ifs = [self.what_if(variant, only=only, keep=keep) for variant in chosen]
        rewritten = {what_if.variant.name: what_if.cost for what_if in what_ifs}
        return {AS_WRITTEN: self.cost, **rewritten, CHEAPEST: self.cheapest(what_ifs)[0]}


def chooser(only: Iterable[str] = (), keep: Iterable[str] = ()) -> Callable[..., bool]:
    """A test of a unit's names: whether ``only`` is empty or matches one, and ``keep`` matches none.

    >>> list(map(chooser(["conv5*"], ["*.1"]), ["conv5.0", "conv5.1", "conv4.0"]))
    [True, False, False]
    """
    only, keep = tuple(only), tuple(keep)

    def matches(names: Iterable[str], patterns: Iterable[str]) -> bool:
        return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)

    return lambda *names: (not only or matches(names, only)) and not matches(names, keep)
