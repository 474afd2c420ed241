"""Network files as :class:`~sepcalc.core.network.Network`.

:func:`load` takes the name of a bundled network or the path of a file. It reports all faults together, each with its
line and column.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from sepcalc.core.errors import SepcalcError, closest
from sepcalc.core.layers import FeatureMap
from sepcalc.core.network import Network, Published
from sepcalc.core.parsing import parse_factor
from sepcalc.core.runtime import paused
from sepcalc.core.spec import Axes, ConvSpec
from sepcalc.readers.yaml.arguments import DefaultArguments, FileArguments, InputArguments, PublishedArguments
from sepcalc.readers.yaml.blocks import read_blocks, run
from sepcalc.readers.yaml.decoding import MOST_FAULTS, decode, faults, shown
from sepcalc.readers.yaml.lengths import axes_of, lengths
from sepcalc.readers.yaml.limits import Expansion, bounded
from sepcalc.readers.yaml.positions import Map, Place, Seq, YamlError, parse, read_text
from sepcalc.readers.yaml.scope import Problem, Reading, Scope

MOST_SHOWN = 20
"""Faults in one message."""

LONGEST_LINE = 600
"""Characters of one fault."""


class FileError(SepcalcError):
    """All faults of a file, one line for each fault; ``problems`` holds them in the order of the file."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        # A fault inside a block is one fault, however often the block is used.
        unique = sorted({(problem.place, problem.message): problem for problem in reversed(problems)}.values())
        lines = [_line(file, problem) for problem in unique[:MOST_SHOWN]]
        if len(unique) > MOST_SHOWN:
            more = len(unique) - MOST_SHOWN
            lines.append(f"{file}: and {f'more than {more}' if len(problems) >= MOST_FAULTS else more} others")
        super().__init__("\n".join(lines))
        self.problems = unique


def _line(file: str, problem: Problem) -> str:
    where = f"{file}:{problem.place.line}:{problem.place.column}: "
    text = " ".join(f"{problem.layer + ': ' if problem.layer else ''}{problem.message}".split())
    return where + (text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 3]}...")


def load(source: str | Path, *, width: Fraction | float | str = 1, size: int | Axes | None = None) -> Network:
    """Read the network at the path ``source``, or the bundled one of that name.

    ``width`` multiplies the channels of every convolution; ``size`` replaces the size of the input.

    Raises :class:`SepcalcError` where there is no such network, and :class:`FileError` with every fault of the file.

    >>> load("mobilenet_v1").cost
    Cost(params=4231976, macs=568740352)
    """
    path = find(source)
    with paused():  # layers are made by the thousand, and none of them is garbage
        return read(read_text(path), file=str(source if path == Path(source) else path), width=width, size=size)


def find(source: str | Path) -> Path:
    """The file that ``source`` names: a path, or the name of a bundled network.

    Raises :class:`SepcalcError` with the closest bundled name.
    """
    path = Path(source)
    if path.suffix in (".yaml", ".yml") or len(path.parts) > 1 or _exists(path):
        return path
    if ":" in path.name or path.suffix == ".onnx":
        raise SepcalcError(f"{shown(str(source))} is no network in YAML; open_source opens ONNX files and PyTorch code")
    file = _folder() / f"{source}.yaml"
    if str(source) != path.name or not _exists(file):
        raise SepcalcError(f"no bundled network is called {shown(str(source))}{closest(str(source), bundled())}")
    return file


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no file can have this name
        return False


def bundled() -> dict[str, Path]:
    """The networks that come with the program: name and file, in alphabetical order."""
    return {path.stem: path for path in sorted(_folder().glob("*.yaml"))}


def _folder() -> Path:
    here = Path(__file__).parents[2]
    return here / "configs" if (here / "configs").is_dir() else here.parent / "configs"


def read(
    text: str, *, file: str = "<text>", width: Fraction | float | str = 1, size: int | Axes | None = None
) -> Network:
    """The network in YAML ``text``; ``file`` is its name in messages. Raises :class:`FileError` with all faults."""
    place = Place(line=1, column=1)
    try:
        root = parse(text)
        if root is None:
            raise YamlError("there is nothing in this file; begin it with layers:")
        if not isinstance(root, Map):
            raise YamlError(f"a network is a mapping with layers, not {shown(root)}; begin it with layers:")
    except YamlError as error:
        raise FileError(file, [Problem(place=error.place or place, layer="", message=str(error))]) from None
    try:
        multiplier = parse_factor(str(width))
    except SepcalcError as error:
        raise SepcalcError(f"width: {error}") from None
    reader = _Reader(root)
    network = reader.network(Path(file).stem, multiplier, size)
    if network is None or reader.problems:
        raise FileError(file, reader.problems)
    return network


