"""A process that dies leaves no image of its memory, which holds faces."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torture.site import Site

CORE_PATTERN = Path("/proc/sys/kernel/core_pattern")

writes_cores = pytest.mark.skipif(
    not CORE_PATTERN.exists() or CORE_PATTERN.read_text().strip() != "core",
    reason="core dumps go elsewhere here",
)

CRASH = "import os; os.abort()"
FORBID = "from susracker.runtime.core_dumps import forbid_core_dumps as forbid; forbid(); "


def dumps_after(folder: Path, code: str) -> list[Path]:
    """The core dumps of a program that crashes, although its user allows them."""
    allow = "import resource as r; r.setrlimit(r.RLIMIT_CORE, (r.RLIM_INFINITY,) * 2); "
    done = subprocess.run([sys.executable, "-c", allow + code], cwd=folder, capture_output=True)
    assert done.returncode == -signal.SIGABRT, done.stderr
    return list(folder.glob("core*"))


@writes_cores
@pytest.mark.skipif(os.name == "nt" or os.getuid() != 0, reason="only root may raise the limit")
def test_a_crash_leaves_no_core_dump(tmp_path: Path) -> None:
    assert dumps_after(tmp_path, FORBID + CRASH) == []
    assert dumps_after(tmp_path, CRASH)


@pytest.mark.skipif(not CORE_PATTERN.exists(), reason="reads the limit from Linux's /proc")
def test_the_server_forbids_them(tmp_path: Path) -> None:
    with Site(
        tmp_path, prefix=["bash", "-c", 'ulimit -S -c "$(ulimit -H -c)"; exec "$@"', "-"]
    ) as site:
        limits = Path(f"/proc/{site.pid}/limits").read_text()
    [line] = [one for one in limits.splitlines() if one.startswith("Max core file size")]
    assert line.split()[4] in ("0", "1")
