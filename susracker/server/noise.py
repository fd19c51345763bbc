"""What clients can make the log say as often as they like: said once, then counted."""

from __future__ import annotations

import logging
import time

from susracker.faces.images import ignore_warnings

SAID_EACH = 60.0
"""Seconds between two lines of one kind, each of which says how many there were."""

NOT_OURS = ("engineio.server", "socketio.server", "geventwebsocket.handler")
"""Loggers of libraries that log a traceback of each message that is no message."""


class Malformed(logging.Filter):
    """Turns tracebacks of malformed messages into one line a minute.

    An error in our own code keeps its traceback.
    """

    def __init__(self) -> None:
        super().__init__()
        self._count = 0
        self._said_at = -SAID_EACH

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is logged."""
        if not record.exc_info or _is_ours(record):
            return True
        self._count += 1
        if time.monotonic() - self._said_at < SAID_EACH:
            return False
        error = record.exc_info[1]
        record.msg = "malformed messages of Socket.IO clients: %d, such as one that raised %s"
        record.args = (self._count, type(error).__name__)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        self._said_at, self._count = time.monotonic(), 0
        return True


def quieten() -> None:
    """Bound what clients can make the log say: call this once, at start."""
    ignore_warnings()
    for name in NOT_OURS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, Malformed) for one in logger.filters):
            logger.addFilter(Malformed())


def _is_ours(record: logging.LogRecord) -> bool:
    trace = record.exc_info[2] if record.exc_info else None
    while trace:
        if trace.tb_frame.f_globals.get("__name__", "").startswith("susracker."):
            return True
        trace = trace.tb_next
    return False
