"""Other counters as data, each for one release: views of a run, and tables of formulas.

:func:`~sepcalc.conventions.reconcile.reconcile` computes a counter's total from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sepcalc.conventions.counter_formulas import Event, Parts
from sepcalc.conventions.events import called, dispatched, functions, traced, visits
from sepcalc.conventions.rules_functions import CALFLOPS, CALFLOPS_MACS, DEEPSPEED, DEEPSPEED_MACS, PTFLOPS_FUNCTIONS
from sepcalc.conventions.rules_modules import (
    PTFLOPS_MODULES,
    THOP,
    TORCHINFO,
    ptflops_calls,
    recurrent_flops,
    thop_calls,
    torchinfo_parameters,
)
from sepcalc.conventions.rules_operators import FLOP_COUNTER_MODE, FVCORE, PTFLOPS_ATEN, TORCHPROFILE
from sepcalc.core.errors import SepcalcError, closest
from sepcalc.readers.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A view of a run, and the table of its names; a name that is not in the table counts as nothing."""

    sees: str
    view: Callable[[Trace], Iterable[Event]]
    table: Mapping[str, Parts]
    per_example: bool = False
    """Whether its sum is divided by the batch, where the network has one input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A remark on a counter, shown with the items and missed words in ``about``, always where ``about`` is empty."""

    text: str
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Another counter, as of ``release``; ``call`` is the Python expression that gives its total, in ``unit``."""

    name: str
    package: str
    release: str
    unit: Literal["MAC", "FLOP"]
    call: str
    rules: tuple[Rules, ...] = field(repr=False)
    notes: tuple[Note, ...] = field(default=(), repr=False)

    @property
    def title(self) -> str:
        """Name and release."""
        return f"{self.name} {self.release}"


def _calflops(trace: Trace) -> Iterator[Event]:
    """Functions and recurrent modules, added up for each place of their module in the tree."""
    return _with_recurrent(trace, visits(trace))


def _deepspeed(trace: Trace) -> Iterator[Event]:
    return _with_recurrent(trace, [1] * len(trace.modules))


def _with_recurrent(trace: Trace, times: Sequence[int]) -> Iterator[Event]:
    yield from functions(trace, times)
    yield from (event for event in called(trace, times) if event.name in recurrent_flops)


_BY_NAME = "functions, by their names in torch, torch.nn.functional and torch.Tensor"
_ATTENTION = Note(text="fused attention is not in its table, and counts as nothing", about=("attention",))
_BY_OUTPUT = Note(
    text="a transposed convolution counts by its output's positions, stride times too many along each axis",
    about=("transposed convolutions by its rule",),
)
_KERNELS = Note(text="on a CPU, the kernels of fused attention and LSTMs count as nothing", about=("attention", "lstm"))
_UNTRACKED = Note(text="einsum and recurrent layers have no MACs there", about=("einsum", "rnn", "gru", "lstm"))
_GROUPS_TWICE = Note(
    text="a transposed convolution is divided by its groups twice", about=("transposed convolutions by its rule",)
)
_SYMBOLS = Note(text="the symbols + and @, mm and bmm are not in its table", about=("matmul", "bmm"))
_MODULES = Note(text="functions, attention and modules outside its table count as nothing", about=("not counted",))
_SAME = Note(text="a convolution with padding='same' counts as nothing", about=("conv",))
_BADDBMM = Note(text="baddbmm counts as nothing", about=("baddbmm",))

COUNTERS: tuple[Counter, ...] = (
    Counter(
        name="flop-counter-mode", package="torch", release="2.13.0", unit="FLOP",
        call="torch.utils.flop_counter.FlopCounterMode().get_total_flops()",
        rules=(Rules(sees="operators of the dispatcher", view=dispatched, table=FLOP_COUNTER_MODE),),
        notes=(_KERNELS,),
    ),
    Counter(
        name="fvcore", package="fvcore", release="0.1.5.post20221221", unit="MAC",
        call="FlopCountAnalysis(model, inputs).total()",
        rules=(Rules(sees="operators of a traced graph", view=traced, table=FVCORE),),
        notes=(Note(text="what it calls a flop is a multiply-add"), _ATTENTION, _BADDBMM, _SAME),
    ),
    Counter(
        name="ptflops", package="ptflops", release="0.7.5", unit="MAC",
        call="get_model_complexity_info(model, size, backend='pytorch')",
        rules=(
            Rules(sees="modules of exactly these classes", view=ptflops_calls, table=PTFLOPS_MODULES, per_example=True),
            Rules(sees=_BY_NAME, view=functions, table=PTFLOPS_FUNCTIONS),
        ),
        notes=(
            Note(text="an activation or pooling module counts twice: as a module, and as the function that it calls",
                 about=("activations", "pooling")),
            Note(text="convolutions and linear layers called as functions or inside timm's Attention count as nothing",
                 about=("conv", "linear")),
            _ATTENTION,
        ),
    ),
    Counter(
        name="ptflops-aten", package="ptflops", release="0.7.5", unit="MAC",
        call="get_model_complexity_info(model, size, backend='aten')",
        rules=(Rules(sees="operators of the dispatcher", view=dispatched, table=PTFLOPS_ATEN),),
        notes=(_KERNELS, _BADDBMM),
    ),
    Counter(
        name="thop", package="thop", release="0.1.1.post2209072238", unit="MAC",
        call="profile(model, inputs)[0]",
        rules=(Rules(sees="modules of exactly these classes", view=thop_calls, table=THOP),),
        notes=(
            _MODULES,
            _BY_OUTPUT,
            Note(text="each call of a module with two parents counts four times", about=("products counted again",)),
        ),
    ),
    Counter(
        name="torchinfo", package="torchinfo", release="1.8.0", unit="MAC",
        call="summary(model, input_data=inputs).total_mult_adds",
        rules=(Rules(sees="parameters of modules without submodules", view=torchinfo_parameters, table=TORCHINFO),),
        notes=(
            Note(text="a linear layer's weights count once for each example, whatever the number of positions",
                 about=("products by its own rule",)),
            _MODULES,
            _BY_OUTPUT,
        ),
    ),
    Counter(
        name="calflops", package="calflops", release="0.3.2", unit="FLOP",
        call="calculate_flops(model, args=inputs)[0]",
        rules=(Rules(sees=f"{_BY_NAME}; recurrent modules", view=_calflops, table=CALFLOPS),),
        notes=(_ATTENTION, _GROUPS_TWICE, _SYMBOLS),
    ),
    Counter(
        name="calflops-macs", package="calflops", release="0.3.2", unit="MAC",
        call="calculate_flops(model, args=inputs)[1]",
        rules=(Rules(sees=f"{_BY_NAME}; recurrent modules", view=_calflops, table=CALFLOPS_MACS),),
        notes=(_ATTENTION, _UNTRACKED, _GROUPS_TWICE, _SYMBOLS),
    ),
    Counter(
        name="torchprofile", package="torchprofile", release="0.1.0", unit="MAC",
        call="profile_macs(model, inputs)",
        rules=(Rules(sees="operators of a traced graph", view=traced, table=TORCHPROFILE),),
        notes=(
            _BY_OUTPUT,
            Note(text="a product of two tensors, number by number, is as many MACs", about=("elementwise",)),
            _SAME,
            Note(text="each product of lengths (h * w) in the model's code adds one, and only torch.jit shows it"),
        ),
    ),
    Counter(
        name="deepspeed", package="deepspeed", release="0.19.8", unit="FLOP",
        call="get_model_profile(model, args=inputs)[0]",
        rules=(Rules(sees=f"{_BY_NAME}; recurrent modules", view=_deepspeed, table=DEEPSPEED),),
    ),
    Counter(
        name="deepspeed-macs", package="deepspeed", release="0.19.8", unit="MAC",
        call="get_model_profile(model, args=inputs)[1]",
        rules=(Rules(sees=f"{_BY_NAME}; recurrent modules", view=_deepspeed, table=DEEPSPEED_MACS),),
        notes=(_UNTRACKED,),
    ),
)  # fmt: skip
"""The counters that can be re-enacted, in the order of the tables."""


def choose_counters(names: Iterable[str]) -> tuple[Counter, ...]:
    """The counters called ``names``; ``all`` stands for every one.

    Raises :class:`SepcalcError` for an unknown name, with the closest known.
    """
    known = {counter.name: (counter,) for counter in COUNTERS} | {"all": COUNTERS}
    chosen: dict[str, Counter] = {}
    for name in names:
        if name not in known:
            raise SepcalcError(f"unknown counter '{name}'{closest(name, known)}")
        chosen.update((counter.name, counter) for counter in known[name])
    return tuple(chosen.values())
