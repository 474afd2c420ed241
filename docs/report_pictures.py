"""Make the pictures of a report in ``docs/images``: light, dark and on a phone.

python docs/report_pictures.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent / "tests" / "support"))

DESK = {"width": 1280, "height": 1000}
PHONE = {"width": 360, "height": 740, "device_scale_factor": 2, "is_mobile": True}

SORT = """() => {
  const list = document.querySelector("#layers select");
  list.selectedIndex = 1;
  list.dispatchEvent(new Event("change"));
  document.querySelector("#layers thead th:nth-child(8) button").click();
}"""
"""Choose the first variant, and sort by what it saves."""


class Shot(NamedTuple):
    """A picture: its screen, what stands at its top, and what is done before."""

    screen: dict[str, Any]
    top: str = "body"
    does: str = "() => {}"


SHOTS = {
    "light": Shot(DESK),
    "dark": Shot({**DESK, "color_scheme": "dark"}, "#layers"),
    "table": Shot(DESK, "#layers .tools", SORT),
    "layer": Shot(DESK, "#layer h3"),
    "phone": Shot(PHONE),
    "phone-table": Shot(PHONE, "#layers .tools", SORT),
}


def main() -> None:
    """Write a report, and look at it."""
    from browser import Visit, browser

    with TemporaryDirectory() as folder, browser() as chromium:
        file = Path(folder, "report.html")
        subprocess.run([sys.executable, "-m", "sepcalc", "report", "resnet50", "-o", str(file)], check=True)
        for name, shot in SHOTS.items():
            with Visit(chromium, file, **shot.screen) as visit:
                visit.page.evaluate(shot.does)
                visit.page.eval_on_selector(shot.top, "top => top.scrollIntoView({behavior: 'instant'})")
                visit.page.screenshot(path=HERE / "images" / f"report-{name}.png")


if __name__ == "__main__":
    main()
