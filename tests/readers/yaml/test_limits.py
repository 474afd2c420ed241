"""How many layers a file stands for, counted before any is built: exactly as many as reading gives."""

import pytest
from files import faults, network
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc.core.errors import LayerError
from sepcalc.readers.yaml import limits
from sepcalc.readers.yaml.blocks import read_blocks
from sepcalc.readers.yaml.limits import DEEPEST_LAYERS, MOST_LAYERS, Expansion
from sepcalc.readers.yaml.positions import parse

LEAVES = st.sampled_from(["relu", "{conv: {c_out: 3, k: 1}}", "{maxpool: {k: 1}}", "{c_out: 3, k: 1}"])
NUMBERS = st.integers(0, 3).map(str)


@st.composite
def bodies(draw: st.DrawFn, blocks: int, depth: int = 2) -> str:
    """A list of layers in flow style, of which some are uses of the blocks called b0, b1 and so on."""
    count = draw(st.integers(0, 2))
    return f"[{', '.join(draw(entries(blocks, depth)) for _ in range(count))}]"


@st.composite
def entries(draw: st.DrawFn, blocks: int, depth: int) -> str:
    """A layer in flow style: a word, a repetition, a block with arguments, or layers with layers inside."""
    nesting = ["residual", "parallel", "first"] * bool(depth)
    kind = draw(st.sampled_from(["leaf", "repeat", *["block"] * 2 * bool(blocks), *nesting]))
    times = draw(st.sampled_from(["1", "2", "$n", "$n+1"] if blocks < 3 else ["0", "1", "2"]))
    if kind == "leaf":
        return draw(LEAVES)
    if kind == "repeat":
        return f"{{relu: {{repeat: {times}}}}}"
    if kind == "block":
        first = draw(st.sampled_from(["", ", first: {n: 2}", ", first: {n: 0}"]))
        return f"{{b{draw(st.integers(0, blocks - 1))}: {{n: {draw(NUMBERS)}, repeat: {times}{first}}}}}"
    body, other = draw(bodies(blocks, depth - 1)), draw(bodies(blocks, 0))
    if kind == "parallel":
        return f"{{parallel: {{branches: [{body}, {{left: {other}}}], join: add}}}}"
    more = f", repeat: {times}, first: {{body: [relu, relu]}}" if kind == "first" else ""
    return f"{{residual: {{body: {body}, shortcut: {other}{more}}}}}"


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    """A list of layers, and three blocks for it; a block uses those before it alone."""
    blocks = "".join(f"  b{i}: {{args: {{n: 1}}, layers: {draw(bodies(i))}}}\n" for i in range(3))
    return draw(bodies(3)), f"blocks:\n{blocks}"


def counted(layers: str, head: str) -> int:
    """How many layers are counted."""
    problems = []
    blocks = read_blocks(parse(head)["blocks"], problems)
    assert not problems
    return Expansion(blocks=blocks).layers(parse(layers), {})[0]


def stands_for_nothing(text: str) -> bool:
    """Whether some block in ``text`` may be used without adding a layer, which counts as one."""
    return "layers: []" in text or "repeat: 0" in text or "repeat: $n" in text


@randomly(120)
@given(texts())
def test_what_is_counted_is_what_is_read(text):
    """The count is that of the layers that are read, and above it only for uses of blocks that stand for none."""
    layers, head = text
    expected = counted(layers, head)
    assume(expected < 500)
    found = len(network(layers, head=head).layers)
    assert found <= expected
    assert found == expected or stands_for_nothing(layers + head)


@pytest.mark.parametrize(
    ("layers", "count"),
    [
        ("[relu, relu]", 2),
        ("[relu: {repeat: 1000}]", 1000),
        ("[b]", 2),
        ("[b: {n: 5}]", 6),
        ("[b: {n: 5, repeat: 3}]", 18),
        ("[b: {n: 5, repeat: 3, first: {n: 1}}]", 14),
        ("[b: {n: 5, first: {n: 1}}]", 2),
        ("[{type: b, n: 5, repeat: 2}]", 12),
        ("[residual: [relu, relu]]", 3),
        ("[residual: {body: [b], shortcut: [b, b]}]", 7),
        ("[parallel: [[b], {name: [b, b]}, []]]", 7),
        ("[{type: residual, body: [relu], repeat: 10}]", 20),
        ("[word: {w: b}]", 3),
        ("[word: {w: relu}]", 2),
        ("[empty]", 1),
        ("[empty: {repeat: 7}]", 7),
        ("[b: {repeat: 0}]", 0),
        ("[later: {n: 3}]", 13),
        ("[wrong, 3, {}, {type: [b]}, [relu], null]", 6),
        ("[relu: {repeat: many}]", 1),
        ("[relu: {repeat: -5}]", 1),
        ("[residual: {body: 5, shortcut: auto}]", 1),
        ("[parallel: {branches: b}]", 1),
    ],
)  # fmt: skip
def test_counts(layers, count):
    """Repetitions, arguments, and layers inside of layers are counted as often as they are built."""
    head = """
blocks:
  b: {args: {n: 1}, layers: [relu, relu: {repeat: $n}]}
  word: {args: {w: null}, layers: [relu, $w]}
  empty: {layers: []}
  later: {args: {n: 1, m: 2*$n, k: $n*$m}, layers: [relu: {repeat: $m}, b: {n: 2*$n}]}
"""
    assert counted(layers, head) == count


