"""How samples are taken, on devices that are made up: what matters is the order of what happens."""

from itertools import count
from types import SimpleNamespace

import pytest
import torch
from fake_clock import FakeClock

from sepcalc.measure.conditions import DEVICES, Conditions
from sepcalc.measure.loop import Plan, measure
from sepcalc.measure.pytorch import devices as module
from sepcalc.measure.pytorch.devices import past_cache_bytes, sampler, usable_devices

FLUSH_MS, CALL_MS = 90.0, 2.0


class Device:
    """A device that does one thing after another, each in its own time, and remembers what it was told."""

    def __init__(self):
        self.log = []
        self.done_ms = self.waited_ms = 0.0
        self.allocated = None

    def work(self, what, milliseconds=0.0):
        """Do something that takes so long; what it returns is of no interest to anybody."""
        self.log.append(what)
        self.done_ms += milliseconds

    def call(self):
        """What is timed."""
        self.work("call", CALL_MS)

    def buffer(self, numbers, dtype, device):
        """A buffer that can be zeroed."""
        self.allocated = numbers * dtype.itemsize, device
        return SimpleNamespace(zero_=lambda: self.work("flush", FLUSH_MS))

    def event(self, enable_timing):
        """An event that takes the device's time as it is recorded, and shows it to those alone who waited."""
        assert enable_timing
        event = SimpleNamespace(at=None)

        def record():
            self.work("record")
            event.at = self.done_ms

        def elapsed_time(later):
            assert later.at <= self.waited_ms, "the device was not waited for"
            return later.at - event.at

        def synchronize():
            self.work("synchronize")
            self.waited_ms = event.at

        event.record, event.elapsed_time, event.synchronize = record, elapsed_time, synchronize
        return event


@pytest.fixture
def device(monkeypatch):
    """A made-up GPU in place of torch's."""
    fake = Device()
    properties = SimpleNamespace(L2_cache_size=50 * 2**20)
    cuda = SimpleNamespace(Event=fake.event, get_device_properties=lambda _: properties, current_device=lambda: 0)
    mps = SimpleNamespace(synchronize=lambda: fake.work("synchronize"))
    monkeypatch.setattr(
        module,
        "torch",
        SimpleNamespace(cuda=cuda, mps=mps, zeros=fake.buffer, int32=torch.int32, properties=properties),
    )
    return fake


def ticks():
    """A clock that goes on by one microsecond whenever it is read."""
    readings = count(step=1000)
    return lambda: next(readings)


def test_cold_on_cuda(device):
    """Each call stands between two events of its own, the cache is flushed before the first, and nobody waits."""
    run = sampler(Conditions(device="cuda", cache="cold"))
    pending = run(device.call, 3, ticks())
    assert device.log == ["flush", "record", "call", "record"] * 3
    sample = pending()
    assert device.log[12:] == ["synchronize"]
    assert sample.seconds == pytest.approx(3 * CALL_MS / 1e3)
    assert sample.enqueue_s == pytest.approx(3e-6)


def test_warm_on_cuda(device):
    """All calls stand between one pair of events, after one that brings the cache back and is not timed."""
    pending = sampler(Conditions(device="cuda"))(device.call, 3, ticks())
    assert device.log == ["call", "record", "call", "call", "call", "record"]
    assert pending().seconds == pytest.approx(3 * CALL_MS / 1e3)
    assert device.allocated is None


def test_the_host_is_not_blamed_for_a_full_queue(device):
    """One call that had to wait for room in the queue does not count as the host's need: the least of all does."""
    readings = iter([0, 10, 20, 90_000, 100_000, 100_010])
    pending = sampler(Conditions(device="cuda"))(device.call, 3, lambda: next(readings))
    assert pending().enqueue_s == pytest.approx(3 * 10e-9)


def test_candidates_of_a_round_are_all_handed_over_first(device):
    """Nobody waits for the device between two candidates of one round, only at its end."""
    candidates = dict.fromkeys("ab", device.call)
    seen = []
    plan = Plan(rounds=2, time_s=0, warmup_s=0, warmup_calls=1, least_s=1e-9)
    run = sampler(Conditions(device="cuda"))
    found = measure(candidates, plan, sample=run, watch=lambda state: seen.append((state.phase, len(device.log))))
    start = next(length for phase, length in seen if phase == "rounds")
    sample = ["call", "record", "call", "record"]
    assert device.log[start:] == [*sample, *sample, "synchronize", "synchronize"] * 2
    assert [each.samples for each in found.series.values()] == [(pytest.approx(CALL_MS / 1e3),) * 2] * 2
    assert [len(each.enqueue) for each in found.series.values()] == [2, 2]


