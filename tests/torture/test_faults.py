"""The program of faults in short: disk, database and clock fail a server for a moment."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.torture.faults import run
from tests.torture.figures import Figures
from tests.torture.site import READY_SECONDS

SHORT = ("disk full", "database replaced", "clock a day ahead", "database corrupted")
"""The others are in `tests/server/test_faults.py`, or take long."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("gcc"), reason="hindering needs Linux and gcc"
)


def test_a_server_gets_over_what_its_disk_and_clock_do(tmp_path: Path) -> None:
    figures = Figures("faults")
    run(tmp_path, SHORT, figures, 0.5, READY_SECONDS)
    figures.show()
    assert not figures.broken
