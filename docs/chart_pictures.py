"""Draw the pictures of ``docs/charts.md`` anew, each with the command that stands above it there.

python docs/chart_pictures.py
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

PICTURES = {
    "layer.svg": "layer --cin 64 --cout 128 -k 3 --size 56",
    "network.svg": "network mobilenet_v1",
    "network-deep.svg": "network resnet50",
    "compare.svg": "compare resnet18 resnet50 resnext50_32x4d vgg16 googlenet densenet121 xception mobilenet_v1"
    " mobilenet_v2 efficientnet_b0",
    "sweep.svg": "sweep --cin 64 --cout 32:1024:x2 -k 3,5 --size 56",
    "measure.svg": "measure --load docs/measured/layer.json",
}
"""The files of ``docs/images`` that are charts, and what each shows."""


def main() -> None:
    """Draw every picture."""
    for name, line in PICTURES.items():
        command = [sys.executable, "-m", "sepcalc", *shlex.split(line), "--plot", f"docs/images/{name}"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
