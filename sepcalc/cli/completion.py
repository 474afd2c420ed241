"""The words that a shell offers at the tab key.

Typer finds the flag; its words come from the registry that also checks them. Only a completion imports this module.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from sepcalc.core.errors import SepcalcError
from sepcalc.core.runtime import resolve


class Word(NamedTuple):
    """A word to offer; some shells show its ``help``. The ``type`` tells Typer that the word is not a path."""

    value: str
    help: str = ""
    type: str = "plain"


def complete(command: Any) -> Any:
    """``command``, with words for its flags and arguments."""
    from sepcalc.core.variants import all_options

    known = WORDS | {option.name: _these(*option.words) for option in all_options() if option.words}
    for parameter in command.params:
        if parameter.name in known:
            is_list = parameter.name == "columns" or getattr(parameter, "multiple", False)
            parameter.shell_complete = partial(_offer, known[parameter.name], is_list)
    return command


def _offer(words: Callable[[Any], Iterable[Word]], is_list: bool, context: Any, begun: str) -> list[Word]:
    """The words that begin with the text ``begun``; in a list, with its part after the last comma."""
    before = begun[: begun.rfind(",") + 1] if is_list else ""
    offered = (word._replace(value=before + word.value) for word in words(context))
    return [word for word in offered if word.value.startswith(begun)]


def _these(*values: str) -> Callable[[Any], list[Word]]:
    return lambda context: [Word(value) for value in values]


def _known(name: str) -> Callable[[Any], Iterable[Word]]:
    return lambda context: map(Word, resolve(name))


def _variants(_context: Any) -> Iterator[Word]:
    from sepcalc.core.variants import all_variants

    yield from (Word(name, known.summary) for known in all_variants() for name in (known.name, *known.aliases))


def _formats(_context: Any) -> Iterator[Word]:
    from sepcalc.render.formats import FORMATS

    yield from (Word(name, f"-o FILE{output.suffix}") for name, output in FORMATS.items())


def _dtypes(context: Any) -> Iterator[Word]:
    from sepcalc.core.spec import ELEMENT_BYTES
    from sepcalc.measure.conditions import DTYPES

    known = DTYPES if context.info_name == "measure" else ELEMENT_BYTES
    yield from (Word(name, f"{ELEMENT_BYTES[name]} bytes") for name in known)


def _tables(context: Any) -> Iterator[Word]:
    from sepcalc.cli import measure_show, network

    yield from map(Word, (measure_show if context.info_name == "measure" else network).TABLES)


def _counters(_context: Any) -> Iterator[Word]:
    from sepcalc.conventions.counters import COUNTERS

    yield from (Word(counter.name, counter.title) for counter in COUNTERS)


def _sources(_context: Any) -> Iterator[Word]:
    """The bundled networks, and the network files of this folder; the shell completes paths to other folders."""
    from sepcalc.readers.yaml.reader import bundled

    yield from map(Word, bundled())
    yield from (Word(file.name) for file in sorted(Path().iterdir()) if file.suffix in (".yaml", ".yml", ".onnx"))


def _layers(context: Any) -> Iterator[Word]:
    """The convertible layers of a YAML network; other networks take too long to open."""
    from sepcalc.readers.sources import kind_of
    from sepcalc.readers.yaml.reader import load

    # The flag has no value yet, so the source may still be among the arguments.
    source = context.params.get("source") or next(iter(context.args), "")
    try:
        if kind_of(source) == "yaml":
            yield from (Word(name, unit.layer.label) for unit in load(source).units for name in unit.names)
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
        "network": lambda: network_table(nothing, [nothing.what_if(variant) for variant in choose()]),
        "compare": lambda: comparison_table([nothing]),
        "measure": lambda: Session(scope="layer", title="", rows=(), plan=Plan()).tables[0],
        "sweep": lambda: sweep_layer({"c_in": 1, "c_out": 1, "k": 1}).tables[0],
        "verify": lambda: verification_table(nothing, []),
    }
    if context.info_name in tables:
        yield from (Word(column.key, column.title) for column in tables[context.info_name]().columns)


def _and_all(words: Callable[[Any], Iterable[Word]]) -> Callable[[Any], Iterable[Word]]:
    return lambda context: (*words(context), Word("all", "Every one of them."))


REGISTRIES = {
    "bias": "sepcalc.core.spec:BIASES",
    "cache": "sepcalc.measure.conditions:CACHES",
    "code": "sepcalc.cli.layer:FRAMEWORKS",
    "device": "sepcalc.measure.conditions:DEVICES",
}
"""Parameters with the words of a registry, which is imported when it is needed."""

WORDS: dict[str, Callable[[Any], Iterable[Word]]] = {
    "as_": _and_all(_counters),
    "axes": _these("1", "2", "3"),
    **{name: _known(words) for name, words in REGISTRIES.items()},
    "columns": _and_all(_columns),
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
"""The words of flags and arguments, by the name of the parameter; options of variants declare their own."""
