"""How long importing a PyTorch model takes beside fvcore's count of it, and how much memory a large one needs.

    python benchmarks/importing.py
    python benchmarks/importing.py --check          # exit 1 where a target is missed

Both build torchvision's model and say what it costs, in turns, in one warm process: sepcalc builds and runs it on the
meta device, fvcore needs real tensors. *Built* leaves building out of both. Memory is that of a whole process
that imports a transformer of 1.64 billion parameters, torch and all.
"""

from __future__ import annotations

import sys
from functools import partial
from random import Random
from typing import Any

import counters
from interleave import (
    Report,
    Target,
    arguments,
    describe,
    dice,
    figures,
    finish,
    in_turns,
    machine,
    milliseconds,
    process,
    ratio,
    show,
    summary,
    timed,
)

PACKAGES = ("sepcalc", "torch", "torchvision", "fvcore")

LARGE = """
from torch import nn
from sepcalc.folding import to_network
from sepcalc.inputs import parse_input
from sepcalc.torch_import import trace

def build():
    layer = nn.TransformerEncoderLayer(1600, 25, 6400, batch_first=True, norm_first=True)
    layers = nn.TransformerEncoder(layer, 48)
    return nn.Sequential(nn.Embedding(50257, 1600), layers, nn.Linear(1600, 50257, bias=False))

print(to_network(trace(build, "large:build", inputs=[parse_input("1x1024:int64")])).cost.params)
"""
"""A program that imports a model as large as GPT-2 XL, its head untied: 1,636,380,800 parameters."""


def imported(network: str) -> int:
    """Sepcalc's MACs of torchvision's ``network``, from its name."""
    from sepcalc.inputs import Input
    from sepcalc.sources import open_source

    return open_source(f"torchvision.models:{network}", inputs=[Input(shape=(1, 3, 224, 224))]).cost.macs


def folded(model: Any, image: Any) -> int:
    """Sepcalc's MACs of a model that is built on the meta device."""
    from sepcalc.folding import to_network
    from sepcalc.torch_run import record

    return to_network(record(model, [image], {}, "built")).cost.macs


def report(network: str, *, rounds: int, rng: Random, markdown: bool) -> Report:
    """Time both, print the table, and judge the targets."""
    real, meta = counters.build(network, "cpu"), counters.build(network, "meta")
    if imported(network) != counters.MACS[network] or counters.fvcore(*real) != counters.KNOWN["fvcore"][network]:
        raise RuntimeError(f"a total of {network} is not the one that is known")
    candidates = {
        "sepcalc": timed(lambda _: imported(network), lambda: None),
        "fvcore": timed(lambda _: counters.fvcore(*counters.build(network, "cpu")), lambda: None),
        "sepcalc, built": timed(lambda _: folded(*meta), lambda: None),
        "fvcore, built": timed(lambda _: counters.fvcore(*real), lambda: None),
    }
    samples = in_turns(candidates, rounds=rounds, rng=rng)
    rows = [
        (name, milliseconds(summary(each).median), milliseconds(summary(each).minimum))
        for name, each in samples.items()
    ]
    show(f"Importing {network}", ("", "median, ms", "minimum, ms"), rows, markdown=markdown)
    found = partial(ratio, rng=rng)
    return Report(
        samples=samples,
        targets=(
            Target(what="sepcalc / fvcore", value=found(samples["sepcalc"], samples["fvcore"]), at_most=1),
            Target(
                what="sepcalc / fvcore, built",
                value=found(samples["sepcalc, built"], samples["fvcore, built"]),
                at_most=1,
            ),
        ),
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
    parser = arguments(__doc__ or "")
    options = parser.parse_args()
    facts = machine(PACKAGES)
    print(describe(facts))
    # First, while this process is small: a child's peak begins with what its parent holds.
    reports = {"memory": memory()}
    counters.quiet()
    reports["resnet50"] = report(
        "resnet50", rounds=options.rounds or 15, rng=dice(options.seed), markdown=options.markdown
    )
    return finish(reports, facts, path=options.json, check=options.check)


if __name__ == "__main__":
    sys.exit(main())
