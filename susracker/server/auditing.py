"""What requests note in the audit log.

A look is noted before its answer leaves, or it is not answered. A change cannot be taken back if it
cannot be noted: then it waits in memory, `/readyz` says so, and it is noted before anything else.
"""

from __future__ import annotations

import logging
import threading
from collections import deque

from susracker.access.audit import Act, AuditLog
from susracker.errors import ConfigError, StoreError

log = logging.getLogger(__name__)


class Auditing:
    """Notes what was done in an audit log. Every method may be called from any thread, but not
    from the event loop."""

    def __init__(self, audit_log: AuditLog) -> None:
        self._log = audit_log
        self._waiting: deque[Act] = deque()
        self._lock = threading.Lock()

    @property
    def problem(self) -> str | None:
        """What is not in the log yet, or None."""
        count = len(self._waiting)
        return f"changes that are not in the audit log yet: {count}" if count else None

    def note_look(self, act: Act) -> None:
        """Note a look.

        Raises:
            StoreError: it is not noted, and must not be answered.
            ConfigError: the log is signed by another key.
        """
        with self._lock:
            self._note_waiting()
            self._log.note(act)

    def note_change(self, act: Act) -> None:
        """Note a change that was made; if that fails, it is noted later."""
        with self._lock:
            self._waiting.append(act)
            try:
                self._note_waiting()
            except (StoreError, ConfigError) as error:
                log.error("a change is not in the audit log yet (%s): %s", act, error)

    def note_later(self, act: Act) -> None:
        """Note a change with whatever is noted next; this may be called from the event loop."""
        self._waiting.append(act)

    def catch_up(self) -> None:
        """Note what is waiting.

        Raises:
            StoreError: some is still waiting.
            ConfigError: the log is signed by another key.
        """
        with self._lock:
            self._note_waiting()

    def _note_waiting(self) -> None:
        while self._waiting:
            self._log.note(self._waiting[0])
            self._waiting.popleft()
