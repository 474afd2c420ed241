"""The documentation: what it shows is what the program prints, and whatever there is stands in it.

A ``console`` block holds commands after ``$ `` with what they print below; ``python tests/test_docs.py --update``
rewrites every such block in place, or those of the pages that it is given. A ``yaml`` or ``python`` block that begins
with ``# my-net.yaml`` is a file of that name, there for the commands and examples of its page. A ``python`` block of
``>>>`` examples is a doctest.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import get_args

sys.path.append(str(Path(__file__).parent / "support"))  # pytest knows it; a script does not

import pytest
import typer
from fake_bench import ENVIRONMENT, fake_bench
from rooms import MAY_IMPORT

import sepcalc
from sepcalc import ConvSpec, choose, compare, load
from sepcalc.builders.verify import verification_table
from sepcalc.cli import report as cli_report
from sepcalc.cli.completion import WORDS
from sepcalc.cli.main import COMMANDS, app
from sepcalc.cli.sweep import SWEPT
from sepcalc.conventions.counters import COUNTERS, choose_counters
from sepcalc.conventions.published import published_conventions_answer, published_conventions_table
from sepcalc.conventions.tables import reconcile_all, reconcile_answer, reconcile_table
from sepcalc.core import errors, spec
from sepcalc.core.answers import comparison_answer, layer_answer, network_answer
from sepcalc.core.layer_tables import layer_table
from sepcalc.core.network_tables import comparison_table, network_table, published_table, totals_table
from sepcalc.core.variants import all_variants
from sepcalc.explain.derivation import explain_layer
from sepcalc.explain.symbols import UNICODE, write
from sepcalc.measure.conditions import Conditions
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.network import measure_network
from sepcalc.measure.record import answer, answers
from sepcalc.measure.run import MeasurementSetup
from sepcalc.measure.runs import runs_table
from sepcalc.measure.statistics import FEWEST_ROUNDS, NOISE, UNSTEADY, VerdictWord
from sepcalc.readers.onnx import graph as onnx_graph
from sepcalc.readers.onnx import protobuf
from sepcalc.readers.onnx import shapes as onnx_shapes
from sepcalc.readers.yaml import reader as yaml_reading
from sepcalc.render.charts import chart
from sepcalc.render.formats import FORMATS
from sepcalc.sweep.sweep import sweep_layer
from sepcalc.sweep.tables import sweep_table

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

SET_UP = (
    "pip install . && sepcalc network mobilenet_v1",
    "pip install -c tests/constraints.txt -e '.[dev]' && pytest",
)
"""The two commands that do everything, each a block of its own."""

SHELL = """\
sepcalc() { "$PYTHON" -m sepcalc "$@"; }
"""
"""The installed command is this one; so the test needs no installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block of a page: its language, its lines, and the number of the first of them."""

    page: Path
    language: str
    lines: tuple[str, ...]
    start: int

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.start}"

    @property
    def file(self) -> str | None:
        """The name of the file that this block is."""
        named = re.fullmatch(r"# ([\w-]+\.(?:yaml|py))", self.lines[0]) if self.lines else None
        return named[1] if named else None


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of ``page``."""
    language, lines = None, []
    for number, line in enumerate(page.read_text("utf-8").splitlines(), start=1):
        if language is None and line.startswith("```"):
            language, lines = line[3:].strip(), []
        elif language is not None and line == "```":
            yield Block(page=page, language=language, lines=tuple(lines), start=number - len(lines))
            language = None
        else:
            lines.append(line)
    assert language is None, f"{page.name}: a block has no end"


BLOCKS = [block for page in PAGES for block in blocks(page)]
CONSOLES = [block for block in BLOCKS if block.language == "console"]
EXAMPLES = [block for block in BLOCKS if block.language == "python"]


def unpack(page: Path, folder: Path) -> None:
    """Write the files that ``page`` shows into ``folder``, and those of the documentation as a checkout has them."""
    (folder / "docs").symlink_to(ROOT / "docs", target_is_directory=True)
    for block in BLOCKS:
        if block.page == page and block.file:
            (folder / block.file).write_text("\n".join(block.lines) + "\n", "utf-8")


