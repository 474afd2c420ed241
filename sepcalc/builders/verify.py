"""Arithmetic checked against PyTorch: every layer is built as modules, run, and counted by torch itself.

Three numbers are compared for a layer as written and as every variant: trainable parameters of the convolutions, the
output's shape, and FLOPs by ``torch.utils.flop_counter``, which are twice the multiply-adds. Norms and activations are
not built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sepcalc.builders.prediction import Counted, predicted
from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution, Product
from sepcalc.core.network import AS_WRITTEN, Network
from sepcalc.core.network_tables import uncounted_notes
from sepcalc.core.recognition import Unit
from sepcalc.core.spec import ConvSpec
from sepcalc.core.table import Field, Table, fill_table, first_few
from sepcalc.core.variants import Stages, Variant, choose, get


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The counts of one layer in one form: ``predicted`` here, ``measured`` by torch, or ``why_not``."""

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
    units = {unit.parts[0][0]: unit for unit in network.units}
    return tuple(
        _check(layer.name, form, stages)
        for index, layer in enumerate(network.layers)
        if isinstance(layer, Convolution)
        for form, stages in _forms(layer, units.get(index), chosen)
    )


def _forms(layer: Convolution, unit: Unit | None, variants: Sequence[Variant]) -> Iterator[tuple[str, Stages]]:
    yield AS_WRITTEN, layer.stages
    if unit is None:
        return
    for variant in variants:
        try:
            yield variant.name, unit.layer.as_variant(variant)
        except SpecError:
            continue


def _check(layer: str, form: str, stages: Stages) -> Check:
    check = Check(layer=layer, form=form, predicted=predicted(stages), measured=None)
    try:
        return replace(check, measured=_measured(stages))
    except SpecError as reason:
        return replace(check, why_not=str(reason))


@lru_cache(maxsize=1024)
def _measured(stages: tuple[ConvSpec, ...]) -> Counted:
    """Torch's counts of a chain of stages, on the meta device: so nothing is computed."""
    from sepcalc.builders.torch_stages import build_stages, counted, example

    return counted(build_stages(stages, device="meta"), example(stages[0], device="meta"))


def _verdict(checks: Sequence[Check]) -> str:
    wrong = "; ".join(f"{check.form}: {check.verdict}" for check in checks if check.differs)
    return wrong or ("equal" if checks[0].measured else "not built")


def _in_torch(count: Callable[[Counted], int]) -> Callable[[Sequence[Check]], int | None]:
    """A count by torch of the layer as written; None where it is not built."""
    return lambda checks: count(checks[0].measured) if checks[0].measured else None


_FIELDS: tuple[Field[Sequence[Check]], ...] = (
    Field(key="name", title="Layer", figure=lambda checks: checks[0].layer),
    Field(key="forms", title="Forms", kind="count", rank=1, figure=len),
    Field(key="params", title="Params", kind="count", rank=2, figure=lambda checks: checks[0].predicted.params),
    Field(key="torch_params", title="Params in torch", kind="count", rank=2, figure=_in_torch(lambda at: at.params)),
    Field(key="flops", title="FLOPs", kind="count", rank=2, figure=lambda checks: checks[0].predicted.flops),
    Field(key="torch_flops", title="FLOPs in torch", kind="count", rank=2, figure=_in_torch(lambda at: at.flops)),
    Field(key="verdict", title="Verdict", figure=_verdict),
)
"""The table's columns; a row is about all forms of one layer, the first of them the layer as written."""


def different_modules(ours: Mapping[str, int], torch: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """The modules with other FLOPs here than in ``torch``, by path; of nested ones the innermost.

    >>> different_modules({"": 10, "a": 6, "a.b": 6}, {"": 12, "a": 8, "a.b": 8})
    {'a.b': (6, 8)}
    """
    pairs = {path: (ours.get(path, 0), torch.get(path, 0)) for path in (*ours, *torch)}
    found = {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}
    outer = {path[:end] for path in found for end in range(len(path)) if not end or path[end] == "."}
    return {path: pair for path, pair in found.items() if path not in outer}


def whole_remark(ours: Mapping[str, int], torch: Mapping[str, int]) -> str:
    """How the FLOPs of the modules of a model, by path, compare with torch's count of a run of it."""
    different = different_modules(ours, torch)
    if not different:
        return f"Equal: the model's {len(torch):,} modules in a run of its own, {torch.get('', 0):,} FLOPs in all."
    named = first_few([f"{path or 'the model'} {here:,} here, {there:,} in torch"
                       for path, (here, there) in different.items()])  # fmt: skip
    return f"Different in a run of the model, in FLOPs: {named}."


def verification_table(network: Network, checks: Sequence[Check], *, remarks: Iterable[str] = ()) -> Table:
    """One row per layer: the number of forms, the counts of both sides as written, and the verdict on all forms.

    ``remarks`` stand before the last note, the verdict.
    """
    by_layer: dict[str, list[Check]] = {}
    for check in checks:
        by_layer.setdefault(check.layer, []).append(check)
    skipped = (f"{at.layer}, {at.form}, is not built: {at.why_not}." for at in checks if at.measured is None)
    table = Table(
        name="verification",
        title=f"{network.name}, checked against PyTorch",
        caption=(
            "Parameters, output shapes and FLOPs (2 × MACs) of every form of a layer, as predicted here and as "
            "torch.utils.flop_counter counts the modules built from it. Figures: as written, without norms, batch 1."
        ),
        notes=(*skipped, *_uncovered(network), *remarks, _summary(network, checks)),
    )
    return fill_table(table, _FIELDS, by_layer.values())


def _summary(network: Network, checks: Sequence[Check]) -> str:
    """The verdict on all checks, and the share of the network that they cover."""
    wrong, forms = sum(check.differs for check in checks), sum(check.measured is not None for check in checks)
    if wrong or not forms:
        return f"Different: {wrong:,} of {forms:,} forms." if wrong else "Nothing was built, so nothing is checked."
    built = [check.predicted for check in checks if check.form == AS_WRITTEN and check.measured]
    params, flops = sum(counted.params for counted in built), sum(counted.flops for counted in built)
    covered = f"{flops // 2:,} of {network.cost.macs:,} MACs and {params:,} of {network.cost.params:,} parameters"
    return f"Equal: {forms:,} forms of {len(built):,} layer{'s' * (len(built) != 1)}, with {covered} as written."


def _uncovered(network: Network) -> Iterator[str]:
    """A note on multiply-adds of layers that have no module here, and one on layers with unknown multiply-adds."""
    products = [layer for layer in network.layers if isinstance(layer, Product) and layer.cost.macs]
    if products:
        macs = sum(layer.cost.macs for layer in products)
        names = first_few([f"{layer.name} ({layer.type})" for layer in products])
        yield f"Not checked, {macs:,} of {network.cost.macs:,} MACs: {names}."
    yield from uncounted_notes(network)
