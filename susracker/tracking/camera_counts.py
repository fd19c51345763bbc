"""What each camera sent, gathered in memory and written now and then.

A detection of a stranger then costs no write of its own. A crash loses the counts of the last
second, never a sighting or an alert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date

from susracker.models import Camera, CameraDay
from susracker.stores.base import Journal


class CameraCounts:
    """Counts of cameras that are not in the journal yet. Safe to use from any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._cameras: dict[str, Camera] = {}
        self._days: dict[tuple[str, date], CameraDay] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def add(self, heard: Camera, searches: int = 0) -> None:
        """Count `heard.detections` and `heard.alerts` more of that camera, and on that day.

        Args:
            searches: how many passages, or faces, were compared with the watch-list.
        """
        day = heard.last_heard_at.date()
        counted = CameraDay(heard.id, day, heard.detections, searches, heard.alerts)
        self._add_all([heard], [counted])

    def flush(self) -> None:
        """Write what was counted so far; what cannot be written is kept for the next time.

        A flush waits for one under way, so what was counted before it is written when it returns.

        Raises:
            StoreUnavailableError: the counts could not be written.
        """
        with self._flushing, ExitStack() as undo:
            with self._lock:
                cameras, self._cameras = list(self._cameras.values()), {}
                days, self._days = list(self._days.values()), {}
            undo.callback(self._add_all, cameras, days)
            if cameras:
                self._journal.count_cameras(cameras, days)
            undo.pop_all()

    def _add_all(self, cameras: Iterable[Camera], days: Iterable[CameraDay]) -> None:
        with self._lock:
            for heard in cameras:
                known = self._cameras.get(heard.id)
                self._cameras[heard.id] = heard.added_to(known) if known else heard
            for day in days:
                before = self._days.get((day.camera_id, day.day))
                self._days[day.camera_id, day.day] = day.added_to(before) if before else day
