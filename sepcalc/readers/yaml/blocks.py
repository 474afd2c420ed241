"""Lists of layers in a network file: words, repetition, blocks and their arguments.

:func:`run` reads a list into a scope, and records every fault with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

from sepcalc.core.errors import LayerError, SepcalcError, closest
from sepcalc.core.layers import FeatureMap
from sepcalc.readers.yaml.arguments import BlockArguments, Common
from sepcalc.readers.yaml.decoding import MOST_FAULTS, decode, faults, fields, meant, misreadings, shown
from sepcalc.readers.yaml.expressions import Channels, evaluate
from sepcalc.readers.yaml.layers import LAYER_TYPES, LayerType
from sepcalc.readers.yaml.positions import Map, Place, Seq
from sepcalc.readers.yaml.scope import LostError, Problem, Scope

_NO_ARGUMENTS: Mapping[str, Any] = {}


def run(scope: Scope, layers: list[Any]) -> None:
    """Read ``layers`` one after another into ``scope``."""
    for index, item in enumerate(layers):
        if len(scope.reading.problems) >= MOST_FAULTS:
            return
        word, value = "layer", item
        try:
            word, value = split_item(item, scope)
            _read(scope, word, value)
        except LostError:
            _lose(scope, value)
        except SepcalcError as error:
            _lose(scope, value)
            name = _name(scope, word, value)
            for key, message in (*getattr(error, "others", ()), (getattr(error, "key", None), str(error))):
                scope.problem(_place(layers, index, value, key), name, message)


def _place(layers: list[Any], index: int, value: Any, key: str | None) -> Place:
    if key is not None and isinstance(value, Map) and key in value:
        return value.place(key)
    return layers.place(index) if isinstance(layers, Seq) else Place(line=1, column=1)


def _name(scope: Scope, word: str, value: Any) -> str:
    name = value.get("name") if isinstance(value, Map) else None
    return f"{scope.prefix}{name if type(name) in (str, int) else word}"


def _lose(scope: Scope, value: Any) -> None:
    """What a faulty layer writes is unknown; so is what a later layer takes from it by name."""
    scope.lose()
    name = value.get("name") if isinstance(value, Map) else None
    if type(name) in (str, int):
        scope.reading.outputs.setdefault(f"{scope.prefix}{name}", None)


def split_item(item: Any, scope: Scope) -> tuple[str, Any]:
    """The word of a layer and what stands behind it: ``relu``, ``{conv: {…}}`` or ``{type: conv, …}``.

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


def _check_word(word: Any, what: str, scope: Scope) -> None:
    if not isinstance(word, str) or (word not in LAYER_TYPES and word not in scope.reading.blocks):
        hint = closest(word if isinstance(word, str) else "", [*LAYER_TYPES, *scope.reading.blocks])
        raise LayerError(f"unknown {what} {shown(word)}{hint}", "type")


def _plain(item: Map, scope: Scope) -> tuple[str, Any]:
    """A layer of the plain list: its arguments side by side, a convolution unless it says its type."""
    word = item.get("type", "conv")
    _check_word(word, "type", scope)
    block = scope.reading.blocks.get(word)
    known = fields(LAYER_TYPES[word].arguments) if word in LAYER_TYPES else block.args if block else ()
    for key in item:
        if key not in known and key != "type" and (key in LAYER_TYPES or key in scope.reading.blocks):
            raise LayerError(f"'{key}' and its arguments stand side by side; indent the arguments below it", key)
    return word, item.without("type") if "type" in item else item


def _read(scope: Scope, word: str, value: Any) -> None:
    kind = LAYER_TYPES.get(word)
    arguments = substituted(_as_arguments(word, value, kind), scope)
    if "repeat" in arguments or "first" in arguments:
        _repeat(scope, word, kind, arguments)
    else:
        _once(scope, word, kind, arguments)


def _as_arguments(word: str, value: Any, kind: LayerType | None) -> Mapping[str, Any]:
    if isinstance(value, Map):
        return value
    if value is None:
        return _NO_ARGUMENTS
    if kind is None or kind.short is None:
        raise LayerError(f"{word} takes a mapping of arguments, not {shown(value)}")
    return {kind.short: value}


