"""What requests note in the audit log.

A look is noted before its answer leaves, or it is not answered. A change cannot be taken back if it
cannot be noted: then it waits in memory, `/readyz` says so, and it is noted before anything else.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from susracker.access.audit import Act, AuditLog
from susracker.access.signing import PublicKey
from susracker.errors import ConfigError, StoreError

log = logging.getLogger(__name__)


REPEAT_SECONDS = 600.0
"""For how long the same look at the same person or alert is noted once: pages show the same faces
again and again, and follow a track while they are open."""

REPEATS_KEPT = 10_000
"""How many looks are remembered; beyond that, those that were noted first are noted again."""


class Auditing:
    """Notes what was done in an audit log. Every method may be called from any thread, but not
    from the event loop."""

    def __init__(self, audit_log: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = audit_log
        self._clock = clock
        self._looks: OrderedDict[tuple[str, ...], float] = OrderedDict()
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

    def note_look_once(self, act: Act) -> None:
        """Note a look, unless the same one was noted in the last `REPEAT_SECONDS`.

        Lists, which may show something new, are noted each time, and so is who gives a reason.

        Raises:
            StoreError: it is not noted, and must not be answered.
            ConfigError: the log is signed by another key.
        """
        what, now = _what(act), self._clock()
        with self._lock:
            self._note_waiting()
            if now - self._looks.get(what, float("-inf")) < REPEAT_SECONDS:
                return
            self._log.note(act)
            if act.subject and not act.reason:
                self._remember(what, now)

    def _remember(self, what: tuple[str, ...], now: float) -> None:
        self._looks[what] = now
        self._looks.move_to_end(what)
        if len(self._looks) > REPEATS_KEPT:
            self._looks.popitem(last=False)

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


def _what(act: Act) -> tuple[str, ...]:
    """What makes a look the same as another."""
    detail = json.dumps(act.detail, sort_keys=True)
    return (act.actor, act.role, act.address, act.action, act.subject, act.reason, detail)
