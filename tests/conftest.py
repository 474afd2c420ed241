"""What all tests share: fixtures, the flag that writes golden files anew, and no skipped test on a build server."""

import os
from pathlib import Path

import pytest
from hypothesis import settings


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-golden``."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew from what is printed now")


def pytest_configure(config: pytest.Config) -> None:
    """A run without the slow tests tries a fifth of the random examples."""
    settings.register_profile("quick", max_examples=20)
    if config.option.markexpr == "not slow":
        settings.load_profile("quick")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On a build server, where CI is set, a skipped test is a failure: there is nothing there that may be missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("a test is skipped, which is a failure where CI is set", red=True)
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the program keeps what it measures for later runs; there is none yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sepcalc"
