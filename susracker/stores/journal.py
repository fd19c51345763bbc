"""What a journal must do, whatever keeps the data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta

from susracker.models import Alert, Camera, CameraDay, Event, Outcome, Sighting
from susracker.stores.judgements import Judgements
from susracker.stores.retention import Retention


class Journal(Judgements, Retention):
    """What cameras saw: sightings, alerts, handled events, and counts per camera; and what people
    say about it.

    Threads, durability and errors are as in `Gallery`.
    """

    @abstractmethod
    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
        *,
        cooldown: timedelta = timedelta(),
    ) -> tuple[Alert, ...]:
        """Store what became of one detection, and move `last_seen_*` of the people who were
        sighted forward.

        **Cooldown.** All writers of a store share it. An alert is refused if the newest stored one
        (by `seq`) with the same `Alert.cooldown_key` occurred less than `cooldown` before or after
        it. The look-up and the write are one step: of writers that race, one wins. Alerts of the
        same call do not hold each other back.

        Args:
            cooldown: by default nothing is refused.

        Returns:
            the alerts with their `seq`, which grows by commit order and is never used again.

        Raises:
            DuplicateError: the event was handled before.
            NotFoundError: someone who was sighted is not enrolled any more.
            RecentAlertError: the cooldown holds alerts back. Nothing was stored.
        """

    @abstractmethod
    def put_alert(self, alert: Alert) -> None:
        """Store an alert of another journal, with the `seq` that it has there.

        Raises:
            DuplicateError: there is already an alert with that `seq`.
        """

    @abstractmethod
    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        """What became of a handled event, without its sightings; None for an unknown one."""

    @abstractmethod
    def forget_events(self, before: datetime) -> None:
        """Forget the ids of events that were received before a moment."""

    @abstractmethod
    def alert(self, alert_id: str) -> Alert:
        """The alert with that id."""

    @abstractmethod
    def alerts(
        self,
        after: int = 0,
        limit: int = 100,
        *,
        with_faces: bool = True,
        status: str | None = None,
    ) -> list[Alert]:
        """Alerts whose `seq` is greater than `after`, in order of `seq`, at most `limit`.

        Args:
            with_faces: whether `Alert.face` is read; without it, it is None.
            status: only alerts of this status; by default all.
        """

    @abstractmethod
    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        """Alerts that occurred at or after a moment, in order of `seq`, without their faces."""

    @abstractmethod
    def last_seq(self) -> int:
        """The highest `seq` that an alert has had; 0 where there was none."""

    @abstractmethod
    def sightings(self, criminal_id: str) -> list[Sighting]:
        """A person's sightings in the order in which they occurred."""

    @abstractmethod
    def count_cameras(self, cameras: Sequence[Camera], days: Sequence[CameraDay] = ()) -> None:
        """Add the counts of cameras and of their days to what is stored of each, and move
        `last_heard_at` and `location` of the cameras forward."""

    @abstractmethod
    def cameras(self) -> list[Camera]:
        """All cameras, by id."""

    @abstractmethod
    def camera_days(self) -> list[CameraDay]:
        """What cameras sent on each day, by camera and then by day."""
