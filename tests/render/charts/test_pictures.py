"""The pictures of the documentation are charts as they are drawn now, each below its command."""

import sys
from xml.etree import ElementTree

import pytest
from commands import ROOT, sepcalc

sys.path.append(str(ROOT / "docs"))

from chart_pictures import PICTURES

SVG = "{http://www.w3.org/2000/svg}"


def words(path):
    """All that a drawing says: its texts, and what its marks stand for."""
    tree = ElementTree.parse(path)  # noqa: S314 (it was drawn here)
    return [each.text for name in ("text", "tspan", "title") for each in tree.iter(f"{SVG}{name}") if each.text]


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_of_today(name, tmp_path, monkeypatch):
    """A picture says what its command draws now; ``python docs/chart_pictures.py`` draws it anew."""
    monkeypatch.chdir(ROOT)
    assert sepcalc(f"{PICTURES[name]} --plot {tmp_path / name}").code == 0
    assert words(ROOT / "docs" / "images" / name) == words(tmp_path / name)


@pytest.mark.parametrize("name", PICTURES)
def test_commands_stand_above_pictures(name):
    """The page has each picture below the command that draws it."""
    page = (ROOT / "docs" / "charts.md").read_text("utf-8")
    command, _, rest = page.partition(f"`sepcalc {PICTURES[name]} --plot {name}`\n")
    assert rest, command
    assert f"](images/{name})" in rest.split("\n`sepcalc ")[0]
