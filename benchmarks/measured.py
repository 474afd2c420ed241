"""Measure what ``docs/measured.md`` shows: eight layers and three networks, their samples kept in ``docs/measured``.

python benchmarks/measured.py                  # everything: a quarter of an hour, on a machine that does nothing else
python benchmarks/measured.py layers vgg16

The page shows the files as ``sepcalc measure --load`` prints them, and is written anew with the last of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

RUNS = {
    "layer": ("--cin", "64", "--cout", "128", "-k", "3", "--size", "56", "--roofline"),
    "layers": ("benchmarks/eight_layers.yaml", "--roofline"),
    "mobilenet_v1": ("mobilenet_v1",),
    "resnet50": ("resnet50",),
    "vgg16": ("vgg16",),
}
"""The files of ``docs/measured``, and what is measured for each."""


def command(name: str) -> list[str]:
    """The command that writes one of the files, from the folder of the project.

    >>> command("vgg16")[1:]
    ['-m', 'sepcalc', 'measure', 'vgg16', '--save', 'docs/measured/vgg16.json']
    """
    return [sys.executable, "-m", "sepcalc", "measure", *RUNS[name], "--save", f"docs/measured/{name}.json"]


def main() -> None:
    """Measure the chosen runs, each into its file as soon as it is there; then draw and write what shows them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", choices=[[], *RUNS])
    for name in parser.parse_args().runs or RUNS:
        subprocess.run(command(name), cwd=ROOT, check=True)
    subprocess.run([sys.executable, "docs/chart_pictures.py"], cwd=ROOT, check=True)
    pages = ("README.md", "docs/measured.md", "docs/measuring.md")
    subprocess.run([sys.executable, "tests/test_docs.py", "--update", *pages], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
