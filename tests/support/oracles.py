"""The counters of others, called for their totals. Each works on a copy: some leave hooks or attributes behind."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from typing import Any

Total = Callable[[Any, tuple[Any, ...]], int]


def model_zoo() -> Any:
    """``torchvision.models``, also where torchvision's compiled operators do not fit the installed torch.

    The models need none of them, but the import fails without the declarations of two.
    """
    import torch

    try:
        import torchvision
    except RuntimeError:
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision.models


def flop_counter_mode(model: Any, inputs: tuple[Any, ...]) -> int:
    """Torch's own dispatch mode."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(*inputs)
    return int(counter.get_total_flops())


def fvcore(model: Any, inputs: tuple[Any, ...]) -> int:
    """Facebook's tracing counter."""
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(model, inputs)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    return int(analysis.total())


def _ptflops(backend: str) -> Total:
    def total(model: Any, inputs: tuple[Any, ...]) -> int:
        from inspect import signature

        from ptflops import get_model_complexity_info

        names = list(signature(model.forward).parameters)
        given = inputs[0] if len(inputs) == 1 else dict(zip(names, inputs, strict=True))
        macs, _ = get_model_complexity_info(
            model,
            (1,),
            as_strings=False,
            print_per_layer_stat=False,
            verbose=False,
            backend=backend,
            input_constructor=lambda _: given,
        )
        return int(macs)

    return total


def thop(model: Any, inputs: tuple[Any, ...]) -> int:
    """Hooks on modules."""
    from thop import profile

    return int(profile(model, inputs, verbose=False)[0])


def torchinfo(model: Any, inputs: tuple[Any, ...]) -> int:
    """The summary of modules."""
    from torchinfo import summary

    return int(summary(model, input_data=list(inputs), verbose=0).total_mult_adds)


def calflops(model: Any, inputs: tuple[Any, ...]) -> tuple[int, int]:
    """Patched functions: FLOPs and MACs."""
    with _tokenizers():
        from calflops import calculate_flops
    flops, macs, _ = calculate_flops(
        model=model, args=list(inputs), output_as_string=False, print_results=False, print_detailed=False
    )
    return int(flops), int(macs)


@contextlib.contextmanager
def _tokenizers() -> Iterator[None]:
    """What calflops imports of transformers, which it needs for tokenizers alone."""
    if "transformers" in sys.modules or "calflops" in sys.modules:
        yield
        return
    stand_in = types.ModuleType("transformers")
    stand_in.__spec__ = ModuleSpec("transformers", None)
    stand_in.__dict__.update(AutoTokenizer=None, AutoConfig=None, AutoModel=None)
    sys.modules["transformers"] = stand_in
    try:
        yield
    finally:
        del sys.modules["transformers"]


def torchprofile(model: Any, inputs: tuple[Any, ...]) -> int:
    """Multiply-adds of a traced graph."""
    from torchprofile import profile_macs

    return int(profile_macs(model, inputs))


def deepspeed(model: Any, inputs: tuple[Any, ...]) -> tuple[int, int]:
    """Patched functions: FLOPs and MACs."""
    from deepspeed.profiling.flops_profiler import get_model_profile

    flops, macs, _ = get_model_profile(model, args=list(inputs), print_profile=False, as_string=False, warm_up=0)
    return int(flops), int(macs)


TOTALS: dict[str, Total] = {
    "flop-counter-mode": flop_counter_mode,
    "fvcore": fvcore,
    "ptflops": _ptflops("pytorch"),
    "ptflops-aten": _ptflops("aten"),
    "thop": thop,
    "torchinfo": torchinfo,
    "torchprofile": torchprofile,
}

PAIRS: dict[tuple[str, str], Callable[[Any, tuple[Any, ...]], tuple[int, int]]] = {
    ("calflops", "calflops-macs"): calflops,
    ("deepspeed", "deepspeed-macs"): deepspeed,
}

SHAPES_ALONE = frozenset({"flop-counter-mode", "ptflops-aten", "thop", "torchinfo"})
"""Counters that print the same where tensors have shapes alone, and there they take no time.

Tracers need real tensors; and on the meta device PyTorch itself calls functions that others have replaced.
"""


def real_totals(model: Any, *inputs: Any, on_meta: bool = False) -> dict[str, int]:
    """What each tool prints for ``model``, in silence; ``on_meta`` puts it on the meta device where a tool can."""
    model_zoo()
    found: dict[str, int] = {}
    for name, total in TOTALS.items():
        found[name] = _quietly(total, model, inputs, on_meta=on_meta and name in SHAPES_ALONE)
    for names, both in PAIRS.items():
        found.update(zip(names, _quietly(both, model, inputs, on_meta=False), strict=True))
    return found


def _quietly(total: Callable[..., Any], model: Any, inputs: tuple[Any, ...], *, on_meta: bool) -> Any:
    copied = copy.deepcopy(model)
    if on_meta:
        copied, inputs = copied.to("meta"), tuple(each.to("meta") for each in inputs)
    silence = io.StringIO()
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            warnings.simplefilter("ignore")
            return total(copied, inputs)
    finally:
        logging.disable(logging.NOTSET)
