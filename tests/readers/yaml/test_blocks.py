"""Lists of layers: words and plain layers, repetition, blocks with arguments, and where their faults stand."""

import pytest
from files import faults, layer_faults, names, network, shapes
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc.core.layers import Cost

TWICE = """
blocks:
  twice:
    args: {width: null, k: 3}
    layers: [conv: {c_out: $width, k: $k}, conv: {c_out: 2*$width, k: 1}]
"""


@pytest.mark.parametrize(
    "text",
    [
        "- relu",
        "- relu:",
        "- relu: {}",
        "- type: relu",
        "- {type: relu, repeat: 1}",
    ],
)
def test_forms_of_a_layer_without_arguments(text):
    """A layer is a word, a word with its arguments, or its arguments with a type."""
    assert names(text) == ["relu1"]


@pytest.mark.parametrize(
    "text",
    [
        "- conv: {c_out: 8, k: 3}",
        "- conv:\n    c_out: 8\n    k: 3",
        "- {c_out: 8, k: 3}",
        "- c_out: 8\n  k: 3",
        "- {type: conv, c_out: 8, k: 3}",
    ],
)
def test_forms_of_a_convolution(text):
    """A plain layer is a convolution unless it says its type."""
    assert shapes(text) == [(8, 32, 32)]


def test_forms_mix():
    """Layers with their arguments side by side stand among the others, and check what reaches them."""
    text = """
    - conv: {c_out: 8, k: 3, stride: 2}
    - {name: middle, c_in: 8, c_out: 16, k: 3, size: 16}
    - {type: maxpool, k: 2}
    - {type: linear, c_out: 10, per_position: true, bias: true}
    - separable: {c_out: 4, k: 3}
    """
    assert names(text) == ["conv1", "middle", "maxpool1", "linear1", "separable1"]
    assert shapes(text)[-1] == (4, 8, 8)


def test_a_block_is_its_layers():
    """A block costs what its layers do with its arguments put in, and its name stands before theirs."""
    block = network("- twice: {width: 8}\n- twice: {width: 4, k: 5, name: last}", head=TWICE)
    plain = network(
        "- conv: {c_out: 8, k: 3}\n- conv: {c_out: 16, k: 1}\n- conv: {c_out: 4, k: 5}\n- conv: {c_out: 8, k: 1}"
    )
    assert block.cost == plain.cost
    assert [each.name for each in block.layers] == ["twice1.conv1", "twice1.conv2", "last.conv1", "last.conv2"]


def test_blocks_use_blocks():
    """A block hands its arguments on, computed or as they are, and its layers carry the names of all of them."""
    found = network(
        "- outer: {w: 4}",
        head="""
        blocks:
          inner: {args: {w: null, act: relu}, layers: [conv: {c_out: $w, k: 1, act: $act}, $act]}
          outer:
            args: {w: null}
            layers:
              - inner: {w: 2*$w}
              - inner: {w: $w//2, act: prelu, name: second}
        """,
    )
    assert [each.name for each in found.layers] == [
        "outer1.inner1.conv1", "outer1.inner1.relu1", "outer1.second.conv1", "outer1.second.prelu1",
    ]  # fmt: skip
    assert [each.output.channels for each in found.layers] == [8, 8, 2, 2]
    assert found.cost.params == 3 * 8 + 8 * 2 + 2


def test_defaults_of_arguments():
    """A default can be made of the arguments before it, given or not, and of the channels that reach the block."""
    head = "blocks: {b: {args: {w: $c_in, twice: 2*$w, k: [1, 3]}, layers: [conv: {c_out: $twice, k: $k}]}}"
    for given_arguments, c_out in (("", 6), ("w: 5", 10), ("twice: 7", 7), ("w: 5, twice: 9", 9)):
        (found,) = network(f"- b: {{{given_arguments}}}", head=head).layers
        assert (found.output.channels, found.kernel) == (c_out, (1, 3))


