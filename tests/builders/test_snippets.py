"""Printed code: it runs as printed, costs what the table says, and is formatted as a formatter would."""

import os
import runpy
import subprocess
import sys
from typing import Any

import pytest
import torch
from frameworks import keras_on_torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import bound, randomly, specs

from sepcalc import ConvSpec, choose, compare
from sepcalc.builders.snippets import code
from sepcalc.builders.torch_stages import example, flops, parameter_count
from sepcalc.core import variants
from sepcalc.core.comparison import Candidate, Comparison
from sepcalc.core.variants import Stages, all_variants, get

TEXTBOOK = compare(ConvSpec.of(64, 128, k=3, size=56))
EXPANDED = choose(["all"], {"groups": 4, "mid": 6, "depth_multiplier": 2})
COMPARISONS = {
    "textbook": TEXTBOOK,
    "open": compare(ConvSpec.of(64, 128, k=3)),
    "all": compare(ConvSpec.of(8, 16, k=3, size=(9, 6), bias="last"), EXPANDED),
    "strided": compare(ConvSpec.of(8, 16, k=(4, 3), size=(9, 6), stride=(2, 1), bias="all"), EXPANDED),
    "one axis": compare(ConvSpec.of(8, 12, k=(5,), size=20, padding=3, dilation=2), EXPANDED),
    "three axes": compare(ConvSpec.of(4, 12, k=(3, 3, 2), size=6, bias="last"), EXPANDED),
    "transposed": compare(ConvSpec.of(8, 16, k=3, size=5, stride=2, transposed=True), EXPANDED),
    "cropped": compare(
        ConvSpec.of(8, 16, k=2, size=5, transposed=True, padding=(1, 0), stride=(2, 1), bias="all"), EXPANDED
    ),
    "grouped": compare(ConvSpec.of(8, 16, k=3, groups=4)),
    "linear": compare(ConvSpec.of(8, 16, k=(), size=(), bias="last"), EXPANDED),
    "strided and dilated": compare(ConvSpec.of(8, 16, k=3, size=9, stride=2, dilation=2), EXPANDED),
}
EACH = [pytest.param(comparison, id=name) for name, comparison in COMPARISONS.items()]

TORCH = '''\
"""A 3x3 convolution from 64 to 96 channels, by sepcalc."""

import torch
from torch import nn


class Standard(nn.Sequential):
    """One dense convolution: the reference.

    55,296 parameters and 173,408,256 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 96, 3, padding=1, bias=False),
        )


class DepthwiseSeparable(nn.Sequential):
    """Filter every channel on its own, then mix the channels at each position
    (Howard 2017, section 3.1).

    6,720 parameters and 21,073,920 multiply-adds for one input of 56x56.
    """

    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),
            nn.Conv2d(64, 96, 1, bias=False),
        )


# depthwise is left out: depthwise cannot change 64 channels to 96.


if __name__ == "__main__":
    example = torch.randn(1, 64, 56, 56)
    for variant in (
        Standard,
        DepthwiseSeparable,
    ):
        module = variant()
        params = sum(weight.numel() for weight in module.parameters())
        print(variant.__name__, f"{params:,}", tuple(module(example).shape))
'''

KERAS = '''\
"""A 3x3 convolution from 64 to 96 channels, by sepcalc."""

import keras
from keras import layers


def standard() -> keras.Model:
    """One dense convolution: the reference.

    55,296 parameters; 55,296 multiply-adds at each position of the output.
    """
    return keras.Sequential(
        [
            keras.Input((None, None, 64)),
            layers.Conv2D(96, 3, padding="same", use_bias=False),
        ],
        name="standard",
    )


def depthwise_separable() -> keras.Model:
    """Filter every channel on its own, then mix the channels at each position
    (Howard 2017, section 3.1).

    6,720 parameters; 6,720 multiply-adds at each position of the output.
    """
    return keras.Sequential(
        [
            keras.Input((None, None, 64)),
            layers.DepthwiseConv2D(3, padding="same", use_bias=False),
            layers.Conv2D(96, 1, use_bias=False),
        ],
        name="depthwise_separable",
    )


# depthwise is left out: depthwise cannot change 64 channels to 96.


if __name__ == "__main__":
    example = keras.random.normal((1, 32, 32, 64))
    for variant in (
        standard,
        depthwise_separable,
    ):
        model = variant()
        print(model.name, f"{model.count_params():,}", tuple(model(example).shape))
'''


