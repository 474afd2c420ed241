"""Who may import whom, and what a run loads.

The files of the package live in rooms, and each imports only from its own room and those left of it.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from commands import ROOT

from sepcalc.render.formats import FORMATS

PACKAGE = ROOT / "sepcalc"

ROOMS: dict[str, tuple[str, ...]] = {
    "errors": ("errors", "runtime"),
    "measure": ("measure*",),
    "spec": ("spec", "counts"),
    "variants": ("variants", "counted"),
    "table": ("table",),
    "comparison": ("comparison",),
    "network": ("network",),
    "cells": ("cells", "bars"),
    "contract": ("contract",),
    "formats": ("tex", "latex", "markdown", "records", "terminal", "webpage", "render", "output"),
    "reports": ("layer_report", "network_report", "plain"),
    "explain": ("symbols", "explain", "prose"),
    "chart": ("chart", "chart_*"),
    "code": ("modules", "snippets"),
    "sweep": ("sweep*",),
    "inputs": ("inputs", "trace", "imported_layers"),
    "yaml": ("yaml_*",),
    "onnx": ("onnx_*",),
    "torch": ("torch_*",),
    "folding": ("folding",),
    "conventions": ("convention*", "reconcile*"),
    "sources": ("sources", "verify"),
    "timing": ("timing*", "roofline"),
    "report": ("report", "report_*"),
    "package": ("__init__",),
    "cli": ("cli", "cli_*", "__main__"),
}
"""The rooms from left to right, and the files in each."""

APART = ("yaml", "onnx", "torch", "conventions")
"""Rooms that know nothing of each other."""

FOREIGN = {
    "torch": {"torch"},
    "onnx": {"onnx"},
    "numpy": set(),
    "keras": set(),
    "yaml": {"yaml", "cli"},
    "msgspec": {"yaml", "timing"},
    "typer": {"cli"},
    "altair": {"chart"},
    "vl_convert": {"chart"},
    "rich": {"formats", "cli"},
}
"""Libraries that are kept to some rooms, wherever in a file the import stands."""

HEAVY = {"torch", "numpy", "altair", "vl_convert", "keras", "onnx", "yaml", "msgspec", "jsonschema"}
"""What one layer needs none of."""


def imports(file: Path) -> Iterator[str]:
    """The names of all modules that a file imports, at any depth; files of the package as ``sepcalc.name``."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively"
            yield from _from(file.parent, node)


def _from(package: Path, node: ast.ImportFrom) -> Iterator[str]:
    if node.module != package.name:
        yield str(node.module)
        return
    for alias in node.names:
        yield f"{package.name}.{alias.name if (package / f'{alias.name}.py').exists() else '__init__'}"


def room(name: str) -> str:
    """The room of the file called ``name``."""
    rooms = [room for room, patterns in ROOMS.items() if any(fnmatchcase(name, pattern) for pattern in patterns)]
    assert len(rooms) == 1, f"{name}.py belongs to {' and '.join(rooms) or 'no room'}: see ROOMS"
    return rooms[0]


def graph(package: Path) -> dict[str, set[str]]:
    """Each file of a package with the files that it imports."""
    found = {}
    for file in package.glob("*.py"):
        mine = {name.split(".")[1] for name in imports(file) if name.startswith(f"{package.name}.")}
        found[file.stem] = mine
    return found


def faults(package: Path) -> list[str]:
    """Every import from the right, from a room apart, and in a circle."""
    order = list(ROOMS)
    wrong = []
    for name, others in graph(package).items():
        for other in others:
            mine, its = room(name), room(other)
            if order.index(its) > order.index(mine) or (mine != its and {mine, its} <= set(APART)):
                wrong.append(f"{name} ({mine}) imports {other} ({its})")
    try:
        TopologicalSorter(graph(package)).prepare()
    except CycleError as error:
        wrong.append(f"a circle: {' < '.join(error.args[1])}")
    return sorted(wrong)


def strangers(package: Path) -> list[str]:
    """Every import of a library outside its rooms."""
    return sorted(
        f"{file.stem} imports {library}"
        for file in package.glob("*.py")
        for library in {name.split(".")[0] for name in imports(file)}
        if library in FOREIGN and room(file.stem) not in FOREIGN[library]
    )


