"""A comparison as code: one Python file for PyTorch or Keras that runs as printed.

Every candidate is a class or a function; one that cannot be expressed is a comment with the reason. Run as a program,
the file prints the name, parameters and output shape of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import indent, wrap

from sepcalc.builders.calls import CALLS, Calls, Framework
from sepcalc.core.comparison import Candidate, Comparison
from sepcalc.core.errors import SpecError
from sepcalc.core.modules import Call, Value
from sepcalc.core.spec import Axes, ConvSpec

WIDTH = 88
"""Columns, as ruff and Black format by default; trailing commas keep the layout at any wider setting."""

_MARGIN = 12
"""Columns in front of a call inside a definition."""

EXAMPLE_SIZE = 32
"""The length of the example's axes, where the comparison leaves the size open."""


def code(comparison: Comparison, framework: Framework) -> str:
    """The candidates of ``comparison`` as one file: ``nn.Sequential`` classes, or functions that return a Keras model.

    >>> from sepcalc import ConvSpec, compare
    >>> lines = code(compare(ConvSpec.of(64, 128, k=3)), "torch").splitlines()
    >>> [line.strip() for line in lines if "groups" in line]
    ['nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False),']
    """
    dialect = _DIALECTS[framework]
    blocks: list[str] = []
    names: list[str] = []
    for candidate in comparison.candidates:
        try:
            calls = _calls(candidate, framework)
        except SpecError as reason:
            blocks.append(indent("\n".join(_wrapped(f"{candidate.variant.name} is left out: {reason}.")), "# "))
            continue
        words = re.findall(r"\w+", candidate.variant.name)
        names.append(_unused(dialect.name(words if words[0].isidentifier() else ["conv", *words]), names))
        blocks.append(dialect.define(names[-1], _figures(candidate), calls, comparison.spec))
    if names:
        blocks = [dialect.imports, *blocks, dialect.run(names, comparison.spec)]
    return f"{_docstring([_title(comparison.spec)])}\n\n" + "\n\n\n".join(blocks) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dialect:
    """How a framework's file is written: its imports, a definition's name and text, and the part that runs."""

    imports: str
    name: Callable[[list[str]], str]
    define: Callable[[str, list[str], Calls, ConvSpec], str]
    run: Callable[[list[str], ConvSpec], str]


def _calls(candidate: Candidate, framework: Framework) -> Calls:
    if candidate.why_not is not None:
        raise SpecError(candidate.why_not)
    return tuple(call for stage in candidate.stages for call in CALLS[framework](stage))


def _unused(name: str, taken: list[str]) -> str:
    """``name``, with a number where the comparison has a variant twice, with different options."""
    numbered = (f"{name}{number}" for number in range(2, len(taken) + 2))
    return next(word for word in (name, *numbered) if word not in taken)


def _title(spec: ConvSpec) -> str:
    convolution = f"{'x'.join(map(str, spec.kernel))} {'transposed ' * spec.transposed}convolution"
    return f"A {convolution if spec.kernel else 'linear layer'} from {spec.c_in} to {spec.c_out} channels, by sepcalc."


def _figures(candidate: Candidate) -> list[str]:
    """Two paragraphs: the candidate's summary and its costs."""
    params = f"{candidate.params:,} parameters"
    if candidate.macs is None:
        macs = f"{params}; {int(candidate.macs_per_position):,} multiply-adds at each position of the output."
    else:
        size = "x".join(map(str, candidate.stages[0].size or ()))
        macs = f"{params} and {candidate.macs:,} multiply-adds for one input{f' of {size}' if size else ''}."
    return [candidate.variant.summary, macs]


def _torch_definition(name: str, doc: list[str], calls: Calls, _spec: ConvSpec) -> str:
    return f"""\
class {name}(nn.Sequential):
{indent(_docstring(doc), " " * 4)}

    def __init__(self) -> None:
        super().__init__(
{_listed([_written("nn", call) for call in calls], _MARGIN)}
        )"""


def _torch_run(names: list[str], spec: ConvSpec) -> str:
    return f"""\
if __name__ == "__main__":
    example = torch.randn{_literal((1, spec.c_in, *_example_size(spec)))}
    for variant in (
{_listed([[name] for name in names], 8)}
    ):
        module = variant()
        params = sum(weight.numel() for weight in module.parameters())
        print(variant.__name__, f"{{params:,}}", tuple(module(example).shape))"""


def _keras_definition(name: str, doc: list[str], calls: Calls, spec: ConvSpec) -> str:
    size = spec.size or (None,) * len(spec.kernel)
    shape = ", ".join(map(str, (*size, spec.c_in))) + "," * (not size)
    return f"""\
def {name}() -> keras.Model:
{indent(_docstring(doc), " " * 4)}
    return keras.Sequential(
        [
{_listed([[f"keras.Input(({shape}))"], *(_written("layers", call) for call in calls)], _MARGIN)}
        ],
        name="{name}",
    )"""


def _keras_run(names: list[str], spec: ConvSpec) -> str:
    return f"""\
if __name__ == "__main__":
    example = keras.random.normal({_literal((1, *_example_size(spec), spec.c_in))})
    for variant in (
{_listed([[name] for name in names], 8)}
    ):
        model = variant()
        print(model.name, f"{{model.count_params():,}}", tuple(model(example).shape))"""


def _example_size(spec: ConvSpec) -> Axes:
    return (EXAMPLE_SIZE,) * len(spec.kernel) if spec.size is None else spec.size


def _written(module: str, call: Call) -> list[str]:
    """The lines of a call inside a definition: one, or one for each argument where that is too long."""
    arguments = [*map(_literal, call.args), *(f"{key}={_literal(value)}" for key, value in call.kwargs.items())]
    line = f"{module}.{call.name}({', '.join(arguments)})"
    if _MARGIN + len(f"{line},") <= WIDTH:
        return [line]
    return [f"{module}.{call.name}(", *(f"    {argument}," for argument in arguments), ")"]


def _listed(items: list[list[str]], margin: int) -> str:
    """Items of one or more lines, a comma after each."""
    return indent("\n".join("\n".join(lines) + "," for lines in items), " " * margin)


def _literal(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _docstring(paragraphs: list[str]) -> str:
    first, *rest = ("\n".join(_wrapped(paragraph)) for paragraph in paragraphs)
    return "\n\n".join([f'"""{first}', *rest]) + ('\n"""' if rest else '"""')


def _wrapped(text: str) -> list[str]:
    # A docstring's indentation and its quotes at both ends are 10 columns.
    return wrap(text, WIDTH - 10, break_long_words=False, break_on_hyphens=False)


_DIALECTS: Mapping[Framework, _Dialect] = {
    "torch": _Dialect(
        imports="import torch\nfrom torch import nn",
        name=lambda words: "".join(word[:1].upper() + word[1:] for word in words),
        define=_torch_definition,
        run=_torch_run,
    ),
    "keras": _Dialect(
        imports="import keras\nfrom keras import layers",
        name="_".join,
        define=_keras_definition,
        run=_keras_run,
    ),
}
