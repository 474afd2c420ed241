"""The records of arguments: what they accept, and that every fault is named with what was expected."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc.readers.yaml import decoding
from sepcalc.readers.yaml.arguments import (
    BlockArguments,
    Common,
    DefaultArguments,
    FileArguments,
    InputArguments,
    PublishedArguments,
    conv_arguments,
)
from sepcalc.readers.yaml.decoding import decode, faults, fields, meant, shown
from sepcalc.readers.yaml.layers import LAYER_TYPES
from sepcalc.readers.yaml.layers_convolution import LinearArguments
from sepcalc.readers.yaml.layers_join import JoinArguments, ParallelArguments
from sepcalc.readers.yaml.layers_operator import DropoutArguments, NormArguments, PoolArguments

RECORDS = sorted(
    {kind.arguments for kind in LAYER_TYPES.values()}
    | {BlockArguments, DefaultArguments, FileArguments, InputArguments, PublishedArguments},
    key=lambda record: record.__name__,
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["same", "3x1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("record", "given", "problems"),
    [
        (conv_arguments(), {"c_out": 3}, ["k is missing; give a whole number, or one per axis like 3x1 or [3, 1]"]),
        (LinearArguments, {}, ["c_out is missing; give a whole number from 1 to 1,000,000,000"]),
        (
            conv_arguments(),
            {"k": 0, "c_out": "many", "stride": [1, 0], "groups": True},
            [
                "k: expected a whole number, or one per axis like 3x1 or [3, 1], got 0",
                "c_out: expected a whole number from 1 to 1,000,000,000, got 'many'",
                "stride: expected a whole number, or one per axis like 3x1 or [3, 1], got [1, 0]",
                "groups: expected a whole number from 1 to 1,000,000,000, got true",
            ],
        ),
        (
            conv_arguments(),
            {"k": [1, 1, 1, 1], "padding": -1, "bias": "some", "mid": "middle", "output_padding": 0.5},
            [
                "k: expected a whole number, or one per axis like 3x1 or [3, 1], got [1, 1, 1, 1]",
                "padding: expected same, valid, a whole number, or one per axis like 1x0 or [1, 0], got -1",
                "bias: expected true, false, none, last or all, got 'some'",
                "mid: expected in, out, min, max or a whole number, got 'middle'",
                "output_padding: expected a whole number, or one per axis like 1x0 or [1, 0], got 0.5",
            ],
        ),
        (
            conv_arguments(),
            {"k": 1, "act": "rleu", "norm": "batchnorm", "between": "some", "scale": "down", "transposed": "on"},
            [
                ("act: expected one of none, relu, relu6, leaky_relu, prelu, elu, selu, gelu, silu, swish, mish, "
                "hardswish, hardsigmoid, sigmoid, tanh, softplus, softmax, identity, got 'rleu'"),
                "norm: expected one of none, batch, layer, group, instance, rms, got 'batchnorm'",
                "between: expected all, act or none, got 'some'",
                "scale: expected yes, up or no, got 'down'",
                "transposed: expected true or false, got 'on'",
            ],
        ),
        (
            conv_arguments(),
            {"k": 1, "name": [1], "from": {}, "shares": 0.5, "repeat": -1, "first": 2, "variant": 1, "c_in": None},
            [
                "name: expected text, got [1]",
                "from: expected the name of an earlier layer, got {}",
                "shares: expected the name of an earlier layer, got 0.5",
                "repeat: expected a whole number from 0 to 1,000,000,000, got -1",
                "first: expected a mapping of arguments for the first repetition alone, like {stride: 2}, got 2",
                "variant: expected the name of a variant, got 1",
            ],
        ),
        (PoolArguments, {"k": None, "ceil": 1}, ["ceil: expected true or false, got 1"]),
        (NormArguments, {"affine": "no"}, [
            "affine: expected true or false, got 'no'",
            "kind is missing; give one of none, batch, layer, group, instance, rms",
        ]),
        (DropoutArguments, {"p": 1.5}, ["p: expected a number from 0 to 1, got 1.5"]),
        (JoinArguments, {"with": []}, ["with: expected the name of an earlier layer, or a list of names, got []"]),
        (ParallelArguments, {"split": [4, 0], "join": "sum"}, [
            "split: expected true for equal parts, or a list of channels for each branch, got [4, 0]",
            "join: expected add, concat or mul, got 'sum'",
            "branches is missing; give a list of branches",
        ]),
        (InputArguments, {"channels": 0}, ["channels: expected a whole number from 1 to 1,000,000,000, got 0"]),
        (PublishedArguments, {"macs": [1]}, [
            "macs: expected a figure like 569 M, got [1]", "source is missing; give text",
        ]),
        (BlockArguments, {"args": []}, [
            "args: expected a mapping of names to defaults, got []", "layers is missing; give a list of layers",
        ]),
        (
            FileArguments,
            {"name": True, "input": 3, "defaults": [], "blocks": "b", "published": {}, "divisor": 0},
            [
                "name: expected text, got true",
                "input: expected a mapping like {channels: 3, size: 224}, got 3",
                "defaults: expected a mapping like {norm: batch, act: relu}, got []",
                "blocks: expected a mapping of names to blocks, got 'b'",
                "published: expected a list of figures, got {}",
                "divisor: expected a whole number from 1 to 1,000,000,000, got 0",
                "layers is missing; give a list of layers",
            ],
        ),
    ],
)  # fmt: skip
def test_faults(record, given, problems):
    """Each fault names the key, what was expected and what was given; all of them come at once."""
    assert [message for _, message in faults(given, record)] == problems
    assert decode(given, record) is None


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
@randomly(40)
@given(data=st.data())
def test_faults_are_why_nothing_is_decoded(record, data):
    """For any values, arguments are decoded exactly where they have no faults."""
    keys = st.sampled_from([*fields(record), "unknown"]) | st.none()
    given = data.draw(st.dictionaries(keys, VALUES, max_size=6))
    assert (decode(given, record) is None) == bool(list(faults(given, record)))


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("kernal", "did you mean 'k'?"),
        ("kernel_size", "did you mean 'k'?"),
        ("out_channels", "did you mean 'c_out'?"),
        ("in_channels", "did you mean 'c_in'?"),
        ("filters", "did you mean 'c_out'?"),
        ("strides", "did you mean 'stride'?"),
        ("activation", "did you mean 'act'?"),
        ("normalization", "did you mean 'norm'?"),
        ("pading", "did you mean 'padding'?"),
        ("grops", "did you mean 'groups'?"),
        ("C_OUT", "did you mean 'c_out'?"),
    ],
)
def test_the_closest_key(key, hint):
    """An unknown key gets the closest known one; the words of frameworks are understood as well."""
    assert list(faults({"k": 1, key: 1}, conv_arguments())) == [(key, f"unknown key '{key}'; {hint}")]


def test_no_closest_key():
    """A key that resembles none gets all of them, and so does one that is no word."""
    known = "known: name, from, c_in, size, repeat, first"
    for key, text in (("zzz", "'zzz'"), (3, "3"), (True, "true"), (None, "null"), ("", "''")):
        assert list(faults({key: 1}, Common)) == [(key, f"unknown key {text}; {known}")]
    assert meant("filters", ["k"]) == "; known: k"


def test_faults_come_to_an_end(monkeypatch):
    """After so many faults that nobody reads on, no more are looked for."""
    monkeypatch.setattr(decoding, "MOST_FAULTS", 3)
    assert len(list(faults({f"unknown{number}": 1 for number in range(9)}, Common))) == 3


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_every_key_says_what_it_expects(record):
    """No message shows a Python type in place of words."""
    for key, each in fields(record).items():
        (missing,) = [text for _, text in faults({}, msgspec.defstruct("Just", [(each.name, each.type)]))]
        assert missing.startswith(f"{each.name} is missing; give "), key
        assert not set("[].") & set(
            missing.replace("[3, 1]", "").replace("[1, 0]", "").replace("[c_in, c_out, times]", "")
        )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (3, "3"),
        ("a", "'a'"),
        ("a" * 50, "'" + "a" * 36 + "..."),
        ([1, [2, [3, [4]]]], "[1, [2, [3, ...]]]"),
        ({"a": {"b": None}, 3: False}, "{a: {b: null}, 3: false}"),
        (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11..."),
        ({"a" * 60: 1}, "{" + "a" * 36 + "..."),
    ],
)
def test_shown(value, text):
    """A value is shown as YAML writes it, and never longer than a message can hold."""
    assert shown(value) == text


def test_shown_aliases_of_aliases():
    """A value that stands for more text than there is memory is shown as fast as any other."""
    bomb = ["a"] * 20
    for _ in range(60):
        bomb = [bomb] * 20
    assert shown(bomb) == "[[[..., ..., ..., ..., ..., ..., ..., ..."[:37] + "..."
    assert shown({"a": bomb}) == "{a: [[..., ..., ..., ..., ..., ..., ..., ..."[:37] + "..."
