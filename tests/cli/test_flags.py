"""Flags as records: what a command that takes records shows of them, and what it is handed; what values they refuse."""

from inspect import signature
from typing import Annotated, NamedTuple

import pytest
import typer
from commands import sepcalc
from typer.testing import CliRunner

from sepcalc.cli.convolution import ConvolutionFlags
from sepcalc.cli.flags import flag_name, flags_of, flat, refuse
from sepcalc.cli.main import COMMANDS, app
from sepcalc.cli.measure_flags import parse_seconds
from sepcalc.cli.network import CountFlags
from sepcalc.cli.options import ShowFlags, command_app
from sepcalc.cli.sources import ScaleFlags, SourceFlags
from sepcalc.core.errors import SepcalcError
from sepcalc.core.parsing import parse_factor
from sepcalc.core.variants import MID


class Size(NamedTuple):
    """A record."""

    width: Annotated[str, typer.Option("--width", help="How wide.")] = "1"
    height: Annotated[str | None, typer.Option("--height", help="How high.")] = None


class Box(NamedTuple):
    """A record with a record in it."""

    size: Size = Size()
    deep: Annotated[bool, typer.Option("--deep", help="As deep as high.")] = False


def program(annotation, seen):
    """A program with a record between two flags of its own, which keeps what it is handed in ``seen``."""
    app = command_app()

    @app.command()
    @flat
    def box(
        *,
        name: Annotated[str, typer.Argument()],
        box: annotation,
        times: Annotated[int, typer.Option("--times")] = 1,
    ) -> None:
        """Make a box."""
        seen.append((name, box, times))

    return app


@pytest.mark.parametrize(
    ("line", "box"),
    [
        ("crate", Box()),
        ("crate --deep --height 2", Box(size=Size(height="2"), deep=True)),
        ("--width 3 crate", Box(size=Size(width="3"))),
    ],
)
def test_a_record_of_records(line, box):
    """A command is handed its records, filled from flat flags, however deep they lie."""
    seen = []
    assert CliRunner().invoke(program(Box, seen), line.split()).exit_code == 0
    assert seen == [("crate", box, 1)]


def test_help():
    """The help shows the fields of records as flags, in the order of the signature, and the command's docstring."""
    shown = CliRunner().invoke(program(Box, []), ["--help"]).output
    words = ["Make a box.", "--width", "How wide.", "[default: 1]", "--height", "--deep", "--times"]
    places = [shown.index(word) for word in words]
    assert places == sorted(places)


def test_one_name_twice():
    """Two records with a flag of the same name are refused where the command is built."""

    @flat
    def both(convolution: ConvolutionFlags, scale: ScaleFlags) -> None:
        pass

    with pytest.raises(ValueError, match="duplicate parameter name: 'size'"):
        signature(both)


def test_flags_of():
    """Flags by name tell apart what is given from what has its default, so that they can be refused."""
    assert flags_of(Box(size=Size(height="2"))) == {"--width": None, "--height": "2", "--deep": None}
    with pytest.raises(SepcalcError) as error:
        refuse(flags_of(Box(size=Size(width="2"), deep=True)), "boxes are flat; leave them out")
    assert str(error.value) == "--width and --deep would change nothing: boxes are flat; leave them out"


@pytest.mark.parametrize("command", COMMANDS)
def test_names_of_flags(command):
    """The name that a message gives a field is the first of the flag that sets it."""
    options = [each for each in program_of(command).params if each.param_type_name == "option" and each.name != "help"]
    assert [flag_name(each.name) for each in options] == [each.opts[0] for each in options]


def program_of(command):
    """A command as Typer knows it."""
    return typer.main.get_command(app).get_command(None, command)


@pytest.mark.parametrize(
    ("command", "records"),
    [
        ("layer", [ConvolutionFlags, ShowFlags]),
        ("network", [ScaleFlags, SourceFlags, CountFlags, ShowFlags]),
        ("compare", [SourceFlags, ShowFlags]),
        ("verify", [SourceFlags]),
        ("import", [SourceFlags]),
    ],
)
def test_commands_share_records(command, records):
    """Every flag of the records is one of the commands that take them."""
    flags = {each.opts[0] for each in program_of(command).params}
    assert [name for record in records for name in flags_of(record()) if name not in flags] == []


def test_a_convolution_that_is_not_there():
    """Where the flags of a convolution may be left out, asking for it names all that is missing."""
    with pytest.raises(SepcalcError) as error:
        ConvolutionFlags(cout="128").spec()
    assert str(error.value) == "missing --cin, -k; a convolution is described like --cin 64 --cout 128 -k 3"


def test_a_convolution_in_text():
    """Flags as text are a convolution, with the groups that they are given."""
    spec = ConvolutionFlags(cin="64", cout="128", k="3", axes="1", stride="2", size="56").spec(groups="4")
    assert (spec.kernel, spec.stride, spec.size, spec.groups) == ((3,), (2,), (56,), 4)


@pytest.mark.parametrize(
    ("flags", "changes"),
    [
        (ScaleFlags(), False),
        (ScaleFlags(width="1.0"), False),
        (ScaleFlags(width="0.5"), True),
        (ScaleFlags(size="224"), True),
    ],
)
def test_a_scaled_network(flags, changes):
    """A network is another one than that of its file where its width or size is set."""
    assert flags.changes() == changes


