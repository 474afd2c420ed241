"""A network under the clock: its distinct layers, then the whole in each form."""

from dataclasses import replace

import pytest
from fake_bench import fake_bench

from sepcalc import choose, load
from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution
from sepcalc.core.network import chooser
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.loop import Plan
from sepcalc.measure.network import OwnModel, Written, distinct, measure_network
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.session import WHOLE
from sepcalc.readers.inputs import Input
from sepcalc.readers.yaml.reader import read

pytestmark = pytest.mark.usefixtures("cache")

SMALL = """\
name: small
input: {channels: 8, size: 16}
layers:
  - conv: {name: a, c_out: 8, k: 3, norm: batch, act: relu}
  - conv: {name: b, c_out: 8, k: 3, norm: batch, act: relu}
  - conv: {name: c, c_out: 8, k: 1}
  - separable: {name: d, c_out: 16, k: 3, stride: 2}
  - avgpool: global
  - linear: {name: e, c_out: 10}
"""
PLAIN = (
    "{name: plain, layers: [{name: a, c_in: 3, c_out: 4, k: 3, size: 8}, {name: b, c_in: 9, c_out: 4, k: 3, size: 8}]}"
)


def setting(**others):
    """A setting with a bench of its own, and a short plan."""
    return MeasurementSetup(**{"bench": fake_bench(), "plan": Plan(rounds=12, time_s=0.0), **others})


def measured(text, **others):
    """The session of a network in YAML."""
    return measure_network(read(text), setting(), **others)


@pytest.mark.parametrize("name", ["mobilenet_v1", "resnet18", "vgg16"])
def test_distinct(name):
    """Layers that are alike are one, and with all their names they are the convertible layers of the network."""
    network = load(name)
    found = distinct(network, chooser())
    names = [unit.layer.name for unit in network.units]
    assert sorted(each for group, _ in found for each in group) == sorted(names)
    assert len({(layer.spec, layer.variant, layer.norm, layer.act) for _, layer in found}) == len(found) < len(names)
    cost = sum(layer.cost.macs * len(group) for group, layer in found)
    assert cost == sum(unit.cost.macs for unit in network.units)


def test_rows():
    """Each distinct layer is timed in each variant, marked where that is how it is written; then comes the whole."""
    rows = [(each.group, each.name, each.layers, each.as_written) for each in measured(SMALL).rows]
    assert rows == [
        ("a", "standard", 2, True),
        ("a", "depthwise-separable", 2, False),
        ("a", "spatial-separable", 2, False),
        ("d", "standard", 1, False),
        ("d", "depthwise-separable", 1, True),
        ("d", "spatial-separable", 1, False),
        (WHOLE, "standard", 1, False),
        (WHOLE, "depthwise-separable", 1, False),
        (WHOLE, "spatial-separable", 1, False),
        (WHOLE, "as-written", 1, True),
    ]


def test_costs_are_those_of_the_network():
    """What the rows are said to do is what the network counts, as written and in each form."""
    network = read(SMALL)
    whole = {each.name: (each.params, each.macs) for each in measured(SMALL).rows if each.group == WHOLE}
    costs = network.totals()
    assert whole == {name: (cost.params, cost.macs) for name, cost in costs.items() if name != "cheapest"}


def test_a_layer_keeps_its_norms():
    """A layer is timed as it stands: the norms after its stages are among its parameters."""
    rows = {(each.group, each.name): each for each in measured(SMALL).rows}
    first = next(each for each in read(SMALL).layers if isinstance(each, Convolution))
    for variant in choose():
        assert rows["a", variant.name].params == first.cost_as(variant).params


def test_as_written_in_another_variant():
    """A layer in a form that is not among the variants has a row of its own, by the name of that form."""
    session = measured(SMALL, variants=choose(["spatial-separable"]))
    assert [each.name for each in session.rows if each.group == "d"] == [
        "standard", "spatial-separable", "depthwise-separable",
    ]  # fmt: skip


