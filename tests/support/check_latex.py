"""Compile what is printed as LaTeX, where there is a LaTeX: ``python tests/support/check_latex.py``.

This holds every derivation of the tests, and the tables of a layer and a network, against pdflatex: that they compile
with what they say they need, and fit the page. ``tests/report/test_latex.py`` does so with a few of them.
"""

import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from commands import sepcalc
from derivations import DOCUMENTS, fragment

TABLES = (
    "layer --cin 64 --cout 128 -k 3 --size 56 --stages --variant all --groups 4 --format latex",
    "network resnet50 --group --format latex",
    "network mobilenet_v1 --format latex",
    "network --list --format latex",
    "network resnet50 --columns name,params,macs,reduction --format latex",
)


def complaint(text: str, options: str = "", before: str = "Before.") -> str:
    """What pdflatex has against a fragment in an article with ``options``; nothing if it is well."""
    needed = re.findall(r"\\usepackage(?:\[[^]]*\])?\{[\w,]+\}", text.split("\n\n", maxsplit=1)[0])
    head = (f"\\documentclass[{options}]{{article}}", *needed)
    document = "\n".join((*head, "\\begin{document}", before, "", text, "", "After.", "\\end{document}", ""))
    with TemporaryDirectory() as folder:
        Path(folder, "it.tex").write_text(document, "utf-8")
        return compiled(Path(folder, "it.tex"))


def compiled(file: Path) -> str:
    """What pdflatex has against a document, run until its tables keep their widths; nothing if it is well."""
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", file.name]
    for _ in range(4):
        done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode or "Rerun" not in done.stdout:
            break
    signs = ("!", "Overfull", "LaTeX Warning")
    wrong = [line for line in done.stdout.splitlines() if line.startswith(signs) or "in alignment" in line]
    return "" if done.returncode == 0 and not wrong else "\n".join(wrong or [done.stdout])


def main() -> int:
    """Compile everything; the number of complaints."""
    texts = {name: fragment(spec) for name, spec in DOCUMENTS.items()} | {line: sepcalc(line).out for line in TABLES}
    found = [
        (name, options, complaint(text, options))
        for name, text in texts.items()
        for options in ("", "twocolumn")[: 1 + (name in TABLES)]
    ]
    for name, options, wrong in found:
        sys.stdout.write(f"{name}{f' ({options})' if options else ''}: {wrong or 'compiles'}\n")
    return sum(bool(wrong) for *_, wrong in found)


if __name__ == "__main__":
    sys.exit(main())
