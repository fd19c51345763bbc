"""The end of the log of alerts, in memory."""

from __future__ import annotations

import threading
from collections import deque

from susracker.models import Alert
from susracker.stores.base import Store

SIZE = 50
"""Alerts that are kept, and that are read at once: the pictures of their faces are in memory."""


class Tail:
    """Reads the log of alerts, and its newest entries only once for all who ask.

    Whenever someone is enrolled, edited or removed, an alert is judged or gets better evidence, or
    alerts or faces are forgotten, the tail is read anew: after a removal the alerts have no face
    and no name, after a review another status. Every method may be called from any thread, but not
    from the event loop.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._marks = (-1, -1, -1, -1)
        # Holds every alert after `_since`, as far as the log was read.
        self._alerts: deque[Alert] = deque()
        self._since = max(0, store.last_seq() - SIZE)
        self._lock = threading.Lock()

    def after(self, seq: int) -> list[Alert]:
        """The alerts that follow `seq`, oldest first, at most `SIZE`.

        Raises:
            StoreUnavailableError: the store cannot be read.
        """
        with self._lock:
            self._read_on()
            if seq >= self._since:
                return [alert for alert in self._alerts if alert.seq > seq]
        return self._store.alerts(after=seq, limit=SIZE)

    def _read_on(self) -> None:
        marks = (
            self._store.revision(),
            self._store.last_judgement_seq(),
            self._store.last_improvement(),
            self._store.forgotten(),
        )
        if marks != self._marks:
            self._alerts.clear()
        self._marks = marks
        while page := self._store.alerts(after=self._last_read(), limit=SIZE):
            self._alerts.extend(page)
            while len(self._alerts) > SIZE:
                self._since = self._alerts.popleft().seq
            if len(page) < SIZE:
                return

    def _last_read(self) -> int:
        return self._alerts[-1].seq if self._alerts else self._since