def test_channels_that_reach_a_block():
    """``$c_in`` is what reaches the block that it stands in, not one around it."""
    head = """
    blocks:
      inner: {args: {plus: 0}, layers: [conv: {c_out: $c_in+$plus, k: 1}]}
      outer: {layers: [conv: {c_out: 2*$c_in, k: 1}, inner, inner: {plus: $c_in}]}
    """
    assert [shape[0] for shape in shapes("- outer", head=head)] == [6, 6, 9]


def test_arguments_in_lists():
    """An expression may stand in a list of numbers, for a length and for a split."""
    head = """
    blocks:
      b:
        args: {a: 1, n: 4}
        layers:
          - conv: {c_out: 8, k: [$a, 2*$a+1], stride: [$a, 1]}
          - parallel: {split: [$n, 8-$n], branches: [[], []]}
    """
    assert network("- b", head=head).layers[0].kernel == (1, 3)
    assert network("- b: {a: 2}", head=head).layers[0].kernel == (2, 5)


@pytest.mark.parametrize("word", ["conv: {c_out: 8, k: 3}", "twice: {width: 4}", "relu", "residual: [relu]"])
@randomly(15)
@given(times=st.integers(0, 5))
def test_repetition(word, times):
    """A layer that is repeated is the layer written as often, names included."""
    key, _, rest = word.partition(": ")
    rest = f"body: {rest}" if rest.startswith("[") else rest.strip("{}")
    repeated = network(f"- {key}: {{{', '.join(filter(None, [rest, f'repeat: {times}']))}}}\n- gelu", head=TWICE)
    written = network(f"- {word}\n" * times + "- gelu", head=TWICE)
    assert repeated.layers == written.layers


def test_names_of_repetitions():
    """Repetitions of a layer with a name are numbered, and the name alone is the last one's output."""
    text = """
    - conv: {name: a, c_out: 8, k: 3, repeat: 2}
    - conv: {name: b, c_out: 4, k: 1, repeat: 1}
    - add: {from: a, with: a.1}
    """
    assert names(text) == ["a.1", "a.2", "b", "add1"]
    text = "- twice: {name: stage, width: 4, repeat: 2}\n- relu: {from: stage}"
    assert names(text, head=TWICE) == ["stage.1.conv1", "stage.1.conv2", "stage.2.conv1", "stage.2.conv2", "relu1"]
    assert shapes(text, head=TWICE)[-1] == (8, 32, 32)


def test_names_of_repetitions_are_taken_once():
    """The name that repetitions share is a name like any other."""
    assert layer_faults("- relu: {name: a}\n- gelu: {name: a, repeat: 2}") == [
        "2:16: a: the name a is taken by an earlier layer; choose another"
    ]
    assert layer_faults("- relu: {name: a, repeat: 2}\n- gelu: {name: a.2}") == [
        "2:16: a.2: the name a.2 is taken by an earlier layer; choose another"
    ]


def test_the_first_repetition():
    """``first`` says what is different the first time, for layers and for blocks."""
    assert shapes("- conv: {c_out: 8, k: 3, repeat: 3, first: {stride: 2}}") == [(8, 16, 16)] * 3
    kernels = [each.kernel for each in network("- twice: {width: 4, repeat: 2, first: {k: 5}}", head=TWICE).layers]
    assert kernels == [(5, 5), (1, 1), (3, 3), (1, 1)]
    assert shapes("- conv: {c_out: 8, k: 3, first: {c_out: 4}}") == [(4, 32, 32)]


def test_repetitions_follow_each_other():
    """Only the first repetition reads what ``from`` names; the others read the one before."""
    found = network("- conv: {name: a, c_out: 8, k: 1}\n- relu\n- conv: {c_out: 4, k: 1, from: a, repeat: 3}")
    assert [each.input.channels for each in found.layers] == [3, 8, 8, 4, 4]


