"""The flags for pictures: ``--plot`` and ``--bars``."""

import pytest
from commands import sepcalc
from fake_bench import fake_bench

from sepcalc import ConvSpec, choose, compare, load
from sepcalc.core.network_tables import network_table
from sepcalc.measure.layer import measure_layer
from sepcalc.measure.loop import Plan
from sepcalc.measure.record import save_measurement
from sepcalc.measure.run import MeasurementSetup

LAYER = "layer --cin 64 --cout 128 -k 3 --size 56"


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        LAYER,
        f"{LAYER} --format json",
        f"{LAYER} --explain",
        f"{LAYER} --code torch",
        "layer --cin 64 --cout 128 -k 3 --variant all",
        "network alexnet",
        "network alexnet --sort params --top 3",
        "compare alexnet vgg16",
        "sweep --cin 64 --cout 32:128:x2 -k 3",
        "sweep --cin 64 --cout 32:128:x2 -k 3 --format csv",
        "sweep alexnet --width 0.5,1",
    ],
)
def test_a_chart_beside_the_answer(folder, line):
    """A chart is drawn beside whatever is printed, which stays as it is."""
    assert sepcalc(f"{line} --plot chart.svg") == sepcalc(line)
    assert (folder / "chart.svg").read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize("table", ["layers", "totals"])
def test_a_chart_shows_what_was_asked(folder, table):
    """Variants, patterns and blocks of the command line are those of the chart, whichever table is printed."""
    line = f"network vgg16 --variant depthwise --keep 'conv1.*' --group --table {table} --plot chart.svg"
    assert sepcalc(line)[::2] == (0, "")
    drawn = (folder / "chart.svg").read_text("utf-8")
    network = load("vgg16")
    layers = network_table(
        network, [network.what_if(each, keep=["conv1.*"]) for each in choose(["depthwise"])], group=True
    )
    for row in (row for row in layers.to_dicts() if row["role"] == "body" and row["params"]):
        macs = row["macs"] if row["macs:depthwise"] is None else row["macs:depthwise"]
        assert f"<title>{row['name']}, depthwise: {macs:,} MACs</title>" in drawn
    assert "separable" not in drawn


@pytest.mark.parametrize(
    "line", [LAYER, "network alexnet", "compare alexnet", "sweep --cin 8 --cout 8,16 -k 3", f"measure {LAYER[6:]}"]
)
def test_a_file_that_is_no_picture(folder, line):
    """A suffix of no picture is refused before anything is printed."""
    ran = sepcalc(f"{line} --plot chart.gif")
    message = "--plot: unknown suffix '.gif' of 'chart.gif'; give one of .html, .svg, .png, .pdf\n"
    assert ran == (2, "", message)
    assert list(folder.iterdir()) == []


@pytest.mark.usefixtures("folder")
def test_a_folder_that_is_not_there():
    """A chart that cannot be written is an error after the answer."""
    ran = sepcalc(f"{LAYER} --plot none/chart.svg")
    assert ran.code == 2
    assert ran.err.startswith("cannot write 'none/chart.svg': there is no folder ")


def test_bars():
    """Bars stand beside the numbers of a layer and of a network."""
    layer, network = sepcalc(f"{LAYER} --bars").out.splitlines(), sepcalc("network alexnet --bars").out.splitlines()
    assert layer[3].split()[:4] == ["standard", "73,728", "████████████", "231,211,008"]
    assert layer[4].split()[:3] == ["depthwise-separable", "8,768", "█▍"]
    assert sum("█" in line for line in network) == 8


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"{LAYER} --format csv", "csv has no bars; choose another format, or --plot"),
        (f"{LAYER} --format markdown", "markdown has no bars; choose another format, or --plot"),
        (f"{LAYER} --format json", "json always holds every figure and stage; choose another format"),
        (f"{LAYER} --explain", "--explain prints a derivation"),
        (f"{LAYER} --code torch", "--code prints a program"),
        (
            "layer --cin 64 --cout 128 -k 3 --columns params",
            "no bars are shown; add params_bar or macs_per_position_bar to --columns",
        ),
        ("network alexnet --table totals", "the table 'layers' is not shown; add --table layers"),
        ("network alexnet --format json", "json always holds every layer and total; choose another format"),
    ],
)
def test_bars_that_would_not_be_seen(line, why):
    """Where there are no bars to be seen a note says so, and the rest is shown."""
    assert sepcalc(f"{line} --bars") == (0, sepcalc(line).out, f"ignored --bars: {why}\n")


def test_columns_of_bars():
    """A column of bars can be asked for by name."""
    out = sepcalc(f"{LAYER} --columns params,params_bar --bars").out.splitlines()
    assert out[3].split() == ["standard", "73,728", "████████████"]
    assert out[1].split() == ["Variant", "Params"]


def test_a_measurement_that_was_kept(folder):
    """What was measured before is drawn when it is shown again, one run at a time."""
    comparison = compare(ConvSpec.of(64, 128, k=3, size=56))
    session = measure_layer(comparison, MeasurementSetup(bench=fake_bench(), plan=Plan(rounds=12, time_s=0.0)))
    for name in ("one.json", "two.json"):
        save_measurement(session, folder / name)
    assert sepcalc("measure --load one.json --plot chart.svg") == sepcalc("measure --load one.json")
    assert "Speed-up against promise" in (folder / "chart.svg").read_text("utf-8")
    message = "--plot would change nothing: a chart is of one measurement, not of 2; name one file\n"
    assert sepcalc("measure --load one.json two.json --plot chart.svg") == (2, "", message)
