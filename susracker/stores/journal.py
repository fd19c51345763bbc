"""What a journal must do, whatever keeps the data."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from susracker.models import (
    Alert,
    AlertKind,
    AlertStatus,
    Camera,
    CameraDay,
    Event,
    Outcome,
    Sighting,
)
from susracker.stores.improvements import Improvements
from susracker.stores.judgements import Judgements
from susracker.stores.retention import Retention


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """Which alerts are wanted; what is None does not matter.

    Attributes:
        criminal_id: of the person whom the alert is about, not of another candidate.
        since: earliest `occurred_at`.
        until: latest `occurred_at`.
    """

    status: AlertStatus | None = None
    kind: AlertKind | None = None
    camera_id: str | None = None
    criminal_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def matches(self, alert: Alert) -> bool:
        """Whether an alert is wanted."""
        return (
            self.status in (None, alert.status)
            and self.kind in (None, alert.kind)
            and self.camera_id in (None, alert.camera_id)
            and self.criminal_id in (None, alert.criminal_id)
            and (self.since is None or alert.occurred_at >= self.since)
            and (self.until is None or alert.occurred_at <= self.until)
        )


EVERY_ALERT = AlertFilter()


class Journal(Judgements, Improvements, Retention):
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
        moves_last_seen: bool = True,
    ) -> tuple[Alert, ...]:
        """Store what became of one detection, and move `last_seen_*` of the people who were
        sighted forward.

        Candidates who were removed since they were found are left out of the alerts. Details come
        back as they were given, whatever JSON they are.

        **Cooldown.** All writers of a store share it. An alert is refused if the newest stored one
        (by `seq`) with the same `Alert.cooldown_key` occurred less than `cooldown` before or after
        it. The look-up and the write are one step: of writers that race, one wins. Alerts of the
        same call do not hold each other back.

        Args:
            cooldown: by default nothing is refused.
            moves_last_seen: if false, `last_seen_*` of the people who were sighted stay as they
                are.

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
        before: int | None = None,
        newest_first: bool = False,
        wanted: AlertFilter = EVERY_ALERT,
        with_faces: bool = True,
    ) -> list[Alert]:
        """The first `limit` of the alerts that are wanted, in order of `seq`.

        Args:
            after: only alerts with a greater `seq`.
            before: only alerts with a smaller `seq`; by default there is no such bound.
            newest_first: whether the order is that of falling `seq`.
            with_faces: whether `Alert.face` is read; without it, it is None.
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
