"""Who may import whom, and what a run loads.

The package is ten rooms, each a package of its own, and imports between them go one way.
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
from files import network
from layer_files import EXAMPLES
from rooms import MAY_IMPORT

import sepcalc
from sepcalc.cli.completion import REGISTRIES
from sepcalc.cli.main import COMMANDS
from sepcalc.core.layers import Operator
from sepcalc.core.runtime import resolve
from sepcalc.core.table import Tabular
from sepcalc.render.charts.chart import CHARTS
from sepcalc.render.formats import FORMATS

PACKAGE = ROOT / "sepcalc"

APART = ("readers.yaml", "readers.onnx", "readers.pytorch")
"""Readers that know nothing of each other."""

BORDERS: dict[str, tuple[str, ...]] = {
    "torch": ("builders.torch_*", "readers.pytorch.*", "measure.pytorch.*"),
    "onnx": ("readers.onnx.*",),
    "numpy": (),
    "keras": (),
    "yaml": ("readers.yaml.*", "cli.*"),
    "msgspec": ("readers.yaml.*", "measure.*"),
    "typer": ("cli.*",),
    "altair": ("render.charts.*",),
    "vl_convert": ("render.charts.*",),
    "rich": ("render.*", "cli.*"),
}
"""Libraries, and the files that may import them, wherever in a file the import stands."""

HEAVY = {"torch", "numpy", "altair", "vl_convert", "keras", "onnx", "yaml", "msgspec", "jsonschema"}
"""What one layer needs none of."""


def imports(file: Path) -> Iterator[str]:
    """The names of all modules that a file imports, at any depth in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def graph(package: Path) -> dict[str, set[str]]:
    """Each file of a package, as ``room.file``, with the files that it imports."""
    files = {".".join(file.relative_to(package).with_suffix("").parts): file for file in package.rglob("*.py")}
    named = {
        name: {module.removeprefix(f"{package.name}.") for module in imports(file)} for name, file in files.items()
    }
    return {name: (modules & set(files)) - {name} for name, modules in named.items()}


def _is_wrong(name: str, other: str) -> bool:
    """Whether an import crosses from a room into one that it may not import from."""
    mine, its = name.partition(".")[0], other.partition(".")[0]
    readers = {part for part in APART for file in (name, other) if file.startswith(f"{part}.")}
    return len(readers) > 1 or (mine in MAY_IMPORT and mine != its and its not in MAY_IMPORT[mine])


def faults(package: Path) -> list[str]:
    """Every import from a room that is no concern of the importer's, and every circle."""
    found = graph(package)
    wrong = [f"{name} imports {other}" for name, others in found.items() for other in others if _is_wrong(name, other)]
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        wrong.append(f"a circle: {' < '.join(error.args[1])}")
    return sorted(wrong)


def strangers(package: Path) -> list[str]:
    """Every import of a library on the wrong side of its border."""
    files = [(".".join(file.relative_to(package).with_suffix("").parts), file) for file in package.rglob("*.py")]
    return sorted(
        f"{name} imports {library}"
        for name, file in files
        for library in {module.split(".")[0] for module in imports(file)} & set(BORDERS)
        if not any(fnmatchcase(name, place) for place in BORDERS[library])
    )


def test_imports_go_one_way():
    """Each file imports from its own room and from those below it, and never in a circle."""
    assert faults(PACKAGE) == []


def test_libraries_stay_behind_their_borders():
    """Torch, YAML, Rich and the others are imported where they belong, and nowhere else."""
    assert strangers(PACKAGE) == []


def test_the_rooms_are_the_packages():
    """Each folder of the package is a room, and nothing but the public names lies outside of them."""
    assert {path.parent.name for path in PACKAGE.glob("*/__init__.py")} == set(MAY_IMPORT)
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("*/**/__init__.py")), ids=lambda file: file.parent.name)
def test_a_package_says_what_it_is_for(file):
    """The file of a package is its docstring and nothing else, so that entering a room costs nothing."""
    (only,) = ast.parse(file.read_text("utf-8")).body
    assert isinstance(only, ast.Expr)
    assert isinstance(only.value, ast.Constant)


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"core/spec": "from sepcalc.render.cells import human"}, "core.spec imports render.cells"),
        ({"core/spec": "def late():\n    import sepcalc.render.cells"}, "core.spec imports render.cells"),
        ({"core/spec": "if True:\n    from sepcalc.render import cells"}, "core.spec imports render.cells"),
        (
            {"readers/yaml/reader": "import sepcalc.readers.onnx.model"},
            "readers.yaml.reader imports readers.onnx.model",
        ),
        (
            {"core/spec": "import sepcalc.core.table", "core/table": "def late():\n    from sepcalc.core import spec"},
            "a circle: ",
        ),
        ({"core/spec": "from sepcalc import __version__"}, ""),
    ],
)
def test_a_fault_is_found(tmp_path, files, fault):
    """A package with a wrong import is refused: so this test can fail."""
    package = tmp_path / "sepcalc"
    for name in ("core/spec", "core/table", "render/cells", "readers/yaml/reader", "readers/onnx/model"):
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files.get(name, ""))
    found = faults(package)
    assert len(found) == bool(fault)
    assert all(each.startswith(fault) for each in found)


