"""The tables of keys in ``docs/yaml.md``, made from the records: ``python tests/support/key_tables.py`` writes them."""

import json
import re

import msgspec
from commands import ROOT

from sepcalc.readers.yaml.arguments import (
    BlockArguments,
    Common,
    DefaultArguments,
    FileArguments,
    InputArguments,
    OperatorArguments,
    PublishedArguments,
)
from sepcalc.readers.yaml.decoding import _expected, fields
from sepcalc.readers.yaml.layers import LAYER_TYPES
from sepcalc.readers.yaml.schema import schema

PAGE = ROOT / "docs" / "yaml.md"
MARKED = re.compile(r"<!-- keys: (\w+) -->\n(.*?)<!-- end of keys -->", re.DOTALL)
WORDS = re.compile(r"(?<=\n## Words for layers\n).*?(?=\n## )", re.DOTALL)


def records() -> dict[str, type[msgspec.Struct]]:
    """Every record that has a table, by its name."""
    layers = {kind.arguments for kind in LAYER_TYPES.values()}
    parts = (FileArguments, InputArguments, DefaultArguments, PublishedArguments, BlockArguments)
    return {record.__name__: record for record in (*sorted(layers, key=lambda record: record.__name__), *parts)}


def documented(page: str) -> list[str]:
    """The words for layers that stand in a heading."""
    headings = "\n".join(re.findall(r"^### .*$", WORDS.search(page)[0], re.MULTILINE))
    return re.findall(r"`(\w+)`", headings)


def filled(page: str) -> str:
    """The page with its tables as they should be, and a section for each word that has none."""
    for word, kind in LAYER_TYPES.items():
        if word not in documented(page):
            name = kind.arguments.__name__
            marks = "" if f"<!-- keys: {name} -->" in page else f"<!-- keys: {name} -->\n<!-- end of keys -->\n"
            section = f"\n### `{word}`\n\n{kind.summary}\n\n{marks}".rstrip()
            page = WORDS.sub(lambda found, section=section: f"{found[0]}{section}\n", page)
    return MARKED.sub(lambda found: f"<!-- keys: {found[1]} -->\n{table(found[1])}\n<!-- end of keys -->", page)


def table(name: str) -> str:
    """The keys of the record of that name that are its own."""
    record = records()[name]
    bases = (Common, OperatorArguments)
    shared = {key for base in bases if issubclass(record, base) and record is not base for key in fields(base)}
    meanings = ({"FileArguments": schema()} | schema()["$defs"])[name]["properties"]
    rows = [
        f"| `{key}` | {_expected(field.type)} | {default(field)} | {meanings[key]['description']} |"
        for key, field in fields(record).items()
        if key not in shared
    ]
    return "\n".join(["| key | value | default | meaning |", "| --- | --- | --- | --- |", *rows])


def default(field: msgspec.structs.FieldInfo) -> str:
    """A field's default as YAML writes it; nothing where a value is needed, or where it is not there by default."""
    if field.required:
        return "needed"
    value = {} if field.default is msgspec.NODEFAULT else field.default
    return "" if value is None or value == {} else f"`{json.dumps(value).strip(chr(34))}`"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
