"""The demonstration, from the command to the alert."""

from __future__ import annotations

import subprocess
import sys


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
