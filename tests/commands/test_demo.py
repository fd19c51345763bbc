"""The demonstration, from the command to the alert."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_once_ends_after_an_alert_and_a_suppressed_repeat():
    run = subprocess.run(
        [sys.executable, "-m", "susracker", "demo", "--once", "--interval", "0.2"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "ALERT 1" in run.stdout
    assert "Match found but in cooldown" in run.stdout
    assert "Traceback" not in run.stderr


WITHOUT = """
import sys

import pytest
from importlib.machinery import PathFinder

find_spec = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name in sys.argv[1:] else find_spec(name, *rest)

from susracker.cli import main

main(["demo", "--once"])
"""
"""The demo in a Python in which packages are missing."""


@pytest.mark.parametrize("missing", [["skimage"], ["socketio"], ["skimage", "socketio"]])
def test_without_its_packages_it_says_the_one_command(missing):
    command = [sys.executable, "-c", WITHOUT, *missing]
    run = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert run.returncode != 0
    assert run.stdout == ""
    assert run.stderr.endswith(": pip install 'susracker[demo]'\n")
    assert run.stderr.count("\n") == 1
