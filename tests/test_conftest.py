"""The rules of the test suite itself."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copy

import pytest

SKIPPED = "import pytest\n\n\n@pytest.mark.skip(reason='nothing to see')\ndef test_it():\n    pass\n"
PASSED = "def test_it():\n    pass\n"


@pytest.mark.slow
@pytest.mark.parametrize(("ci", "text", "code"), [("true", SKIPPED, 1), ("true", PASSED, 0), ("", SKIPPED, 0)])
def test_a_skipped_test_fails_on_a_build_server(tmp_path, ci, text, code):
    """Where CI is set a skipped test ends the run with 1, and elsewhere it does not."""
    copy(Path(__file__).parent / "conftest.py", tmp_path)
    (tmp_path / "test_it.py").write_text(text)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    environment = os.environ | {"CI": ci, "PYTEST_ADDOPTS": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
