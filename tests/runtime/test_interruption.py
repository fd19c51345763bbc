"""Ctrl-C, at moments at which Python alone would lose it."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from susracker.runtime.interruption import Hearing

LONG = 60.0

pytestmark = pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs POSIX signals")


@pytest.fixture(autouse=True)
def _plain_handler():
    """A shell that runs the tests in the background has the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupted:
    """Interrupted within a callback, whose exceptions Python ignores."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def seconds_until_heard(wait: Callable[[], None]) -> float:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), Hearing():
        wait()
    return time.monotonic() - began


def test_one_that_a_callback_swallows_comes_again():
    def wait() -> None:
        Interrupted()
        time.sleep(LONG)

    assert seconds_until_heard(wait) < LONG


def test_one_that_comes_just_before_a_wait_ends_it():
    """`interrupt_main` notes the signal, and wakes nobody: as one does that comes between Python's
    last look for signals and the system call."""

    def wait() -> None:
        threading.Timer(0.2, _thread.interrupt_main).start()
        time.sleep(LONG)

    assert seconds_until_heard(wait) < LONG


def test_it_is_heard_once():
    heard = 0
    with Hearing():
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(LONG)
        except KeyboardInterrupt:
            heard += 1
        time.sleep(0.3)
    assert heard == 1


def test_what_was_there_before_is_there_afterwards():
    hook, files = sys.unraisablehook, set(os.listdir("/dev/fd"))
    with Hearing():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert sys.unraisablehook is hook
    assert signal.set_wakeup_fd(-1) == -1
    assert not [one for one in threading.enumerate() if one.name == "hearing Ctrl-C" and one.join()]
    assert set(os.listdir("/dev/fd")) <= files


def test_the_exit_status_is_what_the_program_says():
    """CPython has its own idea if a KeyboardInterrupt left code that was text."""
    program = """
import signal
from susracker.cli import main
from susracker.commands import settings

def interrupted(**values):
    exec("signal.raise_signal(signal.SIGINT)")

settings.command.callback = interrupted
signal.signal(signal.SIGINT, signal.default_int_handler)
main(["settings"])
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=LONG)
    assert done.returncode == 130


def test_one_that_is_ignored_stays_so():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Hearing():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.2)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("failure", ["raise ImportError()", "exec('raise TypeError()')"])
def test_an_error_that_an_interruption_became_ends_the_program_as_one(failure):
    """As of extension modules, and of modules, that are interrupted while they are imported."""
    program = f"""
import signal
from susracker.cli import main
from susracker.commands import settings

def interrupted(**values):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        {failure}

settings.command.callback = interrupted
signal.signal(signal.SIGINT, signal.default_int_handler)
main(["settings"])
"""
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, timeout=LONG)
    assert (done.returncode, done.stderr) == (130, b"")


def test_what_else_fails_after_an_interruption_is_told():
    """As of files that are written at the end, on a disk that is full."""
    program = """
import signal
from susracker.cli import main
from susracker.commands import settings

def interrupted(**values):
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        raise OSError("the disk is full")

settings.command.callback = interrupted
signal.signal(signal.SIGINT, signal.default_int_handler)
main(["settings"])
"""
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.PIPE, timeout=LONG)
    assert done.returncode == 1
    assert b"the disk is full" in done.stderr


@pytest.mark.parametrize(
    "module", ["click.core", "susracker.commands.alerts_stats", "susracker.stores.base", "sqlite3"]
)
def test_while_the_program_is_imported_it_ends_without_a_word(module, tmp_path):
    command = [sys.executable, "-X", "importtime", "-m", "susracker", "alerts", "watch"]
    process = subprocess.Popen(
        [*command, "--store", f"sqlite:///{tmp_path / 'none.db'}"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        lines = iter(process.stderr.readline, "")
        assert any(line.split()[-1] == module for line in lines)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=LONG)
        assert [line for line in rest.splitlines() if not line.startswith("import time:")] == []
        assert process.returncode == 130
    finally:
        process.kill()
        process.communicate()