def blocks(**definitions: str) -> str:
    """A file with an input and these lists of layers as blocks; ``layers`` is the list of the file."""
    layers = definitions.pop("layers")
    lists = {name: text if text.startswith("{") else f"{{layers: {text}}}" for name, text in definitions.items()}
    lines = "".join(f"  {name}: {text}\n" for name, text in lists.items())
    return f"input: {{channels: 3, size: 8}}\nblocks:\n{lines}layers: {layers}\n"


TOO_MANY = f"layers: more than {MOST_LAYERS:,} layers after expansion; check repeat, blocks and aliases"
ITSELF = {
    "directly": (blocks(a="[a]", layers="[relu, a]"), "a → a"),
    "through another": (blocks(a="[b]", b="[relu, {residual: [a]}]", layers="[relu, b]"), "b → a → b"),
    "never": (blocks(a="[a: {repeat: 0}]", layers="[relu, a]"), "a → a"),
    "in a shortcut": (blocks(a="[residual: {body: [], shortcut: [a]}]", layers="[relu, a]"), "a → a"),
    "in a named branch": (blocks(a="[parallel: [{n: [a]}]]", layers="[relu, a]"), "a → a"),
    "as a plain layer": (blocks(a="[{type: a, repeat: 2}]", layers="[relu, {type: a}]"), "a → a"),
    "in the first repetition": (blocks(a="[residual: {body: [], first: {body: [a]}}]", layers="[relu, a]"), "a → a"),
    "by an argument": (blocks(a="{args: {w: relu}, layers: [$w]}", layers="[relu, a: {w: a}]"), "a → a"),
    "by a default": (blocks(a="{args: {v: a, w: $v}, layers: [$w]}", layers="[relu, a]"), "a → a"),
}  # fmt: skip


@pytest.mark.parametrize("text", ITSELF)
def test_blocks_that_contain_themselves(text):
    """A block that contains itself, by whatever way, is refused with that way."""
    file, way = ITSELF[text]
    column = file.splitlines()[-1].index("relu") + 7
    name = way[0]
    assert faults(file) == [
        f"{len(file.splitlines())}:{column}: layers: block {name} contains itself: {way}; take it out of itself"
    ]


@pytest.mark.parametrize(
    "text",
    [
        blocks(a="[relu]", layers="[relu: {repeat: 1000001}]"),
        blocks(a="[relu: {repeat: 1001}]", layers="[a: {repeat: 1000}]"),
        blocks(a="{args: {n: 1}, layers: [relu: {repeat: $n}]}", layers="[a: {n: 2000000000}]"),
        blocks(a="{args: {n: 9999}, layers: [relu: {repeat: $n*$n}]}", layers="[a]"),
        blocks(a="{args: {n: 1}, layers: [relu: {repeat: $n}]}", layers="[a: {n: 1, first: {n: 2000000}}]"),
        blocks(a="{args: {n: 1, m: 1000*$n}, layers: [relu: {repeat: 1000*$m}]}", layers="[a: {n: 2}]"),
        blocks(a="[]", layers="[a: {repeat: 2000000}]"),
        blocks(a="[]", b="[a: {repeat: 2000}]", layers="[b: {repeat: 2000}]"),
        blocks(a="[relu: {repeat: 600000}]", layers="[residual: {body: [a], shortcut: [a]}]"),
        blocks(a="[relu: {repeat: 600000}]", layers="[{parallel: [[a]]}, a]"),
        blocks(a="[relu: {repeat: 600000}]", layers="[{residual: {body: [], first: {body: [a, a]}}}]"),
        blocks(a1="[relu, relu]", **{f"a{i}": f"[a{i - 1}, a{i - 1}]" for i in range(2, 25)}, layers="[a24]"),
    ],
    ids=range(12),
)  # fmt: skip
def test_too_many_layers(text):
    """More than a million layers, by whatever way, are refused before one is built."""
    (found,) = faults(text)
    assert found.split(": ", 1)[1] == TOO_MANY


