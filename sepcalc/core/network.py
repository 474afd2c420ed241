"""A network as a list of layers, and what rewriting its convolutions would change.

A network costs the sum of its layers. What the program does not understand is marked as uncounted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from fractions import Fraction

from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution, Cost, FeatureMap, Layer, Operator, Product, Taps, total
from sepcalc.core.spec import times
from sepcalc.core.table import Tabular
from sepcalc.core.variants import Variant, choose, get

AS_WRITTEN = "as-written"
"""The unmodified network's name in tables of variants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Figures as a source prints them, for example ``569 M``, and a note on how it counts."""

    source: str
    params: str | None = None
    macs: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf(Tabular):
    """A network with another variant in every convertible layer that was chosen and can take it."""

    _TABLES = "sepcalc.core.network_tables:what_if_tables"

    variant: Variant
    cost: Cost
    layers: tuple[Cost | None, ...]
    """What each layer costs then; None where it stays as written."""
    refused: tuple[tuple[str, str], ...]
    """Name and reason of each chosen layer that stays as written, since the variant does not apply to it."""

    @property
    def converted(self) -> int:
        """How many layers are written as the variant then."""
        return sum(cost is not None for cost in self.layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Tabular):
    """Layers in their order in the file, and what the file says about the network.

    ``wiring`` says what each layer reads; None where that is unknown, as in an imported network.
    """

    _TABLES = "sepcalc.core.network_tables:network_tables"

    name: str
    layers: tuple[Layer, ...]
    wiring: tuple[Taps, ...] | None = None
    input: FeatureMap | None = None
    source: str | None = None
    published: tuple[Published, ...] = ()

    @property
    def title(self) -> str:
        """The name, and the feature map that it reads where that is known."""
        return self.name if self.input is None else f"{self.name}, input {times(self.input.shape)}"

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

    def what_if(self, variant: Variant | str, *, only: Iterable[str] = (), keep: Iterable[str] = ()) -> WhatIf:
        """The cost with ``variant`` in every convertible layer that ``only`` matches and ``keep`` does not.

        ``only`` and ``keep`` are shell patterns on layer names. A layer that the variant cannot express stays as
        written and is listed with the reason.
        """
        variant = get(variant)
        costs, rewritten, refused = [], [], []
        for layer, cost, reason in self._rewrites(variant, only, keep):
            costs.append(layer.cost if cost is None else cost)
            rewritten.append(cost)
            if reason is not None:
                refused.append((layer.name, reason))
        return WhatIf(variant=variant, cost=total(costs), layers=tuple(rewritten), refused=tuple(refused))

    def written_as(self, variant: Variant | str, *, only: Iterable[str] = (), keep: Iterable[str] = ()) -> Network:
        """The network whose cost :meth:`what_if` gives; layers keep their names, norms, activations and inputs."""
        variant = get(variant)
        layers = tuple(
            layer.written_as(variant) if cost is not None and isinstance(layer, Convolution) else layer
            for layer, cost, _ in self._rewrites(variant, only, keep)
        )
        return replace(self, layers=layers)

    def _rewrites(
        self, variant: Variant, only: Iterable[str], keep: Iterable[str]
    ) -> Iterator[tuple[Layer, Cost | None, str | None]]:
        """Each layer; its cost as ``variant`` if it was chosen, or the reason why it has none."""
        chosen = chooser(only, keep)
        for layer in self.layers:
            cost = reason = None
            if layer.convertible and chosen(layer.name) and isinstance(layer, Convolution):
                try:
                    cost = layer.cost_as(variant)
                except SpecError as error:
                    reason = str(error)
            yield layer, cost, reason

    def totals(
        self, variants: Iterable[Variant | str] = (), *, only: Iterable[str] = (), keep: Iterable[str] = ()
    ) -> dict[str, Cost]:
        """The cost ``as-written``, and as each of ``variants`` (the first three by default)."""
        chosen = tuple(map(get, variants)) or choose()
        rewritten = {variant.name: self.what_if(variant, only=only, keep=keep).cost for variant in chosen}
        return {AS_WRITTEN: self.cost, **rewritten}


def chooser(only: Iterable[str] = (), keep: Iterable[str] = ()) -> Callable[[str], bool]:
    """A test of names: whether ``only`` is empty or matches, and ``keep`` does not match.

    >>> list(map(chooser(["conv5*"], ["*.1"]), ["conv5.0", "conv5.1", "conv4.0"]))
    [True, False, False]
    """
    only, keep = tuple(only), tuple(keep)

    def chosen(name: str) -> bool:
        wanted = not only or any(fnmatchcase(name, pattern) for pattern in only)
        return wanted and not any(fnmatchcase(name, pattern) for pattern in keep)

    return chosen
