"""Layer scale, what stands between stages, and channels that a width has multiplied or not."""

import pytest

from sepcalc.core.layers import Cost
from sepcalc.readers.yaml.reader import FileError, read

NETWORK = """
name: test
input: {{channels: {channels}, size: 8}}
divisor: 4
blocks:
  block:
    args: {{c: 24, act: relu}}
    layers:
      - conv: {{c_out: {c_out}, k: 1}}
layers:
  - block
"""


def written(expression, *, channels=16, width="1"):
    """The channels of a convolution in a block."""
    return read(NETWORK.format(channels=channels, c_out=expression), width=width).layers[0].output.channels


def test_layer_scale():
    """Layer scale learns one factor for each channel, and changes neither shape nor multiply-adds."""
    (layer,) = read("input: {channels: 96, size: 56}\nlayers: [layer_scale]").layers
    assert layer.type == "layer_scale"
    assert layer.cost == Cost(params=96)
    assert layer.output == layer.input


@pytest.mark.parametrize(
    ("between", "params"),
    [("all", 2 * (8 + 16) + 2), ("act", 2 * 16 + 2), ("none", 2 * 16 + 1)],
)
def test_between(between, params):
    """Between the stages stand norm and activation, the activation alone, or nothing."""
    layer = f"{{c_out: 16, k: 3, norm: batch, act: prelu, between: {between}}}"
    found = read(f"input: {{channels: 8, size: 8}}\nlayers: [separable: {layer}]")
    assert found.cost.params == 9 * 8 + 8 * 16 + params


@pytest.mark.parametrize(("width", "channels"), [("1", 24), ("0.5", 12), ("0.25", 8), ("1.5", 36)])
def test_scaled(width, channels):
    """``scaled`` gives what the width makes of channels, as ``c_out`` itself does, and is not multiplied again."""
    assert written("$c", width=width) == channels
    assert written("scaled($c)", width=width) == channels
    assert written("scaled($c)/2", width=width) == channels // 2
    assert written("scaled(2*$c - 24)", width=width) == channels


@pytest.mark.parametrize("width", ["1", "0.5", "2"])
def test_measured_channels_are_not_multiplied(width):
    """Channels that reach a block have been multiplied already: arithmetic on them is exact at every width."""
    assert written("$c_in", width=width) == 16
    assert written("$c_in/4", width=width) == 4
    assert written("scaled($c_in)", width=width) == 16
    assert written("$c_in + scaled($c)", width=width) == 16 + {"1": 24, "0.5": 12, "2": 48}[width]


@pytest.mark.parametrize(
    ("channels", "squeeze"), [(16, 4), (20, 8), (72, 20), (120, 32), (168, 44), (200, 52), (248, 64)]
)
def test_rounded(channels, squeeze):
    """``rounded`` makes a multiple of the divisor, the nearest that is not below 90 %, whatever the width."""
    for width in ("1", "0.5"):
        assert written("rounded($c_in/4)", channels=channels, width=width) == squeeze


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("scale($c)", "c_out: scale() is not known here; did you mean 'scaled()'?"),
        ("twice($c)", "c_out: twice() is not known here; known: scaled(), rounded()"),
        ("scaled($d)", "c_out: $d is not known here; known: c_in, c, act"),
        ("scaled($c, 2)", "c_out: 'scaled($c, 2)' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("scaled($act)", "c_out: $act is 'relu', not a whole number"),
        ("scaled($c)/5", "c_out: 24/5 does not come out even; use // to round down"),
    ],
)
def test_faults_in_functions(expression, message):
    """A function that does not exist, or an argument that is no number, is named with what there is."""
    with pytest.raises(FileError) as caught:
        written(f'"{expression}"')
    assert str(caught.value) == f"<text>:9:23: block1.conv: {message}"


def test_functions_are_for_blocks():
    """Outside a block nothing has a name that a function could take."""
    with pytest.raises(FileError) as caught:
        read("input: {channels: 8, size: 8}\nlayers: [conv: {c_out: scaled($c), k: 1}]")
    assert str(caught.value).endswith("conv: c_out: scaled() is not known here; use it in a block")


def test_functions_hide_no_argument():
    """An argument may be called as a function is: one is called with brackets, the other with a dollar sign."""
    text = """
        input: {channels: 8, size: 8}
        blocks:
          block:
            args: {scaled: 6}
            layers: [conv: {c_out: scaled($scaled) + $scaled, k: 1}]
        layers: [block]
        """
    assert read(text).layers[0].output.channels == 12


def test_repeated_no_times():
    """A layer that is repeated 0 times is not there, so a block's argument can leave it out."""
    text = """
        input: {channels: 8, size: 8}
        blocks:
          block:
            args: {expand: 1}
            layers:
              - conv: {name: expand, c_out: 16, k: 1, repeat: $expand}
              - conv: {name: project, c_out: 8, k: 1}
        layers:
          - block
          - block: {expand: 0}
        """
    assert [layer.name for layer in read(text).layers] == ["block1.expand", "block1.project", "block2.project"]
