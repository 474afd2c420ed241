"""``sepcalc layer``: every message on its full text, and what flags do together."""

import json

import pytest
from commands import Screen, sepcalc

from sepcalc import ConvSpec, compare
from sepcalc.core.layer_tables import layer_table
from sepcalc.core.variants import all_variants

LAYER = "layer --cin 64 --cout 128 -k 3"
VARIANTS = ", ".join(word for each in all_variants() for word in (each.name, *each.aliases))
COLUMNS = ", ".join(column.key for column in layer_table(compare(ConvSpec.of(64, 128, k=3, size=8))).columns)
MISSING = "a convolution is described like --cin 64 --cout 128 -k 3"

MESSAGES = {
    # What must be there.
    "layer": f"missing --cin, --cout, -k; {MISSING}",
    "layer --cout 128 -k 3": f"missing --cin; {MISSING}",
    "layer --cin 64 --cout 128": f"missing -k; {MISSING}",
    "layer --channels 64": f"missing -k; {MISSING}",
    "layer --channels 64 --cin 3 -k 3": (
        "--cin would change nothing: --channels sets both; leave one or the other out"
    ),
    "layer --channels 64,128 -k 3": ("--channels: expected a whole number from 1 to 1,000,000,000, got '64,128'"),
    f"{LAYER} -k": "option '-k' needs a value; see 'sepcalc layer --help'",
    f"{LAYER} --stages=yes": "option '--stages' takes no value; see 'sepcalc layer --help'",
    f"{LAYER} 56": "unexpected argument '56'; see 'sepcalc layer --help'",
    # Numbers of axes.
    f"{LAYER} --padding sam": "--padding: expected same, valid, or numbers like 1 or 1x0, got 'sam'",
    f"{LAYER} --axes 4": "--axes: expected 1, 2 or 3, got '4'",
    "layer --cin 64 --cout 128 -k 3x3 --axes 1": "--axes: -k 3x3 has 2 axes, not 1; leave --axes out",
    f"{LAYER} --axes 2 --size 8x8x8": "size 8×8×8 has 3 axes, kernel 3×3 has 2; give both as many",
    f"{LAYER} --size 8x8 --stride 1x1x1": "stride 1×1×1 has 3 axes, kernel 3×3 has 2; give both as many",
    f"{LAYER} --size 8x8 --padding 1x1x1": "padding 1×1×1 has 3 axes, kernel 3×3 has 2; give both as many",
    # Convolutions that there are not.
    f"{LAYER} --groups 3": "c_in 64 is not divisible by groups 3; nearest: 63, 66",
    "layer --cin 64 --cout 129 -k 3 --groups 4": "c_out 129 is not divisible by groups 4; nearest: 128, 132",
    f"{LAYER} --padding valid --size 2": (
        "kernel 3×3 leaves nothing of size 2×2 with padding 0×0; give a larger size or more padding"
    ),
    f"{LAYER} --stride 2 --explain": "--size: multiply-adds at stride 2×2 depend on the feature size; give a size",
    f"{LAYER} --padding valid": "--size: multiply-adds at padding 0×0 depend on the feature size; give a size",
    f"{LAYER} --transposed --output-padding 1": (
        "output_padding 1×1 cannot change the size that padding same fixes; give padding in numbers"
    ),
    f"{LAYER} --transposed --output-padding 1 --padding 1": (
        "output_padding 1 needs a transposed convolution with a larger stride or dilation"
    ),
    # Words.
    f"{LAYER} --variant dwss": "--variant: unknown variant 'dwss'; did you mean 'dws'?",
    f"{LAYER} --variant foo": f"--variant: unknown variant 'foo'; known: {VARIANTS}",
    f"{LAYER} --bias true": "--bias: unknown word 'true'; known: none, last, all",
    f"{LAYER} --bias al": "--bias: unknown word 'al'; did you mean 'all'?",
    f"{LAYER} --size 8 --dtype float": "--dtype: unknown word 'float'; did you mean 'float64'?",
    f"{LAYER} --size 8 --dtype f8": "--dtype: unknown word 'f8'; known: float64, float32, float16, bfloat16, int8",
    f"{LAYER} --code tensorflow": "--code: unknown word 'tensorflow'; known: torch, keras",
    f"{LAYER} --format jsno": "--format: unknown format 'jsno'; did you mean 'json'?",
    f"{LAYER} --format pdf": ("--format: unknown format 'pdf'; known: terminal, markdown, latex, csv, tsv, html, json"),
    f"{LAYER} --size 8 --columns param": "--columns: unknown column 'param'; did you mean 'params'?",
    f"{LAYER} --size 8 --columns foo": f"--columns: unknown column 'foo'; known: {COLUMNS}",
    f"{LAYER} --size 8 --columns ,": f"--columns: no column is named; give all, or some of {COLUMNS}",
    f"{LAYER} --columns params,macs": (
        "--columns: macs cannot be known without a size; give --size, or choose macs_per_position"
    ),
    f"{LAYER} --columns intensity": "--columns: intensity cannot be known without a size; give --size",
    f"{LAYER} --stage": "unknown option '--stage'; did you mean '--stages'?",
    f"{LAYER} --filters 3": "unknown option '--filters'; see 'sepcalc layer --help'",
    f"{LAYER} -z": "unknown option '-z'; see 'sepcalc layer --help'",
    # Files.
    f"{LAYER} -o table.xlsx": (
        "--output: unknown suffix '.xlsx' of 'table.xlsx'; "
        "give one of .txt, .md, .tex, .csv, .tsv, .html, .json, or choose a format"
    ),
    f"{LAYER} -o table": (
        "--output: no suffix in 'table'; give one of .txt, .md, .tex, .csv, .tsv, .html, .json, or choose a format"
    ),
    f"{LAYER} -o nowhere/table.md": (
        "cannot write 'nowhere/table.md': there is no folder '{folder}/nowhere'; create it first"
    ),
    f"{LAYER} -o . --format csv": "cannot write '.': it is a folder; give the name of a file",
    # Flags that would change nothing.
    f"{LAYER} --output-padding 1": (
        "--output-padding would change nothing: only transposed convolutions have it; add --transposed"
    ),
    f"{LAYER} --reduction 2": "--reduction would change nothing: bottleneck is not compared; add --variant bottleneck",
    f"{LAYER} --expansion 2": (
        "--expansion would change nothing: inverted-bottleneck is not compared; add --variant inverted-bottleneck"
    ),
    f"{LAYER} --variant sps --depth-multiplier 2": (
        "--depth-multiplier would change nothing: depthwise-separable is not compared; "
        "add --variant depthwise-separable"
    ),
    f"{LAYER} --variant dws --mid 8": (
        "--mid would change nothing: spatial-separable is not compared; add --variant spatial-separable"
    ),
    f"{LAYER} --explain --format csv": "--explain is prose: choose terminal, markdown or latex, not csv",
    f"{LAYER} --explain -o a.html": "--explain is prose: choose terminal, markdown or latex, not html",
    f"{LAYER} --code torch --explain": (
        "--explain would change nothing: --code prints a program; leave one or the other out"
    ),
    f"{LAYER} --code keras --format json": (
        "--format would change nothing: --code prints a program; leave one or the other out"
    ),
}
"""Every command line that is refused, and the whole of what is said about it."""


