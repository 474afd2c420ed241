"""The pictures of the documentation are charts as they are drawn now, each below its command."""

import re
import sys
from functools import partial
from xml.etree import ElementTree

import pytest
from commands import ROOT, sepcalc

from sepcalc.render.charts.chart import CHARTS

sys.path.append(str(ROOT / "docs"))

from chart_pictures import PICTURES

SVG = "{http://www.w3.org/2000/svg}"


def words(path):
    """All that a drawing says: its texts, and what its marks stand for."""
    tree = ElementTree.parse(path)  # noqa: S314 (it was drawn here)
    return [each.text for name in ("text", "tspan", "title") for each in tree.iter(f"{SVG}{name}") if each.text]


@pytest.mark.slow
@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_of_today(name, tmp_path, monkeypatch):
    """A picture says what its command draws now; ``python docs/chart_pictures.py`` draws it anew."""
    monkeypatch.chdir(ROOT)
    assert sepcalc(f"{PICTURES[name]} --plot {tmp_path / name}").code == 0
    assert words(ROOT / "docs" / "images" / name) == words(tmp_path / name)


def test_every_chart_has_a_picture(monkeypatch):
    """The commands of the page draw every chart that there is, each above its picture."""
    drawn = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sepcalc.render.charts.chart.save_chart", lambda chart, path: None)
    for name, plot in list(CHARTS.items()):
        draw = partial(lambda name, *tables: drawn.append(name), name)
        monkeypatch.setitem(CHARTS, name, plot._replace(draw=draw))
    for name, line in PICTURES.items():
        assert sepcalc(f"{line} --plot {name}").code == 0
    assert set(drawn) == set(CHARTS)
    page = (ROOT / "docs" / "charts.md").read_text("utf-8")
    assert re.findall(r"--plot (\S+)`\n\n!\[.*\]\(images/(.*)\)", page) == [(name, name) for name in PICTURES]