def test_imports_go_left():
    """Each file imports only from its own room and those left of it, and never in a circle."""
    assert faults(PACKAGE) == []


def test_libraries_stay_in_their_rooms():
    """Torch, YAML, Rich and the others are imported where they belong, and nowhere else."""
    assert strangers(PACKAGE) == []


def test_the_rooms_of_the_design():
    """The rooms are in the order of the design."""
    design = ["errors", "spec", "variants", "table", "network", "formats", "explain", "cli"]
    assert [name for name in ROOMS if name in design] == design


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"spec": "from sepcalc.core.network import Network"}, "spec (spec) imports network (network)"),
        ({"spec": "def late():\n    import sepcalc.core.table"}, "spec (spec) imports table (table)"),
        ({"errors": "if True:\n    from sepcalc import spec"}, "errors (errors) imports spec (spec)"),
        ({"yaml_reading": "import sepcalc.builders.torch_stages"}, "yaml_reading (yaml) imports torch_backend (torch)"),
        ({"torch_backend": "import sepcalc.readers.yaml.reader"}, "torch_backend (torch) imports yaml_reading (yaml)"),
        ({"explain": "import sepcalc.explain.symbols", "symbols": "import sepcalc.explain.derivation"}, "a circle: "),
        ({"errors": "from sepcalc import __version__"}, "errors (errors) imports __init__ (package)"),
    ],
)
def test_a_fault_is_found(tmp_path, files, fault):
    """A package with a wrong import is refused: so this test can fail."""
    package = tmp_path / "sepcalc"
    package.mkdir()
    for name in (
        "__init__",
        "errors",
        "spec",
        "network",
        "table",
        "yaml_reading",
        "torch_backend",
        "symbols",
        "explain",
    ):
        (package / f"{name}.py").write_text(files.get(name, ""))
    found = faults(package)
    assert len(found) == 1
    assert found[0].startswith(fault)


def test_a_stranger_is_found(tmp_path):
    """A library outside its rooms is found, wherever the import stands."""
    package = tmp_path / "sepcalc"
    package.mkdir()
    (package / "spec.py").write_text("def late():\n    from torch.nn import Conv2d\n")
    (package / "torch_backend.py").write_text("import torch\n")
    assert strangers(package) == ["spec imports torch"]


def test_a_file_without_a_room():
    """A new file has to be given a room."""
    with pytest.raises(AssertionError, match=r"^novelty\.py belongs to no room"):
        room("novelty")


def loaded(*arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after it ran a command line."""
    script = "import sys; from sepcalc.cli.main import run; code = run(sys.argv[1:]); print(code, *sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    code, *modules = done.stderr.split()
    assert code == "0", done.stderr
    return set(modules)


LAYER = ("layer", "--cin", "64", "--cout", "128", "-k", "3")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--version",),
        *((*LAYER, "--size", "56", "--format", form) for form in FORMATS),
        *((*LAYER, "--explain", "--format", form) for form in ("terminal", "markdown", "latex")),
        *((*LAYER, "--code", framework) for framework in ("torch", "keras")),
        ("layer", "--help"),
    ],
    ids=" ".join,
)
def test_a_layer_is_light(arguments):
    """The program and one layer, in any form, load neither torch nor numpy nor YAML."""
    assert loaded(*arguments) & HEAVY == set()


def test_a_network_needs_no_framework():
    """A network of YAML loads YAML, and neither torch nor numpy."""
    modules = loaded("network", "mobilenet_v1")
    assert modules & HEAVY == {"yaml", "msgspec"}


def test_a_terminal_loads_rich_and_csv_does_not():
    """A run pays for the format that it prints."""
    assert "rich.table" in loaded(*LAYER)
    assert not any(name.startswith("rich") for name in loaded(*LAYER, "--format", "csv"))


def test_the_library_is_light():
    """Importing the package loads nothing heavy, and no part of the command line."""
    script = "import sys, sepcalc; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert set(modules) & (HEAVY | {"typer", "rich", "sepcalc.cli.main", "sepcalc.readers.yaml.reader"}) == set()
