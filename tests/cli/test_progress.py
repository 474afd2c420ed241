"""The line that shows how far a measurement or a sweep is."""

import sys
from io import StringIO

import pytest
from commands import Screen

from sepcalc.cli import progress as module
from sepcalc.cli.progress import measure_progress, sweep_progress
from sepcalc.measure.loop import State

GONE = "\x1b[2K"
"""How a terminal is told to take a line away."""


@pytest.fixture
def terminal(monkeypatch):
    """Puts a terminal of some width, and some time between two drawings, in the place of standard error."""

    def put(width, every_s=0.0):
        monkeypatch.setattr("sys.stderr", Screen())
        monkeypatch.setattr(module, "EVERY_S", every_s)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))
        return sys.stderr

    return put


def rounds(done, planned, *names):
    """A measurement after some of its rounds; each candidate after the first is three times as fast."""
    samples = {name: [0.1 if place else 0.3] for place, name in enumerate(names)}
    return State(phase="rounds", done=done, planned=planned, samples=samples)


def test_a_measurement(terminal):
    """The line has what is timed and the ratios so far, and is gone at the end."""
    screen = terminal(120)
    with measure_progress() as progress:
        assert "preparing" in screen.getvalue()
        progress("conv1", 1, 2, rounds(15, 30, "standard", "depthwise"))
    drawn = screen.getvalue()
    assert "conv1" in drawn
    assert "depthwise 3.00×" in drawn
    assert drawn.endswith(GONE)


def test_a_sweep(terminal):
    """The line has the points that are done, and is gone at the end."""
    screen = terminal(120)
    with sweep_progress(1000, wanted=True) as watch:
        watch(300)
    drawn = screen.getvalue()
    assert "300 of 1,000 points" in drawn
    assert drawn.endswith(GONE)


def test_an_interrupted_line_goes_too(terminal):
    """What is printed after a line that did not come to its end has the terminal for itself."""
    screen = terminal(120)

    def interrupted():
        with sweep_progress(10, wanted=True) as watch:
            watch(5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "5 of 10 points" in screen.getvalue()
    assert screen.getvalue().endswith(GONE)


def test_a_narrow_terminal(terminal):
    """What there is no room for is cut, in one line that still has the bar and the time that remains."""
    screen = terminal(60)
    title = "3×3 convolution, 64 → 128 channels, 56×56"
    with measure_progress() as progress:
        progress(title, 0, 1, rounds(1, 30, "standard", "depthwise-separable", "spatial-separable"))
    drawn = screen.getvalue().split(GONE)[-2].splitlines()[0]
    assert drawn.split() == ["3×3", "convolution,", "64…", "━━", "-:--:--", "depthwise-separable…"]


def test_a_measurement_is_rarely_drawn(terminal):
    """However many rounds there are, little is drawn: drawing takes time from what is timed."""
    screen = terminal(120, every_s=3600.0)
    with measure_progress() as progress:
        begun = len(screen.getvalue())
        for done in range(1000):
            progress("conv1", 0, 1, rounds(done, 1000))
        assert len(screen.getvalue()) - begun < 500


def test_a_short_sweep_draws_nothing(terminal):
    """A sweep that is done before the first drawing is due leaves the terminal alone."""
    screen = terminal(120, every_s=3600.0)
    with sweep_progress(10, wanted=True) as watch:
        watch(10)
    assert screen.getvalue() == ""


def test_rows_of_a_sweep_are_not_drawn_over(terminal, monkeypatch):
    """What is written to standard output while the line is there goes to standard output."""
    screen, rows = terminal(120), StringIO()
    monkeypatch.setattr("sys.stdout", rows)
    with sweep_progress(10, wanted=True) as watch:
        watch(5)
        print("row")
    assert rows.getvalue() == "row\n"
    assert "row" not in screen.getvalue()


@pytest.mark.parametrize(("stream", "wanted"), [(StringIO, True), (Screen, False)])
def test_no_line(monkeypatch, stream, wanted):
    """There is no line in a log, nor between the rows on a terminal."""
    monkeypatch.setattr("sys.stderr", stream())
    monkeypatch.setattr(module, "EVERY_S", 0.0)
    with sweep_progress(10, wanted=wanted) as watch:
        watch(5)
    assert sys.stderr.getvalue() == ""


def test_no_line_of_a_measurement_in_a_log(monkeypatch):
    """Without a terminal on standard error a measurement draws nothing."""
    monkeypatch.setattr("sys.stderr", StringIO())
    with measure_progress() as progress:
        progress("a", 0, 1, State(phase="warm-up", done=0, planned=3))
    assert sys.stderr.getvalue() == ""
