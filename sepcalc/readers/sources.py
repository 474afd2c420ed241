"""A network from wherever it is: bundled, a YAML or ONNX file, or PyTorch code.

Every command opens its networks here. YAML, onnx and torch are imported when a network of their kind is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from sepcalc.core.errors import SepcalcError
from sepcalc.core.network import Network
from sepcalc.core.spec import Axes
from sepcalc.readers.inputs import Input, Request
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
    ``size`` are for networks in YAML. ``note`` is called with remarks: a fallback, a guess.

    Raises :class:`SepcalcError` where there is no such network, and for an option that its kind does not have.

    >>> open_source("mobilenet_v1").cost.params
    4231976
    """
    request = Request(source=text, inputs=tuple(inputs), arguments=arguments or {}, width=width, size=size)
    return open_traced(request, note=note)[0]


def open_traced(request: Request, *, note: Callable[[str], None] = lambda _: None) -> tuple[Network, Trace | None]:
    """The network as from :func:`open_source`, and the trace of the run if the source is PyTorch code."""
    kind = kind_of(request.source)
    _check(request, kind)
    if kind == "yaml":
        from sepcalc.readers.yaml.reader import load as load_yaml

        return load_yaml(request.source, width=request.width, size=request.size), None
    if kind == "onnx":
        from sepcalc.readers.onnx.model import load as load_onnx

        return load_onnx(request.source, inputs={given.name or "": given.shape for given in request.inputs}), None
    from sepcalc.core.runtime import delayed
    from sepcalc.readers.pytorch.layers import to_network

    with delayed():
        from sepcalc.readers.pytorch.model import load

    trace = load(request)
    for text in trace.notes:
        note(text)
    return to_network(trace), trace


def _check(request: Request, kind: str) -> None:
    """Raise :class:`SepcalcError` for an option that this kind of source does not have."""
    source = request.source
    if kind != "yaml" and request.width != 1:
        cure = "give --arg to its code" if kind == "torch" else "leave it out"
        raise SepcalcError(f"--width is for networks in YAML, and '{source}' is none; {cure}")
    if kind != "yaml" and request.size is not None:
        raise SepcalcError(f"--size is for networks in YAML, and '{source}' is none; give --input")
    if kind == "yaml" and request.inputs:
        raise SepcalcError(f"--input is for ONNX and PyTorch networks, and '{source}' is in YAML; give --size")
    if kind != "torch" and request.arguments:
        yaml = ("in YAML", "write its values into the file")
        place, cure = yaml if kind == "yaml" else ("an ONNX file", "leave it out")
        raise SepcalcError(f"--arg is for PyTorch networks, and '{source}' is {place}; {cure}")


def kind_of(text: str) -> str:
    """The kind of source that ``text`` names: ``yaml`` (a bundled network too), ``onnx`` or ``torch``.

    >>> kind_of("resnet50"), kind_of("net.onnx"), kind_of("torchvision.models:resnet50")
    ('yaml', 'onnx', 'torch')
    """
    suffix = Path(text).suffix.lower()
    if suffix in (".yaml", ".yml", ".onnx"):
        return "onnx" if suffix == ".onnx" else "yaml"
    if suffix == ".py":
        raise SepcalcError(f"'{text}' does not say what builds the model; name it as in '{text}:Net'")
    return "torch" if ":" in text and not Path(text).exists() else "yaml"
