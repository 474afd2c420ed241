"""Ctrl-C while a library is imported."""

from signal import SIG_IGN, SIGINT, getsignal, raise_signal, signal
from threading import Thread

import pytest

from sepcalc.core.errors import MissingExtraError
from sepcalc.core.runtime import delayed


def missing():
    """An import that fails."""
    raise MissingExtraError("torch", "measuring")


@delayed()
def interrupted(then):
    """An import in which Ctrl-C is pressed twice."""
    raise_signal(SIGINT)
    raise_signal(SIGINT)
    then()


def test_interrupted():
    """What was begun is ended, then Ctrl-C is what it always is, and the handler is as it was."""
    done, before = [], getsignal(SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: done.append("imported"))
    assert done == ["imported"]
    assert getsignal(SIGINT) is before


def test_interrupted_and_missing():
    """Who interrupted an import is not told that a library is missing."""
    with pytest.raises(KeyboardInterrupt):
        interrupted(missing)


def test_missing():
    """A fault of an import that was not interrupted comes through, and the handler is as it was."""
    before = getsignal(SIGINT)
    with pytest.raises(MissingExtraError):
        delayed()(missing)()
    assert getsignal(SIGINT) is before


def test_who_ignores_it_still_does():
    """A program that was started to run on, as by nohup, runs on."""
    before = signal(SIGINT, SIG_IGN)
    try:
        with delayed():
            raise_signal(SIGINT)
        assert getsignal(SIGINT) is SIG_IGN
    finally:
        signal(SIGINT, before)


def test_in_another_thread():
    """In a thread of a server, where no handler can be set, nothing changes."""
    seen = []

    def work():
        with delayed():
            seen.append(getsignal(SIGINT))

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [getsignal(SIGINT)]
