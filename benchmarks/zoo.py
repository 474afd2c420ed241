"""Every model of timm and every classification model of torchvision, imported and held against torch's own counter.

    python benchmarks/zoo.py                 # all of both; an hour on a slow machine
    python benchmarks/zoo.py --limit 300     # the 300 of timm that come first, and torchvision's
    python benchmarks/zoo.py --only 'vit_*'

A model is *exact* where the import's parameters are those of ``model.parameters()`` and its multiply-adds half of what
``FlopCounterMode`` counts while the same run goes on; *different* where one of them is not; *refused* where
the model cannot be built or run at all. timm's models are run at the input that they name themselves. Exit 1 at a
difference, or where over 3 % are refused.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from time import perf_counter
from typing import Any

from counters import model_zoo

from sepcalc.errors import SepcalcError
from sepcalc.inputs import Input
from sepcalc.network import Network

MOST_REFUSED = 0.03
"""The share of models that may be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one model."""

    name: str
    verdict: str
    detail: str = ""
    seconds: float = 0.0


def judge(name: str, build: Callable[[], Any], inputs: tuple[Input, ...] = ()) -> Outcome:
    """Import what ``build`` returns, count the same run with torch's counter, and compare the two."""
    from torch.utils.flop_counter import FlopCounterMode

    from sepcalc.folding import to_network
    from sepcalc.torch_import import trace

    built: list[Any] = []
    began = perf_counter()
    with FlopCounterMode(display=False) as counter:

        def counted() -> Any:
            # A run that failed, and is done anew in another way, must not be in the count.
            counter.flop_counts.clear()
            # The counter's module tracker fails on a parameter that needs a gradient and is handed to a module.
            built.append(build().requires_grad_(False))
            return built[-1]

        try:
            done = trace(counted, name, inputs=inputs)
        except SepcalcError as error:
            return Outcome(name=name, verdict="refused", detail=str(error), seconds=perf_counter() - began)
    network = to_network(done)
    params = sum(each.numel() for each in built[-1].parameters())
    return compared(name, network, params, int(counter.get_total_flops()), perf_counter() - began, done.notes)


def compared(name: str, network: Network, params: int, flops: int, seconds: float, notes: tuple[str, ...]) -> Outcome:
    """The verdict on one import."""
    wrong = []
    if network.cost.params != params:
        wrong.append(f"{network.cost.params:,} parameters, the model has {params:,}")
    if 2 * network.cost.macs != flops:
        wrong.append(f"{network.cost.macs:,} MACs, torch counts {flops:,} FLOPs")
    missing = sorted({each.type for each in network.uncounted})
    said = [f"uncounted: {', '.join(missing)}"] if missing else []
    told = [note for note in notes if "was run with" in note or "was run on fake" in note or "on real" in note]
    return Outcome(
        name=name,
        verdict="different" if wrong else "exact",
        detail="; ".join((*wrong, *said, *told)),
        seconds=seconds,
    )


def torchvision_models() -> Iterator[tuple[str, Callable[[], Any], tuple[Input, ...]]]:
    """Torchvision's classification models, each with its usual input."""
    zoo = model_zoo()
    for name in zoo.list_models(module=zoo):
        side = 299 if name == "inception_v3" else 224
        yield (
            f"torchvision {name}",
            lambda name=name: zoo.get_model(name, weights=None),
            (Input(shape=(1, 3, side, side)),),
        )


def timm_models() -> Iterator[tuple[str, Callable[[], Any], tuple[Input, ...]]]:
    """Timm's models, each at the input that it names."""
    model_zoo()
    import timm

    for name in timm.list_models():
        yield f"timm {name}", lambda name=name: timm.create_model(name), ()


def chosen(limit: int | None, only: str) -> Iterator[tuple[str, Callable[[], Any], tuple[Input, ...]]]:
    """The models to walk: torchvision's, then timm's up to ``limit``."""
    for models, most in ((torchvision_models(), None), (timm_models(), limit)):
        matching = [each for each in models if fnmatchcase(each[0].partition(" ")[2], only)]
        yield from matching[:most]


def main() -> int:
    """Walk the models, print a line for each, and the sums; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--limit", type=int, help="so many of timm's models")
    parser.add_argument("--only", default="*", help="models with names like this")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    verdicts: Counter[str] = Counter()
    for name, build, inputs in chosen(options.limit, options.only):
        outcome = judge(name, build, inputs)
        verdicts[outcome.verdict] += 1
        print(f"{outcome.verdict:9} {outcome.seconds:6.2f} s  {name}  {outcome.detail}", flush=True)
    total = sum(verdicts.values())
    print(f"{total:,} models: " + ", ".join(f"{verdicts[each]:,} {each}" for each in ("exact", "different", "refused")))
    return int(bool(verdicts["different"]) or verdicts["refused"] > MOST_REFUSED * total)


if __name__ == "__main__":
    sys.exit(main())