def test_a_repetition_inside_a_block():
    """How often a layer stands in a block can be an argument."""
    head = "blocks: {b: {args: {n: null, w: 8}, layers: [conv: {c_out: $w, k: 1, repeat: $n+1, first: {k: $n}}]}}"
    assert [each.kernel for each in network("- b: {n: 3}", head=head).layers] == [(3, 3), (1, 1), (1, 1), (1, 1)]
    assert network("- b: {n: -1}\n- relu", head=head).cost == Cost()


def test_names_inside_blocks():
    """``from`` and joins find layers of the same block first, then those around it, and a block by its own name."""
    head = """
    blocks:
      b:
        layers:
          - conv: {name: a, c_out: 8, k: 1}
          - residual:
              body: [conv: {c_out: 8, k: 1}]
              shortcut: [relu: {from: a}]
          - concat: {with: [a, start]}
    """
    text = "- identity: {name: start}\n- conv: {name: a, c_out: 5, k: 1}\n- b: {name: one}\n- concat: [a, one, one.a]"
    assert [shape[0] for shape in shapes(text, head=head)] == [3, 5, 8, 8, 8, 8, 19, 19 + 5 + 19 + 8]


def test_defaults_are_for_convolutions():
    """The file's defaults are those of convolutions, in blocks as well; an argument of a layer overrides its own."""
    head = "defaults: {norm: batch, act: relu, bias: true, padding: valid, between: none, act_last: prelu}\n" + TWICE
    found = network(
        "- twice: {width: 4}\n- separable: {c_out: 8, k: 3, norm: none, padding: same}\n- maxpool: 2", head=head
    )
    first, _, separable, pool = found.layers
    assert (first.norm, first.act, first.act_last, first.between, first.spec.bias) == (
        "batch", "relu", "prelu", "none", "all",
    )  # fmt: skip
    assert first.output.size == (30, 30)
    assert (separable.norm, separable.act, separable.output.size) == ("none", "relu", (30, 30))
    assert pool.output.size == (15, 15)


def test_null_says_nothing():
    """A null in the defaults is as good as a key that is not there."""
    assert network("- conv: {c_out: 8, k: 3}", head="defaults: {norm: null, bias: null}").layers[0].norm == "none"


