"""Modules under the clock: what they see there, that nothing else changes, and what is refused before."""

import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import frameworks  # noqa: F401 - one thread
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly, rewrites
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sepcalc.builders.prediction import predicted
from sepcalc.builders.torch_stages import build_stages
from sepcalc.core.errors import SepcalcError, SpecError
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import all_variants, get
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.pytorch import calls as module
from sepcalc.measure.pytorch.calls import check, held, prepare
from sepcalc.readers.inputs import Input

SPEC = ConvSpec.of(4, 6, k=3, size=5)
IMAGE = Input(shape=(1, 4, 5, 5))


class Watched(nn.Module):
    """A convolution and a norm that remember what they were run on; copies remember it in the same place."""

    def __init__(self, seen):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(4, 6, 3, bias=False), nn.BatchNorm2d(6)
        self.seen = lambda: seen

    def forward(self, x):
        """Run both."""
        self.seen().append((self, x, torch.is_inference_mode_enabled(), torch.get_num_threads()))
        return self.norm(self.conv(x))


def run(watched, conditions, *, calls=1, **options):
    """Call ``watched`` under ``conditions``; what its copy saw the last time."""
    call = prepare(watched, [IMAGE], conditions, **options)
    with held(conditions):
        for _ in range(calls):
            call()
    return SimpleNamespace(**dict(zip(("copy", "x", "inference", "threads"), watched.seen()[-1], strict=True)))


@pytest.fixture
def watched():
    """A module in training mode, as modules are made."""
    return Watched([])


def test_inference(watched):
    """A call runs in inference mode and evaluation mode, on one example of random numbers in float32."""
    seen = run(watched, Conditions(threads=1))
    assert (seen.inference, seen.copy.training, seen.threads) == (True, False, 1)
    assert (seen.x.shape, seen.x.dtype) == ((1, 4, 5, 5), torch.float32)
    assert 0.5 < seen.x.std() < 1.5


def test_dtype_batch_and_format(watched):
    """Weights and inputs are in the dtype and the memory format of the conditions, and inputs in their batch."""
    seen = run(watched, Conditions(dtype="bfloat16", batch=3, channels_last=True))
    assert seen.x.shape == (3, 4, 5, 5)
    assert {each.dtype for each in (seen.x, *seen.copy.parameters())} == {torch.bfloat16}
    assert seen.x.is_contiguous(memory_format=torch.channels_last)
    assert seen.copy.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert seen.copy.norm.num_batches_tracked.dtype == torch.int64


def test_volumes_have_channels_last():
    """Maps of three axes take the form of three axes, weights too."""
    formats = []
    layer = nn.Conv3d(2, 4, 3)
    layer.register_forward_pre_hook(lambda module, given: formats.extend((given[0], module.weight)))
    conditions = Conditions(channels_last=True)
    call = prepare(layer, [Input(shape=(1, 2, 4, 5, 6))], conditions)
    with held(conditions):
        call()
    assert [each.is_contiguous(memory_format=torch.channels_last_3d) for each in formats] == [True, True]


@pytest.mark.parametrize("shape", [(1, 4, 9), (1, 4)])
def test_no_channels_last_for_one_axis(shape):
    """A layer of one axis, or of none, has no such form, and says so."""
    with pytest.raises(SpecError) as error:
        prepare(nn.Identity(), [Input(shape=shape)], Conditions(channels_last=True))
    assert str(error.value) == (
        f"channels-last is for maps of two or three axes, and input {Input(shape=shape)} is none; leave it out"
    )


