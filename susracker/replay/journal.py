"""A journal in memory, for what a replay sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import islice
from math import inf

from susracker.errors import DuplicateError
from susracker.models import Alert, Camera, CameraDay, Event, Outcome, OutcomeKind, Sighting
from susracker.replay.improvements import ReplayImprovements
from susracker.replay.judgements import ReplayJudgements
from susracker.replay.retention import ReplayRetention
from susracker.stores.base import Journal
from susracker.stores.journal import EVERY_ALERT, AlertFilter
from susracker.stores.refusals import event_was_handled, no_alert, refuse_recent


class ReplayJournal(ReplayJudgements, ReplayImprovements, ReplayRetention, Journal):
    """Sightings, alerts and events of one replay, in memory.

    It knows no gallery: whom a sighting is of is not checked, and nobody's `last_seen_*` moves.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sightings: list[Sighting] = []
        self._outcomes: dict[tuple[str, str], tuple[datetime, OutcomeKind, tuple[str, ...]]] = {}
        self._cameras: dict[str, Camera] = {}
        self._days: dict[tuple[str, date], CameraDay] = {}
        self._last_seq = 0

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
        *,
        cooldown: timedelta = timedelta(),
        moves_last_seen: bool = True,
    ) -> tuple[Alert, ...]:
        with self._lock:
            if event and (event.camera_id, event.event_id) in self._outcomes:
                raise event_was_handled(event)
            refuse_recent(alerts, cooldown, self._newest_like)
            stored = tuple(replace(one, seq=self._last_seq + n) for n, one in enumerate(alerts, 1))
            self._last_seq += len(stored)
            self._alerts += stored
            self._sightings += sightings
            if event:
                handled = event.received_at, event.kind, tuple(one.id for one in stored)
                self._outcomes[event.camera_id, event.event_id] = handled
            return stored

    def _newest_like(self, alert: Alert) -> Alert | None:
        key = alert.cooldown_key
        found = next((one for one in reversed(self._alerts) if one.cooldown_key == key), None)
        return found and replace(found, face=None)

    def put_alert(self, alert: Alert) -> None:
        with self._lock:
            if any(one.seq == alert.seq for one in self._alerts):
                raise DuplicateError(f"there is already an alert with the seq {alert.seq}")
            self._alerts = sorted([*self._alerts, alert], key=lambda one: one.seq)
            self._last_seq = max(self._last_seq, alert.seq)

    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        known = self._outcomes.get((camera_id, event_id))
        if known is None:
            return None
        _, kind, alert_ids = known
        return Outcome(kind, tuple(one for one in self._alerts if one.id in alert_ids))

    def forget_events(self, before: datetime) -> None:
        with self._lock:
            self._outcomes = {key: one for key, one in self._outcomes.items() if one[0] >= before}

    def alert(self, alert_id: str) -> Alert:
        for alert in self._alerts:
            if alert.id == alert_id:
                return alert
        raise no_alert(alert_id)

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
        ordered = reversed(self._alerts) if newest_first else self._alerts
        upper = inf if before is None else before
        between = (one for one in ordered if after < one.seq < upper)
        page = list(islice(filter(wanted.matches, between), max(limit, 0)))
        return page if with_faces else [replace(alert, face=None) for alert in page]

    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        recent = (alert for alert in self._alerts if alert.occurred_at >= occurred_since)
        return [replace(alert, face=None) for alert in recent]

    def last_seq(self) -> int:
        return self._last_seq

    def sightings(self, criminal_id: str) -> list[Sighting]:
        theirs = (one for one in self._sightings if one.criminal_id == criminal_id)
        return sorted(theirs, key=lambda one: (one.occurred_at, one.id))

    def count_cameras(self, cameras: Sequence[Camera], days: Sequence[CameraDay] = ()) -> None:
        with self._lock:
            for camera in cameras:
                known = self._cameras.get(camera.id)
                self._cameras[camera.id] = camera.added_to(known) if known else camera
            for day in days:
                before = self._days.get((day.camera_id, day.day))
                self._days[day.camera_id, day.day] = day.added_to(before) if before else day

    def cameras(self) -> list[Camera]:
        return sorted(self._cameras.values(), key=lambda camera: camera.id)

    def camera_days(self) -> list[CameraDay]:
        return sorted(self._days.values(), key=lambda day: (day.camera_id, day.day))
