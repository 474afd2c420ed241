"""What names and channels mean where a file is being read: rounding, names of layers, numbers for each axis."""

from fractions import Fraction

import pytest
from files import network
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc.core.errors import LayerError
from sepcalc.core.layers import FeatureMap, Part
from sepcalc.core.spec import LARGEST
from sepcalc.readers.yaml.blocks import run
from sepcalc.readers.yaml.expressions import Channels
from sepcalc.readers.yaml.lengths import lengths
from sepcalc.readers.yaml.reader import read
from sepcalc.readers.yaml.scope import LostError, Reading, Scope


def make_divisible(v: float, divisor: int) -> int:
    """The rounding of channels as TF-Slim and torchvision publish it, in floating point."""
    new_v = max(divisor, int(v + divisor / 2) // divisor * divisor)
    if new_v < 0.9 * v:
        new_v += divisor
    return new_v


@randomly(500)
@given(st.integers(1, 5000), st.integers(1, 256), st.sampled_from([1, 2, 3, 4, 8, 16]))
def test_width_rounds_as_published(channels, sixty_fourths, divisor):
    """A width multiplier rounds channels as the published ``make_divisible`` does."""
    width = sixty_fourths / 64  # exact in floating point, which the published code computes in
    expected = channels if width == 1 else make_divisible(channels * width, divisor)
    assert Reading(run=run, width=Fraction(width), divisor=divisor).scaled(channels) == expected


@pytest.mark.parametrize(
    ("width", "rule", "channels", "scaled"),
    [
        ("0.5", "yes", 64, 32),
        ("0.5", True, 64, 32),
        ("0.5", "up", 1280, 1280),
        ("1.4", "up", 1280, 1792),
        ("0.5", "no", 64, 64),
        ("0.5", False, 64, 64),
        ("1.4", "no", 64, 64),
        ("0.35", "yes", 16, 8),
        ("0.75", "yes", 12, 16),
        ("1", "yes", 13, 13),
        ("0.5", "yes", Channels(64), 64),
    ],
)
def test_scale_rules(width, rule, channels, scaled):
    """``no`` never scales, ``up`` only above 1, and channels that a layer has are scaled already."""
    assert Reading(run=run, width=Fraction(width), divisor=8).scaled(channels, rule) == scaled


def scope(**values) -> Scope:
    """A place in a file of which nothing has been read."""
    return Scope(reading=Reading(run=run), **values)


def test_names_count_each_word():
    """A layer without a name has its word and a number, counted for each word and each place apart."""
    here = scope()
    inside = here.branch("left")
    names = [each.new_name(None, word) for word in ("conv", "relu") for each in (here, inside, here)]
    assert names == ["conv1", "left.conv1", "conv2", "relu1", "left.relu1", "relu2"]


def test_names_go_around_those_that_are_given():
    """A number that a layer was given as its name is left out."""
    here = scope()
    here.reading.outputs["conv2"] = None
    assert [here.new_name(None, "conv") for _ in range(3)] == ["conv1", "conv3", "conv4"]


def test_numbers_stand_apart_from_words():
    """A word that ends in a number keeps it apart from that of the layer."""
    here = scope()
    assert [here.new_name(None, word) for word in ("relu6", "relu6", "relu")] == ["relu6_1", "relu6_2", "relu1"]


@randomly(100)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["conv", "relu", "relu6", "conv1", "relu61"]),
            st.sampled_from([None, None, "conv1", "conv3", "relu6_1", "relu2"]),
        )
    )
)
def test_names_are_unique(layers):
    """However words and given names mix, no layer is called like an earlier one."""
    outputs = (here := scope()).reading.outputs
    for word, given_name in layers:
        if given_name in outputs:
            with pytest.raises(LayerError) as caught:
                here.new_name(given_name, word)
            assert str(caught.value) == f"the name {given_name} is taken by an earlier layer; choose another"
        else:
            name = here.new_name(given_name, word)
            assert name not in outputs
            outputs[name] = None


@pytest.mark.parametrize(("name", "text"), [("a\nb", "'a\nb'"), ("", "''"), ("a\u200bb", "'a\u200bb'")])
def test_names_are_printable(name, text):
    """A name that a table cannot print on one line is refused."""
    with pytest.raises(LayerError) as caught:
        scope().new_name(name, "conv")
    assert str(caught.value) == f"name: expected text on one line, got {text}"
    with pytest.raises(LayerError, match=r"^name: expected text on one line, got "):
        scope().branch(f"{name}\n")


def test_names_in_any_language():
    """A name may be any printable text, or a number."""
    assert scope().new_name("größe ×2", "conv") == "größe ×2"
    assert scope().new_name(0, "conv") == "0"


def test_names_are_looked_up_from_the_inside_out():
    """A name means the layer of its own block first, then one of the blocks around it."""
    here = scope(prefix="stage1.block2.")
    outputs = here.reading.outputs
    for number, name in enumerate(("skip", "stage1.skip", "stage1.block2.skip")):
        outputs[name] = FeatureMap(channels=len(name), size=(1,)), (number,)
        assert here.full_name("skip") == name
        assert here.output_of("skip") == outputs[name]
    assert here.full_name("stage1.skip") == "stage1.skip"