@pytest.mark.parametrize(("framework", "size", "text"), [("torch", 56, TORCH), ("keras", None, KERAS)])
def test_the_whole_text(framework, size, text):
    """The printed file is this, for a convolution of known and of open size."""
    assert code(compare(ConvSpec.of(64, 96, k=3, size=size), choose(["dws", "dw"])), framework) == text


def defined(source: str) -> dict[str, Any]:
    """What ``source`` defines, without running its main part."""
    names: dict[str, Any] = {"__name__": "printed"}
    exec(compile(source, "printed.py", "exec"), names)
    return {key: value for key, value in names.items() if getattr(value, "__module__", None) == "printed"}


def words(name: str) -> str:
    """The letters of a name, however its words are joined."""
    return name.replace("-", "").replace("_", "").lower()


def shown(comparison: Comparison, framework: str, source: str) -> dict[str, Candidate]:
    """The candidates that ``source`` defines, by the name it gives them; the others have their reason in a comment."""
    found = {}
    names = {words(name): name for name in defined(source)}
    comments = " ".join(line.removeprefix("# ") for line in source.splitlines() if line.startswith("# "))
    for candidate in comparison.candidates:
        name = candidate.variant.name
        if words(name) in names:
            assert candidate.applies
            found[names.pop(words(name))] = candidate
        else:
            assert f"{name} is left out: {candidate.why_not or ''}" in comments
            assert framework == "keras" or candidate.why_not or not comparison.spec.kernel
    assert not names
    return found


@pytest.mark.parametrize("comparison", EACH)
def test_torch_classes_cost_what_the_table_says(comparison):
    """Each printed class has the row's parameters, output shape and, by torch's counter, twice its multiply-adds."""
    source = code(comparison, "torch")
    classes = defined(source)
    for name, candidate in shown(comparison, "torch", source).items():
        module = classes[name]()
        assert parameter_count(module) == candidate.params
        if candidate.out_size is not None:
            x = example(candidate.stages[0])
            assert module(x).shape == (1, candidate.stages[-1].c_out, *candidate.out_size)
            assert flops(module, x) == 2 * candidate.macs


@pytest.mark.parametrize("comparison", EACH)
def test_keras_functions_cost_what_the_table_says(comparison):
    """Each printed model has the row's parameters, output shape and, by torch's counter, twice its multiply-adds."""
    keras_on_torch()
    source = code(comparison, "keras")
    functions = defined(source)
    for name, candidate in shown(comparison, "keras", source).items():
        model = functions[name]()
        assert (model.name, model.count_params()) == (name, candidate.params)
        if candidate.out_size is not None:
            x = torch.zeros(1, *candidate.stages[0].size, candidate.stages[0].c_in)
            assert model(x).shape == (1, *candidate.out_size, candidate.stages[-1].c_out)
            assert flops(model, x) == 2 * candidate.macs


