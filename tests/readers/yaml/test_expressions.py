"""Arithmetic of a network file: the same results as Python's own, and nothing but whole numbers."""

import operator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import randomly

from sepcalc.core.errors import SpecError
from sepcalc.readers.yaml.expressions import LARGEST, Channels, evaluate

NAMES = {"width": 64, "stride": 2, "in": 3, "c_in": Channels(24), "größe": 5, "zero": 0}
OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


def complaint(text: str, names: dict = NAMES) -> str:
    """Why ``text`` has no value."""
    with pytest.raises(SpecError) as caught:
        evaluate(text, names)
    return str(caught.value)


@st.composite
def trees(draw: st.DrawFn, depth: int = 3) -> SimpleNamespace:
    """An expression: its text, the value that Python's operators give, and whether channels went into it."""
    if not depth or draw(st.booleans()):
        name = draw(st.sampled_from([*NAMES, None]))
        if name is None:
            number = draw(st.integers(0, 99))
            return SimpleNamespace(text=str(number), value=number, channels=False)
        return SimpleNamespace(text=f"${name}", value=int(NAMES[name]), channels=name == "c_in")
    left, right = draw(trees(depth - 1)), draw(trees(depth - 1))
    sign = draw(st.sampled_from([sign for sign in OPERATORS if sign not in "//%" or right.value]))
    space = draw(st.sampled_from(["", " "]))
    return SimpleNamespace(
        text=f"({left.text}{space}{sign}{space}{right.text})",
        value=OPERATORS[sign](left.value, right.value),
        channels=left.channels or right.channels,
    )


@randomly(300)
@given(trees())
def test_arithmetic_is_that_of_python(tree):
    """Any tree of + - * // % over names and numbers has the value that Python's operators give it."""
    text = tree.text if "$" in tree.text else f"{tree.text}+0*$width"
    found = evaluate(text, NAMES)
    assert found == tree.value
    assert isinstance(found, Channels) == tree.channels


@randomly(100)
@given(st.integers(-1000, 1000), st.integers(-50, 50).filter(bool))
def test_division_comes_out_even(a, b):
    """``/`` is exact division where it comes out even, and an error otherwise."""
    names = {"a": a, "b": b}
    if a % b:
        assert complaint("$a/$b", names) == f"{a}/{b} does not come out even; use // to round down"
    else:
        assert evaluate("$a/$b", names) == a // b


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4*$width", 256),
        ("$width - 2 * $stride", 60),
        ("-$stride", -2),
        ("($width + 2) // 3 % 5", 2),
        (" $width ", 64),
        ("4*$in", 12),
        ("$größe", 5),
        ("$größe+1", 6),
        ("$width*0x10", 1024),
        ("$width*1_000", 64_000),
    ],
)
def test_values(text, value):
    """Precedence, brackets and signs are Python's; a name may be one of Python's words."""
    assert evaluate(text, NAMES) == value


@pytest.mark.parametrize("value", [None, 3, "same", "3x1", [3, 1], True, 0.5])
def test_a_lone_name_is_what_it_stands_for(value):
    """``$name`` alone hands on any value, and an error where there is none."""
    if value is None:
        assert complaint("$a", {"a": value}) == "$a has no value; give a"
    else:
        assert evaluate("$a", {"a": value}) is value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$widht", "$widht is not known here; did you mean 'width'?"),
        ("2*$zzz", "$zzz is not known here; known: width, stride, in, c_in, größe, zero"),
        ("$width/7", "64/7 does not come out even; use // to round down"),
        ("$width//$zero", "64 is divided by 0; divide by something else"),
        ("$width%$zero", "64 is divided by 0; divide by something else"),
        ("$width/$zero", "64 is divided by 0; divide by something else"),
        ("$", "'$' is no arithmetic; write it like 4*$width"),
        ("$3", "'$3' is no arithmetic; write it like 4*$width"),
        ("$width +", "'$width +' is no arithmetic; write it like 4*$width"),
        ("$width $stride", "'$width $stride' is no arithmetic; write it like 4*$width"),
        ("4*width+$in", "'4*width+$in' has width in it, which is no number; write $width"),
        ("$width**2", "'$width**2' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("$width<<2", "'$width<<2' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("+$width", "'+$width' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("$width*0.5", "'$width*0.5' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("$width*True", "'$width*True' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("$width.real", "'$width.real' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("[$width]", "'[$width]' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("$width if 1 else 2", "'$width if 1 else 2' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("(lambda: $width)()", "'(lambda: $width)()' is no arithmetic on whole numbers; use + - * / // % and brackets"),
        ("$width+1" * 30, "$width+1$width+1$width+1$width... is longer than 200 characters; split it"),
    ],
)
def test_complaints(text, problem):
    """What is no arithmetic on known whole numbers is refused with the reason and a cure."""
    assert complaint(text) == problem


@pytest.mark.parametrize(
    ("value", "found"), [("same", "'same'"), (True, "true"), (0.5, "0.5"), ([3, 1], "[3, 1]"), ({"a": 1}, "{a: 1}")]
)
def test_arithmetic_needs_whole_numbers(value, found):
    """Arithmetic on anything but whole numbers is refused with the value."""
    assert complaint("2*$a", {"a": value}) == f"$a is {found}, not a whole number"


def test_names_outside_a_block():
    """Where nothing has a value, the message says where something would have."""
    assert complaint("2*$width", {}) == "$width is not known here; write a number, or make it an argument of a block"


def test_numbers_stay_small():
    """No step of a computation goes beyond what a network can have, so that no text can keep a machine busy."""
    names = {"a": LARGEST, "b": 10**4000}
    assert evaluate("$a-1+1", names) == LARGEST
    beyond = f"make a number above {LARGEST:,}; nothing in a network is as large"
    assert complaint("$a+1", names) == f"{LARGEST} and 1 {beyond}"
    assert complaint("$a*$a-$a*$a", names) == f"{LARGEST} and {LARGEST} {beyond}"
    assert complaint("-$a-1", names) == f"{-LARGEST} and 1 {beyond}"
    assert complaint("$b//$b", names) == f"$b is a number above {LARGEST:,}; nothing in a network is as large"


@pytest.mark.parametrize(
    ("text", "value"), [("-" * 198 + "$a", 1), ("+".join(["$a"] * 66), 66), ("(" * 90 + "$a" + ")" * 90, 1)]
)
def test_deep_expressions(text, value):
    """As many signs, terms and brackets as fit into an expression have a value."""
    assert evaluate(text, {"a": 1}) == value


@pytest.mark.parametrize("text", ['$__import__("os")', "$a.__class__", "exec('$a')", "$a(1)", "f(*$a)", "f($a, 1)"])
def test_nothing_is_executed(text):
    """Calls and attributes are no arithmetic, whatever they name."""
    assert "arithmetic" in complaint(text, {"a": print, "f": print}) or "is not known here" in complaint(text, {"a": 1})


def test_functions():
    """A function is looked up by its name with brackets, and its argument is arithmetic."""
    names = {"half()": lambda number: Channels(number // 2), "a": 10}
    assert evaluate("half($a+2)*3", names) == 18
    assert isinstance(evaluate("half($a)", names), Channels)
    assert complaint("hlf($a)", names) == "hlf() is not known here; did you mean 'half()'?"
    assert complaint("half($b)", names) == "$b is not known here; known: a"