def test_warm_on_mps(device):
    """The clock runs from when the device has nothing to do, after a call that is not timed, until it again has not."""
    pending = sampler(Conditions(device="mps"))(device.call, 3, ticks())
    assert device.log == ["call", "synchronize", "call", "call", "call", "synchronize"]
    assert pending() == (pytest.approx(1e-6), None)


def test_cold_on_mps(device):
    """Each call is timed alone, and the clock starts once the cache is flushed."""
    pending = sampler(Conditions(device="mps", cache="cold"))(device.call, 2, ticks())
    assert device.log == ["flush", "synchronize", "call", "synchronize"] * 2
    assert pending().seconds == pytest.approx(2e-6)
    assert device.allocated == (256 * 2**20, "mps")


@pytest.mark.parametrize(
    ("cache", "happens", "nanoseconds"),
    [
        ("warm", ["clock", "call", "clock", "clock", "call", "call", "clock"], 3),
        ("cold", ["clock", "flush cpu", "clock", "clock", "call", "clock"] * 2, 4),
    ],
)
def test_on_the_cpu(monkeypatch, cache, happens, nanoseconds):
    """A call that brings the cache back, or a flush before each call that empties it, is outside the time."""
    log = []
    monkeypatch.setattr(module, "_flush", lambda device: lambda: log.append(f"flush {device}"))

    def clock():
        log.append("clock")
        return len(log)

    pending = sampler(Conditions(cache=cache))(lambda: log.append("call"), 2, clock)
    assert log == happens
    assert pending() == (pytest.approx(nanoseconds * 1e-9), None)


@pytest.mark.parametrize(
    ("cache", "inner", "lasts_ms", "samples_ms"),
    [
        ("warm", 1, [200, 300], [200, 300]),
        ("warm", 1, [199, 198], [198]),
        ("warm", 1, [300, 190, 250, 205, 210], [300, 250, 210]),
        ("warm", 2, [300, 310, 320], [630]),
        ("cold", 1, [200, 200], [200, 200]),
    ],
    ids=["long", "short", "delayed", "several", "cold"],
)
def test_a_long_call_warms_its_cache_itself(monkeypatch, cache, inner, lasts_ms, samples_ms):
    """A call alone that lasts 0.2 s has none before it; one that did only when something delayed it has one again."""
    clock, times = FakeClock(), iter(lasts_ms)
    monkeypatch.setattr(module, "_flush", lambda device: lambda: clock.spend(0.4))
    run = sampler(Conditions(cache=cache))
    call = lambda: clock.spend(next(times) / 1e3)  # noqa: E731
    samples = [run(call, inner, clock)().seconds for _ in samples_ms]
    assert samples == pytest.approx([each / 1e3 for each in samples_ms], rel=1e-3)
    assert list(times) == []


@pytest.mark.parametrize(("l2", "size"), [(50, 256), (200, 400), (0, 256)])
def test_the_buffer_of_a_gpu(device, l2, size):
    """What is written is at least twice the cache, and at least as much as triton writes, in MiB."""
    module.torch.properties.L2_cache_size = l2 * 2**20
    sampler(Conditions(device="cuda", cache="cold"))
    assert device.allocated == (size * 2**20, "cuda")


def test_a_gpu_that_hides_its_cache(device):
    """An older torch does not know the size; then it is triton's."""
    del module.torch.properties.L2_cache_size
    assert past_cache_bytes("cuda") == 256 * 2**20
    assert device.log == []


def test_the_buffer_of_a_cpu(monkeypatch):
    """The buffer is twice the last cache, or twice what is assumed, and every flush reads and writes all of it."""
    monkeypatch.setattr(module, "last_cache_bytes", lambda: 1000)
    flush = module._flush("cpu")
    assert flush().nbytes == 2000
    assert set(flush().tolist()) == {2}
    monkeypatch.setattr(module, "last_cache_bytes", lambda: None)
    assert past_cache_bytes("cpu") == 2 * 64 * 2**20


def test_every_device_is_known():
    """A device that may be asked for has its record, and the other way round."""
    assert tuple(module.DEVICES) == DEVICES


def test_usable_devices(monkeypatch):
    """The CPU is always there, the others where torch says so."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert usable_devices() == ("cpu",)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert usable_devices() == ("cpu", "cuda")