@randomly(25)
@given(st.data())
def test_torch_code_of_any_convolution(data):
    """Whatever the convolution and the options, the printed classes cost what the rows say."""
    chosen = [data.draw(bound(variant)) for variant in all_variants()]
    comparison = compare(data.draw(specs(grouped=False)), chosen)
    source = code(comparison, "torch")
    classes = defined(source)
    for name, candidate in shown(comparison, "torch", source).items():
        with torch.device("meta"):
            module, x = classes[name](), example(candidate.stages[0])
        assert parameter_count(module) == candidate.params
        assert module(x).shape == (1, candidate.stages[-1].c_out, *candidate.out_size)
        assert flops(module, x) == 2 * candidate.macs


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize("comparison", EACH)
def test_it_runs_as_printed(comparison, framework, tmp_path, capsys):
    """Run as a program, the file prints each one's name, parameters and output shape."""
    keras_on_torch()
    source = code(comparison, framework)
    path = tmp_path / "printed.py"
    path.write_text(source, encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")
    lines = []
    for name, candidate in shown(comparison, framework, source).items():
        out_size = candidate.out_size or (32,) * len(comparison.spec.kernel)
        channels = candidate.stages[-1].c_out
        shape = (1, channels, *out_size) if framework == "torch" else (1, *out_size, channels)
        lines.append(f"{name} {candidate.params:,} {shape}")
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.slow
def test_it_runs_by_itself(tmp_path):
    """A student's machine has Python, the framework and the printed file."""
    path = tmp_path / "printed.py"
    path.write_text(code(TEXTBOOK, "keras"), encoding="utf-8")
    environment = {**os.environ, "KERAS_BACKEND": "torch", "KERAS_HOME": str(tmp_path), "PYTHONPATH": ""}
    ran = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == [
        "standard 73,728 (1, 56, 56, 128)",
        "depthwise_separable 8,768 (1, 56, 56, 128)",
        "spatial_separable 36,864 (1, 56, 56, 128)",
    ]


def ruff(*arguments: str, source: str) -> str:
    """What ruff says about ``source``."""
    command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False, encoding="utf-8").stdout


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize("comparison", EACH)
def test_a_formatter_changes_nothing(comparison, framework):
    """``ruff format`` leaves the code alone at 88 and at 100 columns, and no line is longer."""
    source = code(comparison, framework)
    assert max(map(len, source.splitlines())) <= 88
    assert ruff("format", "--diff", "--line-length=88", source=source) == ""
    assert ruff("format", "--diff", "--line-length=100", source=source) == ""


@pytest.mark.parametrize("framework", ["torch", "keras"])
@pytest.mark.parametrize("name", ["all", "strided and dilated"])
def test_a_linter_finds_nothing(name, framework):
    """``ruff check`` finds no unused import or name, nor an import in the wrong order."""
    source = code(COMPARISONS[name], framework)
    assert ruff("check", "--select=E,F,I,UP,W", source=source).strip() == "All checks passed!"


def test_long_calls_have_a_line_for_each_argument():
    """A call too long for a line is broken as a formatter breaks it."""
    text = code(compare(ConvSpec.of(512, 512, k=(3, 5, 3), size=14, stride=(2, 1, 1)), choose(["dw"])), "torch")
    assert text.split("\n\n\n")[2].splitlines()[-11:] == [
        "        super().__init__(",
        "            nn.Conv3d(",
        "                512,",
        "                512,",
        "                (3, 5, 3),",
        "                stride=(2, 1, 1),",
        "                padding=(1, 2, 1),",
        "                groups=512,",
        "                bias=False,",
        "            ),",
        "        )",
    ]


def test_what_keras_cannot_express_is_a_comment():
    """Where Keras can express no variant, the file says why and imports nothing."""
    spec = ConvSpec.of(8, 8, k=3, size=9, stride=2, dilation=2)
    assert code(compare(spec, [get("std")]), "keras") == (
        '"""A 3x3 convolution from 8 to 8 channels, by sepcalc."""\n\n'
        "# standard is left out: Keras has no layer with stride 2×2 and dilation 2×2 at\n# once; use torch.\n"
    )


def test_one_variant_with_different_options():
    """A variant that stands in the comparison twice has two names."""
    comparison = compare(ConvSpec.of(8, 8, k=3), [get("sps").bind({"mid": mid}) for mid in (2, 3, 4)])
    assert list(defined(code(comparison, "torch"))) == [
        "Standard",
        "SpatialSeparable",
        "SpatialSeparable2",
        "SpatialSeparable3",
    ]


def test_a_new_variant_is_printed(monkeypatch):
    """A newly registered variant has its code by itself, even if its name is no Python name."""
    monkeypatch.setattr(variants, "_REGISTRY", dict(variants._REGISTRY))

    @variants.variant("1x1 then 3", gives_up="It cannot be told apart.")
    def new(spec: ConvSpec) -> Stages:
        """Mix, then look."""
        return get("bsconv")(spec)

    for framework, name in [("torch", "Conv1x1Then3"), ("keras", "conv_1x1_then_3")]:
        keras_on_torch()
        assert name in defined(code(compare(ConvSpec.of(8, 8, k=3), [get("1x1 then 3")]), framework))
    assert new(TEXTBOOK.spec) == get("bsconv")(TEXTBOOK.spec)
