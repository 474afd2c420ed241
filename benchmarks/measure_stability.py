"""How stable the ratio of two layers is that ``sepcalc measure`` reports, quiet and on a machine that is kept busy.

    python benchmarks/measure_stability.py
    python benchmarks/measure_stability.py --rounds 5 --check      # exit 1 where a promise is not kept

The standard and the depthwise separable form of 64 → 64 channels, 3×3, at 28×28, on one thread. Each round takes the
whole measurement twice, in random order: as the machine is, and with two processes beside it that do nothing but run.
Each time ``torch.utils.benchmark`` then measures the same calls as often, one form after the other, and the
ratio is that of its medians.

What is right is the median of the quiet runs that the verdict accepts. *Scatter* is the relative standard deviation
of the ratio from run to run. A run that is off by more than 10 % has to be one that the verdict does not accept;
torch's timer gives no verdict on a ratio, so all of its runs count as accepted.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import count
from math import inf
from statistics import mean, median, stdev

from harness import NAME, Report, Target, benchmark, figures, in_turns, measured, show
from measure_agreement import forms
from torch.utils.benchmark import Timer

from sepcalc.core.spec import ConvSpec
from sepcalc.core.table import Cell, Column
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Call, Plan, Series
from sepcalc.measure.pytorch.calls import held
from sepcalc.measure.pytorch.devices import sampler
from sepcalc.measure.statistics import judge, paired_ratio

LAYER = ConvSpec.of(64, 64, 3, size=28)
BUSY = 2
"""Processes beside the measurement, where the machine is kept busy."""

OFF = 0.10
SCATTER = 0.03
PACKAGES = ("sepcalc", "torch")

COLUMNS = (
    NAME,
    Column(key="runs", title="runs", kind="count"),
    Column(key="accepted", title="accepted", kind="count"),
    Column(key="scatter_of_all", title="scatter of all", kind="share"),
    Column(key="scatter", title="scatter", kind="share"),
    Column(key="farthest", title="farthest", kind="share"),
    Column(key="off", title="off by over 10 %", kind="count"),
    Column(key="believed_wrongly", title="accepted of those", kind="count"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One measurement: standard / separable as sepcalc reports it, its verdict, and the ratio of torch's medians."""

    ratio: float
    word: str
    reason: str
    by_torch: float

    @property
    def accepted(self) -> bool:
        """Whether sepcalc would print the ratio."""
        return self.word != "unreliable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What became of some runs: all ratios, and those that were accepted, against what is right."""

    ratios: tuple[float, ...]
    accepted: tuple[float, ...]
    right: float

    @property
    def off(self) -> int:
        """How many are off by more than 10 %."""
        return sum(self._is_off(ratio) for ratio in self.ratios)

    @property
    def believed_wrongly(self) -> int:
        """How many of those were accepted."""
        return sum(self._is_off(ratio) for ratio in self.accepted)

    @property
    def farthest(self) -> float:
        """How far the accepted ratio is off that is off most, as a share."""
        return max((abs(ratio / self.right - 1) for ratio in self.accepted), default=0.0)

    def _is_off(self, value: float) -> bool:
        return abs(value / self.right - 1) > OFF


def scatter(values: Sequence[float]) -> float | None:
    """The relative standard deviation; None for fewer than two values.

    >>> scatter([2.0, 2.0]), scatter([1.0])
    (0.0, None)
    """
    return stdev(values) / mean(values) if len(values) > 1 else None


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep so many processes running that do nothing else."""
    with ExitStack() as stack:
        for _ in range(processes):
            child = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(child.kill)
        yield


def run(calls: Mapping[str, Call], plan: Plan, seeds: Iterator[int], processes: int) -> Run:
    """One measurement by sepcalc and one by torch, with so many busy processes beside them."""
    with busy(processes):
        found = measured(calls, replace(plan, seed=next(seeds)), sampler(Conditions()))
        standard, separable = found.series.values()
        medians = [torch_median(calls[name], taken) for name, taken in found.series.items()]
    between = paired_ratio(standard, separable)
    verdict = judge(standard, separable, between, clock_step_s=found.clock_step_s)
    return Run(ratio=between.value, word=verdict.word, reason=verdict.reason, by_torch=medians[0] / medians[1])


def torch_median(call: Call, like: Series) -> float:
    """The median of as many samples of ``call`` as ``like`` has, each of as many calls, by torch's own timer."""
    timer = Timer("call()", globals={"call": call})
    return median(float(timer.timeit(like.inner).median) for _ in like.samples)


def right(quiet: Sequence[Run]) -> float:
    """What the ratio is: the median of the accepted quiet runs; of all where none was accepted."""
    return median([run.ratio for run in quiet if run.accepted] or [run.ratio for run in quiet])


def accounts(taken: Mapping[str, Sequence[Run]], quiet: str) -> dict[str, Account]:
    """What became of the runs of each condition, by sepcalc and by torch."""
    truth, found = right(taken[quiet]), {}
    for condition, runs in taken.items():
        ratios = tuple(each.ratio for each in runs)
        accepted = tuple(each.ratio for each in runs if each.accepted)
        by_torch = tuple(each.by_torch for each in runs)
        found[f"{condition}, sepcalc"] = Account(ratios=ratios, accepted=accepted, right=truth)
        found[f"{condition}, torch"] = Account(ratios=by_torch, accepted=by_torch, right=truth)
    return found


def row(name: str, account: Account) -> list[Cell]:
    """What became of some runs."""
    shares = (scatter(account.ratios), scatter(account.accepted), account.farthest)
    known = (None if share is None else Fraction(share) for share in shares)
    return [name, len(account.ratios), len(account.accepted), *known, account.off, account.believed_wrongly]


def report(taken: Mapping[str, Sequence[Run]], *, quiet: str, markdown: bool) -> Report:
    """Print the table, keep the samples, and judge what is promised of sepcalc's runs."""
    found = accounts(taken, quiet)
    title = f"Standard / separable: {figures(right(taken[quiet]))} ×; scatter and farthest of those accepted"
    show(title, COLUMNS, (row(name, account) for name, account in found.items()), markdown=markdown)
    own = {condition: found[f"{condition}, sepcalc"] for condition in taken}
    wrongly = sum(each.believed_wrongly for each in own.values())
    # Accepting nothing would keep every promise, so a quiet machine has to have a scatter.
    unknown = {condition: inf if condition == quiet else 0.0 for condition in taken}
    scatters = {
        condition: unknown[condition] if (share := scatter(each.accepted)) is None else share
        for condition, each in own.items()
    }
    return Report(
        samples=taken,
        targets=(
            *(
                Target(what=f"{condition}, scatter of accepted ratios, %", value=100 * each, at_most=100 * SCATTER)
                for condition, each in scatters.items()
            ),
            Target(what="accepted ratios that are off by more than 10 %", value=float(wrongly), at_most=0),
        ),
    )


def reports(options: argparse.Namespace) -> dict[str, Report]:
    """Measure as the machine is and with busy processes beside, in turns."""
    conditions = Conditions()
    with held(conditions):
        calls = {name: call for name, call in forms(LAYER, conditions).items() if name != "spatial-separable"}
        looks = partial(run, calls, Plan(), count(options.seed))
        states = {"quiet": partial(looks, 0), f"{BUSY} busy processes": partial(looks, BUSY)}
        taken = in_turns(states, rounds=options.rounds, seed=options.seed)
    return {"stability": report(taken, quiet="quiet", markdown=options.markdown)}


if __name__ == "__main__":
    sys.exit(benchmark(__doc__, PACKAGES, reports, rounds=20))
