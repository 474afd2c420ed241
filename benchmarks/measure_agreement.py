"""Two clocks on the same modules: ``sepcalc.measure`` beside ``torch.utils.benchmark``.

    python benchmarks/measure_agreement.py
    python benchmarks/measure_agreement.py --check         # exit 1 where they differ by more than 5 %

The standard, depthwise separable and spatial separable form of some convolutions, on one thread. Each round times the
forms of a layer once with sepcalc, in turns as ``sepcalc measure`` does, and once each with
``Timer.blocked_autorange``, one after the other; the order is random. Both call the very same objects under the same
conditions, and of both the median counts. The ratio is sepcalc's time / torch's.

The target is for a machine that does nothing else. On a busy one torch's median may be a multiple: its samples last
about 3 ms, as long as a turn on the processor, and so most of them are cut in two; sepcalc's last 1 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from random import Random
from statistics import median

from interleave import (
    Ratio,
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
    ratio,
    show,
    summary,
)
from torch.utils.benchmark import Timer

from sepcalc.inputs import Input
from sepcalc.measure import Call, Candidate, Plan, measure
from sepcalc.measure_conditions import Conditions
from sepcalc.spec import ConvSpec
from sepcalc.torch_backend import build
from sepcalc.torch_samplers import sampler
from sepcalc.torch_timing import held, prepare
from sepcalc.variants import choose

LAYERS = {
    "64 → 64 at 28": ConvSpec.of(64, 64, 3, size=28),
    "64 → 128 at 56": ConvSpec.of(64, 128, 3, size=56),
    "512 → 512 at 14": ConvSpec.of(512, 512, 3, size=14),
}
TOLERANCE = 0.05
PACKAGES = ("sepcalc", "torch")
"""What the figures depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """How long one look takes with each: the plan of sepcalc's, and the least that torch's runs for, in seconds."""

    plan: Plan = field(default_factory=partial(Plan, rounds=20, time_s=0.3, warmup_s=0.05))
    least_s: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What both found for one form of a layer, round by round, in seconds."""

    sepcalc: list[float]
    torch: list[float]


def forms(spec: ConvSpec, conditions: Conditions) -> dict[str, Call]:
    """What is timed: one call of each of the first three variants."""
    given = [Input(shape=(1, spec.c_in, *(spec.size or ())))]
    return {each.name: prepare(build(each(spec)), given, conditions) for each in choose()}


def by_sepcalc(calls: Mapping[str, Call], plan: Plan) -> dict[str, float]:
    """The median time of each call, all of them in one measurement.

    Raises :class:`RuntimeError` where one of them fails.
    """
    run = sampler(Conditions())
    found = measure([Candidate(key=name, call=call) for name, call in calls.items()], plan, run=run)
    for failure in found.failures:
        raise RuntimeError(f"{failure.key} failed: {failure.reason}")
    return {each.key: median(each.samples) for each in found.series}


def by_torch(name: str, call: Call, least_s: float) -> dict[str, float]:
    """The median time of one call, as torch's own timer finds it."""
    return {name: float(Timer("call()", globals={"call": call}).blocked_autorange(min_run_time=least_s).median)}


def compared(spec: ConvSpec, clocks: Clocks, *, rounds: int, rng: Random) -> dict[str, Times]:
    """The times that both find for each form of ``spec``, round by round."""
    conditions = Conditions()
    with held(conditions):
        calls = forms(spec, conditions)
        looks = {"sepcalc": partial(by_sepcalc, calls, clocks.plan)}
        looks |= {name: partial(by_torch, name, call, clocks.least_s) for name, call in calls.items()}
        taken = in_turns(looks, rounds=rounds, rng=rng)
    return {
        name: Times(sepcalc=[each[name] for each in taken["sepcalc"]], torch=[each[name] for each in taken[name]])
        for name in calls
    }


def row(name: str, times: Times, between: Ratio) -> list[str]:
    """One form of a layer, in milliseconds."""
    own, its = summary(times.sepcalc), summary(times.torch)
    star = " *" if own.unsteady or its.unsteady else ""
    medians = [milliseconds(each.median) for each in (own, its)]
    return [name + star, *medians, str(between), figures(between.of_minima)]


def report(times: Mapping[str, Times], *, rng: Random, markdown: bool) -> Report:
    """Print the table of all layers; their samples, and the promise for each."""
    ratios = {name: ratio(each.sepcalc, each.torch, rng=rng) for name, each in times.items()}
    show(
        "Median of a call, ms; ratio sepcalc / torch by rounds [95 %]",
        ["", "sepcalc", "torch.utils.benchmark", "ratio [95 %]", "of minima"],
        [row(name, times[name], between) for name, between in ratios.items()],
        markdown=markdown,
    )
    return Report(
        samples={name: asdict(each) for name, each in times.items()},
        targets=tuple(
            Target(what=f"{name}, sepcalc / torch", value=each, at_least=1 - TOLERANCE, at_most=1 + TOLERANCE)
            for name, each in ratios.items()
        ),
    )


def main() -> int:
    """Measure, print and judge; the exit code."""
    given = arguments(__doc__ or "").parse_args()
    rng, facts = dice(given.seed), machine(PACKAGES)
    print(describe(facts))
    times = {
        f"{layer}, {form}": each
        for layer, spec in LAYERS.items()
        for form, each in compared(spec, Clocks(), rounds=given.rounds or 15, rng=rng).items()
    }
    found = report(times, rng=rng, markdown=given.markdown)
    return finish({"agreement": found}, facts, path=given.json, check=given.check)


if __name__ == "__main__":
    sys.exit(main())
