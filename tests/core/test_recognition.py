"""Which layers are one convolution: found in whatever form a file writes them, unless something else reads between."""

from dataclasses import replace
from itertools import product

import pytest
from files import network
from hypothesis import given
from hypothesis import strategies as st
from strategies import specs

from sepcalc.core.errors import SpecError
from sepcalc.core.layers import Convolution, Cost, FeatureMap, Operator, total
from sepcalc.core.network import Network
from sepcalc.core.variants import all_variants, choose, get

PAIR = "- depthwise: {name: a, k: 3}\n- conv: {name: b, c_out: 16, k: 1}"


def units(layers, **options):
    """The form of each unit, and the layers that it consists of."""
    found = network(layers, channels=8, **options)
    return [(unit.layer.variant.name, [found.layers[index].name for index, _ in unit.parts]) for unit in found.units]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("- conv: {name: a, c_out: 16, k: 3}", [("standard", ["a"])]),
        ("- conv: {name: a, c_out: 16, k: 1}", []),
        ("- conv: {name: a, c_out: 16, k: 3, groups: 4}", []),
        ("- linear: {name: a, c_out: 16, per_position: true}", []),
        (PAIR, [("depthwise-separable", ["a", "b"])]),
        (f"{PAIR}\n- conv: {{name: c, c_out: 8, k: 1}}", [("depthwise-separable", ["a", "b"])]),
        (f"- conv: {{name: c, c_out: 8, k: 1}}\n{PAIR}", [("depthwise-separable", ["a", "b"])]),
        ("- depthwise: {name: a, k: 1}\n- conv: {name: b, c_out: 16, k: 1}", []),
        ("- depthwise: {name: a, k: 3}\n- linear: {name: b, c_out: 16, per_position: true}",
         [("depthwise-separable", ["a", "b"])]),
        ("- depthwise: {name: a, k: 3}\n- conv: {name: b, c_out: 16, k: 1, stride: 2}", []),
        ("- depthwise: {name: a, k: 3}\n- maxpool: 2\n- conv: {name: b, c_out: 16, k: 1}", []),
        ("- depthwise: {name: a, k: 3}\n- conv: {name: b, c_out: 16, k: 3}", [("standard", ["b"])]),
        ("- depthwise: {name: a, k: 3}\n- norm: batch\n- relu\n- dropout: 0.5\n- conv: {name: b, c_out: 16, k: 1}",
         [("depthwise-separable", ["a", "batch_norm1", "relu1", "dropout1", "b"])]),
        ("- depthwise: {name: a, k: 3}\n- norm: {kind: instance, affine: true}\n- conv: {name: b, c_out: 16, k: 1}",
         [("depthwise-separable", ["a", "b"])]),
        ("- depthwise: {name: a, k: 3}\n- norm: {kind: batch, affine: false}\n- conv: {name: b, c_out: 16, k: 1}",
         [("depthwise-separable", ["a", "batch_norm1", "b"])]),
        ("- conv: {name: a, c_out: 16, k: 3x1}\n- conv: {name: b, c_out: 16, k: 1x3}",
         [("spatial-separable", ["a", "b"])]),
        ("- conv: {name: a, c_out: 16, k: 1x3}\n- relu: {name: r}\n- conv: {name: b, c_out: 16, k: 3x1}",
         [("spatial-separable", ["a", "r", "b"])]),
        ("- conv: {name: a, c_out: 16, k: 1x3}\n- conv: {name: b, c_out: 16, k: 5x1}",
         [("standard", ["a"]), ("standard", ["b"])]),
        ("- conv: {name: a, c_out: 16, k: 3x1}\n- conv: {name: b, c_out: 16, k: 3x1}",
         [("standard", ["a"]), ("standard", ["b"])]),
        ("- conv: {name: a, c_out: 16, k: 1}\n- depthwise: {name: b, k: 3}", [("blueprint-separable", ["a", "b"])]),
        ("- depthwise: {name: a, k: 3x1}\n- depthwise: {name: b, k: 1x3}\n- conv: {name: c, c_out: 16, k: 1}",
         [("depthwise-spatial", ["a", "b", "c"])]),
        ("- conv: {name: a, c_out: 16, k: 3, variant: bottleneck}", [("standard", ["a"])]),
        ("- conv: {name: a, c_out: 16, k: 3, variant: inverted-bottleneck}", [("depthwise-separable", ["a"])]),
        ("- conv: {name: a, c_out: 16, k: 3, variant: grouped, groups: 4}", []),
    ],
)  # fmt: skip
def test_forms(layers, expected):
    """Each form is found by its stages; what stands between them belongs to it, and nothing else."""
    assert units(layers) == expected


