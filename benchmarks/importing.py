"""How long importing a PyTorch model takes beside fvcore's count of it, and how much memory a large one needs.

    python benchmarks/importing.py
    python benchmarks/importing.py --check          # exit 1 where a target is missed

Both build torchvision's model and say what it costs, in turns, in one warm process: sepcalc builds and runs it on the
meta device, fvcore needs real tensors. *Built* leaves building out of both. Memory is that of a whole process
that imports a transformer of 1.64 billion parameters, torch and all.
"""

from __future__ import annotations

import sys
from fractions import Fraction
from functools import partial
from typing import Any

import counters
from harness import (
    MEDIAN,
    MINIMUM,
    NAME,
    Report,
    Target,
    arguments,
    describe,
    exactly,
    figures,
    finish,
    interval,
    machine,
    measured,
    process,
    show,
    starred,
)

from sepcalc.core.table import Cell
from sepcalc.measure.loop import Call
from sepcalc.measure.statistics import ratio, summarize

PACKAGES = ("sepcalc", "torch", "torchvision", "fvcore")

LARGE = """
from torch import nn
from sepcalc.readers.pytorch.layers import to_network
from sepcalc.readers.inputs import Request, parse_input
from sepcalc.readers.pytorch.model import trace

def build():
    layer = nn.TransformerEncoderLayer(1600, 25, 6400, batch_first=True, norm_first=True)
    layers = nn.TransformerEncoder(layer, 48)
    return nn.Sequential(nn.Embedding(50257, 1600), layers, nn.Linear(1600, 50257, bias=False))

request = Request(source="large:build", inputs=(parse_input("1x1024:int64"),))
print(to_network(trace(build, request)).cost.params)
"""
"""A program that imports a model as large as GPT-2 XL, its head untied: 1,636,380,800 parameters."""


def imported(network: str) -> int:
    """Sepcalc's MACs of torchvision's ``network``, from its name."""
    from sepcalc.readers.inputs import Input
    from sepcalc.readers.sources import open_source

    return open_source(f"torchvision.models:{network}", inputs=[Input(shape=(1, 3, 224, 224))]).cost.macs


def folded(model: Any, image: Any) -> int:
    """Sepcalc's MACs of a model that is built on the meta device."""
    from sepcalc.readers.pytorch.layers import to_network
    from sepcalc.readers.pytorch.recorder import record

    return to_network(record(model, [image], {}, "built")).cost.macs


def report(network: str, *, rounds: int, seed: int, markdown: bool) -> Report:
    """Time both, print the table, and judge the targets."""
    real, meta = counters.build(network, "cpu"), counters.build(network, "meta")
    if imported(network) != counters.MACS[network] or counters.fvcore(*real) != counters.KNOWN["fvcore"][network]:
        raise RuntimeError(f"a total of {network} is not the one that is known")
    candidates: dict[str, Call] = {
        "sepcalc": partial(imported, network),
        "fvcore": lambda: counters.fvcore(*counters.build(network, "cpu")),
        "sepcalc, built": partial(folded, *meta),
        "fvcore, built": partial(counters.fvcore, *real),
    }
    times = {each.key: each for each in measured(candidates, exactly(rounds, seed)).series}

    def row(name: str) -> list[Cell]:
        found = summarize(times[name])
        return [starred(name, found), interval(found), Fraction(found.minimum_s)]

    show(f"Importing {network}", (NAME, MEDIAN, MINIMUM), map(row, times), markdown=markdown)
    pairs = {f"sepcalc / fvcore{how}": (times[f"sepcalc{how}"], times[f"fvcore{how}"]) for how in ("", ", built")}
    return Report(
        samples=times,
        targets=tuple(Target(what=what, value=ratio(*pair), at_most=1) for what, pair in pairs.items()),
    )


def memory() -> Report:
    """Import the large model in a process of its own."""
    done = process([sys.executable, "-c", LARGE])
    gigabytes = done.peak_bytes / 1e9
    print(f"{int(done.output):,} parameters: {figures(gigabytes)} GB, {figures(done.wall_s)} s.\n")
    target = Target(what="peak memory of a billion parameters, GB", value=gigabytes, at_most=1)
    return Report(samples={"large": done}, targets=(target,))


def main() -> int:
    """Measure; the exit code."""
    options = arguments(__doc__ or "").parse_args()
    facts = machine(PACKAGES)
    print(describe(facts))
    # First, while this process is small: a child's peak begins with what its parent holds.
    reports = {"memory": memory()}
    counters.quiet()
    rounds = options.rounds or 15
    reports["resnet50"] = report("resnet50", rounds=rounds, seed=options.seed, markdown=options.markdown)
    return finish(reports, facts, options)


if __name__ == "__main__":
    sys.exit(main())
