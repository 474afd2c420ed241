"""Two clocks on the same modules: ``sepcalc.measure.loop`` beside ``torch.utils.benchmark``.

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

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from statistics import median

from harness import (
    NAME,
    OF_MINIMA,
    RATIO,
    Report,
    Target,
    benchmark,
    in_turns,
    interval,
    measured,
    series,
    show,
    starred,
)
from torch.utils.benchmark import Timer

from sepcalc.builders.torch_stages import build_stages
from sepcalc.core.spec import ConvSpec
from sepcalc.core.table import Cell, Column
from sepcalc.core.variants import choose
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Plan, Series
from sepcalc.measure.pytorch.calls import held, prepare
from sepcalc.measure.pytorch.devices import sampler
from sepcalc.measure.statistics import PairedRatio, paired_ratio, summarize
from sepcalc.readers.inputs import Input

LAYERS = {
    "64 → 64 at 28": ConvSpec.of(64, 64, 3, size=28),
    "64 → 128 at 56": ConvSpec.of(64, 128, 3, size=56),
    "512 → 512 at 14": ConvSpec.of(512, 512, 3, size=14),
}
TOLERANCE = 0.05
PACKAGES = ("sepcalc", "torch")

COLUMNS = (
    NAME,
    Column(key="sepcalc_s", title="sepcalc, ms", kind="time", unit="ms"),
    Column(key="torch_s", title="torch.utils.benchmark, ms", kind="time", unit="ms"),
    RATIO,
    OF_MINIMA,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """How long one look takes with each: the plan of sepcalc's, and the least that torch's runs for, in seconds."""

    plan: Plan = field(default_factory=partial(Plan, rounds=20, time_s=0.3, warmup_s=0.05))
    least_s: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What both found for one form of a layer, round by round."""

    sepcalc: Series
    torch: Series

    @property
    def ratio(self) -> PairedRatio:
        """How many times as long a call takes by sepcalc."""
        return paired_ratio(self.sepcalc, self.torch)


def forms(spec: ConvSpec, conditions: Conditions) -> dict[str, Call]:
    """What is timed: one call of each of the first three variants."""
    given = [Input(shape=(1, spec.c_in, *(spec.size or ())))]
    return {each.name: prepare(build_stages(each(spec)), given, conditions) for each in choose()}


def by_sepcalc(calls: Mapping[str, Call], plan: Plan) -> dict[str, float]:
    """The median time of each call, all of them in one measurement."""
    return {name: median(taken.samples) for name, taken in measured(calls, plan, sampler(Conditions())).series.items()}


def by_torch(name: str, call: Call, least_s: float) -> dict[str, float]:
    """The median time of one call, as torch's own timer finds it."""
    return {name: float(Timer("call()", globals={"call": call}).blocked_autorange(min_run_time=least_s).median)}


def compared(spec: ConvSpec, clocks: Clocks, *, rounds: int, seed: int) -> dict[str, Times]:
    """The times that both find for each form of ``spec``, round by round."""
    conditions = Conditions()
    with held(conditions):
        calls = forms(spec, conditions)
        looks = {"sepcalc": partial(by_sepcalc, calls, clocks.plan)}
        looks |= {name: partial(by_torch, name, call, clocks.least_s) for name, call in calls.items()}
        taken = in_turns(looks, rounds=rounds, seed=seed)
    return {
        name: Times(
            sepcalc=series(each[name] for each in taken["sepcalc"]), torch=series(each[name] for each in taken[name])
        )
        for name in calls
    }


def row(name: str, times: Times) -> list[Cell]:
    """One form of a layer: the median of each clock, and how they differ."""
    own, its = summarize(times.sepcalc), summarize(times.torch)
    medians = (Fraction(own.median_s), Fraction(its.median_s))
    return [starred(name, own, its), *medians, interval(times.ratio), Fraction(times.ratio.of_minima)]


def report(times: Mapping[str, Times], *, markdown: bool) -> Report:
    """Print the table of all layers; their samples, and the promise for each."""
    title = "Median of a call, and sepcalc / torch by rounds"
    show(title, COLUMNS, (row(name, each) for name, each in times.items()), markdown=markdown)
    bounds = {"at_least": 1 - TOLERANCE, "at_most": 1 + TOLERANCE}
    return Report(
        samples=times,
        targets=tuple(
            Target(what=f"{name}, sepcalc / torch", value=each.ratio, **bounds) for name, each in times.items()
        ),
    )


def reports(options: argparse.Namespace) -> dict[str, Report]:
    """Time every form of every layer with both clocks."""
    times = {
        f"{layer}, {form}": both
        for layer, spec in LAYERS.items()
        for form, both in compared(spec, Clocks(), rounds=options.rounds, seed=options.seed).items()
    }
    return {"agreement": report(times, markdown=options.markdown)}


if __name__ == "__main__":
    sys.exit(benchmark(__doc__, PACKAGES, reports, rounds=15))
