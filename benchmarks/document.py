"""Run the benchmarks and put what they print into ``docs/benchmarks.md``.

python benchmarks/document.py                  # everything: half an hour, on a machine that does nothing else
python benchmarks/document.py startup growth
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"

SECTIONS = {
    "startup": ("startup.py",),
    "counting": ("analysis.py", "counting"),
    "processes": ("analysis.py", "processes"),
    "growth": ("analysis.py", "growth"),
    "importing": ("importing.py",),
    "sweep": ("sweep.py",),
    "report": ("report.py",),
    "stability": ("measure_stability.py",),
    "agreement": ("measure_agreement.py",),
}
"""The marked parts of the page, and the command for each."""


def measured(script: str, *arguments: str) -> str:
    """What a benchmark prints as Markdown."""
    command = [sys.executable, str(HERE / script), *arguments, "--markdown"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def replaced(page: str, section: str, text: str) -> str:
    """``page`` with ``text`` between the marks of ``section``.

    >>> replaced("a <!-- begin x -->old<!-- end x --> b", "x", "new").split()
    ['a', '<!--', 'begin', 'x', '-->', 'new', '<!--', 'end', 'x', '-->', 'b']
    """
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    marked = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    return marked.sub(lambda _: f"{begin}\n\n{text.strip()}\n\n{end}", page)


def main() -> None:
    """Measure the chosen sections and write each as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS])
    for section in parser.parse_args().sections or SECTIONS:
        text = measured(*SECTIONS[section])
        PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), section, text), encoding="utf-8")


if __name__ == "__main__":
    main()
