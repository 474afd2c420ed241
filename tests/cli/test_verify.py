"""``sepcalc verify`` on a user's own code."""

from commands import sepcalc

CODE = "from torch import nn\ndef net():\n    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1))\n"
RUN = "verify net.py:net --input 1x3x8x8 --format csv"


def test_a_model_in_code(tmp_path, monkeypatch):
    """A model in code is run as a whole too, and an equal count is a success."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(CODE)
    ran = sepcalc(RUN)
    assert (ran.code, ran.out.count("equal")) == (0, 2)
    assert "in a run of its own, 8,928 FLOPs in all." in sepcalc(RUN.replace("csv", "markdown")).out


def test_an_operator_that_the_import_missed(tmp_path, monkeypatch):
    """More FLOPs by torch's counter are a difference, with the module and the exit code of a gate; fewer are a note."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(CODE)
    counts = {"": 8928 + 2, "0": 7776 + 2, "1": 1152}
    monkeypatch.setattr("sepcalc.readers.pytorch.model.count_modules", lambda request: counts)
    ran = sepcalc(RUN)
    assert (ran.code, ran.err) == (1, "net: torch counts more FLOPs than the import in 0\n")
    counts |= {"": 8928 - 2, "0": 7776 - 2}
    assert sepcalc(RUN).code == 0