@pytest.mark.parametrize("line", MESSAGES)
def test_messages(folder, line):
    """What is wrong ends the program with 2, one sentence on standard error, nothing on standard output and no file."""
    assert sepcalc(line) == (2, "", MESSAGES[line].replace("{folder}", str(folder)) + "\n")
    assert list(folder.iterdir()) == []


EVERYTHING = "json always holds every figure and stage; choose another format"
NOTES = {
    (LAYER, "--dtype int8"): "--dtype: traffic depends on the feature size; give --size",
    (f"{LAYER} --size 8 --columns params", "--dtype int8"): (
        "--dtype: no traffic is shown; add traffic_bytes or intensity to --columns"
    ),
    (f"{LAYER} --size 8 --explain", "--dtype int8 --columns params --stages --si"): (
        "--dtype and --columns and --stages and --si: --explain prints a derivation"
    ),
    (f"{LAYER} --code torch", "--stages"): "--stages: --code prints a program",
    (f"{LAYER} --format json", "--columns params --stages --bars"): f"--stages and --bars and --columns: {EVERYTHING}",
    (f"{LAYER} --format csv", "--si"): "--si: csv holds exact numbers; choose another format",
}
"""Flags that shape what a command line does not show, and the whole of the note about them."""


@pytest.mark.parametrize(("line", "flags"), NOTES)
def test_notes(line, flags):
    """A flag that shapes what is not shown gets a note on standard error, and the answer is the one without it."""
    assert sepcalc(f"{line} {flags}") == (0, sepcalc(line).out, f"ignored {NOTES[line, flags]}\n")


def variants(line: str) -> dict[str, dict]:
    """The variants of a comparison by name, as JSON has them."""
    return {each["variant"]: each for each in json.loads(sepcalc(f"{line} --format json").out)["variants"]}


def test_the_first_command():
    """64 → 128, 3×3: 73,728 parameters, 8,768 (8.41×) and 36,864 (2.00×, mid 64)."""
    shown = sepcalc(LAYER).out
    rows = [line.split() for line in shown.splitlines() if "×" in line]
    assert ["standard", "73,728", "73,728·D_F²", "1.00×", "1.00×"] in rows
    assert ["depthwise-separable", "8,768", "8,768·D_F²", "8.41×", "8.41×"] in rows
    assert ["spatial-separable", "36,864", "36,864·D_F²", "2.00×", "2.00×"] in rows
    assert "spatial-separable: mid 64; saves while mid < 128." in shown
    assert "1 MAC = 2 FLOPs" in " ".join(shown.split())


