"""When a detection occurred, for cameras whose clocks are wrong."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from susracker.models import Detection

log = logging.getLogger(__name__)

FUTURE_TOLERANCE = timedelta(seconds=60)
"""How far a camera's clock may run ahead before the time of arrival is used in its place: a time
in the future would hold alerts back until it has passed."""

CLOCK_STUCK_SECONDS = 10.0
"""How long a camera may keep sending the same time. To send the faces of one frame takes less."""

MAX_CAMERAS = 10_000
"""Cameras whose clocks are watched. Camera ids come from outside, so there must be an end; beyond
it, the camera that has been silent the longest is forgotten."""


@dataclass(slots=True)
class CameraClock:
    """A camera's clock, as its detections show it.

    Attributes:
        shows: the `occurred_at` of the camera's last detection.
        since: when the first of its detections arrived that show that time without a break.
        reported: whether the log says that it stood still.
    """

    shows: datetime
    since: datetime
    reported: bool = False


class CameraClocks:
    """Notices clocks that are ahead or stand still. Safe to use from any thread.

    A clock stands still if its camera's detections go on carrying exactly the same time for more
    than `CLOCK_STUCK_SECONDS` of arrival. Otherwise the cooldown would take all of them for one
    moment, and let only the first one through. As soon as another time arrives, the clock is
    believed again.

    Detections that a camera held back and sends late keep their times, however old, for those
    differ. The exception is detections that share a time, such as many faces of one frame, and take
    longer than `CLOCK_STUCK_SECONDS` to arrive without another time in between: the rest get their
    time of arrival, which may repeat an alert, never lose one.
    """

    def __init__(self) -> None:
        self._clocks: OrderedDict[str, CameraClock] = OrderedDict()
        self._lock = threading.Lock()

    def moment(self, detection: Detection, received_at: datetime) -> datetime:
        """When a detection occurred: its own time, or `received_at` if the clock is wrong."""
        is_ahead = detection.occurred_at > received_at + FUTURE_TOLERANCE
        if is_ahead or self._stands_still(detection, received_at):
            return received_at
        return detection.occurred_at

    def note(self, detection: Detection, received_at: datetime) -> None:
        """Take note of a detection that was handled.

        Do not call it for one that could not be handled: its camera sends it again, with the same
        time.
        """
        with self._lock:
            clock = self._clocks.setdefault(
                detection.camera_id, CameraClock(detection.occurred_at, received_at)
            )
            if clock.shows != detection.occurred_at:
                clock.shows, clock.since = detection.occurred_at, received_at
            clock.since = min(clock.since, received_at)
            self._clocks.move_to_end(detection.camera_id)
            if len(self._clocks) > MAX_CAMERAS:
                self._clocks.popitem(last=False)

    def _stands_still(self, detection: Detection, received_at: datetime) -> bool:
        with self._lock:
            clock = self._clocks.get(detection.camera_id)
            if clock is None or clock.shows != detection.occurred_at:
                return False
            if received_at - clock.since <= timedelta(seconds=CLOCK_STUCK_SECONDS):
                return False
            report, clock.reported = not clock.reported, True
        if report:
            log.warning(
                "the clock of camera %s stands still at %s: set it; until then the time of arrival "
                "is used",
                detection.camera_id,
                detection.occurred_at.isoformat(),
            )
        return True