def test_list_alone():
    """What other tables would show is refused beside the list of the bundled networks."""
    why = "--list shows what is bundled; leave one or the other out"
    assert sepcalc("network --list --as thop") == (2, "", f"--as would change nothing: {why}\n")


LISTS = {
    "layer --channels 8 -k 3": ("--variant", "dws,sps"),
    "sweep --channels 8 -k 3": ("--variant", "dws, sps"),
    "network resnet18": ("--table", "layers,totals"),
    "network resnet18 --table totals": ("--only", "conv2*,conv3*"),
    "network resnet18 --table totals --only '*'": ("--keep", "conv2*,conv3*"),
    "network vgg16": ("--as", "thop,fvcore"),
}
"""A list for an option that can be repeated, by the command line that takes it."""


@pytest.mark.parametrize("line", LISTS)
def test_lists(line):
    """A list with commas is the option repeated."""
    name, values = LISTS[line]
    repeated = " ".join(f"{name} '{value.strip()}'" for value in values.split(","))
    assert sepcalc(f"{line} {name} '{values}'") == sepcalc(f"{line} {repeated}")


@pytest.mark.parametrize("command", COMMANDS)
def test_what_repeats_takes_a_list(command):
    """Every option that can be repeated refuses an empty value in a list, but for two whose values have commas."""
    repeated = [each for each in program_of(command).params if getattr(each, "multiple", False)]
    for each in repeated:
        if each.name not in ("arg", "measurements"):
            with pytest.raises(SepcalcError) as error:
                each.process_value(None, ["a", "b,,c"])
            assert str(error.value) == f"{each.opts[0]}: a value is empty in 'a,b,,c'; leave out the comma"


PARSERS = {
    MID.parse: ("in, out, min, max or a whole number from 1 to 1,000,000,000", ["", "0", "middle"]),
    parse_factor: ("a factor above 0 and up to 1,000 like 0.75", ["", "0", "-1", "half", "nan", "1/0", "1e9"]),
    parse_seconds: ("seconds from 0 to 86,400 like 0.5", ["", "-1", "nan", "long", "86401"]),
}
"""What values of flags are expected to be, and values that are refused."""


@pytest.mark.parametrize(
    ("parse", "expected", "text"),
    [(parse, expected, text) for parse, (expected, texts) in PARSERS.items() for text in texts],
)
def test_values_that_are_refused(parse, expected, text):
    """A value that cannot be read is shown beside what is expected."""
    with pytest.raises(SepcalcError) as error:
        parse(text)
    assert str(error.value) == f"expected {expected}, got '{text}'"


CONVOLUTION = "--cin 64 --cout 128 -k 3"
FLAGS = {
    f"layer {CONVOLUTION}": (
        "--cin --cout -k --size --stride --padding --dilation --groups --axes --mid --depth-multiplier --reduction "
        "--expansion"
    ),
    f"layer {CONVOLUTION} --transposed": "--output-padding",
    "network mobilenet_v1": "--width --size --top --max-macs --max-params",
    f"measure {CONVOLUTION} --size 56": "--batch --threads --rounds --time --seed",
    f"sweep {CONVOLUTION}": "--cin --cout -k --size --stride --groups --mid --depth-multiplier --reduction --expansion",
    "sweep vgg16": "--width --size",
}
"""Flags whose values are parsed, by the command line that takes them."""


@pytest.mark.parametrize(("line", "name"), [(line, name) for line, names in FLAGS.items() for name in names.split()])
def test_refused_values_name_their_flag(line, name):
    """The message about a value begins with the flag that it was given to."""
    ran = sepcalc(f"{line} {name} -x")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"{name}: expected ")
    assert "got '-x'" in ran.err


FAULTS = {
    "--format xml": "--format: unknown format 'xml'; known: ",
    "-o a.doc": "--output: unknown suffix '.doc' of 'a.doc'; give one of .txt, ",
    "-o nowhere/a.md": "cannot write 'nowhere/a.md': there is no folder ",
    "--columns foo": "--columns: unknown column 'foo'; known: ",
    "--variant foo": "--variant: unknown variant 'foo'; known: ",
    "--variant dw --mid 8": "--mid would change nothing: spatial-separable is not compared; add ",
}
"""What every command that shows variants says of the flags that they share."""


SHARING = [*(line for line in FLAGS if line != "sweep vgg16"), "sweep vgg16 --size 64,128"]
ASKED = [(line, flags) for line in SHARING for flags in FAULTS]
ASKED += [("compare vgg16", flags) for flags in FAULTS if "--variant" not in flags]


@pytest.mark.parametrize(("line", "flags"), ASKED)
def test_commands_refuse_alike(folder, monkeypatch, line, flags):
    """Commands refuse the flags that they share in the same words, and nothing is measured or written before."""
    monkeypatch.setattr("sepcalc.measure.run.measure", None)
    ran = sepcalc(f"{line} {flags}")
    assert (ran.code, ran.out, ran.err.startswith(FAULTS[flags])) == (2, "", True)
    assert list(folder.iterdir()) == []
