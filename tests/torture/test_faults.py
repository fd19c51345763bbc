"""The program of faults in short: disk, database and clock fail a server for a moment."""

from __future__ import annotations

from pathlib import Path

from tests.torture.compiler import needs_compiler
from tests.torture.faults import run
from tests.torture.figures import Figures
from tests.torture.site import READY_SECONDS

SHORT = ("disk full", "database replaced", "clock a day ahead", "database corrupted")
"""The others are in `tests/server/test_faults.py`, or take long."""

pytestmark = needs_compiler


def test_a_server_gets_over_what_its_disk_and_clock_do(tmp_path: Path) -> None:
    figures = Figures("faults")
    run(tmp_path, SHORT, figures, 0.5, READY_SECONDS)
    figures.show()
    assert not figures.broken
