"""Lists of layers in a network file: words, repetition, blocks and their arguments.

:func:`run` reads a list into a scope. Every fault is recorded with its place, and reading goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sepcalc.arguments import BlockArguments, Common, decode, faults, fields, shown
from sepcalc.errors import SepcalcError, closest
from sepcalc.expressions import Channels, evaluate
from sepcalc.layer_types import LAYER_TYPES, LayerType
from sepcalc.located import Map, Place, Seq
from sepcalc.scope import LayerError, LostError, Scope

_NO_ARGUMENTS: Mapping[str, Any] = {}


def run(scope: Scope, layers: list[Any]) -> None:
    """Read ``layers`` one after another into ``scope``."""
    for index, item in enumerate(layers):
        word, value = "layer", None
        try:
            word, value = split_item(item, scope)
            _read(scope, word, value)
        except LostError:
            _lose(scope, value)
        except SepcalcError as error:
            _lose(scope, value)
            place = _place(layers, index, value, getattr(error, "key", None))
            scope.problem(place, _name(scope, word, value), str(error))


def _place(layers: list[Any], index: int, value: Any, key: str | None) -> Place:
    if key is not None and isinstance(value, Map) and key in value:
        return value.place(key)
    return layers.place(index) if isinstance(layers, Seq) else Place(line=1, column=1)


def _name(scope: Scope, word: str, value: Any) -> str:
    return scope.prefix + str(value.get("name", word) if isinstance(value, Map) else word)


def _lose(scope: Scope, value: Any) -> None:
    """What a faulty layer writes is unknown; so is what a later layer takes from it by name."""
    scope.lost = True
    if isinstance(value, Map) and "name" in value:
        scope.reading.outputs.setdefault(f"{scope.prefix}{value['name']}", None)


def split_item(item: Any, scope: Scope) -> tuple[str, Any]:
    """The word of a layer and what stands behind it: ``relu``, ``{conv: {…}}`` or ``{type: conv, …}``.

    Raises :class:`LayerError` for anything else.
    """
    if isinstance(item, str):
        word, value = (evaluate(item, scope.names) if "$" in item else item), None
    elif not isinstance(item, Map) or not item:
        raise LayerError(f"a layer is a word, or a word with its arguments, not {shown(item)}")
    elif len(item) == 1:
        ((word, value),) = item.items()
    else:
        return _plain(item, scope)
    if word not in LAYER_TYPES and word not in scope.reading.blocks:
        raise LayerError(f"unknown layer '{word}'{closest(str(word), [*LAYER_TYPES, *scope.reading.blocks])}")
    return word, value


def _plain(item: Map, scope: Scope) -> tuple[str, Any]:
    """A layer of the plain list: its arguments side by side, a convolution unless it says its type."""
    word = item.get("type", "conv")
    if word not in LAYER_TYPES:
        raise LayerError(f"unknown type '{word}'{closest(str(word), LAYER_TYPES)}", "type")
    for key in item:
        if key not in _CONV_KEYS and (key in LAYER_TYPES or key in scope.reading.blocks):
            raise LayerError(f"'{key}' and its arguments stand side by side; indent the arguments below it", key)
    return word, item


_CONV_KEYS = fields(LAYER_TYPES["conv"].arguments)


def _read(scope: Scope, word: str, value: Any) -> None:
    kind = LAYER_TYPES.get(word)
    source = _as_arguments(word, value, kind)
    arguments = substituted(source, scope)
    if "repeat" in arguments or "first" in arguments:
        _repeat(scope, word, kind, source, arguments)
    elif kind is None:
        _call(scope, word, arguments)
    else:
        _build(scope, kind, source, arguments)


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


def _repeat(
    scope: Scope, word: str, kind: LayerType | None, source: Mapping[str, Any], arguments: Mapping[str, Any]
) -> None:
    """The same layer several times in a row; ``first`` says what is different the first time."""
    times, first = arguments.get("repeat", 1), arguments.get("first")
    each = {key: value for key, value in arguments.items() if key not in ("repeat", "first")}
    if type(times) not in (int, Channels) or times < 0:
        raise LayerError(f"repeat: expected a whole number, got {shown(times)}", "repeat")
    if first is not None and not isinstance(first, Mapping):
        raise LayerError(f"first: expected a mapping like {{stride: 2}}, got {shown(first)}", "first")
    name = each.get("name")
    for number in range(times):
        mine = {**each, **substituted(first, scope)} if first and number == 0 else each
        if name is not None and times > 1:
            mine = {**mine, "name": f"{name}.{number + 1}"}
        before = len(scope.reading.problems)
        if kind is None:
            _call(scope, word, mine)
        else:
            _build(scope, kind, source, mine)
        if len(scope.reading.problems) > before:
            return


def _build(scope: Scope, kind: LayerType, source: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    if kind.takes_defaults and scope.defaults:
        arguments = {**scope.defaults, **arguments}
    if "type" in arguments:
        arguments = {key: value for key, value in arguments.items() if key != "type"}
    args = decode(arguments, kind.arguments)
    if args is None:
        _report(scope, kind.word, source, arguments, kind.arguments)
    else:
        kind.build(scope, args, kind.word)


def _report(
    scope: Scope, word: str, source: Mapping[str, Any], arguments: Mapping[str, Any], record: type[Common]
) -> None:
    """Record every fault of the arguments but the last, and raise that."""
    *earlier, (last_key, last) = faults(arguments, record)
    for key, message in earlier:
        if isinstance(source, Map):
            scope.problem(source.place(key), _name(scope, word, source), message)
    raise LayerError(last, last_key)


def _call(scope: Scope, word: str, arguments: Mapping[str, Any]) -> None:
    """The layers of a block, with its arguments in place of their names."""
    block = scope.reading.blocks[word]
    mine = {key: value for key, value in arguments.items() if key in block.args}
    common = {key: value for key, value in arguments.items() if key not in block.args}
    args = decode(common, Common)
    if args is None:
        key, message = next(iter(faults(common, Common)))
        known = [*block.args, *fields(Common)]
        raise LayerError(message if key in fields(Common) else f"unknown key '{key}'{closest(str(key), known)}", key)
    at = None if scope.lost else scope.reached(args)
    name = scope.new_name(args.name, word)
    inner = replace(scope, at=at, prefix=f"{name}.", numbers=Counter())
    inner.names = {"c_in": Channels(at.channels)} if at is not None else {}
    for key, default in block.args.items():
        value = mine.get(key, default)
        if value is None:
            raise LayerError(f"block {word} needs {key}; give it a value")
        inner.names = {**inner.names, key: _evaluated(key, value, inner) if key not in mine else value}
    inner.run(block.layers)
    scope.arrive(inner)
    scope.reading.outputs[name] = None if inner.lost else inner.at


def read_blocks(blocks: Mapping[Any, Any], scope: Scope) -> dict[str, BlockArguments]:
    """Check the definitions of the file's blocks; faults are recorded in ``scope``."""
    found = {}
    for name, block in blocks.items():
        place = blocks.place(name) if isinstance(blocks, Map) else Place(line=1, column=1)
        label = f"block {name}"
        if name in LAYER_TYPES:
            scope.problem(place, label, f"{name} is a layer already; choose another name")
        elif not isinstance(block, Map):
            scope.problem(place, label, f"expected a mapping with layers and args, got {shown(block)}")
        elif (args := decode(block, BlockArguments)) is None:
            for key, message in faults(block, BlockArguments):
                scope.problem(block.place(key), label, message)
        else:
            found[str(name)] = args
    return found