def test_inputs_follow_from_the_seed(watched):
    """The same seed gives the same input, another one another."""
    first, again, other = (run(watched, Conditions(), seed=seed).x for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_inputs_that_are_no_numbers_of_floating_point():
    """Indices keep their type and are zeros, which are an index of everything; names reach the arguments they name."""

    class Lookup(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(3, 2)

        def forward(self, x, *, ids):
            got.update(ids=ids, x=x)
            return self.table(ids).sum() + x.sum()

    got = {}
    given = [Input(shape=(1, 5), dtype="int64", name="ids"), Input(shape=(1, 2))]
    conditions = Conditions(dtype="bfloat16", batch=2)
    call = prepare(Lookup(), given, conditions)
    with held(conditions):
        call()
    assert got["ids"].tolist() == [[0] * 5] * 2
    assert (got["x"].dtype, got["x"].shape) == (torch.bfloat16, (2, 2))


@pytest.mark.parametrize("backward", [False, True])
def test_the_module_stays_as_it_is(watched, backward):
    """Weights, statistics, gradients, dtype and mode of the module that was given are not touched."""
    before = {name: value.clone() for name, value in watched.state_dict().items()}
    run(watched, Conditions(backward=backward, batch=2), calls=3)
    run(watched, Conditions(backward=backward, batch=2, dtype="bfloat16"), calls=3)
    assert watched.training
    assert all(torch.equal(value, before[name]) for name, value in watched.state_dict().items())
    assert all(each.dtype == torch.float32 and each.grad is None for each in watched.parameters())


def test_weights_are_not_copied_in_vain(watched):
    """Where neither dtype, device nor format change, the copy has the very weights of the module, but its own norms."""
    copy = run(watched, Conditions()).copy
    assert copy.conv.weight.data_ptr() == watched.conv.weight.data_ptr()
    assert copy.norm.running_mean.data_ptr() != watched.norm.running_mean.data_ptr()


def flops_of(call):
    """What torch counts while ``call`` runs, gradients included."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


@pytest.mark.parametrize(("backward", "times"), [(False, 1), (True, 3)])
def test_a_backward_pass_costs_twice_the_forward_one(backward, times):
    """With ``backward`` the gradients of weights and input are computed, and each costs what the forward pass does."""
    conditions = Conditions(backward=backward, batch=2)
    call = prepare(build_stages([SPEC]), [IMAGE], conditions)
    with held(conditions):
        assert flops_of(call) == flops_of(call) == times * 2 * 2 * SPEC.macs


def test_training(watched):
    """With ``backward`` the copy is in training mode with gradients, and none is left after a call."""
    seen = run(watched, Conditions(backward=True, batch=2), calls=2)
    assert (seen.inference, seen.copy.training, seen.x.requires_grad) == (False, True, True)
    assert [each.grad for each in (seen.x, *seen.copy.parameters())] == [None] * 4


def test_gradients_that_come_back_are_random():
    """What the backward pass begins with is random, in the format of the output: ones would be as special as zeros."""
    seen = []

    class Hooked(nn.Conv2d):
        def forward(self, x):
            y = super().forward(x)
            y.register_hook(seen.append)
            return y

    conditions = Conditions(backward=True, channels_last=True, batch=2)
    call = prepare(Hooked(4, 6, 3), [IMAGE], conditions)
    with held(conditions):
        call()
    (gradient,) = seen
    assert 0.5 < gradient.std() < 1.5
    assert gradient.is_contiguous(memory_format=torch.channels_last)


def test_a_module_that_returns_several(watched):
    """A backward pass goes through every output that a gradient reaches, and an unused weight does not matter."""

    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two, self.unused = nn.Conv2d(4, 6, 3), nn.Conv2d(4, 6, 3), nn.Linear(2, 2)

        def forward(self, x):
            return {"one": self.one(x), "both": [self.two(x), x.argmax()]}

    conditions = Conditions(backward=True)
    call = prepare(Heads(), [IMAGE], conditions)
    with held(conditions):
        assert flops_of(call) == 2 * flops_of(prepare(watched.conv, [IMAGE], conditions))


def test_a_module_that_was_made_in_inference_mode():
    """Such a module can be checked, and timed with ``backward``, as any other."""
    with torch.inference_mode():
        layer = build_stages([SPEC])
        check("it", layer, [IMAGE], predicted((SPEC,)), Conditions())
        call = prepare(layer, [IMAGE], Conditions(backward=True))
    with held(Conditions(backward=True)):
        assert flops_of(call) == 3 * 2 * SPEC.macs


def test_compiled(watched, monkeypatch):
    """What is compiled is the copy, for the shapes at hand."""
    given = {}
    monkeypatch.setattr(torch, "compile", lambda module, **options: given.update(options, module=module) or module)
    call = prepare(watched, [IMAGE], Conditions(compile=True))
    call()
    assert given == {"module": watched.seen()[-1][0], "dynamic": False}
    assert given["module"] is not watched


def settings_now():
    """What a measurement changes."""
    return torch.get_num_threads(), torch.is_grad_enabled(), torch.is_inference_mode_enabled()


def fail_while_held(conditions):
    """End a measurement with an error, once it is seen to be under ``conditions``."""
    with held(conditions):
        assert settings_now() == (conditions.threads, conditions.backward, not conditions.backward)
        raise ZeroDivisionError


@pytest.mark.parametrize("backward", [False, True])
def test_everything_is_put_back(backward):
    """Threads and gradients are as they were, also after a failure."""
    with torch.set_grad_enabled(backward):
        before = settings_now()
        with pytest.raises(ZeroDivisionError):
            fail_while_held(Conditions(threads=3, backward=backward))
        assert settings_now() == before


def test_cuda_switches(monkeypatch):
    """On CUDA, and there alone, TF32 and the search for algorithms are on; afterwards they are as they were."""
    switches = SimpleNamespace(tf32=False, benchmark=True)
    monkeypatch.setattr(module, "CUDA_SWITCHES", ((switches, "tf32"), (switches, "benchmark")))
    monkeypatch.setattr(module, "usable_devices", lambda: ("cpu", "cuda"))
    with held(Conditions()):
        assert not switches.tf32
    with held(Conditions(device="cuda")):
        assert (switches.tf32, switches.benchmark) == (True, True)
    assert (switches.tf32, switches.benchmark) == (False, True)


def test_real_switches():
    """Torch has the switches, and each takes a value."""
    for owner, name in module.CUDA_SWITCHES:
        before = getattr(owner, name)
        setattr(owner, name, not before)
        assert getattr(owner, name) is not before
        setattr(owner, name, before)


@pytest.mark.slow
def test_every_candidate_is_compiled(monkeypatch):
    """More modules of one class are compiled than torch does by itself before it silently runs them as they are."""
    from torch._dynamo import config

    compiled = []
    compile_by = partial(torch.compile, backend=lambda graph, _: compiled.append(graph) or graph)
    monkeypatch.setattr(torch, "compile", compile_by)
    conditions = Conditions(compile=True)
    before, count = config.cache_size_limit, config.cache_size_limit + 2
    with held(conditions):
        for channels in range(1, count + 1):
            prepare(build_stages([ConvSpec.of(4, channels, 1)]), [IMAGE], conditions)()
    assert (len(compiled), config.cache_size_limit) == (count, before)


FAULTS = """
import resource, torch
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.pytorch.calls import held

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        [torch.ones(2**22, dtype=torch.uint8) for _ in range(4)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before = faults()
with held(Conditions()):
    faults()
    print(before, faults())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="it is the C library of Linux that gives memory back")
def test_memory_stays_with_the_program():
    """Calls whose results are a few MiB get new pages from the system each time, but not while a measurement lasts."""
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    before, during = map(int, done.stdout.split())
    assert during < before / 10


def refused(conditions):
    """What is said to ``conditions`` that cannot be held."""
    with pytest.raises(SepcalcError) as error, held(conditions):
        pass
    assert error.value.exit_code == 2
    return str(error.value)


def test_a_device_that_is_not_there(monkeypatch):
    """A device that is not there is one sentence with those that are."""
    monkeypatch.setattr(module, "usable_devices", lambda: ("cpu", "mps"))
    expected = f"PyTorch {torch.__version__} has no device 'cuda' here; give one of: cpu, mps"
    assert refused(Conditions(device="cuda")) == expected


def test_a_dtype_that_computes_nothing():
    """A dtype that no module has is one sentence with the closest."""
    expected = "a module cannot compute in 'bfloat'; did you mean 'bfloat16'?"
    assert refused(Conditions(dtype="bfloat")) == expected


@randomly(40)
@given(data=st.data())
def test_variants_are_what_was_predicted(data):
    """Every variant of every convolution passes the check, whatever the batch."""
    spec, stages = data.draw(rewrites(data.draw(st.sampled_from(all_variants()))))
    batch = data.draw(st.integers(1, 5))
    check(
        "it",
        build_stages(stages),
        [Input(shape=(1, spec.c_in, *spec.size))],
        predicted(stages),
        Conditions(batch=batch),
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"params": 216 + 1}, "parameters 217 here, 216 in torch"),
        ({"shape": (6, 5, 4)}, "shape (6, 5, 4) here, (6, 5, 5) in torch"),
        ({"flops": 10}, "FLOPs 20 here, 21600 in torch"),
    ],
)
def test_another_module_is_refused(wrong, said):
    """A module that is not what was predicted is not timed, and the message says in what it differs."""
    told = replace(predicted((SPEC,)), **wrong)
    with pytest.raises(SepcalcError) as error:
        check("dws", build_stages([SPEC]), [IMAGE], told, Conditions(batch=2))
    assert str(error.value) == (
        f"dws was not timed, since its module differs from the prediction: {said}; this is a fault of sepcalc"
    )


