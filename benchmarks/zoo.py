"""Every model of timm and every classification model of torchvision, imported and held against torch's own counter.

    python benchmarks/zoo.py                 # all of both; an hour on a slow machine
    python benchmarks/zoo.py --limit 300     # the 300 of timm that come first, and torchvision's
    python benchmarks/zoo.py --only 'vit_*'

A model is *exact* where the import's parameters are those of ``model.parameters()`` and its multiply-adds half of what
``FlopCounterMode`` counts while the same run goes on, and where both are what torchvision documents for its weights;
*different* where one of them is not; *refused* where the model cannot be built or run at all. Each is run at
the input that its weights or it itself name. Exit 1 at a difference, or where over 3 % are refused.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any

from counters import model_zoo

from sepcalc.core.errors import SepcalcError
from sepcalc.core.network import Network
from sepcalc.readers.inputs import Input, Request

MOST_REFUSED = 0.03
"""The share of models that may be refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model of a zoo: how it is built and run, and its documented parameters and billions of multiply-adds."""

    name: str
    build: Callable[[], Any]
    inputs: tuple[Input, ...] = ()
    documented: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one model."""

    name: str
    verdict: str
    detail: str = ""
    seconds: float = 0.0


def judge(model: Model) -> Outcome:
    """Import ``model``, count the same run with torch's counter, and compare the two."""
    from torch.utils.flop_counter import FlopCounterMode

    from sepcalc.readers.pytorch.layers import to_network
    from sepcalc.readers.pytorch.model import trace

    built: list[Any] = []
    began = perf_counter()
    with FlopCounterMode(display=False) as counter:

        def counted() -> Any:
            # The counter's module tracker fails on a parameter that needs a gradient and is handed to a module.
            built.append(model.build().requires_grad_(False))
            # Neither what a constructor runs nor a run that failed, and is done anew, belongs to the count.
            counter.flop_counts.clear()
            return built[-1]

        try:
            done = trace(counted, Request(source=model.name, inputs=model.inputs))
        except SepcalcError as error:
            return Outcome(name=model.name, verdict="refused", detail=str(error), seconds=perf_counter() - began)
    network = to_network(done)
    params = sum(each.numel() for each in built[-1].parameters())
    wrong = differences(network, params, int(counter.get_total_flops()), model.documented)
    missing = sorted({each.type for each in network.uncounted})
    said = [f"uncounted: {', '.join(missing)}"] if missing else []
    told = [note for note in done.notes if " was run with" in note or " tensors, since" in note]
    return Outcome(
        name=model.name,
        verdict="different" if wrong else "exact",
        detail="; ".join((*wrong, *said, *told)),
        seconds=perf_counter() - began,
    )


def differences(network: Network, params: int, flops: int, documented: tuple[int, float] | None = None) -> list[str]:
    """What of an import is not what the model, torch's counter and the documentation say."""
    found, wrong = network.cost, []
    if found.params != params:
        wrong.append(f"{found.params:,} parameters, the model has {params:,}")
    if 2 * found.macs != flops:
        wrong.append(f"{found.macs:,} MACs, torch counts {flops:,} FLOPs")
    if documented is not None and (found.params, round(found.macs / 1e9, 3)) != documented:
        wrong.append(f"{found.params:,} parameters and {found.macs:,} MACs, documented are {documented}")
    return wrong


def torchvision_models() -> Iterator[Model]:
    """Torchvision's classification models, once for each of their weights, at the size that these are for."""
    zoo = model_zoo()
    for name in zoo.list_models(module=zoo):
        for weights in zoo.get_model_weights(name):
            (side,) = weights.transforms().crop_size
            # What is documented of GoogLeNet leaves its auxiliary classifiers out; transformers are built for a size.
            options = (
                {"aux_logits": False} if name == "googlenet" else {"image_size": side} if "vit" in name[:3] else {}
            )
            yield Model(
                name=f"torchvision {name}",
                build=partial(zoo.get_model, name, weights=None, **options),
                inputs=(Input(shape=(1, 3, side, side)),),
                documented=(weights.meta["num_params"], weights.meta["_ops"]),
            )


def timm_models() -> Iterator[Model]:
    """Timm's models, each at the input that it names."""
    model_zoo()
    import timm

    for name in timm.list_models():
        yield Model(name=f"timm {name}", build=partial(timm.create_model, name))


def chosen(limit: int | None, only: str) -> Iterator[Model]:
    """The models to walk: torchvision's, then timm's up to ``limit``."""
    for models, most in ((torchvision_models(), None), (timm_models(), limit)):
        yield from islice((each for each in models if fnmatchcase(each.name.partition(" ")[2], only)), most)


def main() -> int:
    """Walk the models, print a line for each, and the sums; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--limit", type=int, help="so many of timm's models")
    parser.add_argument("--only", default="*", help="models with names like this")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    verdicts: Counter[str] = Counter()
    for model in chosen(options.limit, options.only):
        outcome = judge(model)
        verdicts[outcome.verdict] += 1
        print(f"{outcome.verdict:9} {outcome.seconds:6.2f} s  {model.name}  {outcome.detail}", flush=True)
    total = sum(verdicts.values())
    print(f"{total:,} models: " + ", ".join(f"{verdicts[each]:,} {each}" for each in ("exact", "different", "refused")))
    return int(bool(verdicts["different"]) or verdicts["refused"] > MOST_REFUSED * total)


if __name__ == "__main__":
    sys.exit(main())