SEPARABLE = {
    "separable": "- separable: {{c_out: 16, k: 3, {around}}}",
    "spatial": "- spatial: {{c_out: 16, k: 3, {around}}}",
    "depthwise-spatial": "- conv: {{c_out: 16, k: 3, variant: depthwise-spatial, {around}}}",
    "blueprint-separable": "- conv: {{c_out: 16, k: 3, variant: blueprint-separable, {around}}}",
    "inverted-bottleneck": "- conv: {{c_out: 16, k: 3, variant: inverted-bottleneck, {around}}}",
}


@pytest.mark.parametrize("around", ["stride: 1", "norm: batch, act: prelu", "norm: layer, act: relu, between: none"])
@pytest.mark.parametrize("form", SEPARABLE)
def test_it_makes_no_difference_how_a_file_puts_it(form, around):
    """A layer that is written as a variant costs the same, in every variant, as its stages in a line each."""
    written = network(SEPARABLE[form].format(around=around), channels=8)
    (layer,) = written.layers
    lines = []
    for place, stage in enumerate(layer.stages, start=1):
        last = place == len(layer.stages)
        norm = layer.norm if last or layer.between == "all" else "none"
        act = layer.act if last or layer.between != "none" else "none"
        lines.append(Convolution(name=f"{place}", type="conv", spec=stage, norm=norm, act=act))
    wiring = tuple((place - 1,) for place in range(len(lines)))
    alone = replace(written, layers=tuple(lines), wiring=wiring)
    for variant in choose(["all"], {"groups": 4}):
        assert alone.what_if(variant).cost == written.what_if(variant).cost, variant.name


GATE = """
- depthwise: {name: a, k: 3, stride: 2}
- norm: {name: n, kind: batch}
- residual:
    join: mul
    body:
      - avgpool: {name: pool, k: global}
      - conv: {name: squeeze, c_out: 2, k: 1, bias: true}
      - conv: {name: excite, c_out: 8, k: 1, bias: true, act: sigmoid}
    shortcut: identity
- conv: {name: b, c_out: 16, k: 1}
"""


def test_a_gate_between_the_two():
    """A squeeze-and-excite gate keeps its cost, and acts on the input of the pair in another form."""
    found = network(GATE, channels=8)
    (unit,) = found.units
    assert [found.layers[index].name for index, _ in unit.parts] == ["a", "n", "b"]
    gate = total(layer.cost for layer in found.layers if layer.name in ("squeeze", "excite"))
    dense = unit.layer.cost_as(get("standard"))
    assert found.what_if("standard").cost == total((gate, dense))
    written = found.written_as("standard")
    assert [layer.name for layer in written.layers] == ["pool", "squeeze", "excite", "mul1", "a"]
    assert written.wiring == ((-1,), (0,), (1,), (2, -1), (3,))
    assert [layer.output.size for layer in written.layers] == [(1, 1), (1, 1), (1, 1), (32, 32), (16, 16)]
    assert [written.layers[place].input.size for place in (0, 4)] == [(32, 32), (32, 32)]


def test_a_gate_that_looks_at_positions_is_none():
    """Where the layers beside the map have multiply-adds at every position, their cost would depend on the form."""
    assert units(GATE.replace("- avgpool: {name: pool, k: global}", "- relu")) == []


def test_other_readers():
    """A map that something else reads, whole or in part, is no inner map of a convolution."""
    twice = "- residual:\n    body: [relu, conv: {c_out: 8, k: 1}]\n    shortcut: identity"
    assert units(f"- depthwise: {{name: a, k: 3}}\n{twice}") == []
    split = "- parallel:\n    split: true\n    branches: [[conv: {c_out: 4, k: 1}], []]"
    assert units(f"- depthwise: {{name: a, k: 3}}\n{split}") == []


