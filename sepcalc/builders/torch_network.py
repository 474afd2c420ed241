"""Networks as PyTorch modules, made from their description.

A layer becomes the modules of its stages, with its norm and activations where they stand in the network. So the timed
network is the counted one: parameters and FLOPs of the modules are ``params`` and ``2 * macs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sepcalc.builders.torch_operators import Narrow, PerPosition, Repeated, norm
from sepcalc.builders.torch_stages import build_module, build_stages
from sepcalc.core.errors import MissingExtraError, SpecError
from sepcalc.core.layers import INPUT, NORM_PARAMS, Convolution, Layer, NormKind, Part, Tap
from sepcalc.core.modules import ACTIVATIONS
from sepcalc.core.network import Network
from sepcalc.core.spec import ConvSpec, times

try:
    import torch
    from torch import nn
except ImportError as missing:
    raise MissingExtraError("torch", "building PyTorch modules") from missing


def layer_module(layer: Convolution, *, device: str = "cpu") -> nn.Sequential:
    """The module of one layer: its stages as written, with the norm and the activation after each.

    It reads (examples, c_in, and one dimension for each axis). A layer with a ``batch`` needs that many feature maps
    for each example. A layer that ``shares`` its weights gets its own.

    Raises :class:`SpecError` for a stage or a norm that PyTorch cannot express.

    >>> from sepcalc.core.variants import get
    >>> spec = ConvSpec.of(64, 128, k=3, size=56)
    >>> layer_module(Convolution(name="a", type="conv", spec=spec, variant=get("dws"), act="relu"), device="meta")
    Sequential(
      (0): Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), groups=64, bias=False)
      (1): ReLU(inplace=True)
      (2): Conv2d(64, 128, kernel_size=(1, 1), stride=(1, 1), bias=False)
      (3): ReLU(inplace=True)
    )
    """
    *inner, last = layer.stages
    with torch.device(device):
        return nn.Sequential(
            *(part for stage in inner for part in _inside(layer, stage, device)),
            *_stage(layer, last, device),
            *_norm(layer.last_norm, last),
            *_activation(layer.last_act),
        )


def _inside(layer: Convolution, stage: ConvSpec, device: str) -> Iterator[nn.Module]:
    """A stage before the last one, with the norm and the activation behind it."""
    yield from _stage(layer, stage, device)
    if layer.between == "all":
        yield from _norm(layer.norm, stage)
    if layer.between != "none":
        yield from _activation(layer.act)


def _stage(layer: Convolution, stage: ConvSpec, device: str) -> Iterator[nn.Module]:
    if layer.type == "linear" and stage.kernel:
        vector = replace(stage, kernel=(), size=(), stride=(), padding="same", dilation=(), output_padding=())
        yield PerPosition(*build_stages([vector], device=device))
    else:
        yield from build_stages([stage], device=device)


def _norm(kind: NormKind, stage: ConvSpec) -> Iterator[nn.Module]:
    if kind != "none":
        writes = (stage.c_out, *(stage.out_size or ()))
        yield norm(kind, writes, affine=NORM_PARAMS[kind] > 0)


def _activation(word: str) -> Iterator[nn.Module]:
    if word not in ("none", "identity"):
        act = ACTIVATIONS[word]
        # Nothing else reads the output of the convolution or the norm, so it can be overwritten.
        yield build_module(replace(act.module, kwargs={"inplace": True}) if act.in_place else act.module)


def build_network(network: Network, *, device: str = "cpu") -> nn.Module:
    """The module that runs ``network``: it reads (examples, channels, and one dimension for each axis).

    It returns the last layer's output, and frees a map after its last reader. Weights are random, and large enough that
    activations do not vanish in a deep network.

    Raises :class:`SpecError` with the layer and the reason: a product or an operator known by name and cost alone, or a
    layer whose input is unknown.

    >>> from sepcalc.readers.yaml.reader import load
    >>> network = load("mobilenet_v1")
    >>> build_network(network, device="meta")(example(network, device="meta")).shape
    torch.Size([1, 1000, 1, 1])
    """
    if network.wiring is None or network.abridged:
        raise SpecError(f"{network.name} cannot be built from its layers alone; run the model itself")
    modules: list[nn.Module] = []
    owners: dict[str, nn.Module] = {}
    for layer, taps in zip(network.layers, network.wiring, strict=True):
        if not taps:
            reads = f"{layer.name} reads {times(layer.input.shape)}"
            raise SpecError(f"{reads}, which the layer before it does not write; add what is missing")
        modules.append(_module(layer, owners, device))
        owners[layer.name] = modules[-1]
    _settle(modules)
    return _Wired(*_steps(modules, network.wiring))


def example(network: Network, *, examples: int = 1, device: str = "cpu") -> torch.Tensor:
    """Random numbers of the shape that ``network`` reads, ``examples`` of them.

    Raises :class:`SpecError` for a network without layers or input.
    """
    reads = network.input or next((layer.input for layer in network.layers), None)
    if reads is None:
        raise SpecError(f"{network.name} has no layers, and so no input")
    return torch.randn(examples, *reads.shape, device=device)


def _module(layer: Layer, owners: Mapping[str, nn.Module], device: str) -> nn.Module:
    """The module of a layer; ``owners`` are the modules of the layers before it."""
    try:
        if isinstance(layer, Convolution):
            module: nn.Module = layer_module(layer, device=device)
            if layer.shares is not None:
                _share(module, owners[layer.shares], layer.shares)
            return module if layer.batch == 1 else Repeated(module, layer.batch)
        if layer.module is None:
            raise SpecError(f"of '{layer.type}' only the name and the cost are known")
        with torch.device(device):
            return build_module(layer.module)
    except SpecError as error:
        raise SpecError(f"{layer.name} has no PyTorch module: {error}") from None


def _share(module: nn.Module, owner: nn.Module, name: str) -> None:
    """Replace the parameters of ``module`` with those of ``owner``."""
    mine, theirs = dict(module.named_parameters()), list(owner.parameters())
    if [weight.shape for weight in mine.values()] != [weight.shape for weight in theirs]:
        raise SpecError(f"it shares the parameters of {name}, which has others; give both the same form")
    for path, parameter in zip(mine, theirs, strict=True):
        parent, _, attribute = path.rpartition(".")
        setattr(module.get_submodule(parent), attribute, parameter)


def _settle(modules: Iterable[nn.Module]) -> None:
    """Scale weights by √6 to He 2015's (arXiv:1502.01852, equation 10): PyTorch's own underflow in deep networks."""
    with torch.no_grad():
        for weight in {weight for module in modules for weight in module.parameters() if weight.dim() > 1}:
            weight.mul_(6**0.5)


Step = tuple[tuple[int, ...], tuple[int, ...]]
"""The tensors that a module reads, and the tensors that no later module reads."""


def _steps(modules: Sequence[nn.Module], wiring: Iterable[Sequence[Tap]]) -> tuple[list[nn.Module], list[Step]]:
    """The modules in the order in which they run, with one for each part of a layer's channels that is read."""
    slots: dict[Tap, int] = {INPUT: 0}
    run: list[nn.Module] = []
    reads: list[tuple[int, ...]] = []
    for index, (module, taps) in enumerate(zip(modules, wiring, strict=True)):
        for tap in taps:
            if isinstance(tap, Part) and tap not in slots:
                run.append(Narrow(tap.first, tap.channels))
                reads.append((slots[tap.writer],))
                slots[tap] = len(run)
        run.append(module)
        reads.append(tuple(slots[tap] for tap in taps))
        slots[index] = len(run)
    last = {slot: step for step, inputs in enumerate(reads) for slot in (*inputs, step + 1)}
    frees: list[list[int]] = [[] for _ in run]
    for slot, step in last.items():
        if slot < len(run):  # the last module's output is the answer
            frees[step].append(slot)
    return run, list(zip(reads, map(tuple, frees), strict=True))


class _Wired(nn.Module):
    """Modules that run one after another, each on the tensors of its step."""

    def __init__(self, modules: Iterable[nn.Module], steps: Iterable[Step]) -> None:
        super().__init__()
        self.run, self.steps = nn.ModuleList(modules), tuple(steps)

    def forward(self, x: torch.Tensor) -> Any:
        """The last module's output."""
        written: list[Any] = [x]
        del x
        for module, (reads, frees) in zip(self.run, self.steps, strict=True):
            written.append(module(*[written[slot] for slot in reads]))
            for slot in frees:
                written[slot] = None
        return written[-1]