def test_names_that_nothing_has():
    """An unknown name gets the closest one, or what to do where none is close."""
    here = scope(prefix="b.")
    here.reading.outputs["b.skip"] = None
    with pytest.raises(LostError):
        here.output_of("skip")
    for name, hint in (("skp", "did you mean 'skip'?"), ("zzz", "give a layer that name")):
        with pytest.raises(LayerError) as caught:
            here.output_of(name)
        assert str(caught.value) == f"no earlier layer is called '{name}'; {hint}"


@randomly(100)
@given(st.integers(1, 3), st.integers(0, LARGEST), st.data())
def test_lengths(axes, number, data):
    """One number stands for all axes; a list or a text has one for each."""
    numbers = data.draw(st.lists(st.integers(0, LARGEST), min_size=axes, max_size=axes))
    assert lengths("k", number, axes) == (number,) * axes
    assert lengths("k", numbers, axes) == tuple(numbers)
    if axes > 1:
        assert lengths("k", "x".join(map(str, numbers)), axes, least=0) == tuple(numbers)


@pytest.mark.parametrize(
    "text", ["", "3", "x", "3x", "ax3", "3x0", "3x-1", "3x1x1x1", "3×1", "٣x٣", "1e1x2", "3x" + "1" * 11]
)
def test_lengths_that_are_none(text):
    """Other text is refused with what is expected."""
    with pytest.raises(LayerError) as caught:
        lengths("k", text, 2)
    expected = "a whole number, or one per axis like 3x1 or [3, 1]"
    assert str(caught.value) == f"k: expected {expected}, got '{text}'"
    assert caught.value.key == "k"


def test_lengths_for_other_axes():
    """Another number of axes than the feature map's is refused with both."""
    for value in ("3x1x1", [3, 1, 1]):
        with pytest.raises(LayerError, match=r"^k 3x1x1 has 3 axes, the feature map has 2$"):
            lengths("k", value, 2)


def test_what_reaches_a_layer():
    """Before the first layer nothing does; after a fault it is unknown, which is no fault of its own."""
    with pytest.raises(LayerError) as caught:
        scope().known(None)
    assert str(caught.value) == "nothing reaches this layer; give it c_in and size, or the file an input"
    here = scope(at=FeatureMap(channels=3, size=(8,)))
    assert here.known(here.at) == here.at
    here.lose()
    with pytest.raises(LostError):
        here.known(here.at)


@pytest.mark.parametrize(
    ("layers", "wiring"),
    [
        ("- relu\n- tanh\n- dropout", [(-1,), (0,), (1,)]),
        ("- relu: {name: a, repeat: 3}\n- tanh: {from: a.1}\n- add: a", [(-1,), (0,), (1,), (0,), (3, 2)]),
        ("- relu: {name: a}\n- tanh\n- mish: {from: a, repeat: 2}\n- concat: {with: [a, a], from: tanh1}",
            [(-1,), (0,), (0,), (2,), (1, 0, 0)]),
        ("- relu: {repeat: 0}\n- tanh", [(-1,)]),
        ("- residual: {body: [relu, tanh]}\n- mish", [(-1,), (0,), (1, -1), (2,)]),
        ("- residual: {name: r, body: [conv: {c_out: 5, k: 3}], act: relu}\n- tanh\n- add: r",
            [(-1,), (-1,), (0, 1), (2,), (3,), (4, 3)]),
        ("- residual: {body: [conv: {c_out: 5, k: 1}], shortcut: optional}\n- tanh", [(-1,), (0,)]),
        ("- relu\n- parallel: [[tanh], [], [mish, {elu: {from: relu1}}]]", [(-1,), (0,), (0,), (0,), (1, 0, 3)]),
        ("- relu\n- parallel: {split: [1, 3], branches: [[], [tanh]]}",
            [(-1,), (Part(0, 1, 3),), (Part(0, 0, 1), 1)]),
        ("- parallel: {split: true, branches: [[], [parallel: {split: true, branches: [[], [tanh]]}]]}",
            [(Part(-1, 3, 1),), (Part(-1, 2, 1), 0), (Part(-1, 0, 2), 1)]),
        ("- twice: {name: t}\n- twice: {from: t.relu1}\n- add: t", [(-1,), (0,), (0,), (2,), (3, 1)]),
        ("- twice: {name: t, repeat: 2}\n- add: t.1", [(-1,), (0,), (1,), (2,), (3, 1)]),
    ],
)  # fmt: skip
def test_what_each_layer_reads(layers, wiring):
    """Each layer knows whose output it reads, through names, blocks, repetitions, branches and parts of channels."""
    found = network(layers, channels=4, head="blocks: {twice: {layers: [relu, tanh]}}")
    assert found.wiring == tuple(wiring)


def test_a_layer_that_reads_something_else():
    """In a plain list a layer may read what no layer writes; then nobody knows where it comes from."""
    same, other = "c_in: 4, size: 8", "c_in: 4, size: 16"
    plain = "layers:\n- {{name: a, c_in: 3, c_out: 4, k: 3, size: 8}}\n- {{name: b, type: relu, {}}}\n- add: a"
    assert read(plain.format(same)).wiring == ((-1,), (0,), (1, 0))
    assert read(plain.format(other).replace("add: a", "tanh")).wiring == ((-1,), (), (1,))
    assert read(plain.format(same).replace("add: a", f"add: {{with: a, {same}}}")).wiring == ((-1,), (0,), (1, 0))
    assert read(plain.format(other).replace("add: a", f"add: {{with: a, {same}}}")).wiring == ((-1,), (), ())
