"""What each camera sent, gathered in memory and written now and then.

A detection of a stranger then costs no write of its own. A crash loses the counts of the last
second, never a sighting or an alert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack

from susracker.models import Camera
from susracker.stores.base import Journal


class CameraCounts:
    """Counts of cameras that are not in the journal yet. Safe to use from any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pending: dict[str, Camera] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def add(self, heard: Camera) -> None:
        """Count `heard.detections` and `heard.alerts` more of that camera."""
        self._add_all([heard])

    def flush(self) -> None:
        """Write what was counted so far; what cannot be written is kept for the next time.

        A flush waits for one under way, so what was counted before it is written when it returns.

        Raises:
            StoreUnavailableError: the counts could not be written.
        """
        with self._flushing, ExitStack() as undo:
            with self._lock:
                cameras, self._pending = list(self._pending.values()), {}
            undo.callback(self._add_all, cameras)
            if cameras:
                self._journal.count_cameras(cameras)
            undo.pop_all()

    def _add_all(self, cameras: Iterable[Camera]) -> None:
        with self._lock:
            for heard in cameras:
                known = self._pending.get(heard.id)
                self._pending[heard.id] = heard.added_to(known) if known else heard
