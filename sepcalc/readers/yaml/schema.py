"""The JSON Schema (2020-12) of a network file, for editors that complete and check.

The keys come from the records in :mod:`sepcalc.readers.yaml.arguments`, the words from the registry of layer types; how
they combine is written by hand. The schema is wider than the reader where JSON Schema cannot follow: any word may be
the name of a block, and shapes are not inferred.
"""

from __future__ import annotations

from collections.abc import Container
from inspect import cleandoc
from typing import Any

from msgspec.json import schema_components

from sepcalc.readers.yaml.arguments import (
    BlockArguments,
    DefaultArguments,
    FileArguments,
    InputArguments,
    PublishedArguments,
)
from sepcalc.readers.yaml.layers import LAYER_TYPES, LayerType

Schema = dict[str, Any]


def schema() -> Schema:
    """The JSON Schema of a network file.

    >>> schema()["required"]
    ['layers']
    """
    layers = {kind.arguments: kind for kind in LAYER_TYPES.values()}
    parts = (FileArguments, BlockArguments, DefaultArguments, InputArguments, PublishedArguments)
    _, components = schema_components([*parts, *layers], ref_template="#/$defs/{name}")
    for component in components.values():
        if "description" in component:  # only some releases of msgspec strip the indent of a docstring
            component["description"] = cleandoc(component["description"])
    common, file = components["Common"], components.pop("FileArguments")
    for record, kind in layers.items():
        components[record.__name__] = _with_expressions(components[record.__name__], (*kind.bodies, *kind.branches))
        if kind.either:
            components[record.__name__]["oneOf"] = [{"required": [key]} for key in kind.either]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **file,
        "title": "A network for sepcalc",
        "description": "The layers of a network, and its name, source, input and published figures.",
        "$defs": {**components, **_structure(components), **_blocks(common)},
    }


def _with_expressions(record: Schema, inside: Container[str] = ()) -> Schema:
    """A layer's record with ``$name`` or arithmetic on it allowed for each value but the lists of layers ``inside``."""
    properties = {key: value if key in inside else _or_expression(value) for key, value in record["properties"].items()}
    # The first repetition takes the same arguments, and needs none of them.
    own = [key for key in properties if key not in ("name", "repeat", "first")]
    properties["first"] = {
        "description": properties["first"]["description"],
        "type": ["object", "null"],
        "properties": {key: _ref(f"{record['title']}/properties/{key}") for key in own},
        "additionalProperties": False,
    }
    return {**record, "properties": properties}


def _or_expression(value: Schema) -> Schema:
    """``value`` or an expression; the description and the default stay outside, where editors look for them."""
    outside: Schema = {key: value[key] for key in ("description", "default") if key in value}
    inside = {key: part for key, part in _items_or_expressions(value).items() if key not in outside}
    return {**outside, "anyOf": [*inside["anyOf"], _EXPRESSION] if set(inside) == {"anyOf"} else [inside, _EXPRESSION]}


