"""Ctrl-C while the program is imported, and afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from susracker.runtime.interruption import interrupt_again, leave_at_once

LONG = 60.0

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")


@pytest.fixture(autouse=True)
def _plain_handler():
    """A shell that runs the tests in the background has the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


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
    leave_at_once()
    interrupt_again()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_after_the_imports_it_raises_again():
    leave_at_once()
    assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    interrupt_again()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


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


STOPS_IN_AN_IMPORT = f"""
import runpy, sys, time

class Stop:
    def find_spec(self, name, path, target=None):
        if name == module:
            print("importing", flush=True)
            time.sleep({LONG})

module = sys.argv.pop(1)
sys.meta_path.insert(0, Stop())
runpy.run_module("susracker", run_name="__main__", alter_sys=True)
"""
"""The program, which comes to a stop as it begins to import a module."""


@pytest.mark.parametrize(
    "module", ["click.core", "susracker.commands.alerts_stats", "susracker.stores.base", "sqlite3"]
)
def test_while_the_program_is_imported_it_ends_without_a_word(module, tmp_path):
    command = [sys.executable, "-c", STOPS_IN_AN_IMPORT, module, "alerts", "watch"]
    process = subprocess.Popen(
        [*command, "--store", f"sqlite:///{tmp_path / 'none.db'}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=LONG) == ("", "")
        assert process.returncode == 130
    finally:
        process.kill()
        process.communicate()
