"""``sepcalc sweep`` as a user types it."""

import csv
import json
from io import StringIO

import pytest
from commands import Screen, sepcalc

LAYER = "sweep --cin 64 --cout 32:128:x2 -k 3,5"


def rows(line):
    """The records that a command line writes as CSV."""
    ran = sepcalc(f"{line} --format csv")
    assert (ran.code, ran.err) == (0, "")
    return [*csv.DictReader(StringIO(ran.out))]


def test_a_grid():
    """Every point is a row for each variant, the reference first and the last quantity fastest."""
    found = rows(f"{LAYER} --size 56")
    assert [(each["c_out"], each["k"]) for each in found[::3]] == [(c, k) for c in ("32", "64", "128") for k in "35"]
    assert [each["variant"] for each in found[:3]] == ["standard", "depthwise-separable", "spatial-separable"]
    assert (found[-5]["params"], found[-5]["macs"]) == ("8768", "27496448")


@pytest.mark.parametrize(
    ("flags", "key", "values"),
    [
        ("--cin 32,64", "c_in", ["32", "64"]),
        ("--size 7:28:x2", "size", ["7", "14", "28"]),
        ("--size 7,7x9", "size", ["7x7", "7x9"]),
        ("--stride 1,2 --size 8", "stride", ["1", "2"]),
        ("--groups 1:4", "groups", ["1", "2", "3", "4"]),
        ("--mid min,8:16:8", "mid", ["min", "8", "16"]),
        ("--depth-multiplier 1:3", "depth_multiplier", ["1", "2", "3"]),
        ("--reduction 2,4 --variant bottleneck", "reduction", ["2", "4"]),
        ("--expansion 1,6 --variant inverted-bottleneck", "expansion", ["1", "6"]),
    ],
)
def test_every_quantity(flags, key, values):
    """Whatever has a number can have a list or a range of them."""
    given = f"sweep {'' if key == 'c_in' else '--cin 64'} --cout 64 -k 3 {flags}"
    assert [*dict.fromkeys(each[key] for each in rows(given))] == values


def test_a_network():
    """A network is swept over its width and its size, and starts as it is written."""
    found = rows("sweep mobilenet_v1 --width 0.75,1 --size 160:224:64")
    assert [(each["width"], each["size"]) for each in found[::4]] == [
        ("0.75", "160"), ("0.75", "224"), ("1.0", "160"), ("1.0", "224"),
    ]  # fmt: skip
    assert [each["variant"] for each in found[:2]] == ["as-written", "standard"]
    assert (found[4]["params"], found[4]["macs"]) == ("2585560", "325400448")


def test_settings():
    """What is not swept is as in ``layer``."""
    line = "--cin 4 --cout 8 -k 4 --size 14 --stride 2 --padding 1 --transposed --bias last"
    alone = json.loads(sepcalc(f"layer {line} --format json").out)["variants"]
    swept = rows(f"sweep {line}")
    assert [(each["params"], each["macs"]) for each in swept] == [
        (str(each["params"]), str(each["macs"])) for each in alone
    ]


def test_axes():
    """``--axes`` is for kernels of one number; a kernel of another number of axes is refused."""
    assert {each["k"] for each in rows("sweep --cin 8 --cout 8 -k 3,5 --axes 1")} == {"3", "5"}
    assert rows("sweep --cin 8 --cout 8 -k 3,5 --axes 3")[0]["params"] == str(27 * 64)


def test_columns():
    """Columns that say which row is which are always there, and others as they are asked for."""
    assert [*rows(f"{LAYER} --columns macs_reduction")[0]] == ["c_out", "k", "variant", "macs_reduction"]
    assert "Limit, c_out grows" in sepcalc(f"{LAYER} --columns limit:c_out").out.splitlines()[1]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "md", "tex", "html", "txt"])
def test_files(suffix, tmp_path):
    """A file holds every row, and what is printed into a pipe in that format."""
    path = tmp_path / f"grid.{suffix}"
    form = {"md": "markdown", "tex": "latex", "txt": "terminal"}.get(suffix, suffix)
    line = "sweep --cin 1:50 --cout 4,8 -k 3"
    assert sepcalc(f"{line} -o {path}") == (0, "", "")
    assert path.read_text("utf-8") == sepcalc(f"{line} --format {form}").out
    assert path.read_text("utf-8").count("depthwise-separable") >= 100