def test_another_norm_after_the_last_stage():
    """The norm and the activation after the last stage stay in another form, the inner ones follow its inner stages."""
    found = network("- conv: {c_out: 16, k: 3, norm: layer, norm_last: rms, act: prelu, act_last: none}", channels=8)
    assert found.cost == Cost(params=9 * 8 * 16 + 16, macs=9 * 8 * 16 * 1024)
    written = found.written_as("dws")
    assert written.cost == found.what_if("dws").cost == Cost(params=9 * 8 + 8 * 16 + 2 * 8 + 1 + 16, macs=200 * 1024)
    lines = network("- depthwise: {k: 3, norm: layer, act: prelu}\n- conv: {c_out: 16, k: 1, norm: rms}", channels=8)
    assert lines.cost == written.cost
    assert lines.what_if("standard").cost == found.cost


def test_what_a_file_declares_comes_first():
    """Layers that are written in a separable form are units by themselves, however they follow each other."""
    line = "- conv: {{name: {}, c_out: 8, k: 3, variant: blueprint-separable}}"
    found = network("\n".join(map(line.format, "abc")), channels=8)
    assert [(unit.layer.variant.name, unit.names) for unit in found.units] == [
        ("blueprint-separable", (name,)) for name in "abc"
    ]
    assert found.what_if("blueprint-separable").cost == found.cost
    assert found.written_as("bsconv") == found


def test_an_expansion_is_no_blueprint():
    """A pointwise convolution before a depthwise one stays, where another follows that no form has beside it."""
    expansion = "- conv: {name: a, c_out: 16, k: 1}\n- depthwise: {name: b, k: 3, bias: true}"
    assert units(f"{expansion}\n- conv: {{name: c, c_out: 4, k: 1}}") == []


def test_a_linear_layer_that_may_mix_positions():
    """Where as many channels as positions stand along an axis, a linear layer is not taken for a pointwise one."""
    pair = "- depthwise: {name: a, k: 3}\n- linear: {name: b, c_out: 16, per_position: true}"
    assert len(units(pair)) == 1
    assert units(pair, size=8) == []


def test_unknown_readers():
    """Layers of which nobody knows what they read are looked at one by one, and stage by stage."""
    found = replace(network(PAIR, channels=8), wiring=None)
    assert found.units == ()
    mixed = replace(network("- separable: {c_out: 16, k: 3}", channels=8), wiring=None)
    assert [unit.layer for unit in mixed.units] == list(mixed.layers)


def test_norms_behind_a_dense_convolution():
    """A norm of its own behind a convolution follows its inner stages too, as one in the layer's line does."""
    own = network("- conv: {c_out: 16, k: 3}\n- norm: batch\n- prelu", channels=8)
    line = network("- conv: {c_out: 16, k: 3, norm: batch, act: prelu}", channels=8)
    for variant in choose(["all"], {"groups": 4}):
        assert own.what_if(variant).cost == line.what_if(variant).cost


@given(specs(biases=("none", "last", "all")), st.sampled_from([variant for variant in all_variants() if variant.merge]))
def test_merging_undoes_a_rewrite(spec, variant):
    """Stages of any convolution in any form are recognised as a convolution that has these very stages in that form."""
    dense = replace(spec, groups=1)
    try:
        stages = variant(dense)
    except SpecError:
        return
    found = variant.merged(stages)
    if found is None:  # no window, or a depthwise one of a single channel, which is dense
        assert dense.c_in == 1 or dense.c_out == 1 or max(dense.kernel) == 1 or variant.name == "blueprint-separable"
        return
    again, bound = found
    assert again.out_size == dense.out_size
    assert sum(stage.params for stage in bound(again)) == sum(stage.params for stage in stages)
    assert sum(stage.macs for stage in bound(again)) == sum(stage.macs for stage in stages)


MIXED = f"- conv: {{c_out: 8, k: 3}}\n{PAIR}\n- conv: {{c_out: 3, k: 5, stride: 2}}\n- conv: {{c_out: 4, k: 3x1}}"


