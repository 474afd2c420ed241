"""The flags of ``sepcalc measure``: the convolution or network, the conditions, and the plan."""

from itertools import product
from typing import Annotated, NamedTuple

import typer

from sepcalc.cli.convolution import ConvolutionFlags
from sepcalc.cli.flags import flag, many, option, refuse, whole, word
from sepcalc.cli.sources import PatternFlags, SourceFlags
from sepcalc.cli.variants import VariantFlags
from sepcalc.core.errors import SepcalcError, either
from sepcalc.core.parsing import is_whole, parse_whole
from sepcalc.core.spec import LARGEST
from sepcalc.measure.conditions import CACHES, DEVICES, DTYPES, Conditions
from sepcalc.measure.loop import Plan
from sepcalc.measure.machine import usable_cores

FORMATS = {"no": (False,), "yes": (True,), "both": (False, True)}
"""The words of ``--channels-last``, with the memory formats they time: True is channels last."""

LONGEST_S = 86_400
"""The longest time to measure one group: a day."""


class ConditionFlags(NamedTuple):
    """The conditions of the timing; several values make a grid."""

    batch: Annotated[list[str] | None, many("--batch", "N", "Examples in a call, 1 by default")] = None
    dtype: Annotated[list[str] | None, many("--dtype", "NAME", f"{', '.join(DTYPES)}; float32 by default")] = None
    channels_last: Annotated[
        str, option("--channels-last", "[both]", "Channels last in memory; both: time channels first too.")
    ] = "no"
    device: Annotated[str, option("--device", "NAME", f"{', '.join(DEVICES)}.")] = "cpu"
    threads: Annotated[str | None, option("--threads", "N", "Threads of the CPU; 1 by default.")] = None
    compile: Annotated[bool, typer.Option("--compile", help="Compile with torch.compile.")] = False
    backward: Annotated[bool, typer.Option("--backward", help="Time forward and backward passes, as in training.")] = (
        False
    )
    cache: Annotated[
        str | None, option("--cache", "STATE", "Caches before a call: warm, or cold (the default on cuda).")
    ] = None

    def grid(self) -> tuple[Conditions, ...]:
        """Every combination of the conditions.

        Raises :class:`SepcalcError` for an unknown value, and for a flag without effect.
        """
        if self.device not in DEVICES:
            raise SepcalcError(f"--device: expected {either(DEVICES)}, got '{self.device}'")
        if self.device != "cpu":
            refuse({"--threads": self.threads}, f"they are the CPU's, and {self.device} computes; leave them out")
        usual = "cold" if self.device == "cuda" else "warm"
        cache = word("--cache", usual if self.cache is None else self.cache, CACHES)
        batches = [flag("--batch", parse_whole, text) for text in self.batch or ("1",)]
        dtypes = [word("--dtype", text, DTYPES) for text in self.dtype or ("float32",)]
        formats = FORMATS[word("--channels-last", self.channels_last, FORMATS)]
        return tuple(
            Conditions(
                device=self.device,
                dtype=dtype,
                batch=batch,
                channels_last=channels_last,
                threads=_threads(self.threads),
                compile=self.compile,
                backward=self.backward,
                cache=cache,
            )
            for dtype, batch, channels_last in product(dict.fromkeys(dtypes), dict.fromkeys(batches), formats)
        )


class PlanFlags(NamedTuple):
    """How long to measure."""

    rounds: Annotated[str | None, option("--rounds", "N", "Minimum number of rounds; 30 by default.")] = None
    time: Annotated[str | None, option("--time", "SECONDS", "Minimum time to measure; 2 by default.")] = None
    seed: Annotated[str | None, option("--seed", "N", "Seed for the order in each round; 0 by default.")] = None

    def plan(self) -> Plan:
        """The plan of these flags, with the library's defaults."""
        plan = Plan()
        return Plan(
            rounds=whole("--rounds", self.rounds) or plan.rounds,
            time_s=plan.time_s if self.time is None else flag("--time", parse_seconds, self.time),
            seed=plan.seed if self.seed is None else flag("--seed", _parse_seed, self.seed),
        )


def parse_seconds(text: str) -> float:
    """A time in seconds; raises :class:`SepcalcError` for any other text.

    >>> parse_seconds("0.5")
    0.5
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_S:
        raise SepcalcError(f"expected seconds from 0 to {LONGEST_S:,} like 0.5, got '{text}'")
    return seconds


def _parse_seed(text: str) -> int:
    if not is_whole(text, 0):
        raise SepcalcError(f"expected a whole number from 0 to {LARGEST:,}, got '{text}'")
    return int(text)


def _threads(text: str | None) -> int:
    threads, cores = whole("--threads", text) or 1, usable_cores()
    if cores is not None and threads > cores:
        raise SepcalcError(f"--threads: {threads:,} threads would wait for one another here; give {cores} at most")
    return threads


class MeasuredFlags(NamedTuple):
    """All flags of a measurement: a convolution or a network, its variants, the conditions and the plan."""

    convolution: ConvolutionFlags = ConvolutionFlags()
    width: Annotated[str | None, option("--width", "FACTOR", "Multiply the channels, as in 0.75 MobileNet.")] = None
    imports: SourceFlags = SourceFlags()
    variants: VariantFlags = VariantFlags()
    patterns: PatternFlags = PatternFlags()
    conditions: ConditionFlags = ConditionFlags()
    plan: PlanFlags = PlanFlags()
    roofline: Annotated[
        bool, typer.Option("--roofline", help="Measure the machine's ceilings, and time each stage too.")
    ] = False
