"""Arithmetic checked against PyTorch: every layer is built as modules, run, and counted by torch itself.

For a layer as written and as every variant, three numbers are compared: trainable parameters of the convolutions, the
output's shape, and FLOPs by ``torch.utils.flop_counter``, which must be twice the multiply-adds. Norms and activations
are not built.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sepcalc.builders.prediction import Counted, predicted
from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution, Product
from sepcalc.core.network import AS_WRITTEN, Network
from sepcalc.core.network_tables import uncounted_notes
from sepcalc.core.spec import ConvSpec
from sepcalc.core.table import Column, Row, Table, first_few
from sepcalc.core.variants import Stages, Variant, choose, get


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One layer in one form: ``predicted`` here, ``measured`` by torch; ``why_not`` if PyTorch has no module for it."""

    layer: str
    form: str
    predicted: Counted
    measured: Counted | None
    why_not: str | None = None

    @property
    def differs(self) -> bool:
        """Whether torch disagrees."""
        return self.measured is not None and self.measured != self.predicted

    @property
    def verdict(self) -> str:
        """The outcome in words."""
        if self.measured is None:
            return f"not built: {self.why_not}"
        return self.predicted.differences(self.measured) or "equal"


def verify(network: Network, variants: Iterable[Variant | str] = ()) -> tuple[Check, ...]:
    """The checks of all convolutions and linear layers as written, and of the network's units as ``variants``.

    All variants by default; a variant that cannot express a layer is left out. Raises :class:`MissingExtraError`
    without torch.

    >>> [check.verdict for check in verify(Network(name="none", layers=()))]
    []
    """
    chosen = tuple(map(get, variants)) or choose(["all"])
    written = ((layer, AS_WRITTEN, layer.stages) for layer in network.layers if isinstance(layer, Convolution))
    rewritten = ((unit.layer, form, stages) for unit in network.units for form, stages in _forms(unit.layer, chosen))
    return tuple(_check(layer.name, form, stages) for layer, form, stages in (*written, *rewritten))


def _forms(layer: Convolution, variants: Sequence[Variant]) -> Iterator[tuple[str, Stages]]:
    for variant in variants:
        try:
            yield variant.name, layer.as_variant(variant)
        except SpecError:
            continue


def _check(layer: str, form: str, stages: Stages) -> Check:
    told = predicted(stages)
    try:
        return Check(layer=layer, form=form, predicted=told, measured=_measured(stages))
    except SpecError as reason:
        return Check(layer=layer, form=form, predicted=told, measured=None, why_not=str(reason))


@lru_cache(maxsize=1024)
def _measured(stages: tuple[ConvSpec, ...]) -> Counted:
    """What torch says of a chain, on the meta device: shapes and counts without a single multiplication."""
    from sepcalc.builders.torch_stages import build_stages, counted, example

    return counted(build_stages(stages, device="meta"), example(stages[0], device="meta"))


def verification_table(network: Network, checks: Sequence[Check]) -> Table:
    """One row per layer: how many forms were built, what both sides count as written, and the verdict on all."""
    by_layer: dict[str, list[Check]] = {}
    for check in checks:
        by_layer.setdefault(check.layer, []).append(check)
    return Table(
        name="verification",
        title=f"{network.name}, held against PyTorch",
        columns=(
            Column(key="name", title="Layer"),
            Column(key="forms", title="Forms", kind="count", rank=1),
            Column(key="params", title="Params", kind="count", rank=2),
            Column(key="torch_params", title="Params in torch", kind="count", rank=2),
            Column(key="flops", title="FLOPs", kind="count", rank=2),
            Column(key="torch_flops", title="FLOPs in torch", kind="count", rank=2),
            Column(key="verdict", title="Verdict"),
        ),
        rows=tuple(Row(cells=_cells(name, forms)) for name, forms in by_layer.items()),
        caption=(
            "Parameters, output shapes and FLOPs (2 × MACs) of every form of a layer, as predicted here and as "
            "torch.utils.flop_counter counts the modules built from it. Figures: as written, without norms, batch 1."
        ),
        notes=(*_skipped(checks), *_apart(network)),
    )


def _cells(name: str, forms: Sequence[Check]) -> tuple[str | int | None, ...]:
    written = forms[0]
    theirs = written.measured
    wrong = [f"{each.form}: {each.verdict}" for each in forms if each.differs]
    return (
        name,
        len(forms),
        written.predicted.params,
        theirs.params if theirs else None,
        written.predicted.flops,
        theirs.flops if theirs else None,
        "; ".join(wrong) or ("equal" if theirs else "not built"),
    )


def _apart(network: Network) -> Iterator[str]:
    """What has multiply-adds that no module of ours stands for, or none that is known."""
    products = [layer for layer in network.layers if isinstance(layer, Product) and layer.cost.macs]
    if products:
        macs = sum(layer.cost.macs for layer in products)
        names = first_few([f"{layer.name} ({layer.type})" for layer in products])
        yield f"Not held against PyTorch, {macs:,} of {network.cost.macs:,} MACs: {names}."
    yield from uncounted_notes(network)


def _skipped(checks: Sequence[Check]) -> Iterator[str]:
    for check in checks:
        if check.measured is None:
            yield f"{check.layer}, {check.form}, is not built: {check.why_not}."