FAULTS = {
    "- covn: {k: 3}": "1:3: layer: unknown layer 'covn'; did you mean 'conv'?",
    "- twcie: {width: 3}": "1:3: layer: unknown layer 'twcie'; did you mean 'twice'?",
    "- {type: lniear, c_out: 3}": "1:10: layer: unknown type 'lniear'; did you mean 'linear'?",
    "- {type: 3, c_out: 3}": "1:10: layer: unknown type 3; known: ",
    "- 3": "1:3: layer: a layer is a word, or a word with its arguments, not 3",
    "- [relu]": "1:3: layer: a layer is a word, or a word with its arguments, not [relu]",
    "- {}": "1:3: layer: a layer is a word, or a word with its arguments, not {}",
    "-": "1:2: layer: a layer is a word, or a word with its arguments, not null",
    "- {conv: {k: 3, c_out: 3}, repeat: 3}": (
        "1:10: layer: 'conv' and its arguments stand side by side; indent the arguments below it"
    ),
    "- conv:\n  c_out: 8\n  k: 3": (
        "1:8: layer: 'conv' and its arguments stand side by side; indent the arguments below it"
    ),
    "- twice:\n  width: 8": "1:9: layer: 'twice' and its arguments stand side by side; indent the arguments below it",
    "- twice": "1:3: twice: block twice needs width; give it a value",
    "- twice: {width: null}": "1:3: twice: block twice needs width; give it a value",
    "- twice: 3": "1:3: twice: twice takes a mapping of arguments, not 3",
    "- twice: {width: 3, widht: 4}": "1:28: twice: unknown key 'widht'; did you mean 'width'?",
    "- twice: {width: {a: 3}}": "1:18: twice: width: expected a number, a word or a list of numbers, got {a: 3}",
    "- twice: {width: [relu]}": "1:18: twice: width: expected a number, a word or a list of numbers, got [relu]",
    "- twice: {width: 3, c_in: 4}": (
        "1:27: twice: c_in 4 contradicts the 3 channels that reach it; remove c_in"
    ),
    "- conv: {c_out: $width, k: 3}": (
        "1:17: conv: c_out: $width is not known here; write a number, or make it an argument of a block"
    ),
    "- conv: {c_out: 8, k: [$a, 1]}": (
        "1:23: conv: k: $a is not known here; write a number, or make it an argument of a block"
    ),
    "- $act": "1:3: layer: $act is not known here; write a number, or make it an argument of a block",
    "- conv: {c_out: 8, k: 3, repeat: -1}": "1:34: conv: repeat: expected a whole number, got -1",
    "- conv: {c_out: 8, k: 3, repeat: many}": "1:34: conv: repeat: expected a whole number, got 'many'",
    "- conv: {c_out: 8, k: 3, repeat: null}": "1:34: conv: repeat: expected a whole number, got null",
    "- conv: {c_out: 8, k: 3, repeat: 1.5}": "1:34: conv: repeat: expected a whole number, got 1.5",
    "- conv: {c_out: 8, k: 3, first: [2]}": "1:33: conv: first: expected a mapping like {stride: 2}, got [2]",
    "- conv: {c_out: 8, k: 3, first: {repeat: 2}}": (
        "1:33: conv: first: repeat is the same for every repetition; remove it here"
    ),
    "- conv: {c_out: 8, k: 3, first: {name: a}}": (
        "1:33: conv: first: name is the same for every repetition; remove it here"
    ),
    "- conv: {c_out: 8, k: 3, first: {strde: 2}}": (
        "1:33: conv: first: unknown key 'strde'; did you mean 'stride'?"
    ),
    "- conv: {c_out: 8, k: 3, first: {k: $a}}": (
        "1:33: conv: first: k: $a is not known here; write a number, or make it an argument of a block"
    ),
    "- conv: {c_out: 8, k: 3, first: {dilation: 0}}": (
        "1:33: conv: first: dilation: expected a whole number, or one per axis like 3x1 or [3, 1], got 0"
    ),
    "- conv: {c_out: 8, k: 3, type: dw}": "1:32: conv: unknown key 'type'; known: ",
}  # fmt: skip


@pytest.mark.parametrize("text", FAULTS)
def test_faults(text):
    """What is no layer, or a layer used as it cannot be, is named with its place and the cure."""
    (found,) = layer_faults(text, head=TWICE)
    assert found.startswith(FAULTS[text]) if FAULTS[text].endswith("known: ") else found == FAULTS[text]


def test_faults_in_blocks_come_once():
    """A fault in a block stands where the block is written, once, however often the block is used."""
    text = """
    input: {channels: 3, size: 8}
    blocks:
      b:
        args: {w: 8}
        layers:
          - conv: {c_out: $w, kernel: 3}
          - rleu
    layers: [b, {b: {w: 5}}, {b: {name: third, repeat: 4}}, {residual: [b]}]
    """
    assert faults(text) == [
        "7:9: b1.conv: k is missing; give a whole number, or one per axis like 3x1 or [3, 1]",
        "7:35: b1.conv: unknown key 'kernel'; did you mean 'k'?",
        "8:9: b1.layer: unknown layer 'rleu'; did you mean 'relu'?",
    ]


def test_faults_that_depend_on_arguments():
    """A fault that only some uses of a block have names the use that has it."""
    text = """
    input: {channels: 3, size: 8}
    blocks: {b: {args: {g: 1}, layers: [conv: {c_out: 6, k: 1, groups: $g}]}}
    layers: [b, b: {g: 3}, b: {g: 4, name: last}]
    """
    assert faults(text) == ["3:37: last.conv: c_in 6 is not divisible by groups 4; nearest: 4, 8"]