def _items_or_expressions(value: Any) -> Any:
    """``value`` with an expression allowed in each list in it."""
    if isinstance(value, list):
        return [_items_or_expressions(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "array":
        return {**value, "items": {"anyOf": [_items_or_expressions(value["items"]), _EXPRESSION]}}
    return {key: _items_or_expressions(part) for key, part in value.items()}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


_EXPRESSION = _ref("expression")


def _structure(components: Schema) -> Schema:
    """How layers, blocks and branches stand together."""
    return {
        "layers": {"type": "array", "items": _ref("layer")},
        "layer": {"anyOf": [_ref("word"), _ref("word-with-arguments"), _ref("arguments-side-by-side")]},
        "word": _word(components),
        "word-with-arguments": _word_with_arguments(components),
        "arguments-side-by-side": _arguments_side_by_side(components),
        "branches": {"type": "array", "minItems": 1, "items": {"anyOf": [_ref("layers"), _ref("named-branch")]}},
        "named-branch": {
            "description": "A branch with a name, which its layers carry.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": _ref("layers"),
        },
        "expression": {
            "description": "Inside a block: $name, or arithmetic on whole numbers such as 4*$width.",
            "type": "string",
            "pattern": r"\$",
        },
        "published": {"type": "array", "items": _ref("PublishedArguments")},
    }


def _word(components: Schema) -> Schema:
    """A word alone: a layer that needs no arguments, or a block."""
    alone = [word for word, kind in LAYER_TYPES.items() if not _needs_arguments(kind, components)]
    others = [word for word in LAYER_TYPES if word not in alone]
    return {
        "description": "A layer without arguments, or the name of a block.",
        "anyOf": [{"enum": alone}, {"type": "string", "not": {"enum": others}}],
    }


def _needs_arguments(kind: LayerType, components: Schema) -> bool:
    return bool(components[kind.arguments.__name__]["required"] or kind.either)


def _word_with_arguments(components: Schema) -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {"type": False} | {word: _argument(kind, components) for word, kind in LAYER_TYPES.items()},
        "additionalProperties": _ref("use-of-a-block"),
    }


def _argument(kind: LayerType, components: Schema) -> Schema:
    """The value behind the word of a layer type: its arguments, the value of its short one, or nothing."""
    name = kind.arguments.__name__
    forms = [_ref(name)]
    if kind.short is not None:
        forms.append(_ref(f"{name}/properties/{kind.short}"))
    if not _needs_arguments(kind, components):
        forms.append({"type": "null"})
    return {"description": kind.summary, "anyOf": forms}


def _arguments_side_by_side(components: Schema) -> Schema:
    """The plain form: a convolution, or a layer that says its type."""
    words: dict[str, list[str]] = {}
    for word, kind in LAYER_TYPES.items():
        words.setdefault(kind.arguments.__name__, []).append(word)
    return {
        "description": "A layer with its arguments side by side: a convolution unless it says its type.",
        "type": "object",
        "properties": {"type": {"description": "the word of the layer", "type": "string"}},
        "anyOf": [{"required": ["type"]}, {"minProperties": 2}],
        "allOf": [_of_type(words[name], components[name]) for name in words],
    }


def _of_type(words: list[str], record: Schema) -> Schema:
    """The keys of ``record`` where the type is one of ``words`` or, for a convolution, left out."""
    of_type: Schema = {"properties": {"type": {"enum": words}}}
    properties = {key: _ref(f"{record['title']}/properties/{key}") for key in record["properties"]}
    return {
        "if": of_type if "conv" in words else {**of_type, "required": ["type"]},
        "then": {**record, "properties": {"type": True, **properties}},
    }


def _blocks(common: Schema) -> Schema:
    """Definitions of blocks and uses of them, under any name."""
    use = _with_expressions(common)
    first = {**use["properties"]["first"], "additionalProperties": _ref("argument-of-a-block")}
    del first["properties"]
    return {
        "blocks": {
            "type": "object",
            "propertyNames": {"pattern": r"^[^$]+$", "not": {"enum": list(LAYER_TYPES)}},
            "additionalProperties": _ref("BlockArguments"),
        },
        "use-of-a-block": {
            **use,
            "title": "Use of a block",
            "description": "The block's arguments, and the arguments of every layer.",
            "type": ["object", "null"],
            "properties": {**use["properties"], "first": first},
            "additionalProperties": _ref("argument-of-a-block"),
        },
        "arguments-of-a-block": {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "not": {"enum": list(common["properties"])}},
            "additionalProperties": {"anyOf": [_ref("argument-of-a-block"), {"type": "null"}]},
        },
        "argument-of-a-block": {
            "anyOf": [
                {"type": ["number", "string", "boolean"]},
                {"type": "array", "items": {"anyOf": [{"type": "integer"}, _EXPRESSION]}},
            ]
        },
    }
