"""Draw the pictures of ``docs/charts.md`` anew, each with the command above it there.

python docs/chart_pictures.py
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

_PAGE = (ROOT / "docs" / "charts.md").read_text("utf-8")

PICTURES = {name: line for line, name in re.findall(r"^`sepcalc (.*) --plot (\S+)`$", _PAGE, re.MULTILINE)}
"""The files of ``docs/images`` that are charts, and the command line that draws each."""


def main() -> None:
    """Draw every picture."""
    for name, line in PICTURES.items():
        command = [sys.executable, "-m", "sepcalc", *shlex.split(line), "--plot", f"docs/images/{name}"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
