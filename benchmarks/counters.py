"""The counters of others, each called in the fastest way that still counts, and what each of them says.

As a program it is one counter's whole process: import it, build the model, count, print the total.

    python benchmarks/counters.py "ptflops aten" resnet50 meta

A model may stand on ``cpu`` or on ``meta``, torch's device of shapes without data: where nothing is
computed counting can be faster, and building the model always is. fvcore and torchprofile cannot use it.
Gradients are off. No counter says exactly what another says; ``KNOWN`` holds the totals of the pinned
versions, so that a run in which one counted nothing is not mistaken for a fast one.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any

Counter = Callable[[Any, Any], int]

MACS = {"resnet50": 4_089_184_256, "mobilenet_v2": 300_774_272}
"""Multiply-adds of convolution and linear layers alone at 224×224."""

KNOWN = {
    "fvcore": {"resnet50": 4_111_512_576, "mobilenet_v2": 314_193_216},
    "torchinfo": {"resnet50": 4_089_238_376, "mobilenet_v2": 300_809_384},
    "thop": {"resnet50": 4_133_742_592, "mobilenet_v2": 327_486_720},
    "ptflops pytorch": {"resnet50": 4_132_436_968, "mobilenet_v2": 320_300_008},
    "ptflops aten": {"resnet50": 4_089_185_256, "mobilenet_v2": 300_775_272},
    "calflops": {"resnet50": 4_089_184_256, "mobilenet_v2": 300_774_272},
    "torchprofile": {"resnet50": 4_100_300_288, "mobilenet_v2": 307_453_664},
    "torch FlopCounterMode": {"resnet50": 8_178_368_512, "mobilenet_v2": 601_548_544},  # FLOPs: two to a MAC
}
"""What each counter says of torchvision's models, in its own unit."""

PACKAGES = ("torch", "torchvision", "fvcore", "torchinfo", "thop", "ptflops", "calflops", "torchprofile")

COMPUTES = frozenset({"fvcore", "torchprofile"})
"""Counters that trace real tensors, and fail on ``meta``."""


def fvcore(model: Any, image: Any) -> int:
    """Facebook's tracing counter."""
    from fvcore.nn import FlopCountAnalysis

    analysis = FlopCountAnalysis(model, image)
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    return int(analysis.total())


def torchinfo(model: Any, image: Any) -> int:
    """The summary of modules; its printing is off."""
    from torchinfo import summary

    return int(summary(model, input_data=image, verbose=0, device=image.device).total_mult_adds)


def thop(model: Any, image: Any) -> int:
    """Hooks on modules."""
    from thop import profile

    return int(profile(model, (image,), verbose=False)[0])


def _ptflops(model: Any, image: Any, backend: str) -> int:
    from ptflops import get_model_complexity_info

    macs, _ = get_model_complexity_info(
        model,
        tuple(image.shape[1:]),
        as_strings=False,
        print_per_layer_stat=False,
        verbose=False,
        backend=backend,
        # The name of torchvision's only argument; positional inputs are not taken from a constructor.
        input_constructor=lambda _: {"x": image},
    )
    return int(macs)


def ptflops_pytorch(model: Any, image: Any) -> int:
    """Hooks on modules and patched functions."""
    return _ptflops(model, image, "pytorch")


def ptflops_aten(model: Any, image: Any) -> int:
    """A dispatch mode, below the modules."""
    return _ptflops(model, image, "aten")


def calflops(model: Any, image: Any) -> int:
    """Hooks on modules and patched functions; its reports are off."""
    from calflops import calculate_flops

    _, macs, _ = calculate_flops(
        model=model, args=[image], output_as_string=False, print_results=False, print_detailed=False
    )
    return int(macs)


def torchprofile(model: Any, image: Any) -> int:
    """Multiply-adds of a traced graph."""
    from torchprofile import profile_macs

    macs: Any = profile_macs(model, image)
    return int(macs)


def flop_counter_mode(model: Any, image: Any) -> int:
    """Torch's own dispatch mode: FLOPs, two to a MAC."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        model(image)
    return int(counter.get_total_flops())


COUNTERS: dict[str, Counter] = {
    "fvcore": fvcore,
    "torchinfo": torchinfo,
    "thop": thop,
    "ptflops pytorch": ptflops_pytorch,
    "ptflops aten": ptflops_aten,
    "calflops": calflops,
    "torchprofile": torchprofile,
    "torch FlopCounterMode": flop_counter_mode,
}


def model_zoo() -> Any:
    """``torchvision.models``, also where torchvision's compiled operators do not fit the installed torch.

    The models need none of them, but the import fails without the declarations of two.
    """
    import torch

    try:
        import torchvision
    except RuntimeError:
        operators: Any = torch.library
        library = operators.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision
    return torchvision.models


def build(network: str, device: str) -> tuple[Any, Any]:
    """Torchvision's ``network`` without trained weights, ready to run, and an image of 224×224 for it."""
    import torch

    with torch.device(device):
        return getattr(model_zoo(), network)(weights=None).eval(), torch.zeros(1, 3, 224, 224)


def quiet() -> None:
    """One thread, no gradients, and no advice from the counters."""
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    logging.disable(logging.CRITICAL)
    warnings.filterwarnings("ignore")


def main() -> None:
    """Count once, as a process of its own: ``counters.py COUNTER NETWORK DEVICE``."""
    _, counter, network, device = sys.argv
    quiet()
    print(COUNTERS[counter](*build(network, device)))


if __name__ == "__main__":
    main()
