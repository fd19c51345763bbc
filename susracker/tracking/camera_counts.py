"""What each camera sent, gathered in memory and written now and then.

A detection of a stranger then costs no write of its own. A crash loses the counts of the last
second, never a sighting or an alert.
"""

from __future__ import annotations

import threading

from susracker.errors import StoreError
from susracker.models import Camera
from susracker.stores.base import Journal


class CameraCounts:
    """Counts of cameras that are not in the store yet. Safe to use from any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._pending: dict[str, Camera] = {}
        self._lock = threading.Lock()

    def add(self, heard: Camera) -> None:
        """Count `heard.detections` and `heard.alerts` more of that camera."""
        with self._lock:
            known = self._pending.get(heard.id)
            self._pending[heard.id] = heard.added_to(known) if known else heard

    def flush(self) -> None:
        """Write what was counted; where the store cannot, it is kept for the next time.

        Raises:
            StoreUnavailableError: it could not be written.
        """
        with self._lock:
            cameras, self._pending = list(self._pending.values()), {}
        if not cameras:
            return
        try:
            self._journal.count_cameras(cameras)
        except StoreError:
            for camera in cameras:
                self.add(camera)
            raise
