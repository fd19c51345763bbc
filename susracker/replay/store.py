"""The criminals of a store, and a memory of its own for what is seen."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from typing_extensions import Self

from susracker.errors import DuplicateError, NotFoundError, StoreError
from susracker.models import (
    Alert,
    Camera,
    Criminal,
    Event,
    Outcome,
    Photo,
    Sighting,
    Template,
)
from susracker.plugins import open_store
from susracker.stores.base import Changes, Store, TemplateRows


class ReplayStore(Store):
    """Reads who is enrolled from another store; sightings, alerts and events stay in memory.

    Nothing is written to the other store. For one thread that writes; any may read criminals.
    """

    def __init__(self, real: Store) -> None:
        self._real = real
        self._alerts: list[Alert] = []
        self._sightings: list[Sighting] = []
        self._events: dict[tuple[str, str], Outcome] = {}
        self._seq = itertools.count(1)

    @classmethod
    def from_url(cls, url: str) -> Self:
        return cls(open_store(url))

    # -- who is enrolled: the real store's ---------------------------------------------------

    def criminal(self, criminal_id: str) -> Criminal:
        return self._real.criminal(criminal_id)

    def criminals(self, criminal_ids: Collection[str] | None = None) -> list[Criminal]:
        return self._real.criminals(criminal_ids)

    def criminals_named(self, name: str) -> list[Criminal]:
        return self._real.criminals_named(name)

    def revision(self) -> int:
        return self._real.revision()

    def changes(self, since: int) -> Changes:
        return self._real.changes(since)

    def photo(self, photo_id: str) -> Photo:
        return self._real.photo(photo_id)

    def photo_ids(self, criminal_id: str) -> list[str]:
        return self._real.photo_ids(criminal_id)

    def photo_owner(self, digest: str) -> str | None:
        return self._real.photo_owner(digest)

    def template_rows(
        self,
        encoder_id: str,
        criminal_ids: Collection[str] | None = None,
        *,
        wanted_at: datetime | None = None,
    ) -> TemplateRows:
        return self._real.template_rows(encoder_id, criminal_ids, wanted_at=wanted_at)

    def template_counts(self, encoder_id: str) -> dict[str, int]:
        return self._real.template_counts(encoder_id)

    def templates(self, criminal_id: str) -> list[Template]:
        return self._real.templates(criminal_id)

    def photos_without_template(self, encoder_id: str) -> list[str]:
        return self._real.photos_without_template(encoder_id)

    def put_criminal(
        self,
        criminal: Criminal,
        photos: Sequence[Photo] = (),
        templates: Sequence[Template] = (),
    ) -> None:
        raise _no_change()

    def remove_criminal(self, criminal_id: str) -> None:
        raise _no_change()

    def add_template(self, template: Template) -> None:
        raise _no_change()

    # -- what was seen: in memory ------------------------------------------------------------

    def record(
        self,
        sightings: Sequence[Sighting],
        alerts: Sequence[Alert],
        event: Event | None = None,
    ) -> tuple[Alert, ...]:
        key = (event.camera_id, event.event_id) if event else None
        if key in self._events:
            raise DuplicateError("the event was handled before")
        stored = tuple(replace(alert, seq=next(self._seq)) for alert in alerts)
        self._alerts += stored
        self._sightings += sightings
        if event and key:
            self._events[key] = Outcome(event.kind, stored)
        return stored

    def put_alert(self, alert: Alert) -> None:
        raise _no_change()

    def event_outcome(self, camera_id: str, event_id: str) -> Outcome | None:
        return self._events.get((camera_id, event_id))

    def forget_events(self, before: datetime) -> None:
        """Events of a replay are all of one night."""

    def alert(self, alert_id: str) -> Alert:
        for alert in self._alerts:
            if alert.id == alert_id:
                return alert
        raise NotFoundError(f"no alert has the id {alert_id!r}")

    def alerts(self, after: int = 0, limit: int = 100) -> list[Alert]:
        return [alert for alert in self._alerts if alert.seq > after][: max(limit, 0)]

    def alerts_since(self, occurred_since: datetime) -> list[Alert]:
        recent = (alert for alert in self._alerts if alert.occurred_at >= occurred_since)
        return [replace(alert, face=None) for alert in recent]

    def last_seq(self) -> int:
        return self._alerts[-1].seq if self._alerts else 0

    def sightings(self, criminal_id: str) -> list[Sighting]:
        his = (one for one in self._sightings if one.criminal_id == criminal_id)
        return sorted(his, key=lambda one: (one.occurred_at, one.id))

    def count_cameras(self, cameras: Sequence[Camera]) -> None:
        """A replay tells what each camera saw itself."""

    def cameras(self) -> list[Camera]:
        return []

    def close(self) -> None:
        self._real.close()


def _no_change() -> StoreError:
    return StoreError("a replay changes nobody who is enrolled")
