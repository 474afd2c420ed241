"""A network from wherever it is: bundled, a YAML or ONNX file, or PyTorch code.

Every command names its networks through this one function. What a source needs (YAML, onnx, torch) is imported
when a network of that kind is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from sepcalc.core.errors import SepcalcError
from sepcalc.core.network import Network
from sepcalc.core.spec import Axes
from sepcalc.readers.inputs import Input
from sepcalc.readers.trace import Trace


def open_source(
    text: str,
    *,
    inputs: Sequence[Input] = (),
    arguments: Mapping[str, Any] | None = None,
    width: Fraction | float | str = 1,
    size: int | Axes | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Network:
    """The network that ``text`` names: a bundled one, a ``.yaml`` or ``.onnx`` file, or ``module:callable``.

    ``inputs`` are the shapes that an ONNX or PyTorch network reads, ``arguments`` go to the callable; ``width`` and
    ``size`` are for networks in YAML. ``note`` hears what a reader should know: a fallback, a guess.

    Raises :class:`SepcalcError` where there is no such network, and where it cannot take what it is given.

    >>> open_source("mobilenet_v1").cost.params
    4231976
    """
    return open_traced(text, inputs=inputs, arguments=arguments, width=width, size=size, note=note)[0]


def open_traced(
    text: str,
    *,
    inputs: Sequence[Input] = (),
    arguments: Mapping[str, Any] | None = None,
    width: Fraction | float | str = 1,
    size: int | Axes | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> tuple[Network, Trace | None]:
    """Like :func:`open_source`, with the trace of the run where there was one: for PyTorch code."""
    kind = kind_of(text)
    if kind != "yaml" and width != 1:
        cure = "give --arg to its code" if kind == "torch" else "leave it out"
        raise SepcalcError(f"--width is for networks in YAML, and '{text}' is none; {cure}")
    if kind != "yaml" and size is not None:
        raise SepcalcError(f"--size is for networks in YAML, and '{text}' is none; give --input")
    if kind == "yaml":
        return _from_yaml(text, inputs, arguments, width, size), None
    if kind == "onnx":
        return _from_onnx(text, inputs, arguments), None
    from sepcalc.core.runtime import delayed
    from sepcalc.readers.pytorch.layers import to_network

    with delayed():
        from sepcalc.readers.pytorch.model import load

    trace = load(text, inputs=inputs, arguments=arguments)
    for each in trace.notes:
        note(each)
    return to_network(trace), trace


def kind_of(text: str) -> str:
    """Which kind of source ``text`` names: ``yaml`` (a bundled network too), ``onnx`` or ``torch``.

    >>> kind_of("resnet50"), kind_of("net.onnx"), kind_of("torchvision.models:resnet50")
    ('yaml', 'onnx', 'torch')
    """
    suffix = Path(text).suffix.lower()
    if suffix in (".yaml", ".yml", ".onnx"):
        return "onnx" if suffix == ".onnx" else "yaml"
    if suffix == ".py":
        raise SepcalcError(f"'{text}' does not say what builds the model; name it as in '{text}:Net'")
    return "torch" if ":" in text and not Path(text).exists() else "yaml"


def _from_yaml(
    text: str,
    inputs: Sequence[Input],
    arguments: Mapping[str, Any] | None,
    width: Fraction | float | str,
    size: int | Axes | None,
) -> Network:
    from sepcalc.readers.yaml.reader import load

    if inputs:
        raise SepcalcError(f"--input is for ONNX and PyTorch networks, and '{text}' is in YAML; give --size")
    if arguments:
        raise SepcalcError(f"--arg is for PyTorch networks, and '{text}' is in YAML; write its values into the file")
    return load(text, width=width, size=size)


def _from_onnx(text: str, inputs: Sequence[Input], arguments: Mapping[str, Any] | None) -> Network:
    from sepcalc.readers.onnx.model import load

    if arguments:
        raise SepcalcError(f"--arg is for PyTorch networks, and '{text}' is an ONNX file; leave it out")
    return load(text, inputs={each.name or "": each.shape for each in inputs})