def printed(command: str, folder: Path) -> list[str]:
    """The lines that ``command`` prints in ``folder``, on both of its streams, into a pipe."""
    environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    run = subprocess.run(  # noqa: S602 (a page's command is what a reader types)
        SHELL + command,
        shell=True,
        cwd=folder,
        env=environment | {"COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return [line.rstrip() for line in run.stdout.decode("utf-8").splitlines()]


def played(block: Block, folder: Path) -> list[str]:
    """A console block as it should be: its commands, each with what it prints now."""
    unpack(block.page, folder)
    commands = [line for line in block.lines if line.startswith("$ ")]
    return [line for command in commands for line in (command, *printed(command[2:], folder))]


@pytest.mark.slow
@pytest.mark.parametrize("block", CONSOLES, ids=str)
def test_output(block, tmp_path):
    """What a page shows below a command is what the command prints."""
    assert list(block.lines) == played(block, tmp_path), "python tests/test_docs.py --update rewrites it"


def test_console_blocks_hold_commands():
    """Every console block begins with a command of this program, so that none is left unchecked."""
    assert CONSOLES
    assert [str(block) for block in CONSOLES if not block.lines[0].startswith("$ sepcalc")] == []


@pytest.mark.slow
@pytest.mark.parametrize("page", sorted({block.page for block in EXAMPLES}), ids=lambda page: page.name)
def test_examples(page, tmp_path):
    """The Python examples of a page print what it says, one after the other in one session."""
    unpack(page, tmp_path)
    lines = [""] * len(page.read_text("utf-8").splitlines())
    for block in EXAMPLES:
        if block.page == page and not block.file:
            lines[block.start - 1 : block.start - 1 + len(block.lines)] = block.lines
    # Lines keep their numbers, so that a failure names the page's.
    (tmp_path / page.name).write_text("\n".join(lines) + "\n", "utf-8")
    assert "\n".join(printed(f'"$PYTHON" -m doctest -o ELLIPSIS {page.name}', tmp_path)) == ""


def test_python_blocks_are_run():
    """Every Python block is a file that its page imports or names in a command, or a session."""
    for block in EXAMPLES:
        if block.file:
            lines = [line for each in EXAMPLES + CONSOLES if each.page == block.page for line in each.lines]
            uses = (f">>> import {Path(block.file).stem}$", rf"\$ sepcalc .* {re.escape(block.file)}:")
            assert any(re.match(use, line) for use in uses for line in lines), str(block)
        else:
            assert block.lines[0].startswith(">>> "), str(block)


def unfenced(text: str) -> str:
    """``text`` without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def section(page: str, heading: str) -> str:
    """What stands under ``heading`` of a page in ``docs``, until the next heading as high."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = re.search(rf"^(#+) `?{re.escape(heading)}`?$(.*?)(?=^\1 |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/{page} has no heading '{heading}'"
    return found[2]


def missing(words: Iterable[str], text: str) -> list[str]:
    """Those of ``words`` that do not stand in ``text`` as code."""
    known = {word for code in re.findall(r"`([^`\n]+)`", unfenced(text)) for word in re.split("[ ,]+", code)}
    return [word for word in words if word not in known]


def test_missing_words_are_noticed():
    """A word that is part of another, or no code, is not documented by it."""
    text = "`--format csv`, `-f`, --out, `--max-params 5M`"
    assert missing(["--format", "-f", "--out", "--max", "--max-params", "csv"], text) == ["--out", "--max"]


def test_no_output_twice():
    """No page repeats what another shows: a command has one place, files of the same name aside."""
    shown = [
        (line, *(each.lines for each in BLOCKS if each.page == block.page and each.file and each.file in line))
        for block in CONSOLES
        for line in block.lines
        if line.startswith("$ ")
    ]
    assert [each for each, times in Counter(shown).items() if times > 1] == []


def test_files():
    """Every file of this project that a page names is there, and so is what it is said to hold."""
    for page in PAGES:
        text = unfenced(page.read_text("utf-8"))
        named = re.findall(r"`((?:sepcalc|tests|docs|configs|benchmarks)/[\w./*-]+)`", text)
        assert [each for each in named if not [*ROOT.glob(each)]] == [], page.name
        for name, file in re.findall(r"`(\w+)` in `([\w/]+\.py)`", text):
            assert re.search(rf"^(def |class )?{name}\b", (ROOT / file).read_text("utf-8"), re.MULTILINE), (name, file)


def test_rooms():
    """The map of the code has every room of the package, in their order."""
    rows = re.findall(r"^\| `(.*?)` \|", section("contributing.md", "The way of the data"), re.MULTILINE)
    assert rows == list(MAY_IMPORT)


def flags(command: str | None) -> list[str]:
    """The flags of ``command``, or of the program itself."""
    program = typer.main.get_command(app)
    found = program if command is None else program.get_command(None, command)
    return [flag for each in found.params if each.param_type_name == "option" for flag in each.opts]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command):
    """Every flag of every command stands in the command's section, and no other flag does."""
    text = section("cli.md", f"sepcalc {command}")
    assert missing([each for each in flags(command) if each not in ("-h", "--help")], text) == []
    assert set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", text)) <= set(flags(command))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_passing(page):
    """Commands that a page names without running them are commands of the program, with flags that they have."""
    shells = [
        line for block in BLOCKS if block.page == page and block.language in ("sh", "text") for line in block.lines
    ]
    for line in (*shells, *re.findall(r"`([^`\n]+)`", unfenced(page.read_text("utf-8")))):
        for command, rest in re.findall(r"\bsepcalc ([a-z]\w*)\b(.*)", line):
            used = re.findall(r"(?<![\w-])--?[a-z]+(?:-[a-z]+)*", rest)
            assert [each for each in used if each not in flags(command)] == [], line


def test_program_flags():
    """The flags of the program itself are documented."""
    assert missing([*flags(None), "-h", "--help"], section("cli.md", "The program itself")) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_words_of_flags(command):
    """Every word that a flag takes, which a shell offers, is documented with the commands; variants have a page."""
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    context = SimpleNamespace(info_name=command, params={}, args=[])
    found = typer.main.get_command(app).get_command(None, command)
    words = [word.value for each in found.params if each.name in WORDS for word in WORDS[each.name](context)]
    variants = {name for each in all_variants() for name in (each.name, *each.aliases)}
    elsewhere = {*yaml_reading.bundled(), *variants}
    assert missing({re.sub(":.*", ":VARIANT", word) for word in words} - elsewhere, text) == []


def test_formats():
    """Every format is documented with the suffix that chooses it."""
    text = section("cli.md", "Formats")
    assert missing([word for name, each in FORMATS.items() for word in (name, each.suffix)], text) == []


def test_suffixes():
    """Every suffix that chooses how a chart, a report or a sweep is written is documented."""
    charts = (ROOT / "docs" / "charts.md").read_text("utf-8")
    assert missing(chart.SUFFIXES, charts) == []
    assert missing(cli_report.outputs(), section("cli.md", "sepcalc report")) == []


def test_columns_of_a_layer():
    """Every column of a layer's table is documented."""
    columns = layer_table(compare(ConvSpec.of(64, 128, k=3))).columns
    assert missing([column.key for column in columns], section("cli.md", "Columns of a layer")) == []


def test_columns_of_a_network():
    """Every table of a network is documented, with every column."""
    network = load("mobilenet_v1")
    tables = network_table(network), totals_table(network, [network.what_if(each) for each in choose()])
    text = section("cli.md", "Tables of a network")
    for table in (*tables, published_table(network)):
        assert missing([table.name, *(column.key for column in table.columns)], text) == []


def test_columns_of_a_comparison_and_of_a_verification():
    """Every column of the tables with one of them is documented with its command."""
    network = load("mobilenet_v1")
    for command, table in (("compare", comparison_table([network])), ("verify", verification_table(network, []))):
        assert missing([column.key for column in table.columns], section("cli.md", f"sepcalc {command}")) == []


def measured():
    """Sessions of every shape, by a clock of their own: a layer with its roofline, a grid, a network, layers alone."""
    comparison = compare(ConvSpec.of(64, 128, k=3, size=8))
    setting = MeasurementSetup(bench=fake_bench(), plan=Plan(rounds=3, time_s=0.0))
    grid = (Conditions(), Conditions(dtype="float16", batch=8, channels_last=True))
    network = load("mobilenet_v1")
    yield measure_layer(comparison, replace(setting, roofline=True))
    yield measure_layer(comparison, replace(setting, conditions=grid))
    yield measure_network(network, setting)
    yield measure_network(replace(network, wiring=None), setting)


def test_columns_of_a_measurement(monkeypatch, tmp_path):
    """Every table of a measurement is documented, with every column, and so is every verdict."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sessions = list(measured())
    text = section("cli.md", "Tables of a measurement")
    tables = [*(table for session in sessions for table in session.tables), runs_table({"a": sessions[0]})]
    for table in tables:
        keys = [key for column in table.columns for key in (column.key, *interval_keys(column))]
        assert missing([table.name, *keys], text) == []
    verdicts = (*get_args(VerdictWord), "reference", "failed", "does not apply")
    assert [each for each in verdicts if f"`{each}`" not in text] == []


def test_verdicts():
    """What a verdict depends on is documented as it is, and so is every verdict."""
    text = " ".join((ROOT / "docs" / "measuring.md").read_text("utf-8").split())
    limits = (f"over {100 * UNSTEADY:.0f} %", f"within {100 * NOISE:.0f} % of 1", f"fewer than {FEWEST_ROUNDS} rounds")
    assert [limit for limit in limits if limit not in text] == []
    assert [each for each in get_args(VerdictWord) if f"`{each}`" not in text] == []


def interval_keys(column):
    """The keys of the ends of the intervals that a column has."""
    return (f"{column.key}_low", f"{column.key}_high") if column.interval else ()


def test_columns_of_a_sweep():
    """Every column of a sweep is documented, and every quantity that can be one."""
    table = sweep_table(sweep_layer({"c_in": 64, "c_out": [32, 64], "k": 3}))
    quantities = [key for key, _ in SWEPT.values()]
    assert missing([*(column.key for column in table.columns), *quantities], section("cli.md", "sepcalc sweep")) == []


def test_columns_of_counters_and_of_published_figures():
    """Every counter is documented, and every column of the tables about other conventions."""
    network = load("mobilenet_v1")
    found = reconcile_all(network, None, COUNTERS)
    text = section("cli.md", "Other counters and published figures")
    assert missing([each.counter.name for each in found], text) == []
    for table in (reconcile_table(network, found, as_modules=True), published_conventions_table(network)):
        assert missing([column.key for column in table.columns], text) == []


def keys(answer: object) -> set[str]:
    """Every key of a JSON value."""
    if isinstance(answer, dict):
        return set(answer).union(*map(keys, answer.values()))
    return set().union(*map(keys, answer)) if isinstance(answer, list) else set()


def test_json(monkeypatch, tmp_path):
    """Every key of the JSON answers is documented."""
    network = load("mobilenet_v1")
    layer = layer_answer(compare(ConvSpec.of(64, 128, k=3)), element_bytes=4)
    whole = network_answer(network, [network.what_if(each) for each in choose(["standard", "depthwise"])])
    several = comparison_answer([network], element_bytes=4)
    counted = reconcile_answer(network, reconcile_all(network, None, choose_counters(["thop"])), as_modules=True)
    figures = published_conventions_answer(network)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sessions = {"a": next(measured())}
    times = {**answers(sessions), **answer(sessions["a"]), "environment": {}}
    text = section("cli.md", "JSON")
    found = keys([layer, whole, several, counted, figures, times])
    assert [key for key in found if f'"{key}"' not in text and key not in ("depthwise", *ENVIRONMENT)] == []


def test_exit_codes():
    """Every exit code is documented."""
    codes = {each.exit_code for each in vars(errors).values() if hasattr(each, "exit_code")}
    text = section("cli.md", "Exit codes")
    assert codes == {1, 2}
    assert missing(map(str, {0, 130} | codes), text) == []


def test_bundled_networks():
    """Every bundled network is in the list that the documentation shows."""
    (listed,) = [block for block in CONSOLES if block.lines[0] == "$ sepcalc network --list"]
    first = {line.split(" ")[0] for line in listed.lines}
    assert [name for name in yaml_reading.bundled() if name not in first] == []


def test_library():
    """Every name of the package is documented, and every name that is documented is there."""
    text = section("library.md", "What there is")
    assert missing(set(sepcalc.__all__) - {"__version__"}, text) == []
    for line in re.findall(r"^\| (`sepcalc\..*?) \|", text, re.MULTILINE):
        for part in line.split("; "):
            modules, names = part.split(": ")
            known = {name for module in re.findall(r"`(.*?)`", modules) for name in dir(import_module(module))}
            assert set(re.findall(r"`(.*?)`", names)) <= known, part


@pytest.mark.parametrize("variant", all_variants(), ids=lambda variant: variant.name)
def test_variants(variant):
    """Each variant has a section with its names, its options, what it gives up and what the program derives for it."""
    text = section("variants.md", variant.name)
    assert missing([*variant.aliases, *variant.accepts], text) == []
    prose = " ".join(text.split())
    assert variant.summary.rstrip(".").split(" (")[0] in prose
    assert variant.gives_up in prose
    chosen = choose([variant.name], {"groups": 4})
    found = explain_layer(compare(ConvSpec.of(64, 128, k=3, size=56), chosen)).sections[-1]
    stages = (f"{line.label} → {write(to, UNICODE)}" for line, to in stages_of(found))
    assert " → ".join((write(found.channels[0], UNICODE), *stages)) in prose
    assert f"`{write(found.derivations[0].formula, UNICODE)}`" in prose
    assert not found.ratios or f"`{write(found.ratios[0].closed, UNICODE)}`" in prose


def stages_of(found):
    """The stages of a derivation, each with the channels that it writes."""
    return zip(found.derivations[0].stages, found.channels[1:], strict=True)


def test_limits():
    """The limits that stand beside their reasons are those of the program; the language's page has its own table."""
    text = (ROOT / "docs" / "decisions.md").read_text("utf-8")
    limits = (
        f"{yaml_reading.MOST_SHOWN} faults",
        f"{protobuf.LARGEST_GRAPH // 2**20} MiB of what is not weights",
        f"{protobuf.MOST_NODES:,} nodes",
        f"{protobuf.MOST_FIELDS:,} fields",
        f"{protobuf.LARGEST_LISTS // 2**20} MiB of lists",
        f"{protobuf.DEEPEST} messages",
        f"{protobuf.LARGEST_VALUES // 2**10} KiB",
        f"{onnx_graph.MOST_AXES} axes",
        f"up to {spec.LARGEST:,}",
        f"{onnx_shapes.MOST_NUMBERS:,} numbers",
        f"{onnx_shapes.MOST_COMPUTED:,} nodes",
    )
    assert [limit for limit in limits if limit not in " ".join(text.split())] == []


def test_set_up():
    """The two commands that set everything up stand in the README, each a block of its own."""
    shells = ["\n".join(block.lines) for block in BLOCKS if block.page.name == "README.md" and block.language == "sh"]
    assert [command for command in SET_UP if command not in shells] == []


def test_every_picture_is_shown():
    """Every picture that is kept stands on a page, or has a link to it."""
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert [each.name for each in (ROOT / "docs" / "images").iterdir() if f"images/{each.name})" not in text] == []


def test_picture():
    """The picture of a typeset table holds its source, which is the block above it in the README."""
    (source,) = ["\n".join(block.lines[1:]) for block in CONSOLES if "--format latex" in block.lines[0]]
    picture = (ROOT / "docs" / "table.png").read_bytes()
    assert source.encode() in picture, "typeset the block again, with its LaTeX as a text chunk of the PNG"
    assert len(picture) < 50_000


def test_changelog():
    """The version has a heading in the changelog."""
    assert f"\n## [{sepcalc.__version__}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def anchors(page: Path) -> set[str]:
    """What links to a heading of ``page`` may name, as GitHub makes it."""
    heads = re.findall(r"^#+ (.*)$", unfenced(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    """Links to other pages, and to headings in them, lead somewhere."""
    text = re.sub(r"`[^`\n]*`", "", unfenced(page.read_text("utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        file, _, heading = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), target
        assert not heading or heading in anchors(there), target


def update(pages: Iterable[Path]) -> None:
    """Rewrite every console block of ``pages`` in place."""
    for page in pages:
        lines = page.read_text("utf-8").splitlines()
        for block in reversed([each for each in CONSOLES if each.page == page]):
            with TemporaryDirectory() as folder:
                lines[block.start - 1 : block.start - 1 + len(block.lines)] = played(block, Path(folder))
        page.write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] != ["--update"]:
        sys.exit("usage: python tests/test_docs.py --update [PAGE...]")
    update([Path(name).resolve() for name in sys.argv[2:]] or PAGES)