class _Reader:
    """The parts of a file, each checked on its own so that one fault hides no other."""

    def __init__(self, root: Map) -> None:
        self.root = root
        self.problems: list[Problem] = []
        self.args = decode(root, FileArguments)
        for key, message in faults(root, FileArguments):
            self.problem(root, key, message)

    def problem(self, source: Any, key: Any, message: str, label: str = "") -> None:
        self.problems.append(Problem(place=source.place(key), layer=label, message=message))

    def part(self, key: str, record: type[Any]) -> Any:
        """The mapping at ``key`` as a record; None where it is missing or faulty."""
        value = self.root.get(key)
        if not isinstance(value, Map):
            return None
        for fault, message in faults(value, record):
            self.problem(value, fault, message, key)
        return decode(value, record)

    def network(self, stem: str, width: Fraction, size: int | Axes | None) -> Network | None:
        """The network that the file describes; None where its top level is faulty."""
        args, reads, blocks = self.args, self.input(self.part("input", InputArguments), size), self.root.get("blocks")
        reading = Reading(
            run=run,
            width=width,
            divisor=(args and args.divisor) or 1,
            inferred=reads is not None,
            problems=self.problems,
            blocks=read_blocks(blocks if isinstance(blocks, Map) else {}, self.problems),
            defaults=self.defaults(),
        )
        lost = reads is None and self.root.get("input") is not None
        if width != 1 and reads is None and not lost:
            self.problem(self.root, None, "width needs a network whose shapes are inferred; give the file an input")
        if self.expandable(reading):
            Scope(reading=reading, at=reads, lost=lost).run(self.root["layers"])
        published = tuple(self.published())
        if args is None:
            return None
        return Network(
            name=_text(args.name) or stem,
            source=_text(args.source),
            input=reads,
            layers=tuple(reading.layers),
            wiring=tuple(reading.wiring),
            outputs=self.outputs(args, reading),
            abridged=reading.abridged,
            published=published,
        )

    def outputs(self, args: FileArguments, reading: Reading) -> tuple[int, ...]:
        """The layers that the file lists as outputs, by index."""
        places = {layer.name: place for place, layer in enumerate(reading.layers)}
        for name in args.outputs:
            if str(name) not in places:
                self.problem(self.root, "outputs", f"no layer is called '{name}'{closest(str(name), places)}")
        return tuple(places[str(name)] for name in args.outputs if str(name) in places)

    def input(self, args: InputArguments | None, size: int | Axes | None) -> FeatureMap | None:
        if args is None:
            if size is not None and self.root.get("input") is None:
                self.problem(self.root, None, "size needs a network with an input; give the file an input")
            return None
        given = args.size if size is None else list(size) if isinstance(size, tuple) else size
        if given is None:
            self.problem(self.root, "input", "size is missing; give the input a size", "input")
            return None
        try:
            axes = axes_of(given if isinstance(given, list) else args.size, None, None)
            reads = FeatureMap(channels=args.channels, size=lengths("size", given, axes))
            # ConvSpec checks the size; one from the command line is in no file.
            ConvSpec(c_in=reads.channels, c_out=1, kernel=(1,) * len(reads.size), size=reads.size)
            return reads
        except SepcalcError as error:
            self.problem(self.root["input"], "size", str(error), "input")
            return None

    def defaults(self) -> dict[str, Any]:
        """The file's defaults without nulls."""
        if self.part("defaults", DefaultArguments) is None:
            return {}
        return {key: value for key, value in self.root["defaults"].items() if value is not None}

    def expandable(self, reading: Reading) -> bool:
        """Whether the file stands for a number of layers that can be built."""
        layers = self.root.get("layers")
        if not isinstance(layers, Seq):
            if "layers" in self.root:
                self.problem(self.root, "layers", f"layers: expected a list of layers, got {shown(layers)}")
            return False
        expansion, total = Expansion(blocks=reading.blocks), 0
        for index, item in enumerate(layers):
            try:
                total = bounded(total + expansion.layer(item, {})[0])
            except SepcalcError as error:
                self.problem(layers, index, str(error), "layers")
                return False
        return True

    def published(self) -> Iterator[Published]:
        entries = self.root.get("published")
        for index, entry in enumerate(entries if isinstance(entries, Seq) else ()):
            if len(self.problems) >= MOST_FAULTS:
                return
            if not isinstance(entry, Map):
                message = f"expected a mapping like {{source: a paper, macs: 569 M}}, got {shown(entry)}"
                self.problem(entries, index, message, "published")
                continue
            for key, fault in faults(entry, PublishedArguments):
                self.problem(entry, key, fault, "published")
            if decode(entry, PublishedArguments) is not None:
                texts = {key: _text(value) for key, value in entry.items()}
                yield Published(**texts)  # type: ignore[arg-type]  # the record has checked the keys


def _text(value: str | float | None) -> str | None:
    """A text of the file on one line."""
    return None if value is None else " ".join(str(value).split())
