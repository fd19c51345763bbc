"""What a process uses, read from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="reads what a process uses from Linux's /proc"
)

ESTABLISHED = "01"
"""In /proc/net/tcp."""


def resident_bytes(pid: int) -> int:
    """Memory that is resident now, with that of its own processes."""
    return sum(_status(one, "VmRSS") for one in _family(pid)) * 1024


def peak_bytes(pid: int) -> int:
    """The most memory that was ever resident, with that of its own processes."""
    return sum(_status(one, "VmHWM") for one in _family(pid)) * 1024


def thread_count(pid: int) -> int:
    """How many threads it has."""
    return _status(pid, "Threads")


def descriptor_count(pid: int) -> int:
    """How many files and sockets it has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def open_files(pid: int) -> list[str]:
    """What it has open: paths of files, and words such as "socket:[17]", once a descriptor."""
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it may have been closed meanwhile
            found.append(os.readlink(descriptor))
    return found


def socket_count(pid: int) -> int:
    """How many sockets it has open."""
    return sum(one.startswith("socket:") for one in open_files(pid))


def connection_count(port: int) -> int:
    """How many TCP connections are established on a local port, as seen from its server."""
    rows = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    local = f":{port:04X}"
    return sum(row[1].endswith(local) and row[3] == ESTABLISHED for row in rows)


def machine_cpu_seconds() -> float:
    """Time that all processes of the machine used since it was started."""
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Time of user and system that it used so far, with that of its own processes."""
    return sum(map(_ticks, _family(pid))) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> int:
    # The name, the second field, may hold spaces, and ends with the last parenthesis.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _family(pid: int) -> list[int]:
    """A process and those that it has started."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # the thread has ended
            for child in (thread / "children").read_text().split():
                found += _family(int(child))
    return found


def _status(pid: int, key: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))
