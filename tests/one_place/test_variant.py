"""A variant with an option is one decorated function: everything else that knows variants finds both by itself."""

import json
import re
import shlex

import pytest
import typer
from commands import sepcalc

from sepcalc.cli.completion import complete
from sepcalc.cli.main import app
from sepcalc.core import variants
from sepcalc.core.spec import ConvSpec
from sepcalc.core.variants import MID, REDUCTION, Option, Stages, all_options, pointwise

LAYER = "--cin 8 --cout 16 -k 3 --size 10"
NETWORK = "input: {channels: 3, size: 16}\nlayers:\n  - {name: wide, c_out: 8, k: 3, variant: detour, stops: 5}\n"


@pytest.fixture(autouse=True)
def detour(monkeypatch):
    """A variant that goes through so many channels as its option says, in this test alone."""
    monkeypatch.setattr(variants, "_REGISTRY", dict(variants._REGISTRY))
    stops = Option(
        "stops",
        help="channels on the way",
        key_help="channels on the way of a detour",
        words=("few", "many"),
        symbol="S",
        meaning="channels on the way (stops)",
        title="Stops",
    )

    @variants.variant("detour", "dt", gives_up="It cannot arrive early.", options=(stops,))
    def detour(spec: ConvSpec, *, stops: int | str = "few") -> Stages:
        """Go through other channels on the way."""
        between = {"few": 2, "many": 64}.get(stops, stops)
        first = pointwise(spec, spec.c_in, between, spec.size)
        return first, ConvSpec(c_in=between, c_out=spec.c_out, kernel=spec.kernel, size=spec.size, bias=spec.bias)


def ran(line):
    """What a command line prints; it succeeds."""
    done = sepcalc(line)
    assert (done.code, done.err) == (0, ""), line
    return done.out


def records(line):
    """The records of a table in JSON or CSV, those of the variant alone."""
    header, *lines = ran(line).splitlines()
    rows = [dict(zip(header.split(","), row.split(","), strict=True)) for row in lines]
    return [row for row in rows if row.get("variant", "detour") == "detour"]


@pytest.mark.parametrize("command", ["layer", "network", "sweep", "measure", "report"])
def test_help(command):
    """The help of every command with variants has the flag, its words and its default."""
    shown = " ".join(ran(f"{command} --help").split())
    assert "--stops N" in shown
    assert "detour: channels on the way, few (the default), many or a number." in shown


def test_flag():
    """The flag sets the option, a word or a number, and is refused where its variant is not compared."""
    for text, between in (("many", 64), ("3", 3)):
        (row,) = records(f"layer {LAYER} --variant detour --stops {text} --format csv")
        assert int(row["params"]) == 8 * between + 9 * between * 16
    assert sepcalc(f"layer {LAYER} --stops 3") == (
        2, "", "--stops would change nothing: detour is not compared; add --variant detour\n",
    )  # fmt: skip
    assert sepcalc(f"layer {LAYER} --variant dt --stops some").err == (
        "--stops: expected few, many or a whole number from 1 to 1,000,000,000, got 'some'\n"
    )


def test_all():
    """``--variant all`` compares it with the others."""
    assert records(f"layer {LAYER} --variant all --format csv")


def test_sweep():
    """The option is an axis of a sweep, with a title."""
    rows = records(f"sweep {LAYER} --variant detour --stops 2:4,many --format csv")
    assert [row["stops"] for row in rows] == ["2", "3", "4", "many"]
    assert [int(row["params"]) for row in rows] == [(8 + 9 * 16) * between for between in (2, 3, 4, 64)]
    assert "Stops" in ran(f"sweep {LAYER} --variant detour --stops 2,3")


def test_explanation():
    """A derivation calls the option by its symbol and says what that means."""
    text = ran(f"layer {LAYER} --variant detour --stops 3 --explain")
    assert re.search(r"S +(= 3)? +channels on the way \(stops\)", text)
    assert "pointwise 1×1 takes S/(D_K²·N)" in text


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_code(framework):
    """The variant is printed as a module, or as a function that makes one."""
    assert re.search(
        r"(class|def) detour\(", ran(f"layer {LAYER} --variant detour --stops 3 --code {framework}"), re.IGNORECASE
    )


def test_network_file(folder):
    """A network file names the variant and its option, which is checked and counted."""
    (folder / "net.yaml").write_text(NETWORK)
    assert int(records("network net.yaml --table layers --format csv")[0]["params"]) == 3 * 5 + 9 * 5 * 8
    for right, wrong, fault in (
        ("stops: 5", "stops: some", "stops: expected few, many or a whole number, got 'some'"),
        ("detour", "dws", "stops means nothing for depthwise-separable; remove it"),
    ):
        (folder / "net.yaml").write_text(NETWORK.replace(right, wrong))
        assert fault in sepcalc("network net.yaml").err


def test_schema():
    """The JSON Schema knows both names of the variant, and the option with its words and its meaning."""
    properties = json.loads(ran("schema"))["$defs"]["ConvArguments"]["properties"]
    assert {"detour", "dt"} <= set(_enums(properties["variant"]))
    assert properties["stops"]["description"] == "channels on the way of a detour"
    assert {"few", "many"} <= set(_enums(properties["stops"]))


def _enums(value):
    """Every word of an enumeration anywhere in a part of a schema."""
    if isinstance(value, dict):
        return [*value.get("enum", ()), *(word for part in value.values() for word in _enums(part))]
    return [word for part in value for word in _enums(part)] if isinstance(value, list) else []


def test_completion():
    """A shell is offered the variant, and the words of its option."""
    command = complete(typer.main.get_command(app).get_command(None, "layer"))
    offered = {each.name: each for each in command.params}
    context = command.make_context("layer", shlex.split(LAYER))
    assert [word.value for word in offered["stops"].shell_complete(context, "f")] == ["few"]
    assert "detour" in [word.value for word in offered["variant"].shell_complete(context, "de")]


def test_report(folder):
    """A report compares a network with the variant, under the value of its option."""
    (folder / "net.yaml").write_text(NETWORK.replace(", variant: detour, stops: 5", ""))
    ran("report net.yaml --variant detour --stops 3 -o report.md")
    text = (folder / "report.md").read_text("utf-8")
    assert "detour" in text
    assert f"{3 * 3 + 9 * 3 * 8:,}" in text
    assert "channels on the way (stops)" in text


def test_names_that_are_taken():
    """An option is a parameter with a default, and its name means one thing."""
    with pytest.raises(ValueError, match=r"^variant 'x' has no keyword 'mid' with a default$"):
        variants.variant("x", gives_up="", options=(MID,))(lambda spec: (spec,))
    other = REDUCTION._replace(help="another thing")
    with pytest.raises(ValueError, match=r"^option name 'reduction' is taken$"):
        variants.variant("x", gives_up="", options=(other,))(lambda spec, *, reduction=1: (spec,))
    assert [option.name for option in all_options()][-2:] == ["expansion", "stops"]