def test_cheapest():
    """The cheapest row is the least of all choices of a form for each unit, by multiply-adds and then by parameters."""
    found = network(MIXED, channels=8)
    what_ifs = [found.what_if(variant) for variant in choose(["all"], {"groups": 4})]
    forms = [[unit.cost, *filter(None, costs)] for unit, *costs in zip(
        found.units, *(what_if.units for what_if in what_ifs), strict=True)]  # fmt: skip
    rest = total(layer.cost for layer in found.layers), total(unit.cost for unit in found.units)
    fixed = Cost(params=rest[0].params - rest[1].params, macs=rest[0].macs - rest[1].macs)
    best = min((total((fixed, *choice)) for choice in product(*forms)), key=lambda cost: (cost.macs, cost.params))
    cost, changed = found.cheapest(what_ifs)
    assert cost == best
    assert changed == sum(min(costs, key=lambda cost: (cost.macs, cost.params)) != costs[0] for costs in forms) == 4


def test_saving():
    """Where it saves nothing a unit stays as written, so no row is dearer than the network is."""
    found = network(MIXED, channels=8)
    for variant in choose(["all"], {"groups": 4}):
        answer = found.what_if(variant, saving=True)
        assert answer.cost.macs <= found.cost.macs
        assert found.written_as(variant, saving=True).cost == answer.cost
    assert found.what_if("standard", saving=True).cost == found.cost


@pytest.mark.parametrize("only", [(), ("a",), ("b",), ("conv*",)])
@pytest.mark.parametrize("variant", choose(["all"], {"groups": 4}), ids=lambda variant: variant.name)
def test_layers_of_a_what_if(variant, only):
    """The layers' costs add up to the network's, and a unit of several layers is chosen by the name of any."""
    found = network(MIXED, channels=8)
    answer = found.what_if(variant, only=only)
    costs = (new or layer.cost for new, layer in zip(answer.layers, found.layers, strict=True))
    assert total(costs) == answer.cost == found.written_as(variant, only=only).cost
    chosen = [unit for unit in found.units if not only or unit.names[0][0] == only[0][0] or only[0] in unit.names]
    assert answer.converted + len(answer.refused) == len(chosen)


def test_a_squared_map():
    """What is multiplied by itself is no gate."""
    at = FeatureMap(channels=8, size=(5, 5))
    first = network("- depthwise: {k: 3}", channels=8, size=5).layers[0]
    last = network("- conv: {c_out: 4, k: 1}", channels=8, size=5).layers[0]
    square = Operator(name="square", type="mul", input=at, output=at)
    assert Network(name="net", layers=(first, square, last), wiring=((-1,), (0, 0), (1,))).units == ()


def test_outputs():
    """A map that the network returns is no inner map either, and stays an output in another form of the network."""
    found = network(PAIR, channels=8, head="outputs: [a]")
    assert found.outputs == (0,)
    assert found.units == ()
    whole = network(f"- conv: {{c_out: 8, k: 3, variant: inverted-bottleneck}}\n- relu: {{name: out}}\n{PAIR}",
                    channels=8, head="outputs: [out]")  # fmt: skip
    assert len(whole.units) == 2
    written = whole.written_as("standard")
    assert [written.layers[place].name for place in written.outputs] == ["out"]


SELF_GATED = """
- conv: {name: a, c_out: 4, k: 3x1}
- residual: {join: mul, body: [sigmoid], shortcut: identity}
- conv: {name: b, c_out: 16, k: 1x3}
"""


def test_an_activation_as_a_product():
    """A map times a function of it is an activation, as exporters write SiLU: another form has it after each stage."""
    lines = network(SELF_GATED, channels=8)
    (unit,) = lines.units
    assert (unit.layer.variant.name, unit.layer.act, unit.gate) == ("spatial-separable", "silu", ())
    assert [layer.name for layer in lines.written_as("standard").layers] == ["a"]


def test_learned_activations_keep_their_cost():
    """A PReLU with a slope for each channel stays beside the layer, and works on its input."""
    at = FeatureMap(channels=8, size=(6, 6))
    slopes = Operator(name="slopes", type="prelu", input=at, output=at, params=8)
    first, last = (
        network(text, channels=8, size=6).layers[0] for text in ("- depthwise: {k: 3}", "- conv: {c_out: 4, k: 1}")
    )
    found = Network(name="net", layers=(first, slopes, last), wiring=((-1,), (0,), (1,)))
    (unit,) = found.units
    assert found.what_if("standard").cost == Cost(params=8 + 9 * 8 * 4, macs=9 * 8 * 4 * 36)
    written = found.written_as("standard")
    assert ([layer.name for layer in written.layers], written.wiring) == (["slopes", unit.layer.name], ((-1,), (0,)))