def test_two_variants_that_are_one():
    """Where two variants are the form of the file, one row alone is marked, or a sum would have the layer twice."""
    text = "{name: thin, input: {channels: 8, size: 8}, layers: [{conv: {name: a, c_out: 8, k: 3}}]}"
    session = measured(text, variants=choose(["depthwise", "grouped"], {"groups": 1}))
    assert [(each.name, each.as_written) for each in session.rows if each.group == "a"] == [
        ("standard", True), ("depthwise", False), ("grouped", False),
    ]  # fmt: skip


def test_a_written_variant_with_other_options():
    """Where the command line gives a variant other options than the file, both forms are timed."""
    session = measured(SMALL, variants=choose(["dws"], {"depth_multiplier": 2}))
    names = [(each.name, each.as_written) for each in session.rows if each.group == "d"]
    assert names == [("standard", False), ("depthwise-separable", False), ("as-written", True)]


def test_the_form_of_the_file():
    """Where the file is in the form of a variant the whole is timed once, and a note says which it is."""
    text = "{name: dense, input: {channels: 8, size: 8}, layers: [{conv: {name: a, c_out: 8, k: 3}}]}"
    session = measured(text, variants=choose(["dws"]))
    assert [(each.name, each.as_written) for each in session.rows if each.group == WHOLE] == [
        ("standard", True), ("depthwise-separable", False),
    ]  # fmt: skip
    assert session.notes == ("dense is written as standard.",)


def test_the_forms_are_in_the_order_of_the_variants():
    """The form of the file stands where its variant does."""
    text = "{name: light, input: {channels: 8, size: 8}, layers: [{separable: {name: a, c_out: 8, k: 3}}]}"
    session = measured(text, variants=choose(["dws", "sps"]))
    assert [(each.name, each.as_written) for each in session.rows if each.group == WHOLE] == [
        ("standard", False), ("depthwise-separable", True), ("spatial-separable", False),
    ]  # fmt: skip


def test_the_reference_of_a_file_in_another_form():
    """The first variant is the reference also where the file is in the form of a later one, which is timed once."""
    text = "{name: light, input: {channels: 8, size: 8}, layers: [{separable: {name: a, c_out: 8, k: 3}}]}"
    session = measured(text)
    assert [(each.name, each.as_written) for each in session.rows if each.group == WHOLE] == [
        ("standard", False), ("depthwise-separable", True), ("spatial-separable", False),
    ]  # fmt: skip
    assert session.notes == ("light is written as depthwise-separable.",)


def test_a_variant_that_changes_nothing():
    """A variant that no layer can take is no whole of its own, and a note says so."""
    text = "{name: odd, input: {channels: 8, size: 8}, layers: [{conv: {name: a, c_out: 9, k: 3}}]}"
    session = measured(text, variants=choose(["depthwise"]))
    assert [each.name for each in session.rows if each.group == WHOLE] == ["standard"]
    assert [each.why_not for each in session.rows if each.name == "depthwise"] == [
        "depthwise cannot change 8 channels to 9"
    ]
    assert session.notes[1] == "depthwise changes no layer, so the whole is not timed as such."


SHARED = """\
name: shared
input: {channels: 8, size: 16}
layers:
  - conv: {name: a, c_out: 8, k: 3}
  - conv: {name: b, c_out: 8, k: 3, shares: a}
  - product: {operator: attention, params: 12, terms: [[3, 8, 8]]}
"""


def test_layers_that_share_weights():
    """A layer that uses the weights of another again is timed as one like it: it takes its time all the same."""
    assert [names for names, _ in distinct(read(SHARED), chooser())] == [["a", "b"]]


def test_products_of_a_batch():
    """Products have the multiply-adds of every example, as convolutions have."""
    session = measure_network(read(SHARED), setting(conditions=(Conditions(), Conditions(batch=4))))
    whole = [each for each in session.rows if each.group == WHOLE and each.name == "standard"]
    assert [each.macs for each in whole] == [read(SHARED).cost.macs, 4 * read(SHARED).cost.macs]
    assert [each.traffic_bytes for each in whole] == [None, None]