def substituted(arguments: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
    """The ``arguments`` with ``$name`` and arithmetic evaluated; lists of layers are left for later.

    Raises :class:`LayerError` at an expression that has no value.
    """
    changed = {}
    for key, value in arguments.items():
        if type(value) is str:
            if "$" in value:
                changed[key] = _evaluated(key, value, scope)
        elif type(value) is Seq and any(type(each) is str and "$" in each for each in value):
            changed[key] = [_evaluated(key, each, scope) for each in value]
    if changed:
        return {**arguments, **changed}
    return arguments


def _evaluated(key: str, value: Any, scope: Scope) -> Any:
    if type(value) is not str or "$" not in value:
        return value
    if scope.lost and "$c_in" in value:
        raise LostError
    try:
        return evaluate(value, scope.names)
    except SepcalcError as error:
        raise LayerError(f"{key}: {error}", key) from None


def _repeat(scope: Scope, word: str, kind: LayerType | None, arguments: Mapping[str, Any]) -> None:
    """The same layer several times in a row; ``first`` says what is different the first time."""
    times, first = arguments.get("repeat", 1), arguments.get("first")
    _check_repetition(times, first)
    each = {key: value for key, value in arguments.items() if key not in ("repeat", "first")}
    name, faults_before = each.get("name"), len(scope.reading.problems)
    if type(name) in (str, int):
        scope.new_name(name, word)
    for number in range(times):
        mine = {**each, "name": f"{name}.{number + 1}"} if name is not None and times > 1 else each
        if number == 0 and first:
            _once_differently(scope, word, kind, mine, first)
        else:
            _once(scope, word, kind, mine)
        if len(scope.reading.problems) > faults_before:
            return
        each.pop("from", None)  # the second repetition reads what the first one writes
    if name is not None and times > 1:
        scope.keep(f"{scope.prefix}{name}")


def _once(scope: Scope, word: str, kind: LayerType | None, arguments: Mapping[str, Any]) -> None:
    if kind is None:
        _call(scope, word, arguments)
    else:
        _build(scope, kind, arguments)


def _once_differently(
    scope: Scope, word: str, kind: LayerType | None, arguments: Mapping[str, Any], first: Mapping[str, Any]
) -> None:
    """One layer with what stands in ``first``, where faults of that are."""
    try:
        _once(scope, word, kind, {**arguments, **substituted(first, scope)})
    except LayerError as error:
        *others, (key, message) = [
            ("first", f"first: {text}") if key in first else (key, text)
            for key, text in (*error.others, (error.key, str(error)))
        ]
        raise LayerError(message, key, others) from None


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


def _build(scope: Scope, kind: LayerType, arguments: Mapping[str, Any]) -> None:
    if kind.takes_defaults and scope.reading.defaults:
        arguments = {**scope.reading.defaults, **arguments}
    args: Any = decode(arguments, kind.arguments)
    if args is None:
        _raise(faults(arguments, kind.arguments))
    if scope.lost and (found := [*misreadings(arguments, kind.arguments)]):
        _raise(found)
    if kind.either and sum(getattr(args, key) is not None for key in kind.either) != 1:
        raise LayerError(f"give {' or '.join(kind.either)}, one of the two")
    if type(c_out := arguments.get("c_out")) is Channels:
        args.c_out = c_out  # decoded to a plain number, which a width would multiply once more
    kind.build(scope, args, kind.word)


def _raise(found: Iterable[tuple[Any, str]]) -> NoReturn:
    """Raise all the faults that were found."""
    *others, (key, message) = found
    raise LayerError(message, key, others)


def _call(scope: Scope, word: str, arguments: Mapping[str, Any]) -> None:
    """The layers of a block, with its arguments in place of their names."""
    block = scope.reading.blocks[word]
    if block is None:
        raise LostError
    mine = {key: value for key, value in arguments.items() if key in block.args}
    common = {key: value for key, value in arguments.items() if key not in block.args}
    args = decode(common, Common)
    found = [*_misfits(word, block, mine), *_common_faults(common, block)]
    if args is None or found:
        _raise(found)
    at = None if scope.lost else scope.reached(args)
    name = scope.new_name(args.name, word)
    inner = scope.within(at, f"{name}.", {})
    inner.names = _bound(block, mine, at, inner)
    inner.run(block.layers)
    scope.arrive(inner)
    scope.keep(name)


def _misfits(word: str, block: BlockArguments, mine: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    """What is wrong with the arguments of a use of ``block``: missing, or no value that an argument can have."""
    for key, default in block.args.items():
        if mine.get(key, default) is None:
            yield None, f"block {word} needs {key}; give it a value"
        elif key in mine and not _is_argument(mine[key]):
            yield key, f"{key}: expected a number, a word or a list of numbers, got {shown(mine[key])}"


def _is_argument(value: Any) -> bool:
    # Layers cannot be handed to a block: how many there are is counted before any block is expanded.
    return all(isinstance(each, int) for each in value) if isinstance(value, list) else not isinstance(value, dict)


def _common_faults(common: Mapping[str, Any], block: BlockArguments) -> Iterator[tuple[Any, str]]:
    for key, message in faults(common, Common):
        known = [*block.args, *fields(Common)]
        yield key, message if key in fields(Common) else f"unknown key {shown(key)}{meant(key, known)}"


def _bound(block: BlockArguments, mine: Mapping[str, Any], at: FeatureMap | None, inner: Scope) -> dict[str, Any]:
    """What the names inside ``block`` stand for; a default can be made of arguments before it."""
    names: dict[str, Any] = {**inner.reading.functions}
    inner.names = names
    if at is not None:
        names["c_in"] = Channels(at.channels)
    for key, default in block.args.items():
        names[key] = mine[key] if key in mine else substituted({key: default}, inner)[key]
        if not _is_argument(names[key]):
            raise LayerError(f"{key}: expected a number, a word or a list of numbers, got {shown(names[key])}")
    return names


def read_blocks(blocks: Mapping[Any, Any], problems: list[Problem]) -> dict[str, BlockArguments | None]:
    """Check the definitions of the file's blocks; one with faults, which go to ``problems``, is None."""
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
        problems += [
            Problem(place=where, layer=f"block {shown(name) if name is None else name}", message=message)
            for where, message in here
        ]
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
            yield f"args: {key}: expected a number, a word or a list of numbers, got {shown(default)}"