def test_a_module_that_is_frozen():
    """Weights that are not to be trained are counted as others are, as the importer counts them."""
    check("frozen", build_stages([SPEC]).requires_grad_(False), [IMAGE], predicted((SPEC,)), Conditions())


def test_a_module_that_looks_at_values():
    """A module that cannot run without values is checked with values."""

    class Curious(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = build_stages([SPEC])

        def forward(self, x):
            places.append(x.device.type)
            return self.conv(x) if float(x.sum()) == 0 else x

    places = []
    check("curious", Curious(), [IMAGE], predicted((SPEC,)), Conditions())
    assert places == ["meta", "cpu"]


def test_a_check_computes_nothing_where_it_can(watched):
    """A module that can run without values is checked in evaluation mode on the meta device, and stays as it is."""
    stages = (replace(SPEC, padding=(0, 0)),)
    told = predicted(stages)
    check("it", watched, [IMAGE], replace(told, params=told.params + 12), Conditions())
    ((copy, x, *_),) = watched.seen()
    assert (x.is_meta, copy.training, watched.training) == (True, False, True)
    assert watched.norm.num_batches_tracked == 0


def test_a_module_that_does_not_run():
    """What a module raises with values as without is what comes out."""
    with pytest.raises(RuntimeError, match="expected input"):
        check("it", build_stages(get("dws")(SPEC)), [Input(shape=(1, 3, 5, 5))], predicted((SPEC,)), Conditions())
