"""Keeps what is in memory out of files that the system writes when a process dies."""

from __future__ import annotations

import sys

TOO_SMALL = 1
"""Bytes that no core dump fits into. Linux hands dumps to a program such as systemd-coredump
whatever the limit is, zero included, except at this one (`do_coredump` in fs/coredump.c)."""


def forbid_core_dumps() -> None:
    """Have no core dump written of this process from now on, unless its limit is raised again."""
    if sys.platform == "win32":
        return  # it writes none unless the registry asks for it
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard != 0:
        resource.setrlimit(resource.RLIMIT_CORE, (TOO_SMALL, hard))
