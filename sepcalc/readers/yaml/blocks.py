"""Lists of layers in a network file: words, repetition, blocks and their arguments.

:func:`run` reads a list into a scope, and records every fault with its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sepcalc.core.errors import LayerError, SepcalcError, closest
from sepcalc.core.layers import FeatureMap
from sepcalc.readers.yaml.arguments import BlockArguments, Common
from sepcalc.readers.yaml.decoding import MOST_FAULTS, decode, faults, fields, meant, misreadings, shown
from sepcalc.readers.yaml.expressions import Channels, evaluate
from sepcalc.readers.yaml.layers import LAYER_TYPES
from sepcalc.readers.yaml.positions import Map, Place, Seq
from sepcalc.readers.yaml.scope import LostError, Problem, Scope, all_of

_NO_ARGUMENTS: Mapping[str, Any] = {}


def run(scope: Scope, layers: list[Any]) -> None:
    """Read ``layers`` one after another into ``scope``; the output of a faulty layer is unknown from there on."""
    for index, item in enumerate(layers):
        if len(scope.reading.problems) >= MOST_FAULTS:
            return
        word, value = "layer", item
        try:
            word, value = split_item(item, scope)
            _read(scope, word, value)
        except (LostError, SepcalcError) as error:
            scope.lose()
            name = value.get("name") if isinstance(value, Map) else None
            full = f"{scope.prefix}{name if _is_name(name) else word}"
            if _is_name(name):
                scope.reading.outputs.setdefault(full, None)
            for key, message in () if isinstance(error, LostError) else _faults_of(error):
                place = _place(layers, index, value, key)
                scope.reading.problems.append(Problem(place=place, layer=full, message=message))


def _is_name(name: Any) -> bool:
    return type(name) in (str, int)


def _faults_of(error: SepcalcError) -> list[tuple[Any, str]]:
    return [*getattr(error, "others", ()), (getattr(error, "key", None), str(error))]


def _place(layers: list[Any], index: int, value: Any, key: str | None) -> Place:
    if key is not None and isinstance(value, Map) and key in value:
        return value.place(key)
    return layers.place(index) if isinstance(layers, Seq) else Place(line=1, column=1)


def split_item(item: Any, scope: Scope) -> tuple[str, Any]:
    """The word of a layer and its value: ``relu``, ``{conv: {…}}`` or ``{type: conv, …}``.

    Raises :class:`LayerError` for anything else.
    """
    if isinstance(item, str):
        word, value = (evaluate(item, scope.names) if "$" in item else item), None
    elif not isinstance(item, Map) or not item:
        raise LayerError(f"a layer is a word, or a word with its arguments, not {shown(item)}")
    elif len(item) == 1 and "type" not in item:
        ((word, value),) = item.items()
    else:
        return _plain(item, scope)
    _check_word(word, "layer", scope)
    return word, value


def _check_word(word: Any, noun: str, scope: Scope) -> None:
    known = [*LAYER_TYPES, *scope.reading.blocks]
    if word not in known:
        raise LayerError(f"unknown {noun} {shown(word)}{closest(word if isinstance(word, str) else '', known)}", "type")


def _plain(item: Map, scope: Scope) -> tuple[str, Any]:
    """A layer of the plain list: its arguments side by side, a convolution unless it says its type."""
    word, blocks = item.get("type", "conv"), scope.reading.blocks
    _check_word(word, "type", scope)
    block = blocks.get(word)
    known = fields(LAYER_TYPES[word].arguments) if word in LAYER_TYPES else block.args if block else ()
    for key in item:
        if key not in known and key != "type" and (key in LAYER_TYPES or key in blocks):
            raise LayerError(f"'{key}' and its arguments stand side by side; indent the arguments below it", key)
    return word, item.without("type") if "type" in item else item


def _read(scope: Scope, word: str, value: Any) -> None:
    if value is None or isinstance(value, Map):
        arguments: Mapping[str, Any] = value or _NO_ARGUMENTS
    elif word in LAYER_TYPES and (short := LAYER_TYPES[word].short) is not None:
        arguments = {short: value}
    else:
        raise LayerError(f"{word} takes a mapping of arguments, not {shown(value)}")
    arguments = substituted(arguments, scope)
    (_repeat if "repeat" in arguments or "first" in arguments else _once)(scope, word, arguments)


def substituted(arguments: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    """The ``arguments`` with ``$name`` and arithmetic evaluated; lists of layers are left for later.

    Raises :class:`LayerError` at an expression that has no value.
    """
    changed = {}
    for key, value in arguments.items():
        if type(value) is str:
            if "$" in value:
                changed[key] = _evaluated(key, value, scope)
        elif type(value) is Seq and any(type(item) is str and "$" in item for item in value):
            changed[key] = [_evaluated(key, item, scope) for item in value]
    return {**arguments, **changed} if changed else arguments


def _evaluated(key: str, value: Any, scope: Scope) -> Any:
    if type(value) is not str or "$" not in value:
        return value
    if scope.lost and "$c_in" in value:
        raise LostError
    try:
        return evaluate(value, scope.names)
    except SepcalcError as error:
        raise LayerError(f"{key}: {error}", key) from None


def _repeat(scope: Scope, word: str, arguments: Mapping[str, Any]) -> None:
    """The same layer several times in a row; ``first`` says what is different the first time."""
    times, first = arguments.get("repeat", 1), arguments.get("first")
    _check_repetition(times, first)
    common = {key: value for key, value in arguments.items() if key not in ("repeat", "first")}
    name, faults_before = common.get("name"), len(scope.reading.problems)
    if _is_name(name):
        scope.new_name(name, word)
    for number in range(times):
        mine = {**common, "name": f"{name}.{number + 1}"} if name is not None and times > 1 else common
        if number == 0 and first:
            _once_differently(scope, word, mine, first)
        else:
            _once(scope, word, mine)
        if len(scope.reading.problems) > faults_before:
            return
        common.pop("from", None)  # the second repetition reads what the first one writes
    if name is not None and times > 1:
        scope.keep(f"{scope.prefix}{name}")


def _once(scope: Scope, word: str, arguments: Mapping[str, Any]) -> None:
    (_build if word in LAYER_TYPES else _call)(scope, word, arguments)


def _once_differently(scope: Scope, word: str, arguments: Mapping[str, Any], first: Mapping[str, Any]) -> None:
    """One layer with the arguments in ``first``; faults of those are faults of ``first``."""
    try:
        _once(scope, word, {**arguments, **substituted(first, scope)})
    except LayerError as error:
        found = [("first", f"first: {text}") if key in first else (key, text) for key, text in _faults_of(error)]
        raise all_of(found) from None


def _check_repetition(times: Any, first: Any) -> None:
    if isinstance(times, Channels):
        raise LayerError("repeat: expected a number that does not depend on $c_in", "repeat")
    if type(times) is not int or times < 0:
        raise LayerError(f"repeat: expected a whole number, got {shown(times)}", "repeat")
    if first is not None and not isinstance(first, Mapping):
        raise LayerError(f"first: expected a mapping like {{stride: 2}}, got {shown(first)}", "first")
    for key in ("name", "repeat", "first"):
        if first and key in first:
            raise LayerError(f"first: {key} is the same for every repetition; remove it here", "first")


def _build(scope: Scope, word: str, arguments: Mapping[str, Any]) -> None:
    kind = LAYER_TYPES[word]
    record = kind.arguments
    if kind.takes_defaults and scope.reading.defaults:
        arguments = {**scope.reading.defaults, **arguments}
    args: Any = decode(arguments, record)
    if args is None:
        raise all_of(faults(arguments, record))
    if scope.lost and (found := [*misreadings(arguments, record)]):
        raise all_of(found)
    if kind.either and sum(getattr(args, key) is not None for key in kind.either) != 1:
        raise LayerError(f"give {' or '.join(kind.either)}, one of the two")
    if type(c_out := arguments.get("c_out")) is Channels:
        args.c_out = c_out  # decoded to a plain number, which a width would multiply once more
    kind.build(scope, args, word)


def _call(scope: Scope, word: str, arguments: Mapping[str, Any]) -> None:
    """The layers of a block, with its arguments in place of their names."""
    block = scope.reading.blocks[word]
    if block is None:
        raise LostError
    mine = {key: value for key, value in arguments.items() if key in block.args}
    common = {key: value for key, value in arguments.items() if key not in block.args}
    args = decode(common, Common)
    found = [*_misfits(word, block, mine, common)]
    if args is None or found:
        raise all_of(found)
    at = None if scope.lost else scope.reached(args)
    name = scope.new_name(args.name, word)
    inner = scope.within(at, f"{name}.", {})
    inner.names = _bound(block, mine, at, inner)
    inner.run(block.layers)
    scope.arrive(inner)
    scope.keep(name)


def _misfits(
    word: str, block: BlockArguments, mine: Mapping[str, Any], common: Mapping[str, Any]
) -> Iterator[tuple[Any, str]]:
    """The faults of one use of ``block``: in its own arguments, and in those that every layer has."""
    for key, default in block.args.items():
        if mine.get(key, default) is None:
            yield None, f"block {word} needs {key}; give it a value"
        elif key in mine and not _is_argument(mine[key]):
            yield key, f"{key}: {_EXPECTED}, got {shown(mine[key])}"
    known = fields(Common)
    for key, message in faults(common, Common):
        yield key, message if key in known else f"unknown key {shown(key)}{meant(key, [*block.args, *known])}"


_EXPECTED = "expected a number, a word or a list of numbers"


def _is_argument(value: Any) -> bool:
    # Layers are no arguments: they are counted before any block is expanded.
    return all(isinstance(item, int) for item in value) if isinstance(value, list) else not isinstance(value, dict)


def _bound(block: BlockArguments, mine: Mapping[str, Any], at: FeatureMap | None, inner: Scope) -> dict[str, Any]:
    """The values of the names inside ``block``; a default can use the arguments before it."""
    names: dict[str, Any] = {**inner.reading.functions}
    inner.names = names
    if at is not None:
        names["c_in"] = Channels(at.channels)
    for key, default in block.args.items():
        names[key] = mine[key] if key in mine else substituted({key: default}, inner)[key]
        if not _is_argument(names[key]):
            raise LayerError(f"{key}: {_EXPECTED}, got {shown(names[key])}")
    return names


def read_blocks(blocks: Mapping[Any, Any], problems: list[Problem]) -> dict[str, BlockArguments | None]:
    """The definitions of the file's blocks, None for each with faults; these are appended to ``problems``."""
    found: dict[str, BlockArguments | None] = {}
    for name, block in blocks.items():
        if len(problems) >= MOST_FAULTS:
            break
        place = blocks.place(name) if isinstance(blocks, Map) else Place(line=1, column=1)
        here = [(place, message) for message in _name_faults(name)]
        if isinstance(block, Map):
            here += [(block.place(key), message) for key, message in faults(block, BlockArguments)]
            here += [(block.place("args"), message) for message in _argument_faults(block.get("args"))]
        else:
            here.append((place, f"expected a mapping with layers and args, got {shown(block)}"))
        label = f"block {shown(name) if name is None else name}"
        problems += [Problem(place=where, layer=label, message=message) for where, message in here]
        found[str(name)] = None if here else BlockArguments(**block)
    return found


def _name_faults(name: Any) -> Iterator[str]:
    if name in LAYER_TYPES:
        yield f"{name} is a layer already; choose another name"
    elif not isinstance(name, str) or not name.isprintable() or "$" in name:
        yield f"a block is called by a word without $, not {shown(name)}; choose another name"


def _argument_faults(args: Any) -> Iterator[str]:
    for key, default in args.items() if isinstance(args, Map) else ():
        if not isinstance(key, str) or not key.isidentifier() or not key.isascii():
            yield f"args: {shown(key)} is no name; use letters, digits and _"
        elif key in fields(Common):
            yield f"args: {key} means something for every layer; choose another name"
        elif isinstance(default, Map):
            yield f"args: {key}: {_EXPECTED}, got {shown(default)}"