def test_a_stranger_is_found(tmp_path):
    """A library on the wrong side of its border is found, wherever the import stands."""
    package = tmp_path / "sepcalc"
    for name, text in {
        "core/spec": "def late():\n    from torch.nn import Conv2d\n",
        "builders/torch_stages": "import torch\n",
        "builders/calls": "import torch\n",
    }.items():
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert strangers(package) == ["builders.calls imports torch", "core.spec imports torch"]


def late_names() -> Iterator[str]:
    """Everything that the package names as text and imports when it is needed."""
    yield from (f"{module}:{name}" for module in COMMANDS.values() for name in ("app", "EXAMPLES"))
    for output in FORMATS.values():
        yield from (name for name in output if isinstance(name, str) and ":" in name)
    yield from (plot.draw for plot in CHARTS.values() if isinstance(plot.draw, str))
    for result in _subclasses(Tabular):
        yield from filter(None, [vars(result).get("_TABLES")])
    yield from (f"{module}:{name}" for name, module in sepcalc._LAZY.items())
    yield from REGISTRIES.values()
    yield "sepcalc.render.formats:fragments"
    for text in ("operator: unused", *(text for text, *_ in EXAMPLES.values())):
        *_, layer = network(f"- identity: {{name: start}}\n- {text}", channels=4, size=6).layers
        if isinstance(layer, Operator) and layer.module is not None and ":" in layer.module.name:
            yield layer.module.name


def _subclasses(kind: type) -> Iterator[type]:
    for module in PACKAGE.glob("*/*.py"):
        if "Tabular" in module.read_text("utf-8"):
            resolve(f"sepcalc.{module.parent.name}.{module.stem}:__name__")
    return iter(kind.__subclasses__())


@pytest.mark.parametrize("name", sorted(set(late_names())))
def test_a_late_name_is_there(name):
    """A command, a format, the tables of a result, a layer's module and a public name exist under their late names."""
    assert resolve(name) is not None


def test_every_result_has_tables():
    """Each result that shows itself names the function that makes its tables, or makes them."""
    results = list(_subclasses(Tabular))
    assert len(results) > 5
    assert all("_TABLES" in vars(each) or "tables" in vars(each) for each in results)


def loaded(*arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after it ran a command line."""
    script = (
        "import sys; from sepcalc.cli.main import run; code = run(sys.argv[1:]); "
        "print(code, *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    code, *modules = done.stderr.split()
    assert code == "0", done.stderr
    return set(modules)


LAYER = ("layer", "--cin", "64", "--cout", "128", "-k", "3")


@pytest.mark.slow
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


def test_a_layer_enters_three_rooms():
    """One layer pays for the rooms core, render and cli alone."""
    rooms = {name.split(".")[1] for name in loaded(*LAYER) if name.startswith("sepcalc.")}
    assert rooms == {"core", "render", "cli"}


def test_a_network_needs_no_framework():
    """A network of YAML loads YAML, and neither torch nor numpy."""
    modules = loaded("network", "mobilenet_v1")
    assert modules & HEAVY == {"yaml", "msgspec"}


def test_a_table_is_drawn_without_rich():
    """A terminal pays for the widths of characters that Rich knows, and for no console of its; CSV for neither."""
    assert not loaded(*LAYER) & {"rich.console", "rich.table"}
    assert not any(name.startswith("rich") for name in loaded(*LAYER, "--format", "csv"))


ENTERED = {
    "torch": ("builders.torch_", "readers.pytorch.", "measure.pytorch."),
    "onnx": ("readers.onnx.",),
    "yaml": ("readers.yaml.", "readers.sources"),
}
"""The rooms below the command line that may load a heavy library, beside those that name torch and onnx themselves."""


def test_rooms_are_light():
    """Everything below the command line loads neither torch nor onnx, numpy nor YAML, unless their room is entered."""
    files = (".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in PACKAGE.rglob("*.py"))
    entered = tuple(place for places in ENTERED.values() for place in places)
    names = [f"sepcalc.{name.removesuffix('.__init__')}" for name in files
             if not name.startswith(("cli.", "__main__", *entered))]  # fmt: skip
    script = f"import sys, {', '.join(sorted(names))}; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert set(modules) & {"torch", "onnx", "numpy", "yaml", "typer"} == set()


def test_the_library_is_light():
    """Importing the package loads nothing heavy, and no part of the command line."""
    script = "import sys, sepcalc; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert set(modules) & (HEAVY | {"typer", "rich", "sepcalc.cli.main", "sepcalc.readers"}) == set()
