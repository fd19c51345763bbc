"""What requests note in the audit log.

A look is noted before its answer leaves, or it is not answered. A change cannot be taken back if it
cannot be noted: then it waits in memory, `/readyz` says so, and it is noted before anything else.
"""

from __future__ import annotations

import logging
import threading
from collections import deque

from susracker.access.audit import Act, AuditLog
from susracker.access.signing import PublicKey
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

    @property
    def public_key(self) -> PublicKey:
        """What the log is verified with."""
        return self._log.public_key

    def note_look(self, act: Act) -> None:
        """Note a look.

        Raises:
            StoreError: it is not noted, and must not be answered.
            ConfigError: the log is signed by another key.
        """
        with self._lock:
            self._note_waiting()
            self._log.note(act)

    def add_change(self, act: Act) -> None:
        """Have a change noted that was made. This alone may be called from the event loop: no
        queue is too full for it."""
        self._waiting.append(act)

    def note_changes(self) -> None:
        """Note the changes that wait; those that cannot be noted are noted later."""
        try:
            self.catch_up()
        except (StoreError, ConfigError) as error:
            log.error("changes are not in the audit log yet (%d): %s", len(self._waiting), error)

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
