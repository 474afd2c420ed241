"""Compile what is printed as LaTeX, where there is a LaTeX: ``python tests/check_latex.py``.

The test suite needs no LaTeX and checks the form alone. This holds every derivation of its tests, and the tables
of a layer and a network, against pdflatex: that they compile with what they say they need, and fit the page.
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from commands import sepcalc
from test_explain import DOCUMENTS, fragment

TABLES = (
    "layer --cin 64 --cout 128 -k 3 --size 56 --stages --variant all --groups 4 --format latex",
    "network resnet50 --group --format latex",
    "network mobilenet_v1 --format latex",
    "network --list --format latex",
)


def complaint(text: str) -> str:
    """What pdflatex has against a fragment in an article; nothing if it is well."""
    needed = re.findall(r"\\usepackage(?:\[[^]]*\])?\{[\w,]+\}", text.split("\n\n", maxsplit=1)[0])
    document = "\n".join(("\\documentclass{article}", *needed, "\\begin{document}", text, "\\end{document}", ""))
    with TemporaryDirectory() as folder:
        Path(folder, "it.tex").write_text(document, "utf-8")
        command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "it.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    wrong = [line for line in done.stdout.splitlines() if line.startswith(("!", "Overfull")) or "in alignment" in line]
    return "" if done.returncode == 0 and not wrong else "\n".join(wrong or [done.stdout])


def main() -> int:
    """Compile everything; the number of complaints."""
    texts = {name: fragment(spec) for name, spec in DOCUMENTS.items()} | {line: sepcalc(line).out for line in TABLES}
    found = {name: wrong for name, text in texts.items() if (wrong := complaint(text))}
    for name in texts:
        sys.stdout.write(f"{name}: {found.get(name, 'compiles')}\n")
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