def test_a_lecture_s_layer():
    """3 → 256, 5×5 on 12×12 without padding: 1,228,800 and 53,952 multiply-adds (Wang)."""
    found = variants("layer --cin 3 --cout 256 -k 5 --size 12 --padding valid")
    assert (found["standard"]["macs"], found["depthwise-separable"]["macs"]) == (1_228_800, 53_952)


def test_every_flag_reaches_the_convolution():
    """Each flag of the convolution arrives in the answer under its own word."""
    line = (
        "layer --cin 24 --cout 48 -k 3x5 --size 20x30 --stride 2x1 --padding 1x2 --dilation 1x2 --groups 4 "
        "--bias last --transposed --output-padding 1x0 --format json"
    )
    assert json.loads(sepcalc(line).out)["spec"] == {
        "c_in": 24, "c_out": 48, "kernel": [3, 5], "size": [20, 30], "stride": [2, 1], "padding": [1, 2],
        "dilation": [1, 2], "groups": 4, "bias": "last", "transposed": True, "output_padding": [1, 0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("--in-channels 64 --out-channels 64 --kernel-size 3", "--cin 64 --cout 64 -k 3"),
        ("--channels 64 --kernel 3", "--cin 64 --cout 64 -k 3"),
    ],
)
@pytest.mark.parametrize("command", ["layer", "sweep"])
def test_words_of_other_tools(command, words, same):
    """The words of PyTorch and Keras describe the same convolution, and one number can be both channels."""
    assert sepcalc(f"{command} {words}") == sepcalc(f"{command} {same}")


@pytest.mark.parametrize(
    ("flags", "variant", "params"),
    [
        ("--depth-multiplier 2", "depthwise-separable", 2 * 64 * 9 + 128 * 128),
        ("--mid 16", "spatial-separable", 3 * 64 * 16 + 3 * 16 * 128),
        ("--mid out", "spatial-separable", 3 * 64 * 128 + 3 * 128 * 128),
        ("--groups 8", "grouped", 73_728 // 8),
        ("--groups 1 --variant grouped", "grouped", 73_728),
        ("--reduction 2 --variant bottleneck", "bottleneck", 64 * 64 + 9 * 64 * 64 + 64 * 128),
        ("--expansion 1 --variant all", "inverted-bottleneck", 9 * 64 + 64 * 128),
    ],
)
def test_every_option_reaches_its_variant(flags, variant, params):
    """Each option changes the variant that it belongs to."""
    assert variants(f"{LAYER} {flags}")[variant]["params"] == params


@pytest.mark.parametrize(("flags", "kernel"), [("", [3, 3]), *((f"--axes {n}", [3] * n) for n in (1, 2, 3))])
def test_axes(flags, kernel):
    """One number stands for two axes, or for as many as --axes says."""
    assert json.loads(sepcalc(f"{LAYER} {flags} --format json").out)["spec"]["kernel"] == kernel


def test_bytes_of_an_element():
    """A smaller type moves fewer bytes."""
    single, half = (variants(f"{LAYER} --size 56 {flags}") for flags in ("", "--dtype float16"))
    assert single["standard"]["traffic_bytes"] == 2 * half["standard"]["traffic_bytes"] == 2_703_360


@pytest.mark.parametrize(("suffix", "begins"), [("md", "**3×3"), ("csv", "variant,"), ("json", "{"), ("tex", "%")])
def test_output(folder, suffix, begins):
    """-o writes the file whole, in the format of its suffix, as it would be printed, and prints nothing."""
    assert sepcalc(f"{LAYER} -o layer.{suffix}") == (0, "", "")
    form = {"md": "markdown", "tex": "latex"}.get(suffix, suffix)
    written = (folder / f"layer.{suffix}").read_text("utf-8")
    assert written == sepcalc(f"{LAYER} --format {form}").out
    assert written.startswith(begins)
    assert [path.name for path in folder.iterdir()] == [f"layer.{suffix}"]


def test_a_named_format_is_stronger_than_a_suffix(folder):
    """--format decides where the suffix says something else."""
    assert sepcalc(f"{LAYER} --format csv -o layer.txt").code == 0
    assert (folder / "layer.txt").read_text("utf-8").startswith("variant,")


@pytest.mark.parametrize("flags", ["--explain", "--code torch"])
def test_prose_and_programs_go_to_files(folder, flags):
    """Derivations and programs are written to files as they are printed."""
    assert sepcalc(f"{LAYER} {flags} -o out.txt") == (0, "", "")
    assert (folder / "out.txt").read_text("utf-8") == sepcalc(f"{LAYER} {flags}").out


def test_columns_are_those_asked_for(monkeypatch):
    """--columns chooses and orders the columns, and no narrow terminal takes one of them away."""
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    line = f"{LAYER} --size 56 --columns traffic_bytes,macs,activations,params_ratio"
    assert sepcalc(f"{line} --format csv").out.splitlines()[0] == "variant,traffic_bytes,macs,activations,params_ratio"
    shown = sepcalc(line, out=Screen).out
    assert all(number in shown for number in ("2,703,360 B", "231,211,008", "401,408", "11.9 %"))