def test_faults_of_definitions():
    """Every fault of a block's definition is named; a use of such a block is none of them."""
    text = """
    input: {channels: 3, size: 8}
    blocks:
      a: 5
      conv: {layers: []}
      7: {layers: []}
      $b: {layers: []}
      c: {layer: [], args: 5}
      d: {layers: [], args: {c_in: 5, repeat: 1, 'two words': 1, 8: 1, ok: {}}}
      e: {layers: 5}
      f: {args: {w: 2*$x, v: [$w, 1]}, layers: []}
      g: {args: {v: [relu]}, layers: []}
    layers: [a, {a: {w: 3}}, {type: c, w: 4}, d, e, f, g]
    """
    assert faults(text) == [
        "4:6: block a: expected a mapping with layers and args, got 5",
        "5:9: block conv: conv is a layer already; choose another name",
        "6:6: block 7: a block is called by a word without $, not 7; choose another name",
        "7:7: block $b: a block is called by a word without $, not '$b'; choose another name",
        "8:6: block c: layers is missing; give a list of layers",
        "8:14: block c: unknown key 'layer'; did you mean 'layers'?",
        "8:24: block c: args: expected a mapping of names to defaults, got 5",
        "9:25: block d: args: 'two words' is no name; use letters, digits and _",
        "9:25: block d: args: 8 is no name; use letters, digits and _",
        "9:25: block d: args: c_in means something for every layer; choose another name",
        "9:25: block d: args: ok: expected a number, a word or a list of numbers, got {}",
        "9:25: block d: args: repeat means something for every layer; choose another name",
        "13:46: e: expected a list of layers, got 5",
        "13:49: f: w: $x is not known here; write a number, or make it an argument of a block",
        "13:52: g: v: expected a number, a word or a list of numbers, got [relu]",
    ]


def test_faults_of_definitions_come_to_an_end():
    """After so many faulty blocks that nobody reads on, no more are looked at."""
    many = "".join(f"  b{number}: {{layrs: []}}\n" for number in range(3000))
    lines = faults(f"layers: [relu]\ninput: {{channels: 3, size: 8}}\nblocks:\n{many}")
    assert lines[-1] == " and more than 980 others"
    published = "".join(f"  - {number}\n" for number in range(3000))
    assert faults(f"layers: []\npublished:\n{published}")[-1] == " and more than 980 others"


def test_a_fault_in_every_argument_of_a_block():
    """A use of a block is told of everything that it has wrong."""
    head = "blocks: {b: {args: {v: null, w: null}, layers: [relu]}}"
    assert layer_faults("- b: {v: {}, x: 1, repeat: 2, c_in: many}", head=head) == [
        "1:3: b: block b needs w; give it a value",
        "1:10: b: v: expected a number, a word or a list of numbers, got {}",
        "1:17: b: unknown key 'x'; known: v, w, name, from, c_in, size, repeat, first",
        "1:37: b: c_in: expected a whole number from 1 to 1,000,000,000, got 'many'",
    ]


def test_a_fault_hides_what_follows_from_it():
    """Layers after a fault are checked for what is their own, and not for what the fault leaves open."""
    assert layer_faults(
        """
        - conv: {name: a, c_out: 8, kernel: 3}
        - linear: 10
        - conv: {c_out: 8, k: 3, groups: 7}
        - add: a
        - add: b
        - conv: {c_out: 8, k: 3, norm: bacth}
        """.strip("\n")
    ) == [
        "1:3: a: k is missing; give a whole number, or one per axis like 3x1 or [3, 1]",
        "1:37: a: unknown key 'kernel'; did you mean 'k'?",
        "5:3: add: no earlier layer is called 'b'; give a layer that name",
        "6:32: conv: norm: expected one of none, batch, layer, group, instance, rms, got 'bacth'",
    ]