def test_parquet(tmp_path):
    """The suffix of Parquet is enough."""
    polars = pytest.importorskip("polars")
    path = tmp_path / "grid.parquet"
    assert sepcalc(f"{LAYER} -o {path} --columns params") == (0, "", "")
    assert polars.read_parquet(path).rows()[:2] == [(32, 3, "standard", 18432), (32, 3, "depthwise-separable", 2624)]


def test_a_failure_leaves_no_file(tmp_path):
    """Where a file cannot be written in full, there is none, and the old one stays."""
    pytest.importorskip("polars")
    path = tmp_path / "grid.parquet"
    path.write_text("old")
    ran = sepcalc(f"sweep --cin 1000000000 --cout 1000000000 -k 1000 -o {path}")
    assert (ran.code, [*tmp_path.iterdir()], path.read_text()) == (2, [path], "old")


def test_a_terminal_shows_both_ends(monkeypatch):
    """On a terminal a long table is cut in its middle, and says so; in a pipe it is whole."""
    monkeypatch.setenv("COLUMNS", "100")
    line = "sweep --cin 1:100 --cout 8 -k 3"
    screen, pipe = sepcalc(line, out=Screen).out, sepcalc(line).out
    assert screen.count("depthwise-separable ") == 66
    assert "100 of 300 rows are not shown; -o with the name of a file writes them all." in screen
    assert pipe.count("depthwise-separable ") == 100


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("sweep --cin 64", "missing --cout, -k; a convolution is described like --cin 64 --cout 128 -k 3"),
        (
            "sweep --cin 64 --cout 32-64 -k 3",
            (
                "--cout: expected a whole number from 1 to 1,000,000,000, got '32-64'; "
                "a list is like 3,5,7 and a range like 32:1024:x2"
            ),
        ),
        ("sweep --cin 64 --cout 64:32 -k 3", "--cout: the range '64:32' is empty; give the smaller end first"),
        (
            "sweep --cin 64 --cout 64 -k 3 --stride 2,3 --format csv",
            "multiply-adds at stride 2×2 depend on the feature size; give a size",
        ),
        (
            "sweep --cin 64 --cout 64 -k 3,5 --size 1,2 --padding valid",
            "kernel 3×3 leaves nothing of size 1×1 with padding 0×0; give a larger size or more padding",
        ),
        (
            "sweep --cin 64 --cout 64,128 -k 3 --columns macs",
            "--columns: macs cannot be known without a size; give --size, or choose macs_per_position",
        ),
        (
            "sweep --cin 64 --cout 64 -k 3 --width 0.5",
            "--width would change nothing: a convolution has no width; name a network",
        ),
        (
            "sweep vgg16 --size 64,128 -k 3",
            "-k would change nothing: vgg16 has its own layers; leave it out or the network",
        ),
        ("sweep vgg16", "nothing of vgg16 is swept; give --width or --size"),
        (
            "sweep torchvision.models:vgg16 --size 64,128",
            (
                "a sweep is of a network in YAML, and 'torchvision.models:vgg16' is none; "
                "name a bundled one or a .yaml file"
            ),
        ),
        (
            "sweep --cin 64 --cout 64 -k 3,3x3 --axes 1",
            "--axes: -k 3x3 has 2 axes, not 1; leave --axes out",
        ),
        (
            "sweep --cin 64 --cout 1:9 -k 3 --columns nothing --format csv",
            (
                "--columns: unknown column 'nothing'; known: c_out, variant, params, macs_per_position, "
                "params_reduction, macs_reduction, why_not"
            ),
        ),
        (
            "sweep --cin 1:1000 --cout 1:1000 -k 1:1000",
            (
                "the grid has 1,000,000,000 points (1,000 of c_in × 1,000 of c_out × 1,000 of k), "
                "more than 100,000,000; give fewer values"
            ),
        ),
        (
            "sweep --cin 1:1000 --cout 1:10 -k 3",
            (
                "a table of 30,000 rows is too long to be read, the longest has 20,000; "
                "give fewer values, or -o with a .csv, .tsv, .json or .parquet file"
            ),
        ),
    ],
)
def test_messages(line, message):
    """Each wrong input is one sentence with the value and the cure, and exit 2."""
    assert sepcalc(line) == (2, "", f"{message}\n")


def test_a_chart_that_cannot_be_drawn(tmp_path):
    """Where there is no line to draw that is said before anything is written."""
    pytest.importorskip("altair")
    ran = sepcalc(f"sweep --cin 64 --cout 64 -k 3 -o {tmp_path / 'grid.csv'} --plot {tmp_path / 'grid.svg'}")
    assert (ran.code, ran.out, [*tmp_path.iterdir()]) == (2, "", [])
    assert "nothing is swept" in ran.err