def test_patterns():
    """Layers that are kept are neither timed nor rewritten in the whole."""
    session = measured(SMALL, keep=("d",))
    assert {each.group for each in session.rows} == {"a", WHOLE}
    whole = {each.name: each.macs for each in session.rows if each.group == WHOLE}
    assert whole["standard"] == read(SMALL).what_if("standard", keep=("d",)).cost.macs


def test_nothing_to_convert():
    """A network without a layer to convert is refused."""
    with pytest.raises(SpecError) as caught:
        measured("{name: flat, input: {channels: 8, size: 8}, layers: [{conv: {c_out: 9, k: 1}}]}")
    assert str(caught.value) == "flat has no layer that could be written as another variant; choose another network"


def test_layers_alone():
    """Where nothing says what each layer reads, the layers are timed alone, and a note says so."""
    session = measured(PLAIN)
    assert {each.group for each in session.rows} == {"a", "b"}
    assert session.notes == ("The whole is not timed: it cannot be built from its layers alone.",)


def test_a_model_of_ones_own():
    """A user's own model is timed as written, and with the variants swapped in, on the inputs that it takes."""
    built, subjects = [], []
    network = read(PLAIN)

    def written(variant):
        rewritten = network.written_as(variant, only=["a"])
        left = (("b", "it is a function"),) if variant.name != "standard" else ()
        return Written(network=rewritten, module=lambda: built.append(variant.name), left=left)

    own = OwnModel(inputs=(Input(shape=(2, 8, 16, 16)),), module=lambda: built.append("own"), written=written)
    bench = fake_bench()

    def prepare(subject):
        subjects.append(subject)
        return bench.prepare(subject)

    session = measure_network(
        network, setting(bench=replace(bench, prepare=prepare)), variants=choose(["dws"]), own=own
    )
    whole = [each for each in subjects if each.row.group == WHOLE]
    for each in whole:
        each.module()
    assert built == ["own", "depthwise-separable"]
    assert [(each.inputs, each.predicted.shape) for each in whole] == [(own.inputs, None)] * 2
    assert [each.macs for each in session.rows if each.group == WHOLE] == [
        network.cost.macs, network.what_if("dws", only=["a"]).cost.macs,
    ]  # fmt: skip
    assert [(each.group, each.name, each.left) for each in session.rows if each.left] == [
        ("b", "depthwise-separable", 1)
    ]
    assert session.notes == (
        "At batch 1 a call reads 2x8x16x16.",
        "plain is written as standard.",
        "the whole as depthwise-separable leaves b as written: it is a function.",
    )


@pytest.mark.parametrize(("phase", "rounds"), [("warm-up", None), ("rounds", 5)])
def test_interrupted(phase, rounds):
    """Ctrl-C leaves the layers that were done and what there is of the one at hand, and begins no other."""
    begun = []

    def progress(title, done, _planned, state):
        begun.append(title)
        if done == 1 and state.phase == phase and (rounds is None or state.done == rounds):
            raise KeyboardInterrupt

    session = measure_network(read(SMALL), setting(progress=progress))
    found = {(each.group, len(each.series.samples)) for each in session.rows}
    assert found == {("a", 12), *([("d", rounds)] if rounds else [])}
    assert (session.interrupted, set(begun)) == (True, {"a", "d"})


def test_a_whole_is_built_once():
    """Under all conditions of a grid the whole in one form is one module, so its weights are in memory once."""
    modules = {}
    bench = fake_bench()

    def prepare(subject):
        if subject.row.group == WHOLE:
            modules.setdefault(subject.row.name, []).append(subject.module())
        return bench.prepare(subject)

    grid = (Conditions(), Conditions(batch=4))
    measure_network(read(SMALL), setting(conditions=grid, bench=replace(bench, prepare=prepare)))
    assert [(len(each), each[0] is each[1]) for each in modules.values()] == [(2, True)] * 4
    assert len({id(each[0]) for each in modules.values()}) == 4


def test_a_grid_of_a_network():
    """Every layer and the whole are timed under every condition."""
    grid = (Conditions(), Conditions(batch=4))
    session = measure_network(read(SMALL), setting(conditions=grid))
    for group in ("a", "d", WHOLE):
        of_group = [each.conditions for each in session.rows if each.group == group]
        assert set(of_group) == set(grid)
