"""What a shell offers when a word is begun and the tab key pressed.

Typer asks the command for the flag or the argument; here are the words that it takes, from the same registries as the
checks. Nothing of this is imported by a run that no shell began.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sepcalc.core.errors import SepcalcError


class Word(NamedTuple):
    """A word that may stand here; shells that can show its ``help`` beside it. ``type`` is "not a path" to Typer."""

    value: str
    help: str = ""
    type: str = "plain"


def complete(command: Any) -> Any:
    """``command`` with the words of each of its flags and arguments that takes some."""
    from sepcalc.core.variants import all_options

    known = WORDS | {option.name: _these(*option.words) for option in all_options() if option.words}
    for parameter in command.params:
        if parameter.name in known:
            parameter.shell_complete = partial(_offer, known[parameter.name], parameter.name in LISTS)
    return command


def _offer(words: Callable[[Any], Iterable[Word]], is_list: bool, context: Any, begun: str) -> list[Word]:
    """The words that go on from what is ``begun``; of a list, from what stands after its last comma."""
    before = begun[: begun.rfind(",") + 1] if is_list else ""
    return [
        each._replace(value=before + each.value) for each in words(context) if (before + each.value).startswith(begun)
    ]


def _these(*values: str) -> Callable[[Any], list[Word]]:
    return lambda context: [Word(value) for value in values]


def _variants(_context: Any) -> Iterator[Word]:
    from sepcalc.core.variants import all_variants

    yield from (Word(each.name, each.summary) for each in all_variants())


def _formats(_context: Any) -> Iterator[Word]:
    from sepcalc.render.formats import FORMATS

    yield from (Word(name, f"-o FILE{each.suffix}") for name, each in FORMATS.items())


def _dtypes(context: Any) -> Iterator[Word]:
    from sepcalc.core.spec import ELEMENT_BYTES
    from sepcalc.measure.conditions import DTYPES

    known = DTYPES if context.info_name == "measure" else ELEMENT_BYTES
    yield from (Word(name, f"{ELEMENT_BYTES[name]} bytes") for name in known)


def _devices(_context: Any) -> Iterator[Word]:
    from sepcalc.measure.conditions import DEVICES

    yield from map(Word, DEVICES)


def _caches(_context: Any) -> Iterator[Word]:
    from sepcalc.measure.conditions import CACHES

    yield from map(Word, CACHES)


def _biases(_context: Any) -> Iterator[Word]:
    from sepcalc.cli.convolution import BIASES

    yield from map(Word, BIASES)


def _frameworks(_context: Any) -> Iterator[Word]:
    from sepcalc.cli.layer import FRAMEWORKS

    yield from map(Word, FRAMEWORKS)


def _tables(context: Any) -> Iterator[Word]:
    from sepcalc.cli import measure_show, network

    yield from map(Word, (measure_show if context.info_name == "measure" else network).TABLES)


def _counters(_context: Any) -> Iterator[Word]:
    from sepcalc.conventions.counters import COUNTERS

    yield from (Word(each.name, each.title) for each in COUNTERS)


def _sources(_context: Any) -> Iterator[Word]:
    """The bundled networks, and the files here that are networks; a shell finds those of other folders by itself."""
    from sepcalc.readers.yaml.reader import bundled

    yield from map(Word, bundled())
    yield from (Word(each.name) for each in sorted(Path().iterdir()) if each.suffix in (".yaml", ".yml", ".onnx"))


def _layers(context: Any) -> Iterator[Word]:
    """The layers of a network in YAML that can be rewritten; other networks take too long to open."""
    from sepcalc.readers.sources import kind_of
    from sepcalc.readers.yaml.reader import load

    # A flag without its value, as it is here, leaves what stands before it among the arguments.
    source = context.params.get("source") or next(iter(context.args), "")
    try:
        if kind_of(source) == "yaml":
            yield from (Word(each.name, each.label) for each in load(source).layers if each.convertible)
    except SepcalcError:
        return


def _columns(context: Any) -> Iterator[Word]:
    """The columns of the command's first table."""
    from sepcalc import ConvSpec, Network, compare, layer_table, network_table
    from sepcalc.builders.verify import verification_table
    from sepcalc.core.network_tables import comparison_table
    from sepcalc.core.variants import choose
    from sepcalc.measure.loop import Plan
    from sepcalc.measure.session import Session
    from sepcalc.sweep.sweep import sweep_layer

    nothing = Network(name="", layers=())
    tables = {
        "layer": lambda: layer_table(compare(ConvSpec.of(1, 1, k=1))),
        "network": lambda: network_table(nothing, [nothing.what_if(each) for each in choose()]),
        "compare": lambda: comparison_table([nothing]),
        "measure": lambda: Session(kind="layer", title="", rows=(), plan=Plan()).tables[0],
        "sweep": lambda: sweep_layer({"c_in": 1, "c_out": 1, "k": 1}).tables[0],
        "verify": lambda: verification_table(nothing, []),
    }
    if context.info_name in tables:
        yield from (Word(each.key, each.title) for each in tables[context.info_name]().columns)


def _and_all(words: Callable[[Any], Iterable[Word]]) -> Callable[[Any], Iterable[Word]]:
    return lambda context: (*words(context), Word("all", "Every one of them."))


WORDS: dict[str, Callable[[Any], Iterable[Word]]] = {
    "as_": _and_all(_counters),
    "axes": _these("1", "2", "3"),
    "bias": _biases,
    "cache": _caches,
    "code": _frameworks,
    "columns": _and_all(_columns),
    "device": _devices,
    "dtype": _dtypes,
    "format": _formats,
    "keep": _layers,
    "layer": _layers,
    "only": _layers,
    "padding": _these("same", "valid"),
    "sort": _columns,
    "source": _sources,
    "sources": _sources,
    "table": _tables,
    "variant": _and_all(_variants),
}
"""The words of each flag and argument that takes some, by the name of the parameter; options of variants say theirs."""

LISTS = ("columns", "dtype")
"""Those that take several with commas between them."""
