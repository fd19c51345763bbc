"""How many connections this process may have open."""

from __future__ import annotations

import logging
import sys

log = logging.getLogger(__name__)

RESERVED = 200
"""Descriptors for the store, the pools and the log."""


EACH = 2
"""Descriptors of a connection that is a WebSocket: simple-websocket has one of its own beside the
server's, for as long as it is open."""


def possible_connections(wanted: int) -> int:
    """Raise the process's limit of open files as far as connections need and the system lets it.

    Returns:
        how many connections there may be: `wanted`, or fewer.
    """
    if sys.platform == "win32":
        return wanted  # sockets are no files there
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = EACH * wanted + RESERVED
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    granted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))
    possible = (granted - RESERVED) // EACH
    if granted < needed:
        log.warning(
            "only %d of max_connections = %d are possible: raise the limit of open files, such as "
            "with ulimit -n %d",
            possible,
            wanted,
            needed,
        )
    return max(1, min(wanted, possible))
