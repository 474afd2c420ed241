"""Writing results to files."""

import errno
import os
import stat
from pathlib import Path

import pytest

from sepcalc.core.errors import SepcalcError
from sepcalc.render.files import by_suffix, check_place, format_for, write


@pytest.fixture
def umask():
    """A known umask for the test."""
    before = os.umask(0o027)
    yield
    os.umask(before)


def refusal(path, text="x"):
    """The message with which a write is refused."""
    with pytest.raises(SepcalcError) as error:
        write(path, text)
    assert error.value.exit_code == 2
    return str(error.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.md", "markdown"),
        ("a.tex", "latex"),
        ("a.csv", "csv"),
        ("a.b.TSV", "tsv"),
        ("folder.csv/a.html", "html"),
        (Path("a.json"), "json"),
        ("a.txt", "terminal"),
    ],
)
def test_suffix(path, expected):
    """The suffix of a file says its format, in capitals or not."""
    assert format_for(path) == expected


@pytest.mark.parametrize(
    ("path", "fact"), [("a.xlsx", "unknown suffix '.xlsx' of"), ("out", "no suffix in"), (".csv", "no suffix in")]
)
def test_unknown_suffix(path, fact):
    """Any other suffix is refused with the known ones."""
    with pytest.raises(SepcalcError) as error:
        format_for(path)
    known = ".txt, .md, .tex, .csv, .tsv, .html, .json"
    assert str(error.value) == f"{fact} '{path}'; give one of {known}, or choose a format"


def test_write(tmp_path):
    """The file holds the text in UTF-8, its line ends as they are, and nothing else is in the folder."""
    path = tmp_path / "a.md"
    write(path, "8.41×\nb\r\n")
    assert path.read_bytes() == b"8.41\xc3\x97\nb\r\n"
    assert list(tmp_path.iterdir()) == [path]


def test_write_bytes(tmp_path):
    """Bytes are written as they are."""
    path = tmp_path / "a.png"
    write(path, b"\x89PNG\r\n\x1a\n")
    assert path.read_bytes() == b"\x89PNG\r\n\x1a\n"


def test_by_suffix():
    """A suffix is looked up in capitals or not, and the message for any other says what to do."""
    assert by_suffix("a.b.PNG", {".png": 1, ".svg": 2}) == 1
    with pytest.raises(SepcalcError) as error:
        by_suffix("a.gif", {".png": 1, ".svg": 2}, "; or none")
    assert str(error.value) == "unknown suffix '.gif' of 'a.gif'; give one of .png, .svg; or none"


def test_what_utf8_cannot_hold(tmp_path):
    """A lone surrogate, from a file name that is no UTF-8, is written as an escape."""
    path = tmp_path / "a.md"
    write(path, "a\udc80")
    assert path.read_text() == "a\\udc80"


@pytest.mark.usefixtures("umask")
def test_new_permissions(tmp_path):
    """A new file has the permissions of any new file."""
    write(tmp_path / "a.md", "x")
    assert stat.S_IMODE((tmp_path / "a.md").stat().st_mode) == 0o640


def test_old_permissions(tmp_path):
    """A file that is replaced keeps its permissions."""
    path = tmp_path / "a.md"
    path.write_text("old")
    path.chmod(0o604)
    write(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_link(tmp_path):
    """A link stays a link, and its target is written."""
    target, link = tmp_path / "target.md", tmp_path / "link.md"
    target.write_text("old")
    link.symlink_to(target)
    write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_device():
    """What is no regular file is written to, never replaced."""
    write("/dev/null", "x")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_pipe():
    """A pipe is written to by the name that it has here, as ``-o /dev/stdout | less`` needs it."""
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as end:
        write(f"/dev/fd/{writer}", "x")
        os.close(writer)
        assert end.read() == b"x"


def test_no_folder(tmp_path):
    """A missing folder is named."""
    path = tmp_path / "none" / "a.md"
    assert refusal(path) == f"cannot write '{path}': there is no folder '{tmp_path / 'none'}'; create it first"


def test_is_a_folder(tmp_path):
    """A folder is no file."""
    assert refusal(tmp_path) == f"cannot write '{tmp_path}': it is a folder; give the name of a file"


def test_file_as_folder(tmp_path):
    """A file is no folder."""
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "a.md"
    assert refusal(path) == f"cannot write '{path}': '{tmp_path / 'file'}' is not a folder; give another place"


def test_write_protected(tmp_path, monkeypatch):
    """A file that is protected from writing is left alone, though the folder would let it be replaced."""
    path = tmp_path / "a.md"
    path.write_text("old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everything
    assert refusal(path) == f"cannot write '{path}': permission denied; change its permissions or give another place"
    assert path.read_text() == "old"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "the disk is full; free some space or give another place"),
        (errno.EACCES, "permission denied; change its permissions or give another place"),
        (errno.EROFS, "read-only file system; give another place"),
    ],
)
def test_failure_leaves_nothing(tmp_path, monkeypatch, code, reason):
    """Where the system fails half-way the old file stays as it was, and no temporary file remains."""

    def fail(*_):
        raise OSError(code, os.strerror(code))

    path = tmp_path / "a.md"
    path.write_text("old")
    monkeypatch.setattr(Path, "replace", fail)
    assert refusal(path) == f"cannot write '{path}': {reason}"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_interruption_leaves_nothing(tmp_path, monkeypatch):
    """An interruption leaves no temporary file either."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.md", "x")
    assert list(tmp_path.iterdir()) == []


def test_a_place_is_checked_before_it_is_needed(folder):
    """Whether there is a folder to write into can be asked beforehand, and nothing is written then."""
    check_place("table.md")
    with pytest.raises(SepcalcError) as caught:
        check_place("nowhere/table.md")
    assert str(caught.value) == (
        f"cannot write 'nowhere/table.md': there is no folder '{folder}/nowhere'; create it first"
    )
    assert list(folder.iterdir()) == []
