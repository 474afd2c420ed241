"""The ceilings of a machine: what is run for them, and what follows from its times."""

import frameworks  # noqa: F401 - one thread
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from sepcalc.core.errors import SepcalcError
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Measurement, Plan, Sample, Series
from sepcalc.measure.pytorch import ceilings as module
from sepcalc.measure.pytorch.ceilings import ceilings

BYTES = 4096


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Everything is as small as it can be."""
    monkeypatch.setattr(module, "LONG_ENOUGH_S", 0.0)
    monkeypatch.setattr(module, "past_cache_bytes", lambda device: BYTES)


def counted(call):
    """What torch counts while ``call`` runs."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


def measured(monkeypatch, seconds, **others):
    """Let every measurement find these times; the FLOPs of each candidate that it is given."""
    flops = {}

    def measure(candidates, *_, **__):
        assert torch.is_inference_mode_enabled()
        flops.update({key: counted(call) for key, call in candidates.items()})
        series = {key: Series(inner=1, samples=samples) for key, samples in seconds.items()}
        return Measurement(series=series, **others)

    monkeypatch.setattr(module, "measure", measure)
    return flops


@pytest.mark.parametrize(("product_s", "convolution_s", "faster"), [(0.5, 9.0, "product"), (9.0, 0.25, "convolution")])
def test_the_best_time_of_the_faster_counts(monkeypatch, product_s, convolution_s, faster):
    """FLOP/s are those of the faster of the two, byte/s those of the copy, each by its quickest sample."""
    seconds = {"product": (7.0, product_s), "convolution": (convolution_s, 9.0), "copy": (0.5, 0.125)}
    flops = measured(monkeypatch, seconds)
    found = ceilings(Conditions())
    assert set(flops) == set(seconds)
    assert found.flop_per_s == flops[faster] / min(seconds[faster])
    assert found.bytes_per_s == 2 * BYTES / 0.125


def test_sizes_double_until_they_last(monkeypatch):
    """A product grows until it lasts long enough, by the quickest of its trials, or is the largest allowed."""
    times = iter([1.0, 2.0, 0.1, 3.0, 4.0] + [0.75] * 100)
    monkeypatch.setattr(module, "sampler", lambda _: lambda *_: lambda: Sample(next(times)))
    monkeypatch.setattr(module, "LONG_ENOUGH_S", 0.5)
    monkeypatch.setattr(module, "LARGE", {"product": (module.LARGE["product"][0], 8, 64)})
    flops = measured(monkeypatch, {"product": (1.0,), "copy": (1.0,)})
    ceilings(Conditions())
    assert flops["product"] == 2 * 16**3
    monkeypatch.setattr(module, "LONG_ENOUGH_S", 9.0)
    ceilings(Conditions())
    assert flops["product"] == 2 * 64**3


def test_only_device_dtype_and_threads_matter(monkeypatch):
    """The ceilings are the same whatever the layer's batch, memory format, cache and gradients."""
    seen = []
    monkeypatch.setattr(module, "prepare", lambda *given: seen.append(given[-1]) or (lambda: None))
    measured(monkeypatch, {"product": (1.0,), "convolution": (1.0,), "copy": (1.0,)})
    ceilings(Conditions(dtype="float16", threads=2, batch=8, backward=True, cache="cold", channels_last=True))
    assert set(seen) == {Conditions(dtype="float16", threads=2)}


def test_what_cannot_be_measured(monkeypatch):
    """A failure before or while measuring is one sentence with its reason, and Ctrl-C stays what it is."""
    measured(monkeypatch, {}, failures={"copy": "out of memory"})
    with pytest.raises(SepcalcError) as error:
        ceilings(Conditions())
    assert str(error.value) == "the ceilings of this machine cannot be measured: out of memory"
    measured(monkeypatch, {}, interrupted=True)
    with pytest.raises(KeyboardInterrupt):
        ceilings(Conditions())
    monkeypatch.setattr(module, "build_stages", lambda stages: torch.empty(10**15))
    with pytest.raises(SepcalcError, match="cannot be measured: out of memory: 4,000,000,000,000,000 bytes more"):
        ceilings(Conditions())


def test_really():
    """A short run of the real thing gives two speeds."""
    found = ceilings(Conditions(dtype="bfloat16"), Plan(rounds=2, time_s=0, warmup_s=0))
    assert min(found) > 0
