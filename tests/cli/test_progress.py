"""The bar that shows how far a sweep is."""

from io import StringIO

import pytest
from commands import Screen

from sepcalc.cli import sweep_progress as module
from sepcalc.cli.sweep_progress import _bar, progress


def test_progress(monkeypatch):
    """On a terminal a bar shows how far a grid is, not at every block, and goes at the end."""
    screen, now = Screen(), iter(range(100))
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(module, "monotonic", lambda: next(now) / 20)
    with progress(1000, shown=True) as watch:
        for done in range(100, 1001, 100):
            watch(done)
    drawn = screen.getvalue().split("\r")
    assert drawn[1].split("·")[0] == "━" * 12
    assert drawn[1].endswith(" 300 of 1,000 points\x1b[K")
    assert drawn[-1] == "\x1b[K"
    assert 1 < len(drawn) < 8


def test_an_interrupted_bar_goes_too(monkeypatch):
    """What is printed after a bar that did not come to its end has the line for itself."""
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(module, "_PAUSE_S", -1)

    def interrupted():
        with progress(10, shown=True) as watch:
            watch(5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "5 of 10 points" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


@pytest.mark.parametrize("width", [10, 24, 40, 200])
def test_progress_fits_the_terminal(width):
    """The bar gives way where the terminal is narrow, and its line never folds."""
    line = _bar(500, 1000, width)
    bar = line.partition(" ")[0]
    assert len(line) < width
    assert line.removeprefix(bar) == " 500 of 1,000 points"[: width - 1]
    assert bar.count("━") == len(bar) // 2 == max(min(40, width - 21), 0) // 2


@pytest.mark.parametrize(("stream", "shown"), [(StringIO, True), (Screen, False)])
def test_no_progress(monkeypatch, stream, shown):
    """There is no bar in a log, nor between the rows on a terminal."""
    error = stream()
    monkeypatch.setattr("sys.stderr", error)
    with progress(10, shown=shown) as watch:
        watch(5)
        watch(10)
    assert error.getvalue() == ""