def test_a_repetition_cannot_depend_on_shapes():
    """What is not known before shapes are cannot say how often, however it is written."""
    for times in ("$c_in", "$n", "0*$c_in+3", "-(-$c_in)", "scaled($m)", "rounded($m)"):
        text = blocks(a=f"{{args: {{n: $c_in, m: 3}}, layers: [relu: {{repeat: {times}}}]}}", layers="[a]")
        (found,) = faults(text)
        assert found.endswith("a1.relu: repeat: expected a number that does not depend on $c_in")


@pytest.mark.parametrize("order", [1, -1])
def test_deep_blocks(order):
    """Blocks in blocks are refused beyond a depth, whichever of them is counted first."""

    def chain(length):
        names = [f"b{i}" for i in range(length)][::order]
        links = {f"b{i}": f"[b{i + 1}]" for i in range(length)}
        return blocks(**links, **{f"b{length}": "[relu]"}, layers=f"[{', '.join(names)}]")

    assert faults(chain(DEEPEST_LAYERS - 1)) == []
    for length in (DEEPEST_LAYERS, 5000):
        (found,) = faults(chain(length))
        assert found.split(": ", 1)[1] == (
            f"layers: blocks, residuals and branches stand more than {DEEPEST_LAYERS} deep in one another; "
            "write some of them out"
        )


@pytest.mark.parametrize("inner", ["residual: [{}]", "parallel: [[{}]]", "residual: {{body: [], shortcut: [{}]}}"])
def test_deep_layers(inner):
    """Layers inside of layers inside of blocks count as well, and as many as are allowed can be read."""

    def nested(depth):
        text = "relu"
        for _ in range(depth):
            text = f"{{{inner.format(text)}}}"
        return text

    def chain(length):
        names = {f"b{i}": f"[{nested(9).replace('relu', f'b{i + 1}')}]" for i in range(length)}
        return blocks(**names, **{f"b{length}": "[relu]"}, layers="[b0]")

    assert faults(chain(4)) == []
    (found,) = faults(chain(5))
    assert "stand more than" in found


def test_the_deepest_arithmetic_in_the_deepest_layer():
    """The longest expression is evaluated in the innermost of as many layers as are allowed."""

    def nested(text, depth):
        return f"[{'{residual: [' * depth}{text}{']}' * depth}]"

    half = DEEPEST_LAYERS // 2 - 2
    longest = f"{{conv: {{c_out: {'-' * 198}$n, k: 1}}}}"
    text = blocks(
        a=nested("b", half),
        b=f"{{args: {{n: 3}}, layers: {nested(longest, half)}}}",
        layers="[{residual: [residual: [a]]}]",
    )
    assert faults(text) == []
    (found,) = faults(text.replace("[a]", "[residual: [a]]"))
    assert "deep in one another" in found


def test_arguments_that_are_always_different(monkeypatch):
    """Counting ends early where each use of each block has arguments of its own."""
    monkeypatch.setattr(limits, "MOST_USES", 100)

    def tree(depth):
        both = "[{{b{0}: {{n: 2*$n}}}}, {{b{0}: {{n: 2*$n+1}}}}]"
        levels = {f"b{i}": f"{{args: {{n: 0}}, layers: {both.format(i + 1)}}}" for i in range(depth)}
        last = {f"b{depth}": "{args: {n: 0}, layers: [relu: {repeat: 0*$n}]}"}
        return blocks(**levels, **last, layers="[b0: {n: 1}]")

    assert faults(tree(5)) == []
    assert faults(tree(30)) == ["34:10: layers: blocks are used with more than 100 different arguments; write fewer"]


def test_a_list_is_counted_once():
    """The same list with the same arguments is not looked at again, however often it is used."""
    text = {f"b{i}": f"[b{i + 1}, b{i + 1}]" for i in range(15)}
    problems = []
    head = parse(blocks(**text, b15="[relu]", layers="[b0]"))
    count = Expansion(blocks=read_blocks(head["blocks"], problems))
    assert count.layers(head["layers"], {}) == (2**15, 17)
    assert count.looked_at < 50


def test_reading_goes_as_deep_as_counting_allows():
    """A chain of plain counting raises the same error as one that is read."""
    with pytest.raises(LayerError) as caught:
        Expansion(blocks={}, depth=DEEPEST_LAYERS).layers(parse("[relu]"), {})
    assert str(DEEPEST_LAYERS) in str(caught.value)
